// SPDX-License-Identifier: GPL-2.0
/*
 * Namespaces and their disks: identify, limits, gendisk, rescan.
 */
#include <linux/blkdev.h>
#include <linux/log2.h>
#include <linux/sched/mm.h>
#include <linux/slab.h>

#include "ns.h"

/* What a scan learns of a namespace. */
struct ns_info {
	u32 nsid;
	u64 sectors;
	bool read_only;
	bool shared;
	u16 metadata;
	u8 csi;
	u8 rescap;
	struct nvmq_cmd_ns cmd;
	struct nvmq_ns_ids ids;
	struct nvmq_disk_limits limits;
};

/* ---- identify ---- */

/* A shift that a device sent: saturate instead of wrapping. */
static u32 saturated_shl(u64 value, u32 shift, u32 max)
{
	if (shift >= 32 || value > (u64)max >> shift)
		return max;
	return value << shift;
}

/**
 * nvmq_nss_read_limits - what the controller says of all of its namespaces
 * @nss: the namespaces
 * @id: Identify Controller
 *
 * MDTS is in units of the smallest page (base figure 276), and so is WZSL of
 * the I/O command set specific structure, which is optional.
 *
 * Context: sleeps.
 * Return: 0 or -ENOMEM; a device that does not know the structure is fine.
 */
int nvmq_nss_read_limits(struct nvmq_nss *nss, const struct nvmq_id_ctrl *id)
{
	u32 page_shift = NVMQ_PAGE_SHIFT + NVMQ_CAP_MPSMIN(nss->admin->hw->cap);
	u32 max_bytes = min_t(size_t, NVMQ_MAX_TRANSFER, dma_max_mapping_size(nss->dev));
	struct nvmq_id_ctrl_nvm *nvm;

	nss->nn = le32_to_cpu(id->nn);
	nss->oncs = le16_to_cpu(id->oncs);
	nss->vwc = id->vwc;
	nss->awupf = le16_to_cpu(id->awupf);
	if (id->mdts)
		max_bytes = min(max_bytes, saturated_shl(1, page_shift + id->mdts,
							 NVMQ_MAX_TRANSFER));
	nss->max_sectors = max_bytes >> SECTOR_SHIFT;
	/* Without the structure a Write Zeroes is as long as a data transfer may be. */
	nss->wz_shift = id->mdts ? page_shift + id->mdts : 0;
	nss->dmrl = 0;
	nss->dsm_blocks = 0;

	if (nss->vs < NVMQ_VS(2, 0))
		return 0;
	nvm = kmalloc(sizeof(*nvm), GFP_KERNEL);
	if (!nvm)
		return -ENOMEM;
	if (!nvmq_admin_identify(nss->admin, NVMQ_CNS_CONTROLLER_CSS, 0, NVMQ_CSI_NVM, nvm)) {
		if (nvm->wzsl)
			nss->wz_shift = page_shift + nvm->wzsl;
		nss->dmrl = nvm->dmrl;
		nss->dsm_blocks = min_not_zero((u64)le32_to_cpu(nvm->dmrsl),
					       le64_to_cpu(nvm->dmsl));
	}
	kfree(nvm);
	return 0;
}

/*
 * The identification descriptors (base figure 277): which command set does the
 * namespace belong to, and its UUID.  The list comes from the device: every
 * length is checked, zero ends it.  Returns the command set, or an error if it
 * is not known.
 */
static int read_descriptors(struct nvmq_nss *nss, u32 nsid, void *buf, struct nvmq_ns_ids *ids)
{
	int csi = NVMQ_CSI_NVM;
	u32 at = 0;
	int err;

	if (nss->vs < NVMQ_VS(1, 3) || (nss->admin->hw->quirks & NVMQ_QUIRK_NO_DESC))
		return csi;
	err = nvmq_admin_identify(nss->admin, NVMQ_CNS_DESCRIPTORS, nsid, 0, buf);
	/* Where only one command set is enabled it can only be that one. */
	if (err)
		return err == -EIO && !(nss->admin->hw->cc & NVMQ_CC_CSS_IOCS) ? csi : err;

	while (at + sizeof(struct nvmq_ns_desc) < NVMQ_IDENTIFY_SIZE) {
		const struct nvmq_ns_desc *desc = buf + at;

		if (!desc->nidl)
			break;
		at += sizeof(*desc);
		if (at + desc->nidl > NVMQ_IDENTIFY_SIZE)
			break;
		if (desc->nidt == NVMQ_NIDT_CSI && desc->nidl == 1)
			csi = desc->nid[0];
		else if (desc->nidt == NVMQ_NIDT_UUID && desc->nidl == sizeof(ids->uuid))
			memcpy(ids->uuid, desc->nid, sizeof(ids->uuid));
		at += desc->nidl;
	}
	return csi;
}

/* Is it the same namespace still?  What one of the two does not have says nothing. */
static bool same_ids(const struct nvmq_ns_ids *a, const struct nvmq_ns_ids *b)
{
	static const struct nvmq_ns_ids none;

	if (memcmp(a->uuid, b->uuid, sizeof(a->uuid)) &&
	    memcmp(a->uuid, none.uuid, sizeof(a->uuid)) &&
	    memcmp(b->uuid, none.uuid, sizeof(b->uuid)))
		return false;
	return !memcmp(a->eui64, b->eui64, sizeof(a->eui64)) &&
	       !memcmp(a->nguid, b->nguid, sizeof(a->nguid));
}

/* Bytes that a power failure leaves written whole or not at all (nvm 2.1.4). */
static u32 atomic_bytes(struct nvmq_nss *nss, const struct nvmq_id_ns *id, u32 shift)
{
	u32 blocks = nss->awupf;

	/* Atomic units that do not begin at LBA 0 cut through any block but the smallest. */
	if (id->nabo)
		return 1u << shift;
	if ((id->nsfeat & NVMQ_NSFEAT_NSABP) && id->nawupf)
		blocks = le16_to_cpu(id->nawupf);
	return saturated_shl(blocks + 1, shift, 1u << 30);
}

/* The limits of a disk; the format of the namespace is one that we serve. */
static void make_limits(struct nvmq_nss *nss, const struct nvmq_id_ns *id, struct ns_info *info)
{
	struct nvmq_disk_limits *l = &info->limits;
	u32 shift = info->cmd.lba_shift;
	u32 bs = 1u << shift;
	u32 sectors_shift = shift - SECTOR_SHIFT;
	u32 wz;

	l->lba_size = bs;
	l->phys_size = bs;
	l->io_min = bs;
	l->io_opt = 0;
	if (id->nsfeat & NVMQ_NSFEAT_OPTPERF) {
		u32 npwg = le16_to_cpu(id->npwg) + 1;

		/*
		 * A physical block is a power of two, and file systems take
		 * it for something that a power failure does not tear.
		 */
		l->io_min = saturated_shl(npwg, shift, 1u << 30);
		l->phys_size = rounddown_pow_of_two(min(l->io_min, atomic_bytes(nss, id, shift)));
		l->io_min = rounddown(l->io_min, l->phys_size);
		/* One block only is what devices say that do not know. */
		if (id->nows)
			l->io_opt = saturated_shl(le16_to_cpu(id->nows) + 1, shift, 1u << 30);
		l->io_opt = rounddown(l->io_opt, l->phys_size);
	}
	l->max_sectors = min(nss->max_sectors, saturated_shl(NVMQ_NLB_MAX, sectors_shift, U32_MAX));
	l->chunk_sectors = saturated_shl(le16_to_cpu(id->noiob), sectors_shift, 1u << 30);
	/* Older block layers split by a mask: only a power of two will do. */
	if (!is_power_of_2(l->chunk_sectors))
		l->chunk_sectors = 0;
	l->max_segments = min_t(u32, NVMQ_MAX_SEGS, (l->max_sectors >> 3) + 1);
	l->write_cache = nss->vwc & NVMQ_VWC_PRESENT;

	if (nss->oncs & NVMQ_ONCS_DSM) {
		/* Bytes of a bio are 32 bits: no range is longer than that. */
		u32 most = UINT_MAX >> SECTOR_SHIFT;

		/* The block layer takes this for the limit of all ranges together, too. */
		if (nss->dsm_blocks)
			most = min(most, saturated_shl(nss->dsm_blocks, sectors_shift, most));
		l->discard_sectors = rounddown(most, 1u << sectors_shift);
		l->discard_segments = min_not_zero(NVMQ_DSM_RANGES_MAX, nss->dmrl);
		l->discard_granularity = bs;
		if (id->nsfeat & NVMQ_NSFEAT_OPTPERF)
			l->discard_granularity = saturated_shl(le16_to_cpu(id->npdg) + 1, shift,
							       1u << 30);
	}

	if ((nss->oncs & NVMQ_ONCS_WRITE_ZEROES) && !(nss->admin->hw->quirks & NVMQ_QUIRK_NO_WZ)) {
		wz = saturated_shl(NVMQ_NLB_MAX, sectors_shift, UINT_MAX >> SECTOR_SHIFT);
		if (nss->wz_shift)
			wz = min(wz, saturated_shl(1, nss->wz_shift, UINT_MAX) >> SECTOR_SHIFT);
		l->wz_sectors = rounddown(wz, 1u << sectors_shift);
		/* Deallocate on the way only where such blocks are sure to read as zeroes. */
		if ((id->dlfeat & NVMQ_DLFEAT_WZ_DEAC) &&
		    (id->dlfeat & NVMQ_DLFEAT_READ_MASK) == NVMQ_DLFEAT_READ_ZEROES)
			info->cmd.wz_cdw12 = NVMQ_WZ_DEALLOCATE;
	}
}

/*
 * Identify a namespace; @listed: the controller says that it is active.
 * Returns 0; -ENOENT if it is not active; -EOPNOTSUPP if it is one that we do
 * not serve, which is said in the log; -EIO if the device says that it cannot
 * tell just now; other errors mean that it does not answer.
 */
static int read_ns(struct nvmq_nss *nss, u32 nsid, bool listed, void *buf, struct ns_info *info)
{
	const struct nvmq_id_ns *id = buf;
	unsigned int format;
	u32 lbads, ms;
	int csi, err;

	memset(info, 0, sizeof(*info));
	info->nsid = nsid;
	info->cmd.nsid = nsid;

	csi = read_descriptors(nss, nsid, buf, &info->ids);
	if (csi < 0)
		return csi;
	if (csi != NVMQ_CSI_NVM) {
		dev_warn(nss->dev, "namespace %u: I/O command set %#04x (%s) is not supported: no disk\n",
			 nsid, csi, csi == 1 ? "key value" : csi == 2 ? "zoned" : "unknown");
		return -EOPNOTSUPP;
	}
	err = nvmq_admin_identify(nss->admin, NVMQ_CNS_NAMESPACE, nsid, 0, buf);
	if (err)
		return err;
	if (!id->ncap && !listed)
		return -ENOENT;
	if (!id->nsze || !id->ncap) {
		dev_warn(nss->dev, "namespace %u: size is %llu blocks, capacity %llu: no disk\n",
			 nsid, le64_to_cpu(id->nsze), le64_to_cpu(id->ncap));
		return -EOPNOTSUPP;
	}

	format = nvmq_lbaf_index(id->flbas);
	if (format > id->nlbaf || format >= ARRAY_SIZE(id->lbaf)) {
		dev_warn(nss->dev, "namespace %u: uses LBA format %u of %u: no disk\n", nsid,
			 format, id->nlbaf + 1);
		return -EOPNOTSUPP;
	}
	lbads = id->lbaf[format].lbads;
	ms = le16_to_cpu(id->lbaf[format].ms);
	if (lbads < SECTOR_SHIFT || lbads > PAGE_SHIFT) {
		dev_warn(nss->dev, "namespace %u: blocks of %llu bytes (LBADS=%u) are not supported: no disk\n",
			 nsid, lbads < 64 ? 1ull << lbads : 0, lbads);
		return -EOPNOTSUPP;
	}
	if (ms || (id->dps & NVMQ_DPS_TYPE_MASK)) {
		dev_warn(nss->dev, "namespace %u: %u bytes of metadata per block are not supported: no disk\n",
			 nsid, ms);
		return -EOPNOTSUPP;
	}
	if (le64_to_cpu(id->nsze) > (u64)LLONG_MAX >> lbads) {
		dev_warn(nss->dev, "namespace %u: %llu blocks are more than a disk can have: no disk\n",
			 nsid, le64_to_cpu(id->nsze));
		return -EOPNOTSUPP;
	}

	memcpy(info->ids.eui64, id->eui64, sizeof(info->ids.eui64));
	memcpy(info->ids.nguid, id->nguid, sizeof(info->ids.nguid));
	info->csi = csi;
	info->rescap = id->rescap;
	info->metadata = ms;
	info->cmd.lba_shift = lbads;
	info->sectors = le64_to_cpu(id->nsze) << (lbads - SECTOR_SHIFT);
	info->shared = id->nmic & NVMQ_NMIC_SHARED;
	info->read_only = id->nsattr & NVMQ_NSATTR_WRITE_PROTECTED;
	make_limits(nss, id, info);
	return 0;
}

/* ---- disks ---- */

/* @nss->lock held. */
static struct nvmq_ns *find_ns(struct nvmq_nss *nss, u32 nsid)
{
	struct nvmq_ns *ns;

	list_for_each_entry(ns, &nss->list, entry)
		if (ns->cmd.nsid == nsid)
			return ns;
	return NULL;
}

/* All namespaces that have a disk, of all controllers. */
static LIST_HEAD(known);
static DEFINE_MUTEX(known_lock);

static bool is_same(const u8 *one, const u8 *other, size_t len)
{
	return memchr_inv(one, 0, len) && !memcmp(one, other, len);
}

/*
 * What is to tell a namespace from all others must do so, or whoever goes by it takes the wrong
 * disk.  Another controller of its subsystem may have the same one (NMIC, nvm 4.1.5.1).
 */
static void make_known(struct nvmq_ns *ns, bool shared)
{
	const struct nvmq_ns_ids *ids = &ns->ids;
	struct nvmq_ns *other;

	ns->same_ids = ns->nss->admin->hw->quirks & NVMQ_QUIRK_SAME_IDS;
	mutex_lock(&known_lock);
	list_for_each_entry(other, &known, known) {
		if (ns->same_ids)
			break;
		if (other->same_ids ||
		    (shared && ns->nss->subsys && other->nss->subsys == ns->nss->subsys &&
		     other->nss != ns->nss && other->cmd.nsid == ns->cmd.nsid))
			continue;
		if (is_same(ids->uuid, other->ids.uuid, sizeof(ids->uuid)) ||
		    is_same(ids->nguid, other->ids.nguid, sizeof(ids->nguid)) ||
		    is_same(ids->eui64, other->ids.eui64, sizeof(ids->eui64))) {
			dev_warn(ns->nss->dev,
				 "namespace %u: has the identifiers of disk %s: they are not shown\n",
				 ns->cmd.nsid, other->disk->disk_name);
			ns->same_ids = true;
		}
	}
	list_add_tail(&ns->known, &known);
	mutex_unlock(&known_lock);
}

static void forget(struct nvmq_ns *ns)
{
	mutex_lock(&known_lock);
	list_del(&ns->known);
	mutex_unlock(&known_lock);
}

static void insert_sorted(struct nvmq_nss *nss, struct nvmq_ns *ns)
{
	struct nvmq_ns *pos;

	list_for_each_entry(pos, &nss->list, entry)
		if (pos->cmd.nsid > ns->cmd.nsid)
			break;
	list_add_tail(&ns->entry, &pos->entry);
}

static void free_ns(struct nvmq_ns *ns)
{
	nvmq_node_put(ns->nss->parent);
	kfree(ns);
}

/**
 * nvmq_ns_free_disk - nobody has the disk any more, nor ngXnY
 * @disk: a disk that was added
 */
void nvmq_ns_free_disk(struct gendisk *disk)
{
	free_ns(disk->private_data);
}

/* Nobody has ngXnY any more. */
static void release_node(struct nvmq_node *node)
{
	struct nvmq_ns *ns = container_of(node, struct nvmq_ns, node);
	bool added = test_bit(GD_ADDED, &ns->disk->state);

	put_disk(ns->disk);
	/* free_disk is for disks that were added. */
	if (!added)
		free_ns(ns);
}

/**
 * nvmq_ns_open - open ngXnY
 * @inode: of the node
 * @file: its private_data becomes the &struct nvmq_ns
 *
 * Return: 0; -ENXIO if the namespace is gone.
 */
int nvmq_ns_open(struct inode *inode, struct file *file)
{
	struct nvmq_ns *ns = container_of(inode->i_cdev, struct nvmq_ns, node.cdev);

	if (test_bit(GD_DEAD, &ns->disk->state))
		return -ENXIO;
	file->private_data = ns;
	return 0;
}

/**
 * nvmq_ns_of - the namespace of a device that has the attributes of one
 * @dev: of ngXnY or of the disk
 *
 * Return: the namespace.
 */
struct nvmq_ns *nvmq_ns_of(struct device *dev)
{
	if (dev->bus)
		return container_of(dev, struct nvmq_ns, node.dev);
	return dev_to_disk(dev)->private_data;
}

/* The disk does without it until memory is there. */
static void link_disk(struct nvmq_nss *nss, struct nvmq_ns *ns)
{
	int err;

	if (ns->linked)
		return;
	err = nvmq_node_add_child(nss->parent, disk_to_dev(ns->disk));
	if (err)
		dev_warn(nss->dev, "namespace %u: no link to disk %s: error %d\n", ns->cmd.nsid,
			 ns->disk->disk_name, err);
	ns->linked = !err;
}

/*
 * A disk's queue must neither come nor go while the maps of the tag set change: it would have the
 * contexts of before and the maps of after.  Returns what unlock_maps() is given.
 */
static unsigned int lock_maps(struct nvmq_nss *nss)
{
	unsigned int noio = memalloc_noio_save();

	mutex_lock(&nss->maps);
	return noio;
}

static void unlock_maps(struct nvmq_nss *nss, unsigned int noio)
{
	mutex_unlock(&nss->maps);
	memalloc_noio_restore(noio);
}

static struct gendisk *alloc_disk_of(struct nvmq_nss *nss, const struct ns_info *info,
				     struct nvmq_ns *ns)
{
	unsigned int noio = lock_maps(nss);
	struct gendisk *disk = nvmq_compat_alloc_disk(nss->set, &info->limits, &ns->cmd);

	unlock_maps(nss, noio);
	return disk;
}

static void add_ns(struct nvmq_nss *nss, const struct ns_info *info)
{
	struct gendisk *disk;
	struct nvmq_ns *ns;
	unsigned int noio;
	int err;

	ns = kzalloc(sizeof(*ns), GFP_KERNEL);
	disk = ns ? alloc_disk_of(nss, info, ns) : ERR_PTR(-ENOMEM);
	if (IS_ERR(disk)) {
		dev_err(nss->dev, "namespace %u: no memory for its disk\n", info->nsid);
		kfree(ns);
		return;
	}
	ns->cmd = info->cmd;
	ns->nss = nss;
	get_device(&nss->parent->dev);
	ns->ids = info->ids;
	ns->csi = info->csi;
	ns->rescap = info->rescap;
	ns->metadata = info->metadata;
	ns->limits = info->limits;
	ns->seen = true;
	ns->disk = disk;
	disk->fops = nss->doors->disk_ops;
	disk->private_data = ns;
	snprintf(disk->disk_name, DISK_NAME_LEN, "nvme%un%u", nss->ctrl_id, info->nsid);
	set_capacity(disk, info->sectors);
	set_disk_ro(disk, info->read_only);
	nvmq_node_init(&ns->node, NVMQ_NODE_NS, &nss->parent->dev, release_node);
	ns->node.dev.groups = nss->doors->ns_groups;
	make_known(ns, info->shared);

	/* On the list first: reading the partition table may need a reset. */
	mutex_lock(&nss->lock);
	if (nss->quiesced) {
		mutex_unlock(&nss->lock);
		goto free;
	}
	insert_sorted(nss, ns);
	mutex_unlock(&nss->lock);

	err = device_add_disk(&nss->parent->dev, disk, nss->doors->ns_groups);
	if (!err) {
		link_disk(nss, ns);
		/* The disk does without it. */
		err = dev_set_name(&ns->node.dev, "ng%un%u", nss->ctrl_id, info->nsid) ?:
		      nvmq_node_add(&ns->node, nss->doors->ns_fops);
		if (err)
			dev_warn(nss->dev, "namespace %u: no ng%un%u: error %d\n", info->nsid,
				 nss->ctrl_id, info->nsid, err);
		return;
	}
	dev_err(nss->dev, "namespace %u: disk %s cannot be added: error %d%s\n", info->nsid,
		disk->disk_name, err, err == -EEXIST ? ", the name is taken" : "");
	mutex_lock(&nss->lock);
	list_del(&ns->entry);
	mutex_unlock(&nss->lock);
free:
	forget(ns);
	noio = lock_maps(nss);
	nvmq_node_put(&ns->node);
	unlock_maps(nss, noio);
}

/* Whoever has it open gets errors from now on; nothing more is written to it. */
static void kill_disk(struct gendisk *disk)
{
	/* Not a part of what follows on every kernel: commands of user space stop at it. */
	blk_queue_flag_set(QUEUE_FLAG_DYING, disk->queue);
	blk_mark_disk_dead(disk);
	/* Not a part of that on every kernel: buffered writers stop at it. */
	set_capacity(disk, 0);
}

/* On the list to the end: a reset in the meantime must quiesce this queue too. */
static void remove_ns(struct nvmq_nss *nss, struct nvmq_ns *ns)
{
	nvmq_node_del(&ns->node);
	if (ns->linked)
		nvmq_node_del_child(nss->parent, disk_to_dev(ns->disk));
	del_gendisk(ns->disk);
	forget(ns);
	mutex_lock(&nss->lock);
	list_del(&ns->entry);
	mutex_unlock(&nss->lock);
	nvmq_node_put(&ns->node);
}

/* While other disks go on. What is sent to this one from now on fails, and waits for nothing. */
static void drop_ns(struct nvmq_nss *nss, struct nvmq_ns *ns)
{
	unsigned int noio;

	kill_disk(ns->disk);
	noio = lock_maps(nss);
	remove_ns(nss, ns);
	unlock_maps(nss, noio);
}

/* A disk that is there already: size, limits and write protection may be new. */
static void update_ns(struct nvmq_nss *nss, struct nvmq_ns *ns, const struct ns_info *info)
{
	bool another = !same_ids(&ns->ids, &info->ids);
	int err;

	ns->seen = true;
	if (another || ns->cmd.lba_shift != info->cmd.lba_shift) {
		dev_warn(nss->dev, "namespace %u: %s: disk %s removed, a new one added\n",
			 info->nsid, another ? "is another one than before" :
			 "was formatted to other blocks", ns->disk->disk_name);
		drop_ns(nss, ns);
		add_ns(nss, info);
		return;
	}
	link_disk(nss, ns);
	/* Limits change with the queue frozen: only if there is something to change. */
	if (memcmp(&ns->limits, &info->limits, sizeof(ns->limits))) {
		err = nvmq_compat_set_limits(ns->disk, &info->limits);
		if (err)
			dev_warn(nss->dev, "namespace %u: new limits refused: error %d\n",
				 info->nsid, err);
		else
			ns->limits = info->limits;
	}
	if (get_capacity(ns->disk) != info->sectors)
		set_capacity_and_notify(ns->disk, info->sectors);
	set_disk_ro(ns->disk, info->read_only);
}

/* Returns false if the device no longer answers. */
static bool scan_one(struct nvmq_nss *nss, u32 nsid, bool listed, void *buf)
{
	struct ns_info info;
	struct nvmq_ns *ns;
	int err;

	err = read_ns(nss, nsid, listed, buf, &info);
	mutex_lock(&nss->lock);
	ns = find_ns(nss, nsid);
	mutex_unlock(&nss->lock);

	switch (err) {
	case 0:
		if (ns)
			update_ns(nss, ns, &info);
		else
			add_ns(nss, &info);
		return true;
	case -ENOENT:
	case -EOPNOTSUPP:
		return true;
	default:
		/* Nothing is known: leave a disk that is there alone. */
		if (ns)
			ns->seen = true;
		if (err == -EIO && listed)
			dev_warn(nss->dev, "namespace %u: cannot be identified: %s\n", nsid,
				 ns ? "its disk stays as it is" : "no disk");
		return err == -ENOMEM || err == -EIO;
	}
}

/*
 * The active namespace list (base 5.17.2.2), from version 1.1.  Returns
 * -EOPNOTSUPP if the device has none, another error if it does not answer.
 * One that had the list before has it still: disks must not be lost because
 * it cannot tell just now.
 */
static int scan_list(struct nvmq_nss *nss, __le32 *list, void *buf)
{
	u32 prev = 0, i;

	if (nss->vs < NVMQ_VS(1, 1))
		return -EOPNOTSUPP;
	for (;;) {
		int err = nvmq_admin_identify(nss->admin, NVMQ_CNS_ACTIVE_LIST, prev, 0, list);

		if (err == -EIO && !prev && (nss->no_list || list_empty(&nss->list))) {
			nss->no_list = true;
			return -EOPNOTSUPP;
		}
		if (err)
			return err;
		nss->no_list = false;
		for (i = 0; i < NVMQ_ACTIVE_LIST_LEN; i++) {
			u32 nsid = le32_to_cpu(list[i]);

			if (!nsid)
				return 0;
			/* Ascending, or a lying device would have us here for ever. */
			if (nsid <= prev || nsid > NVMQ_NSID_MAX) {
				dev_warn(nss->dev, "active namespace list: %u follows %u\n", nsid,
					 prev);
				return -EBADMSG;
			}
			if (!scan_one(nss, nsid, true, buf))
				return -EIO;
			prev = nsid;
		}
	}
}

/* For devices without the list: ask for one after the other (base 5.17). */
static int scan_sequential(struct nvmq_nss *nss, void *buf)
{
	u32 nsid;

	for (nsid = 1; nsid <= min(nss->nn, 1024u); nsid++)
		if (!scan_one(nss, nsid, false, buf))
			return -EIO;
	return 0;
}

/**
 * nvmq_nss_scan - bring the disks up to what the device has
 * @nss: the namespaces of a live controller with I/O queues
 *
 * A device that stops answering half way, or
 * whose list makes no sense, loses no disk by that.
 *
 * Context: sleeps; does I/O to read partition tables.
 */
void nvmq_nss_scan(struct nvmq_nss *nss)
{
	struct nvmq_ns *ns, *next;
	void *list, *buf;
	int err;

	list = kmalloc(NVMQ_IDENTIFY_SIZE, GFP_KERNEL);
	buf = kmalloc(NVMQ_IDENTIFY_SIZE, GFP_KERNEL);
	if (!list || !buf) {
		dev_err(nss->dev, "no memory to scan namespaces\n");
		goto out;
	}

	mutex_lock(&nss->scan);
	mutex_lock(&nss->lock);
	list_for_each_entry(ns, &nss->list, entry)
		ns->seen = false;
	mutex_unlock(&nss->lock);

	err = scan_list(nss, list, buf);
	if (err == -EOPNOTSUPP)
		err = scan_sequential(nss, buf);
	if (err) {
		dev_warn(nss->dev, "namespace scan not complete: error %d\n", err);
		goto unlock;
	}

	list_for_each_entry_safe(ns, next, &nss->list, entry) {
		if (ns->seen)
			continue;
		dev_info(nss->dev, "namespace %u is gone: disk %s removed\n", ns->cmd.nsid,
			 ns->disk->disk_name);
		drop_ns(nss, ns);
	}
unlock:
	mutex_unlock(&nss->scan);
out:
	kfree(buf);
	kfree(list);
}

/**
 * nvmq_nss_flush - make all durable that was acknowledged
 * @nss: the namespaces, quiesced
 * @ioq: a live queue with no command outstanding
 * @timeout: jiffies that each may take
 *
 * Says for each namespace, in its @durable, whether that is so: as long as no
 * write ends after this, a flush has nothing to do.
 *
 * Context: sleeps.
 * Return: 0; -ETIMEDOUT if the device does not answer.
 */
int nvmq_nss_flush(struct nvmq_nss *nss, struct nvmq_ioq *ioq, unsigned long timeout)
{
	struct nvmq_ns *ns;
	int err = 0;

	mutex_lock(&nss->lock);
	list_for_each_entry(ns, &nss->list, entry) {
		if (ns->limits.write_cache)
			err = nvmq_io_flush(ioq, ns->cmd.nsid, timeout);
		ns->cmd.durable = !err;
		if (err == -ETIMEDOUT)
			break;
		err = 0;
	}
	mutex_unlock(&nss->lock);
	return err;
}

/**
 * nvmq_nss_quiesce - stop the queues of all disks
 * @nss: the namespaces
 *
 * When it returns, no queue_rq is running and none will.
 *
 * Context: sleeps.
 */
void nvmq_nss_quiesce(struct nvmq_nss *nss)
{
	struct nvmq_ns *ns;

	mutex_lock(&nss->lock);
	if (!nss->quiesced)
		list_for_each_entry(ns, &nss->list, entry)
			blk_mq_quiesce_queue(ns->disk->queue);
	nss->quiesced = true;
	mutex_unlock(&nss->lock);
}

/**
 * nvmq_nss_unquiesce - undo nvmq_nss_quiesce(), if it was done
 * @nss: the namespaces
 *
 * Context: sleeps.
 */
void nvmq_nss_unquiesce(struct nvmq_nss *nss)
{
	struct nvmq_ns *ns;

	mutex_lock(&nss->lock);
	if (nss->quiesced) {
		list_for_each_entry(ns, &nss->list, entry) {
			blk_mq_unquiesce_queue(ns->disk->queue);
			blk_mq_kick_requeue_list(ns->disk->queue);
		}
	}
	nss->quiesced = false;
	mutex_unlock(&nss->lock);
}

/**
 * nvmq_nss_freeze - wait for the end of all I/O to all disks, and begin no other
 * @nss: the namespaces of a live controller, not frozen
 *
 * No disk comes or goes until nvmq_nss_unfreeze().
 *
 * Context: sleeps for as long as I/O takes.
 */
void nvmq_nss_freeze(struct nvmq_nss *nss)
{
	struct nvmq_ns *ns;

	mutex_lock(&nss->scan);
	list_for_each_entry(ns, &nss->list, entry)
		blk_freeze_queue_start(ns->disk->queue);
	list_for_each_entry(ns, &nss->list, entry)
		blk_mq_freeze_queue_wait(ns->disk->queue);
}

/**
 * nvmq_nss_unfreeze - undo nvmq_nss_freeze()
 * @nss: the namespaces
 *
 * Context: may sleep; the task that has frozen them.
 */
void nvmq_nss_unfreeze(struct nvmq_nss *nss)
{
	struct nvmq_ns *ns;

	list_for_each_entry(ns, &nss->list, entry)
		nvmq_compat_unfreeze(ns->disk->queue);
	mutex_unlock(&nss->scan);
}

/**
 * nvmq_nss_mark_dead - let all I/O to the disks fail from now on
 * @nss: the namespaces; their queues do not exist any more
 *
 * Context: sleeps.
 */
void nvmq_nss_mark_dead(struct nvmq_nss *nss)
{
	struct nvmq_ns *ns;

	mutex_lock(&nss->lock);
	list_for_each_entry(ns, &nss->list, entry)
		kill_disk(ns->disk);
	mutex_unlock(&nss->lock);
}

/**
 * nvmq_nss_remove - remove all disks
 * @nss: the namespaces; no scan is running or will be, the queues are not
 *       quiesced: what is written back on the way must end, well or badly
 *
 * Context: sleeps; waits for all I/O to end.
 */
void nvmq_nss_remove(struct nvmq_nss *nss)
{
	struct nvmq_ns *ns, *next;

	mutex_lock(&nss->scan);
	list_for_each_entry_safe(ns, next, &nss->list, entry)
		remove_ns(nss, ns);
	mutex_unlock(&nss->scan);
}
