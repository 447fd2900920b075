/* SPDX-License-Identifier: MIT */
/* Initial contents of an object's read-only variables, found by name in its BTF. */
#include "common.h"

#include <bpf/btf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <string.h>

/* Where a variable of a read-only section lies before loading, or NULL. */
static uint8_t *find_constant(struct bpf_object *object, const char *name, size_t *size)
{
	const struct btf *btf = bpf_object__btf(object);
	uint32_t count = btf ? btf__type_cnt(btf) : 0;

	for (uint32_t id = 1; id < count; id++) {
		const struct btf_type *section = btf__type_by_id(btf, id);
		const char *section_name = btf__name_by_offset(btf, section->name_off);
		const struct btf_var_secinfo *variable;
		struct bpf_map *map;
		size_t map_size = 0;
		uint8_t *contents;

		if (!btf_is_datasec(section) || strncmp(section_name, ".rodata", 7) != 0)
			continue;
		map = bpf_object__find_map_by_name(object, section_name);
		contents = map ? (uint8_t *)bpf_map__initial_value(map, &map_size) : NULL;
		variable = btf_var_secinfos(section);
		for (int i = 0; contents && i < btf_vlen(section); i++, variable++) {
			const struct btf_type *type = btf__type_by_id(btf, variable->type);

			if (strcmp(btf__name_by_offset(btf, type->name_off), name) != 0)
				continue;
			if ((size_t)variable->offset + variable->size > map_size)
				return NULL;
			*size = variable->size;
			return contents + variable->offset;
		}
	}
	return NULL;
}

/* objectConstant(object, name, bytes) */
static napi_value object_constant(napi_env env, napi_callback_info info)
{
	struct handle *handle;
	struct bytes bytes;
	struct args args;
	uint8_t *constant;
	char name[256];
	size_t size;

	if (!args_read(env, info, &args) || !(handle = arg_handle(&args, 0, HANDLE_OBJECT)) ||
		!arg_string(&args, 1, "constant name", name, sizeof(name)) ||
		!arg_bytes(&args, 2, "constant", &bytes))
		return NULL;
	constant = find_constant(handle->object, name, &size);
	if (!constant)
		return fail(env, ENOENT, "bpf_object__btf",
			"find constant '%s' in .rodata of object '%s'", name,
			bpf_object__name(handle->object));
	if (bytes.size != size)
		return fail_range(env, "constant '%s' of object '%s' must have %zu bytes, not %zu",
			name, bpf_object__name(handle->object), size, bytes.size);
	memcpy(constant, bytes.data, size);
	return js_undefined(env);
}

void constant_init(napi_env env, napi_value exports)
{
	static const struct function functions[] = {{"objectConstant", object_constant}};

	EXPORT(env, exports, functions);
}
