#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# description: what nvmq reports is what QEMU was given: identity, sizes, namespaces, sysfs, parameters
# vm: --turns -c 4 -d size=1G,serial=nvmq-0001 -- nvmq-0001 1 1073741824 512
# vm: --turns -c 2 -d size=333M,ns=3,lba=4096,serial=ABCDEFGHIJ0123456789 -- ABCDEFGHIJ0123456789 3 349175808 4096
# kernels: all
# time: 8
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "$0")/lib.sh"
serial=$1 namespaces=$2 size=$3 lba=$4
sysfs=/sys/bus/pci/devices/$BDF0

# No alias: nothing may load the module by itself and race for a root disk.
is "the module carries no alias" "$(modinfo -F alias "$NVMQ_KO")" ""
is "the module is GPL" "$(modinfo -F license "$NVMQ_KO")" "GPL"
check "the module loads" load_module
check "the controller is live" live "$BDF0"
check "its disk appears" ready "$BDF0" "$namespaces"

is "state" "$(state "$BDF0")" "live"
is "serial number, no padding" "$(attr "$BDF0" serial)" "$serial"
model="QEMU NVMe Ctrl"
! strict || model="nvmq strict device"
is "model, no padding" "$(attr "$BDF0" model)" "$model"
like "firmware revision, no padding" "$(attr "$BDF0" firmware_rev)" '^[0-9.]+$'
is "number of disks" "$(disks "$BDF0" | wc -l)" "$namespaces"
for ((n = 1; n <= namespaces; n++)); do
	disk=$(disk "$BDF0" "$n")
	is "$disk: size in bytes" "$(bytes "$disk")" "$size"
	is "$disk: blockdev agrees" "$(blockdev --getsize64 "/dev/$disk")" "$size"
	is "$disk: logical block size" "$(queue "$disk" logical_block_size)" "$lba"
	is "$disk: not rotational" "$(queue "$disk" rotational)" 0
	is "$disk: no scheduler by default" "$(grep -o '\[.*\]' "/sys/block/$disk/queue/scheduler")" "[none]"
	# A fresh backing file: a driver that moves no data would not read zeroes
	# where the buffer was filled with something else.
	check "$disk: reads zeroes at the start" zeroes "/dev/$disk" 0 65536
	check "$disk: and at the end" zeroes "/dev/$disk" $((size - 65536)) 65536
done
is "the driver is nvmq" "$(basename "$(readlink "$sysfs/driver")")" nvmq
for name in plan granted state model serial firmware_rev; do
	like "nvmq/$name is one line" "$(wc -l <"$sysfs/nvmq/$name")" '^1$'
	check_fails "nvmq/$name cannot be written" dd if=/dev/zero of="$sysfs/nvmq/$name" bs=1 count=1
done
for name in plan io_timeout admin_timeout; do
	is "parameter $name is read-only" "$(stat -c %a "/sys/module/nvmq/parameters/$name")" 444
done
is "io_timeout by default" "$(cat /sys/module/nvmq/parameters/io_timeout)" 30
is "admin_timeout by default" "$(cat /sys/module/nvmq/parameters/admin_timeout)" 60
log_has "the log says what was asked and granted, once" \
	"nvmq $BDF0: nvme[0-9]+: asked \".*\"; granted \"default=[0-9]+ read=0 poll=0 depth=[0-9]+ vectors=[0-9]+ irq=msix\""
is "in one line" "$(log_count 'asked ".*"; granted')" 1
check "the module unloads" unload
is "no disk is left" "$(lsblk -dno NAME | grep -c '^nvme' || true)" 0
check_fails "no sysfs directory is left" test -e "$sysfs/nvmq"
check_fails "no debugfs directory is left" test -e "$DBG"
check_fails "no interrupt is left" grep -q nvmq /proc/interrupts
