#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# description: partitions: GPT and DOS tables, names with p, their ends hold, they come back after a reload
# vm: --turns -c 4 -d size=256M,queues=4
# vm 6.12: --turns -c 4 -d size=256M,queues=4,lba=4096
# kernels: 6.12
# time: 10
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "$0")/lib.sh"

# part N: the node of partition N
part() { echo "$(dev "$BDF0")p$1"; }
parts() { find "/sys/block/$(disk "$BDF0")/" -maxdepth 1 -name "$(disk "$BDF0")p*" -printf '%f\n' | sort | paste -sd' '; }

load
disk=$(disk "$BDF0") node=$(dev "$BDF0")
lba=$(queue "$disk" logical_block_size)
for table in gpt dos; do
	case $table in
	gpt) label=gpt kind=data ;;
	dos) label=msdos kind=primary ;;
	esac
	check "$table: table by parted" parted -s "$node" mklabel "$label" mkpart "$kind" 1MiB 13MiB \
		mkpart "$kind" 13MiB 19MiB mkpart "$kind" 19MiB 37MiB
	wait_for "$table: three partitions" test -b "$(part 3)"
	is "$table: names" "$(parts)" "${disk}p1 ${disk}p2 ${disk}p3"
	for pair in 1:12 2:6 3:18; do
		n=${pair%:*} mib=${pair#*:}
		is "$table: size of partition $n" "$(blockdev --getsize64 "$(part "$n")")" $((mib << 20))
		random_file "$T_TMP/p$n" $((mib << 20))
		check "$table: partition $n is filled" dd if="$T_TMP/p$n" of="$(part "$n")" bs=1M oflag=direct status=none
	done
	check_fails "$table: partition 2 ends where it ends" dd if=/dev/zero of="$(part 2)" bs="$lba" count=1 \
		seek=$(((6 << 20) / lba)) oflag=direct conv=notrunc
	for n in 1 2 3; do
		check "$table: partition $n has what was put there" same "$T_TMP/p$n" "$(part "$n")" 0
		start=$(cat "/sys/block/$disk/${disk}p$n/start")
		check "$table: so says the whole disk" same "$T_TMP/p$n" "$node" $((start * 512))
	done
	check "$table: reload" reload
	node=$(dev "$BDF0")
	wait_for "$table: the partitions are back" test -b "$(part 3)"
	for n in 1 2 3; do
		check "$table: partition $n after the reload" same "$T_TMP/p$n" "$(part "$n")" 0
	done
	check "$table: discard of partition 2" blkdiscard "$(part 2)"
	check "$table: stays within it (1)" same "$T_TMP/p1" "$(part 1)" 0
	check "$table: stays within it (3)" same "$T_TMP/p3" "$(part 3)" 0
	check "$table: and does all of it" zeroes "$(part 2)" 0 $((6 << 20))
	check "$table: wipe" wipefs -qa "$node"
	check "$table: re-read" blockdev --rereadpt "$node"
	is "$table: no partition is left" "$(parts)" ""
done
