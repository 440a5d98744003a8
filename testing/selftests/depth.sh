#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# description: depths 2, 64, 1023 and more than the device has; rings wrap many times with data verified
# vm: --turns -c 4 -d size=512M,queues=4
# kernels: 6.12
# time: 25
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "$0")/lib.sh"

# QEMU's CAP.MQES is 2047: 2048 entries, one of which stays empty.
for pair in 2:2 3:3 64:64 1023:1023 4095:2047; do
	asked=${pair%:*} want=${pair#*:}
	load "plan=default=2 depth=$asked"
	disk=$(disk "$BDF0")
	is "depth=$asked: granted" "$(granted "$BDF0" depth)" "$want"
	is "depth=$asked: in debugfs" "$(queue_rows "$BDF0" default | awk '{ print $3 }' | sort -u)" "$want"
	is "depth=$asked: tags" "$(sort -u /sys/block/"$disk"/mq/*/nr_tags)" "$want"
	is "depth=$asked: nr_requests" "$(queue "$disk" nr_requests)" "$want"
	fio_ok "depth=$asked: random writes at depth 256 on all CPUs, verified" --filename="/dev/$disk" \
		--direct=1 --ioengine=libaio --iodepth=256 --numjobs=4 --rw=randwrite --bs=4k --size=2M \
		--offset_increment=8M --verify=crc32c --do_verify=1 --group_reporting
	fio_ok "depth=$asked: batches of 64, verified" --filename="/dev/$disk" --direct=1 --ioengine=io_uring \
		--iodepth=128 --iodepth_batch=64 --iodepth_batch_complete_min=1 --iodepth_batch_complete_max=64 \
		--rw=randwrite --bs=4k --size=4M --offset=64M --verify=crc32c --do_verify=1
	unload
done
