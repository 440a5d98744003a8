#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# description: fio with verify=crc32c: each engine over block sizes from one block to 2 MiB, aligned and not
# vm: -c 4 -m 1G -d size=512M,queues=4 -- io_uring
# vm 6.12: --turns -c 4 -m 1G -d size=512M,queues=4,lba=4096 -- libaio
# vm 6.12: --turns -c 4 -m 1G -d size=512M,queues=4 -- psync
# vm 6.12: --turns -c 4 -m 1G -d size=512M,queues=4 -- mmap
# kernels: 6.12
# time: 20
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "$0")/lib.sh"
engine=$1

load
disk=$(disk "$BDF0")
lba=$(queue "$disk" logical_block_size)
fio_on "$engine" "$disk"
common=(--thread "$FIO_TARGET" --ioengine="$engine" --verify=crc32c --verify_fatal=1 --do_verify=1
	--stonewall --verify_state_save=0)
case $engine in
io_uring | libaio) common+=(--direct=1 --iodepth=16) ;;
psync) common+=(--direct=1) ;;
mmap) common+=(--direct=0) ;;
esac

# job BLOCKSIZE MIB OPTION...: one more section of the next fio run
sections=() at=0 moved=0
job() {
	local bs=$1 mib=$2
	shift 2
	sections+=(--name="$bs" "${common[@]}" --bs="$bs" --offset="${at}M" --size="${mib}M" "$@" "${FIO_LAST[@]}")
	at=$((at + mib))
	moved=$((moved + mib))
}

# The volume follows what TCG moves in a second at that block size; a buffer
# that is no multiple of a page puts the next one at an odd offset. fio prints
# a section for each job, so that a failure has a name.
for pair in 512:512:1 1024:1k:1 1536:1536:2 4096:4k:4 5120:5k:4 12288:12k:8 20480:20k:8 65536:64k:8 66048:66048:8 \
	    130048:127k:8 131072:128k:8 266240:260k:8 1048576:1M:8 2097152:2M:8; do
	IFS=: read -r size bs mib <<<"$pair"
	# mmap moves pages: blocks below one are of no interest to the driver.
	[ $((size % lba)) -eq 0 ] || continue
	[ "$engine" != mmap ] || [ $((size % 4096)) -eq 0 ] || continue
	job "$bs" "$mib" --rw=randwrite
done
check "$engine: random writes in blocks of 512 to 2 MiB, $moved MiB" fio_job first "${sections[@]}"
drop_caches

sections=() at=0
job 8k 4 --rw=write --offset="$lba"
job 256k 16 --rw=write --bsrange="$lba-256k" --offset=32M
check "$engine: from the second block on, and sizes mixed" fio_job first "${sections[@]}"

check "$engine: four processes, reads and writes mixed" fio_job four "${common[@]}" --rw=randrw --bs=16k \
	--numjobs=4 --size=6M --offset_increment=64M --group_reporting "${FIO_LAST[@]}"
