/* SPDX-License-Identifier: MIT */
#include "attempts.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* An id is a slot in its lower half, and how often that slot was used in its upper one. */
#define SLOTS 65536
#define SLOT(id) ((id)&0xffff)
#define NEXT_USE 0x10000

struct attempt {
	uint32_t id;
	int fd; /* -1: free */
	uint32_t next_free;
};

int attempts_init(struct attempts *attempts)
{
	*attempts = (struct attempts){.epoll = epoll_create1(EPOLL_CLOEXEC)};
	return attempts->epoll < 0 ? errno : 0;
}

void attempts_free(struct attempts *attempts)
{
	for (uint32_t i = 0; i < attempts->count; i++)
		if (attempts->slots[i].fd >= 0)
			close(attempts->slots[i].fd);
	free(attempts->slots);
	close(attempts->epoll);
}

static bool grow(struct attempts *attempts)
{
	uint32_t count = attempts->count ? attempts->count * 2 : 64;
	struct attempt *slots;

	if (count > SLOTS)
		return false;
	slots = realloc(attempts->slots, count * sizeof(*slots));
	if (!slots)
		return false;
	for (uint32_t i = attempts->count; i < count; i++)
		slots[i] = (struct attempt){.id = i, .fd = -1, .next_free = i + 1};
	attempts->slots = slots;
	attempts->first_free = attempts->count;
	attempts->count = count;
	return true;
}

static struct attempt *find(struct attempts *attempts, uint32_t id)
{
	struct attempt *slot = SLOT(id) < attempts->count ? &attempts->slots[SLOT(id)] : NULL;

	return slot && slot->id == id && slot->fd >= 0 ? slot : NULL;
}

/* To the kernel, a closed socket is out of epoll too. */
static void let_go(struct attempts *attempts, struct attempt *slot)
{
	close(slot->fd);
	slot->fd = -1;
	slot->next_free = attempts->first_free;
	attempts->first_free = SLOT(slot->id);
	attempts->pending--;
}

static socklen_t read_address(const char *ip, uint16_t port, struct sockaddr_storage *out)
{
	struct sockaddr_in6 *six = (struct sockaddr_in6 *)out;
	struct sockaddr_in *four = (struct sockaddr_in *)out;

	memset(out, 0, sizeof(*out));
	if (inet_pton(AF_INET, ip, &four->sin_addr) == 1) {
		four->sin_family = AF_INET;
		four->sin_port = htons(port);
		return sizeof(*four);
	}
	if (inet_pton(AF_INET6, ip, &six->sin6_addr) == 1) {
		six->sin6_family = AF_INET6;
		six->sin6_port = htons(port);
		return sizeof(*six);
	}
	return 0;
}

/* A socket on its way, in epoll under the id of the slot. */
static int begin(const struct attempts *attempts, struct attempt *slot,
	const struct sockaddr_storage *to, socklen_t size)
{
	/* A reset leaves no TIME-WAIT on this host, of which there would be many per target. */
	struct linger reset = {.l_onoff = 1};
	struct epoll_event event = {.events = EPOLLOUT, .data.u32 = slot->id};
	int err;

	slot->fd = socket(to->ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (slot->fd < 0)
		return errno;
	if (setsockopt(slot->fd, SOL_SOCKET, SO_LINGER, &reset, sizeof(reset)) == 0 &&
		(connect(slot->fd, (const struct sockaddr *)to, size) == 0 ||
			errno == EINPROGRESS) &&
		epoll_ctl(attempts->epoll, EPOLL_CTL_ADD, slot->fd, &event) == 0)
		return 0;
	err = errno;
	close(slot->fd);
	slot->fd = -1;
	return err;
}

int attempts_start(struct attempts *attempts, const char *ip, uint16_t port, uint32_t *id)
{
	struct sockaddr_storage to;
	socklen_t size = read_address(ip, port, &to);
	struct attempt *slot;
	int err;

	if (size == 0)
		return EINVAL;
	if (attempts->first_free == attempts->count && !grow(attempts))
		return ENOMEM;
	slot = &attempts->slots[attempts->first_free];
	slot->id += NEXT_USE;
	err = begin(attempts, slot, &to, size);
	if (err)
		return err;
	attempts->first_free = slot->next_free;
	attempts->pending++;
	*id = slot->id;
	return 0;
}

void attempts_stop(struct attempts *attempts, uint32_t id)
{
	struct attempt *slot = find(attempts, id);

	if (slot)
		let_go(attempts, slot);
}

bool attempts_finish(struct attempts *attempts, const struct epoll_event *event, int *err)
{
	struct attempt *slot = find(attempts, event->data.u32);
	socklen_t size = sizeof(*err);

	if (!slot)
		return false;
	*err = 0;
	if (event->events & (EPOLLERR | EPOLLHUP) &&
		getsockopt(slot->fd, SOL_SOCKET, SO_ERROR, err, &size))
		*err = errno;
	let_go(attempts, slot);
	return true;
}
