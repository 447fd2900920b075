/* SPDX-License-Identifier: MIT */
/* Running a program on one packet, without an interface. */
#include "common.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <limits.h>
#include <string.h>

/* programTestRun(program, data, context | undefined, repeat, outSize) */
static napi_value program_test_run(napi_env env, napi_callback_info info)
{
	LIBBPF_OPTS(bpf_test_run_opts, opts);
	napi_value out, data_out, context_out = NULL;
	struct bytes data, context = {0};
	uint8_t *data_memory, *context_memory;
	uint32_t repeat, out_size;
	struct handle *handle;
	struct args args;
	int err;

	if (!args_read(env, info, &args) || !(handle = arg_handle(&args, 0, HANDLE_PROGRAM)) ||
		!arg_bytes(&args, 1, "data", &data) || !arg_u32(&args, 3, "repeat", &repeat) ||
		!arg_u32(&args, 4, "outSize", &out_size))
		return NULL;
	if (!arg_is_undefined(&args, 2) && !arg_bytes(&args, 2, "context", &context))
		return NULL;
	if (data.size > INT_MAX || context.size > INT_MAX || out_size > INT_MAX || repeat > INT_MAX)
		return fail_range(
			env, "data, context, outSize and repeat must be below 2147483648");
	data_out = js_bytes(env, out_size, &data_memory);
	if (data_out && context.size) {
		context_out = js_bytes(env, context.size, &context_memory);
		opts.ctx_out = context_memory;
	}
	if (!data_out || (context.size && !context_out))
		return NULL;
	opts.data_in = data.data;
	opts.data_size_in = (uint32_t)data.size;
	opts.data_out = out_size ? data_memory : NULL;
	opts.data_size_out = out_size;
	opts.ctx_in = context.size ? context.data : NULL;
	opts.ctx_size_in = (uint32_t)context.size;
	opts.ctx_size_out = (uint32_t)context.size;
	opts.repeat = (int)repeat;
	err = bpf_prog_test_run_opts(handle->fd, &opts);
	if (err)
		return fail(env, -err, "bpf(BPF_PROG_TEST_RUN)", "run a program on %zu bytes",
			data.size);
	out = js_object(env);
	js_set(env, out, "retval", js_number(env, opts.retval));
	js_set(env, out, "data", js_bytes_head(env, data_out, opts.data_size_out));
	if (context_out)
		js_set(env, out, "context", js_bytes_head(env, context_out, opts.ctx_size_out));
	js_set(env, out, "durationNs", js_number(env, opts.duration));
	return out;
}

void testrun_init(napi_env env, napi_value exports)
{
	static const struct function functions[] = {{"programTestRun", program_test_run}};

	EXPORT(env, exports, functions);
}
