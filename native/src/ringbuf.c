/* SPDX-License-Identifier: MIT */
/*
 * Ring buffers on Node's event loop: libbpf's epoll descriptor is watched by a uv_poll_t. A ring is
 * owned twice, by its JavaScript value and by the loop, and freed when both have let go.
 */
#include "common.h"

#include <bpf/libbpf.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <uv.h>

static const napi_type_tag RING_TAG = {0x52d8f01b6ac94e37, 0x8c4be6a90d1f7325};

/* Records delivered before other events get their turn; the rest follow in the next round. */
#define ROUND 512

struct ring {
	uv_poll_t poll; /* first: the loop's handle is the ring */
	napi_env env;
	napi_ref callback;
	napi_ref self; /* a ring that nobody holds still delivers */
	napi_async_context context;
	napi_async_cleanup_hook_handle cleanup;
	struct ring_buffer *buffer;
	int map_fd;
	int owners;
	int delivered;
	bool closing;
	bool consuming;
};

static void let_go(struct ring *ring)
{
	if (--ring->owners == 0)
		free(ring);
}

static void on_closed(uv_handle_t *handle)
{
	struct ring *ring = (struct ring *)handle;

	if (ring->cleanup)
		napi_remove_async_cleanup_hook(ring->cleanup);
	let_go(ring);
}

/* All but its place on the loop. */
static void free_parts(struct ring *ring)
{
	ring_buffer__free(ring->buffer);
	close(ring->map_fd);
	if (ring->callback)
		napi_delete_reference(ring->env, ring->callback);
	if (ring->self)
		napi_delete_reference(ring->env, ring->self);
	if (ring->context)
		napi_async_destroy(ring->env, ring->context);
}

static void release(struct ring *ring)
{
	free_parts(ring);
	uv_close((uv_handle_t *)&ring->poll, on_closed);
}

static void shut(struct ring *ring)
{
	if (ring->closing)
		return;
	ring->closing = true;
	uv_poll_stop(&ring->poll);
	/* Closed by its own callback: libbpf is still reading, and `on_readable` releases it. */
	if (!ring->consuming)
		release(ring);
}

static void on_cleanup(napi_async_cleanup_hook_handle handle, void *data)
{
	(void)handle;
	shut(data);
}

/* A negative result makes libbpf stop; this record counts as consumed all the same. */
static int on_record(void *data, void *record, size_t size)
{
	napi_value callback, receiver, argument;
	struct ring *ring = data;
	napi_handle_scope scope;
	napi_env env = ring->env;
	uint8_t *copy;

	if (napi_open_handle_scope(env, &scope) != napi_ok)
		return -1;
	argument = js_bytes(env, size, &copy);
	if (argument) {
		memcpy(copy, record, size);
		if (napi_get_reference_value(env, ring->callback, &callback) == napi_ok &&
			napi_get_global(env, &receiver) == napi_ok)
			napi_make_callback(
				env, ring->context, receiver, callback, 1, &argument, NULL);
	}
	report_exception(env);
	napi_close_handle_scope(env, scope);
	return ring->closing || ++ring->delivered >= ROUND ? -1 : 0;
}

static void on_readable(uv_poll_t *poll, int status, int events)
{
	struct ring *ring = (struct ring *)poll;

	(void)events;
	if (status < 0 || ring->closing)
		return;
	ring->delivered = 0;
	ring->consuming = true;
	ring_buffer__consume(ring->buffer);
	ring->consuming = false;
	if (ring->closing)
		release(ring);
}

static void finalize(napi_env env, void *data, void *hint)
{
	(void)env;
	(void)hint;
	let_go(data);
}

/* Everything of a ring but its place on the loop; on failure nothing is left behind. */
static int open_ring(struct ring *ring, int fd)
{
	struct capture capture;
	int err = 0;

	ring->map_fd = fcntl(fd, F_DUPFD_CLOEXEC, 3);
	if (ring->map_fd < 0)
		return errno;
	capture_begin(&capture);
	ring->buffer = ring_buffer__new(ring->map_fd, on_record, ring, NULL);
	if (!ring->buffer)
		err = errno;
	capture_end(&capture);
	if (err)
		close(ring->map_fd);
	return err;
}

/* Puts an open ring on the loop, from where on only uv_close frees it. */
static int start_ring(struct ring *ring, napi_value value, napi_value callback)
{
	napi_env env = ring->env;
	napi_value name = js_string(env, "lb:ringbuf");
	uv_loop_t *loop;
	int err;

	if (!name || napi_get_uv_event_loop(env, &loop) != napi_ok ||
		napi_create_reference(env, callback, 1, &ring->callback) != napi_ok ||
		napi_create_reference(env, value, 1, &ring->self) != napi_ok ||
		napi_async_init(env, NULL, name, &ring->context) != napi_ok)
		return ENOMEM;
	err = uv_poll_init(loop, &ring->poll, ring_buffer__epoll_fd(ring->buffer));
	if (err)
		return -err;
	ring->owners++;
	err = uv_poll_start(&ring->poll, UV_READABLE, on_readable);
	if (!err && napi_add_async_cleanup_hook(env, on_cleanup, ring, &ring->cleanup) != napi_ok)
		err = -ENOMEM;
	if (err)
		shut(ring);
	return -err;
}

/* ringOpen(map, callback) */
static napi_value ring_open(napi_env env, napi_callback_info info)
{
	napi_valuetype type;
	struct handle *map;
	struct ring *ring;
	struct args args;
	napi_value value;
	int err;

	if (!args_read(env, info, &args) || !(map = arg_handle(&args, 0, HANDLE_MAP)))
		return NULL;
	if (napi_typeof(env, args.v[1], &type) != napi_ok || type != napi_function)
		return fail_type(env, "the callback must be a function");
	ring = calloc(1, sizeof(*ring));
	if (!ring)
		return fail(env, ENOMEM, "malloc", "read ring buffer '%s'", map->map.name);
	ring->env = env;
	err = open_ring(ring, map->fd);
	if (err) {
		free(ring);
		return fail(env, err, "ring_buffer__new", "read ring buffer '%s'", map->map.name);
	}
	ring->owners = 1;
	if (napi_create_external(env, ring, finalize, NULL, &value) != napi_ok) {
		free_parts(ring);
		free(ring);
		return fail(env, ENOMEM, "malloc", "read ring buffer '%s'", map->map.name);
	}
	napi_type_tag_object(env, value, &RING_TAG);
	err = start_ring(ring, value, args.v[1]);
	if (!err)
		return value;
	if (!ring->closing) {
		ring->closing = true;
		free_parts(ring);
	}
	return fail(env, err, "epoll_ctl", "watch ring buffer '%s'", map->map.name);
}

static struct ring *arg_ring(napi_env env, napi_callback_info info)
{
	napi_valuetype type;
	bool tagged = false;
	void *data = NULL;
	struct args args;

	if (!args_read(env, info, &args))
		return NULL;
	if (napi_typeof(env, args.v[0], &type) == napi_ok && type == napi_external &&
		napi_check_object_type_tag(env, args.v[0], &RING_TAG, &tagged) == napi_ok &&
		tagged && napi_get_value_external(env, args.v[0], &data) == napi_ok)
		return data;
	fail_type(env, "a ring buffer is needed");
	return NULL;
}

static napi_value ring_ref(napi_env env, napi_callback_info info)
{
	struct ring *ring = arg_ring(env, info);

	if (ring && !ring->closing)
		uv_ref((uv_handle_t *)&ring->poll);
	return ring ? js_undefined(env) : NULL;
}

static napi_value ring_unref(napi_env env, napi_callback_info info)
{
	struct ring *ring = arg_ring(env, info);

	if (ring && !ring->closing)
		uv_unref((uv_handle_t *)&ring->poll);
	return ring ? js_undefined(env) : NULL;
}

static napi_value ring_close(napi_env env, napi_callback_info info)
{
	struct ring *ring = arg_ring(env, info);

	if (ring)
		shut(ring);
	return ring ? js_undefined(env) : NULL;
}

void ringbuf_init(napi_env env, napi_value exports)
{
	static const struct function functions[] = {
		{"ringOpen", ring_open},
		{"ringRef", ring_ref},
		{"ringUnref", ring_unref},
		{"ringClose", ring_close},
	};

	EXPORT(env, exports, functions);
}
