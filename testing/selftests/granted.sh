#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# description: more queues asked than the device grants, or than a kdump kernel should have: it says so, and the disk works
# vm: --turns -c 4 -d size=128M,queues=2
# vm 6.1: --turns -c 4 -d size=128M,queues=2 -a elfcorehdr=0x1000 -- kdump
# kernels: 6.1 6.12 7.2
# time: 8
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "$0")/lib.sh"

if [ "${1:-}" = kdump ]; then
	# The kernel takes itself for one that saves another's memory, and before 6.7 blk-mq has only one map then.
	check "loads with three sorts asked" load "plan=default=2 read=2 poll=2"
	want="1 1 0"
	[ "$NVMQ_K" != 6.1 ] || want="1 0 0"
	is "one queue pair of each type that there can be" "$(counts "$BDF0")" "$want"
	fio_ok "it works" --filename="$(dev "$BDF0")" --direct=1 --ioengine=libaio --iodepth=8 --numjobs=4 \
		--rw=randwrite --bs=4k --size=2M --offset_increment=8M --verify=crc32c --do_verify=1 --group_reporting
	check "and after a reset" dd if=<(echo 1) of="/sys/bus/pci/devices/$BDF0/nvmq/reset" status=none
	fio_ok "it works too" --filename="$(dev "$BDF0")" --direct=1 --ioengine=libaio --iodepth=8 --rw=randread --bs=4k --size=2M
	exit
fi
log_mark
check "loads with 65535 queues asked" load plan=default=65535
log_has "asked and granted in the log" 'nvme[0-9]+: asked "default=65535.*"; granted "default=2 read=0 poll=0 '
is "in one line" "$(log_count 'granted')" 1
is "and nothing else was worth a line on queues" "$(log_count '[Qq]ueue.*(fail|error)')" 0
like "sysfs plan is what was asked" "$(attr "$BDF0" plan)" 'default=65535'
is "two queues" "$(granted "$BDF0" default)" 2
fio_ok "they work" --filename="$(dev "$BDF0")" --direct=1 --ioengine=libaio --iodepth=8 --numjobs=4 \
	--rw=randwrite --bs=4k --size=2M --offset_increment=8M --verify=crc32c --do_verify=1 --group_reporting

# Three sorts of queue and two pairs: the default queues must survive.
log_mark
check "loads with three sorts asked" reload "plan=default=4 read=4 poll=4"
log_has "asked and granted in the log" 'asked "default=4 read=4 poll=4.*"; granted "default=[12] read=[01] poll=[01] '
total=$(($(granted "$BDF0" default) + $(granted "$BDF0" read) + $(granted "$BDF0" poll)))
within "no more than the device has" "$total" 1 2
fio_ok "they work" --filename="$(dev "$BDF0")" --direct=1 --ioengine=libaio --iodepth=8 --numjobs=4 \
	--rw=randrw --bs=4k --size=2M --offset_increment=8M --verify=crc32c --do_verify=1 --group_reporting
