#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# description: a namespace whose image is read-only: reads work, writes fail with an error that the caller sees
# vm: --turns -c 2 -d size=64M,queues=2,ro -d size=64M
# kernels: 6.12 7.2
# time: 8
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "$0")/lib.sh"

# shellcheck disable=SC2034 # for lib.sh: refusing is what the device is meant to do
T_TRACE_ALLOW='pci_nvme_err_(aio|req_status)'

# QEMU does not set the write-protect attribute: the device refuses each write
# with a status instead, which must become an error and nothing worse.
load
node=$(dev "$BDF0")
check "reads work" zeroes "$node" 0 1048576
for ((i = 0; i < 5; i++)); do
	check_fails "a direct write fails" dd if=/dev/urandom of="$node" bs=4k count=1 oflag=direct conv=notrunc
done
check_fails "a buffered write fails at fsync" dd if=/dev/urandom of="$node" bs=4k count=1 conv=fsync,notrunc
check_fails "write zeroes fails" blkdiscard -z -l 65536 "$node"
drop_caches
check "reads still work" zeroes "$node" 0 1048576
is "the controller is live" "$(state "$BDF0")" live
check_fails "fio hears of it" fio_job ro --filename="$node" --rw=randwrite --bs=4k --size=1M --direct=1 \
	--ioengine=libaio --iodepth=16
check "reads still work" zeroes "$node" 0 1048576

# The administrator's own choice of read-only is the block layer's, and holds.
node=$(dev "$BDF1")
head -c 65536 /dev/urandom >"$T_TMP/data"
put "$T_TMP/data" "$node" 0
check "blockdev --setro" blockdev --setro "$node"
is "ro in sysfs" "$(cat "/sys/block/$(disk "$BDF1")/ro")" 1
check_fails "a write is refused" dd if=/dev/zero of="$node" bs=4k count=1 oflag=direct conv=notrunc
check_fails "so is discard" blkdiscard "$node"
check "the data" same "$T_TMP/data" "$node" 0
check "blockdev --setrw" blockdev --setrw "$node"
check "a write is taken again" dd if=/dev/zero of="$node" bs=4k count=1 oflag=direct conv=notrunc status=none
