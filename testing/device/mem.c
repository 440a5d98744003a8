// SPDX-License-Identifier: GPL-2.0
/*
 * The guest's memory: a sorted table of ranges, and the files that they are pieces of.
 *
 * A client can take memory away while it is mapped, by truncating its file: the next access is a
 * SIGBUS. The handler here puts a page of zeroes in the hole: that is the client's loss, but the
 * device lives on.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "mem.h"

/* More than QEMU ever maps (65535); what stands against a client that never stops. */
#define MAX_RANGES	131072
/* Files that nothing is mapped of are kept as long as there are no more than this. */
#define MAX_IDLE_FILES	8
/* How many unmapped ranges are remembered; a power of two. */
#define NR_GONE		1024

/* A file, mmapped from its start to its end. */
struct file {
	struct file *next;
	dev_t dev;
	ino_t ino;
	uint8_t *base;
	uint64_t size;
	bool writable;
	size_t users;		/* ranges */
};

struct range {
	uint64_t first;
	uint64_t last;		/* included, so that a range may end where addresses do */
	uint8_t *host;		/* NULL: not shared */
	struct file *file;
	unsigned int prot;
};

struct span {
	uint64_t first;
	uint64_t last;
};

struct mem {
	struct range *ranges;	/* by address */
	size_t nr;
	size_t room;
	size_t hit;		/* where the last lookup ended */
	uint64_t bytes;
	uint64_t generation;
	struct file *files;
	struct span gone[NR_GONE];
	uint64_t nr_gone;
};

/* ---- files ---- */

/* What the signal handler may put pages into. Entries are free while their size is 0. */
#define NR_GUARDED	64
static struct {
	uint8_t *base;
	size_t size;
} guarded[NR_GUARDED];
static struct sigaction former;

static void on_sigbus(int sig, siginfo_t *info, void *context)
{
	long page = sysconf(_SC_PAGESIZE);
	uint8_t *at = info->si_addr;
	int saved = errno;
	unsigned int i;

	for (i = 0; i < NR_GUARDED; i++) {
		if (at < guarded[i].base || at >= guarded[i].base + guarded[i].size)
			continue;
		at -= (uintptr_t)at % page;
		if (mmap(at, page, PROT_READ | PROT_WRITE,
			 MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0) == MAP_FAILED)
			break;
		errno = saved;
		return;
	}
	/* Not ours. Back to what was there before; the access is made again. */
	errno = saved;
	if (former.sa_flags & SA_SIGINFO)
		former.sa_sigaction(sig, info, context);
	else
		sigaction(sig, &former, NULL);
}

static int guard(struct file *file)
{
	static bool installed;
	struct sigaction action = { .sa_sigaction = on_sigbus, .sa_flags = SA_SIGINFO };
	unsigned int i;

	if (!installed) {
		if (sigaction(SIGBUS, &action, &former))
			return -errno;
		installed = true;
	}
	for (i = 0; i < NR_GUARDED; i++) {
		if (guarded[i].size)
			continue;
		guarded[i].base = file->base;
		guarded[i].size = file->size;
		return 0;
	}
	return -ENFILE;
}

static void unguard(const struct file *file)
{
	unsigned int i;

	for (i = 0; i < NR_GUARDED; i++)
		if (guarded[i].base == file->base)
			guarded[i].size = 0;
}

static void free_file(struct file *file)
{
	unguard(file);
	munmap(file->base, file->size);
	free(file);
}

/* Let go of the files that nothing is mapped of, if they are more than @keep. */
static void drop_idle_files(struct mem *mem, size_t keep)
{
	struct file **link, *file;
	size_t idle = 0;

	for (file = mem->files; file; file = file->next)
		idle += !file->users;
	if (idle <= keep)
		return;
	for (link = &mem->files; (file = *link);) {
		if (file->users) {
			link = &file->next;
			continue;
		}
		*link = file->next;
		free_file(file);
	}
}

/* The file behind a descriptor, mmapped now or before; its users are not counted here. */
static int get_file(struct mem *mem, int fd, unsigned int prot, uint64_t end, struct file **found)
{
	struct file *file;
	struct stat st;
	int mode, error;
	void *base;

	mode = fcntl(fd, F_GETFL);
	if (mode < 0 || fstat(fd, &st))
		return -errno;
	mode &= O_ACCMODE;
	/* What the device may only write has to be readable too: mmap() knows no other way. */
	if (mode == O_WRONLY || (mode == O_RDONLY && (prot & MEM_WRITE)))
		return -EACCES;
	if (!S_ISREG(st.st_mode) || st.st_size < 0 || end > (uint64_t)st.st_size)
		return -EINVAL;

	for (file = mem->files; file; file = file->next) {
		if (file->dev == st.st_dev && file->ino == st.st_ino && end <= file->size &&
		    (file->writable || !(prot & MEM_WRITE))) {
			*found = file;
			return 0;
		}
	}

	drop_idle_files(mem, MAX_IDLE_FILES);
	file = calloc(1, sizeof(*file));
	if (!file)
		return -ENOMEM;
	base = MAP_FAILED;
	file->writable = mode == O_RDWR;
	if (file->writable)
		base = mmap(NULL, st.st_size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_NORESERVE,
			    fd, 0);
	/* A file that was opened for writing may be sealed against it. */
	if (base == MAP_FAILED && !(prot & MEM_WRITE)) {
		file->writable = false;
		base = mmap(NULL, st.st_size, PROT_READ, MAP_SHARED | MAP_NORESERVE, fd, 0);
	}
	if (base == MAP_FAILED) {
		error = -errno;
		free(file);
		return error;
	}
	file->dev = st.st_dev;
	file->ino = st.st_ino;
	file->base = base;
	file->size = st.st_size;
	error = guard(file);
	if (error) {
		munmap(base, file->size);
		free(file);
		return error;
	}
	file->next = mem->files;
	mem->files = file;
	*found = file;
	return 0;
}

/* ---- the table ---- */

struct mem *mem_new(void)
{
	return calloc(1, sizeof(struct mem));
}

void mem_free(struct mem *mem)
{
	if (!mem)
		return;
	mem_unmap_all(mem);
	free(mem->ranges);
	free(mem);
}

/* Index of the first range that ends at @iova or behind it; nr if there is none. */
static size_t lower_bound(const struct mem *mem, uint64_t iova)
{
	size_t low = 0, high = mem->nr;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (mem->ranges[middle].last < iova)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

/* The range that holds @iova, or NULL. */
static struct range *find(struct mem *mem, uint64_t iova)
{
	size_t at = mem->hit;

	if (at < mem->nr && mem->ranges[at].first <= iova && iova <= mem->ranges[at].last)
		return mem->ranges + at;
	at = lower_bound(mem, iova);
	if (at == mem->nr || mem->ranges[at].first > iova)
		return NULL;
	mem->hit = at;
	return mem->ranges + at;
}

int mem_map(struct mem *mem, uint64_t iova, uint64_t size, unsigned int prot, int fd,
	    uint64_t offset)
{
	struct range *range;
	struct file *file = NULL;
	uint64_t last = iova + size - 1;
	size_t at;
	int error;

	if (!size || last < iova || (prot & ~(MEM_READ | MEM_WRITE)))
		return -EINVAL;
	at = lower_bound(mem, iova);
	if (at < mem->nr && mem->ranges[at].first <= last)
		return -EEXIST;
	if (mem->nr == mem->room) {
		size_t room = mem->room ? mem->room * 2 : 64;

		if (room > MAX_RANGES)
			return -ENOSPC;
		range = realloc(mem->ranges, room * sizeof(*range));
		if (!range)
			return -ENOMEM;
		mem->ranges = range;
		mem->room = room;
	}
	if (fd >= 0) {
		if (offset + size < offset)
			return -EINVAL;
		error = get_file(mem, fd, prot, offset + size, &file);
		if (error)
			return error;
		file->users++;
	}

	range = mem->ranges + at;
	memmove(range + 1, range, (mem->nr - at) * sizeof(*range));
	mem->nr++;
	mem->bytes += size;
	range->first = iova;
	range->last = last;
	range->prot = prot;
	range->file = file;
	range->host = file ? file->base + offset : NULL;
	return 0;
}

int mem_unmap(struct mem *mem, uint64_t iova, uint64_t size)
{
	uint64_t last = iova + size - 1;
	size_t from, to;

	if (!size || last < iova)
		return -EINVAL;
	from = lower_bound(mem, iova);
	to = from;
	while (to < mem->nr && mem->ranges[to].first <= last) {
		if (mem->ranges[to].first < iova || mem->ranges[to].last > last)
			return -EINVAL;
		to++;
	}
	if (from == to)
		return 0;

	for (size_t i = from; i < to; i++) {
		struct range *range = mem->ranges + i;
		struct span *gone = mem->gone + mem->nr_gone++ % NR_GONE;

		gone->first = range->first;
		gone->last = range->last;
		mem->bytes -= range->last - range->first + 1;
		if (range->file)
			range->file->users--;
	}
	memmove(mem->ranges + from, mem->ranges + to, (mem->nr - to) * sizeof(struct range));
	mem->nr -= to - from;
	mem->hit = 0;
	mem->generation++;
	return 0;
}

void mem_unmap_all(struct mem *mem)
{
	struct file *file;

	while ((file = mem->files)) {
		mem->files = file->next;
		free_file(file);
	}
	mem->nr = 0;
	mem->hit = 0;
	mem->bytes = 0;
	mem->nr_gone = 0;
	mem->generation++;
}

/* ---- access ---- */

static enum mem_fault why_not(const struct mem *mem, uint64_t iova)
{
	uint64_t i, nr = mem->nr_gone < NR_GONE ? mem->nr_gone : NR_GONE;

	for (i = 0; i < nr; i++)
		if (mem->gone[i].first <= iova && iova <= mem->gone[i].last)
			return MEM_WAS_MAPPED;
	return MEM_UNMAPPED;
}

void *mem_at(struct mem *mem, uint64_t iova, size_t *len, unsigned int prot, enum mem_fault *why)
{
	struct range *range = find(mem, iova);
	enum mem_fault fault;
	uint64_t left;

	if (range && range->host && (range->prot & prot) == prot) {
		left = range->last - iova;
		/* One less than there are, for a range of all addresses. */
		if (*len && *len - 1 > left)
			*len = left + 1;
		if (why)
			*why = MEM_OK;
		return range->host + (iova - range->first);
	}
	if (!range)
		fault = why_not(mem, iova);
	else if ((range->prot & prot) != prot)
		fault = MEM_DENIED;
	else
		fault = MEM_NOT_SHARED;
	if (why)
		*why = fault;
	return NULL;
}

int mem_read(struct mem *mem, uint64_t iova, void *to, size_t len, enum mem_fault *why)
{
	uint8_t *byte = to;

	if (why)
		*why = MEM_OK;
	while (len) {
		size_t part = len;
		const void *host = mem_at(mem, iova, &part, MEM_READ, why);

		if (!host)
			return -EFAULT;
		memcpy(byte, host, part);
		byte += part;
		iova += part;
		len -= part;
	}
	return 0;
}

int mem_write(struct mem *mem, uint64_t iova, const void *from, size_t len, enum mem_fault *why)
{
	const uint8_t *byte = from;

	if (why)
		*why = MEM_OK;
	while (len) {
		size_t part = len;
		void *host = mem_at(mem, iova, &part, MEM_WRITE, why);

		if (!host)
			return -EFAULT;
		memcpy(host, byte, part);
		byte += part;
		iova += part;
		len -= part;
	}
	return 0;
}

uint64_t mem_generation(const struct mem *mem)
{
	return mem->generation;
}

size_t mem_count(const struct mem *mem, uint64_t *bytes)
{
	if (bytes)
		*bytes = mem->bytes;
	return mem->nr;
}

int mem_each(const struct mem *mem,
	     int (*fn)(void *ctx, uint64_t iova, uint64_t size, unsigned int prot), void *ctx)
{
	int stop = 0;
	size_t i;

	for (i = 0; i < mem->nr && !stop; i++) {
		const struct range *range = mem->ranges + i;

		stop = fn(ctx, range->first, range->last - range->first + 1, range->prot);
	}
	return stop;
}

const char *mem_fault_name(enum mem_fault why)
{
	switch (why) {
	case MEM_OK:
		return "reachable";
	case MEM_UNMAPPED:
		return "not mapped";
	case MEM_DENIED:
		return "mapped, but not for this direction";
	case MEM_WAS_MAPPED:
		return "unmapped before";
	case MEM_NOT_SHARED:
		return "mapped, but not shared with the device";
	}
	return "unknown";
}
