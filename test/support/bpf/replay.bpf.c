/* SPDX-License-Identifier: MIT OR GPL-2.0-only */
/*
 * Feeds another program frames in a tight loop: a repeated test run alone would hand it, from the
 * second time on, what it made of the first frame.
 */
#include <linux/bpf.h>
#include <linux/pkt_cls.h>
#include <bpf/bpf_helpers.h>

#define FRAME_SIZE 74
#define FRAMES 1024

struct frame {
	__u8 bytes[FRAME_SIZE];
};

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, FRAMES);
	__type(key, __u32);
	__type(value, struct frame);
} frames SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_PROG_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, __u32);
} xdp_target SEC(".maps"), tc_target SEC(".maps");

/* Overwrites the frame with one of `frames`. */
static __always_inline int restore(void *data, void *end)
{
	__u32 row = bpf_get_prandom_u32() % FRAMES;
	struct frame *frame = bpf_map_lookup_elem(&frames, &row);

	if (!frame || data + FRAME_SIZE > end)
		return -1;
	__builtin_memcpy(data, frame->bytes, FRAME_SIZE);
	return 0;
}

SEC("xdp")
int replay_xdp(struct xdp_md *ctx)
{
	if (restore((void *)(long)ctx->data, (void *)(long)ctx->data_end) == 0)
		bpf_tail_call(ctx, &xdp_target, 0);
	return XDP_ABORTED;
}

SEC("tc")
int replay_tc(struct __sk_buff *skb)
{
	if (restore((void *)(long)skb->data, (void *)(long)skb->data_end) == 0)
		bpf_tail_call(skb, &tc_target, 0);
	return TC_ACT_SHOT;
}

char replay_license[] SEC("license") = "Dual MIT/GPL";
