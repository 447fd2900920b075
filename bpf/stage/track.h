/* SPDX-License-Identifier: MIT OR GPL-2.0-only */
/* The state of a connection, followed from the packets of both directions. */
#ifndef LB_TRACK_H
#define LB_TRACK_H

#include "../lib/clock.h"
#include "../lib/lock.h"
#include "../lib/parse.h"
#include "arrival.h"
#include "evict.h"

static __always_inline bool is_start(__u8 proto, __u8 tcp_flags)
{
	const __u8 mask =
		TCP_FLAG_BYTE_SYN | TCP_FLAG_BYTE_ACK | TCP_FLAG_BYTE_RST | TCP_FLAG_BYTE_FIN;

	return proto == IPPROTO_UDP || (tcp_flags & mask) == TCP_FLAG_BYTE_SYN;
}

/* Closing or closed: a client that sends a SYN now has forgotten this connection. */
static __always_inline bool is_ending(__u8 state)
{
	return state >= LB_CONN_FIN_CLIENT && state <= LB_CONN_RESET;
}

/* Whether a start on this record begins another connection. */
static __always_inline bool is_superseded(const struct lb_conn *conn, __u8 proto, __u8 tcp_flags)
{
	return proto == IPPROTO_TCP && is_start(proto, tcp_flags) && is_ending(conn->state) &&
	       !(conn->flags & LB_CONN_REVERSE);
}

static __always_inline __u8 after_fin(__u8 state, bool reverse)
{
	switch (state) {
	case LB_CONN_FIN_CLIENT:
		return reverse ? LB_CONN_TIME_WAIT : state;
	case LB_CONN_FIN_BACKEND:
		return reverse ? state : LB_CONN_TIME_WAIT;
	case LB_CONN_TIME_WAIT:
	case LB_CONN_RESET:
		return state;
	default:
		return reverse ? LB_CONN_FIN_BACKEND : LB_CONN_FIN_CLIENT;
	}
}

/* RST before SYN before FIN before ACK, where a segment has several. */
static __always_inline __u8 next_tcp_state(__u8 state, __u8 tcp_flags, bool reverse)
{
	if (tcp_flags & TCP_FLAG_BYTE_RST)
		return LB_CONN_RESET;
	if (tcp_flags & TCP_FLAG_BYTE_SYN) {
		bool answer = reverse && tcp_flags & TCP_FLAG_BYTE_ACK;

		return state == LB_CONN_SYN && answer ? LB_CONN_SYN_ACK : state;
	}
	if (tcp_flags & TCP_FLAG_BYTE_FIN)
		return after_fin(state, reverse);
	if (state == LB_CONN_SYN_ACK && !reverse && tcp_flags & TCP_FLAG_BYTE_ACK)
		return LB_CONN_ESTABLISHED;
	return state;
}

static __always_inline __u8 next_state(__u8 state, __u8 tcp_flags, bool reverse)
{
	if (state == LB_CONN_UDP_STREAM)
		return state;
	if (state == LB_CONN_UDP_ONEWAY)
		return reverse ? LB_CONN_UDP_STREAM : state;
	return next_tcp_state(state, tcp_flags, reverse);
}

/*
 * What a change of state tells of the backend. Every counter is written: of branches clang makes one
 * addition at an address that varies, which takes CAP_PERFMON.
 */
static __always_inline void count_change(const struct lb_conn *conn, __u8 state, bool reverse)
{
	struct lb_backend_stats *stats = stats_of(conn);
	__u8 before = conn->state;
	bool reset = state == LB_CONN_RESET;
	bool opening = before == LB_CONN_SYN || before == LB_CONN_SYN_ACK;
	bool open = before == LB_CONN_ESTABLISHED || before == LB_CONN_FIN_CLIENT;
	bool answered = before == LB_CONN_SYN_ACK || before == LB_CONN_UDP_ONEWAY;

	if (!stats)
		return;
	stats->established += answered && !reset;
	stats->refused += opening && reset && reverse;
	stats->reset += open && reset && reverse;
	stats->ended += is_over(state) && !is_over(before);
}

/*
 * Writes a new state to both halves. Under the lock and on fresh lookups: the packets of the two
 * directions may change it at once on two CPUs, and a record may have been deleted and its memory
 * given to another connection since this packet found it.
 */
static __always_inline void change_state(const struct arrival *a, const bool v6)
{
	struct lb_conn *own = conn_find(&a->tuple, v6), *other;
	__u32 lock;
	union tuple sibling;
	bool reverse;
	__u8 state;

	if (!own)
		return;
	reverse = own->flags & LB_CONN_REVERSE;
	tuple_sibling(&sibling, &a->tuple, conn_nat_addr(own), own->nat_port_be, reverse, v6);
	lock = conn_lock(reverse ? &sibling : &a->tuple, v6);
	if (!lock_take(lock))
		return;
	own = conn_find(&a->tuple, v6);
	other = conn_find(&sibling, v6);
	if (own && other) {
		state = next_state(own->state, a->tcp_flags, reverse);
		if (state != own->state)
			count_change(own, state, reverse);
		if (is_ending(state) && state != own->state)
			candidate_add_if_pressed(reverse ? &sibling : &a->tuple, v6);
		own->state = state;
		other->state = state;
	}
	lock_release(lock);
}

/* Global functions, which the verifier checks once and not at each call. */
__noinline int change_state4(const struct arrival *a)
{
	if (a)
		change_state(a, false);
	return 0;
}

__noinline int change_state6(const struct arrival *a)
{
	if (a)
		change_state(a, true);
	return 0;
}

/* Counts the packet in its own half and with its backend, and follows the state. */
static __always_inline void track(struct lb_conn *conn, struct arrival *a, const bool v6)
{
	bool reverse = conn->flags & LB_CONN_REVERSE;
	__u32 row = conn->stats;
	struct lb_backend_stats *stats = bpf_map_lookup_elem(&backend_stats, &row);

	if (stats && reverse) {
		stats->packets_rev += a->wire_packets;
		stats->bytes_rev += a->wire_bytes;
	} else if (stats) {
		stats->packets_fwd += a->wire_packets;
		stats->bytes_fwd += a->wire_bytes;
	}
	conn->packets += a->wire_packets;
	conn->bytes += a->wire_bytes;
	a->soon = !clock_older(conn->last_seen, a->now, LB_HOP_MAX_AGE);
	conn->last_seen = a->now;
	if (unlikely(next_state(conn->state, a->tcp_flags, reverse) != conn->state)) {
		if (v6)
			change_state6(a);
		else
			change_state4(a);
	}
}

/* Takes a reply's count back: the program at egress will see it again. */
static __always_inline void untrack(struct lb_conn *conn, const struct arrival *a)
{
	__u32 row = conn->stats;
	struct lb_backend_stats *stats = bpf_map_lookup_elem(&backend_stats, &row);

	if (stats) {
		stats->packets_rev -= a->wire_packets;
		stats->bytes_rev -= a->wire_bytes;
	}
	conn->packets -= a->wire_packets;
	conn->bytes -= a->wire_bytes;
}

#endif
