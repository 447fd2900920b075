/* SPDX-License-Identifier: MIT */
/* Reading arguments. Nothing is trusted: a wrong type is a TypeError, a wrong size a RangeError. */
#include "common.h"

#include <math.h>
#include <string.h>

bool args_read(napi_env env, napi_callback_info info, struct args *args)
{
	size_t count = ARGS_MAX;

	args->env = env;
	if (napi_get_cb_info(env, info, &count, args->v, NULL, NULL) == napi_ok)
		return true;
	fail_type(env, "arguments cannot be read");
	return false;
}

bool arg_is_undefined(const struct args *args, int i)
{
	napi_valuetype type;

	return napi_typeof(args->env, args->v[i], &type) == napi_ok && type == napi_undefined;
}

bool arg_u32(const struct args *args, int i, const char *what, uint32_t *out)
{
	double number;

	if (napi_get_value_double(args->env, args->v[i], &number) != napi_ok) {
		fail_type(args->env, "%s must be a number", what);
		return false;
	}
	if (!(number >= 0 && number <= UINT32_MAX) || number != trunc(number)) {
		fail_range(args->env, "%s must be an integer from 0 to 4294967295", what);
		return false;
	}
	*out = (uint32_t)number;
	return true;
}

bool value_string(napi_env env, napi_value value, const char *what, char *out, size_t size)
{
	size_t length;

	if (napi_get_value_string_utf8(env, value, NULL, 0, &length) != napi_ok) {
		fail_type(env, "%s must be a string", what);
		return false;
	}
	if (length >= size) {
		fail_range(env, "%s must be shorter than %zu bytes", what, size);
		return false;
	}
	if (napi_get_value_string_utf8(env, value, out, size, &length) != napi_ok) {
		fail_type(env, "%s must be a string", what);
		return false;
	}
	if (memchr(out, 0, length)) {
		fail_type(env, "%s must not contain NUL", what);
		return false;
	}
	return true;
}

bool arg_string(const struct args *args, int i, const char *what, char *out, size_t size)
{
	return value_string(args->env, args->v[i], what, out, size);
}

bool arg_bytes(const struct args *args, int i, const char *what, struct bytes *out)
{
	napi_typedarray_type type;
	bool is_typed_array = false;
	void *data = NULL;
	size_t length = 0;

	/* A detached buffer comes out with length 0: callers see it as too short. */
	if (napi_is_typedarray(args->env, args->v[i], &is_typed_array) != napi_ok ||
		!is_typed_array ||
		napi_get_typedarray_info(
			args->env, args->v[i], &type, &length, &data, NULL, NULL) != napi_ok ||
		type != napi_uint8_array) {
		fail_type(args->env, "%s must be a Uint8Array", what);
		return false;
	}
	out->data = data;
	out->size = data ? length : 0;
	return true;
}

bool arg_bytes_exactly(
	const struct args *args, int i, const char *what, size_t size, struct bytes *out)
{
	if (!arg_bytes(args, i, what, out))
		return false;
	if (out->size == size)
		return true;
	fail_range(args->env, "%s must have %zu bytes, not %zu", what, size, out->size);
	return false;
}
