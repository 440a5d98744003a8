// SPDX-License-Identifier: GPL-2.0
/*
 * kexec KERNEL INITRAMFS: starts that kernel with the words of the one that
 * runs, after the drivers have shut their devices down.
 */
#include <fcntl.h>
#include <linux/reboot.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

int main(int argc, char **argv)
{
	static char words[4096];
	int kernel, initramfs, fd = open("/proc/cmdline", O_RDONLY);
	ssize_t length = fd < 0 ? -1 : read(fd, words, sizeof(words) - 1);

	if (argc != 3 || length < 1)
		return 2;
	words[strcspn(words, "\n")] = '\0';
	kernel = open(argv[1], O_RDONLY);
	initramfs = open(argv[2], O_RDONLY);
	if (kernel < 0 || initramfs < 0) {
		perror("kexec: files");
		return 1;
	}
	if (syscall(SYS_kexec_file_load, kernel, initramfs, strlen(words) + 1, words, 0)) {
		perror("kexec: load");
		return 1;
	}
	syscall(SYS_reboot, LINUX_REBOOT_MAGIC1, LINUX_REBOOT_MAGIC2, LINUX_REBOOT_CMD_KEXEC, NULL);
	perror("kexec: start");
	return 1;
}
