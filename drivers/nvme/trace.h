/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Trace events of the I/O path, and of states.  They take scalars and wire structs only, so
 * that every floor may emit them.  Switched off, each is one no-op instruction.
 */
#undef TRACE_SYSTEM
#define TRACE_SYSTEM nvmq

#if !defined(NVMQ_TRACE_H) || defined(TRACE_HEADER_MULTI_READ)
#define NVMQ_TRACE_H

#include <linux/tracepoint.h>
#include <linux/types.h>

#include <nvmq/spec.h>

/* A command was put into the submission ring; @slot: where it stands. */
TRACE_EVENT(nvmq_command,
	TP_PROTO(u16 ctrl, u16 qid, u32 slot, const struct nvmq_sqe *sqe),
	TP_ARGS(ctrl, qid, slot, sqe),
	TP_STRUCT__entry(
		__field(u16, ctrl)
		__field(u16, qid)
		__field(u32, slot)
		__field(u16, cid)
		__field(u8, opcode)
		__field(u32, nsid)
		__field(u64, prp1)
		__field(u64, prp2)
		__field(u64, slba)
		__field(u32, cdw12)
		__field(u32, cdw13)
		__array(u8, sqe, sizeof(struct nvmq_sqe))
	),
	TP_fast_assign(
		__entry->ctrl = ctrl;
		__entry->qid = qid;
		__entry->slot = slot;
		__entry->cid = le16_to_cpu(sqe->cid);
		__entry->opcode = sqe->opcode;
		__entry->nsid = le32_to_cpu(sqe->nsid);
		__entry->prp1 = le64_to_cpu(sqe->prp1);
		__entry->prp2 = le64_to_cpu(sqe->prp2);
		__entry->slba = le32_to_cpu(sqe->cdw10) |
				((u64)le32_to_cpu(sqe->cdw11) << 32);
		__entry->cdw12 = le32_to_cpu(sqe->cdw12);
		__entry->cdw13 = le32_to_cpu(sqe->cdw13);
		memcpy(__entry->sqe, sqe, sizeof(*sqe));
	),
	TP_printk("nvme%u qid=%u slot=%u cid=%#06x opcode=%#04x nsid=%u prp1=%#llx prp2=%#llx cdw10=%#llx cdw12=%#x cdw13=%#x",
		  __entry->ctrl, __entry->qid, __entry->slot, __entry->cid, __entry->opcode,
		  __entry->nsid, __entry->prp1, __entry->prp2, __entry->slba,
		  __entry->cdw12, __entry->cdw13)
);

/* Entries of the PRP list of a command, as they are in memory; @addr: DMA address of the first. */
TRACE_EVENT(nvmq_prp_list,
	TP_PROTO(u16 ctrl, u16 qid, u16 cid, u64 addr, const __le64 *list, u32 count),
	TP_ARGS(ctrl, qid, cid, addr, list, count),
	TP_STRUCT__entry(
		__field(u16, ctrl)
		__field(u16, qid)
		__field(u16, cid)
		__field(u64, addr)
		__field(u32, count)
		__dynamic_array(u64, list, count)
	),
	TP_fast_assign(
		u32 i;

		__entry->ctrl = ctrl;
		__entry->qid = qid;
		__entry->cid = cid;
		__entry->addr = addr;
		__entry->count = count;
		for (i = 0; i < count; i++)
			((u64 *)__get_dynamic_array(list))[i] = le64_to_cpu(list[i]);
	),
	TP_printk("nvme%u qid=%u cid=%#06x addr=%#llx list=%s", __entry->ctrl, __entry->qid,
		  __entry->cid, __entry->addr,
		  __print_array(__get_dynamic_array(list), __entry->count, 8))
);

/* A doorbell was written; @cq: completion queue head, else submission queue tail. */
TRACE_EVENT(nvmq_doorbell,
	TP_PROTO(u16 ctrl, u16 qid, bool cq, u32 value),
	TP_ARGS(ctrl, qid, cq, value),
	TP_STRUCT__entry(
		__field(u16, ctrl)
		__field(u16, qid)
		__field(bool, cq)
		__field(u32, value)
	),
	TP_fast_assign(
		__entry->ctrl = ctrl;
		__entry->qid = qid;
		__entry->cq = cq;
		__entry->value = value;
	),
	TP_printk("nvme%u qid=%u %s=%u", __entry->ctrl, __entry->qid,
		  __entry->cq ? "cq_head" : "sq_tail", __entry->value)
);

/* A completion was taken from the ring; @place: where it stood. */
TRACE_EVENT(nvmq_completion,
	TP_PROTO(u16 ctrl, u16 qid, u32 place, const struct nvmq_cqe *cqe),
	TP_ARGS(ctrl, qid, place, cqe),
	TP_STRUCT__entry(
		__field(u16, ctrl)
		__field(u16, qid)
		__field(u32, head)
		__field(u16, cid)
		__field(u16, status)
		__field(u16, sqhd)
		__field(u32, result)
	),
	TP_fast_assign(
		__entry->ctrl = ctrl;
		__entry->qid = qid;
		__entry->head = place;
		__entry->cid = le16_to_cpu(cqe->cid);
		__entry->status = le16_to_cpu(cqe->status);
		__entry->sqhd = le16_to_cpu(cqe->sqhd);
		__entry->result = le32_to_cpu(cqe->dw0);
	),
	TP_printk("nvme%u qid=%u cid=%#06x head=%u sqhd=%u phase=%u status=%#x result=%#x",
		  __entry->ctrl, __entry->qid, __entry->cid, __entry->head,
		  __entry->sqhd, __entry->status & 1, __entry->status >> 1,
		  __entry->result)
);

/* A controller went from one state to another. */
TRACE_EVENT(nvmq_state,
	TP_PROTO(u16 ctrl, const char *from, const char *to),
	TP_ARGS(ctrl, from, to),
	TP_STRUCT__entry(
		__field(u16, ctrl)
		__array(char, from, 12)
		__array(char, to, 12)
	),
	TP_fast_assign(
		__entry->ctrl = ctrl;
		strscpy(__entry->from, from, sizeof(__entry->from));
		strscpy(__entry->to, to, sizeof(__entry->to));
	),
	TP_printk("nvme%u %s -> %s", __entry->ctrl, __entry->from, __entry->to)
);

/* An interrupt came for a queue; @found: completions that it brought. */
TRACE_EVENT(nvmq_interrupt,
	TP_PROTO(u16 ctrl, u16 qid, int irq, u32 found),
	TP_ARGS(ctrl, qid, irq, found),
	TP_STRUCT__entry(
		__field(u16, ctrl)
		__field(u16, qid)
		__field(int, irq)
		__field(u32, found)
	),
	TP_fast_assign(
		__entry->ctrl = ctrl;
		__entry->qid = qid;
		__entry->irq = irq;
		__entry->found = found;
	),
	TP_printk("nvme%u qid=%u irq=%d found=%u", __entry->ctrl, __entry->qid,
		  __entry->irq, __entry->found)
);

#endif /* NVMQ_TRACE_H */

#undef TRACE_INCLUDE_PATH
#define TRACE_INCLUDE_PATH .
#undef TRACE_INCLUDE_FILE
#define TRACE_INCLUDE_FILE trace
#include <trace/define_trace.h>
