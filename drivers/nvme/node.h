/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What user space sees of a controller, a namespace or a subsystem: a device in
 * sysfs, and a node in /dev.
 */
#ifndef NVMQ_NODE_H
#define NVMQ_NODE_H

#include <linux/cdev.h>
#include <linux/device.h>

#include "classdir.h"

/**
 * enum nvmq_node_kind - what a node stands for
 * @NVMQ_NODE_CTRL: a controller, /dev/nvmeX
 * @NVMQ_NODE_NS: a namespace, /dev/ngXnY
 * @NVMQ_NODE_SUBSYS: a subsystem, only in sysfs
 * @NVMQ_NR_NODE_KINDS: number of kinds
 */
enum nvmq_node_kind {
	NVMQ_NODE_CTRL,
	NVMQ_NODE_NS,
	NVMQ_NODE_SUBSYS,
	NVMQ_NR_NODE_KINDS
};

/**
 * struct nvmq_node - a device of nvmq's own
 * @dev: the device
 * @cdev: its character device, unless it is a subsystem
 * @classdir: where nvme-cli finds it
 * @kind: what it is
 * @added: nvmq_node_add() was successful
 * @release: frees what the node is a part of, when nobody uses it any more
 *
 * Whoever has the node open has a reference: what it is a part of is there, though the device may
 * be gone by then.
 */
struct nvmq_node {
	struct device dev;
	struct cdev cdev;
	struct nvmq_classdir_entry classdir;
	enum nvmq_node_kind kind;
	bool added;
	void (*release)(struct nvmq_node *node);
};

int nvmq_node_module_init(void);
void nvmq_node_module_exit(void);
void nvmq_node_init(struct nvmq_node *node, enum nvmq_node_kind kind, struct device *parent,
		    void (*release)(struct nvmq_node *node));
int nvmq_node_add(struct nvmq_node *node, const struct file_operations *fops);
void nvmq_node_del(struct nvmq_node *node);
void nvmq_node_tell(struct nvmq_node *node, const char *event);
int nvmq_node_add_child(struct nvmq_node *node, struct device *disk);
void nvmq_node_del_child(struct nvmq_node *node, struct device *disk);

/**
 * nvmq_node_put - give a reference to a node back
 * @node: the node
 */
static inline void nvmq_node_put(struct nvmq_node *node)
{
	put_device(&node->dev);
}

#endif /* NVMQ_NODE_H */
