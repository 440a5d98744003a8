/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Features: Get and Set Features (base 5.15, 5.27; nvm 4.1.3).
 *
 * Those of a namespace stand in struct ns, the others here.
 */
#ifndef DEVICE_FEATURE_H
#define DEVICE_FEATURE_H

#include <stdbool.h>
#include <stdint.h>

#include <nvmq/spec.h>

struct cmd;
struct ctrl;

#define FEATURE_SENSORS		9	/* composite, and 8 */

/**
 * struct feature_info - what can be done with a feature
 * @known: it is supported at all
 * @caps: NVMQ_FEAT_CAP_*
 * @bytes: data that goes with it
 * @mask: bits of dword 11 that are not reserved
 */
struct feature_info {
	bool known;
	uint8_t caps;
	uint16_t bytes;
	uint32_t mask;
};

/**
 * struct features - values
 * @info: what can be done, by feature identifier
 * @preset: default values of dword 11
 * @current: current values of dword 11
 * @saved: saved ones
 * @over: Temperature Threshold, kelvin
 * @under: likewise
 * @apst: Autonomous Power State Transition table, current
 * @apst_saved: saved
 * @behavior: Host Behavior Support
 * @host_id: Host Identifier
 * @timestamp_ms: Timestamp as it was set
 * @timestamp_set: clock_now() of that moment
 * @timestamp_flags: byte 6 of it
 */
struct features {
	struct feature_info info[256];
	uint32_t preset[256];
	uint32_t current[256];
	uint32_t saved[256];
	uint16_t over[FEATURE_SENSORS];
	uint16_t under[FEATURE_SENSORS];
	__le64 apst[32];
	__le64 apst_saved[32];
	struct nvmq_host_behavior behavior;
	uint8_t host_id[16];
	uint64_t timestamp_ms;
	uint64_t timestamp_set;
	uint8_t timestamp_flags;
};

/**
 * features_new - the features that a controller with these options has
 * @ctrl: the controller, its options are set
 *
 * Return: them, with their defaults; or NULL, no memory.
 */
struct features *features_new(struct ctrl *ctrl);

/**
 * features_free - take them away
 * @feat: or NULL
 */
void features_free(struct features *feat);

/**
 * features_reset - what a Controller Level Reset does: saved values, or defaults
 * @ctrl: the controller
 */
void features_reset(struct ctrl *ctrl);

/**
 * feature_value - current value of a feature
 * @feat: the features
 * @fid: feature identifier, not one of a namespace or a vector
 *
 * Return: dword 11 of Set Features.
 */
static inline uint32_t feature_value(const struct features *feat, uint8_t fid)
{
	return feat->current[fid];
}

/**
 * feature_cache - whether the volatile write cache is there and enabled
 * @feat: the features
 *
 * Return: true if a write without FUA may be lost.
 */
static inline bool feature_cache(const struct features *feat)
{
	return feat->info[NVMQ_FEAT_WRITE_CACHE].known &&
	       feat->current[NVMQ_FEAT_WRITE_CACHE] & NVMQ_WRITE_CACHE_ENABLE;
}

/**
 * feature_set - Set Features
 * @cmd: the command
 *
 * Return: a status.
 */
int feature_set(struct cmd *cmd);

/**
 * feature_get - Get Features
 * @cmd: the command
 *
 * Return: a status.
 */
int feature_get(struct cmd *cmd);

#endif
