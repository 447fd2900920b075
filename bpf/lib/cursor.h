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
	__u32 left; /* bytes of the packet from pos on, those beyond `end` included */
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
	__u32 l4_off; /* bytes from the start of the frame to the TCP or UDP header */
	__u32 header_len; /* bytes of the IP and TCP or UDP headers */
	__u16 eth_proto_be;
	__u8 proto; /* IPPROTO_TCP, IPPROTO_UDP */
	__u8 tcp_flags; /* byte 13 of the TCP header; 0 for UDP */
};

/* Moves the cursor behind `size` bytes; NULL where the packet's memory ends before them. */
static __always_inline void *cursor_take(struct cursor *c, __u32 size)
{
	void *taken = c->pos;

	if (taken + size > c->end)
		return NULL;
	c->pos = taken + size;
	c->left -= size;
	return taken;
}

#endif
