/* SPDX-License-Identifier: MIT */
/* Loaded programs. */
#include "common.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static napi_value program_open_pinned(napi_env env, napi_callback_info info)
{
	struct args args;

	return args_read(env, info, &args) ? handle_open_pinned(&args, HANDLE_PROGRAM) : NULL;
}

static napi_value program_from_id(napi_env env, napi_callback_info info)
{
	struct args args;
	uint32_t id;
	int fd;

	if (!args_read(env, info, &args) || !arg_u32(&args, 0, "id", &id))
		return NULL;
	fd = bpf_prog_get_fd_by_id(id);
	if (fd < 0)
		return fail(env, -fd, "bpf(BPF_PROG_GET_FD_BY_ID)", "open program %u", id);
	return handle_new(env, HANDLE_PROGRAM, fd);
}

/* The kernel fills in `nr_map_ids` first, and the ids once there is room for them. */
static int read_info(int fd, struct bpf_prog_info *info, uint32_t **map_ids)
{
	uint32_t size = sizeof(*info), count;
	int err;

	*map_ids = NULL;
	memset(info, 0, sizeof(*info));
	err = bpf_obj_get_info_by_fd(fd, info, &size);
	if (err || info->nr_map_ids == 0)
		return err;
	count = info->nr_map_ids;
	*map_ids = calloc(count, sizeof(**map_ids));
	if (!*map_ids)
		return -ENOMEM;
	memset(info, 0, sizeof(*info));
	info->nr_map_ids = count;
	info->map_ids = (uintptr_t)*map_ids;
	size = sizeof(*info);
	err = bpf_obj_get_info_by_fd(fd, info, &size);
	/* The kernel reports how many there are, also when it had room for fewer. */
	if (info->nr_map_ids > count)
		info->nr_map_ids = count;
	return err;
}

static napi_value program_info(napi_env env, napi_callback_info info)
{
	char tag[2 * BPF_TAG_SIZE + 1], name[BPF_OBJ_NAME_LEN + 1] = {0};
	struct bpf_prog_info program;
	struct handle *handle;
	napi_value out, ids;
	uint32_t *map_ids;
	struct args args;
	int err;

	if (!args_read(env, info, &args) || !(handle = arg_handle(&args, 0, HANDLE_PROGRAM)))
		return NULL;
	err = read_info(handle->fd, &program, &map_ids);
	if (err) {
		free(map_ids);
		return fail(env, -err, "bpf(BPF_OBJ_GET_INFO_BY_FD)", "describe a program");
	}
	for (int i = 0; i < BPF_TAG_SIZE; i++)
		snprintf(tag + 2 * i, 3, "%02x", program.tag[i]);
	memcpy(name, program.name, BPF_OBJ_NAME_LEN);
	out = js_object(env);
	ids = js_array(env);
	js_set(env, out, "id", js_number(env, program.id));
	js_set(env, out, "type", js_number(env, program.type));
	js_set(env, out, "name", js_string(env, name));
	js_set(env, out, "tag", js_string(env, tag));
	js_set(env, out, "verifiedInsns", js_number(env, program.verified_insns));
	for (uint32_t i = 0; map_ids && i < program.nr_map_ids; i++)
		js_push(env, ids, i, js_number(env, map_ids[i]));
	js_set(env, out, "mapIds", ids);
	free(map_ids);
	return out;
}

void program_init(napi_env env, napi_value exports)
{
	static const struct function functions[] = {
		{"programOpenPinned", program_open_pinned},
		{"programFromId", program_from_id},
		{"programInfo", program_info},
	};

	EXPORT(env, exports, functions);
}
