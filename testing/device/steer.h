/* SPDX-License-Identifier: GPL-2.0 */
/* Commands of the control socket that do something to the controller. */
#ifndef DEVICE_STEER_H
#define DEVICE_STEER_H

#include "control.h"

/* For struct control_ops; its ctx is then a struct device. */
extern const struct control_command steer_commands[];

#endif
