/* SPDX-License-Identifier: MIT OR GPL-2.0-only */
/*
 * Judges every packet of a repeated test run. Before each packet the frame is made that of the next
 * scenario; a tail call then goes to the program under test, which ends the run. What it made of the
 * packet is judged at the beginning of the next one: the reason it counted, each byte that it left in the
 * frame, and whether it found the limit on connections near. That has to be one of the outcomes that
 * user space has worked out for either generation.
 */
#include <linux/pkt_cls.h>

#include "../../../bpf/lib/tuple.h"

#define FRAME_WORDS 10
#define SCENARIOS 128
#define OUTCOMES 8

enum generation { GENERATION_NEITHER = 0, GENERATION_A = 1, GENERATION_B = 2, GENERATIONS = 3 };

/* What becomes of a scenario's connection after each packet, so that the next one starts another. */
enum ending { ENDING_NONE = 0, ENDING_DELETED = 1, ENDING_TIME_WAIT = 2 };

struct outcome {
	__u64 frame[FRAME_WORDS];
	enum generation generation; /* GENERATION_NEITHER: not in use */
	enum lb_reason reason;
	__u32 pressed;
	__u32 pad;
};

struct scenario {
	__u64 frame[FRAME_WORDS];
	union tuple tuple; /* key of the forward half */
	__u32 v6;
	enum ending ending;
	__u64 live; /* what conn_totals is made to say before the packet */
	struct outcome outcomes[OUTCOMES];
};

/* What was seen of a packet. */
struct sample {
	__u64 frame[FRAME_WORDS];
	__u32 scenario;
	__u32 reason; /* LB_REASON_ROWS: none, or more than one */
	__u32 pressed;
	enum generation generation;
};

/* Written by user space before a run: which scenarios to go through, and zeroes. */
struct trial {
	__u32 first;
	__u32 count;
	__u32 next;
	__u32 waiting; /* a packet, to be judged */
	__u32 scenario; /* the one it is of */
	__u32 cpu; /* the one it ran on */
	__u64 turns; /* packets that met another generation than the one before */
	struct sample last;
	struct sample odd; /* the first packet that was neither generation's */
	__u64 odds; /* how many there were */
};

struct tally {
	__u64 packets[GENERATIONS];
};

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, SCENARIOS);
	__type(key, __u32);
	__type(value, struct scenario);
} scenarios SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, SCENARIOS);
	__type(key, __u32);
	__type(value, struct tally);
} tallies SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct trial);
} trial SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_PROG_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, __u32);
} xdp_target SEC(".maps"), tc_target SEC(".maps");

struct counted {
	__u32 cpu;
	__u32 reason;
	__u64 total;
};

/* Sets the counter back to zero, for the next packet. */
static long take_reason(__u32 row, struct counted *counted)
{
	__u64 *count = bpf_map_lookup_percpu_elem(&reasons, &row, counted->cpu);

	if (count && *count) {
		counted->reason = row;
		counted->total += *count;
		*count = 0;
	}
	return 0;
}

static __always_inline __u32 counted_reason(__u32 cpu)
{
	struct counted counted = {.cpu = cpu};

	bpf_loop(LB_REASON_MAX, take_reason, &counted, 0);
	return counted.total == 1 ? counted.reason : LB_REASON_ROWS;
}

static __always_inline bool same_frame(const __u64 *a, const __u64 *b)
{
	__u64 differ = 0;

#pragma clang loop unroll(full)
	for (int i = 0; i < FRAME_WORDS; i++)
		differ |= a[i] ^ b[i];
	return differ == 0;
}

static __always_inline enum generation generation_of(
	const struct scenario *scenario, const struct sample *seen)
{
#pragma clang loop unroll(disable)
	for (__u32 i = 0; i < OUTCOMES; i++) {
		const struct outcome *outcome = &scenario->outcomes[i];

		if (outcome->generation && outcome->reason == seen->reason &&
			outcome->pressed == seen->pressed &&
			same_frame(outcome->frame, seen->frame))
			return outcome->generation;
	}
	return GENERATION_NEITHER;
}

static __always_inline void delete_half(const union tuple *tuple, const bool v6)
{
	void *table = conn_table(tuple, v6);

	if (table)
		bpf_map_delete_elem(table, tuple);
}

static __always_inline void end_connection(const struct scenario *scenario, const bool v6)
{
	struct lb_conn *conn = conn_find(&scenario->tuple, v6);
	union tuple reverse;

	if (!conn)
		return;
	if (scenario->ending == ENDING_TIME_WAIT)
		conn->state = LB_CONN_TIME_WAIT;
	if (scenario->ending != ENDING_DELETED)
		return;
	tuple_sibling(
		&reverse, &scenario->tuple, conn_nat_addr(conn), conn->nat_port_be, false, v6);
	delete_half(&scenario->tuple, v6);
	delete_half(&reverse, v6);
}

static __always_inline struct lb_conn_totals *totals_of_all(void)
{
	__u32 zero = 0;

	return bpf_map_lookup_elem(&conn_totals, &zero);
}

/* `frame`: as the program under test left it. */
static __always_inline void judge(struct trial *run, const __u64 *frame)
{
	struct sample *last = &run->last;
	__u32 row = run->scenario, before = last->generation;
	const struct scenario *scenario = bpf_map_lookup_elem(&scenarios, &row);
	struct tally *tally = bpf_map_lookup_elem(&tallies, &row);
	const struct lb_conn_totals *totals = totals_of_all();

	if (!scenario || !tally || !totals)
		return;
	last->scenario = row;
	last->reason = counted_reason(run->cpu);
	last->pressed = totals->pressed;
	__builtin_memcpy(last->frame, frame, sizeof(last->frame));
	last->generation = generation_of(scenario, last);
	if (last->generation == GENERATION_NEITHER && run->odds++ == 0)
		run->odd = *last;
	if (last->generation < GENERATIONS)
		tally->packets[last->generation]++;
	if (before && last->generation && last->generation != before)
		run->turns++;
	if (scenario->v6)
		end_connection(scenario, true);
	else
		end_connection(scenario, false);
}

static __always_inline struct trial *trial_row(void)
{
	__u32 zero = 0;

	return bpf_map_lookup_elem(&trial, &zero);
}

/* 0: the frame is a packet's, for the program under test. */
static __always_inline int next_packet(void *data, void *end)
{
	struct trial *run = trial_row();
	struct lb_conn_totals *totals = totals_of_all();
	const struct scenario *scenario;
	__u32 row;

	if (!run || !totals || run->count == 0 || data + sizeof(scenario->frame) > end)
		return -1;
	if (run->waiting)
		judge(run, data);
	row = run->first + run->next++ % run->count;
	scenario = bpf_map_lookup_elem(&scenarios, &row);
	if (!scenario)
		return -1;
	run->scenario = row;
	run->cpu = bpf_get_smp_processor_id();
	run->waiting = 1;
	totals->live = scenario->live;
	totals->pressed = 0;
	__builtin_memcpy(data, scenario->frame, sizeof(scenario->frame));
	return 0;
}

SEC("xdp")
int judge_xdp(struct xdp_md *ctx)
{
	if (next_packet((void *)(long)ctx->data, (void *)(long)ctx->data_end) == 0)
		bpf_tail_call(ctx, &xdp_target, 0);
	return XDP_ABORTED;
}

SEC("tc")
int judge_tc(struct __sk_buff *skb)
{
	if (next_packet((void *)(long)skb->data, (void *)(long)skb->data_end) == 0)
		bpf_tail_call(skb, &tc_target, 0);
	return TC_ACT_OK;
}

/* The last packet of a run. */
SEC("tc")
int judge_last(struct __sk_buff *skb)
{
	struct trial *run = trial_row();
	void *data = (void *)(long)skb->data;

	if (!run || !run->waiting || data + sizeof(run->last.frame) > (void *)(long)skb->data_end)
		return TC_ACT_SHOT;
	judge(run, data);
	run->waiting = 0;
	return TC_ACT_OK;
}

char judge_license[] SEC("license") = "Dual MIT/GPL";
