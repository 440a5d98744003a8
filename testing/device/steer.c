// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "ctrl.h"
#include "device.h"
#include "log.h"
#include "ns.h"
#include "resv.h"
#include "steer.h"

#define MAX_NUMBERS	3

__attribute__((format(printf, 3, 4)))
static int wrong(char *error, size_t size, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(error, size, fmt, ap);
	va_end(ap);
	return -EINVAL;
}

/* The arguments as @min to @max numbers; those that are not there stay as they are. */
static int numbers(char *args, unsigned int min, unsigned int max, uint64_t *value, char *error,
		   size_t size)
{
	char *word, *end, *save = NULL;
	unsigned int nr = 0;

	for (word = strtok_r(args, " \t", &save); word; word = strtok_r(NULL, " \t", &save)) {
		if (nr == max)
			return wrong(error, size, "expected nothing more, found '%.40s'", word);
		errno = 0;
		value[nr] = strtoull(word, &end, 0);
		if (*word < '0' || *word > '9' || *end || errno)
			return wrong(error, size, "expected a number, found '%.40s'", word);
		nr++;
	}
	return nr < min ? wrong(error, size, "expected a number, found the end of the line") : 0;
}

static int do_leaks(void *ctx, char *args, FILE *out, char *error, size_t size)
{
	struct device *device = ctx;
	/* Larger ones are the guest's RAM, where there is no IOMMU. */
	uint64_t limit = 16 << 20;

	if (numbers(args, 0, 1, &limit, error, size))
		return -EINVAL;
	fprintf(out, "leaks %u\n", ctrl_check_leaks(device->ctrl, limit));
	return 0;
}

static int do_power_cut(void *ctx, char *args, FILE *out, char *error, size_t size)
{
	struct device *device = ctx;
	struct ctrl *ctrl = device->ctrl;
	uint64_t seed = 0;

	if (numbers(args, 0, 1, &seed, error, size))
		return -EINVAL;
	ctrl->logs->power_cycles++;
	/* Of a controller that was told of it, it is no unsafe shutdown (base 5.16.1.3). */
	if ((ctrl->csts & NVMQ_CSTS_SHST_MASK) != NVMQ_CSTS_SHST_DONE)
		ctrl->logs->unsafe_shutdowns++;
	fprintf(out, "lost %llu\n", (unsigned long long)nss_power_cut(ctrl->nss, seed));
	opal_power_cut(&ctrl->tcg);
	ctrl_reset(ctrl, RESET_BUS);
	return 0;
}

static int do_temperature(void *ctx, char *args, FILE *out, char *error, size_t size)
{
	struct device *device = ctx;
	uint64_t kelvin;

	(void)out;
	if (numbers(args, 1, 1, &kelvin, error, size))
		return -EINVAL;
	if (kelvin > UINT16_MAX)
		return wrong(error, size, "expected at most 65535 kelvin");
	log_set_temperature(device->ctrl, kelvin);
	return 0;
}

static int do_warning(void *ctx, char *args, FILE *out, char *error, size_t size)
{
	struct device *device = ctx;
	uint64_t warning;

	(void)out;
	if (numbers(args, 1, 1, &warning, error, size))
		return -EINVAL;
	if (warning > UINT8_MAX)
		return wrong(error, size, "expected at most 0xff");
	log_set_warning(device->ctrl, warning);
	return 0;
}

static int do_ana(void *ctx, char *args, FILE *out, char *error, size_t size)
{
	struct device *device = ctx;
	uint64_t value[2];

	(void)out;
	if (numbers(args, 2, 2, value, error, size))
		return -EINVAL;
	if (value[0] > UINT32_MAX || value[1] > UINT8_MAX ||
	    log_set_ana(device->ctrl, value[0], value[1]))
		return wrong(error, size, "there is no such group or state, or no ANA");
	return 0;
}

static int do_reserve(void *ctx, char *args, FILE *out, char *error, size_t size)
{
	uint64_t value[MAX_NUMBERS] = { 0, 0, 1 };
	struct device *device = ctx;
	int err;

	(void)out;
	if (numbers(args, 2, MAX_NUMBERS, value, error, size))
		return -EINVAL;
	if (value[0] > UINT32_MAX || value[1] > UINT8_MAX)
		return wrong(error, size, "expected a smaller number");
	err = resv_foreign(device->ctrl, value[0], value[1], value[2]);
	if (err == -ENOENT)
		return wrong(error, size, "there is no namespace %llu",
			     (unsigned long long)value[0]);
	if (err == -EOPNOTSUPP)
		return wrong(error, size, "there are no reservations: -d reservations");
	return err ? wrong(error, size, "expected a type of 0 to 6 and a key that is not 0") : 0;
}

const struct control_command steer_commands[] = {
	{ "leaks", " [BYTES]", "mappings that are left, of up to 16 MiB", do_leaks },
	{ "power-cut", " [SEED]", "the power fails, and comes back", do_power_cut },
	{ "temperature", " KELVIN", "the controller becomes hot or cold", do_temperature },
	{ "warning", " BITS", "critical warnings of the health log", do_warning },
	{ "ana", " GROUP STATE", "an ANA group changes its state", do_ana },
	{ "reserve", " NSID TYPE [KEY]", "another host takes a namespace", do_reserve },
	{ NULL, NULL, NULL, NULL },
};
