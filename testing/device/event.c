// SPDX-License-Identifier: GPL-2.0
/*
 * Asynchronous events: requests wait for events, or events for requests.
 */
#include <string.h>

#include "ctrl.h"
#include "event.h"
#include "work.h"

static void deliver_events(struct ctrl *ctrl)
{
	unsigned int i = 0;

	while (ctrl->events && i < ctrl->nr_queued) {
		struct ctrl_event *event = &ctrl->queue_of_events[i];
		struct cmd *cmd = ctrl->events;

		if (!event->forced && ctrl->unread >> event->type & 1) {
			i++;
			continue;
		}
		cmd->dw0 = event->type | event->info << 8 | event->log << 16;
		ctrl->unread |= 1 << event->type;
		ctrl->unread_log[event->type] = event->log;
		if (!--event->count) {
			ctrl->nr_queued--;
			memmove(event, event + 1, (ctrl->nr_queued - i) * sizeof(*event));
		}
		ctrl_complete(ctrl, cmd, 0);
	}
}

void event_add(struct ctrl *ctrl, const struct ctrl_event *event)
{
	unsigned int i;

	for (i = 0; !event->forced && i < ctrl->nr_queued; i++) {
		const struct ctrl_event *there = &ctrl->queue_of_events[i];

		if (there->type == event->type && there->info == event->info &&
		    there->log == event->log)
			return;
	}
	if (ctrl->nr_queued == CTRL_MAX_EVENTS)
		return;
	ctrl->queue_of_events[ctrl->nr_queued++] = *event;
	deliver_events(ctrl);
}

void ctrl_event(struct ctrl *ctrl, uint8_t type, uint8_t info, uint8_t log)
{
	struct ctrl_event event = { .type = type & 7, .info = info, .log = log, .count = 1 };

	event_add(ctrl, &event);
}

void ctrl_log_read(struct ctrl *ctrl, uint8_t log)
{
	unsigned int type;

	for (type = 0; type < 8; type++)
		if (ctrl->unread >> type & 1 && ctrl->unread_log[type] == log)
			ctrl->unread &= ~(1 << type);
	deliver_events(ctrl);
}

int ctrl_await_event(struct ctrl *ctrl, struct cmd *cmd)
{
	work_await(ctrl, cmd);
	deliver_events(ctrl);
	return CMD_PENDING;
}
