// SPDX-License-Identifier: GPL-2.0
/*
 * The PCI driver: ids, parameters, probe and remove, module init.
 */
#define pr_fmt(fmt) "nvmq: " fmt

#include <linux/async.h>
#include <linux/module.h>
#include <linux/pci.h>
#include <linux/slab.h>

#include "classdir.h"
#include "ctrl.h"
#include "debugfs.h"
#include "hwmon.h"
#include "ioctl.h"
#include "plan.h"
#include "qset.h"
#include "sysfs.h"

/* ---- ids ---- */

/*
 * Every controller that speaks the NVMe I/O programming interface, and before
 * it those of which more must be known.  Deliberately no MODULE_DEVICE_TABLE:
 * without an alias nothing loads this module by itself and races the kernel's
 * own driver for a root disk.
 */
static const struct pci_device_id nvmq_ids[] = {
	{ PCI_DEVICE(0x106b, 0x2001), .driver_data = NVMQ_QUIRK_FOREIGN },	/* Apple */
	{ PCI_DEVICE(0x106b, 0x2005), .driver_data = NVMQ_QUIRK_FOREIGN },	/* Apple */
	{ PCI_DEVICE(0x10ec, 0x5762), .driver_data = NVMQ_QUIRK_SAME_IDS },	/* ADATA SX6000 */
	{ PCI_DEVICE(0x10ec, 0x5763), .driver_data = NVMQ_QUIRK_SAME_IDS },	/* RTS5763 */
	{ PCI_DEVICE(0x10ec, 0x5765), .driver_data = NVMQ_QUIRK_SAME_IDS },	/* Team MP33 */
	{ PCI_DEVICE(0x1217, 0x8760), .driver_data = NVMQ_QUIRK_PRP_512 },	/* O2 Micro */
	{ PCI_DEVICE(0x126f, 0x2262), .driver_data = NVMQ_QUIRK_SAME_IDS },	/* Silicon Motion */
	{ PCI_DEVICE(0x126f, 0x2263),						/* SM2263 */
	  .driver_data = NVMQ_QUIRK_NO_DESC | NVMQ_QUIRK_SAME_IDS },
	{ PCI_DEVICE(0x1344, 0x6001), .driver_data = NVMQ_QUIRK_SAME_IDS },	/* Micron Nitro */
	{ PCI_DEVICE(0x1344, 0x6004), .driver_data = NVMQ_QUIRK_PRP_512 },	/* Micron 4100AT */
	{ PCI_DEVICE(0x144d, 0xa802), .driver_data = NVMQ_QUIRK_SAME_IDS },	/* Samsung SM953 */
	{ PCI_DEVICE(0x144d, 0xa809), .driver_data = NVMQ_QUIRK_NO_WZ },	/* Samsung */
	{ PCI_DEVICE(0x144d, 0xa80b),						/* PM9B1 */
	  .driver_data = NVMQ_QUIRK_NO_WZ | NVMQ_QUIRK_SAME_IDS },
	{ PCI_DEVICE(0x144d, 0xa821), .driver_data = NVMQ_QUIRK_DELAY_RDY },	/* PM1725 */
	{ PCI_DEVICE(0x144d, 0xa822),						/* PM1725a */
	  .driver_data = NVMQ_QUIRK_DELAY_RDY | NVMQ_QUIRK_NO_WZ },
	{ PCI_DEVICE(0x15b7, 0x2001), .driver_data = NVMQ_QUIRK_NO_WZ },	/* SanDisk */
	{ PCI_DEVICE(0x15b7, 0x5008), .driver_data = NVMQ_QUIRK_NO_MSI },	/* SanDisk SN530 */
	{ PCI_DEVICE(0x15b7, 0x5009), .driver_data = NVMQ_QUIRK_NO_MSI },	/* SanDisk SN550 */
	{ PCI_DEVICE(0x1987, 0x5012), .driver_data = NVMQ_QUIRK_SAME_IDS },	/* Phison E12 */
	{ PCI_DEVICE(0x1987, 0x5016), .driver_data = NVMQ_QUIRK_SAME_IDS },	/* Phison E16 */
	{ PCI_DEVICE(0x1987, 0x5019), .driver_data = NVMQ_QUIRK_NO_WZ },	/* Phison E19 */
	{ PCI_DEVICE(0x1987, 0x5021), .driver_data = NVMQ_QUIRK_NO_WZ },	/* Phison E21 */
	{ PCI_DEVICE(0x1b36, 0x0010), .driver_data = NVMQ_QUIRK_SAME_IDS },	/* QEMU */
	{ PCI_DEVICE(0x1b4b, 0x1092), .driver_data = NVMQ_QUIRK_NO_DESC },	/* Lexar */
	{ PCI_DEVICE(0x1bb1, 0x0100),						/* Seagate Nytro */
	  .driver_data = NVMQ_QUIRK_DELAY_RDY | NVMQ_QUIRK_NO_DESC },
	{ PCI_DEVICE(0x1c58, 0x0003), .driver_data = NVMQ_QUIRK_DELAY_RDY },	/* HGST */
	{ PCI_DEVICE(0x1c58, 0x0023), .driver_data = NVMQ_QUIRK_DELAY_RDY },	/* WDC SN200 */
	{ PCI_DEVICE(0x1c5c, 0x1504), .driver_data = NVMQ_QUIRK_NO_WZ },	/* SK Hynix PC400 */
	{ PCI_DEVICE(0x1c5c, 0x174a), .driver_data = NVMQ_QUIRK_SAME_IDS },	/* SK Hynix P31 */
	{ PCI_DEVICE(0x1c5c, 0x1d59), .driver_data = NVMQ_QUIRK_NO_WZ },	/* SK Hynix BC901 */
	{ PCI_DEVICE(0x1c5f, 0x0540), .driver_data = NVMQ_QUIRK_DELAY_RDY },	/* Pblaze4 */
	{ PCI_DEVICE(0x1cc1, 0x33f8), .driver_data = NVMQ_QUIRK_SAME_IDS },	/* ADATA IM2P33 */
	{ PCI_DEVICE(0x1cc1, 0x5350), .driver_data = NVMQ_QUIRK_SAME_IDS },	/* ADATA S50 */
	{ PCI_DEVICE(0x1cc4, 0x6302), .driver_data = NVMQ_QUIRK_NO_WZ },	/* UMIS */
	{ PCI_DEVICE(0x1cc4, 0x6303), .driver_data = NVMQ_QUIRK_NO_WZ },	/* UMIS RPJTJ512 */
	{ PCI_DEVICE(0x1d0f, 0x0061), .driver_data = NVMQ_QUIRK_DMA_48 },	/* Amazon */
	{ PCI_DEVICE(0x1d0f, 0x0065), .driver_data = NVMQ_QUIRK_DMA_48 },	/* Amazon */
	{ PCI_DEVICE(0x1d0f, 0x8061), .driver_data = NVMQ_QUIRK_DMA_48 },	/* Amazon */
	{ PCI_DEVICE(0x1d0f, 0xcd00), .driver_data = NVMQ_QUIRK_DMA_48 },	/* Amazon */
	{ PCI_DEVICE(0x1d0f, 0xcd01), .driver_data = NVMQ_QUIRK_DMA_48 },	/* Amazon */
	{ PCI_DEVICE(0x1d0f, 0xcd02), .driver_data = NVMQ_QUIRK_DMA_48 },	/* Amazon */
	{ PCI_DEVICE(0x1d97, 0x1d97), .driver_data = NVMQ_QUIRK_SAME_IDS },	/* Lexar NM620 */
	{ PCI_DEVICE(0x1d97, 0x2263),						/* SPCC */
	  .driver_data = NVMQ_QUIRK_NO_WZ | NVMQ_QUIRK_SAME_IDS },
	{ PCI_DEVICE(0x1d97, 0x2269), .driver_data = NVMQ_QUIRK_SAME_IDS },	/* Lexar NM760 */
	{ PCI_DEVICE(0x1dbe, 0x5216), .driver_data = NVMQ_QUIRK_SAME_IDS },	/* InnoGrit 5216 */
	{ PCI_DEVICE(0x1dbe, 0x5236), .driver_data = NVMQ_QUIRK_SAME_IDS },	/* InnoGrit 5236 */
	{ PCI_DEVICE(0x1e4b, 0x1001), .driver_data = NVMQ_QUIRK_SAME_IDS },	/* Maxio MAP1001 */
	{ PCI_DEVICE(0x1e4b, 0x1002), .driver_data = NVMQ_QUIRK_SAME_IDS },	/* Maxio MAP1002 */
	{ PCI_DEVICE(0x1e4b, 0x1202), .driver_data = NVMQ_QUIRK_SAME_IDS },	/* Maxio MAP1202 */
	{ PCI_DEVICE(0x1e4b, 0x1602), .driver_data = NVMQ_QUIRK_SAME_IDS },	/* Maxio MAP1602 */
	{ PCI_DEVICE(0x1f40, 0x1202), .driver_data = NVMQ_QUIRK_SAME_IDS },	/* Netac NV3000 */
	{ PCI_DEVICE(0x1f40, 0x5236), .driver_data = NVMQ_QUIRK_SAME_IDS },	/* Netac NV7000 */
	{ PCI_DEVICE(0x2646, 0x5016), .driver_data = NVMQ_QUIRK_NO_WZ },	/* Kingston */
	{ PCI_DEVICE(0x2646, 0x5018), .driver_data = NVMQ_QUIRK_NO_WZ },	/* Kingston */
	{ PCI_DEVICE(0x2646, 0x501a), .driver_data = NVMQ_QUIRK_NO_WZ },	/* Kingston */
	{ PCI_DEVICE(0x2646, 0x501b), .driver_data = NVMQ_QUIRK_NO_WZ },	/* Kingston */
	{ PCI_DEVICE(0x2646, 0x501e), .driver_data = NVMQ_QUIRK_NO_WZ },	/* Kingston */
	{ PCI_DEVICE(0x2646, 0x502f), .driver_data = NVMQ_QUIRK_NO_WZ },	/* Kingston */
	{ PCI_DEVICE(0x8086, 0x0a54), .driver_data = NVMQ_QUIRK_SAME_IDS },	/* Intel P4500 */
	{ PCI_DEVICE(0x8086, 0x5845),						/* QEMU, old */
	  .driver_data = NVMQ_QUIRK_NO_WZ | NVMQ_QUIRK_SAME_IDS },
	{ PCI_DEVICE(0x8086, 0xf1a5),						/* Intel 600P */
	  .driver_data = NVMQ_QUIRK_NO_WZ | NVMQ_QUIRK_USES_PRIO | NVMQ_QUIRK_FIXED_TEMP },
	{ PCI_DEVICE(0xc0a9, 0x540a), .driver_data = NVMQ_QUIRK_SAME_IDS },	/* Crucial P2 */
	{ PCI_DEVICE_CLASS(PCI_CLASS_STORAGE_EXPRESS, 0xffffff) },
	{ }
};

/* May the kernel's driver have this controller, which is not nvmq's, now or some day? */
static bool is_left(struct pci_dev *pdev, struct device_driver *us)
{
	const struct pci_device_id *id;

	/* Other drivers have no disks of these names, and nvme is loaded where it has one. */
	if (READ_ONCE(pdev->dev.driver))
		return false;
	/* Without a driver it is offered to this one, unless somebody has decided otherwise. */
	id = pci_match_id(nvmq_ids, pdev);
	return !id || (id->driver_data & NVMQ_QUIRK_FOREIGN) ||
	       pdev->dev.bus->match(&pdev->dev, us) <= 0;
}

/* @probed: a controller of ours. */
static bool is_beside_nvme(struct pci_dev *probed)
{
	struct pci_dev *pdev = NULL;

	if (nvmq_classdir_is_shared())
		return true;
	while ((pdev = pci_get_class(PCI_CLASS_STORAGE_EXPRESS, pdev))) {
		if (is_left(pdev, probed->dev.driver)) {
			pci_dev_put(pdev);
			return true;
		}
	}
	return false;
}

/* ---- parameters ---- */

static char *plan_text;
static unsigned int io_timeout = 30;
static unsigned int admin_timeout = 60;

/*
 * Refuse here, and insmod fails: who asks for a plan does not want the disks to
 * come up with another one.
 */
static int plan_set(const char *val, const struct kernel_param *kp)
{
	struct nvmq_plan_error error;
	struct nvmq_topology topo;
	char *copy;
	int err;

	err = nvmq_qset_read_topology(&topo);
	if (err)
		return err;
	err = nvmq_plan_check_list(val, &topo, &error);
	kfree(topo.cpu);
	if (err) {
		pr_err("plan: \"%s\": %s\n", error.word, error.reason);
		return err == -ERANGE ? -EINVAL : err;
	}
	copy = kstrdup(val, GFP_KERNEL);
	if (!copy)
		return -ENOMEM;
	kfree(plan_text);
	plan_text = copy;
	return 0;
}

static int plan_get(char *buf, const struct kernel_param *kp)
{
	return sysfs_emit(buf, "%s\n", plan_text ?: "");
}

static void plan_free(void *arg)
{
	kfree(plan_text);
	plan_text = NULL;
}

static const struct kernel_param_ops plan_ops = {
	.set = plan_set,
	.get = plan_get,
	.free = plan_free,
};
module_param_cb(plan, &plan_ops, NULL, 0444);
MODULE_PARM_DESC(plan, "queue plans: [PCI-ADDRESS] default=N|cpu|core|node|CPUS[/DEPTH] read= poll= depth= vectors= irq=msix|msi|intx placement=managed|free leave=N coalesce=N/USEC|off share=N wrr=TYPE:CLASS+.../H:M:L cpus=all|housekeeping [; ...]");

static int timeout_set(const char *val, const struct kernel_param *kp)
{
	unsigned int seconds;

	if (kstrtouint(val, 0, &seconds) || seconds < 1 || seconds > 3600) {
		pr_err("%s=%.20s: must be 1 to 3600 seconds\n", kp->name, val);
		return -EINVAL;
	}
	*(unsigned int *)kp->arg = seconds;
	return 0;
}

static const struct kernel_param_ops timeout_ops = {
	.set = timeout_set,
	.get = param_get_uint,
};
module_param_cb(io_timeout, &timeout_ops, &io_timeout, 0444);
MODULE_PARM_DESC(io_timeout, "seconds an I/O command may take, 1 to 3600 (default 30)");
module_param_cb(admin_timeout, &timeout_ops, &admin_timeout, 0444);
MODULE_PARM_DESC(admin_timeout, "seconds an admin command may take, 1 to 3600 (default 60)");

static int read_options(struct pci_dev *pdev, unsigned long quirks,
			struct nvmq_ctrl_options *options)
{
	struct nvmq_plan_error error;
	int err;

	options->io_timeout = io_timeout;
	options->admin_timeout = admin_timeout;
	options->quirks = quirks;
	options->beside = is_beside_nvme(pdev);
	err = nvmq_plan_select(plan_text ?: "", pci_domain_nr(pdev->bus), pdev->bus->number,
			       pdev->devfn, &options->plan, &error);
	if (err)
		dev_err(&pdev->dev, "plan: \"%s\": %s\n", error.word, error.reason);
	return err;
}

/* ---- probe and remove ---- */

static const struct nvmq_doors doors = {
	.ctrl_fops = &nvmq_ioctl_ctrl_fops,
	.ctrl_groups = nvmq_sysfs_ctrl_groups,
	.ns_fops = &nvmq_ioctl_ns_fops,
	.disk_ops = &nvmq_ioctl_disk_ops,
	.ns_groups = nvmq_sysfs_ns_groups,
};

static int set_dma_mask(struct pci_dev *pdev, unsigned long quirks)
{
	unsigned int bits = quirks & NVMQ_QUIRK_DMA_48 ? 48 : 64;
	int err = dma_set_mask_and_coherent(&pdev->dev, DMA_BIT_MASK(bits));

	if (err) {
		dev_err(&pdev->dev, "%u-bit DMA is not possible: error %d\n", bits, err);
		return err;
	}
	/* A bounce buffer must keep the offset into the page that PRP1 carries. */
	dma_set_min_align_mask(&pdev->dev, NVMQ_PAGE_MASK);
	dma_set_max_seg_size(&pdev->dev, UINT_MAX);
	return 0;
}

static int nvmq_probe(struct pci_dev *pdev, const struct pci_device_id *id)
{
	struct nvmq_ctrl_options options = { .doors = &doors };
	struct nvmq_ctrl *ctrl;
	int err;

	if (id->driver_data & NVMQ_QUIRK_FOREIGN) {
		dev_err(&pdev->dev,
			"needs queues of a kind of its own: only the kernel's nvme driver serves it\n");
		return -ENODEV;
	}
	err = read_options(pdev, id->driver_data, &options);
	if (err)
		return err;
	err = pci_enable_device_mem(pdev);
	if (err) {
		dev_err(&pdev->dev, "cannot be enabled: error %d\n", err);
		return err;
	}
	/* No interrupt before there is a handler; the first commands are polled. */
	pci_intx(pdev, 0);
	err = pci_request_mem_regions(pdev, "nvmq");
	if (err) {
		dev_err(&pdev->dev, "its memory regions are taken: error %d\n", err);
		goto disable;
	}
	err = set_dma_mask(pdev, id->driver_data);
	if (err)
		goto release;

	ctrl = nvmq_ctrl_create(pdev, &options);
	if (IS_ERR(ctrl)) {
		err = PTR_ERR(ctrl);
		goto release;
	}
	pci_set_drvdata(pdev, ctrl);
	err = nvmq_ctrl_start(ctrl);
	if (err)
		goto destroy;
	/* For nvmq_slot_reset(): when an error has come it is too late. */
	pci_save_state(pdev);
	nvmq_debugfs_add(ctrl);
	nvmq_hwmon_add(ctrl);
	return 0;

destroy:
	pci_set_drvdata(pdev, NULL);
	nvmq_ctrl_destroy(ctrl);
release:
	pci_release_mem_regions(pdev);
disable:
	pci_disable_device(pdev);
	return err;
}

static void nvmq_remove(struct pci_dev *pdev)
{
	struct nvmq_ctrl *ctrl = pci_get_drvdata(pdev);

	nvmq_hwmon_remove(ctrl);
	nvmq_debugfs_remove(ctrl);
	nvmq_ctrl_remove(ctrl);
	pci_set_drvdata(pdev, NULL);
	nvmq_ctrl_destroy(ctrl);
	pci_release_mem_regions(pdev);
	pci_disable_device(pdev);
}

static void nvmq_shutdown(struct pci_dev *pdev)
{
	nvmq_ctrl_shutdown(pci_get_drvdata(pdev));
}

static int nvmq_suspend(struct device *dev)
{
	/* A dead one has nothing to lose, and must not keep the machine awake. */
	nvmq_ctrl_hold(dev_get_drvdata(dev), true);
	return 0;
}

static int nvmq_resume(struct device *dev)
{
	nvmq_ctrl_release(dev_get_drvdata(dev));
	return 0;
}

static DEFINE_SIMPLE_DEV_PM_OPS(nvmq_pm_ops, nvmq_suspend, nvmq_resume);

/* ---- resets and errors of the bus ---- */

/* Somebody resets the function, by sysfs for instance: no I/O while that happens. */
static void nvmq_reset_prepare(struct pci_dev *pdev)
{
	dev_info(&pdev->dev, "PCI reset: I/O waits\n");
	nvmq_ctrl_hold(pci_get_drvdata(pdev), false);
}

static void nvmq_reset_done(struct pci_dev *pdev)
{
	nvmq_ctrl_release(pci_get_drvdata(pdev));
	nvmq_ctrl_settle(pci_get_drvdata(pdev));
}

static pci_ers_result_t nvmq_error_detected(struct pci_dev *pdev, pci_channel_state_t state)
{
	struct nvmq_ctrl *ctrl = pci_get_drvdata(pdev);

	switch (state) {
	case pci_channel_io_normal:
		return PCI_ERS_RESULT_CAN_RECOVER;
	case pci_channel_io_frozen:
		dev_warn(&pdev->dev, "PCI error: I/O waits for a reset of the bus\n");
		if (nvmq_ctrl_hold(ctrl, false))
			return PCI_ERS_RESULT_DISCONNECT;
		/* When the reset fails the PCI core calls nobody any more. */
		nvmq_ctrl_limit_hold(ctrl);
		return PCI_ERS_RESULT_NEED_RESET;
	default:
		dev_err(&pdev->dev, "PCI error: the bus is lost\n");
		/* What waits must fail: bringing up a device that does not answer sees to that. */
		nvmq_ctrl_hold(ctrl, false);
		nvmq_ctrl_release(ctrl);
		return PCI_ERS_RESULT_DISCONNECT;
	}
}

static pci_ers_result_t nvmq_slot_reset(struct pci_dev *pdev)
{
	nvmq_ctrl_release(pci_get_drvdata(pdev));
	return PCI_ERS_RESULT_RECOVERED;
}

static void nvmq_error_resume(struct pci_dev *pdev)
{
	nvmq_ctrl_settle(pci_get_drvdata(pdev));
}

static const struct pci_error_handlers nvmq_err_handler = {
	.error_detected = nvmq_error_detected,
	.slot_reset = nvmq_slot_reset,
	.resume = nvmq_error_resume,
	.reset_prepare = nvmq_reset_prepare,
	.reset_done = nvmq_reset_done,
};

static struct pci_driver nvmq_driver = {
	.name = "nvmq",
	.id_table = nvmq_ids,
	.probe = nvmq_probe,
	.remove = nvmq_remove,
	.shutdown = nvmq_shutdown,
	.dev_groups = nvmq_sysfs_groups,
	.err_handler = &nvmq_err_handler,
	.driver.pm = pm_sleep_ptr(&nvmq_pm_ops),
};

static int __init nvmq_init(void)
{
	int err = nvmq_ctrl_module_init();

	if (err)
		return err;
	nvmq_debugfs_init();
	/*
	 * The kernel's driver probes asynchronously: what it has been offered
	 * and not looked at yet is not free.
	 */
	async_synchronize_full();
	err = pci_register_driver(&nvmq_driver);
	if (err) {
		nvmq_debugfs_exit();
		nvmq_ctrl_module_exit();
	}
	return err;
}

static void __exit nvmq_exit(void)
{
	pci_unregister_driver(&nvmq_driver);
	nvmq_debugfs_exit();
	nvmq_ctrl_module_exit();
}

module_init(nvmq_init);
module_exit(nvmq_exit);

MODULE_DESCRIPTION("NVMe PCI block driver with queue plans");
MODULE_LICENSE("GPL");
