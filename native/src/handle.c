/* SPDX-License-Identifier: MIT */
/*
 * Handles: an external value that owns a descriptor (or a libbpf object). Closing is explicit; the
 * garbage collector is the backstop. What a map's buffers must measure is kept beside its
 * descriptor, so that no caller can make the kernel read or write past one.
 */
#include "common.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const napi_type_tag HANDLE_TAG = {0x7d3a1c5f90b24e68, 0xa1f2c09be4d75a13};

/* What the kernel calls the descriptors in /proc/self/fd: bpf-map, bpf-prog, bpf_link or bpf-link. */
static const struct {
	const char *name, *article, *link;
} KINDS[] = {
	[HANDLE_MAP] = {"map", "a map", "bpf-map"},
	[HANDLE_PROGRAM] = {"program", "a program", "bpf-prog"},
	[HANDLE_LINK] = {"link", "a link", "bpf-link"},
	[HANDLE_OBJECT] = {"object", "an object", NULL},
	[HANDLE_LOCK] = {"directory lock", "a directory lock", NULL},
};

static void shut(struct handle *handle)
{
	if (!handle->open)
		return;
	handle->open = false;
	if (handle->fd >= 0)
		close(handle->fd);
	handle->fd = -1;
	if (handle->object)
		bpf_object__close(handle->object);
	handle->object = NULL;
	for (char **name = handle->map_names; name && *name; name++)
		free(*name);
	free(handle->map_names);
	handle->map_names = NULL;
}

static void finalize(napi_env env, void *data, void *hint)
{
	(void)env;
	(void)hint;
	shut(data);
	free(data);
}

static napi_value wrap(napi_env env, const struct handle *from)
{
	struct handle *handle = malloc(sizeof(*handle));
	struct handle rejected = *from;
	napi_value value = NULL;

	if (handle)
		*handle = *from;
	if (!handle || napi_create_external(env, handle, finalize, NULL, &value) != napi_ok) {
		free(handle);
		shut(&rejected);
		return fail(
			env, ENOMEM, "malloc", "make a handle of %s", KINDS[from->kind].article);
	}
	/* From here on `finalize` owns it. */
	if (napi_type_tag_object(env, value, &HANDLE_TAG) != napi_ok)
		return fail(
			env, ENOMEM, "malloc", "make a handle of %s", KINDS[from->kind].article);
	return value;
}

napi_value handle_new(napi_env env, enum handle_kind kind, int fd)
{
	return wrap(env, &(struct handle){.kind = kind, .open = true, .fd = fd});
}

napi_value handle_new_object(napi_env env, struct bpf_object *object)
{
	struct handle handle = {.kind = HANDLE_OBJECT, .open = true, .fd = -1, .object = object};
	struct bpf_map *map;
	size_t count = 0;

	bpf_object__for_each_map(map, object)
	{
		count++;
	}
	handle.map_names = calloc(count + 1, sizeof(*handle.map_names));
	count = 0;
	bpf_object__for_each_map(map, object)
	{
		if (!handle.map_names ||
			!(handle.map_names[count++] = strdup(bpf_map__name(map)))) {
			shut(&handle);
			return fail(env, ENOMEM, "malloc", "list the maps of an object");
		}
	}
	return wrap(env, &handle);
}

static bool is_per_cpu(uint32_t type)
{
	return type == BPF_MAP_TYPE_PERCPU_HASH || type == BPF_MAP_TYPE_PERCPU_ARRAY ||
	       type == BPF_MAP_TYPE_LRU_PERCPU_HASH || type == BPF_MAP_TYPE_PERCPU_CGROUP_STORAGE;
}

napi_value handle_new_map(napi_env env, int fd)
{
	struct handle handle = {.kind = HANDLE_MAP, .open = true, .fd = fd};
	struct bpf_map_info info = {0};
	uint32_t size = sizeof(info);
	int cpus = libbpf_num_possible_cpus();
	int err = bpf_obj_get_info_by_fd(fd, &info, &size);

	if (!err && cpus < 0)
		err = cpus;
	if (err) {
		close(fd);
		return fail(env, -err, "bpf(BPF_OBJ_GET_INFO_BY_FD)", "read what a map is");
	}
	handle.map.type = info.type;
	handle.map.key_size = info.key_size;
	handle.map.value_size = info.value_size;
	handle.map.max_entries = info.max_entries;
	handle.map.flags = info.map_flags;
	handle.map.stride = info.value_size;
	if (is_per_cpu(info.type))
		handle.map.stride = ((size_t)info.value_size + 7) / 8 * 8 * (size_t)cpus;
	memcpy(handle.map.name, info.name, sizeof(handle.map.name) - 1);
	return wrap(env, &handle);
}

static struct handle *any_handle(napi_env env, napi_value value)
{
	napi_valuetype type;
	bool tagged = false;
	void *data = NULL;

	if (napi_typeof(env, value, &type) != napi_ok || type != napi_external ||
		napi_check_object_type_tag(env, value, &HANDLE_TAG, &tagged) != napi_ok ||
		!tagged || napi_get_value_external(env, value, &data) != napi_ok)
		return NULL;
	return data;
}

static struct handle *require_open(napi_env env, struct handle *handle)
{
	if (handle->open)
		return handle;
	if (handle->kind == HANDLE_MAP)
		fail(env, EBADF, "close", "use map '%s' after it was closed", handle->map.name);
	else
		fail(env, EBADF, "close", "use %s after it was closed",
			KINDS[handle->kind].article);
	return NULL;
}

struct handle *value_handle(napi_env env, napi_value value, enum handle_kind kind)
{
	struct handle *handle = any_handle(env, value);

	if (handle && handle->kind == kind)
		return require_open(env, handle);
	fail_type(env, "%s is needed", KINDS[kind].article);
	return NULL;
}

struct handle *arg_handle(const struct args *args, int i, enum handle_kind kind)
{
	return value_handle(args->env, args->v[i], kind);
}

/* Whether `fd` is of this kind: the bpf system call would read another kind's fields without a word. */
static int check_kind(int fd, enum handle_kind kind)
{
	char path[64], target[64];
	ssize_t length;

	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	length = readlink(path, target, sizeof(target) - 1);
	if (length < 0)
		return errno;
	target[length] = 0;
	for (char *c = target; *c; c++)
		if (*c == '_')
			*c = '-';
	return strstr(target, KINDS[kind].link) ? 0 : EINVAL;
}

napi_value handle_open_pinned(const struct args *args, enum handle_kind kind)
{
	char path[PATH_SIZE];
	int fd, err;

	if (!arg_string(args, 0, "path", path, sizeof(path)))
		return NULL;
	fd = bpf_obj_get(path);
	err = fd < 0 ? -fd : check_kind(fd, kind);
	if (err) {
		if (fd >= 0)
			close(fd);
		return fail(
			args->env, err, "bpf(BPF_OBJ_GET)", "open %s '%s'", KINDS[kind].name, path);
	}
	return kind == HANDLE_MAP ? handle_new_map(args->env, fd) : handle_new(args->env, kind, fd);
}

static napi_value handle_fd(napi_env env, napi_callback_info info)
{
	struct handle *handle;
	struct args args;

	if (!args_read(env, info, &args))
		return NULL;
	handle = any_handle(env, args.v[0]);
	if (!handle)
		return fail_type(env, "a handle is needed");
	return require_open(env, handle) ? js_number(env, handle->fd) : NULL;
}

static napi_value handle_close(napi_env env, napi_callback_info info)
{
	struct handle *handle;
	struct args args;

	if (!args_read(env, info, &args))
		return NULL;
	handle = any_handle(env, args.v[0]);
	if (!handle)
		return fail_type(env, "a handle is needed");
	shut(handle);
	return js_undefined(env);
}

static napi_value handle_pin(napi_env env, napi_callback_info info)
{
	struct handle *handle;
	char path[PATH_SIZE];
	struct args args;
	int err;

	if (!args_read(env, info, &args))
		return NULL;
	handle = any_handle(env, args.v[0]);
	if (!handle || !KINDS[handle->kind].link)
		return fail_type(env, "a map, program or link is needed");
	if (!require_open(env, handle) || !arg_string(&args, 1, "path", path, sizeof(path)))
		return NULL;
	err = bpf_obj_pin(handle->fd, path);
	if (err)
		return fail(env, -err, "bpf(BPF_OBJ_PIN)", "pin %s%s%s%s at '%s'",
			KINDS[handle->kind].name, handle->kind == HANDLE_MAP ? " '" : "",
			handle->map.name, handle->kind == HANDLE_MAP ? "'" : "", path);
	return js_undefined(env);
}

void handle_init(napi_env env, napi_value exports)
{
	static const struct function functions[] = {
		{"handleFd", handle_fd},
		{"handleClose", handle_close},
		{"handlePin", handle_pin},
	};

	EXPORT(env, exports, functions);
}
