// SPDX-License-Identifier: GPL-2.0
/*
 * The vfio-user protocol, version 0.1: QEMU's docs/interop/vfio-user.rst. Both sides are on one
 * machine, so everything is in its byte order.
 *
 * What arrives is trusted in nothing. A message whose end can be found is answered, by an error if
 * need be; when the end cannot be found, the connection is closed.
 */
#include <assert.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "vfio_user.h"

/* Version of the protocol; clients may be older in the second number. */
#define MAJOR	0
#define MINOR	1

enum {
	CMD_VERSION = 1,
	CMD_DMA_MAP = 2,
	CMD_DMA_UNMAP = 3,
	CMD_GET_INFO = 4,
	CMD_GET_REGION_INFO = 5,
	CMD_GET_IRQ_INFO = 7,
	CMD_SET_IRQS = 8,
	CMD_REGION_READ = 9,
	CMD_REGION_WRITE = 10,
	CMD_RESET = 13,
	CMD_REGION_WRITE_MULTI = 15,
};

#define F_TYPE		0x0f
#define F_COMMAND	0x00
#define F_REPLY		0x01
#define F_NO_REPLY	0x10
#define F_ERROR		0x20

/* Flags of DMA_MAP: who may do what, and two hints on how to use the file. */
#define MAP_PROT	0x3
#define MAP_HINTS	0xc

struct header {
	uint16_t id;
	uint16_t cmd;
	uint32_t size;
	uint32_t flags;
	uint32_t error;
};

struct version {
	uint16_t major;
	uint16_t minor;
};

struct dma_map {
	uint32_t argsz;
	uint32_t flags;
	uint64_t offset;
	uint64_t iova;
	uint64_t size;
};

struct dma_unmap {
	uint32_t argsz;
	uint32_t flags;
	uint64_t iova;
	uint64_t size;
};

struct device_info {
	uint32_t argsz;
	uint32_t flags;
	uint32_t regions;
	uint32_t irqs;
};

struct region_info {
	uint32_t argsz;
	uint32_t flags;
	uint32_t index;
	uint32_t cap_offset;
	uint64_t size;
	uint64_t offset;
};

struct irq_info {
	uint32_t argsz;
	uint32_t flags;
	uint32_t index;
	uint32_t count;
};

struct irq_set {
	uint32_t argsz;
	uint32_t flags;
	uint32_t index;
	uint32_t start;
	uint32_t count;
};

struct region_access {
	uint64_t offset;
	uint32_t region;
	uint32_t count;
};

struct write_one {
	struct region_access at;
	uint8_t data[8];
};

static_assert(sizeof(struct header) == 16, "header");
static_assert(sizeof(struct version) == 4, "version");
static_assert(sizeof(struct dma_map) == 32, "DMA_MAP");
static_assert(sizeof(struct dma_unmap) == 24, "DMA_UNMAP");
static_assert(sizeof(struct device_info) == 16, "DEVICE_GET_INFO");
static_assert(sizeof(struct region_info) == 32, "DEVICE_GET_REGION_INFO");
static_assert(sizeof(struct irq_info) == 16, "DEVICE_GET_IRQ_INFO");
static_assert(sizeof(struct irq_set) == 20, "DEVICE_SET_IRQS");
static_assert(sizeof(struct region_access) == 16, "REGION_READ");
static_assert(sizeof(struct write_one) == 24, "REGION_WRITE_MULTI");

#define MAX_MESSAGE	(sizeof(struct header) + sizeof(struct region_access) + VFU_MAX_DATA)
/* One read of the socket takes many small messages. */
#define RX_BYTES	(2 * MAX_MESSAGE)
/* What Linux lets one sendmsg() carry. */
#define SCM_MAX		253

/*
 * File descriptors that arrived and whose message is not handled yet. A read of a stream socket
 * ends with the piece that carried descriptors, so they belong to the message that the last byte
 * of that read is of.
 */
struct loose_fd {
	uint64_t at;	/* of that byte, counted from the start of the connection */
	int fd;
};

struct vfu {
	struct vfu_shape shape;
	const struct vfu_ops *ops;
	void *ctx;
	struct vfu_stats stats;
	int listener;
	char path[sizeof(((struct sockaddr_un *)NULL)->sun_path)];

	int sock;
	bool agreed;			/* on a version */
	uint64_t received;		/* bytes handled and dropped from rx */
	size_t rx_len;
	size_t tx_len;
	size_t tx_sent;
	unsigned int nr_fds;
	struct loose_fd fds[SCM_MAX + VFU_MAX_FDS];
	uint8_t rx[RX_BYTES] __attribute__((aligned(8)));
	uint8_t tx[MAX_MESSAGE] __attribute__((aligned(8)));
};

/* A message while it is handled. */
struct message {
	struct header header;
	const uint8_t *payload;
	size_t len;
	int fds[VFU_MAX_FDS];
	unsigned int nr_fds;
	size_t reply_len;	/* of the payload in tx */
};

static uint8_t *reply_payload(struct vfu *vfu)
{
	return vfu->tx + sizeof(struct header);
}

/* ---- the connection ---- */

/* After this the server is as it was before the client came. */
static void drop_client(struct vfu *vfu)
{
	bool agreed = vfu->agreed;
	unsigned int i;

	for (i = 0; i < vfu->nr_fds; i++)
		close(vfu->fds[i].fd);
	vfu->nr_fds = 0;
	close(vfu->sock);
	vfu->sock = -1;
	vfu->agreed = false;
	vfu->received = 0;
	vfu->rx_len = 0;
	vfu->tx_len = 0;
	vfu->tx_sent = 0;
	if (agreed)
		vfu->ops->disconnected(vfu->ctx);
}

static void drop_broken(struct vfu *vfu)
{
	vfu->stats.broken++;
	drop_client(vfu);
}

static void take_client(struct vfu *vfu, int fd)
{
	vfu->sock = fd;
	vfu->stats.clients++;
}

/* Is a reply waiting until the client reads? Drops the client if it does not exist any more. */
static bool reply_blocked(struct vfu *vfu)
{
	ssize_t n;

	while (vfu->tx_sent < vfu->tx_len) {
		n = send(vfu->sock, vfu->tx + vfu->tx_sent, vfu->tx_len - vfu->tx_sent,
			 MSG_DONTWAIT | MSG_NOSIGNAL);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK))
			return true;
		if (n < 0) {
			drop_client(vfu);
			return false;
		}
		vfu->tx_sent += n;
	}
	vfu->tx_len = 0;
	vfu->tx_sent = 0;
	return false;
}

/* One read of the socket. False if there was nothing, or no client any more. */
static bool receive(struct vfu *vfu)
{
	union {
		struct cmsghdr align;
		uint8_t bytes[CMSG_SPACE(SCM_MAX * sizeof(int))];
	} control;
	struct iovec iov = {
		.iov_base = vfu->rx + vfu->rx_len,
		.iov_len = sizeof(vfu->rx) - vfu->rx_len,
	};
	struct msghdr msg = {
		.msg_iov = &iov,
		.msg_iovlen = 1,
		.msg_control = control.bytes,
		.msg_controllen = sizeof(control.bytes),
	};
	struct cmsghdr *c;
	bool full = false;
	ssize_t n;

	do
		n = recvmsg(vfu->sock, &msg, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
	while (n < 0 && errno == EINTR);
	if (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK))
		return false;
	if (n <= 0) {
		/* The end; in the middle of a message it is not an orderly one. */
		if (vfu->rx_len)
			drop_broken(vfu);
		else
			drop_client(vfu);
		return false;
	}
	vfu->rx_len += n;

	for (c = CMSG_FIRSTHDR(&msg); c; c = CMSG_NXTHDR(&msg, c)) {
		size_t i, nr = (c->cmsg_len - CMSG_LEN(0)) / sizeof(int);

		if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_RIGHTS)
			continue;
		for (i = 0; i < nr; i++) {
			int fd;

			memcpy(&fd, CMSG_DATA(c) + i * sizeof(fd), sizeof(fd));
			if (vfu->nr_fds == sizeof(vfu->fds) / sizeof(vfu->fds[0])) {
				close(fd);
				full = true;
				continue;
			}
			vfu->fds[vfu->nr_fds].at = vfu->received + vfu->rx_len - 1;
			vfu->fds[vfu->nr_fds++].fd = fd;
		}
	}
	/* Some were lost: there is no telling what the messages mean. */
	if (full || (msg.msg_flags & MSG_CTRUNC)) {
		drop_broken(vfu);
		return false;
	}
	return true;
}

/* Move the descriptors of a message that ends before @end into it; too many of them are closed. */
static bool take_fds(struct vfu *vfu, uint64_t end, struct message *m)
{
	unsigned int i, kept = 0;
	bool fit = true;

	m->nr_fds = 0;
	for (i = 0; i < vfu->nr_fds; i++) {
		if (vfu->fds[i].at >= end) {
			vfu->fds[kept++] = vfu->fds[i];
		} else if (m->nr_fds < VFU_MAX_FDS) {
			m->fds[m->nr_fds++] = vfu->fds[i].fd;
		} else {
			close(vfu->fds[i].fd);
			fit = false;
		}
	}
	vfu->nr_fds = kept;
	return fit;
}

/* ---- the commands: 0, with reply_len bytes of payload in tx, or -errno ---- */

/* What is said to the client must be shorter than what QEMU says: it has no more room for it. */
static int do_version(struct vfu *vfu, struct message *m)
{
	struct version version;
	char *text = (char *)reply_payload(vfu) + sizeof(version);
	const size_t room = 512;
	size_t len;

	if (vfu->agreed || m->len < sizeof(version))
		return -EINVAL;
	memcpy(&version, m->payload, sizeof(version));
	/* The client's capabilities are a string; none of them changes what this server does. */
	if (m->len > sizeof(version) && m->payload[m->len - 1] != '\0')
		return -EINVAL;
	if (version.major != MAJOR)
		return -EPROTONOSUPPORT;
	if (version.minor > MINOR)
		version.minor = MINOR;
	memcpy(reply_payload(vfu), &version, sizeof(version));
	len = snprintf(text, room, "{\"capabilities\":{\"max_msg_fds\":%u,", VFU_MAX_FDS);
	len += snprintf(text + len, room - len, "\"max_data_xfer_size\":%u,\"pgsizes\":4096%s}}",
			VFU_MAX_DATA,
			vfu->shape.write_multi ? ",\"write_multiple\":true" : "");
	m->reply_len = sizeof(version) + len + 1;
	vfu->agreed = true;
	if (vfu->ops->connected)
		vfu->ops->connected(vfu->ctx);
	return 0;
}

static int do_dma_map(struct vfu *vfu, struct message *m)
{
	struct dma_map map;

	if (m->len < sizeof(map) || m->nr_fds > 1)
		return -EINVAL;
	memcpy(&map, m->payload, sizeof(map));
	if (map.argsz < sizeof(map) || (map.flags & ~(MAP_PROT | MAP_HINTS)))
		return -EINVAL;
	if (!map.size || map.iova + (map.size - 1) < map.iova ||
	    map.offset + map.size < map.offset)
		return -EINVAL;
	/* The hints say how to reach the file, so they need one. */
	if ((map.flags & MAP_HINTS) && !m->nr_fds)
		return -EINVAL;
	return vfu->ops->dma_map(vfu->ctx, map.iova, map.size, map.flags & MAP_PROT,
				 m->nr_fds ? m->fds[0] : -1, map.offset);
}

static int do_dma_unmap(struct vfu *vfu, struct message *m)
{
	struct dma_unmap unmap;
	int error = 0;
	bool all;

	if (m->len < sizeof(unmap))
		return -EINVAL;
	memcpy(&unmap, m->payload, sizeof(unmap));
	if (unmap.argsz < sizeof(unmap))
		return -EINVAL;
	all = unmap.flags == VFIO_DMA_UNMAP_FLAG_ALL;
	if (unmap.flags && !all)
		return -EINVAL;
	if (all ? unmap.iova || unmap.size :
		  !unmap.size || unmap.iova + (unmap.size - 1) < unmap.iova)
		return -EINVAL;
	if (all)
		vfu->ops->dma_unmap_all(vfu->ctx);
	else
		error = vfu->ops->dma_unmap(vfu->ctx, unmap.iova, unmap.size);
	unmap.argsz = sizeof(unmap);
	memcpy(reply_payload(vfu), &unmap, sizeof(unmap));
	m->reply_len = sizeof(unmap);
	return error;
}

static int do_get_info(struct vfu *vfu, struct message *m)
{
	struct device_info info;

	if (m->len < sizeof(info))
		return -EINVAL;
	memcpy(&info, m->payload, sizeof(info));
	if (info.argsz < sizeof(info))
		return -EINVAL;
	info.argsz = sizeof(info);
	info.flags = vfu->shape.flags;
	info.regions = VFIO_PCI_NUM_REGIONS;
	info.irqs = VFIO_PCI_NUM_IRQS;
	memcpy(reply_payload(vfu), &info, sizeof(info));
	m->reply_len = sizeof(info);
	return 0;
}

static int do_get_region_info(struct vfu *vfu, struct message *m)
{
	struct region_info info;

	if (m->len < sizeof(info))
		return -EINVAL;
	memcpy(&info, m->payload, sizeof(info));
	if (info.argsz < sizeof(info) || info.index >= VFIO_PCI_NUM_REGIONS)
		return -EINVAL;
	info.argsz = sizeof(info);
	info.flags = vfu->shape.regions[info.index].flags;
	info.size = vfu->shape.regions[info.index].size;
	/* No capabilities, and nothing to mmap. */
	info.cap_offset = 0;
	info.offset = 0;
	memcpy(reply_payload(vfu), &info, sizeof(info));
	m->reply_len = sizeof(info);
	return 0;
}

static int do_get_irq_info(struct vfu *vfu, struct message *m)
{
	struct irq_info info;

	if (m->len < sizeof(info))
		return -EINVAL;
	memcpy(&info, m->payload, sizeof(info));
	if (info.argsz < sizeof(info) || info.index >= VFIO_PCI_NUM_IRQS)
		return -EINVAL;
	info.argsz = sizeof(info);
	info.flags = vfu->shape.irqs[info.index].flags;
	info.count = vfu->shape.irqs[info.index].count;
	memcpy(reply_payload(vfu), &info, sizeof(info));
	m->reply_len = sizeof(info);
	return 0;
}

static int do_set_irqs(struct vfu *vfu, struct message *m)
{
	uint32_t data, action, bools;
	struct vfu_irq_set set = { 0 };
	struct irq_set in;
	unsigned int i;
	int error;

	if (m->len < sizeof(in))
		return -EINVAL;
	memcpy(&in, m->payload, sizeof(in));
	if (in.argsz < sizeof(in) || in.index >= VFIO_PCI_NUM_IRQS)
		return -EINVAL;
	if (in.start > vfu->shape.irqs[in.index].count ||
	    in.count > vfu->shape.irqs[in.index].count - in.start)
		return -EINVAL;

	data = in.flags & VFIO_IRQ_SET_DATA_TYPE_MASK;
	action = in.flags & VFIO_IRQ_SET_ACTION_TYPE_MASK;
	if ((in.flags & ~(data | action)) || !data || (data & (data - 1)) ||
	    !action || (action & (action - 1)))
		return -EINVAL;

	set.index = in.index;
	set.start = in.start;
	set.count = in.count;
	set.flags = in.flags;
	bools = data == VFIO_IRQ_SET_DATA_BOOL ? in.count : 0;
	if (m->len - sizeof(in) < bools)
		return -EINVAL;
	if (bools)
		set.bools = m->payload + sizeof(in);
	if (data != VFIO_IRQ_SET_DATA_EVENTFD)
		return m->nr_fds ? -EINVAL : vfu->ops->set_irqs(vfu->ctx, &set);

	/*
	 * A message has a descriptor for each interrupt, or none at all: then they are unwired,
	 * as many as there may be.
	 */
	if (m->nr_fds) {
		if (m->nr_fds != in.count)
			return -EINVAL;
		set.fds = m->fds;
		return vfu->ops->set_irqs(vfu->ctx, &set);
	}
	for (error = 0; in.count && !error; in.count -= set.count) {
		int none[VFU_MAX_FDS];

		set.count = in.count < VFU_MAX_FDS ? in.count : VFU_MAX_FDS;
		for (i = 0; i < set.count; i++)
			none[i] = -1;
		set.fds = none;
		error = vfu->ops->set_irqs(vfu->ctx, &set);
		set.start += set.count;
	}
	return error;
}

/* Does the device have those bytes, and may they be used this way? */
static bool access_ok(const struct vfu *vfu, const struct region_access *at, uint32_t flag)
{
	const struct vfu_region *region;

	if (at->region >= VFIO_PCI_NUM_REGIONS || !at->count || at->count > VFU_MAX_DATA)
		return false;
	region = &vfu->shape.regions[at->region];
	return (region->flags & flag) && at->offset < region->size &&
		at->count <= region->size - at->offset;
}

static int do_region_read(struct vfu *vfu, struct message *m)
{
	struct region_access at;
	int error;

	if (m->len != sizeof(at))
		return -EINVAL;
	memcpy(&at, m->payload, sizeof(at));
	if (!access_ok(vfu, &at, VFIO_REGION_INFO_FLAG_READ))
		return -EINVAL;
	memcpy(reply_payload(vfu), &at, sizeof(at));
	m->reply_len = sizeof(at) + at.count;
	/* What a callback leaves out must not be another message's. */
	memset(reply_payload(vfu) + sizeof(at), 0, at.count);
	error = vfu->ops->read(vfu->ctx, at.region, at.offset, reply_payload(vfu) + sizeof(at),
			       at.count);
	return error;
}

static int do_region_write(struct vfu *vfu, struct message *m)
{
	struct region_access at;

	if (m->len < sizeof(at))
		return -EINVAL;
	memcpy(&at, m->payload, sizeof(at));
	if (m->len - sizeof(at) != at.count || !access_ok(vfu, &at, VFIO_REGION_INFO_FLAG_WRITE))
		return -EINVAL;
	memcpy(reply_payload(vfu), &at, sizeof(at));
	m->reply_len = sizeof(at);
	return vfu->ops->write(vfu->ctx, at.region, at.offset, m->payload + sizeof(at), at.count);
}

/* The writes of one message have nothing to do with each other: one that fails stops none. */
static int do_region_write_multi(struct vfu *vfu, struct message *m)
{
	int error, first = 0;
	struct write_one one;
	uint64_t i, nr;

	if (m->len < sizeof(nr))
		return -EINVAL;
	memcpy(&nr, m->payload, sizeof(nr));
	if ((m->len - sizeof(nr)) % sizeof(one) || nr != (m->len - sizeof(nr)) / sizeof(one))
		return -EINVAL;
	for (i = 0; i < nr; i++) {
		memcpy(&one, m->payload + sizeof(nr) + i * sizeof(one), sizeof(one));
		if (one.at.count > sizeof(one.data) ||
		    !access_ok(vfu, &one.at, VFIO_REGION_INFO_FLAG_WRITE))
			error = -EINVAL;
		else
			error = vfu->ops->write(vfu->ctx, one.at.region, one.at.offset, one.data,
						one.at.count);
		if (!first)
			first = error;
	}
	memcpy(reply_payload(vfu), &nr, sizeof(nr));
	m->reply_len = sizeof(nr);
	return first;
}

static int do_reset(struct vfu *vfu, struct message *m)
{
	(void)m;
	vfu->ops->reset(vfu->ctx);
	return 0;
}

/* ---- messages ---- */

static int do_command(struct vfu *vfu, struct message *m)
{
	/* The version comes first. */
	if (!vfu->agreed && m->header.cmd != CMD_VERSION)
		return -EINVAL;
	/* File descriptors that nobody asked for. */
	if (m->nr_fds && m->header.cmd != CMD_DMA_MAP && m->header.cmd != CMD_SET_IRQS)
		return -EINVAL;

	switch (m->header.cmd) {
	case CMD_REGION_WRITE:
		return do_region_write(vfu, m);
	case CMD_REGION_READ:
		return do_region_read(vfu, m);
	case CMD_REGION_WRITE_MULTI:
		return do_region_write_multi(vfu, m);
	case CMD_DMA_MAP:
		return do_dma_map(vfu, m);
	case CMD_DMA_UNMAP:
		return do_dma_unmap(vfu, m);
	case CMD_SET_IRQS:
		return do_set_irqs(vfu, m);
	case CMD_VERSION:
		return do_version(vfu, m);
	case CMD_GET_INFO:
		return do_get_info(vfu, m);
	case CMD_GET_REGION_INFO:
		return do_get_region_info(vfu, m);
	case CMD_GET_IRQ_INFO:
		return do_get_irq_info(vfu, m);
	case CMD_RESET:
		return do_reset(vfu, m);
	default:
		return -EOPNOTSUPP;
	}
}

static void reply(struct vfu *vfu, const struct message *m, int error)
{
	struct header header = m->header;

	header.flags = F_REPLY;
	header.error = 0;
	header.size = sizeof(header);
	if (error) {
		header.flags |= F_ERROR;
		header.error = -error;
	} else {
		header.size += m->reply_len;
	}
	memcpy(vfu->tx, &header, sizeof(header));
	vfu->tx_len = header.size;
	vfu->tx_sent = 0;
}

/* Handle one message, whole in the buffer, that ends at @end of the connection. */
static void handle(struct vfu *vfu, const uint8_t *bytes, uint64_t end)
{
	struct message m;
	unsigned int i;
	int error;

	memcpy(&m.header, bytes, sizeof(m.header));
	m.payload = bytes + sizeof(m.header);
	m.len = m.header.size - sizeof(m.header);
	m.reply_len = 0;

	if (take_fds(vfu, end, &m))
		error = do_command(vfu, &m);
	else
		error = -EINVAL;
	for (i = 0; i < m.nr_fds; i++)
		if (m.fds[i] >= 0)
			close(m.fds[i]);

	vfu->stats.messages++;
	if (m.header.flags & F_NO_REPLY) {
		vfu->stats.posted++;
		vfu->stats.lost += !!error;
		return;
	}
	vfu->stats.refused += !!error;
	reply(vfu, &m, error);
}

/* Handle all messages that are whole in the buffer, until a reply cannot be sent. */
static int handle_all(struct vfu *vfu)
{
	struct header header;
	int handled = 0;
	size_t done = 0;

	while (vfu->rx_len - done >= sizeof(header)) {
		memcpy(&header, vfu->rx + done, sizeof(header));
		if (header.size < sizeof(header) || header.size > MAX_MESSAGE ||
		    (header.flags & F_TYPE) != F_COMMAND) {
			drop_broken(vfu);
			return handled;
		}
		if (vfu->rx_len - done < header.size)
			break;
		handle(vfu, vfu->rx + done, vfu->received + done + header.size);
		handled++;
		done += header.size;
		if (reply_blocked(vfu))
			break;
		if (vfu->sock < 0)
			return handled;
	}
	vfu->rx_len -= done;
	vfu->received += done;
	if (vfu->rx_len && done)
		memmove(vfu->rx, vfu->rx + done, vfu->rx_len);
	return handled;
}

int vfu_process(struct vfu *vfu)
{
	int fd, handled;

	if (vfu->sock < 0) {
		if (vfu->listener < 0)
			return 0;
		fd = accept4(vfu->listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
		if (fd < 0) {
			switch (errno) {
			case EAGAIN:
			case EINTR:
			case ECONNABORTED:
			case EMFILE:
			case ENFILE:
			case ENOBUFS:
			case ENOMEM:
				return 0;
			default:
				return -errno;
			}
		}
		take_client(vfu, fd);
	}

	/* First what an earlier call had to leave. */
	if (reply_blocked(vfu) || vfu->sock < 0)
		return 0;
	handled = handle_all(vfu);
	if (handled || vfu->sock < 0 || !receive(vfu))
		return handled;
	return handle_all(vfu);
}

unsigned int vfu_fds(const struct vfu *vfu, struct pollfd *fds)
{
	if (vfu->sock >= 0) {
		fds->fd = vfu->sock;
		fds->events = vfu->tx_len ? POLLOUT : POLLIN;
	} else if (vfu->listener >= 0) {
		fds->fd = vfu->listener;
		fds->events = POLLIN;
	} else {
		return 0;
	}
	fds->revents = 0;
	return 1;
}

/* ---- the server ---- */

struct vfu *vfu_new(const struct vfu_shape *shape, const struct vfu_ops *ops, void *ctx)
{
	struct vfu *vfu = calloc(1, sizeof(*vfu));

	if (!vfu)
		return NULL;
	vfu->shape = *shape;
	vfu->ops = ops;
	vfu->ctx = ctx;
	vfu->listener = -1;
	vfu->sock = -1;
	return vfu;
}

/* Does a socket stand at the path that nobody listens on any more? */
static bool is_stale(const struct sockaddr_un *addr)
{
	struct stat st;
	bool stale;
	int fd;

	if (lstat(addr->sun_path, &st) || !S_ISSOCK(st.st_mode))
		return false;
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return false;
	stale = connect(fd, (const struct sockaddr *)addr, sizeof(*addr)) && errno == ECONNREFUSED;
	close(fd);
	return stale;
}

int vfu_listen(struct vfu *vfu, const char *path)
{
	struct sockaddr_un addr = { .sun_family = AF_UNIX };
	int fd, error;

	if (vfu->listener >= 0)
		return -EBUSY;
	if (!*path || strlen(path) >= sizeof(addr.sun_path))
		return -ENAMETOOLONG;
	memcpy(addr.sun_path, path, strlen(path) + 1);
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return -errno;
	if (is_stale(&addr))
		unlink(path);
	if (bind(fd, (struct sockaddr *)&addr, sizeof(addr))) {
		error = -errno;
		close(fd);
		return error;
	}
	if (listen(fd, 4)) {
		error = -errno;
		unlink(path);
		close(fd);
		return error;
	}
	memcpy(vfu->path, path, strlen(path) + 1);
	vfu->listener = fd;
	return 0;
}

int vfu_adopt(struct vfu *vfu, int fd)
{
	if (vfu->sock >= 0) {
		close(fd);
		return -EBUSY;
	}
	take_client(vfu, fd);
	return 0;
}

bool vfu_has_client(const struct vfu *vfu)
{
	return vfu->sock >= 0;
}

const struct vfu_stats *vfu_get_stats(const struct vfu *vfu)
{
	return &vfu->stats;
}

/* Tell the client that nothing more comes, and read what it still sends. */
static void drain(struct vfu *vfu)
{
	struct pollfd pfd = { .fd = vfu->sock, .events = POLLIN };
	struct timespec start, now;
	int left = 500;
	ssize_t n;

	clock_gettime(CLOCK_MONOTONIC, &start);
	shutdown(vfu->sock, SHUT_WR);
	while (left > 0) {
		if (poll(&pfd, 1, left) > 0) {
			/* Without room for them, the kernel drops file descriptors. */
			n = recv(vfu->sock, vfu->rx, sizeof(vfu->rx), MSG_DONTWAIT);
			if (!n || (n < 0 && errno != EAGAIN && errno != EINTR))
				return;
		}
		clock_gettime(CLOCK_MONOTONIC, &now);
		left = 500 - ((now.tv_sec - start.tv_sec) * 1000 +
			      (now.tv_nsec - start.tv_nsec) / 1000000);
	}
}

void vfu_close(struct vfu *vfu)
{
	if (!vfu)
		return;
	if (vfu->listener >= 0) {
		unlink(vfu->path);
		close(vfu->listener);
	}
	if (vfu->sock >= 0) {
		drain(vfu);
		drop_client(vfu);
	}
	free(vfu);
}
