/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Persistent reservations.
 */
#ifndef NVMQ_PR_H
#define NVMQ_PR_H

#include <linux/pr.h>

extern const struct pr_ops nvmq_pr_ops;

#endif /* NVMQ_PR_H */
