#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# description: commands that fail: retries by DNR and CRD, the errno that the caller gets, one line in the log with all of it
# vm: --turns -c 2 -d strict,size=64M,queues=2
# kernels: all
# time: 15
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "$0")/lib.sh"

load
node=$(dev "$BDF0")
random_file "$T_TMP/data" $((1 << 20))
put "$T_TMP/data" "$node" 0

# tried OPCODE: commands of that kind since seen_mark
tried() { seen "io-$1"; }
read_one() { dd if="$node" of="$T_TMP/got" bs=4k skip=8 count=1 iflag=direct status=none; }
write_one() { dd if="$T_TMP/data" of="$node" bs=4k skip=8 seek=8 count=1 oflag=direct conv=notrunc status=none; }

# fails DESC WHAT LIE TRIES ERROR LINE: WHAT (read or write) fails with ERROR after
# TRIES commands, and the log has LINE once
fails() {
	local desc=$1 what=$2 rc=0
	lie "when $what lba 64 then $3"
	log_mark
	seen_mark
	"${what}_one" 2>"$T_TMP/error" || rc=$?
	is "$desc: fails" "$rc" 1
	like "$desc: the caller is told" "$(<"$T_TMP/error")" "$5"
	is "$desc: commands" "$(tried "$what")" "$4"
	log_has "$desc: the log" "nvmq $BDF0: queue [12]: ${what^} of 8 blocks at LBA 64, namespace 1, CID 0x[0-9a-f]{4}, failed: $6"
	is "$desc: in one line" "$(log_count "nvmq $BDF0")" 1
	device unlie all
	check "$desc: the next one works" "${what}_one"
}

fails "unrecovered read" read "status unrecovered-read dnr" 1 "No data available" 'unrecovered read error \(0x281, do not retry\)'
fails "without DNR" read "status unrecovered-read" 6 "No data available" 'unrecovered read error \(0x281\)'
fails "write fault" write "status write-fault dnr" 1 "No data available" 'write fault \(0x280, do not retry\)'
fails "LBA out of range" read "status lba-range dnr" 1 "Remote I/O error" 'LBA out of range \(0x80, do not retry\)'
fails "capacity exceeded" write "status capacity-exceeded dnr" 1 "No space left" 'capacity exceeded \(0x81, do not retry\)'
fails "write protected" write "status ns-write-protected dnr" 1 "Input/output error" 'namespace is write protected \(0x20, do not retry\)'
fails "a status that nobody knows" read "status 0x7c5 dnr" 1 "Input/output error" 'unknown status \(0x7c5, do not retry\)'
fails "what the driver itself calls a command that it takes back" read "status host-aborted" 6 "Connection timed out" \
	'timed out, aborted by host \(0x371\)'

# An error that passes is not seen by anybody.
lie "when read lba 64 times 5 then status internal"
log_mark
seen_mark
check "five errors that pass" read_one
is "commands" "$(tried read)" 6
is "and not a line in the log" "$(log_count "nvmq $BDF0")" 0
check "the data is right" cmp "$T_TMP/got" <(tail -c +32769 "$T_TMP/data" | head -c 4096)
device unlie all

# CRDT1 to CRDT3 of the device are 100, 300 and 600 ms.
ms() {
	local begun
	begun=$(date +%s%N)
	"$@"
	echo $((($(date +%s%N) - begun) / 1000000))
}
for crd in "1 2 200" "2 2 600" "3 2 1200" "1 5 500"; do
	read -r n times least <<<"$crd"
	lie "when write lba 64 times $times then status command-interrupted crd=$n"
	within "CRD $n, $times times: ms" "$(ms write_one)" "$least" $((least + 3000))
	device unlie all
done
lie "when write lba 64 times 3 then status command-interrupted"
within "no CRD: ms" "$(ms write_one)" 0 "$((T_PATIENCE * 15 * T_SLOW))"
device unlie all

# A device that refuses ACRE is served as before.
lie "when set-features feature 0x16 then status invalid-field dnr"
log_mark
check "Host Behavior Support refused: loads" reload
log_has "and the log says so" "nvmq $BDF0: Set Features, Host Behavior Support, refused"
check "the data is right" same "$T_TMP/data" "$(dev "$BDF0")" 0
device unlie all
is "the judge has no complaint" "$(device_stat violations)" 0
