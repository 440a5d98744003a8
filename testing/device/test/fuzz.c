// SPDX-License-Identifier: GPL-2.0
/* The entry that libFuzzer calls; see `make fuzz`. */
#include "hostile.h"

int fuzz_one(const uint8_t *data, size_t size) __asm__("LLVMFuzzerTestOneInput");

int fuzz_one(const uint8_t *data, size_t size)
{
	hostile_run(data, size, NULL);
	return 0;
}
