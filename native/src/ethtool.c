/* SPDX-License-Identifier: MIT */
/* What ethtool tells of an interface: its driver and the offloads that matter to a load balancer. */
#include "interfaces.h"

#include <errno.h>
#include <linux/ethtool.h>
#include <linux/sockios.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

static bool ask(int fd, const char *name, void *command)
{
	struct ifreq request = {0};

	memcpy(request.ifr_name, name, IFNAMSIZ);
	request.ifr_data = command;
	return ioctl(fd, SIOCETHTOOL, &request) == 0;
}

static uint32_t ask_value(int fd, const char *name, uint32_t command)
{
	struct ethtool_value value = {.cmd = command};

	return ask(fd, name, &value) ? value.data : 0;
}

int ethtool_read(struct interface_list *list)
{
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	if (fd < 0)
		return -errno;
	for (size_t i = 0; i < list->count; i++) {
		struct interface *item = &list->items[i];
		struct ethtool_drvinfo driver = {.cmd = ETHTOOL_GDRVINFO};

		if (ask(fd, item->name, &driver))
			memcpy(item->driver, driver.driver, sizeof(driver.driver));
		item->offloads[RX_CHECKSUM] = ask_value(fd, item->name, ETHTOOL_GRXCSUM);
		item->offloads[TX_CHECKSUM] = ask_value(fd, item->name, ETHTOOL_GTXCSUM);
		item->offloads[TSO] = ask_value(fd, item->name, ETHTOOL_GTSO);
		item->offloads[GSO] = ask_value(fd, item->name, ETHTOOL_GGSO);
		item->offloads[GRO] = ask_value(fd, item->name, ETHTOOL_GGRO);
		item->offloads[LRO] = ask_value(fd, item->name, ETHTOOL_GFLAGS) & ETH_FLAG_LRO;
	}
	close(fd);
	return 0;
}
