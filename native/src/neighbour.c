/* SPDX-License-Identifier: MIT */
/* The neighbour table. */
#include "common.h"
#include "netlink.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/neighbour.h>
#include <stdio.h>
#include <unistd.h>

#define DUMP_ATTEMPTS 10

static const char *neighbour_state(uint16_t state)
{
	switch (state) {
	case NUD_INCOMPLETE:
		return "incomplete";
	case NUD_REACHABLE:
		return "reachable";
	case NUD_STALE:
		return "stale";
	case NUD_DELAY:
		return "delay";
	case NUD_PROBE:
		return "probe";
	case NUD_FAILED:
		return "failed";
	case NUD_NOARP:
		return "noarp";
	case NUD_PERMANENT:
		return "permanent";
	default:
		return "none";
	}
}

struct neighbours {
	napi_env env;
	napi_value out;
	uint32_t count;
};

static int on_neighbour(const struct nlmsghdr *message, void *context)
{
	struct nl_attribute attributes[NDA_LLADDR + 1];
	const struct ndmsg *header = NLMSG_DATA(message);
	struct neighbours *list = context;
	char text[INET6_ADDRSTRLEN], mac[3 * 32] = {0};
	napi_env env = list->env;
	napi_value item;
	size_t used = 0;

	if (message->nlmsg_type != RTM_NEWNEIGH ||
		message->nlmsg_len < NLMSG_LENGTH(sizeof(*header)))
		return 0;
	nl_attributes(message, sizeof(*header), attributes, NDA_LLADDR);
	nl_address(text, sizeof(text), attributes[NDA_DST]);
	if (!*text)
		return 0;
	for (size_t i = 0; i < attributes[NDA_LLADDR].size && used + 4 <= sizeof(mac); i++)
		used += (size_t)snprintf(mac + used, sizeof(mac) - used, "%s%02x", i ? ":" : "",
			((const uint8_t *)attributes[NDA_LLADDR].data)[i]);
	item = js_object(env);
	js_set(env, item, "ip", js_string(env, text));
	js_set(env, item, "ifindex", js_number(env, header->ndm_ifindex));
	js_set(env, item, "mac", js_text(env, mac));
	js_set(env, item, "state", js_string(env, neighbour_state(header->ndm_state)));
	js_push(env, list->out, list->count++, item);
	return 0;
}

static napi_value neighbours(napi_env env, napi_callback_info info)
{
	struct neighbours list = {.env = env};
	struct ndmsg all = {.ndm_family = AF_UNSPEC};
	struct nl_request request;
	int err = 0, fd = nl_open(NETLINK_ROUTE);

	(void)info;
	if (fd < 0)
		return fail(env, -fd, "socket(AF_NETLINK)", "list the neighbours");
	for (int attempt = 0; attempt < DUMP_ATTEMPTS; attempt++) {
		list.out = js_array(env);
		list.count = 0;
		nl_begin(&request, RTM_GETNEIGH, NLM_F_DUMP, &all, sizeof(all));
		err = nl_exchange(fd, &request, on_neighbour, &list);
		if (err != -EINTR)
			break;
	}
	close(fd);
	if (err)
		return fail(env, -err, "netlink(RTM_GETNEIGH)", "list the neighbours");
	return list.out;
}

void neighbour_init(napi_env env, napi_value exports)
{
	static const struct function functions[] = {{"neighbours", neighbours}};

	EXPORT(env, exports, functions);
}
