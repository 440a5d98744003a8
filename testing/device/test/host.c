// SPDX-License-Identifier: GPL-2.0
/* The messages that QEMU 11.1 sends, in the order and with the flags that it sends them. */
#include <endian.h>
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
#include <linux/pci_regs.h>
#include <linux/vfio.h>

#include "host.h"

/* The eventfds that fit into one message, as the server says. */
#define FDS_AT_ONCE	16
#define MAX_FDS		253

struct region_access {
	uint64_t offset;
	uint32_t region;
	uint32_t count;
};

static int64_t now_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * 1000LL + ts.tv_nsec / 1000000;
}

void host_init(struct host *host, int sock)
{
	unsigned int i;

	memset(host, 0, sizeof(*host));
	host->sock = sock;
	host->memfd = -1;
	host->timeout_ms = 10000;
	for (i = 0; i < HOST_MAX_IRQS; i++)
		host->irqs[i] = -1;
}

int host_connect(struct host *host, const char *path)
{
	struct sockaddr_un addr = { .sun_family = AF_UNIX };
	int error;

	if (strlen(path) >= sizeof(addr.sun_path))
		return -ENAMETOOLONG;
	memcpy(addr.sun_path, path, strlen(path) + 1);
	host->sock = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (host->sock < 0)
		return -errno;
	if (!connect(host->sock, (struct sockaddr *)&addr, sizeof(addr)))
		return 0;
	error = -errno;
	close(host->sock);
	host->sock = -1;
	return error;
}

int host_start(struct host *host, char *const argv[])
{
	char dir[] = "/tmp/nvmq-host-XXXXXX", path[64];
	int64_t end = now_ms() + host->timeout_ms;
	char *args[64];
	unsigned int i;
	int error;

	if (!mkdtemp(dir))
		return -errno;
	snprintf(path, sizeof(path), "%s/socket", dir);
	for (i = 0; argv[i] && i < 63; i++)
		args[i] = strcmp(argv[i], "@") ? argv[i] : path;
	args[i] = NULL;
	host->device = fork();
	if (!host->device) {
		execv(args[0], args);
		perror(args[0]);
		_exit(127);
	}
	error = host->device < 0 ? -errno : -ECONNREFUSED;
	while (host->device > 0 && error && now_ms() < end) {
		int status;

		error = host_connect(host, path);
		if (!error || (error != -ENOENT && error != -ECONNREFUSED))
			break;
		/* It may have ended already, for a wrong argument. */
		if (waitpid(host->device, &status, WNOHANG) == host->device) {
			host->device = 0;
			error = -ECHILD;
			break;
		}
		usleep(1000);
	}
	/* The name is of no more use to anybody. */
	unlink(path);
	rmdir(dir);
	return error;
}

int host_stop(struct host *host)
{
	unsigned int i;
	int status = 0;

	if (host->sock >= 0)
		close(host->sock);
	host->sock = -1;
	if (host->device > 0) {
		kill(host->device, SIGTERM);
		while (waitpid(host->device, &status, 0) < 0 && errno == EINTR)
			;
		host->device = 0;
	}
	if (host->memory)
		munmap(host->memory, host->memory_size);
	host->memory = NULL;
	if (host->memfd >= 0)
		close(host->memfd);
	host->memfd = -1;
	for (i = 0; i < HOST_MAX_IRQS; i++) {
		if (host->irqs[i] >= 0)
			close(host->irqs[i]);
		host->irqs[i] = -1;
	}
	host->nr_irqs = 0;
	return status;
}

int host_memory(struct host *host, size_t size)
{
	host->memfd = memfd_create("guest", MFD_CLOEXEC);
	if (host->memfd < 0 || ftruncate(host->memfd, size))
		return -errno;
	host->memory = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, host->memfd, 0);
	if (host->memory == MAP_FAILED) {
		host->memory = NULL;
		return -errno;
	}
	host->memory_size = size;
	return 0;
}

/* ---- messages ---- */

int host_send(struct host *host, const struct host_header *header, const void *payload,
	      size_t len, const int *fds, unsigned int nr_fds)
{
	union {
		struct cmsghdr align;
		uint8_t bytes[CMSG_SPACE(MAX_FDS * sizeof(int))];
	} control;
	struct iovec iov[2] = {
		{ .iov_base = (void *)header, .iov_len = sizeof(*header) },
		{ .iov_base = (void *)payload, .iov_len = len },
	};
	struct msghdr msg = { .msg_iov = iov, .msg_iovlen = len ? 2 : 1 };
	int64_t end = now_ms() + host->timeout_ms;
	size_t left = sizeof(*header) + len;
	ssize_t n;

	if (nr_fds > MAX_FDS)
		return -EINVAL;
	if (nr_fds) {
		memset(&control, 0, sizeof(control));
		msg.msg_control = control.bytes;
		msg.msg_controllen = CMSG_SPACE(nr_fds * sizeof(int));
		CMSG_FIRSTHDR(&msg)->cmsg_level = SOL_SOCKET;
		CMSG_FIRSTHDR(&msg)->cmsg_type = SCM_RIGHTS;
		CMSG_FIRSTHDR(&msg)->cmsg_len = CMSG_LEN(nr_fds * sizeof(int));
		memcpy(CMSG_DATA(CMSG_FIRSTHDR(&msg)), fds, nr_fds * sizeof(int));
	}
	while (left) {
		n = sendmsg(host->sock, &msg, MSG_NOSIGNAL | MSG_DONTWAIT);
		if (n < 0 && errno == EAGAIN) {
			struct pollfd pfd = { .fd = host->sock, .events = POLLOUT };

			if (now_ms() >= end)
				return -ETIMEDOUT;
			if (host->pump)
				host->pump(host->pump_ctx);
			else
				poll(&pfd, 1, 100);
			continue;
		}
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		left -= n;
		/* The descriptors went with the first piece. */
		msg.msg_control = NULL;
		msg.msg_controllen = 0;
		while (n) {
			size_t part = (size_t)n < msg.msg_iov->iov_len ? (size_t)n :
				      msg.msg_iov->iov_len;

			msg.msg_iov->iov_base = (uint8_t *)msg.msg_iov->iov_base + part;
			msg.msg_iov->iov_len -= part;
			n -= part;
			if (!msg.msg_iov->iov_len && msg.msg_iovlen > 1) {
				msg.msg_iov++;
				msg.msg_iovlen--;
			}
		}
	}
	return 0;
}

/* Exactly @len bytes; @buf may be NULL to drop them. */
static int receive_bytes(struct host *host, void *buf, size_t len, int64_t end)
{
	struct pollfd pfd = { .fd = host->sock, .events = POLLIN };
	uint8_t dropped[4096];
	ssize_t n;

	while (len) {
		size_t part = buf || len < sizeof(dropped) ? len : sizeof(dropped);

		n = recv(host->sock, buf ? buf : dropped, part, MSG_DONTWAIT);
		if (n > 0) {
			if (buf)
				buf = (uint8_t *)buf + n;
			len -= n;
			continue;
		}
		if (!n)
			return -EPIPE;
		if (errno == EINTR)
			continue;
		if (errno == ECONNRESET)
			return -EPIPE;
		if (errno != EAGAIN)
			return -errno;
		if (now_ms() >= end)
			return -ETIMEDOUT;
		if (host->pump)
			host->pump(host->pump_ctx);
		else
			poll(&pfd, 1, 100);
	}
	return 0;
}

ssize_t host_receive(struct host *host, struct host_header *header, void *payload, size_t room)
{
	int64_t end = now_ms() + host->timeout_ms;
	size_t len, part;
	int error;

	error = receive_bytes(host, header, sizeof(*header), end);
	if (error)
		return error;
	if (header->size < sizeof(*header))
		return -EPROTO;
	len = header->size - sizeof(*header);
	part = len < room ? len : room;
	error = part ? receive_bytes(host, payload, part, end) : 0;
	if (!error && len > part)
		error = receive_bytes(host, NULL, len - part, end);
	return error ? error : (ssize_t)len;
}

ssize_t host_request(struct host *host, uint16_t cmd, const void *payload, size_t len,
		     const int *fds, unsigned int nr_fds, void *reply, size_t room)
{
	struct host_header out = {
		.id = host->next_id++,
		.cmd = cmd,
		.size = sizeof(out) + len,
	};
	struct host_header in;
	ssize_t got;
	int error;

	error = host_send(host, &out, payload, len, fds, nr_fds);
	if (error)
		return error;
	got = host_receive(host, &in, reply, room);
	if (got < 0)
		return got;
	if (in.id != out.id || in.cmd != out.cmd || (in.flags & ~HOST_F_ERROR) != HOST_F_REPLY)
		return -EPROTO;
	if (in.flags & HOST_F_ERROR)
		return in.error && !got ? -(int)in.error : -EPROTO;
	return got;
}

#define CAP(name, value)	"\"" name "\": " value

int host_version(struct host *host, char *reply, size_t room)
{
	static const char caps[] = "{\"capabilities\": {\"migration\": {"
		CAP("max_bitmap_size", "268435456") ", " CAP("pgsize", "4096") "}, "
		CAP("max_msg_fds", "16") ", " CAP("max_data_xfer_size", "1048576") ", "
		CAP("pgsizes", "4096") ", " CAP("max_dma_maps", "65535") ", "
		CAP("write_multiple", "true") "}}";
	char out[4 + sizeof(caps)] = { 0 }, in[4 + sizeof(caps)];
	uint16_t version[2];
	ssize_t got;

	memcpy(out + 4, caps, sizeof(caps));
	got = host_request(host, HOST_VERSION, out, sizeof(out), NULL, 0, in, sizeof(in));
	if (got < 0)
		return got;
	/* QEMU has no more room for the reply than its own message took. */
	if ((size_t)got > sizeof(in) || got < 5 || in[got - 1])
		return -EPROTO;
	memcpy(version, in, sizeof(version));
	if (version[0] || version[1])
		return -EPROTONOSUPPORT;
	if (reply)
		snprintf(reply, room, "%s", in + 4);
	return 0;
}

/* ---- memory ---- */

int host_dma_map(struct host *host, uint64_t iova, uint64_t size, unsigned int prot,
		 uint64_t offset)
{
	struct {
		uint32_t argsz, flags;
		uint64_t offset, iova, size;
	} map = { .argsz = sizeof(map), .flags = prot, .offset = offset, .iova = iova,
		  .size = size };
	ssize_t got;

	got = host_request(host, HOST_DMA_MAP, &map, sizeof(map), &host->memfd, 1, NULL, 0);
	return got < 0 ? got : 0;
}

int host_dma_unmap(struct host *host, uint64_t iova, uint64_t size)
{
	struct {
		uint32_t argsz, flags;
		uint64_t iova, size;
	} unmap = { .argsz = sizeof(unmap), .iova = iova, .size = size };
	ssize_t got;

	got = host_request(host, HOST_DMA_UNMAP, &unmap, sizeof(unmap), NULL, 0, NULL, 0);
	return got < 0 ? got : 0;
}

/* ---- regions ---- */

int host_read(struct host *host, unsigned int region, uint64_t off, void *buf, size_t len)
{
	struct region_access at = { .offset = off, .region = region, .count = len };
	struct host_header out = {
		.id = host->next_id++,
		.cmd = HOST_REGION_READ,
		.size = sizeof(out) + sizeof(at),
	};
	uint8_t small[sizeof(at) + 64], *reply = small;
	struct host_header in;
	ssize_t got;
	int error;

	/* The common case is a register: no allocation for it. */
	if (len > 64)
		reply = malloc(sizeof(at) + len);
	if (!reply)
		return -ENOMEM;
	error = host_send(host, &out, &at, sizeof(at), NULL, 0);
	if (!error) {
		got = host_receive(host, &in, reply, sizeof(at) + len);
		if (got < 0)
			error = got;
		else if (in.id != out.id || in.cmd != out.cmd)
			error = -EPROTO;
		else if (in.flags & HOST_F_ERROR)
			error = -(int)in.error;
		else if ((size_t)got != sizeof(at) + len || memcmp(reply, &at, sizeof(at)))
			error = -EPROTO;
		else
			memcpy(buf, reply + sizeof(at), len);
	}
	if (reply != small)
		free(reply);
	return error;
}

/* A REGION_WRITE; @flags as in the header. */
static int send_write(struct host *host, unsigned int region, uint64_t off, const void *buf,
		      size_t len, uint32_t flags, struct host_header *out)
{
	struct region_access at = { .offset = off, .region = region, .count = len };
	uint8_t small[sizeof(at) + 64], *payload = small;
	int error;

	out->id = host->next_id++;
	out->cmd = HOST_REGION_WRITE;
	out->size = sizeof(*out) + sizeof(at) + len;
	out->flags = flags;
	out->error = 0;
	if (len > 64)
		payload = malloc(sizeof(at) + len);
	if (!payload)
		return -ENOMEM;
	memcpy(payload, &at, sizeof(at));
	memcpy(payload + sizeof(at), buf, len);
	error = host_send(host, out, payload, sizeof(at) + len, NULL, 0);
	if (payload != small)
		free(payload);
	return error;
}

int host_write(struct host *host, unsigned int region, uint64_t off, const void *buf, size_t len)
{
	struct host_header out, in;
	uint8_t reply[sizeof(struct region_access)];
	ssize_t got;
	int error;

	error = send_write(host, region, off, buf, len, 0, &out);
	if (error)
		return error;
	got = host_receive(host, &in, reply, sizeof(reply));
	if (got < 0)
		return got;
	if (in.id != out.id || in.cmd != out.cmd)
		return -EPROTO;
	if (in.flags & HOST_F_ERROR)
		return -(int)in.error;
	return got == sizeof(reply) ? 0 : -EPROTO;
}

int host_post(struct host *host, unsigned int region, uint64_t off, const void *buf, size_t len)
{
	struct host_header out;

	return send_write(host, region, off, buf, len, HOST_F_NO_REPLY, &out);
}

uint32_t host_config(struct host *host, unsigned int off, unsigned int len)
{
	uint32_t value = 0;

	if (host_read(host, VFIO_PCI_CONFIG_REGION_INDEX, off, &value, len))
		return 0xffffffff;
	return le32toh(value);
}

int host_config_set(struct host *host, unsigned int off, unsigned int len, uint32_t value)
{
	value = htole32(value);
	return host_write(host, VFIO_PCI_CONFIG_REGION_INDEX, off, &value, len);
}

unsigned int host_find_cap(struct host *host, uint8_t id)
{
	unsigned int at = host_config(host, PCI_CAPABILITY_LIST, 1), left = 48;

	while (at >= 0x40 && left--) {
		if (host_config(host, at, 1) == id)
			return at;
		at = host_config(host, at + 1, 1);
	}
	return 0;
}

/* ---- interrupts ---- */

int host_irqs(struct host *host, unsigned int index, unsigned int count)
{
	struct {
		uint32_t argsz, flags, index, start, count;
	} set = { .argsz = sizeof(set), .index = index };
	unsigned int i;
	ssize_t got;

	for (i = 0; i < host->nr_irqs; i++) {
		close(host->irqs[i]);
		host->irqs[i] = -1;
	}
	host->nr_irqs = 0;
	host->irq_index = index;
	set.flags = VFIO_IRQ_SET_DATA_NONE | VFIO_IRQ_SET_ACTION_TRIGGER;
	if (!count) {
		got = host_request(host, HOST_SET_IRQS, &set, sizeof(set), NULL, 0, NULL, 0);
		return got < 0 ? got : 0;
	}
	if (count > HOST_MAX_IRQS)
		return -EINVAL;
	for (i = 0; i < count; i++) {
		host->irqs[i] = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
		if (host->irqs[i] < 0)
			return -errno;
		host->nr_irqs++;
	}
	set.flags = VFIO_IRQ_SET_DATA_EVENTFD | VFIO_IRQ_SET_ACTION_TRIGGER;
	for (set.start = 0; set.start < count; set.start += set.count) {
		set.count = count - set.start < FDS_AT_ONCE ? count - set.start : FDS_AT_ONCE;
		got = host_request(host, HOST_SET_IRQS, &set, sizeof(set), host->irqs + set.start,
				   set.count, NULL, 0);
		if (got < 0)
			return got;
	}
	return 0;
}

uint64_t host_irq_taken(struct host *host, unsigned int vector)
{
	uint64_t count = 0;

	if (vector >= host->nr_irqs ||
	    read(host->irqs[vector], &count, sizeof(count)) != sizeof(count))
		return 0;
	return count;
}

uint64_t host_irq_wait(struct host *host, unsigned int vector, int timeout_ms)
{
	int64_t end = now_ms() + timeout_ms;
	uint64_t count;

	while (!(count = host_irq_taken(host, vector)) && now_ms() < end) {
		struct pollfd pfd = { .events = POLLIN };

		if (vector >= host->nr_irqs)
			return 0;
		pfd.fd = host->irqs[vector];
		if (host->pump)
			host->pump(host->pump_ctx);
		else
			poll(&pfd, 1, end > now_ms() ? end - now_ms() : 0);
	}
	return count;
}

int host_reset(struct host *host)
{
	ssize_t got = host_request(host, HOST_RESET, NULL, 0, NULL, 0, NULL, 0);

	return got < 0 ? got : 0;
}
