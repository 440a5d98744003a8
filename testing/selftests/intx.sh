#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# description: one INTx line for all queues, by the kernel's command line and by the plan, and shared by two controllers
# vm: --turns -c 4 -a pci=nomsi -d size=256M,queues=4,addr=10 -d size=256M,queues=4,addr=14 -- nomsi
# vm 6.12: --turns -c 4 -d size=256M,queues=4,addr=10 -d size=256M,queues=4,addr=14 -- plan
# kernels: 6.12 6.1
# device: qemu
# time: 12
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "$0")/lib.sh"
second=0000:00:14.0

# Slots 0x10 and 0x14 of q35's root bus share one line, so that each handler
# is also called for the other's interrupts and must say that they are not its.
round() {
	local asked=$1 bdf irq0 irq1 before
	for bdf in "$BDF0" "$second"; do
		is "$asked: $bdf granted INTx" "$(granted "$bdf" irq)" intx
		is "$asked: $bdf one vector" "$(granted "$bdf" vectors)" 1
		is "$asked: $bdf all queues on one interrupt" "$(queue_rows "$bdf" | awk '{ print $6 }' | sort -u | wc -l)" 1
		is "$asked: $bdf keeps its queues" "$(granted "$bdf" default)" 4
	done
	queues_read "$second"
	irq1=${Q_IRQ[1]}
	queues_read "$BDF0"
	irq0=${Q_IRQ[1]}
	is "$asked: the two share a line" "$irq0" "$irq1"
	like "$asked: it is an IO-APIC line" "$(grep "^ *$irq0:" /proc/interrupts)" 'IO-APIC'
	irqs_read
	before=${IRQ_TOTAL[$irq0]}
	fio_ok "$asked: verified I/O on both at once" --direct=1 --ioengine=libaio --iodepth=8 \
		--rw=randwrite --bs=4k --size=8M --verify=crc32c --do_verify=1 \
		--numjobs=2 --offset_increment=16M --filename="$(dev "$BDF0")" \
		--name=second --filename="$(dev "$second")"
	irqs_read
	check "$asked: interrupts came" test "${IRQ_TOTAL[$irq0]}" -gt "$((before + 100))"
	check "$asked: the second unbinds" dd if=<(echo "$second") of="$DRV/unbind" status=none
	fio_ok "$asked: the first goes on" --filename="$(dev "$BDF0")" --direct=1 --ioengine=libaio \
		--iodepth=8 --rw=randrw --bs=4k --size=4M --verify=crc32c --do_verify=1
}

case $1 in
nomsi)
	load
	round "pci=nomsi"
	log_has "the log says intx" "$BDF0.*granted \".*irq=intx\""
	;;
plan)
	load plan=irq=intx
	round "irq=intx"
	# To MSI-X and back while I/O runs.
	reload plan=irq=intx
	load_begin --filename="$(dev "$BDF0")"
	for plan in "default=4 share=2" "default=4 share=2 irq=intx"; do
		check "$plan: taken" dd if=<(echo "$plan") of="/sys/bus/pci/devices/$BDF0/nvmq/plan" status=none
	done
	load_end "between kinds of interrupts"
	queues_read "$BDF0"
	is "$plan: granted" "$(granted "$BDF0" share)" 2
	is "$plan: completion queues" "${Q_CQ[1]} ${Q_CQ[2]} ${Q_CQ[3]} ${Q_CQ[4]}" "1 1 3 3"
	round "$plan"
	# QEMU's device has MSI-X and INTx but no MSI: the next kind below is taken.
	reload plan=irq=msi
	if lspci -s "$BDF0" -v | grep -q 'MSI: Enable'; then
		is "irq=msi: granted" "$(granted "$BDF0" irq)" msi
	else
		round "irq=msi without the capability"
	fi
	;;
esac
