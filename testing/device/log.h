/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Log pages (base 5.16), what they are made from, and Device Self-test (base 5.9).
 */
#ifndef DEVICE_LOG_H
#define DEVICE_LOG_H

#include <stdbool.h>
#include <stdint.h>

#include <nvmq/spec.h>

#include "ns.h"
#include "resv.h"

struct cmd;
struct ctrl;

#define LOG_ERRORS		64	/* ELPE + 1 */
#define LOG_ANA_GROUPS		16
#define LOG_SELF_TESTS		20
#define LOG_WARNING_KELVIN	343	/* WCTEMP */
#define LOG_CRITICAL_KELVIN	358	/* CCTEMP */
#define LOG_NORMAL_KELVIN	313

/**
 * struct logs - what the log pages are made from
 * @error: ring of entries
 * @nr_errors: entries ever made; the newest is at (@nr_errors - 1) % LOG_ERRORS
 * @reads: Read, Compare and Verify commands
 * @writes: Write commands
 * @sectors_read: units of 512 bytes
 * @sectors_written: units of 512 bytes
 * @media_errors: unrecovered reads
 * @power_cycles: since it was made
 * @unsafe_shutdowns: power cuts without shutdown
 * @start: clock_now() when it was made
 * @temperature: kelvin, composite
 * @warning: critical warning bits
 * @spare: percent
 * @changed: namespaces that changed since the host read of it, by NSID - 1
 * @ana_state: enum nvmq_ana_state, by group - 1
 * @ana_count: change count, by group - 1
 * @ana_changes: of all
 * @resv: reservation notifications
 * @test_running: self-test code, 0: none
 * @test_nsid: for which namespace
 * @test_start: clock_now() when it began
 * @test_ns: how long it takes
 * @test: results, newest first
 */
struct logs {
	struct nvmq_log_error error[LOG_ERRORS];
	uint64_t nr_errors;
	uint64_t reads;
	uint64_t writes;
	uint64_t sectors_read;
	uint64_t sectors_written;
	uint64_t media_errors;
	uint64_t power_cycles;
	uint64_t unsafe_shutdowns;
	uint64_t start;
	uint16_t temperature;
	uint8_t warning;
	uint8_t spare;
	bool changed[NS_MAX];
	uint8_t ana_state[LOG_ANA_GROUPS];
	uint64_t ana_count[LOG_ANA_GROUPS];
	uint64_t ana_changes;
	struct resv_notes resv;
	uint8_t test_running;
	uint32_t test_nsid;
	uint64_t test_start;
	uint64_t test_ns;
	struct nvmq_self_test_result test[LOG_SELF_TESTS];
};

/**
 * logs_new - empty logs
 * @ctrl: the controller, its options are set
 *
 * Return: them, or NULL: no memory.
 */
struct logs *logs_new(struct ctrl *ctrl);

/**
 * logs_free - take them away
 * @logs: or NULL
 */
void logs_free(struct logs *logs);

/**
 * logs_reset - what a Controller Level Reset does
 * @ctrl: the controller
 *
 * A short self-test is aborted (base 5.9), the list of changed namespaces is empty; the rest
 * stays.
 */
void logs_reset(struct ctrl *ctrl);

/**
 * log_error - a command failed: an entry of Error Information (base 5.16.1.2)
 * @cmd: the command
 * @status: as it is posted, without the phase tag
 */
void log_error(struct cmd *cmd, uint16_t status);

/**
 * log_ns_changed - a namespace changed: the list, and the event
 * @ctrl: the controller
 * @nsid: which
 */
void log_ns_changed(struct ctrl *ctrl, uint32_t nsid);

/**
 * log_set_temperature - the controller becomes hot or cold
 * @ctrl: the controller
 * @kelvin: composite temperature; an event follows if it crosses a threshold
 */
void log_set_temperature(struct ctrl *ctrl, uint16_t kelvin);

/**
 * log_set_warning - critical warnings change
 * @ctrl: the controller
 * @warning: NVMQ_SMART_* of what is to be; an event follows for what is new
 */
void log_set_warning(struct ctrl *ctrl, uint8_t warning);

/**
 * log_set_ana - an ANA group changes its state; the event follows
 * @ctrl: the controller, with ANA
 * @group: from 1 on
 * @state: enum nvmq_ana_state
 *
 * Return: 0 or -EINVAL.
 */
int log_set_ana(struct ctrl *ctrl, uint32_t group, uint8_t state);

/**
 * log_get - Get Log Page
 * @cmd: the command
 *
 * Return: a status.
 */
int log_get(struct cmd *cmd);

/**
 * log_self_test - Device Self-test
 * @cmd: the command
 *
 * Return: a status.
 */
int log_self_test(struct cmd *cmd);

#endif
