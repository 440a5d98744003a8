/* SPDX-License-Identifier: GPL-2.0 */
/* Who uses a disk, and how to keep it from being used. */
#ifndef NVMQ_TOOLS_USE_H
#define NVMQ_TOOLS_USE_H

#include <stddef.h>

/**
 * struct use_claims - disks that nobody else can mount or otherwise have to himself
 * @fds: their descriptors
 * @count: number of those
 */
struct use_claims {
	int *fds;
	size_t count;
};

char *use_claim(const char *disks, struct use_claims *claims);
char *use_of_vfio(const char *bdf);
void use_release(struct use_claims *claims);

#endif
