/* SPDX-License-Identifier: MIT */
#ifndef LB_NATIVE_INTERFACES_H
#define LB_NATIVE_INTERFACES_H

#include <net/if.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum offload { RX_CHECKSUM, TX_CHECKSUM, TSO, GSO, GRO, LRO, OFFLOADS };

struct interface {
	char name[IFNAMSIZ];
	char driver[33];
	char mac[3 * 32];
	uint32_t ifindex;
	uint32_t mtu;
	bool up;
	uint32_t xdp_program; /* 0: none */
	bool xdp_generic;
	bool has_xdp_features;
	uint64_t xdp_features;
	bool offloads[OFFLOADS];
};

struct interface_list {
	struct interface *items;
	size_t count;
	size_t capacity;
};

/* Fills in `driver` and `offloads` of every interface; what a driver does not say stays empty. 0 or -errno. */
int ethtool_read(struct interface_list *list);

/* Fills in `xdp_features` where the kernel has the `netdev` netlink family. 0 or -errno. */
int xdp_features_read(struct interface_list *list);

#endif
