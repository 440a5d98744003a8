#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# The guest's side of the bench. Carries out the commands in DIR/jobs, one a
# line, which bench wrote on the host; what it finds out goes to files in DIR.
#
#   load N DRIVER [PARAMETER...]    load DRIVER as the N-th load of this boot
#   bind ADDRESS                    bind the PCI device to it, wait for its disk
#   fio FILE SCHEDULER MEMORY       run the jobs; "counted" is no memory, but nvmq's counters in DIR/FILE on that disk
#   tick CPU                        count what a timer tick costs
set -euo pipefail

dir=$1
mark=$2
log=$dir/log
pci=/sys/bus/pci
driver=
disk=
cpu=1

die()
{
	echo "bench: guest: $*" >&2
	exit 1
}

insert()
{
	local name=$1
	shift
	if [[ $name == nvmq ]]; then
		insmod "$NVMQ_KO" "$@"
	else
		modprobe "$name" "$@"
	fi
}

unload()
{
	local m
	for m in nvmq nvme nvme_core null_blk; do
		[[ ! -d /sys/module/$m ]] || rmmod "$m" || die "cannot unload $m"
	done
}

# Addresses of the module in question, for attribution on the host and for the
# plugin: what it watches must be known before the driver first runs.
symbols()
{
	local n=$1 first last poll ends
	grep '\]$' /proc/kallsyms >"$dir/symbols.$n"
	: >"$dir/watch"
	poll=$(awk -v d="[$driver]" '$4 == d && $3 ~ /^(nvme_poll|nvmq_poll|nvmq_io_poll|null_poll)$/ {
		print $1; exit }' "$dir/symbols.$n")
	[[ $poll ]] || return 0
	ends=$(awk -v d="[$driver]" '$4 == d && tolower($2) == "t" { print $1 }' \
		"$dir/symbols.$n" | sort | sed -n '1p;$p')
	first=${ends%%$'\n'*}
	last=${ends##*$'\n'}
	printf 'text %s %x\npoll %s\n' "$first" $(((0x$last | 0xfff) + 1)) "$poll" >"$dir/watch"
	"$mark" watch
}

load()
{
	local n=$1
	driver=$2
	shift 2
	unload
	echo 0 >$pci/drivers_autoprobe
	insert "$driver" "$@"
	symbols "$n"
	cpu=1
	disk=
	if [[ $driver == null_blk ]]; then
		disk=nullb0
		[[ -b /dev/$disk ]] || die "null_blk made no disk"
	fi
}

# The job runs on the CPU that takes the interrupts of its queue, so that a
# completion never crosses CPUs: with a queue for each CPU that is any of them.
bind()
{
	local addr=$1 i b irqs
	if [[ ! -d $pci/drivers/$driver/$addr ]]; then
		echo "$addr" >$pci/drivers/"$driver"/bind
	fi
	disk=
	for ((i = 0; i < 100; i++)); do
		for b in /sys/block/nvme*n*; do
			[[ $(readlink -f "$b") == */$addr/* && -b /dev/${b##*/} ]] || continue
			[[ $(<"$b/size") -gt 0 ]] && disk=${b##*/}
		done
		[[ ! $disk ]] || break
		sleep 0.1
	done
	[[ $disk ]] || die "$driver made no disk of $addr"
	irqs=$(cd "$pci/devices/$addr/msi_irqs" 2>/dev/null && printf '%s\n' * | sort -n | tr '\n' ' ') || irqs=
	cpu=1
	# shellcheck disable=SC2086
	set -- $irqs
	if [[ $# -eq 2 ]]; then
		cpu=$(<"/proc/irq/$2/effective_affinity_list")
		cpu=${cpu%%[,-]*}
	fi
	echo "@bind $driver $addr disk=$disk cpu=$cpu irqs=${irqs// /,}" >>"$log"
}

run_fio()
{
	local file=$1 scheduler=$2 memory=$3 pid=
	rm -f /tmp/scatter
	[[ $scheduler == - ]] || echo "$scheduler" >"/sys/block/$disk/queue/scheduler"
	echo "@disk $disk $(<"/sys/block/$disk/queue/scheduler")" >>"$log"
	echo never >/sys/kernel/mm/transparent_hugepage/enabled
	if [[ $memory == scattered ]]; then
		"$mark" scatter 96 >/tmp/scatter &
		pid=$!
		until grep -q ready /tmp/scatter 2>/dev/null; do sleep 0.1; done
		echo "@segments $(cut -d ' ' -f 2 /tmp/scatter)" >>"$log"
	elif [[ $memory == counted ]]; then
		echo 1 >"/sys/block/$disk/device/device/nvmq/stats"
	elif [[ $memory == huge ]]; then
		echo 8 >/proc/sys/vm/nr_hugepages
	fi
	sed -e "s,@DEV@,/dev/$disk,; s,@CPU@,$cpu,; s,@MARK@,$mark,; s,@LOG@,$log," \
		"$dir/$file" >/tmp/job.fio
	(cd /tmp && fio --output=/tmp/fio.out --eta=never /tmp/job.fio) || {
		cat /tmp/fio.out >&2
		die "fio failed on $driver"
	}
	if [[ $pid ]]; then
		kill "$pid"
		wait "$pid" 2>/dev/null || true
	fi
	[[ $memory != counted ]] || echo 0 >"/sys/block/$disk/device/device/nvmq/stats"
	echo 0 >/proc/sys/vm/nr_hugepages
}

echo "@release $(uname -r) $(fio --version)" >>"$log"
grep -v '\]$' /proc/kallsyms >"$dir/symbols"
while read -r what rest; do
	# shellcheck disable=SC2086
	set -- $rest
	case $what in
	load) load "$@" ;;
	bind) bind "$@" ;;
	fio) run_fio "$@" ;;
	tick) "$mark" spin "$log" "$1" 1000 ;;
	*) die "unknown command \"$what\"" ;;
	esac
done <"$dir/jobs"
unload
