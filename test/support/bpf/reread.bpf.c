/* SPDX-License-Identifier: MIT OR GPL-2.0-only */
/*
 * The data plane with a fault: at one of its stages it reads the active slot a second time, as if the
 * number had not been handed down. Which stage is set at load.
 */
#include "../../../bpf/lib/parse.h"
#include "../../../bpf/lib/totals.h"
#include "../../../bpf/stage/hop.h"
#include "../../../bpf/stage/select.h"

enum stage {
	STAGE_NONE = 0,
	STAGE_ROUTES = 1,
	STAGE_GROUPS = 2,
	STAGE_SETTINGS = 3,
	STAGE_SELECTION = 4,
	STAGE_HOP = 5,
	STAGE_RESTORE = 6,
};

const volatile enum stage reread_at = STAGE_NONE;

static __always_inline __u32 slot_at(enum stage stage, __u32 slot)
{
	return reread_at == stage ? read_active_slot() : slot;
}

/* For this stage and those after it. */
static __always_inline const struct arrival *arrival_at(enum stage stage, const struct arrival *a)
{
	if (reread_at == stage)
		((struct arrival *)a)->slot = read_active_slot();
	return a;
}

/* What follows calls these. */
#define find_group(a, ...) find_group(arrival_at(STAGE_ROUTES, a), __VA_ARGS__)
#define find_run(slot, ...) find_run(slot_at(STAGE_GROUPS, slot), __VA_ARGS__)
#define place_take(slot) place_take(slot_at(STAGE_SETTINGS, slot))
#define find_backend(slot, ...) find_backend(slot_at(STAGE_SELECTION, slot), __VA_ARGS__)
#define find_hop(ctx, p, a, ...) find_hop(ctx, p, arrival_at(STAGE_HOP, a), __VA_ARGS__)
#define is_restored_at_egress(p, a, ...)                                                           \
	is_restored_at_egress(p, arrival_at(STAGE_RESTORE, a), __VA_ARGS__)

#include "../../../bpf/lb.bpf.c"
