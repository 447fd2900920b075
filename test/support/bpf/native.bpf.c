/* SPDX-License-Identifier: MIT OR GPL-2.0-only */
/* What the contract tests of the addon load: maps of several kinds, constants, programs. */
#include <linux/bpf.h>
#include <linux/pkt_cls.h>
#include <bpf/bpf_helpers.h>

struct limits {
	__u32 packets;
	__u16 ports[2];
};

const volatile __u32 verdict = XDP_PASS;
const volatile struct limits limits = {.packets = 7, .ports = {80, 443}};

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 4);
	__type(key, __u32);
	__type(value, __u64);
} counters SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 16);
	__type(key, __u32);
	__type(value, __u64);
} seen SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY_OF_MAPS);
	__uint(max_entries, 4);
	__type(key, __u32);
	__array(
		values, struct {
			__uint(type, BPF_MAP_TYPE_HASH);
			__uint(max_entries, 8);
			__type(key, __u32);
			__type(value, __u32);
		});
} tables SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 65536);
} events SEC(".maps");

static __always_inline void count(__u32 row)
{
	__u64 *counter = bpf_map_lookup_elem(&counters, &row);

	if (counter)
		__sync_fetch_and_add(counter, 1);
}

/* Sends `limits` as one record of eight bytes. */
static __always_inline void emit(void)
{
	struct limits *record = bpf_ringbuf_reserve(&events, sizeof(*record), 0);

	if (!record)
		return;
	record->packets = limits.packets;
	record->ports[0] = limits.ports[0];
	record->ports[1] = limits.ports[1];
	bpf_ringbuf_submit(record, 0);
}

SEC("xdp")
int xdp_count(struct xdp_md *ctx)
{
	__u32 first = 0;
	void *table = bpf_map_lookup_elem(&tables, &first);
	__u32 *found = table ? bpf_map_lookup_elem(table, &first) : NULL;

	count(0);
	emit();
	return found ? *found : verdict;
}

/* Doubles the first byte and takes four bytes off the end. */
SEC("xdp")
int xdp_rewrite(struct xdp_md *ctx)
{
	__u8 *data = (__u8 *)(long)ctx->data, *end = (__u8 *)(long)ctx->data_end;

	if (data + 1 > end)
		return XDP_ABORTED;
	data[0] *= 2;
	return bpf_xdp_adjust_tail(ctx, -4) ? XDP_ABORTED : XDP_TX;
}

SEC("xdp")
int xdp_drop(struct xdp_md *ctx)
{
	return XDP_DROP;
}

SEC("tc")
int tc_count(struct __sk_buff *skb)
{
	count(1);
	emit();
	skb->priority = skb->mark + 1;
	return TC_ACT_OK;
}

SEC("tc")
int tc_pass(struct __sk_buff *skb)
{
	return TC_ACT_OK;
}

char LICENSE[] SEC("license") = "GPL";
