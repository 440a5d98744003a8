// SPDX-License-Identifier: GPL-2.0
/*
 * Asynchronous events (base 5.2): which ones are wanted, and what they mean.
 *
 * An event of one kind is not reported again before its log page was read, so
 * each that the driver knows is answered by reading the page that it names.
 * The pages of the others are left to user space: reading takes things off some.
 */
#include <linux/slab.h>

#include "cmd.h"
#include "event.h"

#define EVENT_TYPE(event)	((event) & 0x7)
#define EVENT_INFO(event)	(((event) >> 8) & 0xff)
#define EVENT_LOG(event)	(((event) >> 16) & 0xff)

/* The optional ones that we know what to do with; those of health and errors always come. */
#define WANTED	(NVMQ_AEC_NS_ATTR | NVMQ_AEC_FW_ACTIVATION)
#define HEALTH	(NVMQ_SMART_SPARE | NVMQ_SMART_TEMPERATURE | NVMQ_SMART_RELIABILITY | \
		 NVMQ_SMART_READ_ONLY)

/**
 * nvmq_event_start - say which events are wanted, and wait for the first
 * @admin: the admin queue, just started
 * @oaes: the optional events that the device has (Identify Controller)
 *
 * A device that cannot be configured still reports what it likes.
 *
 * Context: sleeps.
 * Return: 0, or an error of nvmq_admin_exec() other than -EIO.
 */
int nvmq_event_start(struct nvmq_admin *admin, u32 oaes)
{
	struct nvmq_admin_cmd cmd = {
		.sqe.cdw10 = cpu_to_le32(NVMQ_FEAT_ASYNC_EVENT),
		.sqe.cdw11 = cpu_to_le32(HEALTH | (oaes & WANTED)),
	};
	int err = nvmq_admin_set_feature(admin, &cmd, "Asynchronous Event Configuration");

	if (err && err != -EIO)
		return err;
	err = nvmq_admin_request_event(admin);
	/* Whoever handles an event from before a reset makes the next request, and may be first. */
	return err == -EBUSY ? 0 : err;
}

static void say_health(struct nvmq_admin *admin, const struct nvmq_log_smart *log)
{
	int kelvin = log->temperature[0] | log->temperature[1] << 8;

	dev_warn_ratelimited(admin->q.dev, "health: %d C, %u %% spare, %u %% used;%s%s%s%s%s\n",
			     kelvin - 273, log->spare, log->used,
			     log->warning & NVMQ_SMART_SPARE ? " spare is low" : "",
			     log->warning & NVMQ_SMART_TEMPERATURE ? " wrong temperature" : "",
			     log->warning & NVMQ_SMART_RELIABILITY ? " not reliable" : "",
			     log->warning & NVMQ_SMART_READ_ONLY ? " read-only" : "",
			     log->warning & HEALTH ? "" : " no warning");
}

static void say_error(struct nvmq_admin *admin, u32 info, const struct nvmq_log_error *log)
{
	static const char * const what[] = {
		[NVMQ_EVENT_ERROR_DOORBELL_REG] = "doorbell of no queue",
		[NVMQ_EVENT_ERROR_DOORBELL_VALUE] = "doorbell value out of range",
		[NVMQ_EVENT_ERROR_DIAGNOSTIC] = "diagnostic failure",
		[NVMQ_EVENT_ERROR_PERSISTENT] = "persistent internal error",
		[NVMQ_EVENT_ERROR_TRANSIENT] = "transient internal error",
	};

	dev_warn_ratelimited(admin->q.dev, "the device reports: %s (%u); error %llu of its log, queue %u, status %#x\n",
			     info < ARRAY_SIZE(what) ? what[info] : "an error", info,
			     le64_to_cpu(log->count), le16_to_cpu(log->sqid),
			     le16_to_cpu(log->status) >> 1);
}

static enum nvmq_event_answer answer(struct nvmq_admin *admin, u32 event, const void *page)
{
	u32 info = EVENT_INFO(event);

	switch (EVENT_TYPE(event)) {
	case NVMQ_EVENT_ERROR:
		say_error(admin, info, page);
		return info == NVMQ_EVENT_ERROR_PERSISTENT ? NVMQ_ANSWER_RESET : NVMQ_ANSWER_NONE;
	case NVMQ_EVENT_NOTICE:
		if (info == NVMQ_EVENT_NOTICE_NS_ATTR)
			return NVMQ_ANSWER_RESCAN;
		fallthrough;
	default:
		dev_info_ratelimited(admin->q.dev, "event of type %u, info %#x, log page %#x\n",
				     EVENT_TYPE(event), info, EVENT_LOG(event));
		return NVMQ_ANSWER_NONE;
	}
}

/**
 * nvmq_event_is_health - does the device report on its health?
 * @event: dword 0 of the completion
 *
 * Return: true if nvmq_event_read_health() is to be called some time.
 */
bool nvmq_event_is_health(u32 event)
{
	return EVENT_TYPE(event) == NVMQ_EVENT_SMART;
}

/**
 * nvmq_event_read_health - read the health log, and let the device report on its health again
 * @admin: the admin queue
 * @told: the warnings that the log has been told of, which it is not told again; -1 for none yet
 *
 * Context: sleeps.
 */
void nvmq_event_read_health(struct nvmq_admin *admin, int *told)
{
	struct nvmq_log_smart *page = kzalloc(sizeof(*page), GFP_KERNEL);

	if (page && !nvmq_admin_log_page(admin, NVMQ_LOG_SMART, page, sizeof(*page)) &&
	    page->warning != *told) {
		say_health(admin, page);
		*told = page->warning;
	}
	kfree(page);
}

/* Does the driver itself read the page of @event, at once? */
static bool is_read(u32 event)
{
	return EVENT_LOG(event) && (EVENT_TYPE(event) == NVMQ_EVENT_ERROR ||
				    EVENT_TYPE(event) == NVMQ_EVENT_NOTICE);
}

/* Each event of an error names its log page: the device has completed the request without one. */
static bool is_none(u32 event)
{
	return EVENT_TYPE(event) == NVMQ_EVENT_ERROR && !EVENT_LOG(event);
}

/**
 * nvmq_event_is_activation - does the device begin to run new firmware?
 * @event: dword 0 of the completion
 *
 * It processes no command then as long as CSTS.PP is set (base 3.11): to be waited for before
 * nvmq_event_handle().
 *
 * Return: true if so.
 */
bool nvmq_event_is_activation(u32 event)
{
	return EVENT_TYPE(event) == NVMQ_EVENT_NOTICE &&
	       EVENT_INFO(event) == NVMQ_EVENT_NOTICE_FW_ACTIVATION;
}

/**
 * nvmq_event_is_told - does user space want to know, by a uevent?
 * @event: dword 0 of the completion
 *
 * Whatever the driver has no use for itself: errors, health, and what belongs to command sets and
 * vendors.
 *
 * Return: true if so.
 */
bool nvmq_event_is_told(u32 event)
{
	return EVENT_TYPE(event) != NVMQ_EVENT_NOTICE && !is_none(event) &&
	       !(EVENT_TYPE(event) == NVMQ_EVENT_ERROR &&
		 EVENT_INFO(event) == NVMQ_EVENT_ERROR_PERSISTENT);
}

/**
 * nvmq_event_handle - read the log page of an event, tell the log, wait for the next one
 * @admin: the admin queue
 * @event: dword 0 of the completion
 *
 * That of its health is for nvmq_event_read_health().
 * Where the page cannot be read the event counts all the same.  After a completion without an
 * event none is waited for until nvmq_event_start(): the next request would come back as well.
 *
 * Context: sleeps.
 * Return: what is to be done.
 */
enum nvmq_event_answer nvmq_event_handle(struct nvmq_admin *admin, u32 event)
{
	enum nvmq_event_answer ret;
	void *page;

	if (is_none(event)) {
		dev_warn_ratelimited(admin->q.dev, "a request for events came back without one (%#x): no more are made\n",
				     event);
		return NVMQ_ANSWER_NONE;
	}
	if (nvmq_event_is_health(event)) {
		nvmq_admin_request_event(admin);
		return NVMQ_ANSWER_NONE;
	}
	page = kzalloc(NVMQ_PAGE_SIZE, GFP_KERNEL);
	if (page && is_read(event))
		nvmq_admin_log_page(admin, EVENT_LOG(event), page,
				    EVENT_LOG(event) == NVMQ_LOG_CHANGED_NS ? NVMQ_PAGE_SIZE :
				    EVENT_LOG(event) == NVMQ_LOG_ERROR ?
				    sizeof(struct nvmq_log_error) : 512);
	if (page)
		ret = answer(admin, event, page);
	else
		ret = NVMQ_ANSWER_RESCAN;	/* does no harm */
	kfree(page);
	nvmq_admin_request_event(admin);
	return ret;
}
