// SPDX-License-Identifier: GPL-2.0
/* See sys.h. */
#define _GNU_SOURCE
#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "sys.h"

#define PCI	"/sys/bus/pci/devices"
#define DEBUG	"/sys/kernel/debug/nvmq"

const char *const sys_types[3] = { "default", "read", "poll" };

static const char *root(void)
{
	const char *dir = getenv("NVMQ_ROOT");

	return dir ? dir : "";
}

static void *must(void *memory)
{
	if (!memory) {
		fputs("nvmq: no memory\n", stderr);
		exit(1);
	}
	return memory;
}

/**
 * sys_read - a small file as text
 * @format: its path, for printf
 *
 * Return: the content without the newline at its end, to be freed; NULL with errno.
 */
char *sys_read(const char *format, ...)
{
	char path[512], *text = NULL;
	size_t size = 0;
	va_list args;
	ssize_t len;
	int n;
	FILE *f;

	n = snprintf(path, sizeof(path), "%s", root());
	va_start(args, format);
	vsnprintf(path + n, sizeof(path) - n, format, args);
	va_end(args);
	f = fopen(path, "re");
	if (!f)
		return NULL;
	len = getdelim(&text, &size, '\0', f);
	fclose(f);
	if (len < 0) {
		free(text);
		text = must(strdup(""));
		len = 0;
	}
	while (len && isspace((unsigned char)text[len - 1]))
		text[--len] = '\0';
	return text;
}

static char *attribute(const char *bdf, const char *name)
{
	char *text = sys_read(PCI "/%s/nvmq/%s", bdf, name);

	return text ? text : must(strdup("?"));
}

static int by_name(const struct dirent **a, const struct dirent **b)
{
	return strverscmp((*a)->d_name, (*b)->d_name);
}

static int is_address(const struct dirent *entry)
{
	return !!strchr(entry->d_name, ':');
}

static int is_disk(const struct dirent *entry)
{
	return !strncmp(entry->d_name, "nvme", 4);
}

static int list(const char *dir, int (*filter)(const struct dirent *), struct dirent ***entries)
{
	char path[512];

	snprintf(path, sizeof(path), "%s%s", root(), dir);
	return scandir(path, entries, filter, by_name);
}

static void read_disks(struct sys_ctrl *ctrl)
{
	struct dirent **entries;
	char dir[128];
	int i, n;

	snprintf(dir, sizeof(dir), PCI "/%s/block", ctrl->bdf);
	n = list(dir, is_disk, &entries);
	for (i = 0; i < n; i++) {
		size_t at = strlen(ctrl->disks);

		snprintf(ctrl->disks + at, sizeof(ctrl->disks) - at, "%s%s", at ? " " : "",
			 entries[i]->d_name);
		if (!i)
			snprintf(ctrl->name, sizeof(ctrl->name), "nvme%d",
				 atoi(entries[i]->d_name + 4));
		free(entries[i]);
	}
	if (n >= 0)
		free(entries);
	if (!*ctrl->name)
		snprintf(ctrl->name, sizeof(ctrl->name), "%s", ctrl->bdf);
}

/**
 * sys_find - all controllers that nvmq has bound
 * @found: set to an array, to be given to sys_free()
 *
 * Return: their number; 0 also if the module is not loaded.
 */
size_t sys_find(struct sys_ctrl **found)
{
	struct dirent **entries;
	int i, n = list("/sys/bus/pci/drivers/nvmq", is_address, &entries);

	*found = must(calloc(n > 0 ? n : 1, sizeof(**found)));
	for (i = 0; i < n; i++) {
		struct sys_ctrl *ctrl = &(*found)[i];

		snprintf(ctrl->bdf, sizeof(ctrl->bdf), "%.31s", entries[i]->d_name);
		read_disks(ctrl);
		ctrl->state = attribute(ctrl->bdf, "state");
		ctrl->model = attribute(ctrl->bdf, "model");
		ctrl->serial = attribute(ctrl->bdf, "serial");
		ctrl->firmware = attribute(ctrl->bdf, "firmware_rev");
		ctrl->plan = attribute(ctrl->bdf, "plan");
		ctrl->granted = attribute(ctrl->bdf, "granted");
		free(entries[i]);
	}
	if (n >= 0)
		free(entries);
	return n > 0 ? n : 0;
}

/**
 * sys_free - undo sys_find()
 * @all: the controllers
 * @count: their number
 */
void sys_free(struct sys_ctrl *all, size_t count)
{
	size_t i;

	for (i = 0; i < count; i++) {
		free(all[i].state);
		free(all[i].model);
		free(all[i].serial);
		free(all[i].firmware);
		free(all[i].plan);
		free(all[i].granted);
		free(all[i].queues);
		free(all[i].cpus);
	}
	free(all);
}

/**
 * sys_next_disk - walk along the names of disks
 * @rest: what is left of them; moved on
 * @len: set to the length of the name
 *
 * Return: the next name, not terminated; NULL if there is none.
 */
const char *sys_next_disk(const char **rest, size_t *len)
{
	const char *name = *rest;

	*len = strcspn(name, " ");
	*rest = name + *len + strspn(name + *len, " ");
	return *len ? name : NULL;
}

static bool has_disk(const struct sys_ctrl *ctrl, const char *name)
{
	const char *disk, *rest = ctrl->disks;
	size_t len;

	while ((disk = sys_next_disk(&rest, &len)))
		if (len == strlen(name) && !memcmp(disk, name, len))
			return true;
	return false;
}

/**
 * sys_pick - the controller that the user means
 * @all: the controllers
 * @count: their number
 * @name: PCI address, with or without domain, nvmeX, a disk, or a path of either in /dev; NULL is
 *        the only one that there is
 *
 * Return: the controller; NULL, with a line on stderr, if there is none or it is not clear which.
 */
struct sys_ctrl *sys_pick(struct sys_ctrl *all, size_t count, const char *name)
{
	size_t i;

	if (!count) {
		fputs("nvmq: no controller is bound to the nvmq driver\n", stderr);
		return NULL;
	}
	if (!name) {
		if (count == 1)
			return all;
		fputs("nvmq: there are several controllers; name one:", stderr);
		for (i = 0; i < count; i++)
			fprintf(stderr, " %s", all[i].bdf);
		fputc('\n', stderr);
		return NULL;
	}
	if (!strncmp(name, "/dev/", 5))
		name += 5;
	for (i = 0; i < count; i++) {
		const char *short_bdf = strchr(all[i].bdf, ':') + 1;

		if (!strcmp(name, all[i].bdf) || !strcmp(name, short_bdf) ||
		    !strcmp(name, all[i].name) || has_disk(&all[i], name))
			return &all[i];
	}
	fprintf(stderr, "nvmq: %s: no such controller is bound to the nvmq driver\n", name);
	return NULL;
}

/* Lines of @text that are no comment, one after the other. */
static char *next_line(char **text)
{
	char *line;

	while ((line = strsep(text, "\n")))
		if (*line && *line != '#')
			return line;
	return NULL;
}

static int number_or(const char *word, int other)
{
	return isdigit((unsigned char)*word) ? atoi(word) : other;
}

/**
 * sys_read_debug - a file of a controller in debugfs
 * @ctrl: the controller
 * @name: the file
 *
 * Return: the content, to be freed; NULL, with a line on stderr.
 */
char *sys_read_debug(const struct sys_ctrl *ctrl, const char *name)
{
	char *text = sys_read(DEBUG "/%s/%s", ctrl->bdf, name);

	if (!text)
		fprintf(stderr, "nvmq: " DEBUG "/%s: %s%s\n", ctrl->bdf, strerror(errno),
			errno == EACCES ? " (root may)" : " (is debugfs mounted?)");
	return text;
}

/**
 * sys_read_queues - read queues and map of a controller
 * @ctrl: the controller; filled in
 *
 * Return: 0; -1, with a line on stderr, if debugfs does not have them.
 */
int sys_read_queues(struct sys_ctrl *ctrl)
{
	char *queues = sys_read_debug(ctrl, "queues");
	char *map = queues ? sys_read_debug(ctrl, "map") : NULL;
	char *rest, *line, word[4][64];

	if (!queues || !map) {
		free(queues);
		free(map);
		return -1;
	}
	for (rest = queues; (line = next_line(&rest));) {
		struct sys_queue *q;

		ctrl->queues = must(realloc(ctrl->queues,
					    (ctrl->nr_queues + 1) * sizeof(*ctrl->queues)));
		q = &ctrl->queues[ctrl->nr_queues];
		memset(q, 0, sizeof(*q));
		if (sscanf(line, "%u %15s %u %63s %63s %255s", &q->qid, q->type, &q->depth, word[0],
			   word[1], q->cpus) != 6)
			continue;
		q->vector = number_or(word[0], -1);
		q->irq = number_or(word[1], -1);
		if (!strcmp(q->cpus, "-"))
			*q->cpus = '\0';
		ctrl->nr_queues++;
	}
	for (rest = map; (line = next_line(&rest));) {
		struct sys_cpu *cpu;
		int type;

		ctrl->cpus = must(realloc(ctrl->cpus, (ctrl->nr_cpus + 1) * sizeof(*ctrl->cpus)));
		cpu = &ctrl->cpus[ctrl->nr_cpus];
		if (sscanf(line, "%u %63s %63s %63s", &cpu->cpu, word[0], word[1], word[2]) != 4)
			continue;
		for (type = 0; type < 3; type++)
			cpu->qid[type] = number_or(word[type], 0);
		ctrl->nr_cpus++;
	}
	free(queues);
	free(map);
	return 0;
}

/**
 * sys_queue - find a queue
 * @ctrl: a controller whose queues were read
 * @qid: queue identifier
 *
 * Return: the queue, or NULL.
 */
const struct sys_queue *sys_queue(const struct sys_ctrl *ctrl, unsigned int qid)
{
	size_t i;

	for (i = 0; i < ctrl->nr_queues; i++)
		if (ctrl->queues[i].qid == qid)
			return &ctrl->queues[i];
	return NULL;
}

/**
 * sys_write - write an attribute of a controller
 * @ctrl: the controller
 * @name: of the attribute
 * @text: what is written, all at once
 *
 * Return: 0 or an errno.
 */
int sys_write(const struct sys_ctrl *ctrl, const char *name, const char *text)
{
	char path[512];
	int fd, err = 0;

	snprintf(path, sizeof(path), "%s" PCI "/%s/nvmq/%s", root(), ctrl->bdf, name);
	fd = open(path, O_WRONLY | O_TRUNC | O_CLOEXEC);
	if (fd < 0)
		return errno;
	if (write(fd, text, strlen(text)) < 0)
		err = errno;
	close(fd);
	return err;
}
