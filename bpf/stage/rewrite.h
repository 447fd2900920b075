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

/* What a packet gets: values, not a pointer to the record, which a helper call may outlive. */
struct translation {
	__be32 addr_be[4]; /* IPv4: the first */
	__be16 port_be;
	bool reverse;
};

static __always_inline void translation_of(struct translation *t, struct lb_conn *conn, const bool v6)
{
	const __be32 *addr = conn_nat_addr(conn);

	t->reverse = conn->flags & LB_CONN_REVERSE;
	t->port_be = conn->nat_port_be;
	if (v6)
		addr6_copy(t->addr_be, addr);
	else
		t->addr_be[0] = *addr;
}

static __always_inline __be32 *translated_addr(const struct packet *p, bool reverse, const bool v6)
{
	if (v6)
		return reverse ? p->ip6->saddr.in6_u.u6_addr32 : p->ip6->daddr.in6_u.u6_addr32;
	return reverse ? &p->ip4->saddr : &p->ip4->daddr;
}

static __always_inline __be16 *translated_port(const struct packet *p, bool reverse)
{
	__be16 *ports = p->l4;

	return reverse ? &ports[0] : &ports[1];
}

/* What the new address adds to a checksum that covers it. */
static __always_inline __u64 addr_diff(const struct packet *p, const struct translation *t, const bool v6)
{
	const __be32 *old = translated_addr(p, t->reverse, v6);

	return v6 ? csum_diff128(old, t->addr_be) : csum_diff32(*old, t->addr_be[0]);
}

/* Addresses and ports, and the IPv4 header's checksum. */
static __always_inline void write_translation(const struct packet *p, const struct translation *t, const bool v6)
{
	__be32 *addr = translated_addr(p, t->reverse, v6);

	if (v6) {
		addr6_copy(addr, t->addr_be);
	} else {
		p->ip4->check = csum_update(p->ip4->check, csum_diff32(*addr, t->addr_be[0]));
		*addr = t->addr_be[0];
	}
	*translated_port(p, t->reverse) = t->port_be;
}

/* One hop less, and the MAC addresses of the next one. */
static __always_inline void write_hop(const struct packet *p, const struct next_hop *hop, const bool v6)
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
