/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Server side of the vfio-user protocol (version 0.1), as QEMU's vfio-user-pci speaks it: one
 * client at a time over a UNIX socket, which may go and come back. It knows regions, interrupts
 * and guest memory by number only; what they mean is its caller's business.
 *
 * Everything runs in the caller's thread: poll() what vfu_fds() names, then call vfu_process().
 * No callback may call back into this file.
 */
#ifndef DEVICE_VFIO_USER_H
#define DEVICE_VFIO_USER_H

#include <poll.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <linux/vfio.h>

/*
 * The largest region access in one message, and the most file descriptors; said to the client.
 * QEMU refuses a server that offers more than 16 of the latter.
 */
#define VFU_MAX_DATA	65536
#define VFU_MAX_FDS	16
/* The most entries that vfu_fds() fills in. */
#define VFU_NR_FDS	1

/**
 * struct vfu_region - what the client is told about one region
 * @size: in bytes; 0 if the device has no such region
 * @flags: VFIO_REGION_INFO_FLAG_READ and VFIO_REGION_INFO_FLAG_WRITE
 */
struct vfu_region {
	uint64_t size;
	uint32_t flags;
};

/**
 * struct vfu_irq - what the client is told about the interrupts of one index
 * @count: how many there are; 0 if none of the kind
 * @flags: VFIO_IRQ_INFO_*
 */
struct vfu_irq {
	uint32_t count;
	uint32_t flags;
};

/**
 * struct vfu_shape - the device as DEVICE_GET_INFO and its kin describe it
 * @flags: VFIO_DEVICE_FLAGS_*
 * @regions: by VFIO_PCI_*_REGION_INDEX
 * @irqs: by VFIO_PCI_*_IRQ_INDEX
 * @write_multi: let the client put several posted writes in one message when it cannot send
 */
struct vfu_shape {
	uint32_t flags;
	bool write_multi;
	struct vfu_region regions[VFIO_PCI_NUM_REGIONS];
	struct vfu_irq irqs[VFIO_PCI_NUM_IRQS];
};

/**
 * struct vfu_irq_set - one DEVICE_SET_IRQS, its numbers checked against the shape
 * @index: VFIO_PCI_*_IRQ_INDEX
 * @start: first interrupt
 * @count: how many; 0 with DATA_NONE and ACTION_TRIGGER turns the whole index off
 * @flags: one VFIO_IRQ_SET_DATA_* and one VFIO_IRQ_SET_ACTION_*
 * @bools: @count bytes with DATA_BOOL, else NULL
 * @fds: @count file descriptors with DATA_EVENTFD, -1 where there is none; else NULL. A callback
 *	that keeps one puts -1 in its place; those left are closed when it returns.
 */
struct vfu_irq_set {
	uint32_t index;
	uint32_t start;
	uint32_t count;
	uint32_t flags;
	const uint8_t *bools;
	int *fds;
};

/**
 * struct vfu_ops - what the device does with the client's messages
 * @read: read @len bytes of a region; the range lies inside of the region. 0 or -errno
 * @write: likewise write; @buf need not be aligned
 * @reset: the whole device is reset (bus or machine)
 * @dma_map: the device may reach @size bytes at @iova, which are those at @offset of @fd; @prot is
 *	a mask of MEM_READ and MEM_WRITE. @fd is -1 for memory that the client does not share;
 *	it is closed when the callback returns
 * @dma_unmap: the device may no longer reach what lies in that range. 0 or -errno
 * @dma_unmap_all: likewise for everything that is mapped
 * @set_irqs: wires, masks, unmasks or triggers interrupts. 0 or -errno
 * @connected: a client has come and agreed on the version; may be NULL
 * @disconnected: the client is gone, for which connected() was called: its memory and its
 *	eventfds have to be let go
 */
struct vfu_ops {
	int (*read)(void *ctx, unsigned int region, uint64_t off, void *buf, size_t len);
	int (*write)(void *ctx, unsigned int region, uint64_t off, const void *buf, size_t len);
	void (*reset)(void *ctx);
	int (*dma_map)(void *ctx, uint64_t iova, uint64_t size, unsigned int prot, int fd,
		       uint64_t offset);
	int (*dma_unmap)(void *ctx, uint64_t iova, uint64_t size);
	void (*dma_unmap_all)(void *ctx);
	int (*set_irqs)(void *ctx, const struct vfu_irq_set *set);
	void (*connected)(void *ctx);
	void (*disconnected)(void *ctx);
};

/**
 * struct vfu_stats - counters since vfu_new()
 * @clients: connections accepted
 * @messages: messages handled
 * @posted: of these, those that wanted no reply
 * @refused: messages answered by an error
 * @lost: posted messages that failed, of which the client learns nothing
 * @broken: connections ended because what came was not the protocol
 */
struct vfu_stats {
	uint64_t clients;
	uint64_t messages;
	uint64_t posted;
	uint64_t refused;
	uint64_t lost;
	uint64_t broken;
};

struct vfu;

/**
 * vfu_new() - a server that nobody can reach yet
 * @shape: the device; copied
 * @ops: its callbacks; must outlive the server
 * @ctx: first argument of every callback
 *
 * Return: the server, NULL without memory.
 */
struct vfu *vfu_new(const struct vfu_shape *shape, const struct vfu_ops *ops, void *ctx);

/**
 * vfu_listen() - wait for clients at a path
 * @vfu: the server
 * @path: of the socket; one that is left over there, and that nobody listens on, is replaced
 *
 * Return: 0; -EADDRINUSE if another server listens there; another -errno.
 */
int vfu_listen(struct vfu *vfu, const char *path);

/**
 * vfu_adopt() - take a connected socket for the client
 * @vfu: the server, without a client
 * @fd: the socket; belongs to the server from here on, also if it is refused
 *
 * Return: 0; -EBUSY if there is a client; another -errno.
 */
int vfu_adopt(struct vfu *vfu, int fd);

/**
 * vfu_fds() - what to wait for
 * @vfu: the server
 * @fds: filled in, at most VFU_NR_FDS entries
 *
 * Return: the number of entries filled in.
 */
unsigned int vfu_fds(const struct vfu *vfu, struct pollfd *fds);

/**
 * vfu_process() - handle what has arrived, without waiting for more
 * @vfu: the server
 *
 * Handles what one read of the socket brings, so that a busy client cannot keep the caller from
 * its other work.
 *
 * Return: the number of messages handled, which may be 0 also if something arrived: a part of one,
 * or the end; -errno if the listening socket is of no more use.
 */
int vfu_process(struct vfu *vfu);

/**
 * vfu_has_client() - is there a client
 * @vfu: the server
 *
 * Return: true from its first byte on until its connection ends.
 */
bool vfu_has_client(const struct vfu *vfu);

/**
 * vfu_get_stats() - the counters
 * @vfu: the server
 *
 * Return: the counters, valid as long as the server.
 */
const struct vfu_stats *vfu_get_stats(const struct vfu *vfu);

/**
 * vfu_close() - end the connection in an orderly way and free the server
 * @vfu: the server, or NULL
 *
 * QEMU aborts when a connection breaks while it sends, so the sending side is shut down first and
 * what still arrives is read for up to half a second. Calls disconnected() if there was a client.
 */
void vfu_close(struct vfu *vfu);

#endif
