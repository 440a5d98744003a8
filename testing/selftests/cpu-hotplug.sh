#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# description: CPUs go offline and come back under load, with queues per CPU, for reads and polled
# vm: -c 4 -d size=256M,queues=8
# kernels: 6.12
# time: 25
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "$0")/lib.sh"
cpus=/sys/devices/system/cpu

for plan in "" "default=2 read=1 poll=1" "placement=free" "vectors=2"; do
	load "plan=$plan"
	node=$(dev "$BDF0")
	background fio --eta=never --name=load --filename="$node" --size=32M --rw=randrw --bs=4k --direct=1 \
		--ioengine=libaio --iodepth=16 --numjobs=4 --offset_increment=32M --verify=crc32c --do_verify=1
	io_begun "$(basename "$node")"
	for ((round = 0; round < 2; round++)); do
		for cpu in 3 1 2; do
			echo 0 >"$cpus/cpu$cpu/online"
		done
		sleep 0.2
		for cpu in 2 3 1; do
			echo 1 >"$cpus/cpu$cpu/online"
		done
	done
	check "\"$plan\": the load ends" poll_until 60 gone "$BG"
	rc=0
	wait "$BG" || rc=$?
	is "\"$plan\": without an error, data verified" "$rc" 0
	# Loaded while CPUs are away: they come later and must have a queue.
	unload
	echo 0 >"$cpus/cpu2/online"
	echo 0 >"$cpus/cpu3/online"
	load "plan=$plan"
	node=$(dev "$BDF0")
	echo 1 >"$cpus/cpu2/online"
	echo 1 >"$cpus/cpu3/online"
	bad=
	for cpu in $(online_cpus); do
		printf 'cpu %s %s %s' "$cpu" "$plan" "$RANDOM" >"$T_TMP/cpu"
		truncate -s 4096 "$T_TMP/cpu"
		timeout 15 taskset -c "$cpu" dd if="$T_TMP/cpu" of="$node" bs=4096 seek="$cpu" oflag=direct conv=notrunc status=none &&
		timeout 15 taskset -c "$cpu" dd if="$node" bs=4096 skip="$cpu" count=1 iflag=direct status=none |
			cmp - "$T_TMP/cpu" || bad+=" $cpu"
	done
	is "\"$plan\": CPUs that came after the load work" "$bad" ""
	unload
done
