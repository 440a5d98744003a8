#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# description: nvmq bind and release: from the kernel's driver to nvmq, to vfio-pci and back, data unchanged; what is in use stays
# vm: --turns -c 2 -d size=64M,ns=2,queues=2,serial=first -d size=64M,queues=2 -- disks
# vm: --turns -c 2 --iommu -d size=64M,queues=2 -- vfio
# vm: --turns -c 2 -d none --qemu -device --qemu nvme-subsys,id=s,nqn=s --qemu -device --qemu nvme,serial=a,subsys=s,bus=pcie.0,addr=0x10 --qemu -device --qemu nvme,serial=a,subsys=s,bus=pcie.0,addr=0x11 --qemu -drive --qemu if=none,id=d,driver=null-co,size=64M,read-zeroes=on --qemu -device --qemu nvme-ns,drive=d,nsid=1,shared=on -- paths
# vm: --turns -c 2 -d strict,size=64M,queues=2 -- refusal
# kernels: 6.12
# device: qemu
# time: 25
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "$0")/lib.sh"

# nvmq ARG...: its output, errors too
nvmq() { timeout 60 "$TOOLS/tools/nvmq" "$@" 2>&1; }
driver_of() { basename "$(readlink "/sys/bus/pci/devices/$1/driver" || echo none)"; }
# ns BDF NSID: the name of its disk. The kernel's driver counts the disks as it finds them, which may be in any order;
# nvmq's have their NSID in the name.
ns() {
	local name nsid
	for name in $(disks "$1"); do
		nsid=${name##*n}
		[ ! -e "/sys/block/$name/nsid" ] || nsid=$(<"/sys/block/$name/nsid")
		if [ "$nsid" = "$2" ]; then
			echo "$name"
			return 0
		fi
	done
	return 1
}
# done_ DESC REGEX ARG...: nvmq ARG... succeeds and says this
done_() {
	local rc=0 out
	out=$(nvmq "${@:3}") || rc=$?
	like "$1" "$rc $out" "^0 $2\$"
}
# refused_ DESC REGEX ARG...: it fails, says this, and the driver is the same as before
refused_() {
	local rc=0 out before
	before=$(driver_of "$BDF0")
	out=$(nvmq "${@:3}") || rc=$?
	like "$1" "$rc $out" "^1 $2\$"
	is "$1: nothing has changed" "$(driver_of "$BDF0")" "$before"
}
# theirs BDF N: the kernel's driver has it and that many disks of it
theirs() { [ "$(driver_of "$1")" = nvme ] && [ "$(disks "$1" | wc -l)" = "$2" ]; }

# release_both: the kernel's driver begins with 0, and nvmq beside it with 1000
release_both() {
	like "names that are out of the way" "$(disk "$BDF0") $(disk "$BDF1")" '^nvme100[01]n1 nvme100[01]n1$'
	done_ "the second is released" "$BDF1: from nvmq to nvme: nvme[0-9]+n1.*" release "$BDF1"
	done_ "and then the first" "$BDF0: from nvmq to nvme: nvme[0-9]+n1.*" release "$BDF0"
}

modprobe nvme
case $1 in
disks)
	wait_for "the kernel's driver has both" eval "theirs $BDF0 2 && theirs $BDF1 1"
	disk=$(ns "$BDF0" 1) other=$(ns "$BDF1" 1)
	random_file "$T_TMP/data" $((4 << 20))
	put "$T_TMP/data" "/dev/$disk" 0
	refused_ "before nvmq is loaded" "nvmq bind: the driver nvmq is not loaded: modprobe nvmq" bind "$disk"
	load_module
	is "nvmq takes nothing by itself" "$(controllers)" ""

	# There and back, by each name
	for kind in address short disk node controller; do
		case $kind in
		address) name=$BDF0 ;;
		short) name=${BDF0#0000:} ;;
		disk) name=$(ns "$BDF0" 1) ;;
		node) name=/dev/$(ns "$BDF0" 2) ;;
		controller) name=$(basename /sys/bus/pci/devices/"$BDF0"/nvme/nvme*) ;;
		esac
		done_ "$name: bind" "$BDF0: from nvme to nvmq: nvme[0-9]+n1 nvme[0-9]+n2" bind "$name"
		check "$name: it is ready at once" t_is_ready "$BDF0"
		check "$name: with the same data" same "$T_TMP/data" "/dev/$(ns "$BDF0" 1)" 0
		is "$name: the override is gone" "$(<"/sys/bus/pci/devices/$BDF0/driver_override")" "(null)"
		done_ "$name: bind again" "$BDF0: nvmq has it already: .*" bind "$(ns "$BDF0" 1)"
		done_ "$name: release" "$BDF0: from nvmq to nvme: nvme[0-9]+n1 nvme[0-9]+n2" release "$(ns "$BDF0" 1)"
		check "$name: it is there at once" theirs "$BDF0" 2
		check "$name: and the same data" same "$T_TMP/data" "/dev/$(ns "$BDF0" 1)" 0
	done
	is "the other one was left alone" "$(driver_of "$BDF1") $(ns "$BDF1" 1)" "nvme $other"
	refused_ "another kind of device" "nvmq: .* is no NVMe controller.*" bind 00:00.0

	# In use: with each driver
	for verb in bind release; do
		disk=$(ns "$BDF0" 1) second=$(ns "$BDF0" 2)
		mkfs.ext4 -q "/dev/$second"
		mount_at "/dev/$second" "$T_TMP/mnt"
		refused_ "$verb: mounted" "nvmq $verb: $second is mounted on $T_TMP/mnt: unmount it first" "$verb" "$disk"
		umount "$T_TMP/mnt"
		background unshare -m sh -c "mount /dev/$second $T_TMP/mnt && : >$T_TMP/there &&
			until [ -e $T_TMP/stop ]; do sleep 0.1; done"
		check "$verb: mounted elsewhere" poll_until "$T_PATIENCE" test -e "$T_TMP/there"
		refused_ "$verb: in another mount namespace" "nvmq $verb: $second is mounted on $T_TMP/mnt: unmount it first" \
			"$verb" "$disk"
		: >"$T_TMP/stop"
		check "$verb: until its process is gone" poll_until "$T_PATIENCE" gone "$BG"
		rm "$T_TMP/there" "$T_TMP/stop"
		mkswap "/dev/$second" >/dev/null 2>&1
		swapon "/dev/$second"
		refused_ "$verb: swap" "nvmq $verb: $second is used as swap: swapoff /dev/$second first" "$verb" "$disk"
		swapoff "/dev/$second"
		modprobe dm-mod
		dmsetup create --noudevsync --noudevrules test --table "0 2048 linear /dev/$second 0"
		refused_ "$verb: device mapper" "nvmq $verb: $second is part of dm-0 \(test\): take that down first" "$verb" "$disk"
		dmsetup remove --noudevsync test
		modprobe loop
		losetup /dev/loop0 "/dev/$second"
		refused_ "$verb: a loop device" "nvmq $verb: $second is behind loop0: losetup -d /dev/loop0 first" "$verb" "$disk"
		losetup -d /dev/loop0
		parted -s "/dev/$second" mklabel msdos mkpart primary 1MiB 4MiB mkpart primary 4MiB 100%
		mkfs.ext4 -q "/dev/${second}p2"
		mount_at "/dev/${second}p2" "$T_TMP/mnt"
		refused_ "$verb: a partition is mounted" "nvmq $verb: ${second}p2 is mounted on $T_TMP/mnt: unmount it first" "$verb" "$disk"
		umount "$T_TMP/mnt"
		background fio --name=load --filename="/dev/$disk" --offset=16M --rw=randrw --bs=4k --direct=1 --thread \
			--time_based --runtime=600
		io_begun "$disk"
		refused_ "$verb: a program reads and writes" "nvmq $verb: $disk is open in fio \(process [0-9]+\): end that first" \
			"$verb" "$disk"
		check "$verb: and goes on" io_begun "$disk"
		kill -TERM "$BG"
		check "$verb: until it ends" poll_until "$T_PATIENCE" gone "$BG"
		done_ "$verb: and when nothing of that is so" "$BDF0: from .*" "$verb" "$disk"
		check "$verb: the data is the same" same "$T_TMP/data" "/dev/$(ns "$BDF0" 1)" 0
	done

	done_ "to nvmq" "$BDF0: .*" bind "$BDF0"
	check "the other one by its JSON" jq -e '.before == "nvme" and .driver == "nvmq" and (.disks | length) == 1' \
		<(nvmq bind --json "$BDF1")
	is "both are nvmq's" "$(controllers | paste -sd' ')" "$BDF0 $BDF1"
	release_both
	done_ "both once more" "$BDF0: from nvme to nvmq: .*" bind "$BDF0"
	done_ "both once more" "$BDF1: from nvme to nvmq: .*" bind "$BDF1"
	modprobe -r nvme
	done_ "without the kernel's driver" "$BDF1: from nvmq to no driver: nvme is not loaded, and takes it when it is" release "$BDF1"
	done_ "the other" "$BDF0: from nvmq to no driver: nvme is not loaded, and takes it when it is" release "$BDF0"
	modprobe nvme
	wait_for "and that is so" eval "theirs $BDF0 2 && theirs $BDF1 1"
	check "the data is the same" same "$T_TMP/data" "/dev/$(ns "$BDF0" 1)" 0
	;;
vfio)
	modinfo vfio-pci >/dev/null 2>&1 || skip_all "this kernel has no vfio-pci"
	wait_for "the kernel's driver has it" theirs "$BDF0" 1
	random_file "$T_TMP/data" $((1 << 20))
	put "$T_TMP/data" "/dev/$(ns "$BDF0" 1)" 0
	refused_ "before vfio-pci is loaded" "nvmq bind: the driver vfio-pci is not loaded: modprobe vfio-pci" bind --vfio "$BDF0"
	modprobe vfio-pci
	load_module
	group=/dev/vfio/$(basename "$(readlink "/sys/bus/pci/devices/$BDF0/iommu_group")")
	done_ "from nvme to vfio-pci" "$BDF0: from nvme to vfio-pci: $group" bind --vfio "$BDF0"
	check "its group is there" test -c "$group"
	exec {fd}<>"$group"
	refused_ "in use" "nvmq release: $BDF0 is in use through $group: end that program first" release "$BDF0"
	exec {fd}>&-
	done_ "from vfio-pci to nvmq" "$BDF0: from vfio-pci to nvmq: nvme[0-9]+n1" bind "$BDF0"
	check "the data is the same" same "$T_TMP/data" "/dev/$(ns "$BDF0" 1)" 0
	done_ "from nvmq to vfio-pci" "$BDF0: from nvmq to vfio-pci: $group" bind --vfio "$BDF0"
	done_ "from vfio-pci to nvme" "$BDF0: from vfio-pci to nvme: nvme[0-9]+n1" release "$BDF0"
	check "the data is the same" same "$T_TMP/data" "/dev/$(ns "$BDF0" 1)" 0
	;;
refusal)
	wait_for "the kernel's driver has it" theirs "$BDF0" 1
	random_file "$T_TMP/data" $((1 << 20))
	put "$T_TMP/data" "/dev/$(ns "$BDF0" 1)" 0
	load_module
	lie "when identify cns 1 once then status internal dnr"
	refused_ "bind" "nvmq bind: nvmq does not take $BDF0: [^;]*; nvme has it again" bind "$BDF0"
	check "bind: the disk is there at once" theirs "$BDF0" 1
	device unlie all
	done_ "bind, once it is willing" "$BDF0: from nvme to nvmq: nvme[0-9]+n1" bind "$BDF0"
	check "the data is the same" same "$T_TMP/data" "/dev/$(ns "$BDF0" 1)" 0
	# 6.1's driver finds out only later.
	lie "when identify cns 1 once then status internal dnr"
	refused_ "release" "nvmq release: nvme does not take $BDF0: [^;]*; nvmq has it again" release "$BDF0"
	check "release: the disk is there at once" t_is_ready "$BDF0"
	device unlie all
	done_ "release, once it is willing" "$BDF0: from nvmq to nvme: nvme[0-9]+n1" release "$BDF0"
	check "the data is the same" same "$T_TMP/data" "/dev/$(ns "$BDF0" 1)" 0
	echo "$BDF0" >/sys/bus/pci/drivers/nvme/unbind
	# What the kernel's driver does: in-tree.sh.
	device clear
	;;
paths)
	modinfo -F parm nvme-core 2>/dev/null | grep -q '^multipath:' || skip_all "this kernel's driver knows no paths"
	# The number of the subsystem is that of whichever controller was first.
	shared() { local dir; for dir in /sys/devices/virtual/nvme-subsystem/*/nvme*n1; do echo "${dir##*/}"; done; }
	both() { [ "$(driver_of "$BDF0") $(driver_of "$BDF1")" = "nvme nvme" ] && [ -b "/dev/$(shared)" ]; }
	wait_for "one disk of two controllers, below neither of them" both
	shared=$(shared)
	load_module
	refused_ "which of two?" "nvmq: $shared: there are several such controllers; name one: 0000:00:1[01].0 0000:00:1[01].0" bind "$shared"
	exec {fd}<"/dev/$shared"
	refused_ "in use by either way" "nvmq bind: $shared is open in bash \(process $$\): end that first" bind "$BDF0"
	exec {fd}<&-
	done_ "one of them" "$BDF0: from nvme to nvmq: nvme[0-9]+n1" bind "$BDF0"
	check "the disk is there by the other" dd if="/dev/$shared" of=/dev/null bs=4k count=1 iflag=direct status=none
	done_ "now it has but one" "$BDF1: from nvme to nvmq: nvme[0-9]+n1" bind "$shared"
	release_both
	wait_for "one disk of two controllers" both
	;;
esac
