#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# The guest's part of package: it has started from the first controller's disk, under the driver that the start called $1 is
# meant to give it.
# shellcheck source-path=SCRIPTDIR source=../selftests/lib.sh
. "$(dirname "$0")/../selftests/lib.sh"
# What has the root file system stays.
T_KEEP=1
# It was loaded long before this: the kernel's line on the initramfs is where the search of the log begins.
T_START="Run /init as init process"
root=$(findmnt -no SOURCE /)
driver() { basename "$(readlink -f "/sys/bus/pci/devices/$1/driver")"; }
nvme_is_loaded() { lsmod | grep -q '^nvme '; }

is "the root file system is on the first controller" "$root" "$(dev "$BDF0")"
case $1 in
without) is "which is nvme's" "$(driver "$BDF0")" nvme ;;
*)
	is "which is nvmq's" "$(driver "$BDF0")" nvmq
	is "and live" "$(state "$BDF0")" live
	;;
esac
case $1 in
only)
	is "its name" "$root" /dev/nvme0n1
	check_fails "nvme is not loaded" nvme_is_loaded
	is "the plan of modprobe.d" "$(attr "$BDF0" plan)" "default=cpu poll=2"
	random_file /written $((48 << 20))
	sha256sum /written >/written.sum
	fio_ok "verified I/O on the root file system" --directory=/root --direct=1 --ioengine=io_uring --iodepth=16 --rw=randrw \
		--bs=4k --size=16M --verify=crc32c --do_verify=1
	check "discards" fstrim /
	;;
first)
	is "its name" "$root" /dev/nvme0n1
	check "nvme is loaded" nvme_is_loaded
	;;
without) check_fails "nvmq is not loaded" loaded ;;
one)
	is "the other controller is nvme's" "$(driver "$BDF1")" nvme
	wait_for "and has its disk" disk "$BDF1"
	is "nvmq has nothing else" "$(controllers)" "$BDF0"
	;;
esac
drop_caches
check "what was written is there" sha256sum --quiet -c /written.sum
check "mounted read-only" mount -o remount,ro /
check "and read-write" mount -o remount,rw /
check "written again" cp /written /copy
drop_caches
check "and read" cmp /written /copy
# As a machine that goes down leaves it
check "mounted read-only at the end" mount -o remount,ro /
