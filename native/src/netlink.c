/* SPDX-License-Identifier: MIT */
#include "netlink.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* The kernel fills at most 32 KiB at once. */
#define ANSWER_SIZE 65536

int nl_open(int protocol)
{
	struct sockaddr_nl address = {.nl_family = AF_NETLINK};
	int err, fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, protocol);

	if (fd < 0)
		return -errno;
	if (bind(fd, (struct sockaddr *)&address, sizeof(address)) == 0)
		return fd;
	err = -errno;
	close(fd);
	return err;
}

void nl_begin(
	struct nl_request *request, uint16_t type, uint16_t flags, const void *fixed, size_t size)
{
	memset(request, 0, sizeof(*request));
	request->header.nlmsg_type = type;
	request->header.nlmsg_flags = NLM_F_REQUEST | flags;
	request->header.nlmsg_len = NLMSG_LENGTH(size);
	memcpy(request->body, fixed, size);
}

void nl_add(struct nl_request *request, uint16_t type, const void *data, size_t size)
{
	size_t start = NLMSG_ALIGN(request->header.nlmsg_len);
	struct nlattr *attribute = (struct nlattr *)((uint8_t *)request + start);

	attribute->nla_type = type;
	attribute->nla_len = (uint16_t)(NLA_HDRLEN + size);
	memcpy((uint8_t *)attribute + NLA_HDRLEN, data, size);
	request->header.nlmsg_len = (uint32_t)(start + attribute->nla_len);
}

static void read_attributes(
	const void *base, size_t start, size_t end, struct nl_attribute *out, uint16_t max)
{
	memset(out, 0, sizeof(*out) * (max + 1u));
	while (start + NLA_HDRLEN <= end) {
		const struct nlattr *attribute =
			(const struct nlattr *)((const uint8_t *)base + start);
		uint16_t type = attribute->nla_type & NLA_TYPE_MASK;

		if (attribute->nla_len < NLA_HDRLEN || start + attribute->nla_len > end)
			return;
		if (type <= max) {
			out[type].data = (const uint8_t *)attribute + NLA_HDRLEN;
			out[type].size = attribute->nla_len - NLA_HDRLEN;
		}
		start += NLA_ALIGN(attribute->nla_len);
	}
}

void nl_attributes(
	const struct nlmsghdr *message, size_t fixed, struct nl_attribute *out, uint16_t max)
{
	size_t start = NLMSG_LENGTH(NLMSG_ALIGN(fixed));

	read_attributes(message, start, message->nlmsg_len, out, max);
}

void nl_nested(struct nl_attribute parent, struct nl_attribute *out, uint16_t max)
{
	read_attributes(parent.data, 0, parent.size, out, max);
}

void nl_address(char *out, size_t size, struct nl_attribute address)
{
	out[0] = 0;
	if (address.size == 4 || address.size == 16)
		inet_ntop(
			address.size == 4 ? AF_INET : AF_INET6, address.data, out, (socklen_t)size);
}

uint32_t nl_u32(struct nl_attribute attribute)
{
	uint32_t value = 0;

	if (attribute.size >= sizeof(value))
		memcpy(&value, attribute.data, sizeof(value));
	return value;
}

/* The next datagram of the kernel's, or -errno. */
static ssize_t receive(int fd, void *buffer)
{
	struct sockaddr_nl from;
	struct iovec vector = {.iov_base = buffer, .iov_len = ANSWER_SIZE};
	struct msghdr header = {.msg_name = &from, .msg_iov = &vector, .msg_iovlen = 1};
	ssize_t length;

	do {
		header.msg_namelen = sizeof(from);
		length = recvmsg(fd, &header, 0);
	} while ((length < 0 && errno == EINTR) || (length >= 0 && from.nl_pid != 0));
	if (length < 0)
		return -errno;
	return header.msg_flags & MSG_TRUNC ? -EMSGSIZE : length;
}

/* The result carried by NLMSG_ERROR and NLMSG_DONE: 0 or -errno. */
static int result_of(const struct nlmsghdr *message)
{
	int result = 0;

	if (message->nlmsg_len >= NLMSG_LENGTH(sizeof(result)))
		memcpy(&result, NLMSG_DATA(message), sizeof(result));
	return result;
}

int nl_exchange(int fd, struct nl_request *request, nl_each each, void *context)
{
	bool finished = false, overtaken = false;
	uint8_t *buffer = malloc(ANSWER_SIZE);
	static __thread uint32_t sequence;
	int result = 0;

	if (!buffer)
		return -ENOMEM;
	request->header.nlmsg_seq = ++sequence;
	/* A dump ends with NLMSG_DONE; anything else is told to end with an acknowledgement. */
	if ((request->header.nlmsg_flags & NLM_F_DUMP) != NLM_F_DUMP)
		request->header.nlmsg_flags |= NLM_F_ACK;
	if (send(fd, request, request->header.nlmsg_len, 0) < 0) {
		result = -errno;
		finished = true;
	}
	while (!finished) {
		ssize_t length = receive(fd, buffer);
		struct nlmsghdr *message = (struct nlmsghdr *)buffer;

		if (length < 0) {
			result = (int)length;
			break;
		}
		for (; NLMSG_OK(message, length) && !finished;
			message = NLMSG_NEXT(message, length)) {
			if (message->nlmsg_seq != sequence)
				continue;
			overtaken = overtaken || (message->nlmsg_flags & NLM_F_DUMP_INTR);
			finished = message->nlmsg_type == NLMSG_ERROR ||
				   message->nlmsg_type == NLMSG_DONE;
			/* After a failure of `each` the rest is read all the same: the socket is used again. */
			if (finished)
				result = result ? result : result_of(message);
			else if (!result)
				result = each(message, context);
		}
	}
	free(buffer);
	return !result && overtaken ? -EINTR : result;
}
