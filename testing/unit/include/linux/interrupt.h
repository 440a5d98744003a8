/* SPDX-License-Identifier: GPL-2.0 */
/* Stand-in for the kernel's header of this name: the test calls the handler. */
#ifndef UNIT_LINUX_INTERRUPT_H
#define UNIT_LINUX_INTERRUPT_H

#include <linux/bitops.h>
#include <linux/bug.h>

typedef enum {
	IRQ_NONE,
	IRQ_HANDLED,
} irqreturn_t;

typedef irqreturn_t (*irq_handler_t)(int irq, void *data);

#define IRQF_SHARED	0x80

int unit_request_irq(int irq, irq_handler_t handler, unsigned long flags, void *data);
void unit_free_irq(int irq, void *data);

#define request_irq(irq, handler, flags, name, data)	unit_request_irq(irq, handler, flags, data)
#define free_irq(irq, data)				unit_free_irq(irq, data)

#endif
