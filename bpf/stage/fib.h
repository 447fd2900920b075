/* SPDX-License-Identifier: MIT OR GPL-2.0-only */
/* Asking the kernel for the way out: its own routes and neighbours, policy rules included. */
#ifndef LB_FIB_H
#define LB_FIB_H

#include "arrival.h"

#define LB_AF_INET 2
#define LB_AF_INET6 10
#define LB_IPV6_FLOWINFO_MASK 0x0fffffff

/* What of the packet, besides its addresses and ports, a route may depend on. */
static __always_inline __u32 traffic_class(const struct packet *p, const bool v6)
{
	return v6 ? *(__be32 *)p->ip6 & bpf_htonl(LB_IPV6_FLOWINFO_MASK) : p->ip4->tos;
}

static __always_inline enum lb_reason reason_of_fib(long result)
{
	switch (result) {
	case BPF_FIB_LKUP_RET_SUCCESS:
		return LB_OK;
	case BPF_FIB_LKUP_RET_BLACKHOLE:
		return LB_STACK_BLACKHOLE;
	case BPF_FIB_LKUP_RET_UNREACHABLE:
		return LB_STACK_UNREACHABLE;
	case BPF_FIB_LKUP_RET_PROHIBIT:
		return LB_STACK_PROHIBITED;
	case BPF_FIB_LKUP_RET_NOT_FWDED:
		return LB_STACK_NOT_FORWARDED;
	case BPF_FIB_LKUP_RET_FWD_DISABLED:
		return LB_STACK_FORWARDING_OFF;
	case BPF_FIB_LKUP_RET_UNSUPP_LWT:
		return LB_STACK_ENCAPSULATED;
	case BPF_FIB_LKUP_RET_NO_NEIGH:
		return LB_STACK_NO_NEIGHBOUR;
	case BPF_FIB_LKUP_RET_FRAG_NEEDED:
		return LB_STACK_TOO_BIG;
	default:
		return LB_STACK_FIB_FAILED;
	}
}

/*
 * Looks up the route that the packet will have once it is rewritten. `longest`: bytes of layer 3 of
 * the longest packet on the wire.
 */
static __always_inline enum lb_reason find_route(void *ctx, const struct packet *p,
	const struct arrival *a, struct lb_conn *conn, __u32 longest, struct next_hop *out,
	const bool v6)
{
	bool reverse = conn->flags & LB_CONN_REVERSE;
	__be32 *nat = conn_nat_addr(conn);
	struct bpf_fib_lookup fib = {};
	enum lb_reason reason;

	fib.l4_protocol = p->proto;
	fib.tot_len = longest < 0xffff ? longest : 0xffff;
	fib.ifindex = a->ifindex;
	if (v6) {
		fib.family = LB_AF_INET6;
		fib.sport = reverse ? conn->nat_port_be : a->tuple.v6.sport_be;
		fib.dport = reverse ? a->tuple.v6.dport_be : conn->nat_port_be;
		fib.flowinfo = traffic_class(p, v6);
		addr6_copy(fib.ipv6_src, reverse ? nat : a->tuple.v6.saddr_be);
		addr6_copy(fib.ipv6_dst, reverse ? a->tuple.v6.daddr_be : nat);
	} else {
		fib.family = LB_AF_INET;
		fib.sport = reverse ? conn->nat_port_be : a->tuple.v4.sport_be;
		fib.dport = reverse ? a->tuple.v4.dport_be : conn->nat_port_be;
		fib.tos = traffic_class(p, v6);
		fib.ipv4_src = reverse ? *nat : a->tuple.v4.saddr_be;
		fib.ipv4_dst = reverse ? a->tuple.v4.daddr_be : *nat;
	}
	reason = reason_of_fib(bpf_fib_lookup(ctx, &fib, sizeof(fib), 0));
	out->ifindex = fib.ifindex;
	out->mtu = fib.mtu_result;
	__builtin_memcpy(out->dmac, fib.dmac, ETH_ALEN);
	__builtin_memcpy(out->smac, fib.smac, ETH_ALEN);
	return reason;
}

#endif
