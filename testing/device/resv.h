/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Reservations (base 7.2 to 7.5, 8.19): who may write to or read from a namespace that
 * several hosts reach.  There is one controller, but the host behind it is the one of the
 * Host Identifier feature, and another host can be made up.
 */
#ifndef DEVICE_RESV_H
#define DEVICE_RESV_H

#include <stdbool.h>
#include <stdint.h>

#include <nvmq/spec.h>

struct cmd;
struct ctrl;
struct ns;

#define RESV_REGISTRANTS	8
#define RESV_NOTES		16
#define RESV_REPORT_MAX		4096	/* bytes; more than all registrants need */
#define RESV_CAN		0xff	/* RESCAP: all types, PTPL, 1.3 rules for IEKEY */

/**
 * struct resv - reservation of a namespace
 * @generation: changes of registrations
 * @type: enum nvmq_resv_type, 0: none is held
 * @holder: index of who holds it; of no meaning for "all registrants"
 * @persist: through power loss
 * @mask: feature 82h: notifications that are not wanted
 * @registrant: hosts; @key counts only if @used
 */
struct resv {
	uint32_t generation;
	uint8_t type;
	unsigned int holder;
	bool persist;
	uint32_t mask;
	struct {
		bool used;
		uint8_t host[16];
		uint64_t key;
	} registrant[RESV_REGISTRANTS];
};

/**
 * struct resv_notes - notifications that the host has not read (base 5.16.1.24)
 * @count: notifications ever made
 * @nr: how many are in @note
 * @note: oldest first
 */
struct resv_notes {
	uint64_t count;
	unsigned int nr;
	struct nvmq_log_reservation note[RESV_NOTES];
};

/**
 * resv_exec - Reservation Register, Acquire, Release, Report
 * @cmd: the command
 * @ns: its namespace
 *
 * Return: a status.
 */
int resv_exec(struct cmd *cmd, struct ns *ns);

/**
 * resv_check - whether a reservation forbids a command (base 8.19)
 * @cmd: the command
 * @ns: its namespace
 * @write: it writes; else it reads
 *
 * Return: 0 or a status.
 */
int resv_check(const struct cmd *cmd, const struct ns *ns, bool write);

/**
 * resv_power_cut - what a power cut leaves of a reservation
 * @resv: the reservation
 */
void resv_power_cut(struct resv *resv);

/**
 * resv_foreign - another host takes the namespace
 * @ctrl: the controller; notifications and their events follow
 * @nsid: namespace
 * @type: enum nvmq_resv_type; 0: the other host gives up what it has
 * @key: its key, not 0
 *
 * What is held by others is preempted.
 *
 * Return: 0, -ENOENT for no namespace, -EINVAL, -EOPNOTSUPP without reservations.
 */
int resv_foreign(struct ctrl *ctrl, uint32_t nsid, uint8_t type, uint64_t key);

#endif
