/* SPDX-License-Identifier: GPL-2.0 */
/* Stand-in for the kernel's header of this name: only a wake-up ends a wait. */
#ifndef UNIT_LINUX_WAIT_H
#define UNIT_LINUX_WAIT_H

typedef struct {
	unsigned int wakes;
} wait_queue_head_t;

void unit_wait(wait_queue_head_t *wq);
void unit_wake(wait_queue_head_t *wq);

#define init_waitqueue_head(wq)	((wq)->wakes = 0)
#define wait_event(wq, condition)					\
	do {								\
		while (!(condition))					\
			unit_wait(&(wq));				\
	} while (0)
#define wake_up(wq)		unit_wake(wq)
#define wake_up_all(wq)		unit_wake(wq)

#endif
