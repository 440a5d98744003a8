#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# description: interrupts placed by the kernel, or free for the administrator to move
# vm: -c 4 -d size=64M,queues=4
# kernels: all
# time: 8
. "$(dirname "$0")/lib.sh"

load plan=placement=managed
for q in 1 2 3 4; do
	irq=$(queue_irq "$BDF0" "$q")
	check_fails "managed: interrupt of queue $q cannot be moved" dd if=<(echo 1) of="/proc/irq/$irq/smp_affinity" status=none
done
is "managed: an interrupt of its own for each CPU" \
	"$(for q in 1 2 3 4; do cat "/proc/irq/$(queue_irq "$BDF0" "$q")/effective_affinity_list"; done | sort -u | wc -l)" 4

reload plan=placement=free
node=$(dev "$BDF0")
# on CPU IRQ: how many of its interrupts this CPU has taken
on() { awk -v irq="$2:" -v col=$(($1 + 2)) '$1 == irq { print $col }' /proc/interrupts; }
for q in 1 2 3 4; do
	irq=$(queue_irq "$BDF0" "$q")
	cpu=$((q % 4))
	check "free: queue $q's interrupt moves to CPU $cpu" dd if=<(printf '%x\n' $((1 << cpu))) of="/proc/irq/$irq/smp_affinity" status=none
	for src in $(online_cpus); do
		[ "$(map_qid "$BDF0" "$src" default)" = "$q" ] || continue
		# The move takes effect with the next interrupt.
		taskset -c "$src" dd if="$node" of=/dev/null bs=4096 count=4 iflag=direct status=none
		before=$(on "$cpu" "$irq") total=$(irq_total "$irq")
		taskset -c "$src" dd if="$node" of=/dev/null bs=4096 count=64 iflag=direct status=none
		check "free: I/O from CPU $src interrupts CPU $cpu" test "$(on "$cpu" "$irq")" -gt "$before"
		is "free: and no other" $(($(irq_total "$irq") - total)) $(($(on "$cpu" "$irq") - before))
	done
done
