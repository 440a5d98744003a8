/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Time in the device: how long a command takes by the model, what is due when, and
 * the trace of what happened when.  All times are nanoseconds of CLOCK_MONOTONIC.
 */
#ifndef DEVICE_CLOCK_H
#define DEVICE_CLOCK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <time.h>

/* Later than any time. */
#define CLOCK_NEVER		UINT64_MAX

/**
 * clock_now - what time it is
 *
 * Return: nanoseconds of CLOCK_MONOTONIC.
 */
static inline uint64_t clock_now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000000000 + (uint64_t)ts.tv_nsec;
}

/**
 * clock_parse_time - read a time like "20us" or "1.5s"
 * @text: ends with the unit: ns, us, ms or s
 * @ns: becomes the nanoseconds
 *
 * Return: whether it is one, of at most a day.
 */
bool clock_parse_time(const char *text, uint64_t *ns);

/**
 * clock_parse_percent - read "5%" or "99.9%" as a probability
 * @text: from 0% to 100%
 * @chance: becomes units of 2^-32, see mix_chance()
 *
 * Return: whether it is one.
 */
bool clock_parse_percent(const char *text, uint64_t *chance);

/**
 * struct clock_stamps - when the things of a command's life happened, 0: not
 * @doorbell: the write that announced it
 * @fetch: its entry was read
 * @data: the last byte of its data was moved
 * @post: its completion was written
 * @irq: the interrupt was sent
 */
struct clock_stamps {
	uint64_t doorbell;
	uint64_t fetch;
	uint64_t data;
	uint64_t post;
	uint64_t irq;
};

/**
 * struct clock - model, schedule and trace
 * @modelled: some delay is set: ask clock_due()
 * @tracing: a trace is being written: call clock_trace() and clock_trace_irq()
 * @rest: private
 */
struct clock {
	bool modelled;
	bool tracing;
	struct clock_rest *rest;
};

/**
 * clock_new - a clock without delay and trace
 *
 * Return: the clock, NULL without memory.
 */
struct clock *clock_new(void);

/**
 * clock_free - throw a clock away
 * @clock: may be NULL; its trace is ended, its schedule forgotten
 */
void clock_free(struct clock *clock);

/* The model */

/**
 * clock_set - change the model
 * @clock: which
 * @text: parts separated by commas: "constant 80us", "rate 500MB/s", "queue 2 1ms",
 *	"tail 99.9% 20ms", "seed 7", "off"
 * @error: becomes what is wrong, with its column
 * @size: bytes there
 *
 * Parts that are not named stay; "off" forgets all.  Nothing changes if a part is wrong.
 *
 * Return: 0 or -EINVAL.
 */
int clock_set(struct clock *clock, const char *text, char *error, size_t size);

/**
 * clock_print - write the model as clock_set() takes it
 * @clock: which
 * @out: where to; without a newline
 */
void clock_print(const struct clock *clock, FILE *out);

/**
 * clock_rewind - begin again with the luck of the tails
 * @clock: the next command of each queue is its first
 */
void clock_rewind(struct clock *clock);

/**
 * clock_due - when a command should complete by the model
 * @clock: with @clock->modelled
 * @qid: its submission queue
 * @bytes: that it moves
 * @now: when it was fetched
 *
 * To be called once per command.  The n-th command of a queue has the same luck in each run
 * with the same seed, whatever the other queues do.
 *
 * Return: a time, @now or later.
 */
uint64_t clock_due(struct clock *clock, unsigned int qid, uint64_t bytes, uint64_t now);

/* The schedule: a heap; equal times come out in the order they went in */

/**
 * clock_add - remember something for later
 * @clock: where
 * @when: time
 * @what: what clock_pop() will return
 *
 * Allocates only when there are more entries than ever before.
 *
 * Return: 0 or -ENOMEM.
 */
int clock_add(struct clock *clock, uint64_t when, void *what);

/**
 * clock_next - when clock_pop() has something next
 * @clock: which
 *
 * Return: the time of the earliest entry, CLOCK_NEVER if there is none.
 */
uint64_t clock_next(const struct clock *clock);

/**
 * clock_pop - take the earliest entry, if it is time
 * @clock: from where
 * @now: what time it is
 *
 * Return: what clock_add() was given, NULL if nothing is due.
 */
void *clock_pop(struct clock *clock, uint64_t now);

/**
 * clock_cancel - take entries out before their time
 * @clock: where
 * @match: says which, and may take it over; must not call clock functions; NULL: all
 * @ctx: for @match
 *
 * Return: how many.
 */
unsigned int clock_cancel(struct clock *clock, bool (*match)(void *what, void *ctx), void *ctx);

/**
 * clock_pending - how many entries there are
 * @clock: where
 *
 * Return: the number.
 */
unsigned int clock_pending(const struct clock *clock);

/* The trace */

/**
 * clock_trace_on - begin a trace, end the one before
 * @clock: which
 * @file: created, or emptied
 *
 * Return: 0 or -errno.
 */
int clock_trace_on(struct clock *clock, const char *file);

/**
 * clock_trace_off - end the trace
 * @clock: which; may be without a trace
 *
 * Return: 0, or -errno of any write since clock_trace_on().
 */
int clock_trace_off(struct clock *clock);

/**
 * clock_trace_flush - bring the file up to date
 * @clock: which; may be without a trace
 *
 * For idle times.  What may still get an interrupt is kept back for 100 ms.
 */
void clock_trace_flush(struct clock *clock);

/**
 * struct clock_record - one command of the trace
 * @sqid: submission queue
 * @cqid: completion queue
 * @cid: command identifier
 * @status: status field without phase
 * @opcode: of the command
 * @bytes: it moved
 * @at: its times; @at.irq may be 0 and come with clock_trace_irq()
 */
struct clock_record {
	uint16_t sqid;
	uint16_t cqid;
	uint16_t cid;
	uint16_t status;
	uint8_t opcode;
	uint32_t bytes;
	struct clock_stamps at;
};

/**
 * clock_trace - a command was completed
 * @clock: with @clock->tracing only
 * @record: about it; copied
 */
void clock_trace(struct clock *clock, const struct clock_record *record);

/**
 * clock_trace_irq - an interrupt was sent for a completion queue
 * @clock: with @clock->tracing only
 * @cqid: which
 * @now: when
 *
 * It is noted for all commands of that queue that have none yet.
 */
void clock_trace_irq(struct clock *clock, unsigned int cqid, uint64_t now);

#endif
