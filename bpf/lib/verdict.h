/* SPDX-License-Identifier: MIT OR GPL-2.0-only */
/* What becomes of a packet, by reason, and the count of it. */
#ifndef LB_VERDICT_H
#define LB_VERDICT_H

#include "../maps.h"

enum verdict { VERDICT_PASS = 0, VERDICT_DROP, VERDICT_REDIRECT };

/* A switch and no table: an index that depends on the path taken is refused without CAP_PERFMON. */
static __always_inline enum verdict verdict_of(enum lb_reason reason)
{
	switch (reason) {
	case LB_REDIRECT:
		return VERDICT_REDIRECT;
	case LB_DROP_NO_BACKEND:
	case LB_DROP_WRONG_FAMILY:
	case LB_DROP_BAD_TABLE:
	case LB_DROP_NO_CONN_TABLE:
	case LB_DROP_CONN_TABLE_FULL:
	case LB_DROP_TUPLE_CONFLICT:
	case LB_DROP_CONN_BUSY:
	case LB_DROP_REWRITE_FAILED:
	case LB_DROP_CONN_LIMIT:
		return VERDICT_DROP;
	default:
		return VERDICT_PASS;
	}
}

/* Counts the one reason a packet has, and says what to do with the packet. */
static __always_inline enum verdict conclude(enum lb_reason reason)
{
	__u32 row = reason;
	__u64 *count = bpf_map_lookup_elem(&reasons, &row);

	if (count)
		++*count;
	return verdict_of(reason);
}

#endif
