#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# description: behind an IOMMU: every access of the device is to memory that is mapped for it, in that direction, and no mapping is left
# vm: --iommu -c 4 -d strict,size=128M,queues=4
# vm: --iommu -c 4 -d strict,size=128M,queues=4,lba=4096,mdts=3,raw=sgls:0
# kernels: 6.12
# time: 30
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "$0")/lib.sh"

check "the controller is behind the IOMMU" test -e "/sys/bus/pci/devices/$BDF0/iommu_group"
load
node=$(dev "$BDF0")
is "the memory is translated" "$(cat "/sys/bus/pci/devices/$BDF0/iommu_group/type")" DMA
for bs in 4k 64k 512k; do
	fio_ok "verified load, $bs" --filename="$node" --direct=1 --ioengine=io_uring --iodepth=16 --numjobs=2 --rw=randrw \
		--bs="$bs" --size=4M --offset_increment=32M --verify=crc32c --do_verify=1 --group_reporting
done
check "mkfs" mkfs.ext4 -q "$node"
mount_at "$node" "$T_TMP/mnt"
random_file "$T_TMP/data" $((8 << 20))
cp "$T_TMP/data" "$T_TMP/mnt/data"
drop_caches
check "the file is right" cmp "$T_TMP/data" "$T_TMP/mnt/data"
check "fstrim" fstrim "$T_TMP/mnt"
umount "$T_TMP/mnt"
check "unload" unload
check "no mapping is left" device leaks
is "the judge has no complaint" "$(device_stat violations)" 0
is "nor has the IOMMU" "$(dmesg | grep -c 'DMAR:.*fault' || true)" 0
check "loads again" load
check "and reads" dd if="$(dev "$BDF0")" of=/dev/null bs=64k count=16 iflag=direct status=none
