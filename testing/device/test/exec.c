// SPDX-License-Identifier: GPL-2.0
#include "exec.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "admin.h"
#include "log.h"
#include "nvm.h"

#define PAGE	4096u

void exec_options(struct options *opt)
{
	options_default(opt);
	opt->mdts = 0;
	opt->vectors = 8;
	opt->queues = 8;
	opt->vwc = NVMQ_VWC_PRESENT | NVMQ_VWC_FLUSH_ALL;
	opt->oncs = NVMQ_ONCS_COMPARE | NVMQ_ONCS_WRITE_UNCORR | NVMQ_ONCS_DSM |
		    NVMQ_ONCS_WRITE_ZEROES | NVMQ_ONCS_SAVE_SELECT | NVMQ_ONCS_TIMESTAMP |
		    NVMQ_ONCS_VERIFY | NVMQ_ONCS_COPY;
	opt->oacs = NVMQ_OACS_FORMAT | NVMQ_OACS_NS_MGMT | NVMQ_OACS_SELF_TEST;
	opt->sgls = 1;
	opt->mssrl = 128;
	opt->mcl = 512;
	opt->msrc = 15;
	opt->dlfeat = NVMQ_DLFEAT_READ_ZEROES | NVMQ_DLFEAT_WZ_DEAC;
	snprintf(opt->serial, sizeof(opt->serial), "exec");
	snprintf(opt->model, sizeof(opt->model), "nvmq test");
	snprintf(opt->firmware, sizeof(opt->firmware), "1.0");
	opt->ns[0] = (struct ns_options){ .size = 1 << 20, .lba = 512 };
}

static void *must(void *p, const char *what)
{
	if (!p || p == MAP_FAILED) {
		printf("Bail out! %s\n", what);
		exit(1);
	}
	return p;
}

void exec_start(struct exec *e, const struct options *opt)
{
	int fd = memfd_create("exec", MFD_CLOEXEC);
	unsigned int i;

	memset(e, 0, sizeof(*e));
	if (fd < 0 || ftruncate(fd, EXEC_RAM))
		must(NULL, "memfd");
	e->ram = must(mmap(NULL, EXEC_RAM, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0), "mmap");
	e->mem = must(mem_new(), "mem_new");
	if (mem_map(e->mem, 0, EXEC_RAM, MEM_READ | MEM_WRITE, fd, 0))
		must(NULL, "mem_map");
	close(fd);
	e->log = must(tmpfile(), "tmpfile");
	e->judge = must(judge_new(JUDGE_WARN, e->log), "judge_new");
	e->script = must(script_new(), "script_new");
	e->clock = must(clock_new(), "clock_new");
	e->ctrl = must(ctrl_new(opt, e->mem, NULL, e->judge, e->script, e->clock), "ctrl_new");
	judge_arm(e->judge, true);
	for (i = 0; i < 2; i++)
		e->sq[i].qid = (uint16_t)i;
}

void exec_stop(struct exec *e)
{
	free(e->cmd.spans);
	ctrl_free(e->ctrl);
	clock_free(e->clock);
	script_free(e->script);
	judge_free(e->judge);
	mem_free(e->mem);
	fclose(e->log);
	munmap(e->ram, EXEC_RAM);
}

void exec_prps(struct exec *e, struct nvmq_sqe *sqe, uint64_t iova, uint64_t len)
{
	uint64_t page = (iova | (PAGE - 1)) + 1, end = iova + len;
	__le64 *list = (__le64 *)(e->ram + EXEC_LISTS);
	unsigned int nr = 0, left;

	sqe->prp1 = htole64(iova);
	sqe->prp2 = 0;
	if (end <= page)
		return;
	sqe->prp2 = htole64(page);
	if (end <= page + PAGE)
		return;
	sqe->prp2 = htole64(EXEC_LISTS);
	for (; page < end; page += PAGE) {
		left = PAGE / 8 - nr % (PAGE / 8);
		/* The last entry of a list leads to the next one, if more than one is left. */
		if (left == 1 && end - page > PAGE) {
			list[nr] = htole64(EXEC_LISTS + (nr + 1) * 8);
			nr++;
		}
		list[nr++] = htole64(page);
	}
}

int exec_run(struct exec *e, unsigned int qid, const struct nvmq_sqe *sqe)
{
	struct span *spans = e->cmd.spans;
	unsigned int max = e->cmd.max_spans;
	int status;

	e->cmd = (struct cmd){
		.ctrl = e->ctrl, .sq = &e->sq[qid], .sqe = *sqe, .cid = le16toh(sqe->cid),
		.spans = spans, .max_spans = max, .state = CMD_FETCHED,
	};
	judge_command(e->judge, qid, 0, sqe);
	status = cmd_check(&e->cmd);
	if (!status)
		status = qid ? nvm_exec(&e->cmd) : admin_exec(&e->cmd);
	if (status > 0)
		log_error(&e->cmd, (uint16_t)status);
	return status;
}

int exec_admin(struct exec *e, uint8_t opcode, uint32_t nsid, uint32_t dw10, uint32_t dw11,
	       uint32_t len)
{
	struct nvmq_sqe sqe = {
		.opcode = opcode, .cid = htole16(77), .nsid = htole32(nsid),
		.cdw10 = htole32(dw10), .cdw11 = htole32(dw11),
	};

	if (len)
		exec_prps(e, &sqe, EXEC_DATA, len);
	return exec_run(e, 0, &sqe);
}

int exec_io(struct exec *e, uint8_t opcode, uint32_t nsid, uint64_t lba, uint32_t nlb,
	    uint32_t dw12, uint64_t len)
{
	struct nvmq_sqe sqe = {
		.opcode = opcode, .cid = htole16(78), .nsid = htole32(nsid),
		.cdw10 = htole32((uint32_t)lba), .cdw11 = htole32((uint32_t)(lba >> 32)),
		.cdw12 = htole32((nlb - 1) | dw12),
	};

	if (len)
		exec_prps(e, &sqe, EXEC_DATA, len);
	return exec_run(e, 1, &sqe);
}

long exec_judged(struct exec *e, enum rule rule)
{
	long nr = (long)judge_count(e->judge, rule), total = (long)judge_total(e->judge);

	judge_clear(e->judge);
	return nr == total ? nr : -1;
}

bool exec_clean(struct exec *e)
{
	char line[512];

	if (!judge_total(e->judge))
		return true;
	rewind(e->log);
	while (fgets(line, sizeof(line), e->log))
		printf("# %s", line);
	judge_clear(e->judge);
	return false;
}
