#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# description: beside the in-tree driver, which is first or later: each has its controllers, no name collides, all work, either goes
# vm: -c 4 -d size=64M,queues=4,serial=a -d size=64M,queues=4,serial=b -d size=64M,queues=4,serial=c -d size=64M,queues=4,serial=d
# kernels: 6.1 6.12 7.2
# time: 25
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "$0")/lib.sh"
intree=/sys/bus/pci/drivers/nvme
pci=/sys/bus/pci/devices
all=(0000:00:10.0 0000:00:11.0 0000:00:12.0 0000:00:13.0)

# by_intree BDF: the name that the in-tree driver has given to it
by_intree() { basename "$pci/$1"/nvme/nvme*; }
t_disk() { [ -b "/dev/$(by_intree "$1")n1" ]; }
# numbers BDF...: X of nvmeX with nvmq
numbers() {
	local bdf
	for bdf; do
		disk "$bdf" | sed 's/^nvme\([0-9]*\)n1$/\1/'
	done | sort -n | paste -sd' '
}
# listed CLASS: what a program finds there
listed() { (cd "/sys/class/$1" && echo *); }

# verified NAME...: disks that are written and compared, all at once
verified() {
	local jobs=() name
	for name; do
		jobs+=(--name="$name" --filename="/dev/$name" --size=4M --rw=randwrite --bs=4k --ioengine=io_uring --iodepth=8
			--direct=1 --verify=crc32c --do_verify=1)
	done
	fio --output-format=normal --eta=never "${jobs[@]}"
}

# both_work TITLE NVMQ-BDF NVMQ-BDF IN-TREE-BDF IN-TREE-BDF
both_work() {
	local ours=("$(disk "$2")" "$(disk "$3")") theirs=("$(by_intree "$4")n1" "$(by_intree "$5")n1") class bad="" name
	is "$1: nvmq's names are out of the other's way" "$(numbers "$2" "$3")" "1000 1001"
	local nodes=(/dev/nvme* /dev/ng*)
	is "$1: three nodes for each" "${#nodes[@]}" 12
	for class in nvme nvme-generic nvme-subsystem; do
		for name in $(listed "$class"); do
			[ -e "/sys/class/$class/$name/uevent" ] || bad+=" $class/$name"
		done
		[ "$(listed "$class" | wc -w)" = 4 ] || bad+=" $class:$(listed "$class" | tr ' ' ,)"
	done
	is "$1: all are in the directories of the classes" "$bad" ""
	check "$1: verified I/O on all four at once" verified "${ours[@]}" "${theirs[@]}"
}

# ---- in-tree first ----
modprobe nvme
for bdf in "${all[@]}"; do
	check "in-tree has $bdf" poll_until 20 t_disk "$bdf"
done
check "nvmq loads beside it" load_module
is "and takes nothing away" "$(controllers)" ""
check "unload" unload
# The in-tree driver takes any number that is free; the lowest two are those that it gives back.
freed=() kept=()
for bdf in "${all[@]}"; do
	case $(by_intree "$bdf") in
	nvme0 | nvme1) freed+=("$bdf") ;;
	*) kept+=("$bdf") ;;
	esac
done
for bdf in "${freed[@]}"; do echo "$bdf" >"$intree/unbind"; done
check "nvmq loads" load
is "and takes the two that are free" "$(controllers | paste -sd' ')" "${freed[*]}"
both_work "in-tree first" "${freed[@]}" "${kept[@]}"

# A controller that the in-tree driver is given now has one of its own low numbers.
head -c 1048576 /dev/urandom >"$T_TMP/a"
put "$T_TMP/a" "$(dev "${freed[0]}")" 0
echo "${freed[0]}" >"$DRV/unbind"
echo "${freed[0]}" >"$intree/bind"
check "one changes hands" poll_until 20 t_disk "${freed[0]}"
check "and has what nvmq wrote" same "$T_TMP/a" "/dev/$(by_intree "${freed[0]}")n1" 0
background fio --output-format=normal --eta=never --name=w --filename="/dev/$(by_intree "${kept[0]}")n1" --size=8M --rw=randwrite \
	--bs=4k --ioengine=io_uring --iodepth=8 --direct=1 --verify=crc32c --do_verify=1
io_begun "$(by_intree "${kept[0]}")n1"
check "nvmq is unloaded meanwhile" unload
rc=0
wait "$BG" || rc=$?
is "the in-tree driver's I/O has not noticed" "$rc" 0
is "its classes have its own only" "$(listed nvme | wc -w) $(listed nvme-subsystem | wc -w)" "3 3"
check "unload nvme" modprobe -r nvme

# ---- nvmq first; two are left for the other ----
for bdf in "${kept[@]}"; do echo nvme >"$pci/$bdf/driver_override"; done
check "nvmq loads alone" load
is "and leaves those that are for the other" "$(controllers | paste -sd' ')" "${freed[*]}"
is "its directories" "$(listed nvme) $(listed nvme-generic)" "nvme1000 nvme1001 ng1000n1 ng1001n1"
check "nvme loads beside it" modprobe nvme
for bdf in "${kept[@]}"; do
	check "and has $bdf" poll_until 20 t_disk "$bdf"
done
both_work "nvmq first" "${freed[@]}" "${kept[@]}"
background fio --output-format=normal --eta=never --name=w --filename="$(dev "${freed[0]}")" --size=8M --rw=randwrite \
	--bs=4k --ioengine=io_uring --iodepth=8 --direct=1 --verify=crc32c --do_verify=1
io_begun "$(disk "${freed[0]}")"
check "nvme is unloaded meanwhile" modprobe -r nvme
rc=0
wait "$BG" || rc=$?
is "nvmq's I/O has not noticed" "$rc" 0
is "the directories are nvmq's again" "$(listed nvme) $(listed nvme-generic)" "nvme1000 nvme1001 ng1000n1 ng1001n1"
for bdf in "${kept[@]}"; do echo >"$pci/$bdf/driver_override"; done
check "unload nvmq" unload
check_fails "nothing of nvmq's is left in /sys/class" ls /sys/class/nvme

# ---- alone ----
check "nvmq loads, and nothing is left for the other" load
is "the names are the usual ones" "$(numbers "${all[@]}")" "0 1 2 3"
is "so are the directories" "$(listed nvme)" "nvme0 nvme1 nvme2 nvme3"
check "nvme loads, for nothing" modprobe nvme-core
is "and what nvmq has is found all the same" "$(listed nvme)" "nvme0 nvme1 nvme2 nvme3"
name=$(disk "${all[0]}")
echo "${all[0]}" >"$DRV/unbind"
echo "${all[0]}" >"$DRV/bind"
check "bound anew" ready "${all[0]}"
is "a name for beside the other" "$(numbers "${all[0]}")" 1000
check "verified I/O" verified "$(disk "${all[0]}")" "$(disk "${all[1]}")"
check "unload nvmq" unload
check "unload nvme-core" modprobe -r nvme-core
