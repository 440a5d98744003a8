#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# description: registers that lie: CAP zero or all ones, never ready, fatal, stuck, no page size or command set, silent, vanishing
# vm: -c 2 -a iomem=relaxed -d size=64M,queues=2 --qemu -device --qemu ati-vga,addr=0x18
# kernels: 6.12
# device: qemu
# time: 30
# The cases are also lies of the strict device, in probe-lies.sh; here no program but the driver has a say.
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "$0")/lib.sh"

# A graphics card whose first BAR is 16 MiB of plain memory and which has an
# interrupt pin stands in for a controller: what this script stores there is
# what the driver reads as registers.
fake=0000:00:18.0
dir=/sys/bus/pci/devices/$fake
echo 1 >"$dir/enable"
bar=$(awk 'NR == 1 { print $1 }' "$dir/resource")
put32() { busybox devmem $((bar + $1)) 32 "$2"; }
get32() { busybox devmem $((bar + $1)) 32; }

CAP=0x00 CAP_HI=0x04 VS=0x08 CC=0x14 CSTS=0x1c

# registers CAP CAP_HI CC CSTS
registers() {
	local at
	for ((at = 0; at < 0x40; at += 4)); do
		put32 "$at" 0
	done
	put32 $CAP "$1"
	put32 $CAP_HI "$2"
	put32 $VS 0x00010400
	put32 $CC "$3"
	put32 $CSTS "$4"
}

# fed COMMAND...: runs COMMAND when the driver sets CC.EN, in the background
fed() {
	(
		deadline=$((SECONDS + 20))
		while [ "$SECONDS" -lt "$deadline" ]; do
			if [ $(($(get32 $CC) & 1)) -eq 1 ]; then
				"$@"
				exit 0
			fi
		done
	) &
	FEEDER=$!
}
all_ones() {
	local at
	for ((at = 0; at < 0x40; at += 4)); do
		put32 "$at" 0xffffffff
	done
}

t_settled() { ! bound "$fake" || is_state "$fake" dead; }

# ready_when_enabled: RDY follows EN, as in a device that works
ready_when_enabled() {
	put32 $CSTS 1
	while [ $(($(get32 $CC) & 1)) -eq 1 ]; do :; done
	put32 $CSTS 0
}

# probed DESC REGEX SECONDS [LINES]: the driver tries the device, gives up
# within SECONDS, and says why in LINES lines at most (one)
probed() {
	local desc=$1 begun=$SECONDS lines
	log_mark
	echo "$fake" >"$DRV/bind" 2>/dev/null || true
	if poll_until 40 t_settled; then
		ok "$desc: given up"
	else
		not_ok "$desc: given up (state $(state "$fake"))"
	fi
	within "$desc: seconds it took" $((SECONDS - begun)) 0 "$3"
	log_has "$desc: and why" "nvmq $fake: .*($2)"
	lines=$(log_since | grep "nvmq $fake" | grep -vc 'probe.*failed with error' || true)
	within "$desc: lines in the log" "$lines" 1 "${4:-1}"
	[ -z "${FEEDER:-}" ] || { kill "$FEEDER" 2>/dev/null || true; wait "$FEEDER" || true; }
	FEEDER=
	if bound "$fake"; then
		echo "$fake" >"$DRV/unbind"
	fi
	check "$desc: the true controller does not care" zeroes "$(dev "$BDF0")" 0 65536
}

FEEDER=
load admin_timeout=2
echo nvmq >"$dir/driver_override"
# 1024 entries, contiguous, 1 s to become ready; NVM command set, 4 KiB pages.
good=0x020103ff good_hi=0x20
slow=0x3c0103ff # 30 s

registers 0 0 0 0
probed "CAP is zero" 'CAP|MQES' 3
all_ones
probed "all ones" 'gone|absent|not present|removed|ones|answer' 3
registers 0x02010000 $good_hi 0 0
probed "MQES 0" 'MQES|entr' 3
registers $good 0x00110020 0 0
probed "pages of 8 KiB at least" 'MPSMIN|page' 3
registers $good 0 0 0
probed "no command set" 'CSS|command set' 3
registers $good $good_hi 0 0
probed "never ready" 'ready|RDY' 6
registers $good $good_hi 0x00460001 1
# It does not let go at the second attempt either, when the driver gives up:
# bus mastering is taken away.
probed "enabled by the firmware, never disabled" 'ready|RDY|disable' 6 4
registers $slow $good_hi 0 0
fed put32 $CSTS 2
probed "fatal while it is enabled" 'CFS|fatal' 6
registers $slow $good_hi 0 0
fed all_ones
probed "vanishes while it is enabled" 'gone|absent|not present|removed|ones|answer' 6
registers $good $good_hi 0 0
# What timed out, and what it was needed for
fed ready_when_enabled
probed "ready, but no admin command is answered" 'Identify|time|admin' 15 2
# Strides that put the doorbells of the first queue behind the end of the BAR
# cannot be had with 16 MiB; those that leave room for a few can.
registers $good 0x2f 0 0
fed ready_when_enabled
probed "wide doorbells, silent" 'Identify|time|admin' 15 2

echo >"$dir/driver_override"
check "reload" reload
check "the true controller" zeroes "$(dev "$BDF0")" 0 65536
