#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# description: a device that is asked out of its slot, or torn out of it, and put back: idle, under load, in a reset, in a scan; unbind, rmmod and reboot under load
# vm: @MONITOR@ -c 4 -d size=256M,queues=4,port --qemu -global --qemu ICH9-LPC.acpi-pci-hotplug-with-bridge-support=off
# kernels: 6.12
# device: qemu
# time: 80
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "$0")/lib.sh"

rounds=${1:-1}
BDF=0000:01:00.0
port=0000:00:10.0
sys=/sys/bus/pci/devices/$BDF
# Slot Control of the port: its power goes off, and with it, in QEMU, the device at that very moment. The power then seems
# to be on again, and only then the kernel gets the interrupt of a card that was torn out, which it has not enabled for
# slots that have a button: with the power off it would think that it had done that itself.
slot_off() {
	setpci -s "$port" CAP_EXP+18.w=0700:0720 CAP_EXP+18.w=0128:0728
}
no_device() { [ ! -e "$sys" ]; }
# The kernel switches the power off when the driver is through, and hears of nothing in the second after that.
power_off() { (((0x$(setpci -s "$port" CAP_EXP+18.w) & 0x400) != 0)); }
settled() {
	poll_until 20 power_off
	pause 1.2
}

load io_timeout=10
[ -e "$sys/nvmq" ] || skip_all "no controller behind the port"
dmesg | grep -q 'pciehp: Slot' || skip_all "the kernel does not serve the slot itself"
random_file "$T_TMP/data" $((8 << 20))
put "$T_TMP/data" "$(dev "$BDF")" $((192 << 20))
outs=0

# busy WHAT: what goes on while the device is taken away
busy() {
	case $1 in
	idle | load) BUSY='' ;;
	reset)
		# One after the other, for as long as there is one to reset.
		background bash -c "while echo 1 >$sys/nvmq/reset || [ -e $sys/nvmq ]; do :; done"
		BUSY=$BG ;;
	scan)
		background bash -c "while echo 1 >$sys/nvmq/rescan || [ -e $sys/nvmq ]; do :; done"
		BUSY=$BG ;;
	esac
}

# out HOW WHAT ROUND
out() {
	local how=$1 what=$2 desc="$1 while $2, $3" pid='' node
	node=$(dev "$BDF")
	# QEMU, 7.2 and 11.1, crashes when its controller is torn out with I/O in flight; the strict device goes while there
	# is some in faults.sh and soak.sh.
	if [ "$how" = asked ]; then
		background fio --eta=never --name=hammer --filename="$node" --size=64M --rw=randrw --bs=16k --direct=1 \
			--ioengine=libaio --iodepth=32 --numjobs=4 --time_based --runtime=120
		pid=$BG
		check "$desc: I/O runs" io_begun "$(basename "$node")"
	fi
	busy "$what"
	case $how in
	asked) monitor "device_del nvme0" ;;
	torn) slot_off ;;
	esac
	check "$desc: the device is gone" poll_until 40 no_device
	no_device
	check_fails "$desc: so is the disk" test -e "$node"
	[ -z "$pid" ] || check "$desc: the callers end" poll_until 30 gone "$pid"
	[ -z "$BUSY" ] || check "$desc: so does who asked for a $what" poll_until 30 gone "$BUSY"
	outs=$((outs + 1))
	settled
	# QEMU has the device for a moment longer, where it was asked for.
	check "$desc: put back" poll_until 20 put_back
	check "$desc: bound by itself" ready "$BDF"
	t_is_ready "$BDF"
	check "$desc: what was there before is there" same "$T_TMP/data" "$(dev "$BDF")" $((192 << 20))
}
put_back() {
	local said
	said=$(monitor "device_add nvme,id=nvme0,bus=port0,drive=disk0,serial=nvmq-0,max_ioqpairs=4")
	[ -z "$said" ] || { note "$said"; return 1; }
}

for ((i = 1; i <= rounds; i++)); do
	out torn idle "$i"
	out torn reset "$i"
	out asked load "$i"
	out asked scan "$i"
done
note "taken out and put back $outs times"

# rmmod under a mounted file system is refused, and harms nobody.
node=$(dev "$BDF")
check "mkfs" mkfs.ext4 -q "$node"
check "mount" mount_at "$node" "$T_TMP/mnt"
load_begin --directory="$T_TMP/mnt"
io_begun "$(basename "$node")"
for i in 1 2 3; do
	check_fails "rmmod with the disk mounted and under load is refused, $i" rmmod nvmq
done
check "I/O goes on" io_begun "$(basename "$node")"
load_end "rmmod refused"
check "umount" umount "$T_TMP/mnt"
check "the file system is whole" e2fsck -fn "$node"
check "after umount rmmod works" unload
check "and insmod finds all" load
check "the file system is whole" e2fsck -fn "$(dev "$BDF")"

# Torn out from under a file system
check "mount" mount_at "$(dev "$BDF")" "$T_TMP/mnt"
cp "$T_TMP/data" "$T_TMP/mnt/data"
sync -f "$T_TMP/mnt"
slot_off
check "torn out while mounted: gone" poll_until 40 no_device
check_fails "a write to the file system fails" dd if=/dev/zero of="$T_TMP/mnt/more" bs=1M count=4 oflag=direct
check "umount" umount "$T_TMP/mnt"
settled
check "put back" put_back
check "ready" ready "$BDF"
check "journal replay and fsck" bash -c "e2fsck -fy '$(dev "$BDF")'; [ \$? -le 1 ]"
check "mount" mount_at "$(dev "$BDF")" "$T_TMP/mnt"
check "what was synced is there" cmp "$T_TMP/data" "$T_TMP/mnt/data"
check "umount" umount "$T_TMP/mnt"
