#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# description: fewer interrupt vectors than queues, by the device and by the plan
# vm 6.12: --turns -c 4 -d size=256M,queues=8,vectors=1 -- 1
# vm 6.12: --turns -c 4 -d size=256M,queues=8,vectors=3 -- 3
# vm 6.12: --turns -c 4 -d size=256M,queues=8,vectors=7 -- 7
# vm: --turns -c 4 -d size=256M,queues=8 -- 65 1 2 4
# kernels: 6.12 7.2
# time: 10
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "$0")/lib.sh"
device=$1
shift

try() {
	local limit=$1 disk lines none=""
	disk=$(disk "$BDF0")
	queues_read "$BDF0"
	irqs_read
	within "$limit vectors: granted" "$(granted "$BDF0" vectors)" 1 "$limit"
	is "$limit vectors: still MSI-X" "$(granted "$BDF0" irq)" msix
	is "$limit vectors: as many interrupts" "$(printf '%s\n' "${Q_IRQ[@]}" | sort -u | wc -l)" "$(granted "$BDF0" vectors)"
	lines=$(grep -c nvmq /proc/interrupts)
	is "$limit vectors: as many lines in /proc/interrupts" "$lines" "$(granted "$BDF0" vectors)"
	[[ " ${Q_IRQ[*]} " != *" - "* ]] || none="a queue without"
	is "$limit vectors: every queue has one" "$none" ""
	vectors_work "$limit vectors" "$disk"
}

load
if [ "$device" -le 7 ]; then
	try "$device"
	# Of 9 that are asked for: with 7 there are more for the queues than CPUs.
	reload plan=default=4,read=4
	within "read queues too: granted" "$(granted "$BDF0" vectors)" 1 "$device"
	fio_ok "read queues too: verified" --filename="$(dev "$BDF0")" --direct=1 --ioengine=libaio --iodepth=8 --rw=randrw --bs=4k \
		--size=2M --numjobs=4 --offset_increment=8M --verify=crc32c --do_verify=1
else
	is "enough vectors: one a queue and one for the admin queue" "$(granted "$BDF0" vectors)" 5
fi
for limit; do
	reload "plan=vectors=$limit"
	try "$limit"
done
