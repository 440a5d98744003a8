/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The judge's book: the table of rules (rules.h), what was violated, and the last commands of each
 * queue.  It decides nothing: whoever sees an access checks it, and reports here.
 */
#ifndef DEVICE_JUDGE_H
#define DEVICE_JUDGE_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include <nvmq/spec.h>

/* One for each DEFRULE() in rules.h. */
enum rule {
#define DEFRULE(id, section, sentence)	RULE_##id,
#include "rules.h"
	NR_RULES
};

/**
 * enum judge_mode - what becomes of a violation
 * @JUDGE_OFF: nothing; it is not even counted
 * @JUDGE_WARN: it is logged and counted
 * @JUDGE_FAIL: that, and the device's exit status is not 0
 */
enum judge_mode { JUDGE_OFF, JUDGE_WARN, JUDGE_FAIL };

/**
 * struct judge_rule - what the table says about a rule
 * @id: its name, as in rules.h
 * @section: of the specification
 * @sentence: what the host has to do
 */
struct judge_rule {
	const char *id;
	const char *section;
	const char *sentence;
};

struct judge;

/**
 * judge_new - an empty book
 * @mode: what becomes of violations
 * @log: where their lines go; not closed by judge_free()
 *
 * Return: the book, armed; NULL if there is no memory.
 */
struct judge *judge_new(enum judge_mode mode, FILE *log);

/**
 * judge_free - throw the book away
 * @judge: may be NULL
 */
void judge_free(struct judge *judge);

/**
 * judge_violation - the host broke a rule
 * @judge: the book; NULL: nobody is judging
 * @rule: which
 * @qid: queue whose last commands belong to the story; -1: none
 * @fmt: what was seen, one line without its end
 *
 * Counts it and writes one line: rule, section, sentence, what was seen, and the queue's last
 * commands.  After %JUDGE_LINES lines of one rule, the rest of that rule is only counted.
 */
__attribute__((format(printf, 4, 5)))
void judge_violation(struct judge *judge, enum rule rule, int qid, const char *fmt, ...);

#define JUDGE_LINES	20

/**
 * judge_command - remember a command
 * @judge: the book
 * @qid: its submission queue
 * @slot: its place there
 * @sqe: the entry; copied
 */
void judge_command(struct judge *judge, unsigned int qid, unsigned int slot,
		   const struct nvmq_sqe *sqe);

/**
 * judge_count - how often a rule was broken
 * @judge: the book
 * @rule: which
 *
 * Return: the number since judge_clear().
 */
unsigned long judge_count(const struct judge *judge, enum rule rule);

/**
 * judge_total - how often any rule was broken
 * @judge: the book
 *
 * Return: the number since judge_clear().
 */
unsigned long judge_total(const struct judge *judge);

/**
 * judge_clear - forget violations and commands
 * @judge: the book
 */
void judge_clear(struct judge *judge);

/**
 * judge_print - write the latest violations
 * @judge: the book
 * @out: where to, one per line
 */
void judge_print(const struct judge *judge, FILE *out);

/**
 * judge_arm - begin or stop to judge
 * @judge: the book
 * @armed: whether violations count from now on
 *
 * Firmware uses the controller before the driver does, and it is not who is judged.
 */
void judge_arm(struct judge *judge, bool armed);

/**
 * judge_armed - whether violations count
 * @judge: the book
 *
 * Return: true if so: armed, and the mode is not %JUDGE_OFF.
 */
bool judge_armed(const struct judge *judge);

/**
 * judge_mode - what becomes of violations
 * @judge: the book
 *
 * Return: the mode given to judge_new().
 */
enum judge_mode judge_mode(const struct judge *judge);

/**
 * judge_rule - what the table says about a rule
 * @rule: which, below %NR_RULES
 *
 * Return: its entry.
 */
const struct judge_rule *judge_rule(enum rule rule);

#endif /* DEVICE_JUDGE_H */
