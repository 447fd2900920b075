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

#include <linux/bpf.h>
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
	/* There are two sets of tables while connections move from smaller ones to larger ones. */
	LB_CONN_SETS = 2,
	/* Rows for counters by enum lb_conn_state, with room to append. */
	LB_CONN_STATES = 16,
	LB_MANIFEST_CHUNK = 4096,
	/* Changes of a target's weight that are kept. */
	LB_WEIGHT_CHANGES = 100,
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

/* `settings`, array of one row. Timeouts: seconds that a connection may be idle, by its state. */
struct lb_settings {
	__u32 tcp_syn_sec;
	__u32 tcp_established_sec;
	__u32 tcp_fin_sec; /* one side has closed */
	__u32 tcp_time_wait_sec; /* both sides have closed */
	__u32 tcp_reset_sec;
	__u32 udp_oneway_sec; /* no reply seen yet */
	__u32 udp_stream_sec;
	__u32 max_connections; /* of both families together; 0: as many as the tables hold */
	__u32 reserved[8];
};

/* --- outside generations --------------------------------------------------------------------- */

/* `meta`, array of one row: what the pinned maps and programs were made by. */
struct lb_meta {
	__u32 abi_version;
	/* Of the current set of connection tables, and of the other one; 0: there is no other. */
	__u32 conn_partitions; /* power of two, at most LB_CONN_PARTITIONS_MAX */
	__u32 conn_other_partitions;
	__u32 backend_capacity; /* rows of backend_stats */
	__u8 object_sha256[32]; /* of the object file that the running programs came from */
	__u32 conn_capacity; /* connections that a family's tables of the current set were made for */
	__u32 conn_partition_entries; /* max_entries of each of their partitions */
	__u32 conn_set; /* the current one, which new connections enter */
	__u32 reserved;
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
	__u32 hop; /* the next hop that its packets had last, and when: stage/hop.h; 0: none */
};
_Static_assert(sizeof(struct lb_conn) == 32, "shared head of conn4 and conn6 values");

struct lb_conn4 {
	struct lb_conn c;
	__be32 nat_addr_be; /* forward: the backend's address; reverse: the listener's */
	__be32 reserved;
};
_Static_assert(
	sizeof(struct lb_conn4) == 40, "2 x (48 + 16 + 40) + buckets stays within 256 bytes");

struct lb_conn6 {
	struct lb_conn c;
	__be32 nat_addr_be[4];
};
_Static_assert(
	sizeof(struct lb_conn6) == 48, "2 x (48 + 40 + 48) + buckets stays within 320 bytes");

/*
 * `backend_stats`, per-CPU array. Summed over CPUs, opened - closed are records of connections, and
 * opened - ended those of connections that are not over. From `opened` on, each counts a connection
 * once at most. Append only: an upgrade carries them over.
 */
struct lb_backend_stats {
	__u64 packets_fwd;
	__u64 bytes_fwd;
	__u64 packets_rev;
	__u64 bytes_rev;
	__u64 opened;
	__u64 closed; /* the record was deleted */
	__u64 established; /* TCP: handshake completed; UDP: first reply */
	__u64 refused; /* RST from the backend before the handshake was complete */
	__u64 timed_out; /* given up while the backend had not answered the SYN */
	__u64 reset; /* RST from the backend after the handshake, and before it had closed its side */
	__u64 ended; /* closed by both sides, reset by either, or deleted before that */
	__u64 removed; /* deleted because its target was removed: see lb_removed */
};

/*
 * `conn_totals`, array of one row: all connections of both families. Changed by atomic operations
 * only, so that `live` is exact and never beyond the limit.
 */
struct lb_conn_totals {
	__u64 live;
	__u64 pressed; /* live connections come near the limit: remember who could make room */
	__u64 evicted[LB_CONN_STATES]; /* by the state they were in */
};

/*
 * `sweep`, array of one row: the timer that walks the connection tables, and what it has done. A
 * lookup from user space reads the timer's own bytes as zero.
 */
struct lb_sweep {
	struct bpf_timer timer;
	__u64 runs; /* partitions walked */
	__u64 expired; /* pairs deleted because both halves were idle for too long */
	__u64 orphans; /* halves deleted because the other one was gone */
	__u64 last_run_ns; /* CLOCK_MONOTONIC_COARSE when the last run began */
	__u32 partition; /* the next one to walk; beyond the last: the first */
	__u32 hurry; /* so many partitions are walked one after the other, without waiting in between */
};

/*
 * `removed`, hash: connections that are to end because their target was removed, by listener and backend, and
 * when. Each generation has its own, so that they hold from its flip on and no longer than it serves. Where a
 * listener on an address has none, that on any address counts. The row with zeros for a listener tells
 * whether there is anything to do: between its deadline, the first of all, and its end.
 */
struct lb_removed_key {
	struct lb_addr listener; /* as in lb_listener_key */
	__u32 stats; /* row of `backend_stats` */
	__be16 port_be; /* the listener's */
	__u8 proto;
	__u8 slot; /* of the generation */
};
_Static_assert(sizeof(struct lb_removed_key) == 24, "map key: no implicit padding");

/* Times of CLOCK_MONOTONIC, in milliseconds. */
struct lb_removed {
	__u64 deadline; /* 0: never, whatever the listener on any address says */
	__u64 end; /* of the row that stands for all */
	struct lb_addr addr; /* the backend's */
	__be16 port_be;
	__u8 pad[6];
	char proxy[LB_NAME_SIZE]; /* whose target it was */
};
_Static_assert(sizeof(struct lb_removed) == 104, "no implicit padding");

/* `backend_ids`, hash to __u32: which row of backend_stats an identity owns. User space only. */
struct lb_backend_id {
	struct lb_addr addr;
	__be16 port_be;
	__u8 proto;
	__u8 pad;
};
_Static_assert(sizeof(struct lb_backend_id) == 20, "map key: no implicit padding");

/* --- what is known of targets at run time: read and written by user space only ---------------- */

/*
 * Keys of `runtime` and `weight_log`, hashes: a target of a proxy, in any of its lists. `runtime` has
 * a record under the key of zeros while it is ahead of the table of selection.
 */
struct lb_runtime_key {
	struct lb_addr addr;
	__be16 port_be;
	__u8 proto;
	__u8 pad;
	char proxy[LB_NAME_SIZE]; /* filled up with zeros */
};
_Static_assert(sizeof(struct lb_runtime_key) == 84, "map key: no implicit padding");

enum lb_health_state {
	LB_HEALTH_UNKNOWN = 0,
	LB_HEALTH_HEALTHY = 1,
	LB_HEALTH_UNHEALTHY = 2,
};

enum lb_drain_state {
	LB_DRAIN_NONE = 0,
	LB_DRAIN_DRAINING = 1,
	LB_DRAIN_COMPLETED = 2,
	LB_DRAIN_TIMEOUT = 3,
};

enum lb_breaker_state {
	LB_BREAKER_CLOSED = 0,
	LB_BREAKER_OPEN = 1,
	LB_BREAKER_HALF_OPEN = 2,
};

enum lb_runtime_flag {
	LB_RUNTIME_BREAKER_FORCED = 1, /* opened by hand */
};

/* Times in milliseconds since 1970, UTC. */
struct lb_runtime {
	__u64 health_since;
	__u64 drain_since;
	__u64 drain_deadline; /* 0: none */
	__u64 breaker_since;
	__u32 drain_initial; /* connections when it began */
	__u32 load; /* millionths of its weight that its connections leave it */
	__u8 health; /* enum lb_health_state */
	__u8 recovery; /* quarters of its weight, 1 to 4 */
	__u8 drain; /* enum lb_drain_state */
	__u8 breaker; /* enum lb_breaker_state */
	__u8 flags; /* enum lb_runtime_flag */
	__u8 pad[3];
	__u32 reserved[4];
};
_Static_assert(sizeof(struct lb_runtime) == 64, "one cache line");

enum lb_weight_cause {
	LB_WEIGHT_CONFIGURED = 0,
	LB_WEIGHT_HEALTH = 1,
	LB_WEIGHT_RECOVERY = 2,
	LB_WEIGHT_DRAIN = 3,
	LB_WEIGHT_BREAKER = 4,
	LB_WEIGHT_LOAD = 5,
	LB_WEIGHT_FALLBACK = 6,
};

struct lb_weight_change {
	__u64 at; /* milliseconds since 1970, UTC */
	__u32 from; /* millionths of the configured weight */
	__u32 to;
	__u8 cause; /* enum lb_weight_cause */
	__u8 pad[7];
};

/* A ring: change number n, counted from 0, is in row n % LB_WEIGHT_CHANGES. */
struct lb_weight_log {
	__u32 count; /* changes that there ever were */
	__u32 pad;
	struct lb_weight_change changes[LB_WEIGHT_CHANGES];
};

/*
 * `confirm`, array of one row, pinned while a generation is to be confirmed. Without meaning where another
 * one serves: so it can be there before the flip, and a flip back ends it.
 */
enum lb_confirm_kind {
	LB_CONFIRM_ASKED = 0, /* by a person: `lb confirm` */
	LB_CONFIRM_WATCHED = 1, /* by the command that watches its targets */
};

struct lb_confirm {
	__u64 deadline; /* CLOCK_MONOTONIC, in milliseconds */
	__u32 generation;
	__u32 previous; /* served before, and does again after the deadline; 0: none did, and none will */
	__u8 kind; /* enum lb_confirm_kind */
	__u8 pad[7];
	__u64 reserved;
};
_Static_assert(sizeof(struct lb_confirm) == 32, "no implicit padding");

/*
 * Why a packet met its fate: `reasons`, per-CPU array of __u64, counts exactly one for each packet
 * that a program sees. The prefix is the verdict: PASS leaves the packet as it came to the next
 * program and the stack, STACK hands it to them rewritten (a reply as it came, where the program at
 * egress will rewrite it), DROP and REDIRECT are what they say.
 * Append only: pinned counters outlive the programs.
 */
enum lb_reason {
	LB_OK = 0, /* no verdict yet, go on; no packet ends with it */

	LB_PASS_NO_GENERATION = 1, /* no configuration is active */
	LB_PASS_SHORT_ETH = 2, /* frame ends within the Ethernet header */
	LB_PASS_NOT_ETHERNET = 3, /* a device without Ethernet headers */
	LB_PASS_NOT_UNICAST = 4, /* sent to a broadcast or multicast MAC address */
	LB_PASS_OTHER_HOST = 5, /* sent to another MAC address than the interface's */
	LB_PASS_VLAN = 6, /* 802.1Q or 802.1ad tag */
	LB_PASS_NOT_IP = 7, /* neither IPv4 nor IPv6 */
	LB_PASS_SHORT_IPV4 = 8, /* frame ends within the IPv4 header */
	LB_PASS_BAD_IPV4_VERSION = 9, /* version field is not 4 */
	LB_PASS_BAD_IHL = 10, /* IPv4 header length below 20 bytes */
	LB_PASS_BAD_IPV4_LENGTH = 11, /* total length below the header's, or beyond the frame */
	LB_PASS_IPV4_FRAGMENT = 12, /* any fragment, the first too */
	LB_PASS_SHORT_IPV6 = 13, /* frame ends within the IPv6 header */
	LB_PASS_BAD_IPV6_VERSION = 14, /* version field is not 6 */
	LB_PASS_BAD_IPV6_LENGTH = 15, /* payload length beyond the frame */
	LB_PASS_IPV6_EXTENSION = 16, /* an extension header comes before the payload */
	LB_PASS_NOT_TCP_UDP = 17, /* another protocol, ICMP among them */
	LB_PASS_SHORT_TCP = 18, /* packet ends within the fixed TCP header */
	LB_PASS_BAD_TCP_OFFSET = 19, /* TCP header length below 20 bytes or beyond the packet */
	LB_PASS_SHORT_UDP = 20, /* packet ends within the UDP header */
	LB_PASS_BAD_UDP_LENGTH = 21, /* UDP length below 8 or beyond the packet */
	LB_PASS_NO_CONNECTION =
		22, /* TCP, no known connection, and not a SYN that could start one */
	LB_PASS_NO_LISTENER = 23, /* starts a connection to where nobody listens */
	LB_PASS_EGRESS_OTHER = 24, /* egress: not a reply of a known connection */

	LB_REDIRECT = 25, /* rewritten and sent on by the fast path */

	LB_STACK_TTL = 26, /* TTL or hop limit has run out */
	LB_STACK_NO_NEIGHBOUR = 27, /* next hop's MAC address not known yet */
	LB_STACK_NOT_FORWARDED = 28, /* to this host itself, or not for forwarding */
	LB_STACK_FORWARDING_OFF = 29, /* forwarding is disabled on the ingress interface */
	LB_STACK_TOO_BIG = 30, /* longer than the path's MTU */
	LB_STACK_BLACKHOLE = 31, /* blackhole route */
	LB_STACK_UNREACHABLE = 32, /* unreachable route, or none */
	LB_STACK_PROHIBITED = 33, /* prohibit route */
	LB_STACK_ENCAPSULATED = 34, /* route with an encapsulation that only the stack does */
	LB_STACK_FIB_FAILED = 35, /* the route lookup itself failed */
	LB_STACK_NO_XMIT = 36, /* the way out is an interface that XDP cannot send through */
	LB_STACK_EGRESS = 37, /* egress: source restored on a reply that the stack sends */

	LB_DROP_NO_BACKEND = 38, /* nothing to choose from */
	LB_DROP_WRONG_FAMILY = 39, /* the chosen backend is of the other address family */
	LB_DROP_BAD_TABLE = 40, /* the generation refers to a row that is not there */
	LB_DROP_NO_CONN_TABLE = 41, /* no connection table for this family */
	LB_DROP_CONN_TABLE_FULL = 42, /* a partition has no room, and none could be made */
	LB_DROP_TUPLE_CONFLICT =
		43, /* every backend tried has this client address and port in use */
	LB_DROP_CONN_BUSY = 44, /* another CPU held on to the connection for too long */
	LB_DROP_REWRITE_FAILED = 45, /* the kernel refused to change the packet */

	LB_PASS_IPV4_OPTIONS = 46, /* IPv4 header with options */

	LB_DROP_CONN_LIMIT = 47, /* as many connections as allowed, and none that could go */

	LB_REASON_MAX
};

/* Rows of `reasons`: room to append, so that counters survive an upgrade. */
#define LB_REASON_ROWS 128
_Static_assert(LB_REASON_MAX <= LB_REASON_ROWS, "every reason has a row");

#endif
