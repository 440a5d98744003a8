#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# description: beside the in-tree driver: only controllers that no driver holds are taken, names do not collide, both work
# vm: -c 4 -d size=128M,queues=4,serial=first -d size=96M,queues=4,serial=second
# kernels: 6.12 7.2
# time: 12
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "$0")/lib.sh"
intree=/sys/bus/pci/drivers/nvme
sizes() { for d in /sys/block/nvme*n*; do cat "$d/size"; done | sort -n | paste -sd' '; }

modprobe nvme
check "the in-tree driver holds both" poll_until 20 test -e "$intree/$BDF0" -a -e "$intree/$BDF1"
is "two disks of it" "$(poll_until 10 test -b /dev/nvme1n1; sizes)" "$((96 << 11)) $((128 << 11))"
# They probe side by side, and come in any order. The in-tree driver takes the
# lowest number, also one that nvmq's disk has (Documentation/policy.rst): give
# it back only the controller that it calls nvme0.
kept=$(basename "$(readlink -f /sys/class/nvme/nvme0/device)")
freed=$(basename "$(readlink -f /sys/class/nvme/nvme1/device)")
serial=$(tr -d ' ' </sys/class/nvme/nvme1/serial)
check "nvmq loads beside it" load_module
is "and takes nothing away" "$(controllers)" ""
check "unload" unload
echo "$freed" >"$intree/unbind"
other=$(basename "$(readlink -f /sys/block/nvme*n1)")
head -c 1048576 /dev/urandom >"$T_TMP/a"
put "$T_TMP/a" "/dev/$other" 0
check "nvmq loads" load
is "and takes the one that is free" "$(controllers)" "$freed"
is "its serial" "$(attr "$freed" serial)" "$serial"
is "both disks are there" "$(sizes)" "$((96 << 11)) $((128 << 11))"
check "with different names" test "$(disk "$freed")" != "$other"
fio_ok "nvmq's works" --filename="$(dev "$freed")" --direct=1 --ioengine=io_uring --iodepth=8 --rw=randwrite \
	--bs=4k --size=8M --verify=crc32c --do_verify=1
check "the other's data is untouched" same "$T_TMP/a" "/dev/$other" 0

# From one to the other and back, content unchanged
echo "$kept" >"$intree/unbind"
echo "$kept" >"$DRV/bind"
check "nvmq takes the other too" ready "$kept"
check "and finds what the in-tree driver wrote" same "$T_TMP/a" "$(dev "$kept")" 0
head -c 1048576 /dev/urandom >"$T_TMP/b"
put "$T_TMP/b" "$(dev "$kept")" 4194304
echo "$kept" >"$DRV/unbind"
echo "$kept" >"$intree/bind"
poll_until 20 test -e "$intree/$kept"
found() { other=$(basename "$(readlink -f /sys/bus/pci/devices/"$kept"/nvme/nvme*/nvme*n1)") && [ -b "/dev/$other" ]; }
check "the in-tree driver takes it back" poll_until 20 found
found
check "and finds what nvmq wrote" same "$T_TMP/b" "/dev/$other" 4194304
check "unload nvmq" unload
check "unload nvme" modprobe -r nvme
