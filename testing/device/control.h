/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The control socket: a UNIX stream socket that takes lines and answers lines, so that
 * a person (socat, nc -U) or a test can steer the device while it runs.  "help" lists the
 * commands.  An answer is any number of lines that begin with a space, then one line:
 * "ok" or "error: TEXT".
 */
#ifndef DEVICE_CONTROL_H
#define DEVICE_CONTROL_H

#include <poll.h>
#include <stdbool.h>
#include <stdio.h>

#include "clock.h"
#include "judge.h"
#include "script.h"

/* More clients than this are turned away. */
#define CONTROL_CLIENTS		4
/* struct pollfd that control_fds() needs at most */
#define CONTROL_FDS		(1 + CONTROL_CLIENTS)

/**
 * struct control_command - a command that somebody else carries out
 * @name: its first word
 * @args: what may follow, for "help"; begins with a blank or is empty
 * @help: what it does, for "help"
 * @fn: carries it out: writes the answer to @out and returns 0; or writes what is wrong to @error
 *	and returns -errno.  @args is what followed, to be changed as it likes
 */
struct control_command {
	const char *name;
	const char *args;
	const char *help;
	int (*fn)(void *ctx, char *args, FILE *out, char *error, size_t size);
};

/**
 * struct control_ops - what the socket reaches beyond script, clock and judge
 * @stats: write counts, one "NAME VALUE" per line
 * @clear_stats: set them to 0
 * @commands: more commands; the last one has no name
 *
 * Each may be NULL.
 */
struct control_ops {
	void (*stats)(void *ctx, FILE *out);
	void (*clear_stats)(void *ctx);
	const struct control_command *commands;
};

struct control;

/**
 * control_listen - open the socket
 * @path: of the socket; a socket that nobody listens on is replaced
 * @script: for "lie" and its kin
 * @clock: for "clock" and "trace"
 * @judge: for "violations", "arm"; may be NULL
 * @ops: for the rest
 * @ctx: for @ops
 * @control: becomes the control
 *
 * Return: 0 or -errno.
 */
int control_listen(const char *path, struct script *script, struct clock *clock,
		   struct judge *judge, const struct control_ops *ops, void *ctx,
		   struct control **control);

/**
 * control_close - hang up on all clients, remove the socket
 * @control: may be NULL
 */
void control_close(struct control *control);

/**
 * control_fds - what to poll for
 * @control: may be NULL
 * @fds: CONTROL_FDS entries
 *
 * Return: how many were filled.
 */
unsigned int control_fds(struct control *control, struct pollfd *fds);

/**
 * control_process - serve what came, without blocking
 * @control: may be NULL
 *
 * Return: false once "quit" was said, else true.
 */
bool control_process(struct control *control);

#endif
