#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# description: lies by chance, seed by seed: after mild ones no error and nothing lost; after any others all has ended and the disk works again
# vm: -c 4 -d strict,size=64M,ns=2,queues=4,raw=to:2,raw=crto:0,raw=msi:8 -- mild @SEEDS@
# vm: -c 4 -d strict,size=64M,ns=2,queues=4,raw=to:2,raw=crto:0,raw=msi:8 -- wild @SEEDS@
# kernels: 7.2
# time: 60
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "$0")/lib.sh"

# An I/O may be sent six times, each for io_timeout and a reset that may take seconds.
[ ! -w /proc/sys/kernel/hung_task_timeout_secs ] || echo 60 >/proc/sys/kernel/hung_task_timeout_secs

kind=$1 seeds=${2:-1..5} mild="" patience=1
if [ "$kind" = mild ]; then
	mild=" mild" patience=5
fi
first=${seeds%..*} last=${seeds#*..}
plans=("default=cpu" "default=2,read=1,poll=1" "default=1,depth=16" "default=3,poll=1,irq=msi")
BLOCKS=131072
random_file "$T_TMP/data" $((1 << 20))

# What the device may have told: by these lies, what is read or written meanwhile may be wrong
# without the driver's fault, and by those of a namespace what was there may be lost.
SPOILT='wrong-data|data-after-completion|status success|garbage|namespace|wrong-cid'

cat >"$T_TMP/trims" <<'SCRIPT'
set -e
for ((i = 0; i < 3; i++)); do
	blkdiscard -o 32M -l 8M "$1"
	blkdiscard -z -o 40M -l 1M "$1"
done
SCRIPT

BAD=""
bad() { BAD+="${BAD:+; }$*"; }

# work_begin OPTION...: writes of several kinds, verified, and discards beside them
work_begin() {
	local polled=0
	# A disk without a queue for it refuses polled I/O, also one that has none any more after a reset.
	if [ "$(granted "$BDF0" poll 2>/dev/null)" != 0 ] && { [ "$kind" != mild ] || ! device lies | grep -q 'grant'; }; then
		polled=1
	fi
	background fio --eta=never --verify_state_save=0 --filename="$node" --direct=1 --verify=crc32c --do_verify=1 \
		--runtime=10 "$@" \
		--name=a --ioengine=libaio --iodepth=16 --rw=randwrite --bs=4k --offset=16M --size=1M --fdatasync=16 \
		--name=b --ioengine=io_uring --iodepth=32 --rw=randwrite --bsrange=512-64k --blockalign=512 --offset=20M --size=4M \
		--name=c --ioengine=io_uring --iodepth=8 --rw=randwrite --bs=4k --offset=24M --size=1M --hipri=$polled \
		--name=d --ioengine=psync --rw=randwrite --bs=16k --offset=28M --size=1M --fsync=4
	LOAD=$BG
	# Its output is its own: that of fio is looked at.
	setsid bash "$T_TMP/trims" "$node" >"$T_TMP/trim.out" 2>&1 &
	TRIM=$!
	T_BG+=("$TRIM")
}

# work_end SECONDS: sets LOAD_RC, TRIM_RC
work_end() {
	LOAD_RC=0 TRIM_RC=0
	if ! poll_until "$1" gone "$LOAD" || ! poll_until "$1" gone "$TRIM"; then
		bad "I/O does not end: state $(state "$BDF0" 2>&1)"
		# Who waits for what; it is no use to go on.
		echo w >/proc/sysrq-trigger
		verdict
		exit 1
	fi
	wait "$LOAD" || LOAD_RC=$?
	wait "$TRIM" || TRIM_RC=$?
}

# verdict: one point for the seed
verdict() {
	local count
	count=$(device_stat violations)
	if [ "$count" -ne 0 ]; then
		bad "$count violations: $(device violations | tr '\n' ';')"
		device clear
	fi
	if ! log_clean; then
		bad "the kernel log has a complaint"
	fi
	if [ -z "$BAD" ]; then
		ok "$WHAT"
	else
		not_ok "$WHAT: $BAD"
		sed 's/^/# lie: /' "$T_TMP/lies"
		note_file "$T_TMP/bg.out"
		log_since | sed -n 's/.*nvmq /#   nvmq /p' | tail -n 40
	fi
}

# readers CHECK: the CPUs that cannot read, or do not get what was written if CHECK is set
readers() {
	local cpu
	[ -z "$1" ] || { cpus_differ 60 "$node" 1024 "$T_TMP/data" 2>/dev/null; return; }
	for cpu in $(online_cpus); do
		timeout 60 taskset -c "$cpu" dd if="$node" of=/dev/null bs=64k count=4 iflag=direct status=none 2>/dev/null || echo "$cpu"
	done
}

# mild_lies: those that are told already are borne without an error
mild_lies() {
	local differ
	io_begun "$disk" || bad "no I/O is done"
	# Queues are granted anew.
	echo 1 >"/sys/bus/pci/devices/$BDF0/nvmq/reset" || bad "reset fails"
	work_end 60
	[ "$LOAD_RC" -eq 0 ] || bad "fio: $LOAD_RC"
	[ "$TRIM_RC" -eq 0 ] || bad "discards: $TRIM_RC: $(head -n 1 "$T_TMP/trim.out")"
	device lies >"$T_TMP/lies"
	device unlie all
	is_state "$BDF0" live || bad "state $(state "$BDF0")"
	differ=$(readers check)
	[ -z "$differ" ] || bad "wrong on CPU $differ"
}

# revive: unbind and bind, of a controller that is dead, or that no driver has
revive() {
	if bound "$BDF0"; then
		timeout 60 dd if=<(echo "$BDF0") of="$DRV/unbind" status=none || bad "unbind: $?"
	fi
	device now back
	device arm
	timeout 60 dd if=<(echo "$BDF0") of="$DRV/bind" status=none || bad "bind: $?"
	ready "$BDF0" || bad "not live, or no disk, after unbind and bind"
}
is_settled() { ! bound "$BDF0" || is_state "$BDF0" live || is_state "$BDF0" dead; }
# Without a queue there is no disk, and none comes but by another probe.
has_queues() { [ "$(granted "$BDF0" default)" -gt 0 ]; }

# wild_lies: whatever was told, all ends, and the disk works after it
wild_lies() {
	local check=1 differ
	if [ -n "$node" ]; then
		work_end 120
	fi
	device lies >"$T_TMP/lies"
	device unlie all
	if [ -n "$node" ] && ! grep -Eq "$SPOILT" "$T_TMP/lies" && grep -q 'verify: bad' "$T_TMP/bg.out"; then
		bad "what was written without an error reads wrong"
	fi
	if grep -q 'namespace 1 .*told [1-9]' "$T_TMP/lies"; then
		device namespace 1 gone
		device namespace 1 new $BLOCKS
		check=""
	fi
	poll_until 60 is_settled || bad "state $(state "$BDF0")"
	if bound "$BDF0" && is_state "$BDF0" live && has_queues; then
		# Now it may notice that the device is gone, or was reset.
		dd if=<(echo 1) of="/sys/bus/pci/devices/$BDF0/nvmq/rescan" status=none 2>/dev/null || true
		if node=$(dev "$BDF0"); then
			timeout 60 dd if="$node" of=/dev/null bs=64k count=4 iflag=direct status=none 2>/dev/null || true
		fi
		poll_until 60 is_settled || bad "state $(state "$BDF0")"
	fi
	if ! bound "$BDF0" || ! is_state "$BDF0" live || ! has_queues; then
		revive
	fi
	if ! poll_until "$T_PATIENCE" t_is_ready "$BDF0"; then
		bad "state $(state "$BDF0"), disks: $(disks)"
		revive
	fi
	node=$(dev "$BDF0") || { bad "no disk"; return; }
	differ=$(readers "$check")
	[ -z "$differ" ] || bad "wrong on CPU $differ"
	random_file "$T_TMP/more" 262144
	{ put "$T_TMP/more" "$node" $((48 << 20)) && same "$T_TMP/more" "$node" $((48 << 20)); } 2>/dev/null ||
		bad "cannot be written"
	is_state "$BDF0" live || bad "at the end: state $(state "$BDF0")"
}

tell() {
	local lie
	for lie; do
		lie "$lie"
	done
}

# try WHAT SEED LIE...: the lies are told from the probe on if SEED is odd, else after it
try() {
	local seed=$2
	WHAT=$1 BAD=""
	shift 2
	log_mark
	: >"$T_TMP/bg.out"
	! loaded || unload
	# It may be gone, or give all ones, and the driver has not looked. After that it takes the next host for firmware.
	device now back
	device arm
	# The data of before; a first load in any case.
	load_module io_timeout="$patience" admin_timeout=2 "plan=${plans[seed % 4]}"
	if ! ready "$BDF0"; then
		bad "not ready at the start"
		: >"$T_TMP/lies"
		verdict
		return
	fi
	node=$(dev "$BDF0")
	put "$T_TMP/data" "$node" 0
	if ((seed % 2)); then
		echo "$BDF0" >"$DRV/unbind"
		tell "$@"
		dd if=<(echo "$BDF0") of="$DRV/bind" status=none 2>/dev/null || true
		poll_until 20 t_is_ready "$BDF0" || [ "$kind" = wild ] || bad "not ready"
		node=$(dev "$BDF0") || node=""
	else
		tell "$@"
	fi
	disk=${node##*/}
	case $kind in
	mild) work_begin; mild_lies ;;
	*) [ -z "$node" ] || work_begin --continue_on_error=all; wild_lies ;;
	esac
	verdict
}

# Kept seeds: those that once showed a fault in driver, test or device, as what they told.
if [ "$kind" = wild ] && [ -z "${2:-}" ]; then
	try "kept, 24: registers give all ones while I/O goes on" 24 "when register doorbell write nth 435 once then all-ones"
	try "kept, 83: phase tags that let completions of a queue wait" 83 "when flush probability 3.4% seed 993635 then delay 15803ms" \
		"when io every 115 then wrong-phase" "when io every 400 then status invalid-firmware-image dnr"
fi

for ((seed = first; seed <= last; seed++)); do
	note "seed $seed"
	try "$kind lies by seed $seed" "$seed" "lies by seed $seed$mild"
done
