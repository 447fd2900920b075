/* SPDX-License-Identifier: MIT OR GPL-2.0-only */
/*
 * Types shared by the BPF programs and user space. User space learns every size, offset and enum
 * value from the BTF of the compiled object (src/engine/abi/layout.generated.ts): nothing in here is
 * written down a second time.
 *
 * Byte order is part of the name: *_be fields are in network order, all others in host order.
 */
#ifndef LB_ABI_H
#define LB_ABI_H

#include <linux/types.h>

/* Numbers that user space needs too; an enum, because macros leave no trace in BTF. */
enum lb_limit {
	/* Raised whenever the meaning of a pinned map changes; a map of another version is refused. */
	LB_ABI_VERSION = 1,
	/* Generations that can be loaded at once. Fits in one byte: a write of `active` cannot be torn. */
	LB_SLOTS = 16,
	LB_SLOT_NONE = 255,
	/*
	 * A family's connection table is split into partitions (inner maps of conn4 and conn6), so that
	 * the expiry timer can walk one at a time in bounded time.
	 */
	LB_CONN_PARTITIONS_MAX = 64,
	LB_MANIFEST_CHUNK = 4096,
};

#define LB_NAME_SIZE 64
#define LB_IFNAME_SIZE 16

/* An IPv6 address, or an IPv4 one in the mapped form ::ffff:a.b.c.d (RFC 4291, 2.5.5.2). */
struct lb_addr {
	__be32 be[4];
};

/* --- tables of a generation ------------------------------------------------------------------ */

/* `listeners`, hash. The address of a listener on any address is :: or ::ffff:0.0.0.0. */
struct lb_listener_key {
	struct lb_addr addr;
	__u32 ifindex; /* interface the packet came in by */
	__be16 port_be;
	__u8 proto; /* IPPROTO_TCP, IPPROTO_UDP */
	__u8 pad; /* always 0: hash maps compare raw bytes */
};
_Static_assert(sizeof(struct lb_listener_key) == 24, "map key: no implicit padding");

enum lb_listener_flag {
	LB_LISTENER_SOURCE_ROUTES = 1, /* the proxy has source routes: ask `routes` first */
};

struct lb_listener {
	__u32 proxy; /* row of `proxies` */
	__u32 group; /* row of `groups`: the default target */
	__u32 flags; /* enum lb_listener_flag */
	__u32 reserved;
};

/* `routes`, LPM trie. prefixlen counts the 32 bits of `proxy` too. */
struct lb_route_key {
	__u32 prefixlen;
	__u32 proxy;
	struct lb_addr source;
};
_Static_assert(sizeof(struct lb_route_key) == 24, "map key: no implicit padding");

struct lb_route {
	__u32 group;
	__u32 reserved;
};

/* `groups`, array: a list of targets that share traffic. */
struct lb_group {
	__u32 selection; /* first entry of its run in `selection` */
	__u32 selection_count; /* entries in the run, at least 1 */
	__u32 member; /* first of its rows in `members` */
	__u32 member_count;
	__u32 proxy; /* row of `proxies` */
	__u32 flags;
	__u32 reserved[2];
};

/* `backends`, array: each (address, port, protocol) once. */
struct lb_backend {
	struct lb_addr addr;
	__be16 port_be;
	__u8 proto;
	__u8 pad;
	__u32 stats; /* row of `backend_stats`; stays with this identity across generations */
	__u32 flags;
	__u32 reserved;
};

/* `selection`, array of __u32: rows of `backends`. The packet path picks one entry of a run. */

/* `members`, array. Read by user space only: the configured weights, in the order of the list. */
struct lb_member {
	__u32 backend; /* row of `backends` */
	__u16 weight; /* 1 to 100; 0: all members of the group share equally */
	__u16 flags;
	__u32 reserved[2];
};

enum lb_forwarding {
	LB_FORWARDING_NAT = 1,
};

/* `proxies`, array. Read by user space only. Where it listens stands in `listeners`. */
struct lb_proxy {
	char name[LB_NAME_SIZE]; /* NUL-terminated */
	__u32 group; /* the default target */
	__u8 forwarding; /* enum lb_forwarding */
	__u8 pad[3];
	__u32 reserved[4];
};

enum lb_attach {
	LB_ATTACH_AUTO = 0,
	LB_ATTACH_XDP = 1,
	LB_ATTACH_XDP_GENERIC = 2,
	LB_ATTACH_TCX = 3,
	LB_ATTACH_NONE = 4,
};

enum lb_interface_flag {
	LB_INTERFACE_LISTEN = 1, /* a listener is on it */
	LB_INTERFACE_BACKEND = 2, /* a backend is reached through it */
	LB_INTERFACE_CONFIGURED = 4, /* named under `interfaces` in the configuration */
	LB_INTERFACE_XDP_XMIT = 8, /* its driver sends frames that XDP redirects to it */
};

/* `interfaces`, hash by ifindex (__u32). */
struct lb_interface {
	char name[LB_IFNAME_SIZE]; /* NUL-terminated */
	__u8 attach; /* enum lb_attach, as configured */
	__u8 mode; /* enum lb_attach, as chosen: never AUTO */
	__u8 flags; /* enum lb_interface_flag */
	__u8 pad;
	__u32 reserved;
};

/* `settings`, array of one row. Timeouts in seconds. */
struct lb_settings {
	__u32 tcp_syn_sec;
	__u32 tcp_established_sec;
	__u32 tcp_fin_sec; /* one side has closed */
	__u32 tcp_time_wait_sec; /* both sides have closed */
	__u32 tcp_reset_sec;
	__u32 udp_oneway_sec; /* no reply seen yet */
	__u32 udp_stream_sec;
	__u32 reserved[9];
};

/* --- outside generations --------------------------------------------------------------------- */

/* `meta`, array of one row: what the pinned maps and programs were made by. */
struct lb_meta {
	__u32 abi_version;
	__u32 conn_partitions; /* power of two, at most LB_CONN_PARTITIONS_MAX */
	__u32 conn_partition_entries; /* max_entries of each inner map of conn4 and conn6 */
	__u32 backend_capacity; /* rows of backend_stats */
	__u8 object_sha256[32]; /* of the object file that the running programs came from */
	__u32 reserved[4];
};

/* Keys of conn4 and conn6: a packet's tuple as it arrives, in either direction. */
struct lb_conn4_key {
	__be32 saddr_be;
	__be32 daddr_be;
	__be16 sport_be;
	__be16 dport_be;
	__u8 proto;
	__u8 pad[3];
};
_Static_assert(sizeof(struct lb_conn4_key) == 16, "map key: no implicit padding");

struct lb_conn6_key {
	__be32 saddr_be[4];
	__be32 daddr_be[4];
	__be16 sport_be;
	__be16 dport_be;
	__u8 proto;
	__u8 pad[3];
};
_Static_assert(sizeof(struct lb_conn6_key) == 40, "map key: no implicit padding");

enum lb_conn_state {
	LB_CONN_SYN = 1, /* TCP: SYN seen, no reply */
	LB_CONN_SYN_ACK = 2, /* TCP: the backend has answered */
	LB_CONN_ESTABLISHED = 3,
	LB_CONN_FIN_CLIENT = 4, /* FIN from the client only */
	LB_CONN_FIN_BACKEND = 5, /* FIN from the backend only */
	LB_CONN_TIME_WAIT = 6, /* FIN from both */
	LB_CONN_RESET = 7, /* RST from either */
	LB_CONN_UDP_ONEWAY = 8,
	LB_CONN_UDP_STREAM = 9, /* UDP: both directions seen */
};

enum lb_conn_flag {
	LB_CONN_REVERSE = 1, /* this half is keyed by the backend's packets */
};

/*
 * Half of a connection: one record for each direction, each found by the tuple of its own packets
 * with a single lookup, and holding all that rewriting one of them takes. `state` is the
 * connection's and is written to both halves; counters and `last_seen` are this direction's.
 */
struct lb_conn {
	__u64 bytes; /* of layer 3 */
	__u64 packets;
	__u32 last_seen; /* coarse monotonic clock in units of 2^20 ns (about 1.05 ms) */
	__u32 stats; /* row of `backend_stats` */
	__be16 nat_port_be; /* forward: the backend's port; reverse: the listener's */
	__u8 state; /* enum lb_conn_state */
	__u8 flags; /* enum lb_conn_flag */
	__u32 reserved;
};
_Static_assert(sizeof(struct lb_conn) == 32, "shared head of conn4 and conn6 values");

struct lb_conn4 {
	struct lb_conn c;
	__be32 nat_addr_be; /* forward: the backend's address; reverse: the listener's */
	__be32 reserved;
};
_Static_assert(sizeof(struct lb_conn4) == 40, "2 x (48 + 16 + 40) + buckets stays within 256 bytes");

struct lb_conn6 {
	struct lb_conn c;
	__be32 nat_addr_be[4];
};
_Static_assert(sizeof(struct lb_conn6) == 48, "2 x (48 + 40 + 48) + buckets stays within 320 bytes");

/* `backend_stats`, per-CPU array. Live connections are opened - closed, summed over CPUs. */
struct lb_backend_stats {
	__u64 packets_fwd;
	__u64 bytes_fwd;
	__u64 packets_rev;
	__u64 bytes_rev;
	__u64 opened;
	__u64 closed;
};

/* `backend_ids`, hash to __u32: which row of backend_stats an identity owns. User space only. */
struct lb_backend_id {
	struct lb_addr addr;
	__be16 port_be;
	__u8 proto;
	__u8 pad;
};
_Static_assert(sizeof(struct lb_backend_id) == 20, "map key: no implicit padding");

#endif
