#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# description: a reset after which the device grants other queues: fewer, more, of other types; no I/O is lost
# vm: -c 4 -d strict,size=256M,queues=8
# kernels: 6.1 7.2 debug
# time: 30
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "$0")/lib.sh"

# after_reset DESC GRANT WANT: the device drops a command, so that the driver
# resets it, and grants GRANT queues from then on
after_reset() {
	local desc=$1 grant=$2 want=$3 ready rc=0
	log_mark
	# Whoever flushes, all the time: the block layer's own requests for that have no bios that could be kept.
	background fio --eta=never --filename="$node" --size="$(rounds 8)M" --bs=4k --direct=1 --verify=crc32c --do_verify=1 \
		--verify_state_save=0 \
		--name=load --offset=32M --rw=randrw --ioengine=io_uring --iodepth=32 --numjobs=4 --offset_increment=32M "${FIO_MORE[@]}" \
		--name=flushing --size=2M --offset=16M --rw=randwrite --ioengine=libaio --iodepth=4 --fdatasync=1 --numjobs=4 --offset_increment=2M
	io_begun "$disk"
	device unlie all
	lie "when always then grant $grant"
	ready=$(device_stat enables)
	lie "when io once then drop"
	check "$desc: the controller is reset" poll_until 20 more_enables "$ready"
	check "$desc: the callers end" poll_until 60 gone "$BG"
	wait "$BG" || rc=$?
	is "$desc: without an error, all data verified" "$rc" 0
	[ "$rc" -eq 0 ] || note_file "$T_TMP/bg.out"
	check "$desc: live again" live "$BDF0"
	is "$desc: granted" "$(counts "$BDF0")" "$want"
	is "$desc: every CPU's queue works afterwards" "$(cpus_differ 20 "$node" 1024 "$T_TMP/data")" ""
	check "$desc: flush" blockdev --flushbufs "$node"
}
more_enables() { [ "$(device_stat enables)" -gt "$1" ]; }

device_stat enables >/dev/null
FIO_MORE=()
load io_timeout=1 plan=default=4
disk=$(disk "$BDF0") node=$(dev "$BDF0")
random_file "$T_TMP/data" $((8 << 20))
put "$T_TMP/data" "$node" 0
is "to begin with" "$(counts "$BDF0")" "4 0 0"
after_reset "the same" 8 "4 0 0"
after_reset "fewer" 2 "2 0 0"
after_reset "one" 1 "1 0 0"
after_reset "more again" 8 "4 0 0"

# What was a polled queue becomes one with an interrupt, and back.
device unlie all
reload io_timeout=1 plan=default=2,read=2,poll=2
disk=$(disk "$BDF0") node=$(dev "$BDF0")
is "three types" "$(counts "$BDF0")" "2 2 2"
FIO_MORE=(--hipri=1)
after_reset "polled I/O, fewer" 3 "1 1 1"
after_reset "polled I/O, more" 8 "2 2 2"
# Who polls a disk that has no queue for it any more gets EOPNOTSUPP, as on any disk.
FIO_MORE=()
after_reset "three types, one queue" 1 "1 0 0"
after_reset "three types, all again" 8 "2 2 2"
check "the data is what it was" same "$T_TMP/data" "$node" 0
