/* SPDX-License-Identifier: MIT OR GPL-2.0-only */
/* The connections of removed targets, which the sweep ends when their time is over. */
#ifndef LB_REMOVED_H
#define LB_REMOVED_H

#include "../lib/lock.h"
#include "close.h"
#include "round.h"

/* Not the coarse clock, which is behind by milliseconds: what ends at once was written by the exact one. */
static __always_inline __u64 now_ms(void)
{
	return bpf_ktime_get_ns() / LB_NS_PER_MS;
}

/* Whether there are connections that may have to go with their target. */
static __always_inline bool removals_due(__u32 slot, __u64 now_ms)
{
	struct lb_removed_key all = {.slot = slot};
	const struct lb_removed *row = slot < LB_SLOTS ? bpf_map_lookup_elem(&removed, &all) : NULL;

	return row && now_ms >= row->deadline && now_ms < row->end;
}

/*
 * Whether the time of a listener's connections with a backend is over. A global function, which the verifier
 * checks once and not at each call. `key` is left as that of the listener on any address.
 */
__noinline int removal_due(struct lb_removed_key *key, __u64 now_ms)
{
	const struct lb_removed *row;

	if (!key)
		return 0;
	row = bpf_map_lookup_elem(&removed, key);
	if (!row) {
		if (!is_mapped_ipv4(&key->listener))
			key->listener.be[0] = key->listener.be[1] = key->listener.be[2] = 0;
		key->listener.be[3] = 0;
		row = bpf_map_lookup_elem(&removed, key);
	}
	return row && row->deadline && now_ms >= row->deadline;
}

/* Of a forward half: whether its target was removed, and its time is over. */
static __always_inline bool is_removed(const union tuple *own, const struct lb_conn *conn,
	const struct sweep_round *round, const bool v6)
{
	struct lb_removed_key key = {.stats = conn->stats, .slot = round->slot};

	if (conn->flags & LB_CONN_REVERSE || is_over(conn->state))
		return false;
	key.port_be = v6 ? own->v6.dport_be : own->v4.dport_be;
	key.proto = v6 ? own->v6.proto : own->v4.proto;
	addr_of(&key.listener, v6 ? own->v6.daddr_be : &own->v4.daddr_be, v6);
	return removal_due(&key, round->now_ms);
}

/* Under the pair's lock, on a fresh lookup. */
static __always_inline void close_if_removed(
	const union tuple *own, const struct sweep_round *round, const bool v6)
{
	struct lb_conn *conn = conn_find(own, v6);
	struct lb_backend_stats *stats;

	if (!conn || !is_removed(own, conn, round, v6))
		return;
	stats = stats_of(conn);
	if (stats)
		stats->removed++;
	close_pair(own, conn, false, v6);
}

static __always_inline long end_half(const union tuple *own, const struct lb_conn *conn,
	const struct sweep_round *round, const bool v6)
{
	__u32 lock;

	if (!is_removed(own, conn, round, v6))
		return 0;
	lock = conn_lock(own, v6);
	if (!lock_take(lock))
		return 0;
	close_if_removed(own, round, v6);
	lock_release(lock);
	return 0;
}

static long end_conn4(
	void *map, struct lb_conn4_key *key, struct lb_conn4 *conn, struct sweep_round *round)
{
	union tuple own;

	own.v4 = *key;
	return end_half(&own, &conn->c, round, false);
}

static long end_conn6(
	void *map, struct lb_conn6_key *key, struct lb_conn6 *conn, struct sweep_round *round)
{
	union tuple own;

	own.v6 = *key;
	return end_half(&own, &conn->c, round, true);
}

#endif
