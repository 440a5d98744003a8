// SPDX-License-Identifier: GPL-2.0
/*
 * The queue map, the queues, the counters and the flight recorder in debugfs.
 *
 * Nothing depends on these files: that debugfs is not there, or full, is no
 * error anywhere.
 */
#include <linux/cpumask.h>
#include <linux/debugfs.h>
#include <linux/irq.h>
#include <linux/seq_file.h>

#include "ctrl.h"
#include "debugfs.h"
#include "recorder.h"
#include "report.h"

static struct dentry *root;

/* Which queue a CPU's I/O of each type goes to; '-': there is none of that type. */
static int map_show(struct seq_file *m, void *unused)
{
	struct nvmq_ctrl *ctrl = m->private;
	const struct nvmq_qset *qs = &ctrl->qset;
	int cpu, type;

	if (mutex_lock_interruptible(&ctrl->life))
		return -ERESTARTSYS;
	seq_puts(m, "# cpu default read poll\n");
	for_each_possible_cpu(cpu) {
		seq_printf(m, "%d", cpu);
		for (type = 0; type < NVMQ_NR_TYPES; type++) {
			if (qs->grant.queues[type] && qs->map[type][cpu])
				seq_printf(m, " %u", qs->map[type][cpu]);
			else
				seq_puts(m, " -");
		}
		seq_putc(m, '\n');
	}
	mutex_unlock(&ctrl->life);
	return 0;
}
DEFINE_SHOW_ATTRIBUTE(map);

/* The CPUs that an interrupt is delivered to now. */
static void show_irq_cpus(struct seq_file *m, int irq)
{
	struct irq_data *data = irq_get_irq_data(irq);
	const struct cpumask *mask = data ? irq_data_get_effective_affinity_mask(data) : NULL;

	if (mask && !cpumask_empty(mask))
		seq_printf(m, " %*pbl\n", cpumask_pr_args(mask));
	else
		seq_puts(m, " -\n");
}

static int queues_show(struct seq_file *m, void *unused)
{
	struct nvmq_ctrl *ctrl = m->private;
	const struct nvmq_qset *qs = &ctrl->qset;
	u16 total, qid;

	if (mutex_lock_interruptible(&ctrl->life))
		return -ERESTARTSYS;
	seq_puts(m, "# qid type depth cq vector irq cpus\n");
	total = nvmq_grant_total(&qs->grant);
	seq_printf(m, "0 admin %u 0", NVMQ_ADMIN_TAGS);
	if (ctrl->admin.irq) {
		seq_printf(m, " 0 %d", ctrl->admin.irq);
		show_irq_cpus(m, ctrl->admin.irq);
	} else {
		seq_puts(m, " - - -\n");
	}
	for (qid = 1; qid <= total; qid++) {
		const struct nvmq_ioq *ioq = qs->ioq[qid - 1];
		enum nvmq_qtype type = nvmq_grant_type(&qs->grant, qid);

		seq_printf(m, "%u %s %u %u", qid, nvmq_qtype_name(type), qs->grant.depths[type],
			   ioq->q.cq->qid);
		if (ioq->irq) {
			seq_printf(m, " %d %d", ioq->vector, ioq->irq);
			show_irq_cpus(m, ioq->irq);
		} else {
			seq_puts(m, " - - -\n");
		}
	}
	mutex_unlock(&ctrl->life);
	return 0;
}
DEFINE_SHOW_ATTRIBUTE(queues);

static int show_stats(struct seq_file *m, bool json)
{
	struct nvmq_ctrl *ctrl = m->private;

	if (mutex_lock_interruptible(&ctrl->life))
		return -ERESTARTSYS;
	nvmq_report(m, &ctrl->stats, json);
	mutex_unlock(&ctrl->life);
	return 0;
}

/* What was counted, while nvmq/stats in sysfs is 1. */
static int stats_show(struct seq_file *m, void *unused)
{
	return show_stats(m, false);
}
DEFINE_SHOW_ATTRIBUTE(stats);

/* The same as JSON lines. */
static int stats_json_show(struct seq_file *m, void *unused)
{
	return show_stats(m, true);
}
DEFINE_SHOW_ATTRIBUTE(stats_json);

static void to_seq(void *arg, const char *line)
{
	seq_printf(arg, "%s\n", line);
}

/* What each queue did last. */
static int recorder_show(struct seq_file *m, void *unused)
{
	struct nvmq_ctrl *ctrl = m->private;
	u16 total, qid;

	if (mutex_lock_interruptible(&ctrl->life))
		return -ERESTARTSYS;
	nvmq_recorder_dump(&ctrl->admin.q, 16, to_seq, m);
	total = nvmq_grant_total(&ctrl->qset.grant);
	for (qid = 1; qid <= total; qid++)
		nvmq_recorder_dump(&ctrl->qset.ioq[qid - 1]->q, 16, to_seq, m);
	mutex_unlock(&ctrl->life);
	return 0;
}
DEFINE_SHOW_ATTRIBUTE(recorder);

/* The same, of the queue of the last command that timed out, as it was then. */
static int incident_show(struct seq_file *m, void *unused)
{
	struct nvmq_ctrl *ctrl = m->private;

	if (mutex_lock_interruptible(&ctrl->life))
		return -ERESTARTSYS;
	seq_puts(m, ctrl->incident);
	mutex_unlock(&ctrl->life);
	return 0;
}
DEFINE_SHOW_ATTRIBUTE(incident);

/**
 * nvmq_debugfs_add - make the directory of a controller
 * @ctrl: the controller
 */
void nvmq_debugfs_add(struct nvmq_ctrl *ctrl)
{
	ctrl->debugfs = debugfs_create_dir(pci_name(ctrl->pdev), root);
	debugfs_create_file("map", 0444, ctrl->debugfs, ctrl, &map_fops);
	debugfs_create_file("queues", 0444, ctrl->debugfs, ctrl, &queues_fops);
	debugfs_create_file("stats", 0444, ctrl->debugfs, ctrl, &stats_fops);
	debugfs_create_file("stats.json", 0444, ctrl->debugfs, ctrl, &stats_json_fops);
	debugfs_create_file("recorder", 0444, ctrl->debugfs, ctrl, &recorder_fops);
	debugfs_create_file("incident", 0444, ctrl->debugfs, ctrl, &incident_fops);
}

/**
 * nvmq_debugfs_remove - undo nvmq_debugfs_add()
 * @ctrl: the controller; nobody reads its files when this returns
 */
void nvmq_debugfs_remove(struct nvmq_ctrl *ctrl)
{
	debugfs_remove(ctrl->debugfs);
	ctrl->debugfs = NULL;
}

/**
 * nvmq_debugfs_init - make the driver's directory
 */
void nvmq_debugfs_init(void)
{
	root = debugfs_create_dir("nvmq", NULL);
}

/**
 * nvmq_debugfs_exit - remove the driver's directory
 */
void nvmq_debugfs_exit(void)
{
	debugfs_remove(root);
}
