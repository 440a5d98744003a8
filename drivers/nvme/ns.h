/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Namespaces and their disks.
 */
#ifndef NVMQ_NS_H
#define NVMQ_NS_H

#include <linux/blk-mq.h>
#include <linux/list.h>
#include <linux/mutex.h>

#include "admin.h"
#include "cmd.h"
#include "compat.h"
#include "io.h"
#include "node.h"

/**
 * struct nvmq_ns_ids - what tells one namespace from another
 * @eui64: zeroes if there is none
 * @nguid: likewise
 * @uuid: likewise
 */
struct nvmq_ns_ids {
	u8 eui64[8];
	u8 nguid[16];
	u8 uuid[16];
};

/**
 * struct nvmq_doors - what leads from user space to a controller and its namespaces
 * @ctrl_fops: of /dev/nvmeX; opened by nvmq_ctrl_open()
 * @ctrl_groups: attributes of that
 * @ns_fops: of /dev/ngXnY; opened by nvmq_ns_open()
 * @disk_ops: of the disk; free_disk is nvmq_ns_free_disk()
 * @ns_groups: attributes of /dev/ngXnY and of the disk; see nvmq_ns_of()
 *
 * Code that stands higher than they do, which pci.c hands down.
 */
struct nvmq_doors {
	const struct file_operations *ctrl_fops;
	const struct attribute_group **ctrl_groups;
	const struct file_operations *ns_fops;
	const struct block_device_operations *disk_ops;
	const struct attribute_group **ns_groups;
};

struct nvmq_nss;
struct nvmq_subsys;

/**
 * struct nvmq_ns - a namespace that has a disk
 * @cmd: what commands need; the queuedata of the disk's queue
 * @nss: where it belongs; as long as this is there, so is the memory of the controller
 * @ids: its identifiers, to notice another one with the same NSID
 * @metadata: bytes of metadata per block
 * @csi: I/O command set (NVMQ_CSI_*)
 * @rescap: what reservations it has (RESCAP)
 * @limits: what the disk's queue was last told
 * @entry: in struct nvmq_nss
 * @known: in the list of all namespaces that have a disk
 * @same_ids: @ids are those of another namespace as well
 * @disk: the block device; its private_data is this
 * @node: ngXnY; has a reference to the disk
 * @linked: sysfs has the disk right below the controller, where libnvme looks for it
 * @seen: the last scan found it
 */
struct nvmq_ns {
	struct nvmq_cmd_ns cmd;
	struct nvmq_nss *nss;
	struct nvmq_ns_ids ids;
	u16 metadata;
	u8 csi;
	u8 rescap;
	struct nvmq_disk_limits limits;
	struct list_head entry;
	struct list_head known;
	struct gendisk *disk;
	struct nvmq_node node;
	bool linked;
	bool seen;
	bool same_ids;
};

/**
 * struct nvmq_nss - the namespaces of a controller
 * @admin: its admin queue
 * @set: its tag set; disks are made only while there is one
 * @dev: the PCI function
 * @parent: nvmeX, parent of the disks and of their nodes
 * @subsys: the subsystem of that; %NULL if it is shown in none
 * @doors: what user space finds there
 * @ctrl_id: X of nvmeXnY
 * @vs: version of the controller
 * @nn: number of namespaces, which is the highest NSID that may be valid
 * @oncs: optional commands
 * @vwc: volatile write cache
 * @awupf: atomic write unit at power failure, 0's based blocks
 * @max_sectors: longest transfer, 512-byte sectors
 * @wz_shift: WZSL as log2 of bytes; 0: as long as a command can say
 * @dmrl: ranges of a Dataset Management command; 0: 256
 * @dsm_blocks: blocks of all ranges of such a command, and so of each; 0: as many as fit
 * @scan: held while namespaces come and go, or must not
 * @maps: held while the maps of the tag set change, and while a disk's queue comes or goes;
 *        nothing that has it may wait for I/O but of a disk that is dead
 * @lock: guards @list and serialises quiescing and removal
 * @list: struct nvmq_ns, by NSID
 * @quiesced: the queues of all disks are stopped; new ones must not appear
 * @no_list: the device had no active namespace list when it had no disk yet
 */
struct nvmq_nss {
	struct nvmq_admin *admin;
	struct blk_mq_tag_set *set;
	struct device *dev;
	struct nvmq_node *parent;
	const struct nvmq_subsys *subsys;
	const struct nvmq_doors *doors;
	u16 ctrl_id;
	u32 vs;
	u32 nn;
	u16 oncs;
	u8 vwc;
	u16 awupf;
	u32 max_sectors;
	u32 wz_shift;
	u32 dmrl;
	u64 dsm_blocks;
	struct mutex scan;
	struct mutex maps;
	struct mutex lock;
	struct list_head list;
	bool quiesced;
	bool no_list;
};

int nvmq_nss_read_limits(struct nvmq_nss *nss, const struct nvmq_id_ctrl *id);
void nvmq_nss_scan(struct nvmq_nss *nss);
int nvmq_nss_flush(struct nvmq_nss *nss, struct nvmq_ioq *ioq, unsigned long timeout);
void nvmq_nss_quiesce(struct nvmq_nss *nss);
void nvmq_nss_unquiesce(struct nvmq_nss *nss);
void nvmq_nss_freeze(struct nvmq_nss *nss);
void nvmq_nss_unfreeze(struct nvmq_nss *nss);
void nvmq_nss_mark_dead(struct nvmq_nss *nss);
void nvmq_nss_remove(struct nvmq_nss *nss);
int nvmq_ns_open(struct inode *inode, struct file *file);
void nvmq_ns_free_disk(struct gendisk *disk);
struct nvmq_ns *nvmq_ns_of(struct device *dev);

#endif /* NVMQ_NS_H */
