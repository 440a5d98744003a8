/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Facts of the NVM Express specifications: registers, queue entries, Identify
 * data, status codes.
 *
 * Shared by the driver, the tools and the tests, in the kernel and in user
 * space.  Section numbers are those of the NVM Express Base Specification 2.0
 * ("base"), the NVM Command Set Specification 1.0 ("nvm") and the PCIe
 * Transport Specification 1.0 ("pcie").  All multi-byte fields are little
 * endian, as the wire has them.
 */
#ifndef NVMQ_SPEC_H
#define NVMQ_SPEC_H

#include <linux/types.h>

#ifdef __KERNEL__
#include <linux/build_bug.h>
#else
#include <assert.h>
#endif

/* Every memory page of the controller is 4 KiB here: CC.MPS is always 0. */
#define NVMQ_PAGE_SHIFT		12
#define NVMQ_PAGE_SIZE		(1u << NVMQ_PAGE_SHIFT)
#define NVMQ_PAGE_MASK		(NVMQ_PAGE_SIZE - 1)

/* Controller registers, offsets into BAR 0 (base 3.1.3). */
#define NVMQ_REG_CAP		0x00	/* Controller Capabilities, 64 bits */
#define NVMQ_REG_VS		0x08	/* Version */
#define NVMQ_REG_INTMS		0x0c	/* Interrupt Mask Set */
#define NVMQ_REG_INTMC		0x10	/* Interrupt Mask Clear */
#define NVMQ_REG_CC		0x14	/* Controller Configuration */
#define NVMQ_REG_CSTS		0x1c	/* Controller Status */
#define NVMQ_REG_NSSR		0x20	/* NVM Subsystem Reset */
#define NVMQ_REG_AQA		0x24	/* Admin Queue Attributes */
#define NVMQ_REG_ASQ		0x28	/* Admin SQ Base Address, 64 bits */
#define NVMQ_REG_ACQ		0x30	/* Admin CQ Base Address, 64 bits */
#define NVMQ_REG_CRTO		0x68	/* Controller Ready Timeouts */
#define NVMQ_REG_DOORBELLS	0x1000	/* pcie 3.1.2 */

/* CAP, base 3.1.3.1 */
#define NVMQ_CAP_MQES(cap)	((__u32)((cap) & 0xffff))	/* 0's based */
#define NVMQ_CAP_TO(cap)	((__u32)(((cap) >> 24) & 0xff))	/* 500 ms */
#define NVMQ_CAP_DSTRD(cap)	((__u32)(((cap) >> 32) & 0xf))
#define NVMQ_CAP_CSS(cap)	((__u32)(((cap) >> 37) & 0xff))
#define NVMQ_CAP_MPSMIN(cap)	((__u32)(((cap) >> 48) & 0xf))	/* 2^(12+n) */
#define NVMQ_CAP_CRMS(cap)	((__u32)(((cap) >> 59) & 0x3))
#define NVMQ_CAP_CSS_NVM	0x01
#define NVMQ_CAP_CSS_IOCS	0x40	/* one or more I/O command sets */
#define NVMQ_CAP_CSS_NOIO	0x80	/* admin command set only */
#define NVMQ_CAP_CRMS_CRWMS	0x1	/* Ready With Media, CRTO.CRWMT counts */

#define NVMQ_VS(major, minor)	(((__u32)(major) << 16) | ((__u32)(minor) << 8))

/* CC, base 3.1.3.5 */
#define NVMQ_CC_EN		0x1u
#define NVMQ_CC_CSS_NVM		(0x0u << 4)
#define NVMQ_CC_CSS_IOCS	(0x6u << 4)
#define NVMQ_CC_CSS_ADMIN	(0x7u << 4)
#define NVMQ_CC_SHN_MASK	(0x3u << 14)
#define NVMQ_CC_SHN_NORMAL	(0x1u << 14)
#define NVMQ_CC_IOSQES		(6u << 16)	/* 64 byte entries */
#define NVMQ_CC_IOCQES		(4u << 20)	/* 16 byte entries */

/* CSTS, base 3.1.3.6 */
#define NVMQ_CSTS_RDY		0x1u
#define NVMQ_CSTS_CFS		0x2u
#define NVMQ_CSTS_SHST_MASK	(0x3u << 2)
#define NVMQ_CSTS_SHST_DONE	(0x2u << 2)

/* CRTO, base 3.1.3.23: units of 500 ms */
#define NVMQ_CRTO_CRWMT(crto)	((__u32)((crto) & 0xffff))

/* Common Command Format, base 3.3.3.1 */
struct nvmq_sqe {
	__u8	opcode;
	__u8	flags;			/* FUSE, PSDT */
	__le16	cid;
	__le32	nsid;
	__le32	cdw2;
	__le32	cdw3;
	__le64	mptr;
	__le64	prp1;
	__le64	prp2;
	__le32	cdw10;
	__le32	cdw11;
	__le32	cdw12;
	__le32	cdw13;
	__le32	cdw14;
	__le32	cdw15;
};

static_assert(sizeof(struct nvmq_sqe) == 64, "an SQE is 64 bytes");

/*
 * SQE flags, PSDT (base figure 87): the data pointer is an SGL segment.  A Data
 * Block descriptor (base figure 118) has an address where PRP1 is, and where
 * PRP2 is the length in the low half and zeroes in the high one.
 */
#define NVMQ_SQE_SGL		0x40

/* Common Completion Queue Entry, base 3.3.3.2 */
struct nvmq_cqe {
	__le32	dw0;			/* command specific */
	__le32	dw1;
	__le16	sqhd;
	__le16	sqid;
	__le16	cid;
	__le16	status;			/* bit 0: phase tag; 15:1 status field */
};

static_assert(sizeof(struct nvmq_cqe) == 16, "a CQE is 16 bytes");

#define NVMQ_CQE_PHASE		0x1

/*
 * Status field without the phase tag (base 3.3.3.2.1): SC in bits 7:0, SCT in
 * bits 10:8, CRD in bits 12:11, M in bit 13, DNR in bit 14.
 */
#define NVMQ_SC(sct, sc)	(((sct) << 8) | (sc))
#define NVMQ_SC_MASK		0x07ff
#define NVMQ_STATUS_CRD(status)	(((status) >> 11) & 0x3)
#define NVMQ_STATUS_DNR		0x4000

enum nvmq_status_code {
	/* generic, base figure 94 and nvm figure 6 */
	NVMQ_SC_SUCCESS			= 0x000,
	NVMQ_SC_INVALID_OPCODE		= 0x001,
	NVMQ_SC_INVALID_FIELD		= 0x002,
	NVMQ_SC_CID_CONFLICT		= 0x003,
	NVMQ_SC_DATA_TRANSFER		= 0x004,
	NVMQ_SC_POWER_LOSS		= 0x005,
	NVMQ_SC_INTERNAL		= 0x006,
	NVMQ_SC_ABORT_REQUESTED		= 0x007,
	NVMQ_SC_ABORT_SQ_DELETED	= 0x008,
	NVMQ_SC_INVALID_NAMESPACE	= 0x00b,
	NVMQ_SC_COMMAND_SEQUENCE	= 0x00c,
	NVMQ_SC_SANITIZE_FAILED		= 0x01c,
	NVMQ_SC_SANITIZE_IN_PROGRESS	= 0x01d,
	NVMQ_SC_NS_WRITE_PROTECTED	= 0x020,
	NVMQ_SC_COMMAND_INTERRUPTED	= 0x021,
	NVMQ_SC_TRANSIENT_TRANSPORT	= 0x022,
	NVMQ_SC_LBA_RANGE		= 0x080,
	NVMQ_SC_CAPACITY_EXCEEDED	= 0x081,
	NVMQ_SC_NS_NOT_READY		= 0x082,
	NVMQ_SC_RESERVATION_CONFLICT	= 0x083,
	NVMQ_SC_FORMAT_IN_PROGRESS	= 0x084,
	/* command specific, base figure 95 */
	NVMQ_SC_CQ_INVALID		= 0x100,
	NVMQ_SC_QID_INVALID		= 0x101,
	NVMQ_SC_QUEUE_SIZE		= 0x102,
	NVMQ_SC_ABORT_LIMIT		= 0x103,
	NVMQ_SC_EVENT_LIMIT		= 0x105,
	NVMQ_SC_INVALID_VECTOR		= 0x108,
	NVMQ_SC_FEATURE_NOT_SAVEABLE	= 0x10d,
	NVMQ_SC_CONFLICTING_ATTRIBUTES	= 0x180,
	NVMQ_SC_INVALID_PI		= 0x181,
	NVMQ_SC_READ_ONLY_RANGE		= 0x182,
	/* media and data integrity, base figure 96 and nvm figure 8 */
	NVMQ_SC_WRITE_FAULT		= 0x280,
	NVMQ_SC_UNRECOVERED_READ	= 0x281,
	NVMQ_SC_GUARD_CHECK		= 0x282,
	NVMQ_SC_APPTAG_CHECK		= 0x283,
	NVMQ_SC_REFTAG_CHECK		= 0x284,
	NVMQ_SC_COMPARE_FAILED		= 0x285,
	NVMQ_SC_ACCESS_DENIED		= 0x286,
	NVMQ_SC_UNWRITTEN_BLOCK		= 0x287,
	/* path related, base figure 97; made by the host itself */
	NVMQ_SC_HOST_PATHING		= 0x370,
	NVMQ_SC_HOST_ABORTED		= 0x371,
};

/* Admin commands, base figure 138 */
enum nvmq_admin_opcode {
	NVMQ_ADMIN_DELETE_SQ		= 0x00,
	NVMQ_ADMIN_CREATE_SQ		= 0x01,
	NVMQ_ADMIN_DELETE_CQ		= 0x04,
	NVMQ_ADMIN_CREATE_CQ		= 0x05,
	NVMQ_ADMIN_IDENTIFY		= 0x06,
	NVMQ_ADMIN_SET_FEATURES		= 0x09,
};

/* NVM command set, nvm figure 14; Flush is of the base specification */
enum nvmq_io_opcode {
	NVMQ_IO_FLUSH			= 0x00,
	NVMQ_IO_WRITE			= 0x01,
	NVMQ_IO_READ			= 0x02,
	NVMQ_IO_WRITE_ZEROES		= 0x08,
	NVMQ_IO_DSM			= 0x09,
};

/* Read and Write, cdw12 (nvm 3.2.4, 3.2.6) */
#define NVMQ_RW_FUA		(1u << 30)
#define NVMQ_RW_LIMITED_RETRY	(1u << 31)
/* cdw13: dataset management hint, access frequency "speculative read" */
#define NVMQ_RW_DSM_PREFETCH	7u
/* Write Zeroes, cdw12 (nvm 3.2.8) */
#define NVMQ_WZ_DEALLOCATE	(1u << 25)
#define NVMQ_NLB_MAX		65536u		/* NLB is 16 bits, 0's based */

/* Dataset Management (nvm 3.2.3): cdw10 = ranges - 1, cdw11 = attributes */
#define NVMQ_DSM_ATTR_DEALLOCATE 0x4u
#define NVMQ_DSM_RANGES_MAX	256u

struct nvmq_dsm_range {
	__le32	attributes;
	__le32	nlb;			/* NOT 0's based, unlike Read and Write */
	__le64	slba;
};

static_assert(sizeof(struct nvmq_dsm_range) * NVMQ_DSM_RANGES_MAX == 4096,
	      "a full range list is one page");

/* Create I/O Completion/Submission Queue, base 5.4 and 5.5: cdw11 */
#define NVMQ_QUEUE_CONTIGUOUS	(1u << 0)
#define NVMQ_CQ_INTERRUPTS	(1u << 1)

/* Features, base figure 317 */
#define NVMQ_FEAT_QUEUE_COUNT	0x07

/* Identify, base 5.17: CNS values */
enum nvmq_identify_cns {
	NVMQ_CNS_NAMESPACE		= 0x00,
	NVMQ_CNS_CONTROLLER		= 0x01,
	NVMQ_CNS_ACTIVE_LIST		= 0x02,
	NVMQ_CNS_DESCRIPTORS		= 0x03,
	NVMQ_CNS_CONTROLLER_CSS		= 0x06,
};

#define NVMQ_IDENTIFY_SIZE	4096u
#define NVMQ_ACTIVE_LIST_LEN	1024u
#define NVMQ_NSID_MAX		0xfffffffeu	/* 0xffffffff is broadcast */

/* Identify Controller, base figure 276 */
struct nvmq_id_ctrl {
	__le16	vid;
	__le16	ssvid;
	char	sn[20];
	char	mn[40];
	char	fr[8];
	__u8	rab;
	__u8	ieee[3];
	__u8	cmic;
	__u8	mdts;			/* 2^n pages of 2^(12 + MPSMIN); 0 = none */
	__le16	cntlid;
	__le32	ver;
	__le32	rtd3r;
	__le32	rtd3e;			/* microseconds */
	__le32	oaes;
	__le32	ctratt;
	__u8	rsvd100[156];
	__le16	oacs;
	__u8	acl;
	__u8	aerl;
	__u8	frmw;
	__u8	lpa;
	__u8	elpe;
	__u8	npss;
	__u8	avscc;
	__u8	apsta;
	__le16	wctemp;
	__le16	cctemp;
	__u8	rsvd270[242];
	__u8	sqes;			/* 3:0 required, 7:4 maximum, 2^n bytes */
	__u8	cqes;
	__le16	maxcmd;
	__le32	nn;
	__le16	oncs;
	__le16	fuses;
	__u8	fna;
	__u8	vwc;
	__le16	awun;
	__le16	awupf;
	__u8	icsvscc;
	__u8	nwpc;
	__le16	acwu;
	__le16	rsvd534;
	__le32	sgls;
	__le32	mnan;
	__u8	rsvd544[224];
	char	subnqn[256];
	__u8	rsvd1024[3072];
};

static_assert(sizeof(struct nvmq_id_ctrl) == 4096, "Identify Controller");
static_assert(__builtin_offsetof(struct nvmq_id_ctrl, oacs) == 256, "OACS");
static_assert(__builtin_offsetof(struct nvmq_id_ctrl, sqes) == 512, "SQES");
static_assert(__builtin_offsetof(struct nvmq_id_ctrl, vwc) == 525, "VWC");
static_assert(__builtin_offsetof(struct nvmq_id_ctrl, subnqn) == 768, "SUBNQN");

#define NVMQ_ONCS_DSM		(1u << 2)
#define NVMQ_ONCS_WRITE_ZEROES	(1u << 3)
#define NVMQ_VWC_PRESENT	0x1
#define NVMQ_SGLS_MASK		0x3	/* 0: no SGLs; 1: any; 2: dword aligned */
#define NVMQ_SGLS_RESERVED	0x3

/* I/O Command Set specific Identify Controller, nvm figure 105 */
struct nvmq_id_ctrl_nvm {
	__u8	vsl;
	__u8	wzsl;			/* like MDTS, for Write Zeroes */
	__u8	wusl;
	__u8	dmrl;			/* ranges */
	__le32	dmrsl;			/* logical blocks in one range */
	__le64	dmsl;			/* logical blocks in all ranges */
	__u8	rsvd16[4080];
};

static_assert(sizeof(struct nvmq_id_ctrl_nvm) == 4096, "Identify Controller, NVM");

/* LBA Format, nvm figure 98 */
struct nvmq_lbaf {
	__le16	ms;			/* metadata bytes */
	__u8	lbads;			/* 2^n bytes; 0: not available */
	__u8	rp;
};

/* Identify Namespace, nvm figure 97 */
struct nvmq_id_ns {
	__le64	nsze;
	__le64	ncap;
	__le64	nuse;
	__u8	nsfeat;
	__u8	nlbaf;			/* 0's based */
	__u8	flbas;			/* 3:0 low bits, 6:5 high bits, 4 extended */
	__u8	mc;
	__u8	dpc;
	__u8	dps;
	__u8	nmic;
	__u8	rescap;
	__u8	fpi;
	__u8	dlfeat;
	__le16	nawun;
	__le16	nawupf;
	__le16	nacwu;
	__le16	nabsn;
	__le16	nabo;
	__le16	nabspf;
	__le16	noiob;			/* logical blocks */
	__u8	nvmcap[16];
	__le16	npwg;			/* 0's based logical blocks, all of these */
	__le16	npwa;
	__le16	npdg;
	__le16	npda;
	__le16	nows;
	__le16	mssrl;
	__le32	mcl;
	__u8	msrc;
	__u8	rsvd81[11];
	__le32	anagrpid;
	__u8	rsvd96[3];
	__u8	nsattr;
	__le16	nvmsetid;
	__le16	endgid;
	__u8	nguid[16];
	__u8	eui64[8];
	struct nvmq_lbaf lbaf[64];
	__u8	vs[3712];
};

static_assert(sizeof(struct nvmq_id_ns) == 4096, "Identify Namespace");
static_assert(__builtin_offsetof(struct nvmq_id_ns, noiob) == 46, "NOIOB");
static_assert(__builtin_offsetof(struct nvmq_id_ns, anagrpid) == 92, "ANAGRPID");
static_assert(__builtin_offsetof(struct nvmq_id_ns, lbaf) == 128, "LBAF");

#define NVMQ_NSFEAT_NSABP	(1u << 1)	/* NAWUN to NACWU are defined */
#define NVMQ_NSFEAT_OPTPERF	(1u << 4)	/* NPWG to NOWS are defined */
#define NVMQ_NSATTR_WRITE_PROTECTED 0x1
#define NVMQ_DLFEAT_READ_MASK	0x7
#define NVMQ_DLFEAT_READ_ZEROES	0x1		/* deallocated blocks read 00h */
#define NVMQ_DLFEAT_WZ_DEAC	(1u << 3)
#define NVMQ_DPS_TYPE_MASK	0x7

/* Namespace Identification Descriptor, base figure 277 */
struct nvmq_ns_desc {
	__u8	nidt;
	__u8	nidl;
	__u8	rsvd2[2];
	__u8	nid[];
};

enum nvmq_nidt {
	NVMQ_NIDT_EUI64		= 1,
	NVMQ_NIDT_NGUID		= 2,
	NVMQ_NIDT_UUID		= 3,
	NVMQ_NIDT_CSI		= 4,
};

#define NVMQ_CSI_NVM		0x00

/**
 * nvmq_lbaf_index - which LBA format a namespace uses
 * @flbas: FLBAS of Identify Namespace
 *
 * Bits 3:0 are the low bits, bits 6:5 the high ones (nvm figure 97).
 *
 * Return: index into lbaf[] of Identify Namespace, 0 to 63.
 */
static inline unsigned int nvmq_lbaf_index(__u8 flbas)
{
	return (flbas & 0xf) | ((flbas >> 1) & 0x30);
}

#endif /* NVMQ_SPEC_H */
