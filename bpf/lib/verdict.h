/* SPDX-License-Identifier: MIT OR GPL-2.0-only */
/* What becomes of a packet, by reason, and the count of it. */
#ifndef LB_VERDICT_H
#define LB_VERDICT_H

#include "../maps.h"

enum verdict { VERDICT_PASS = 0, VERDICT_DROP, VERDICT_REDIRECT };

/* Reasons that are not named here pass. */
static const volatile __u8 verdict_of[LB_REASON_ROWS] = {
	[LB_REDIRECT] = VERDICT_REDIRECT,
	[LB_DROP_NO_BACKEND] = VERDICT_DROP,
	[LB_DROP_WRONG_FAMILY] = VERDICT_DROP,
	[LB_DROP_BAD_TABLE] = VERDICT_DROP,
	[LB_DROP_NO_CONN_TABLE] = VERDICT_DROP,
	[LB_DROP_CONN_TABLE_FULL] = VERDICT_DROP,
	[LB_DROP_TUPLE_CONFLICT] = VERDICT_DROP,
	[LB_DROP_CONN_BUSY] = VERDICT_DROP,
	[LB_DROP_REWRITE_FAILED] = VERDICT_DROP,
};

/* Counts the one reason a packet has, and says what to do with the packet. */
static __always_inline enum verdict conclude(enum lb_reason reason)
{
	__u32 row = reason;
	__u64 *count = bpf_map_lookup_elem(&reasons, &row);

	if (count)
		++*count;
	return verdict_of[row & (LB_REASON_ROWS - 1)];
}

#endif
