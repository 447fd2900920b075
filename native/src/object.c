/* SPDX-License-Identifier: MIT */
/* Object files: opened, told what to make of their maps and programs, then loaded. */
#include "common.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>

/* objectOpen(path) */
static napi_value object_open(napi_env env, napi_callback_info info)
{
	struct bpf_object *object;
	struct capture capture;
	char path[PATH_SIZE];
	struct args args;
	int err;

	if (!args_read(env, info, &args) || !arg_string(&args, 0, "path", path, sizeof(path)))
		return NULL;
	capture_begin(&capture);
	object = bpf_object__open_file(path, NULL);
	err = object ? 0 : errno;
	if (err)
		fail_captured(
			env, err, "bpf_object__open", &capture, "open object file '%s'", path);
	capture_end(&capture);
	return err ? NULL : handle_new_object(env, object);
}

static const char *object_name(const struct handle *handle)
{
	return bpf_object__name(handle->object);
}

/* The object in argument 0 and its map named in argument 1. */
static struct bpf_map *object_and_map(
	napi_env env, napi_callback_info info, struct args *args, struct handle **handle)
{
	struct bpf_map *map;
	char name[256], **own_name;

	if (!args_read(env, info, args) || !(*handle = arg_handle(args, 0, HANDLE_OBJECT)) ||
		!arg_string(args, 1, "map name", name, sizeof(name)))
		return NULL;
	own_name = (*handle)->map_names;
	bpf_object__for_each_map(map, (*handle)->object)
	{
		if (strcmp(*own_name++, name) == 0)
			return map;
	}
	fail(env, ENOENT, "bpf_object__next_map", "find map '%s' in object '%s'", name,
		object_name(*handle));
	return NULL;
}

/* objectReuse(object, mapName, map) */
static napi_value object_reuse(napi_env env, napi_callback_info info)
{
	struct handle *object, *reused;
	struct bpf_map *map;
	struct args args;
	int err;

	map = object_and_map(env, info, &args, &object);
	if (!map || !(reused = arg_handle(&args, 2, HANDLE_MAP)))
		return NULL;
	/* libbpf takes over whatever it is given, and the programs would then be refused for no clear reason. */
	if (bpf_map__type(map) != reused->map.type ||
		bpf_map__key_size(map) != reused->map.key_size ||
		bpf_map__value_size(map) != reused->map.value_size)
		return fail(env, EINVAL, "bpf_map__reuse_fd",
			"reuse map '%s' (type %u, key %u, value %u) as '%s' (type %u, key %u, value %u)",
			reused->map.name, reused->map.type, reused->map.key_size,
			reused->map.value_size, bpf_map__name(map), bpf_map__type(map),
			bpf_map__key_size(map), bpf_map__value_size(map));
	err = bpf_map__reuse_fd(map, reused->fd);
	if (err)
		return fail(env, -err, "bpf_map__reuse_fd", "reuse map '%s'", bpf_map__name(map));
	return js_undefined(env);
}

/* objectMaxEntries(object, mapName, maxEntries) */
static napi_value object_max_entries(napi_env env, napi_callback_info info)
{
	struct handle *object;
	uint32_t max_entries;
	struct bpf_map *map;
	struct args args;
	int err;

	map = object_and_map(env, info, &args, &object);
	if (!map || !arg_u32(&args, 2, "maxEntries", &max_entries))
		return NULL;
	err = bpf_map__set_max_entries(map, max_entries);
	if (err)
		return fail(env, -err, "bpf_map__set_max_entries", "give map '%s' %u entries",
			bpf_map__name(map), max_entries);
	return js_undefined(env);
}

/* objectPrograms(object, names): loads no others */
static napi_value object_programs(napi_env env, napi_callback_info info)
{
	struct bpf_program *program;
	struct handle *handle;
	struct args args;
	napi_value item;
	uint32_t count;
	char name[256];

	if (!args_read(env, info, &args) || !(handle = arg_handle(&args, 0, HANDLE_OBJECT)))
		return NULL;
	if (napi_get_array_length(env, args.v[1], &count) != napi_ok)
		return fail_type(env, "programs must be an array");
	bpf_object__for_each_program(program, handle->object)
	{
		bpf_program__set_autoload(program, false);
	}
	for (uint32_t i = 0; i < count; i++) {
		if (napi_get_element(env, args.v[1], i, &item) != napi_ok ||
			!value_string(env, item, "program name", name, sizeof(name)))
			return NULL;
		/* Reading an element can run JavaScript, which can close the object. */
		if (!value_handle(env, args.v[0], HANDLE_OBJECT))
			return NULL;
		program = bpf_object__find_program_by_name(handle->object, name);
		if (!program)
			return fail(env, ENOENT, "bpf_object__find_program_by_name",
				"find program '%s' in object '%s'", name, object_name(handle));
		bpf_program__set_autoload(program, true);
	}
	return js_undefined(env);
}

static napi_value object_load(napi_env env, napi_callback_info info)
{
	struct capture capture;
	struct handle *handle;
	struct args args;
	int err;

	if (!args_read(env, info, &args) || !(handle = arg_handle(&args, 0, HANDLE_OBJECT)))
		return NULL;
	capture_begin(&capture);
	err = bpf_object__load(handle->object);
	if (err)
		fail_captured(env, -err,
			capture.verifier ? "bpf(BPF_PROG_LOAD)" : "bpf_object__load", &capture,
			"load object '%s'", object_name(handle));
	capture_end(&capture);
	return err ? NULL : js_undefined(env);
}

static napi_value object_map_names(napi_env env, napi_callback_info info)
{
	struct handle *handle;
	struct bpf_map *map;
	struct args args;
	uint32_t i = 0;
	napi_value out;
	char **name;

	if (!args_read(env, info, &args) || !(handle = arg_handle(&args, 0, HANDLE_OBJECT)))
		return NULL;
	out = js_array(env);
	name = handle->map_names;
	bpf_object__for_each_map(map, handle->object)
	{
		if (bpf_map__fd(map) >= 0)
			js_push(env, out, i++, js_string(env, *name));
		name++;
	}
	return out;
}

static napi_value object_program_names(napi_env env, napi_callback_info info)
{
	struct bpf_program *program;
	struct handle *handle;
	struct args args;
	uint32_t i = 0;
	napi_value out;

	if (!args_read(env, info, &args) || !(handle = arg_handle(&args, 0, HANDLE_OBJECT)))
		return NULL;
	out = js_array(env);
	bpf_object__for_each_program(program, handle->object)
	{
		if (bpf_program__fd(program) >= 0)
			js_push(env, out, i++, js_string(env, bpf_program__name(program)));
	}
	return out;
}

/* A descriptor of its own for what the object holds as `fd`. */
static napi_value duplicate(
	napi_env env, enum handle_kind kind, int fd, const char *what, const char *name)
{
	int copy = fd < 0 ? -1 : fcntl(fd, F_DUPFD_CLOEXEC, 3);

	if (fd < 0)
		return fail(env, ENOENT, "bpf_object__load", "take %s '%s', which was not loaded",
			what, name);
	if (copy < 0)
		return fail(env, errno, "fcntl(F_DUPFD_CLOEXEC)", "take %s '%s' out of its object",
			what, name);
	return kind == HANDLE_MAP ? handle_new_map(env, copy) : handle_new(env, kind, copy);
}

/* objectMap(object, name) */
static napi_value object_map(napi_env env, napi_callback_info info)
{
	struct handle *handle;
	struct bpf_map *map;
	struct args args;

	map = object_and_map(env, info, &args, &handle);
	return map ? duplicate(env, HANDLE_MAP, bpf_map__fd(map), "map", bpf_map__name(map)) : NULL;
}

/* objectProgram(object, name) */
static napi_value object_program(napi_env env, napi_callback_info info)
{
	struct bpf_program *program;
	struct handle *handle;
	struct args args;
	char name[256];

	if (!args_read(env, info, &args) || !(handle = arg_handle(&args, 0, HANDLE_OBJECT)) ||
		!arg_string(&args, 1, "program name", name, sizeof(name)))
		return NULL;
	program = bpf_object__find_program_by_name(handle->object, name);
	if (!program)
		return fail(env, ENOENT, "bpf_object__find_program_by_name",
			"find program '%s' in object '%s'", name, object_name(handle));
	return duplicate(env, HANDLE_PROGRAM, bpf_program__fd(program), "program", name);
}

void object_init(napi_env env, napi_value exports)
{
	static const struct function functions[] = {
		{"objectOpen", object_open},
		{"objectReuse", object_reuse},
		{"objectMaxEntries", object_max_entries},
		{"objectPrograms", object_programs},
		{"objectLoad", object_load},
		{"objectMapNames", object_map_names},
		{"objectProgramNames", object_program_names},
		{"objectMap", object_map},
		{"objectProgram", object_program},
	};

	EXPORT(env, exports, functions);
}
