/* SPDX-License-Identifier: MIT */
/* Many entries written or deleted at once: as memory or in batches where the kernel has them, else one by one. */
#include "mapped.h"

#include <bpf/bpf.h>
#include <errno.h>

static bool count_keys(
	const struct args *args, const struct handle *map, struct bytes *keys, size_t *count)
{
	if (!arg_bytes(args, 1, "keys", keys))
		return false;
	if (map->map.key_size == 0 || keys->size % map->map.key_size) {
		fail_range(args->env, "keys of map '%s' must be a multiple of %u bytes, not %zu",
			map->map.name, map->map.key_size, keys->size);
		return false;
	}
	*count = keys->size / map->map.key_size;
	return true;
}

/* mapUpdateBatch(map, keys, values, flags) */
static napi_value map_update_batch(napi_env env, napi_callback_info info)
{
	LIBBPF_OPTS(bpf_map_batch_opts, opts);
	struct bytes keys, values;
	struct handle *handle;
	uint32_t flags, done;
	struct args args;
	size_t count;
	int err = -EINVAL;

	if (!args_read(env, info, &args) || !(handle = arg_handle(&args, 0, HANDLE_MAP)) ||
		!count_keys(&args, handle, &keys, &count) ||
		!arg_bytes_exactly(&args, 2, "values", count * handle->map.stride, &values) ||
		!arg_u32(&args, 3, "flags", &flags))
		return NULL;
	if ((flags == BPF_ANY || flags == BPF_EXIST) && count > 0 && is_mappable(&handle->map) &&
		mapped_write(handle, keys.data, values.data, count))
		return js_undefined(env);
	/* Batches know no NOEXIST and EXIST. */
	if (flags == BPF_ANY && count > 0 && count <= UINT32_MAX) {
		done = (uint32_t)count;
		err = bpf_map_update_batch(handle->fd, keys.data, values.data, &done, &opts);
		if (!err)
			return js_undefined(env);
	}
	/* Also after a failure: writing the same again is harmless, and tells which entry is refused. */
	for (size_t i = 0; i < count; i++) {
		err = bpf_map_update_elem(handle->fd, keys.data + i * handle->map.key_size,
			values.data + i * handle->map.stride, flags);
		if (err)
			return fail(env, -err, "bpf(BPF_MAP_UPDATE_ELEM)",
				"update map '%s' (entry %zu of %zu)", handle->map.name, i + 1,
				count);
	}
	return js_undefined(env);
}

/* mapDeleteBatch(map, keys): how many there were */
static napi_value map_delete_batch(napi_env env, napi_callback_info info)
{
	LIBBPF_OPTS(bpf_map_batch_opts, opts);
	size_t count, deleted = 0, i = 0;
	struct handle *handle;
	struct bytes keys;
	struct args args;
	uint32_t done;
	int err;

	if (!args_read(env, info, &args) || !(handle = arg_handle(&args, 0, HANDLE_MAP)) ||
		!count_keys(&args, handle, &keys, &count))
		return NULL;
	/* A batch stops at the first key that is not there; the next one starts after it. */
	while (i < count) {
		size_t left = count - i;

		done = left > UINT32_MAX ? UINT32_MAX : (uint32_t)left;
		err = bpf_map_delete_batch(
			handle->fd, keys.data + i * handle->map.key_size, &done, &opts);
		if ((err && err != -ENOENT) || done > left)
			break;
		deleted += done;
		i += done + (err ? 1 : 0);
	}
	for (; i < count; i++) {
		err = bpf_map_delete_elem(handle->fd, keys.data + i * handle->map.key_size);
		if (err && err != -ENOENT)
			return fail(env, -err, "bpf(BPF_MAP_DELETE_ELEM)",
				"delete from map '%s' (key %zu of %zu)", handle->map.name, i + 1,
				count);
		deleted += err ? 0 : 1;
	}
	return js_number(env, (double)deleted);
}

void batch_init(napi_env env, napi_value exports)
{
	static const struct function functions[] = {
		{"mapUpdateBatch", map_update_batch},
		{"mapDeleteBatch", map_delete_batch},
	};

	EXPORT(env, exports, functions);
}
