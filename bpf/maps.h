/* SPDX-License-Identifier: MIT OR GPL-2.0-only */
/*
 * Every map. Inner templates give sizes as numbers: clang 14 leaves only a forward declaration in
 * BTF of a type that nothing but a nested template names, and libbpf then cannot tell its size.
 */
#ifndef LB_MAPS_H
#define LB_MAPS_H

#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

#include "abi.h"

/*
 * Set at load. New connections enter the tables of lb_conn_set, which have so many partitions: a power of
 * two. Those of the other set, 0 where there are none, are looked at too.
 */
const volatile __u32 lb_conn_set = 0;
const volatile __u32 lb_conn_partitions = 8;
const volatile __u32 lb_conn_other_partitions = 0;
/* How long the sweep takes to come round, set at load. */
const volatile __u32 lb_sweep_cycle_ms = 2000;

/* --- generations: one inner map per slot, of any size; flags must be those of the template -------- */

struct lb_inner_listeners {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 1);
	__uint(key_size, sizeof(struct lb_listener_key));
	__uint(value_size, sizeof(struct lb_listener));
};

struct lb_inner_routes {
	__uint(type, BPF_MAP_TYPE_LPM_TRIE);
	__uint(max_entries, 1);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(key_size, sizeof(struct lb_route_key));
	__uint(value_size, sizeof(struct lb_route));
};

struct lb_inner_interfaces {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 1);
	__uint(key_size, sizeof(__u32));
	__uint(value_size, sizeof(struct lb_interface));
};

/* BPF_F_INNER_MAP lets arrays of different lengths take each other's place; user space maps them. */
#define LB_INNER_ARRAY(name, bytes)                                                                \
	struct name {                                                                              \
		__uint(type, BPF_MAP_TYPE_ARRAY);                                                  \
		__uint(max_entries, 1);                                                            \
		__uint(map_flags, BPF_F_INNER_MAP | BPF_F_MMAPABLE);                               \
		__uint(key_size, sizeof(__u32));                                                   \
		__uint(value_size, bytes);                                                         \
	}

LB_INNER_ARRAY(lb_inner_groups, sizeof(struct lb_group));
LB_INNER_ARRAY(lb_inner_backends, sizeof(struct lb_backend));
LB_INNER_ARRAY(lb_inner_selection, sizeof(__u32));
LB_INNER_ARRAY(lb_inner_settings, sizeof(struct lb_settings));
LB_INNER_ARRAY(lb_inner_proxies, sizeof(struct lb_proxy));
LB_INNER_ARRAY(lb_inner_members, sizeof(struct lb_member));
LB_INNER_ARRAY(lb_inner_manifest, LB_MANIFEST_CHUNK);

#define LB_OUTER(inner, entries)                                                                   \
	struct {                                                                                   \
		__uint(type, BPF_MAP_TYPE_ARRAY_OF_MAPS);                                          \
		__uint(max_entries, entries);                                                      \
		__type(key, __u32);                                                                \
		__array(values, struct inner);                                                     \
	}

LB_OUTER(lb_inner_listeners, LB_SLOTS) listeners SEC(".maps");
LB_OUTER(lb_inner_routes, LB_SLOTS) routes SEC(".maps");
LB_OUTER(lb_inner_groups, LB_SLOTS) groups SEC(".maps");
LB_OUTER(lb_inner_backends, LB_SLOTS) backends SEC(".maps");
LB_OUTER(lb_inner_selection, LB_SLOTS) selection SEC(".maps");
LB_OUTER(lb_inner_settings, LB_SLOTS) settings SEC(".maps");
LB_OUTER(lb_inner_interfaces, LB_SLOTS) interfaces SEC(".maps");
/* Read by user space only. */
LB_OUTER(lb_inner_proxies, LB_SLOTS) proxies SEC(".maps");
LB_OUTER(lb_inner_members, LB_SLOTS) members SEC(".maps");
LB_OUTER(lb_inner_manifest, LB_SLOTS) manifest SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, __u32);
} active SEC(".maps");

/* --- connections: not LRU, which would evict one half of a pair ----------------------------------- */

struct lb_inner_conn4 {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 1);
	__uint(key_size, sizeof(struct lb_conn4_key));
	__uint(value_size, sizeof(struct lb_conn4));
};

struct lb_inner_conn6 {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 1);
	__uint(key_size, sizeof(struct lb_conn6_key));
	__uint(value_size, sizeof(struct lb_conn6));
};

LB_OUTER(lb_inner_conn4, LB_CONN_SETS *LB_CONN_PARTITIONS_MAX) conn4 SEC(".maps");
LB_OUTER(lb_inner_conn6, LB_CONN_SETS *LB_CONN_PARTITIONS_MAX) conn6 SEC(".maps");

/* One word in a cache line of its own; see lib/lock.h. */
struct lb_lock {
	__u64 held;
	__u64 pad[7];
};

#define LB_CONN_LOCKS 1024

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, LB_CONN_LOCKS);
	__type(key, __u32);
	__type(value, struct lb_lock);
} conn_locks SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct lb_conn_totals);
} conn_totals SEC(".maps");

/* The forward half of a connection that was half-open or closed when it was put here. */
struct candidate {
	struct lb_conn6_key tuple; /* of either family */
	__u32 v6;
};

#define LB_CANDIDATES 16384

/* See stage/evict.h. Not pinned: the sweep fills it again. */
struct {
	__uint(type, BPF_MAP_TYPE_QUEUE);
	__uint(max_entries, LB_CANDIDATES);
	__type(value, struct candidate);
} candidates SEC(".maps");

/* How many are in the queue: one number. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, __u64);
} candidate_count SEC(".maps");

/* What the stack has no room for: a candidate out of the queue, and the key of its reverse half. */
struct candidate_scratch {
	struct candidate candidate;
	struct lb_conn6_key sibling; /* of either family */
};

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct candidate_scratch);
} candidate_scratch SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct lb_sweep);
} sweep SEC(".maps");

/* Written by user space when another generation is about to serve. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(max_entries, 65536);
	__type(key, struct lb_removed_key);
	__type(value, struct lb_removed);
} removed SEC(".maps");

/* --- next hops that packets had a moment ago: see stage/hop.h ------------------------------------- */

enum hook { HOOK_XDP, HOOK_TC };

/* An answer of the kernel's route lookup, and what it depended on besides the connection. */
struct next_hop {
	__u32 from; /* ifindex: where the packet came in */
	__u32 traffic_class;
	__u8 slot;
	__u8 kind; /* hook and address family */
	__u16 mtu; /* 0: a row that was never used */
	__u32 ifindex; /* where it leaves */
	__u8 dmac[6];
	__u8 smac[6];
};

struct shared_hop {
	__u64 busy;
	__u32 when; /* somebody got this answer last */
	struct next_hop hop;
	__u32 pad[6];
};
_Static_assert(sizeof(struct shared_hop) == 64, "a cache line");

#define LB_HOP_ROWS 4096

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, LB_HOP_ROWS);
	__type(key, __u32);
	__type(value, struct shared_hop);
} hops SEC(".maps");

/* --- counters and identities: outside generations; max_entries are set at load ------------------- */

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 4096);
	__type(key, __u32);
	__type(value, struct lb_backend_stats);
} backend_stats SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(max_entries, 4096);
	__type(key, struct lb_backend_id);
	__type(value, __u32);
} backend_ids SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, LB_REASON_ROWS);
	__type(key, __u32);
	__type(value, __u64);
} reasons SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct lb_meta);
} meta SEC(".maps");

/*
 * The types and enums that user space generates its layouts from. BTF holds only what a map or a
 * variable refers to by value, so this variable, never read, does.
 */
union lb_abi_types {
	struct lb_listener_key listener_key;
	struct lb_listener listener;
	struct lb_route_key route_key;
	struct lb_route route;
	struct lb_group group;
	struct lb_backend backend;
	struct lb_member member;
	struct lb_proxy proxy;
	struct lb_interface interface;
	struct lb_settings settings;
	struct lb_conn4_key conn4_key;
	struct lb_conn6_key conn6_key;
	struct lb_conn4 conn4;
	struct lb_conn6 conn6;
	struct lb_runtime_key runtime_key;
	struct lb_runtime runtime;
	struct lb_weight_log weight_log;
	struct lb_confirm confirm;
	enum lb_listener_flag listener_flag;
	enum lb_forwarding forwarding;
	enum lb_attach attach;
	enum lb_interface_flag interface_flag;
	enum lb_conn_state conn_state;
	enum lb_conn_flag conn_flag;
	enum lb_reason reason;
	enum lb_health_state health_state;
	enum lb_drain_state drain_state;
	enum lb_breaker_state breaker_state;
	enum lb_runtime_flag runtime_flag;
	enum lb_weight_cause weight_cause;
	enum lb_confirm_kind confirm_kind;
	enum lb_limit limit;
};
const volatile union lb_abi_types lb_abi_types = {};

#endif
