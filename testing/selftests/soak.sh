#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# description: a mixed load, with something happening to the controllers each second, by a seed: nothing is lost
# vm: -c 4 -d strict,size=192M,ns=3,queues=4 -d strict,size=64M,queues=2 -- 25 1
# kernels: 6.12
# time: 60
#
# soak.sh SECONDS SEED; `make soak` runs it for longer. On the first controller, namespace 1 is written and verified as it
# is, namespace 2 with a file system, and namespace 3 comes and goes. None of what happens to it may reach a caller. The
# second controller is unbound, or goes for a moment: its I/O fails then, but what was acknowledged must be there.
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "$0")/lib.sh"

seconds=${1:-25} seed=${2:-1}
sys=/sys/bus/pci/devices/$BDF0
RANDOM=$seed
cpus=$(nproc)
lost=0

declare -A count=()
names=(reset pci-reset rescan drop late twice reorder no-interrupt spurious status cfs shrink grow detach attach discard
	trim cpu-off cpu-on hot cold flood unbind gone)

# One event. All of it depends on the seed alone; when it meets which command does not.
happen() {
	local n=$((RANDOM % 5 + 1)) cpu=$((RANDOM % (cpus - 1) + 1))
	count[$1]=$((${count[$1]:-0} + 1))
	case $1 in
	# It may be under way already, by a time-out.
	reset) echo 1 >"$sys/nvmq/reset" || true ;;
	pci-reset) echo 1 >"$sys/reset" || true ;;
	rescan) echo 1 >"$sys/nvmq/rescan" || true ;;
	drop) lie "when io once then drop" ;;
	late) lie "when io times $n then delay 800ms" ;;
	twice) lie "when io times $n then twice" ;;
	reorder) lie "when io times $((n * 4)) then reorder $n within 20ms" ;;
	no-interrupt) lie "when io times $n then no-interrupt" ;;
	spurious) device "now spurious-interrupt $n" ;;
	# No more than what the retries of one command bear.
	status) lie "when io times $n then status internal" ;;
	cfs) device "now cfs" ;;
	shrink) device namespace 3 resized 65536 ;;
	grow) device namespace 3 resized 393216 ;;
	detach) device namespace 3 gone ;;
	attach) device namespace 3 new 393216 ;;
	discard) blkdiscard -o $((128 << 20)) -l $((n << 20)) "$raw" ;;
	trim) fstrim "$T_TMP/fs" ;;
	cpu-off) echo 0 >"/sys/devices/system/cpu/cpu$cpu/online" || true ;;
	cpu-on) all_cpus ;;
	hot) device temperature $((380 + n)) ;;
	cold) device temperature 300 ;;
	flood) device event $((n * 4)) type 1 info 0 log 2 ;;
	unbind) second_again unbind ;;
	gone) second_again gone ;;
	esac
}
all_cpus() {
	local file
	for file in /sys/devices/system/cpu/cpu[1-9]*/online; do
		echo 1 >"$file" || true
	done
}

# The second controller: acknowledged writes from one loss of it to the next
generation=0
second_begin() {
	generation=$((generation + 1))
	setsid "$TOOLS/ack" blocks second "$(dev "$BDF1")" 4096 $((seed * 1000 + generation)) >"$T_TMP/acks" 2>"$T_TMP/acks.err" &
	second=$!
	T_BG+=("$second")
}
second_check() {
	local last
	last=$(sed -n 's/^second //p' "$T_TMP/acks" | tail -n 1)
	acknowledged=$((acknowledged + ${last:-0}))
	if ! "$TOOLS/ack" check-blocks "$(dev "$BDF1")" 4096 $((seed * 1000 + generation)) "${last:-0}" >"$T_TMP/found"; then
		lost=$((lost + 1))
		not_ok "what was acknowledged on the second controller is there"
		note_file "$T_TMP/found"
	fi
}
acknowledged=0
second_again() {
	case $1 in
	unbind) ;;
	gone) device_of 1 "now gone back after 300ms" ;;
	esac
	echo "$BDF1" >"$DRV/unbind"
	[ "$1" != gone ] || pause 0.5
	if ! poll_until 30 gone "$second"; then
		lost=$((lost + 1))
		not_ok "the writer of the second controller ends"
		return
	fi
	echo "$BDF1" >"$DRV/bind"
	if ! ready "$BDF1"; then
		lost=$((lost + 1))
		not_ok "the second controller is back"
		return
	fi
	second_check
	second_begin
}

load io_timeout=2
raw=$(dev "$BDF0" 1)
mkfs.ext4 -q "$(dev "$BDF0" 2)"
mount_at "$(dev "$BDF0" 2)" "$T_TMP/fs"
# Sectors that nobody writes to
random_file "$T_TMP/data" $((4 << 20))
put "$T_TMP/data" "$raw" $((160 << 20))
T_LOAD=raw
load_begin --filename="$raw" --ioengine=io_uring
T_LOAD=files
load_begin --directory="$T_TMP/fs" --rw=randwrite --bsrange=4k-64k --offset_increment=0
second_begin
note "soak: SECONDS=$seconds SEED=$seed"

SECONDS=0
until [ "$SECONDS" -ge "$seconds" ]; do
	what=${names[RANDOM % ${#names[@]}]}
	at=$SECONDS
	happen "$what"
	for T_LOAD in raw files; do
		gone "$(<"$T_TMP/$T_LOAD.pid")" || continue
		not_ok "second $SECONDS, after $what: the load \"$T_LOAD\" goes on"
		lost=$((lost + 1))
		break 2
	done
	if is_state "$BDF0" dead; then
		not_ok "second $SECONDS, after $what: the controller is not dead"
		lost=$((lost + 1))
		break
	fi
	while [ "$SECONDS" -eq "$at" ]; do
		pause 0.05
	done
done

device unlie all
all_cpus
check "live in the end" live "$BDF0"
for T_LOAD in raw files; do
	rounds=$(wc -l <"$T_TMP/$T_LOAD.rounds" || echo 0)
	before=$T_FAILED
	load_end "$T_LOAD, $rounds rounds" 120
	lost=$((lost + T_FAILED - before))
done
before=$T_FAILED
kill -9 "$second" 2>/dev/null || true
poll_until 20 gone "$second"
second_check
check "what nobody wrote to is as it was" same "$T_TMP/data" "$raw" $((160 << 20))
check "umount" umount "$T_TMP/fs"
check "the file system is whole" e2fsck -fn "$(dev "$BDF0" 2)"
dd if="$raw" of="$T_TMP/start" bs=1M count=1 iflag=direct status=none
is "every CPU reads" "$(cpus_differ 20 "$raw" 1024 "$T_TMP/start")" ""
lost=$((lost + T_FAILED - before))
for what in "${names[@]}"; do
	printf '# %-14s %d\n' "$what" "${count[$what]:-0}"
done
is "the judges have no complaint" "$(device_stat violations) $(device_of 1 stats | sed -n 's/^violations //p')" "0 0"
total=0
for n in "${count[@]}"; do
	total=$((total + n))
done
note "$SECONDS seconds, SEED=$seed, $total events, $acknowledged writes acknowledged on the second controller: lost $lost"
