/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Stand-in for the kernel's header of this name.  The tests run one thread at a time and check how
 * locks are taken; there is nothing to wait for.
 */
#ifndef UNIT_LINUX_SPINLOCK_H
#define UNIT_LINUX_SPINLOCK_H

#include <stdbool.h>

typedef struct {
	int made;
	int held;
} spinlock_t;

void unit_lock(spinlock_t *lock, bool irq);
void unit_unlock(spinlock_t *lock, bool irq);
unsigned long unit_irq_save(void);
void unit_irq_restore(unsigned long flags);
void unit_assert_held(const spinlock_t *lock);

#define spin_lock_init(lock)		((lock)->made = 1, (void)((lock)->held = 0))
#define spin_lock_irq(lock)		unit_lock(lock, true)
#define spin_unlock_irq(lock)		unit_unlock(lock, true)
#define spin_lock_irqsave(lock, flags)					\
	do {								\
		(flags) = unit_irq_save();				\
		unit_lock(lock, false);					\
	} while (0)
#define spin_unlock_irqrestore(lock, flags)				\
	do {								\
		unit_unlock(lock, false);				\
		unit_irq_restore(flags);				\
	} while (0)
#define lockdep_assert_held(lock)	unit_assert_held(lock)

#endif
