// SPDX-License-Identifier: GPL-2.0
/* See memory.h. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <nvmq/spec.h>

#include "../sys.h"
#include "memory.h"

#define PAGES	(MEMORY_CHUNK / NVMQ_PAGE_SIZE)

/**
 * struct chunk - pages with one mapping
 * @next: another one
 * @memory: where it is
 * @dma: where it is for the device
 * @used: whether each page is allocated
 */
struct chunk {
	struct chunk *next;
	u8 *memory;
	u64 dma;
	bool used[PAGES];
};

static struct chunk *chunks;

/* pagemap: bit 63 present, bits 54:0 the page frame, which only CAP_SYS_ADMIN sees. */
static int physical(const struct vfio_device *dev, void *memory, u64 *address)
{
	size_t page = sysconf(_SC_PAGESIZE);
	int fd = open("/proc/self/pagemap", O_RDONLY | O_CLOEXEC);
	u64 entry = 0;
	ssize_t n;

	n = fd < 0 ? -1 : pread(fd, &entry, sizeof(entry),
				(uintptr_t)memory / page * sizeof(entry));
	if (fd >= 0)
		close(fd);
	*address = (entry & ((1ull << 55) - 1)) * page;
	if (n == sizeof(entry) && entry >> 63 && *address && !(*address % MEMORY_CHUNK))
		return 0;
	device_err(dev, "/proc/self/pagemap does not tell where memory is: CAP_SYS_ADMIN is needed");
	return -1;
}

static int fill_chunk(struct vfio_device *dev, struct chunk *chunk)
{
	int flags = MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE;

	if (dev->noiommu)
		flags |= MAP_HUGETLB | 21 << MAP_HUGE_SHIFT;
	chunk->memory = mmap(NULL, MEMORY_CHUNK, PROT_READ | PROT_WRITE, flags, -1, 0);
	if (chunk->memory == MAP_FAILED) {
		device_err(dev, "no memory for it: %s%s", strerror(errno), dev->noiommu ?
			   " (huge pages are needed: echo 64 >/proc/sys/vm/nr_hugepages)" : "");
		return -1;
	}
	/* What a fork would make of pages that the device knows is nothing good. */
	madvise(chunk->memory, MEMORY_CHUNK, MADV_DONTFORK);
	if (!(dev->noiommu ? physical(dev, chunk->memory, &chunk->dma) :
	      device_map(dev, chunk->memory, MEMORY_CHUNK, &chunk->dma)))
		return 0;
	munmap(chunk->memory, MEMORY_CHUNK);
	return -1;
}

/* The first of @pages free pages in a row; -1 if there are none. */
static int find(const struct chunk *chunk, int pages)
{
	int at, run = 0;

	for (at = 0; at < (int)PAGES; at++) {
		run = chunk->used[at] ? 0 : run + 1;
		if (run == pages)
			return at - pages + 1;
	}
	return -1;
}

/**
 * memory_alloc - allocate zeroed pages
 * @dev: who is to reach them
 * @bytes: how much, 1 to MEMORY_CHUNK
 * @dma: set to their address for the device
 *
 * Not thread safe.
 *
 * Return: the memory; NULL, with a line on stderr, if there is none.
 */
void *memory_alloc(struct vfio_device *dev, size_t bytes, u64 *dma)
{
	int pages = (bytes + NVMQ_PAGE_MASK) / NVMQ_PAGE_SIZE, at = -1;
	struct chunk *chunk;

	for (chunk = chunks; chunk; chunk = chunk->next) {
		at = find(chunk, pages);
		if (at >= 0)
			break;
	}
	if (!chunk) {
		chunk = sys_must(calloc(1, sizeof(*chunk)));
		if (pages > (int)PAGES || fill_chunk(dev, chunk)) {
			free(chunk);
			return NULL;
		}
		chunk->next = chunks;
		chunks = chunk;
		at = 0;
	}
	memset(chunk->used + at, true, pages);
	memset(chunk->memory + at * NVMQ_PAGE_SIZE, 0, pages * NVMQ_PAGE_SIZE);
	*dma = chunk->dma + at * NVMQ_PAGE_SIZE;
	return chunk->memory + at * NVMQ_PAGE_SIZE;
}

/**
 * memory_free - undo memory_alloc()
 * @memory: what it returned; the device has let go of it
 * @bytes: as many as then
 */
void memory_free(void *memory, size_t bytes)
{
	size_t pages = (bytes + NVMQ_PAGE_MASK) / NVMQ_PAGE_SIZE;
	struct chunk *chunk;

	for (chunk = chunks; chunk; chunk = chunk->next) {
		uintptr_t at = (uintptr_t)memory - (uintptr_t)chunk->memory;

		if (at < MEMORY_CHUNK)
			memset(chunk->used + at / NVMQ_PAGE_SIZE, false, pages);
	}
}

/**
 * memory_forget - give all of it back to the kernel
 *
 * After device_close(): before, the device could still reach it.
 */
void memory_forget(void)
{
	struct chunk *chunk;

	while ((chunk = chunks)) {
		chunks = chunk->next;
		munmap(chunk->memory, MEMORY_CHUNK);
		free(chunk);
	}
}
