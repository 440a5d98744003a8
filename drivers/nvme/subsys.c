// SPDX-License-Identifier: GPL-2.0
/*
 * Subsystems: controllers that say that they belong together.
 *
 * They are there to be looked at.  Namespaces that several controllers of a
 * subsystem share are a disk for each of them.
 */
#include <linux/idr.h>
#include <linux/list.h>
#include <linux/mutex.h>
#include <linux/slab.h>

#include "subsys.h"

/*
 * @id: of its first controller
 * @number: N of nvme-subsysN
 * @controllers: that have joined
 */
struct nvmq_subsys {
	struct nvmq_node node;
	struct nvmq_subsys_id id;
	int number;
	unsigned int controllers;
	struct list_head entry;
};

static LIST_HEAD(all);
static DEFINE_MUTEX(all_lock);
static DEFINE_IDA(numbers);

/* ---- attributes ---- */

static const struct nvmq_subsys_id *id_of(struct device *dev)
{
	return &container_of(dev, struct nvmq_subsys, node.dev)->id;
}

static ssize_t model_show(struct device *dev, struct device_attribute *attr, char *buf)
{
	return sysfs_emit(buf, "%s\n", id_of(dev)->model);
}
static DEVICE_ATTR_RO(model);

static ssize_t serial_show(struct device *dev, struct device_attribute *attr, char *buf)
{
	return sysfs_emit(buf, "%s\n", id_of(dev)->serial);
}
static DEVICE_ATTR_RO(serial);

static ssize_t firmware_rev_show(struct device *dev, struct device_attribute *attr, char *buf)
{
	return sysfs_emit(buf, "%s\n", id_of(dev)->firmware);
}
static DEVICE_ATTR_RO(firmware_rev);

static ssize_t subsysnqn_show(struct device *dev, struct device_attribute *attr, char *buf)
{
	return sysfs_emit(buf, "%s\n", id_of(dev)->nqn);
}
static DEVICE_ATTR_RO(subsysnqn);

/* A discovery subsystem has no controller on a PCI bus. */
static ssize_t subsystype_show(struct device *dev, struct device_attribute *attr, char *buf)
{
	return sysfs_emit(buf, "nvm\n");
}
static DEVICE_ATTR_RO(subsystype);

static struct attribute *subsys_attrs[] = {
	&dev_attr_model.attr,
	&dev_attr_serial.attr,
	&dev_attr_firmware_rev.attr,
	&dev_attr_subsysnqn.attr,
	&dev_attr_subsystype.attr,
	NULL
};
ATTRIBUTE_GROUPS(subsys);

/* ---- coming and going ---- */

static void release(struct nvmq_node *node)
{
	struct nvmq_subsys *subsys = container_of(node, struct nvmq_subsys, node);

	ida_free(&numbers, subsys->number);
	kfree(subsys);
}

/* @all_lock held. */
static struct nvmq_subsys *find(const struct nvmq_subsys_id *id)
{
	struct nvmq_subsys *subsys;

	list_for_each_entry(subsys, &all, entry)
		if (id->shared && subsys->id.shared && !strcmp(subsys->id.nqn, id->nqn))
			return subsys;
	return NULL;
}

/* @all_lock held. */
static struct nvmq_subsys *create(const struct nvmq_subsys_id *id, unsigned int number)
{
	struct nvmq_subsys *subsys = kzalloc(sizeof(*subsys), GFP_KERNEL);
	int err;

	if (!subsys)
		return ERR_PTR(-ENOMEM);
	/* That of its first controller, unless a subsystem that has lost its first has it. */
	subsys->number = ida_alloc_min(&numbers, number, GFP_KERNEL);
	if (subsys->number < 0) {
		err = subsys->number;
		kfree(subsys);
		return ERR_PTR(err);
	}
	subsys->id = *id;
	nvmq_node_init(&subsys->node, NVMQ_NODE_SUBSYS, NULL, release);
	subsys->node.dev.groups = subsys_groups;
	err = dev_set_name(&subsys->node.dev, "nvme-subsys%d", subsys->number) ?:
	      nvmq_node_add(&subsys->node, NULL);
	if (err) {
		nvmq_node_put(&subsys->node);
		return ERR_PTR(err);
	}
	list_add_tail(&subsys->entry, &all);
	return subsys;
}

/* @all_lock held. */
static void drop(struct nvmq_subsys *subsys)
{
	if (subsys->controllers)
		return;
	list_del(&subsys->entry);
	nvmq_node_del(&subsys->node);
	nvmq_node_put(&subsys->node);
}

/**
 * nvmq_subsys_join - show a controller in its subsystem
 * @id: what it says of that
 * @ctrl: the controller, in sysfs already
 * @number: its number
 *
 * Context: sleeps.
 * Return: the subsystem, for nvmq_subsys_leave(), or an error pointer.
 */
struct nvmq_subsys *nvmq_subsys_join(const struct nvmq_subsys_id *id, struct nvmq_node *ctrl,
				     unsigned int number)
{
	struct nvmq_subsys *subsys;
	int err;

	mutex_lock(&all_lock);
	subsys = find(id) ?: create(id, number);
	if (!IS_ERR(subsys)) {
		err = nvmq_node_add_child(&subsys->node, &ctrl->dev);
		if (err) {
			drop(subsys);
			subsys = ERR_PTR(err);
		} else {
			subsys->controllers++;
		}
	}
	mutex_unlock(&all_lock);
	return subsys;
}

/**
 * nvmq_subsys_leave - undo nvmq_subsys_join()
 * @subsys: what that returned
 * @ctrl: the controller, still in sysfs
 *
 * Context: sleeps.
 */
void nvmq_subsys_leave(struct nvmq_subsys *subsys, struct nvmq_node *ctrl)
{
	if (IS_ERR_OR_NULL(subsys))
		return;
	mutex_lock(&all_lock);
	nvmq_node_del_child(&subsys->node, &ctrl->dev);
	subsys->controllers--;
	drop(subsys);
	mutex_unlock(&all_lock);
}
