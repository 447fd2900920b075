/* SPDX-License-Identifier: MIT */
/* What this process may do, where it is, and whom it tells. */
#include "common.h"

#include <bpf/libbpf.h>
#include <errno.h>
#include <linux/capability.h>
#include <linux/magic.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/vfs.h>
#include <unistd.h>

static napi_value possible_cpus(napi_env env, napi_callback_info info)
{
	int count = libbpf_num_possible_cpus();

	(void)info;
	if (count < 0)
		return fail(env, -count, "open", "read the number of possible CPUs");
	return js_number(env, count);
}

/* In the order of <linux/capability.h>. */
static const char *const CAPABILITIES[] = {
	"chown",
	"dac_override",
	"dac_read_search",
	"fowner",
	"fsetid",
	"kill",
	"setgid",
	"setuid",
	"setpcap",
	"linux_immutable",
	"net_bind_service",
	"net_broadcast",
	"net_admin",
	"net_raw",
	"ipc_lock",
	"ipc_owner",
	"sys_module",
	"sys_rawio",
	"sys_chroot",
	"sys_ptrace",
	"sys_pacct",
	"sys_admin",
	"sys_boot",
	"sys_nice",
	"sys_resource",
	"sys_time",
	"sys_tty_config",
	"mknod",
	"lease",
	"audit_write",
	"audit_control",
	"setfcap",
	"mac_override",
	"mac_admin",
	"syslog",
	"wake_alarm",
	"block_suspend",
	"audit_read",
	"perfmon",
	"bpf",
	"checkpoint_restore",
};

static napi_value capabilities(napi_env env, napi_callback_info info)
{
	struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
	struct __user_cap_data_struct data[_LINUX_CAPABILITY_U32S_3] = {0};
	uint32_t count = 0;
	napi_value out;

	(void)info;
	if (syscall(SYS_capget, &header, data))
		return fail(env, errno, "capget", "read the capabilities of this process");
	out = js_array(env);
	for (size_t i = 0; i < sizeof(CAPABILITIES) / sizeof(CAPABILITIES[0]); i++)
		if (data[i / 32].effective & (UINT32_C(1) << (i % 32)))
			js_push(env, out, count++, js_string(env, CAPABILITIES[i]));
	return out;
}

static napi_value is_bpffs(napi_env env, napi_callback_info info)
{
	char path[PATH_SIZE];
	struct statfs status;
	struct args args;

	if (!args_read(env, info, &args) || !arg_string(&args, 0, "path", path, sizeof(path)))
		return NULL;
	if (statfs(path, &status) == 0)
		return js_bool(env, status.f_type == BPF_FS_MAGIC);
	if (errno == ENOENT || errno == ENOTDIR)
		return js_bool(env, false);
	return fail(env, errno, "statfs", "see which file system '%s' is on", path);
}

/*
 * sendDatagram(address, bytes): one datagram to a Unix socket, which Node.js cannot send. `@` at the start
 * stands for the NUL of an abstract address. Does not wait for a receiver whose queue is full.
 */
static napi_value send_datagram(napi_env env, napi_callback_info info)
{
	struct sockaddr_un to = {.sun_family = AF_UNIX};
	struct bytes bytes;
	struct args args;
	socklen_t length;
	int fd, err = 0;

	if (!args_read(env, info, &args) ||
		!arg_string(&args, 0, "address", to.sun_path, sizeof(to.sun_path)) ||
		!arg_bytes(&args, 1, "bytes", &bytes))
		return NULL;
	length = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + strlen(to.sun_path));
	if (to.sun_path[0] == '@')
		to.sun_path[0] = 0;
	fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return fail(env, errno, "socket", "make a Unix datagram socket");
	if (sendto(fd, bytes.data, bytes.size, MSG_NOSIGNAL, (const struct sockaddr *)&to, length) <
		0)
		err = errno;
	close(fd);
	if (err)
		return fail(env, err, "sendto", "send a datagram to a Unix socket");
	return js_undefined(env);
}

void system_init(napi_env env, napi_value exports)
{
	static const struct function functions[] = {
		{"possibleCpus", possible_cpus},
		{"capabilities", capabilities},
		{"isBpffs", is_bpffs},
		{"sendDatagram", send_datagram},
	};

	EXPORT(env, exports, functions);
}
