#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# description: discards and write zeroes keep to the limits that the device gives (DMRL, DMRSL, DMSL, WZSL); the judge counts
# vm: --turns -c 4 -d strict,size=64M,queues=4,raw=dmrl:1,raw=dmrsl:1024,raw=wzsl:2 -- 1 1024 8
# vm: --turns -c 4 -d strict,size=64M,queues=4,raw=dmrl:3,raw=dmrsl:65536,raw=dmsl:40000 -- 3 40000 0
# kernels: 6.12
# time: 10
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "$0")/lib.sh"
ranges=$1 blocks=$2 wz_pages=$3

load
disk=$(disk "$BDF0") node=$(dev "$BDF0")
size=$(bytes "$disk")
is "ranges of a discard" "$(queue "$disk" max_discard_segments)" "$ranges"
within "bytes of a discard" "$(queue "$disk" discard_max_bytes)" 1 $((blocks * 512))
if [ "$wz_pages" -gt 0 ]; then
	is "bytes of a write zeroes" "$(queue "$disk" write_zeroes_max_bytes)" $((wz_pages * 2048))
fi

random_file "$T_TMP/data" $((4 << 20))
for at in 0 24 48; do
	put "$T_TMP/data" "$node" $((at << 20))
done
before=$(device_stat io-dsm)
check "discard of the whole disk" blkdiscard "$node"
within "in as many commands as the limits want" $(($(device_stat io-dsm) - ${before:-0})) \
	$((size / (512 * blocks))) $((2 * size / (512 * blocks) + 2))
check "reads as zeroes" zeroes "$node" 0 "$size"

put "$T_TMP/data" "$node" 0
check "write zeroes" blkdiscard -z -o 1M -l 2M "$node"
check "of what was asked" zeroes "$node" 1M 2M
check "and of nothing else" cmp <(head -c 1M "$T_TMP/data") <(dd if="$node" bs=1M count=1 iflag=direct status=none)

mkfs.ext4 -q -E nodiscard "$node"
mount_at "$node" "$T_TMP/mnt"
for i in {1..12}; do
	cp "$T_TMP/data" "$T_TMP/mnt/$i" 2>/dev/null || break
done
for ((i = 1; i <= 12; i += 2)); do rm -f "$T_TMP/mnt/$i"; done
sync
before=$(device_stat io-dsm)
check "fstrim of a file system with holes" fstrim "$T_TMP/mnt"
check "reached the device" test "$(device_stat io-dsm)" -gt "${before:-0}"
drop_caches
check "the other files are there" cmp "$T_TMP/data" "$T_TMP/mnt/2"
umount "$T_TMP/mnt"
check "the file system is whole" e2fsck -fn "$node"
is "the judge has no complaint" "$(device_stat violations)" 0
