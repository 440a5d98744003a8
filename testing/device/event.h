/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Asynchronous events (base 5.2).  What the other files need of it stands in ctrl.h; this is for
 * lies.
 */
#ifndef DEVICE_EVENT_H
#define DEVICE_EVENT_H

struct ctrl;
struct ctrl_event;

/**
 * event_add - report an event now, or when there is a request
 * @ctrl: the controller
 * @event: the event; copied
 */
void event_add(struct ctrl *ctrl, const struct ctrl_event *event);

#endif /* DEVICE_EVENT_H */
