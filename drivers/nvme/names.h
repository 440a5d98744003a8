/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Commands and statuses in words, for logs and for people.
 *
 * Compiles in user space too: the nvmq command has the same words.
 */
#ifndef NVMQ_NAMES_H
#define NVMQ_NAMES_H

#include <linux/types.h>

const char *nvmq_names_status(u16 status);
const char *nvmq_names_io(u8 opcode);
const char *nvmq_names_admin(u8 opcode);

#endif /* NVMQ_NAMES_H */
