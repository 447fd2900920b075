/* SPDX-License-Identifier: MIT OR GPL-2.0-only */
/*
 * Makes what a program costs per packet measurable by bpf_prog_test_run. Repeated runs get the frame
 * that the run before left: a program that rewrites it would see another packet from the second run
 * on. So this restores the frame and makes it the next flow's, then goes on to the measured program.
 * What this itself costs is measured with an empty one.
 */
#include <linux/bpf.h>
#include <linux/in.h>
#include <linux/pkt_cls.h>
#include <bpf/bpf_helpers.h>

#define FRAME_WORDS 10

struct replay_state {
	__u64 frame[FRAME_WORDS];
	__u32 next; /* counts packets */
};

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct replay_state);
} replay_state SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_PROG_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, __u32);
} replay_xdp_callee SEC(".maps"), replay_tc_callee SEC(".maps");

/* Where in the frame the last four bytes of the client's address, and its port, are. */
const volatile __u32 address_at = 26;
const volatile __u32 port_at = 34;
/* Flows are gone through in an order that no cache foresees: `stride` has no divisor in common with `flows`. */
const volatile __u32 flows = 1;
const volatile __u32 stride = 1;
const volatile __u32 first_flow = 0;
/* Of the client with number 0, in host byte order. */
const volatile __u32 first_address = 0;

/* So many clients, each with several ports. */
#define CLIENTS (1u << 17)

/* No two flows have the same address and port. */
static __always_inline void next_flow(struct replay_state *state, void *data)
{
	__u32 flow = first_flow + (__u64)state->next++ * stride % flows;
	__u32 address = first_address + (flow & (CLIENTS - 1));
	__u16 port = 1024 + flow / CLIENTS * 4099 + (flow & 4095);

	*(__u32 *)(data + address_at) = __builtin_bswap32(address);
	*(__u16 *)(data + port_at) = __builtin_bswap16(port);
}

static __always_inline int prepare(void *data, void *end)
{
	__u32 zero = 0;
	struct replay_state *state = bpf_map_lookup_elem(&replay_state, &zero);
	__u64 *words = data;

	if (!state || data + sizeof(state->frame) > end || address_at > sizeof(state->frame) - 4 ||
		port_at > sizeof(state->frame) - 2)
		return -1;
#pragma clang loop unroll(full)
	for (int i = 0; i < FRAME_WORDS; i++)
		words[i] = state->frame[i];
	next_flow(state, data);
	return 0;
}

SEC("xdp")
int replay_xdp(struct xdp_md *ctx)
{
	if (prepare((void *)(long)ctx->data, (void *)(long)ctx->data_end) == 0)
		bpf_tail_call(ctx, &replay_xdp_callee, 0);
	return XDP_ABORTED;
}

SEC("xdp")
int empty_xdp(struct xdp_md *ctx)
{
	return XDP_REDIRECT;
}

SEC("tc")
int replay_tc(struct __sk_buff *skb)
{
	if (prepare((void *)(long)skb->data, (void *)(long)skb->data_end) == 0)
		bpf_tail_call(skb, &replay_tc_callee, 0);
	return TC_ACT_SHOT;
}

SEC("tc")
int empty_tc(struct __sk_buff *skb)
{
	return TC_ACT_REDIRECT;
}

/*
 * The kernel's route lookup alone, for the frame as it is: what is left of the cost of a packet is
 * ours.
 */
static __always_inline int look_up_route(void *ctx, void *data, void *end, __u32 ifindex)
{
	struct bpf_fib_lookup fib = {
		.family = 2 /* AF_INET */, .l4_protocol = IPPROTO_TCP, .ifindex = ifindex};

	if (data + sizeof(((struct replay_state *)0)->frame) > end)
		return -1;
	fib.tot_len = 66;
	fib.ipv4_src = *(__u32 *)(data + 26);
	fib.ipv4_dst = *(__u32 *)(data + 30);
	fib.sport = *(__u16 *)(data + 34);
	fib.dport = *(__u16 *)(data + 36);
	return bpf_fib_lookup(ctx, &fib, sizeof(fib), 0);
}

SEC("xdp")
int route_xdp(struct xdp_md *ctx)
{
	int result = look_up_route(
		ctx, (void *)(long)ctx->data, (void *)(long)ctx->data_end, ctx->ingress_ifindex);

	return result == BPF_FIB_LKUP_RET_SUCCESS ? XDP_REDIRECT : XDP_ABORTED;
}

SEC("tc")
int route_tc(struct __sk_buff *skb)
{
	int result = look_up_route(
		skb, (void *)(long)skb->data, (void *)(long)skb->data_end, skb->ifindex);

	return result == BPF_FIB_LKUP_RET_SUCCESS ? TC_ACT_REDIRECT : TC_ACT_SHOT;
}

/* As many rows, with keys and values as long, as a connection table of IPv4 has; lookups alone. */
struct replay_key {
	__be32 client_be;
	__be16 port_be;
	__u8 half; /* a connection has two rows; the first is looked up */
	__u8 pad[9];
};

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 1);
	__type(key, struct replay_key);
	__uint(value_size, 40);
} replay_table SEC(".maps");

SEC("xdp")
int lookup_xdp(struct xdp_md *ctx)
{
	void *data = (void *)(long)ctx->data;
	struct replay_key key = {};

	if (data + sizeof(((struct replay_state *)0)->frame) > (void *)(long)ctx->data_end)
		return XDP_ABORTED;
	key.client_be = *(__be32 *)(data + 26);
	key.port_be = *(__be16 *)(data + 34);
	return bpf_map_lookup_elem(&replay_table, &key) ? XDP_REDIRECT : XDP_ABORTED;
}

char _license[] SEC("license") = "Dual MIT/GPL";
