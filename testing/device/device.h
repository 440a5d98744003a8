/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Everything put together: server, PCI function, memory, controller.  main() and the tests have
 * one of these.
 */
#ifndef DEVICE_DEVICE_H
#define DEVICE_DEVICE_H

#include <poll.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "clock.h"
#include "ctrl.h"
#include "judge.h"
#include "mem.h"
#include "options.h"
#include "pci.h"
#include "script.h"
#include "vfio_user.h"

/**
 * struct device - the whole
 * @vfu: server of the vfio-user protocol
 * @pci: PCI function
 * @mem: guest memory
 * @judge: the book
 * @script: lies
 * @clock: time
 * @ctrl: the controller
 */
struct device {
	struct vfu *vfu;
	struct pci *pci;
	struct mem *mem;
	struct judge *judge;
	struct script *script;
	struct clock *clock;
	struct ctrl *ctrl;
};

/**
 * device_new - a device after power on, that nobody is connected to
 * @opt: what it is
 * @log: where violations go
 *
 * Return: the device; NULL if there is no memory, or no file.
 */
struct device *device_new(const struct options *opt, FILE *log);

/**
 * device_free - end the connection, and free all
 * @device: may be NULL
 */
void device_free(struct device *device);

/**
 * device_step - handle what has arrived, and do what is due, without waiting
 * @device: the device
 *
 * Return: true if there is more to do at once; -errno if no client can come any more.
 */
int device_step(struct device *device);

#endif /* DEVICE_DEVICE_H */
