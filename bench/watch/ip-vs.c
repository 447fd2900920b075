/* SPDX-License-Identifier: MIT */
/*
 * Stands in for the kernel's ip_vs where it has none, so that keepalived's checkers run: every change of a table
 * is taken and forgotten. To be preloaded; the checks themselves are keepalived's own.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>

/* Of <linux/ip_vs.h>: options 1152 to 1167. */
static int is_ip_vs(int level, int option)
{
	return level == IPPROTO_IP && option >= 64 + 1024 + 64 && option < 64 + 1024 + 64 + 16;
}

int getsockopt(int fd, int level, int option, void *value, socklen_t *size)
{
	int (*real)(int, int, int, void *, socklen_t *) = dlsym(RTLD_NEXT, "getsockopt");

	if (!is_ip_vs(level, option))
		return real(fd, level, option, value, size);
	memset(value, 0, *size);
	return 0;
}

int setsockopt(int fd, int level, int option, const void *value, socklen_t size)
{
	int (*real)(int, int, int, const void *, socklen_t) = dlsym(RTLD_NEXT, "setsockopt");

	if (!is_ip_vs(level, option))
		return real(fd, level, option, value, size);
	return 0;
}
