#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# description: resets asked for in sysfs, and of the PCI function, 60 times under load: no error, no data lost; rescan
# vm: -c 4 -d size=256M,queues=4
# kernels: 6.1 7.2 debug
# time: 30
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "$0")/lib.sh"

sys=/sys/bus/pci/devices/$BDF0
reset_by_sysfs() { echo 1 >"$sys/nvmq/reset"; }
reset_by_pci() { echo 1 >"$sys/reset"; }

load io_timeout=20 "plan=default=3 poll=1"
disk=$(disk "$BDF0") node=$(dev "$BDF0")
check "the PCI core can reset the function" test -e "$sys/reset"
random_file "$T_TMP/data" $((4 << 20))
put "$T_TMP/data" "$node" 0

for text in 0 2 x ""; do
	check_fails "reset: \"$text\" is refused" dd if=<(echo "$text") of="$sys/nvmq/reset" status=none
	check_fails "rescan: \"$text\" is refused" dd if=<(echo "$text") of="$sys/nvmq/rescan" status=none
done
is "and nothing was reset" "$(log_count 'reset:')" 0

# under_load HOW TIMES OPTION...: as many resets, while fio writes, reads and verifies
under_load() {
	local how=$1 times count=0 rc bad="" failed=0
	times=$(rounds "$2")
	shift 2
	log_mark
	while [ "$count" -lt "$times" ]; do
		background fio --eta=never --name=load --filename="$node" --offset=16M --size=8M --rw=randrw --bs=4k --direct=1 \
			--numjobs=4 --offset_increment=32M --verify=crc32c --do_verify=1 --verify_state_save=0 "$@"
		io_begun "$disk" || bad+=" stuck"
		while alive "$BG" && [ "$count" -lt "$times" ]; do
			"reset_by_$how" || failed=$((failed + 1))
			count=$((count + 1))
		done
		poll_until 60 gone "$BG" || bad+=" hangs"
		rc=0
		wait "$BG" || rc=$?
		[ "$rc" -eq 0 ] || bad+=" status-$rc"
	done
	is "$how, $*: $count resets, all succeed" "$failed" 0
	is "$how, $*: as many in the log" "$(log_count 'nvmq .*: reset done')" "$count"
	is "$how, $*: no error, all data verified" "$bad" ""
	[ -z "$bad" ] || note_file "$T_TMP/bg.out"
	is "$how, $*: live" "$(state "$BDF0")" live
}
under_load sysfs 20 --ioengine=libaio --iodepth=32
under_load sysfs 10 --ioengine=io_uring --iodepth=8 --hipri=1
under_load pci 20 --ioengine=io_uring --iodepth=32
under_load pci 10 --ioengine=libaio --iodepth=4 --bsrange=512-256k --blockalign=512

# Two at once, and one while there is no load.
reset_by_sysfs &
other=$!
reset_by_pci
wait "$other" || note "the one by sysfs was refused: the other was under way"
check "live after two at once" live "$BDF0"
check "by sysfs, idle" reset_by_sysfs
check "by the PCI core, idle" reset_by_pci
is "every CPU reads what was there before" "$(cpus_differ 20 "$node" 4096 "$T_TMP/data")" ""

check "rescan" dd if=<(echo 1) of="$sys/nvmq/rescan" status=none
if strict; then
	device namespace 1 resized 262144
	check "rescan after the namespace has shrunk" dd if=<(echo 1) of="$sys/nvmq/rescan" status=none
	is "the disk has the new size" "$(sectors "$disk")" 262144
	device namespace 1 gone
	check "rescan after the namespace has gone" dd if=<(echo 1) of="$sys/nvmq/rescan" status=none
	is "no disk" "$(disks "$BDF0")" ""
	device namespace 1 new 262144
	check "rescan after it has come again" dd if=<(echo 1) of="$sys/nvmq/rescan" status=none
	check "a disk that works" zeroes "$(dev "$BDF0")" 0 65536
fi
