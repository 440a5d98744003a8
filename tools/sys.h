/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the kernel shows of nvmq's controllers, read from sysfs and debugfs; and
 * how the files there are read and written at all.
 *
 * NVMQ_ROOT names a folder that stands for "/", for the tests.
 */
#ifndef NVMQ_TOOLS_SYS_H
#define NVMQ_TOOLS_SYS_H

#include <dirent.h>
#include <stdbool.h>
#include <stddef.h>

#define SYS_PCI	"/sys/bus/pci/devices"

/* The names of the types of queue, in the order of the map's columns. */
extern const char *const sys_types[3];

/**
 * struct sys_queue - a line of debugfs queues
 * @qid: queue identifier, that of the submission queue
 * @type: admin, default, read or poll
 * @depth: commands that may be outstanding
 * @cq: identifier of its completion queue
 * @vector: interrupt vector; -1 for a queue without interrupts
 * @irq: Linux interrupt number; -1 likewise
 * @cpus: list of the CPUs that it is delivered to, empty if there are none
 */
struct sys_queue {
	unsigned int qid;
	char type[16];
	unsigned int depth;
	unsigned int cq;
	int vector;
	int irq;
	char cpus[256];
};

/**
 * struct sys_cpu - a line of debugfs map
 * @cpu: number
 * @qid: per type the queue that its I/O goes to; 0 where the type has no queue
 */
struct sys_cpu {
	unsigned int cpu;
	unsigned int qid[3];
};

/**
 * struct sys_ctrl - a controller that nvmq has bound
 * @bdf: PCI address
 * @name: nvmeX; the address where there is no disk yet to tell it
 * @disks: names of the disks, separated by blanks
 * @state: state attribute, and so on
 * @queues: queues, that with @nr_queues is 0 before sys_read_queues()
 * @cpus: the map, likewise
 */
struct sys_ctrl {
	char bdf[32];
	char name[32];
	char *disks;
	char *state, *model, *serial, *firmware, *plan, *granted;
	struct sys_queue *queues;
	size_t nr_queues;
	struct sys_cpu *cpus;
	size_t nr_cpus;
};

size_t sys_find(struct sys_ctrl **found);
struct sys_ctrl *sys_pick(struct sys_ctrl *all, size_t count, const char *name);
void sys_free(struct sys_ctrl *all, size_t count);
const char *sys_next_disk(const char **rest, size_t *len);
char *sys_read_debug(const struct sys_ctrl *ctrl, const char *name);
int sys_read_queues(struct sys_ctrl *ctrl);
int sys_write_attribute(const struct sys_ctrl *ctrl, const char *name, const char *text);
const struct sys_queue *sys_queue(const struct sys_ctrl *ctrl, unsigned int qid);

void *sys_must(void *memory);
void sys_hold_signals(int how);
void sys_catch_signals(void);
bool sys_interrupted(void);
char *sys_format(const char *format, ...) __attribute__((format(printf, 1, 2)));
char *sys_path(const char *format, ...) __attribute__((format(printf, 1, 2)));
char *sys_read(const char *format, ...) __attribute__((format(printf, 1, 2)));
int sys_write(const char *text, const char *format, ...) __attribute__((format(printf, 2, 3)));
bool sys_exists(const char *format, ...) __attribute__((format(printf, 1, 2)));
char *sys_link(const char *format, ...) __attribute__((format(printf, 1, 2)));
int sys_list(struct dirent ***entries, const char *format, ...)
	__attribute__((format(printf, 2, 3)));
void sys_free_list(struct dirent **entries, int count);
char *sys_disks(const char *bdf);
char *sys_vfio_node(const char *bdf);

#endif
