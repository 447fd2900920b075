/* SPDX-License-Identifier: MIT OR GPL-2.0-only */
/* The tc entry points, for tcx and clsact alike. */
#include <linux/if_packet.h>
#include <linux/pkt_cls.h>

#include "lib/clock.h"
#include "lib/parse.h"
#include "lib/verdict.h"
#include "stage/hop.h"
#include "stage/open.h"
#include "stage/rewrite.h"
#include "stage/sweep.h"
#include "stage/track.h"

/* Ethernet, IPv4 with all options or IPv6, and the TCP header without options. */
#define LB_TC_LINEAR (14 + 60 + 20)

/* Since 6.16: mind that IPv6 has no header checksum when a hardware checksum is adjusted. */
#define LB_F_IPV6 (1ull << 7)
#define LB_EINVAL 22

static __always_inline long tc_replace_l4(
	struct __sk_buff *skb, __u32 offset, __u64 from, __u64 to, __u64 flags, const bool v6)
{
	long error = bpf_l4_csum_replace(skb, offset, from, to, v6 ? flags | LB_F_IPV6 : flags);

	if (v6 && error == -LB_EINVAL)
		error = bpf_l4_csum_replace(skb, offset, from, to, flags);
	return error;
}

/* Through helpers, because a checksum may be partial or the hardware's. Ends all packet pointers. */
static __always_inline long tc_update_l4_checksum(
	struct __sk_buff *skb, const struct packet *p, const struct translation *t, const bool v6)
{
	bool udp = p->proto == IPPROTO_UDP;
	__u32 offset = l4_offset(v6) + (udp ? __builtin_offsetof(struct udphdr, check)
					    : __builtin_offsetof(struct tcphdr, check));
	__u64 flags = udp ? BPF_F_MARK_MANGLED_0 : 0;
	__u64 diff = csum_diff_fold32(addr_diff(t, v6));
	long error = tc_replace_l4(skb, offset, 0, diff, flags | BPF_F_PSEUDO_HDR, v6);

	if (!error && t->old_port_be != t->port_be)
		error = bpf_l4_csum_replace(
			skb, offset, t->old_port_be, t->port_be, flags | sizeof(t->port_be));
	return error;
}

/* The headers again, after a helper has ended the packet pointers. */
static __always_inline bool tc_reload(struct __sk_buff *skb, struct packet *p, const bool v6)
{
	void *data = (void *)(long)skb->data, *end = (void *)(long)skb->data_end;

	p->eth = data;
	p->ip4 = data + sizeof(struct ethhdr);
	p->l4 = data + l4_offset(v6);
	return p->l4 + sizeof(struct udphdr) <= end;
}

static __always_inline bool tc_translate(
	struct __sk_buff *skb, struct packet *p, const struct translation *t, const bool v6)
{
	if (tc_update_l4_checksum(skb, p, t, v6) || !tc_reload(skb, p, v6))
		return false;
	write_translation(p, t, v6);
	return true;
}

/* The longest packet on the wire: a segment, where the hardware or the kernel will cut this one up. */
static __always_inline __u32 tc_longest(struct __sk_buff *skb, const struct packet *p)
{
	return skb->gso_size ? p->header_len + skb->gso_size : p->l3_len;
}

static __always_inline enum lb_reason tc_forward(struct __sk_buff *skb, struct packet *p,
	const struct arrival *a, struct lb_conn *conn, const bool v6)
{
	struct next_hop hop;
	struct translation t;
	enum lb_reason reason = find_hop(skb, p, a, conn, tc_longest(skb, p), &hop, HOOK_TC, v6);

	if (reason != LB_OK && is_restored_at_egress(p, a, conn, reason, hop.ifindex, v6)) {
		untrack(conn, a);
		return reason;
	}
	translation_of(&t, a, conn, v6);
	if (!tc_translate(skb, p, &t, v6))
		return LB_DROP_REWRITE_FAILED;
	if (reason != LB_OK)
		return reason;
	write_hop(p, &hop, v6);
	bpf_redirect(hop.ifindex, 0); /* fails for flags that it does not know only */
	return LB_REDIRECT;
}

static __always_inline void tc_arrival(
	struct arrival *a, struct __sk_buff *skb, const struct packet *p, __u32 slot, const bool v6)
{
	__u32 segments = skb->gso_segs;

	*a = (struct arrival){
		.slot = slot,
		.ifindex = skb->ifindex,
		.now = clock_now(),
		.wire_packets = 1,
		.wire_bytes = p->l3_len,
		.tcp_flags = p->tcp_flags,
	};
	if (segments > 1) {
		a->wire_packets = segments;
		a->wire_bytes += (segments - 1) * p->header_len;
	}
	tuple_of_packet(&a->tuple, p, v6);
}

static __always_inline enum lb_reason tc_ingress_ip(
	struct __sk_buff *skb, struct packet *p, __u32 slot, const bool v6)
{
	struct arrival a;
	struct lb_conn *conn;

	tc_arrival(&a, skb, p, slot, v6);
	conn = conn_find(&a.tuple, v6);
	if (unlikely(!conn || is_superseded(conn, p->proto, p->tcp_flags))) {
		enum lb_reason reason;

		if (!is_start(p->proto, p->tcp_flags))
			return LB_PASS_NO_CONNECTION;
		a.random = bpf_get_prandom_u32();
		reason = start_connection(&a, v6);
		if (reason != LB_OK)
			return reason;
		conn = conn_find(&a.tuple, v6);
		if (!conn)
			return LB_DROP_CONN_BUSY;
	}
	track(conn, &a, v6);
	return tc_forward(skb, p, &a, conn, v6);
}

/*
 * Replies that the stack sends: from a backend on this host, from one whose interface has no program,
 * and those that the fast path left to it.
 */
static __always_inline enum lb_reason tc_egress_ip(
	struct __sk_buff *skb, struct packet *p, __u32 slot, const bool v6)
{
	struct arrival a;
	struct lb_conn *conn;
	struct translation t;

	tc_arrival(&a, skb, p, slot, v6);
	conn = conn_find(&a.tuple, v6);
	if (!conn || !(conn->flags & LB_CONN_REVERSE))
		return LB_PASS_EGRESS_OTHER;
	track(conn, &a, v6);
	translation_of(&t, &a, conn, v6);
	return tc_translate(skb, p, &t, v6) ? LB_STACK_EGRESS : LB_DROP_REWRITE_FAILED;
}

static __always_inline enum lb_reason tc_ip(
	struct __sk_buff *skb, struct packet *p, __u32 slot, const bool egress, const bool v6)
{
	return egress ? tc_egress_ip(skb, p, slot, v6) : tc_ingress_ip(skb, p, slot, v6);
}

static __always_inline enum lb_reason tc_packet(struct __sk_buff *skb, const bool egress)
{
	__u32 slot = read_active_slot();
	struct packet p = {};
	struct cursor c;
	enum lb_reason reason;

	if (slot >= LB_SLOTS)
		return LB_PASS_NO_GENERATION;
	if (!egress && skb->pkt_type == PACKET_OTHERHOST)
		return LB_PASS_OTHER_HOST;
	if (skb->vlan_present)
		return LB_PASS_VLAN;
	if ((void *)(long)skb->data + LB_TC_LINEAR > (void *)(long)skb->data_end)
		bpf_skb_pull_data(skb, skb->len < LB_TC_LINEAR ? skb->len : LB_TC_LINEAR);
	c.pos = (void *)(long)skb->data;
	c.end = (void *)(long)skb->data_end;
	c.frame_len = skb->len;

	reason = parse_eth(&c, &p);
	if (reason != LB_OK)
		return reason;
	if (p.eth_proto_be != skb->protocol)
		return LB_PASS_NOT_ETHERNET;
	if (p.eth_proto_be == bpf_htons(ETH_P_IP)) {
		reason = parse_ipv4(&c, &p, skb->gso_size ? skb->len - sizeof(struct ethhdr) : 0);
		if (reason == LB_OK)
			reason = parse_l4(&c, &p);
		return reason == LB_OK ? tc_ip(skb, &p, slot, egress, false) : reason;
	}
	if (p.eth_proto_be == bpf_htons(ETH_P_IPV6)) {
		reason = parse_ipv6(&c, &p);
		if (reason == LB_OK)
			reason = parse_l4(&c, &p);
		return reason == LB_OK ? tc_ip(skb, &p, slot, egress, true) : reason;
	}
	return LB_PASS_NOT_IP;
}

/* TC_ACT_UNSPEC lets the next program of a tcx chain, or filter of a qdisc, have its say. */
static __always_inline int tc_action(enum lb_reason reason)
{
	switch (conclude(reason)) {
	case VERDICT_REDIRECT:
		return TC_ACT_REDIRECT;
	case VERDICT_DROP:
		return TC_ACT_SHOT;
	default:
		return TC_ACT_UNSPEC;
	}
}

SEC("tc")
int lb_tc_ingress(struct __sk_buff *skb)
{
	return tc_action(tc_packet(skb, false));
}

SEC("tc")
int lb_tc_egress(struct __sk_buff *skb)
{
	return tc_action(tc_packet(skb, true));
}

/* Run once through bpf_prog_test_run when the object is loaded or replaced. */
SEC("tc")
int lb_sweep_start(struct __sk_buff *skb)
{
	return sweep_start();
}
