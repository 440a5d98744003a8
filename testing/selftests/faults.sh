#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# description: under verified load, again and again: commands and completions that are lost, late, twice, out of order, wrong; fatal status, resets, queues refused, garbage, removal, namespaces
# vm: -c 4 -d strict,size=64M,queues=4,raw=to:1,raw=crto:0,raw=acl:7 -- commands
# vm: -c 4 -d strict,size=64M,ns=2,queues=4,raw=to:1,raw=crto:0 -- controller @TIMES@
# kernels: 7.2
# time: 120
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "$0")/lib.sh"

# The second argument multiplies what takes its time: make check T=faults TIMES=5
more=${2:-1}

# Each line "# fault NAME: injected N, lost N" is a row of the table in Documentation/testing.rst.

sys=/sys/bus/pci/devices/$BDF0
random_file "$T_TMP/data" $((1 << 20))

# work_begin: verified I/O of about three seconds on all types of queues
work_begin() {
	local polled=0
	[ "$(granted "$BDF0" poll)" -eq 0 ] || polled=1
	background fio --eta=never --verify_state_save=0 --filename="$node" --direct=1 --verify=crc32c --do_verify=1 --size=2M --bs=4k \
		--verify_backlog=128 \
		--name=a --ioengine=libaio --iodepth=64 --rw=randwrite --offset=16M \
		--name=b --ioengine=io_uring --iodepth=64 --rw=randrw --offset=20M \
		--name=c --ioengine=io_uring --iodepth=16 --rw=randwrite --offset=24M --hipri=$polled \
		--name=d --ioengine=libaio --iodepth=16 --rw=randwrite --offset=28M --bs=16k --fdatasync=32
}

# work_end: it has ended, without an error; what is not so is in BAD
BAD="" LOST=0 FAULT=""
bad() { BAD+="${BAD:+; }$*"; }
work_end() {
	local rc=0
	if ! poll_until 90 gone "$BG"; then
		bad "I/O does not end, state $(state "$BDF0")"
		echo w >/proc/sysrq-trigger
		kill -9 -- "-$BG"
	fi
	wait "$BG" || rc=$?
	[ "$rc" -eq 0 ] || bad "fio: status $rc"
	LOST=$((LOST + $(grep -c 'verify: bad' "$T_TMP/bg.out" || true)))
}

# told: how often the first of the device's lies was told
told() { device lies | sed -n '1s/.*told //p'; }

fault_begin() {
	FAULT=$1 BAD="" LOST=0
	log_mark
}

# fault_end INJECTED WANTED REGEX: the device behaves; what has to hold then
fault_end() {
	local differ violations
	device unlie all
	poll_until "$T_PATIENCE" t_is_live "$BDF0" || bad "state $(state "$BDF0")"
	differ=$(cpus_differ 20 "$node" 1024 "$T_TMP/data" 2>/dev/null)
	[ -z "$differ" ] || bad "data of before is wrong on CPUs: ${differ//$'\n'/ }"
	LOST=$((LOST + $(wc -w <<<"$differ")))
	[ "$LOST" -eq 0 ] || bad "lost: $LOST"
	[ "$1" -ge "$2" ] || bad "injected $1 of $2 times"
	[ -z "$3" ] || t_log_grep "nvmq $BDF0: .*($3)" || bad "no line in the log matches: $3"
	violations=$(device violations)
	# Nobody can consume an entry that has the wrong phase tag; a slow machine's time-out comes too late for the judge.
	[ "$FAULT" != "wrong phase tag" ] || violations=$(grep -v IRQ_UNCONSUMED <<<"$violations" || true)
	[ -z "$violations" ] || bad "violations: $violations"
	[ "$(device_stat violations)" -eq 0 ] || device clear
	note "fault $FAULT: injected $1, lost $LOST"
	is "$FAULT" "$BAD" ""
	if [ -n "$BAD" ]; then
		note_file "$T_TMP/bg.out"
		log_since | sed -n 's/.*nvmq /#   nvmq /p' | tail -n 30
	fi
}

# heard: the next line about a completion that is none will be in the log. The kernel lets ten of them through in 5 s, and the
# fault before may have had them.
heard() {
	local last
	last=$(dmesg | sed -n 's/^\[ *\([0-9.]*\)\] nvmq .*: completion of CID.*/\1/p' | tail -n 1)
	awk -v last="${last:-0}" '{ exit $1 < last + 6 }' /proc/uptime
}

# told_under_load NAME TIMES REGEX LIE...: the first lie is told so often while verified load runs,
# and no I/O fails; a line of the log matches
told_under_load() {
	local name=$1 times=$2 re=$3 count=0 runs
	shift 3
	fault_begin "$name"
	for lie; do
		lie "$lie"
	done
	for ((runs = 0; runs < 20 && count < times && !${#BAD}; runs++)); do
		work_begin
		work_end
		count=$(told)
	done
	fault_end "$count" "$times" "$re"
}

# told_to_one NAME REGEX LIE: the lie is told twice while CPU 2 alone reads; that ends well, and the log says so in no more
# than a line for each
told_to_one() {
	local lines
	fault_begin "$1"
	lie "$3"
	timeout 30 taskset -c 2 dd if="$node" of=/dev/null bs=4096 count=16 iflag=direct status=none || bad "a read fails"
	lines=$(log_count "nvmq $BDF0: .*($2)")
	[ "$lines" -le 2 ] || bad "$lines lines in the log"
	fault_end "$(told)" 2 "$2"
}

# done_under_load NAME TIMES REGEX COMMAND...: the same for what the test does itself
done_under_load() {
	local name=$1 times=$2 re=$3 count=0
	shift 3
	fault_begin "$name"
	while [ "$count" -lt "$times" ] && [ -z "$BAD" ]; do
		work_begin
		io_begun "$disk" || bad "no I/O is done"
		while alive "$BG" && [ "$count" -lt "$times" ] && [ -z "$BAD" ]; do
			"$@"
			count=$((count + 1))
		done
		work_end
	done
	fault_end "$count" "$times" "$re"
}

reset() { echo 1 >"$sys/nvmq/reset" || bad "reset fails"; }

# The second, third or fourth queue is refused, so that there are one to three.
reset_refusing() {
	device unlie all
	lie "when $1 nth $((count % 3 + 2)) then refuse-create"
	reset
	[ "$(told)" -eq 1 ] || bad "not told"
}

is_told() { [ "$(told)" -gt 0 ]; }

# One at a time is wrong, and none of them matters.
garbage=(sn mn fr "rtd3e value 0xffffffff" "awupf value 0xffff" "mdts value 1" "noiob value 0xffff" "npwg value 0x1234"
	"oncs value 0" "sgls value 0" "nn value 0xffffffff" "nlbaf value 63" "nows value 0xffff")
reset_with_garbage() {
	device unlie all
	lie "when always then garbage ${garbage[count % ${#garbage[@]}]}"
	reset
	# Namespaces are identified when the reset is done.
	poll_until "$T_PATIENCE" is_told || bad "not told: ${garbage[count % ${#garbage[@]}]}"
}

no_disk() { ! disk "$BDF0" "$1" >/dev/null; }
reattach() {
	device namespace 2 gone
	poll_until "$T_PATIENCE" no_disk 2 || bad "its disk stays"
	device namespace 2 new 131072
	poll_until "$T_PATIENCE" t_is_ready "$BDF0" 2 || bad "it has no disk"
}
has_sectors() { [ "$(sectors "$disk")" -eq "$1" ]; }
resize() {
	local blocks=$((count % 2 ? 131072 : 65536 + 1024 * count))
	device namespace 1 resized "$blocks"
	poll_until "$T_PATIENCE" has_sectors "$blocks" || bad "the disk has $(sectors "$disk") sectors, not $blocks"
}
cannot_unload() {
	! rmmod nvmq 2>/dev/null || bad "rmmod succeeds"
}

is_settled() { ! bound "$BDF0" || is_state "$BDF0" live || is_state "$BDF0" dead; }
can_be_used() { t_is_ready "$BDF0" && dd if="$(dev "$BDF0")" of=/dev/null bs=4096 count=1 iflag=direct status=none; }

# recover: the device is as it should be; whoever is in charge does what is documented
recover() {
	device unlie all
	poll_until "$T_PATIENCE" is_settled || bad "state $(state "$BDF0")"
	# A device that was gone takes the next host for firmware.
	device arm
	if bound "$BDF0" && is_state "$BDF0" live && [ "$(granted "$BDF0" default)" -gt 0 ]; then
		echo 1 >"$sys/nvmq/rescan" 2>/dev/null || true
		poll_until "$T_PATIENCE" can_be_used || bad "it is live and cannot be used"
		return
	fi
	! bound "$BDF0" || echo "$BDF0" >"$DRV/unbind"
	device now back
	device arm
	echo "$BDF0" >"$DRV/bind"
	poll_until "$T_PATIENCE" can_be_used || bad "cannot be used after unbind and bind"
}

# survived NAME TIMES COMMAND...: I/O may fail, but nothing is lost that was acknowledged
survived() {
	local name=$1 times=$2 count=0 now result others
	shift 2
	fault_begin "$name"
	rm -f "$T_TMP/ledger"
	while [ "$count" -lt "$times" ] && [ -z "$BAD" ]; do
		log_mark
		background "$TOOLS/acked" write "$node" $((8 << 20)) 1024 "$T_TMP/ledger"
		io_begun "$disk" || bad "no I/O is done"
		INJECTED=1
		"$@"
		count=$((count + INJECTED))
		recover
		kill -TERM "$BG" 2>/dev/null || true
		poll_until 60 gone "$BG" || bad "writes do not end"
		wait "$BG" || bad "the writer fails"
		node=$(dev "$BDF0") disk=${node##*/}
		result=$("$TOOLS/acked" check "$node" $((8 << 20)) 1024 "$T_TMP/ledger" 2>"$T_TMP/bg.out") || bad "acknowledged, lost: $result"
		LOST=$((LOST + ${result##* }))
	done
	# A host that believes garbage asks for namespaces and events that there are not: no fault of its own.
	if [ "$name" = "garbage anywhere in Identify" ]; then
		others=$(device violations | grep -vE 'NSID_INVALID|FEAT_VALUE' || true)
		[ -z "$others" ] || bad "violations: $others"
		device clear
	fi
	fault_end "$count" "$times" ""
}
# A reset that gives the controller up fails, as it should.
try_reset() { dd if=<(echo 1) of="$sys/nvmq/reset" status=none 2>/dev/null || true; }
rebind() {
	echo "$BDF0" >"$DRV/unbind"
	echo "$BDF0" >"$DRV/bind"
}
reset_with_rubbish() {
	lie "when identify probability 40% seed $count then garbage 0..4095"
	try_reset
	poll_until "$T_PATIENCE" t_log_grep 'nvmq .*(reset done|given up)' || bad "the reset does not end"
	# The namespaces are looked for when it is done.
	is_state "$BDF0" dead || echo 1 >"$sys/nvmq/rescan" 2>/dev/null || true
	INJECTED=$(told)
}
never_ready() {
	lie "when event enable once then rdy stuck"
	try_reset
	poll_until "$T_PATIENCE" t_log_grep 'nvmq .*given up' || bad "not given up"
}
gone_for() {
	device now gone back after "$1"
	poll_until "$T_PATIENCE" t_log_grep 'nvmq .*(reset done|given up)' || bad "not noticed"
}

case $1 in
commands)
	load io_timeout=1 admin_timeout=2 "plan=default=2 read=1 poll=1"
	node=$(dev "$BDF0") disk=$(disk "$BDF0")
	put "$T_TMP/data" "$node" 0
	# That often each command in a row of tries is hit by chance, an error would be in order.
	often="every 23 times 100"
	while IFS='|' read -r name times re lies; do
		IFS=';' read -ra lies <<<"$lies"
		told_under_load "$name" "${times:-100}" "$re" "${lies[@]}"
	done <<-ROWS
		error that may pass|||when io $often then status internal
		error, to be retried later|||when io $often then status command-interrupted crd=1
		late, within the time-out|||when io $often then delay 300ms
		late, beyond the time-out||timed out|when io $often then delay 1.5s
		command dropped||timed out|when io $often then drop
		done, completion dropped||timed out|when io $often then drop executed
		stuck, abort obeyed||abort|when io $often then delay 600s
		stuck, abort refused||timed out|when io $often then delay 600s;when abort then status abort-limit dnr
		stuck, abort dropped||timed out|when io $often then delay 600s;when abort then drop
		completed twice||completion of CID|when io $often then twice
		completed again later|||when io $often then twice after 2ms
		reordered|||when io $often then reorder 5 within 50ms
		wrong CID||timed out|when io $often then wrong-cid
		wrong submission queue|||when io $often then wrong-sq
		wrong phase tag|20|timed out|when io every 23 times 20 then wrong-phase
		lost interrupt|||when io $often then no-interrupt
		spurious interrupt|||when io $often then spurious-interrupt 2
		lost doorbell write|||when register doorbell write queue 1 $often then drop
	ROWS
	# Four submission queues complete into one ring; queue 3, that of CPU 2, is not the one whose ring it is.
	echo default=4 share=4 >"$sys/nvmq/plan"
	queues_read "$BDF0"
	is "shared: all have one completion queue" "${Q_CQ[1]} ${Q_CQ[2]} ${Q_CQ[3]} ${Q_CQ[4]}, ${CPU_DEFAULT[2]}" "1 1 1 1, 3"
	often="every 23 times 20"
	while IFS='|' read -r name re lies; do
		poll_until 20 heard
		told_under_load "$name" 20 "$re" "$lies"
	done <<-ROWS
		shared: no such submission queue|of a queue that does not complete here|when io $often then wrong-sq
		shared: wrong CID|which no command has|when io $often then wrong-cid
		shared: completed twice|which no command has|when io $often then twice
		shared: lost interrupt||when io $often then no-interrupt
	ROWS
	poll_until 20 heard
	told_to_one "shared: another queue, which is idle" "queue 2: completion of CID .*, which no command has .SQ 2," \
		"when io queue 3 nth 3..4 then wrong-sq 2"
	told_to_one "shared: lost interrupt, alone" "queue 3: completion found without an interrupt" \
		"when io queue 3 nth 3..4 then no-interrupt"
	;;
controller)
	load io_timeout=1 admin_timeout=2
	node=$(dev "$BDF0") disk=$(disk "$BDF0")
	put "$T_TMP/data" "$node" 0
	done_under_load "reset by sysfs" $((50 * more)) 'reset done' reset
	done_under_load "completion queue refused" $((10 * more)) 'Completion Queue [234] refused' reset_refusing create-cq
	done_under_load "submission queue refused" $((10 * more)) 'Submission Queue [234] refused' reset_refusing create-sq
	reset
	done_under_load "garbage in Identify, borne" $((13 * more)) '' reset_with_garbage
	told_under_load "fatal status" $((3 * more)) 'CSTS=0x3' "when io every 200 times $((3 * more)) then cfs"
	done_under_load "namespace detached and attached" $((20 * more)) 'namespace 2 is gone' reattach
	done_under_load "namespace resized" $((20 * more)) '' resize

	mkfs.ext4 -q "$(dev "$BDF0" 2)"
	mount_at "$(dev "$BDF0" 2)" "$T_TMP/mnt"
	cp "$T_TMP/data" "$T_TMP/mnt/data"
	done_under_load "rmmod while mounted" $((30 * more)) '' cannot_unload
	check "the file system has what was written" cmp "$T_TMP/data" "$T_TMP/mnt/data"
	umount "$T_TMP/mnt"

	survived "unbind and bind" $((8 * more)) rebind
	survived "garbage anywhere in Identify" $((8 * more)) reset_with_rubbish
	survived "never ready" $((2 * more)) never_ready
	survived "gone for 0.3 s" $((2 * more)) gone_for 300ms
	survived "gone for 2 s" $((2 * more)) gone_for 2s
	;;
esac
