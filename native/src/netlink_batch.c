/* SPDX-License-Identifier: MIT */
/* Many small requests at once: the system calls for one at a time take longer than the kernel's work. */
#include "netlink.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

/* Room for an answer about one object; a longer one is an error, not a part. */
#define ONE_ANSWER 2048

struct batch {
	uint32_t first; /* sequence number of the first request */
	size_t count, open;
	bool answered[NL_BATCH];
	uint8_t requests[NL_BATCH * sizeof(struct nl_request)];
	struct mmsghdr headers[NL_BATCH];
	struct iovec vectors[NL_BATCH];
	struct sockaddr_nl from[NL_BATCH];
	uint8_t answers[NL_BATCH][ONE_ANSWER] __attribute__((aligned(NLMSG_ALIGNTO)));
};

static int send_all(int fd, struct batch *batch, const struct nl_request *requests)
{
	size_t size = 0;

	for (size_t i = 0; i < batch->count; i++) {
		struct nlmsghdr *header = (struct nlmsghdr *)(void *)(batch->requests + size);

		memcpy(header, &requests[i], requests[i].header.nlmsg_len);
		header->nlmsg_seq = batch->first + (uint32_t)i;
		size += NLMSG_ALIGN(header->nlmsg_len);
	}
	return send(fd, batch->requests, size, 0) < 0 ? -errno : 0;
}

static int receive_some(int fd, struct batch *batch)
{
	int received;

	for (size_t i = 0; i < NL_BATCH; i++) {
		batch->vectors[i] = (struct iovec){batch->answers[i], ONE_ANSWER};
		batch->headers[i].msg_hdr = (struct msghdr){
			.msg_name = &batch->from[i],
			.msg_namelen = sizeof(batch->from[i]),
			.msg_iov = &batch->vectors[i],
			.msg_iovlen = 1,
		};
	}
	do {
		received = recvmmsg(fd, batch->headers, NL_BATCH, MSG_WAITFORONE, NULL);
	} while (received < 0 && errno == EINTR);
	return received < 0 ? -errno : received;
}

static void hand_out(
	struct batch *batch, const struct nlmsghdr *message, nl_answer answer, void *context)
{
	uint32_t number = message->nlmsg_seq - batch->first;
	int result = 0;

	if (number >= batch->count || batch->answered[number])
		return;
	batch->answered[number] = true;
	batch->open--;
	if (message->nlmsg_type != NLMSG_ERROR)
		answer(number, message, 0, context);
	else if (message->nlmsg_len >= NLMSG_LENGTH(sizeof(result))) {
		memcpy(&result, NLMSG_DATA(message), sizeof(result));
		answer(number, NULL, result, context);
	}
}

static int receive_all(int fd, struct batch *batch, nl_answer answer, void *context)
{
	while (batch->open > 0) {
		int received = receive_some(fd, batch);

		if (received < 0)
			return received;
		for (int i = 0; i < received; i++) {
			struct nlmsghdr *message = (struct nlmsghdr *)(void *)batch->answers[i];
			int length = (int)batch->headers[i].msg_len;

			if (batch->from[i].nl_pid != 0)
				continue;
			if (batch->headers[i].msg_hdr.msg_flags & MSG_TRUNC)
				return -EMSGSIZE;
			for (; NLMSG_OK(message, length); message = NLMSG_NEXT(message, length))
				hand_out(batch, message, answer, context);
		}
	}
	return 0;
}

int nl_ask(int fd, const struct nl_request *requests, size_t count, nl_answer answer, void *context)
{
	/* Not to be mixed up with the numbers of nl_exchange, which count from 1. */
	static __thread uint32_t sequence = 1u << 31;
	struct batch *batch = calloc(1, sizeof(*batch));
	int err;

	if (!batch)
		return -ENOMEM;
	batch->first = sequence;
	batch->count = batch->open = count < NL_BATCH ? count : NL_BATCH;
	sequence = 1u << 31 | (sequence + NL_BATCH);
	err = send_all(fd, batch, requests);
	if (!err)
		err = receive_all(fd, batch, answer, context);
	free(batch);
	return err;
}
