// SPDX-License-Identifier: GPL-2.0
/*
 * What the driver's sources find in place of the kernel: the functions behind the stand-ins for
 * <linux/...> (testing/unit/include), for one real device and one thread that sends admin commands.
 *
 * The small ones are inlined when the program is linked.
 */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <linux/bug.h>
#include <linux/completion.h>
#include <linux/delay.h>
#include <linux/device.h>
#include <linux/dma-mapping.h>
#include <linux/interrupt.h>
#include <linux/io.h>
#include <linux/jiffies.h>
#include <linux/pci.h>
#include <linux/pci_regs.h>
#include <linux/slab.h>
#include <linux/spinlock.h>
#include <linux/wait.h>

#include "../sys.h"
#include "clock.h"
#include "device.h"
#include "kernel.h"
#include "memory.h"
#include "tell.h"

static struct vfio_device *device_of(const struct device *dev)
{
	return (struct vfio_device *)((char *)dev - offsetof(struct vfio_device, pdev.dev));
}

/* ---- registers, and the order of accesses to them and to memory ---- */

/* Where BAR 0 is; tell.c has offsets. */
static void *bar;

void *unit_ioremap(u64 start, size_t size)
{
	(void)start;
	(void)size;
	return bar;
}

void unit_iounmap(void *addr)
{
	(void)addr;
}

u32 unit_readl(const void *addr)
{
	u32 value = le32_to_cpu(*(const volatile u32 *)addr);

	/* What is read afterwards is read afterwards. */
	__atomic_thread_fence(__ATOMIC_ACQUIRE);
	if (unlikely(tell_on))
		tell_read((const char *)addr - (const char *)bar, value);
	return value;
}

/* x86 keeps stores in order; others want to be asked, also with regard to a device. */
static void store_fence(void)
{
#ifdef __x86_64__
	__atomic_thread_fence(__ATOMIC_RELEASE);
#else
	__sync_synchronize();
#endif
}

void unit_writel(u32 value, void *addr)
{
	if (unlikely(tell_on))
		tell_write((const char *)addr - (const char *)bar, value);
	store_fence();
	*(volatile u32 *)addr = cpu_to_le32(value);
}

void unit_dma_rmb(void)
{
	__atomic_thread_fence(__ATOMIC_ACQUIRE);
}

void unit_dma_wmb(void)
{
	store_fence();
}

/**
 * kernel_start - from here on the driver's sources may run
 * @dev: the device that they drive
 */
void kernel_start(const struct vfio_device *dev)
{
	bar = dev->bar;
}

/* ---- time ---- */

struct clock_rate clock_rate;

/**
 * clock_start - find out how fast the clock is
 *
 * Takes 10 ms; before anything else of the clock's.
 */
void clock_start(void)
{
#ifdef __x86_64__
	const struct timespec pause = { .tv_nsec = 10 * 1000 * 1000 };
	u64 ns = clock_ns(), ticks = clock_now();

	nanosleep(&pause, NULL);
	ticks = clock_now() - ticks;
	ns = clock_ns() - ns;
	clock_rate.hz = (clock_wide)ticks * NS_PER_SECOND / ns;
#else
	clock_rate.hz = NS_PER_SECOND;
#endif
	clock_rate.per_tick = ((clock_wide)HZ << 64) / clock_rate.hz;
}

unsigned long unit_jiffies(void)
{
	return (clock_wide)clock_now() * clock_rate.per_tick >> 64;
}

void unit_usleep_range(unsigned long least, unsigned long most)
{
	const struct timespec pause = { .tv_sec = least / 1000000,
					.tv_nsec = least % 1000000 * 1000 };

	(void)most;
	nanosleep(&pause, NULL);
}

void unit_msleep(unsigned int ms)
{
	unit_usleep_range(ms * 1000ul, ms * 1000ul);
}

/* ---- memory ---- */

void *unit_alloc(size_t bytes)
{
	return calloc(1, bytes);
}

void unit_free(void *memory)
{
	free(memory);
}

void *unit_dma_alloc(struct device *dev, size_t bytes, dma_addr_t *dma)
{
	return memory_alloc(device_of(dev), bytes, dma);
}

void unit_dma_free(struct device *dev, size_t bytes, void *memory, dma_addr_t dma)
{
	(void)dev;
	(void)dma;
	memory_free(memory, bytes);
}

/* ---- the function ---- */

/* vfio itself keeps what a reset forgets. */
int pci_save_state(struct pci_dev *pdev)
{
	(void)pdev;
	return 0;
}

void pci_restore_state(struct pci_dev *pdev)
{
	(void)pdev;
}

bool pci_device_is_present(struct pci_dev *pdev)
{
	u16 vendor;

	return !device_config_read(device_of(&pdev->dev), PCI_VENDOR_ID, &vendor,
				   sizeof(vendor)) && vendor != 0xffff;
}

int pcie_reset_flr(struct pci_dev *pdev, bool probe)
{
	return probe ? 0 : device_reset(device_of(&pdev->dev));
}

/* ---- the log ---- */

/* Of a resource, which only the kernel's printf knows, nothing is printed. */
static char *without_resources(const char *fmt)
{
	static const char resource[] = " (%pR)";
	const char *at = strstr(fmt, resource);

	return at ? sys_format("%.*s%%.0s%s", (int)(at - fmt), fmt, at + strlen(resource)) :
		    sys_must(strdup(fmt));
}

void unit_log(enum unit_level level, const struct device *dev, const char *fmt, ...)
{
	char *plain = without_resources(fmt);
	va_list args;

	fflush(stdout);
	fprintf(stderr, "nvmq-vfio: %s: %s", dev->name, level == UNIT_WARN ? "warning: " : "");
	va_start(args, fmt);
	vfprintf(stderr, plain, args);
	va_end(args);
	free(plain);
}

bool unit_warn(const char *condition)
{
	fprintf(stderr, "nvmq-vfio: not to be: %s\n", condition);
	abort();
}

/* ---- one thread: nobody to keep out, nothing to wait for ---- */

void unit_lock(spinlock_t *lock, bool irq)
{
	(void)lock;
	(void)irq;
}

void unit_unlock(spinlock_t *lock, bool irq)
{
	(void)lock;
	(void)irq;
}

unsigned long unit_irq_save(void)
{
	return 0;
}

void unit_irq_restore(unsigned long flags)
{
	(void)flags;
}

void unit_assert_held(const spinlock_t *lock)
{
	(void)lock;
}

void unit_complete(struct completion *c)
{
	c->done++;
}

bool unit_try_wait(struct completion *c)
{
	if (!c->done)
		return false;
	c->done--;
	return true;
}

void unit_wake(wait_queue_head_t *wq)
{
	wq->wakes++;
}

/* Who sends a command waits for it, by polling: there is always a tag. */
unsigned long unit_wait(wait_queue_head_t *wq, unsigned long timeout)
{
	(void)wq;
	(void)timeout;
	unit_warn("a wait for a tag");
	return 0;
}

unsigned long unit_wait_timeout(struct completion *c, unsigned long timeout)
{
	(void)timeout;
	return unit_try_wait(c);
}

int unit_request_irq(int irq, irq_handler_t handler, unsigned long flags, void *data)
{
	(void)irq;
	(void)handler;
	(void)flags;
	(void)data;
	return -ENOTSUP;
}

void unit_free_irq(int irq, void *data)
{
	(void)irq;
	(void)data;
}
