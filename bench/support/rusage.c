/* SPDX-License-Identifier: MIT */
/*
 * rusage COMMAND...: runs it and writes to descriptor 3 what it took, as JSON: wall clock, CPU time in
 * user and kernel mode in microseconds, peak memory in KiB, exit status. Node.js has no wait4.
 */
#define _GNU_SOURCE
#include <stdio.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static long long now_us(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000000ll + t.tv_nsec / 1000;
}

static long long us_of(struct timeval t)
{
	return t.tv_sec * 1000000ll + t.tv_usec;
}

int main(int argc, char **argv)
{
	struct rusage usage;
	long long start = now_us();
	int status;
	pid_t child;

	if (argc < 2)
		return 2;
	child = vfork();
	if (child == 0) {
		close(3);
		execvp(argv[1], argv + 1);
		_exit(127);
	}
	if (child < 0 || wait4(child, &status, 0, &usage) < 0)
		return 1;
	dprintf(3,
		"{\"wallUs\":%lld,\"userUs\":%lld,\"systemUs\":%lld,\"peakKib\":%ld,\"status\":%d}\n",
		now_us() - start, us_of(usage.ru_utime), us_of(usage.ru_stime), usage.ru_maxrss,
		WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status));
	return 0;
}
