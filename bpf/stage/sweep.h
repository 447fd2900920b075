/* SPDX-License-Identifier: MIT OR GPL-2.0-only */
/*
 * Expiry. A timer walks one partition of each family at a time, and comes round to all of them in
 * lb_sweep_cycle_ms. A pair goes when both halves have been idle for longer than the state allows; a
 * half whose other half is gone, because somebody deleted it, goes too; and so do those whose target was
 * removed and whose time is over. An idle half is always compared with the other one; of the busy halves
 * only one in LB_SWEEP_SLICES in each round, because that costs a second lookup.
 */
#ifndef LB_SWEEP_H
#define LB_SWEEP_H

#include "../lib/clock.h"
#include "../lib/lock.h"
#include "close.h"
#include "evict.h"
#include "removed.h"
#include "round.h"

#define LB_SWEEP_SLICES 8

/* For when no generation is active; with one, its settings hold. */
static const struct lb_settings default_settings = {
	.tcp_syn_sec = 30,
	.tcp_established_sec = 300,
	.tcp_fin_sec = 60,
	.tcp_time_wait_sec = 60,
	.tcp_reset_sec = 10,
	.udp_oneway_sec = 30,
	.udp_stream_sec = 180,
	.max_connections = 100000,
};

/* Not a table: an index that varies, into the stack, takes CAP_PERFMON. */
static __always_inline __u32 max_age_sec(const struct lb_settings *s, __u8 state)
{
	switch (state) {
	case LB_CONN_SYN:
	case LB_CONN_SYN_ACK:
		return s->tcp_syn_sec;
	case LB_CONN_ESTABLISHED:
		return s->tcp_established_sec;
	case LB_CONN_FIN_CLIENT:
	case LB_CONN_FIN_BACKEND:
		return s->tcp_fin_sec;
	case LB_CONN_TIME_WAIT:
		return s->tcp_time_wait_sec;
	case LB_CONN_RESET:
		return s->tcp_reset_sec;
	case LB_CONN_UDP_ONEWAY:
		return s->udp_oneway_sec;
	case LB_CONN_UDP_STREAM:
		return s->udp_stream_sec;
	default:
		return 0;
	}
}

static __always_inline void read_settings(struct sweep_round *round)
{
	__u32 zero = 0, slot = round->slot;
	void *table = slot < LB_SLOTS ? bpf_map_lookup_elem(&settings, &slot) : NULL;
	const struct lb_settings *row = table ? bpf_map_lookup_elem(table, &zero) : NULL;

	round->settings = row ? *row : default_settings;
}

static __always_inline bool is_idle(const struct lb_conn *conn, const struct sweep_round *round)
{
	return clock_older(conn->last_seen, round->now,
		clock_from_seconds(max_age_sec(&round->settings, conn->state)));
}

/* Under the pair's lock, on fresh lookups: between the walk and the lock a packet may have come. */
static __always_inline void close_if_dead(
	const union tuple *own, struct sweep_round *round, const bool v6)
{
	struct lb_conn *conn = conn_find(own, v6), *other;
	union tuple sibling;

	if (!conn)
		return;
	other = find_sibling(own, conn, &sibling, v6);
	if (!other) {
		close_pair(own, conn, false, v6);
		round->orphans++;
	} else if (is_idle(conn, round) && is_idle(other, round)) {
		close_pair(own, conn, true, v6);
		round->expired++;
	}
}

/* One half. Most are busy and left at once. */
static __always_inline long sweep_half(
	const union tuple *own, struct lb_conn *conn, struct sweep_round *round, const bool v6)
{
	__be16 ports =
		v6 ? own->v6.sport_be ^ own->v6.dport_be : own->v4.sport_be ^ own->v4.dport_be;
	__u32 slice = (ports ^ ports >> 8) % LB_SWEEP_SLICES;
	bool idle = is_idle(conn, round);
	bool reverse = conn->flags & LB_CONN_REVERSE;
	union tuple sibling;
	struct lb_conn *other;
	__u32 lock;

	if (!idle && slice != round->slice) {
		if (round->wanted && !reverse && is_evictable(conn->state))
			candidate_add(own, v6);
		return 0;
	}
	other = find_sibling(own, conn, &sibling, v6);
	if (other && !(idle && is_idle(other, round)))
		return 0;
	lock = conn_lock(reverse ? &sibling : own, v6);
	if (!lock_take(lock))
		return 0;
	close_if_dead(own, round, v6);
	lock_release(lock);
	return 0;
}

static long sweep_conn4(
	void *map, struct lb_conn4_key *key, struct lb_conn4 *conn, struct sweep_round *round)
{
	union tuple own;

	own.v4 = *key;
	return sweep_half(&own, &conn->c, round, false);
}

static long sweep_conn6(
	void *map, struct lb_conn6_key *key, struct lb_conn6 *conn, struct sweep_round *round)
{
	union tuple own;

	own.v6 = *key;
	return sweep_half(&own, &conn->c, round, true);
}

/* Partitions of both sets; lb_conn_partitions is never 0, which the compiler does not know. */
static __always_inline __u32 sweep_count(void)
{
	return (lb_conn_partitions + lb_conn_other_partitions) ?: 1;
}

/* `index` counts through the current set first, then through the other one. */
static __always_inline void sweep_partition(__u32 index, struct sweep_round *round)
{
	bool other = index >= lb_conn_partitions;
	__u32 set = other ? lb_conn_set ^ 1 : lb_conn_set;
	__u32 partition =
		set * LB_CONN_PARTITIONS_MAX + (other ? index - lb_conn_partitions : index);
	void *table = bpf_map_lookup_elem(&conn4, &partition);

	if (table && round->removals)
		bpf_for_each_map_elem(table, end_conn4, round, 0);
	if (table)
		bpf_for_each_map_elem(table, sweep_conn4, round, 0);
	table = bpf_map_lookup_elem(&conn6, &partition);
	if (table && round->removals)
		bpf_for_each_map_elem(table, end_conn6, round, 0);
	if (table)
		bpf_for_each_map_elem(table, sweep_conn6, round, 0);
}

/* Whether there are still so many connections that some may have to go. */
static __always_inline bool is_pressed(__u32 limit)
{
	struct lb_conn_totals *totals = totals_row();

	if (!totals)
		return false;
	if (limit == 0 || (__s64)totals->live < LB_PRESSED_AT((__s64)limit))
		totals->pressed = 0;
	return totals->pressed;
}

static __always_inline bool candidates_run_out(void)
{
	const __u64 *count = count_of_candidates();

	return count && *count < LB_CANDIDATES_LOW;
}

static __always_inline __u64 sweep_period_ns(void)
{
	return lb_sweep_cycle_ms * LB_NS_PER_MS / sweep_count();
}

/* Until the next partition, or at once for those that somebody waits for. */
static __always_inline __u64 sweep_pause_ns(const struct lb_sweep *state)
{
	return state->hurry ? LB_NS_PER_MS : sweep_period_ns();
}

static int sweep_tick(void *map, __u32 *key, struct lb_sweep *state)
{
	struct sweep_round round = {};
	__u32 partition = state->partition < sweep_count() ? state->partition : 0;

	state->last_run_ns = bpf_ktime_get_coarse_ns();
	round.now = state->last_run_ns >> LB_CLOCK_SHIFT;
	round.now_ms = now_ms();
	round.slice = state->runs / sweep_count() % LB_SWEEP_SLICES;
	round.slot = read_active_slot();
	read_settings(&round);
	round.removals = removals_due(round.slot, round.now_ms);
	round.wanted = is_pressed(round.settings.max_connections) && candidates_run_out();
	sweep_partition(partition, &round);
	state->partition = partition + 1;
	state->expired += round.expired;
	state->orphans += round.orphans;
	state->runs++;
	if (state->hurry)
		state->hurry--;
	bpf_timer_start(&state->timer, sweep_pause_ns(state), 0);
	return 0;
}

/*
 * Starts the timer, or puts this program's code in the place of another version's. The timer lives
 * as long as the map is pinned or open. Where connections of removed targets are to end, it comes round to all of
 * them at once.
 */
static __always_inline int sweep_start(void)
{
	__u32 zero = 0;
	struct lb_sweep *state = bpf_map_lookup_elem(&sweep, &zero);
	long error;

	if (!state)
		return -1;
	bpf_timer_init(&state->timer, &sweep, 1 /* CLOCK_MONOTONIC */); /* EBUSY: there already */
	error = bpf_timer_set_callback(&state->timer, sweep_tick);
	if (error)
		return error;
	if (removals_due(read_active_slot(), now_ms()))
		state->hurry = sweep_count();
	return bpf_timer_start(&state->timer, sweep_pause_ns(state), 0);
}

#endif
