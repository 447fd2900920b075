/* SPDX-License-Identifier: MIT OR GPL-2.0-only */
/* A program that the verifier refuses: it reads a packet without looking where that ends. */
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

SEC("xdp")
int xdp_unchecked(struct xdp_md *ctx)
{
	return *(__u8 *)(long)ctx->data;
}

char LICENSE[] SEC("license") = "GPL";
