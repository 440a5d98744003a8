#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# description: MSI, where there is no MSI-X: as many vectors as can be had, all queues work
# vm: --turns -c 4 -d strict,size=256M,queues=4,vectors=0,raw=msi:8 -- 8
# vm 6.12: --turns -c 4 -d strict,size=256M,queues=4,vectors=0,raw=msi:1 -- 1
# kernels: 6.12 7.2
# time: 12
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "$0")/lib.sh"
vectors=$1

try() {
	local what=$1 disk
	disk=$(disk "$BDF0")
	queues_read "$BDF0"
	irqs_read
	is "$what: a line in /proc/interrupts for each vector" "${#IRQ_TOTAL[@]}" "$(granted "$BDF0" vectors)"
	vectors_work "$what" "$disk"
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
