/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The rules that the judge knows: DEFRULE(id, section, sentence), one for each thing that a host
 * must do or must not do.  No include guard: whoever includes this defines DEFRULE() for what it
 * wants of the table, and it is undefined at the end.
 *
 * Sections: "base" is the NVM Express Base Specification 2.0, "nvm" the NVM Command Set
 * Specification 1.0, "pcie" the NVMe over PCIe Transport Specification 1.0, all as ratified on
 * June 2nd, 2021.  Each section was looked up in the text, and its sentence held against it; the
 * sentences are ours.  The text of 2.0c was not at hand: what others cite of it has the same
 * sections, but figures that are counted one higher.  1.4 and 2.1 are divided differently.
 *
 * Three kinds of sentences: plain ones are what the specification demands ("shall"), or what it
 * calls undefined or an error if it is done otherwise.  With "should", it is what it recommends.
 * "Without effect" is said of what a host may do, but for no good: the specification permits it,
 * and a driver that does it has made a mistake.
 *
 * The specification does not know where memory is, or an IOMMU: of these, "Memory" below, the
 * section says from when to when memory is the controller's.  0 is an address like others: that a
 * data pointer of 0 is one that was forgotten is what the judge believes.
 */

/* Registers */
DEFRULE(REG_WIDTH, "pcie 3.1.2",
	"A register is accessed in its own width, or in aligned dwords if it has 64 bits")
DEFRULE(REG_ALIGN, "pcie 3.1.2",
	"An access of a register starts where the register or its upper dword starts")
DEFRULE(REG_SPAN, "base 3.1.3", "One access does not touch two registers")
DEFRULE(REG_READ_ONLY, "base 3.1.3",
	"To write registers and bits that are read-only is without effect")
DEFRULE(REG_RESERVED, "base 3.1.3",
	"Only 0 is written to reserved registers, or to those of features that are not there")
DEFRULE(INTM_MSIX, "base 3.1.3.3", "INTMS and INTMC are not accessed while MSI-X is in use")
DEFRULE(NSSR_VALUE, "base 3.1.3.7",
	"To write anything but 4E564D65h (\"NVMe\") to NSSR is without effect")
DEFRULE(NSSR_UNSUPPORTED, "base 3.1.3.7", "Nothing but 0 is written to NSSR if CAP.NSSRS is 0")

/* Configuration: CC, AQA, ASQ, ACQ */
DEFRULE(CC_RESERVED, "base 3.1.3.5", "Reserved bits of CC are 0")
DEFRULE(CC_ENABLE_EARLY, "base 3.1.3.5", "CC.EN is not set while CSTS.RDY is 1")
DEFRULE(CC_DISABLE_EARLY, "base 3.1.3.5",
	"CC.EN is not cleared while CSTS.RDY is 0, before CAP.TO or CRTO has passed")
DEFRULE(CC_CHANGED, "base 3.1.3.5", "CSS, MPS and AMS are not changed while CC.EN is 1")
DEFRULE(CC_MPS, "base 3.1.3.5", "CC.MPS is in the range of CAP.MPSMIN to CAP.MPSMAX")
DEFRULE(CC_CSS, "base 3.1.3.5", "CC.CSS is a command set selection that CAP.CSS offers")
DEFRULE(CC_AMS, "base 3.1.3.5", "CC.AMS is an arbitration mechanism that CAP.AMS offers")
DEFRULE(CC_SHN, "base 3.1.3.5", "CC.SHN is not 11b")
DEFRULE(CC_SHN_ENABLE, "base 3.1.3.6", "CC.SHN is 00b in the write that sets CC.EN")
DEFRULE(CC_ENTRY_SIZE, "base 3.1.3.5",
	"CC.IOSQES and CC.IOCQES are 6 and 4 when the first I/O queue is created")
DEFRULE(CC_ENTRY_SIZE_CHANGED, "base 3.1.3.5",
	"CC.IOSQES and CC.IOCQES are not changed while there are I/O queues of that kind")
DEFRULE(CC_BUS_MASTER, "pcie 3.8.1.2",
	"The controller should be enabled as a bus master before CC.EN is set")
DEFRULE(AQ_CHANGED, "base 3.1.3.5", "AQA, ASQ and ACQ are not written while CC.EN is 1")
DEFRULE(AQA_RESERVED, "base 3.1.3.8", "Reserved bits of AQA are 0")
DEFRULE(AQA_SIZE, "base 3.1.3.8", "Each admin queue has at least two entries")
DEFRULE(AQ_ALIGN, "base 3.1.3.9", "ASQ and ACQ are aligned to the memory page size of CC.MPS")
DEFRULE(AQ_UNSET, "base 3.5.1",
	"AQA, ASQ and ACQ are written before CC.EN is set for the first time")

/* Doorbells */
DEFRULE(DB_NOT_READY, "base 3.4", "No doorbell is rung unless CC.EN and CSTS.RDY are 1")
DEFRULE(DB_READ, "pcie 3.1.2.1", "Doorbells should not be read")
DEFRULE(DB_WIDTH, "pcie 3.1.2", "A doorbell is written as one aligned dword")
DEFRULE(DB_GAP, "pcie 3.1.2", "Nothing is written between the doorbells that CAP.DSTRD sets apart")
DEFRULE(DB_NO_QUEUE, "pcie 3.1.2.1", "Only doorbells of queues that exist are rung")
DEFRULE(DB_RESERVED, "pcie 3.1.2.1", "The upper 16 bits of a doorbell are 0")
DEFRULE(DB_RANGE, "base 5.2.1", "A doorbell value is smaller than the size of its queue")
DEFRULE(DB_SAME, "base 5.2.1", "A doorbell is not written with the value that it has")
DEFRULE(DB_SQ_OVERRUN, "base 3.3.1.5",
	"The tail does not pass the head that the last completion told")
DEFRULE(DB_CQ_OVERRUN, "base 3.3.1.2", "The head does not pass the entries that were posted")
DEFRULE(DB_SHUTDOWN, "base 3.1.3.6",
	"No I/O command follows CC.SHN, and no command a completed shutdown, until the next reset")

/* Submission queue entries */
DEFRULE(SQE_FUSED, "base 3.4.2", "FUSE is 00b unless the controller offers fused operations")
DEFRULE(SQE_FLAGS, "base 3.3.3.1", "Reserved bits of the flags are 0")
DEFRULE(SQE_PSDT_ADMIN, "base 3.3.3.1", "Admin commands use PRPs over PCIe")
DEFRULE(SQE_PSDT, "base 3.3.3.1", "PSDT is not 11b, and 00b unless the controller offers SGLs")
DEFRULE(SQE_CID_BUSY, "base 3.3.3.1",
	"A command identifier is not used while a command of that queue has it")
DEFRULE(SQE_CID_FFFF, "base 3.3.3.1", "The command identifier FFFFh should not be used")
DEFRULE(SQE_RESERVED, "base 1.4.1.6", "Reserved dwords and bits of a command are 0")
DEFRULE(SQE_NSID_UNUSED, "base 3.3.3.1", "NSID is 0 in a command that has no use for it")
DEFRULE(SQE_CHANGED, "base 3.3.1.2",
	"An entry is not changed after its doorbell, until it is consumed")
DEFRULE(OPCODE, "base 3.1.2",
	"Only commands that Identify and the Commands Supported log offer should be sent")
DEFRULE(NSID_INVALID, "base 3.2.1.2",
	"NSID is that of a namespace that may exist, or FFFFFFFFh where that has a meaning")
DEFRULE(NSID_INACTIVE, "base 3.2.1.5",
	"NSID is that of a namespace that is active for this controller")

/* PRPs and SGLs */
DEFRULE(PRP1_ALIGN, "base 4.1.1", "The offset of PRP1 is a multiple of 4")
DEFRULE(PRP1_ZERO, "base 3.3.3.1", "A command with data has a PRP1")
DEFRULE(PRP2_OFFSET, "base 4.1.1", "PRP2 as the second page of the data has no offset")
DEFRULE(PRP2_ZERO, "base 3.3.3.1", "Data of more than one page has a PRP2")
DEFRULE(PRP2_RESERVED, "base 3.3.3.1", "PRP2 is 0 if the data does not cross a page")
DEFRULE(PRP_LIST_ALIGN, "base 4.1.1", "The address of a PRP list is a multiple of 8")
DEFRULE(PRP_LIST_SHORT, "base 4.1.1", "A PRP list has an entry for every page of the data")
DEFRULE(PRP_ENTRY_OFFSET, "base 4.1.1", "An entry of a PRP list has no offset")
DEFRULE(PRP_CHAIN_OFFSET, "base 4.1.1", "The entry that leads to the next PRP list has no offset")
DEFRULE(PRP_LIST_CHANGED, "pcie 3.4.2", "A PRP list is not changed before its command is completed")
DEFRULE(SGL_TYPE, "base 4.1.2", "SGL descriptors are of the types that SGLS offers")
DEFRULE(SGL_RESERVED, "base 4.1.2", "Reserved fields of an SGL descriptor are 0")
DEFRULE(SGL_LENGTH, "base 4.1.2",
	"An SGL describes the bytes that the command moves, and no more unless SGLS permits that")
DEFRULE(SGL_ALIGN, "base 4.1.2",
	"Segments start at multiples of 8; blocks are of whole dwords if SGLS asks for that")
DEFRULE(MDTS, "base 5.17.2.1", "No transfer should be larger than MDTS")

/* Memory */
DEFRULE(DMA_UNMAPPED, "base 3.3.3.1", "Memory that a command or a queue names is there")
DEFRULE(DMA_AFTER_UNMAP, "pcie 3.4.2",
	"Memory that a command or a queue names is not unmapped before it is done")
DEFRULE(DMA_DIRECTION, "base 3.3.3.1",
	"Memory is mapped for the direction in which the command moves data")
DEFRULE(MEM_TAKEN_BACK, "pcie 3.4.2",
	"Memory of a queue or of a command is not unmapped while the controller has it")
DEFRULE(MAP_LEAKED, "pcie 3.4.2",
	"Memory that was mapped for the controller should be unmapped when the host lets go of it")

/* Queues */
DEFRULE(CQ_PHASE_INIT, "base 3.3.3.2", "The phase tags of a new completion queue are 0")
DEFRULE(CQ_WRITTEN, "base 3.3.1.2", "The host does not write to a completion queue that exists")
DEFRULE(QUEUE_ID_RANGE, "base 5.4", "A queue identifier is 1 to what Set Features granted")
DEFRULE(QUEUE_ID_USED, "base 5.4", "A queue that exists is not created again")
DEFRULE(QUEUE_SIZE, "base 3.3.3.3", "The size of a queue is 2 to CAP.MQES + 1 entries")
DEFRULE(QUEUE_CONTIGUOUS, "base 3.1.3.1", "Queues are contiguous if CAP.CQR is 1")
DEFRULE(QUEUE_ALIGN, "base 5.4",
	"The memory of a queue, or the list of its pages, starts at a page")
DEFRULE(QUEUE_OVERLAP, "base 3.3.1.2", "Queues don't share memory")
DEFRULE(QUEUE_LIST_CHANGED, "base 5.4",
	"The list of a queue's pages is not changed before the queue is deleted")
DEFRULE(QUEUE_COUNT_UNASKED, "base 3.5.1",
	"The number of queues should be asked for before the first I/O queue is created")
DEFRULE(CQ_VECTOR, "pcie 3.2",
	"The interrupt vector of a queue is one that is enabled; 0 without MSI-X and MSI")
DEFRULE(SQ_CQID, "base 5.5", "A submission queue names a completion queue for I/O that exists")
DEFRULE(CQ_DELETE_BUSY, "base 5.6", "A completion queue is deleted after its submission queues")
DEFRULE(QUEUE_DELETE_UNKNOWN, "base 5.7", "Only I/O queues that exist are deleted")
DEFRULE(IRQ_UNCONSUMED, "pcie 3.1.2.2",
	"The host should consume the completions that an interrupt announced")

/* Admin commands */
DEFRULE(AER_LIMIT, "base 5.2", "No more asynchronous event requests are outstanding than AERL says")
DEFRULE(ABORT_LIMIT, "base 5.1", "No more aborts should be outstanding than ACL says")
DEFRULE(FEAT_QUEUES_LATE, "base 5.27.1.5", "The number of queues is not set when I/O queues exist")
DEFRULE(FEAT_QUEUES_FFFF, "base 5.27.1.5", "The numbers of queues asked for are not FFFFh")
DEFRULE(FEAT_VECTOR_EARLY, "base 5.27.1.7",
	"An interrupt vector is configured after an I/O completion queue has it")
DEFRULE(FEAT_UNKNOWN, "base 5.27.1", "Only features that the controller has should be set")
DEFRULE(FEAT_SAVE, "base 5.27", "A feature that is not saveable is not saved")
DEFRULE(FEAT_VALUE, "base 5.27.1", "A feature is set to a value that it can have")
DEFRULE(LOG_OFFSET, "base 5.16",
	"The offset into a log page is of whole dwords, and not behind its end")
DEFRULE(FORMAT, "base 5.14", "A namespace is formatted to a format that Identify lists")

/* I/O commands */
DEFRULE(LBA_RANGE, "nvm 2.1.1", "A command stays within the namespace")
DEFRULE(RW_PRACT, "nvm 3.2.1", "PRACT is 0 in Compare and Verify")
DEFRULE(RW_MPTR, "base 3.3.3.1",
	"Separate metadata has an MPTR, aligned to dwords unless SGLS permits bytes")
DEFRULE(WRITE_PROTECTED, "base 8.12.1.1",
	"A namespace that says that it is write protected is not written")
DEFRULE(FLUSH_BROADCAST, "base 7.1",
	"Flush names FFFFFFFFh only if VWC says that this is supported")
DEFRULE(DSM_LIMITS, "nvm 3.2.3.1",
	"Dataset Management of more than DMRL, DMRSL and DMSL is without effect for the rest")
DEFRULE(WZ_LIMITS, "nvm 3.2.8", "Write Zeroes should keep to WZSL")
DEFRULE(COPY_LIMITS, "nvm 3.2.2", "Copy keeps to MSRC, MSSRL and MCL")

/* Of the device itself: were it broken, what it says of the host would be worth nothing. */
DEFRULE(DEVICE_BUG, "nvm 2.1.4.2", "A block reads as what was last written to it")

#undef DEFRULE
