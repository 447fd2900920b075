/* SPDX-License-Identifier: MIT */
/* Links of XDP and tcx programs to interfaces. */
#include "common.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <linux/if_link.h>

/* From <linux/bpf.h> of kernel 6.6; the headers of older distributions lack them. */
#define TCX_INGRESS 46
#define TCX_EGRESS 47
#define LINK_TYPE_TCX 11

struct link_info {
	uint32_t type, id, prog_id;
	union {
		struct {
			uint32_t ifindex;
		} xdp;
		struct {
			uint32_t ifindex, attach_type;
		} tcx;
		/* The kernel fills as much as it knows of the type; none knows more than this. */
		uint8_t room[240];
	} __attribute__((aligned(8)));
};

/* linkAttachXdp(program, ifindex, generic) */
static napi_value link_attach_xdp(napi_env env, napi_callback_info info)
{
	LIBBPF_OPTS(bpf_link_create_opts, opts);
	uint32_t ifindex, generic;
	struct handle *program;
	struct args args;
	int fd;

	if (!args_read(env, info, &args) || !(program = arg_handle(&args, 0, HANDLE_PROGRAM)) ||
		!arg_u32(&args, 1, "ifindex", &ifindex) || !arg_u32(&args, 2, "generic", &generic))
		return NULL;
	opts.flags = generic ? XDP_FLAGS_SKB_MODE : XDP_FLAGS_DRV_MODE;
	fd = bpf_link_create(program->fd, (int)ifindex, BPF_XDP, &opts);
	if (fd < 0)
		return fail(env, -fd, "bpf(BPF_LINK_CREATE)",
			"attach an XDP program to interface %u (%s)", ifindex,
			generic ? "generic" : "native");
	return handle_new(env, HANDLE_LINK, fd);
}

/* linkAttachTcx(program, ifindex, egress) */
static napi_value link_attach_tcx(napi_env env, napi_callback_info info)
{
	uint32_t ifindex, egress;
	struct handle *program;
	struct args args;
	int fd;

	if (!args_read(env, info, &args) || !(program = arg_handle(&args, 0, HANDLE_PROGRAM)) ||
		!arg_u32(&args, 1, "ifindex", &ifindex) || !arg_u32(&args, 2, "egress", &egress))
		return NULL;
	fd = bpf_link_create(program->fd, (int)ifindex,
		(enum bpf_attach_type)(egress ? TCX_EGRESS : TCX_INGRESS), NULL);
	if (fd < 0)
		return fail(env, -fd, "bpf(BPF_LINK_CREATE)",
			"attach a tcx program to interface %u (%s)", ifindex,
			egress ? "egress" : "ingress");
	return handle_new(env, HANDLE_LINK, fd);
}

static napi_value link_open_pinned(napi_env env, napi_callback_info info)
{
	struct args args;

	return args_read(env, info, &args) ? handle_open_pinned(&args, HANDLE_LINK) : NULL;
}

/* linkInfo(link): `direction` only for tcx */
static napi_value link_info(napi_env env, napi_callback_info info)
{
	struct link_info link = {0};
	uint32_t size = sizeof(link), ifindex = 0;
	struct handle *handle;
	struct args args;
	napi_value out;
	int err;

	if (!args_read(env, info, &args) || !(handle = arg_handle(&args, 0, HANDLE_LINK)))
		return NULL;
	err = bpf_obj_get_info_by_fd(handle->fd, &link, &size);
	if (err)
		return fail(env, -err, "bpf(BPF_OBJ_GET_INFO_BY_FD)", "describe a link");
	if (link.type == BPF_LINK_TYPE_XDP)
		ifindex = link.xdp.ifindex;
	if (link.type == LINK_TYPE_TCX)
		ifindex = link.tcx.ifindex;
	out = js_object(env);
	js_set(env, out, "id", js_number(env, link.id));
	js_set(env, out, "type", js_number(env, link.type));
	js_set(env, out, "programId", js_number(env, link.prog_id));
	js_set(env, out, "ifindex", js_number(env, ifindex));
	if (link.type == LINK_TYPE_TCX)
		js_set(env, out, "direction",
			js_string(env, link.tcx.attach_type == TCX_EGRESS ? "egress" : "ingress"));
	return out;
}

/* linkUpdate(link, program) */
static napi_value link_update(napi_env env, napi_callback_info info)
{
	struct handle *link, *program;
	struct args args;
	int err;

	if (!args_read(env, info, &args) || !(link = arg_handle(&args, 0, HANDLE_LINK)) ||
		!(program = arg_handle(&args, 1, HANDLE_PROGRAM)))
		return NULL;
	err = bpf_link_update(link->fd, program->fd, NULL);
	if (err)
		return fail(env, -err, "bpf(BPF_LINK_UPDATE)", "put another program into a link");
	return js_undefined(env);
}

static napi_value link_detach(napi_env env, napi_callback_info info)
{
	struct handle *link;
	struct args args;
	int err;

	if (!args_read(env, info, &args) || !(link = arg_handle(&args, 0, HANDLE_LINK)))
		return NULL;
	err = bpf_link_detach(link->fd);
	if (err)
		return fail(env, -err, "bpf(BPF_LINK_DETACH)", "detach a link");
	return js_undefined(env);
}

void link_init(napi_env env, napi_value exports)
{
	static const struct function functions[] = {
		{"linkAttachXdp", link_attach_xdp},
		{"linkAttachTcx", link_attach_tcx},
		{"linkOpenPinned", link_open_pinned},
		{"linkInfo", link_info},
		{"linkUpdate", link_update},
		{"linkDetach", link_detach},
	};

	EXPORT(env, exports, functions);
}
