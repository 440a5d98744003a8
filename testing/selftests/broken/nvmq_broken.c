// SPDX-License-Identifier: GPL-2.0
/*
 * Commits one fault, which a debug kernel must report: detectors.sh and leaks.sh.
 * Loading it is the fault: it never stays loaded.
 */
#define pr_fmt(fmt) "nvmq_broken: " fmt

#include <linux/delay.h>
#include <linux/dma-mapping.h>
#include <linux/kthread.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/platform_device.h>
#include <linux/slab.h>
#include <linux/timer.h>

static char *fault = "";
module_param(fault, charp, 0444);
MODULE_PARM_DESC(fault, "use-after-free, lock-order, sleep-in-atomic, dma, object, shift, leak or race");

static int use_after_free(void)
{
	u8 *p = kmalloc(96, GFP_KERNEL);

	if (!p)
		return -ENOMEM;
	kfree(p);
	/* The compiler knows kfree(), and must not know this one. */
	OPTIMIZER_HIDE_VAR(p);
	return READ_ONCE(p[8]) ? 1 : 0;
}

static DEFINE_MUTEX(first);
static DEFINE_MUTEX(second);

static int lock_order(void)
{
	mutex_lock(&first);
	mutex_lock(&second);
	mutex_unlock(&second);
	mutex_unlock(&first);

	mutex_lock(&second);
	mutex_lock(&first);
	mutex_unlock(&first);
	mutex_unlock(&second);
	return 0;
}

static DEFINE_SPINLOCK(spin);

static int sleep_in_atomic(void)
{
	void *p;

	spin_lock(&spin);
	p = kmalloc(96, GFP_KERNEL);
	spin_unlock(&spin);
	kfree(p);
	return p ? 0 : -ENOMEM;
}

static int dma(void)
{
	struct platform_device *pdev;
	dma_addr_t addr;
	void *p;
	int err;

	pdev = platform_device_register_simple("nvmq_broken", PLATFORM_DEVID_NONE, NULL, 0);
	if (IS_ERR(pdev))
		return PTR_ERR(pdev);
	p = kmalloc(512, GFP_KERNEL);
	err = p ? dma_coerce_mask_and_coherent(&pdev->dev, DMA_BIT_MASK(64)) : -ENOMEM;
	if (err)
		goto out;
	addr = dma_map_single(&pdev->dev, p, 512, DMA_FROM_DEVICE);
	err = dma_mapping_error(&pdev->dev, addr);
	if (err)
		goto out;
	dma_unmap_single(&pdev->dev, addr, 512, DMA_FROM_DEVICE);
	dma_unmap_single(&pdev->dev, addr, 512, DMA_FROM_DEVICE);
out:
	kfree(p);
	platform_device_unregister(pdev);
	return err;
}

static void nothing(struct timer_list *timer)
{
}

static int object(void)
{
	static struct timer_list timer;

	timer_setup(&timer, nothing, 0);
	mod_timer(&timer, jiffies + HZ);
	/* It runs; the debug kernel stops it before it lets this go on. */
	timer_setup(&timer, nothing, 0);
	timer_delete_sync(&timer);
	return 0;
}

static int shift(void)
{
	int by = 35;

	OPTIMIZER_HIDE_VAR(by);
	pr_info("1 << %d is %d\n", by, 1 << by);
	return 0;
}

static int leak(void)
{
	void *p = kmalloc(96, GFP_KERNEL);

	OPTIMIZER_HIDE_VAR(p);
	return p ? 0 : -ENOMEM;
}

static unsigned long shared;

static int racer(void *data)
{
	while (!kthread_should_stop()) {
		shared++;
		barrier();
		cond_resched();
	}
	return 0;
}

static int race(void)
{
	struct task_struct *one, *other;

	one = kthread_run(racer, NULL, "nvmq_broken/1");
	if (IS_ERR(one))
		return PTR_ERR(one);
	other = kthread_run(racer, NULL, "nvmq_broken/2");
	msleep(4000);
	if (!IS_ERR(other))
		kthread_stop(other);
	kthread_stop(one);
	return PTR_ERR_OR_ZERO(other);
}

static const struct {
	const char *name;
	int (*commit)(void);
} faults[] = {
	{ "use-after-free", use_after_free },
	{ "lock-order", lock_order },
	{ "sleep-in-atomic", sleep_in_atomic },
	{ "dma", dma },
	{ "object", object },
	{ "shift", shift },
	{ "leak", leak },
	{ "race", race },
};

static int __init broken_init(void)
{
	unsigned int i;
	int err;

	for (i = 0; i < ARRAY_SIZE(faults); i++) {
		if (strcmp(fault, faults[i].name))
			continue;
		err = faults[i].commit();
		/* Done: insmod's status is EAGAIN, which nothing else here gives. */
		return err < 0 ? err : -EAGAIN;
	}
	pr_err("no fault \"%s\"\n", fault);
	return -EINVAL;
}
module_init(broken_init);

MODULE_DESCRIPTION("faults for the debug kernels to find");
MODULE_LICENSE("GPL");
