// SPDX-License-Identifier: GPL-2.0
/* See sys.h. */
#define _GNU_SOURCE
#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "sys.h"

#define DEBUG	"/sys/kernel/debug/nvmq"

const char *const sys_types[3] = { "default", "read", "poll" };

/**
 * sys_must - memory, or the end
 * @memory: what an allocation gave
 *
 * Return: @memory, which is not NULL.
 */
void *sys_must(void *memory)
{
	if (!memory) {
		fputs("nvmq: no memory\n", stderr);
		exit(1);
	}
	return memory;
}

static char *format_args(const char *before, const char *format, va_list args)
{
	char *text, *path;

	if (vasprintf(&text, format, args) < 0)
		text = NULL;
	sys_must(text);
	if (asprintf(&path, "%s%s", before, text) < 0)
		path = NULL;
	free(text);
	return sys_must(path);
}

/**
 * sys_format - a text of any length
 * @format: for printf
 *
 * Return: the text, to be freed.
 */
char *sys_format(const char *format, ...)
{
	va_list args;
	char *text;

	va_start(args, format);
	text = format_args("", format, args);
	va_end(args);
	return text;
}

static char *path_args(const char *format, va_list args)
{
	const char *root = getenv("NVMQ_ROOT");

	return format_args(root ? root : "", format, args);
}

/**
 * sys_path - where a file is, below the folder that stands for "/"
 * @format: its path, for printf
 *
 * Return: the path, to be freed.
 */
char *sys_path(const char *format, ...)
{
	va_list args;
	char *path;

	va_start(args, format);
	path = path_args(format, args);
	va_end(args);
	return path;
}

/**
 * sys_read - a small file as text
 * @format: its path, for printf
 *
 * Return: the content without the newline at its end, to be freed; NULL with errno.
 */
char *sys_read(const char *format, ...)
{
	char *path, *text = NULL;
	size_t size = 0;
	va_list args;
	ssize_t len;
	FILE *f;

	va_start(args, format);
	path = path_args(format, args);
	va_end(args);
	f = fopen(path, "re");
	free(path);
	if (!f)
		return NULL;
	len = getdelim(&text, &size, '\0', f);
	fclose(f);
	if (len < 0) {
		free(text);
		text = sys_must(strdup(""));
		len = 0;
	}
	while (len && isspace((unsigned char)text[len - 1]))
		text[--len] = '\0';
	return text;
}

/**
 * sys_write - write to a file of the kernel's
 * @text: what to write, in one piece: each write is a command
 * @format: its path, for printf
 *
 * Return: 0 or an errno.
 */
int sys_write(const char *text, const char *format, ...)
{
	va_list args;
	int fd, err = 0;
	char *path;

	va_start(args, format);
	path = path_args(format, args);
	va_end(args);
	fd = open(path, O_WRONLY | O_TRUNC | O_CLOEXEC);
	free(path);
	if (fd < 0)
		return errno;
	if (write(fd, text, strlen(text)) < 0)
		err = errno;
	close(fd);
	return err;
}

/**
 * sys_exists - is there such a file?
 * @format: its path, for printf
 *
 * Return: whether there is.
 */
bool sys_exists(const char *format, ...)
{
	va_list args;
	char *path;
	bool ret;

	va_start(args, format);
	path = path_args(format, args);
	va_end(args);
	ret = !access(path, F_OK);
	free(path);
	return ret;
}

/**
 * sys_link - where a link leads in the end
 * @format: its path, for printf
 *
 * Return: the path of a file that is there, without links in it, to be freed; or NULL.
 */
char *sys_link(const char *format, ...)
{
	char *path, *target;
	va_list args;

	va_start(args, format);
	path = path_args(format, args);
	va_end(args);
	target = realpath(path, NULL);
	free(path);
	return target;
}

static int by_name(const struct dirent **a, const struct dirent **b)
{
	return strverscmp((*a)->d_name, (*b)->d_name);
}

static int is_visible(const struct dirent *entry)
{
	return *entry->d_name != '.';
}

/**
 * sys_list - what is in a folder, in the order of the numbers in the names
 * @entries: set to an array, to be given to sys_free_list()
 * @format: path of the folder, for printf
 *
 * Return: the number of entries; 0 also if there is no such folder.
 */
int sys_list(struct dirent ***entries, const char *format, ...)
{
	va_list args;
	char *path;
	int n;

	va_start(args, format);
	path = path_args(format, args);
	va_end(args);
	n = scandir(path, entries, is_visible, by_name);
	free(path);
	if (n >= 0)
		return n;
	*entries = NULL;
	return 0;
}

/**
 * sys_free_list - undo sys_list()
 * @entries: the array
 * @count: the number of entries
 */
void sys_free_list(struct dirent **entries, int count)
{
	int i;

	for (i = 0; i < count; i++)
		free(entries[i]);
	free(entries);
}

static char *attribute(const char *bdf, const char *name)
{
	char *text = sys_read(SYS_PCI "/%s/nvmq/%s", bdf, name);

	return text ? text : sys_must(strdup("?"));
}

/*
 * The name of the disk that @entry of a controller's folder stands for; NULL if
 * it is none.  A disk that can be reached by several controllers is not below
 * any of them with the kernel's own driver: there is nvmeXcYnZ then, one of the
 * ways to nvmeXnZ, which comes a moment later.
 */
static char *disk_name(const char *entry)
{
	unsigned int x, y, z;
	int end = 0;
	char *name;

	if (sscanf(entry, "nvme%uc%un%u%n", &x, &y, &z, &end) == 3 && !entry[end]) {
		name = sys_format("nvme%un%u", x, z);
		if (sys_exists("/sys/block/%s", name))
			return name;
		free(name);
		return NULL;
	}
	end = 0;
	if (sscanf(entry, "nvme%un%u%n", &x, &z, &end) != 2 || entry[end])
		return NULL;
	return sys_must(strdup(entry));
}

static void add_disks(char **disks, const char *dir)
{
	struct dirent **entries;
	int i, n = sys_list(&entries, "%s", dir);

	for (i = 0; i < n; i++) {
		char *name = disk_name(entries[i]->d_name), *longer;

		if (!name)
			continue;
		longer = sys_format("%s%s%s", *disks, **disks ? " " : "", name);
		free(*disks);
		free(name);
		*disks = longer;
	}
	sys_free_list(entries, n);
}

/**
 * sys_disks - the disks of a controller, whether nvmq or the kernel's own driver has it
 * @bdf: PCI address
 *
 * Return: their names, separated by blanks, to be freed.
 */
char *sys_disks(const char *bdf)
{
	char *disks = sys_must(strdup("")), *dir;
	struct dirent **entries;
	int i, n;

	dir = sys_format(SYS_PCI "/%s/block", bdf);
	add_disks(&disks, dir);
	free(dir);
	n = sys_list(&entries, SYS_PCI "/%s/nvme", bdf);
	for (i = 0; i < n; i++) {
		dir = sys_format(SYS_PCI "/%s/nvme/%s", bdf, entries[i]->d_name);
		add_disks(&disks, dir);
		free(dir);
	}
	sys_free_list(entries, n);
	return disks;
}

/**
 * sys_vfio_node - what vfio's user opens
 * @bdf: PCI address
 *
 * Return: path of the IOMMU group in /dev, to be freed; NULL if there is no group.
 */
char *sys_vfio_node(const char *bdf)
{
	char *link = sys_link(SYS_PCI "/%s/iommu_group", bdf), *node = NULL;

	if (link) {
		/* A group that stands for no IOMMU has another name. */
		node = sys_format("/dev/vfio/noiommu-%s", strrchr(link, '/') + 1);
		if (!sys_exists("%s", node)) {
			free(node);
			node = sys_format("/dev/vfio%s", strrchr(link, '/'));
		}
	}
	free(link);
	return node;
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
	int i, n = sys_list(&entries, "/sys/bus/pci/drivers/nvmq");
	size_t count = 0;

	*found = sys_must(calloc(n + 1, sizeof(**found)));
	for (i = 0; i < n; i++) {
		struct sys_ctrl *ctrl = &(*found)[count];

		if (!strchr(entries[i]->d_name, ':'))
			continue;
		snprintf(ctrl->bdf, sizeof(ctrl->bdf), "%.31s", entries[i]->d_name);
		ctrl->disks = sys_disks(ctrl->bdf);
		if (*ctrl->disks)
			snprintf(ctrl->name, sizeof(ctrl->name), "nvme%d", atoi(ctrl->disks + 4));
		else
			snprintf(ctrl->name, sizeof(ctrl->name), "%s", ctrl->bdf);
		ctrl->state = attribute(ctrl->bdf, "state");
		ctrl->model = attribute(ctrl->bdf, "model");
		ctrl->serial = attribute(ctrl->bdf, "serial");
		ctrl->firmware = attribute(ctrl->bdf, "firmware_rev");
		ctrl->plan = attribute(ctrl->bdf, "plan");
		ctrl->granted = attribute(ctrl->bdf, "granted");
		count++;
	}
	sys_free_list(entries, n);
	return count;
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
		free(all[i].disks);
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

		ctrl->queues = sys_must(realloc(ctrl->queues,
						(ctrl->nr_queues + 1) * sizeof(*ctrl->queues)));
		q = &ctrl->queues[ctrl->nr_queues];
		memset(q, 0, sizeof(*q));
		if (sscanf(line, "%u %15s %u %u %63s %63s %255s", &q->qid, q->type, &q->depth,
			   &q->cq, word[0], word[1], q->cpus) != 7)
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

		ctrl->cpus = sys_must(realloc(ctrl->cpus,
					      (ctrl->nr_cpus + 1) * sizeof(*ctrl->cpus)));
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
 * sys_write_attribute - write an attribute of a controller
 * @ctrl: the controller
 * @name: of the attribute
 * @text: what is written, all at once
 *
 * Return: 0 or an errno.
 */
int sys_write_attribute(const struct sys_ctrl *ctrl, const char *name, const char *text)
{
	return sys_write(text, SYS_PCI "/%s/nvmq/%s", ctrl->bdf, name);
}

/* What would end the program, and may come from the terminal or who has started it. */
static const int ending[] = { SIGINT, SIGTERM, SIGHUP, SIGQUIT };

#define NR_ENDING	(sizeof(ending) / sizeof(ending[0]))

/**
 * sys_hold_signals - keep what would end the program waiting, or let it through again
 * @how: SIG_BLOCK or SIG_UNBLOCK
 */
void sys_hold_signals(int how)
{
	sigset_t set;
	size_t i;

	sigemptyset(&set);
	for (i = 0; i < NR_ENDING; i++)
		sigaddset(&set, ending[i]);
	sigprocmask(how, &set, NULL);
}

static volatile sig_atomic_t interrupted;

static void on_signal(int signal)
{
	(void)signal;
	interrupted = 1;
}

/**
 * sys_catch_signals - what would end the program is only noted, so that it can undo what it did
 *
 * A pipe that nobody reads any more is an error of the write from now on.
 */
void sys_catch_signals(void)
{
	struct sigaction action = { .sa_handler = on_signal };
	size_t i;

	for (i = 0; i < NR_ENDING; i++)
		sigaction(ending[i], &action, NULL);
	signal(SIGPIPE, SIG_IGN);
}

/**
 * sys_interrupted - has such a signal come?
 *
 * Return: true if so.
 */
bool sys_interrupted(void)
{
	return interrupted;
}
