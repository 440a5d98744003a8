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

#include "compat.h"
#include "node.h"

#define NR_MINORS	BIT(MINORBITS)

static int tell_transport(nvmq_uevent_device *dev, struct kobj_uevent_env *env)
{
	return add_uevent_var(env, "NVME_TRTYPE=pcie");
}

static struct bus_type buses[NVMQ_NR_NODE_KINDS] = {
	[NVMQ_NODE_CTRL] = { .name = "nvme", .uevent = tell_transport },
	[NVMQ_NODE_NS] = { .name = "nvme-generic" },
	[NVMQ_NODE_SUBSYS] = { .name = "nvme-subsystem" },
};

/* The subsystems' is not used. */
static dev_t first[NVMQ_NR_NODE_KINDS];
static struct ida minors[NVMQ_NR_NODE_KINDS];

/* Where the subsystems are: each may have several parents. */
static struct device *root;

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

static int add_links(struct nvmq_node *node)
{
	struct kobject *kobj = &node->dev.kobj, *parent = &node->dev.parent->kobj;
	int err;

	if (node->kind == NVMQ_NODE_SUBSYS)
		return 0;
	err = sysfs_create_link(kobj, parent, "device");
	if (err || node->kind != NVMQ_NODE_CTRL)
		return err;
	err = sysfs_create_group(parent, &nest);
	if (err)
		goto no_group;
	err = sysfs_add_link_to_group(parent, nest.name, kobj, dev_name(&node->dev));
	if (!err)
		return 0;
	sysfs_remove_group(parent, &nest);
no_group:
	sysfs_remove_link(kobj, "device");
	return err;
}

static void remove_links(struct nvmq_node *node)
{
	struct kobject *parent = &node->dev.parent->kobj;

	if (node->kind == NVMQ_NODE_CTRL) {
		sysfs_remove_link_from_group(parent, nest.name, dev_name(&node->dev));
		sysfs_remove_group(parent, &nest);
	}
	sysfs_remove_link(&node->dev.kobj, "device");
}

/**
 * nvmq_node_add_child - show another device right below a node
 * @node: a controller, or a subsystem
 * @child: a disk or monitor of that controller, which is in a directory of its class there, as it
 *         would not be below a device with a class; or a controller of that subsystem
 *
 * Context: may sleep.
 * Return: 0 or an error.
 */
int nvmq_node_add_child(struct nvmq_node *node, struct device *child)
{
	return sysfs_create_link(&node->dev.kobj, &child->kobj, dev_name(child));
}

/**
 * nvmq_node_del_child - undo nvmq_node_add_child(), if it was successful
 * @node: the controller or subsystem
 * @child: the disk or controller
 *
 * Context: may sleep.
 */
void nvmq_node_del_child(struct nvmq_node *node, struct device *child)
{
	sysfs_remove_link(&node->dev.kobj, dev_name(child));
}

/* ---- nodes ---- */

/**
 * nvmq_node_init - a node that nobody sees yet
 * @node: the node; zeroes
 * @kind: what it is
 * @parent: of the device; %NULL for a subsystem
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
	node->dev.parent = parent ?: root;
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

	if (fops) {
		err = ida_alloc_max(&minors[node->kind], NR_MINORS - 1, GFP_KERNEL);
		if (err < 0)
			return err;
		dev->devt = first[node->kind] + err;
		cdev_init(&node->cdev, fops);
		node->cdev.owner = fops->owner;
	}
	/* Without a number that is device_add(). */
	err = cdev_device_add(&node->cdev, dev);
	if (err)
		return err;
	err = add_links(node);
	if (err) {
		cdev_device_del(&node->cdev, dev);
		return err;
	}
	node->added = true;
	node->classdir.dev = dev;
	node->classdir.dir = dev->bus->name;
	nvmq_classdir_add(&node->classdir);
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
	nvmq_classdir_del(&node->classdir);
	remove_links(node);
	cdev_device_del(&node->cdev, &node->dev);
}

/**
 * nvmq_node_tell - tell user space, by a uevent, that something has happened
 * @node: the node; nothing is told of one that is not there
 * @event: NAME=VALUE
 *
 * Context: may sleep.
 */
void nvmq_node_tell(struct nvmq_node *node, const char *event)
{
	char *env[2] = { (char *)event };

	if (node->added)
		kobject_uevent_env(&node->dev.kobj, KOBJ_CHANGE, env);
}

static void forget(unsigned int kinds)
{
	while (kinds--) {
		if (first[kinds])
			unregister_chrdev_region(first[kinds], NR_MINORS);
		ida_destroy(&minors[kinds]);
		bus_unregister(&buses[kinds]);
	}
	root_device_unregister(root);
	nvmq_classdir_module_exit();
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

	err = nvmq_classdir_module_init();
	if (err)
		return err;
	root = root_device_register("nvmq");
	if (IS_ERR(root)) {
		nvmq_classdir_module_exit();
		return PTR_ERR(root);
	}
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
