/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Security Send and Receive (base 5.25, 5.26), and a disk behind them that locks itself: as much
 * of TCG Opal 2.01 as it takes to own it, to give it ranges, and to lock and unlock these. A
 * session at a time; the first administrator is the only user of the Locking SP.
 */
#ifndef DEVICE_OPAL_H
#define DEVICE_OPAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct cmd;
struct ctrl;

#define OPAL_RANGES	4	/* the global one among them */
#define OPAL_PIN	32
#define OPAL_ANSWER	512

/**
 * struct opal_range - blocks that are locked together
 * @start: the first, of any namespace; of no meaning for the global range, number 0
 * @blocks: how many
 * @read_enabled: it can be locked for reading
 * @write_enabled: for writing
 * @read_locked: it is, if that is enabled
 * @write_locked: likewise
 */
struct opal_range {
	uint64_t start;
	uint64_t blocks;
	bool read_enabled;
	bool write_enabled;
	bool read_locked;
	bool write_locked;
};

/**
 * struct opal_pin - a password
 * @len: bytes of it
 * @text: they
 */
struct opal_pin {
	size_t len;
	uint8_t text[OPAL_PIN];
};

/**
 * struct opal - the state of the trusted peripheral
 * @owned: it is no longer as it was made: some memory here counts
 * @active: the Locking SP is
 * @sid: password of the owner
 * @admin1: of the administrator of the Locking SP
 * @range: what can be locked
 * @session: number of the open session; 0: none
 * @sp: UID of its security provider
 * @authority: UID of who has opened it; 0: anybody
 * @answer: what the next Security Receive gets
 * @len: bytes of @answer
 */
struct opal {
	bool owned;
	bool active;
	struct opal_pin sid;
	struct opal_pin admin1;
	struct opal_range range[OPAL_RANGES];
	uint32_t session;
	uint64_t sp;
	uint64_t authority;
	uint8_t answer[OPAL_ANSWER];
	size_t len;
};

/**
 * opal_send - Security Send
 * @cmd: the command
 *
 * Return: a status.
 */
int opal_send(struct cmd *cmd);

/**
 * opal_receive - Security Receive
 * @cmd: the command
 *
 * Return: a status.
 */
int opal_receive(struct cmd *cmd);

/**
 * opal_check - whether what is locked forbids an I/O command
 * @ctrl: the controller
 * @slba: its first block
 * @blocks: how many
 * @write: it writes; else it reads
 *
 * Return: 0 or a status.
 */
int opal_check(const struct ctrl *ctrl, uint64_t slba, uint64_t blocks, bool write);

/**
 * opal_reset - the controller is reset: the session ends
 * @opal: the state
 */
void opal_reset(struct opal *opal);

/**
 * opal_power_cut - the power goes: what can be locked is
 * @opal: the state
 */
void opal_power_cut(struct opal *opal);

#endif /* DEVICE_OPAL_H */
