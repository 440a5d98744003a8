#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# description: nvmq on NVMeVirt's device; the guest's part of testing/field/nvmevirt
# shellcheck source-path=SCRIPTDIR source=../selftests/lib.sh
. "$(dirname "$0")/../selftests/lib.sh"

# The kernel may wait for the device's threads, which do not often sleep, when it takes events away.
nvmq() { timeout 300 "$TOOLS/tools/nvmq" "$@" 2>&1; }
# Its bus has a domain of its own.
bdf=0001:10:00.0

check "NVMeVirt's module loads" insmod /repo/.build/nvmevirt/copy/nvmev.ko memmap_start=4G memmap_size=1G cpus=2,3
check "its device is there" test -e "/sys/bus/pci/devices/$bdf"
note "$(dmesg | grep NVMeVirt: | tail -n 1)"

# verified: fio writes to all of a part of the disk, and reads it back, on each of the two CPUs that are left
verified() {
	fio_ok "$1: verified I/O" --filename="$node" --direct=1 --ioengine=io_uring --iodepth=16 --rw=randwrite --bsrange=512-64k \
		--size=16M --offset_increment=32M --numjobs=2 --cpus_allowed=0,1 --cpus_allowed_policy=split --verify=crc32c \
		--do_verify=1 --group_reporting
}

# ---- one queue pair ----
load_module plan=default=1
check "nvmq has it, and its disk is there" ready "$bdf"
node=$(dev "$bdf")
log_has "its CAP names no command set" 'CAP.CSS=0: .* NVM command set is taken'
log_has "it completes a request for events at once" 'came back without one'
nvmq list | sed 's/^/#   /'
is "one queue pair for all CPUs" "$(counts "$bdf")" "1 0 0"
verified "one queue"

# ---- several ----
while read -r plan wanted; do
	check "plan $plan" dd if=<(echo "${plan//+/ }") of="/sys/bus/pci/devices/$bdf/nvmq/plan" status=none
	is "plan $plan: granted" "$(counts "$bdf")" "$wanted"
	verified "plan $plan"
done <<-'PLANS'
	default=2 2 0 0
	default=2+read=2+poll=2 2 2 2
	default=4 4 0 0
PLANS
nvmq queues "$(disk "$bdf")" | sed 's/^/#   /'

# ---- a file system ----
check "mkfs.ext4" mkfs.ext4 -q "$node"
mount_at "$node" "$T_TMP/mnt"
fio_ok "verified I/O in a file system" --directory="$T_TMP/mnt" --direct=1 --ioengine=libaio --iodepth=8 --rw=randrw --bs=4k --size=8M \
	--numjobs=2 --verify=crc32c --do_verify=1 --group_reporting
random_file "$T_TMP/data" $((4 << 20))
check "a file is written" cp "$T_TMP/data" "$T_TMP/mnt/data"
umount "$T_TMP/mnt"
check "fsck has no complaint" fsck.ext4 -fn "$node"
mount_at "$node" "$T_TMP/mnt"
drop_caches
check "and the file is what it was" cmp "$T_TMP/data" "$T_TMP/mnt/data"
umount "$T_TMP/mnt"

# ---- writes with directive fields, by the passthrough ----
# The type is in bits 23:20 of CDW12, 2 being Streams, and its number in bits 31:16 of CDW13.
random_file "$T_TMP/blocks" 2048
J=$T_TMP/trace.json
rc=0
nvmq trace "$bdf" --json -- nvme write "$node" -s128 -c3 -z2048 -d "$T_TMP/blocks" -T2 -S3 >"$J" || rc=$?
is "a write with directive fields" "$rc" 0
grep -v '^{' "$J" | sed 's/^/#   /' || true
grep '^{' "$J" >"$J.only" || true
nvmq trace --read "$J.only" --sqe >"$T_TMP/text"
sed 's/^/#   /' "$T_TMP/text"
is "nvmq trace: one Write of four blocks at 128" "$(jq -cs '[.[] | select(.step == "command" and .opcode == "Write") | .opcode, .sqe[80:100]]' "$J.only")" \
	'["Write","80000000000000000300"]'
like "nvmq trace: Streams, number 3" "$(tr -s ' ' <"$T_TMP/text")" "CDW12 23:20 DTYPE 0x2.*CDW13 31:16 DSPEC 0x3"
check "what it wrote" cmp "$T_TMP/blocks" <(nvme read "$node" -s128 -c3 -z2048 2>/dev/null)

# ---- a reset, and the end ----
check "unloading" unload
check "NVMeVirt's device goes" rmmod nvmev
log_since "$T_START" | grep -E 'nvmq' | sed 's/^/#   /'
