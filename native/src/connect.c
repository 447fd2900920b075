/* SPDX-License-Identifier: MIT */
/*
 * TCP connections that are opened to see whether they can be, and reset at once, on Node's event loop. A socket of
 * Node's own costs many times as much, in JavaScript mostly. A connector is owned twice, by its JavaScript value
 * and by the loop, and freed when both have let go.
 */
#include "attempts.h"
#include "common.h"

#include <errno.h>
#include <stdlib.h>
#include <uv.h>

static const napi_type_tag CONNECTOR_TAG = {0x3c0a7f5e9d1b4826, 0xb67d20e84f93a15c};

/* Outcomes delivered before other events get their turn; the rest follow in the next round. */
#define ROUND 64

struct connector {
	uv_poll_t poll; /* first: the loop's handle is the connector */
	napi_env env;
	napi_ref callback;
	napi_ref self; /* one that nobody holds still delivers */
	napi_async_context context;
	napi_async_cleanup_hook_handle cleanup;
	struct attempts attempts;
	int owners;
	bool closing;
	bool delivering;
};

static void let_go(struct connector *connector)
{
	if (--connector->owners == 0)
		free(connector);
}

static void on_closed(uv_handle_t *handle)
{
	struct connector *connector = (struct connector *)handle;

	if (connector->cleanup)
		napi_remove_async_cleanup_hook(connector->cleanup);
	let_go(connector);
}

/* All but its place on the loop. */
static void free_parts(struct connector *connector)
{
	attempts_free(&connector->attempts);
	if (connector->callback)
		napi_delete_reference(connector->env, connector->callback);
	if (connector->self)
		napi_delete_reference(connector->env, connector->self);
	if (connector->context)
		napi_async_destroy(connector->env, connector->context);
}

static void release(struct connector *connector)
{
	free_parts(connector);
	uv_close((uv_handle_t *)&connector->poll, on_closed);
}

static void shut(struct connector *connector)
{
	if (connector->closing)
		return;
	connector->closing = true;
	uv_poll_stop(&connector->poll);
	/* Closed by its own callback: `on_ready` releases it. */
	if (!connector->delivering)
		release(connector);
}

static void on_cleanup(napi_async_cleanup_hook_handle handle, void *data)
{
	(void)handle;
	shut(data);
}

static void finalize(napi_env env, void *data, void *hint)
{
	(void)env;
	(void)hint;
	let_go(data);
}

static void deliver(struct connector *connector, uint32_t id, int err)
{
	napi_value callback, receiver, argv[2];
	napi_env env = connector->env;
	napi_handle_scope scope;

	if (napi_open_handle_scope(env, &scope) != napi_ok)
		return;
	argv[0] = js_number(env, id);
	argv[1] = js_number(env, err);
	if (argv[0] && argv[1] &&
		napi_get_reference_value(env, connector->callback, &callback) == napi_ok &&
		napi_get_global(env, &receiver) == napi_ok)
		napi_make_callback(env, connector->context, receiver, callback, 2, argv, NULL);
	report_exception(env);
	napi_close_handle_scope(env, scope);
}

/* Connections under way keep the process alive. */
static void hold(struct connector *connector)
{
	if (connector->closing)
		return;
	if (connector->attempts.pending > 0)
		uv_ref((uv_handle_t *)&connector->poll);
	else
		uv_unref((uv_handle_t *)&connector->poll);
}

static void on_ready(uv_poll_t *poll, int status, int events)
{
	struct connector *connector = (struct connector *)poll;
	struct epoll_event ready[ROUND];
	int count;

	(void)events;
	if (status < 0 || connector->closing)
		return;
	count = epoll_wait(connector->attempts.epoll, ready, ROUND, 0);
	connector->delivering = true;
	for (int i = 0; i < count && !connector->closing; i++) {
		int err;

		/* A callback before this one may have stopped it. */
		if (attempts_finish(&connector->attempts, &ready[i], &err))
			deliver(connector, ready[i].data.u32, err);
	}
	connector->delivering = false;
	hold(connector);
	if (connector->closing)
		release(connector);
}

/* Puts it on the loop, from where on only uv_close frees it. */
static int start_connector(struct connector *connector, napi_value value, napi_value callback)
{
	napi_env env = connector->env;
	napi_value name = js_string(env, "lb:connect");
	uv_loop_t *loop;
	int err;

	if (!name || napi_get_uv_event_loop(env, &loop) != napi_ok ||
		napi_create_reference(env, callback, 1, &connector->callback) != napi_ok ||
		napi_create_reference(env, value, 1, &connector->self) != napi_ok ||
		napi_async_init(env, NULL, name, &connector->context) != napi_ok)
		return ENOMEM;
	err = uv_poll_init(loop, &connector->poll, connector->attempts.epoll);
	if (err)
		return -err;
	connector->owners++;
	uv_unref((uv_handle_t *)&connector->poll);
	err = uv_poll_start(&connector->poll, UV_READABLE, on_ready);
	if (!err && napi_add_async_cleanup_hook(env, on_cleanup, connector, &connector->cleanup) !=
			    napi_ok)
		err = -ENOMEM;
	if (err)
		shut(connector);
	return -err;
}

/* connectorOpen(callback) */
static napi_value connector_open(napi_env env, napi_callback_info info)
{
	static const char what[] = "watch connections that are being opened";
	struct connector *connector;
	napi_valuetype type;
	struct args args;
	napi_value value;
	int err;

	if (!args_read(env, info, &args))
		return NULL;
	if (napi_typeof(env, args.v[0], &type) != napi_ok || type != napi_function)
		return fail_type(env, "the callback must be a function");
	connector = calloc(1, sizeof(*connector));
	if (!connector)
		return fail(env, ENOMEM, "malloc", "%s", what);
	connector->env = env;
	connector->owners = 1;
	err = attempts_init(&connector->attempts);
	if (err) {
		free(connector);
		return fail(env, err, "epoll_create1", "%s", what);
	}
	if (napi_create_external(env, connector, finalize, NULL, &value) != napi_ok) {
		free_parts(connector);
		free(connector);
		return fail(env, ENOMEM, "malloc", "%s", what);
	}
	napi_type_tag_object(env, value, &CONNECTOR_TAG);
	err = start_connector(connector, value, args.v[0]);
	if (!err)
		return value;
	if (!connector->closing) {
		connector->closing = true;
		free_parts(connector);
	}
	return fail(env, err, "epoll_ctl", "%s", what);
}

static struct connector *arg_connector(const struct args *args)
{
	napi_env env = args->env;
	napi_valuetype type;
	bool tagged = false;
	void *data = NULL;

	if (napi_typeof(env, args->v[0], &type) == napi_ok && type == napi_external &&
		napi_check_object_type_tag(env, args->v[0], &CONNECTOR_TAG, &tagged) == napi_ok &&
		tagged && napi_get_value_external(env, args->v[0], &data) == napi_ok)
		return data;
	fail_type(env, "a connector is needed");
	return NULL;
}

/* connectorStart(connector, address, port): its id, or the errno that it failed with at once, below zero */
static napi_value connector_start(napi_env env, napi_callback_info info)
{
	struct connector *connector;
	char address[64];
	struct args args;
	uint32_t port, id;
	int err;

	if (!args_read(env, info, &args) || !(connector = arg_connector(&args)) ||
		!arg_string(&args, 1, "address", address, sizeof(address)) ||
		!arg_u32(&args, 2, "port", &port))
		return NULL;
	if (port > UINT16_MAX)
		return fail_range(env, "the port must be at most %u", UINT16_MAX);
	if (connector->closing)
		return js_number(env, -EBADF);
	err = attempts_start(&connector->attempts, address, (uint16_t)port, &id);
	hold(connector);
	return err ? js_number(env, -err) : js_number(env, id);
}

/* connectorStop(connector, id) */
static napi_value connector_stop(napi_env env, napi_callback_info info)
{
	struct connector *connector;
	struct args args;
	uint32_t id;

	if (!args_read(env, info, &args) || !(connector = arg_connector(&args)) ||
		!arg_u32(&args, 1, "id", &id))
		return NULL;
	if (!connector->closing)
		attempts_stop(&connector->attempts, id);
	hold(connector);
	return js_undefined(env);
}

/* connectorClose(connector): lets go of connections under way too */
static napi_value connector_close(napi_env env, napi_callback_info info)
{
	struct connector *connector;
	struct args args;

	if (!args_read(env, info, &args) || !(connector = arg_connector(&args)))
		return NULL;
	shut(connector);
	return js_undefined(env);
}

void connect_init(napi_env env, napi_value exports)
{
	static const struct function functions[] = {
		{"connectorOpen", connector_open},
		{"connectorStart", connector_start},
		{"connectorStop", connector_stop},
		{"connectorClose", connector_close},
	};

	EXPORT(env, exports, functions);
}
