/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The command line of nvmq-device: what the controller is.  Text is "KEY=VALUE,KEY=VALUE", the
 * words that vm/run -d has where there is one.  Nothing of the controller is included here.
 */
#ifndef DEVICE_OPTIONS_H
#define DEVICE_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "judge.h"

#define OPTIONS_MAX_NS		64
#define OPTIONS_TEXT		256

/**
 * struct ns_options - one namespace
 * @size: bytes
 * @lba: bytes of a logical block, a power of two from 512
 * @meta: bytes of metadata of a block
 * @extended: metadata follows each block's data instead of lying apart
 * @read_only: write protected, and says so
 * @detached: exists, but is not attached to the controller
 * @file: image, made if it is not there; "" for memory
 */
struct ns_options {
	uint64_t size;
	uint32_t lba;
	uint32_t meta;
	bool extended;
	bool read_only;
	bool detached;
	char file[OPTIONS_TEXT];
};

/**
 * struct options - the whole command line
 * @socket: where the device listens
 * @control: control socket; "" for none
 * @script: file of lies; "" for none
 * @log: file for violations; "" for stderr
 * @trace: file for the stamps of each command; "" for none
 * @print_lies: script that is only to be printed as it was understood; "" for none
 * @clock: delays, as clock_set() takes them; "" for none
 * @seed: of everything random
 * @judge: what becomes of a violation
 * @arm_at: the judge begins at this enabling of the controller, counted from 1; 0: by the control
 *	socket
 * @mqes: entries of a queue at most (CAP.MQES + 1)
 * @dstrd: CAP.DSTRD
 * @mpsmin: CAP.MPSMIN
 * @mpsmax: CAP.MPSMAX
 * @to: CAP.TO, units of 500 ms
 * @crto: CRTO.CRWMT, units of 500 ms; 0: CAP.CRMS is 0
 * @cqr: CAP.CQR, queues must be contiguous
 * @wrr: weighted round robin is offered (CAP.AMS)
 * @css: CAP.CSS, 8 bits
 * @nssrs: subsystem reset is offered
 * @ready_ms: time until CSTS.RDY follows CC.EN, in ms
 * @shutdown_ms: time that a shutdown takes, in ms
 * @mdts: Identify Controller's
 * @acl: Identify Controller's, 0's based
 * @aerl: Identify Controller's, 0's based
 * @vectors: MSI-X vectors; 0: no MSI-X
 * @msi: MSI vectors; 0: no MSI
 * @pin: INTA is there
 * @queues: I/O submission queues granted, and identifiers of queues that there are
 * @cqs: I/O completion queues granted, at most @queues; 0: as many as @queues
 * @inflight: commands that the device works on at a time; 0: no limit
 * @irq_ms: an announced completion must be consumed in this time, in ms; 0: for ever
 * @poison: data buffers of reads are filled with rubbish until the command is completed
 * @vwc: Identify Controller's VWC
 * @sgls: Identify Controller's SGLS
 * @oncs: Identify Controller's ONCS
 * @oacs: Identify Controller's OACS
 * @wzsl: of Write Zeroes, like MDTS
 * @dmrl: ranges of a Dataset Management; 0: no limit
 * @dmrsl: blocks of a range; 0: no limit
 * @dmsl: blocks of all ranges; 0: no limit
 * @mssrl: Identify Namespace's
 * @mcl: Identify Namespace's
 * @msrc: Identify Namespace's
 * @noiob: Identify Namespace's
 * @npwg: Identify Namespace's, in blocks (not 0's based); 0: not reported. So are the next four.
 * @npwa: Identify Namespace's
 * @npdg: Identify Namespace's
 * @npda: Identify Namespace's
 * @nows: Identify Namespace's
 * @dlfeat: Identify Namespace's
 * @ana: asymmetric access is reported
 * @opal: behind the security commands (OACS) is a disk that locks itself
 * @reservations: reservations are supported
 * @serial: Identify Controller's SN
 * @model: Identify Controller's MN
 * @firmware: Identify Controller's FR
 * @nr_ns: namespaces in @ns
 * @ns: namespaces, NSID - 1
 */
struct options {
	char socket[OPTIONS_TEXT];
	char control[OPTIONS_TEXT];
	char script[OPTIONS_TEXT];
	char log[OPTIONS_TEXT];
	char trace[OPTIONS_TEXT];
	char print_lies[OPTIONS_TEXT];
	char clock[OPTIONS_TEXT];
	uint64_t seed;
	enum judge_mode judge;
	uint32_t arm_at;
	uint32_t mqes;
	uint32_t dstrd;
	uint32_t mpsmin;
	uint32_t mpsmax;
	uint32_t to;
	uint32_t crto;
	bool cqr;
	bool wrr;
	uint32_t css;
	bool nssrs;
	uint32_t ready_ms;
	uint32_t shutdown_ms;
	uint32_t mdts;
	uint32_t acl;
	uint32_t aerl;
	uint32_t vectors;
	uint32_t msi;
	bool pin;
	uint32_t queues;
	uint32_t cqs;
	uint32_t inflight;
	uint32_t irq_ms;
	bool poison;
	uint32_t vwc;
	uint32_t sgls;
	uint32_t oncs;
	uint32_t oacs;
	uint32_t wzsl;
	uint32_t dmrl;
	uint32_t dmrsl;
	uint64_t dmsl;
	uint32_t mssrl;
	uint32_t mcl;
	uint32_t msrc;
	uint32_t noiob;
	uint32_t npwg;
	uint32_t npwa;
	uint32_t npdg;
	uint32_t npda;
	uint32_t nows;
	uint32_t dlfeat;
	bool ana;
	bool opal;
	bool reservations;
	char serial[21];
	char model[41];
	char firmware[9];
	uint32_t nr_ns;
	struct ns_options ns[OPTIONS_MAX_NS];
};

/**
 * options_default - a device of one namespace of 1 GiB in memory
 * @opt: filled in
 */
void options_default(struct options *opt);

/**
 * options_device - change what the device is
 * @opt: changed
 * @text: "KEY=VALUE,KEY=VALUE"; words without a value are switches
 * @why: on failure, what is wrong, in words
 * @size: bytes at @why
 *
 * The keys of a namespace (size, lba, meta, extended, ro, detached, file) are those of every
 * namespace there is, and "ns=N" says how many there are; file is the first one's.
 *
 * Return: 0, -EINVAL.
 */
int options_device(struct options *opt, const char *text, char *why, size_t size);

/**
 * options_ns - one more namespace
 * @opt: changed
 * @text: "KEY=VALUE,KEY=VALUE" of a namespace
 * @why: on failure, what is wrong, in words
 * @size: bytes at @why
 *
 * Return: 0, -EINVAL.
 */
int options_ns(struct options *opt, const char *text, char *why, size_t size);

/**
 * options_parse - the command line
 * @opt: filled in
 * @argc: as main() has it
 * @argv: as main() has it
 * @why: on failure, what is wrong, in words
 * @size: bytes at @why
 *
 * Return: 0; 1 if help was asked for; -EINVAL.
 */
int options_parse(struct options *opt, int argc, char **argv, char *why, size_t size);

/**
 * options_usage - what the command line can be
 * @to: where it is printed
 */
void options_usage(FILE *to);

#endif /* DEVICE_OPTIONS_H */
