/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A controller and its life.
 */
#ifndef NVMQ_CTRL_H
#define NVMQ_CTRL_H

#include <linux/blk-mq.h>
#include <linux/mutex.h>
#include <linux/rwsem.h>
#include <linux/workqueue.h>

#include "admin.h"
#include "effects.h"
#include "hw.h"
#include "node.h"
#include "ns.h"
#include "opal.h"
#include "qset.h"
#include "stats.h"
#include "subsys.h"

/**
 * enum nvmq_state - where a controller is in its life
 * @NVMQ_NEW: memory, and nothing else
 * @NVMQ_CONNECTING: being brought up
 * @NVMQ_LIVE: serving
 * @NVMQ_RESETTING: to be taken down and brought up again
 * @NVMQ_DELETING: being removed
 * @NVMQ_DEAD: given up; the disks stay, as errors, until it is removed
 * @NVMQ_NR_STATES: number of states
 */
enum nvmq_state {
	NVMQ_NEW,
	NVMQ_CONNECTING,
	NVMQ_LIVE,
	NVMQ_RESETTING,
	NVMQ_DELETING,
	NVMQ_DEAD,
	NVMQ_NR_STATES
};

/* The first X of nvmeX beside the kernel's own driver: more controllers than it will ever have. */
#define NVMQ_FIRST_BESIDE	1000

#define NVMQ_INCIDENT_TEXT	16384u

/**
 * struct nvmq_ctrl - a controller
 * @hw: its registers
 * @admin: its admin queue
 * @qset: its I/O queues
 * @nss: its namespaces
 * @effects: what its commands do beside their work
 * @stats: what its queues do; under @life
 * @opal: the kernel's Opal, if the controller has that
 * @pdev: the PCI function
 * @node: nvmeX; whoever has it open keeps the memory of the controller
 * @doors: held for reading by whoever comes from user space, for writing when they close
 * @gone: they are closed; under @doors
 * @id: X of nvmeXnY
 * @state: enum nvmq_state; changed by set_state() only, under @state_lock
 * @state_lock: guards @state and @orphans
 * @life: serialises bringing up, taking down and whoever looks at @qset;
 *        outermost lock of the driver
 * @set: the tag set of all disks
 * @has_set: @set is allocated
 * @reset_work: takes the controller down and brings it up again
 * @scan_work: brings the disks up to date
 * @event_work: answers an asynchronous event
 * @event: that event, dword 0 of its completion
 * @health_work: reads the health log after an event of that
 * @health_again: jiffies from when on it may be read again
 * @health_told: the warnings that were in the log last; -1 for none yet
 * @oacs: optional commands that the device has (Identify Controller)
 * @oaes: optional events that the device has (Identify Controller)
 * @mtfa_ms: how long the activation of firmware may hold I/O up (MTFA)
 * @orphans: bios of requests that came while the maps were changed, to be sent again
 * @orphan_work: does that
 * @remapping: they are being changed: no queue takes a request
 * @slept: it was shut down for a suspend, and has not come back yet; under @life
 * @held: taken down by nvmq_ctrl_hold(); under the device lock
 * @hold_until: when it ends at the latest, in jiffies; 0: never. Under the device lock
 * @hold_work: sees to that
 * @incident: text: what the recorder had at the last time-out, NVMQ_INCIDENT_TEXT bytes; under
 *            @life
 * @shutdown_ms: how long a shutdown may take (RTD3E)
 * @io_timeout: jiffies that an I/O may take
 * @subsys: where it has joined; an error pointer if it could not
 * @subsys_id: what it says of that, its model and serial number among it
 * @cntlid: number in the subsystem (Identify Controller, CNTLID)
 * @warning_kelvin: composite temperature that is too high (WCTEMP); 0: it does not say
 * @critical_kelvin: that ends in a shutdown (CCTEMP); 0: likewise
 * @hwmon: its temperatures, if they are shown
 * @cntrltype: kind of controller (CNTRLTYPE); 0 before version 1.4
 * @debugfs: directory, or an error pointer
 */
struct nvmq_ctrl {
	struct nvmq_hw hw;
	struct nvmq_admin admin;
	struct nvmq_qset qset;
	struct nvmq_nss nss;
	struct nvmq_effects effects;
	struct nvmq_stats stats;
	struct nvmq_opal opal;

	struct pci_dev *pdev;
	struct nvmq_node node;
	struct rw_semaphore doors;
	bool gone;
	int id;
	enum nvmq_state state;
	spinlock_t state_lock;
	struct mutex life;

	struct blk_mq_tag_set set;
	bool has_set;
	struct work_struct reset_work;
	struct work_struct scan_work;
	struct work_struct event_work;
	u32 event;
	struct delayed_work health_work;
	unsigned long health_again;
	int health_told;
	u16 oacs;
	u32 oaes;
	u32 mtfa_ms;
	struct bio_list orphans;
	struct work_struct orphan_work;
	bool remapping;
	bool slept;
	bool held;
	unsigned long hold_until;
	struct delayed_work hold_work;
	char *incident;

	u32 shutdown_ms;
	unsigned long io_timeout;
	struct nvmq_subsys *subsys;
	struct nvmq_subsys_id subsys_id;
	u16 cntlid;
	u16 warning_kelvin;
	u16 critical_kelvin;
	struct nvmq_hwmon *hwmon;
	u8 cntrltype;
	struct dentry *debugfs;
};

/**
 * struct nvmq_ctrl_options - what the user chose for a controller
 * @plan: queue plan
 * @io_timeout: seconds
 * @admin_timeout: seconds
 * @quirks: NVMQ_QUIRK_*
 * @doors: what user space finds at the controller
 * @beside: the kernel's own driver has controllers, or may come to have some
 */
struct nvmq_ctrl_options {
	struct nvmq_plan plan;
	u32 io_timeout;
	u32 admin_timeout;
	unsigned long quirks;
	const struct nvmq_doors *doors;
	bool beside;
};

int nvmq_ctrl_module_init(void);
void nvmq_ctrl_module_exit(void);
struct nvmq_ctrl *nvmq_ctrl_create(struct pci_dev *pdev, const struct nvmq_ctrl_options *options);
int nvmq_ctrl_start(struct nvmq_ctrl *ctrl);
void nvmq_ctrl_remove(struct nvmq_ctrl *ctrl);
void nvmq_ctrl_destroy(struct nvmq_ctrl *ctrl);
void nvmq_ctrl_shutdown(struct nvmq_ctrl *ctrl);
int nvmq_ctrl_hold(struct nvmq_ctrl *ctrl, bool shutdown);
void nvmq_ctrl_limit_hold(struct nvmq_ctrl *ctrl);
void nvmq_ctrl_release(struct nvmq_ctrl *ctrl);
int nvmq_ctrl_reset(struct nvmq_ctrl *ctrl, const char *why);
int nvmq_ctrl_subsystem_reset(struct nvmq_ctrl *ctrl);
int nvmq_ctrl_set_plan(struct nvmq_ctrl *ctrl, const struct nvmq_plan *plan);
int nvmq_ctrl_count(struct nvmq_ctrl *ctrl, bool on);
int nvmq_ctrl_settle(struct nvmq_ctrl *ctrl);
int nvmq_ctrl_rescan(struct nvmq_ctrl *ctrl);
int nvmq_ctrl_open(struct inode *inode, struct file *file);
bool nvmq_ctrl_enter(struct nvmq_ctrl *ctrl);
void nvmq_ctrl_leave(struct nvmq_ctrl *ctrl);
const char *nvmq_ctrl_state_name(const struct nvmq_ctrl *ctrl);

#endif /* NVMQ_CTRL_H */
