/* SPDX-License-Identifier: MIT */
/* What every part of the addon shares: arguments, values, errors and handles. */
#ifndef LB_NATIVE_COMMON_H
#define LB_NATIVE_COMMON_H

#include <node_api.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct bpf_object;

#define ARGS_MAX 8
#define PATH_SIZE 4096

/* An errno of the kernel that never was given to user space's <errno.h>. */
#ifndef ENOTSUPP
#define ENOTSUPP 524
#endif

/* --- arguments (args.c): each reader throws a TypeError or RangeError and returns false ---------- */

struct args {
	napi_env env;
	napi_value v[ARGS_MAX]; /* `undefined` where the caller gave fewer */
};

struct bytes {
	uint8_t *data;
	size_t size;
};

bool args_read(napi_env env, napi_callback_info info, struct args *args);
bool arg_is_undefined(const struct args *args, int i);
bool arg_u32(const struct args *args, int i, const char *what, uint32_t *out);
/* Fails for a string that does not fit `size` with its terminator, or that contains NUL. */
bool arg_string(const struct args *args, int i, const char *what, char *out, size_t size);
/* A Uint8Array; its bytes stay where they are until JavaScript code runs again. */
bool arg_bytes(const struct args *args, int i, const char *what, struct bytes *out);
bool arg_bytes_exactly(
	const struct args *args, int i, const char *what, size_t size, struct bytes *out);
/* Any string of a value, as above. */
bool value_string(napi_env env, napi_value value, const char *what, char *out, size_t size);

/* --- values (values.c): NULL with a pending exception on failure --------------------------------- */

napi_value js_undefined(napi_env env);
napi_value js_number(napi_env env, double number);
napi_value js_bool(napi_env env, bool value);
napi_value js_string(napi_env env, const char *text);
/* `undefined` where it is empty. */
napi_value js_text(napi_env env, const char *text);
napi_value js_object(napi_env env);
napi_value js_array(napi_env env);
/* A new Uint8Array of `size` bytes; `*data` points into it. */
napi_value js_bytes(napi_env env, size_t size, uint8_t **data);
/* A Uint8Array that owns `data` (from malloc). Takes `data` even when it fails. */
napi_value js_bytes_take(napi_env env, uint8_t *data, size_t size);
/* The first `size` bytes of a Uint8Array made by js_bytes. */
napi_value js_bytes_head(napi_env env, napi_value bytes, size_t size);
/* Does nothing when `value` is NULL: what made it has thrown already. */
void js_set(napi_env env, napi_value object, const char *name, napi_value value);
void js_push(napi_env env, napi_value array, uint32_t index, napi_value value);

/* --- errors (error.c) ----------------------------------------------------------------------------- */

/* What libbpf printed during an attempt. */
struct capture {
	char *warnings; /* lines joined by "; " */
	char *verifier; /* last lines of a refused program's log */
	struct capture *outer;
};

void error_init(void);
void capture_begin(struct capture *capture);
void capture_end(struct capture *capture);

/* Throws a NativeError for `err` (positive errno); returns NULL. The text says what was attempted. */
napi_value fail(napi_env env, int err, const char *syscall, const char *format, ...)
	__attribute__((format(printf, 4, 5)));
/* The same, with what libbpf said. */
napi_value fail_captured(napi_env env, int err, const char *syscall, const struct capture *capture,
	const char *format, ...) __attribute__((format(printf, 5, 6)));
napi_value fail_type(napi_env env, const char *format, ...) __attribute__((format(printf, 2, 3)));
napi_value fail_range(napi_env env, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* What a callback from the event loop threw is an uncaught exception: there is nobody to throw it to. */
void report_exception(napi_env env);

/* --- handles (handle.c) --------------------------------------------------------------------------- */

enum handle_kind { HANDLE_MAP, HANDLE_PROGRAM, HANDLE_LINK, HANDLE_OBJECT, HANDLE_LOCK };

/* What a map is: read once from the kernel, which never changes it. */
struct map_shape {
	uint32_t type;
	uint32_t key_size;
	uint32_t value_size;
	uint32_t max_entries;
	uint32_t flags;
	size_t stride; /* bytes of one value in a buffer */
	char name[16];
};

struct handle {
	enum handle_kind kind;
	bool open;
	int fd; /* -1 for objects */
	struct bpf_object *object;
	/* Of its maps, in libbpf's order, as the file has them: libbpf renames those it reuses. */
	char **map_names;
	struct map_shape map;
};

/* Takes `fd` (or `object`) even when it fails. */
napi_value handle_new(napi_env env, enum handle_kind kind, int fd);
napi_value handle_new_map(napi_env env, int fd);
napi_value handle_new_object(napi_env env, struct bpf_object *object);
/* The open handle in an argument, or NULL with an exception: TypeError, or EBADF once closed. */
struct handle *arg_handle(const struct args *args, int i, enum handle_kind kind);
struct handle *value_handle(napi_env env, napi_value value, enum handle_kind kind);
napi_value handle_open_pinned(const struct args *args, enum handle_kind kind);

/* --- registration ------------------------------------------------------------------------------- */

struct function {
	const char *name;
	napi_callback callback;
};

void export_functions(
	napi_env env, napi_value exports, const struct function *functions, size_t count);
#define EXPORT(env, exports, functions)                                                            \
	export_functions(env, exports, functions, sizeof(functions) / sizeof((functions)[0]))

void handle_init(napi_env env, napi_value exports);
void map_init(napi_env env, napi_value exports);
void readall_init(napi_env env, napi_value exports);
void batch_init(napi_env env, napi_value exports);
void inners_init(napi_env env, napi_value exports);
void object_init(napi_env env, napi_value exports);
void constant_init(napi_env env, napi_value exports);
void program_init(napi_env env, napi_value exports);
void testrun_init(napi_env env, napi_value exports);
void link_init(napi_env env, napi_value exports);
void clsact_init(napi_env env, napi_value exports);
void ringbuf_init(napi_env env, napi_value exports);
void connect_init(napi_env env, napi_value exports);
void btf_init(napi_env env, napi_value exports);
void lock_init(napi_env env, napi_value exports);
void interfaces_init(napi_env env, napi_value exports);
void neighbour_init(napi_env env, napi_value exports);
void route_init(napi_env env, napi_value exports);
void system_init(napi_env env, napi_value exports);

#endif
