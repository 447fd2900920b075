/* SPDX-License-Identifier: MIT */
/* Filters on the clsact qdisc, for kernels without tcx. */
#include "common.h"

#include <bpf/libbpf.h>
#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

struct filter {
	uint32_t ifindex, egress, handle, priority;
};

static bool read_filter(const struct args *args, int first, struct filter *filter)
{
	if (!arg_u32(args, first, "ifindex", &filter->ifindex) ||
		!arg_u32(args, first + 1, "egress", &filter->egress) ||
		!arg_u32(args, first + 2, "handle", &filter->handle) ||
		!arg_u32(args, first + 3, "priority", &filter->priority))
		return false;
	/* With either at 0 the kernel chooses, or takes every filter at once. */
	if (filter->handle && filter->priority && filter->priority <= UINT16_MAX &&
		filter->ifindex <= INT_MAX)
		return true;
	fail_range(args->env, "a filter needs a handle from 1 and a priority from 1 to 65535");
	return false;
}

/* In place: libbpf refuses a hook whose padding is not zero, and copying one does not copy that. */
static void fill_hook(struct bpf_tc_hook *hook, const struct filter *filter)
{
	memset(hook, 0, sizeof(*hook));
	hook->sz = sizeof(*hook);
	hook->ifindex = (int)filter->ifindex;
	hook->attach_point = filter->egress ? BPF_TC_EGRESS : BPF_TC_INGRESS;
}

static const char *direction_of(const struct filter *filter)
{
	return filter->egress ? "egress" : "ingress";
}

/* clsactAttach(program, ifindex, egress, handle, priority) */
static napi_value clsact_attach(napi_env env, napi_callback_info info)
{
	LIBBPF_OPTS(bpf_tc_opts, opts, .flags = BPF_TC_F_REPLACE);
	const char *call = "netlink(RTM_NEWQDISC)";
	struct bpf_tc_hook hook;
	struct handle *program;
	struct capture capture;
	struct filter filter;
	struct args args;
	int err;

	if (!args_read(env, info, &args) || !(program = arg_handle(&args, 0, HANDLE_PROGRAM)) ||
		!read_filter(&args, 1, &filter))
		return NULL;
	fill_hook(&hook, &filter);
	opts.handle = filter.handle;
	opts.priority = filter.priority;
	opts.prog_fd = program->fd;
	capture_begin(&capture);
	err = bpf_tc_hook_create(&hook);
	if (!err || err == -EEXIST) {
		/* What was printed about a qdisc that is there already is no part of a later failure. */
		free(capture.warnings);
		capture.warnings = NULL;
		call = "netlink(RTM_NEWTFILTER)";
		err = bpf_tc_attach(&hook, &opts);
	}
	if (err)
		fail_captured(env, -err, call, &capture,
			"attach a clsact filter to interface %u (%s)", filter.ifindex,
			direction_of(&filter));
	capture_end(&capture);
	return err ? NULL : js_undefined(env);
}

/* clsactDetach(ifindex, egress, handle, priority) */
static napi_value clsact_detach(napi_env env, napi_callback_info info)
{
	LIBBPF_OPTS(bpf_tc_opts, opts);
	struct bpf_tc_hook hook;
	struct capture capture;
	struct filter filter;
	struct args args;
	int err;

	if (!args_read(env, info, &args) || !read_filter(&args, 0, &filter))
		return NULL;
	fill_hook(&hook, &filter);
	opts.handle = filter.handle;
	opts.priority = filter.priority;
	capture_begin(&capture);
	err = bpf_tc_detach(&hook, &opts);
	if (err)
		fail_captured(env, -err, "netlink(RTM_DELTFILTER)", &capture,
			"detach a clsact filter from interface %u (%s)", filter.ifindex,
			direction_of(&filter));
	capture_end(&capture);
	return err ? NULL : js_undefined(env);
}

/* clsactQuery(ifindex, egress, handle, priority): a program's id or undefined */
static napi_value clsact_query(napi_env env, napi_callback_info info)
{
	LIBBPF_OPTS(bpf_tc_opts, opts);
	struct bpf_tc_hook hook;
	struct capture capture;
	struct filter filter;
	struct args args;
	int err;

	if (!args_read(env, info, &args) || !read_filter(&args, 0, &filter))
		return NULL;
	fill_hook(&hook, &filter);
	opts.handle = filter.handle;
	opts.priority = filter.priority;
	capture_begin(&capture);
	err = bpf_tc_query(&hook, &opts);
	/* EINVAL: there is not even a qdisc. The arguments were checked above. */
	if (err && err != -ENOENT && err != -EINVAL)
		fail_captured(env, -err, "netlink(RTM_GETTFILTER)", &capture,
			"query a clsact filter of interface %u (%s)", filter.ifindex,
			direction_of(&filter));
	capture_end(&capture);
	if (err == -ENOENT || err == -EINVAL)
		return js_undefined(env);
	return err ? NULL : js_number(env, opts.prog_id);
}

void clsact_init(napi_env env, napi_value exports)
{
	static const struct function functions[] = {
		{"clsactAttach", clsact_attach},
		{"clsactDetach", clsact_detach},
		{"clsactQuery", clsact_query},
	};

	EXPORT(env, exports, functions);
}
