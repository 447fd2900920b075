/* SPDX-License-Identifier: MIT */
/* An exclusive lock on a directory, which the kernel frees when its holder dies. */
#include "common.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

/* lockDirectory(path): undefined where it is held elsewhere */
static napi_value lock_directory(napi_env env, napi_callback_info info)
{
	char path[PATH_SIZE];
	struct args args;
	int fd, err = 0;

	if (!args_read(env, info, &args) || !arg_string(&args, 0, "path", path, sizeof(path)))
		return NULL;
	fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return fail(env, errno, "open", "open directory '%s' to lock it", path);
	while (flock(fd, LOCK_EX | LOCK_NB)) {
		if (errno == EINTR)
			continue;
		err = errno;
		break;
	}
	if (!err)
		return handle_new(env, HANDLE_LOCK, fd);
	close(fd);
	if (err == EWOULDBLOCK)
		return js_undefined(env);
	return fail(env, err, "flock", "lock directory '%s'", path);
}

void lock_init(napi_env env, napi_value exports)
{
	static const struct function functions[] = {{"lockDirectory", lock_directory}};

	EXPORT(env, exports, functions);
}
