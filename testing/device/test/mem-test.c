// SPDX-License-Identifier: GPL-2.0
/* The table of ranges, against a model that is an array of pages; and the files behind it. */
#include <sys/wait.h>

#include "tap.h"
#include "mem.c"

#define PAGE	4096ULL

/* A file of @pages pages, each filled with its number. */
static int file_of(unsigned int pages)
{
	int fd = memfd_create("mem-test", MFD_CLOEXEC);
	uint8_t page[PAGE];
	unsigned int i;

	CHECK(fd >= 0, "memfd_create: %d", errno);
	for (i = 0; i < pages; i++) {
		memset(page, i, sizeof(page));
		CHECK(write(fd, page, sizeof(page)) == sizeof(page), "write: %d", errno);
	}
	return fd;
}

static unsigned int open_fds(void)
{
	unsigned int fd, nr = 0;

	for (fd = 0; fd < 512; fd++)
		nr += fcntl(fd, F_GETFD) >= 0;
	return nr;
}

static void test_map_and_translate(void)
{
	struct mem *mem = mem_new();
	enum mem_fault why;
	int fd = file_of(8);
	uint8_t *at;
	size_t len;

	CHECK(!mem_at(mem, 0, &(size_t){ 1 }, 0, &why) && why == MEM_UNMAPPED, "%d", why);
	CHECK(!mem_map(mem, 0x10000, 4 * PAGE, MEM_READ | MEM_WRITE, fd, 2 * PAGE), "map");
	close(fd);

	len = 100;
	at = mem_at(mem, 0x10000, &len, MEM_READ, &why);
	CHECK(at && *at == 2 && len == 100 && why == MEM_OK, "len %zu why %d", len, why);
	len = 100;
	at = mem_at(mem, 0x10000 + 4 * PAGE - 10, &len, MEM_READ | MEM_WRITE, &why);
	CHECK(at && *at == 5 && len == 10, "len %zu", len);
	len = 100;
	CHECK(!mem_at(mem, 0x10000 + 4 * PAGE, &len, MEM_READ, &why) && why == MEM_UNMAPPED &&
	      len == 100, "behind the end: %d, len %zu", why, len);
	CHECK(!mem_at(mem, 0xffff, &len, MEM_READ, &why) && why == MEM_UNMAPPED, "before: %d", why);
	CHECK(!mem_at(mem, ~0ULL, &len, MEM_READ, NULL), "far behind");
	mem_free(mem);
}

static void test_permissions(void)
{
	static const struct {
		unsigned int prot, use;
		enum mem_fault why;
	} cases[] = {
		{ MEM_READ, MEM_READ, MEM_OK },
		{ MEM_READ, MEM_WRITE, MEM_DENIED },
		{ MEM_READ, MEM_READ | MEM_WRITE, MEM_DENIED },
		{ MEM_WRITE, MEM_READ, MEM_DENIED },
		{ MEM_WRITE, MEM_WRITE, MEM_OK },
		{ MEM_READ | MEM_WRITE, MEM_READ | MEM_WRITE, MEM_OK },
		{ 0, MEM_READ, MEM_DENIED },
		{ 0, MEM_WRITE, MEM_DENIED },
	};
	struct mem *mem = mem_new();
	enum mem_fault why;
	int fd = file_of(1), ro;
	char path[32];
	unsigned int i;

	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		size_t len = 8;
		void *at;

		CHECK(!mem_map(mem, i * PAGE, PAGE, cases[i].prot, fd, 0), "map %u", i);
		at = mem_at(mem, i * PAGE, &len, cases[i].use, &why);
		CHECK(why == cases[i].why && !at == (why != MEM_OK), "case %u: %d", i, why);
		CHECK(mem_unmap(mem, i * PAGE, PAGE) == 0, "unmap %u", i);
	}

	/* A descriptor that can only be read gives no write access, whatever is mapped already. */
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	ro = open(path, O_RDONLY | O_CLOEXEC);
	CHECK(ro >= 0, "open: %d", errno);
	CHECK(mem_map(mem, 0, PAGE, MEM_WRITE, ro, 0) == -EACCES, "write to a read-only file");
	CHECK(!mem_map(mem, 0, PAGE, MEM_READ, ro, 0), "read from a read-only file");
	close(ro);
	ro = open(path, O_WRONLY | O_CLOEXEC);
	CHECK(mem_map(mem, PAGE, PAGE, MEM_WRITE, ro, 0) == -EACCES, "a write-only file");
	close(ro);
	mem_unmap_all(mem);

	/* Read-only first, then the same file for writing: needs another mapping of it. */
	ro = open(path, O_RDONLY | O_CLOEXEC);
	CHECK(!mem_map(mem, 0, PAGE, MEM_READ, ro, 0), "read");
	CHECK(!mem_map(mem, PAGE, PAGE, MEM_WRITE, fd, 0), "write");
	CHECK(!mem_write(mem, PAGE, "x", 1, &why), "%d", why);
	CHECK(mem_write(mem, 0, "x", 1, &why) == -EFAULT && why == MEM_DENIED, "%d", why);
	close(ro);
	close(fd);
	mem_unmap_all(mem);

	/* Sealed against writing. */
	fd = memfd_create("sealed", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	CHECK(!ftruncate(fd, PAGE) && !fcntl(fd, F_ADD_SEALS, F_SEAL_WRITE), "seal: %d", errno);
	CHECK(mem_map(mem, 0, PAGE, MEM_READ | MEM_WRITE, fd, 0) == -EPERM, "write");
	CHECK(!mem_map(mem, 0, PAGE, MEM_READ, fd, 0), "read");
	CHECK(mem_map(mem, PAGE, PAGE, MEM_WRITE, fd, 0) == -EPERM, "write");
	close(fd);
	mem_free(mem);
}

static void test_refused(void)
{
	struct mem *mem = mem_new();
	int fd = file_of(4), pipes[2];

	CHECK(mem_map(mem, 0, 0, MEM_READ, fd, 0) == -EINVAL, "empty");
	CHECK(mem_map(mem, ~0ULL, 2, MEM_READ, fd, 0) == -EINVAL, "wraps around");
	CHECK(mem_map(mem, 0, PAGE, 4, fd, 0) == -EINVAL, "unknown protection");
	CHECK(mem_map(mem, 0, 5 * PAGE, MEM_READ, fd, 0) == -EINVAL, "longer than the file");
	CHECK(mem_map(mem, 0, PAGE, MEM_READ, fd, 4 * PAGE) == -EINVAL, "behind the file");
	CHECK(mem_map(mem, 0, PAGE, MEM_READ, fd, 4 * PAGE - 1) == -EINVAL, "over its end");
	CHECK(mem_map(mem, 0, PAGE, MEM_READ, fd, ~0ULL - 4) == -EINVAL, "offset wraps around");
	CHECK(mem_map(mem, 0, PAGE, MEM_READ, 511, 0) == -EBADF, "no file");
	CHECK(!pipe(pipes), "pipe");
	CHECK(mem_map(mem, 0, PAGE, MEM_READ, pipes[0], 0) == -EINVAL, "a pipe");
	close(pipes[0]);
	close(pipes[1]);
	CHECK(mem_count(mem, NULL) == 0 && !mem->files, "something is left");

	CHECK(!mem_map(mem, 0x4000, 2 * PAGE, MEM_READ, fd, 0), "map");
	CHECK(mem_map(mem, 0x4000, 2 * PAGE, MEM_READ, fd, 0) == -EEXIST, "the same");
	CHECK(mem_map(mem, 0x3fff, 2, MEM_READ, fd, 0) == -EEXIST, "over its start");
	CHECK(mem_map(mem, 0x5fff, 2, MEM_READ, fd, 0) == -EEXIST, "over its end");
	CHECK(mem_map(mem, 0x4800, 1, MEM_READ, fd, 0) == -EEXIST, "inside");
	CHECK(mem_map(mem, 0, 1ULL << 40, MEM_READ, -1, 0) == -EEXIST, "around");
	CHECK(!mem_map(mem, 0x3fff, 1, MEM_READ, fd, 0), "just before");
	CHECK(!mem_map(mem, 0x6000, 1, MEM_READ, fd, 0), "just behind");

	CHECK(mem_unmap(mem, 0x4000, 0) == -EINVAL, "unmap nothing");
	CHECK(mem_unmap(mem, ~0ULL, 2) == -EINVAL, "unmap wraps around");
	CHECK(mem_unmap(mem, 0x4000, PAGE) == -EINVAL, "unmap half");
	CHECK(mem_unmap(mem, 0x5000, PAGE + 1) == -EINVAL, "unmap the other half and another");
	CHECK(mem_unmap(mem, 0x3fff, 2) == -EINVAL, "unmap one and a part");
	CHECK(mem_count(mem, NULL) == 3, "%zu", mem_count(mem, NULL));
	CHECK(!mem_unmap(mem, 0x3000, 0x4000), "unmap all three");
	CHECK(mem_count(mem, NULL) == 0, "%zu", mem_count(mem, NULL));
	CHECK(!mem_unmap(mem, 0x3000, 0x4000), "unmap where nothing is");
	close(fd);
	mem_free(mem);
}

static void test_ends_of_the_address_space(void)
{
	struct mem *mem = mem_new();
	enum mem_fault why;
	int fd = file_of(2);
	uint64_t bytes;
	uint8_t buf[8];
	size_t len = 64;

	CHECK(!mem_map(mem, -2 * PAGE, 2 * PAGE, MEM_READ, fd, 0), "map the last two pages");
	CHECK(mem_at(mem, ~0ULL, &len, MEM_READ, &why) && len == 1, "len %zu", len);
	CHECK(!mem_map(mem, 0, PAGE, MEM_READ, fd, 0), "map the first");
	len = 2 * PAGE;
	CHECK(mem_at(mem, -2 * PAGE, &len, MEM_READ, &why) && len == 2 * PAGE, "len %zu", len);
	CHECK(!mem_read(mem, ~0ULL - 7, buf, 8, &why) && buf[7] == 1, "%d", why);
	CHECK(!mem_unmap(mem, -2 * PAGE, 2 * PAGE), "unmap");
	CHECK(mem_count(mem, &bytes) == 1 && bytes == PAGE, "%llu", (unsigned long long)bytes);
	/* One byte less than there are addresses; more is not a number of 64 bits. */
	CHECK(!mem_unmap(mem, 0, ~0ULL), "unmap everything");
	CHECK(!mem_map(mem, 0, ~0ULL, MEM_READ, -1, 0), "map everything");
	CHECK(!mem_at(mem, 1 << 30, &len, MEM_READ, &why) && why == MEM_NOT_SHARED, "%d", why);
	CHECK(!mem_at(mem, 1 << 30, &len, MEM_WRITE, &why) && why == MEM_DENIED, "%d", why);
	close(fd);
	mem_free(mem);
}

static void test_use_after_unmap(void)
{
	struct mem *mem = mem_new();
	enum mem_fault why;
	uint64_t generation;
	int fd = file_of(1);
	size_t len = 1;
	unsigned int i;

	CHECK(!mem_map(mem, 0x1000, PAGE, MEM_READ, fd, 0), "map");
	generation = mem_generation(mem);
	CHECK(!mem_map(mem, 0x8000, PAGE, MEM_READ, fd, 0), "map");
	CHECK(generation == mem_generation(mem), "mapping makes no pointer stale");
	CHECK(!mem_unmap(mem, 0x1000, PAGE), "unmap");
	CHECK(generation != mem_generation(mem), "unmapping does");
	generation = mem_generation(mem);
	CHECK(!mem_unmap(mem, 0x1000, PAGE) && generation == mem_generation(mem),
	      "unmapping nothing does not");
	CHECK(!mem_at(mem, 0x1fff, &len, MEM_READ, &why) && why == MEM_WAS_MAPPED, "%d", why);
	CHECK(!mem_at(mem, 0x2000, &len, MEM_READ, &why) && why == MEM_UNMAPPED, "%d", why);
	CHECK(!mem_map(mem, 0x1000, 0x10, MEM_READ, fd, 0), "map a part again");
	CHECK(mem_at(mem, 0x100f, &len, MEM_READ, &why) && why == MEM_OK, "%d", why);
	CHECK(!mem_at(mem, 0x1010, &len, MEM_READ, &why) && why == MEM_WAS_MAPPED, "%d", why);

	/* It is forgotten after so many others, not earlier. */
	for (i = 1; i <= NR_GONE; i++) {
		CHECK(!mem_at(mem, 0x1010, &len, MEM_READ, &why) && why == MEM_WAS_MAPPED,
		      "%u: %d", i, why);
		CHECK(!mem_map(mem, 0x100000, PAGE, MEM_READ, fd, 0) &&
		      !mem_unmap(mem, 0x100000, PAGE), "%u", i);
	}
	CHECK(!mem_at(mem, 0x1010, &len, MEM_READ, &why) && why == MEM_UNMAPPED, "%d", why);
	CHECK(!mem_at(mem, 0x100000, &len, MEM_READ, &why) && why == MEM_WAS_MAPPED, "%d", why);
	mem_unmap_all(mem);
	CHECK(!mem_at(mem, 0x100000, &len, MEM_READ, &why) && why == MEM_UNMAPPED, "%d", why);
	close(fd);
	mem_free(mem);
}

static void test_copies(void)
{
	struct mem *mem = mem_new();
	uint8_t buf[3 * PAGE], expect[3 * PAGE];
	enum mem_fault why = MEM_DENIED;
	int fd = file_of(4);
	unsigned int i;

	/* Three pages in a row, of the file in another order; a hole; one that is read-only. */
	CHECK(!mem_map(mem, 0x10000, PAGE, MEM_READ | MEM_WRITE, fd, 2 * PAGE), "map");
	CHECK(!mem_map(mem, 0x11000, PAGE, MEM_READ | MEM_WRITE, fd, 0), "map");
	CHECK(!mem_map(mem, 0x12000, PAGE, MEM_READ | MEM_WRITE, fd, 3 * PAGE), "map");
	CHECK(!mem_map(mem, 0x13000, PAGE, MEM_READ, fd, 1 * PAGE), "map");

	CHECK(!mem_read(mem, 0x10800, buf, 2 * PAGE, &why) && why == MEM_OK, "%d", why);
	memset(expect, 2, PAGE / 2);
	memset(expect + PAGE / 2, 0, PAGE);
	memset(expect + PAGE / 2 + PAGE, 3, PAGE / 2);
	CHECK(!memcmp(buf, expect, 2 * PAGE), "wrong bytes");

	for (i = 0; i < sizeof(buf); i++)
		buf[i] = rnd();
	CHECK(!mem_write(mem, 0x10000, buf, sizeof(buf), &why), "%d", why);
	memset(expect, 0, sizeof(expect));
	CHECK(!mem_read(mem, 0x10000, expect, sizeof(expect), &why), "%d", why);
	CHECK(!memcmp(buf, expect, sizeof(buf)), "wrong bytes");
	CHECK(pread(fd, expect, PAGE, 3 * PAGE) == PAGE && !memcmp(expect, buf + 2 * PAGE, PAGE),
	      "the file has other bytes");

	CHECK(mem_write(mem, 0x12fff, buf, 2, &why) == -EFAULT && why == MEM_DENIED, "%d", why);
	CHECK(mem_read(mem, 0x13fff, buf, 2, &why) == -EFAULT && why == MEM_UNMAPPED, "%d", why);
	CHECK(mem_read(mem, ~0ULL, buf, 2, &why) == -EFAULT && why == MEM_UNMAPPED, "%d", why);
	CHECK(!mem_read(mem, 0x99999999, buf, 0, &why) && why == MEM_OK, "%d", why);
	CHECK(!mem_write(mem, 0x99999999, buf, 0, NULL), "nothing");
	close(fd);
	mem_free(mem);
}

/* ---- many small ranges, coming and going ---- */

#define MODEL_PAGES	4096

struct model {
	uint16_t file_page;
	uint8_t prot;
	bool mapped;
	bool start;	/* of a range */
};

static int count_range(void *ctx, uint64_t iova, uint64_t size, unsigned int prot)
{
	struct model *model = ctx;
	uint64_t page;

	CHECK(iova % PAGE == 0 && size % PAGE == 0, "a range of other bounds");
	CHECK(model[iova / PAGE].start, "a range that was not mapped");
	for (page = iova / PAGE; page < (iova + size) / PAGE; page++)
		CHECK(model[page].mapped && model[page].prot == prot, "prot %u", prot);
	return 0;
}

static void compare(struct mem *mem, const struct model *model, unsigned int page, uint8_t *base)
{
	uint64_t iova = page * PAGE + rnd_in(0, PAGE - 1);
	unsigned int prot = rnd_in(1, 3);
	enum mem_fault why;
	size_t len = 1;
	uint8_t *at = mem_at(mem, iova, &len, prot, &why);

	if (!model[page].mapped)
		CHECK(!at && (why == MEM_UNMAPPED || why == MEM_WAS_MAPPED), "%d", why);
	else if ((model[page].prot & prot) != prot)
		CHECK(!at && why == MEM_DENIED, "%d", why);
	else
		CHECK(at == base + model[page].file_page * PAGE + iova % PAGE, "page %u", page);
}

static void test_random_churn(void)
{
	static struct model model[MODEL_PAGES];
	struct mem *mem = mem_new();
	int fd = memfd_create("churn", MFD_CLOEXEC);
	unsigned int fds = open_fds(), i, j, step, ranges = 0, pages = 0;
	uint64_t bytes;
	size_t nr;

	CHECK(!ftruncate(fd, 65536 * PAGE), "ftruncate");
	for (step = 0; step < 30000; step++) {
		unsigned int page = rnd() % MODEL_PAGES, len = rnd_in(1, rnd() % 8 ? 4 : 40);
		unsigned int file_page = rnd() % (65536 - len), prot = rnd_in(0, 3);
		bool overlap = false, cut;

		if (page + len > MODEL_PAGES)
			len = MODEL_PAGES - page;
		for (i = page; i < page + len; i++)
			overlap |= model[i].mapped;
		if (rnd() % 16 < 9) {
			int error = mem_map(mem, page * PAGE, len * PAGE, prot, fd,
					    file_page * PAGE);

			CHECK(error == (overlap ? -EEXIST : 0), "map: %d", error);
			if (error)
				continue;
			for (i = page; i < page + len; i++) {
				model[i].mapped = true;
				model[i].prot = prot;
				model[i].file_page = file_page + i - page;
				model[i].start = i == page;
			}
			ranges++;
			pages += len;
		} else {
			/* Mostly the range that is there, sometimes whatever comes. */
			if (rnd() % 8 && overlap) {
				while (!model[page].mapped)
					page++;
				while (!model[page].start)
					page--;
				len = 1;
				while (page + len < MODEL_PAGES && model[page + len].mapped &&
				       !model[page + len].start)
					len++;
			}
			cut = model[page].mapped && !model[page].start;
			j = page + len;
			cut |= j < MODEL_PAGES && model[j].mapped && !model[j].start;
			i = mem_unmap(mem, page * PAGE, len * PAGE);
			CHECK((int)i == (cut ? -EINVAL : 0), "unmap: %d", (int)i);
			if (cut)
				continue;
			for (i = page; i < page + len; i++) {
				ranges -= model[i].start;
				pages -= model[i].mapped;
				memset(&model[i], 0, sizeof(model[i]));
			}
		}
		for (i = 0; i < 3; i++)
			compare(mem, model, rnd() % MODEL_PAGES,
				mem->files ? mem->files->base : NULL);
		compare(mem, model, page, mem->files ? mem->files->base : NULL);
		if (step % 1000)
			continue;
		nr = mem_count(mem, &bytes);
		CHECK(nr == ranges && bytes == pages * PAGE, "%zu ranges, not %u", nr, ranges);
		mem_each(mem, count_range, model);
	}
	CHECK(ranges > 100, "only %u ranges: nothing was tried", ranges);
	CHECK(mem->files && !mem->files->next, "the file was mapped more than once");
	CHECK(open_fds() == fds, "%u descriptors more", open_fds() - fds);
	close(fd);
	mem_free(mem);
}

static void test_many_ranges(void)
{
	struct mem *mem = mem_new();
	int fd = file_of(1), error = 0;
	enum mem_fault why;
	uint64_t i;
	size_t len = 1;

	/* As many as QEMU allows itself; every second page, so that none adjoin. */
	for (i = 0; i < 65535 && !error; i++)
		error = mem_map(mem, i * 2 * PAGE, PAGE, MEM_READ, fd, 0);
	CHECK(!error && mem_count(mem, NULL) == 65535, "%zu: %d", mem_count(mem, NULL), error);
	for (i = 0; i < 65535; i += 1009) {
		CHECK(mem_at(mem, i * 2 * PAGE, &len, MEM_READ, &why), "%d", why);
		CHECK(!mem_at(mem, (i * 2 + 1) * PAGE, &len, MEM_READ, &why), "%d", why);
	}
	/* And a client that never stops comes to an end. */
	for (i = 65535; i < 2 * MAX_RANGES && !error; i++)
		error = mem_map(mem, i * 2 * PAGE, PAGE, MEM_READ, fd, 0);
	CHECK(error == -ENOSPC, "%d", error);
	CHECK(!mem_unmap(mem, 0, ~0ULL) && !mem_count(mem, NULL), "%zu", mem_count(mem, NULL));
	close(fd);
	mem_free(mem);
}

static void test_files_are_let_go(void)
{
	struct mem *mem = mem_new();
	unsigned int i, nr = 0;
	struct file *file;
	uint8_t byte = 0;
	int fd;

	/* Used ones stay, however many others come and go. */
	fd = file_of(2);
	CHECK(!mem_map(mem, 0, PAGE, MEM_READ, fd, PAGE), "map");
	close(fd);
	for (i = 0; i < 200; i++) {
		fd = file_of(1);
		CHECK(!mem_map(mem, 0x100000, PAGE, MEM_READ, fd, 0), "map %u", i);
		CHECK(!mem_unmap(mem, 0x100000, PAGE), "unmap %u", i);
		close(fd);
	}
	for (file = mem->files; file; file = file->next)
		nr++;
	CHECK(nr <= MAX_IDLE_FILES + 2, "%u files", nr);
	CHECK(!mem_read(mem, 0, &byte, 1, NULL) && byte == 1, "%u", byte);

	/* A file that has grown is mapped anew, and what was mapped of it stays. */
	fd = file_of(1);
	CHECK(!mem_map(mem, 0x200000, PAGE, MEM_READ | MEM_WRITE, fd, 0), "map");
	CHECK(!ftruncate(fd, 3 * PAGE), "ftruncate");
	CHECK(!mem_map(mem, 0x300000, PAGE, MEM_READ | MEM_WRITE, fd, 2 * PAGE), "map the end");
	CHECK(!mem_write(mem, 0x300000, "\x55", 1, NULL) && pread(fd, &byte, 1, 2 * PAGE) == 1 &&
	      byte == 0x55, "%u", byte);
	CHECK(!mem_read(mem, 0x200000, &byte, 1, NULL) && !byte, "%u", byte);
	mem_unmap_all(mem);
	CHECK(!mem->files, "files are left");
	for (i = 0; i < NR_GUARDED; i++)
		CHECK(!guarded[i].size, "guard %u is left", i);
	close(fd);
	mem_free(mem);
}

static void test_truncated_file(void)
{
	struct mem *mem = mem_new();
	enum mem_fault why;
	uint8_t buf[64];
	int fd = file_of(4);

	CHECK(!mem_map(mem, 0, 4 * PAGE, MEM_READ | MEM_WRITE, fd, 0), "map");
	CHECK(!mem_read(mem, 3 * PAGE, buf, 64, &why) && buf[0] == 3, "%u", buf[0]);
	CHECK(!ftruncate(fd, PAGE), "ftruncate");
	memset(buf, 0xee, sizeof(buf));
	CHECK(!mem_read(mem, 3 * PAGE - 32, buf, 64, &why) && !buf[0] && !buf[63],
	      "%u %u", buf[0], buf[63]);
	CHECK(!mem_write(mem, PAGE, buf, 64, &why), "%d", why);
	CHECK(!mem_read(mem, 0, buf, 64, &why) && buf[0] == 0, "the rest is still there");
	close(fd);
	mem_free(mem);
}

/* A fault of somebody else's is not hidden: the program dies of it. */
static void test_other_faults(void)
{
	struct mem *mem = mem_new();
	int fd = file_of(1), status = 0;
	volatile uint8_t *own;
	pid_t pid;

	CHECK(!mem_map(mem, 0, PAGE, MEM_READ, fd, 0), "map");
	own = mmap(NULL, PAGE, PROT_READ, MAP_SHARED, fd, 0);
	CHECK(own != MAP_FAILED && !ftruncate(fd, 0), "mmap: %d", errno);
	fflush(stdout);
	pid = fork();
	if (!pid) {
		/* AddressSanitizer has much to say about it. */
		close(2);
		_exit(*own ? 42 : 43);
	}
	CHECK(pid > 0 && waitpid(pid, &status, 0) == pid, "fork: %d", errno);
	CHECK(WIFSIGNALED(status) || WEXITSTATUS(status) < 42, "status %#x", status);
	munmap((void *)own, PAGE);
	close(fd);
	mem_free(mem);
}

static void test_names(void)
{
	unsigned int i, j;

	for (i = MEM_OK; i <= MEM_NOT_SHARED; i++)
		for (j = MEM_OK; j < i; j++)
			CHECK(strcmp(mem_fault_name(i), mem_fault_name(j)), "%u and %u", i, j);
	CHECK(*mem_fault_name(99), "not even a name");
	mem_free(NULL);
}

int main(void)
{
	TAP_RUN(test_map_and_translate);
	TAP_RUN(test_permissions);
	TAP_RUN(test_refused);
	TAP_RUN(test_ends_of_the_address_space);
	TAP_RUN(test_use_after_unmap);
	TAP_RUN(test_copies);
	TAP_RUN(test_random_churn);
	TAP_RUN(test_many_ranges);
	TAP_RUN(test_files_are_let_go);
	TAP_RUN(test_truncated_file);
	TAP_RUN(test_other_faults);
	TAP_RUN(test_names);
	return tap_done();
}
