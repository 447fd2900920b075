/* SPDX-License-Identifier: MIT OR GPL-2.0-only */
/*
 * The next hop of a packet. A lookup in the kernel takes longer than all the rest, so each half of a
 * connection remembers the last answer, for the packets that would get it again, and not for long: a
 * changed route or neighbour is seen within LB_HOP_MAX_AGE. Connections share the few answers that
 * there are: a half has the row in `hops` and the time, in one word. A row gets another answer only when
 * nobody has had its own for so long that no half may still refer to it.
 */
#ifndef LB_HOP_H
#define LB_HOP_H

#include "../lib/clock.h"
#include "fib.h"
#include "track.h"

#define LB_HOP_ROW_BITS 12
_Static_assert(LB_HOP_ROWS == 1 << LB_HOP_ROW_BITS, "a row's number fills its bits");
/* The clock's lower bits: enough, because only a half that had a packet a moment ago is believed. */
#define LB_HOP_TIME_MASK (0xffffffffu >> LB_HOP_ROW_BITS)

static __always_inline __u8 hop_kind(const enum hook hook, const bool v6)
{
	return hook << 1 | v6;
}

/* NULL where the kernel has to be asked. */
static __always_inline const struct next_hop *known_hop(const struct lb_conn *conn,
	const struct packet *p, const struct arrival *a, __u32 longest, const enum hook hook,
	const bool v6)
{
	__u32 row = conn->hop & (LB_HOP_ROWS - 1);
	__u32 age = (a->now - (conn->hop >> LB_HOP_ROW_BITS)) & LB_HOP_TIME_MASK;
	const struct shared_hop *shared;

	if (!row || !a->soon || age > LB_HOP_MAX_AGE)
		return NULL;
	shared = bpf_map_lookup_elem(&hops, &row);
	if (!shared || longest > shared->hop.mtu || shared->hop.from != a->ifindex ||
		shared->hop.slot != a->slot || shared->hop.kind != hop_kind(hook, v6) ||
		shared->hop.traffic_class != traffic_class(p, v6))
		return NULL;
	return &shared->hop;
}

static __always_inline bool same_hop(const struct next_hop *a, const struct next_hop *b)
{
	const __u32 *left = (const __u32 *)a, *right = (const __u32 *)b;
	__u32 differ = 0;

	for (__u32 i = 0; i < sizeof(*a) / 4; i++)
		differ |= left[i] ^ right[i];
	return differ == 0;
}

/* Never 0, which stands for none. */
static __always_inline __u32 hop_row(const struct next_hop *hop)
{
	const __u32 *words = (const __u32 *)hop;
	__u32 hash = 0;

	for (__u32 i = 0; i < sizeof(*hop) / 4; i++)
		hash = (hash ^ words[i]) * 0x9e3779b1u;
	return hash >> (32 - LB_HOP_ROW_BITS) ?: 1;
}

/* Twice the age at which halves cease to believe it; another CPU's clock may be ahead by a little. */
static __always_inline bool is_abandoned(const struct shared_hop *shared, __u32 now)
{
	__u32 age = now - shared->when;

	return shared->hop.mtu == 0 || (age > 2 * LB_HOP_MAX_AGE && age < 0u - LB_HOP_MAX_AGE);
}

/* Where the row is another answer's, or another CPU is at it, the next packet asks again. */
static __always_inline void remember(
	struct lb_conn *conn, const struct next_hop *hop, const struct arrival *a)
{
	__u32 row = hop_row(hop);
	struct shared_hop *shared = bpf_map_lookup_elem(&hops, &row);

	if (!shared || __sync_val_compare_and_swap(&shared->busy, 0, 1) != 0)
		return;
	if (is_abandoned(shared, a->now))
		shared->hop = *hop;
	if (same_hop(&shared->hop, hop)) {
		shared->when = a->now;
		conn->hop = a->now << LB_HOP_ROW_BITS | row;
	}
	__sync_lock_test_and_set(&shared->busy, 0);
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
	const struct next_hop *known;
	enum lb_reason reason;

	out->ifindex = a->ifindex;
	if ((v6 ? p->ip6->hop_limit : p->ip4->ttl) <= 1)
		return LB_STACK_TTL;
	known = known_hop(conn, p, a, longest, hook, v6);
	if (known) {
		*out = *known;
		return LB_OK;
	}
	conn->hop = 0;
	reason = find_route(ctx, p, a, conn, longest, out, v6);
	if (reason != LB_OK)
		return reason;
	if (hook == HOOK_XDP && !xdp_can_transmit(a->slot, a->ifindex, out->ifindex))
		return LB_STACK_NO_XMIT;
	out->from = a->ifindex;
	out->traffic_class = traffic_class(p, v6);
	out->slot = a->slot;
	out->kind = hop_kind(hook, v6);
	remember(conn, out, a);
	return LB_OK;
}

#endif
