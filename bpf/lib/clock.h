/* SPDX-License-Identifier: MIT OR GPL-2.0-only */
/* Coarse time in 32 bits: units of 2^20 ns, wrapping after 52 days. */
#ifndef LB_CLOCK_H
#define LB_CLOCK_H

#include <linux/types.h>
#include <stdbool.h>
#include <bpf/bpf_helpers.h>

#define LB_CLOCK_SHIFT 20
#define LB_NS_PER_SEC 1000000000ull
#define LB_NS_PER_MS 1000000ull
/* How long a next hop is believed, see stage/hop.h: a tenth of a second. */
#define LB_HOP_MAX_AGE 95
/* Half the range of the clock, above which an age looks negative, with room to spare. */
#define LB_CLOCK_MAX_AGE (1u << 30)

static __always_inline __u32 clock_now(void)
{
	return bpf_ktime_get_coarse_ns() >> LB_CLOCK_SHIFT;
}

static __always_inline __u32 clock_from_seconds(__u32 seconds)
{
	__u64 units = (seconds * LB_NS_PER_SEC) >> LB_CLOCK_SHIFT;

	return units < LB_CLOCK_MAX_AGE ? units : LB_CLOCK_MAX_AGE;
}

/* A time that another CPU has just written may be ahead of `now`: that is no age at all. */
static __always_inline bool clock_older(__u32 then, __u32 now, __u32 age)
{
	return (__s32)(now - then) > (__s32)age;
}

#endif
