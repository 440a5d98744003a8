/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Queue plans: from the user's words to counts, vectors and a CPU-to-queue table.
 *
 * Pure policy. Nothing in plan.c allocates, sleeps, takes a lock or calls into the kernel beyond
 * string helpers, so every function may be called in any context, and testing/unit/ runs the very
 * same source in user space.
 */
#ifndef NVMQ_PLAN_H
#define NVMQ_PLAN_H

#include <linux/types.h>

/**
 * enum nvmq_qtype - what a hardware queue is for
 * @NVMQ_DEFAULT: everything that no other type takes
 * @NVMQ_READ: reads only
 * @NVMQ_POLL: polled I/O, no interrupt
 * @NVMQ_NR_TYPES: number of types
 *
 * The values are those of blk-mq's enum hctx_type; the caller asserts it.
 */
enum nvmq_qtype {
	NVMQ_DEFAULT,
	NVMQ_READ,
	NVMQ_POLL,
	NVMQ_NR_TYPES
};

/**
 * enum nvmq_irq_kind - kinds of interrupt, best first
 * @NVMQ_IRQ_MSIX: MSI-X, up to 2048 vectors
 * @NVMQ_IRQ_MSI: MSI, up to 32 vectors
 * @NVMQ_IRQ_INTX: one shared line
 * @NVMQ_NR_IRQ_KINDS: number of kinds
 *
 * A larger value is a lesser kind: the kind that serves two limits is the larger of them.
 */
enum nvmq_irq_kind {
	NVMQ_IRQ_MSIX,
	NVMQ_IRQ_MSI,
	NVMQ_IRQ_INTX,
	NVMQ_NR_IRQ_KINDS
};

/**
 * enum nvmq_placement - who decides which CPUs serve an interrupt
 * @NVMQ_PLACE_MANAGED: the kernel spreads the vectors, user space cannot move them
 * @NVMQ_PLACE_FREE: user space may, by /proc/irq
 */
enum nvmq_placement {
	NVMQ_PLACE_MANAGED,
	NVMQ_PLACE_FREE
};

/**
 * enum nvmq_class - classes of weighted round robin with urgent priority class, best first
 * @NVMQ_CLASS_URGENT: before all others, whatever waits there
 * @NVMQ_CLASS_HIGH: has a weight
 * @NVMQ_CLASS_MEDIUM: likewise
 * @NVMQ_CLASS_LOW: likewise
 * @NVMQ_NR_CLASSES: number of classes
 *
 * The values are those of QPRIO (base 5.5).
 */
enum nvmq_class {
	NVMQ_CLASS_URGENT,
	NVMQ_CLASS_HIGH,
	NVMQ_CLASS_MEDIUM,
	NVMQ_CLASS_LOW,
	NVMQ_NR_CLASSES
};

#define NVMQ_NR_WEIGHTS		3

/**
 * struct nvmq_wrr - weighted round robin
 * @on: the device is to do it; else nothing of this means anything
 * @classes: enum nvmq_class of the queues of each type
 * @weights: commands of the classes high, medium and low that take turns, 1 to 256; all 0: the
 *           device's own
 */
struct nvmq_wrr {
	bool on;
	u8 classes[NVMQ_NR_TYPES];
	u16 weights[NVMQ_NR_WEIGHTS];
};

/* The largest number of I/O queue pairs: queue ids are 16 bits wide and 0 is the admin queue. */
#define NVMQ_PLAN_MAX_QUEUES	65535
/* What the size of an MSI-X table allows, and that of MSI. */
#define NVMQ_PLAN_MAX_VECTORS	2048
#define NVMQ_PLAN_MAX_MSI	32
#define NVMQ_PLAN_MIN_DEPTH	2
#define NVMQ_PLAN_MAX_DEPTH	4095
#define NVMQ_PLAN_MAX_LEAVE	65535
#define NVMQ_PLAN_MAX_SHARE	256
#define NVMQ_PLAN_MAX_WEIGHT	256
/* Interrupt Coalescing: completions, an eight bit number that counts from 0, and units of time. */
#define NVMQ_PLAN_MAX_COALESCE	256
#define NVMQ_PLAN_COALESCE_UNIT	100
#define NVMQ_PLAN_COALESCE_US	25500
/* Ranges of CPUs that a plan may list, those of all types together. */
#define NVMQ_PLAN_MAX_RANGES	48
#define NVMQ_PLAN_MAX_CPU	65534

/* In place of a number of queues; above every legal number. */
#define NVMQ_PER_CPU		(NVMQ_PLAN_MAX_QUEUES + 1)
#define NVMQ_PER_CORE		(NVMQ_PLAN_MAX_QUEUES + 2)
#define NVMQ_PER_NODE		(NVMQ_PLAN_MAX_QUEUES + 3)

/* Bytes that hold any plan, or any grant, as text with its terminating zero. */
#define NVMQ_PLAN_TEXT		816
#define NVMQ_GRANT_TEXT		272

/* A CPU that has no queue, in a CPU-to-queue table: the id of the admin queue. */
#define NVMQ_NO_QUEUE		0

/* In place of the first CPU of a range: all that the other queues of the type do not name. */
#define NVMQ_REST		((u16)~0)

/**
 * struct nvmq_plan_range - CPUs that a plan gives to a queue
 * @first: the lowest of them, or NVMQ_REST
 * @last: the highest
 * @type: enum nvmq_qtype of the queue
 * @queue: which queue of that type, from 0
 */
struct nvmq_plan_range {
	u16 first;
	u16 last;
	u8 type;
	u8 queue;
};

/**
 * struct nvmq_plan - what was asked for
 * @queues: per type a number of hardware queues, or NVMQ_PER_CPU, NVMQ_PER_CORE, NVMQ_PER_NODE; of
 *          a type that has ranges the number of queues that these name
 * @depth: outstanding commands per I/O queue; 0 = automatic
 * @vectors: the most interrupt vectors to use, that of the admin queue included; 0 = as needed
 * @irq: the best kind of interrupt to try
 * @placement: who places the interrupts
 * @leave: queue pairs to leave to others
 * @coalesce: completions that an interrupt may wait for; 0 = coalescing is left alone
 * @coalesce_us: for how long, in microseconds
 * @share: the most submission queues with interrupts to a completion queue; 0 = one
 * @wrr: weighted round robin
 * @housekeeping: only CPUs that are not isolated have queues of their own
 * @depths: outstanding commands per queue of a type; 0 = @depth
 * @nr_ranges: entries in @ranges
 * @ranges: CPUs of the queues that are listed, those of a type in the order of its queues
 *
 * A plain value, copied at will. Of one type, no two ranges have a CPU in common.
 */
struct nvmq_plan {
	u32 queues[NVMQ_NR_TYPES];
	u16 depth;
	u16 vectors;
	enum nvmq_irq_kind irq;
	enum nvmq_placement placement;
	u16 leave;
	u16 coalesce;
	u16 coalesce_us;
	u16 share;
	struct nvmq_wrr wrr;
	bool housekeeping;
	u16 depths[NVMQ_NR_TYPES];
	u16 nr_ranges;
	struct nvmq_plan_range ranges[NVMQ_PLAN_MAX_RANGES];
};

/**
 * struct nvmq_plan_error - why a text is not a plan
 * @word: the offending word, cut to fit, with '?' for each byte that is not printable ASCII
 * @reason: what is wrong with it; a constant string, so that it may be kept. NULL = no error.
 */
struct nvmq_plan_error {
	char word[40];
	const char *reason;
};

/**
 * struct nvmq_plan_limits - what the machine and the device have
 * @cpus: possible CPUs; those that may have queues of their own, if the plan says housekeeping
 * @cores: cores among them
 * @nodes: NUMA nodes among them
 * @pairs: I/O queue pairs that the device grants (the lesser half of the Number of Queues answer,
 *         plus one); 0 if it has none
 * @usable: I/O queue pairs whose doorbells lie inside the BAR; fewer if these could not all be
 *          created
 * @entries: entries that a submission queue may have: CAP.MQES + 1, or what CIDs can tell apart
 * @cq_entries: entries that a completion queue may have, CAP.MQES + 1; not less than @entries
 * @tags: tags that each queue has already, which its depth cannot exceed; 0 = none yet
 * @vectors: interrupt vectors that there are, or a large number while that is not known; an INTx
 *           line counts as one; 0 = no interrupt of any kind
 * @irq: the best kind of interrupt that there is
 *
 * @cpus, @cores and @nodes come from nvmq_topology_prepare().
 */
struct nvmq_plan_limits {
	u32 cpus;
	u32 cores;
	u32 nodes;
	u32 pairs;
	u32 usable;
	u32 entries;
	u32 cq_entries;
	u32 tags;
	u32 vectors;
	enum nvmq_irq_kind irq;
};

/**
 * struct nvmq_grant - what a plan comes to on one controller
 * @queues: number of queues of each type
 * @depth: outstanding commands per I/O queue, the most of @depths; 0 if there are no queues
 * @vectors: interrupt vectors, at least one
 * @irq: kind of interrupt to try first
 * @depths: outstanding commands per queue of each type; 0 if it has no queues
 * @entries: entries of the submission rings of all queues, more than @depth; 0 if there are no
 *           queues
 * @cq_most: entries that a completion ring may have; 0 likewise
 * @share: the most submission queues that share a completion queue; 0 = none does
 * @leave: queue pairs that are left to others
 * @coalesce: completions that an interrupt may wait for; 0 = coalescing is left alone
 * @coalesce_us: for how long, in microseconds
 * @refused: the device does not coalesce, although it was asked to; set by the caller
 * @wrr: weighted round robin; weights that the device refuses are cleared by the caller
 * @no_wrr: the device does not do it, although it was asked to; set by the caller
 * @cpus: CPUs that may have queues of their own, if only those of housekeeping do; else 0
 * @spread: bit per type whose list of CPUs cannot be followed: it has fewer queues than that
 *
 * Queue ids are handed out from 1: default queues first, then read, then poll.
 */
struct nvmq_grant {
	u16 queues[NVMQ_NR_TYPES];
	u16 depth;
	u16 vectors;
	enum nvmq_irq_kind irq;
	u16 depths[NVMQ_NR_TYPES];
	u16 entries;
	u32 cq_most;
	u16 share;
	u16 leave;
	u16 coalesce;
	u16 coalesce_us;
	bool refused;
	struct nvmq_wrr wrr;
	bool no_wrr;
	u16 cpus;
	u8 spread;
};

/* In struct nvmq_cpu: not a possible CPU. */
#define NVMQ_NO_CPU		((u16)~0)

/**
 * struct nvmq_cpu - where one CPU is
 * @core: a number that tells apart the cores of a node (the lowest CPU number of the core serves
 *        well), or NVMQ_NO_CPU if there is no such CPU; need not be dense
 * @node: NUMA node; need not be dense
 * @order: belongs to nvmq_topology_prepare(): in entry i, the CPU that stands at place i when the
 *         possible CPUs are sorted by node, core and number
 *
 * Two CPUs are threads of one core if and only if @core and @node both agree.
 */
struct nvmq_cpu {
	u16 core;
	u16 node;
	u16 order;
};

/**
 * struct nvmq_topology - the CPUs of the machine
 * @cpu: @nr_cpus entries, indexed by CPU number
 * @nr_cpus: entries in @cpu, at most 65535
 * @cpus: possible CPUs, set by nvmq_topology_prepare()
 * @cores: cores among them, likewise
 * @nodes: NUMA nodes among them, likewise
 */
struct nvmq_topology {
	struct nvmq_cpu *cpu;
	u32 nr_cpus;
	u32 cpus;
	u32 cores;
	u32 nodes;
};

void nvmq_plan_init(struct nvmq_plan *plan);
int nvmq_plan_parse(const char *text, size_t len, struct nvmq_plan *plan,
		    struct nvmq_plan_error *err);
int nvmq_plan_check(const struct nvmq_plan *plan, const struct nvmq_topology *topo,
		    struct nvmq_plan_error *err);
int nvmq_plan_check_device(const struct nvmq_plan *plan, bool wrr, struct nvmq_plan_error *err);
int nvmq_plan_check_list(const char *text, const struct nvmq_topology *topo,
			 struct nvmq_plan_error *err);
int nvmq_plan_select(const char *text, u32 domain, u8 bus, u8 devfn, struct nvmq_plan *plan,
		     struct nvmq_plan_error *err);
int nvmq_plan_format(const struct nvmq_plan *plan, char *buf, size_t size);

u32 nvmq_plan_pairs(const struct nvmq_plan *plan, const struct nvmq_plan_limits *limits);
int nvmq_plan_grant(const struct nvmq_plan *plan, const struct nvmq_plan_limits *limits,
		    struct nvmq_grant *grant);
int nvmq_grant_vector(const struct nvmq_grant *grant, u16 qid);
u16 nvmq_grant_cq(const struct nvmq_grant *grant, u16 qid);
u32 nvmq_grant_sharers(const struct nvmq_grant *grant, u16 qid);
u32 nvmq_grant_cq_entries(const struct nvmq_grant *grant, u16 qid);
int nvmq_grant_format(const struct nvmq_grant *grant, char *buf, size_t size);

void nvmq_topology_prepare(struct nvmq_topology *topo);
void nvmq_plan_spread(const struct nvmq_topology *topo, u16 first_qid, u16 count, u16 *map);
bool nvmq_plan_is_listed(const struct nvmq_plan *plan, const struct nvmq_grant *grant,
			 enum nvmq_qtype type);
void nvmq_plan_map(const struct nvmq_plan *plan, const struct nvmq_grant *grant,
		   const struct nvmq_topology *topo, const struct nvmq_topology *serving,
		   enum nvmq_qtype type, u16 *map);
int nvmq_plan_check_map(const struct nvmq_topology *topo, u16 first_qid, u16 count,
			const u16 *map, u32 *bad_cpu);

const char *nvmq_qtype_name(enum nvmq_qtype type);
const char *nvmq_irq_kind_name(enum nvmq_irq_kind kind);

/**
 * nvmq_grant_total() - I/O queues of all types
 * @grant: from nvmq_plan_grant()
 *
 * Return: their number, which is also the highest queue id.
 */
static inline u16 nvmq_grant_total(const struct nvmq_grant *grant)
{
	return grant->queues[NVMQ_DEFAULT] + grant->queues[NVMQ_READ] + grant->queues[NVMQ_POLL];
}

/**
 * nvmq_grant_first() - the lowest queue id of a type
 * @grant: from nvmq_plan_grant()
 * @type: the type
 *
 * Return: the queue id, which means nothing if the grant has no queue of @type; 65536 if every
 * queue id belongs to lower types.
 */
static inline u32 nvmq_grant_first(const struct nvmq_grant *grant, enum nvmq_qtype type)
{
	u32 qid = 1;

	if (type > NVMQ_DEFAULT)
		qid += grant->queues[NVMQ_DEFAULT];
	if (type > NVMQ_READ)
		qid += grant->queues[NVMQ_READ];
	return qid;
}

/**
 * nvmq_grant_type() - the type of a queue
 * @grant: from nvmq_plan_grant()
 * @qid: queue id, 1 to nvmq_grant_total()
 *
 * Return: the type.
 */
static inline enum nvmq_qtype nvmq_grant_type(const struct nvmq_grant *grant, u16 qid)
{
	if (qid < nvmq_grant_first(grant, NVMQ_READ))
		return NVMQ_DEFAULT;
	return qid < nvmq_grant_first(grant, NVMQ_POLL) ? NVMQ_READ : NVMQ_POLL;
}

#endif /* NVMQ_PLAN_H */
