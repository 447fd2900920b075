/* SPDX-License-Identifier: MIT */
#ifndef LB_NATIVE_MAPPED_H
#define LB_NATIVE_MAPPED_H

#include "common.h"

bool is_mappable(const struct map_shape *map);
/* All rows, in order. False: use the system calls, or let them say what is wrong. */
bool mapped_read(const struct handle *map, uint8_t *keys, uint8_t *values);
/* False: the same, and nothing was written. */
bool mapped_write(
	const struct handle *map, const uint8_t *keys, const uint8_t *values, size_t count);

#endif
