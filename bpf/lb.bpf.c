/* SPDX-License-Identifier: MIT OR GPL-2.0-only */
/* One object, and so one copy of every map and of the code that the entry points share. */
#include "lb.xdp.bpf.c"
#include "lb.tc.bpf.c"

char lb_license[] SEC("license") = "Dual MIT/GPL";
