// SPDX-License-Identifier: GPL-2.0
/*
 * The I/O queues of a controller: vectors, interrupts, pairs, maps.
 *
 * plan.c decides, this file does.  Whatever the device or the machine refuses
 * on the way lowers the limits, and the plan is asked again: there is never a
 * mapping to a queue that does not exist.
 */
#include <linux/cpumask.h>
#include <linux/crash_dump.h>
#include <linux/sched/isolation.h>
#include <linux/slab.h>
#include <linux/topology.h>

#include "qset.h"
#include "regs.h"

static_assert((int)NVMQ_DEFAULT == HCTX_TYPE_DEFAULT);
static_assert((int)NVMQ_READ == HCTX_TYPE_READ);
static_assert((int)NVMQ_POLL == HCTX_TYPE_POLL);
static_assert((int)NVMQ_NR_TYPES == HCTX_MAX_TYPES);

/* No more than what blk-mq allows such a kernel, where it sets a limit. */
#define KDUMP_TAGS	64

static struct pci_dev *qset_pdev(const struct nvmq_qset *qs)
{
	return qs->admin->hw->pdev;
}

/**
 * nvmq_qset_read_topology - what CPUs are there?
 * @topo: set; who has it frees @topo->cpu
 *
 * Context: may sleep.
 * Return: 0 or -ENOMEM.
 */
int nvmq_qset_read_topology(struct nvmq_topology *topo)
{
	int cpu;

	topo->nr_cpus = nr_cpu_ids;
	topo->cpu = kcalloc(nr_cpu_ids, sizeof(*topo->cpu), GFP_KERNEL);
	if (!topo->cpu)
		return -ENOMEM;
	for (cpu = 0; cpu < nr_cpu_ids; cpu++)
		topo->cpu[cpu].core = NVMQ_NO_CPU;
	for_each_possible_cpu(cpu) {
		/* A CPU that was never online has no siblings yet: its own core. */
		unsigned int core = cpumask_first(topology_sibling_cpumask(cpu));
		int node = cpu_to_node(cpu);

		topo->cpu[cpu].core = core < nr_cpu_ids ? core : cpu;
		topo->cpu[cpu].node = node == NUMA_NO_NODE ? 0 : node;
	}
	nvmq_topology_prepare(topo);
	return 0;
}

/* From the scheduler, from managed interrupts or from the tick: all want to be left alone. */
static bool is_isolated(int cpu)
{
	bool isolated;

	/* Newer kernels change the first of these masks while they run. */
	rcu_read_lock();
	isolated = !housekeeping_test_cpu(cpu, HK_TYPE_DOMAIN) ||
		   !housekeeping_test_cpu(cpu, HK_TYPE_MANAGED_IRQ) ||
		   !housekeeping_test_cpu(cpu, HK_TYPE_TICK);
	rcu_read_unlock();
	return isolated;
}

/* Which CPUs may have queues of their own?  If all are isolated, all may. */
static void read_serving(struct nvmq_qset *qs)
{
	size_t size = qs->topo.nr_cpus * sizeof(*qs->topo.cpu);
	struct nvmq_topology *serving = &qs->serving;
	u32 cpu;

	memcpy(serving->cpu, qs->topo.cpu, size);
	for (cpu = 0; qs->plan.housekeeping && cpu < serving->nr_cpus; cpu++)
		if (is_isolated(cpu))
			serving->cpu[cpu].core = NVMQ_NO_CPU;
	nvmq_topology_prepare(serving);
	if (!serving->cpus) {
		memcpy(serving->cpu, qs->topo.cpu, size);
		nvmq_topology_prepare(serving);
	}
}

static struct nvmq_plan_limits base_limits(const struct nvmq_qset *qs)
{
	struct nvmq_plan_limits limits = {
		.cpus = qs->serving.cpus,
		.cores = qs->serving.cores,
		.nodes = qs->serving.nodes,
		.pairs = qs->pairs,
		.usable = qs->doorbells,
		.entries = min(nvmq_hw_max_entries(qs->admin->hw), NVMQ_MAX_ENTRIES),
		.cq_entries = nvmq_hw_max_entries(qs->admin->hw),
		.tags = qs->depth,
		.vectors = NVMQ_PLAN_MAX_VECTORS,
		.irq = NVMQ_IRQ_MSIX,
	};

	/* A kernel that saves the memory of another has little of its own. */
	if (is_kdump_kernel()) {
		limits.usable = min(limits.usable, 1u);
		limits.tags = KDUMP_TAGS;
	}
	return limits;
}

/**
 * nvmq_qset_init - prepare to carry out a plan
 * @qs: zeroed
 * @admin: the admin queue; the controller's caps were read
 * @plan: what is asked
 * @prp_align: alignment of PRP lists that the device wants, 256 or more
 *
 * May move the mapping of the BAR: to be called before the admin queue starts.
 *
 * Context: may sleep.
 * Return: 0 or -ENOMEM, with nothing left behind.
 */
int nvmq_qset_init(struct nvmq_qset *qs, struct nvmq_admin *admin, const struct nvmq_plan *plan,
		   u32 prp_align)
{
	static const struct nvmq_plan most = {
		.queues = { NVMQ_PER_CPU, NVMQ_PER_CPU, NVMQ_PER_CPU },
	};
	struct nvmq_plan_limits limits;
	int type;
	u32 i;

	qs->admin = admin;
	qs->plan = *plan;
	qs->prp_align = prp_align;
	if (nvmq_qset_read_topology(&qs->topo) || nvmq_qset_read_topology(&qs->serving))
		goto fail;
	limits = base_limits(qs);
	/* The plan may change, and the device is asked only once. */
	qs->nr_ioq = nvmq_plan_pairs(&most, &limits);
	qs->doorbells = nvmq_hw_map_doorbells(admin->hw, qs->nr_ioq);

	for (type = 0; type < NVMQ_NR_TYPES; type++) {
		qs->map[type] = kcalloc(nr_cpu_ids, sizeof(u16), GFP_KERNEL);
		if (!qs->map[type])
			goto fail;
	}
	/* blk-mq keeps pointers to these for as long as there are disks. */
	qs->ioq = kvcalloc(qs->nr_ioq, sizeof(*qs->ioq), GFP_KERNEL);
	if (!qs->ioq)
		goto fail;
	for (i = 0; i < qs->nr_ioq; i++) {
		qs->ioq[i] = kzalloc(sizeof(*qs->ioq[i]), GFP_KERNEL);
		if (!qs->ioq[i])
			goto fail;
		spin_lock_init(&qs->ioq[i]->q.sq_lock);
		spin_lock_init(&qs->ioq[i]->q.cq_lock);
		init_completion(&qs->ioq[i]->own_done);
		qs->ioq[i]->q.dev = &qset_pdev(qs)->dev;
		qs->ioq[i]->pools = &qs->pools;
	}
	if (nvmq_io_pools_init(&qs->pools, &qset_pdev(qs)->dev))
		goto fail;
	return 0;

fail:
	nvmq_qset_exit(qs);
	return -ENOMEM;
}

/**
 * nvmq_qset_exit - free everything
 * @qs: stopped, or half made; the device can do no more DMA to its queues
 */
void nvmq_qset_exit(struct nvmq_qset *qs)
{
	int type;
	u32 i;

	for (i = 0; qs->ioq && i < qs->nr_ioq && qs->ioq[i]; i++) {
		nvmq_ioq_free(qs->ioq[i]);
		kfree(qs->ioq[i]);
	}
	kvfree(qs->ioq);
	qs->ioq = NULL;
	if (qs->pools.big)
		nvmq_io_pools_free(&qs->pools);
	for (type = 0; type < NVMQ_NR_TYPES; type++) {
		kfree(qs->map[type]);
		qs->map[type] = NULL;
	}
	kfree(qs->serving.cpu);
	qs->serving.cpu = NULL;
	kfree(qs->topo.cpu);
	qs->topo.cpu = NULL;
}

/* ---- vectors ---- */

static unsigned int irq_types(const struct nvmq_qset *qs, enum nvmq_irq_kind best)
{
	unsigned int msi = qs->admin->hw->quirks & NVMQ_QUIRK_NO_MSI ? 0 : PCI_IRQ_MSI;

	switch (best) {
	case NVMQ_IRQ_MSIX:
		return PCI_IRQ_MSIX | msi | PCI_IRQ_INTX;
	case NVMQ_IRQ_MSI:
		return msi | PCI_IRQ_INTX;
	default:
		return PCI_IRQ_INTX;
	}
}

static u32 irq_queues(const struct nvmq_grant *grant)
{
	return grant->queues[NVMQ_DEFAULT] + grant->queues[NVMQ_READ];
}

/*
 * Kernel-managed placement needs a vector for each queue that has interrupts, which
 * is not so where they share completion queues, and decides itself which CPUs that
 * queue serves: of isolated CPUs among these it does not know.
 */
static bool can_be_managed(const struct nvmq_qset *qs, const struct nvmq_grant *grant)
{
	return qs->plan.placement == NVMQ_PLACE_MANAGED && !qs->plan.housekeeping &&
	       irq_queues(grant) &&
	       grant->vectors == 1 + irq_queues(grant) &&
	       !nvmq_plan_is_listed(&qs->plan, grant, NVMQ_DEFAULT) &&
	       !nvmq_plan_is_listed(&qs->plan, grant, NVMQ_READ);
}

/*
 * Default and read queues are spread over the CPUs each for themselves. Of fewer vectors than
 * were asked for nothing comes, but the kernel has to be told sets of these, too, none of which
 * may have more than there are CPUs.
 */
static void irq_sets(struct irq_affinity *affd, unsigned int vectors)
{
	const struct nvmq_grant *grant = affd->priv;

	affd->set_size[0] = min_t(unsigned int, vectors, grant->queues[NVMQ_DEFAULT]);
	affd->set_size[1] = vectors - affd->set_size[0];
	affd->nr_sets = affd->set_size[1] ? 2 : 1;
}

/*
 * Get vectors for @grant.  Returns 0 if they are what @grant says, -EAGAIN if
 * they are not and @limits was lowered to what can be had, or an error.
 */
static int alloc_vectors(struct nvmq_qset *qs, struct nvmq_grant *grant,
			 struct nvmq_plan_limits *limits)
{
	struct pci_dev *pdev = qset_pdev(qs);
	struct irq_affinity affd = {
		.pre_vectors = 1,
		.calc_sets = irq_sets,
		.priv = grant,
	};
	unsigned int types = irq_types(qs, grant->irq);
	enum nvmq_irq_kind kind;
	int got;

	if (can_be_managed(qs, grant))
		got = pci_alloc_irq_vectors_affinity(pdev, 1, grant->vectors,
						     types | PCI_IRQ_AFFINITY, &affd);
	else
		got = pci_alloc_irq_vectors(pdev, 1, grant->vectors, types);
	if (got < 0) {
		dev_err(&pdev->dev, "no interrupt of any kind: error %d\n", got);
		return got;
	}

	kind = pdev->msix_enabled ? NVMQ_IRQ_MSIX :
	       pdev->msi_enabled ? NVMQ_IRQ_MSI : NVMQ_IRQ_INTX;
	if (got == grant->vectors && kind == grant->irq) {
		qs->vectors = got;
		return 0;
	}
	pci_free_irq_vectors(pdev);
	limits->vectors = got;
	limits->irq = kind;
	return -EAGAIN;
}

static void free_vectors(struct nvmq_qset *qs)
{
	struct pci_dev *pdev = qset_pdev(qs);

	if (!qs->vectors)
		return;
	pci_free_irq_vectors(pdev);
	/* A line that nobody serves must not be pulled (PCI_COMMAND.INTX_DISABLE). */
	pci_intx(pdev, 0);
	qs->vectors = 0;
}

/**
 * nvmq_qset_first_vector - have the kind of interrupt decided
 * @qs: stopped; the controller is disabled
 *
 * A controller looks at MSI-X or MSI when it is enabled, to know how its admin
 * completion queue will interrupt: switch it on before CC.EN, with one vector,
 * which nvmq_qset_start() replaces by those of the grant.  Until then nobody
 * serves it, and the admin commands are polled.
 *
 * Context: may sleep.
 * Return: 0, or an error if there is no interrupt of any kind.
 */
int nvmq_qset_first_vector(struct nvmq_qset *qs)
{
	struct pci_dev *pdev = qset_pdev(qs);
	int got = pci_alloc_irq_vectors(pdev, 1, 1, irq_types(qs, qs->plan.irq));

	if (got < 0) {
		dev_err(&pdev->dev, "no interrupt of any kind: error %d\n", got);
		return got;
	}
	pci_intx(pdev, 0);
	qs->vectors = got;
	return 0;
}

/* ---- maps ---- */

/* The CPU-to-queue tables: plan.c's, or where the kernel put the vectors. */
static int make_maps(struct nvmq_qset *qs, const struct nvmq_grant *grant)
{
	int type;

	for (type = 0; type < NVMQ_NR_TYPES; type++) {
		u32 first = nvmq_grant_first(grant, type);
		u16 count = grant->queues[type];
		u32 bad, qid;
		int cpu;

		nvmq_plan_map(&qs->plan, grant, &qs->topo, &qs->serving, type, qs->map[type]);
		if (type != NVMQ_POLL && can_be_managed(qs, grant)) {
			for (qid = first; qid < first + count; qid++) {
				const struct cpumask *mask =
					pci_irq_get_affinity(qset_pdev(qs),
							     nvmq_grant_vector(grant, qid));

				if (!mask)
					continue;
				for_each_cpu_and(cpu, mask, cpu_possible_mask)
					qs->map[type][cpu] = qid;
			}
		}
		if (count && nvmq_plan_check_map(&qs->topo, first, count, qs->map[type], &bad)) {
			dev_err(&qset_pdev(qs)->dev, "no %s queue for CPU %u\n",
				nvmq_qtype_name(type), bad);
			return -EINVAL;
		}
	}
	return 0;
}

/* Does @vector serve a queue of @cpu? */
static bool is_vector_of(const struct nvmq_qset *qs, const struct nvmq_grant *grant, int vector,
			 int cpu)
{
	int type;

	for (type = NVMQ_DEFAULT; type <= NVMQ_READ; type++) {
		u16 qid = qs->map[type][cpu];

		if (qid && nvmq_grant_vector(grant, qid) == vector)
			return true;
	}
	return false;
}

/*
 * Free placement: begin with each vector on the CPUs of its queues, and not on isolated ones
 * if these are to have no queues, which goes for that of the admin queue as well.  Nobody has
 * requested the interrupts yet: one that is in use would come once more where it was.
 */
static void place_vectors(struct nvmq_qset *qs, const struct nvmq_grant *grant)
{
	cpumask_var_t mask;
	int vector, cpu;

	if (can_be_managed(qs, grant) || !zalloc_cpumask_var(&mask, GFP_KERNEL))
		return;
	for (vector = qs->plan.housekeeping ? 0 : 1; vector < grant->vectors; vector++) {
		cpumask_clear(mask);
		for_each_possible_cpu(cpu)
			if (qs->serving.cpu[cpu].core != NVMQ_NO_CPU &&
			    (!vector || is_vector_of(qs, grant, vector, cpu)))
				cpumask_set_cpu(cpu, mask);
		/* Where all of these CPUs are offline any other will do. */
		if (cpumask_intersects(mask, cpu_online_mask))
			irq_set_affinity(pci_irq_vector(qset_pdev(qs), vector), mask);
	}
	free_cpumask_var(mask);
}

/* ---- pairs ---- */

static void free_ioq_irq(struct nvmq_ioq *ioq)
{
	if (ioq->requested)
		free_irq(ioq->irq, ioq);
	ioq->requested = false;
	ioq->irq = 0;
	ioq->vector = -1;
}

/*
 * Nobody submits to or polls @ioq while it is not live, nor polls one with an interrupt: until
 * the maps are made anew blk-mq may take it for what it was before.
 */
static void set_live(struct nvmq_ioq *ioq, bool live)
{
	spin_lock(&ioq->q.cq_lock);
	WRITE_ONCE(ioq->q.live, live);
	WRITE_ONCE(ioq->q.polled, live && ioq->vector < 0);
	spin_unlock(&ioq->q.cq_lock);
}

/* The command was refused, or not even sent; after any other error nobody knows. */
static bool was_not_done(int err)
{
	return err == -EIO || err == -ENOMEM;
}

/* Memory for @ioq, as new.  One that shares a completion ring is made known to the owner. */
static int prepare_ioq(struct nvmq_qset *qs, const struct nvmq_grant *grant, u16 qid)
{
	struct nvmq_ioq *ioq = qs->ioq[qid - 1], *owner = qs->ioq[nvmq_grant_cq(grant, qid) - 1];
	u32 cq_entries = nvmq_grant_cq_entries(grant, qid);
	struct pci_dev *pdev = qset_pdev(qs);
	int err;

	if (ioq->q.slots &&
	    (ioq->q.entries != grant->entries || ioq->q.cq_entries != cq_entries))
		nvmq_ioq_free(ioq);
	if (ioq->q.slots) {
		nvmq_queue_reset(&ioq->q);
	} else {
		err = nvmq_ioq_alloc(ioq, &pdev->dev, &qs->pools, qid, grant->entries, cq_entries,
				     qs->prp_align);
		if (err) {
			dev_warn(&pdev->dev, "no memory for queue %u of %u entries\n", qid,
				 grant->entries);
			return err;
		}
	}
	ioq->q.cq = &owner->q;
	ioq->q.shared = nvmq_grant_sharers(grant, qid) > 1;
	ioq->sharers = &qs->ioq[qid - 1];
	WRITE_ONCE(ioq->nr_sharers, 1);
	if (owner != ioq)
		WRITE_ONCE(owner->nr_sharers, qid - owner->q.qid + 1);
	return 0;
}

/* The class means nothing without weighted round robin (base 5.5), but to one that has it on. */
static u8 priority(const struct nvmq_hw *hw, const struct nvmq_grant *grant, u16 qid)
{
	if (nvmq_hw_uses_wrr(hw))
		return grant->wrr.classes[nvmq_grant_type(grant, qid)];
	return hw->quirks & NVMQ_QUIRK_USES_PRIO ? NVMQ_CLASS_MEDIUM : NVMQ_CLASS_URGENT;
}

/* Memory, interrupt, CQ, SQ: in this order, and back if one of them fails. */
static int create_pair(struct nvmq_qset *qs, const struct nvmq_grant *grant, u16 qid)
{
	struct pci_dev *pdev = qset_pdev(qs);
	struct nvmq_hw *hw = qs->admin->hw;
	struct nvmq_ioq *ioq = qs->ioq[qid - 1];
	u32 dstrd = NVMQ_CAP_DSTRD(hw->cap);
	int vector = nvmq_grant_vector(grant, qid);
	bool owner = nvmq_grant_cq(grant, qid) == qid;
	int err;

	err = prepare_ioq(qs, grant, qid);
	if (err)
		return err;
	ioq->sgl = qs->sgl;
	ioq->q.ctrl_id = qs->admin->q.ctrl_id;
	ioq->q.sq_db = hw->bar + nvmq_doorbell_offset(qid, false, dstrd);
	ioq->q.cq_db = hw->bar + nvmq_doorbell_offset(qid, true, dstrd);

	if (vector >= 0) {
		ioq->vector = vector;
		ioq->irq = pci_irq_vector(pdev, vector);
	}
	if (vector >= 0 && owner) {
		snprintf(ioq->name, sizeof(ioq->name), "nvmq%uq%u", ioq->q.ctrl_id, qid);
		err = request_irq(ioq->irq, ioq->q.shared ? nvmq_io_irq_shared : nvmq_io_irq,
				  IRQF_SHARED, ioq->name, ioq);
		if (err) {
			dev_warn(&pdev->dev, "interrupt %d for queue %u: error %d\n", ioq->irq,
				 qid, err);
			goto no_irq;
		}
		ioq->requested = true;
	}

	err = owner ? nvmq_admin_create_cq(qs->admin, &ioq->q, vector) : 0;
	if (err) {
		qs->stray = !was_not_done(err);
		goto free_irq;
	}
	err = nvmq_admin_create_sq(qs->admin, &ioq->q, priority(hw, grant, qid));
	if (err)
		goto delete_cq;
	set_live(ioq, true);
	return 0;

delete_cq:
	if (!was_not_done(err) || (owner && nvmq_admin_delete_cq(qs->admin, qid)))
		qs->stray = true;
free_irq:
	free_ioq_irq(ioq);
	return err;
no_irq:
	ioq->irq = 0;
	ioq->vector = -1;
	return err;
}

/**
 * nvmq_qset_stop - take all I/O queues, interrupts and vectors away
 * @qs: started, or stopped already
 * @delete: delete the queues in the device, SQs first; if false the caller
 *          disables the controller, and only that makes the device let go of
 *          the queues' memory
 *
 * The tag set is quiesced, or no request can be on its way.  Commands that are
 * outstanding stay so: see nvmq_qset_drain().  The admin queue goes on without
 * its interrupt.
 *
 * Context: sleeps.
 * Return: true if the device has let go of all I/O queues; false if it must be
 * disabled before anything of theirs is given back.
 */
bool nvmq_qset_stop(struct nvmq_qset *qs, bool delete)
{
	u16 total = nvmq_grant_total(&qs->grant);
	bool done = delete && !qs->stray;
	u16 qid;

	/*
	 * From here on nobody would answer an interrupt, which a shared line
	 * would repeat without end: the ring is looked at by the drain, and the
	 * admin queue is polled.
	 */
	if (!qset_pdev(qs)->msix_enabled && !qset_pdev(qs)->msi_enabled)
		pci_intx(qset_pdev(qs), 0);
	for (qid = 1; qid <= total; qid++)
		set_live(qs->ioq[qid - 1], false);
	/* The rings may be freed: see nvmq_io_poll(). */
	synchronize_rcu();
	for (qid = total; qid; qid--)
		free_ioq_irq(qs->ioq[qid - 1]);
	nvmq_admin_free_irq(qs->admin);
	/* One that cannot be deleted is enough to stop asking. */
	for (qid = total; done && qid; qid--)
		done = !nvmq_admin_delete_sq(qs->admin, qid);
	for (qid = total; done && qid; qid--)
		if (qs->ioq[qid - 1]->q.cq == &qs->ioq[qid - 1]->q)
			done = !nvmq_admin_delete_cq(qs->admin, qid);
	free_vectors(qs);
	memset(&qs->grant, 0, sizeof(qs->grant));
	qs->stray |= delete && !done;
	return done;
}

/**
 * nvmq_qset_drain - take the completions that a disabled controller left behind
 * @qs: stopped; the controller is disabled
 *
 * A command whose completion is in the ring is done, and must not be sent
 * again as if it were not.
 *
 * Context: sleeps.
 */
void nvmq_qset_drain(struct nvmq_qset *qs)
{
	u32 i;

	for (i = 0; i < qs->nr_ioq; i++)
		if (qs->ioq[i]->q.cqes)
			nvmq_io_reap(qs->ioq[i]);
}

/**
 * nvmq_qset_ask - ask the device how many I/O queues it grants
 * @qs: stopped; the admin queue works, and no I/O queue was created since the
 *      controller was enabled
 *
 * As many as any plan can use: it may be asked only now (base 5.27.1.5).
 *
 * Context: sleeps.
 * Return: 0, also if it grants none; or an error of nvmq_admin_set_queue_count().
 */
int nvmq_qset_ask(struct nvmq_qset *qs)
{
	qs->pairs = 0;
	qs->stray = false;
	qs->coalescing = (struct nvmq_coalescing){ 0 };
	memset(qs->weights, 0, sizeof(qs->weights));
	if (qs->admin->hw->no_io)
		return 0;
	return nvmq_admin_set_queue_count(qs->admin, qs->nr_ioq, &qs->pairs);
}

/*
 * Have the device coalesce interrupts as the plan says, if it does not already.
 * What a controller does on its own after a reset is only touched if the plan says so.
 */
static int set_coalescing(struct nvmq_qset *qs)
{
	struct nvmq_coalescing want = { qs->plan.coalesce, qs->plan.coalesce_us };
	int err;

	if (!qs->pairs || !memcmp(&want, &qs->coalescing, sizeof(want)))
		return 0;
	err = nvmq_admin_set_coalescing(qs->admin, want.completions ?: 1, want.us);
	if (!err)
		qs->coalescing = want;
	return err == -EIO ? 0 : err;
}

/* The same of the weights; that there are none any more takes a reset. */
static int set_weights(struct nvmq_qset *qs)
{
	const u16 *want = qs->plan.wrr.weights;
	int err;

	if (!qs->pairs || !nvmq_hw_uses_wrr(qs->admin->hw) || !want[0] ||
	    !memcmp(want, qs->weights, sizeof(qs->weights)))
		return 0;
	err = nvmq_admin_set_arbitration(qs->admin, qs->burst, want[0], want[1], want[2]);
	if (!err)
		memcpy(qs->weights, want, sizeof(qs->weights));
	return err == -EIO ? 0 : err;
}

/**
 * nvmq_qset_needs_reset - does another plan need a reset of the controller?
 * @qs: started
 * @plan: the plan
 *
 * How a controller arbitrates can be chosen only while it is disabled (CC.AMS, base
 * 3.1.3.5), and weights of its own are what it has after that.
 *
 * Return: true if it does.
 */
bool nvmq_qset_needs_reset(const struct nvmq_qset *qs, const struct nvmq_plan *plan)
{
	const struct nvmq_hw *hw = qs->admin->hw;
	bool wrr = plan->wrr.on && nvmq_hw_has_wrr(hw);

	return wrr != nvmq_hw_uses_wrr(hw) || (wrr && qs->weights[0] && !plan->wrr.weights[0]);
}

/* What the device was told, where that is not what the plan says. */
static void settle_grant(const struct nvmq_qset *qs, struct nvmq_grant *grant)
{
	grant->refused = grant->coalesce && !qs->coalescing.completions;
	if (!grant->refused) {
		grant->coalesce = qs->coalescing.completions;
		grant->coalesce_us = qs->coalescing.us;
	}
	grant->no_wrr = grant->wrr.on && !nvmq_hw_uses_wrr(qs->admin->hw);
	memcpy(grant->wrr.weights, qs->weights, sizeof(grant->wrr.weights));
}

/**
 * nvmq_qset_start - carry the plan out
 * @qs: stopped; the admin queue works, nvmq_qset_ask() was called, and no I/O queue
 *      exists
 *
 * Vectors, maps, interrupts, pairs.  Where the device or the machine gives less,
 * the plan is cut down and begun again.
 *
 * Context: sleeps.
 * Return: 0, also with no I/O queue at all (see @qs->grant); an error if not
 * even the admin queue can be served.
 */
int nvmq_qset_start(struct nvmq_qset *qs)
{
	struct nvmq_plan_limits limits;
	struct nvmq_grant grant;
	u16 qid, total;
	int err;

	read_serving(qs);
	limits = base_limits(qs);
	err = set_coalescing(qs) ?: set_weights(qs);
	if (err)
		return err;
	for (;;) {
		free_vectors(qs);
		err = nvmq_plan_grant(&qs->plan, &limits, &grant);
		if (err)
			return err;
		settle_grant(qs, &grant);
		err = alloc_vectors(qs, &grant, &limits);
		if (err == -EAGAIN)
			continue;
		if (err)
			return err;
		err = make_maps(qs, &grant);
		if (err)
			goto free_vectors;
		place_vectors(qs, &grant);
		err = nvmq_admin_request_irq(qs->admin, pci_irq_vector(qset_pdev(qs), 0));
		if (err)
			goto free_vectors;

		total = nvmq_grant_total(&grant);
		for (qid = 1; qid <= total; qid++) {
			err = create_pair(qs, &grant, qid);
			if (err)
				break;
		}
		qs->grant = grant;
		if (!err)
			return 0;

		/*
		 * Fewer then; but not with a device that no longer does as it is told, and
		 * not none at all because memory is short.
		 */
		qs->grant.queues[NVMQ_DEFAULT] = qid - 1;
		qs->grant.queues[NVMQ_READ] = 0;
		qs->grant.queues[NVMQ_POLL] = 0;
		if (!nvmq_qset_stop(qs, true) || err == -ETIMEDOUT || err == -ENODEV ||
		    (err == -ENOMEM && qid == 1))
			return err;
		limits.usable = qid - 1;
	}

free_vectors:
	free_vectors(qs);
	return err;
}

/* The hardware context that a type's I/O on @cpu goes to. */
static unsigned int map_entry(const struct nvmq_qset *qs, int type, int cpu)
{
	return qs->map[type][cpu] ? qs->map[type][cpu] - 1 : 0;
}

/**
 * nvmq_qset_changed - must the maps of the tag set be made anew?
 * @qs: started anew
 * @set: its tag set
 *
 * Return: true if there are more queues, fewer, others or of another depth than the
 * maps know, or if a CPU has another one.
 */
bool nvmq_qset_changed(const struct nvmq_qset *qs, const struct blk_mq_tag_set *set)
{
	int type, cpu;

	if (memcmp(qs->mapped.queues, qs->grant.queues, sizeof(qs->grant.queues)) ||
	    set->nr_hw_queues != nvmq_grant_total(&qs->grant))
		return true;
	if (memcmp(qs->mapped.depths, qs->grant.depths, sizeof(qs->grant.depths)))
		return true;
	for (type = 0; type < (int)set->nr_maps; type++)
		for_each_possible_cpu(cpu)
			if (set->map[type].mq_map[cpu] != map_entry(qs, type, cpu))
				return true;
	return false;
}

/**
 * nvmq_qset_poll - take what is in the rings of the polled queues
 * @qs: started; for when those who poll may not
 *
 * Context: sleeps.
 */
void nvmq_qset_poll(struct nvmq_qset *qs)
{
	u16 total = nvmq_grant_total(&qs->grant);
	u32 qid;

	for (qid = nvmq_grant_first(&qs->grant, NVMQ_POLL); qid <= total; qid++)
		nvmq_io_reap(qs->ioq[qid - 1]);
}

/**
 * nvmq_qset_park - keep all I/O off the device until the maps were made anew
 * @qs: started anew, and changed; the tag set is quiesced
 *
 * Until then blk-mq takes each queue for what it was before: it would send
 * interrupt-driven commands to a ring that is polled by now, or poll one that
 * has an interrupt, or use one that does not exist.
 */
void nvmq_qset_park(struct nvmq_qset *qs)
{
	u16 total = nvmq_grant_total(&qs->grant);
	u16 qid;

	for (qid = 1; qid <= total; qid++)
		set_live(qs->ioq[qid - 1], false);
}

/* Does any CPU use hardware context @index, which is of @type? */
static bool is_used(const struct blk_mq_tag_set *set, enum nvmq_qtype type, unsigned int index)
{
	int cpu;

	for_each_possible_cpu(cpu)
		if (set->map[type].mq_map[cpu] == index)
			return true;
	return false;
}

/*
 * Give each queue as many tags as its type is to have.  The tag set has the same
 * number of them for all queues, as many as the rings hold; of those the bitmap of
 * a queue may hand out fewer.  It is only changed while no request exists: one that
 * waits in a quiesced queue has a tag as well, and of a tag beyond the end of the
 * bitmap neither a time-out nor a reset would know.  Returns false if a queue that
 * is to have fewer than all will only be given its tags.
 */
static bool size_tags(const struct nvmq_qset *qs, struct blk_mq_tag_set *set)
{
	u16 total = nvmq_grant_total(&qs->mapped);
	bool sized = true;
	u16 i;

	for (i = 0; i < total; i++) {
		enum nvmq_qtype type = nvmq_grant_type(&qs->mapped, i + 1);
		u32 depth = min_t(u32, qs->mapped.depths[type], set->queue_depth);

		if (set->tags[i])
			sbitmap_queue_resize(&set->tags[i]->bitmap_tags, depth);
		else if (depth < set->queue_depth && is_used(set, type, i))
			sized = false;
	}
	return sized;
}

/**
 * nvmq_qset_map_queues - fill the maps of a tag set
 * @qs: its @mapped says what is to be mapped
 * @set: its tag set, with three maps; frozen, or new
 *
 * Hardware context i is queue i + 1.  A type without queues has none in its
 * map either, and blk-mq then uses the default one.
 *
 * The tags of new contexts may be allocated only after this.  Where their number
 * must be changed the queues stay parked, and this is to be done once more.
 */
void nvmq_qset_map_queues(struct nvmq_qset *qs, struct blk_mq_tag_set *set)
{
	u16 total = nvmq_grant_total(&qs->grant);
	int type, cpu;
	bool ready;
	u16 qid;

	/* Some kernels have only one, if they save the memory of another. */
	for (type = 0; type < (int)set->nr_maps; type++) {
		struct blk_mq_queue_map *map = &set->map[type];

		map->nr_queues = qs->mapped.queues[type];
		map->queue_offset = nvmq_grant_first(&qs->mapped, type) - 1;
		for_each_possible_cpu(cpu) {
			unsigned int index = map_entry(qs, type, cpu);

			/* There may be fewer contexts than we wanted: see nvmq_qset_is_mapped(). */
			map->mq_map[cpu] = index < set->nr_hw_queues ? index : 0;
		}
	}
	ready = set->nr_hw_queues == total && size_tags(qs, set);
	for (qid = 1; qid <= total; qid++)
		set_live(qs->ioq[qid - 1], ready);
}

/**
 * nvmq_qset_is_mapped - did blk-mq carry out what nvmq_qset_map_queues() says?
 * @qs: its @mapped says what was to be mapped
 * @set: its tag set
 *
 * Return: false if it did not get as far, had no memory for as many hardware contexts, or
 * has to do it once more.
 */
bool nvmq_qset_is_mapped(const struct nvmq_qset *qs, const struct blk_mq_tag_set *set)
{
	u16 total = nvmq_grant_total(&qs->mapped);
	u16 qid;

	for (qid = 1; qid <= total; qid++)
		if (!qs->ioq[qid - 1]->q.live)
			return false;
	return set->nr_hw_queues == total;
}
