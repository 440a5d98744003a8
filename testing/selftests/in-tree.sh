#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# description: the kernel's own driver on the strict device: load, file system, reset, nvme-cli; what the judge has against it is known
# vm: --turns -c 4 -d strict,size=256M,queues=4
# kernels: 6.12 7.2
# time: 20
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "$0")/lib.sh"

# Documentation/strict-device.rst, "Findings", has these.
KNOWN="CQ_PHASE_INIT CQ_WRITTEN"

modprobe nvme
wait_for "the disk is there" test -b /dev/nvme0n1
node=/dev/nvme0n1
for engine in io_uring psync; do
	fio_ok "$engine: verified load" --filename="$node" --direct=1 --ioengine="$engine" --iodepth=32 --numjobs=4 --rw=randrw \
		--bsrange=512-256k --blockalign=512 --size=8M --offset_increment=32M --verify=crc32c --do_verify=1 --group_reporting
done
fio_ok "buffered" --filename="$node" --ioengine=psync --rw=randwrite --bs=4k --size=16M --fsync=32 --verify=crc32c --do_verify=1
check "discard" blkdiscard "$node"
check "write zeroes" blkdiscard -z -l 64M "$node"
check "mkfs" mkfs.ext4 -q "$node"
mount_at "$node" "$T_TMP/mnt"
random_file "$T_TMP/data" $((16 << 20))
cp "$T_TMP/data" "$T_TMP/mnt/data"
sync
check "fstrim" fstrim "$T_TMP/mnt"
drop_caches
check "the file is right" cmp "$T_TMP/data" "$T_TMP/mnt/data"
# Where a kernel lets it map the registers, as Debian's do not, nvme-cli asks a device with CAP.CSS bit 6 for the effects
# of zoned commands, too, which this one has not.
effects="effects-log"
! built_here || effects="get-log --log-id=5 --log-len=4096"
for words in "id-ctrl" "id-ns -n 1" "list-ns" "ns-descs -n 1" "smart-log" "error-log" "fw-log" "$effects" "get-feature -f 7" "self-test-log"; do
	# shellcheck disable=SC2086 # words are meant
	check "nvme ${words%% *}" nvme ${words%% *} /dev/nvme0 ${words#"${words%% *}"}
done
check "reset" sh -c 'echo 1 >/sys/class/nvme/nvme0/reset_controller'
check "the file after the reset" cmp "$T_TMP/data" "$T_TMP/mnt/data"
umount "$T_TMP/mnt"
check "the file system is whole" e2fsck -fn "$node"
echo "$BDF0" >/sys/bus/pci/drivers/nvme/unbind
check "the driver unloads" modprobe -r nvme

device violations | sed 's/^/#   /'
is "what the judge has against it" "$(device violations | awk '{ print $1 }' | sort | xargs)" "$KNOWN"
device clear
