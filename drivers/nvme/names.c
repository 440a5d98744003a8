// SPDX-License-Identifier: GPL-2.0
/*
 * See names.h.
 */
#include <linux/kernel.h>
#include <linux/types.h>

#include <nvmq/spec.h>

#include "names.h"

struct name {
	u16 code;
	const char *text;
};

/* Base figures 94 to 97, nvm figures 6 and 8 */
static const struct name statuses[] = {
	{ NVMQ_SC_SUCCESS, "success" },
	{ NVMQ_SC_INVALID_OPCODE, "invalid command opcode" },
	{ NVMQ_SC_INVALID_FIELD, "invalid field in command" },
	{ NVMQ_SC_CID_CONFLICT, "command identifier conflict" },
	{ NVMQ_SC_DATA_TRANSFER, "data transfer error" },
	{ NVMQ_SC_POWER_LOSS, "aborted, power loss notification" },
	{ NVMQ_SC_INTERNAL, "internal error" },
	{ NVMQ_SC_ABORT_REQUESTED, "abort requested" },
	{ NVMQ_SC_ABORT_SQ_DELETED, "aborted, queue deleted" },
	{ NVMQ_SC_INVALID_NAMESPACE, "invalid namespace or format" },
	{ NVMQ_SC_COMMAND_SEQUENCE, "command sequence error" },
	{ NVMQ_SC_SGL_SEGMENT, "invalid SGL segment" },
	{ NVMQ_SC_SGL_COUNT, "invalid number of SGL descriptors" },
	{ NVMQ_SC_SGL_DATA_LENGTH, "invalid SGL data length" },
	{ NVMQ_SC_SGL_META_LENGTH, "invalid SGL metadata length" },
	{ NVMQ_SC_SGL_TYPE, "invalid SGL descriptor type" },
	{ NVMQ_SC_PRP_OFFSET, "invalid PRP offset" },
	{ NVMQ_SC_SGL_OFFSET, "invalid SGL offset" },
	{ NVMQ_SC_HOST_ID_FORMAT, "inconsistent host identifier format" },
	{ NVMQ_SC_SANITIZE_FAILED, "sanitize failed" },
	{ NVMQ_SC_SANITIZE_IN_PROGRESS, "sanitize in progress" },
	{ NVMQ_SC_NS_WRITE_PROTECTED, "namespace is write protected" },
	{ NVMQ_SC_COMMAND_INTERRUPTED, "command interrupted" },
	{ NVMQ_SC_TRANSIENT_TRANSPORT, "transient transport error" },
	{ NVMQ_SC_LBA_RANGE, "LBA out of range" },
	{ NVMQ_SC_CAPACITY_EXCEEDED, "capacity exceeded" },
	{ NVMQ_SC_NS_NOT_READY, "namespace not ready" },
	{ NVMQ_SC_RESERVATION_CONFLICT, "reservation conflict" },
	{ NVMQ_SC_FORMAT_IN_PROGRESS, "format in progress" },
	{ NVMQ_SC_CQ_INVALID, "completion queue invalid" },
	{ NVMQ_SC_QID_INVALID, "invalid queue identifier" },
	{ NVMQ_SC_QUEUE_SIZE, "invalid queue size" },
	{ NVMQ_SC_ABORT_LIMIT, "abort limit exceeded" },
	{ NVMQ_SC_EVENT_LIMIT, "asynchronous event request limit exceeded" },
	{ NVMQ_SC_INVALID_FW_SLOT, "invalid firmware slot" },
	{ NVMQ_SC_INVALID_FW_IMAGE, "invalid firmware image" },
	{ NVMQ_SC_INVALID_VECTOR, "invalid interrupt vector" },
	{ NVMQ_SC_INVALID_LOG_PAGE, "invalid log page" },
	{ NVMQ_SC_INVALID_FORMAT, "invalid format" },
	{ NVMQ_SC_QUEUE_DELETION, "invalid queue deletion" },
	{ NVMQ_SC_FEATURE_NOT_SAVEABLE, "feature not saveable" },
	{ NVMQ_SC_FEATURE_NOT_CHANGEABLE, "feature not changeable" },
	{ NVMQ_SC_FEATURE_NOT_PER_NS, "feature not namespace specific" },
	{ NVMQ_SC_OVERLAPPING_RANGE, "overlapping range" },
	{ NVMQ_SC_NS_CAPACITY, "namespace insufficient capacity" },
	{ NVMQ_SC_NSID_UNAVAILABLE, "namespace identifier unavailable" },
	{ NVMQ_SC_NS_ALREADY_ATTACHED, "namespace already attached" },
	{ NVMQ_SC_NS_PRIVATE, "namespace is private" },
	{ NVMQ_SC_NS_NOT_ATTACHED, "namespace not attached" },
	{ NVMQ_SC_NO_THIN_PROVISIONING, "thin provisioning not supported" },
	{ NVMQ_SC_CTRL_LIST_INVALID, "controller list invalid" },
	{ NVMQ_SC_SELF_TEST_IN_PROGRESS, "device self-test in progress" },
	{ NVMQ_SC_INVALID_CTRL_ID, "invalid controller identifier" },
	{ NVMQ_SC_ANA_GROUP_INVALID, "ANA group identifier invalid" },
	{ NVMQ_SC_IOCS_NOT_SUPPORTED, "I/O command set not supported" },
	{ NVMQ_SC_IOCS_NOT_ENABLED, "I/O command set not enabled" },
	{ NVMQ_SC_IOCS_COMBINATION, "I/O command set combination rejected" },
	{ NVMQ_SC_IOCS_INVALID, "invalid I/O command set" },
	{ NVMQ_SC_CONFLICTING_ATTRIBUTES, "conflicting attributes" },
	{ NVMQ_SC_INVALID_PI, "invalid protection information" },
	{ NVMQ_SC_READ_ONLY_RANGE, "attempted write to read only range" },
	{ NVMQ_SC_COMMAND_SIZE, "command size limit exceeded" },
	{ NVMQ_SC_WRITE_FAULT, "write fault" },
	{ NVMQ_SC_UNRECOVERED_READ, "unrecovered read error" },
	{ NVMQ_SC_GUARD_CHECK, "guard check error" },
	{ NVMQ_SC_APPTAG_CHECK, "application tag check error" },
	{ NVMQ_SC_REFTAG_CHECK, "reference tag check error" },
	{ NVMQ_SC_COMPARE_FAILED, "compare failure" },
	{ NVMQ_SC_ACCESS_DENIED, "access denied" },
	{ NVMQ_SC_UNWRITTEN_BLOCK, "deallocated or unwritten block" },
	{ NVMQ_SC_PATH_INTERNAL, "internal path error" },
	{ NVMQ_SC_ANA_PERSISTENT_LOSS, "asymmetric access persistent loss" },
	{ NVMQ_SC_ANA_INACCESSIBLE, "asymmetric access inaccessible" },
	{ NVMQ_SC_ANA_TRANSITION, "asymmetric access transition" },
	{ NVMQ_SC_HOST_PATHING, "host pathing error" },
	{ NVMQ_SC_HOST_ABORTED, "timed out, aborted by host" },
};

/* Nvm figure 14 */
static const struct name io_opcodes[] = {
	{ NVMQ_IO_FLUSH, "Flush" },
	{ NVMQ_IO_WRITE, "Write" },
	{ NVMQ_IO_READ, "Read" },
	{ NVMQ_IO_WRITE_UNCORRECTABLE, "Write Uncorrectable" },
	{ NVMQ_IO_COMPARE, "Compare" },
	{ NVMQ_IO_WRITE_ZEROES, "Write Zeroes" },
	{ NVMQ_IO_DSM, "Dataset Management" },
	{ NVMQ_IO_VERIFY, "Verify" },
	{ NVMQ_IO_RESV_REGISTER, "Reservation Register" },
	{ NVMQ_IO_RESV_REPORT, "Reservation Report" },
	{ NVMQ_IO_RESV_ACQUIRE, "Reservation Acquire" },
	{ NVMQ_IO_RESV_RELEASE, "Reservation Release" },
	{ NVMQ_IO_COPY, "Copy" },
};

/* Base figure 138 */
static const struct name admin_opcodes[] = {
	{ NVMQ_ADMIN_DELETE_SQ, "Delete I/O SQ" },
	{ NVMQ_ADMIN_CREATE_SQ, "Create I/O SQ" },
	{ NVMQ_ADMIN_GET_LOG_PAGE, "Get Log Page" },
	{ NVMQ_ADMIN_DELETE_CQ, "Delete I/O CQ" },
	{ NVMQ_ADMIN_CREATE_CQ, "Create I/O CQ" },
	{ NVMQ_ADMIN_IDENTIFY, "Identify" },
	{ NVMQ_ADMIN_ABORT, "Abort" },
	{ NVMQ_ADMIN_SET_FEATURES, "Set Features" },
	{ NVMQ_ADMIN_GET_FEATURES, "Get Features" },
	{ NVMQ_ADMIN_ASYNC_EVENT, "Async Event Req" },
	{ NVMQ_ADMIN_NS_MANAGEMENT, "NS Management" },
	{ NVMQ_ADMIN_FW_COMMIT, "Firmware Commit" },
	{ NVMQ_ADMIN_FW_DOWNLOAD, "Firmware Download" },
	{ NVMQ_ADMIN_SELF_TEST, "Device Self-test" },
	{ NVMQ_ADMIN_NS_ATTACHMENT, "NS Attachment" },
	{ NVMQ_ADMIN_KEEP_ALIVE, "Keep Alive" },
	{ NVMQ_ADMIN_FORMAT_NVM, "Format NVM" },
	{ NVMQ_ADMIN_SECURITY_SEND, "Security Send" },
	{ NVMQ_ADMIN_SECURITY_RECEIVE, "Security Receive" },
	{ NVMQ_ADMIN_SANITIZE, "Sanitize" },
};

static const char *find(const struct name *names, size_t count, u16 code, const char *otherwise)
{
	size_t i;

	for (i = 0; i < count; i++)
		if (names[i].code == code)
			return names[i].text;
	return otherwise;
}

/**
 * nvmq_names_status - a status in words
 * @status: status field without the phase tag
 *
 * Return: a constant string.
 */
const char *nvmq_names_status(u16 status)
{
	return find(statuses, ARRAY_SIZE(statuses), status & NVMQ_SC_MASK, "unknown status");
}

/**
 * nvmq_names_io - an opcode of the NVM command set in words
 * @opcode: the opcode
 *
 * Return: a constant string.
 */
const char *nvmq_names_io(u8 opcode)
{
	return find(io_opcodes, ARRAY_SIZE(io_opcodes), opcode, "unknown");
}

/**
 * nvmq_names_admin - an admin opcode in words
 * @opcode: the opcode
 *
 * Return: a constant string.
 */
const char *nvmq_names_admin(u8 opcode)
{
	return find(admin_opcodes, ARRAY_SIZE(admin_opcodes), opcode, "unknown");
}
