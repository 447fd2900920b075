/* SPDX-License-Identifier: MIT */
/* The interfaces of the caller's network namespace. */
#include "interfaces.h"
#include "common.h"
#include "netlink.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Dumps that changes overtook are made again, this often. */
#define DUMP_ATTEMPTS 10

static void write_mac(char *out, size_t size, struct nl_attribute address)
{
	const uint8_t *bytes = address.data;
	size_t used = 0;

	out[0] = 0;
	for (size_t i = 0; i < address.size && used + 4 <= size; i++)
		used += (size_t)snprintf(out + used, size - used, "%s%02x", i ? ":" : "", bytes[i]);
}

static int on_link(const struct nlmsghdr *message, void *context)
{
	struct nl_attribute attributes[IFLA_XDP + 1], xdp[IFLA_XDP_PROG_ID + 1];
	const struct ifinfomsg *link = NLMSG_DATA(message);
	struct interface_list *list = context;
	struct interface *item;
	size_t length;

	if (message->nlmsg_type != RTM_NEWLINK || message->nlmsg_len < NLMSG_LENGTH(sizeof(*link)))
		return 0;
	if (list->count == list->capacity) {
		size_t capacity = list->capacity ? list->capacity * 2 : 16;
		struct interface *items = realloc(list->items, capacity * sizeof(*items));

		if (!items)
			return -ENOMEM;
		list->items = items;
		list->capacity = capacity;
	}
	nl_attributes(message, sizeof(*link), attributes, IFLA_XDP);
	nl_nested(attributes[IFLA_XDP], xdp, IFLA_XDP_PROG_ID);
	item = &list->items[list->count++];
	memset(item, 0, sizeof(*item));
	item->ifindex = (uint32_t)link->ifi_index;
	item->up = link->ifi_flags & IFF_UP;
	item->mtu = nl_u32(attributes[IFLA_MTU]);
	item->xdp_program = nl_u32(xdp[IFLA_XDP_PROG_ID]);
	if (xdp[IFLA_XDP_ATTACHED].size)
		item->xdp_generic =
			*(const uint8_t *)xdp[IFLA_XDP_ATTACHED].data == XDP_ATTACHED_SKB;
	length = attributes[IFLA_IFNAME].size;
	if (length)
		memcpy(item->name, attributes[IFLA_IFNAME].data,
			length < IFNAMSIZ ? length : IFNAMSIZ - 1);
	write_mac(item->mac, sizeof(item->mac), attributes[IFLA_ADDRESS]);
	return 0;
}

static int read_links(struct interface_list *list)
{
	struct ifinfomsg all = {.ifi_family = AF_UNSPEC};
	struct nl_request request;
	int err, fd = nl_open(NETLINK_ROUTE);

	if (fd < 0)
		return fd;
	for (int attempt = 0; attempt < DUMP_ATTEMPTS; attempt++) {
		list->count = 0;
		nl_begin(&request, RTM_GETLINK, NLM_F_DUMP, &all, sizeof(all));
		err = nl_exchange(fd, &request, on_link, list);
		if (err != -EINTR)
			break;
	}
	close(fd);
	return err;
}

static napi_value to_js(napi_env env, const struct interface *item)
{
	static const char *const names[OFFLOADS] = {
		"rx-checksum", "tx-checksum", "tso", "gso", "gro", "lro"};
	napi_value out = js_object(env), offloads = js_object(env);

	js_set(env, out, "name", js_string(env, item->name));
	js_set(env, out, "ifindex", js_number(env, item->ifindex));
	js_set(env, out, "driver", js_string(env, item->driver));
	js_set(env, out, "mtu", js_number(env, item->mtu));
	js_set(env, out, "up", js_bool(env, item->up));
	js_set(env, out, "mac", js_string(env, item->mac));
	js_set(env, out, "xdpProgram",
		item->xdp_program ? js_number(env, item->xdp_program) : js_undefined(env));
	js_set(env, out, "xdpGeneric", js_bool(env, item->xdp_generic));
	js_set(env, out, "xdpFeatures",
		item->has_xdp_features ? js_number(env, (double)item->xdp_features)
				       : js_undefined(env));
	for (int i = 0; i < OFFLOADS; i++)
		js_set(env, offloads, names[i], js_bool(env, item->offloads[i]));
	js_set(env, out, "offloads", offloads);
	return out;
}

static napi_value interfaces(napi_env env, napi_callback_info info)
{
	struct interface_list list = {0};
	const char *call = "netlink(RTM_GETLINK)";
	napi_value out = NULL;
	int err;

	(void)info;
	err = read_links(&list);
	if (!err) {
		call = "netlink(NETDEV_CMD_DEV_GET)";
		err = xdp_features_read(&list);
	}
	if (!err) {
		call = "socket";
		err = ethtool_read(&list);
	}
	if (err)
		fail(env, -err, call, "list the network interfaces");
	else
		out = js_array(env);
	for (size_t i = 0; out && i < list.count; i++)
		js_push(env, out, (uint32_t)i, to_js(env, &list.items[i]));
	free(list.items);
	return out;
}

void interfaces_init(napi_env env, napi_value exports)
{
	static const struct function functions[] = {{"interfaces", interfaces}};

	EXPORT(env, exports, functions);
}
