/* SPDX-License-Identifier: GPL-2.0 */
/* Stand-in for the kernel's header of this name: the test gets the events. */
#ifndef UNIT_LINUX_TRACEPOINT_H
#define UNIT_LINUX_TRACEPOINT_H

#define TP_PROTO(...)			__VA_ARGS__
#define TRACE_EVENT(name, proto, ...)	void trace_##name(proto)

#endif
