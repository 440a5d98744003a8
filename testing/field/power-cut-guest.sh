#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# The guest's part of power-cut. What the host reads: "checked" when all that was acknowledged is there, "lost ..." if it
# is not; after that lines "WRITER N", from ack.c.
set -euo pipefail
seed=$1 round=$2 write=$3
shift 3
declare -A last=()
for word; do
	last[${word%%=*}]=${word#*=}
done
ack=/repo/.build/selftests/ack
# 4 KiB blocks of the disk, and of the file on each file system, that are written
raw_blocks=16384 file_blocks=4096

insmod "$NVMQ_KO"
lost() { echo "lost: $*"; exit 1; }

# node SLOT: the disk of the controller in that slot
node()
{
	local tries disk
	for ((tries = 0; tries < 200; tries++)); do
		for disk in /sys/bus/pci/devices/0000:00:"$1".0/nvme/nvme*/nvme*n*; do
			if [[ -b /dev/${disk##*/} ]]; then
				echo "/dev/${disk##*/}"
				return
			fi
		done
		sleep 0.05
	done
	lost "no disk in slot $1"
}
raw=$(node 10)
declare -A disk=([ext4]=$(node 11) [xfs]=$(node 12))
mkdir -p /tmp/ext4 /tmp/xfs
before=$((seed * 1000 + round - 1)) now=$((seed * 1000 + round))

if ((round > 1)); then
	"$ack" check-blocks "$raw" $raw_blocks $before "${last[raw]}" || lost "of the block device"
fi
for fs in ext4 xfs; do
	mnt=/tmp/$fs
	if ((round == 1)); then
		"mkfs.$fs" -q "${disk[$fs]}"
		mount "${disk[$fs]}" "$mnt"
		fallocate -l $((file_blocks * 4096)) "$mnt/blocks"
	else
		mount "${disk[$fs]}" "$mnt" || lost "$fs does not mount"
		"$ack" check-blocks "$mnt/blocks" $file_blocks $before "${last[$fs-blocks]}" || lost "of blocks on $fs"
		"$ack" check-files "$mnt/$((round - 1))" $before "${last[$fs-files]}" || lost "of files on $fs"
		rm -r "${mnt:?}/$((round - 1))"
		umount "$mnt"
		case $fs in
		ext4) e2fsck -fn "${disk[$fs]}" >/tmp/fsck 2>&1 || { cat /tmp/fsck; lost "e2fsck finds faults"; } ;;
		xfs) xfs_repair -n "${disk[$fs]}" >/tmp/fsck 2>&1 || { cat /tmp/fsck; lost "xfs_repair finds faults"; } ;;
		esac
		mount "${disk[$fs]}" "$mnt"
	fi
	mkdir "$mnt/$round"
	sync -f "$mnt"
done
if dmesg | grep -E 'BUG:|WARNING:|Oops|Call Trace|nvmq .*(timed out|failed|reset)'; then
	lost "the kernel's log has a complaint"
fi
echo checked
[[ $write == write ]] || { umount /tmp/ext4 /tmp/xfs; rmmod nvmq; exit 0; }

"$ack" blocks raw "$raw" $raw_blocks $now &
for fs in ext4 xfs; do
	"$ack" blocks "$fs-blocks" "/tmp/$fs/blocks" $file_blocks $now &
	"$ack" files "$fs-files" "/tmp/$fs/$round" $now &
done
wait -n
echo "a writer has ended by itself"
exit 1
