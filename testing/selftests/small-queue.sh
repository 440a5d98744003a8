#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# description: a device whose queues have two entries (MQES 1): one command at a time, and all works
# vm: -c 4 -d strict,size=128M,queues=4,raw=mqes:2 -- 1
# vm 6.12: -q 11.1 -c 4 -d size=128M,queues=4,raw=mqes:7 -- 7
# kernels: 6.12 7.2
# device: qemu
# time: 15
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "$0")/lib.sh"

log_mark
check "load" load
disk=$(disk "$BDF0") node=$(dev "$BDF0")
is "depth granted" "$(granted "$BDF0" depth)" "$1"
log_has "the log says so" "granted \".*depth=$1 "
is "tags" "$(sort -u /sys/block/"$disk"/mq/*/nr_tags)" "$1"
fio_ok "verified I/O from all CPUs at depth 32" --filename="$node" --direct=1 --ioengine=libaio --iodepth=32 \
	--numjobs=4 --rw=randwrite --bs=4k --size=4M --offset_increment=4M --verify=crc32c --do_verify=1 --group_reporting
fio_ok "large blocks" --filename="$node" --direct=1 --ioengine=io_uring --iodepth=4 --rw=write --bs=1M --size=32M \
	--offset=64M --verify=crc32c --do_verify=1
check "reload" reload plan=default=1
fio_ok "a single queue" --filename="$(dev "$BDF0")" --direct=1 --ioengine=libaio --iodepth=32 --numjobs=2 \
	--rw=randrw --bs=4k --size=2M --offset_increment=4M --verify=crc32c --do_verify=1 --group_reporting
