/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Interrupts (pcie 3.5): vectors, coalescing, masks, the pin; and those that nobody answers.
 */
#ifndef DEVICE_IRQ_H
#define DEVICE_IRQ_H

#include <stdint.h>

#include "queue.h"

struct ctrl;

/**
 * irq_announce - a completion was posted
 * @ctrl: the controller
 * @cq: where
 *
 * The interrupt is sent by irq_run().
 */
void irq_announce(struct ctrl *ctrl, struct cq *cq);

/**
 * irq_update_intx - the pin follows what is posted, consumed and masked
 * @ctrl: the controller
 */
void irq_update_intx(struct ctrl *ctrl);

/**
 * irq_run - send the interrupts that are due
 * @ctrl: the controller
 */
void irq_run(struct ctrl *ctrl);

/**
 * irq_answered - the host has rung a completion queue's doorbell
 * @ctrl: the controller
 * @cq: the queue
 */
void irq_answered(struct ctrl *ctrl, const struct cq *cq);

/**
 * irq_next - when an interrupt that is held back is due
 * @ctrl: the controller
 *
 * Return: clock_now() time of the earliest; CLOCK_NEVER if nothing is held back.
 */
uint64_t irq_next(const struct ctrl *ctrl);

/**
 * irq_tick - look for interrupts that nobody answers
 * @ctrl: the controller
 */
void irq_tick(struct ctrl *ctrl);

#endif /* DEVICE_IRQ_H */
