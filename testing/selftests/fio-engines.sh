#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# description: fio with verify=crc32c: each engine over block sizes from one block to 2 MiB, aligned and not
# vm: -c 4 -m 1G -d size=512M,queues=4 -- io_uring
# vm: -c 4 -m 1G -d size=512M,queues=4 -- libaio
# vm: -c 4 -m 1G -d size=512M,queues=4 -- psync
# vm: -c 4 -m 1G -d size=512M,queues=4 -- mmap
# vm: -c 4 -m 1G -d size=512M,queues=4,lba=4096 -- io_uring
# kernels: all
# time: 20
. "$(dirname "$0")/lib.sh"
engine=$1

load
disk=$(disk "$BDF0")
lba=$(queue "$disk" logical_block_size)
common=(--filename="/dev/$disk" --ioengine="$engine" --verify=crc32c --verify_fatal=1
	--do_verify=1 --group_reporting)
if [ "$engine" = mmap ]; then
	common+=(--direct=0)
else
	common+=(--direct=1)
fi
case $engine in
io_uring | libaio) common+=(--iodepth=16) ;;
esac

# The volume follows what TCG moves in a second at that block size.
for pair in 512:1 1k:2 1536:2 4k:8 5k:8 12k:16 64k:32 66048:32 127k:32 128k:32 260k:32 1M:64 2M:64; do
	bs=${pair%:*} mib=${pair#*:}
	size=$(numfmt --from=iec "${bs^^}")
	[ $((size % lba)) -eq 0 ] || continue
	# mmap moves pages: a block below one is of no interest to the driver.
	[ "$engine" != mmap ] || [ $((size % 4096)) -eq 0 ] || continue
	fio_ok "$engine: random writes of $bs, $mib MiB" "${common[@]}" --rw=randwrite --bs="$bs" \
		--blockalign="$lba" --norandommap=0 --size="$((mib << 20))"
done
if [ "$engine" = mmap ]; then
	drop_caches
fi
# Offsets that are no multiple of the block size, and blocks of mixed sizes.
fio_ok "$engine: 8 KiB at offset of one block" "${common[@]}" --rw=write --bs=8k --offset="$lba" --size=8M
fio_ok "$engine: mixed sizes" "${common[@]}" --rw=write --bsrange="$lba-256k" --bs_unaligned=0 \
	--blocksize_range="$lba-256k" --size=32M
fio_ok "$engine: four processes, mixed reads and writes" "${common[@]}" --rw=randrw --bs=16k --numjobs=4 \
	--size=8M --offset_increment=64M
