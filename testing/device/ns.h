/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The namespaces of the subsystem, which has one controller: allocated or not,
 * attached or not, their format and their medium.  Namespace Management and
 * Attachment (base 5.23, 5.22), Format NVM (base 5.14).
 */
#ifndef DEVICE_NS_H
#define DEVICE_NS_H

#include <stdbool.h>
#include <stdint.h>

#include <nvmq/spec.h>

#include "resv.h"
#include "store.h"

struct cmd;
struct ctrl;
struct lie;

#define NS_MAX			64	/* NN */
#define NS_FORMATS		8
#define NS_LBA_RANGES		64
#define NS_ALL			0xffffffffu	/* the broadcast NSID */

/**
 * struct ns_format - one of the LBA formats that every namespace can have
 * @shift: log2 of the bytes of a block
 * @meta: bytes of metadata
 */
struct ns_format {
	uint8_t shift;
	uint16_t meta;
};

/* 512 and 4096 bytes, with 0, 8, 16 and 64 bytes of metadata. */
extern const struct ns_format ns_formats[NS_FORMATS];

/**
 * struct ns - a namespace
 * @store: its medium; NULL: not allocated
 * @nsid: its identifier
 * @attached: to the controller
 * @extended: metadata follows each block's data
 * @format: index into ns_formats
 * @block_shift: of that format
 * @meta_size: of that format
 * @blocks: NSZE, NCAP
 * @anagrpid: ANA group
 * @write_protect: Namespace Write Protection Config
 * @wp_hard: @write_protect was there from the start and stays
 * @error_recovery: feature 05h, current; @error_recovery_saved as it says
 * @error_recovery_saved: the saved value
 * @resv: who has reserved it
 * @nr_ranges: feature 03h, number of ranges, 0's based
 * @ranges: feature 03h
 * @nguid: globally unique
 * @eui64: likewise
 * @uuid: likewise
 */
struct ns {
	struct store *store;
	uint32_t nsid;
	bool attached;
	bool extended;
	uint8_t format;
	uint8_t block_shift;
	uint16_t meta_size;
	uint64_t blocks;
	uint32_t anagrpid;
	uint32_t write_protect;
	bool wp_hard;
	uint32_t error_recovery;
	uint32_t error_recovery_saved;
	struct resv resv;
	uint32_t nr_ranges;
	struct nvmq_lba_range ranges[NS_LBA_RANGES];
	uint8_t nguid[16];
	uint8_t eui64[8];
	uint8_t uuid[16];
};

/**
 * struct nss - the namespaces
 * @capacity: bytes of the subsystem
 * @used: bytes of it that are in namespaces
 * @made: namespaces made so far, for unique identifiers
 * @gone_at: when a namespace was detached or became smaller without the host's doing, clock_now()
 *	time, by NSID - 1; 0: never
 * @ns: by NSID - 1
 */
struct nss {
	uint64_t capacity;
	uint64_t used;
	uint32_t made;
	uint64_t gone_at[NS_MAX];
	struct ns ns[NS_MAX];
};

/**
 * nss_new - make the namespaces that the options have
 * @ctrl: the controller, its options are set
 *
 * Return: them; NULL: no memory, a size or format that cannot be, or no file.
 */
struct nss *nss_new(struct ctrl *ctrl);

/**
 * nss_free - take them away
 * @nss: or NULL
 */
void nss_free(struct nss *nss);

/**
 * nss_reset - what a Controller Level Reset does to namespaces
 * @nss: all
 *
 * Features of a namespace return to what is saved, or to their defaults.
 */
void nss_reset(struct nss *nss);

/**
 * nss_power_cut - the power fails, and comes back
 * @nss: all
 * @seed: see store_power_cut()
 *
 * The caller does to the controller what a reset by power does.
 *
 * Return: number of blocks that lost what was written.
 */
uint64_t nss_power_cut(struct nss *nss, uint64_t seed);

/**
 * ns_active - the namespace that a command is for
 * @nss: all
 * @nsid: of the command
 *
 * Return: it, or NULL if it is not attached (base 3.2.1.5).
 */
static inline struct ns *ns_active(struct nss *nss, uint32_t nsid)
{
	struct ns *ns;

	if (nsid - 1 >= NS_MAX)
		return NULL;
	ns = &nss->ns[nsid - 1];
	return ns->attached ? ns : NULL;
}

/**
 * ns_allocated - a namespace, attached or not
 * @nss: all
 * @nsid: of the command
 *
 * Return: it, or NULL.
 */
static inline struct ns *ns_allocated(struct nss *nss, uint32_t nsid)
{
	return nsid - 1 < NS_MAX && nss->ns[nsid - 1].store ? &nss->ns[nsid - 1] : NULL;
}

/**
 * ns_attach - attach a namespace, or detach it, as if another host had done it
 * @ctrl: the controller, which is told (base 5.2.1, Namespace Attribute Changed)
 * @nsid: which
 * @attach: or detach
 *
 * Return: 0, -ENOENT if it is not allocated, or -EALREADY.
 */
int ns_attach(struct ctrl *ctrl, uint32_t nsid, bool attach);

/**
 * ns_create - make a namespace of the first format, attached; the controller is told
 * @ctrl: the controller
 * @nsid: which; 0: the first free one
 * @blocks: its size
 *
 * Return: its NSID, or -errno.
 */
int ns_create(struct ctrl *ctrl, uint32_t nsid, uint64_t blocks);

/**
 * ns_resize - change the size of a namespace; the controller is told
 * @ctrl: the controller
 * @nsid: which
 * @blocks: its size
 *
 * Return: 0 or -errno.
 */
int ns_resize(struct ctrl *ctrl, uint32_t nsid, uint64_t blocks);

/**
 * ns_lie - tell a lie about a namespace: LIE_NS_GONE, LIE_NS_NEW, LIE_NS_RESIZED
 * @ctrl: the controller
 * @lie: the lie; one that cannot be told is passed over
 */
void ns_lie(struct ctrl *ctrl, const struct lie *lie);

/**
 * ns_just_changed - whether a host may not have noticed yet that a namespace is less than it was
 * @nss: all
 * @nsid: which, 1 to NS_MAX
 *
 * Return: true if a command that is wrong for this reason is no violation.
 */
bool ns_just_changed(const struct nss *nss, uint32_t nsid);

/**
 * ns_of_cmd - the namespace that a command is for; judges NSID
 * @cmd: the command
 * @ns: becomes it
 *
 * Return: 0, or a status (base 3.2.1.2 to 3.2.1.4).
 */
int ns_of_cmd(struct cmd *cmd, struct ns **ns);

/**
 * ns_management - Namespace Management (base 5.23)
 * @cmd: the command
 *
 * Return: a status.
 */
int ns_management(struct cmd *cmd);

/**
 * ns_attachment - Namespace Attachment (base 5.22)
 * @cmd: the command
 *
 * Return: a status.
 */
int ns_attachment(struct cmd *cmd);

/**
 * ns_format - Format NVM (base 5.14)
 * @cmd: the command
 *
 * Return: a status.
 */
int ns_format(struct cmd *cmd);

#endif
