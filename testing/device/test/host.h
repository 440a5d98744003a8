/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A host for the device under test: speaks vfio-user over a socket the way QEMU 11.1 does, with a
 * memfd for guest memory and eventfds for interrupts. It can also send what no QEMU would.
 *
 * It waits for replies either with poll(), the server being another process or thread, or by
 * calling a pump function, so that server and host can live in one thread.
 */
#ifndef DEVICE_TEST_HOST_H
#define DEVICE_TEST_HOST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/* vfio-user 0.1: commands. */
enum {
	HOST_VERSION = 1,
	HOST_DMA_MAP = 2,
	HOST_DMA_UNMAP = 3,
	HOST_GET_INFO = 4,
	HOST_GET_REGION_INFO = 5,
	HOST_GET_IRQ_INFO = 7,
	HOST_SET_IRQS = 8,
	HOST_REGION_READ = 9,
	HOST_REGION_WRITE = 10,
	HOST_RESET = 13,
	HOST_REGION_WRITE_MULTI = 15,
};

#define HOST_F_REPLY	0x01
#define HOST_F_NO_REPLY	0x10
#define HOST_F_ERROR	0x20

#define HOST_MAX_IRQS	2048

/**
 * struct host_header - in front of every message
 * @id: chosen by the sender, repeated by the reply
 * @cmd: HOST_*
 * @size: of the message, this header included
 * @flags: HOST_F_*
 * @error: errno, with HOST_F_ERROR
 */
struct host_header {
	uint16_t id;
	uint16_t cmd;
	uint32_t size;
	uint32_t flags;
	uint32_t error;
};

/**
 * struct host - one connection
 * @sock: the socket, -1 when closed
 * @memfd: guest memory, -1 without
 * @memory: the same, mapped
 * @memory_size: in bytes
 * @irqs: eventfds of the index that host_irqs() wired last, -1 without
 * @nr_irqs: how many
 * @irq_index: that index
 * @pump: called while waiting for something, or NULL
 * @pump_ctx: its argument
 * @next_id: of the next message
 * @timeout_ms: how long to wait for a reply
 * @device: process that host_start() made, 0 without
 */
struct host {
	int sock;
	int memfd;
	uint8_t *memory;
	size_t memory_size;
	int irqs[HOST_MAX_IRQS];
	unsigned int nr_irqs;
	unsigned int irq_index;
	void (*pump)(void *ctx);
	void *pump_ctx;
	uint16_t next_id;
	int timeout_ms;
	pid_t device;
};

/**
 * host_init() - a host with a connected socket, or none yet
 * @host: filled in
 * @sock: the socket, belongs to the host; -1 for none
 */
void host_init(struct host *host, int sock);

/**
 * host_connect() - connect to a server's socket
 * @host: after host_init()
 * @path: of the socket
 *
 * Return: 0 or -errno.
 */
int host_connect(struct host *host, const char *path);

/**
 * host_start() - start a device as a process of its own, and connect to it
 * @host: after host_init()
 * @argv: program and arguments; one that is "@" becomes the path of the socket
 *
 * Return: 0 or -errno.
 */
int host_start(struct host *host, char *const argv[]);

/**
 * host_stop() - close the connection; end the process if there is one
 * @host: the host
 *
 * Return: the wait status of the process, which gets SIGTERM; 0 without one.
 */
int host_stop(struct host *host);

/**
 * host_memory() - create guest memory
 * @host: the host
 * @size: in bytes; zeroed
 *
 * Return: 0 or -errno.
 */
int host_memory(struct host *host, size_t size);

/**
 * host_send() - send a message as it is
 * @host: the host
 * @header: filled in by the caller, its size may be a lie
 * @payload: what follows
 * @len: bytes of it
 * @fds: file descriptors to send along
 * @nr_fds: how many
 *
 * Return: 0 or -errno.
 */
int host_send(struct host *host, const struct host_header *header, const void *payload,
	      size_t len, const int *fds, unsigned int nr_fds);

/**
 * host_receive() - wait for one message
 * @host: the host
 * @header: filled in
 * @payload: what follows the header
 * @room: for so many bytes; what does not fit is dropped
 *
 * Return: bytes of payload that came; -EPIPE if the server ended the connection; -ETIMEDOUT;
 * another -errno.
 */
ssize_t host_receive(struct host *host, struct host_header *header, void *payload, size_t room);

/**
 * host_request() - send a command and wait for its reply
 * @host: the host
 * @cmd: HOST_*
 * @payload: of the command
 * @len: bytes of it
 * @fds: file descriptors to send along
 * @nr_fds: how many
 * @reply: payload of the reply; may be NULL
 * @room: for so many bytes
 *
 * Return: bytes of payload that came; the reply's error as -errno; -EPROTO for a reply that is
 * not one to this command; as host_receive().
 */
ssize_t host_request(struct host *host, uint16_t cmd, const void *payload, size_t len,
		     const int *fds, unsigned int nr_fds, void *reply, size_t room);

/**
 * host_version() - agree on the version, with the capabilities that QEMU sends
 * @host: the host
 * @reply: the server's capabilities, a string; may be NULL
 * @room: for so many bytes
 *
 * Return: 0 or -errno.
 */
int host_version(struct host *host, char *reply, size_t room);

/**
 * host_dma_map() - share a piece of guest memory with the device
 * @host: the host
 * @iova: address for the device
 * @size: in bytes
 * @prot: 1 the device may read, 2 write, 3 both
 * @offset: where in guest memory
 *
 * Return: 0 or -errno.
 */
int host_dma_map(struct host *host, uint64_t iova, uint64_t size, unsigned int prot,
		 uint64_t offset);

/**
 * host_dma_unmap() - take it back
 * @host: the host
 * @iova: address for the device
 * @size: in bytes
 *
 * Return: 0 or -errno.
 */
int host_dma_unmap(struct host *host, uint64_t iova, uint64_t size);

/**
 * host_read() - read a region
 * @host: the host
 * @region: VFIO_PCI_*_REGION_INDEX
 * @off: offset in it
 * @buf: where to
 * @len: bytes
 *
 * Return: 0 or -errno.
 */
int host_read(struct host *host, unsigned int region, uint64_t off, void *buf, size_t len);

/**
 * host_write() - write a region and wait until it is done
 * @host: the host
 * @region: VFIO_PCI_*_REGION_INDEX
 * @off: offset in it
 * @buf: from where
 * @len: bytes
 *
 * Return: 0 or -errno.
 */
int host_write(struct host *host, unsigned int region, uint64_t off, const void *buf, size_t len);

/**
 * host_post() - write a region without a reply, as QEMU writes BARs
 * @host: the host
 * @region: VFIO_PCI_*_REGION_INDEX
 * @off: offset in it
 * @buf: from where
 * @len: bytes
 *
 * Return: 0 or -errno of the sending.
 */
int host_post(struct host *host, unsigned int region, uint64_t off, const void *buf, size_t len);

/**
 * host_config() - read configuration space, little endian
 * @host: the host
 * @off: first byte
 * @len: 1, 2 or 4
 *
 * Return: the value; all ones if the read fails.
 */
uint32_t host_config(struct host *host, unsigned int off, unsigned int len);

/**
 * host_config_set() - write configuration space, little endian
 * @host: the host
 * @off: first byte
 * @len: 1, 2 or 4
 * @value: to write
 *
 * Return: 0 or -errno.
 */
int host_config_set(struct host *host, unsigned int off, unsigned int len, uint32_t value);

/**
 * host_find_cap() - find a capability
 * @host: the host
 * @id: PCI_CAP_ID_*
 *
 * Return: its offset; 0 if there is none.
 */
unsigned int host_find_cap(struct host *host, uint8_t id);

/**
 * host_irqs() - wire eventfds to the first interrupts of an index
 * @host: the host
 * @index: VFIO_PCI_*_IRQ_INDEX
 * @count: how many; 0 turns the index off
 *
 * Return: 0 or -errno.
 */
int host_irqs(struct host *host, unsigned int index, unsigned int count);

/**
 * host_irq_taken() - interrupts of a vector since the last call, without waiting
 * @host: the host
 * @vector: which
 *
 * Return: how many.
 */
uint64_t host_irq_taken(struct host *host, unsigned int vector);

/**
 * host_irq_wait() - wait for an interrupt
 * @host: the host
 * @vector: which
 * @timeout_ms: how long
 *
 * Return: how many came; 0 if the time is over.
 */
uint64_t host_irq_wait(struct host *host, unsigned int vector, int timeout_ms);

/**
 * host_reset() - reset the device, as QEMU does at a bus or machine reset
 * @host: the host
 *
 * Return: 0 or -errno.
 */
int host_reset(struct host *host);

#endif
