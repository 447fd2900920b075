/* SPDX-License-Identifier: MIT OR GPL-2.0-only */
/* Starting a connection: choose a backend and enter both halves. */
#ifndef LB_OPEN_H
#define LB_OPEN_H

#include "../lib/lock.h"
#include "close.h"
#include "evict.h"
#include "select.h"
#include "track.h"

#define LB_EEXIST 17
#define LB_E2BIG 7

union conn_value {
	struct lb_conn c;
	struct lb_conn4 v4;
	struct lb_conn6 v6;
};

static __always_inline enum lb_reason reason_of_insert(long error)
{
	if (error == -LB_EEXIST)
		return LB_DROP_TUPLE_CONFLICT;
	if (error == -LB_E2BIG)
		return LB_DROP_CONN_TABLE_FULL;
	return LB_DROP_CONN_BUSY;
}

static __always_inline enum lb_reason insert_half(
	const union tuple *key, const union conn_value *value, const bool v6)
{
	void *table = conn_table(key, v6);
	long error;

	if (!table)
		return LB_DROP_NO_CONN_TABLE;
	if (conn_find_other(key, v6))
		return LB_DROP_TUPLE_CONFLICT;
	error = bpf_map_update_elem(table, key, value, BPF_NOEXIST);
	return error ? reason_of_insert(error) : LB_OK;
}

/*
 * A reverse half is in the way. If it is what remained of this very connection after its forward
 * half was deleted from user space, it goes; a living connection of another listener stays.
 */
static __always_inline enum lb_reason replace_leftover(const struct arrival *a,
	const union tuple *key, const union conn_value *value, const bool v6)
{
	struct lb_conn *there = conn_find(key, v6);
	const __be32 *listener;
	bool ours;

	if (!there || !(there->flags & LB_CONN_REVERSE))
		return LB_DROP_TUPLE_CONFLICT;
	listener = conn_nat_addr(there);
	ours = v6 ? addr6_equal(listener, a->tuple.v6.daddr_be) &&
			       there->nat_port_be == a->tuple.v6.dport_be
		  : *listener == a->tuple.v4.daddr_be && there->nat_port_be == a->tuple.v4.dport_be;
	if (!ours)
		return LB_DROP_TUPLE_CONFLICT;
	count_closed(there, true);
	place_give_back();
	conn_delete(key, v6);
	return insert_half(key, value, v6);
}

static __always_inline void set_nat(
	union conn_value *value, const __be32 *addr, __be16 port_be, const bool v6)
{
	value->c.nat_port_be = port_be;
	if (v6)
		addr6_copy(value->v6.nat_addr_be, addr);
	else
		value->v4.nat_addr_be = *addr;
}

/*
 * The reverse half first: it decides whether the backend can be used, and until the forward half is
 * in, no packet of this connection reaches any backend.
 */
static __always_inline enum lb_reason insert_pair(
	const struct arrival *a, const struct lb_backend *backend, const bool v6)
{
	union conn_value value = {};
	struct candidate_scratch *own = scratch();
	union tuple *reverse;
	enum lb_reason reason;
	struct lb_backend_stats *stats;
	const __be32 *backend_addr = v6 ? backend->addr.be : &backend->addr.be[3];
	__u8 proto = v6 ? a->tuple.v6.proto : a->tuple.v4.proto;
	__u32 row = backend->stats;

	if (!own)
		return LB_DROP_CONN_BUSY;
	reverse = (union tuple *)&own->sibling;
	value.c.last_seen = a->now;
	value.c.stats = row;
	value.c.state = proto == IPPROTO_TCP ? LB_CONN_SYN : LB_CONN_UDP_ONEWAY;
	value.c.flags = LB_CONN_REVERSE;
	if (v6)
		set_nat(&value, a->tuple.v6.daddr_be, a->tuple.v6.dport_be, v6);
	else
		set_nat(&value, &a->tuple.v4.daddr_be, a->tuple.v4.dport_be, v6);
	tuple_sibling(reverse, &a->tuple, backend_addr, backend->port_be, false, v6);
	reason = insert_half(reverse, &value, v6);
	if (reason == LB_DROP_TUPLE_CONFLICT)
		reason = replace_leftover(a, reverse, &value, v6);
	if (reason != LB_OK)
		return reason;

	value.c.flags = 0;
	set_nat(&value, backend_addr, backend->port_be, v6);
	reason = insert_half(&a->tuple, &value, v6);
	if (reason != LB_OK) {
		conn_delete(reverse, v6);
		return reason;
	}
	stats = bpf_map_lookup_elem(&backend_stats, &row);
	if (stats)
		stats->opened++;
	return LB_OK;
}

static __always_inline enum lb_reason choose_and_insert(
	const struct arrival *a, const struct lb_group *group, const bool v6)
{
	enum lb_reason reason = LB_DROP_NO_BACKEND;
	const struct lb_backend *backend;

#pragma clang loop unroll(disable)
	for (__u32 round = 0; round < LB_SELECT_TRIES && round < group->selection_count; round++) {
		reason = find_backend(
			a->slot, selection_entry(group, a->random, round), &backend, v6);
		if (reason == LB_OK)
			reason = insert_pair(a, backend, v6);
		if (reason != LB_DROP_TUPLE_CONFLICT)
			break;
	}
	return reason;
}

/* Under the pair's lock. Another CPU may have entered the connection since this one looked. */
static __always_inline enum lb_reason open_locked(
	const struct arrival *a, const struct lb_group *group, const bool v6)
{
	struct lb_conn *there = conn_find(&a->tuple, v6);
	__u8 proto = v6 ? a->tuple.v6.proto : a->tuple.v4.proto;
	enum lb_reason reason;

	if (there && !is_superseded(there, proto, a->tcp_flags)) {
		if (a->has_place)
			place_give_back();
		return LB_OK;
	}
	if (there)
		close_pair(&a->tuple, there, false, v6);
	if (!a->has_place && !place_take(a->slot))
		return LB_DROP_CONN_LIMIT;
	reason = choose_and_insert(a, group, v6);
	if (reason == LB_OK)
		candidate_add_if_pressed(&a->tuple, v6);
	else if (!a->has_place)
		place_give_back();
	return reason;
}

static __always_inline enum lb_reason open_connection(const struct arrival *a, const bool v6)
{
	const struct lb_listener *listener;
	const struct lb_group *group;
	__u32 lock;
	enum lb_reason reason;

	reason = find_listener(a, &listener, v6);
	if (reason != LB_OK)
		return reason;
	reason = find_run(a->slot, find_group(a, listener, v6), &group);
	if (reason != LB_OK)
		return reason;
	lock = conn_lock(&a->tuple, v6);
	if (!lock_take(lock))
		return LB_DROP_CONN_BUSY;
	reason = open_locked(a, group, v6);
	lock_release(lock);
	return reason;
}

/* Global functions, which the verifier checks once and not at each call. */
__noinline int open_connection4(const struct arrival *a)
{
	return a ? open_connection(a, false) : LB_OK;
}

__noinline int open_connection6(const struct arrival *a)
{
	return a ? open_connection(a, true) : LB_OK;
}

/* Evicted for one connection whose partition is full: which partitions they leave is left to chance. */
#define LB_EVICT_MAX 8

/* LB_OK: both halves are in the table. */
static __always_inline enum lb_reason start_connection(struct arrival *a, const bool v6)
{
	enum lb_reason reason = v6 ? open_connection6(a) : open_connection4(a);

	if (likely(reason != LB_DROP_CONN_LIMIT && reason != LB_DROP_CONN_TABLE_FULL))
		return reason;
	if (!make_room(reason == LB_DROP_CONN_LIMIT ? 1 : LB_EVICT_MAX))
		return reason;
	a->has_place = true;
	reason = v6 ? open_connection6(a) : open_connection4(a);
	if (reason != LB_OK)
		place_give_back();
	return reason;
}

#endif
