// SPDX-License-Identifier: GPL-2.0
/*
 * The life of a controller: states, bringing up, taking down, reset, time-out.
 *
 * One rule keeps memory safe: queues, buffers and requests are given back only
 * after the device was made to let go of them, by a delete that completed, by
 * CC.EN=0, by a function level reset, or, when nothing else helps, by taking
 * bus mastering away.
 */
#include <linux/blkdev.h>
#include <linux/delay.h>
#include <linux/idr.h>
#include <linux/sched/mm.h>
#include <linux/slab.h>

#include "ctrl.h"
#include "event.h"
#include "recorder.h"
#include "regs.h"
#include "trace.h"

/* Shutdown where the device gives no time of its own (RTD3E = 0). */
#define SHUTDOWN_DEFAULT_MS	5000u
#define SHUTDOWN_MAX_MS		300000u
/* Activation of firmware where the device gives no time of its own (MTFA = 0). */
#define MTFA_DEFAULT_MS		10000u
/* NVMQ_QUIRK_DELAY_RDY: what these devices need after CC.EN=0. */
#define DELAY_RDY_MS		2300u

/* How long a controller is held for a reset of the bus that may have failed. */
#define HOLD_LIMIT_MS		60000u
/* A reset that finds no memory waits so long for some, then twice as long, at most the longest. */
#define RETRY_MS		100u
#define RETRY_MAX_MS		1600u
/* What user space is told when a controller is live, again or for the first time. */
#define CONNECTED		"NVME_EVENT=connected"
/* How long all I/O may wait for the commands in flight when the plan changes. */
#define IDLE_MS			5000u

static DEFINE_IDA(ctrl_ids);
static struct workqueue_struct *ctrl_wq;

/* ---- states ---- */

static const char * const state_names[NVMQ_NR_STATES] = {
	[NVMQ_NEW] = "new",
	[NVMQ_CONNECTING] = "connecting",
	[NVMQ_LIVE] = "live",
	[NVMQ_RESETTING] = "resetting",
	[NVMQ_DELETING] = "deleting",
	[NVMQ_DEAD] = "dead",
};

/* legal[from] has a bit for each state that may follow. */
static const u8 legal[NVMQ_NR_STATES] = {
	[NVMQ_NEW] = BIT(NVMQ_CONNECTING) | BIT(NVMQ_DELETING),
	[NVMQ_CONNECTING] = BIT(NVMQ_LIVE) | BIT(NVMQ_DEAD) | BIT(NVMQ_DELETING),
	[NVMQ_LIVE] = BIT(NVMQ_RESETTING) | BIT(NVMQ_DELETING),
	[NVMQ_RESETTING] = BIT(NVMQ_CONNECTING) | BIT(NVMQ_DELETING),
	[NVMQ_DELETING] = 0,
	[NVMQ_DEAD] = BIT(NVMQ_DELETING),
};

/* Returns false, and changes nothing, if the step is not legal. */
static bool set_state(struct nvmq_ctrl *ctrl, enum nvmq_state to)
{
	unsigned long flags;
	bool ok;

	spin_lock_irqsave(&ctrl->state_lock, flags);
	ok = legal[ctrl->state] & BIT(to);
	if (ok) {
		trace_nvmq_state(ctrl->id, state_names[ctrl->state], state_names[to]);
		WRITE_ONCE(ctrl->state, to);
	}
	spin_unlock_irqrestore(&ctrl->state_lock, flags);
	return ok;
}

static enum nvmq_state get_state(const struct nvmq_ctrl *ctrl)
{
	return READ_ONCE(ctrl->state);
}

/**
 * nvmq_ctrl_state_name - the state in a word
 * @ctrl: the controller
 *
 * Return: a constant string.
 */
const char *nvmq_ctrl_state_name(const struct nvmq_ctrl *ctrl)
{
	return state_names[get_state(ctrl)];
}

/* ---- requests without a queue ---- */

static struct nvmq_ctrl *pools_to_ctrl(struct nvmq_io_pools *pools)
{
	return container_of(pools, struct nvmq_ctrl, qset.pools);
}

/*
 * A request that no queue takes.  While the maps change its bios are kept and
 * sent again; a flush of the block layer's own has none, it is done already: see
 * remap().  Else the controller is live without any I/O queue, dead, or on its
 * way out, and everything fails.
 */
static blk_status_t no_queue(struct nvmq_io_pools *pools, struct request *rq)
{
	struct nvmq_ctrl *ctrl = pools_to_ctrl(pools);
	const struct nvmq_cmd_ns *ns = rq->q->queuedata;
	unsigned long flags;
	struct bio *bio;

	if (!READ_ONCE(ctrl->remapping))
		return BLK_STS_IOERR;
	/* It has no bios that could go on alone: who has sent it tries again. */
	if (blk_rq_is_passthrough(rq))
		return BLK_STS_AGAIN;
	if (!rq->bio && !(req_op(rq) == REQ_OP_FLUSH && ns->durable))
		return BLK_STS_IOERR;
	/* Whoever removes the disk waits for it, with a lock that the change needs. */
	if (test_bit(GD_DEAD, &rq->q->disk->state))
		return BLK_STS_IOERR;

	/*
	 * The maps are about to change: where the bio goes next may have an
	 * interrupt, and the queue that its poller knows may be gone.  It may
	 * wait there, too: whoever sent it was told already that it is taken.
	 */
	for (bio = rq->bio; bio; bio = bio->bi_next) {
		bio_clear_polled(bio);
		bio->bi_opf &= ~REQ_NOWAIT;
		WRITE_ONCE(bio->bi_cookie, BLK_QC_T_NONE);
	}
	blk_mq_start_request(rq);
	spin_lock_irqsave(&ctrl->state_lock, flags);
	blk_steal_bios(&ctrl->orphans, rq);
	spin_unlock_irqrestore(&ctrl->state_lock, flags);
	blk_mq_end_request(rq, BLK_STS_OK);
	return BLK_STS_OK;
}

/*
 * Without a lock: they may wait for tags, and so for commands, whose time-outs need
 * @life if the device does not answer.
 */
static void orphan_work(struct work_struct *work)
{
	struct nvmq_ctrl *ctrl = container_of(work, struct nvmq_ctrl, orphan_work);
	struct bio_list list = BIO_EMPTY_LIST;
	struct bio *bio;

	spin_lock_irq(&ctrl->state_lock);
	bio_list_merge(&list, &ctrl->orphans);
	bio_list_init(&ctrl->orphans);
	spin_unlock_irq(&ctrl->state_lock);
	while ((bio = bio_list_pop(&list)))
		submit_bio_noacct(bio);
}

/* ---- down ---- */

/*
 * To stop the disks, or to allocate with @life held: memory that is written out to them first
 * would wait for whoever has it.  Returns what unlock_life() is given.
 */
static unsigned int lock_life(struct nvmq_ctrl *ctrl)
{
	unsigned int noio = memalloc_noio_save();

	mutex_lock(&ctrl->life);
	return noio;
}

static void unlock_life(struct nvmq_ctrl *ctrl, unsigned int noio)
{
	mutex_unlock(&ctrl->life);
	memalloc_noio_restore(noio);
}

/*
 * Make the device let go of all memory, however unwilling it is.  @life held.
 */
static void disable(struct nvmq_ctrl *ctrl)
{
	struct device *dev = &ctrl->pdev->dev;
	int err;

	lockdep_assert_held(&ctrl->life);
	nvmq_admin_stop(&ctrl->admin);
	err = nvmq_hw_disable(&ctrl->hw);
	if (err) {
		/* Registers that cannot be read do not mean that it makes no DMA. */
		if (err == -ETIMEDOUT)
			dev_err(dev, "controller does not stop: bus mastering is taken away from it\n");
		pci_clear_master(ctrl->pdev);
	}
	nvmq_admin_forget(&ctrl->admin);
}

/*
 * Take the I/O queues away and the commands with them.  With @delete the
 * queues are deleted one by one and the admin queue stays, if the device plays
 * along; else the controller is disabled.  The disks are quiesced, or there are
 * none.
 */
static void take_down(struct nvmq_ctrl *ctrl, bool delete)
{
	if (!nvmq_qset_stop(&ctrl->qset, delete))
		disable(ctrl);
	nvmq_qset_drain(&ctrl->qset);
	if (ctrl->has_set) {
		blk_mq_tagset_busy_iter(&ctrl->set, nvmq_io_cancel, NULL);
		blk_mq_tagset_wait_completed_request(&ctrl->set);
	}
}

/* Disable the controller and let all I/O fail; state DELETING or DEAD.  @life held. */
static void fail_io(struct nvmq_ctrl *ctrl)
{
	nvmq_nss_quiesce(&ctrl->nss);
	take_down(ctrl, false);
	nvmq_nss_unquiesce(&ctrl->nss);
	queue_work(ctrl_wq, &ctrl->orphan_work);
}

/* Give up: every I/O fails, the disks stay until the driver is unbound.  @life held. */
static void die(struct nvmq_ctrl *ctrl)
{
	bool dead = set_state(ctrl, NVMQ_DEAD);

	if (dead)
		dev_err(&ctrl->pdev->dev, "nvme%d: given up; I/O to its disks fails from now on\n",
			ctrl->id);
	fail_io(ctrl);
	if (dead)
		nvmq_nss_mark_dead(&ctrl->nss);
}

/* ---- up ---- */

static void copy_text(char *to, const char *from, size_t len)
{
	size_t i;

	for (i = 0; i < len; i++)
		to[i] = from[i] >= ' ' && from[i] <= '~' ? from[i] : ' ';
	while (len && to[len - 1] == ' ')
		len--;
	to[len] = '\0';
}

static void identify_subsys(struct nvmq_ctrl *ctrl, const struct nvmq_id_ctrl *id)
{
	struct nvmq_subsys_id *to = &ctrl->subsys_id;
	size_t len = strnlen(id->subnqn, sizeof(id->subnqn));

	copy_text(to->model, id->mn, sizeof(id->mn));
	copy_text(to->serial, id->sn, sizeof(id->sn));
	copy_text(to->firmware, id->fr, sizeof(id->fr));
	to->vid = le16_to_cpu(id->vid);
	to->shared = id->cmic & NVMQ_CMIC_MULTI_CTRL;
	ctrl->cntlid = le16_to_cpu(id->cntlid);
	ctrl->cntrltype = id->cntrltype;
	/* Before 1.2.1 there is none: it is made of the numbers (base 4.5.1). */
	if (len && len < sizeof(to->nqn))
		copy_text(to->nqn, id->subnqn, len);
	else
		snprintf(to->nqn, sizeof(to->nqn), "nqn.2014.08.org.nvmexpress:%04x%04x%-20s%-40s",
			 to->vid, le16_to_cpu(id->ssvid), to->serial, to->model);
}

static int identify(struct nvmq_ctrl *ctrl)
{
	struct device *dev = &ctrl->pdev->dev;
	u32 *crdt_ms = ctrl->qset.pools.crdt_ms;
	struct nvmq_id_ctrl *id;
	u32 rtd3e_ms, sgls;
	int err;

	id = kmalloc(sizeof(*id), GFP_KERNEL);
	if (!id)
		return -ENOMEM;
	err = nvmq_admin_identify(&ctrl->admin, NVMQ_CNS_CONTROLLER, 0, 0, id);
	if (err) {
		dev_err(dev, "Identify Controller failed: error %d\n", err);
		goto out;
	}
	if ((id->sqes & 0xf) > 6 || (id->sqes >> 4) < 6 ||
	    (id->cqes & 0xf) > 4 || (id->cqes >> 4) < 4) {
		dev_err(dev, "queue entry sizes SQES=%#x CQES=%#x do not allow 64 and 16 bytes\n",
			id->sqes, id->cqes);
		err = -EOPNOTSUPP;
		goto out;
	}
	identify_subsys(ctrl, id);
	rtd3e_ms = le32_to_cpu(id->rtd3e) / 1000;
	ctrl->shutdown_ms = clamp(rtd3e_ms, SHUTDOWN_DEFAULT_MS, SHUTDOWN_MAX_MS);
	/* Both kinds will do: our data is dword aligned. */
	sgls = le32_to_cpu(id->sgls) & NVMQ_SGLS_MASK;
	ctrl->qset.sgl = sgls && sgls != NVMQ_SGLS_RESERVED;
	ctrl->qset.burst = min_t(u8, id->rab, 7);
	ctrl->nss.vs = ctrl->hw.vs;
	ctrl->warning_kelvin = le16_to_cpu(id->wctemp);
	ctrl->critical_kelvin = le16_to_cpu(id->cctemp);
	ctrl->oacs = le16_to_cpu(id->oacs);
	ctrl->oaes = le32_to_cpu(id->oaes);
	ctrl->mtfa_ms = le16_to_cpu(id->mtfa) * 100 ?: MTFA_DEFAULT_MS;
	ctrl->admin.max_aborts = min(id->acl + 1u, NVMQ_ADMIN_ABORTS);
	nvmq_effects_forget(&ctrl->effects, id->lpa & NVMQ_LPA_EFFECTS);
	crdt_ms[0] = le16_to_cpu(id->crdt1) * 100;
	crdt_ms[1] = le16_to_cpu(id->crdt2) * 100;
	crdt_ms[2] = le16_to_cpu(id->crdt3) * 100;
	err = nvmq_nss_read_limits(&ctrl->nss, id);
	if (!err && (crdt_ms[0] || crdt_ms[1] || crdt_ms[2]))
		err = nvmq_admin_allow_retry_delay(&ctrl->admin);
out:
	kfree(id);
	return err;
}

static void log_grant(struct nvmq_ctrl *ctrl)
{
	char asked[NVMQ_PLAN_TEXT], granted[NVMQ_GRANT_TEXT];

	nvmq_plan_format(&ctrl->qset.plan, asked, sizeof(asked));
	nvmq_grant_format(&ctrl->qset.grant, granted, sizeof(granted));
	dev_info(&ctrl->pdev->dev, "nvme%d: asked \"%s\"; granted \"%s\"\n", ctrl->id, asked,
		 granted);
}

/* From any register state to I/O queues.  @life held, state CONNECTING. */
static int bring_up(struct nvmq_ctrl *ctrl)
{
	int err;

	lockdep_assert_held(&ctrl->life);
	ctrl->hw.wrr = ctrl->qset.plan.wrr.on;
	err = nvmq_hw_probe_caps(&ctrl->hw);
	if (err)
		return err;
	err = nvmq_hw_disable(&ctrl->hw);
	if (err) {
		dev_err(&ctrl->pdev->dev, "controller cannot be disabled: error %d\n", err);
		return err;
	}
	/* Only now: whoever used the device before is cut off from memory. */
	pci_set_master(ctrl->pdev);

	err = nvmq_qset_first_vector(&ctrl->qset);
	if (err)
		return err;
	err = nvmq_admin_start(&ctrl->admin);
	if (err)
		return err;
	err = identify(ctrl);
	if (err)
		return err;
	err = nvmq_qset_ask(&ctrl->qset) ?: nvmq_qset_start(&ctrl->qset);
	if (err) {
		dev_err(&ctrl->pdev->dev, "queues cannot be set up: error %d\n", err);
		return err;
	}
	log_grant(ctrl);
	if (ctrl->oacs & NVMQ_OACS_SECURITY) {
		err = nvmq_opal_start(&ctrl->opal, &ctrl->admin, ctrl->slept);
		if (err) {
			dev_err(&ctrl->pdev->dev, "Opal: no answer: error %d\n", err);
			return err;
		}
	}
	ctrl->slept = false;
	return nvmq_event_start(&ctrl->admin, ctrl->oaes);
}

/* ---- blk-mq ---- */

static struct nvmq_ctrl *set_to_ctrl(struct blk_mq_tag_set *set)
{
	return container_of(set, struct nvmq_ctrl, set);
}

/* Called anew for every hardware context each time the maps change. */
static int init_hctx(struct blk_mq_hw_ctx *hctx, void *data, unsigned int index)
{
	struct nvmq_ctrl *ctrl = data;

	hctx->driver_data = ctrl->qset.ioq[index];
	/*
	 * A context that was taken out of use while its CPUs were offline is given
	 * to other CPUs as it was, on some kernels: they would wait for ever for a tag.
	 */
	clear_bit(BLK_MQ_S_INACTIVE, &hctx->state);
	return 0;
}

static void map_queues(struct blk_mq_tag_set *set)
{
	nvmq_qset_map_queues(&set_to_ctrl(set)->qset, set);
}

static void to_incident(void *arg, const char *line)
{
	struct nvmq_ctrl *ctrl = arg;
	size_t at = strlen(ctrl->incident);

	scnprintf(ctrl->incident + at, NVMQ_INCIDENT_TEXT - at, "%s\n", line);
}

static void to_log(void *arg, const char *line)
{
	struct nvmq_ctrl *ctrl = arg;

	dev_warn(&ctrl->pdev->dev, "%s\n", line);
}

/*
 * The command that @text describes has not come back: keep what the recorder has,
 * and tell the log the last of it, once for all commands that the same trouble
 * has caught.  @life held.
 */
static void record(struct nvmq_ctrl *ctrl, const struct nvmq_ioq *ioq, const char *text,
		   unsigned long timeout, u32 csts, const char *then)
{
	static DEFINE_RATELIMIT_STATE(once, 10 * HZ, 1);
	char line[NVMQ_RECORDER_LINE + 64];

	snprintf(line, sizeof(line), "%s, timed out after %u s; CSTS=%#x: %s", text,
		 DIV_ROUND_UP(jiffies_to_msecs(timeout), 1000), csts, then);
	dev_warn_ratelimited(&ctrl->pdev->dev, "%s\n", line);
	ctrl->incident[0] = '\0';
	to_incident(ctrl, line);
	nvmq_recorder_dump(&ioq->q, 48, to_incident, ctrl);
	nvmq_recorder_dump(&ctrl->admin.q, 16, to_incident, ctrl);
	if (__ratelimit(&once))
		nvmq_recorder_dump(&ioq->q, 3, to_log, ctrl);
}

/*
 * A live controller does not finish @rq.  First it is asked to give the command
 * back (Abort), and has as much time again for that; then it is reset.  Aborts
 * that have to wait for others' say nothing of the device.  @life held.
 */
static void escalate(struct nvmq_ctrl *ctrl, struct nvmq_ioq *ioq, struct request *rq)
{
	struct nvmq_iod *iod = blk_mq_rq_to_pdu(rq);
	u32 csts = nvmq_hw_status(&ctrl->hw);
	u16 cid = nvmq_io_cid(rq);
	char text[NVMQ_IO_TEXT];

	/* It may end at any moment, and what there is to describe with it. */
	nvmq_io_describe(rq, text, sizeof(text));
	if (blk_mq_rq_state(rq) != MQ_RQ_IN_FLIGHT)
		return;
	/* All ones, from a device that is gone, have CFS too. */
	if (!(csts & NVMQ_CSTS_CFS) && iod->aborted != (u16)~cid) {
		int err = nvmq_admin_abort(&ctrl->admin, ioq->q.qid, cid);

		if (!err) {
			iod->aborted = ~cid;
			record(ctrl, ioq, text, rq->timeout, csts, "abort");
			return;
		}
		if (err == -EBUSY)
			return;
	}
	record(ctrl, ioq, text, rq->timeout, csts, "reset");
	nvmq_io_timed_out(rq);
	nvmq_ctrl_reset(ctrl, csts & NVMQ_CSTS_CFS ? "fatal status" : "I/O timed out");
}

/*
 * The completion may be in the ring and only the interrupt lost; if not, the
 * device does not do as it should.
 */
static enum blk_eh_timer_return timeout(struct request *rq)
{
	struct nvmq_ctrl *ctrl = set_to_ctrl(rq->q->tag_set);
	struct nvmq_ioq *ioq = rq->mq_hctx->driver_data;
	enum blk_eh_timer_return ret = BLK_EH_RESET_TIMER;

	/* Somebody is at work on the queues: whatever it is, it sees to this command. */
	if (!mutex_trylock(&ctrl->life))
		return ret;

	if (READ_ONCE(ioq->q.live) && nvmq_io_reap(ioq)) {
		ioq->q.cq->lost++;
		dev_warn_ratelimited(&ctrl->pdev->dev,
				     "queue %u: completion found without an interrupt\n",
				     ioq->q.qid);
	}
	/* In flight is the only state in which it is still ours to time out. */
	if (blk_mq_rq_state(rq) != MQ_RQ_IN_FLIGHT) {
		mutex_unlock(&ctrl->life);
		return BLK_EH_DONE;
	}

	switch (get_state(ctrl)) {
	case NVMQ_LIVE:
		escalate(ctrl, ioq, rq);
		break;
	case NVMQ_DELETING:
		/* No reset any more; what removal waits for must fail. */
		fail_io(ctrl);
		ret = BLK_EH_DONE;
		break;
	default:
		break;
	}
	mutex_unlock(&ctrl->life);
	return ret;
}

static const struct blk_mq_ops ctrl_mq_ops = {
	.queue_rq = nvmq_io_queue_rq,
	.queue_rqs = nvmq_io_queue_rqs,
	.commit_rqs = nvmq_io_commit_rqs,
	.complete = nvmq_io_complete_rq,
	.poll = nvmq_io_poll,
	.init_hctx = init_hctx,
	.map_queues = map_queues,
	.timeout = timeout,
};

static int alloc_set(struct nvmq_ctrl *ctrl)
{
	struct blk_mq_tag_set *set = &ctrl->set;
	int err;

	memset(set, 0, sizeof(*set));
	set->ops = &ctrl_mq_ops;
	ctrl->qset.mapped = ctrl->qset.grant;
	set->nr_hw_queues = nvmq_grant_total(&ctrl->qset.mapped);
	/* All three from the start: a map cannot be added to a tag set later. */
	set->nr_maps = HCTX_MAX_TYPES;
	set->queue_depth = ctrl->qset.grant.entries - 1;
	set->numa_node = dev_to_node(&ctrl->pdev->dev);
	set->cmd_size = sizeof(struct nvmq_iod);
	set->timeout = ctrl->io_timeout;
	/* One queue is no reason for a scheduler: that would end batching. */
	set->flags = BLK_MQ_F_SHOULD_MERGE | BLK_MQ_F_NO_SCHED_BY_DEFAULT;
	set->driver_data = ctrl;
	err = blk_mq_alloc_tag_set(set);
	if (err)
		dev_err(&ctrl->pdev->dev, "no memory for %u tags of %u queues\n",
			set->queue_depth, set->nr_hw_queues);
	else
		/* Only now are there tags, whose number can be changed. */
		nvmq_qset_map_queues(&ctrl->qset, set);
	ctrl->has_set = !err;
	ctrl->qset.depth = err ? 0 : set->queue_depth;
	return err;
}

/* ---- work ---- */

static void scan_work(struct work_struct *work)
{
	struct nvmq_ctrl *ctrl = container_of(work, struct nvmq_ctrl, scan_work);
	bool able;

	/* A disk that is there can do without I/O queues for a while; a new one cannot. */
	mutex_lock(&ctrl->life);
	able = get_state(ctrl) == NVMQ_LIVE && nvmq_grant_total(&ctrl->qset.grant);
	mutex_unlock(&ctrl->life);
	if (able)
		nvmq_nss_scan(&ctrl->nss);
}

/* Hard interrupt context.  No other event comes before this one is answered. */
static void event_came(struct nvmq_admin *admin, u32 event)
{
	struct nvmq_ctrl *ctrl = container_of(admin, struct nvmq_ctrl, admin);

	WRITE_ONCE(ctrl->event, event);
	queue_work(ctrl_wq, &ctrl->event_work);
}

/* New firmware takes over: the device processes no command as long as CSTS.PP says so. */
static void pause_io(struct nvmq_ctrl *ctrl)
{
	unsigned long deadline = jiffies + msecs_to_jiffies(ctrl->mtfa_ms);
	bool late = false;

	mutex_lock(&ctrl->life);
	if (get_state(ctrl) != NVMQ_LIVE)
		goto out;
	dev_info(&ctrl->pdev->dev, "nvme%d: firmware is being activated: I/O waits\n", ctrl->id);
	nvmq_nss_quiesce(&ctrl->nss);
	while (!late && get_state(ctrl) == NVMQ_LIVE &&
	       (nvmq_hw_status(&ctrl->hw) & (NVMQ_CSTS_PP | NVMQ_CSTS_CFS)) ==
	       NVMQ_CSTS_PP) {
		late = time_after(jiffies, deadline);
		msleep(20);
	}
	nvmq_nss_unquiesce(&ctrl->nss);
	if (late)
		nvmq_ctrl_reset(ctrl, "firmware activation takes too long");
out:
	mutex_unlock(&ctrl->life);
}

/*
 * A device may report what stays as it is again and again, as soon as the page was read: not more
 * often than this.
 */
#define HEALTH_PAUSE	(10 * HZ)

static void health_work(struct work_struct *work)
{
	struct nvmq_ctrl *ctrl = container_of(to_delayed_work(work), struct nvmq_ctrl, health_work);

	ctrl->health_again = jiffies + HEALTH_PAUSE;
	nvmq_event_read_health(&ctrl->admin, &ctrl->health_told);
}

/* Returns false if that was to be done anyway. */
static bool read_health_soon(struct nvmq_ctrl *ctrl)
{
	unsigned long now = jiffies;

	return queue_delayed_work(ctrl_wq, &ctrl->health_work,
				  time_before(now, ctrl->health_again) ?
				  ctrl->health_again - now : 0);
}

static void event_work(struct work_struct *work)
{
	struct nvmq_ctrl *ctrl = container_of(work, struct nvmq_ctrl, event_work);
	u32 event = READ_ONCE(ctrl->event);
	bool told = nvmq_event_is_told(event);
	char text[32];

	if (nvmq_event_is_activation(event))
		pause_io(ctrl);
	/* Where the last one was not looked at yet another should not have come. */
	if (nvmq_event_is_health(event))
		told = read_health_soon(ctrl);
	if (told) {
		snprintf(text, sizeof(text), "NVME_AEN=%#08x", event);
		nvmq_node_tell(&ctrl->node, text);
	}
	switch (nvmq_event_handle(&ctrl->admin, event)) {
	case NVMQ_ANSWER_RESCAN:
		queue_work(ctrl_wq, &ctrl->scan_work);
		break;
	case NVMQ_ANSWER_RESET:
		nvmq_ctrl_reset(ctrl, "the device reports a persistent internal error");
		break;
	case NVMQ_ANSWER_NONE:
		break;
	}
}

/*
 * The queues changed in number, kind or depth, or the CPUs that they serve.  For the
 * maps to be made anew the disks must be frozen, that is, nothing may wait for
 * the device: all queues are parked, requests end in no_queue(), and no command
 * is in flight meanwhile.  Before that all is flushed, since flushes are among
 * these requests.  The disks are quiesced before, and run afterwards; after an
 * error they are quiesced.  @life held.
 */
static int remap(struct nvmq_ctrl *ctrl)
{
	struct nvmq_qset *qset = &ctrl->qset;
	int tries, err;

	err = nvmq_nss_flush(&ctrl->nss, qset->ioq[0], ctrl->io_timeout);
	if (err)
		return err;
	nvmq_qset_park(qset);
	WRITE_ONCE(ctrl->remapping, true);
	nvmq_nss_unquiesce(&ctrl->nss);
	qset->mapped = qset->grant;
	/*
	 * Whoever removes a disk waits for the end of all that was sent to it: what is in its queue
	 * ends as that runs again, and what was taken out as soon as it is sent once more.
	 */
	while (!mutex_trylock(&ctrl->nss.maps)) {
		queue_work(ctrl_wq, &ctrl->orphan_work);
		usleep_range(500, 1000);
	}
	/*
	 * That tells of no failure, and leaves the maps as they were when memory is short.
	 * A second time all contexts have tags, whose number can be changed.
	 */
	for (tries = 0; tries < 2 && !nvmq_qset_is_mapped(qset, &ctrl->set); tries++)
		blk_mq_update_nr_hw_queues(&ctrl->set, nvmq_grant_total(&qset->mapped));
	mutex_unlock(&ctrl->nss.maps);
	if (!nvmq_qset_is_mapped(qset, &ctrl->set)) {
		dev_err(&ctrl->pdev->dev, "nvme%d: no memory to map %u queues\n", ctrl->id,
			nvmq_grant_total(&qset->mapped));
		nvmq_nss_quiesce(&ctrl->nss);
		/* How far it came nobody knows: next time the maps are made anew. */
		memset(&qset->mapped, 0, sizeof(qset->mapped));
		err = -ENOMEM;
	}
	WRITE_ONCE(ctrl->remapping, false);
	return err;
}

/*
 * Let I/O go on with the queues that there are now.  The disks are quiesced, and
 * stay so if this returns an error.  @life held.
 */
static int go_on(struct nvmq_ctrl *ctrl)
{
	struct device *dev = &ctrl->pdev->dev;
	int err;

	nvmq_stats_follow(&ctrl->stats);
	if (!nvmq_grant_total(&ctrl->qset.grant)) {
		if (ctrl->has_set)
			dev_err(dev, "nvme%d: no I/O queues after the reset: I/O fails until a reset brings some\n",
				ctrl->id);
	} else if (!ctrl->has_set) {
		/* None until now: there are no disks yet either. */
		err = alloc_set(ctrl);
		if (err)
			return err;
	} else if (ctrl->qset.grant.entries <= ctrl->set.queue_depth) {
		/* The tags are for the old rings. */
		dev_err(dev, "nvme%d: queues hold %u commands after the reset, not %u\n", ctrl->id,
			ctrl->qset.grant.entries - 1, ctrl->set.queue_depth);
		return -EIO;
	} else if (nvmq_qset_changed(&ctrl->qset, &ctrl->set)) {
		err = remap(ctrl);
		if (err)
			return err;
	}
	nvmq_nss_unquiesce(&ctrl->nss);
	queue_work(ctrl_wq, &ctrl->orphan_work);
	return 0;
}

/*
 * Memory may be short for a moment, no reason to give a disk up: tried again until
 * the waits are too long.  @life held, state CONNECTING.
 */
static int come_back(struct nvmq_ctrl *ctrl)
{
	unsigned int wait_ms = RETRY_MS;

	for (;;) {
		int err = bring_up(ctrl) ?: go_on(ctrl);

		if (err != -ENOMEM || wait_ms > RETRY_MAX_MS ||
		    get_state(ctrl) != NVMQ_CONNECTING)
			return err;
		dev_warn(&ctrl->pdev->dev, "nvme%d: no memory for the reset: again in %u ms\n",
			 ctrl->id, wait_ms);
		take_down(ctrl, false);
		msleep(wait_ms);
		wait_ms *= 2;
	}
}

static void reset_work(struct work_struct *work)
{
	struct nvmq_ctrl *ctrl = container_of(work, struct nvmq_ctrl, reset_work);
	unsigned int noio = lock_life(ctrl);
	int err;

	if (get_state(ctrl) != NVMQ_RESETTING) {
		/* Being removed; whoever asked for the reset may have stopped the queues. */
		nvmq_nss_unquiesce(&ctrl->nss);
		goto out;
	}

	nvmq_nss_quiesce(&ctrl->nss);
	take_down(ctrl, false);
	if (!set_state(ctrl, NVMQ_CONNECTING)) {
		/* Being removed: what is queued must fail, not wait. */
		nvmq_nss_unquiesce(&ctrl->nss);
		goto out;
	}
	err = come_back(ctrl);
	if (err) {
		dev_err(&ctrl->pdev->dev, "nvme%d: reset failed: error %d\n", ctrl->id, err);
		die(ctrl);
	} else if (set_state(ctrl, NVMQ_LIVE)) {
		dev_info(&ctrl->pdev->dev, "nvme%d: reset done\n", ctrl->id);
		nvmq_node_tell(&ctrl->node, CONNECTED);
		queue_work(ctrl_wq, &ctrl->scan_work);
	}
out:
	unlock_life(ctrl, noio);
}

/**
 * nvmq_ctrl_reset - take the controller down and bring it up again
 * @ctrl: a live controller
 * @why: reason for the log
 *
 * Returns at once; I/O waits, and what was outstanding is sent again.
 *
 * Context: any.
 * Return: 0; -EBUSY if it is not live.
 */
int nvmq_ctrl_reset(struct nvmq_ctrl *ctrl, const char *why)
{
	if (!set_state(ctrl, NVMQ_RESETTING))
		return -EBUSY;
	dev_warn(&ctrl->pdev->dev, "nvme%d: reset: %s\n", ctrl->id, why);
	queue_work(ctrl_wq, &ctrl->reset_work);
	return 0;
}

static void admin_timed_out(struct nvmq_admin *admin)
{
	nvmq_ctrl_reset(container_of(admin, struct nvmq_ctrl, admin), "admin command timed out");
}

/*
 * See nvmq_ctrl_limit_hold().  Never waits for the device lock: the removal, which
 * has it, waits for this.
 */
static void hold_work(struct work_struct *work)
{
	struct nvmq_ctrl *ctrl = container_of(work, struct nvmq_ctrl, hold_work.work);
	struct device *dev = &ctrl->pdev->dev;
	bool again = true;

	if (device_trylock(dev)) {
		again = ctrl->hold_until && time_before(jiffies, ctrl->hold_until);
		if (ctrl->hold_until && !again) {
			dev_warn(dev, "nvme%d: nobody has reset the bus: trying without\n",
				 ctrl->id);
			nvmq_ctrl_release(ctrl);
		}
		device_unlock(dev);
	}
	if (again)
		queue_delayed_work(ctrl_wq, &ctrl->hold_work, HZ);
}

/* ---- birth and death ---- */

/* Is this a disk nvmeXn..., or a partition of one, for a given X? */
static int is_disk_of(struct device *dev, const void *data)
{
	const int *id = data;
	unsigned int x, n;

	return sscanf(dev_name(dev), "nvme%un%u", &x, &n) == 2 && x == *id;
}

/*
 * The lowest number that neither we nor another driver, such as the kernel's
 * own, has given to a controller with disks.  The latter takes the lowest that it
 * does not use itself, whoever else does: beside it only numbers will do that it
 * does not come to.
 */
static int alloc_id(bool beside)
{
	int min = beside ? NVMQ_FIRST_BESIDE : 0;
	struct device *taken;

	for (;;) {
		int id = ida_alloc_range(&ctrl_ids, min, U16_MAX, GFP_KERNEL);

		if (id < 0)
			return id;
		taken = nvmq_compat_find_disk(is_disk_of, &id);
		if (!taken)
			return id;
		put_device(taken);
		ida_free(&ctrl_ids, id);
		min = id + 1;
	}
}

/* Nobody has the controller any more, nor one of its namespaces. */
static void release_node(struct nvmq_node *node)
{
	struct nvmq_ctrl *ctrl = container_of(node, struct nvmq_ctrl, node);

	if (ctrl->id >= 0)
		ida_free(&ctrl_ids, ctrl->id);
	pci_dev_put(ctrl->pdev);
	nvmq_effects_free(&ctrl->effects);
	kfree(ctrl->incident);
	kfree(ctrl);
}

/**
 * nvmq_ctrl_create - memory for a controller
 * @pdev: enabled PCI function whose regions are held, DMA mask set
 * @options: what the user chose
 *
 * Context: may sleep.
 * Return: the controller, or an error pointer.
 */
struct nvmq_ctrl *nvmq_ctrl_create(struct pci_dev *pdev, const struct nvmq_ctrl_options *options)
{
	struct nvmq_ctrl *ctrl;
	int err;

	ctrl = kzalloc_node(sizeof(*ctrl), GFP_KERNEL, dev_to_node(&pdev->dev));
	if (!ctrl)
		return ERR_PTR(-ENOMEM);
	ctrl->incident = kzalloc(NVMQ_INCIDENT_TEXT, GFP_KERNEL);
	if (!ctrl->incident || nvmq_effects_alloc(&ctrl->effects)) {
		kfree(ctrl->incident);
		kfree(ctrl);
		return ERR_PTR(-ENOMEM);
	}
	ctrl->pdev = pci_dev_get(pdev);
	nvmq_node_init(&ctrl->node, NVMQ_NODE_CTRL, &pdev->dev, release_node);
	ctrl->node.dev.groups = options->doors->ctrl_groups;
	dev_set_drvdata(&ctrl->node.dev, ctrl);
	init_rwsem(&ctrl->doors);
	ctrl->io_timeout = options->io_timeout * HZ;
	ctrl->shutdown_ms = SHUTDOWN_DEFAULT_MS;
	spin_lock_init(&ctrl->state_lock);
	mutex_init(&ctrl->life);
	bio_list_init(&ctrl->orphans);
	INIT_WORK(&ctrl->reset_work, reset_work);
	INIT_WORK(&ctrl->scan_work, scan_work);
	INIT_WORK(&ctrl->orphan_work, orphan_work);
	INIT_WORK(&ctrl->event_work, event_work);
	INIT_DELAYED_WORK(&ctrl->health_work, health_work);
	ctrl->health_again = jiffies;
	ctrl->health_told = -1;
	INIT_DELAYED_WORK(&ctrl->hold_work, hold_work);
	ctrl->nss.admin = &ctrl->admin;
	ctrl->nss.set = &ctrl->set;
	ctrl->nss.dev = &pdev->dev;
	ctrl->nss.parent = &ctrl->node;
	ctrl->nss.doors = options->doors;
	mutex_init(&ctrl->nss.scan);
	mutex_init(&ctrl->nss.maps);
	mutex_init(&ctrl->nss.lock);
	INIT_LIST_HEAD(&ctrl->nss.list);

	ctrl->id = alloc_id(options->beside);
	if (ctrl->id < 0) {
		err = ctrl->id;
		goto free;
	}
	ctrl->nss.ctrl_id = ctrl->id;
	ctrl->hw.quirks = options->quirks;
	if (options->quirks & NVMQ_QUIRK_DELAY_RDY)
		ctrl->hw.settle_ms = DELAY_RDY_MS;
	err = nvmq_hw_map(&ctrl->hw, pdev);
	if (err)
		goto free;
	err = nvmq_hw_probe_caps(&ctrl->hw);
	if (err)
		goto unmap;
	ctrl->admin.timed_out = admin_timed_out;
	ctrl->admin.event = event_came;
	err = nvmq_admin_alloc(&ctrl->admin, &ctrl->hw, ctrl->id, options->admin_timeout * HZ);
	if (err)
		goto unmap;
	ctrl->qset.pools.no_queue = no_queue;
	err = nvmq_qset_init(&ctrl->qset, &ctrl->admin, &options->plan,
			     options->quirks & NVMQ_QUIRK_PRP_512 ? 512 : 256);
	if (err)
		goto free_admin;
	return ctrl;

free_admin:
	nvmq_admin_free(&ctrl->admin);
unmap:
	nvmq_hw_unmap(&ctrl->hw);
free:
	nvmq_node_put(&ctrl->node);
	return ERR_PTR(err);
}

/* Nothing but tools needs that. */
static void join_subsys(struct nvmq_ctrl *ctrl)
{
	ctrl->subsys = nvmq_subsys_join(&ctrl->subsys_id, &ctrl->node, ctrl->id);
	if (!IS_ERR(ctrl->subsys))
		ctrl->nss.subsys = ctrl->subsys;
	else
		dev_warn(&ctrl->pdev->dev, "nvme%d: not shown in a subsystem: error %ld\n",
			 ctrl->id, PTR_ERR(ctrl->subsys));
}

/**
 * nvmq_ctrl_start - bring the controller up for the first time and add its disks
 * @ctrl: from nvmq_ctrl_create()
 *
 * A controller without I/O queues is brought up too: it has no disks, and its
 * admin queue works.
 *
 * Context: sleeps.
 * Return: 0; on error the controller is disabled, and nvmq_ctrl_destroy() is next.
 */
int nvmq_ctrl_start(struct nvmq_ctrl *ctrl)
{
	int err;

	mutex_lock(&ctrl->life);
	set_state(ctrl, NVMQ_CONNECTING);
	err = bring_up(ctrl);
	if (!err && nvmq_grant_total(&ctrl->qset.grant))
		err = alloc_set(ctrl);
	if (err)
		take_down(ctrl, false);
	else if (!nvmq_grant_total(&ctrl->qset.grant))
		dev_warn(&ctrl->pdev->dev, "nvme%d: no I/O queues: no disks, admin commands only\n",
			 ctrl->id);
	/* Before there is a disk, whose parent it is. */
	if (!err) {
		err = dev_set_name(&ctrl->node.dev, "nvme%d", ctrl->id) ?:
		      nvmq_node_add(&ctrl->node, ctrl->nss.doors->ctrl_fops);
		if (err) {
			dev_err(&ctrl->pdev->dev, "nvme%d: no device: error %d\n", ctrl->id, err);
			take_down(ctrl, false);
		} else {
			join_subsys(ctrl);
		}
	}
	set_state(ctrl, err ? NVMQ_DEAD : NVMQ_LIVE);
	mutex_unlock(&ctrl->life);
	if (err)
		return err;
	nvmq_node_tell(&ctrl->node, CONNECTED);

	/* So that the disks are there when insmod returns.  If it is reset already, that scans. */
	nvmq_ctrl_rescan(ctrl);
	return 0;
}

/* Queues deleted in order, device told, memory its own again.  @life held. */
static void shut_down(struct nvmq_ctrl *ctrl)
{
	bool alive = !nvmq_hw_gone(&ctrl->hw) && ctrl->admin.q.live;

	take_down(ctrl, alive);
	if (!alive)
		return;
	nvmq_admin_stop(&ctrl->admin);
	if (nvmq_hw_shutdown(&ctrl->hw, ctrl->shutdown_ms))
		disable(ctrl);
	nvmq_admin_forget(&ctrl->admin);
}

/**
 * nvmq_ctrl_remove - end all I/O, remove the disks, shut the device down
 * @ctrl: a controller that was started
 *
 * Context: sleeps; ends in any case, a dead device included.
 */
void nvmq_ctrl_remove(struct nvmq_ctrl *ctrl)
{
	set_state(ctrl, NVMQ_DELETING);
	cancel_delayed_work_sync(&ctrl->hold_work);
	cancel_work_sync(&ctrl->reset_work);

	if (nvmq_hw_gone(&ctrl->hw)) {
		/* Surprise: let everything fail now instead of timing out. */
		mutex_lock(&ctrl->life);
		fail_io(ctrl);
		mutex_unlock(&ctrl->life);
		nvmq_nss_mark_dead(&ctrl->nss);
	} else {
		nvmq_nss_unquiesce(&ctrl->nss);
	}
	cancel_work_sync(&ctrl->event_work);
	cancel_delayed_work_sync(&ctrl->health_work);
	cancel_work_sync(&ctrl->scan_work);
	/* A reset that was to do that may not have come to it. */
	queue_work(ctrl_wq, &ctrl->orphan_work);
	flush_work(&ctrl->orphan_work);
	nvmq_nss_remove(&ctrl->nss);
	nvmq_subsys_leave(ctrl->subsys, &ctrl->node);
	nvmq_node_del(&ctrl->node);

	mutex_lock(&ctrl->life);
	shut_down(ctrl);
	mutex_unlock(&ctrl->life);

	/* No admin command can be outstanding: nobody is inside for long. */
	down_write(&ctrl->doors);
	ctrl->gone = true;
	up_write(&ctrl->doors);
}

/**
 * nvmq_ctrl_destroy - free what a controller has
 * @ctrl: removed, or never started with success
 *
 * Its own memory goes when nobody has it open.
 */
void nvmq_ctrl_destroy(struct nvmq_ctrl *ctrl)
{
	cancel_work_sync(&ctrl->event_work);
	cancel_delayed_work_sync(&ctrl->health_work);
	cancel_work_sync(&ctrl->reset_work);
	cancel_work_sync(&ctrl->scan_work);
	flush_work(&ctrl->orphan_work);
	if (ctrl->has_set)
		blk_mq_free_tag_set(&ctrl->set);
	nvmq_stats_stop(&ctrl->stats);
	nvmq_stats_free(&ctrl->stats);
	nvmq_opal_free(&ctrl->opal);
	nvmq_admin_forget(&ctrl->admin);
	nvmq_admin_free(&ctrl->admin);
	nvmq_qset_exit(&ctrl->qset);
	nvmq_hw_unmap(&ctrl->hw);
	nvmq_node_put(&ctrl->node);
}

/**
 * nvmq_ctrl_shutdown - the machine goes down: have the device save its data
 * @ctrl: a controller that was started
 *
 * The disks stay; I/O to them fails from now on.
 *
 * Context: sleeps.
 */
void nvmq_ctrl_shutdown(struct nvmq_ctrl *ctrl)
{
	unsigned int noio;

	set_state(ctrl, NVMQ_DELETING);
	cancel_work_sync(&ctrl->reset_work);
	noio = lock_life(ctrl);
	nvmq_nss_quiesce(&ctrl->nss);
	shut_down(ctrl);
	unlock_life(ctrl, noio);
	nvmq_nss_unquiesce(&ctrl->nss);
}

/**
 * nvmq_ctrl_hold - take the device down for a while, keep the disks and their I/O waiting
 * @ctrl: a controller that was started
 * @shutdown: tell the device that power may go (base 3.6.1); else it is only disabled
 *
 * Waits for a reset that is under way.  No other begins before nvmq_ctrl_release(); a removal may.
 * To hold what is held already changes nothing.
 *
 * Context: sleeps.  The device lock is held, as in all callbacks of the PCI and PM core.
 * Return: 0; -ENODEV for a controller that is dead or being removed.
 */
int nvmq_ctrl_hold(struct nvmq_ctrl *ctrl, bool shutdown)
{
	unsigned int noio;

	if (ctrl->held)
		return 0;
	while (!set_state(ctrl, NVMQ_RESETTING)) {
		enum nvmq_state state = get_state(ctrl);

		if (state == NVMQ_DELETING || state == NVMQ_DEAD)
			return -ENODEV;
		flush_work(&ctrl->reset_work);
		cond_resched();
	}
	ctrl->held = true;
	noio = lock_life(ctrl);
	nvmq_nss_quiesce(&ctrl->nss);
	ctrl->slept |= shutdown;
	if (shutdown)
		shut_down(ctrl);
	else
		take_down(ctrl, false);
	unlock_life(ctrl, noio);
	return 0;
}

/**
 * nvmq_ctrl_limit_hold - do not wait for nvmq_ctrl_release() for ever
 * @ctrl: a controller that is held
 *
 * Context: does not sleep; the device lock is held.
 */
void nvmq_ctrl_limit_hold(struct nvmq_ctrl *ctrl)
{
	/* 0 is for none. */
	ctrl->hold_until = (jiffies + msecs_to_jiffies(HOLD_LIMIT_MS)) ?: 1;
	queue_delayed_work(ctrl_wq, &ctrl->hold_work, HZ);
}

/**
 * nvmq_ctrl_release - bring the device up after nvmq_ctrl_hold(), if it is held
 * @ctrl: the controller
 *
 * Returns at once; a device that does not come back is given up by the reset.
 *
 * Context: may sleep; the device lock is held.
 */
void nvmq_ctrl_release(struct nvmq_ctrl *ctrl)
{
	if (!ctrl->held)
		return;
	/*
	 * A reset of the bus has cost the device its configuration, a failed one as
	 * well.  Where the core has brought it back itself this does nothing; and
	 * what is saved is used up each time.
	 */
	pci_restore_state(ctrl->pdev);
	if (pci_device_is_present(ctrl->pdev))
		pci_save_state(ctrl->pdev);
	ctrl->held = false;
	ctrl->hold_until = 0;
	queue_work(ctrl_wq, &ctrl->reset_work);
}

/**
 * nvmq_ctrl_subsystem_reset - reset the whole NVM subsystem (base 3.7.1)
 * @ctrl: the controller
 *
 * Other controllers of the subsystem lose their state, too. The function may lose its
 * configuration, as in a reset of the bus: it is given back what probe has saved.
 *
 * Context: sleeps until the reset has ended.
 * Return: 0; -EOPNOTSUPP if the controller cannot do that; -EBUSY if it is not live; -EIO if it
 * does not come back.
 */
int nvmq_ctrl_subsystem_reset(struct nvmq_ctrl *ctrl)
{
	int err;

	if (!NVMQ_CAP_NSSRS(ctrl->hw.cap))
		return -EOPNOTSUPP;
	mutex_lock(&ctrl->life);
	if (!set_state(ctrl, NVMQ_RESETTING)) {
		mutex_unlock(&ctrl->life);
		return -EBUSY;
	}
	dev_warn(&ctrl->pdev->dev, "nvme%d: reset: of the subsystem, asked for\n", ctrl->id);
	nvmq_nss_quiesce(&ctrl->nss);
	err = nvmq_hw_subsystem_reset(&ctrl->hw);
	if (err)
		dev_err(&ctrl->pdev->dev, "nvme%d: gone after the reset of the subsystem\n",
			ctrl->id);
	queue_work(ctrl_wq, &ctrl->reset_work);
	mutex_unlock(&ctrl->life);
	return nvmq_ctrl_settle(ctrl);
}

/* ---- another plan ---- */

static bool count_started(struct request *rq, void *data)
{
	unsigned int *count = data;

	*count += blk_mq_request_started(rq);
	return true;
}

/*
 * Wait for the commands in flight, but not for ever.  The disks are quiesced.
 * Returns false if there still are some.
 */
static bool wait_idle(struct nvmq_ctrl *ctrl)
{
	unsigned long deadline = jiffies + msecs_to_jiffies(IDLE_MS);
	unsigned int sleep_us = 20;

	while (ctrl->has_set) {
		bool late = time_after(jiffies, deadline);
		unsigned int count = 0;

		nvmq_qset_poll(&ctrl->qset);
		blk_mq_tagset_busy_iter(&ctrl->set, count_started, &count);
		if (!count)
			break;
		if (late)
			return false;
		usleep_range(sleep_us, 2 * sleep_us);
		sleep_us = min(2 * sleep_us, 1000u);
	}
	return true;
}

/* The disks are quiesced, and stay so only if a reset follows: not in a removal.  @life held. */
static void reset_or_fail(struct nvmq_ctrl *ctrl, const char *why)
{
	if (nvmq_ctrl_reset(ctrl, why))
		fail_io(ctrl);
}

/* Queues for the plan where there are none now, and let I/O go on.  @life held. */
static int carry_out(struct nvmq_ctrl *ctrl)
{
	int err = nvmq_qset_start(&ctrl->qset);

	if (!err && ctrl->has_set && !nvmq_grant_total(&ctrl->qset.grant))
		err = -ENOSPC;
	return err ?: go_on(ctrl);
}

/**
 * nvmq_ctrl_set_plan - carry another plan out, while I/O waits
 * @ctrl: a controller that was started
 * @plan: the plan, which nvmq_plan_check() finds right
 *
 * Waits for the commands in flight, deletes the queues, creates others and changes
 * the maps, without a reset.  What was asked before comes back if that cannot be
 * done; where queues can be neither deleted nor created the controller is reset, and
 * where the plan needs that.
 *
 * Context: sleeps.
 * Return: 0; -EBUSY if the controller is not live; -ETIMEDOUT if commands are
 * outstanding for too long; -EIO if the controller is dead after a reset; or why no
 * queue can be created.  After an error the plan is what it was.
 */
int nvmq_ctrl_set_plan(struct nvmq_ctrl *ctrl, const struct nvmq_plan *plan)
{
	struct nvmq_qset *qset = &ctrl->qset;
	struct device *dev = &ctrl->pdev->dev;
	unsigned int noio = lock_life(ctrl);
	struct nvmq_plan old;
	bool reset = false;
	int err = 0;

	old = qset->plan;
	if (get_state(ctrl) != NVMQ_LIVE) {
		err = -EBUSY;
		goto out;
	}
	if (nvmq_qset_needs_reset(qset, plan)) {
		qset->plan = *plan;
		reset = true;
		nvmq_ctrl_reset(ctrl, "the plan asks for another arbitration");
		goto out;
	}
	nvmq_nss_quiesce(&ctrl->nss);
	if (!wait_idle(ctrl)) {
		dev_warn_ratelimited(dev, "plan: commands are outstanding after %u s: not changed\n",
				     IDLE_MS / 1000);
		nvmq_nss_unquiesce(&ctrl->nss);
		err = -ETIMEDOUT;
		goto out;
	}

	qset->plan = *plan;
	if (!nvmq_qset_stop(qset, true)) {
		reset = true;
		reset_or_fail(ctrl, "queues cannot be deleted for a new plan");
		goto out;
	}
	err = carry_out(ctrl);
	if (err) {
		dev_err(dev, "plan: error %d: back to the one before\n", err);
		qset->plan = old;
		if (!nvmq_qset_stop(qset, true) || carry_out(ctrl)) {
			reset = true;
			reset_or_fail(ctrl, "queues cannot be created for the old plan");
			goto out;
		}
	}
	log_grant(ctrl);
	/* A disk that came meanwhile was turned away. */
	queue_work(ctrl_wq, &ctrl->scan_work);
out:
	unlock_life(ctrl, noio);
	if (reset)
		err = nvmq_ctrl_settle(ctrl) ?: err;
	return err;
}

/**
 * nvmq_ctrl_count - begin to count what the queues do, from zero, or end it
 * @ctrl: a controller that was started
 * @on: begin
 *
 * Context: sleeps.
 * Return: 0; or an error of nvmq_stats_start(), and nothing is counted.
 */
int nvmq_ctrl_count(struct nvmq_ctrl *ctrl, bool on)
{
	unsigned int noio = lock_life(ctrl);
	int err = 0;

	nvmq_stats_stop(&ctrl->stats);
	if (on)
		err = nvmq_stats_start(&ctrl->stats, &ctrl->qset, ctrl->id);
	unlock_life(ctrl, noio);
	return err;
}

/* ---- doors ---- */

/**
 * nvmq_ctrl_open - open nvmeX
 * @inode: of the node
 * @file: its private_data becomes the &struct nvmq_ctrl
 *
 * Return: 0; -EWOULDBLOCK if the controller is not live.
 */
int nvmq_ctrl_open(struct inode *inode, struct file *file)
{
	struct nvmq_ctrl *ctrl = container_of(inode->i_cdev, struct nvmq_ctrl, node.cdev);

	if (get_state(ctrl) != NVMQ_LIVE)
		return -EWOULDBLOCK;
	file->private_data = ctrl;
	return 0;
}

/**
 * nvmq_ctrl_enter - keep a controller from being taken away
 * @ctrl: a controller, by an open file that may be older than its end
 *
 * Until nvmq_ctrl_leave() queues and registers are there, alive or not.  Not to be called with
 * @ctrl->life held, nor a second time before leaving.
 *
 * Context: may sleep.
 * Return: false if it is gone: nothing but its memory is left.
 */
bool nvmq_ctrl_enter(struct nvmq_ctrl *ctrl)
{
	down_read(&ctrl->doors);
	if (!ctrl->gone)
		return true;
	up_read(&ctrl->doors);
	return false;
}

/**
 * nvmq_ctrl_leave - undo nvmq_ctrl_enter()
 * @ctrl: the controller
 */
void nvmq_ctrl_leave(struct nvmq_ctrl *ctrl)
{
	up_read(&ctrl->doors);
}

/**
 * nvmq_ctrl_settle - wait for the end of a reset that was begun
 * @ctrl: the controller
 *
 * Context: sleeps.
 * Return: 0 if the controller is live; -EIO if not.
 */
int nvmq_ctrl_settle(struct nvmq_ctrl *ctrl)
{
	flush_work(&ctrl->reset_work);
	return get_state(ctrl) == NVMQ_LIVE ? 0 : -EIO;
}

/**
 * nvmq_ctrl_rescan - look for namespaces anew
 * @ctrl: the controller
 *
 * Context: sleeps; does I/O to read partition tables.
 * Return: 0; -EBUSY if the controller is not live.
 */
int nvmq_ctrl_rescan(struct nvmq_ctrl *ctrl)
{
	if (get_state(ctrl) != NVMQ_LIVE)
		return -EBUSY;
	queue_work(ctrl_wq, &ctrl->scan_work);
	flush_work(&ctrl->scan_work);
	return 0;
}

/**
 * nvmq_ctrl_module_init - what all controllers share
 *
 * Return: 0 or an error.
 */
int nvmq_ctrl_module_init(void)
{
	int err;

	/* A reset may be what memory reclaim waits for. */
	ctrl_wq = alloc_workqueue("nvmq", WQ_UNBOUND | WQ_MEM_RECLAIM, 0);
	if (!ctrl_wq)
		return -ENOMEM;
	err = nvmq_node_module_init();
	if (err)
		destroy_workqueue(ctrl_wq);
	return err;
}

/**
 * nvmq_ctrl_module_exit - undo nvmq_ctrl_module_init()
 */
void nvmq_ctrl_module_exit(void)
{
	nvmq_node_module_exit();
	destroy_workqueue(ctrl_wq);
	ida_destroy(&ctrl_ids);
}
