#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# description: suspend to idle and to memory, and hibernation as far as an image that is made and thrown away, under verified load
# vm: @MONITOR@ -c 4 -d size=256M,queues=4 --qemu -global --qemu ICH9-LPC.disable_s3=0 --trace pci_nvme_mmio_shutdown_set
# kernels: 6.12
# time: 70
ASLEEP_ARGS=("$@")
# shellcheck source-path=SCRIPTDIR source=asleep.bash
. "$(dirname "$0")/asleep.bash"

# QEMU's clock wakes a machine from S3 only. From suspend to idle a key does: QEMU lets go of it after some time, and a
# row of them is a row of events, one of which comes when the machine is asleep.
keys() {
	local i
	monitor "info status"
	for i in 1 2 3 4; do
		t_qmp '{"execute":"send-key","arguments":{"keys":[{"type":"qcode","data":"shift"}],"hold-time":1500}}'
	done
}
rtc=/sys/class/rtc/rtc0
alarm() {
	local now
	now=$(<"$rtc/since_epoch")
	echo 0 >"$rtc/wakealarm"
	echo "$((now + $1))" >"$rtc/wakealarm"
	ALARM=$((now + $1))
}

# asleep WORD: to the given state and back; the kernel says EBUSY if something woke it on the way down
asleep() {
	local tries lpc
	for ((tries = 0; tries < 3; tries++)); do
		case $1 in
		freeze) keys ;;
		mem)
			alarm 5
			lpc=$(setpci -s 1f.0 40.l 44.b | xargs) ;;
		esac
		if echo "$1" >/sys/power/state; then
			[ "$1" = mem ] || return 0
			note "$lpc, then $(setpci -s 1f.0 40.l 44.b | xargs)"
			# The reset has taken the ACPI registers from their place, and the firmware does not put them back: without them
			# the machine can neither sleep again nor switch off.
			setpci -s 1f.0 "40.l=${lpc% *}" "44.b=${lpc#* }"
			[ "$(<"$rtc/since_epoch")" -ge "$ALARM" ] || { note "it did not sleep until the alarm"; return 1; }
			return 0
		fi
	done 2>"$T_TMP/asleep"
	note "$(tail -n 1 "$T_TMP/asleep")"
	return 1
}

# The keyboard's driver would reset the keyboard at each resume, and the next suspend might come in between: it goes.
for port in /sys/devices/platform/i8042/serio*; do
	printf manual >"$port/bind_mode"
	printf none >"$port/drvctl"
	echo enabled >"$port/power/wakeup"
done
[ -d /sys/power ] || skip_all "this kernel cannot suspend"
load io_timeout=10 "plan=default=3 poll=1"
disk=$(disk "$BDF0") node=$(dev "$BDF0")
random_file "$T_TMP/data" $((4 << 20))
put "$T_TMP/data" "$node" $((64 << 20))

# round DESC TIMES COMMAND...: a suspend with I/O in flight, of which the device is told so many times
round() {
	local desc=$1 times=$2
	shift 2
	check "$desc: I/O runs" io_begun "$disk"
	seen_mark
	shares_off
	check "$desc: down and up again" "$@"
	shares_on
	check "$desc: live" live "$BDF0"
	check "$desc: I/O goes on" io_begun "$disk"
	within "$desc: shutdowns that the device saw" "$(seen shutdowns)" "$times" $((times * 3))
}

# tested LEVEL WORD: as far down as LEVEL, where the kernel waits for some seconds, and up again
tested() {
	local rc=0
	echo "$1" >/sys/power/pm_test
	dd if=<(echo "$2") of=/sys/power/state status=none || rc=1
	echo none >/sys/power/pm_test
	return "$rc"
}

load_begin --filename="$node"
for i in 1 2; do
	round "to idle, $i" 1 asleep freeze
done
if strict; then
	# The kernel stops what user space asked for before it suspends the device, but not this reset, which takes 3 s.
	lie "when event enable once then rdy late 3s"
	device event type 0 info 3 log 1
	round "to idle while a reset runs" 1 asleep freeze
else
	for i in 1 2; do
		round "to memory, $i" 1 asleep mem
	done
fi
echo platform >/sys/power/disk
# In seconds; older kernels have no such knob.
[ ! -e /sys/module/hibernate/parameters/pm_test_delay ] || echo 1 >/sys/module/hibernate/parameters/pm_test_delay
round "hibernation, devices only" 1 tested devices disk
round "hibernation, up to the image" 1 tested platform disk
load_end "suspended under load"
check "what was there before is there" same "$T_TMP/data" "$node" $((64 << 20))
