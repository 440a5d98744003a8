// SPDX-License-Identifier: GPL-2.0
/* See use.h. */
#define _GNU_SOURCE
#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <time.h>
#include <unistd.h>

#include "sys.h"
#include "use.h"

/* udev and others open a disk for a moment when they hear of it: they have so long, in ms. */
#define PATIENCE	2000

/**
 * struct node - a disk or a partition
 * @name: its name
 * @dir: its folder in sysfs
 * @major: half of its device number
 * @minor: the other half
 */
struct node {
	char *name;
	char *dir;
	unsigned int major;
	unsigned int minor;
};

/* ---- disks and their partitions ---- */

struct nodes {
	struct node *node;
	size_t count;
};

static void add_node(struct nodes *nodes, char *name, char *dir)
{
	char *dev = sys_read("%s/dev", dir);
	struct node *node;

	nodes->node = sys_must(realloc(nodes->node, (nodes->count + 1) * sizeof(*nodes->node)));
	node = &nodes->node[nodes->count++];
	node->name = name;
	node->dir = dir;
	if (!dev || sscanf(dev, "%u:%u", &node->major, &node->minor) != 2) {
		node->major = UINT_MAX;
		node->minor = UINT_MAX;
	}
	free(dev);
}

static void find_nodes(const char *disks, struct nodes *nodes)
{
	const char *disk, *rest = disks;
	size_t len;

	while ((disk = sys_next_disk(&rest, &len))) {
		char *name = sys_format("%.*s", (int)len, disk);
		char *dir = sys_format("/sys/block/%s", name);
		struct dirent **entries;
		int i, n;

		add_node(nodes, name, dir);
		n = sys_list(&entries, "%s", dir);
		for (i = 0; i < n; i++)
			if (!strncmp(entries[i]->d_name, name, len))
				add_node(nodes, sys_must(strdup(entries[i]->d_name)),
					 sys_format("%s/%s", dir, entries[i]->d_name));
		sys_free_list(entries, n);
	}
}

static void free_nodes(struct nodes *nodes)
{
	size_t i;

	for (i = 0; i < nodes->count; i++) {
		free(nodes->node[i].name);
		free(nodes->node[i].dir);
	}
	free(nodes->node);
}

/* Does @path, which @text says is a device, lead to the node? */
static bool leads_to(const struct node *node, const char *text, const char *path)
{
	struct statx stat;

	if (!strncmp(text, "/dev/", 5) && !strcmp(text + 5, node->name))
		return true;
	/* Another name, or one of another mount namespace.  No server that hangs is asked. */
	return !statx(AT_FDCWD, path, AT_STATX_DONT_SYNC, STATX_TYPE, &stat) &&
	       S_ISBLK(stat.stx_mode) && stat.stx_rdev_major == node->major &&
	       stat.stx_rdev_minor == node->minor;
}

static bool is_node(const struct node *node, const char *text)
{
	char *path;
	bool ret;

	if (*text != '/')
		return false;
	path = sys_path("%s", text);
	ret = leads_to(node, text, path);
	free(path);
	return ret;
}

/* A link of /proc as it stands there. */
static char *read_link(const char *path)
{
	char text[PATH_MAX], *full = sys_path("%s", path);
	ssize_t len = readlink(full, text, sizeof(text) - 1);

	free(full);
	if (len < 0)
		return NULL;
	text[len] = '\0';
	return sys_must(strdup(text));
}

/* ---- who has it: each returns a sentence, or NULL ---- */

/* The first mount point of a node in the text of a mountinfo; "/" comes before others. */
static char *mount_point(const struct node *node, char *text)
{
	char *line, *found = NULL;

	while ((line = strsep(&text, "\n"))) {
		unsigned int major, minor;
		char *point, *source;
		int at = 0;

		if (sscanf(line, "%*u %*u %u:%u %*s %n", &major, &minor, &at) != 2 || !at)
			continue;
		point = line + at;
		/* btrfs has numbers of its own: there the source tells. */
		source = strstr(point, " - ");
		source = source ? strchr(source + 3, ' ') : NULL;
		if (source)
			source[1 + strcspn(source + 1, " ")] = '\0';
		if ((major != node->major || minor != node->minor) &&
		    (!source || strncmp(source + 1, "/dev/", 5) || !is_node(node, source + 1)))
			continue;
		point[strcspn(point, " ")] = '\0';
		if (!found || !strcmp(point, "/"))
			found = point;
	}
	return found ? sys_must(strdup(found)) : NULL;
}

static bool is_seen(const char *text, const char *all)
{
	return text && strstr(all, text);
}

static char *by_mount(const struct node *node)
{
	char *seen = sys_must(strdup("")), *why = NULL;
	struct dirent **entries;
	int i, n = sys_list(&entries, "/proc");

	/* Processes with the same mount namespace have the same mounts. */
	for (i = 0; i < n && !why; i++) {
		const char *pid = entries[i]->d_name;
		char *path, *space, *longer, *text, *point;

		if (!isdigit((unsigned char)*pid))
			continue;
		path = sys_format("/proc/%s/ns/mnt", pid);
		space = read_link(path);
		free(path);
		if (is_seen(space, seen)) {
			free(space);
			continue;
		}
		text = sys_read("/proc/%s/mountinfo", pid);
		point = text ? mount_point(node, text) : NULL;
		if (point && !strcmp(point, "/"))
			why = sys_format("%s holds the root file system: %s", node->name,
					 "the machine cannot do without it");
		else if (point)
			why = sys_format("%s is mounted on %s: unmount it first", node->name,
					 point);
		longer = sys_format("%s %s", seen, space ? space : "");
		free(seen);
		seen = longer;
		free(point);
		free(text);
		free(space);
	}
	free(seen);
	sys_free_list(entries, n);
	return why;
}

/* A btrfs of several disks shows but one of them as what is mounted. */
static char *by_btrfs(const struct node *node)
{
	struct dirent **entries;
	int i, n = sys_list(&entries, "/sys/fs/btrfs");
	char *why = NULL;

	for (i = 0; i < n && !why; i++)
		if (sys_exists("/sys/fs/btrfs/%s/devices/%s", entries[i]->d_name, node->name))
			why = sys_format("%s is part of a btrfs that is mounted: unmount it first",
					 node->name);
	sys_free_list(entries, n);
	return why;
}

static char *by_swap(const struct node *node)
{
	char *text = sys_read("/proc/swaps"), *rest = text, *line, *why = NULL;

	while (!why && (line = strsep(&rest, "\n"))) {
		line[strcspn(line, " \t")] = '\0';
		if (is_node(node, line))
			why = sys_format("%s is used as swap: swapoff /dev/%s first", node->name,
					 node->name);
	}
	free(text);
	return why;
}

static char *by_holder(const struct node *node)
{
	struct dirent **entries;
	int n = sys_list(&entries, "%s/holders", node->dir);
	char *why = NULL;

	if (n) {
		const char *holder = entries[0]->d_name;
		char *name = sys_read("/sys/block/%s/dm/name", holder);

		why = sys_format("%s is part of %s%s%s%s: take that down first", node->name, holder,
				 name ? " (" : "", name ? name : "", name ? ")" : "");
		free(name);
	}
	sys_free_list(entries, n);
	return why;
}

/* A loop device does not claim what is behind it. */
static char *by_loop(const struct node *node)
{
	struct dirent **entries;
	int i, n = sys_list(&entries, "/sys/block");
	char *why = NULL;

	for (i = 0; i < n && !why; i++) {
		const char *loop = entries[i]->d_name;
		char *file;

		if (strncmp(loop, "loop", 4))
			continue;
		file = sys_read("/sys/block/%s/loop/backing_file", loop);
		if (file && is_node(node, file))
			why = sys_format("%s is behind %s: losetup -d /dev/%s first", node->name,
					 loop, loop);
		free(file);
	}
	sys_free_list(entries, n);
	return why;
}

/* Nor does the NVMe target. */
static char *by_nvmet(const struct node *node)
{
	static const char dir[] = "/sys/kernel/config/nvmet/subsystems";
	struct dirent **nqns, **nsids;
	int i, j, n, m = sys_list(&nqns, "%s", dir);
	char *why = NULL;

	for (i = 0; i < m; i++) {
		const char *nqn = nqns[i]->d_name;

		n = sys_list(&nsids, "%s/%s/namespaces", dir, nqn);
		for (j = 0; j < n && !why; j++) {
			const char *nsid = nsids[j]->d_name;
			char *path = sys_read("%s/%s/namespaces/%s/device_path", dir, nqn, nsid);
			char *on = sys_read("%s/%s/namespaces/%s/enable", dir, nqn, nsid);

			if (path && on && *on == '1' && is_node(node, path))
				why = sys_format("%s is exported by nvmet as %s: %s", node->name,
						 nqn, "disable that namespace first");
			free(path);
			free(on);
		}
		sys_free_list(nsids, n);
	}
	sys_free_list(nqns, m);
	return why;
}

static char *open_in(const struct nodes *nodes, const char *pid)
{
	struct dirent **fds;
	int i, n = sys_list(&fds, "/proc/%s/fd", pid);
	char *why = NULL;
	size_t k;

	for (i = 0; i < n && !why; i++) {
		char *path = sys_format("/proc/%s/fd/%s", pid, fds[i]->d_name);
		char *text = read_link(path), *full = sys_path("%s", path);

		for (k = 0; text && *text == '/' && k < nodes->count && !why; k++) {
			char *comm;

			if (!leads_to(&nodes->node[k], text, full))
				continue;
			comm = sys_read("/proc/%s/comm", pid);
			why = sys_format("%s is open in %s (process %s): end that first",
					 nodes->node[k].name, comm ? comm : "a program", pid);
			free(comm);
		}
		free(full);
		free(text);
		free(path);
	}
	sys_free_list(fds, n);
	return why;
}

/* A program that reads and writes a disk, a virtual machine for instance, need not claim it. */
static char *opened(const struct nodes *nodes)
{
	struct dirent **entries;
	int i, n = sys_list(&entries, "/proc");
	char *why = NULL;

	for (i = 0; i < n && !why; i++)
		if (isdigit((unsigned char)*entries[i]->d_name) &&
		    atoi(entries[i]->d_name) != getpid())
			why = open_in(nodes, entries[i]->d_name);
	sys_free_list(entries, n);
	return why;
}

/* ---- so that nobody else has it ---- */

/* Who has a disk to himself has its partitions as well. */
static char *claim(const struct node *disk, struct use_claims *claims)
{
	char *path = sys_path("/dev/%s", disk->name);
	int fd = open(path, O_RDONLY | O_EXCL | O_NONBLOCK | O_CLOEXEC);

	free(path);
	if (fd >= 0) {
		claims->fds = sys_must(realloc(claims->fds,
					       (claims->count + 1) * sizeof(*claims->fds)));
		claims->fds[claims->count++] = fd;
		return NULL;
	}
	switch (errno) {
	/* The controller is dead: nothing can be lost by taking it. */
	case EIO:
	case ENODEV:
	case ENXIO:
	case ENOMEDIUM:
		return NULL;
	case EBUSY:
		return sys_format("%s is held by something that has it to itself: end that first",
				  disk->name);
	default:
		return sys_format("/dev/%s: %s: so nobody can tell whether it is in use",
				  disk->name, strerror(errno));
	}
}

static char *claim_all(const char *disks, const struct nodes *nodes, struct use_claims *claims)
{
	const char *disk, *rest = disks;
	char *why = NULL;
	size_t len, i;

	while (!why && (disk = sys_next_disk(&rest, &len)))
		for (i = 0; i < nodes->count && !why; i++)
			if (!strncmp(nodes->node[i].name, disk, len) && !nodes->node[i].name[len])
				why = claim(&nodes->node[i], claims);
	return why ? why : opened(nodes);
}

static long now(void)
{
	struct timespec time;

	clock_gettime(CLOCK_MONOTONIC, &time);
	return time.tv_sec * 1000 + time.tv_nsec / 1000000;
}

/**
 * use_claim - have disks for ourselves, so that they can be taken away
 * @disks: their names, separated by blanks
 * @claims: zeroed; set to what use_release() takes
 *
 * Return: NULL; or which of them cannot be had, why, and what to do, to be freed.
 */
char *use_claim(const char *disks, struct use_claims *claims)
{
	static char *(*const checks[])(const struct node *node) = {
		by_mount, by_btrfs, by_swap, by_holder, by_loop, by_nvmet,
	};
	const struct timespec pause = { .tv_nsec = 50 * 1000 * 1000 };
	struct nodes nodes = { 0 };
	char *why = NULL;
	size_t i, j;
	long end;

	find_nodes(disks, &nodes);
	for (i = 0; i < nodes.count && !why; i++)
		for (j = 0; j < sizeof(checks) / sizeof(checks[0]) && !why; j++)
			why = checks[j](&nodes.node[i]);
	if (!why) {
		end = now() + PATIENCE;
		while ((why = claim_all(disks, &nodes, claims)) && now() < end) {
			free(why);
			use_release(claims);
			nanosleep(&pause, NULL);
		}
	}
	if (why)
		use_release(claims);
	free_nodes(&nodes);
	return why;
}

/**
 * use_of_vfio - is a controller in use through vfio?
 * @bdf: PCI address
 *
 * Return: NULL if not, otherwise as of use_claim().
 */
char *use_of_vfio(const char *bdf)
{
	char *node = sys_vfio_node(bdf), *path, *why = NULL;
	int fd;

	if (!node)
		return NULL;
	/* Only one at a time can have it open. */
	path = sys_path("%s", node);
	fd = open(path, O_RDWR | O_CLOEXEC);
	if (fd < 0 && errno == EBUSY)
		why = sys_format("%s is in use through %s: end that program first", bdf, node);
	if (fd >= 0)
		close(fd);
	free(path);
	free(node);
	return why;
}

/**
 * use_release - undo use_claim()
 * @claims: what it has set; nothing is left of it
 */
void use_release(struct use_claims *claims)
{
	while (claims->count)
		close(claims->fds[--claims->count]);
	free(claims->fds);
	claims->fds = NULL;
}
