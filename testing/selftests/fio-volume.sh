#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# description: 1 GiB written and 1 GiB read and verified by crc32c over all engines, beside what fio-engines does
# vm: --turns -c 4 -m 1G -d size=1G,queues=4 -- io_uring libaio psync mmap
# kernels: 6.12
# time: 120
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "$0")/lib.sh"

# For each engine 4 x 64 MiB, each byte written, read again and compared, by four
# threads with stretches of their own.
load
disk=$(disk "$BDF0")
sizes="4k:4 16k:8 64k:16 512k:18 2M:18"
written() { awk '{ print $7 }' "/sys/block/$disk/stat"; }

# jobs OPTION...: a section for each block size
jobs() {
	local pair at=0
	sections=() total=0
	for pair in $sizes; do
		sections+=(--name="${pair%:*}" --thread "$FIO_TARGET" --iodepth=8 --bs="${pair%:*}"
			--size="${pair#*:}M" --offset="${at}M" --numjobs=4 --offset_increment="${pair#*:}M"
			--verify=crc32c --verify_fatal=1 --group_reporting --stonewall --verify_state_save=0 "$@" "${FIO_LAST[@]}")
		at=$((at + 4 * ${pair#*:}))
		total=$((total + 4 * ${pair#*:}))
	done
}

for engine; do
	direct_io=1
	[ "$engine" != mmap ] || direct_io=0
	fio_on "$engine" "$disk"
	before=$(written)
	jobs --ioengine="$engine" --direct="$direct_io" --rw=randwrite --do_verify=1
	check "$engine: blocks of 4 KiB to 2 MiB on four threads, $total MiB" fio_job first "${sections[@]}"
	is "$engine: MiB written and verified" "$total" 256
	check "$engine: and the device got them" test $(($(written) - before)) -ge $((total * 2048))

	# Once more from the device, past the cache that mmap has filled and read.
	if [ "$engine" = mmap ]; then
		drop_caches
		jobs --ioengine=libaio --direct=1 --rw=read
		check "$engine: all of it is still there" fio_job first "${sections[@]}"
	fi
done
