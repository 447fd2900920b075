/* SPDX-License-Identifier: MIT OR GPL-2.0-only */
/* A position in a packet, and what a packet turned out to be. */
#ifndef LB_CURSOR_H
#define LB_CURSOR_H

#include <linux/if_ether.h>
#include <linux/ip.h>
#include <linux/ipv6.h>
#include <linux/types.h>
#include <stdbool.h>

#include "../abi.h"

#define likely(x) __builtin_expect(!!(x), 1)
#define unlikely(x) __builtin_expect(!!(x), 0)

struct cursor {
	void *pos;
	void *end;
	/* Bytes of the frame, those beyond `end` included. Not `end` less its start: subtracting pointers takes CAP_PERFMON. */
	__u32 frame_len;
};

/* Headers are in the packet's memory from `eth` on, one after another. */
struct packet {
	struct ethhdr *eth;
	union {
		struct iphdr *ip4;
		struct ipv6hdr *ip6;
	};
	void *l4;
	__u32 l3_len; /* bytes from the IP header on, padding of the frame excluded */
	__u32 l4_len; /* bytes from the TCP or UDP header on */
	__u32 header_len; /* bytes of the IP and TCP or UDP headers */
	__u16 eth_proto_be;
	__u8 proto; /* IPPROTO_TCP, IPPROTO_UDP */
	__u8 tcp_flags; /* byte 13 of the TCP header; 0 for UDP */
};

/*
 * Leaves in `*taken` where `size` bytes start and moves the cursor behind them; false where the packet's
 * memory ends before. A NULL to say so would be compared with a packet pointer, which the verifier
 * only allows with CAP_PERFMON.
 */
static __always_inline bool cursor_take(struct cursor *c, __u32 size, void **taken)
{
	void *start = c->pos;

	*taken = start;
	if (start + size > c->end)
		return false;
	c->pos = start + size;
	return true;
}

/*
 * Bytes from the start of the frame to the TCP or UDP header: constant, as packets with options and
 * extension headers pass. Adding a number that is not to a packet pointer takes CAP_PERFMON.
 */
static __always_inline __u32 l4_offset(const bool v6)
{
	return sizeof(struct ethhdr) + (v6 ? sizeof(struct ipv6hdr) : sizeof(struct iphdr));
}

#endif
