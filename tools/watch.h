/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What nvmq stat and nvmq hist have in common: their words.
 */
#ifndef NVMQ_TOOLS_WATCH_H
#define NVMQ_TOOLS_WATCH_H

#include "counters.h"
#include "json.h"

/**
 * struct watch_options - words of the command line
 * @name: the controller; NULL: the only one
 * @watch: for how long and how often
 * @json: machine-readable
 * @qid: this queue only; 0: all
 * @op: this kind only; NR_OPS: all
 */
struct watch_options {
	const char *name;
	struct counters_watch watch;
	bool json;
	unsigned int qid;
	int op;
};

int watch_parse(const char *command, int argc, char **argv, struct watch_options *o);
void watch_print_json(const struct watch_options *o, struct json_object *object);
bool watch_number(const char *text, unsigned int most, unsigned int *number);

#endif
