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
#define NVMQ_REG_CMBLOC		0x38	/* Controller Memory Buffer, to CMBSWTP but BP* */
#define NVMQ_REG_CMBSZ		0x3c
#define NVMQ_REG_BPINFO		0x40	/* Boot Partitions, three */
#define NVMQ_REG_BPRSEL		0x44
#define NVMQ_REG_BPMBL		0x48	/* 64 bits */
#define NVMQ_REG_CMBMSC		0x50	/* 64 bits; the high half first */
#define NVMQ_REG_CMBSTS		0x58
#define NVMQ_REG_CMBEBS		0x5c
#define NVMQ_REG_CMBSWTP	0x60
#define NVMQ_REG_NSSD		0x64	/* NVM Subsystem Shutdown */
#define NVMQ_REG_CRTO		0x68	/* Controller Ready Timeouts */
#define NVMQ_REG_PMRCAP		0xe00	/* Persistent Memory Region, all PMR* */
#define NVMQ_REG_PMRCTL		0xe04
#define NVMQ_REG_PMRSTS		0xe08
#define NVMQ_REG_PMREBS		0xe0c
#define NVMQ_REG_PMRSWTP	0xe10
#define NVMQ_REG_PMRMSCL	0xe14
#define NVMQ_REG_PMRMSCU	0xe18
#define NVMQ_REG_DOORBELLS	0x1000	/* pcie 3.1.2 */

/* CAP, base 3.1.3.1 */
#define NVMQ_CAP_MQES(cap)	((__u32)((cap) & 0xffff))	/* 0's based */
#define NVMQ_CAP_AMS_WRR	(1ull << 17)	/* weighted round robin with urgent class */
#define NVMQ_CAP_TO(cap)	((__u32)(((cap) >> 24) & 0xff))	/* 500 ms */
#define NVMQ_CAP_DSTRD(cap)	((__u32)(((cap) >> 32) & 0xf))
#define NVMQ_CAP_NSSRS(cap)	((__u32)(((cap) >> 36) & 0x1))
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
#define NVMQ_CC_AMS_WRR		(0x1u << 11)
#define NVMQ_CC_SHN_MASK	(0x3u << 14)
#define NVMQ_CC_SHN_NORMAL	(0x1u << 14)
#define NVMQ_CC_IOSQES		(6u << 16)	/* 64 byte entries */
#define NVMQ_CC_IOCQES		(4u << 20)	/* 16 byte entries */

/* CSTS, base 3.1.3.6 */
#define NVMQ_CSTS_RDY		0x1u
#define NVMQ_CSTS_CFS		0x2u
#define NVMQ_CSTS_SHST_MASK	(0x3u << 2)
#define NVMQ_CSTS_SHST_DONE	(0x2u << 2)
#define NVMQ_CSTS_PP		(0x1u << 5)	/* processing paused */

/* NSSR, base 3.1.3.7: "NVMe" */
#define NVMQ_NSSR_RESET		0x4e564d65u

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
#define NVMQ_STATUS_MORE	0x2000	/* M: more in the Error Information log */
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
	NVMQ_SC_SGL_SEGMENT		= 0x00d,
	NVMQ_SC_SGL_COUNT		= 0x00e,
	NVMQ_SC_SGL_DATA_LENGTH		= 0x00f,
	NVMQ_SC_SGL_META_LENGTH		= 0x010,
	NVMQ_SC_SGL_TYPE		= 0x011,
	NVMQ_SC_PRP_OFFSET		= 0x013,
	NVMQ_SC_SGL_OFFSET		= 0x016,
	NVMQ_SC_HOST_ID_FORMAT		= 0x018,
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
	NVMQ_SC_INVALID_FW_SLOT		= 0x106,
	NVMQ_SC_INVALID_FW_IMAGE	= 0x107,
	NVMQ_SC_INVALID_VECTOR		= 0x108,
	NVMQ_SC_INVALID_LOG_PAGE	= 0x109,
	NVMQ_SC_INVALID_FORMAT		= 0x10a,
	NVMQ_SC_QUEUE_DELETION		= 0x10c,
	NVMQ_SC_FEATURE_NOT_SAVEABLE	= 0x10d,
	NVMQ_SC_FEATURE_NOT_CHANGEABLE	= 0x10e,
	NVMQ_SC_FEATURE_NOT_PER_NS	= 0x10f,
	NVMQ_SC_OVERLAPPING_RANGE	= 0x114,
	NVMQ_SC_NS_CAPACITY		= 0x115,
	NVMQ_SC_NSID_UNAVAILABLE	= 0x116,
	NVMQ_SC_NS_ALREADY_ATTACHED	= 0x118,
	NVMQ_SC_NS_PRIVATE		= 0x119,
	NVMQ_SC_NS_NOT_ATTACHED		= 0x11a,
	NVMQ_SC_NO_THIN_PROVISIONING	= 0x11b,
	NVMQ_SC_CTRL_LIST_INVALID	= 0x11c,
	NVMQ_SC_SELF_TEST_IN_PROGRESS	= 0x11d,
	NVMQ_SC_INVALID_CTRL_ID		= 0x11f,
	NVMQ_SC_ANA_GROUP_INVALID	= 0x124,
	NVMQ_SC_IOCS_NOT_SUPPORTED	= 0x129,
	NVMQ_SC_IOCS_NOT_ENABLED	= 0x12a,
	NVMQ_SC_IOCS_COMBINATION	= 0x12b,
	NVMQ_SC_IOCS_INVALID		= 0x12c,
	NVMQ_SC_CONFLICTING_ATTRIBUTES	= 0x180,
	NVMQ_SC_INVALID_PI		= 0x181,
	NVMQ_SC_READ_ONLY_RANGE		= 0x182,
	NVMQ_SC_COMMAND_SIZE		= 0x183,
	/* media and data integrity, base figure 96 and nvm figure 8 */
	NVMQ_SC_WRITE_FAULT		= 0x280,
	NVMQ_SC_UNRECOVERED_READ	= 0x281,
	NVMQ_SC_GUARD_CHECK		= 0x282,
	NVMQ_SC_APPTAG_CHECK		= 0x283,
	NVMQ_SC_REFTAG_CHECK		= 0x284,
	NVMQ_SC_COMPARE_FAILED		= 0x285,
	NVMQ_SC_ACCESS_DENIED		= 0x286,
	NVMQ_SC_UNWRITTEN_BLOCK		= 0x287,
	/* path related, base figure 97 */
	NVMQ_SC_PATH_INTERNAL		= 0x300,
	NVMQ_SC_ANA_PERSISTENT_LOSS	= 0x301,
	NVMQ_SC_ANA_INACCESSIBLE	= 0x302,
	NVMQ_SC_ANA_TRANSITION		= 0x303,
	/* made by the host itself */
	NVMQ_SC_HOST_PATHING		= 0x370,
	NVMQ_SC_HOST_ABORTED		= 0x371,
};

/* Admin commands, base figure 138 */
enum nvmq_admin_opcode {
	NVMQ_ADMIN_DELETE_SQ		= 0x00,
	NVMQ_ADMIN_CREATE_SQ		= 0x01,
	NVMQ_ADMIN_GET_LOG_PAGE		= 0x02,
	NVMQ_ADMIN_DELETE_CQ		= 0x04,
	NVMQ_ADMIN_CREATE_CQ		= 0x05,
	NVMQ_ADMIN_IDENTIFY		= 0x06,
	NVMQ_ADMIN_ABORT		= 0x08,
	NVMQ_ADMIN_SET_FEATURES		= 0x09,
	NVMQ_ADMIN_GET_FEATURES		= 0x0a,
	NVMQ_ADMIN_ASYNC_EVENT		= 0x0c,
	NVMQ_ADMIN_NS_MANAGEMENT	= 0x0d,
	NVMQ_ADMIN_FW_COMMIT		= 0x10,
	NVMQ_ADMIN_FW_DOWNLOAD		= 0x11,
	NVMQ_ADMIN_SELF_TEST		= 0x14,
	NVMQ_ADMIN_NS_ATTACHMENT	= 0x15,
	NVMQ_ADMIN_KEEP_ALIVE		= 0x18,
	NVMQ_ADMIN_DIRECTIVE_SEND	= 0x19,
	NVMQ_ADMIN_DIRECTIVE_RECEIVE	= 0x1a,
	NVMQ_ADMIN_DOORBELL_BUFFER	= 0x7c,
	NVMQ_ADMIN_FORMAT_NVM		= 0x80,
	NVMQ_ADMIN_SECURITY_SEND	= 0x81,
	NVMQ_ADMIN_SECURITY_RECEIVE	= 0x82,
	NVMQ_ADMIN_SANITIZE		= 0x84,
	NVMQ_ADMIN_GET_LBA_STATUS	= 0x86,
	NVMQ_ADMIN_VENDOR		= 0xc0,		/* and up */
};

/* Bits 1:0 of any opcode: which way data goes (base 3.3.3.1) */
#define NVMQ_OPCODE_TO_DEVICE	0x1
#define NVMQ_OPCODE_FROM_DEVICE	0x2

/* NVM command set, nvm figure 14; Flush is of the base specification */
enum nvmq_io_opcode {
	NVMQ_IO_FLUSH			= 0x00,
	NVMQ_IO_WRITE			= 0x01,
	NVMQ_IO_READ			= 0x02,
	NVMQ_IO_WRITE_UNCORRECTABLE	= 0x04,
	NVMQ_IO_COMPARE			= 0x05,
	NVMQ_IO_WRITE_ZEROES		= 0x08,
	NVMQ_IO_DSM			= 0x09,
	NVMQ_IO_VERIFY			= 0x0c,
	NVMQ_IO_RESV_REGISTER		= 0x0d,
	NVMQ_IO_RESV_REPORT		= 0x0e,
	NVMQ_IO_RESV_ACQUIRE		= 0x11,
	NVMQ_IO_MGMT_RECEIVE		= 0x12,
	NVMQ_IO_RESV_RELEASE		= 0x15,
	NVMQ_IO_COPY			= 0x19,
	NVMQ_IO_VENDOR			= 0x80,		/* and up */
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

#define NVMQ_DSM_ATTR_MASK	0x7u		/* IDR, IDW, AD */

/* Copy (nvm 3.2.2): cdw12 7:0 = ranges - 1, 11:8 = format of the ranges */
#define NVMQ_COPY_NR(cdw12)	(((cdw12) & 0xff) + 1)
#define NVMQ_COPY_FORMAT(cdw12)	(((cdw12) >> 8) & 0xf)

struct nvmq_copy_range {		/* format 0h */
	__u8	rsvd0[8];
	__le64	slba;
	__le16	nlb;			/* 0's based */
	__u8	rsvd18[6];
	__le32	eilbrt;
	__le16	elbat;
	__le16	elbatm;
};

static_assert(sizeof(struct nvmq_copy_range) == 32, "Copy source range, format 0h");

/* Create I/O Completion/Submission Queue, base 5.4 and 5.5: cdw11 */
#define NVMQ_QUEUE_CONTIGUOUS	(1u << 0)
#define NVMQ_CQ_INTERRUPTS	(1u << 1)
#define NVMQ_SQ_QPRIO(prio)	((__u32)(prio) << 1)	/* urgent, high, medium, low */

/* Features, base figure 317 and nvm 4.1.3 */
#define NVMQ_FEAT_ARBITRATION	0x01
#define NVMQ_FEAT_POWER		0x02
#define NVMQ_FEAT_LBA_RANGE	0x03
#define NVMQ_FEAT_TEMPERATURE	0x04
#define NVMQ_FEAT_ERROR_RECOVERY 0x05
#define NVMQ_FEAT_WRITE_CACHE	0x06
#define NVMQ_FEAT_QUEUE_COUNT	0x07
#define NVMQ_FEAT_COALESCING	0x08
#define NVMQ_FEAT_VECTOR	0x09
#define NVMQ_FEAT_ATOMICITY	0x0a
#define NVMQ_FEAT_ASYNC_EVENT	0x0b
#define NVMQ_FEAT_APST		0x0c
#define NVMQ_FEAT_HOST_MEM	0x0d
#define NVMQ_FEAT_TIMESTAMP	0x0e
#define NVMQ_FEAT_KEEP_ALIVE	0x0f
#define NVMQ_FEAT_NOPSC		0x11
#define NVMQ_FEAT_HOST_BEHAVIOR	0x16
#define NVMQ_FEAT_IOCS_PROFILE	0x19
#define NVMQ_FEAT_PROGRESS	0x80
#define NVMQ_FEAT_HOST_ID	0x81
#define NVMQ_FEAT_RESV_NOTIFY	0x82
#define NVMQ_FEAT_RESV_PERSIST	0x83
#define NVMQ_FEAT_WRITE_PROTECT	0x84

/* Set Features cdw10, base 5.27: the value is to survive resets */
#define NVMQ_FEAT_SAVE		(1u << 31)

/* Get Features cdw10 10:8, base 5.15 */
enum nvmq_feat_select {
	NVMQ_FEAT_CURRENT		= 0,
	NVMQ_FEAT_DEFAULT		= 1,
	NVMQ_FEAT_SAVED			= 2,
	NVMQ_FEAT_SUPPORTED		= 3,
};

/* Get Features with "supported", dword 0 of the completion, base 5.15.1 */
#define NVMQ_FEAT_CAP_SAVEABLE	(1u << 0)
#define NVMQ_FEAT_CAP_PER_NS	(1u << 1)
#define NVMQ_FEAT_CAP_CHANGEABLE (1u << 2)

/* Values of features (cdw11), base 5.27.1 and nvm 4.1.3 */
#define NVMQ_ERROR_RECOVERY_DULBE (1u << 16)
#define NVMQ_WRITE_CACHE_ENABLE	(1u << 0)
#define NVMQ_COALESCING_THR(v)	((v) & 0xff)		/* 0's based */
#define NVMQ_COALESCING_TIME(v)	(((v) >> 8) & 0xff)	/* 100 us */
#define NVMQ_VECTOR_NO_COALESCING (1u << 16)
#define NVMQ_AEC_SMART		0xffu			/* warnings, as in SMART */
#define NVMQ_AEC_NS_ATTR	(1u << 8)
#define NVMQ_AEC_FW_ACTIVATION	(1u << 9)
#define NVMQ_AEC_ANA		(1u << 11)
#define NVMQ_ARBITRATION_BURST(v) ((v) & 0x7)		/* 2^n, 7: no limit */
#define NVMQ_ARBITRATION_LPW(v)	(((v) >> 8) & 0xff)	/* 0's based, all three */
#define NVMQ_ARBITRATION_MPW(v)	(((v) >> 16) & 0xff)
#define NVMQ_ARBITRATION_HPW(v)	(((v) >> 24) & 0xff)

enum nvmq_write_protect {
	NVMQ_WP_NONE			= 0,
	NVMQ_WP_PROTECT			= 1,
	NVMQ_WP_POWER_CYCLE		= 2,
	NVMQ_WP_PERMANENT		= 3,
};

/* LBA Range Type, nvm 4.1.3.1; up to 64 of these */
struct nvmq_lba_range {
	__u8	type;
	__u8	attributes;
	__u8	rsvd2[14];
	__le64	slba;
	__le64	nlb;			/* 0's based */
	__u8	guid[16];
	__u8	rsvd48[16];
};

static_assert(sizeof(struct nvmq_lba_range) == 64, "LBA Range Type");

/* Timestamp, base 5.27.1.11: milliseconds since 1970 in 48 bits */
struct nvmq_timestamp {
	__u8	ms[6];
	__u8	flags;			/* 0: stopped for a while; 3:1 origin */
	__u8	rsvd7;
};

static_assert(sizeof(struct nvmq_timestamp) == 8, "Timestamp");

#define NVMQ_TIMESTAMP_HOST	(1u << 1)	/* origin: set by the host */

/* Host Behavior Support, base 5.27.1.18 */
struct nvmq_host_behavior {
	__u8	acre;			/* Command Retry Delay may be non-zero */
	__u8	etdas;
	__u8	lbafee;			/* more than 16 LBA formats */
	__u8	hdisns;
	__le16	cdfe;			/* Copy formats 2 and up */
	__u8	rsvd6[506];
};

static_assert(sizeof(struct nvmq_host_behavior) == 512, "Host Behavior Support");

/* Asynchronous events, base 5.2.1: dword 0 is log page << 16 | info << 8 | type */
enum nvmq_event_type {
	NVMQ_EVENT_ERROR		= 0,
	NVMQ_EVENT_SMART		= 1,
	NVMQ_EVENT_NOTICE		= 2,
	NVMQ_EVENT_IO_SPECIFIC		= 6,
	NVMQ_EVENT_VENDOR		= 7,
};

#define NVMQ_EVENT_ERROR_DOORBELL_REG	0x00	/* doorbell of no queue */
#define NVMQ_EVENT_ERROR_DOORBELL_VALUE	0x01
#define NVMQ_EVENT_ERROR_DIAGNOSTIC	0x02
#define NVMQ_EVENT_ERROR_PERSISTENT	0x03
#define NVMQ_EVENT_ERROR_TRANSIENT	0x04
#define NVMQ_EVENT_SMART_RELIABILITY	0x00
#define NVMQ_EVENT_SMART_TEMPERATURE	0x01
#define NVMQ_EVENT_SMART_SPARE		0x02
#define NVMQ_EVENT_NOTICE_NS_ATTR	0x00
#define NVMQ_EVENT_NOTICE_FW_ACTIVATION	0x01
#define NVMQ_EVENT_NOTICE_ANA		0x03

/* Log pages, base 5.16.1 */
enum nvmq_log_page {
	NVMQ_LOG_SUPPORTED		= 0x00,
	NVMQ_LOG_ERROR			= 0x01,
	NVMQ_LOG_SMART			= 0x02,
	NVMQ_LOG_FIRMWARE		= 0x03,
	NVMQ_LOG_CHANGED_NS		= 0x04,
	NVMQ_LOG_EFFECTS		= 0x05,
	NVMQ_LOG_SELF_TEST		= 0x06,
	NVMQ_LOG_TELEMETRY_HOST		= 0x07,
	NVMQ_LOG_TELEMETRY_CTRL		= 0x08,
	NVMQ_LOG_ENDURANCE		= 0x09,
	NVMQ_LOG_ANA			= 0x0c,
	NVMQ_LOG_FEATURES		= 0x12,
	NVMQ_LOG_MI_COMMANDS		= 0x13,
	NVMQ_LOG_RESERVATION		= 0x80,
};

/* Error Information, base 5.16.1.2; the newest entry is the first */
struct nvmq_log_error {
	__le64	count;			/* never 0 in a used entry */
	__le16	sqid;
	__le16	cid;
	__le16	status;			/* as in the CQE, with the phase */
	__le16	location;		/* 7:0 byte, 10:8 bit, ffffh unknown */
	__le64	lba;
	__le32	nsid;
	__u8	vendor;
	__u8	trtype;
	__u8	rsvd30[2];
	__le64	cs;
	__le16	trtype_specific;
	__u8	rsvd42[22];
};

static_assert(sizeof(struct nvmq_log_error) == 64, "Error Information entry");

/* SMART / Health Information, base 5.16.1.3 */
struct nvmq_log_smart {
	__u8	warning;
	__u8	temperature[2];		/* kelvin */
	__u8	spare;			/* percent */
	__u8	spare_threshold;
	__u8	used;
	__u8	endurance_warning;
	__u8	rsvd7[25];
	__u8	data_units_read[16];	/* 1000 units of 512 bytes, rounded up */
	__u8	data_units_written[16];
	__u8	host_reads[16];
	__u8	host_writes[16];
	__u8	busy_time[16];		/* minutes */
	__u8	power_cycles[16];
	__u8	power_on_hours[16];
	__u8	unsafe_shutdowns[16];
	__u8	media_errors[16];
	__u8	error_entries[16];
	__le32	warning_time;		/* minutes */
	__le32	critical_time;
	__le16	sensor[8];
	__u8	rsvd216[296];
};

static_assert(sizeof(struct nvmq_log_smart) == 512, "SMART log page");
static_assert(__builtin_offsetof(struct nvmq_log_smart, error_entries) == 176, "error entries");
static_assert(__builtin_offsetof(struct nvmq_log_smart, sensor) == 200, "sensors");

#define NVMQ_SMART_SPARE	(1u << 0)
#define NVMQ_SMART_TEMPERATURE	(1u << 1)
#define NVMQ_SMART_RELIABILITY	(1u << 2)
#define NVMQ_SMART_READ_ONLY	(1u << 3)

/* Firmware Slot Information, base 5.16.1.4 */
struct nvmq_log_firmware {
	__u8	afi;			/* 2:0 active slot, 6:4 the next one */
	__u8	rsvd1[7];
	char	frs[7][8];
	__u8	rsvd64[448];
};

static_assert(sizeof(struct nvmq_log_firmware) == 512, "Firmware Slot log page");

/* Commands Supported and Effects, base 5.16.1.6 */
struct nvmq_log_effects {
	__le32	admin[256];
	__le32	io[256];
	__u8	rsvd2048[2048];
};

static_assert(sizeof(struct nvmq_log_effects) == 4096, "Effects log page");

#define NVMQ_EFFECT_SUPPORTED	(1u << 0)
#define NVMQ_EFFECT_CONTENT	(1u << 1)	/* LBCC */
#define NVMQ_EFFECT_NS_CAP	(1u << 2)	/* NCC */
#define NVMQ_EFFECT_NS_INV	(1u << 3)	/* NIC */
#define NVMQ_EFFECT_CTRL_CAP	(1u << 4)	/* CCC */
#define NVMQ_EFFECT_RELAXED_MASK	(3u << 14)	/* CSER: CSE has exceptions */
#define NVMQ_EFFECT_ALONE_NS	(1u << 16)	/* CSE: no other one in the namespace */
#define NVMQ_EFFECT_ALONE	(2u << 16)	/* CSE: no other one at all */
#define NVMQ_EFFECT_CSE_MASK	(7u << 16)
#define NVMQ_EFFECT_UUID	(1u << 19)	/* takes a UUID index; harmless */
#define NVMQ_EFFECT_SCOPE_MASK	(0xfffu << 20)	/* CSP: what it touches; harmless */

/* Device Self-test, base 5.16.1.7 */
struct nvmq_self_test_result {
	__u8	status;			/* 3:0 result, fh: entry not used */
	__u8	segment;
	__u8	valid;
	__u8	rsvd3;
	__u8	power_on_hours[8];	/* entries are not multiples of 8 bytes */
	__le32	nsid;
	__u8	failing_lba[8];
	__u8	sct;
	__u8	sc;
	__u8	vs[2];
};

struct nvmq_log_self_test {
	__u8	current_operation;
	__u8	completion;		/* percent */
	__u8	rsvd2[2];
	struct nvmq_self_test_result result[20];
};

static_assert(sizeof(struct nvmq_self_test_result) == 28, "Self-test Result");
static_assert(sizeof(struct nvmq_log_self_test) == 564, "Self-test log page");

#define NVMQ_SELF_TEST_UNUSED	0xf

/* Supported Log Pages and Feature Identifiers Effects, base 5.16.1.1 and 5.16.1.18 */
struct nvmq_log_supported {
	__le32	id[256];
};

static_assert(sizeof(struct nvmq_log_supported) == 1024, "Supported Log Pages");

#define NVMQ_LOG_ID_SUPPORTED	(1u << 0)
#define NVMQ_LOG_ID_OFFSET_TYPE	(1u << 1)	/* IOS: the offset may be an index */
#define NVMQ_FEAT_ID_SUPPORTED	(1u << 0)
#define NVMQ_FEAT_ID_CONTENT	(1u << 1)	/* user data may change */
#define NVMQ_FEAT_ID_NS		(1u << 20)	/* scope: namespace */
#define NVMQ_FEAT_ID_CTRL	(1u << 21)	/* scope: controller */

/* Asymmetric Namespace Access, base 5.16.1.13 */
struct nvmq_ana_group {			/* the next one follows at any dword */
	__le32	grpid;
	__le32	nnsids;
	__le32	chgcnt[2];		/* the low half first */
	__u8	state;			/* 3:0 */
	__u8	rsvd17[15];
	__le32	nsids[];
};

struct nvmq_log_ana {
	__le64	chgcnt;
	__le16	ngrps;
	__u8	rsvd10[6];
};

static_assert(sizeof(struct nvmq_ana_group) == 32, "ANA group descriptor");
static_assert(sizeof(struct nvmq_log_ana) == 16, "ANA log page header");

#define NVMQ_ANA_RGO		(1u << 0)	/* Get Log Page LSP: no NSIDs */

enum nvmq_ana_state {
	NVMQ_ANA_OPTIMIZED		= 0x1,
	NVMQ_ANA_NON_OPTIMIZED		= 0x2,
	NVMQ_ANA_INACCESSIBLE		= 0x3,
	NVMQ_ANA_PERSISTENT_LOSS	= 0x4,
	NVMQ_ANA_CHANGE			= 0xf,
};

/* Reservation Notification, base 5.16.1.25 */
struct nvmq_log_reservation {
	__le64	count;
	__u8	type;			/* 0: there is none */
	__u8	available;		/* pages behind this one */
	__u8	rsvd10[2];
	__le32	nsid;
	__u8	rsvd16[48];
};

static_assert(sizeof(struct nvmq_log_reservation) == 64, "Reservation Notification");

enum nvmq_resv_note {
	NVMQ_RESV_NOTE_UNREGISTERED	= 1,	/* registration preempted */
	NVMQ_RESV_NOTE_RELEASED		= 2,
	NVMQ_RESV_NOTE_PREEMPTED	= 3,	/* reservation preempted */
};

#define NVMQ_EVENT_IO_RESERVATION 0x00	/* information of NVMQ_EVENT_IO_SPECIFIC */

/* Reservations, base 7.2 to 7.5: cdw10 */
#define NVMQ_RESV_ACTION(cdw10)	((cdw10) & 0x7)
#define NVMQ_RESV_IGNORE_KEY	(1u << 3)
#define NVMQ_RESV_PERSIST	(3u << 30)	/* through power loss; of Register */
#define NVMQ_RESV_EXTENDED	(1u << 0)	/* cdw11 of Report: Host Identifiers of 128 bits */
#define NVMQ_RESCAP_PERSIST	(1u << 0)
#define NVMQ_RESV_HOLDS		(1u << 0)	/* rcsts of a registered controller */
#define NVMQ_RESV_TYPE(cdw10)	((__u8)(((cdw10) >> 8) & 0xff))
#define NVMQ_RESV_REGISTER	0u
#define NVMQ_RESV_UNREGISTER	1u
#define NVMQ_RESV_REPLACE	2u
#define NVMQ_RESV_ACQUIRE	0u
#define NVMQ_RESV_PREEMPT	1u
#define NVMQ_RESV_PREEMPT_AND_ABORT 2u
#define NVMQ_RESV_RELEASE	0u
#define NVMQ_RESV_CLEAR		1u

enum nvmq_resv_type {
	NVMQ_RESV_WRITE_EXCLUSIVE	= 1,
	NVMQ_RESV_EXCLUSIVE_ACCESS	= 2,
	NVMQ_RESV_WRITE_EXCLUSIVE_REG	= 3,	/* registrants only */
	NVMQ_RESV_EXCLUSIVE_ACCESS_REG	= 4,
	NVMQ_RESV_WRITE_EXCLUSIVE_ALL	= 5,	/* all registrants hold it */
	NVMQ_RESV_EXCLUSIVE_ACCESS_ALL	= 6,
};

/* Reservation Status, extended: Host Identifiers of 128 bits, base 7.5 */
struct nvmq_resv_status_ext {
	__le32	gen;
	__u8	rtype;
	__u8	regctl[2];		/* little endian, at an odd offset */
	__u8	rsvd7[2];
	__u8	ptpls;
	__u8	rsvd10[54];
};

struct nvmq_resv_entry_ext {
	__le16	cntlid;
	__u8	rcsts;			/* 0: holds the reservation */
	__u8	rsvd3[5];
	__le64	rkey;
	__u8	hostid[16];
	__u8	rsvd32[32];
};

/* The same with Host Identifiers of 64 bits */
struct nvmq_resv_status {
	__le32	gen;
	__u8	rtype;
	__u8	regctl[2];
	__u8	rsvd7[2];
	__u8	ptpls;
	__u8	rsvd10[14];
};

struct nvmq_resv_entry {
	__le16	cntlid;
	__u8	rcsts;
	__u8	rsvd3[5];
	__u8	hostid[8];
	__le64	rkey;
};

static_assert(sizeof(struct nvmq_resv_status) == 24, "Reservation Status");
static_assert(sizeof(struct nvmq_resv_entry) == 24, "Registered Controller");
static_assert(sizeof(struct nvmq_resv_status_ext) == 64, "Reservation Status");
static_assert(sizeof(struct nvmq_resv_entry_ext) == 64, "Registered Controller");

/* Namespace Management and Attachment, SEL of cdw10 3:0, base 5.22 and 5.23 */
#define NVMQ_NS_CREATE		0u
#define NVMQ_NS_DELETE		1u
#define NVMQ_NS_ATTACH		0u
#define NVMQ_NS_DETACH		1u

/* Controller List, base 4.4.1 */
struct nvmq_ctrl_list {
	__le16	count;
	__le16	id[2047];
};

static_assert(sizeof(struct nvmq_ctrl_list) == 4096, "Controller List");

/* Format NVM cdw10, base 5.14 */
#define NVMQ_FORMAT_EXTENDED	(1u << 4)	/* MSET */
#define NVMQ_FORMAT_PI(cdw10)	(((cdw10) >> 5) & 0x7)
#define NVMQ_FORMAT_SES(cdw10)	(((cdw10) >> 9) & 0x7)

/* Identify, base 5.17: CNS values */
enum nvmq_identify_cns {
	NVMQ_CNS_NAMESPACE		= 0x00,
	NVMQ_CNS_CONTROLLER		= 0x01,
	NVMQ_CNS_ACTIVE_LIST		= 0x02,
	NVMQ_CNS_DESCRIPTORS		= 0x03,
	NVMQ_CNS_NAMESPACE_CSS		= 0x05,
	NVMQ_CNS_CONTROLLER_CSS		= 0x06,
	NVMQ_CNS_ACTIVE_LIST_CSS	= 0x07,
	NVMQ_CNS_NAMESPACE_ANY		= 0x08,	/* whatever the command set */
	NVMQ_CNS_ALLOCATED_LIST		= 0x10,
	NVMQ_CNS_ALLOCATED_NS		= 0x11,
	NVMQ_CNS_NS_CONTROLLERS		= 0x12,
	NVMQ_CNS_CONTROLLERS		= 0x13,
	NVMQ_CNS_PRIMARY_CTRL		= 0x14,
	NVMQ_CNS_SECONDARY_CTRLS	= 0x15,
	NVMQ_CNS_GRANULARITY		= 0x16,
	NVMQ_CNS_UUID_LIST		= 0x17,
	NVMQ_CNS_ALLOCATED_LIST_CSS	= 0x1a,
	NVMQ_CNS_ALLOCATED_NS_CSS	= 0x1b,
	NVMQ_CNS_COMMAND_SETS		= 0x1c,
};

#define NVMQ_IDENTIFY_SIZE	4096u
#define NVMQ_ACTIVE_LIST_LEN	1024u
#define NVMQ_NSID_MAX		0xfffffffeu
#define NVMQ_NSID_ALL		0xffffffffu	/* broadcast */

/* Power State Descriptor, base 5.17.2.1 */
struct nvmq_power_state {
	__le16	mp;			/* 10 mW, or 0.1 mW by flags */
	__u8	rsvd2;
	__u8	flags;			/* 0: unit of mp; 1: not operational */
	__le32	enlat;			/* microseconds */
	__le32	exlat;
	__u8	rrt;
	__u8	rrl;
	__u8	rwt;
	__u8	rwl;
	__le16	idlp;
	__u8	ips;
	__u8	rsvd19;
	__le16	actp;
	__u8	apw;
	__u8	rsvd23[9];
};

static_assert(sizeof(struct nvmq_power_state) == 32, "Power State Descriptor");

#define NVMQ_PSD_MPS		0x1	/* mp is in 0.1 mW */
#define NVMQ_PSD_NOPS		0x2

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
	__le16	rrls;
	__u8	rsvd102[9];
	__u8	cntrltype;
	__u8	fguid[16];
	__le16	crdt1;			/* 100 ms, all three */
	__le16	crdt2;
	__le16	crdt3;
	__u8	rsvd134[119];
	__u8	nvmsr;
	__u8	vwci;
	__u8	mec;
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
	__le16	mtfa;
	__le32	hmpre;			/* 4 KiB, both */
	__le32	hmmin;
	__u8	tnvmcap[16];		/* bytes */
	__u8	unvmcap[16];
	__le32	rpmbs;
	__le16	edstt;			/* minutes */
	__u8	dsto;
	__u8	fwug;
	__le16	kas;			/* 100 ms */
	__le16	hctma;
	__le16	mntmt;
	__le16	mxtmt;
	__le32	sanicap;
	__le32	hmminds;
	__le16	hmmaxd;
	__le16	nsetidmax;
	__le16	endgidmax;
	__u8	anatt;			/* seconds */
	__u8	anacap;
	__le32	anagrpmax;
	__le32	nanagrpid;
	__le32	pels;
	__le16	domain;
	__u8	rsvd358[10];
	__u8	megcap[16];
	__u8	rsvd384[128];
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
	__le16	ocfs;			/* Copy formats; reserved before 2.0 */
	__le32	sgls;
	__le32	mnan;
	__u8	maxdna[16];
	__le32	maxcna;
	__u8	rsvd564[204];
	char	subnqn[256];
	__u8	rsvd1024[768];
	__le32	ioccsz;			/* of fabrics, down to ofcs */
	__le32	iorcsz;
	__le16	icdoff;
	__u8	fcatt;
	__u8	msdbd;
	__le16	ofcs;
	__u8	rsvd1806[242];
	struct nvmq_power_state psd[32];
	__u8	vs[1024];
};

static_assert(sizeof(struct nvmq_id_ctrl) == 4096, "Identify Controller");
static_assert(__builtin_offsetof(struct nvmq_id_ctrl, cntrltype) == 111, "CNTRLTYPE");
static_assert(__builtin_offsetof(struct nvmq_id_ctrl, crdt1) == 128, "CRDT1");
static_assert(__builtin_offsetof(struct nvmq_id_ctrl, oacs) == 256, "OACS");
static_assert(__builtin_offsetof(struct nvmq_id_ctrl, tnvmcap) == 280, "TNVMCAP");
static_assert(__builtin_offsetof(struct nvmq_id_ctrl, kas) == 320, "KAS");
static_assert(__builtin_offsetof(struct nvmq_id_ctrl, anatt) == 342, "ANATT");
static_assert(__builtin_offsetof(struct nvmq_id_ctrl, sqes) == 512, "SQES");
static_assert(__builtin_offsetof(struct nvmq_id_ctrl, vwc) == 525, "VWC");
static_assert(__builtin_offsetof(struct nvmq_id_ctrl, sgls) == 536, "SGLS");
static_assert(__builtin_offsetof(struct nvmq_id_ctrl, subnqn) == 768, "SUBNQN");
static_assert(__builtin_offsetof(struct nvmq_id_ctrl, ioccsz) == 1792, "IOCCSZ");
static_assert(__builtin_offsetof(struct nvmq_id_ctrl, psd) == 2048, "PSD0");

#define NVMQ_CNTRLTYPE_IO	0x1
#define NVMQ_CMIC_MULTI_PORT	0x1
#define NVMQ_CMIC_MULTI_CTRL	0x2
#define NVMQ_CMIC_ANA		0x8
#define NVMQ_OAES_NS_ATTR	(1u << 8)
#define NVMQ_OAES_FW_ACTIVATION	(1u << 9)
#define NVMQ_OAES_ANA		(1u << 11)
#define NVMQ_CTRATT_HOSTID_128	(1u << 0)
#define NVMQ_CTRATT_UUID_LIST	(1u << 9)
#define NVMQ_OACS_SECURITY	(1u << 0)
#define NVMQ_OACS_FORMAT	(1u << 1)
#define NVMQ_OACS_FIRMWARE	(1u << 2)
#define NVMQ_OACS_NS_MGMT	(1u << 3)
#define NVMQ_OACS_SELF_TEST	(1u << 4)
#define NVMQ_FRMW_SLOT1_RO	(1u << 0)
#define NVMQ_FRMW_SLOTS(n)	((n) << 1)
#define NVMQ_LPA_SMART_NS	(1u << 0)
#define NVMQ_LPA_EFFECTS	(1u << 1)
#define NVMQ_LPA_EXTENDED	(1u << 2)	/* NUMDU, LPOU */
#define NVMQ_LPA_SUPPORTED	(1u << 5)	/* log pages 00h, 12h, 13h */
#define NVMQ_FNA_FORMAT_ALL	(1u << 0)
#define NVMQ_FNA_ERASE_ALL	(1u << 1)
#define NVMQ_FNA_CRYPTO_ERASE	(1u << 2)
#define NVMQ_FNA_NO_BROADCAST	(1u << 3)
#define NVMQ_VWC_FLUSH_ALL	(3u << 1)	/* Flush takes NSID ffffffffh */
#define NVMQ_VWC_FLUSH_ONE	(2u << 1)	/* Flush does not */
#define NVMQ_NWPC_PROTECT	(1u << 0)
#define NVMQ_NWPC_POWER_CYCLE	(1u << 1)
#define NVMQ_NWPC_PERMANENT	(1u << 2)

#define NVMQ_ONCS_COMPARE	(1u << 0)
#define NVMQ_ONCS_WRITE_UNCORR	(1u << 1)
#define NVMQ_ONCS_DSM		(1u << 2)
#define NVMQ_ONCS_WRITE_ZEROES	(1u << 3)
#define NVMQ_ONCS_SAVE_SELECT	(1u << 4)	/* SV of Set, SEL of Get Features */
#define NVMQ_ONCS_RESERVATIONS	(1u << 5)
#define NVMQ_ONCS_TIMESTAMP	(1u << 6)
#define NVMQ_ONCS_VERIFY	(1u << 7)
#define NVMQ_ONCS_COPY		(1u << 8)
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
	__u8	nulbaf;
	__u8	rsvd82[10];
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

#define NVMQ_NSFEAT_THIN	(1u << 0)
#define NVMQ_NSFEAT_DAE		(1u << 2)	/* DULBE of Error Recovery */
#define NVMQ_NSFEAT_NSABP	(1u << 1)	/* NAWUN to NACWU are defined */
#define NVMQ_NSFEAT_OPTPERF	(1u << 4)	/* NPWG to NOWS are defined */
#define NVMQ_NSATTR_WRITE_PROTECTED 0x1
#define NVMQ_DLFEAT_READ_MASK	0x7
#define NVMQ_DLFEAT_READ_ZEROES	0x1		/* deallocated blocks read 00h */
#define NVMQ_DLFEAT_WZ_DEAC	(1u << 3)
#define NVMQ_DLFEAT_READ_ONES	0x2		/* deallocated blocks read ffh */
#define NVMQ_DPS_TYPE_MASK	0x7
#define NVMQ_FLBAS_EXTENDED	0x10
#define NVMQ_MC_EXTENDED	0x1
#define NVMQ_MC_SEPARATE	0x2
#define NVMQ_NMIC_SHARED	0x1
#define NVMQ_FPI_SUPPORTED	0x80

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

/* I/O Command Set specific Identify Namespace, nvm figure 100 */
struct nvmq_id_ns_nvm {
	__le64	lbstm;
	__u8	pic;
	__u8	rsvd9[3];
	__le32	elbaf[64];		/* 6:0 STS, 8:7 PIF */
	__u8	rsvd268[3828];
};

static_assert(sizeof(struct nvmq_id_ns_nvm) == 4096, "Identify Namespace, NVM");

/* I/O Command Set Independent Identify Namespace, base 5.17.2.8 */
struct nvmq_id_ns_any {
	__u8	nsfeat;
	__u8	nmic;
	__u8	rescap;
	__u8	fpi;
	__le32	anagrpid;
	__u8	nsattr;
	__u8	rsvd9;
	__le16	nvmsetid;
	__le16	endgid;
	__u8	nstat;			/* 0: ready */
	__u8	rsvd15[4081];
};

static_assert(sizeof(struct nvmq_id_ns_any) == 4096, "Identify Namespace, any command set");

#define NVMQ_NSTAT_READY	0x1

/* Namespace Granularity List, nvm 4.1.5.5 */
struct nvmq_granularity_list {
	__le32	attributes;		/* 0: descriptors match LBA formats */
	__u8	nr;			/* 0's based */
	__u8	rsvd5[27];
	struct {
		__le64	nszegran;	/* bytes */
		__le64	ncapgran;
	} desc[16];
	__u8	rsvd288[3808];
};

static_assert(sizeof(struct nvmq_granularity_list) == 4096, "Namespace Granularity List");

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

/**
 * nvmq_format_lbaf - the LBA format that a Format NVM command names
 * @cdw10: of the command
 *
 * Bits 3:0 are the low bits, bits 13:12 the high ones (base 5.14).
 *
 * Return: index into lbaf[] of Identify Namespace, 0 to 63.
 */
static inline unsigned int nvmq_format_lbaf(__u32 cdw10)
{
	return (cdw10 & 0xf) | ((cdw10 >> 8) & 0x30);
}

#endif /* NVMQ_SPEC_H */
