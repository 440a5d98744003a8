// SPDX-License-Identifier: GPL-2.0
/*
 * Devices of nvmq's own: on which bus, with which number.
 *
 * udev and others ask for devices of the subsystems nvme, nvme-generic and
 * nvme-subsystem.  In the kernel's own driver these are classes, and it does not
 * load when somebody has a class of that name.  A subsystem may as well be a bus,
 * and buses have a name space of their own.
 */
#include <linux/fs.h>
#include <linux/idr.h>
#include <linux/module.h>

#include "node.h"

#define NR_MINORS	(1u << MINORBITS)

static struct bus_type buses[NVMQ_NR_NODE_KINDS] = {
	[NVMQ_NODE_CTRL] = { .name = "nvme" },
	[NVMQ_NODE_NS] = { .name = "nvme-generic" },
	[NVMQ_NODE_SUBSYS] = { .name = "nvme-subsystem" },
};

/* The subsystems' is not used. */
static dev_t first[NVMQ_NR_NODE_KINDS];
static struct ida minors[NVMQ_NR_NODE_KINDS];

static struct nvmq_node *to_node(struct device *dev)
{
	return container_of(dev, struct nvmq_node, dev);
}

static void release(struct device *dev)
{
	struct nvmq_node *node = to_node(dev);

	if (dev->devt)
		ida_free(&minors[node->kind], MINOR(dev->devt));
	node->release(node);
}

/* ---- where a class would have put it ---- */

static struct attribute *no_attrs[] = { NULL };

/* nvme/nvmeX below the PCI function, for who comes from there. */
static const struct attribute_group nest = {
	.name = "nvme",
	.attrs = no_attrs,
};

static void add_links(struct nvmq_node *node)
{
	struct kobject *kobj = &node->dev.kobj, *parent = &node->dev.parent->kobj;

	if (sysfs_create_link(kobj, parent, "device"))
		dev_warn(&node->dev, "no link to its device\n");
	if (node->kind != NVMQ_NODE_CTRL)
		return;
	node->nested = !sysfs_create_group(parent, &nest);
	if (!node->nested ||
	    sysfs_add_link_to_group(parent, nest.name, kobj, dev_name(&node->dev)))
		dev_warn(&node->dev, "no link from its device\n");
}

static void remove_links(struct nvmq_node *node)
{
	struct kobject *parent = &node->dev.parent->kobj;

	if (node->nested) {
		sysfs_remove_link_from_group(parent, nest.name, dev_name(&node->dev));
		sysfs_remove_group(parent, &nest);
	}
	sysfs_remove_link(&node->dev.kobj, "device");
}

/**
 * nvmq_node_add_child - make a disk visible right below the device of its controller
 * @node: the controller
 * @disk: a disk that was added with that as its parent
 *
 * It is in a directory block/ there, which a parent that has a class would not have.
 *
 * Context: may sleep.
 */
void nvmq_node_add_child(struct nvmq_node *node, struct device *disk)
{
	if (sysfs_create_link(&node->dev.kobj, &disk->kobj, dev_name(disk)))
		dev_warn(disk, "no link to it\n");
}

/**
 * nvmq_node_del_child - undo nvmq_node_add_child()
 * @node: the controller
 * @disk: the disk
 *
 * Context: may sleep.
 */
void nvmq_node_del_child(struct nvmq_node *node, struct device *disk)
{
	sysfs_remove_link(&node->dev.kobj, dev_name(disk));
}

/* ---- nodes ---- */

/**
 * nvmq_node_init - a node that nobody sees yet
 * @node: the node; zeroes
 * @kind: what it is
 * @parent: of the device
 * @release_node: called when nobody uses it any more; frees it
 *
 * From now on there is one reference, to be given back by nvmq_node_put().
 */
void nvmq_node_init(struct nvmq_node *node, enum nvmq_node_kind kind, struct device *parent,
		    void (*release_node)(struct nvmq_node *node))
{
	node->kind = kind;
	node->release = release_node;
	device_initialize(&node->dev);
	node->dev.bus = &buses[kind];
	node->dev.parent = parent;
	node->dev.release = release;
}

/**
 * nvmq_node_add - show a node in sysfs and /dev
 * @node: the node, with a name and, if it has any, groups of attributes
 * @fops: what opening it leads to, the owner set; %NULL for a subsystem
 *
 * Only root may open it.
 *
 * Context: sleeps.
 * Return: 0 or an error; then nobody has seen it.
 */
int nvmq_node_add(struct nvmq_node *node, const struct file_operations *fops)
{
	struct device *dev = &node->dev;
	int err;

	if (!fops) {
		err = device_add(dev);
		node->added = !err;
		return err;
	}

	err = ida_alloc_max(&minors[node->kind], NR_MINORS - 1, GFP_KERNEL);
	if (err < 0)
		return err;
	dev->devt = first[node->kind] + err;
	cdev_init(&node->cdev, fops);
	node->cdev.owner = fops->owner;
	err = cdev_device_add(&node->cdev, dev);
	if (err)
		return err;
	node->added = true;
	add_links(node);
	return 0;
}

/**
 * nvmq_node_del - undo nvmq_node_add(), if it was successful
 * @node: the node
 *
 * It cannot be opened any more; who has opened it has it still.
 *
 * Context: sleeps; waits for whoever reads or writes an attribute.
 */
void nvmq_node_del(struct nvmq_node *node)
{
	if (!node->added)
		return;
	node->added = false;
	if (!node->dev.devt) {
		device_del(&node->dev);
		return;
	}
	remove_links(node);
	cdev_device_del(&node->cdev, &node->dev);
}

static void forget(unsigned int kinds)
{
	while (kinds--) {
		if (first[kinds])
			unregister_chrdev_region(first[kinds], NR_MINORS);
		ida_destroy(&minors[kinds]);
		bus_unregister(&buses[kinds]);
	}
}

/**
 * nvmq_node_module_init - buses and numbers
 *
 * Return: 0 or an error.
 */
int nvmq_node_module_init(void)
{
	unsigned int kind;
	int err;

	for (kind = 0; kind < NVMQ_NR_NODE_KINDS; kind++) {
		err = bus_register(&buses[kind]);
		if (err)
			goto undo;
		ida_init(&minors[kind]);
		if (kind == NVMQ_NODE_SUBSYS)
			continue;
		err = alloc_chrdev_region(&first[kind], 0, NR_MINORS, buses[kind].name);
		if (err) {
			first[kind] = 0;
			forget(kind + 1);
			return err;
		}
	}
	return 0;
undo:
	forget(kind);
	return err;
}

/**
 * nvmq_node_module_exit - undo nvmq_node_module_init()
 */
void nvmq_node_module_exit(void)
{
	forget(NVMQ_NR_NODE_KINDS);
}
