/* SPDX-License-Identifier: MIT OR GPL-2.0-only */
/* From a packet that starts a connection to the targets it may go to. */
#ifndef LB_SELECT_H
#define LB_SELECT_H

#include "arrival.h"

/* Entries of a run that are tried where a backend's tuple is taken. */
#define LB_SELECT_TRIES 8

/* The listener on the packet's destination address, else the one on any address. */
static __always_inline enum lb_reason find_listener(
	const struct arrival *a, const struct lb_listener **out, const bool v6)
{
	struct lb_listener_key key = {.ifindex = a->ifindex};
	struct lb_listener *found;
	__u32 slot = a->slot;
	void *table = bpf_map_lookup_elem(&listeners, &slot);

	if (!table)
		return LB_PASS_NO_LISTENER;
	key.port_be = v6 ? a->tuple.v6.dport_be : a->tuple.v4.dport_be;
	key.proto = v6 ? a->tuple.v6.proto : a->tuple.v4.proto;
	addr_of(&key.addr, v6 ? a->tuple.v6.daddr_be : &a->tuple.v4.daddr_be, v6);
	found = bpf_map_lookup_elem(table, &key);
	if (!found) {
		const __be32 any[4] = {};

		addr_of(&key.addr, any, v6);
		found = bpf_map_lookup_elem(table, &key);
	}
	if (!found)
		return LB_PASS_NO_LISTENER;
	*out = found;
	return LB_OK;
}

/* The group that the packet's source is routed to, by the longest prefix, else the listener's own. */
static __always_inline __u32 find_group(
	const struct arrival *a, const struct lb_listener *listener, const bool v6)
{
	struct lb_route_key key = {
		.prefixlen = 8 * (sizeof(key.proxy) + sizeof(key.source)),
		.proxy = listener->proxy,
	};
	struct lb_route *route;
	__u32 slot = a->slot;
	void *table;

	if (!(listener->flags & LB_LISTENER_SOURCE_ROUTES))
		return listener->group;
	table = bpf_map_lookup_elem(&routes, &slot);
	if (!table)
		return listener->group;
	addr_of(&key.source, v6 ? a->tuple.v6.saddr_be : &a->tuple.v4.saddr_be, v6);
	route = bpf_map_lookup_elem(table, &key);
	return route ? route->group : listener->group;
}

static __always_inline enum lb_reason find_run(
	__u32 slot, __u32 group_row, const struct lb_group **out)
{
	void *table = bpf_map_lookup_elem(&groups, &slot);
	struct lb_group *group = table ? bpf_map_lookup_elem(table, &group_row) : NULL;

	if (!group)
		return LB_DROP_BAD_TABLE;
	if (group->selection_count == 0)
		return LB_DROP_NO_BACKEND;
	*out = group;
	return LB_OK;
}

/* The entry to try in the given round: a random one first, then others at equal distances. */
static __always_inline __u32 selection_entry(
	const struct lb_group *group, __u32 random, __u32 round)
{
	__u64 count = group->selection_count;
	__u64 first = random * count >> 32;
	__u64 distance = count > LB_SELECT_TRIES ? round * count / LB_SELECT_TRIES : round;
	__u64 entry = first + distance;

	return group->selection + (entry < count ? entry : entry - count);
}

static __always_inline enum lb_reason find_backend(
	__u32 slot, __u32 entry, const struct lb_backend **out, const bool v6)
{
	void *selection_table = bpf_map_lookup_elem(&selection, &slot);
	void *backend_table = bpf_map_lookup_elem(&backends, &slot);
	__u32 *chosen = selection_table ? bpf_map_lookup_elem(selection_table, &entry) : NULL;
	struct lb_backend *backend;
	__u32 row;

	if (!chosen || !backend_table)
		return LB_DROP_BAD_TABLE;
	row = *chosen;
	backend = bpf_map_lookup_elem(backend_table, &row);
	if (!backend)
		return LB_DROP_BAD_TABLE;
	if (is_mapped_ipv4(&backend->addr) == v6)
		return LB_DROP_WRONG_FAMILY;
	*out = backend;
	return LB_OK;
}

#endif
