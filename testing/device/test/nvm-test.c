// SPDX-License-Identifier: GPL-2.0
/*
 * The I/O commands: contents against a plain model in every format, with data at every kind of
 * address; ranges and limits at their edges; the volatile cache; what is refused, and what of it
 * the judge holds against the host.
 */
#include <stdlib.h>
#include <string.h>

#include "tap.h"

#include "exec.h"
#include "feature.h"
#include "log.h"
#include "ns.h"
#include "nvm.h"

#define DNR(sc)		((sc) | NVMQ_STATUS_DNR)
#define BLOCKS		200u

static struct exec e;

static struct ns *ns1(void)
{
	return &e.ctrl->nss->ns[0];
}

static uint8_t *data(void)
{
	return e.ram + EXEC_DATA;
}

static void start(uint32_t lba, uint32_t meta, bool extended)
{
	struct options opt;

	exec_options(&opt);
	opt.ns[0].size = BLOCKS * lba;
	opt.ns[0].lba = lba;
	opt.ns[0].meta = meta;
	opt.ns[0].extended = extended;
	exec_start(&e, &opt);
}

static int write_fill(uint64_t lba, uint32_t nlb, uint8_t fill, uint32_t dw12)
{
	uint64_t len = (uint64_t)nlb << ns1()->block_shift;

	memset(data(), fill, len);
	return exec_io(&e, NVMQ_IO_WRITE, 1, lba, nlb, dw12, len);
}

/* The byte that all of a block is made of; -1: not one; -2: not readable. */
static int read_fill(uint64_t lba)
{
	uint32_t len = 1u << ns1()->block_shift, i;

	memset(data(), 0x99, len);
	if (exec_io(&e, NVMQ_IO_READ, 1, lba, 1, 0, len))
		return -2;
	for (i = 1; i < len; i++)
		if (data()[i] != data()[0])
			return -1;
	return data()[0];
}

/*
 * The model: data and metadata of all blocks, and which are uncorrectable.  Commands and model
 * are given the same bytes, and what is read is compared byte by byte.
 */
static struct {
	uint8_t data[BLOCKS * 4096];
	uint8_t meta[BLOCKS * 64];
	bool bad[BLOCKS];
} model;

struct shape {
	uint32_t size, meta;
	bool extended;
};

static uint64_t stream_len(const struct shape *s, uint32_t nlb)
{
	return (uint64_t)nlb * (s->size + (s->extended ? s->meta : 0));
}

/* Copy between a data buffer (and separate metadata) and the model, byte by byte. */
static bool model_io(const struct shape *s, uint64_t lba, uint32_t nlb, uint8_t *buf, uint8_t *meta,
		     bool write)
{
	uint32_t n, i;
	uint8_t *is, *at;

	for (n = 0; n < nlb; n++) {
		for (i = 0; i < s->size + s->meta; i++) {
			if (i < s->size) {
				is = &model.data[(lba + n) * s->size + i];
				at = &buf[n * (s->size + (s->extended ? s->meta : 0)) + i];
			} else {
				is = &model.meta[(lba + n) * s->meta + i - s->size];
				at = s->extended ? &buf[n * (s->size + s->meta) + i] :
				     &meta[n * s->meta + i - s->size];
			}
			if (write)
				*is = *at;
			else if (*is != *at)
				return false;
		}
	}
	return true;
}

static bool model_bad(uint64_t lba, uint32_t nlb)
{
	uint32_t i;

	for (i = 0; i < nlb; i++)
		if (model.bad[lba + i])
			return true;
	return false;
}

static void model_clear(const struct shape *s, uint64_t lba, uint32_t nlb)
{
	memset(model.data + lba * s->size, 0, nlb * s->size);
	memset(model.meta + lba * s->meta, 0, nlb * s->meta);
	memset(model.bad + lba, 0, nlb);
}

static int run_rw(const struct shape *s, uint8_t opcode, uint64_t lba, uint32_t nlb,
		  uint64_t buf, uint64_t meta)
{
	struct nvmq_sqe sqe = {
		.opcode = opcode, .nsid = htole32(1), .cdw10 = htole32((uint32_t)lba),
		.cdw12 = htole32(nlb - 1),
	};

	if (s->meta && !s->extended)
		sqe.mptr = htole64(meta);
	exec_prps(&e, &sqe, buf, stream_len(s, nlb));
	return exec_run(&e, 1, &sqe);
}

static int run_dsm(uint64_t lba, uint32_t nlb)
{
	struct nvmq_dsm_range *range = (void *)data();
	struct nvmq_sqe sqe = {
		.opcode = NVMQ_IO_DSM, .nsid = htole32(1),
		.cdw11 = htole32(NVMQ_DSM_ATTR_DEALLOCATE),
	};

	memset(range, 0, sizeof(*range));
	range->slba = htole64(lba);
	range->nlb = htole32(nlb);
	exec_prps(&e, &sqe, EXEC_DATA, sizeof(*range));
	return exec_run(&e, 1, &sqe);
}

static int run_copy(uint64_t to, const uint64_t *lba, const uint32_t *nlb, uint32_t nr)
{
	struct nvmq_copy_range *range = (void *)data();
	struct nvmq_sqe sqe = {
		.opcode = NVMQ_IO_COPY, .nsid = htole32(1), .cdw10 = htole32((uint32_t)to),
		.cdw12 = htole32(nr - 1),
	};
	uint32_t i;

	memset(range, 0, nr * sizeof(*range));
	for (i = 0; i < nr; i++) {
		range[i].slba = htole64(lba[i]);
		range[i].nlb = htole16((uint16_t)(nlb[i] - 1));
	}
	exec_prps(&e, &sqe, EXEC_DATA, nr * sizeof(*range));
	return exec_run(&e, 1, &sqe);
}

static void model_copy(const struct shape *s, uint64_t to, const uint64_t *lba, const uint32_t *nlb,
		       uint32_t nr)
{
	static uint8_t all[sizeof(model.data)], all_meta[sizeof(model.meta)];
	uint32_t i, done = 0;

	for (i = 0; i < nr; i++) {
		memcpy(all + done * s->size, model.data + lba[i] * s->size, nlb[i] * s->size);
		memcpy(all_meta + done * s->meta, model.meta + lba[i] * s->meta, nlb[i] * s->meta);
		done += nlb[i];
	}
	memcpy(model.data + to * s->size, all, done * s->size);
	memcpy(model.meta + to * s->meta, all_meta, done * s->meta);
	memset(model.bad + to, 0, done);
}

static void step(const struct shape *s)
{
	uint64_t lba = rnd() % BLOCKS, from[3];
	uint32_t nlb = (uint32_t)(1 + rnd() % (BLOCKS - lba)), i, nlbs[3], total = 0;
	uint64_t buf = EXEC_DATA + rnd() % 2048 * 4, meta = EXEC_META + rnd() % 2048 * 4;
	uint64_t len, separate = s->extended ? 0 : nlb * s->meta;
	int status, want;
	uint8_t opcode;

	if (rnd() % 4 && nlb > 9)
		nlb = (uint32_t)(1 + rnd() % 9);
	separate = s->extended ? 0 : nlb * s->meta;
	len = stream_len(s, nlb);
	want = model_bad(lba, nlb) ? DNR(NVMQ_SC_UNRECOVERED_READ) : 0;
	switch (rnd() % 10) {
	case 0: case 1: case 2:
		for (i = 0; i < len; i += 4)
			*(uint32_t *)(e.ram + buf + i) = (uint32_t)rnd();
		for (i = 0; i < separate; i += 4)
			*(uint32_t *)(e.ram + meta + i) = (uint32_t)rnd();
		status = run_rw(s, NVMQ_IO_WRITE, lba, nlb, buf, meta);
		CHECK(!status, "write: %#x", status);
		model_io(s, lba, nlb, e.ram + buf, e.ram + meta, true);
		memset(model.bad + lba, 0, nlb);
		break;
	case 3: case 4: case 5:
		memset(e.ram + buf - 4, 0xd1, len + 8);
		memset(e.ram + meta - 4, 0xd1, separate + 8);
		status = run_rw(s, NVMQ_IO_READ, lba, nlb, buf, meta);
		CHECK(status == want, "read: %#x for %#x", status, want);
		if (!status)
			CHECK(model_io(s, lba, nlb, e.ram + buf, e.ram + meta, false),
			      "%u blocks from %llu differ", nlb, (unsigned long long)lba);
		CHECK(e.ram[buf - 1] == 0xd1 && e.ram[buf + len] == 0xd1 &&
		      e.ram[meta - 1] == 0xd1 && e.ram[meta + separate] == 0xd1,
		      "bytes around the buffer were written");
		/* What was read compares equal, and with any byte changed it does not. */
		if (status)
			break;
		status = run_rw(s, NVMQ_IO_COMPARE, lba, nlb, buf, meta);
		CHECK(!status, "compare: %#x", status);
		if (separate && rnd() & 1)
			e.ram[meta + rnd() % separate] ^= 1;
		else
			e.ram[buf + rnd() % len] ^= 0x80;
		status = run_rw(s, NVMQ_IO_COMPARE, lba, nlb, buf, meta);
		CHECK(status == DNR(NVMQ_SC_COMPARE_FAILED), "compare: %#x", status);
		break;
	case 6:
		opcode = NVMQ_IO_WRITE_ZEROES;
		status = exec_io(&e, opcode, 1, lba, nlb, rnd() & 1 ? NVMQ_WZ_DEALLOCATE : 0, 0);
		CHECK(!status, "write zeroes: %#x", status);
		model_clear(s, lba, nlb);
		break;
	case 7:
		CHECK(!run_dsm(lba, nlb), "dataset management");
		model_clear(s, lba, nlb);
		break;
	case 8:
		if (rnd() % 4 == 0) {
			status = exec_io(&e, NVMQ_IO_WRITE_UNCORRECTABLE, 1, lba, nlb, 0, 0);
			CHECK(!status, "write uncorrectable: %#x", status);
			memset(model.bad + lba, 1, nlb);
		}
		status = exec_io(&e, NVMQ_IO_VERIFY, 1, lba, nlb, 0, 0);
		want = model_bad(lba, nlb) ? DNR(NVMQ_SC_UNRECOVERED_READ) : 0;
		CHECK(status == want, "verify: %#x for %#x", status, want);
		break;
	default:
		for (i = 0; i < 3; i++) {
			from[i] = rnd() % (BLOCKS - 20);
			nlbs[i] = (uint32_t)(1 + rnd() % 20);
			total += nlbs[i];
		}
		lba = rnd() % (BLOCKS - total + 1);
		want = 0;
		for (i = 0; i < 3; i++)
			if (model_bad(from[i], nlbs[i]))
				want = DNR(NVMQ_SC_UNRECOVERED_READ);
		status = run_copy(lba, from, nlbs, 3);
		CHECK(status == want, "copy: %#x for %#x", status, want);
		if (!status)
			model_copy(s, lba, from, nlbs, 3);
	}
}

static void test_contents(void)
{
	static const struct shape shapes[] = {
		{ 512, 0, false }, { 4096, 0, false }, { 512, 8, false }, { 512, 8, true },
		{ 4096, 64, true }, { 4096, 16, false }, { 512, 64, true },
	};
	unsigned int i, k;

	for (i = 0; i < sizeof(shapes) / sizeof(shapes[0]); i++) {
		memset(&model, 0, sizeof(model));
		start(shapes[i].size, shapes[i].meta, shapes[i].extended);
		for (k = 0; k < 400; k++)
			step(&shapes[i]);
		CHECK(exec_clean(&e), "violations with %u + %u bytes", shapes[i].size,
		      shapes[i].meta);
		exec_stop(&e);
	}
}

/* First and last blocks, one too many, and numbers that wrap around. */
static void test_ranges(void)
{
	static const uint8_t opcodes[] = {
		NVMQ_IO_READ, NVMQ_IO_WRITE, NVMQ_IO_COMPARE, NVMQ_IO_WRITE_ZEROES,
		NVMQ_IO_VERIFY, NVMQ_IO_WRITE_UNCORRECTABLE,
	};
	static const struct {
		uint64_t lba;
		uint32_t nlb;
		bool fits;
	} range[] = {
		{ 0, 1, true }, { BLOCKS - 1, 1, true }, { 0, BLOCKS, true },
		{ BLOCKS, 1, false }, { 0, BLOCKS + 1, false }, { BLOCKS - 1, 2, false },
		{ UINT64_MAX, 1, false }, { UINT64_MAX, 2, false }, { UINT64_MAX - 99, 100, false },
		{ 1ull << 32, 1, false }, { 0, 65536, false }, { UINT64_MAX - 65535, 65536, false },
	};
	unsigned int i, k;
	uint64_t len;
	int status;

	start(512, 0, false);
	for (i = 0; i < sizeof(opcodes); i++) {
		for (k = 0; k < sizeof(range) / sizeof(range[0]); k++) {
			CHECK(!write_fill(0, BLOCKS, 0, 0), "not cleared");
			len = opcodes[i] == NVMQ_IO_READ || opcodes[i] == NVMQ_IO_WRITE ||
			      opcodes[i] == NVMQ_IO_COMPARE ? range[k].nlb * 512ull : 0;
			if (range[k].nlb <= BLOCKS)
				memset(data(), 0, len);
			/* What is out of range is refused before its data is looked for. */
			status = exec_io(&e, opcodes[i], 1, range[k].lba, range[k].nlb, 0,
					 range[k].fits ? len : 0);
			CHECK(status == (range[k].fits ? 0 : DNR(NVMQ_SC_LBA_RANGE)),
			      "command %#x, %u blocks from %#llx: %#x", opcodes[i], range[k].nlb,
			      (unsigned long long)range[k].lba, status);
			CHECK(exec_judged(&e, RULE_LBA_RANGE) == !range[k].fits,
			      "judge on command %#x, %u blocks from %#llx", opcodes[i],
			      range[k].nlb, (unsigned long long)range[k].lba);
		}
	}
	for (k = 0; k < sizeof(range) / sizeof(range[0]); k++) {
		status = run_dsm(range[k].lba, range[k].nlb);
		CHECK(status == (range[k].fits ? 0 : DNR(NVMQ_SC_LBA_RANGE)), "range %u: %#x", k,
		      status);
		CHECK(exec_judged(&e, RULE_LBA_RANGE) == !range[k].fits, "range %u", k);
	}
	exec_stop(&e);
}

static void test_namespaces(void)
{
	struct options opt;
	int status;

	exec_options(&opt);
	opt.nr_ns = 3;
	opt.ns[1] = opt.ns[0];
	opt.ns[2] = opt.ns[0];
	opt.ns[1].detached = true;
	exec_start(&e, &opt);
	CHECK(!exec_io(&e, NVMQ_IO_READ, 3, 0, 1, 0, 512), "namespace 3");
	CHECK(exec_clean(&e), "violations");
	status = exec_io(&e, NVMQ_IO_READ, 2, 0, 1, 0, 512);
	CHECK(status == DNR(NVMQ_SC_INVALID_FIELD), "detached: %#x", status);
	CHECK(exec_judged(&e, RULE_NSID_INACTIVE) == 1, "not judged");
	status = exec_io(&e, NVMQ_IO_READ, 0, 0, 1, 0, 512);
	CHECK(status == DNR(NVMQ_SC_INVALID_NAMESPACE), "NSID 0: %#x", status);
	CHECK(exec_judged(&e, RULE_NSID_INVALID) == 1, "not judged");
	status = exec_io(&e, NVMQ_IO_WRITE, NS_MAX + 1, 0, 1, 0, 512);
	CHECK(status == DNR(NVMQ_SC_INVALID_NAMESPACE), "NSID above NN: %#x", status);
	CHECK(exec_judged(&e, RULE_NSID_INVALID) == 1, "not judged");
	status = exec_io(&e, NVMQ_IO_READ, NS_ALL, 0, 1, 0, 512);
	CHECK(status == DNR(NVMQ_SC_INVALID_NAMESPACE), "all of them: %#x", status);
	CHECK(exec_judged(&e, RULE_NSID_INVALID) == 1, "not judged");
	/* One that was taken away a moment ago is no fault of the host. */
	ns_attach(e.ctrl, 3, false);
	status = exec_io(&e, NVMQ_IO_READ, 3, 0, 1, 0, 512);
	CHECK(status == DNR(NVMQ_SC_INVALID_FIELD), "taken away: %#x", status);
	CHECK(exec_clean(&e), "judged for what it could not know");
	/* Namespaces don't share blocks. */
	ns_attach(e.ctrl, 3, true);
	write_fill(5, 1, 0x31, 0);
	memset(data(), 0x32, 512);
	CHECK(!exec_io(&e, NVMQ_IO_WRITE, 3, 5, 1, 0, 512), "namespace 3");
	CHECK(read_fill(5) == 0x31, "namespace 1 has what was written to 3");
	exec_stop(&e);
}

static void test_cache(void)
{
	struct nvmq_sqe set = {
		.opcode = NVMQ_ADMIN_SET_FEATURES, .cdw10 = htole32(NVMQ_FEAT_WRITE_CACHE),
	};

	start(512, 0, false);
	write_fill(0, 100, 0x10, 0);
	CHECK(!exec_io(&e, NVMQ_IO_FLUSH, 1, 0, 1, 0, 0), "flush");
	write_fill(0, 10, 0x20, 0);
	write_fill(10, 10, 0x20, NVMQ_RW_FUA);
	exec_io(&e, NVMQ_IO_WRITE_ZEROES, 1, 20, 5, NVMQ_RW_FUA, 0);
	exec_io(&e, NVMQ_IO_WRITE_ZEROES, 1, 25, 5, 0, 0);
	run_dsm(30, 5);
	CHECK(nss_power_cut(e.ctrl->nss, 0) == 10 + 5 + 5, "not what was in the cache");
	CHECK(read_fill(0) == 0x10 && read_fill(9) == 0x10, "cached: %d", read_fill(0));
	CHECK(read_fill(10) == 0x20 && read_fill(19) == 0x20, "forced: %d", read_fill(10));
	CHECK(read_fill(20) == 0, "forced zeroes: %d", read_fill(20));
	CHECK(read_fill(25) == 0x10 && read_fill(30) == 0x10, "cached zeroes and holes");
	/* Turning the cache off empties it, and what comes then does not go through it. */
	write_fill(40, 10, 0x40, 0);
	CHECK(!exec_run(&e, 0, &set), "cache off");
	write_fill(50, 10, 0x50, 0);
	run_dsm(60, 1);
	CHECK(nss_power_cut(e.ctrl->nss, 0) == 0, "lost without a cache");
	CHECK(read_fill(40) == 0x40 && read_fill(50) == 0x50 && read_fill(60) == 0,
	      "without a cache");
	CHECK(exec_clean(&e), "violations");
	exec_stop(&e);
}

/* Without a volatile cache nothing is lost, and its feature does not exist. */
static void test_no_cache(void)
{
	struct options opt;
	int status;

	exec_options(&opt);
	opt.vwc = 0;
	exec_start(&e, &opt);
	write_fill(0, 10, 0x20, 0);
	CHECK(nss_power_cut(e.ctrl->nss, 0) == 0 && read_fill(0) == 0x20, "lost");
	status = exec_admin(&e, NVMQ_ADMIN_GET_FEATURES, 0, NVMQ_FEAT_WRITE_CACHE, 0, 0);
	CHECK(status == DNR(NVMQ_SC_INVALID_FIELD), "get feature 06h: %#x", status);
	CHECK(!exec_io(&e, NVMQ_IO_FLUSH, 1, 0, 1, 0, 0), "flush of nothing");
	CHECK(exec_clean(&e), "violations");
	exec_stop(&e);
}

static void test_flush_all(void)
{
	struct options opt;
	unsigned int can;
	int status;

	for (can = 0; can < 2; can++) {
		exec_options(&opt);
		opt.vwc = NVMQ_VWC_PRESENT | (can ? NVMQ_VWC_FLUSH_ALL : NVMQ_VWC_FLUSH_ONE);
		exec_start(&e, &opt);
		write_fill(0, 1, 1, 0);
		status = exec_io(&e, NVMQ_IO_FLUSH, NS_ALL, 0, 1, 0, 0);
		CHECK(status == (can ? 0 : DNR(NVMQ_SC_INVALID_NAMESPACE)), "VWC %#x: %#x", opt.vwc,
		      status);
		CHECK(exec_judged(&e, RULE_FLUSH_BROADCAST) == !can, "VWC %#x", opt.vwc);
		CHECK(nss_power_cut(e.ctrl->nss, 0) == !can, "VWC %#x", opt.vwc);
		exec_stop(&e);
	}
}

static void test_holes(void)
{
	static const struct {
		uint32_t dlfeat;
		int zeroes;			/* what is read: 0, 255, -1: either */
		bool deac;			/* Write Zeroes may deallocate */
	} is[] = {
		{ 0, -1, false }, { 1, 0, false }, { 2, 255, false }, { 9, 0, true },
		{ 8, -1, false }, { 10, 255, false },
	};
	unsigned int i, k;
	struct options opt;
	uint64_t before;
	int fill;

	for (i = 0; i < sizeof(is) / sizeof(is[0]); i++) {
		exec_options(&opt);
		opt.dlfeat = is[i].dlfeat;
		exec_start(&e, &opt);
		write_fill(0, 64, 0x44, 0);
		CHECK(!run_dsm(10, 20), "DLFEAT %u", opt.dlfeat);
		for (k = 10; k < 30; k++) {
			fill = read_fill(k);
			CHECK(is[i].zeroes < 0 ? fill == 0 || fill == 255 : fill == is[i].zeroes,
			      "DLFEAT %u, block %u: %d", opt.dlfeat, k, fill);
		}
		CHECK(read_fill(9) == 0x44 && read_fill(30) == 0x44, "neighbours");
		before = store_allocated(ns1()->store);
		CHECK(!exec_io(&e, NVMQ_IO_WRITE_ZEROES, 1, 40, 8, NVMQ_WZ_DEALLOCATE, 0), "DEAC");
		CHECK(store_allocated(ns1()->store) == before - (is[i].deac ? 8 : 0),
		      "DLFEAT %u: %llu blocks", opt.dlfeat,
		      (unsigned long long)store_allocated(ns1()->store));
		for (k = 40; k < 48; k++)
			CHECK(read_fill(k) == 0, "DLFEAT %u, block %u: %d", opt.dlfeat, k,
			      read_fill(k));
		CHECK(exec_clean(&e), "violations");
		exec_stop(&e);
	}
}

/* With DULBE, what is not there is an error. */
static void test_dulbe(void)
{
	struct nvmq_sqe set = {
		.opcode = NVMQ_ADMIN_SET_FEATURES, .nsid = htole32(1),
		.cdw10 = htole32(NVMQ_FEAT_ERROR_RECOVERY),
		.cdw11 = htole32(NVMQ_ERROR_RECOVERY_DULBE),
	};
	int status;

	start(512, 0, false);
	write_fill(0, 10, 1, 0);
	CHECK(!exec_run(&e, 0, &set), "set feature 05h");
	CHECK(read_fill(9) == 1, "written block");
	status = exec_io(&e, NVMQ_IO_READ, 1, 9, 2, 0, 1024);
	CHECK(status == DNR(NVMQ_SC_UNWRITTEN_BLOCK), "read: %#x", status);
	status = exec_io(&e, NVMQ_IO_VERIFY, 1, 10, 1, 0, 0);
	CHECK(status == DNR(NVMQ_SC_UNWRITTEN_BLOCK), "verify: %#x", status);
	/* It does not survive a reset, unless it was saved. */
	features_reset(e.ctrl);
	CHECK(read_fill(10) == 0, "after a reset");
	set.cdw10 = htole32(NVMQ_FEAT_ERROR_RECOVERY | NVMQ_FEAT_SAVE);
	CHECK(!exec_run(&e, 0, &set), "save feature 05h");
	features_reset(e.ctrl);
	CHECK(read_fill(10) == -2, "saved, after a reset");
	CHECK(exec_clean(&e), "violations");
	exec_stop(&e);
}

static void test_write_protect(void)
{
	static const uint8_t opcodes[] = {
		NVMQ_IO_WRITE, NVMQ_IO_WRITE_ZEROES, NVMQ_IO_WRITE_UNCORRECTABLE,
	};
	uint64_t from = 0;
	uint32_t one = 1;
	struct options opt;
	unsigned int i;
	int status;

	exec_options(&opt);
	opt.ns[0].read_only = true;
	exec_start(&e, &opt);
	for (i = 0; i < sizeof(opcodes); i++) {
		status = exec_io(&e, opcodes[i], 1, 0, 1, 0,
				 opcodes[i] == NVMQ_IO_WRITE ? 512 : 0);
		CHECK(status == DNR(NVMQ_SC_NS_WRITE_PROTECTED), "command %#x: %#x", opcodes[i],
		      status);
		CHECK(exec_judged(&e, RULE_WRITE_PROTECTED) == 1, "command %#x", opcodes[i]);
	}
	status = run_dsm(0, 1);
	CHECK(status == DNR(NVMQ_SC_NS_WRITE_PROTECTED), "deallocate: %#x", status);
	status = run_copy(5, &from, &one, 1);
	CHECK(status == DNR(NVMQ_SC_NS_WRITE_PROTECTED), "copy: %#x", status);
	CHECK(exec_judged(&e, RULE_WRITE_PROTECTED) == 2, "not judged");
	status = exec_admin(&e, NVMQ_ADMIN_FORMAT_NVM, 1, 0, 0, 0);
	CHECK(status == DNR(NVMQ_SC_NS_WRITE_PROTECTED), "format: %#x", status);
	CHECK(read_fill(0) == 0 && !exec_io(&e, NVMQ_IO_FLUSH, 1, 0, 1, 0, 0), "read and flush");
	status = exec_admin(&e, NVMQ_ADMIN_SET_FEATURES, 1, NVMQ_FEAT_WRITE_PROTECT, 0, 0);
	CHECK(status == DNR(NVMQ_SC_FEATURE_NOT_CHANGEABLE), "unprotect: %#x", status);
	CHECK(exec_clean(&e), "violations");
	exec_stop(&e);

	/* By the host: until it changes its mind, or until the power fails. */
	start(512, 0, false);
	CHECK(!exec_admin(&e, NVMQ_ADMIN_SET_FEATURES, 1, NVMQ_FEAT_WRITE_PROTECT, 1, 0), "on");
	CHECK(write_fill(0, 1, 1, 0) == DNR(NVMQ_SC_NS_WRITE_PROTECTED), "protected");
	CHECK(!exec_admin(&e, NVMQ_ADMIN_SET_FEATURES, 1, NVMQ_FEAT_WRITE_PROTECT, 0, 0), "off");
	CHECK(!write_fill(0, 1, 1, 0), "not protected");
	CHECK(!exec_admin(&e, NVMQ_ADMIN_SET_FEATURES, 1, NVMQ_FEAT_WRITE_PROTECT, 2, 0), "2");
	CHECK(exec_admin(&e, NVMQ_ADMIN_SET_FEATURES, 1, NVMQ_FEAT_WRITE_PROTECT, 0, 0) ==
	      DNR(NVMQ_SC_FEATURE_NOT_CHANGEABLE), "until the power fails");
	features_reset(e.ctrl);
	CHECK(write_fill(0, 1, 1, 0) == DNR(NVMQ_SC_NS_WRITE_PROTECTED), "after a reset");
	nss_power_cut(e.ctrl->nss, 0);
	CHECK(!write_fill(0, 1, 2, 0), "after the power failed");
	exec_stop(&e);
}

static void test_limits(void)
{
	uint64_t from[20] = { 0 }, had;
	uint32_t nlb[20];
	struct options opt;
	unsigned int i;
	int status;

	exec_options(&opt);
	opt.wzsl = 1;				/* 8 KiB */
	opt.dmrl = 2;
	opt.dmrsl = 50;
	opt.dmsl = 60;
	opt.mssrl = 8;
	opt.mcl = 20;
	opt.msrc = 3;
	exec_start(&e, &opt);
	CHECK(!exec_io(&e, NVMQ_IO_WRITE_ZEROES, 1, 0, 16, 0, 0), "8 KiB");
	CHECK(exec_clean(&e), "violations");
	status = exec_io(&e, NVMQ_IO_WRITE_ZEROES, 1, 0, 17, 0, 0);
	CHECK(!status, "over WZSL: %#x", status);
	CHECK(exec_judged(&e, RULE_WZ_LIMITS) == 1, "WZSL");
	CHECK(!run_dsm(0, 50) && exec_clean(&e), "DMRSL");
	/* What is over the limits is left as it is. */
	CHECK(!exec_io(&e, NVMQ_IO_WRITE_ZEROES, 1, 0, 16, 0, 0), "to be deallocated");
	CHECK(!exec_io(&e, NVMQ_IO_WRITE_ZEROES, 1, 40, 16, 0, 0), "to be deallocated");
	had = store_allocated(ns1()->store);
	status = run_dsm(0, 51);
	CHECK(!status, "over DMRSL: %#x", status);
	CHECK(exec_judged(&e, RULE_DSM_LIMITS) == 1, "DMRSL");
	CHECK(store_allocated(ns1()->store) == had - 26, "%ju of %ju blocks are left",
	      store_allocated(ns1()->store), had);
	for (i = 2; i < 5; i++) {
		struct nvmq_sqe sqe = {
			.opcode = NVMQ_IO_DSM, .nsid = htole32(1), .cdw10 = htole32(i < 4 ? 1 : 2),
			.cdw11 = htole32(NVMQ_DSM_ATTR_DEALLOCATE),
		};
		struct nvmq_dsm_range *range = (void *)data();

		/* 60 blocks in two ranges, then 61, then three ranges. */
		memset(range, 0, 3 * sizeof(*range));
		range[0].nlb = htole32(30);
		range[1].nlb = htole32(i == 3 ? 31 : 30);
		exec_prps(&e, &sqe, EXEC_DATA, 3 * sizeof(*range));
		status = exec_run(&e, 1, &sqe);
		CHECK(!status, "case %u: %#x", i, status);
		CHECK(exec_judged(&e, RULE_DSM_LIMITS) == (i != 2), "case %u", i);
	}
	for (i = 0; i < 20; i++)
		nlb[i] = 5;
	CHECK(!run_copy(100, from, nlb, 4) && exec_clean(&e), "copy at its limits");
	nlb[3] = 6;
	CHECK(run_copy(100, from, nlb, 4) == DNR(NVMQ_SC_COMMAND_SIZE), "over MCL");
	CHECK(exec_judged(&e, RULE_COPY_LIMITS) == 1, "MCL");
	nlb[0] = 9;
	CHECK(run_copy(100, from, nlb, 1) == DNR(NVMQ_SC_COMMAND_SIZE), "over MSSRL");
	CHECK(exec_judged(&e, RULE_COPY_LIMITS) == 1, "MSSRL");
	for (i = 0; i < 20; i++)
		nlb[i] = 1;
	CHECK(run_copy(100, from, nlb, 5) == DNR(NVMQ_SC_COMMAND_SIZE), "over MSRC");
	CHECK(exec_judged(&e, RULE_COPY_LIMITS) == 1, "MSRC");
	nlb[0] = 2;
	CHECK(run_copy(ns1()->blocks - 1, from, nlb, 1) == DNR(NVMQ_SC_LBA_RANGE), "past the end");
	CHECK(exec_judged(&e, RULE_LBA_RANGE) == 1, "destination");
	exec_stop(&e);
}

/* What the options don't offer is refused, and may not be sent. */
static void test_opcodes(void)
{
	unsigned int opcode, known = 0;
	struct options opt;
	int status;

	exec_options(&opt);
	exec_start(&e, &opt);
	for (opcode = 0; opcode < 256; opcode++)
		known += nvm_supports(e.ctrl, (uint8_t)opcode);
	CHECK(known == 9, "%u commands", known);
	exec_stop(&e);
	opt.oncs = 0;
	exec_start(&e, &opt);
	for (opcode = 0; opcode < 256; opcode++) {
		bool have = opcode <= NVMQ_IO_READ;

		CHECK(nvm_supports(e.ctrl, (uint8_t)opcode) == have, "command %#x", opcode);
		if (have)
			continue;
		status = exec_io(&e, (uint8_t)opcode, 1, 0, 1, 0, 0);
		CHECK(status == DNR(NVMQ_SC_INVALID_OPCODE), "command %#x: %#x", opcode, status);
		CHECK(judge_count(e.judge, RULE_OPCODE) == 1, "command %#x", opcode);
		judge_clear(e.judge);
	}
	exec_stop(&e);
}

static void test_metadata_pointer(void)
{
	struct shape separate = { 512, 8, false };

	start(512, 8, false);
	CHECK(!run_rw(&separate, NVMQ_IO_WRITE, 0, 4, EXEC_DATA, EXEC_META), "aligned");
	CHECK(exec_clean(&e), "violations");
	CHECK(run_rw(&separate, NVMQ_IO_WRITE, 0, 4, EXEC_DATA, EXEC_META + 2) ==
	      DNR(NVMQ_SC_INVALID_FIELD), "not aligned");
	CHECK(exec_judged(&e, RULE_RW_MPTR) == 1, "not aligned");
	run_rw(&separate, NVMQ_IO_READ, 0, 4, EXEC_DATA, 0);
	CHECK(exec_judged(&e, RULE_RW_MPTR) == 1, "none");
	/* Metadata that is not there: nothing of the command is carried out. */
	memset(data(), 0x12, 512);
	CHECK((run_rw(&separate, NVMQ_IO_WRITE, 9, 1, EXEC_DATA, EXEC_RAM + 4096) & NVMQ_SC_MASK) ==
	      NVMQ_SC_DATA_TRANSFER, "no memory there");
	judge_clear(e.judge);
	memset(e.ram + EXEC_META, 1, 8);
	CHECK(!run_rw(&separate, NVMQ_IO_READ, 9, 1, EXEC_DATA, EXEC_META), "read");
	CHECK(data()[0] == 0 && e.ram[EXEC_META] == 0, "half of it was written");
	exec_stop(&e);
	start(512, 0, false);
	separate.meta = 8;
	run_rw(&separate, NVMQ_IO_READ, 0, 1, EXEC_DATA, EXEC_META);
	exec_io(&e, NVMQ_IO_READ, 1, 0, 1, 0xfu << 26, 512);
	CHECK(exec_clean(&e), "MPTR without metadata, PRINFO without protection information");
	CHECK(exec_io(&e, NVMQ_IO_VERIFY, 1, 0, 1, 1u << 29, 0) == DNR(NVMQ_SC_INVALID_FIELD),
	      "PRACT of Verify");
	CHECK(exec_judged(&e, RULE_RW_PRACT) == 1, "not judged");
	exec_stop(&e);
}

/* Data that cannot be had changes nothing: no block is torn. */
static void test_unmapped(void)
{
	struct nvmq_sqe sqe = {
		.opcode = NVMQ_IO_WRITE, .nsid = htole32(1), .cdw12 = htole32(15),
		.prp1 = htole64(EXEC_DATA), .prp2 = htole64(EXEC_RAM),
	};
	unsigned int i;

	start(512, 0, false);
	write_fill(0, 16, 0x61, 0);
	memset(data(), 0x62, 4096);
	CHECK((exec_run(&e, 1, &sqe) & NVMQ_SC_MASK) == NVMQ_SC_DATA_TRANSFER, "second page");
	CHECK(exec_judged(&e, RULE_DMA_UNMAPPED) == 1, "not judged");
	for (i = 0; i < 16; i++)
		CHECK(read_fill(i) == 0x61, "block %u: %d", i, read_fill(i));
	CHECK(exec_clean(&e), "violations");
	exec_stop(&e);
}

/* The oracle reports; the lie about written data is no fault of the device. */
static void test_oracle(void)
{
	start(512, 0, false);
	write_fill(0, 16, 0x71, 0);
	*(uint8_t *)store_data(ns1()->store, 7) ^= 1;
	CHECK(!exec_io(&e, NVMQ_IO_READ, 1, 0, 7, 0, 7 * 512) && exec_clean(&e), "not read");
	CHECK(!exec_io(&e, NVMQ_IO_READ, 1, 0, 16, 0, 16 * 512), "read");
	CHECK(exec_judged(&e, RULE_DEVICE_BUG) == 1, "not noticed by a read");
	CHECK(!exec_io(&e, NVMQ_IO_VERIFY, 1, 7, 1, 0, 0), "verify");
	CHECK(exec_judged(&e, RULE_DEVICE_BUG) == 1, "not noticed by a verify");
	write_fill(7, 1, 0x71, 0);
	CHECK(read_fill(7) == 0x71 && exec_clean(&e), "after a write");
	exec_stop(&e);
}

static void test_counters(void)
{
	const struct logs *logs;
	unsigned int i;

	start(4096, 0, false);
	logs = e.ctrl->logs;
	for (i = 0; i < 5; i++) {
		memset(data(), 0, 8192);
		exec_io(&e, NVMQ_IO_WRITE, 1, 0, 2, 0, 8192);
		exec_io(&e, NVMQ_IO_READ, 1, 0, 1, 0, 4096);
	}
	CHECK(logs->writes == 5 && logs->reads == 5, "%llu writes, %llu reads",
	      (unsigned long long)logs->writes, (unsigned long long)logs->reads);
	CHECK(logs->sectors_written == 80 && logs->sectors_read == 40, "%llu, %llu sectors",
	      (unsigned long long)logs->sectors_written, (unsigned long long)logs->sectors_read);
	exec_io(&e, NVMQ_IO_WRITE_UNCORRECTABLE, 1, 0, 1, 0, 0);
	exec_io(&e, NVMQ_IO_READ, 1, 0, 1, 0, 4096);
	CHECK(logs->media_errors == 1, "%llu media errors", (unsigned long long)logs->media_errors);
	exec_stop(&e);
}

static void test_ana(void)
{
	static const int want[16] = {
		[NVMQ_ANA_INACCESSIBLE] = NVMQ_SC_ANA_INACCESSIBLE,
		[NVMQ_ANA_PERSISTENT_LOSS] = NVMQ_SC_ANA_PERSISTENT_LOSS,
		[NVMQ_ANA_CHANGE] = NVMQ_SC_ANA_TRANSITION,
	};
	struct options opt;
	uint8_t state;
	int status;

	exec_options(&opt);
	opt.ana = true;
	exec_start(&e, &opt);
	for (state = 0; state < 16; state++) {
		bool valid = (state >= 1 && state <= 4) || state == 15;

		CHECK(!log_set_ana(e.ctrl, 1, state) == valid, "state %u", state);
		if (!valid)
			continue;
		status = exec_io(&e, NVMQ_IO_READ, 1, 0, 1, 0, 512);
		CHECK(status == want[state], "state %u: %#x", state, status);
	}
	CHECK(exec_clean(&e), "violations");
	exec_stop(&e);
}

/* What is said before the command is carried out is what it moves. */
static void test_data_len(void)
{
	unsigned int prot = 0;

	start(512, 8, true);
	e.cmd = (struct cmd){ .ctrl = e.ctrl, .sq = &e.sq[1] };
	e.cmd.sqe.nsid = htole32(1);
	e.cmd.sqe.opcode = NVMQ_IO_READ;
	e.cmd.sqe.cdw12 = htole32(7);
	CHECK(nvm_data_len(&e.cmd, &prot) == 8 * 520 && prot == MEM_WRITE, "read");
	e.cmd.sqe.opcode = NVMQ_IO_WRITE;
	CHECK(nvm_data_len(&e.cmd, &prot) == 8 * 520 && prot == MEM_READ, "write");
	e.cmd.sqe.cdw10 = htole32(BLOCKS - 7);
	CHECK(nvm_data_len(&e.cmd, &prot) == 0, "out of range");
	e.cmd.sqe.opcode = NVMQ_IO_WRITE_ZEROES;
	e.cmd.sqe.cdw10 = 0;
	CHECK(nvm_data_len(&e.cmd, &prot) == 0, "write zeroes");
	e.cmd.sqe.opcode = NVMQ_IO_DSM;
	e.cmd.sqe.cdw10 = htole32(9);
	CHECK(nvm_data_len(&e.cmd, &prot) == 160 && prot == MEM_READ, "ten ranges");
	e.cmd.sqe.opcode = NVMQ_IO_COPY;
	e.cmd.sqe.cdw12 = htole32(2);
	CHECK(nvm_data_len(&e.cmd, &prot) == 96 && prot == MEM_READ, "three sources");
	e.ctrl->opt.reservations = true;
	e.cmd.sqe.opcode = NVMQ_IO_RESV_ACQUIRE;
	CHECK(nvm_data_len(&e.cmd, &prot) == 16 && prot == MEM_READ, "two keys");
	e.cmd.sqe.opcode = NVMQ_IO_RESV_REPORT;
	CHECK(nvm_data_len(&e.cmd, &prot) == 40 && prot == MEM_WRITE, "report");
	e.cmd.sqe.cdw10 = htole32(UINT32_MAX);
	CHECK(nvm_data_len(&e.cmd, &prot) == 0, "too much of it");
	e.cmd.sqe.opcode = NVMQ_IO_READ;
	e.cmd.sqe.cdw10 = 0;
	e.cmd.sqe.nsid = htole32(2);
	CHECK(nvm_data_len(&e.cmd, &prot) == 0, "no namespace");
	exec_stop(&e);
}

/* --- Reservations --- */

static int run_resv(uint8_t opcode, uint32_t dw10, uint64_t key, uint64_t key2)
{
	struct nvmq_sqe sqe = {
		.opcode = opcode, .nsid = htole32(1), .cdw10 = htole32(dw10),
		.cdw11 = htole32(opcode == NVMQ_IO_RESV_REPORT),
	};
	__le64 keys[2] = { htole64(key), htole64(key2) };
	uint32_t len = opcode == NVMQ_IO_RESV_REPORT ? (dw10 + 1) * 4 :
		       opcode == NVMQ_IO_RESV_RELEASE ? 8 : 16;

	memset(data(), 0xff, 8192);
	memcpy(data(), keys, sizeof(keys));
	exec_prps(&e, &sqe, EXEC_DATA, len);
	return exec_run(&e, 1, &sqe);
}

static void set_host(const char *id)
{
	memcpy(data(), id, 16);
	CHECK(!exec_admin(&e, NVMQ_ADMIN_SET_FEATURES, 0, NVMQ_FEAT_HOST_ID, 1, 16), "host");
}

static void start_resv(void)
{
	struct options opt;

	exec_options(&opt);
	opt.reservations = true;
	exec_start(&e, &opt);
	exec_admin(&e, NVMQ_ADMIN_IDENTIFY, 0, NVMQ_CNS_CONTROLLER, 0, 4096);
	CHECK(le16toh(((struct nvmq_id_ctrl *)data())->oncs) & NVMQ_ONCS_RESERVATIONS, "ONCS");
	set_host("this host.......");
}

#define CONFLICT	DNR(NVMQ_SC_RESERVATION_CONFLICT)
#define REG		NVMQ_IO_RESV_REGISTER
#define ACQ		NVMQ_IO_RESV_ACQUIRE
#define REL		NVMQ_IO_RESV_RELEASE

static void check_access(const char *who, unsigned int type, bool read, bool write)
{
	static const uint8_t writes[] = {
		NVMQ_IO_WRITE_ZEROES, NVMQ_IO_WRITE_UNCORRECTABLE, NVMQ_IO_FLUSH,
	};
	uint64_t from = 9;
	uint32_t one = 1;
	unsigned int i;
	int status;

	status = write_fill(8, 2, 1, 0);
	CHECK(status == (write ? 0 : CONFLICT), "%s, type %u, write: %#x", who, type, status);
	for (i = 0; i < sizeof(writes); i++) {
		status = exec_io(&e, writes[i], 1, 0, 1, 0, 0);
		CHECK(status == (write ? 0 : CONFLICT), "%s, type %u, command %#x: %#x", who, type,
		      writes[i], status);
	}
	status = run_dsm(5, 1);
	CHECK(status == (write ? 0 : CONFLICT), "%s, type %u, DSM: %#x", who, type, status);
	status = exec_io(&e, NVMQ_IO_READ, 1, 5, 1, 0, 512);
	CHECK(status == (read ? 0 : CONFLICT), "%s, type %u, read: %#x", who, type, status);
	status = exec_io(&e, NVMQ_IO_VERIFY, 1, 5, 1, 0, 0);
	CHECK(status == (read ? 0 : CONFLICT), "%s, type %u, verify: %#x", who, type, status);
	status = run_copy(6, &from, &one, 1);
	CHECK(status == (read && write ? 0 : CONFLICT), "%s, type %u, copy: %#x", who, type,
	      status);
	CHECK(!exec_admin(&e, NVMQ_ADMIN_FORMAT_NVM, 1, 0, 0, 0) == write, "%s, type %u, format",
	      who, type);
}

static void test_resv_access(void)
{
	unsigned int type;

	for (type = 1; type <= 6; type++) {
		start_resv();
		CHECK(!resv_foreign(e.ctrl, 1, (uint8_t)type, 77), "another host, type %u", type);
		check_access("stranger", type, type & 1, false);
		CHECK(!run_resv(REG, NVMQ_RESV_REGISTER, 0, 5), "register");
		check_access("registrant", type, type != 2, type >= 3);
		CHECK(run_resv(ACQ, type << 8, 5, 0) == (type >= 5 ? 0 : CONFLICT), "type %u",
		      type);
		CHECK(!resv_foreign(e.ctrl, 1, 0, 77), "the other host goes");
		/* Who is left of all registrants holds it. */
		CHECK(ns1()->resv.type == (type >= 5 ? type : 0), "type %u, then %u", type,
		      ns1()->resv.type);
		check_access("last", type, true, true);
		CHECK(!run_resv(ACQ, type << 8, 5, 0), "acquire type %u", type);
		check_access("holder", type, true, true);
		CHECK(exec_clean(&e), "violations");
		exec_stop(&e);
	}
}

static void test_resv_commands(void)
{
	struct nvmq_resv_status_ext *report;
	struct nvmq_resv_entry_ext *entry;

	start_resv();
	report = (void *)data();
	entry = (void *)(report + 1);
	CHECK(run_resv(ACQ, 1 << 8, 5, 0) == CONFLICT, "acquire without a registration");
	CHECK(run_resv(REL, 1 << 8, 5, 0) == CONFLICT, "release without a registration");
	CHECK(run_resv(REG, NVMQ_RESV_UNREGISTER, 5, 0) == CONFLICT, "unregister without one");
	CHECK(run_resv(REG, NVMQ_RESV_REPLACE, 5, 6) == CONFLICT, "replace without one");
	CHECK(!run_resv(REG, NVMQ_RESV_REGISTER, 0, 5), "register");
	CHECK(!run_resv(REG, NVMQ_RESV_REGISTER, 0, 5), "with the same key");
	CHECK(run_resv(REG, NVMQ_RESV_REGISTER, 0, 6) == CONFLICT, "with another key");
	CHECK(run_resv(REG, NVMQ_RESV_REPLACE, 4, 6) == CONFLICT, "with a wrong key");
	CHECK(!run_resv(REG, NVMQ_RESV_REPLACE | NVMQ_RESV_IGNORE_KEY, 4, 6), "ignored");
	CHECK(run_resv(REG, 3, 6, 6) == DNR(NVMQ_SC_INVALID_FIELD), "action 3");
	CHECK(run_resv(ACQ, 1 << 8, 5, 0) == CONFLICT, "acquire with a wrong key");
	CHECK(run_resv(ACQ, 0, 6, 0) == DNR(NVMQ_SC_INVALID_FIELD), "type 0");
	CHECK(run_resv(ACQ, 7 << 8, 6, 0) == DNR(NVMQ_SC_INVALID_FIELD), "type 7");
	CHECK(run_resv(ACQ, 1 << 8 | NVMQ_RESV_IGNORE_KEY, 6, 0) == DNR(NVMQ_SC_INVALID_FIELD),
	      "IEKEY");
	CHECK(!run_resv(REL, 1 << 8, 6, 0), "release what is not held");
	CHECK(!run_resv(ACQ, 1 << 8, 6, 0), "acquire");
	CHECK(!run_resv(ACQ, 1 << 8, 6, 0), "again");
	CHECK(run_resv(ACQ, 2 << 8, 6, 0) == CONFLICT, "another type");
	CHECK(!run_resv(NVMQ_IO_RESV_REPORT, 191, 0, 0), "report");
	CHECK(report->rtype == 1 && report->regctl[0] == 1 && !report->ptpls &&
	      entry->rcsts == 1 && le64toh(entry->rkey) == 6 &&
	      !memcmp(entry->hostid, "this host.......", 16) && !entry[1].rkey,
	      "type %u, %u registrants", report->rtype, report->regctl[0]);
	CHECK(le16toh(entry->cntlid) == 1, "controller %u", le16toh(entry->cntlid));
	CHECK(le32toh(report->gen) == 3, "generation %u", le32toh(report->gen));
	CHECK(data()[768] == 0xff, "more than asked for");
	CHECK(run_resv(REL, 1 << 8, 5, 0) == CONFLICT, "release with a wrong key");
	CHECK(run_resv(REL, 2 << 8, 6, 0) == DNR(NVMQ_SC_INVALID_FIELD), "release another type");
	CHECK(!run_resv(REL, 1 << 8, 6, 0) && !ns1()->resv.type, "release");
	CHECK(!run_resv(ACQ, 1 << 8, 6, 0), "acquire");
	CHECK(!run_resv(REG, NVMQ_RESV_UNREGISTER, 6, 0) && !ns1()->resv.type, "unregister");
	/* Another host holds it: take it away, then clear everything. */
	CHECK(!resv_foreign(e.ctrl, 1, 2, 77), "another host");
	CHECK(!run_resv(REG, NVMQ_RESV_REGISTER, 0, 5), "register");
	CHECK(run_resv(ACQ, 1 << 8 | NVMQ_RESV_PREEMPT, 5, 78) == CONFLICT, "preempt nobody");
	CHECK(!run_resv(ACQ, 1 << 8 | NVMQ_RESV_PREEMPT, 5, 77), "preempt");
	CHECK(!run_resv(NVMQ_IO_RESV_REPORT, 191, 0, 0) && report->rtype == 1 &&
	      report->regctl[0] == 1 && entry->rcsts == 1, "type %u, %u registrants",
	      report->rtype, report->regctl[0]);
	/* One that all registrants hold is taken from all others. */
	CHECK(!resv_foreign(e.ctrl, 1, 5, 77), "another host");
	CHECK(!run_resv(REG, NVMQ_RESV_REGISTER, 0, 5), "register");
	CHECK(!run_resv(ACQ, 2 << 8 | NVMQ_RESV_PREEMPT_AND_ABORT, 5, 0), "preempt all");
	CHECK(!run_resv(NVMQ_IO_RESV_REPORT, 191, 0, 0) && report->rtype == 2 &&
	      report->regctl[0] == 1 && le64toh(entry->rkey) == 5, "type %u, %u registrants",
	      report->rtype, report->regctl[0]);
	/* To preempt who does not hold it is to unregister. */
	set_host("a third host....");
	CHECK(!run_resv(REG, NVMQ_RESV_REGISTER, 0, 9), "register");
	set_host("this host.......");
	CHECK(!run_resv(ACQ, 1 << 8 | NVMQ_RESV_PREEMPT, 5, 9), "preempt the third");
	CHECK(!run_resv(NVMQ_IO_RESV_REPORT, 191, 0, 0) && report->rtype == 2 &&
	      report->regctl[0] == 1 && entry->rcsts == 1, "type %u, %u registrants",
	      report->rtype, report->regctl[0]);
	CHECK(!run_resv(REL, NVMQ_RESV_CLEAR, 5, 0), "clear");
	CHECK(!run_resv(NVMQ_IO_RESV_REPORT, 191, 0, 0) && !report->rtype && !report->regctl[0],
	      "cleared");
	CHECK(exec_clean(&e), "violations");
	exec_stop(&e);
}

/* A power cut ends a reservation, unless it is to persist. */
static void test_resv_power(void)
{
	unsigned int persist;

	for (persist = 0; persist < 2; persist++) {
		start_resv();
		CHECK(!run_resv(REG, NVMQ_RESV_REGISTER | (persist ? 3u : 2u) << 30, 0, 5),
		      "register");
		CHECK(!run_resv(ACQ, 2 << 8, 5, 0), "acquire");
		CHECK(!exec_admin(&e, NVMQ_ADMIN_GET_FEATURES, 1, NVMQ_FEAT_RESV_PERSIST, 0, 0) &&
		      e.cmd.dw0 == persist, "feature 83h: %u", e.cmd.dw0);
		nss_power_cut(e.ctrl->nss, 0);
		CHECK(ns1()->resv.type == (persist ? 2 : 0), "type %u", ns1()->resv.type);
		exec_stop(&e);
	}
}

/* Who loses something is told, once for each thing, unless it does not want to know. */
static void test_resv_notes(void)
{
	struct nvmq_log_reservation *note;

	start_resv();
	note = (void *)data();
	CHECK(!run_resv(REG, NVMQ_RESV_REGISTER, 0, 5) && !run_resv(ACQ, 1 << 8, 5, 0), "acquire");
	CHECK(!resv_foreign(e.ctrl, 1, 3, 77), "preempted");
	CHECK(e.ctrl->nr_queued == 1 && e.ctrl->queue_of_events[0].type == NVMQ_EVENT_IO_SPECIFIC &&
	      e.ctrl->queue_of_events[0].log == NVMQ_LOG_RESERVATION, "no event");
	CHECK(!run_resv(REG, NVMQ_RESV_REGISTER, 0, 6), "register");
	CHECK(!resv_foreign(e.ctrl, 1, 0, 77), "released");
	CHECK(!exec_admin(&e, NVMQ_ADMIN_GET_LOG_PAGE, 0, NVMQ_LOG_RESERVATION | 15 << 16, 0, 64),
	      "log page");
	CHECK(note->type == NVMQ_RESV_NOTE_UNREGISTERED && note->available == 1 &&
	      le64toh(note->count) == 1 && le32toh(note->nsid) == 1, "type %u", note->type);
	CHECK(!exec_admin(&e, NVMQ_ADMIN_GET_LOG_PAGE, 0, NVMQ_LOG_RESERVATION | 15 << 16, 0, 64) &&
	      note->type == NVMQ_RESV_NOTE_RELEASED && !note->available, "type %u", note->type);
	CHECK(!exec_admin(&e, NVMQ_ADMIN_GET_LOG_PAGE, 0, NVMQ_LOG_RESERVATION | 15 << 16, 0, 64) &&
	      !note->type && !note->count, "type %u", note->type);
	/* Not of what it did itself, nor of a reservation that was not for registrants. */
	CHECK(!run_resv(ACQ, 3 << 8, 6, 0) && !run_resv(REL, 3 << 8, 6, 0), "release");
	CHECK(!resv_foreign(e.ctrl, 1, 1, 77) && !resv_foreign(e.ctrl, 1, 0, 77), "type 1");
	CHECK(!exec_admin(&e, NVMQ_ADMIN_GET_LOG_PAGE, 0, NVMQ_LOG_RESERVATION | 15 << 16, 0, 64) &&
	      !note->type, "type %u", note->type);
	CHECK(!exec_admin(&e, NVMQ_ADMIN_SET_FEATURES, 1, NVMQ_FEAT_RESV_NOTIFY, 0xe, 0), "mask");
	CHECK(!resv_foreign(e.ctrl, 1, 3, 77) && !resv_foreign(e.ctrl, 1, 0, 77), "another host");
	CHECK(!exec_admin(&e, NVMQ_ADMIN_GET_LOG_PAGE, 0, NVMQ_LOG_RESERVATION | 15 << 16, 0, 64) &&
	      !note->type, "masked, type %u", note->type);
	CHECK(exec_clean(&e), "violations");
	exec_stop(&e);
	start(512, 0, false);
	CHECK(resv_foreign(e.ctrl, 1, 3, 77) < 0, "without reservations");
	exec_stop(&e);
}

/*
 * Commands of a host gone mad: small numbers, large ones, and now and then what makes sense.
 * Nothing breaks (sanitizers look on), the device keeps its word about what it stored, and its
 * books are right.
 */
static uint32_t mad(void)
{
	switch (rnd() % 6) {
	case 0:
		return 0;
	case 1:
		return (uint32_t)(rnd() % 8);
	case 2:
		return (uint32_t)(rnd() % 4096);
	case 3:
		return 1u << rnd() % 32;
	case 4:
		return UINT32_MAX - (uint32_t)(rnd() % 3);
	default:
		return (uint32_t)rnd();
	}
}

/* True if it succeeded. */
static bool mad_command(void)
{
	static const uint8_t io[] = { 0, 1, 2, 4, 5, 8, 9, 12, 13, 14, 17, 21, 25 };
	static const uint8_t admin[] = { 2, 6, 9, 10, 13, 20, 21, 128, 6, 9, 10 };
	unsigned int qid = rnd() % 4 != 0;
	struct nvmq_sqe sqe = {
		.opcode = qid ? io[rnd() % sizeof(io)] : admin[rnd() % sizeof(admin)],
		.nsid = htole32(rnd() % 8 ? 1 + (uint32_t)(rnd() % 3) : mad()),
		.cdw10 = htole32(mad()), .cdw11 = htole32(rnd() % 4 ? 0 : mad()),
		.cdw12 = htole32(rnd() % 4 ? mad() & 0xf : mad()),
		.cdw13 = htole32(rnd() % 4 ? 0 : mad()), .cdw14 = htole32(rnd() % 4 ? 0 : mad()),
		.mptr = htole64(rnd() % 2 ? EXEC_META : mad()),
	};
	unsigned int i;

	for (i = 0; i < 512; i++)
		((uint32_t *)data())[i] = mad();
	if (rnd() % 4)
		exec_prps(&e, &sqe, EXEC_DATA + (rnd() % 2 ? 0 : mad() % 8192), 65536);
	else
		sqe.prp1 = htole64(mad());
	/* To take everything away each few commands would leave nothing to look at. */
	if (!qid && sqe.opcode == NVMQ_ADMIN_NS_MANAGEMENT && rnd() % 8)
		sqe.cdw10 = htole32(NVMQ_NS_CREATE);
	return !exec_run(&e, qid, &sqe);
}

static void test_mad_host(void)
{
	uint64_t used;
	unsigned int round, i, done = 0;
	struct options opt;
	struct nss *nss;

	for (round = 0; round < 6; round++) {
		exec_options(&opt);
		opt.reservations = round & 1;
		opt.ana = round & 2;
		opt.dlfeat = round;
		opt.nr_ns = 3;
		opt.ns[1] = (struct ns_options){ .size = 1 << 20, .lba = 4096, .meta = 8 };
		opt.ns[2] = (struct ns_options){
			.size = 1 << 20, .lba = 512, .meta = 64, .extended = true,
		};
		exec_start(&e, &opt);
		nss = e.ctrl->nss;
		for (i = 0; i < 3000; i++) {
			done += mad_command();
			if (rnd() % 64 == 0)
				nss_power_cut(nss, rnd());
			if (rnd() % 64 == 0)
				features_reset(e.ctrl);
			e.ctrl->nr_queued = 0;
		}
		CHECK(!judge_count(e.judge, RULE_DEVICE_BUG), "%lu blocks are not as written",
		      judge_count(e.judge, RULE_DEVICE_BUG));
		for (i = 0, used = 0; i < NS_MAX; i++)
			used += nss->ns[i].blocks << nss->ns[i].block_shift;
		CHECK(used == nss->used && used <= nss->capacity, "%llu used, %llu in the books",
		      (unsigned long long)used, (unsigned long long)nss->used);
		exec_stop(&e);
	}
	/* Commands that are all refused would prove nothing. */
	CHECK(done > 2000, "%u of 18000 commands succeeded", done);
}

int main(void)
{
	TAP_RUN(test_contents);
	TAP_RUN(test_ranges);
	TAP_RUN(test_namespaces);
	TAP_RUN(test_cache);
	TAP_RUN(test_no_cache);
	TAP_RUN(test_flush_all);
	TAP_RUN(test_holes);
	TAP_RUN(test_dulbe);
	TAP_RUN(test_write_protect);
	TAP_RUN(test_limits);
	TAP_RUN(test_opcodes);
	TAP_RUN(test_metadata_pointer);
	TAP_RUN(test_unmapped);
	TAP_RUN(test_oracle);
	TAP_RUN(test_counters);
	TAP_RUN(test_ana);
	TAP_RUN(test_data_len);
	TAP_RUN(test_mad_host);
	TAP_RUN(test_resv_access);
	TAP_RUN(test_resv_commands);
	TAP_RUN(test_resv_power);
	TAP_RUN(test_resv_notes);
	return tap_done();
}
