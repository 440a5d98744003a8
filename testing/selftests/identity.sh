#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# description: at a rescan a disk stays if its namespace cannot be identified, and is replaced if it is another one
# vm: --turns -c 4 -d strict,size=64M,ns=2,queues=4
# kernels: 6.12 7.2
# time: 20
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "$0")/lib.sh"

# rescan: a command that is dropped has the controller reset, and the namespaces are looked at anew after that
rescan() {
	log_mark
	lie "when read once then drop"
	dd if="$(dev "$BDF0" 2)" of=/dev/null bs=4096 count=1 iflag=direct status=none
	poll_until "$T_PATIENCE" t_log_grep "nvmq $BDF0: .*reset done"
}
# Unlike its name, this number is never given to another disk.
number() { cat "/sys/block/$(disk "$BDF0" "$1")/diskseq"; }
is_new() { [ -b "$(dev "$BDF0" "$1")" ] && [ "$(number "$1")" != "$2" ]; }

load io_timeout=1
random_file "$T_TMP/data" 65536
put "$T_TMP/data" "$(dev "$BDF0" 1)" 0
one=$(number 1) two=$(number 2)
exec {held}<"$(dev "$BDF0" 1)"

lie "when identify cns 0 nsid 1 then status internal"
check "Identify Namespace fails: reset" rescan
log_has "Identify Namespace fails: the log says so" "nvmq $BDF0: namespace 1: cannot be identified: its disk stays"
is "Identify Namespace fails: the disk is the same" "$(number 1)" "$one"
check "Identify Namespace fails: and works" same "$T_TMP/data" "$(dev "$BDF0" 1)" 0
device unlie all

lie "when identify cns 2 then status invalid-field dnr"
check "no list of namespaces: reset" rescan
check "no list of namespaces: both work" zeroes "$(dev "$BDF0" 2)" 0 65536
is "no list of namespaces: both are the same" "$(number 1) $(number 2)" "$one $two"
device unlie all

lie "when identify cns 2 then garbage 0..7 value 0x100000001"
check "a list that does not ascend: reset" rescan
log_has "a list that does not ascend: the log says so" "nvmq $BDF0: active namespace list: 1 follows 1"
log_has "a list that does not ascend: the scan is over" "nvmq $BDF0: namespace scan not complete"
is "a list that does not ascend: both are the same" "$(number 1) $(number 2)" "$one $two"
device unlie all

lie "when nsid 1 then garbage nguid value 0x1234567"
one=$(number 1)
check "another NGUID: reset" rescan
wait_for "another NGUID: a new disk" is_new 1 "$one"
log_has "another NGUID: the log says so" "nvmq $BDF0: namespace 1: is another one than before"
check_fails "another NGUID: who has the old disk open gets errors" \
	dd if=/dev/stdin of=/dev/null bs=4096 count=1 iflag=direct status=none <&"$held"
check "another NGUID: the new disk works" same "$T_TMP/data" "$(dev "$BDF0" 1)" 0
device unlie all
exec {held}<&-

# Two namespaces that say that they are the same: whoever goes by that must not come to the wrong one.
wwid() { cat "/sys/block/$(disk "$BDF0" "$1")/wwid"; }
like "identifiers of their own: shown" "$(wwid 1) $(wwid 2)" '^(uuid|eui)[^ ]* (uuid|eui)'
one=$(number 1) two=$(number 2)
lie "when identify cns 0 then garbage eui64 value 0x7766554433221100"
check "the same EUI64: reset" rescan
wait_for "the same EUI64: new disks" is_new 2 "$two"
wait_for "the same EUI64: both" is_new 1 "$one"
log_has "the same EUI64: the log says so" "nvmq $BDF0: namespace 2: has the identifiers of disk $(disk "$BDF0" 1): they are not shown"
like "the same EUI64: the first has it" "$(<"/sys/block/$(disk "$BDF0" 1)/eui")" "00 11 22 33|77 66 55 44"
check_fails "the same EUI64: the second has none" test -e "/sys/block/$(disk "$BDF0" 2)/eui"
like "the same EUI64: but the serial number and the namespace" "$(wwid 2)" "^nvme\..*-00000002\$"
check "the same EUI64: the first works" same "$T_TMP/data" "$(dev "$BDF0" 1)" 0
device unlie all
