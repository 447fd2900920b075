/* SPDX-License-Identifier: MIT */
/* Reading whole maps: as memory or in batches where the kernel has them, else one by one. */
#include "mapped.h"

#include <bpf/bpf.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* A map that never holds still is given up after this many readings. */
#define READ_ATTEMPTS 5
#define FIRST_CAPACITY 1024

struct entries {
	uint8_t *keys;
	uint8_t *values;
	size_t count;
	size_t capacity;
};

static bool is_unsupported(int err)
{
	return err == -ENOTSUPP || err == -EOPNOTSUPP || err == -EINVAL;
}

static bool is_array(uint32_t type)
{
	return type == BPF_MAP_TYPE_ARRAY || type == BPF_MAP_TYPE_PERCPU_ARRAY ||
	       type == BPF_MAP_TYPE_ARRAY_OF_MAPS;
}

static int grow(struct entries *entries, const struct map_shape *map, size_t capacity)
{
	uint8_t *keys, *values;

	/* One byte more, so that a size of 0 is not mistaken for a failure. */
	keys = realloc(entries->keys, capacity * map->key_size + 1);
	if (!keys)
		return -ENOMEM;
	entries->keys = keys;
	values = realloc(entries->values, capacity * map->stride + 1);
	if (!values)
		return -ENOMEM;
	entries->values = values;
	entries->capacity = capacity;
	return 0;
}

/* More entries than this were read twice over: a deleted key has sent the walk back to the start. */
static size_t entries_limit(const struct map_shape *map)
{
	return 2 * (size_t)map->max_entries + 1024;
}

static int read_batches(const struct handle *map, struct entries *entries)
{
	LIBBPF_OPTS(bpf_map_batch_opts, opts);
	const struct map_shape *shape = &map->map;
	/* The kernel's position: a key, or the number of a bucket. */
	uint8_t *position = malloc(shape->key_size + sizeof(uint32_t));
	bool started = false;
	int err, idle = 0;

	if (!position)
		return -ENOMEM;
	for (;;) {
		size_t room = entries->capacity - entries->count;
		uint32_t count = room > UINT32_MAX ? UINT32_MAX : (uint32_t)room;

		err = bpf_map_lookup_batch(map->fd, started ? position : NULL, position,
			entries->keys + entries->count * shape->key_size,
			entries->values + entries->count * shape->stride, &count, &opts);
		if (err && err != -ENOENT && err != -ENOSPC && err != -EINTR)
			break;
		if (count > room) {
			err = -ERANGE;
			break;
		}
		entries->count += count;
		started = started || count > 0;
		if (err == -ENOENT) {
			err = 0;
			break;
		}
		/* Entries vanish faster than the kernel can read them. */
		if (count == 0 && err != -ENOSPC && ++idle == READ_ATTEMPTS) {
			err = -EAGAIN;
			break;
		}
		if (entries->count > entries_limit(shape)) {
			err = -EAGAIN;
			break;
		}
		if (err == -ENOSPC || entries->count == entries->capacity) {
			/* ENOSPC: the next bucket of a hash is larger than the room left. */
			err = grow(entries, shape, entries->capacity * 2);
			if (err)
				break;
		}
	}
	free(position);
	return err;
}

static int read_one_by_one(const struct handle *map, struct entries *entries)
{
	const struct map_shape *shape = &map->map;
	uint8_t *key = malloc(2 * (size_t)shape->key_size + 1), *next = key + shape->key_size;
	size_t steps = 0;
	int err;

	if (!key)
		return -ENOMEM;
	for (;;) {
		err = bpf_map_get_next_key(map->fd, steps ? key : NULL, next);
		if (err) {
			err = err == -ENOENT ? 0 : err;
			break;
		}
		if (++steps > entries_limit(shape)) {
			err = -EAGAIN;
			break;
		}
		memcpy(key, next, shape->key_size);
		if (entries->count == entries->capacity &&
			(err = grow(entries, shape, entries->capacity * 2)))
			break;
		err = bpf_map_lookup_elem(
			map->fd, key, entries->values + entries->count * shape->stride);
		if (err == -ENOENT)
			continue; /* deleted since, or an empty slot of an array of maps */
		if (err)
			break;
		memcpy(entries->keys + entries->count * shape->key_size, key, shape->key_size);
		entries->count++;
	}
	free(key);
	return err;
}

static uint64_t hash_bytes(const uint8_t *data, size_t size)
{
	uint64_t hash = 0xcbf29ce484222325; /* FNV-1a */

	for (size_t i = 0; i < size; i++)
		hash = (hash ^ data[i]) * 0x100000001b3;
	return hash ^ hash >> 32;
}

/* Keeps the first of entries with the same key: a walk that was sent back meets some twice. */
static int remove_repeated(const struct map_shape *map, struct entries *entries)
{
	size_t slots = 16, kept = 0, *table;

	while (slots < entries->count * 2)
		slots *= 2;
	table = calloc(slots, sizeof(*table)); /* number of the entry + 1 */
	if (!table)
		return -ENOMEM;
	for (size_t i = 0; i < entries->count; i++) {
		const uint8_t *key = entries->keys + i * map->key_size;
		size_t slot = hash_bytes(key, map->key_size) & (slots - 1);

		while (table[slot] && memcmp(entries->keys + (table[slot] - 1) * map->key_size, key,
					      map->key_size))
			slot = (slot + 1) & (slots - 1);
		if (table[slot])
			continue;
		table[slot] = kept + 1;
		if (kept != i) {
			memcpy(entries->keys + kept * map->key_size, key, map->key_size);
			memcpy(entries->values + kept * map->stride,
				entries->values + i * map->stride, map->stride);
		}
		kept++;
	}
	entries->count = kept;
	free(table);
	return 0;
}

static int read_entries(const struct handle *map, struct entries *entries)
{
	const struct map_shape *shape = &map->map;
	size_t capacity = shape->max_entries < FIRST_CAPACITY ? shape->max_entries : FIRST_CAPACITY;
	bool batches = true, walked = shape->type == BPF_MAP_TYPE_LPM_TRIE;
	int err;

	/* An array is full by nature, and one more than it holds lets one call see its end. */
	if (is_array(shape->type))
		capacity = (size_t)shape->max_entries + 1;
	err = grow(entries, shape, capacity ? capacity : 1);
	if (err)
		return err;
	if (is_mappable(shape) && mapped_read(map, entries->keys, entries->values)) {
		entries->count = shape->max_entries;
		return 0;
	}
	for (int attempt = 0; attempt < READ_ATTEMPTS; attempt++) {
		entries->count = 0;
		err = batches ? read_batches(map, entries) : read_one_by_one(map, entries);
		if (batches && is_unsupported(err)) {
			batches = false;
			walked = !is_array(shape->type);
			entries->count = 0;
			err = read_one_by_one(map, entries);
		}
		if (err != -EAGAIN)
			break;
	}
	return err || !walked ? err : remove_repeated(shape, entries);
}

/* mapReadAll(map): { count, keys, values } */
static napi_value map_read_all(napi_env env, napi_callback_info info)
{
	struct entries entries = {0};
	struct handle *handle;
	struct args args;
	napi_value out;
	int err;

	if (!args_read(env, info, &args) || !(handle = arg_handle(&args, 0, HANDLE_MAP)))
		return NULL;
	err = read_entries(handle, &entries);
	if (!err)
		err = grow(&entries, &handle->map, entries.count);
	if (err) {
		free(entries.keys);
		free(entries.values);
		return fail(
			env, -err, "bpf(BPF_MAP_LOOKUP_BATCH)", "read map '%s'", handle->map.name);
	}
	out = js_object(env);
	js_set(env, out, "count", js_number(env, (double)entries.count));
	js_set(env, out, "keys",
		js_bytes_take(env, entries.keys, entries.count * handle->map.key_size));
	js_set(env, out, "values",
		js_bytes_take(env, entries.values, entries.count * handle->map.stride));
	return out;
}

void readall_init(napi_env env, napi_value exports)
{
	static const struct function functions[] = {{"mapReadAll", map_read_all}};

	EXPORT(env, exports, functions);
}
