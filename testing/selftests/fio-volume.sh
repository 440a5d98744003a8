#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# description: more than 2 GiB written and verified by crc32c, over all engines
# vm: -c 4 -m 1G -d size=2G,queues=4 -- io_uring
# vm: -c 4 -m 1G -d size=2G,queues=4 -- libaio
# vm: -c 4 -m 1G -d size=2G,queues=4 -- psync
# vm: -c 4 -m 1G -d size=2G,queues=4 -- mmap
# kernels: 6.12
# time: 45
. "$(dirname "$0")/lib.sh"
engine=$1

# 4 x 576 MiB written, each read again and compared, on four processes with
# stretches of their own.
load
disk=$(disk "$BDF0")
direct_io=1
[ "$engine" != mmap ] || direct_io=0
at=0
total=0
for pair in 4k:8 16k:16 64k:40 512k:40 2M:40; do
	bs=${pair%:*} mib=${pair#*:}
	fio_ok "$engine: $bs, 4 x $mib MiB" --filename="/dev/$disk" --ioengine="$engine" --direct="$direct_io" \
		--iodepth=8 --rw=randwrite --bs="$bs" --size="${mib}M" --offset="${at}M" \
		--numjobs=4 --offset_increment="${mib}M" --verify=crc32c --verify_fatal=1 --do_verify=1 \
		--group_reporting
	at=$((at + 4 * mib))
	total=$((total + 4 * mib))
done
is "MiB written and verified" "$total" 576
check "and the device got them" test "$(awk '{ print $7 }' "/sys/block/$disk/stat")" -ge $((total * 2048))

# Once more with other caches: what a later test could have hidden by
# rewriting it is still there.
drop_caches
at=0
for pair in 4k:8 16k:16 64k:40 512k:40 2M:40; do
	bs=${pair%:*} mib=${pair#*:}
	[ "$bs" = 64k ] || [ "$bs" = 2M ] || { at=$((at + 4 * mib)); continue; }
	fio_ok "$engine: $bs is still what was written" --filename="/dev/$disk" --ioengine=libaio --direct=1 \
		--iodepth=8 --rw=randread --bs="$bs" --size="${mib}M" --offset="${at}M" \
		--numjobs=4 --offset_increment="${mib}M" --verify=crc32c --verify_fatal=1 --group_reporting
	at=$((at + 4 * mib))
done
