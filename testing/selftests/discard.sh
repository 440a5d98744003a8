#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# description: discard and write zeroes: the range reads back as zeroes, its neighbours are untouched
# vm: --turns -c 4 -d size=512M,queues=4 --trace pci_nvme_dsm --trace pci_nvme_dsm_deallocate --trace pci_nvme_io_cmd
# vm 6.12: --turns -c 4 -d size=512M,queues=4,lba=4096 --trace pci_nvme_dsm --trace pci_nvme_dsm_deallocate --trace pci_nvme_io_cmd
# kernels: 6.1 7.2
# time: 20
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "$0")/lib.sh"

load
disk=$(disk "$BDF0") node=$(dev "$BDF0")
lba=$(queue "$disk" logical_block_size)
length=$((20 << 20))
random_file "$T_TMP/data" "$length"
put "$T_TMP/data" "$node" 0
check "the pattern is on the disk" same "$T_TMP/data" "$node" 0

check "discard is offered" test "$(queue "$disk" discard_max_bytes)" -gt 0
check "write zeroes is offered" test "$(queue "$disk" write_zeroes_max_bytes)" -gt 0
trace_need pci_nvme_dsm

# hole OFFSET LENGTH: the same in the copy, so that all of it can be compared
hole() {
	dd if=/dev/zero of="$T_TMP/data" bs=1M seek="$1" count="$2" oflag=seek_bytes iflag=count_bytes conv=notrunc status=none
}

# QEMU deallocates at its own granularity and reports that deallocated blocks
# read as zeroes; the ranges are multiples of it.
seen_mark
for range in 0:65536 1048576:4194304 10485760:4194304; do
	at=${range%:*} n=${range#*:}
	check "blkdiscard of $n at $at" blkdiscard -o "$at" -l "$n" "$node"
	check "it reads as zeroes" zeroes "$node" "$at" "$n"
	hole "$at" "$n"
done
check "DSM commands reached the device" test "$(seen io-dsm)" -ge 3
check "everything else is untouched" same "$T_TMP/data" "$node" 0

# One block, an odd place, and further down a length that needs more than one
# command (65536 blocks at most in each), between edges that must stay.
seen_mark
for range in $((lba * 3)):$lba $(((8 << 20) + lba)):$((lba * 5)) $((16 << 20)):$((lba * 1000)); do
	at=${range%:*} n=${range#*:}
	check "blkdiscard -z of $n at $at" blkdiscard -z -o "$at" -l "$n" "$node"
	check "it reads as zeroes" zeroes "$node" "$at" "$n"
	hole "$at" "$n"
done
is "and no write" "$(seen io-write)" 0
random_file "$T_TMP/edge" $((2 << 20))
put "$T_TMP/edge" "$node" $((31 << 20))
put "$T_TMP/edge" "$node" $((64 << 20))
inside=$(((1 << 20) + lba))
writes=$(seen io-write)
check "blkdiscard -z of 33 MiB" blkdiscard -z -o $(((31 << 20) + inside)) -l $((33 << 20)) "$node"
is "by no write" "$(seen io-write)" "$writes"
check "it reads as zeroes" zeroes "$node" $(((31 << 20) + inside)) $((33 << 20))
check "what is in front of it is untouched" cmp -n "$inside" "$T_TMP/edge" \
	<(dd if="$node" bs=1M skip=31 count=2 iflag=direct status=none)
check "and what follows" cmp -i "$inside" "$T_TMP/edge" <(dd if="$node" bs=1M skip=64 count=2 iflag=direct status=none)
check "by write zeroes commands" test "$(seen io-write-zeroes)" -ge 4
check "everything else is untouched" same "$T_TMP/data" "$node" 0

check "fallocate punches a hole" fallocate -p -o $((10 << 20)) -l $((1 << 20)) "$node"
hole $((10 << 20)) $((1 << 20))
check "fallocate zeroes a range" fallocate -z -o $((12 << 20)) -l $((1 << 20)) "$node"
hole $((12 << 20)) $((1 << 20))
check "all as it should be" same "$T_TMP/data" "$node" 0

# Many ranges in one command: xfs sends what one transaction has freed as a
# batch.
check "mkfs.xfs" mkfs.xfs -q -f -K "$node"
mkdir "$T_TMP/mnt"
check "mount with discard" mount -o discard "$node" "$T_TMP/mnt"
for ((i = 0; i < 120; i++)); do
	head -c 16384 "$T_TMP/edge" >"$T_TMP/mnt/$i"
done
sync -f "$T_TMP/mnt"
seen_mark
for ((i = 0; i < 120; i += 2)); do echo "$T_TMP/mnt/$i"; done | xargs rm
sync -f "$T_TMP/mnt"
ranges() {
	if strict; then
		device_stat dsm-ranges
		return
	fi
	trace_since | sed -n 's/.*pci_nvme_dsm nr \([0-9]*\).*/\1/p' | sort -n | tail -n 1
}
many() { [ "$(ranges)" -gt 1 ]; }
wait_for "a discard of several ranges reached the device" many
note "ranges in the largest: $(ranges)"
bad=0
want=$(head -c 16384 "$T_TMP/edge" | sha256sum)
drop_caches
for ((i = 1; i < 120; i += 2)); do
	[ "$(sha256sum <"$T_TMP/mnt/$i")" = "$want" ] || bad=$((bad + 1))
done
is "files beside the discarded extents are whole" "$bad" 0
seen_mark
check "fstrim" fstrim "$T_TMP/mnt"
check "sends discards" test "$(seen io-dsm)" -gt 0
drop_caches
bad=0
for ((i = 1; i < 120; i += 2)); do
	[ "$(sha256sum <"$T_TMP/mnt/$i")" = "$want" ] || bad=$((bad + 1))
done
is "and the files are still whole" "$bad" 0
check "umount" umount "$T_TMP/mnt"
check "xfs_repair finds nothing" xfs_repair -n "$node"
