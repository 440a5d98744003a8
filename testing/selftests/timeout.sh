#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# description: a command that the device does not finish in time: abort, reset, the I/O retried, its data right; the recorder
# vm: -c 4 -d size=128M,queues=4 --trace pci_nvme_mmio_start_success @MONITOR@
# kernels: 6.1 7.2 debug
# time: 20
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "$0")/lib.sh"

# QEMU 11.1 aborts what it is asked to, as soon as the throttle lets go of it.
T_TRACE_ALLOW='pci_nvme_err_req_status .* status 0x7 '

# QEMU's throttle holds a request back for as long as the budget needs. When
# the controller is disabled QEMU lets held requests finish; afterwards, the
# throttle is taken off and the retry is as quick as any other.
# The strict device forgets them; it would give them back when asked to, and is
# kept from that here (aborts that work are faults.sh's).
restarted() { [ "$(seen enables)" -gt "$1" ]; }
throttle() {
	if ! strict; then
		monitor "block_set_io_throttle nvme0-1 $1 0 0 0 0 0"
	elif [ "$1" -gt 0 ]; then
		lie "when io then delay 600s"
		lie "when abort then status success"
	else
		device unlie all
	fi
}

load io_timeout=1 plan=default=4
disk=$(disk "$BDF0") node=$(dev "$BDF0")
random_file "$T_TMP/data" $((8 << 20))
put "$T_TMP/data" "$node" 0
seen_mark

for what in read write; do
	log_mark
	before=$(seen enables)
	throttle 16384
	# The first megabyte passes and eats the budget of a minute.
	dd if="$node" of=/dev/null bs=256k count=4 iflag=direct status=none &
	eater=$!
	case $what in
	read) background dd if="$node" of="$T_TMP/got" bs=64k skip=64 count=16 iflag=direct ;;
	write) background dd if="$T_TMP/data" of="$node" bs=64k seek=64 count=16 oflag=direct conv=notrunc ;;
	esac
	check "$what: the controller is enabled anew within 15 s" poll_until 15 restarted "$before"
	throttle 0
	check "$what: the caller ends" poll_until 20 gone "$BG"
	rc=0
	wait "$BG" || rc=$?
	is "$what: without an error" "$rc" 0
	wait "$eater" || not_ok "$what: the other reader ends without an error"
	case $what in
	read) check "$what: the data is right" cmp "$T_TMP/got" <(tail -c +$((64 * 65536 + 1)) "$T_TMP/data" | head -c $((16 * 65536))) ;;
	write) check "$what: the data is right" cmp <(head -c $((16 * 65536)) "$T_TMP/data") \
		<(dd if="$node" bs=64k skip=64 count=16 iflag=direct status=none) ;;
	esac
	log_has "$what: the log tells of the command" "nvmq $BDF0: queue [1-4]: ${what^} of 128 blocks at LBA .*timed out after 1 s; CSTS=0x1: abort"
	# Of this one, or of the reader's.
	log_has "$what: and of what came then" "nvmq $BDF0: queue [1-4]: .* blocks at LBA .*timed out after 1 s; CSTS=0x1: reset"
	like "$what: debugfs incident tells the last" "$(head -n 1 "$DBG/$BDF0/incident")" "^queue [1-4]: .* blocks at LBA .*timed out after 1 s; CSTS=0x1: "
	like "$what: it has the commands of that queue" "$(<"$DBG/$BDF0/incident")" "SQ .*: CID 0x.* (Read|Write) .*prp"
	like "$what: and the abort" "$(<"$DBG/$BDF0/incident")" "queue 0: .*: CID 0x.* Abort "
	check "$what: live again" live "$BDF0"
	throttle 0
done

# A whole load in flight when the time is over.
log_mark
before=$(seen enables)
background fio --eta=never --name=load --filename="$node" --offset=32M --size="$(rounds 16)M" --rw=randrw --bs=4k --direct=1 \
	--ioengine=libaio --iodepth=64 --numjobs=4 --offset_increment=16M --verify=crc32c --do_verify=1
io_begun "$disk"
throttle 16384
check "load: the controller is enabled anew within 20 s" poll_until 20 restarted "$before"
throttle 0
check "load: the callers end" poll_until 40 gone "$BG"
rc=0
wait "$BG" || rc=$?
is "load: no error, all data verified" "$rc" 0
is "every CPU's queue works afterwards" "$(cpus_differ 10 "$node" 1024 "$T_TMP/data")" ""
is "the state is live" "$(state "$BDF0")" live
like "debugfs recorder has what was done last" "$(<"$DBG/$BDF0/recorder")" "queue 0: live.*queue 1: live, 0 outstanding; SQ tail.*CID 0x.* Read .*CQ .*CID 0x.*success"

# Aborts that the device never answers: with four it has as many as it takes, and what is lost after that is lost for good.
if strict; then
	reload io_timeout=1 admin_timeout=2 plan=default=4
	node=$(dev "$BDF0")
	log_mark
	lie "when abort then drop"
	lie "when read times 4 then delay 3s"
	readers=()
	for i in 0 1 2 3; do
		dd if="$node" of=/dev/null bs=4k skip="$i" count=1 iflag=direct status=none &
		readers+=("$!")
	done
	rc=0
	for reader in "${readers[@]}"; do
		wait "$reader" || rc=$?
	done
	is "aborts without an answer: the commands end by themselves" "$rc $(log_count 'reset: ')" "0 0"
	is "aborts without an answer" "$(log_count ': abort$')" 4
	lie "when read once then drop"
	background dd if="$node" of="$T_TMP/got" bs=64k count=1 iflag=direct
	check "aborts without an answer: a command that is lost ends" poll_until 15 gone "$BG"
	check "aborts without an answer: with the right data" cmp "$T_TMP/got" <(head -c 65536 "$T_TMP/data")
	log_has "aborts without an answer: by a reset" "nvmq $BDF0: .*reset done"
	device unlie all
fi
