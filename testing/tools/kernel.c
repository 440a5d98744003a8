// SPDX-License-Identifier: GPL-2.0
/*
 * Loaded into the nvmq command by testing/tools/run (LD_PRELOAD): what it writes
 * to bind and unbind of a made-up sysfs, and an exclusive open of a disk, has a
 * program called that plays the kernel, $NVMQ_KERNEL PATH [TEXT].  Its status is
 * the errno.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

/* Returns an errno, as the script does. */
static int ask(const char *path, const char *text)
{
	const char *kernel = getenv("NVMQ_KERNEL");
	int status;
	pid_t pid;

	if (!kernel)
		return 0;
	pid = fork();
	if (!pid) {
		unsetenv("LD_PRELOAD");
		execl(kernel, kernel, path, text, (char *)NULL);
		_exit(EIO);
	}
	if (pid > 0 && waitpid(pid, &status, 0) == pid && WIFEXITED(status))
		return WEXITSTATUS(status);
	fprintf(stderr, "%s: does not end well\n", kernel);
	exit(1);
}

static int ends_with(const char *text, const char *end)
{
	size_t len = strlen(text), end_len = strlen(end);

	return len >= end_len && !strcmp(text + len - end_len, end);
}

int open(const char *path, int flags, ...)
{
	int (*next)(const char *path, int flags, ...) = dlsym(RTLD_NEXT, "open");
	mode_t mode = 0;
	va_list args;

	va_start(args, flags);
	if (flags & O_CREAT)
		mode = va_arg(args, mode_t);
	va_end(args);
	if ((flags & O_EXCL) || strstr(path, "/dev/vfio/")) {
		int err = ask(path, NULL);

		if (err) {
			errno = err;
			return -1;
		}
	}
	return next(path, flags & ~O_EXCL, mode);
}

ssize_t write(int fd, const void *data, size_t size)
{
	ssize_t (*next)(int fd, const void *data, size_t size) = dlsym(RTLD_NEXT, "write");
	char link[64], path[PATH_MAX], text[64];
	ssize_t len;

	snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
	len = readlink(link, path, sizeof(path) - 1);
	path[len > 0 ? len : 0] = '\0';
	if (ends_with(path, "/bind") || ends_with(path, "/unbind")) {
		int err;

		snprintf(text, sizeof(text), "%.*s", (int)size, (const char *)data);
		err = ask(path, text);
		if (err) {
			errno = err;
			return -1;
		}
	}
	return next(fd, data, size);
}

uid_t geteuid(void)
{
	const char *uid = getenv("NVMQ_UID");

	return uid ? atoi(uid) : 0;
}
