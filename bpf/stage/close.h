/* SPDX-License-Identifier: MIT OR GPL-2.0-only */
/* Deleting both halves of a connection. The caller holds the pair's lock. */
#ifndef LB_CLOSE_H
#define LB_CLOSE_H

#include "../lib/totals.h"
#include "arrival.h"

/* The other half of `conn`, a reverse one or not; NULL where it is gone or the key is another connection's. */
static __always_inline struct lb_conn *find_sibling_of(
	const union tuple *own, struct lb_conn *conn, union tuple *key, bool reverse, const bool v6)
{
	struct lb_conn *other;
	__be32 *addr;

	tuple_sibling(key, own, conn_nat_addr(conn), conn->nat_port_be, reverse, v6);
	other = conn_find(key, v6);
	if (!other || !(other->flags & LB_CONN_REVERSE) == !reverse)
		return NULL;
	/* A reverse half leads back to the listener, a forward one on to the backend. */
	addr = conn_nat_addr(other);
	if (v6) {
		if (!addr6_equal(addr, reverse ? own->v6.saddr_be : own->v6.daddr_be) ||
			other->nat_port_be != (reverse ? own->v6.sport_be : own->v6.dport_be))
			return NULL;
	} else {
		if (*addr != (reverse ? own->v4.saddr_be : own->v4.daddr_be) ||
			other->nat_port_be != (reverse ? own->v4.sport_be : own->v4.dport_be))
			return NULL;
	}
	return other;
}

static __always_inline struct lb_conn *find_sibling(
	const union tuple *own, struct lb_conn *conn, union tuple *key, const bool v6)
{
	return find_sibling_of(own, conn, key, conn->flags & LB_CONN_REVERSE, v6);
}

static __always_inline void conn_delete(const union tuple *key, const bool v6)
{
	void *table = conn_table(key, v6);

	if (table && bpf_map_delete_elem(table, key) == 0)
		return;
	table = conn_other_table(key, v6);
	if (table)
		bpf_map_delete_elem(table, key);
}

static __always_inline struct lb_backend_stats *stats_of(const struct lb_conn *conn)
{
	__u32 row = conn->stats;

	return bpf_map_lookup_elem(&backend_stats, &row);
}

/* Only its record is left. */
static __always_inline bool is_over(__u8 state)
{
	return state == LB_CONN_TIME_WAIT || state == LB_CONN_RESET;
}

/*
 * Before the record goes, whose memory may be another connection's the moment after. `waited`: if the backend
 * has not answered the SYN, it has had its time.
 */
static __always_inline void count_closed(const struct lb_conn *conn, bool waited)
{
	struct lb_backend_stats *stats = stats_of(conn);

	if (!stats)
		return;
	stats->closed++;
	if (!is_over(conn->state))
		stats->ended++;
	if (waited && conn->state == LB_CONN_SYN)
		stats->timed_out++;
}

/* Deletes `conn`, found by `own`, and its other half where there is one. */
static __always_inline void close_pair(
	const union tuple *own, struct lb_conn *conn, bool waited, const bool v6)
{
	union tuple sibling;
	bool whole = find_sibling(own, conn, &sibling, v6);

	count_closed(conn, waited);
	conn_delete(own, v6);
	if (whole)
		conn_delete(&sibling, v6);
	place_give_back();
}

#endif
