/* SPDX-License-Identifier: MIT OR GPL-2.0-only */
/*
 * The next hop of a packet. A lookup in the kernel takes longer than all the rest, so each half of a
 * connection keeps its last answer, for the packets that would get it again, and not for long: a
 * changed route or neighbour is seen within LB_HOP_MAX_AGE.
 */
#ifndef LB_HOP_H
#define LB_HOP_H

#include "../lib/clock.h"
#include "fib.h"
#include "track.h"

enum hook { HOOK_XDP, HOOK_TC };

/* A tenth of a second, in units of lib/clock.h. */
#define LB_HOP_MAX_AGE 95

static __always_inline __u32 *hop_class(struct lb_conn *conn, const bool v6)
{
	return v6 ? &((struct lb_conn6 *)conn)->hop_class : &((struct lb_conn4 *)conn)->hop_class;
}

/* A half without an answer has the MTU 0, which no packet fits. */
static __always_inline bool is_known(struct lb_conn *conn, const struct packet *p,
	const struct arrival *a, __u32 longest, const enum hook hook, const bool v6)
{
	const struct lb_hop *hop = &conn->hop;

	return longest <= hop->mtu && !clock_older(hop->when, a->now, LB_HOP_MAX_AGE) &&
	       hop->from == a->ifindex && hop->slot == a->slot && hop->hook == hook &&
	       *hop_class(conn, v6) == traffic_class(p, v6);
}

/*
 * Two CPUs that remember at once, while a route changes, may mix two answers up: wrong, as an old one is,
 * and for as long.
 */
static __always_inline void remember(struct lb_conn *conn, struct lb_hop *hop,
	const struct packet *p, const struct arrival *a, const enum hook hook, const bool v6)
{
	hop->when = a->now;
	hop->from = a->ifindex;
	hop->slot = a->slot;
	hop->hook = hook;
	conn->hop = *hop;
	*hop_class(conn, v6) = traffic_class(p, v6);
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
	const struct arrival *a, struct lb_conn *conn, __u32 longest, struct lb_hop *out,
	const enum hook hook, const bool v6)
{
	enum lb_reason reason;

	out->ifindex = a->ifindex;
	if ((v6 ? p->ip6->hop_limit : p->ip4->ttl) <= 1)
		return LB_STACK_TTL;
	if (is_known(conn, p, a, longest, hook, v6)) {
		*out = conn->hop;
		return LB_OK;
	}
	reason = find_route(ctx, p, a, conn, longest, out, v6);
	if (reason != LB_OK)
		return reason;
	if (hook == HOOK_XDP && !xdp_can_transmit(a->slot, a->ifindex, out->ifindex))
		return LB_STACK_NO_XMIT;
	remember(conn, out, p, a, hook, v6);
	return LB_OK;
}

#endif
