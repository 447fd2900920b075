/* SPDX-License-Identifier: MIT OR GPL-2.0-only */
/*
 * The two halves of a connection are created, changed in state and deleted together under a lock
 * chosen by the forward half's key. bpf_spin_lock cannot be held over the map operations this
 * takes. Holders run with softirqs off and never wait for a second lock, so a wait is short; it is
 * bounded all the same, and a packet that waited in vain gives up.
 */
#ifndef LB_LOCK_H
#define LB_LOCK_H

#include "../maps.h"
#include "tuple.h"

#define LB_LOCK_ATTEMPTS 256

static __always_inline __u32 conn_lock(const union tuple *forward, const bool v6)
{
	return tuple_hash(forward, v6) >> 40 & (LB_CONN_LOCKS - 1);
}

struct lock_wait {
	__u32 index;
	__u32 taken;
};

static long lock_attempt(__u32 round, struct lock_wait *wait)
{
	struct lb_lock *lock = bpf_map_lookup_elem(&conn_locks, &wait->index);

	wait->taken = lock && __sync_val_compare_and_swap(&lock->held, 0, 1) == 0;
	return wait->taken;
}

/*
 * Whether the lock was taken. bpf_loop, because without CAP_PERFMON the verifier follows a loop of our own
 * along every path that a processor might speculate about.
 */
static __always_inline bool lock_take(__u32 index)
{
	struct lock_wait wait = {.index = index};

	bpf_loop(LB_LOCK_ATTEMPTS, lock_attempt, &wait, 0);
	return wait.taken;
}

static __always_inline void lock_release(__u32 index)
{
	struct lb_lock *lock = bpf_map_lookup_elem(&conn_locks, &index);

	if (lock)
		__sync_lock_test_and_set(&lock->held, 0);
}

#endif
