#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# description: the PCI device is removed by sysfs under load and rescanned, with a file system mounted too
# vm: -c 4 -d size=256M,queues=4 -d size=128M
# kernels: 6.1 7.2
# time: 20
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "$0")/lib.sh"
dev_dir=/sys/bus/pci/devices/$BDF0

load
random_file "$T_TMP/data" $((16 << 20))
put "$T_TMP/data" "$(dev "$BDF0")" $((128 << 20))
for ((round = 1; round <= 3; round++)); do
	node=$(dev "$BDF0")
	background fio --eta=never --name=hammer --filename="$node" --size=64M --rw=randrw --bs=16k --direct=1 \
		--ioengine=libaio --iodepth=32 --numjobs=4 --time_based --runtime=60
	check "$round: I/O runs" io_begun "$(basename "$node")"
	echo 1 >"$dev_dir/remove"
	check "$round: the callers end" poll_until 20 gone "$BG"
	check_fails "$round: no disk" test -e "$node"
	check_fails "$round: no device" test -e "$dev_dir"
	check "$round: the other controller lives" live "$BDF1"
	echo 1 >/sys/bus/pci/rescan
	check "$round: back, and bound by itself" ready "$BDF0"
	check "$round: data is untouched" same "$T_TMP/data" "$(dev "$BDF0")" $((128 << 20))
done

node=$(dev "$BDF0")
check "mkfs" mkfs.ext4 -q "$node"
check "mount" mount_at "$node" "$T_TMP/mnt"
cp "$T_TMP/data" "$T_TMP/mnt/data"
sync -f "$T_TMP/mnt"
echo 1 >"$dev_dir/remove"
check_fails "a write to the file system fails" dd if=/dev/zero of="$T_TMP/mnt/more" bs=1M count=4 oflag=direct
check "umount" umount "$T_TMP/mnt"
echo 1 >/sys/bus/pci/rescan
check "back" ready "$BDF0"
check "journal replay and fsck" bash -c "e2fsck -fy '$(dev "$BDF0")'; [ \$? -le 1 ]"
check "mount" mount_at "$(dev "$BDF0")" "$T_TMP/mnt"
check "what was synced is there" cmp "$T_TMP/data" "$T_TMP/mnt/data"
check "umount" umount "$T_TMP/mnt"
