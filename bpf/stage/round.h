/* SPDX-License-Identifier: MIT OR GPL-2.0-only */
/* What a round of the sweep goes by, and what it counts. */
#ifndef LB_ROUND_H
#define LB_ROUND_H

#include "../abi.h"

struct sweep_round {
	struct lb_settings settings;
	__u32 now;
	__u32 slice;
	__u32 wanted; /* whether candidates for eviction are wanted */
	__u32 slot; /* the generation that serves */
	__u32 removals; /* whether the time of connections of removed targets is over */
	__u64 now_ms;
	__u32 expired;
	__u32 orphans;
};

#endif
