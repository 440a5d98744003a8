/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The guest's memory as the device may reach it: a table of ranges of I/O addresses, each a piece
 * of a file that the client shares. Without an IOMMU these are a few large ranges; with one, as
 * many small ones as there are buffers mapped, coming and going with every request. So a file is
 * mmapped once, whole, and a range is only a row of the table.
 */
#ifndef DEVICE_MEM_H
#define DEVICE_MEM_H

#include <stddef.h>
#include <stdint.h>

/* What the device may do. */
enum {
	MEM_READ = 1,
	MEM_WRITE = 2,
};

/**
 * enum mem_fault - why an address cannot be reached
 * @MEM_OK: it can
 * @MEM_UNMAPPED: it is not mapped, and was not lately
 * @MEM_DENIED: it is mapped, but not for this direction
 * @MEM_WAS_MAPPED: it is not mapped any more: use after unmap
 * @MEM_NOT_SHARED: it is mapped, but the client did not send the file (QEMU without share=on)
 */
enum mem_fault {
	MEM_OK,
	MEM_UNMAPPED,
	MEM_DENIED,
	MEM_WAS_MAPPED,
	MEM_NOT_SHARED,
};

struct mem;

/**
 * mem_new() - a device that can reach no memory
 *
 * Return: the table, NULL without memory.
 */
struct mem *mem_new(void);

/**
 * mem_free() - let go of all memory
 * @mem: the table, or NULL
 */
void mem_free(struct mem *mem);

/**
 * mem_map() - the device may reach a range
 * @mem: the table
 * @iova: its first address
 * @size: in bytes
 * @prot: mask of MEM_READ and MEM_WRITE
 * @fd: the file, or -1 if it is not shared; not needed any more when this returns
 * @offset: where in the file the range begins
 *
 * Neither alignment nor page size is demanded: it is a table, not an IOMMU.
 *
 * Return: 0; -EINVAL for an empty range, one that wraps around, or one that the file does not
 * hold; -EEXIST if it overlaps one that is mapped; -EACCES if the file does not allow @prot;
 * another -errno.
 */
int mem_map(struct mem *mem, uint64_t iova, uint64_t size, unsigned int prot, int fd,
	    uint64_t offset);

/**
 * mem_unmap() - the device may no longer reach what lies in a range
 * @mem: the table
 * @iova: first address
 * @size: in bytes
 *
 * The range may hold any number of mapped ranges, none included, but each of them whole.
 *
 * Return: 0; -EINVAL for an empty range, one that wraps around, or one that cuts a mapped range
 * in two; nothing is unmapped then.
 */
int mem_unmap(struct mem *mem, uint64_t iova, uint64_t size);

/**
 * mem_unmap_all() - the device may reach nothing, and all files are let go
 * @mem: the table
 *
 * The addresses are not remembered as unmapped lately: it is another guest that comes next.
 */
void mem_unmap_all(struct mem *mem);

/**
 * mem_at() - the bytes behind an address
 * @mem: the table
 * @iova: the address
 * @len: wanted; cut to what is contiguous behind the returned pointer; unchanged on failure
 * @prot: what is going to be done, mask of MEM_READ and MEM_WRITE
 * @why: set to the reason if NULL is returned, to MEM_OK otherwise; may be NULL
 *
 * The pointer is good until the range is unmapped; mem_generation() tells.
 *
 * Return: a pointer to *@len bytes, at least one; NULL if the first byte cannot be reached.
 */
void *mem_at(struct mem *mem, uint64_t iova, size_t *len, unsigned int prot, enum mem_fault *why);

/**
 * mem_read() - copy from the guest
 * @mem: the table
 * @iova: from where
 * @to: where to
 * @len: bytes, may cross ranges that adjoin
 * @why: the reason of a failure; may be NULL
 *
 * Return: 0; -EFAULT if not every byte can be reached: the first ones may have been copied.
 */
int mem_read(struct mem *mem, uint64_t iova, void *to, size_t len, enum mem_fault *why);

/**
 * mem_write() - copy to the guest
 * @mem: the table
 * @iova: where to
 * @from: from where
 * @len: bytes, may cross ranges that adjoin
 * @why: the reason of a failure; may be NULL
 *
 * Return: 0; -EFAULT if not every byte can be reached: the first ones may have been written.
 */
int mem_write(struct mem *mem, uint64_t iova, const void *from, size_t len, enum mem_fault *why);

/**
 * mem_generation() - has a pointer from mem_at() become stale
 * @mem: the table
 *
 * Return: a number that changes whenever anything is unmapped.
 */
uint64_t mem_generation(const struct mem *mem);

/**
 * mem_count() - how much is mapped
 * @mem: the table
 * @bytes: set to the sum of the sizes; may be NULL
 *
 * Return: the number of ranges.
 */
size_t mem_count(const struct mem *mem, uint64_t *bytes);

/**
 * mem_each() - look at every mapped range, in order of address
 * @mem: the table
 * @fn: called for each; stops if it does not return 0; must not map or unmap
 * @ctx: its first argument
 *
 * Return: what the last call returned, 0 without one.
 */
int mem_each(const struct mem *mem,
	     int (*fn)(void *ctx, uint64_t iova, uint64_t size, unsigned int prot), void *ctx);

/**
 * mem_fault_name() - a reason in words
 * @why: the reason
 *
 * Return: a few words for a message.
 */
const char *mem_fault_name(enum mem_fault why);

#endif
