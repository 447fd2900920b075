/* SPDX-License-Identifier: MIT */
/* Route lookups and the neighbour table. */
#include "common.h"
#include "netlink.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/neighbour.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define DUMP_ATTEMPTS 10

struct route {
	bool found;
	uint8_t type;
	uint32_t ifindex;
	char gateway[INET6_ADDRSTRLEN];
	char source[INET6_ADDRSTRLEN];
};

static void write_address(char *out, size_t size, struct nl_attribute address)
{
	out[0] = 0;
	if (address.size == 4 || address.size == 16)
		inet_ntop(
			address.size == 4 ? AF_INET : AF_INET6, address.data, out, (socklen_t)size);
}

static int on_route(const struct nlmsghdr *message, void *context)
{
	struct nl_attribute attributes[RTA_VIA + 1];
	const struct rtmsg *header = NLMSG_DATA(message);
	struct route *route = context;
	struct nl_attribute via;

	if (message->nlmsg_type != RTM_NEWROUTE ||
		message->nlmsg_len < NLMSG_LENGTH(sizeof(*header)))
		return 0;
	nl_attributes(message, sizeof(*header), attributes, RTA_VIA);
	route->found = true;
	route->type = header->rtm_type;
	route->ifindex = nl_u32(attributes[RTA_OIF]);
	write_address(route->gateway, sizeof(route->gateway), attributes[RTA_GATEWAY]);
	write_address(route->source, sizeof(route->source), attributes[RTA_PREFSRC]);
	/* An IPv4 route through an IPv6 gateway: the address follows its family. */
	via = attributes[RTA_VIA];
	if (via.size > sizeof(struct rtvia)) {
		via.data = (const uint8_t *)via.data + sizeof(struct rtvia);
		via.size -= sizeof(struct rtvia);
		write_address(route->gateway, sizeof(route->gateway), via);
	}
	return 0;
}

static int get_route(int fd, int family, const void *address, struct route *route)
{
	size_t size = family == AF_INET ? 4 : 16;
	struct rtmsg header = {.rtm_family = (uint8_t)family, .rtm_dst_len = (uint8_t)(size * 8)};
	struct nl_request request;
	int err;

	memset(route, 0, sizeof(*route));
	nl_begin(&request, RTM_GETROUTE, 0, &header, sizeof(header));
	nl_add(&request, RTA_DST, address, size);
	err = nl_exchange(fd, &request, on_route, route);
	/* Instead of an IPv4 route that refuses, the kernel sends the error that its packets would meet. */
	switch (err) {
	case -ENETUNREACH:
		return 0;
	case -EHOSTUNREACH:
		route->type = RTN_UNREACHABLE;
		break;
	case -EACCES:
		route->type = RTN_PROHIBIT;
		break;
	case -EINVAL:
		route->type = RTN_BLACKHOLE;
		break;
	default:
		return err;
	}
	route->found = true;
	return 0;
}

static const char *route_type(uint8_t type)
{
	switch (type) {
	case RTN_UNICAST:
		return "unicast";
	case RTN_LOCAL:
		return "local";
	case RTN_BLACKHOLE:
		return "blackhole";
	case RTN_UNREACHABLE:
		return "unreachable";
	case RTN_PROHIBIT:
		return "prohibit";
	default:
		return "other";
	}
}

static napi_value text_or_undefined(napi_env env, const char *text)
{
	return *text ? js_string(env, text) : js_undefined(env);
}

static napi_value route_to_js(napi_env env, const struct route *route)
{
	napi_value out;

	if (!route->found)
		return js_undefined(env);
	out = js_object(env);
	js_set(env, out, "ifindex", js_number(env, route->ifindex));
	js_set(env, out, "gateway", text_or_undefined(env, route->gateway));
	js_set(env, out, "source", text_or_undefined(env, route->source));
	js_set(env, out, "type", js_string(env, route_type(route->type)));
	return out;
}

static napi_value look_up(napi_env env, int fd, napi_value destination)
{
	uint8_t address[16];
	char text[INET6_ADDRSTRLEN];
	struct route route;
	int family, err;

	if (!value_string(env, destination, "destination", text, sizeof(text)))
		return NULL;
	family = strchr(text, ':') ? AF_INET6 : AF_INET;
	if (inet_pton(family, text, address) != 1)
		return fail_type(env, "'%s' is not an IP address", text);
	err = get_route(fd, family, address, &route);
	if (err)
		return fail(env, -err, "netlink(RTM_GETROUTE)", "look up the route to %s", text);
	return route_to_js(env, &route);
}

/* routesGet(destinations): one route or undefined for each */
static napi_value routes_get(napi_env env, napi_callback_info info)
{
	napi_value out, item;
	struct args args;
	uint32_t count;
	int fd;

	if (!args_read(env, info, &args))
		return NULL;
	if (napi_get_array_length(env, args.v[0], &count) != napi_ok)
		return fail_type(env, "destinations must be an array");
	fd = nl_open(NETLINK_ROUTE);
	if (fd < 0)
		return fail(env, -fd, "socket(AF_NETLINK)", "look up routes");
	out = js_array(env);
	for (uint32_t i = 0; out && i < count; i++) {
		if (napi_get_element(env, args.v[0], i, &item) != napi_ok ||
			!(item = look_up(env, fd, item))) {
			out = NULL;
			break;
		}
		js_push(env, out, i, item);
	}
	close(fd);
	return out;
}

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
	write_address(text, sizeof(text), attributes[NDA_DST]);
	if (!*text)
		return 0;
	for (size_t i = 0; i < attributes[NDA_LLADDR].size && used + 4 <= sizeof(mac); i++)
		used += (size_t)snprintf(mac + used, sizeof(mac) - used, "%s%02x", i ? ":" : "",
			((const uint8_t *)attributes[NDA_LLADDR].data)[i]);
	item = js_object(env);
	js_set(env, item, "ip", js_string(env, text));
	js_set(env, item, "ifindex", js_number(env, header->ndm_ifindex));
	js_set(env, item, "mac", text_or_undefined(env, mac));
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

void route_init(napi_env env, napi_value exports)
{
	static const struct function functions[] = {
		{"routesGet", routes_get},
		{"neighbours", neighbours},
	};

	EXPORT(env, exports, functions);
}
