/* SPDX-License-Identifier: GPL-2.0 */
/* Is a text a plan, and one for this machine? */
#ifndef NVMQ_TOOLS_FITS_H
#define NVMQ_TOOLS_FITS_H

#include <stdbool.h>

#include "../drivers/nvme/plan.h"

bool plan_fits(const char *text, struct nvmq_plan_error *error);

#endif
