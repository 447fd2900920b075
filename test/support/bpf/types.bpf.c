/* SPDX-License-Identifier: MIT OR GPL-2.0-only */
/* Types of every kind that reading BTF has to tell apart. */
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

enum colour { RED = 1, GREEN = 2, BLUE = -3 };

typedef enum { SMALL, LARGE = 4000000000u } size_class;

struct inner {
	__be16 port_be;
	__u8 flags;
};

typedef struct {
	__s32 x;
	__s32 y;
} point;

union word {
	__u32 number;
	__u8 bytes[4];
};

struct everything {
	__u64 counter;
	__s8 tiny;
	_Bool yes;
	enum colour colour;
	size_class size;
	__be32 addresses_be[4];
	__u8 matrix[2][3];
	struct inner inners[2];
	point where;
	union word word;
	struct inner *pointer;
	const volatile __u16 qualified;
	union {
		__u32 left;
		struct {
			__u16 low;
			__u16 high;
		};
	};
};

const volatile struct everything everything = {};

SEC("xdp")
int xdp_types(struct xdp_md *ctx)
{
	return everything.counter ? XDP_DROP : XDP_PASS;
}

char LICENSE[] SEC("license") = "GPL";
