#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# description: 1, 2, 4 and 8 queues, more CPUs than queues and the reverse; I/O goes where the map says
# vm: --turns -c 8 -d size=256M,queues=8 -- 8 1 2 4 8 3
# vm 6.12: --turns -c 2 -d size=256M,queues=64 -- 64 2 5
# kernels: 6.1 6.12
# time: 25
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "$0")/lib.sh"

# Arguments: the pairs that the device has, then the numbers of queues to ask
# for. Every CPU writes and reads back its own stretch of the disk; the
# interrupt of the queue that the map gives to that CPU, and no other, counts.
device=$1
shift
cpus=$(nproc)
possible=$(($(sed 's/.*-//' /sys/devices/system/cpu/possible) + 1))

cpu_io() {
	timeout 20 taskset -c "$1" dd if="$T_TMP/cpu.$1" of="/dev/$disk" bs=16384 seek=$(($1 * 4)) \
		oflag=direct conv=notrunc status=none &&
	timeout 20 taskset -c "$1" dd if="/dev/$disk" bs=16384 skip=$(($1 * 4)) count=4 \
		iflag=direct status=none | cmp - "$T_TMP/cpu.$1"
}

for want; do
	if [ "$want" = "$cpus" ]; then
		load
	else
		load "plan=default=$want"
	fi
	disk=$(disk "$BDF0")
	queues_read "$BDF0"
	expect=$((want < device ? want : device))
	expect=$((expect < cpus ? expect : cpus))
	got=$(granted "$BDF0" default)
	is "$want asked, $device on the device, $cpus CPUs: $expect granted" "$got" "$expect"
	is "$want: as many rows in debugfs queues" "$(queue_rows "$BDF0" default | wc -l)" "$got"
	is "$want: the map has all possible CPUs" "${#CPU_DEFAULT[@]}" "$possible"
	contexts=(/sys/block/"$disk"/mq/*)
	is "$want: as many hardware contexts" "${#contexts[@]}" "$got"

	# blk-mq's view of the map and the driver's must be the same.
	driver="" blkmq="" share=() bad="" wrong=""
	for cpu in $(online_cpus); do
		driver+=" ${CPU_DEFAULT[$cpu]}"
		q=${CPU_DEFAULT[$cpu]}
		share[q]=$((${share[q]:-0} + 1))
		for ctx in "${contexts[@]}"; do
			read -r list <"$ctx/cpu_list"
			[[ ",${list// /}," != *",$cpu,"* ]] || blkmq+=" $((${ctx##*/} + 1))"
		done
	done
	is "$want: mq/*/cpu_list agrees with debugfs map" "$blkmq" "$driver"
	is "$want: every queue has a CPU" "${#share[@]}" "$got"
	for n in "${share[@]}"; do
		[ "$n" -le $(((cpus + got - 1) / got)) ] || bad+=" $n"
	done
	is "$want: no queue has more CPUs than an even share" "$bad" ""

	bad=""
	irqs_read
	for cpu in $(online_cpus); do
		"$TOOLS/fill" 65536 >"$T_TMP/cpu.$cpu"
		declare -A before=()
		for irq in "${!IRQ_TOTAL[@]}"; do before[$irq]=${IRQ_TOTAL[$irq]}; done
		cpu_io "$cpu" || bad+=" $cpu"
		irqs_read
		for q in "${!Q_TYPE[@]}"; do
			[ "$q" -gt 0 ] || continue
			delta=$((${IRQ_TOTAL[${Q_IRQ[$q]}]} - ${before[${Q_IRQ[$q]}]}))
			if [ "$q" = "${CPU_DEFAULT[$cpu]}" ]; then
				[ "$delta" -gt 0 ] || wrong+=" cpu$cpu:queue$q-silent"
			else
				[ "$delta" -eq 0 ] || wrong+=" cpu$cpu:queue$q+$delta"
			fi
		done
	done
	is "$want: what each CPU wrote reads back" "$bad" ""
	is "$want: only the mapped queue's interrupt counts" "$wrong" ""
	unload
done
