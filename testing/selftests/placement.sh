#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# description: interrupts placed by the kernel, or free for the administrator to move
# vm: --turns -c 4 -d size=64M,queues=4
# kernels: 6.12 7.2
# time: 8
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "$0")/lib.sh"

load plan=placement=managed
queues_read "$BDF0"
places=""
for q in 1 2 3 4; do
	check_fails "managed: interrupt of queue $q cannot be moved" \
		dd if=<(echo 1) of="/proc/irq/${Q_IRQ[$q]}/smp_affinity" status=none
	places+="$(cat "/proc/irq/${Q_IRQ[$q]}/effective_affinity_list") "
done
is "managed: each on a CPU of its own" "$(tr ' ' '\n' <<<"$places" | grep . | sort -u | wc -l)" 4

reload plan=placement=free
queues_read "$BDF0"
node=$(dev "$BDF0")
for q in 1 2 3 4; do
	irq=${Q_IRQ[$q]}
	cpu=$((q % 4))
	check "free: queue $q's interrupt moves to CPU $cpu" \
		dd if=<(printf '%x\n' $((1 << cpu))) of="/proc/irq/$irq/smp_affinity" status=none
	for src in $(online_cpus); do
		[ "${CPU_DEFAULT[$src]}" = "$q" ] || continue
		# The move takes effect with the next interrupt.
		taskset -c "$src" dd if="$node" of=/dev/null bs=4096 count=4 iflag=direct status=none
		irqs_read
		before=${IRQ_CPU[$irq.$cpu]} total=${IRQ_TOTAL[$irq]}
		taskset -c "$src" dd if="$node" of=/dev/null bs=4096 count=64 iflag=direct status=none
		irqs_read
		check "free: I/O from CPU $src interrupts CPU $cpu" test "${IRQ_CPU[$irq.$cpu]}" -gt "$before"
		is "free: and no other" $((${IRQ_TOTAL[$irq]} - total)) $((${IRQ_CPU[$irq.$cpu]} - before))
	done
done
