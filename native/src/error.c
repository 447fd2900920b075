/* SPDX-License-Identifier: MIT */
/* Errors, and what libbpf has to say about them: it is silent unless an attempt fails. */
#include "common.h"

#include <bpf/libbpf.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define VERIFIER_LINES 20
#define WARNINGS_MAX 2000

static const char LOG_BEGIN[] = "-- BEGIN PROG LOAD LOG --\n";
static const char LOG_END[] = "-- END PROG LOAD LOG --";

/* One attempt at a time in each thread: worker threads load the addon too. */
static __thread struct capture *current;

/* The last lines of `text`, which ends before `end`. */
static char *last_lines(const char *text, const char *end)
{
	const char *start;
	int lines = 0;

	while (end > text && end[-1] == '\n')
		end--;
	for (start = end; start > text; start--)
		if (start[-1] == '\n' && ++lines == VERIFIER_LINES)
			break;
	return strndup(start, end - start);
}

static void add_warning(struct capture *capture, char *text)
{
	size_t length = strlen(text);
	char *joined;

	while (length && text[length - 1] == '\n')
		text[--length] = 0;
	for (char *c = text; *c; c++)
		if (*c == '\n')
			*c = ' ';
	if (strncmp(text, "libbpf: ", 8) == 0)
		text += 8;
	if (!*text || (capture->warnings && strlen(capture->warnings) > WARNINGS_MAX))
		return;
	if (asprintf(&joined, "%s%s%s", capture->warnings ? capture->warnings : "",
		    capture->warnings ? "; " : "", text) < 0)
		return;
	free(capture->warnings);
	capture->warnings = joined;
}

static int on_print(enum libbpf_print_level level, const char *format, va_list args)
{
	char *text, *begin, *end;
	int length;

	if (level != LIBBPF_WARN || !current)
		return 0;
	length = vasprintf(&text, format, args);
	if (length < 0)
		return 0;
	begin = strstr(text, LOG_BEGIN);
	if (begin) {
		begin += sizeof(LOG_BEGIN) - 1;
		/* From the back: a log may quote anything. */
		for (end = text + length; end > begin && strncmp(end, LOG_END, sizeof(LOG_END) - 1);
			end--)
			;
		free(current->verifier);
		current->verifier = last_lines(begin, end > begin ? end : text + length);
	} else {
		add_warning(current, text);
	}
	free(text);
	return length;
}

void error_init(void)
{
	libbpf_set_print(on_print);
}

void capture_begin(struct capture *capture)
{
	*capture = (struct capture){.outer = current};
	current = capture;
}

void capture_end(struct capture *capture)
{
	current = capture->outer;
	free(capture->warnings);
	free(capture->verifier);
}

static const char *error_name(int err, char *buffer, size_t size)
{
	static const char *const libbpf_names[] = {
		"LIBBPF_LIBELF",
		"LIBBPF_FORMAT",
		"LIBBPF_KVERSION",
		"LIBBPF_ENDIAN",
		"LIBBPF_INTERNAL",
		"LIBBPF_RELOC",
		"LIBBPF_LOAD",
		"LIBBPF_VERIFY",
		"LIBBPF_PROG2BIG",
		"LIBBPF_KVER",
		"LIBBPF_PROGTYPE",
		"LIBBPF_WRNGPID",
		"LIBBPF_INVSEQ",
		"LIBBPF_NLPARSE",
	};
	const char *name = strerrorname_np(err);

	if (name)
		return name;
	if (err == ENOTSUPP)
		return "ENOTSUPP";
	if (err >= __LIBBPF_ERRNO__START && err < __LIBBPF_ERRNO__END)
		return libbpf_names[err - __LIBBPF_ERRNO__START];
	snprintf(buffer, size, "E%d", err);
	return buffer;
}

static const char *error_text(int err, char *buffer, size_t size)
{
	const char *text = strerrordesc_np(err);

	if (text)
		return text;
	if (err == ENOTSUPP)
		return "Operation not supported by the kernel";
	libbpf_strerror(err, buffer, size);
	return buffer;
}

static void throw_native(
	napi_env env, int err, const char *syscall, const struct capture *capture, const char *what)
{
	char name_buffer[16], text_buffer[128], *message;
	const char *name = error_name(err, name_buffer, sizeof(name_buffer));
	const char *said = capture && capture->warnings ? capture->warnings : NULL;
	napi_value error, text, code;

	if (asprintf(&message, "%s: %s (%s)%s%s", what,
		    error_text(err, text_buffer, sizeof(text_buffer)), name, said ? ": " : "",
		    said ? said : "") < 0)
		message = NULL;
	text = js_string(env, message ? message : what);
	code = js_string(env, name);
	free(message);
	if (!text || !code || napi_create_error(env, code, text, &error) != napi_ok)
		return;
	js_set(env, error, "errno", js_number(env, err));
	js_set(env, error, "syscall", js_string(env, syscall));
	if (capture && capture->verifier)
		js_set(env, error, "verifierLog", js_string(env, capture->verifier));
	napi_throw(env, error);
}

#define FORMAT_INTO(text, format)                                                                  \
	do {                                                                                       \
		va_list list;                                                                      \
		va_start(list, format);                                                            \
		vsnprintf(text, sizeof(text), format, list);                                       \
		va_end(list);                                                                      \
	} while (0)

napi_value fail(napi_env env, int err, const char *syscall, const char *format, ...)
{
	char what[PATH_SIZE + 512];

	FORMAT_INTO(what, format);
	throw_native(env, err, syscall, NULL, what);
	return NULL;
}

napi_value fail_captured(napi_env env, int err, const char *syscall, const struct capture *capture,
	const char *format, ...)
{
	char what[PATH_SIZE + 512];

	FORMAT_INTO(what, format);
	throw_native(env, err, syscall, capture, what);
	return NULL;
}

napi_value fail_type(napi_env env, const char *format, ...)
{
	char what[512];

	FORMAT_INTO(what, format);
	napi_throw_type_error(env, "ERR_INVALID_ARG_TYPE", what);
	return NULL;
}

napi_value fail_range(napi_env env, const char *format, ...)
{
	char what[512];

	FORMAT_INTO(what, format);
	napi_throw_range_error(env, "ERR_OUT_OF_RANGE", what);
	return NULL;
}

void report_exception(napi_env env)
{
	napi_value exception;
	bool pending;

	if (napi_is_exception_pending(env, &pending) == napi_ok && pending &&
		napi_get_and_clear_last_exception(env, &exception) == napi_ok)
		napi_fatal_exception(env, exception);
}
