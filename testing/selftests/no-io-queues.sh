#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# description: a device that has no I/O queues, or cannot create them: no disk, admin commands only, one line; or fewer
# vm: -c 4 -d strict,size=64M,queues=4
# kernels: 6.12
# time: 15
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
lie "when always then grant 3"
check "fewer granted: loads" load
works "fewer granted" 3
device unlie all
check "the device tells the truth: loads" reload
works "the device tells the truth" 4
