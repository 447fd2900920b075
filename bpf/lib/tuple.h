/* SPDX-License-Identifier: MIT OR GPL-2.0-only */
/*
 * Keys of connections in either family. `v6` is a constant wherever these are inlined, so nothing
 * of the other family remains in the code.
 */
#ifndef LB_TUPLE_H
#define LB_TUPLE_H

#include <bpf/bpf_endian.h>

#include "../maps.h"
#include "cursor.h"

union tuple {
	struct lb_conn4_key v4;
	struct lb_conn6_key v6;
};

/* The address and port that a half's packets are given. */
static __always_inline __be32 *conn_nat_addr(struct lb_conn *conn)
{
	return (__be32 *)(conn + 1);
}

static __always_inline void addr6_copy(__be32 *to, const __be32 *from)
{
	to[0] = from[0];
	to[1] = from[1];
	to[2] = from[2];
	to[3] = from[3];
}

static __always_inline bool addr6_equal(const __be32 *a, const __be32 *b)
{
	return a[0] == b[0] && a[1] == b[1] && a[2] == b[2] && a[3] == b[3];
}

/* As tables of a generation have it: an IPv4 address in its mapped form. */
static __always_inline void addr_of(struct lb_addr *to, const __be32 *from, const bool v6)
{
	if (v6) {
		addr6_copy(to->be, from);
	} else {
		to->be[0] = 0;
		to->be[1] = 0;
		to->be[2] = bpf_htonl(0xffff);
		to->be[3] = *from;
	}
}

static __always_inline bool is_mapped_ipv4(const struct lb_addr *addr)
{
	return addr->be[0] == 0 && addr->be[1] == 0 && addr->be[2] == bpf_htonl(0xffff);
}

static __always_inline void tuple_of_packet(union tuple *t, const struct packet *p, const bool v6)
{
	const __be16 *ports_be = p->l4;

	/* All of it: functions that take a pointer to it may read no byte that was never written. */
	__builtin_memset(t, 0, sizeof(*t));
	if (v6) {
		t->v6 = (struct lb_conn6_key){
			.sport_be = ports_be[0], .dport_be = ports_be[1], .proto = p->proto};
		addr6_copy(t->v6.saddr_be, p->ip6->saddr.in6_u.u6_addr32);
		addr6_copy(t->v6.daddr_be, p->ip6->daddr.in6_u.u6_addr32);
	} else {
		t->v4 = (struct lb_conn4_key){.saddr_be = p->ip4->saddr,
			.daddr_be = p->ip4->daddr,
			.sport_be = ports_be[0],
			.dport_be = ports_be[1],
			.proto = p->proto};
	}
}

/*
 * The key of the other half. Forward (client to listener, translated to the backend) and reverse
 * (backend to client, translated to the listener) differ in which end the translation replaces.
 */
static __always_inline void tuple_sibling(union tuple *to, const union tuple *from,
	const __be32 *nat_addr, __be16 nat_port_be, bool reverse, const bool v6)
{
	if (v6) {
		__builtin_memset(&to->v6, 0, sizeof(to->v6));
		to->v6.proto = from->v6.proto;
		addr6_copy(to->v6.saddr_be, reverse ? from->v6.daddr_be : nat_addr);
		addr6_copy(to->v6.daddr_be, reverse ? nat_addr : from->v6.saddr_be);
		to->v6.sport_be = reverse ? from->v6.dport_be : nat_port_be;
		to->v6.dport_be = reverse ? nat_port_be : from->v6.sport_be;
	} else {
		to->v4 = (struct lb_conn4_key){
			.saddr_be = reverse ? from->v4.daddr_be : *nat_addr,
			.daddr_be = reverse ? *nat_addr : from->v4.saddr_be,
			.sport_be = reverse ? from->v4.dport_be : nat_port_be,
			.dport_be = reverse ? nat_port_be : from->v4.sport_be,
			.proto = from->v4.proto,
		};
	}
}

/* Its top bits choose a table partition or a lock. The table's own hash is another one, and seeded. */
static __always_inline __u64 tuple_hash(const union tuple *t, const bool v6)
{
	const __u64 odd1 = 0x9e3779b97f4a7c15ull, odd2 = 0xd6e8feb86659fd93ull;
	__u64 addrs, rest;

	if (v6) {
		const __u32 *s = t->v6.saddr_be, *d = t->v6.daddr_be;

		addrs = ((__u64)s[0] << 32 | s[1]) + ((__u64)d[0] << 32 | d[1]) * odd2;
		addrs = (addrs ^ addrs >> 29) * odd2 + ((__u64)s[2] << 32 | s[3]);
		addrs = (addrs ^ addrs >> 29) * odd2 + ((__u64)d[2] << 32 | d[3]);
		rest = (__u64)t->v6.proto << 32 | (__u32)t->v6.sport_be << 16 | t->v6.dport_be;
	} else {
		addrs = (__u64)t->v4.saddr_be << 32 | t->v4.daddr_be;
		rest = (__u64)t->v4.proto << 32 | (__u32)t->v4.sport_be << 16 | t->v4.dport_be;
	}
	addrs ^= rest * odd1;
	addrs ^= addrs >> 32;
	return addrs * odd2;
}

static __always_inline void *conn_table_of(
	const union tuple *t, __u32 set, __u32 partitions, const bool v6)
{
	__u32 row = set * LB_CONN_PARTITIONS_MAX + ((tuple_hash(t, v6) >> 58) & (partitions - 1));

	return v6 ? bpf_map_lookup_elem(&conn6, &row) : bpf_map_lookup_elem(&conn4, &row);
}

/* The table that a connection enters. */
static __always_inline void *conn_table(const union tuple *t, const bool v6)
{
	return conn_table_of(t, lb_conn_set, lb_conn_partitions, v6);
}

/* NULL where there is no other set. */
static __always_inline void *conn_other_table(const union tuple *t, const bool v6)
{
	return lb_conn_other_partitions
		       ? conn_table_of(t, lb_conn_set ^ 1, lb_conn_other_partitions, v6)
		       : NULL;
}

static __always_inline struct lb_conn *conn_find_other(const union tuple *t, const bool v6)
{
	void *table = conn_other_table(t, v6);

	return table ? bpf_map_lookup_elem(table, t) : NULL;
}

static __always_inline struct lb_conn *conn_find(const union tuple *t, const bool v6)
{
	void *table = conn_table(t, v6);
	struct lb_conn *conn = table ? bpf_map_lookup_elem(table, t) : NULL;

	return conn || !lb_conn_other_partitions ? conn : conn_find_other(t, v6);
}

#endif
