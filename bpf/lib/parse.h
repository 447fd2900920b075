/* SPDX-License-Identifier: MIT OR GPL-2.0-only */
/* Ethernet, IPv4, IPv6, TCP and UDP headers. Nothing is trusted before it is checked. */
#ifndef LB_PARSE_H
#define LB_PARSE_H

#include <linux/in.h>
#include <linux/tcp.h>
#include <linux/udp.h>
#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>

#include "cursor.h"

#define TCP_FLAG_BYTE_FIN 0x01
#define TCP_FLAG_BYTE_SYN 0x02
#define TCP_FLAG_BYTE_RST 0x04
#define TCP_FLAG_BYTE_ACK 0x10

#define IP4_MORE_FRAGMENTS_OR_OFFSET 0x3fff
#define IP4_DONT_FRAGMENT 0x4000

static __always_inline enum lb_reason parse_eth(struct cursor *c, struct packet *p)
{
	struct ethhdr *eth;

	if (!cursor_take(c, sizeof(*eth), (void **)&eth))
		return LB_PASS_SHORT_ETH;
	if (eth->h_dest[0] & 1)
		return LB_PASS_NOT_UNICAST;
	p->eth = eth;
	p->eth_proto_be = eth->h_proto;
	if (eth->h_proto == bpf_htons(ETH_P_8021Q) || eth->h_proto == bpf_htons(ETH_P_8021AD))
		return LB_PASS_VLAN;
	return LB_OK;
}

/*
 * Leaves the cursor after the options, and its end where the packet's own length says.
 * `length` stands in for a total length of 0 (Linux leaves it so in packets over 64 KB, which exist
 * only within a host); 0 where there can be none.
 */
static __always_inline enum lb_reason parse_ipv4(struct cursor *c, struct packet *p, __u32 length)
{
	struct iphdr *ip;
	__u32 header_len;

	if (!cursor_take(c, sizeof(*ip), (void **)&ip))
		return LB_PASS_SHORT_IPV4;
	if (ip->version != 4)
		return LB_PASS_BAD_IPV4_VERSION;
	header_len = ip->ihl * 4;
	if (header_len < sizeof(*ip))
		return LB_PASS_BAD_IHL;
	p->l3_len = bpf_ntohs(ip->tot_len);
	if (p->l3_len == 0)
		p->l3_len = length;
	if (p->l3_len < header_len || sizeof(struct ethhdr) + p->l3_len > c->frame_len)
		return LB_PASS_BAD_IPV4_LENGTH;
	if (ip->frag_off & bpf_htons(IP4_MORE_FRAGMENTS_OR_OFFSET))
		return LB_PASS_IPV4_FRAGMENT;
	if (header_len > sizeof(*ip))
		return LB_PASS_IPV4_OPTIONS;
	p->l4_len = p->l3_len - header_len;
	p->ip4 = ip;
	p->proto = ip->protocol;
	p->header_len = header_len;
	return LB_OK;
}

static __always_inline bool is_ipv6_extension(__u8 next_header)
{
	return next_header == IPPROTO_HOPOPTS || next_header == IPPROTO_ROUTING ||
	       next_header == IPPROTO_FRAGMENT || next_header == IPPROTO_DSTOPTS ||
	       next_header == IPPROTO_AH || next_header == IPPROTO_MH;
}

static __always_inline enum lb_reason parse_ipv6(struct cursor *c, struct packet *p)
{
	struct ipv6hdr *ip;
	__u32 payload_len;

	if (!cursor_take(c, sizeof(*ip), (void **)&ip))
		return LB_PASS_SHORT_IPV6;
	if (ip->version != 6)
		return LB_PASS_BAD_IPV6_VERSION;
	payload_len = bpf_ntohs(ip->payload_len);
	if (sizeof(struct ethhdr) + sizeof(*ip) + payload_len > c->frame_len)
		return LB_PASS_BAD_IPV6_LENGTH;
	if (is_ipv6_extension(ip->nexthdr))
		return LB_PASS_IPV6_EXTENSION;
	p->l4_len = payload_len;
	p->ip6 = ip;
	p->proto = ip->nexthdr;
	p->l3_len = sizeof(*ip) + payload_len;
	p->header_len = sizeof(*ip);
	return LB_OK;
}

static __always_inline enum lb_reason parse_tcp(struct cursor *c, struct packet *p)
{
	struct tcphdr *tcp;
	__u32 header_len;

	if (p->l4_len < sizeof(*tcp) || !cursor_take(c, sizeof(*tcp), (void **)&tcp))
		return LB_PASS_SHORT_TCP;
	header_len = tcp->doff * 4;
	if (header_len < sizeof(*tcp) || header_len > p->l4_len)
		return LB_PASS_BAD_TCP_OFFSET;
	p->l4 = tcp;
	p->tcp_flags = ((__u8 *)tcp)[13];
	p->header_len += header_len;
	return LB_OK;
}

static __always_inline enum lb_reason parse_udp(struct cursor *c, struct packet *p)
{
	struct udphdr *udp;
	__u32 length;

	if (p->l4_len < sizeof(*udp) || !cursor_take(c, sizeof(*udp), (void **)&udp))
		return LB_PASS_SHORT_UDP;
	length = bpf_ntohs(udp->len);
	if (length < sizeof(*udp) || length > p->l4_len)
		return LB_PASS_BAD_UDP_LENGTH;
	p->l4 = udp;
	p->tcp_flags = 0;
	p->header_len += sizeof(*udp);
	return LB_OK;
}

static __always_inline enum lb_reason parse_l4(struct cursor *c, struct packet *p)
{
	if (p->proto == IPPROTO_TCP)
		return parse_tcp(c, p);
	if (p->proto == IPPROTO_UDP)
		return parse_udp(c, p);
	return LB_PASS_NOT_TCP_UDP;
}

#endif
