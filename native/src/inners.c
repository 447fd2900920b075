/* SPDX-License-Identifier: MIT */
/*
 * Rows of maps of maps. After each such write the kernel waits until no program can be in the old inner map
 * (maybe_wait_bpf_programs in kernel/bpf/syscall.c): some milliseconds. Written at the same time, rows wait together.
 */
#include "common.h"

#include <bpf/bpf.h>
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>

#define ROWS_MAX 64

struct row {
	struct handle *outer;
	struct handle *inner; /* NULL: the row is emptied */
	void *key;
	int err;
	pthread_t thread;
	bool has_thread;
};

static bool is_map_of_maps(const struct handle *map)
{
	return map->map.type == BPF_MAP_TYPE_ARRAY_OF_MAPS ||
	       map->map.type == BPF_MAP_TYPE_HASH_OF_MAPS;
}

/* A row as it is given: [outer, key, inner | undefined]. */
static bool read_row(napi_env env, napi_value item, struct row *row)
{
	struct args fields = {.env = env};
	struct bytes key;

	for (uint32_t i = 0; i < 3; i++) {
		if (napi_get_element(env, item, i, &fields.v[i]) != napi_ok) {
			fail_type(env, "a row must be an array of an outer map, a key and a map");
			return false;
		}
	}
	row->outer = arg_handle(&fields, 0, HANDLE_MAP);
	if (!row->outer || !arg_bytes_exactly(&fields, 1, "key", row->outer->map.key_size, &key))
		return false;
	if (!is_map_of_maps(row->outer)) {
		fail_type(env, "map '%s' is not a map of maps", row->outer->map.name);
		return false;
	}
	row->key = key.data;
	if (arg_is_undefined(&fields, 2))
		return true;
	row->inner = arg_handle(&fields, 2, HANDLE_MAP);
	return row->inner != NULL;
}

static void *write_row(void *argument)
{
	struct row *row = argument;

	row->err = row->inner
			   ? bpf_map_update_elem(row->outer->fd, row->key, &row->inner->fd, BPF_ANY)
			   : bpf_map_delete_elem(row->outer->fd, row->key);
	if (!row->inner && row->err == -ENOENT)
		row->err = 0;
	return NULL;
}

/* A thread for each row but the first; where the system has none left, rows are written one after the other. */
static void write_rows(struct row *rows, uint32_t count)
{
	sigset_t all, before;

	/* Signals are Node's business. */
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	for (uint32_t i = 1; i < count; i++)
		rows[i].has_thread =
			pthread_create(&rows[i].thread, NULL, write_row, &rows[i]) == 0;
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	for (uint32_t i = 0; i < count; i++) {
		if (!rows[i].has_thread)
			write_row(&rows[i]);
	}
	for (uint32_t i = 1; i < count; i++) {
		if (rows[i].has_thread)
			pthread_join(rows[i].thread, NULL);
	}
}

static napi_value report(napi_env env, const struct row *rows, uint32_t count)
{
	for (uint32_t i = 0; i < count; i++) {
		const struct row *row = &rows[i];

		if (row->err && row->inner)
			return fail(env, -row->err, "bpf(BPF_MAP_UPDATE_ELEM)",
				"put map '%s' into map '%s'", row->inner->map.name,
				row->outer->map.name);
		if (row->err)
			return fail(env, -row->err, "bpf(BPF_MAP_DELETE_ELEM)",
				"take a map out of map '%s'", row->outer->map.name);
	}
	return js_undefined(env);
}

/* mapWriteInners(rows) */
static napi_value map_write_inners(napi_env env, napi_callback_info info)
{
	struct row rows[ROWS_MAX] = {0};
	struct args args;
	uint32_t count;

	if (!args_read(env, info, &args))
		return NULL;
	if (napi_get_array_length(env, args.v[0], &count) != napi_ok)
		return fail_type(env, "rows must be an array");
	if (count > ROWS_MAX)
		return fail_range(
			env, "at most %d rows at once can be written, not %u", ROWS_MAX, count);
	for (uint32_t i = 0; i < count; i++) {
		napi_value item;

		if (napi_get_element(env, args.v[0], i, &item) != napi_ok ||
			!read_row(env, item, &rows[i]))
			return NULL;
	}
	write_rows(rows, count);
	return report(env, rows, count);
}

void inners_init(napi_env env, napi_value exports)
{
	static const struct function functions[] = {{"mapWriteInners", map_write_inners}};

	EXPORT(env, exports, functions);
}
