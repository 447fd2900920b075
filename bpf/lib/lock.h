/* SPDX-License-Identifier: MIT OR GPL-2.0-only */
/*
 * The two halves of a connection are created, changed in state and deleted together under a lock
 * chosen by the forward half's key. bpf_spin_lock cannot be held over the map operations this takes.
 * Holders run with softirqs off and never wait for a second lock, so a wait is short; it is bounded
 * all the same, and a packet that waited in vain gives up.
 */
#ifndef LB_LOCK_H
#define LB_LOCK_H

#include "../maps.h"

#define LB_LOCK_ATTEMPTS 256

static __always_inline bool lock_take(struct lb_lock *lock)
{
#pragma clang loop unroll(disable)
	for (int i = 0; i < LB_LOCK_ATTEMPTS; i++) {
		if (__sync_val_compare_and_swap(&lock->held, 0, 1) == 0)
			return true;
	}
	return false;
}

static __always_inline void lock_release(struct lb_lock *lock)
{
	__sync_lock_test_and_set(&lock->held, 0);
}

#endif
