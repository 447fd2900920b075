/* SPDX-License-Identifier: MIT */
/* TCP connections under way, all in one epoll descriptor, each by an id. */
#ifndef LB_NATIVE_ATTEMPTS_H
#define LB_NATIVE_ATTEMPTS_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/epoll.h>

struct attempt;

struct attempts {
	int epoll;
	uint32_t pending;
	struct attempt *slots;
	uint32_t count;
	uint32_t first_free; /* `count`: none */
};

/* Errno, or 0. */
int attempts_init(struct attempts *attempts);
void attempts_free(struct attempts *attempts);
/* Begins to connect to an address as text. Errno, or 0; EINVAL where it is no address. */
int attempts_start(struct attempts *attempts, const char *ip, uint16_t port, uint32_t *id);
/* Lets go of it, wherever it is; nothing where it is over. */
void attempts_stop(struct attempts *attempts, uint32_t id);
/* What came of it, errno or 0, for an event of epoll; it is over then. False where it was before. */
bool attempts_finish(struct attempts *attempts, const struct epoll_event *event, int *err);

#endif
