/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Asynchronous events: what the device has to say unasked.
 */
#ifndef NVMQ_EVENT_H
#define NVMQ_EVENT_H

#include "admin.h"

/**
 * enum nvmq_event_answer - what an event wants of the controller
 * @NVMQ_ANSWER_NONE: nothing more
 * @NVMQ_ANSWER_RESCAN: namespaces came, went or changed
 * @NVMQ_ANSWER_RESET: the device says that it cannot go on
 */
enum nvmq_event_answer {
	NVMQ_ANSWER_NONE,
	NVMQ_ANSWER_RESCAN,
	NVMQ_ANSWER_RESET,
};

bool nvmq_event_is_activation(u32 event);
bool nvmq_event_is_told(u32 event);
bool nvmq_event_is_health(u32 event);
void nvmq_event_read_health(struct nvmq_admin *admin, int *told);
int nvmq_event_start(struct nvmq_admin *admin, u32 oaes);
enum nvmq_event_answer nvmq_event_handle(struct nvmq_admin *admin, u32 event);

#endif /* NVMQ_EVENT_H */
