/* SPDX-License-Identifier: MIT OR GPL-2.0-only */
/*
 * The next hop of a packet. A lookup in the kernel takes longer than all the rest, so each CPU keeps
 * the last few answers, for exactly the packets that would get them again, and for no longer than one
 * tick of the coarse clock: a changed route or neighbour is seen within 10 ms. Only a connection with
 * two packets in one tick asks; for the others the answer would never be there.
 */
#ifndef LB_HOP_H
#define LB_HOP_H

#include "fib.h"
#include "track.h"

static __always_inline bool same_words(const void *a, const void *b, const __u32 words)
{
	const __u32 *left = a, *right = b;
	__u32 differ = 0;

	for (__u32 i = 0; i < words; i++)
		differ |= left[i] ^ right[i];
	return differ == 0;
}

static __always_inline struct recent_hop *recent_hop_of(const struct arrival *a, const bool v6)
{
	__u32 row = tuple_hash(&a->tuple, v6) >> 32 & (LB_RECENT_HOPS - 1);

	return bpf_map_lookup_elem(&recent_hops, &row);
}

static __always_inline __u16 hop_kind(const enum hook hook, const bool v6)
{
	return hook << 1 | v6;
}

static __always_inline bool is_recent(const struct recent_hop *recent, const struct packet *p,
	const struct arrival *a, struct lb_conn *conn, const enum hook hook, const bool v6)
{
	const struct hop_key *key = &recent->key;

	return recent->when == a->now && key->slot == a->slot && key->ifindex == a->ifindex &&
	       key->kind == hop_kind(hook, v6) && key->nat_port_be == conn->nat_port_be &&
	       key->traffic_class == traffic_class(p, v6) &&
	       same_words(&key->tuple, &a->tuple,
		       (v6 ? sizeof(a->tuple.v6) : sizeof(a->tuple.v4)) / 4) &&
	       same_words(key->nat_addr_be, conn_nat_addr(conn), v6 ? 4 : 1);
}

static __always_inline void remember(struct recent_hop *recent, const struct next_hop *hop,
	const struct packet *p, const struct arrival *a, struct lb_conn *conn, const enum hook hook,
	const bool v6)
{
	struct hop_key *key = &recent->key;

	key->slot = a->slot;
	key->ifindex = a->ifindex;
	key->kind = hop_kind(hook, v6);
	key->nat_port_be = conn->nat_port_be;
	key->traffic_class = traffic_class(p, v6);
	if (v6) {
		key->tuple = a->tuple.v6;
		addr6_copy(key->nat_addr_be, conn_nat_addr(conn));
	} else {
		*(struct lb_conn4_key *)&key->tuple = a->tuple.v4;
		key->nat_addr_be[0] = *conn_nat_addr(conn);
	}
	recent->hop = *hop;
	recent->when = a->now;
}

static __always_inline const struct lb_interface *find_interface(__u32 slot, __u32 ifindex)
{
	void *table = bpf_map_lookup_elem(&interfaces, &slot);

	return table ? bpf_map_lookup_elem(table, &ifindex) : NULL;
}

/* Generic XDP sends as the stack does; native XDP needs the driver's help at the way out. */
static __always_inline bool xdp_can_transmit(__u32 slot, __u32 from, __u32 to)
{
	const struct lb_interface *out = find_interface(slot, to), *in;

	if (out && out->flags & LB_INTERFACE_XDP_XMIT)
		return true;
	in = find_interface(slot, from);
	return in && in->mode == LB_ATTACH_XDP_GENERIC;
}

/*
 * Whether a reply that the fast path cannot send on is left as it came, for the program at egress to
 * restore its source. With the listener's address, often this host's own, the stack would take it
 * for a forgery and drop it, and tell this host and not the backend of ICMP errors. Without that program,
 * or where the stack will cut the reply into fragments, which that program leaves alone, it has to be
 * rewritten now.
 */
static __always_inline bool is_restored_at_egress(const struct packet *p, const struct arrival *a,
	const struct lb_conn *conn, enum lb_reason reason, __u32 ifindex, const bool v6)
{
	const struct lb_interface *interface = find_interface(a->slot, ifindex);

	if (!(conn->flags & LB_CONN_REVERSE) || !interface || interface->mode == LB_ATTACH_NONE)
		return false;
	return v6 || reason != LB_STACK_TOO_BIG || p->ip4->frag_off & bpf_htons(IP4_DONT_FRAGMENT);
}

/* LB_OK: `out` says where to; otherwise the stack is to find out, and `out` has what is known of the interface. */
static __always_inline enum lb_reason find_hop(void *ctx, const struct packet *p,
	const struct arrival *a, struct lb_conn *conn, __u32 longest, struct next_hop *out,
	const enum hook hook, const bool v6)
{
	struct recent_hop *recent = a->again ? recent_hop_of(a, v6) : NULL;
	enum lb_reason reason;

	out->ifindex = a->ifindex;
	if ((v6 ? p->ip6->hop_limit : p->ip4->ttl) <= 1)
		return LB_STACK_TTL;
	if (recent && is_recent(recent, p, a, conn, hook, v6) && longest <= recent->hop.mtu) {
		*out = recent->hop;
		return LB_OK;
	}
	reason = find_route(ctx, p, a, conn, longest, out, v6);
	if (reason != LB_OK)
		return reason;
	if (hook == HOOK_XDP && !xdp_can_transmit(a->slot, a->ifindex, out->ifindex))
		return LB_STACK_NO_XMIT;
	if (recent)
		remember(recent, out, p, a, conn, hook, v6);
	return LB_OK;
}

#endif
