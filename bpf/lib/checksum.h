/* SPDX-License-Identifier: MIT OR GPL-2.0-only */
/* The Internet checksum, updated for what changed (RFC 1624, equation 3). */
#ifndef LB_CHECKSUM_H
#define LB_CHECKSUM_H

#include <linux/types.h>
#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>

/* Sums of complemented old and of new words, in network order, not folded. */
static __always_inline __u64 csum_diff16(__be16 from, __be16 to)
{
	return (__u64)(__u16)~from + to;
}

static __always_inline __u64 csum_diff32(__be32 from, __be32 to)
{
	return (__u64)(__u32)~from + to;
}

static __always_inline __u64 csum_diff128(const __be32 *from, const __be32 *to)
{
	return csum_diff32(from[0], to[0]) + csum_diff32(from[1], to[1]) +
	       csum_diff32(from[2], to[2]) + csum_diff32(from[3], to[3]);
}

/* What one less in the TTL, the high byte of its word, adds to the sum. */
static __always_inline __u64 csum_diff_ttl(void)
{
	return bpf_htons(0xfeff);
}

/* To the 32 bits that the kernel's helpers take as a difference. */
static __always_inline __u32 csum_diff_fold32(__u64 sum)
{
	sum = (sum & 0xffffffff) + (sum >> 32);
	return (sum & 0xffffffff) + (sum >> 32);
}

static __always_inline __u16 csum_fold(__u64 sum)
{
	sum = (sum & 0xffffffff) + (sum >> 32);
	sum = (sum & 0xffff) + (sum >> 16);
	sum = (sum & 0xffff) + (sum >> 16);
	sum = (sum & 0xffff) + (sum >> 16);
	return sum;
}

static __always_inline __u16 csum_update(__u16 check, __u64 diff)
{
	return ~csum_fold((__u64)(__u16)~check + diff);
}

#endif
