/* SPDX-License-Identifier: MIT */
/* The structs and enums that an object file's BTF describes. */
#include "common.h"

#include <bpf/btf.h>
#include <bpf/libbpf.h>
#include <errno.h>

/* Deeper than any C compiler nests; a damaged file may have loops. */
#define DEPTH_MAX 32

struct reader {
	napi_env env;
	const struct btf *btf;
};

static const char *name_of(const struct btf *btf, const struct btf_type *type)
{
	const char *name = type ? btf__name_by_offset(btf, type->name_off) : NULL;

	return name ? name : "";
}

/* Follows typedefs and qualifiers; `*name` becomes the first name met, as the source has it. */
static const struct btf_type *resolve(const struct btf *btf, uint32_t id, const char **name)
{
	const struct btf_type *type = btf__type_by_id(btf, id);

	*name = "";
	for (int depth = 0; type && depth < DEPTH_MAX; depth++) {
		if (!**name && !btf_is_ptr(type))
			*name = name_of(btf, type);
		if (!btf_is_mod(type) && !btf_is_typedef(type) && !btf_is_type_tag(type))
			return type;
		type = btf__type_by_id(btf, type->type);
	}
	return NULL;
}

static const char *kind_of(const struct btf_type *type)
{
	switch (type ? btf_kind(type) : BTF_KIND_UNKN) {
	case BTF_KIND_INT:
		return "int";
	case BTF_KIND_ARRAY:
		return "array";
	case BTF_KIND_STRUCT:
		return "struct";
	case BTF_KIND_UNION:
		return "union";
	case BTF_KIND_ENUM:
	case BTF_KIND_ENUM64:
		return "enum";
	case BTF_KIND_PTR:
		return "pointer";
	default:
		return "other";
	}
}

static bool is_signed(const struct btf_type *type)
{
	if (!type)
		return false;
	if (btf_is_int(type))
		return btf_int_encoding(type) & BTF_INT_SIGNED;
	return btf_is_any_enum(type) && btf_kflag(type);
}

static int64_t size_of(const struct btf *btf, uint32_t id)
{
	int64_t size = btf__resolve_size(btf, id);

	return size < 0 ? 0 : size;
}

static napi_value read_field(
	const struct reader *reader, const char *name, uint32_t offset, uint32_t id)
{
	napi_env env = reader->env;
	const char *type_name;
	const struct btf_type *type = resolve(reader->btf, id, &type_name);
	napi_value out = js_object(env);
	uint32_t length = 1;

	js_set(env, out, "name", js_string(env, name));
	js_set(env, out, "offset", js_number(env, offset));
	js_set(env, out, "size", js_number(env, (double)size_of(reader->btf, id)));
	js_set(env, out, "kind", js_string(env, kind_of(type)));
	if (type && btf_is_array(type)) {
		/* An array of arrays is one of their elements, as it lies in memory. */
		for (int depth = 0; type && btf_is_array(type) && depth < DEPTH_MAX; depth++) {
			length *= btf_array(type)->nelems;
			id = btf_array(type)->type;
			type = resolve(reader->btf, id, &type_name);
		}
		js_set(env, out, "length", js_number(env, length));
		js_set(env, out, "elementSize", js_number(env, (double)size_of(reader->btf, id)));
	}
	js_set(env, out, "typeName", js_string(env, type_name));
	js_set(env, out, "signed", js_bool(env, is_signed(type)));
	return out;
}

/* The members of `type`; those of members without a name count as its own, as in C. */
static void read_fields(const struct reader *reader, const struct btf_type *type, uint32_t start,
	napi_value fields, uint32_t *count, int depth)
{
	for (int i = 0; i < btf_vlen(type); i++) {
		const struct btf_member *member = btf_members(type) + i;
		const char *name = btf__name_by_offset(reader->btf, member->name_off), *ignored;
		uint32_t offset = start + btf_member_bit_offset(type, i) / 8;
		const struct btf_type *inner = resolve(reader->btf, member->type, &ignored);

		if (name && *name)
			js_push(reader->env, fields, (*count)++,
				read_field(reader, name, offset, member->type));
		else if (inner && btf_is_composite(inner) && depth < DEPTH_MAX)
			read_fields(reader, inner, offset, fields, count, depth + 1);
	}
}

static napi_value read_struct(
	const struct reader *reader, const char *name, const struct btf_type *type)
{
	napi_env env = reader->env;
	napi_value out = js_object(env), fields = js_array(env);
	uint32_t count = 0;

	read_fields(reader, type, 0, fields, &count, 0);
	js_set(env, out, "name", js_string(env, name));
	js_set(env, out, "size", js_number(env, type->size));
	js_set(env, out, "fields", fields);
	return out;
}

static napi_value read_enum(
	const struct reader *reader, const char *name, const struct btf_type *type)
{
	napi_env env = reader->env;
	napi_value out = js_object(env), values = js_object(env);

	for (int i = 0; i < btf_vlen(type); i++) {
		uint32_t name_off;
		double value;

		if (btf_is_enum64(type)) {
			const struct btf_enum64 *item = btf_enum64(type) + i;

			name_off = item->name_off;
			value = btf_kflag(type) ? (double)(int64_t)btf_enum64_value(item)
						: (double)btf_enum64_value(item);
		} else {
			const struct btf_enum *item = btf_enum(type) + i;

			name_off = item->name_off;
			/* Compilers from before the flag for signed enums mean the value as they wrote it. */
			value = item->val;
		}
		js_set(env, values, btf__name_by_offset(reader->btf, name_off),
			js_number(env, value));
	}
	js_set(env, out, "name", js_string(env, name));
	js_set(env, out, "values", values);
	return out;
}

/* readBtf(path): { structs, enums } */
static napi_value read_btf(napi_env env, napi_callback_info info)
{
	struct reader reader = {.env = env};
	uint32_t structs_count = 0, enums_count = 0;
	napi_value out, structs, enums;
	struct capture capture;
	char path[PATH_SIZE];
	struct args args;
	struct btf *btf;
	int err;

	if (!args_read(env, info, &args) || !arg_string(&args, 0, "path", path, sizeof(path)))
		return NULL;
	capture_begin(&capture);
	btf = btf__parse(path, NULL);
	err = btf ? 0 : errno;
	if (err)
		fail_captured(env, err, "btf__parse", &capture, "read the BTF of '%s'", path);
	capture_end(&capture);
	if (err)
		return NULL;
	reader.btf = btf;
	structs = js_array(env);
	enums = js_array(env);
	for (uint32_t id = 1; id < btf__type_cnt(btf); id++) {
		const struct btf_type *type = btf__type_by_id(btf, id);
		const char *name = name_of(btf, type), *ignored;

		if (btf_is_typedef(type)) {
			/* A typedef names what has no name of its own. */
			type = resolve(btf, type->type, &ignored);
			if (!type || *name_of(btf, type))
				continue;
		}
		if (*name && btf_is_struct(type))
			js_push(env, structs, structs_count++, read_struct(&reader, name, type));
		else if (*name && btf_is_any_enum(type))
			js_push(env, enums, enums_count++, read_enum(&reader, name, type));
	}
	btf__free(btf);
	out = js_object(env);
	js_set(env, out, "structs", structs);
	js_set(env, out, "enums", enums);
	return out;
}

void btf_init(napi_env env, napi_value exports)
{
	static const struct function functions[] = {{"readBtf", read_btf}};

	EXPORT(env, exports, functions);
}
