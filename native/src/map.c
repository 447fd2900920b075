/* SPDX-License-Identifier: MIT */
/* Maps: creation and single entries. */
#include "common.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>

static const char *type_name(uint32_t type)
{
	const char *name = libbpf_bpf_map_type_str(type);

	return name ? name : "unknown";
}

/* mapCreate(type, name, keySize, valueSize, maxEntries, flags, inner | undefined) */
static napi_value map_create(napi_env env, napi_callback_info info)
{
	LIBBPF_OPTS(bpf_map_create_opts, opts);
	uint32_t type, key_size, value_size, max_entries, flags;
	struct handle *inner;
	struct args args;
	char name[256];
	int fd;

	if (!args_read(env, info, &args) || !arg_u32(&args, 0, "type", &type) ||
		!arg_string(&args, 1, "name", name, sizeof(name)) ||
		!arg_u32(&args, 2, "keySize", &key_size) ||
		!arg_u32(&args, 3, "valueSize", &value_size) ||
		!arg_u32(&args, 4, "maxEntries", &max_entries) ||
		!arg_u32(&args, 5, "flags", &flags))
		return NULL;
	opts.map_flags = flags;
	if (!arg_is_undefined(&args, 6)) {
		inner = arg_handle(&args, 6, HANDLE_MAP);
		if (!inner)
			return NULL;
		opts.inner_map_fd = inner->fd;
	}
	fd = bpf_map_create(type, name, key_size, value_size, max_entries, &opts);
	if (fd < 0)
		return fail(env, -fd, "bpf(BPF_MAP_CREATE)",
			"create %s map '%s' (key %u, value %u, %u entries)", type_name(type), name,
			key_size, value_size, max_entries);
	return handle_new_map(env, fd);
}

static napi_value map_open_pinned(napi_env env, napi_callback_info info)
{
	struct args args;

	return args_read(env, info, &args) ? handle_open_pinned(&args, HANDLE_MAP) : NULL;
}

static napi_value map_from_id(napi_env env, napi_callback_info info)
{
	struct args args;
	uint32_t id;
	int fd;

	if (!args_read(env, info, &args) || !arg_u32(&args, 0, "id", &id))
		return NULL;
	fd = bpf_map_get_fd_by_id(id);
	if (fd < 0)
		return fail(env, -fd, "bpf(BPF_MAP_GET_FD_BY_ID)", "open map %u", id);
	return handle_new_map(env, fd);
}

static napi_value map_info(napi_env env, napi_callback_info info)
{
	struct bpf_map_info map = {0};
	uint32_t size = sizeof(map);
	struct handle *handle;
	struct args args;
	napi_value out;
	int err;

	if (!args_read(env, info, &args) || !(handle = arg_handle(&args, 0, HANDLE_MAP)))
		return NULL;
	err = bpf_obj_get_info_by_fd(handle->fd, &map, &size);
	if (err)
		return fail(env, -err, "bpf(BPF_OBJ_GET_INFO_BY_FD)", "describe map '%s'",
			handle->map.name);
	out = js_object(env);
	js_set(env, out, "id", js_number(env, map.id));
	js_set(env, out, "type", js_number(env, map.type));
	js_set(env, out, "name", js_string(env, handle->map.name));
	js_set(env, out, "keySize", js_number(env, map.key_size));
	js_set(env, out, "valueSize", js_number(env, map.value_size));
	js_set(env, out, "maxEntries", js_number(env, map.max_entries));
	js_set(env, out, "flags", js_number(env, map.map_flags));
	return out;
}

static napi_value map_stride(napi_env env, napi_callback_info info)
{
	struct handle *handle;
	struct args args;

	if (!args_read(env, info, &args) || !(handle = arg_handle(&args, 0, HANDLE_MAP)))
		return NULL;
	return js_number(env, (double)handle->map.stride);
}

/* The map in argument 0 and its key in argument 1, of exactly the map's size. */
static struct handle *map_and_key(
	napi_env env, napi_callback_info info, struct args *args, void **key)
{
	struct handle *handle;
	struct bytes bytes;

	if (!args_read(env, info, args) || !(handle = arg_handle(args, 0, HANDLE_MAP)) ||
		!arg_bytes_exactly(args, 1, "key", handle->map.key_size, &bytes))
		return NULL;
	/* Queues and stacks have no keys, and the kernel insists on a null pointer. */
	*key = handle->map.key_size ? bytes.data : NULL;
	return handle;
}

static napi_value map_lookup(napi_env env, napi_callback_info info)
{
	struct handle *handle;
	napi_value out;
	uint8_t *value;
	struct args args;
	void *key;
	int err;

	handle = map_and_key(env, info, &args, &key);
	if (!handle)
		return NULL;
	out = js_bytes(env, handle->map.stride, &value);
	if (!out)
		return NULL;
	err = bpf_map_lookup_elem(handle->fd, key, value);
	if (err == -ENOENT)
		return js_undefined(env);
	if (err)
		return fail(env, -err, "bpf(BPF_MAP_LOOKUP_ELEM)", "look up a key in map '%s'",
			handle->map.name);
	return out;
}

/* mapUpdate(map, key, value, flags) */
static napi_value map_update(napi_env env, napi_callback_info info)
{
	struct handle *handle;
	struct bytes value;
	struct args args;
	uint32_t flags;
	void *key;
	int err;

	handle = map_and_key(env, info, &args, &key);
	if (!handle || !arg_bytes_exactly(&args, 2, "value", handle->map.stride, &value) ||
		!arg_u32(&args, 3, "flags", &flags))
		return NULL;
	err = bpf_map_update_elem(handle->fd, key, value.data, flags);
	if (err)
		return fail(env, -err, "bpf(BPF_MAP_UPDATE_ELEM)", "update an entry of map '%s'",
			handle->map.name);
	return js_undefined(env);
}

static napi_value map_delete(napi_env env, napi_callback_info info)
{
	struct handle *handle;
	struct args args;
	void *key;
	int err;

	handle = map_and_key(env, info, &args, &key);
	if (!handle)
		return NULL;
	err = bpf_map_delete_elem(handle->fd, key);
	if (err && err != -ENOENT)
		return fail(env, -err, "bpf(BPF_MAP_DELETE_ELEM)", "delete an entry of map '%s'",
			handle->map.name);
	return js_bool(env, err == 0);
}

/* mapNextKey(map, key | undefined) */
static napi_value map_next_key(napi_env env, napi_callback_info info)
{
	struct bytes key = {0};
	struct handle *handle;
	struct args args;
	napi_value out;
	uint8_t *next;
	int err;

	if (!args_read(env, info, &args) || !(handle = arg_handle(&args, 0, HANDLE_MAP)))
		return NULL;
	out = js_bytes(env, handle->map.key_size, &next);
	if (!out)
		return NULL;
	if (!arg_is_undefined(&args, 1) &&
		!arg_bytes_exactly(&args, 1, "key", handle->map.key_size, &key))
		return NULL;
	err = bpf_map_get_next_key(handle->fd, key.data, next);
	if (err == -ENOENT)
		return js_undefined(env);
	if (err)
		return fail(
			env, -err, "bpf(BPF_MAP_GET_NEXT_KEY)", "walk map '%s'", handle->map.name);
	return out;
}

static napi_value map_freeze(napi_env env, napi_callback_info info)
{
	struct handle *handle;
	struct args args;
	int err;

	if (!args_read(env, info, &args) || !(handle = arg_handle(&args, 0, HANDLE_MAP)))
		return NULL;
	err = bpf_map_freeze(handle->fd);
	if (err)
		return fail(env, -err, "bpf(BPF_MAP_FREEZE)", "freeze map '%s'", handle->map.name);
	return js_undefined(env);
}

void map_init(napi_env env, napi_value exports)
{
	static const struct function functions[] = {
		{"mapCreate", map_create},
		{"mapOpenPinned", map_open_pinned},
		{"mapFromId", map_from_id},
		{"mapInfo", map_info},
		{"mapStride", map_stride},
		{"mapLookup", map_lookup},
		{"mapUpdate", map_update},
		{"mapDelete", map_delete},
		{"mapNextKey", map_next_key},
		{"mapFreeze", map_freeze},
	};

	EXPORT(env, exports, functions);
}
