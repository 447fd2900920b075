/* SPDX-License-Identifier: MIT OR GPL-2.0-only */
/*
 * Network address translation: the destination of a forward packet becomes the backend, the source
 * of a reverse one the listener. Layer 4 checksums are the caller's: XDP updates them in place, tc
 * through helpers that know about partial and hardware checksums.
 */
#ifndef LB_REWRITE_H
#define LB_REWRITE_H

#include "../lib/checksum.h"
#include "arrival.h"

/* What a packet gets, and what it had: values, not pointers, which a helper call may end. */
struct translation {
	__be32 addr_be[4]; /* IPv4: the first */
	__be32 old_addr_be[4];
	__be16 port_be;
	__be16 old_port_be;
	__u64 reverse;
};

static __always_inline void translation_of(
	struct translation *t, const struct arrival *a, struct lb_conn *conn, const bool v6)
{
	const __be32 *addr = conn_nat_addr(conn);

	__u64 reverse = conn->flags & LB_CONN_REVERSE;

	/* In a whole register: a spill of half of one may not take a pointer's place on the stack. */
	barrier_var(reverse);
	t->reverse = reverse;
	t->port_be = conn->nat_port_be;
	if (v6) {
		t->old_port_be = reverse ? a->tuple.v6.sport_be : a->tuple.v6.dport_be;
		for (int i = 0; i < 4; i++)
			t->old_addr_be[i] =
				reverse ? a->tuple.v6.saddr_be[i] : a->tuple.v6.daddr_be[i];
		addr6_copy(t->addr_be, addr);
	} else {
		t->old_port_be = reverse ? a->tuple.v4.sport_be : a->tuple.v4.dport_be;
		t->old_addr_be[0] = reverse ? a->tuple.v4.saddr_be : a->tuple.v4.daddr_be;
		t->addr_be[0] = *addr;
	}
}

/* What the new address adds to a checksum that covers it. */
static __always_inline __u64 addr_diff(const struct translation *t, const bool v6)
{
	return v6 ? csum_diff128(t->old_addr_be, t->addr_be)
		  : csum_diff32(t->old_addr_be[0], t->addr_be[0]);
}

/*
 * Addresses and ports, and the IPv4 header's checksum. Both ends are written, one with what it had:
 * choosing the place and not the value is arithmetic on packet pointers, which takes CAP_PERFMON.
 */
static __always_inline void write_translation(
	const struct packet *p, const struct translation *t, const bool v6)
{
	__be16 *ports = p->l4;

	if (v6) {
		__be32 *saddr = p->ip6->saddr.in6_u.u6_addr32,
		       *daddr = p->ip6->daddr.in6_u.u6_addr32;

		for (int i = 0; i < 4; i++) {
			saddr[i] = t->reverse ? t->addr_be[i] : saddr[i];
			daddr[i] = t->reverse ? daddr[i] : t->addr_be[i];
		}
	} else {
		p->ip4->check = csum_update(p->ip4->check, addr_diff(t, v6));
		p->ip4->saddr = t->reverse ? t->addr_be[0] : p->ip4->saddr;
		p->ip4->daddr = t->reverse ? p->ip4->daddr : t->addr_be[0];
	}
	ports[0] = t->reverse ? t->port_be : ports[0];
	ports[1] = t->reverse ? ports[1] : t->port_be;
}

/* One hop less, and the MAC addresses of the next one. */
static __always_inline void write_hop(
	const struct packet *p, const struct next_hop *hop, const bool v6)
{
	if (v6) {
		p->ip6->hop_limit--;
	} else {
		p->ip4->check = csum_update(p->ip4->check, csum_diff_ttl());
		p->ip4->ttl--;
	}
	__builtin_memcpy(p->eth->h_dest, hop->dmac, ETH_ALEN);
	__builtin_memcpy(p->eth->h_source, hop->smac, ETH_ALEN);
}

#endif
