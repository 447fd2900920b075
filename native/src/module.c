/* SPDX-License-Identifier: MIT */
#include "common.h"

void export_functions(
	napi_env env, napi_value exports, const struct function *functions, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		napi_value function;

		if (napi_create_function(env, functions[i].name, NAPI_AUTO_LENGTH,
			    functions[i].callback, NULL, &function) == napi_ok)
			napi_set_named_property(env, exports, functions[i].name, function);
	}
}

NAPI_MODULE_INIT()
{
	error_init();
	handle_init(env, exports);
	map_init(env, exports);
	readall_init(env, exports);
	batch_init(env, exports);
	inners_init(env, exports);
	object_init(env, exports);
	constant_init(env, exports);
	program_init(env, exports);
	testrun_init(env, exports);
	link_init(env, exports);
	clsact_init(env, exports);
	ringbuf_init(env, exports);
	connect_init(env, exports);
	btf_init(env, exports);
	lock_init(env, exports);
	interfaces_init(env, exports);
	neighbour_init(env, exports);
	route_init(env, exports);
	system_init(env, exports);
	return exports;
}
