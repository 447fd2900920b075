/* SPDX-License-Identifier: MIT */
/*
 * What drivers can do for XDP, from the generic netlink family `netdev` (kernel 6.3). Its numbers are
 * those of Documentation/netlink/specs/netdev.yaml: older distributions have no header for them.
 */
#include "interfaces.h"
#include "netlink.h"

#include <errno.h>
#include <linux/genetlink.h>
#include <string.h>
#include <unistd.h>

#define NETDEV_FAMILY "netdev"
#define NETDEV_CMD_DEV_GET 1
#define NETDEV_A_DEV_IFINDEX 1
#define NETDEV_A_DEV_XDP_FEATURES 3

static int on_family(const struct nlmsghdr *message, void *context)
{
	struct nl_attribute attributes[CTRL_ATTR_FAMILY_ID + 1];
	uint16_t *id = context;

	nl_attributes(message, GENL_HDRLEN, attributes, CTRL_ATTR_FAMILY_ID);
	if (attributes[CTRL_ATTR_FAMILY_ID].size >= sizeof(*id))
		memcpy(id, attributes[CTRL_ATTR_FAMILY_ID].data, sizeof(*id));
	return 0;
}

static int on_device(const struct nlmsghdr *message, void *context)
{
	struct nl_attribute attributes[NETDEV_A_DEV_XDP_FEATURES + 1];
	struct interface_list *list = context;
	uint32_t ifindex;

	nl_attributes(message, GENL_HDRLEN, attributes, NETDEV_A_DEV_XDP_FEATURES);
	if (attributes[NETDEV_A_DEV_XDP_FEATURES].size < sizeof(uint64_t))
		return 0;
	ifindex = nl_u32(attributes[NETDEV_A_DEV_IFINDEX]);
	for (size_t i = 0; i < list->count; i++) {
		if (list->items[i].ifindex != ifindex)
			continue;
		list->items[i].has_xdp_features = true;
		memcpy(&list->items[i].xdp_features, attributes[NETDEV_A_DEV_XDP_FEATURES].data,
			sizeof(uint64_t));
	}
	return 0;
}

int xdp_features_read(struct interface_list *list)
{
	struct genlmsghdr find = {.cmd = CTRL_CMD_GETFAMILY, .version = 1};
	struct genlmsghdr get = {.cmd = NETDEV_CMD_DEV_GET, .version = 1};
	struct nl_request request;
	uint16_t family = 0;
	int err, fd = nl_open(NETLINK_GENERIC);

	if (fd < 0)
		return fd;
	nl_begin(&request, GENL_ID_CTRL, 0, &find, sizeof(find));
	nl_add(&request, CTRL_ATTR_FAMILY_NAME, NETDEV_FAMILY, sizeof(NETDEV_FAMILY));
	err = nl_exchange(fd, &request, on_family, &family);
	/* Interfaces that come or go meanwhile leave the others' answers true. */
	if (!err && family) {
		nl_begin(&request, family, NLM_F_DUMP, &get, sizeof(get));
		err = nl_exchange(fd, &request, on_device, list);
	}
	close(fd);
	return err == -ENOENT || err == -EINTR ? 0 : err;
}
