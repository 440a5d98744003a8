// SPDX-License-Identifier: GPL-2.0
/*
 * Where nvme-cli looks: /sys/class/nvme, nvme-generic and nvme-subsystem.
 *
 * These are classes of the kernel's nvme-core, which does not load when there is
 * something of these names.  Without it they are directories of nvmq's, with links
 * to the devices; they go before nvme-core is initialised and come back after it
 * has gone.  While it is there the links are in its directories.
 */
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/notifier.h>
#include <linux/sysfs.h>

#include "classdir.h"

#define CORE	"nvme_core"

static const char * const names[] = { "nvme", "nvme-generic", "nvme-subsystem" };

static DEFINE_MUTEX(lock);
/* All of these under @lock. */
static LIST_HEAD(entries);
static struct kobject *own[ARRAY_SIZE(names)];
/* nvme-core is there, or was the last time that somebody looked. */
static bool shared;

/* All classes, that is, /sys/class. */
static struct kset *classes;

/*
 * There is no pointer to that for modules; but a class is one of them, and a device of a class has
 * a link to it.
 */
static int find_classes(void)
{
	static struct class class = { .name = "nvmq" };
	struct kernfs_node *link = NULL;
	struct device *dev;
	int err;

	err = class_register(&class);
	if (err)
		return err;
	dev = device_create(&class, NULL, 0, NULL, "nvmq");
	if (IS_ERR(dev)) {
		err = PTR_ERR(dev);
		goto out;
	}
	link = sysfs_get_dirent(dev->kobj.sd, "subsystem");
	if (link && kernfs_type(link) == KERNFS_LINK) {
		struct kobject *kobj = link->symlink.target_kn->priv;

		classes = kobj->kset;
	} else {
		err = -ENOENT;
	}
	sysfs_put(link);
	device_unregister(dev);
out:
	class_unregister(&class);
	return err;
}

/* The kernel's driver, as a kobject to be put; %NULL if it is not there. */
static struct kobject *find_core(void)
{
	return kset_find_obj(THIS_MODULE->mkobj.kobj.kset, CORE);
}

static bool has_class(const char *name)
{
	struct kobject *class = kset_find_obj(classes, name);

	kobject_put(class);
	return class;
}

/* @lock held. */
static void look(void)
{
	struct kobject *core = find_core();

	shared = core || has_class(names[0]);
	kobject_put(core);
}

/* @lock held. */
static void make_dirs(void)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(names); i++) {
		if (own[i] || has_class(names[i]))
			continue;
		own[i] = kobject_create_and_add(names[i], &classes->kobj);
		if (!own[i])
			pr_warn("nvmq: no /sys/class/%s\n", names[i]);
	}
}

/* With all that is in them.  @lock held. */
static void remove_dirs(void)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(names); i++) {
		kobject_del(own[i]);
		kobject_put(own[i]);
		own[i] = NULL;
	}
}

static void change(struct kobject *dir, const struct nvmq_classdir_entry *entry, bool add)
{
	if (!add)
		sysfs_remove_link(dir, dev_name(entry->dev));
	else if (sysfs_create_link_nowarn(dir, &entry->dev->kobj, dev_name(entry->dev)))
		dev_warn(entry->dev, "not shown in /sys/class/%s\n", entry->dir);
}

/* In the directory of the kernel's driver, which must not go away meanwhile. */
static void change_shared(const struct nvmq_classdir_entry *entry, bool add)
{
	struct kobject *core = find_core(), *dir;
	struct module *module = NULL;

	if (core)
		module = container_of(core, struct module_kobject, kobj)->mod;
	/* On its way out its directories go, and with them what is in them. */
	if (try_module_get(module)) {
		dir = kset_find_obj(classes, entry->dir);
		if (dir)
			change(dir, entry, add);
		kobject_put(dir);
		module_put(module);
	}
	kobject_put(core);
}

/* @lock held. */
static void change_entry(const struct nvmq_classdir_entry *entry, bool add)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(names); i++) {
		if (!strcmp(entry->dir, names[i]) && own[i]) {
			change(own[i], entry, add);
			return;
		}
	}
	if (shared)
		change_shared(entry, add);
}

/**
 * nvmq_classdir_add - show a device
 * @entry: @dev, which is in sysfs, and @dir are set
 *
 * Context: sleeps.
 */
void nvmq_classdir_add(struct nvmq_classdir_entry *entry)
{
	mutex_lock(&lock);
	/* As late as that: nvme-core may have been on its way when this module was. */
	if (!shared && !own[0]) {
		look();
		if (!shared)
			make_dirs();
	}
	list_add_tail(&entry->list, &entries);
	change_entry(entry, true);
	mutex_unlock(&lock);
}

/**
 * nvmq_classdir_del - undo nvmq_classdir_add()
 * @entry: what was added
 *
 * Context: sleeps.
 */
void nvmq_classdir_del(struct nvmq_classdir_entry *entry)
{
	mutex_lock(&lock);
	change_entry(entry, false);
	list_del(&entry->list);
	mutex_unlock(&lock);
}

/**
 * nvmq_classdir_is_shared - is the kernel's driver there as well?
 *
 * Context: sleeps.
 * Return: true if nvme-core is loaded, or a part of the kernel.
 */
bool nvmq_classdir_is_shared(void)
{
	bool ret;

	mutex_lock(&lock);
	if (!own[0])
		look();
	ret = shared;
	mutex_unlock(&lock);
	return ret;
}

static void show_all(void)
{
	struct nvmq_classdir_entry *entry;

	list_for_each_entry(entry, &entries, list)
		change_entry(entry, true);
}

static int core_changes(struct notifier_block *nb, unsigned long action, void *data)
{
	const struct module *module = data;

	if (strcmp(module->name, CORE))
		return NOTIFY_DONE;
	mutex_lock(&lock);
	switch (action) {
	case MODULE_STATE_COMING:
		shared = true;
		remove_dirs();
		break;
	case MODULE_STATE_LIVE:
		show_all();
		break;
	case MODULE_STATE_GOING:
		/* It has ended, or never begun. */
		shared = false;
		make_dirs();
		show_all();
		break;
	}
	mutex_unlock(&lock);
	return NOTIFY_DONE;
}

static struct notifier_block core_nb = { .notifier_call = core_changes };

/**
 * nvmq_classdir_module_init - from now on the kernel's driver may come
 *
 * Return: 0 or an error.
 */
int nvmq_classdir_module_init(void)
{
	return find_classes() ?: register_module_notifier(&core_nb);
}

/**
 * nvmq_classdir_module_exit - undo nvmq_classdir_module_init()
 */
void nvmq_classdir_module_exit(void)
{
	unregister_module_notifier(&core_nb);
	mutex_lock(&lock);
	remove_dirs();
	mutex_unlock(&lock);
}
