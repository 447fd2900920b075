/* SPDX-License-Identifier: MIT OR GPL-2.0-only */
/*
 * The number of connections, and the limit on it. Each pair has one place from before its first half
 * is entered until after its last one is deleted.
 */
#ifndef LB_TOTALS_H
#define LB_TOTALS_H

#include <stdbool.h>

#include "../maps.h"

#define LB_PLACE_ATTEMPTS 256
/* From this share of the limit on, candidates for eviction are remembered: 3 of 4. */
#define LB_PRESSED_AT(limit) ((limit) - (limit) / 4)

static __always_inline struct lb_conn_totals *totals_row(void)
{
	__u32 zero = 0;

	return bpf_map_lookup_elem(&conn_totals, &zero);
}

/* Connections that the generation allows; 0: as many as the tables hold. */
static __always_inline __u32 connection_limit(__u32 slot)
{
	__u32 zero = 0;
	void *table = bpf_map_lookup_elem(&settings, &slot);
	const struct lb_settings *row = table ? bpf_map_lookup_elem(table, &zero) : NULL;

	return row ? row->max_connections : 0;
}

struct place {
	__u32 slot;
	__u32 taken;
};

/* Signed, because deleting records from user space by hand may make the number too small. */
static long place_attempt(__u32 round, struct place *place)
{
	struct lb_conn_totals *totals = totals_row();
	__s64 limit = connection_limit(place->slot), live;

	if (!totals)
		return 1;
	live = *(volatile __u64 *)&totals->live;
	if (limit && live >= limit)
		return 1;
	if (limit && live >= LB_PRESSED_AT(limit) && !totals->pressed)
		totals->pressed = 1;
	place->taken = __sync_val_compare_and_swap(&totals->live, live, live + 1) == (__u64)live;
	return place->taken;
}

static __always_inline bool place_take(__u32 slot)
{
	struct place place = {.slot = slot};

	bpf_loop(LB_PLACE_ATTEMPTS, place_attempt, &place, 0);
	return place.taken;
}

static __always_inline void place_give_back(void)
{
	struct lb_conn_totals *totals = totals_row();

	if (totals)
		__sync_fetch_and_add(&totals->live, -1);
}

#endif
