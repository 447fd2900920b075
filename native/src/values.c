/* SPDX-License-Identifier: MIT */
/* Making JavaScript values. */
#include "common.h"

#include <stdlib.h>
#include <string.h>

/* Below this, copying is cheaper than what V8 does to track memory that is not its own. */
#define TAKE_MIN 4096

static napi_value checked(napi_env env, napi_status status, napi_value value)
{
	bool pending;

	if (status == napi_ok)
		return value;
	if (napi_is_exception_pending(env, &pending) == napi_ok && !pending)
		napi_throw_error(env, NULL, "a JavaScript value cannot be created");
	return NULL;
}

napi_value js_undefined(napi_env env)
{
	napi_value value = NULL;
	napi_status status = napi_get_undefined(env, &value);

	return checked(env, status, value);
}

napi_value js_number(napi_env env, double number)
{
	napi_value value = NULL;
	napi_status status = napi_create_double(env, number, &value);

	return checked(env, status, value);
}

napi_value js_bool(napi_env env, bool boolean)
{
	napi_value value = NULL;
	napi_status status = napi_get_boolean(env, boolean, &value);

	return checked(env, status, value);
}

napi_value js_string(napi_env env, const char *text)
{
	napi_value value = NULL;
	napi_status status =
		napi_create_string_utf8(env, text ? text : "", NAPI_AUTO_LENGTH, &value);

	return checked(env, status, value);
}

napi_value js_text(napi_env env, const char *text)
{
	return *text ? js_string(env, text) : js_undefined(env);
}

napi_value js_object(napi_env env)
{
	napi_value value = NULL;
	napi_status status = napi_create_object(env, &value);

	return checked(env, status, value);
}

napi_value js_array(napi_env env)
{
	napi_value value = NULL;
	napi_status status = napi_create_array(env, &value);

	return checked(env, status, value);
}

static napi_value view(napi_env env, napi_value buffer, size_t size)
{
	napi_value value = NULL;
	napi_status status = napi_create_typedarray(env, napi_uint8_array, size, buffer, 0, &value);

	return checked(env, status, value);
}

napi_value js_bytes(napi_env env, size_t size, uint8_t **data)
{
	napi_value buffer = NULL;
	void *memory = NULL;
	napi_status status;

	status = napi_create_arraybuffer(env, size, &memory, &buffer);
	if (!checked(env, status, buffer))
		return NULL;
	*data = memory;
	return view(env, buffer, size);
}

static void release(napi_env env, void *data, void *hint)
{
	(void)env;
	(void)hint;
	free(data);
}

napi_value js_bytes_take(napi_env env, uint8_t *data, size_t size)
{
	napi_value buffer = NULL;
	uint8_t *copy;

	if (size >= TAKE_MIN && napi_create_external_arraybuffer(
					env, data, size, release, NULL, &buffer) == napi_ok)
		return view(env, buffer, size);
	buffer = js_bytes(env, size, &copy);
	if (buffer && size)
		memcpy(copy, data, size);
	free(data);
	return buffer;
}

napi_value js_bytes_head(napi_env env, napi_value bytes, size_t size)
{
	napi_typedarray_type type;
	napi_value buffer = NULL;
	size_t length = 0;

	if (!checked(env, napi_get_typedarray_info(env, bytes, &type, &length, NULL, &buffer, NULL),
		    bytes))
		return NULL;
	return size >= length ? bytes : view(env, buffer, size);
}

void js_set(napi_env env, napi_value object, const char *name, napi_value value)
{
	if (object && value)
		checked(env, napi_set_named_property(env, object, name, value), value);
}

void js_push(napi_env env, napi_value array, uint32_t index, napi_value value)
{
	if (array && value)
		checked(env, napi_set_element(env, array, index, value), value);
}
