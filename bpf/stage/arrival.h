/* SPDX-License-Identifier: MIT OR GPL-2.0-only */
/* A packet on its way through the stages. */
#ifndef LB_ARRIVAL_H
#define LB_ARRIVAL_H

#include "../lib/tuple.h"

struct arrival {
	union tuple tuple;
	__u32 slot; /* the generation, read once */
	__u32 ifindex; /* the interface it came in by */
	__u32 now; /* lib/clock.h */
	__u32 random; /* set for a packet that may start a connection */
	__u32 wire_packets; /* packets on the wire that it stands for: more than one after GRO */
	__u32 wire_bytes; /* their bytes of layer 3 */
	__u8 tcp_flags;
	bool has_place; /* that of a connection evicted for it: see stage/evict.h */
	bool soon; /* set by track(): the half had another packet within LB_HOP_MAX_AGE */
	__u8 pad; /* written, like all of this: functions that take a pointer may read no byte that was not */
};

static __always_inline __u32 read_active_slot(void)
{
	__u32 zero = 0;
	const volatile __u32 *slot = bpf_map_lookup_elem(&active, &zero);

	return slot ? *slot : LB_SLOT_NONE;
}

#endif
