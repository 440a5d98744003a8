# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
#
# The part of testing/tools/run about nvmq bind and nvmq release. A script plays the kernel: kernel.c has it called.

: "${top:?}" "${tmp:?}"
export NVMQ_ROOT=$tmp/bind NVMQ_KERNEL=$tmp/kernel
S=$NVMQ_ROOT/sys
gcc -O2 -Wall -Wextra -Werror -shared -fPIC -o "$tmp/kernel.so" "$top/testing/tools/kernel.c" || exit 1

# nvmq ARG...: OUT, ERR and RC
nvmq() {
	RC=0
	OUT=$(LD_PRELOAD=$tmp/kernel.so "$top/.build/tools/nvmq" "$@" 2>"$tmp/err" </dev/null) || RC=$?
	ERR=$(<"$tmp/err")
}

# The kernel: a device's driver is the link, each driver makes the disks that the file "namespaces" of the device has. A
# driver that has a file "refuses" does that, with this errno; a disk with a file .busy is held by somebody; the file
# "async" is how late the disks of the driver nvme come, in seconds; the file "multipath" says that they are behind
# subsystem 0; the file "number" is the number that nvmq gives to the next controller.
cat >"$tmp/kernel" <<'SCRIPT'
#!/bin/bash
# EBUSY is 16, ENODEV 19.
set -u
S=$NVMQ_ROOT/sys path=$1 bdf=${2:-}
block() { # DIR NAME MINOR
	mkdir -p "$1/$2/holders" "$1/$2/$2p1/holders"
	echo "259:$3" >"$1/$2/dev"
	echo "259:$(($3 + 1))" >"$1/$2/$2p1/dev"
	ln -s "$1" "$1/$2/device"
	ln -s "$1/$2" "$S/block/$2"
	: >"$NVMQ_ROOT/dev/$2"
}
add() { # BDF NSID...
	local dev minor=0 dir subsys=$S/devices/virtual/nvme-subsystem/nvme-subsys0
	dev=$(realpath "$S/bus/pci/devices/$1")
	for nsid in "${@:2}"; do
		case $(readlink "$dev/driver") in
		*/nvmq) block "$dev/block" "nvme$(cat "$S/number" 2>/dev/null || echo 7)n$nsid" "$minor" ;;
		*/nvme)
			dir=$dev/nvme/nvme$((0x${1:8:2} - 16))
			mkdir -p "$dir"
			ln -sfn "$dev" "$dir/device"
			ln -sfn "$dir" "$S/class/nvme/${dir##*/}"
			if [ -e "$S/multipath" ]; then
				mkdir -p "$dir/nvme0c${dir##*nvme}n$nsid" "$subsys"
				ln -sfn "$dir" "$subsys/${dir##*/}"
				[ -e "$S/block/nvme0n$nsid" ] || block "$subsys" "nvme0n$nsid" "$minor"
			else
				block "$dir" "${dir##*/}n$nsid" "$minor"
			fi
			;;
		esac
		minor=$((minor + 16))
	done
}
remove() { # BDF
	local dev link
	dev=$(realpath "$S/bus/pci/devices/$1")
	rm -rf "$dev/driver" "$dev/nvme" "$dev/block" "$S"/bus/pci/drivers/*/"$1"
	for link in "$S"/block/* "$S"/class/nvme/* "$S"/devices/virtual/nvme-subsystem/*/nvme?; do
		[ -e "$link" ] || rm -f "$link"
	done
}
echo "$path $bdf" >>"$S/log"
case $path in
*/dev/*) [ ! -e "$path.busy" ] || exit 16 ;;
*/unbind) remove "$bdf" ;;
*/bind)
	driver=$(basename "$(dirname "$path")") override=$(<"$S/bus/pci/devices/$bdf/driver_override")
	[ ! -e "$S/bus/pci/devices/$bdf/driver" ] || exit 16
	case $driver:$override in
	*:"$driver") ;;
	vfio-pci:*) exit 19 ;;
	*:'' | *:'(null)') ;;
	*) exit 19 ;;
	esac
	[ ! -e "${path%/bind}/refuses" ] || exit "$(<"${path%/bind}/refuses")"
	ln -s "${path%/bind}" "$S/bus/pci/devices/$bdf/driver"
	ln -s "$S/bus/pci/devices/$bdf" "${path%/bind}/$bdf"
	[ ! -e "${path%/bind}/leaves" ] || { (sleep 0.2; remove "$bdf") >/dev/null 2>&1 & exit 0; }
	namespaces=$(<"$S/bus/pci/devices/$bdf/namespaces")
	if [ "$driver" = nvme ] && [ -e "$S/async" ]; then
		# shellcheck disable=SC2086 # words
		(sleep "$(<"$S/async")"; add "$bdf" $namespaces) >/dev/null 2>&1 &
	else
		# shellcheck disable=SC2086
		add "$bdf" $namespaces
	fi
	;;
esac
exit 0
SCRIPT
chmod +x "$tmp/kernel"

# machine [DRIVER...]: begins anew, with these drivers loaded
machine() {
	rm -rf "$NVMQ_ROOT"
	mkdir -p "$S"/{block,class/nvme,bus/pci/{devices,drivers}} "$NVMQ_ROOT"/{dev,proc/1/fd}
	for driver; do
		mkdir -p "$S/bus/pci/drivers/$driver"
		: >"$S/bus/pci/drivers/$driver/bind"
		: >"$S/bus/pci/drivers/$driver/unbind"
	done
	printf 'Filename\t\t\t\tType\t\tSize\t\tUsed\t\tPriority\n' >"$NVMQ_ROOT/proc/swaps"
	echo init >"$NVMQ_ROOT/proc/1/comm"
	echo '22 1 8:1 / / rw,relatime shared:1 - ext4 /dev/root rw' >"$NVMQ_ROOT/proc/1/mountinfo"
}
# device BDF DRIVER CLASS NAMESPACE...: one on the PCI bus; DRIVER may be empty
device() {
	local dev=$S/devices/pci0000:00/$1
	mkdir -p "$dev"
	ln -s "$dev" "$S/bus/pci/devices/$1"
	echo "$3" >"$dev/class"
	echo '(null)' >"$dev/driver_override"
	echo "${@:4}" >"$dev/namespaces"
	[ -z "$2" ] || {
		echo "$2" >"$dev/driver_override"
		"$NVMQ_KERNEL" "$S/bus/pci/drivers/$2/bind" "$1"
		echo '(null)' >"$dev/driver_override"
	}
}
driver_of() { basename "$(readlink "$S/bus/pci/devices/$1/driver" || echo none)"; }
override_of() { echo "$(<"$S/bus/pci/devices/$1/driver_override")"; }

A=0000:00:10.0 B=0000:00:11.0

# ---- there and back ----
machine nvme nvmq vfio-pci
device $A nvme 0x010802 1 2
device $B nvme 0x010802 1
device 0000:00:01.0 '' 0x030000
nvmq bind $A
is "bind: done, and said" "$RC.$ERR.$OUT" "0..$A: from nvme to nvmq: nvme7n1 nvme7n2"
is "bind: nvmq has it" "$(driver_of $A) $(driver_of $B)" "nvmq nvme"
is "bind: the override is not left behind" "$(override_of $A)" ""
nvmq bind 00:10.0
is "bind again: so it is already" "$RC.$ERR.$OUT" "0..$A: nvmq has it already: nvme7n1 nvme7n2"
nvmq release nvme7n2
is "release: done, and said" "$RC.$ERR.$OUT" "0..$A: from nvmq to nvme: nvme0n1 nvme0n2"
nvmq release nvme0
is "release again: so it is already" "$RC.$ERR.$OUT" "0..$A: nvme has it already: nvme0n1 nvme0n2"
nvmq bind --json /dev/nvme1n1
is "bind --json" "$RC.$(json 'd["address"], d["before"], d["driver"], d["disks"]')" "0.('$B', 'nvme', 'nvmq', ['nvme7n1'])"
nvmq release --json nvme7
is "release --json" "$RC.$(json 'd["address"], d["before"], d["driver"], d["disks"]')" "0.('$B', 'nvmq', 'nvme', ['nvme1n1'])"
mkdir -p "$NVMQ_ROOT/dev/disk/by-id"
ln -s ../../nvme1n1 "$NVMQ_ROOT/dev/disk/by-id/nvme-x"
nvmq bind /dev/disk/by-id/nvme-x
is "by a link in /dev" "$RC.$(driver_of $B)" "0.nvmq"
nvmq release $B

mkdir -p "$S/kernel/iommu_groups/3" "$NVMQ_ROOT/dev/vfio"
ln -s "$S/kernel/iommu_groups/3" "$S/bus/pci/devices/$A/iommu_group"
: >"$NVMQ_ROOT/dev/vfio/3"
nvmq bind $A --vfio
is "bind --vfio" "$RC.$ERR.$OUT" "0..$A: from nvme to vfio-pci: /dev/vfio/3"
is "bind --vfio: the override is not left behind" "$(driver_of $A).$(override_of $A)" "vfio-pci."
: >"$NVMQ_ROOT/dev/vfio/3.busy"
nvmq release $A
is "release: in use through vfio" "$RC.$ERR" "1.nvmq release: $A is in use through /dev/vfio/3: end that program first"
rm "$NVMQ_ROOT/dev/vfio/3.busy"
nvmq bind --json $A
is "from vfio to nvmq" "$RC.$(json 'd["before"], d["driver"], d["disks"]')" "0.('vfio-pci', 'nvmq', ['nvme7n1', 'nvme7n2'])"

# ---- another override ----
echo vfio-pci >"$S/bus/pci/devices/$A/driver_override"
nvmq release $A
is "release: to the driver that somebody chose" "$RC.$OUT" "0.$A: from nvmq to vfio-pci: /dev/vfio/3"
nvmq bind $A
is "bind leaves that choice" "$(driver_of $A) $(override_of $A)" "nvmq vfio-pci"
echo nvmq >"$S/bus/pci/devices/$A/driver_override"
nvmq release $A
is "release: nvmq's own goes, even if it was written by hand" "$(driver_of $A).$(override_of $A)" "nvme."

# ---- no driver, or no such driver ----
machine nvmq
device $A '' 0x010802 1
nvmq bind $A
is "bind: from no driver" "$RC.$OUT" "0.$A: from no driver to nvmq: nvme7n1"
nvmq bind --vfio $A
is "vfio-pci is not loaded" "$RC.$ERR" "1.nvmq bind: the driver vfio-pci is not loaded: modprobe vfio-pci"
nvmq release $A
is "release: nvme is not loaded" "$RC.$OUT" "0.$A: from nvmq to no driver: nvme is not loaded, and takes it when it is"
is "release: nobody has it" "$(driver_of $A).$(override_of $A)" "none."
nvmq release $A
is "release: of one that nobody has" "$RC.$OUT" "0.$A: no driver: nvme is not loaded, and takes it when it is"
nvmq release --json $A
is "release --json: null" "$RC.$(json 'd["before"], d["driver"], d["disks"]')" "0.(None, None, [])"
machine nvme
device $A nvme 0x010802 1
nvmq bind nvme0
is "nvmq is not loaded" "$RC.$ERR" "1.nvmq bind: the driver nvmq is not loaded: modprobe nvmq"

# ---- which do you mean? ----
machine nvme nvmq uio_pci_generic
device $A nvme 0x010802 1
device $B nvme 0x010802
device 0000:00:01.0 '' 0x030000
device 0000:00:12.0 uio_pci_generic 0x010802
for name in nvme2 nvme0n2 nvme0n1p1 0000:00:13.0 00:13.0 10.0 /dev/sda /dev/nvme2 nvme '' .. ../nvme0 /; do
	nvmq bind "$name"
	is "\"$name\" is none" "$RC.$ERR" "1.nvmq: $name: no such controller or disk on the PCI bus"
done
nvmq bind 00:01.0
is "another kind of device" "$RC.$ERR" "1.nvmq: 00:01.0 is no NVMe controller: its PCI class is not 0x010802"
nvmq bind 00:12.0
is "a driver of which nothing is known" "$RC.$ERR" \
	"1.nvmq bind: uio_pci_generic has 0000:00:12.0, and nobody can tell whether it is in use: unbind it there first"
nvmq release 00:12.0
is "release takes nothing from it either" "$RC.$(driver_of 0000:00:12.0)" 1.uio_pci_generic
nvmq bind
is "bind what?" "$RC.$ERR" "2.nvmq bind: a device expected; nvmq --help shows what is possible"
nvmq bind $A $B
is "bind: one at a time" "$RC.$ERR" "2.nvmq bind: $B: not expected"
nvmq release --vfio $A
is "release: an option that is bind's" "$RC.$ERR" "2.nvmq release: --vfio: not expected"
NVMQ_UID=1000 nvmq bind $A
is "not root" "$RC.$ERR" "1.nvmq bind: only root may do this"
NVMQ_UID=1000 nvmq release $A
is "not root: what is so already may be said" "$RC.$OUT" "0.$A: nvme has it already: nvme0n1"
is "nothing of that has changed anything" "$(driver_of $A) $(driver_of $B) $(override_of $A)" "nvme nvme (null)"
# Both drivers may have an nvme7.
mkdir -p "$S/class/nvme/nvme7"
ln -s "$S/bus/pci/devices/$B" "$S/class/nvme/nvme7/device"
nvmq bind $A
nvmq release nvme7
is "a name that is two" "$RC.$ERR" "1.nvmq: nvme7: there are several such controllers; name one: $B $A"
rm -r "$S/class/nvme/nvme7"
nvmq release nvme7

# ---- in use ----
# refuses DESC WHY: of $A, which stays where it is
refuses() {
	nvmq bind $A
	is "$1" "$RC.$ERR.$OUT.$(driver_of $A)" "1.nvmq bind: $2..nvme"
}
machine nvme nvmq
device $A nvme 0x010802 1 2
P=$NVMQ_ROOT/proc
mountinfo=$(<"$P/1/mountinfo")
# mounted LINE
mounted() { printf '%s\n%s\n' "$mountinfo" "$1" >"$P/1/mountinfo"; }
mounted '40 22 259:0 / /mnt/a\040b rw - ext4 /dev/mapper/other rw'
refuses "mounted" 'nvme0n1 is mounted on /mnt/a\040b: unmount it first'
mounted '40 22 259:17 / /srv rw,noatime shared:4 master:2 - xfs /dev/root rw'
refuses "a partition of the second disk is mounted" "nvme0n2p1 is mounted on /srv: unmount it first"
mounted '40 22 0:33 /sub /data rw - btrfs /dev/nvme0n1p1 rw,subvol=/sub'
refuses "btrfs" "nvme0n1p1 is mounted on /data: unmount it first"
printf '%s\n%s\n' "40 1 259:1 /var /var rw - ext4 /dev/root rw" "41 1 259:1 / / rw - ext4 /dev/root rw" >"$P/1/mountinfo"
refuses "the root" "nvme0n1p1 holds the root file system: the machine cannot do without it"
printf '%s\n' "41 1 0:30 /@ / rw shared:1 - btrfs /dev/nvme0n1p1 rw" >"$P/1/mountinfo"
refuses "the root, on btrfs" "nvme0n1p1 holds the root file system: the machine cannot do without it"
mounted '40 22 259:4 / /mnt rw - ext4 /dev/nvme0n10 rw'
mkdir -p "$P/77/fd"
echo '40 22 259:16 / /inside rw - ext4 /dev/x rw' >"$P/77/mountinfo"
refuses "in another mount namespace" "nvme0n2 is mounted on /inside: unmount it first"
rm -r "$P/77"
mkdir -p "$S/fs/btrfs/features" "$S/fs/btrfs/1234-5678/devices/nvme0n2p1"
refuses "btrfs: not the first of its disks" "nvme0n2p1 is part of a btrfs that is mounted: unmount it first"
rm -r "$S/fs"
swaps=$(<"$P/swaps")
printf '%s\n%s\n' "$swaps" "/dev/nvme0n1p1                          partition	100	0	-2" >"$P/swaps"
refuses "swap" "nvme0n1p1 is used as swap: swapoff /dev/nvme0n1p1 first"
echo "$swaps" >"$P/swaps"
mkdir -p "$S/block/nvme0n2/nvme0n2p1/holders/dm-3" "$S/block/dm-3/dm"
echo vg-home >"$S/block/dm-3/dm/name"
refuses "device mapper" "nvme0n2p1 is part of dm-3 (vg-home): take that down first"
rmdir "$S/block/nvme0n2/nvme0n2p1/holders/dm-3"
mkdir "$S/block/nvme0n1/holders/md0"
refuses "md" "nvme0n1 is part of md0: take that down first"
rmdir "$S/block/nvme0n1/holders/md0"
mkdir -p "$S/block/loop2/loop"
echo /dev/nvme0n2 >"$S/block/loop2/loop/backing_file"
refuses "a loop device" "nvme0n2 is behind loop2: losetup -d /dev/loop2 first"
rm -r "$S/block/loop2"
export_=$S/kernel/config/nvmet/subsystems/nqn.test/namespaces/1
mkdir -p "$export_"
echo /dev/nvme0n1 >"$export_/device_path"
echo 1 >"$export_/enable"
refuses "exported" "nvme0n1 is exported by nvmet as nqn.test: disable that namespace first"
echo 0 >"$export_/enable"
: >"$NVMQ_ROOT/dev/nvme0n2.busy"
refuses "held by somebody" "nvme0n2 is held by something that has it to itself: end that first"
(sleep 0.5; rm "$NVMQ_ROOT/dev/nvme0n2.busy") &
nvmq bind $A
is "held for a moment only" "$RC.$(driver_of $A)" "0.nvmq"
nvmq release $A
mkdir -p "$P/88/fd"
echo 'qemu-system-x86' >"$P/88/comm"
ln -s /dev/nvme0n1p1 "$P/88/fd/7"
refuses "open in a program" "nvme0n1p1 is open in qemu-system-x86 (process 88): end that first"
rm -r "$P/88"
mv "$NVMQ_ROOT/dev/nvme0n1" "$tmp/nvme0n1"
refuses "no node to look at" "/dev/nvme0n1: No such file or directory: so nobody can tell whether it is in use"
mv "$tmp/nvme0n1" "$NVMQ_ROOT/dev/nvme0n1"
nvmq bind $A
is "and when nothing of that is so: bound" "$RC.$(driver_of $A)" "0.nvmq"
mounted '40 22 259:0 / /mnt rw - ext4 /dev/nvme7n1 rw'
nvmq release $A
is "release looks as well" "$RC.$ERR.$(driver_of $A)" "1.nvmq release: nvme7n1 is mounted on /mnt: unmount it first.nvmq"

# ---- a driver that does not want it ----
machine nvme nvmq
device $A nvme 0x010802 1
device $B '' 0x010802 1
echo 19 >"$S/bus/pci/drivers/nvmq/refuses"
nvmq bind $A
is "refused: the old driver has it again" "$RC.$ERR.$(driver_of $A).$(override_of $A)" \
	"1.nvmq bind: nvmq does not take $A: No such device (the kernel log may say more); nvme has it again.nvme."
nvmq bind $B
is "refused: none had it before" "$RC.$ERR" \
	"1.nvmq bind: nvmq does not take $B: No such device (the kernel log may say more); it has no driver, as before"
rm "$S/bus/pci/drivers/nvmq/refuses"
nvmq bind $A
echo 5 >"$S/bus/pci/drivers/nvme/refuses"
nvmq release $A
is "release: refused" "$RC.$ERR.$(driver_of $A)" \
	"1.nvmq release: nvme does not take $A: Input/output error (the kernel log may say more); nvmq has it again.nvmq"
rm "$S/bus/pci/drivers/nvme/refuses"
: >"$S/bus/pci/drivers/nvme/leaves"
nvmq release $A
is "release: a driver that finds out later" "$RC.$(driver_of $A)" 1.nvmq
rm "$S/bus/pci/drivers/nvme/leaves"
nvmq release $A
echo 19 >"$S/bus/pci/drivers/nvme/refuses"
echo 12 >"$S/bus/pci/drivers/nvmq/refuses"
nvmq bind $A
is "neither wants it" "$RC.$ERR" \
	"1.nvmq bind: nvmq does not take $A: Cannot allocate memory (the kernel log may say more); nor does nvme: No such device; it has no driver now"

# ---- disks that come later ----
machine nvme nvmq
device $A nvme 0x010802 1 2 10
nvmq bind $A
echo 0.7 >"$S/async"
nvmq release $A
is "release waits for the disks" "$RC.$OUT" "0.$A: from nvmq to nvme: nvme0n1 nvme0n2 nvme0n10"

machine nvme nvmq vfio-pci
device $A nvme 0x010802 1
nvmq bind $A --vfio
echo 0.7 >"$S/async"
nvmq release $A
is "and after vfio-pci, which has none" "$RC.$OUT" "0.$A: from vfio-pci to nvme: nvme0n1"
rm "$S/async"
nvmq bind $A
echo >"$S/bus/pci/devices/$A/namespaces"
nvmq bind $A --vfio
nvmq bind --json $A
is "none at all" "$RC.$ERR.$(json 'd["driver"], d["disks"]')" "0..('nvmq', [])"
machine nvme nvmq
device $A nvme 0x010802 1 2
echo 1 >"$S/bus/pci/devices/$A/namespaces"
nvmq bind $A
is "fewer than before" "$RC.$OUT.$ERR" \
	"0.$A: from nvme to nvmq: nvme7n1.nvmq bind: $A had 2 disks; the kernel log may say more"

# ---- the kernel's driver numbers its controllers whatever nvmq's are called ----
machine nvme nvmq
device $A nvme 0x010802 1
device $B nvme 0x010802 1
echo 1 >"$S/number"
nvmq bind $A
echo 0 >"$S/number"
nvmq bind $B
nvmq release $A
is "a name that is taken" "$RC.$ERR.$(driver_of $A)" \
	"1.nvmq release: $A would be nvme0, which $B is with nvmq: release that first.nvmq"
nvmq release $B
is "whose name it is" "$RC.$(driver_of $B)" "0.nvme"
nvmq release $A
is "and then the other" "$RC.$(driver_of $A)" "0.nvme"

# ---- several ways to a disk ----
machine nvme nvmq
: >"$S/multipath"
device $A nvme 0x010802 1
device $B nvme 0x010802 1
nvmq bind nvme0n1
is "a disk of two controllers" "$RC.$ERR" "1.nvmq: nvme0n1: there are several such controllers; name one: $A $B"
mounted '40 22 259:0 / /mnt rw - ext4 /dev/nvme0n1 rw'
nvmq bind nvme1
is "its use counts for both" "$RC.$ERR" "1.nvmq bind: nvme0n1 is mounted on /mnt: unmount it first"
mounted ''
nvmq bind nvme1
is "one of them" "$RC.$ERR.$OUT" "0..$B: from nvme to nvmq: nvme7n1"
nvmq bind nvme0n1
is "now the disk has but one" "$RC.$(driver_of $A)" "0.nvmq"
unset NVMQ_KERNEL
