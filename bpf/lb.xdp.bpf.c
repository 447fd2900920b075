/* SPDX-License-Identifier: MIT OR GPL-2.0-only */
/* The XDP entry point. */
#include "lib/clock.h"
#include "lib/parse.h"
#include "lib/verdict.h"
#include "stage/hop.h"
#include "stage/open.h"
#include "stage/rewrite.h"
#include "stage/track.h"

/* The checksum field of TCP or UDP, or NULL where a UDP packet carries none. */
static __always_inline void xdp_update_l4_checksum(const struct packet *p, __u64 diff)
{
	if (p->proto == IPPROTO_TCP) {
		struct tcphdr *tcp = p->l4;

		tcp->check = csum_update(tcp->check, diff);
		barrier();
	} else {
		struct udphdr *udp = p->l4;

		if (udp->check)
			udp->check = csum_update(udp->check, diff) ?: 0xffff;
	}
}

/* A packet of a known connection: rewrite, and send on where possible. */
static __always_inline enum lb_reason xdp_forward(struct xdp_md *ctx, struct packet *p,
	const struct arrival *a, struct lb_conn *conn, const bool v6)
{
	struct next_hop hop;
	struct translation t;
	enum lb_reason reason = find_hop(ctx, p, a, conn, p->l3_len, &hop, HOOK_XDP, v6);

	if (reason != LB_OK && is_restored_at_egress(p, a, conn, reason, hop.ifindex, v6)) {
		untrack(conn, a);
		return reason;
	}
	translation_of(&t, a, conn, v6);
	xdp_update_l4_checksum(p, addr_diff(&t, v6) + csum_diff16(t.old_port_be, t.port_be));
	write_translation(p, &t, v6);
	if (reason != LB_OK)
		return reason;
	write_hop(p, &hop, v6);
	bpf_redirect(hop.ifindex, 0); /* fails for flags that it does not know only */
	return LB_REDIRECT;
}

static __always_inline enum lb_reason xdp_ip_packet(
	struct xdp_md *ctx, struct packet *p, __u32 slot, const bool v6)
{
	struct arrival a = {
		.slot = slot,
		.ifindex = ctx->ingress_ifindex,
		.now = clock_now(),
		.wire_packets = 1,
		.wire_bytes = p->l3_len,
		.tcp_flags = p->tcp_flags,
	};
	struct lb_conn *conn;

	tuple_of_packet(&a.tuple, p, v6);
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
	return xdp_forward(ctx, p, &a, conn, v6);
}

static __always_inline enum lb_reason xdp_packet(struct xdp_md *ctx)
{
	struct cursor c = {
		.pos = (void *)(long)ctx->data,
		.end = (void *)(long)ctx->data_end,
		.frame_len = bpf_xdp_get_buff_len(ctx),
	};
	struct packet p = {};
	__u32 slot = read_active_slot();
	enum lb_reason reason;

	if (slot >= LB_SLOTS)
		return LB_PASS_NO_GENERATION;
	reason = parse_eth(&c, &p);
	if (reason != LB_OK)
		return reason;
	if (p.eth_proto_be == bpf_htons(ETH_P_IP)) {
		reason = parse_ipv4(&c, &p, 0);
		if (reason == LB_OK)
			reason = parse_l4(&c, &p);
		return reason == LB_OK ? xdp_ip_packet(ctx, &p, slot, false) : reason;
	}
	if (p.eth_proto_be == bpf_htons(ETH_P_IPV6)) {
		reason = parse_ipv6(&c, &p);
		if (reason == LB_OK)
			reason = parse_l4(&c, &p);
		return reason == LB_OK ? xdp_ip_packet(ctx, &p, slot, true) : reason;
	}
	return LB_PASS_NOT_IP;
}

SEC("xdp")
int lb_xdp(struct xdp_md *ctx)
{
	switch (conclude(xdp_packet(ctx))) {
	case VERDICT_REDIRECT:
		return XDP_REDIRECT;
	case VERDICT_DROP:
		return XDP_DROP;
	default:
		return XDP_PASS;
	}
}
