#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# description: the ioctls: each does what it says, refused are the others, and hostile ones by the hundred do no harm
# vm: -c 2 -d strict,size=64M,queues=4
# kernels: all
# time: 35
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "$0")/lib.sh"

load
ns=$(dev "$BDF0") disk=$(disk "$BDF0")
bs=$(queue "$disk" logical_block_size)

per=$((4096 / bs))
random_file "$T_TMP/all" "$(bytes "$disk")"
put "$T_TMP/all" "$ns" 0

# what ARGUMENT...: what the program prints; whether it succeeds is in that
what() { timeout 60 "$TOOLS/ioctl" "$@" 2>&1 || true; }

# lbas AT COUNT: the dwords that say so
lbas() { echo "cdw10=$1 cdw11=0 cdw12=$(($2 - 1))"; }
# shellcheck disable=SC2046 # words are meant
{
	is "id is the namespace" "$(what "$ns" id)" 1
	is "id, of a 32-bit program" "$(what compat "$ns" id)" 1

	# --- reads and writes by each door, compared with what the block layer reads and writes
	at=1024
	for how in "" compat; do
		for door in submit io io64 vec; do
			name="${how:+$how }$door"
			parts=1
			[ "$door" != vec ] || parts=2
			random_file "$T_TMP/data" 8192
			is "$name: write" "$(what $how "$ns" "$door" opcode=1 nsid=1 $(lbas "$at" $((2 * per))) in="$T_TMP/data" parts=$parts)" "0 0"
			check "$name: it is there" same "$T_TMP/data" "$ns" $((at * bs))
			is "$name: read" "$(what $how "$ns" "$door" opcode=2 nsid=1 $(lbas "$at" $((2 * per))) len=8192 parts=$parts out="$T_TMP/got")" "0 0"
			check "$name: that was it" cmp "$T_TMP/data" "$T_TMP/got"
			is "$name: compare, the same" "$(what $how "$ns" "$door" opcode=5 nsid=1 $(lbas "$at" $((2 * per))) in="$T_TMP/data" parts=$parts)" "0 0"
			like "$name: compare, other blocks" "$(what $how "$ns" "$door" opcode=5 nsid=1 $(lbas 0 $((2 * per))) in="$T_TMP/data" parts=$parts)" "^0x[4-7]?[0-9a-f]*285 "
			at=$((at + 64))
		done
	done

}
