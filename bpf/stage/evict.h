/* SPDX-License-Identifier: MIT OR GPL-2.0-only */
/*
 * Who makes room when there are as many connections as allowed: one that is half-open or closed,
 * never an established one. To find one at once, such connections are put into a queue when they
 * start and when they close, as long as there are many connections. The queue is short; when it runs
 * out, the sweep adds those that it has lost. What a candidate has become meanwhile is seen when it is taken out.
 */
#ifndef LB_EVICT_H
#define LB_EVICT_H

#include "../lib/lock.h"
#include "close.h"

/* Candidates that are taken out at most: many of them may be established by now, or gone. */
#define LB_EVICT_ATTEMPTS 128
/* Fewer candidates than this, and the sweep adds more. */
#define LB_CANDIDATES_LOW 64

static __always_inline bool is_evictable(__u8 state)
{
	return state != LB_CONN_ESTABLISHED && state != LB_CONN_UDP_STREAM;
}

static __always_inline struct candidate_scratch *scratch(void)
{
	__u32 zero = 0;

	return bpf_map_lookup_elem(&candidate_scratch, &zero);
}

static __always_inline __u64 *count_of_candidates(void)
{
	__u32 zero = 0;

	return bpf_map_lookup_elem(&candidate_count, &zero);
}

/* Where the queue is full, in the place of the oldest candidate. */
static __always_inline void candidate_add(const union tuple *forward, const bool v6)
{
	struct candidate_scratch *own = scratch();

	if (!own)
		return;
	own->candidate.v6 = v6;
	if (v6)
		own->candidate.tuple = forward->v6;
	else
		*(struct lb_conn4_key *)&own->candidate.tuple = forward->v4;
	if (bpf_map_push_elem(&candidates, &own->candidate, 0) == 0) {
		__u64 *count = count_of_candidates();

		if (count)
			__sync_fetch_and_add(count, 1);
	} else {
		bpf_map_push_elem(&candidates, &own->candidate, BPF_EXIST);
	}
}

static __always_inline void candidate_add_if_pressed(const union tuple *forward, const bool v6)
{
	const struct lb_conn_totals *totals = totals_row();

	if (totals && totals->pressed)
		candidate_add(forward, v6);
}

static __always_inline void count_evicted(__u8 state)
{
	struct lb_conn_totals *totals = totals_row();
	__u32 row = state & (LB_CONN_STATES - 1);

	if (totals)
		__sync_fetch_and_add(&totals->evicted[row], 1);
}

/* Deletes both halves like close_pair(), and keeps their place. */
static __always_inline bool evict(const union tuple *forward, const bool v6)
{
	struct candidate_scratch *own = scratch();
	__u32 lock = conn_lock(forward, v6);
	struct lb_conn *conn;
	bool evicted = false;

	if (!own || !lock_take(lock))
		return false;
	conn = conn_find(forward, v6);
	if (conn && !(conn->flags & LB_CONN_REVERSE) && is_evictable(conn->state)) {
		union tuple *sibling = (union tuple *)&own->sibling;

		count_evicted(conn->state);
		/* Under a flood of SYNs they go before any backend could answer; one that came again has waited. */
		count_closed(conn, conn->packets > 1);
		if (find_sibling_of(forward, conn, sibling, false, v6))
			conn_delete(sibling, v6);
		conn_delete(forward, v6);
		evicted = true;
	}
	lock_release(lock);
	return evicted;
}

/* Global functions: merged into one, the two families mix up pointers into their tables. */
__noinline int evict4(const union tuple *forward)
{
	return forward ? evict(forward, false) : 0;
}

__noinline int evict6(const union tuple *forward)
{
	return forward ? evict(forward, true) : 0;
}

struct eviction {
	__u32 wanted;
	__u32 evicted;
};

static long evict_attempt(__u32 round, struct eviction *eviction)
{
	struct candidate_scratch *own = scratch();
	__u64 *count = count_of_candidates();
	const union tuple *forward;

	if (!own || !count || bpf_map_pop_elem(&candidates, &own->candidate))
		return 1;
	__sync_fetch_and_add(count, -1);
	forward = (const union tuple *)&own->candidate.tuple;
	if (!(own->candidate.v6 ? evict6(forward) : evict4(forward)))
		return 0;
	if (eviction->evicted++)
		place_give_back();
	return eviction->evicted == eviction->wanted;
}

/*
 * 1 where connections were evicted, at most as many as wanted; the caller, who holds no lock, then has
 * the place of one of them.
 */
__noinline int make_room(__u32 wanted)
{
	struct eviction eviction = {.wanted = wanted};

	bpf_loop(LB_EVICT_ATTEMPTS, evict_attempt, &eviction, 0);
	return eviction.evicted > 0;
}

#endif
