#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# description: a device that has no I/O queues, or cannot create them: no disk, admin commands only, one line; or fewer; or none after a reset
# vm: --turns -c 4 -d strict,size=64M,queues=4
# kernels: 6.12
# time: 25
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "$0")/lib.sh"

# alone DESC: the controller lives without a disk
alone() {
	log_mark
	load_module
	check "$1: the controller is live" live "$BDF0"
	is "$1: no disk" "$(disks "$BDF0")" ""
	is "$1: granted" "$(granted "$BDF0" default)" 0
	is "$1: one line says so" "$(log_count "nvmq $BDF0: .*no I/O queues")" 1
	is "$1: nothing is left in /proc/interrupts but the admin queue's" "$(grep -c nvmq /proc/interrupts)" 1
	check "$1: and unloads" unload
}

lie "when set-features feature 7 then status internal"
alone "Number of Queues fails"
device unlie all
lie "when set-features feature 7 then status invalid-field dnr"
alone "Number of Queues is unknown"
device unlie all
lie "when create-cq then refuse-create"
alone "no completion queue can be created"
device unlie all
lie "when create-sq then refuse-create"
alone "no submission queue can be created"
device unlie all

# works DESC QUEUES
works() {
	local bad="" cpu
	is "$1: granted" "$(granted "$BDF0" default)" "$2"
	for cpu in $(online_cpus); do
		timeout 20 taskset -c "$cpu" dd if="$(dev "$BDF0")" of=/dev/null bs=4096 count=8 iflag=direct status=none || bad+=" $cpu"
	done
	is "$1: every CPU's I/O arrives" "$bad" ""
	is "$1: and no other" "$(device_stat violations)" 0
}

for what in create-cq create-sq; do
	log_mark
	device lie "when $what queue 0 nth 3 then refuse-create"
	check "the third $what is refused: loads" load
	works "the third $what is refused" 2
	log_has "the third $what is refused: the log says so" "nvmq $BDF0: Create I/O .* Queue 3 refused"
	device unlie all
	unload
done
# None when it is loaded, and some after a reset: the disk comes then.
lie "when set-features feature 7 then status internal"
load_module
is "none at first: no disk" "$(disks "$BDF0")" ""
device unlie all
reset() { echo 1 >"/sys/bus/pci/devices/$BDF0/nvmq/reset"; }
check "none at first: a reset" reset
check "none at first: the disk is there" ready "$BDF0"
works "none at first" 4

# None after a reset: the disk stays, as errors, also for who was writing; the next reset brings all back.
node=$(dev "$BDF0")
random_file "$T_TMP/data" $((4 << 20))
put "$T_TMP/data" "$node" 0
exec {held}<"$node"
for round in 1 2 3; do
	what="none after a reset, round $round"
	background fio --eta=never --name=load --filename="$node" --offset=16M --size=16M --rw=randwrite --bs=4k --direct=1 \
		--ioengine=io_uring --iodepth=16 --numjobs=2 --time_based --runtime=60
	io_begun "$(disk "$BDF0")"
	case $round in
	2) lie "when create-cq then refuse-create" ;;
	*) lie "when set-features feature 7 then status internal" ;;
	esac
	log_mark
	check "$what" reset
	is "$what: live" "$(state "$BDF0")" live
	is "$what: granted" "$(granted "$BDF0" default)" 0
	log_has "$what: the log says so" "nvmq $BDF0: nvme[0-9]: no I/O queues after the reset"
	check "$what: who wrote ends" poll_until 20 gone "$BG"
	check_fails "$what: I/O fails" dd if="$node" of=/dev/null bs=4096 count=1 iflag=direct status=none
	check "$what: the disk is there" test -b "$node"
	if [ "$round" -eq 3 ]; then
		check "$what: a rescan does no harm" dd if=<(echo 1) of="/sys/bus/pci/devices/$BDF0/nvmq/rescan" status=none
		check "$what: another reset changes nothing" reset
		check_fails "$what: I/O fails still" dd if="$node" of=/dev/null bs=4096 count=1 iflag=direct status=none
	fi
	device unlie all
	check "$what: queues again" reset
	is "$what: the same disk" "$(dev "$BDF0")" "$node"
	works "$what" 4
	check "$what: the data is right" same "$T_TMP/data" "$node" 0
done
exec {held}<&-
lie "when set-features feature 7 then status internal"
check "none after a reset, then unbound" reset
check "unloads" unload
device unlie all

lie "when always then grant 3"
check "fewer granted: loads" load
works "fewer granted" 3
device unlie all
check "the device tells the truth: loads" reload
works "the device tells the truth" 4
