#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# description: 1, 2, 4 and 8 queues, more CPUs than queues and the reverse; I/O goes where the map says
# vm: -c 8 -d size=256M,queues=8 -- 8 1 2 4 8 3
# vm: -c 6 -d size=256M,queues=4 -- 4 6
# vm: -c 2 -d size=256M,queues=64 -- 64 2 5
# kernels: all
# time: 25
. "$(dirname "$0")/lib.sh"

# Arguments: the pairs that the device has, then the numbers of queues to ask
# for. Every CPU writes and reads back its own stretch of the disk; the
# interrupt of the queue that the map gives to that CPU, and no other, counts.
device=$1
shift
cpus=$(nproc)

cpu_io() {
	local cpu=$1 disk=$2 file=$T_TMP/cpu.$1
	printf 'queues %s cpu %s %s' "$want" "$cpu" "$RANDOM" >"$file"
	truncate -s 65536 "$file"
	timeout 20 taskset -c "$cpu" dd if="$file" of="/dev/$disk" bs=4096 seek=$((cpu * 16)) \
		oflag=direct conv=notrunc status=none &&
	timeout 20 taskset -c "$cpu" dd if="/dev/$disk" bs=4096 skip=$((cpu * 16)) count=16 \
		iflag=direct status=none | cmp - "$file"
}

for want; do
	if [ "$want" = "$cpus" ]; then
		load
	else
		load "plan=default=$want"
	fi
	disk=$(disk "$BDF0")
	expect=$((want < device ? want : device))
	expect=$((expect < cpus ? expect : cpus))
	got=$(granted "$BDF0" default)
	is "$want asked, $device on the device, $cpus CPUs: $expect granted" "$got" "$expect"
	is "$want: as many rows in debugfs queues" "$(queue_rows "$BDF0" default | wc -l)" "$got"
	is "$want: as many hardware contexts" "$(find "/sys/block/$disk/mq" -mindepth 1 -maxdepth 1 | wc -l)" "$got"
	is "$want: the map has all CPUs" "$(grep -vc '^#' "$DBG/$BDF0/map")" \
		"$(tr ',' '\n' </sys/devices/system/cpu/possible | awk -F- '{ n += (NF > 1 ? $2 - $1 : 0) + 1 } END { print n }')"

	# blk-mq's view of the map and the driver's must be the same partition.
	for cpu in $(online_cpus); do
		map_qid "$BDF0" "$cpu" default
	done | paste -sd' ' >"$T_TMP/by-driver"
	for cpu in $(online_cpus); do
		for ctx in /sys/block/"$disk"/mq/*; do
			if tr -d ' ' <"$ctx/cpu_list" | tr ',' '\n' | grep -qx "$cpu"; then
				echo $(($(basename "$ctx") + 1))
			fi
		done
	done | paste -sd' ' >"$T_TMP/by-blkmq"
	is "$want: mq/*/cpu_list agrees with debugfs map" "$(cat "$T_TMP/by-blkmq")" "$(cat "$T_TMP/by-driver")"
	is "$want: every queue has a CPU" "$(tr ' ' '\n' <"$T_TMP/by-driver" | sort -nu | wc -l)" "$got"

	# No queue may carry more CPUs than an even share, rounded up.
	is "$want: the CPUs are spread evenly" "$(tr ' ' '\n' <"$T_TMP/by-driver" | sort | uniq -c |
		awk -v max=$(((cpus + got - 1) / got)) '$1 > max' | wc -l)" 0

	bad="" wrong=""
	for cpu in $(online_cpus); do
		qid=$(map_qid "$BDF0" "$cpu" default)
		declare -A before=()
		for q in $(queue_rows "$BDF0" default | awk '{ print $1 }'); do
			before[$q]=$(irq_total "$(queue_irq "$BDF0" "$q")")
		done
		cpu_io "$cpu" "$disk" || bad+=" $cpu"
		for q in "${!before[@]}"; do
			now=$(irq_total "$(queue_irq "$BDF0" "$q")")
			if [ "$q" = "$qid" ]; then
				[ "$now" -gt "${before[$q]}" ] || wrong+=" cpu$cpu:queue$q-silent"
			else
				[ "$now" -eq "${before[$q]}" ] || wrong+=" cpu$cpu:queue$q+$((now - before[$q]))"
			fi
		done
	done
	is "$want: what each CPU wrote reads back" "$bad" ""
	is "$want: only the mapped queue's interrupt counts" "$wrong" ""
	unload
done
