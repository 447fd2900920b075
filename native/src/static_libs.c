/* SPDX-License-Identifier: MIT */
/*
 * What it takes to put Debian's libbpf.a and libelf.a, which are built for executables, into a shared
 * object. Two things in them have a fixed place that only an executable can give: `stderr`, and the
 * thread-local variable of libelf's elf_error.o.
 */
#include <libelf.h>
#include <stdio.h>

/* The linker is told --wrap=stderr: libbpf's `stderr` is this copy, in our own data. */
extern FILE *__real_stderr;
extern FILE *__wrap_stderr __attribute__((visibility("hidden")));
FILE *__wrap_stderr;

__attribute__((constructor)) static void copy_stderr(void)
{
	__wrap_stderr = __real_stderr;
}

/* In place of elf_error.o. The rest of libelf reports its errors through __libelf_seterrno. */
void __libelf_seterrno(int value);

static __thread int last_error;

void __libelf_seterrno(int value)
{
	last_error = value;
}

int elf_errno(void)
{
	int value = last_error;

	last_error = 0;
	return value;
}

/* 0: the last error, or NULL; -1: the last error in any case. */
const char *elf_errmsg(int error)
{
	static __thread char text[32];
	int value = error == 0 || error == -1 ? last_error : error;

	if (error == 0 && value == 0)
		return NULL;
	snprintf(text, sizeof(text), "libelf error %d", value);
	return text;
}
