/* SPDX-License-Identifier: GPL-2.0 */
/* Stand-in for the kernel's header of this name: only a wake-up or its time ends a wait. */
#ifndef UNIT_LINUX_WAIT_H
#define UNIT_LINUX_WAIT_H

typedef struct {
	unsigned int wakes;
} wait_queue_head_t;

unsigned long unit_wait(wait_queue_head_t *wq, unsigned long timeout);
void unit_wake(wait_queue_head_t *wq);

#define init_waitqueue_head(wq)	((wq)->wakes = 0)
#define wait_event_timeout(wq, condition, timeout)			\
	({								\
		unsigned long unit_left = (timeout);			\
		bool unit_met;						\
									\
		while (!(unit_met = (condition)) && unit_left)		\
			unit_left = unit_wait(&(wq), unit_left);	\
		unit_met ? unit_left ?: 1 : 0;				\
	})
#define wake_up(wq)		unit_wake(wq)
#define wake_up_all(wq)		unit_wake(wq)

#endif
