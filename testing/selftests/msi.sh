#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# description: MSI, where there is no MSI-X: as many vectors as can be had, all queues work
# vm: -c 4 -d strict,size=256M,queues=4,vectors=0,raw=msi:8 -- 8
# vm 6.12: -c 4 -d strict,size=256M,queues=4,vectors=0,raw=msi:1 -- 1
# kernels: all
# time: 12
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "$0")/lib.sh"
vectors=$1

# Each CPU's I/O must come with an interrupt: nothing is found by time-outs.
try() {
	local what=$1 disk cpu irq bad="" before
	disk=$(disk "$BDF0")
	queues_read "$BDF0"
	irqs_read
	is "$what: a line in /proc/interrupts for each vector" "${#IRQ_TOTAL[@]}" "$(granted "$BDF0" vectors)"
	for cpu in $(online_cpus); do
		irq=${Q_IRQ[${CPU_DEFAULT[$cpu]}]}
		irqs_read
		before=${IRQ_TOTAL[$irq]}
		timeout 20 taskset -c "$cpu" dd if="/dev/$disk" of=/dev/null bs=4096 count=16 iflag=direct status=none ||
			bad+=" cpu$cpu-read"
		irqs_read
		[ "${IRQ_TOTAL[$irq]}" -gt "$before" ] || bad+=" cpu$cpu-silent"
	done
	is "$what: I/O from each CPU, interrupts on its queue's vector" "$bad" ""
	fio_ok "$what: verified I/O on all queues at once" --filename="/dev/$disk" --direct=1 --ioengine=io_uring --iodepth=16 \
		--numjobs=4 --rw=randwrite --bs=4k --size=3M --offset_increment=8M --verify=crc32c --do_verify=1 --group_reporting
}

load
is "no MSI-X: MSI" "$(granted "$BDF0" irq)" msi
# Without remapping of interrupts the kernel gives a device one MSI.
within "vectors" "$(granted "$BDF0" vectors)" 1 "$vectors"
is "the queues are those of the device all the same" "$(granted "$BDF0" default)" 4
try "by default"

reload plan=irq=msi,vectors=1
is "irq=msi: granted" "$(granted "$BDF0" irq)" msi
is "vectors=1: granted" "$(granted "$BDF0" vectors)" 1
try "irq=msi,vectors=1"
