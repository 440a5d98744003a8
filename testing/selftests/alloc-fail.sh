#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# description: each allocation under the driver fails once, in probe, in reset and when the plan changes: no hang, no leak, and the next try works
# vm: --turns -c 2 -a kmemleak=on -d strict,size=64M,queues=2 -- failslab probe
# vm: --turns -c 2 -a kmemleak=on -d strict,size=64M,queues=2 -- failslab reset
# vm: --turns -c 2 -a kmemleak=on -d strict,size=64M,queues=3 -- failslab plan
# vm: --turns -c 2 -a kmemleak=on -d strict,size=64M,queues=2 -- fail_page_alloc probe
# vm: --turns -c 2 -a kmemleak=on -d strict,size=64M,queues=2 -- fail_page_alloc reset
# kernels: check-debug coverage
# time: 240
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "$0")/lib.sh"

# Whose own allocations fail as well, which it tells the log. What it has found is looked at by the end.
T_LOG_BAD=${T_LOG_BAD/kmemleak|/}
FAIL=/sys/kernel/debug/$1
what=$2
sys=/sys/bus/pci/devices/$BDF0

check "the kernel can make allocations fail" test -d "$FAIL"
load io_timeout=10 admin_timeout=10 "plan=default=1 poll=1"
random_file "$T_TMP/data" $((1 << 20))
put "$T_TMP/data" "$(dev "$BDF0")" 0

# Only what has a function of ours on its stack, in whatever thread: scan and reset are work of a queue.
read -r first last < <(awk '$4 == "[nvmq]" && $2 ~ /^[tT]$/ { print $1 }' /proc/kallsyms | sort |
	awk 'NR == 1 { first = $1 } END { print first, $1 }')
set_() { echo "$2" >"$FAIL/$1"; }
set_ verbose 0
set_ probability 0
set_ ignore-gfp-wait N
set_ task-filter N
# Not the hundreds of allocations that ACPI, sysfs and the file systems make on their own account, far above us.
set_ stacktrace-depth 10
set_ require-start "0x$first"
set_ require-end "$(printf '0x%x' $((0x$last + 0x1000)))"
# Nor those of /proc/irq: the kernel does not mind that one is not made, and is surprised when it removes it.
read -r first last < <(awk '$3 == "register_irq_proc" { first = $1; next } first != "" { print first, $1; exit }' \
	<(sort /proc/kallsyms))
set_ reject-start "0x$first"
set_ reject-end "0x$last"
[ ! -e "$FAIL/min-order" ] || set_ min-order 0
[ ! -e "$FAIL/cache-filter" ] || set_ cache-filter N

# arm N: the N-th allocation from now on fails, and no other. The kernel counts on and cannot be told to begin anew: it
# fails the one whose count the interval divides. Where the count stands is known, since it stops at the one that failed.
counted=0
arm() {
	interval=$((counted + $1))
	set_ interval "$interval"
	set_ times 1
	set_ probability 100
}
# disarm: it was reached
disarm() {
	set_ probability 0
	[ "$(<"$FAIL/times")" = 0 ] || return 1
	[ "$interval" -eq 1 ] || counted=$interval
}

unbind() { echo "$BDF0" >"$DRV/unbind"; }
bind() { echo "$BDF0" >"$DRV/bind"; }
settled() { is_state "$BDF0" live || is_state "$BDF0" dead; }
# From each CPU, so that each queue is used.
right() { [ -z "$(cpus_differ 20 "$(dev "$BDF0")" 64 "$T_TMP/data" 2>/dev/null)" ]; }

# try_probe, try_reset, try_plan: what is done with a failure under way; leave the driver bound, and no disk of it in use
try_probe() {
	bind 2>/dev/null || refused=$((refused + 1))
}
try_reset() {
	# One queue less, or one more, than before: the maps are made anew.
	lie "when always then grant $((n % 2 + 1))"
	echo 1 >"$sys/nvmq/reset" 2>/dev/null || true
	# And the counters, which have memory of their own.
	echo 0 >"$sys/nvmq/stats"
	echo 1 >"$sys/nvmq/stats" 2>/dev/null || true
	poll_until "$T_PATIENCE" settled || bad+=" $n:$(state "$BDF0")"
	# What comes after a reset, and its end.
	echo 1 >"$sys/nvmq/rescan" 2>/dev/null || true
	device unlie all
}

try_plan() {
	local plans=(default=1 "default=1/8 read=1 poll=1")
	# The old plan comes back, or a reset brings queues.
	echo "${plans[n % 2]}" >"$sys/nvmq/plan" 2>/dev/null || refused=$((refused + 1))
	poll_until "$T_PATIENCE" settled || bad+=" $n:$(state "$BDF0")"
	echo 1 >"$sys/nvmq/rescan" 2>/dev/null || true
}

bad='' refused=0 dead=0 diskless=0 queueless=0
[ "$what" != probe ] || unbind
for ((n = ${3:-1}; n < 3000; n++)); do
	[ $((n % 50)) -ne 0 ] || note "$n, refused: $refused; dead: $dead; without a disk: $diskless; without queues: $queueless"
	log_mark
	were=$bad
	arm "$n"
	"try_$what"
	reached=1
	disarm || reached=''
	if bound "$BDF0"; then
		if is_state "$BDF0" dead; then
			dead=$((dead + 1))
		elif [ "$(granted "$BDF0" default)" -eq 0 ]; then
			queueless=$((queueless + 1))
			# I/O fails until a reset brings some.
			if [ "$what" != probe ]; then
				echo 1 >"$sys/nvmq/reset" || true
				right || bad+=" $n:queues"
			fi
		elif [ -z "$(disks "$BDF0")" ]; then
			diskless=$((diskless + 1))
			# Who asks for them gets them.
			echo 1 >"$sys/nvmq/rescan" || true
			right || bad+=" $n:rescan"
		else
			right || bad+=" $n:data"
		fi
	fi
	[ "$were" = "$bad" ] || log_since | sed -n 's/^.*nvmq 0000/#   nvmq 0000/p' | tail -n 12
	[ -n "$reached" ] || break
	if [ "$what" = probe ]; then
		! bound "$BDF0" || unbind
	elif is_state "$BDF0" dead; then
		unbind
		bind || bad+=" $n:bind"
		ready "$BDF0" || bad+=" $n:ready"
	fi
done
note "$n allocations; refused: $refused; dead: $dead; without a disk: $diskless; without queues: $queueless"
log_mark
within "allocations that were made to fail" "$n" 5 2999
is "after none of them was anything wrong" "$bad" ""
case $what in
probe) within "some of them were needed" "$refused" 5 2999 ;;
plan) within "some of them were needed" "$refused" 1 2999 ;;
esac
bound "$BDF0" || bind
check "with memory it is ready" ready "$BDF0"
check "the data is what it was" same "$T_TMP/data" "$(dev "$BDF0")" 0
unload
is "nothing was lost" "$(leaks | grep -A 12 -B 6 nvmq | head -n 60)" ""
