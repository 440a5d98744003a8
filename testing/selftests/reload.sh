#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# description: load and unload 50 times: nothing leaks, nothing is left
# vm: --turns -c 4 -m 512M -d size=64M,queues=4,ns=2
# kernels: 6.12
# time: 30
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "$0")/lib.sh"

# objects SIZE: allocated by kmalloc in caches of that size. A slab that a CPU
# is at work on counts as full, so the lowest of some looks is the best.
objects() {
	local cache i n lowest=999999
	for ((i = 0; i < 4; i++)); do
		n=$(awk -v re="^kmalloc(-rnd-[0-9]+)?-$1\$" '$1 ~ re { n += $2 } END { print n + 0 }' /proc/slabinfo)
		lowest=$((n < lowest ? n : lowest))
		for cache in /sys/kernel/slab/kmalloc*-"$1"/shrink; do
			echo 1 >"$cache"
		done
	done
	echo "$lowest"
}
vmalloc() { awk '{ n++; s += $2 } END { print n, s }' /proc/vmallocinfo; }

# Only default queues: with read or polled ones blk-mq itself loses a hardware
# context for each software context that is in two maps (its kobject is added
# twice), under the in-tree driver as well, on 6.12 some 5 KiB at each unload.
#
# One with the plan that the others have, so that what is allocated once and
# for all is there before counting; I/O, or most memory would not be touched.
cycle() {
	local disk
	load "plan=default=4 depth=1023"
	ready "$BDF0" 2
	disk=$(disk "$BDF0" "$((RANDOM % 2 + 1))")
	dd if="/dev/$disk" of=/dev/null bs=256k count=4 iflag=direct status=none
	dd if=/dev/zero of="/dev/$disk" bs=4k count=64 oflag=direct status=none
	unload
}

for ((i = 0; i < 8; i++)); do
	cycle
done
settle
declare -A before
for size in 1k 2k 4k 8k; do before[$size]=$(objects "$size"); done
read -r areas size <<<"$(vmalloc)"
irqs=$(wc -l </proc/interrupts)
vectors=$(find /proc/irq -mindepth 1 -maxdepth 1 -type d | wc -l)
classes=$(find /sys/class -mindepth 1 -maxdepth 1 | wc -l)
threads=$(ps -e --no-headers | wc -l)
percpu=$(kib Percpu)
settle
free=$(free_kib) slab=$(kib SUnreclaim)

for ((i = 0; i < 25; i++)); do
	cycle
done
settle
half=$(free_kib)
for ((i = 0; i < 25; i++)); do
	cycle
done
ok "50 loads, I/O, unloads"
settle

free2=$(free_kib) slab2=$(kib SUnreclaim)
read -r areas2 size2 <<<"$(vmalloc)"
note "free $free -> $half -> $free2 KiB, SUnreclaim $slab -> $slab2 KiB, vmalloc $areas/$size -> $areas2/$size2"
# The smallest part of an I/O queue, its CQ of 1024 entries, has 16 KiB: were
# those of the four queues forgotten in each round, each half of the rounds would
# lose 1600 KiB. What the kernel comes to hold for good (up to 2300 KiB) is gone
# in one half and not again in the other; the rest moves less than 800. What
# comes from kmalloc is counted to the object: one for each round, or more.
first=$((free - half)) second=$((half - free2))
within "free memory lost in the better half, KiB" $((first < second ? first : second)) -100000 1000
within "unreclaimable slab gained, KiB" $((slab2 - slab)) -100000 700
for size in 1k 2k 4k 8k; do
	now=$(objects "$size")
	note "kmalloc-$size: ${before[$size]} -> $now objects"
	within "objects of kmalloc-$size gained" $((now - before[$size])) -1000 30
done
within "per-CPU memory gained, KiB" $(($(kib Percpu) - percpu)) -100000 100
within "vmalloc areas gained" $((areas2 - areas)) -1000 12
is "lines in /proc/interrupts" "$(wc -l </proc/interrupts)" "$irqs"
is "directories in /proc/irq" "$(find /proc/irq -mindepth 1 -maxdepth 1 -type d | wc -l)" "$vectors"
is "device classes" "$(find /sys/class -mindepth 1 -maxdepth 1 | wc -l)" "$classes"
within "threads gained" $(($(ps -e --no-headers | wc -l) - threads)) -1000 6
is "nothing of nvmq in debugfs" "$(find /sys/kernel/debug -maxdepth 1 -name '*nvmq*' | wc -l)" 0
is "nothing of nvmq in vmallocinfo" "$(grep -c nvmq /proc/vmallocinfo || true)" 0
is "no slab cache of nvmq" "$(grep -c nvmq /proc/slabinfo || true)" 0
is "no event of nvmq in tracefs" "$(find /sys/kernel/tracing/events -maxdepth 1 -name 'nvmq' | wc -l)" 0
is "no disk in /sys/block" "$(find /sys/block -name 'nvme*' | wc -l)" 0
is "no name left in debugfs block" "$(find /sys/kernel/debug/block -maxdepth 1 -name 'nvme*' | wc -l)" 0
check "the last load works" load
is "and takes the first name again" "$(disk "$BDF0")" nvme0n1
