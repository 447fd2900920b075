/* SPDX-License-Identifier: MIT */
/* Route lookups. */
#include "common.h"
#include "netlink.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct route {
	bool found;
	uint8_t type;
	uint32_t ifindex;
	char gateway[INET6_ADDRSTRLEN];
	char source[INET6_ADDRSTRLEN];
};

static void read_route(const struct nlmsghdr *message, struct route *route)
{
	struct nl_attribute attributes[RTA_VIA + 1];
	const struct rtmsg *header = NLMSG_DATA(message);
	struct nl_attribute via;

	if (message->nlmsg_type != RTM_NEWROUTE ||
		message->nlmsg_len < NLMSG_LENGTH(sizeof(*header)))
		return;
	nl_attributes(message, sizeof(*header), attributes, RTA_VIA);
	route->found = true;
	route->type = header->rtm_type;
	route->ifindex = nl_u32(attributes[RTA_OIF]);
	nl_address(route->gateway, sizeof(route->gateway), attributes[RTA_GATEWAY]);
	nl_address(route->source, sizeof(route->source), attributes[RTA_PREFSRC]);
	/* An IPv4 route through an IPv6 gateway: the address follows its family. */
	via = attributes[RTA_VIA];
	if (via.size > sizeof(struct rtvia)) {
		via.data = (const uint8_t *)via.data + sizeof(struct rtvia);
		via.size -= sizeof(struct rtvia);
		nl_address(route->gateway, sizeof(route->gateway), via);
	}
}

/* Instead of an IPv4 route that refuses, the kernel sends the error that its packets would meet. */
static int read_refusal(int err, struct route *route)
{
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

/* Routes that are looked up together, and what became of it. */
struct lookup {
	struct nl_request requests[NL_BATCH];
	struct route routes[NL_BATCH];
	int errors[NL_BATCH];
};

static void on_answer(size_t number, const struct nlmsghdr *message, int err, void *context)
{
	struct lookup *lookup = context;

	if (message)
		read_route(message, &lookup->routes[number]);
	else
		lookup->errors[number] = read_refusal(err, &lookup->routes[number]);
}

static void begin_lookup(struct lookup *lookup, size_t number, int family, const void *address)
{
	size_t size = family == AF_INET ? 4 : 16;
	struct rtmsg header = {.rtm_family = (uint8_t)family, .rtm_dst_len = (uint8_t)(size * 8)};
	struct nl_request *request = &lookup->requests[number];

	memset(&lookup->routes[number], 0, sizeof(lookup->routes[number]));
	lookup->errors[number] = 0;
	nl_begin(request, RTM_GETROUTE, 0, &header, sizeof(header));
	nl_add(request, RTA_DST, address, size);
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

static napi_value route_to_js(napi_env env, const struct route *route)
{
	napi_value out;

	if (!route->found)
		return js_undefined(env);
	out = js_object(env);
	js_set(env, out, "ifindex", js_number(env, route->ifindex));
	js_set(env, out, "gateway", js_text(env, route->gateway));
	js_set(env, out, "source", js_text(env, route->source));
	js_set(env, out, "type", js_string(env, route_type(route->type)));
	return out;
}

static bool read_destination(
	napi_env env, napi_value destinations, uint32_t i, char *text, size_t size)
{
	napi_value item;

	return napi_get_element(env, destinations, i, &item) == napi_ok &&
	       value_string(env, item, "destination", text, size);
}

static bool add_request(
	napi_env env, napi_value destinations, uint32_t i, struct lookup *lookup, size_t number)
{
	char text[INET6_ADDRSTRLEN];
	uint8_t address[16];
	int family;

	if (!read_destination(env, destinations, i, text, sizeof(text)))
		return false;
	family = strchr(text, ':') ? AF_INET6 : AF_INET;
	if (inet_pton(family, text, address) != 1) {
		fail_type(env, "'%s' is not an IP address", text);
		return false;
	}
	begin_lookup(lookup, number, family, address);
	return true;
}

static napi_value fail_lookup(napi_env env, napi_value destinations, uint32_t i, int err)
{
	char text[INET6_ADDRSTRLEN];

	if (!read_destination(env, destinations, i, text, sizeof(text)))
		return NULL;
	return fail(env, -err, "netlink(RTM_GETROUTE)", "look up the route to %s", text);
}

/* Looks up `count` destinations from `first`, and puts the routes into `out`. False: thrown. */
static bool look_up(napi_env env, int fd, napi_value destinations, uint32_t first, size_t count,
	struct lookup *lookup, napi_value out)
{
	napi_value item = NULL;
	int err;

	for (size_t i = 0; i < count; i++)
		if (!add_request(env, destinations, first + (uint32_t)i, lookup, i))
			return false;
	err = nl_ask(fd, lookup->requests, count, on_answer, lookup);
	for (size_t i = 0; i < count; i++) {
		const struct route *route = &lookup->routes[i];

		if (err || lookup->errors[i]) {
			fail_lookup(env, destinations, first + (uint32_t)i,
				err ? err : lookup->errors[i]);
			return false;
		}
		/* Neighbouring destinations mostly have one way out: one object will do. */
		if (i == 0 || memcmp(route, route - 1, sizeof(*route)) != 0)
			item = route_to_js(env, route);
		if (!item)
			return false;
		js_push(env, out, first + (uint32_t)i, item);
	}
	return true;
}

/* routesGet(destinations): one route or undefined for each */
static napi_value routes_get(napi_env env, napi_callback_info info)
{
	struct lookup *lookup;
	struct args args;
	napi_value out;
	uint32_t count;
	bool done = true;
	int fd;

	if (!args_read(env, info, &args))
		return NULL;
	if (napi_get_array_length(env, args.v[0], &count) != napi_ok)
		return fail_type(env, "destinations must be an array");
	fd = nl_open(NETLINK_ROUTE);
	if (fd < 0)
		return fail(env, -fd, "socket(AF_NETLINK)", "look up routes");
	lookup = malloc(sizeof(*lookup));
	if (!lookup) {
		close(fd);
		return fail(env, ENOMEM, "malloc", "look up routes");
	}
	out = js_array(env);
	for (uint32_t i = 0; done && i < count; i += NL_BATCH)
		done = look_up(env, fd, args.v[0], i, count - i < NL_BATCH ? count - i : NL_BATCH,
			lookup, out);
	free(lookup);
	close(fd);
	return done ? out : NULL;
}

void route_init(napi_env env, napi_value exports)
{
	static const struct function functions[] = {{"routesGet", routes_get}};

	EXPORT(env, exports, functions);
}
