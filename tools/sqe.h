/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The 64 bytes of a submission queue entry, field by field.
 */
#ifndef NVMQ_TOOLS_SQE_H
#define NVMQ_TOOLS_SQE_H

#include <stdbool.h>
#include <stdio.h>

#include <linux/types.h>
#include <nvmq/spec.h>

void sqe_print(const struct nvmq_sqe *sqe, bool admin, const char *indent, FILE *to);

#endif
