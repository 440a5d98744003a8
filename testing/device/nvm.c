// SPDX-License-Identifier: GPL-2.0
#include "nvm.h"

#include <stdlib.h>
#include <string.h>

#include "cmd.h"
#include "ctrl.h"
#include "feature.h"
#include "log.h"
#include "ns.h"
#include "resv.h"

/* Protection Information Action, of dword 12. */
#define RW_PRACT		(1u << 29)
/* Bit of SGLS: without PRPs, metadata may begin at any byte. */
#define SGLS_METADATA_BYTES	(1u << 17)
#define COMPARE_PIECE		4096

/* Commands that have a range of blocks in dwords 10 to 12. */
enum { RANGE = 1, DATA_IN = 2, DATA_OUT = 4, WRITES = 8 };

struct opcode {
	unsigned int what;
	int (*exec)(struct cmd *cmd, struct ns *ns);
	uint32_t oncs;			/* bit that offers it */
	bool known;
};

static int refuse(int sc)
{
	return sc | NVMQ_STATUS_DNR;
}

static uint64_t cmd_slba(const struct cmd *cmd)
{
	return (uint64_t)cmd_dw11(cmd) << 32 | cmd_dw10(cmd);
}

static uint32_t cmd_nlb(const struct cmd *cmd)
{
	return (cmd_dw12(cmd) & 0xffff) + 1;
}

static uint32_t block_size(const struct ns *ns)
{
	return 1u << ns->block_shift;
}

/* Bytes that the data pointer has for a block. */
static uint32_t block_stride(const struct ns *ns)
{
	return block_size(ns) + (ns->extended ? ns->meta_size : 0);
}

static bool in_range(const struct ns *ns, uint64_t lba, uint64_t nlb)
{
	return nlb <= ns->blocks && lba <= ns->blocks - nlb;
}

static int out_of_range(struct cmd *cmd, const struct ns *ns, uint64_t lba, uint64_t nlb)
{
	if (!ns_just_changed(cmd->ctrl->nss, ns->nsid))
		cmd_violation(cmd, RULE_LBA_RANGE, "%llu blocks from %llu on; there are %llu",
			      (unsigned long long)nlb, (unsigned long long)lba,
			      (unsigned long long)ns->blocks);
	return refuse(NVMQ_SC_LBA_RANGE);
}

/* Written data stays through a cut of the power. */
static bool is_durable(const struct cmd *cmd)
{
	return cmd_dw12(cmd) & NVMQ_RW_FUA || !feature_cache(cmd->ctrl->feat);
}

/*
 * Look at blocks before they are read.  A block that is not as it was written is the device's
 * own fault; it is read all the same, as a real one would.
 */
static int look(struct cmd *cmd, struct ns *ns, uint64_t lba, uint64_t nlb, bool *holes)
{
	struct store_look found;

	*holes = false;
	if (!store_look(ns->store, lba, nlb, &found))
		return 0;
	if (found.found & STORE_WRONG)
		cmd_violation(cmd, RULE_DEVICE_BUG, "namespace %u, block %llu and %llu more",
			      ns->nsid, (unsigned long long)found.wrong,
			      (unsigned long long)found.nr_wrong - 1);
	if (found.found & STORE_BAD) {
		cmd->ctrl->logs->media_errors++;
		return refuse(NVMQ_SC_UNRECOVERED_READ);
	}
	*holes = found.found & STORE_HOLES;
	if (*holes && ns->error_recovery & NVMQ_ERROR_RECOVERY_DULBE)
		return refuse(NVMQ_SC_UNWRITTEN_BLOCK);
	return 0;
}

enum direction { TO_HOST, FROM_HOST, COMPARE };

static bool differs(struct ns *ns, bool meta, uint64_t lba, uint64_t offset, const uint8_t *host,
		    size_t len)
{
	uint8_t buf[COMPARE_PIECE];
	size_t part;

	for (; len; offset += part, host += part, len -= part) {
		part = len < sizeof(buf) ? len : sizeof(buf);
		if (meta)
			store_get_meta(ns->store, lba, offset, buf, part);
		else
			store_get(ns->store, lba, offset, buf, part);
		if (memcmp(buf, host, part))
			return true;
	}
	return false;
}

/*
 * Move bytes between host memory and the data or metadata of consecutive blocks.  False: they
 * were to be compared and differ.
 */
static bool move(struct ns *ns, enum direction way, bool holes, bool meta, uint64_t lba,
		 uint64_t offset, void *host, size_t len)
{
	uint8_t *at = meta ? store_meta(ns->store, lba) : store_data(ns->store, lba);

	switch (way) {
	case FROM_HOST:
		memcpy(at + offset, host, len);
		return true;
	case COMPARE:
		return !(holes ? differs(ns, meta, lba, offset, host, len) :
			 memcmp(at + offset, host, len) != 0);
	default:
		if (!holes)
			memcpy(host, at + offset, len);
		else if (meta)
			store_get_meta(ns->store, lba, offset, host, len);
		else
			store_get(ns->store, lba, offset, host, len);
		return true;
	}
}

/* The same for blocks whose metadata follows their data. */
static bool move_extended(struct ns *ns, enum direction way, bool holes, uint64_t lba,
			  uint64_t offset, uint8_t *host, size_t len)
{
	uint32_t stride = block_stride(ns), size = block_size(ns), in;
	bool meta, same = true;
	size_t part;

	for (; len && same; offset += part, host += part, len -= part) {
		in = (uint32_t)(offset % stride);
		meta = in >= size;
		part = meta ? stride - in : size - in;
		if (part > len)
			part = len;
		same = move(ns, way, holes, meta, lba + offset / stride, meta ? in - size : in,
			    host, part);
	}
	return same;
}

static bool move_spans(struct ns *ns, enum direction way, bool holes, bool meta, uint64_t lba,
		       const struct span *spans, unsigned int nr)
{
	uint64_t offset = 0;
	unsigned int i;
	bool same = true;

	for (i = 0; i < nr && same; i++) {
		if (ns->extended && !meta)
			same = move_extended(ns, way, holes, lba, offset, spans[i].host,
					     spans[i].len);
		else
			same = move(ns, way, holes, meta, lba, offset, spans[i].host,
				    spans[i].len);
		offset += spans[i].len;
	}
	return same;
}

/* Find data and metadata of a command; metadata has to be let go of by free(@meta->spans). */
static int map(struct cmd *cmd, struct ns *ns, unsigned int prot, struct walk *meta)
{
	bool bytes = cmd->sqe.flags >> 6 && cmd->ctrl->opt.sgls & SGLS_METADATA_BYTES;
	uint64_t nlb = cmd_nlb(cmd), mptr = le64toh(cmd->sqe.mptr), mask = bytes ? 0 : 3;
	bool separate = ns->meta_size && !ns->extended;
	int status;

	if (separate && (mptr & mask || !mptr))
		cmd_violation(cmd, RULE_RW_MPTR, "MPTR %#llx, %u bytes of metadata",
			      (unsigned long long)mptr, ns->meta_size);
	if (separate && mptr & mask)
		return refuse(NVMQ_SC_INVALID_FIELD);
	status = cmd_map(cmd, nlb * block_stride(ns), prot);
	if (status || !separate)
		return status;
	return cmd_meta(cmd, nlb * ns->meta_size, prot, meta);
}

static int exec_read(struct cmd *cmd, struct ns *ns)
{
	uint64_t lba = cmd_slba(cmd), nlb = cmd_nlb(cmd);
	bool compare = cmd->sqe.opcode == NVMQ_IO_COMPARE, holes, same;
	enum direction way = compare ? COMPARE : TO_HOST;
	struct walk meta = { .spans = NULL };
	int status;

	cmd->ctrl->logs->reads++;
	cmd->ctrl->logs->sectors_read += nlb << (ns->block_shift - 9);
	status = map(cmd, ns, compare ? MEM_READ : MEM_WRITE, &meta);
	if (!status)
		status = look(cmd, ns, lba, nlb, &holes);
	if (!status) {
		same = move_spans(ns, way, holes, false, lba, cmd->spans, cmd->nr_spans) &&
		       move_spans(ns, way, holes, true, lba, meta.spans, meta.nr);
		if (!same)
			status = refuse(NVMQ_SC_COMPARE_FAILED);
	}
	free(meta.spans);
	return status;
}

static int exec_write(struct cmd *cmd, struct ns *ns)
{
	uint64_t lba = cmd_slba(cmd), nlb = cmd_nlb(cmd);
	const struct lie *lie = cmd_wrong_data(cmd);
	struct walk meta = { .spans = NULL };
	bool durable = is_durable(cmd);
	int status;

	cmd->ctrl->logs->writes++;
	cmd->ctrl->logs->sectors_written += nlb << (ns->block_shift - 9);
	status = map(cmd, ns, MEM_READ, &meta);
	if (!status) {
		store_write_begin(ns->store, lba, nlb, durable);
		move_spans(ns, FROM_HOST, false, false, lba, cmd->spans, cmd->nr_spans);
		move_spans(ns, FROM_HOST, false, true, lba, meta.spans, meta.nr);
		/* A lie is not the device's fault: the oracle takes it for what was written. */
		if (lie)
			lie_spoil(lie, 0, nlb << ns->block_shift, store_data(ns->store, lba),
				  nlb << ns->block_shift);
		store_write_end(ns->store, lba, nlb, durable);
	}
	free(meta.spans);
	return status;
}

static int exec_verify(struct cmd *cmd, struct ns *ns)
{
	uint64_t nlb = cmd_nlb(cmd);
	bool holes;

	cmd->ctrl->logs->reads++;
	cmd->ctrl->logs->sectors_read += nlb << (ns->block_shift - 9);
	return look(cmd, ns, cmd_slba(cmd), nlb, &holes);
}

static int exec_write_uncorrectable(struct cmd *cmd, struct ns *ns)
{
	store_mark_bad(ns->store, cmd_slba(cmd), cmd_nlb(cmd));
	return 0;
}

static int exec_write_zeroes(struct cmd *cmd, struct ns *ns)
{
	const struct options *opt = &cmd->ctrl->opt;
	uint64_t lba = cmd_slba(cmd), nlb = cmd_nlb(cmd);

	/* Where ONCS offers the command, this is what is recommended, and no limit. */
	if (opt->wzsl && nlb << ns->block_shift > 1ull << (opt->wzsl + 12 + opt->mpsmin))
		cmd_violation(cmd, RULE_WZ_LIMITS, "%llu blocks of %u bytes, WZSL is %u",
			      (unsigned long long)nlb, block_size(ns), opt->wzsl);
	/* Blocks are deallocated only if they then read as they should (nvm 3.2.8). */
	if (cmd_dw12(cmd) & NVMQ_WZ_DEALLOCATE && opt->dlfeat & NVMQ_DLFEAT_WZ_DEAC &&
	    (opt->dlfeat & NVMQ_DLFEAT_READ_MASK) == NVMQ_DLFEAT_READ_ZEROES)
		store_deallocate(ns->store, lba, nlb, is_durable(cmd));
	else
		store_zero(ns->store, lba, nlb, is_durable(cmd));
	return 0;
}

static uint32_t dsm_ranges(const struct cmd *cmd)
{
	return (cmd_dw10(cmd) & 0xff) + 1;
}

/*
 * What is over the limits is no error where ONCS offers the command: it is left alone (nvm
 * 3.2.3.1).  The lengths of @range become what is within them.
 */
static int check_dsm(struct cmd *cmd, const struct ns *ns, struct nvmq_dsm_range *range,
		     uint32_t nr)
{
	const struct options *opt = &cmd->ctrl->opt;
	uint64_t total = 0, room;
	uint32_t i, nlb, within;
	bool over = false;

	for (i = 0; i < nr; i++) {
		nlb = le32toh(range[i].nlb);
		if (!in_range(ns, le64toh(range[i].slba), nlb))
			return out_of_range(cmd, ns, le64toh(range[i].slba), nlb);
		within = opt->dmrsl && nlb > opt->dmrsl ? opt->dmrsl : nlb;
		room = total < opt->dmsl ? opt->dmsl - total : 0;
		if (opt->dmsl && within > room)
			within = room;
		if (opt->dmrl && i >= opt->dmrl)
			within = 0;
		over = over || within < nlb || (opt->dmrl && i >= opt->dmrl);
		range[i].nlb = htole32(within);
		total += nlb;
	}
	if (over)
		cmd_violation(cmd, RULE_DSM_LIMITS,
			      "%u ranges, %llu blocks; DMRL is %u, DMRSL %u, DMSL %llu", nr,
			      (unsigned long long)total, opt->dmrl, opt->dmrsl,
			      (unsigned long long)opt->dmsl);
	return 0;
}

static int exec_dsm(struct cmd *cmd, struct ns *ns)
{
	struct nvmq_dsm_range range[NVMQ_DSM_RANGES_MAX];
	struct ctrl_stats *stats = &cmd->ctrl->stats;
	uint32_t nr = dsm_ranges(cmd), i;
	int status;

	if (nr > stats->dsm_ranges)
		stats->dsm_ranges = nr;
	status = cmd_from_host(cmd, range, nr * sizeof(range[0]));
	if (status)
		return status;
	status = check_dsm(cmd, ns, range, nr);
	/* The other attributes are hints. */
	if (status || !(cmd_dw11(cmd) & NVMQ_DSM_ATTR_DEALLOCATE))
		return status;
	for (i = 0; i < nr; i++)
		store_deallocate(ns->store, le64toh(range[i].slba), le32toh(range[i].nlb),
				 !feature_cache(cmd->ctrl->feat));
	return 0;
}

static int check_copy(struct cmd *cmd, const struct ns *ns, const struct nvmq_copy_range *range,
		      uint32_t nr, uint64_t *total)
{
	const struct options *opt = &cmd->ctrl->opt;
	uint32_t i, nlb;
	bool over = nr > opt->msrc + 1;

	*total = 0;
	for (i = 0; i < nr; i++) {
		nlb = le16toh(range[i].nlb) + 1u;
		if (!in_range(ns, le64toh(range[i].slba), nlb))
			return out_of_range(cmd, ns, le64toh(range[i].slba), nlb);
		*total += nlb;
		over = over || nlb > opt->mssrl;
	}
	if (over || *total > opt->mcl) {
		cmd_violation(cmd, RULE_COPY_LIMITS,
			      "%u ranges, %llu blocks; MSRC is %u, MSSRL %u, MCL %u", nr,
			      (unsigned long long)*total, opt->msrc, opt->mssrl, opt->mcl);
		return refuse(NVMQ_SC_COMMAND_SIZE);
	}
	if (!in_range(ns, cmd_slba(cmd), *total))
		return out_of_range(cmd, ns, cmd_slba(cmd), *total);
	return 0;
}

/* Sources may overlap the destination: everything is read before anything is written. */
static int copy_blocks(struct cmd *cmd, struct ns *ns, const struct nvmq_copy_range *range,
		       uint32_t nr, uint64_t total)
{
	size_t data_bytes = total << ns->block_shift, meta_bytes = total * ns->meta_size;
	uint8_t *data = malloc(data_bytes + meta_bytes), *meta = data + data_bytes;
	uint64_t from, nlb, to = cmd_slba(cmd), done = 0;
	bool holes, durable = is_durable(cmd);
	int status = 0;
	uint32_t i;

	if (!data)
		return NVMQ_SC_INTERNAL;
	for (i = 0; i < nr && !status; i++) {
		from = le64toh(range[i].slba);
		nlb = le16toh(range[i].nlb) + 1u;
		status = look(cmd, ns, from, nlb, &holes);
		store_get(ns->store, from, 0, data + (done << ns->block_shift),
			  nlb << ns->block_shift);
		if (ns->meta_size)
			store_get_meta(ns->store, from, 0, meta + done * ns->meta_size,
				       nlb * ns->meta_size);
		done += nlb;
	}
	if (!status) {
		store_write_begin(ns->store, to, total, durable);
		memcpy(store_data(ns->store, to), data, data_bytes);
		if (ns->meta_size)
			memcpy(store_meta(ns->store, to), meta, meta_bytes);
		store_write_end(ns->store, to, total, durable);
	}
	free(data);
	return status;
}

static int exec_copy(struct cmd *cmd, struct ns *ns)
{
	struct nvmq_copy_range range[256];
	uint32_t nr = NVMQ_COPY_NR(cmd_dw12(cmd));
	uint64_t total;
	int status;

	if (NVMQ_COPY_FORMAT(cmd_dw12(cmd)))
		return refuse(NVMQ_SC_INVALID_FIELD);
	status = cmd_from_host(cmd, range, nr * sizeof(range[0]));
	if (!status)
		status = check_copy(cmd, ns, range, nr, &total);
	/* A failed copy says how many ranges it did: none. */
	return status ? status : copy_blocks(cmd, ns, range, nr, total);
}

static int exec_flush(struct cmd *cmd)
{
	const struct options *opt = &cmd->ctrl->opt;
	struct nss *nss = cmd->ctrl->nss;
	struct ns *ns;
	unsigned int i;
	int status;

	if (cmd_nsid(cmd) != NS_ALL) {
		status = ns_of_cmd(cmd, &ns);
		if (!status)
			status = resv_check(cmd, ns, true);
		if (!status)
			store_flush(ns->store);
		return status;
	}
	if ((opt->vwc & NVMQ_VWC_FLUSH_ALL) != NVMQ_VWC_FLUSH_ALL) {
		cmd_violation(cmd, RULE_FLUSH_BROADCAST, "VWC is %#x", opt->vwc);
		return refuse(NVMQ_SC_INVALID_NAMESPACE);
	}
	for (i = 0; i < NS_MAX; i++)
		if (nss->ns[i].attached)
			store_flush(nss->ns[i].store);
	return 0;
}

static const struct opcode opcodes[256] = {
	[NVMQ_IO_FLUSH] = { .known = true },
	[NVMQ_IO_WRITE] = { RANGE | DATA_IN | WRITES, exec_write, 0, true },
	[NVMQ_IO_READ] = { RANGE | DATA_OUT, exec_read, 0, true },
	[NVMQ_IO_WRITE_UNCORRECTABLE] = { RANGE | WRITES, exec_write_uncorrectable,
					  NVMQ_ONCS_WRITE_UNCORR, true },
	[NVMQ_IO_COMPARE] = { RANGE | DATA_IN, exec_read, NVMQ_ONCS_COMPARE, true },
	[NVMQ_IO_WRITE_ZEROES] = { RANGE | WRITES, exec_write_zeroes, NVMQ_ONCS_WRITE_ZEROES,
				   true },
	[NVMQ_IO_DSM] = { WRITES, exec_dsm, NVMQ_ONCS_DSM, true },
	[NVMQ_IO_VERIFY] = { RANGE, exec_verify, NVMQ_ONCS_VERIFY, true },
	[NVMQ_IO_COPY] = { WRITES, exec_copy, NVMQ_ONCS_COPY, true },
};

static bool is_reservation(uint8_t opcode)
{
	return opcode == NVMQ_IO_RESV_REGISTER || opcode == NVMQ_IO_RESV_REPORT ||
	       opcode == NVMQ_IO_RESV_ACQUIRE || opcode == NVMQ_IO_RESV_RELEASE;
}

bool nvm_supports(const struct ctrl *ctrl, uint8_t opcode)
{
	const struct opcode *op = &opcodes[opcode];

	if (is_reservation(opcode))
		return ctrl->opt.reservations;
	return op->known && (!op->oncs || ctrl->opt.oncs & op->oncs);
}

bool nvm_writes(uint8_t opcode)
{
	return opcodes[opcode].what & WRITES;
}

uint64_t nvm_data_len(const struct cmd *cmd, unsigned int *prot)
{
	const struct opcode *op = &opcodes[cmd->sqe.opcode];
	const struct ns *ns = ns_active(cmd->ctrl->nss, cmd_nsid(cmd));

	if (!ns || !nvm_supports(cmd->ctrl, cmd->sqe.opcode))
		return 0;
	*prot = op->what & DATA_OUT ? MEM_WRITE : MEM_READ;
	if (op->what & RANGE) {
		if (!(op->what & (DATA_IN | DATA_OUT)) ||
		    !in_range(ns, cmd_slba(cmd), cmd_nlb(cmd)))
			return 0;
		return (uint64_t)cmd_nlb(cmd) * block_stride(ns);
	}
	switch (cmd->sqe.opcode) {
	case NVMQ_IO_DSM:
		return dsm_ranges(cmd) * sizeof(struct nvmq_dsm_range);
	case NVMQ_IO_COPY:
		return NVMQ_COPY_NR(cmd_dw12(cmd)) * sizeof(struct nvmq_copy_range);
	case NVMQ_IO_RESV_REGISTER:
	case NVMQ_IO_RESV_ACQUIRE:
		return 2 * sizeof(__le64);
	case NVMQ_IO_RESV_RELEASE:
		return sizeof(__le64);
	case NVMQ_IO_RESV_REPORT:
		*prot = MEM_WRITE;
		return cmd_dw10(cmd) < RESV_REPORT_MAX / 4 ? (cmd_dw10(cmd) + 1ull) * 4 : 0;
	default:
		return 0;
	}
}

/* Whether the namespace can be reached at all (base 8.1). */
static int check_access(const struct cmd *cmd, const struct ns *ns)
{
	if (!cmd->ctrl->opt.ana)
		return 0;
	switch (cmd->ctrl->logs->ana_state[ns->anagrpid - 1]) {
	case NVMQ_ANA_INACCESSIBLE:
		return NVMQ_SC_ANA_INACCESSIBLE;
	case NVMQ_ANA_PERSISTENT_LOSS:
		return NVMQ_SC_ANA_PERSISTENT_LOSS;
	case NVMQ_ANA_CHANGE:
		return NVMQ_SC_ANA_TRANSITION;
	default:
		return 0;
	}
}

int nvm_exec(struct cmd *cmd)
{
	const struct opcode *op = &opcodes[cmd->sqe.opcode];
	struct ns *ns;
	int status;

	if (!nvm_supports(cmd->ctrl, cmd->sqe.opcode)) {
		cmd_violation(cmd, RULE_OPCODE, "I/O command %02xh", cmd->sqe.opcode);
		return refuse(NVMQ_SC_INVALID_OPCODE);
	}
	if (cmd->sqe.opcode == NVMQ_IO_FLUSH)
		return exec_flush(cmd);
	status = ns_of_cmd(cmd, &ns);
	if (status)
		return status;
	status = check_access(cmd, ns);
	if (status)
		return status;
	if (is_reservation(cmd->sqe.opcode))
		return resv_exec(cmd, ns);
	if (ns->resv.type) {
		/* Copy reads as well, but who may write may read. */
		status = resv_check(cmd, ns, op->what & WRITES);
		if (status)
			return status;
	}
	if (op->what & RANGE) {
		if (!in_range(ns, cmd_slba(cmd), cmd_nlb(cmd)))
			return out_of_range(cmd, ns, cmd_slba(cmd), cmd_nlb(cmd));
		if (cmd_dw12(cmd) & RW_PRACT && (cmd->sqe.opcode == NVMQ_IO_COMPARE ||
						 cmd->sqe.opcode == NVMQ_IO_VERIFY)) {
			cmd_violation(cmd, RULE_RW_PRACT, "command %02xh, dword 12 is %#x",
				      cmd->sqe.opcode, cmd_dw12(cmd));
			return refuse(NVMQ_SC_INVALID_FIELD);
		}
	}
	if (cmd->ctrl->opt.opal) {
		/* Which blocks a list of ranges is for is known later. */
		if (op->what & RANGE)
			status = opal_check(cmd->ctrl, cmd_slba(cmd), cmd_nlb(cmd),
					    op->what & WRITES);
		else
			status = opal_check(cmd->ctrl, 0, ns->blocks, op->what & WRITES);
		if (status)
			return status;
	}
	/* Hints change nothing (base 8.12.1.1). */
	if (op->what & WRITES && ns->write_protect &&
	    (cmd->sqe.opcode != NVMQ_IO_DSM || cmd_dw11(cmd) & NVMQ_DSM_ATTR_DEALLOCATE)) {
		cmd_violation(cmd, RULE_WRITE_PROTECTED, "command %02xh", cmd->sqe.opcode);
		return refuse(NVMQ_SC_NS_WRITE_PROTECTED);
	}
	return op->exec(cmd, ns);
}
