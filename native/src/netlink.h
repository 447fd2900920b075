/* SPDX-License-Identifier: MIT */
/* Requests to the kernel over netlink, always in the caller's network namespace. */
#ifndef LB_NATIVE_NETLINK_H
#define LB_NATIVE_NETLINK_H

#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <stddef.h>
#include <stdint.h>

#define REQUEST_SIZE 256

/* A message under construction. */
struct nl_request {
	struct nlmsghdr header;
	uint8_t body[REQUEST_SIZE];
};

/* What an attribute carries; `data` is NULL where there is none. */
struct nl_attribute {
	const void *data;
	size_t size;
};

/* One message of the answer. A result other than 0 ends the exchange and is its result. */
typedef int (*nl_each)(const struct nlmsghdr *message, void *context);

/* A socket (`NETLINK_ROUTE`, `NETLINK_GENERIC`) or -errno. */
int nl_open(int protocol);

/* Starts a request whose fixed part is `fixed`. */
void nl_begin(
	struct nl_request *request, uint16_t type, uint16_t flags, const void *fixed, size_t size);
void nl_add(struct nl_request *request, uint16_t type, const void *data, size_t size);

/*
 * Sends a request and hands out the answers until the last. 0 or -errno; -EINTR when a dump was
 * overtaken by a change and is to be made again.
 */
int nl_exchange(int fd, struct nl_request *request, nl_each each, void *context);

/* So many answers fit into a socket's buffer. */
#define NL_BATCH 32

/* The answer to request `number`: a message, or NULL and 0 or -errno. */
typedef void (*nl_answer)(size_t number, const struct nlmsghdr *message, int err, void *context);

/*
 * Sends up to NL_BATCH requests, each about one object, and hands out an answer to each. 0 or -errno
 * where the exchange itself failed.
 */
int nl_ask(
	int fd, const struct nl_request *requests, size_t count, nl_answer answer, void *context);

/* The attributes after a fixed part of `fixed` bytes, by type, up to `max`. */
void nl_attributes(
	const struct nlmsghdr *message, size_t fixed, struct nl_attribute *out, uint16_t max);

/* The attributes inside an attribute, by type, up to `max`; none inside one that is absent. */
void nl_nested(struct nl_attribute parent, struct nl_attribute *out, uint16_t max);

/* The text of an IPv4 or IPv6 address; empty where there is none. */
void nl_address(char *out, size_t size, struct nl_attribute address);

uint32_t nl_u32(struct nl_attribute attribute);

#endif
