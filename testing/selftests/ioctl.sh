#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# description: the ioctls and io_uring's commands: each does what it says, others are refused, hostile ones do no harm
# vm: -c 2 -a kmemleak=on -a log_buf_len=16M -d strict,size=64M,queues=4,raw=nssrs:on -d size=64M,queues=4 -- @TIMES@
# kernels: 6.1 7.2
# time: 60
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "$0")/lib.sh"

# What hostile commands make QEMU say is meant.
# shellcheck disable=SC2034
T_TRACE_ALLOW='.'

finds_leaks=""
if [ -w "$KMEMLEAK" ] && echo scan 2>/dev/null >"$KMEMLEAK"; then
	finds_leaks=1
	leaks >/dev/null
	leaks_forget
	# It tells the log as well, also of those that are the kernel's. What it has found is looked at by the end.
	T_LOG_BAD=${T_LOG_BAD/kmemleak|/}
fi

load "plan=default=2 poll=1"
ns=$(dev "$BDF0") disk=$(disk "$BDF0")
ng=/dev/ng${disk#nvme} ctrl=/dev/${disk%n1}
bs=$(queue "$disk" logical_block_size)
per=$((4096 / bs))

# what [32] ARGUMENT...: what the program prints, or its 32-bit twin; whether it succeeds is in that
what() {
	local tool=ioctl
	[ "$1" != 32 ] || { tool=ioctl32 && shift; }
	timeout 60 "$TOOLS/$tool" "$@" 2>&1 || true
}
# The debug kernels run no such programs.
twins=("")
if zcat /proc/config.gz 2>/dev/null | grep -q '# CONFIG_IA32_EMULATION is not set'; then
	skip "32-bit programs" "this kernel runs none"
else
	twins+=(32)
fi

# lbas AT COUNT: the dwords that say so
lbas() { echo "cdw10=$1 cdw11=0 cdw12=$(($2 - 1))"; }

is "id is the namespace" "$(what "$ns" id) $(what "$ng" id)" "1 1"

# --- reads, writes and compares by each door, beside what the block layer reads and writes

at=1024
# door_works DEVICE DOOR WORD... [-- OPTION...]: one point
door_works() {
	local device=$1 door=$2 bad="" got before=("${@:3}") after=() range other
	while [ "$#" -gt 2 ] && [ "$1" != -- ]; do shift; done
	if [ "$1" = -- ]; then
		after=("${@:2}")
		before=("${before[@]:0:${#before[@]}-${#after[@]}-1}")
	fi
	random_file "$T_TMP/data" 8192
	at=$((at + 64))
	range=$(lbas "$at" $((2 * per))) other=$(lbas 0 $((2 * per)))
	# shellcheck disable=SC2086 # words are meant
	{
		got=$(what "${before[@]}" "$device" "$door" opcode=1 nsid=1 $range in="$T_TMP/data" "${after[@]}")
		[ "$got" = "0 0" ] || bad+=" write:$got"
		same "$T_TMP/data" "$ns" $((at * bs)) || bad+=" not-there"
		got=$(what "${before[@]}" "$device" "$door" opcode=2 nsid=1 $range len=8192 out="$T_TMP/got" "${after[@]}")
		[ "$got" = "0 0" ] || bad+=" read:$got"
		cmp "$T_TMP/data" "$T_TMP/got" >/dev/null || bad+=" read-other"
		got=$(what "${before[@]}" "$device" "$door" opcode=5 nsid=1 $other in="$T_TMP/data" "${after[@]}")
		# Compare Failure, do not retry
		[[ $got =~ ^0x[0-9a-f]?285\  ]] || [[ $got =~ ^0x4285\  ]] || bad+=" compare:$got"
	}
	is "$device $door${before[*]:+ ${before[*]}}${after[*]:+ ${after[*]}}: write, read, compare" "$bad" ""
}
random_file "$T_TMP/data" 8192
put "$T_TMP/data" "$ns" 0
for device in "$ns" "$ng"; do
	door_works "$device" submit
	door_works "$device" io64
	door_works "$device" io
	door_works "$device" vec -- parts=2
done
door_works "$ns" vec -- parts=64
door_works "$ctrl" io
door_works "$ng" uring-io
door_works "$ng" uring-vec -- parts=2
door_works "$ng" uring-vec -- parts=16
door_works "$ng" uring-io -- fixed=1
door_works "$ng" uring-io -- poll=1
door_works "$ng" uring-io -- poll=1 fixed=1
door_works "$ng" uring-vec -- poll=1 parts=32
if [ "${#twins[@]}" -gt 1 ]; then
	is "32-bit, id is the namespace" "$(what 32 "$ns" id) $(what 32 "$ng" id)" "1 1"
	door_works "$ns" submit 32
	door_works "$ng" submit 32
	door_works "$ns" io 32
	door_works "$ng" io64 32
	door_works "$ns" vec 32 -- parts=2
	door_works "$ng" uring-io 32 -- fixed=1
	door_works "$ng" uring-vec 32 -- parts=16
fi

# longer DOOR...: a read of two pages into a buffer of five, by a page's end; the rest of it stays as it is
longer() {
	local got bad=""
	rm -f "$T_TMP/got"
	# shellcheck disable=SC2046 # words are meant
	got=$(what "${@:1:$# - 1}" opcode=2 nsid=1 $(lbas 0 $((2 * per))) len=20480 out="$T_TMP/got" ${!#})
	[ "$got" = "0 0" ] && cmp -n 8192 "$T_TMP/data" "$T_TMP/got" >/dev/null || bad+=" read:$got"
	cmp -n 12288 <(tail -c +8193 "$T_TMP/got") /dev/zero >/dev/null || bad+=" the-rest-too"
	is "a buffer longer than what is read: $*" "$bad" ""
}
put "$T_TMP/data" "$ns" 0
bad=""
for len in 512 4096 4608 8192 12288 65536 262144; do
	random_file "$T_TMP/data" "$len"
	range=$(lbas 4096 $((len / bs)))
	# shellcheck disable=SC2086 # words are meant
	got=$(what "$ng" uring-io opcode=1 nsid=1 $range in="$T_TMP/data" fixed=1)
	[ "$got" = "0 0" ] && same "$T_TMP/data" "$ns" $((4096 * bs)) || bad+=" write-$len:$got"
	# shellcheck disable=SC2086
	got=$(what "$ng" uring-io opcode=2 nsid=1 $range len="$len" out="$T_TMP/got" fixed=1)
	[ "$got" = "0 0" ] && cmp -s "$T_TMP/data" "$T_TMP/got" || bad+=" read-$len:$got"
done
is "a little of a large registered buffer, and all of it" "$bad" ""
random_file "$T_TMP/data" 8192
put "$T_TMP/data" "$ns" 0
longer "$ns" io parts=1
longer "$ns" vec parts=3
longer "$ng" uring-io fixed=1
longer "$ng" uring-vec parts=7
[ "${#twins[@]}" = 1 ] || longer 32 "$ng" io64 parts=1

# --- admin commands

is "admin: Identify Controller" "$(what "$ctrl" admin opcode=6 cdw10=1 len=4096 out="$T_TMP/id")" "0 0"
like "it has the serial number" "$(dd if="$T_TMP/id" bs=1 skip=4 count=20 status=none)" "^$(attr "$BDF0" serial) *\$"
bad=""
hows=("$ctrl admin64" "$ns admin" "$ng admin64" "$ctrl uring-admin" "$ctrl uring-admin fixed=1" "$ctrl uring-admin-vec parts=4")
[ "${#twins[@]}" = 1 ] || hows+=("32 $ctrl admin" "32 $ns admin64" "32 $ctrl uring-admin" "32 $ctrl uring-admin-vec parts=4")
for how in "${hows[@]}"; do
	opts="" door=$how
	[[ $how != *=* ]] || opts=${how##* } door=${how% *}
	rm -f "$T_TMP/got"
	# shellcheck disable=SC2086
	got=$(what $door opcode=6 cdw10=1 len=4096 out="$T_TMP/got" $opts)
	[ "$got" = "0 0" ] && cmp -s "$T_TMP/id" "$T_TMP/got" || bad+=" $how:$got"
done
is "the same by all doors" "$bad" ""
like "Get Features: its value is the result" "$(what "$ctrl" admin64 opcode=0xa cdw10=7)" "^0 0x[0-9a-f]+\$"
# Three pages, and so a PRP list: 0fffh dwords of a log
is "a log of more than two pages" "$(what "$ctrl" admin opcode=2 nsid=0xffffffff cdw10=$((0xbff << 16 | 2)) len=12288)" "0 0"
is "a log of two pages, and a buffer of four" "$(what "$ctrl" admin opcode=2 nsid=0xffffffff cdw10=$((0x7ff << 16 | 2)) len=16384)" "0 0"
like "a status of the device is what comes back" "$(what "$ctrl" admin opcode=6 cdw10=0x7f len=4096)" "^0x[0-9a-f]+ "

# --- what is refused

log_mark
bad="" count=0
for words in opcode=0 opcode=1 opcode=4 opcode=5 opcode=0xc opcode=0x18 opcode=0x7c "opcode=9 cdw10=7" "opcode=9 cdw10=0xd" \
	"opcode=9 cdw10=0xf" "opcode=9 cdw10=0x16" "opcode=9 cdw10=0x80000019"; do
	# shellcheck disable=SC2086
	got=$(what "$ctrl" admin $words len=4096)
	[ "$got" = EPERM ] || bad+=" $words:$got"
	count=$((count + 1))
done
is "what the driver relies on" "$bad" ""
like "in the log, but not all of it" "$(log_count 'of user space, cdw10 .*: refused: .* are the driver')" '^([1-9]|1[0-2])$'
# refuses DESC ERRNO ARGUMENT...
refuses() { is "refused: $1" "$(what "${@:3}")" "$2"; }
refuses "another namespace" EINVAL "$ns" io opcode=2 nsid=2 cdw12=0 len=4096
refuses "all namespaces" EINVAL "$ng" io opcode=0 nsid=0xffffffff
refuses "fused" EINVAL "$ns" io opcode=2 nsid=1 flags=1 len=4096
refuses "metadata" EINVAL "$ns" io opcode=2 nsid=1 metadata=4096 metadata_len=8 len=4096
refuses "a buffer shorter than what is read" EINVAL "$ns" io opcode=2 nsid=1 cdw12=$((2 * per - 1)) len=4096
refuses "no buffer" EINVAL "$ns" io opcode=2 nsid=1 cdw12=0
refuses "a range list shorter than it says" EINVAL "$ns" io opcode=9 nsid=1 cdw10=255 cdw11=4 len=4080
refuses "a log longer than the buffer" EINVAL "$ctrl" admin opcode=2 nsid=0xffffffff cdw10=$((0x3ff << 16 | 2)) len=4092
refuses "Identify, 512 bytes" EINVAL "$ctrl" admin opcode=6 cdw10=1 len=512
refuses "an address that is none" EFAULT "$ns" io opcode=2 nsid=1 cdw12=$((per - 1)) addr=4096 data_len=4096
refuses "an address of the kernel" EFAULT "$ns" io opcode=2 nsid=1 cdw12=$((per - 1)) addr=0xffff888000000000 data_len=4096
refuses "too long" EINVAL "$ns" io opcode=2 nsid=1 cdw12=$((1024 * per - 1)) len=4194304
refuses "too long, admin" EINVAL "$ctrl" admin opcode=6 cdw10=1 len=4194304
refuses "submit, of a flush" EINVAL "$ns" submit opcode=0
refuses "reset by the disk" ENOTTY "$ns" reset
refuses "io_uring on the disk's admin commands" ENOTTY "$ng" uring-admin opcode=6 cdw10=1 len=4096
# Newer kernels do not poll for what cannot be polled.
like "admin commands of a ring that polls" \
	"$(what "$ctrl" uring-admin opcode=6 cdw10=1 len=4096 poll=1)" '^(EOPNOTSUPP|0 0)$'

# --- who is no administrator

read_one="opcode=2 nsid=1 cdw10=0 cdw11=0 cdw12=$((per - 1)) len=4096"
write_one="opcode=1 nsid=1 cdw10=0 cdw11=0 cdw12=$((per - 1)) len=4096"
# shellcheck disable=SC2086
{
	is "a user reads" "$(what as-user "$ns" io $read_one) $(what as-user "$ng" uring-io $read_one ro=1)" "0 0 0 0"
	is "a user writes" "$(what as-user "$ns" io $write_one) $(what as-user "$ng" uring-io $write_one)" "0 0 0 0"
	refuses "a user's write, opened to read" EACCES as-user "$ns" io $write_one ro=1
	refuses "the same by io_uring" EACCES as-user "$ng" uring-io $write_one ro=1
	is "root may" "$(what "$ns" io $write_one ro=1)" "0 0"
	is "a user's Identify" "$(what as-user "$ns" admin opcode=6 cdw10=0 nsid=1 len=4096)" "0 0"
	refuses "a user's list of namespaces" EACCES as-user "$ns" admin opcode=6 cdw10=2 len=4096
	refuses "a user's log" EACCES as-user "$ctrl" admin opcode=2 nsid=0xffffffff cdw10=$((0x7f << 16 | 2)) len=512
	refuses "a user's command of the vendor" EACCES as-user "$ns" io opcode=0x80 nsid=1
	refuses "a user's command that the device does not have" EACCES as-user "$ns" io opcode=0x7e nsid=1 len=4096
	# A device that does not say so changes what is on it all the same.
	lie "when get-log-page log 5 then garbage 1056..1059 value 1"
	is "reset" "$(what "$ctrl" reset)" "0 0"
	refuses "a user's Write Zeroes, opened to read" EACCES as-user "$ng" io opcode=8 nsid=1 cdw12=0 ro=1
	is "opened to write" "$(what as-user "$ng" io opcode=8 nsid=1 cdw12=0)" "0 0"
	device unlie all
	is "reset" "$(what "$ctrl" reset)" "0 0"
	refuses "a user's reset" EACCES as-user "$ctrl" reset
	refuses "a user's rescan" EACCES as-user "$ctrl" rescan
	refuses "a user's reset of the subsystem" EACCES as-user "$ctrl" subsys-reset

	parted -s "$ns" mklabel gpt mkpart data 1MiB 5MiB
	wait_for "there is a partition" test -b "${ns}p1"
	refuses "a user's read by a partition" EACCES as-user "${ns}p1" io $read_one
	refuses "a user's Identify by a partition" EACCES as-user "${ns}p1" admin opcode=6 cdw10=0 nsid=1 len=4096
	is "root's" "$(what "${ns}p1" io $read_one)" "0 0"
}

# --- time-outs, resets and plans meanwhile

# shellcheck disable=SC2086
{
	log_mark
	lie "when read once then delay 600s"
	like "a command that is late is aborted" "$(what "$ns" io $read_one timeout_ms=1000)" '^(0x[4-7]?007 |0x7 )'
	log_has "and in the log" 'queue [0-9]+: command 0x02 \(Read\) of user space, 4096 bytes.*timed out after 1 s.*: abort'
	lie "when read once then drop"
	is "one that is lost ends in a reset" "$(what "$ns" io $read_one timeout_ms=1000)" ETIMEDOUT
	wait_for "and the controller is live" is_state "$BDF0" live
	lie "when read once then delay 600s"
	"$TOOLS/ioctl" "$ng" io $read_one >"$T_TMP/one" &
	one=$!
	lie "when read once then delay 600s"
	"$TOOLS/ioctl" "$ng" uring-io $read_one >"$T_TMP/two" &
	two=$!
	outstanding() { [ "$(grep -c 'outstanding$' "$DBG/$BDF0/recorder")" -ge 2 ]; }
	wait_for "two commands are with the device" outstanding
	is "reset" "$(what "$ctrl" reset)" "0 0"
	wait "$one" || :
	wait "$two" || :
	is "what was with the device ends" "$(cat "$T_TMP/one" "$T_TMP/two" | xargs)" "EINTR EINTR"
	is "and works again" "$(what "$ng" io $read_one)" "0 0"
	log_mark
	lie "when get-log-page once then drop"
	is "an admin command that is late" \
		"$(what "$ctrl" admin opcode=2 nsid=1 cdw10=$((0x7f << 16 | 2)) len=512 timeout_ms=1000)" ETIMEDOUT
	log_has "ends in a reset" "reset done"
	wait_for "the controller is live" is_state "$BDF0" live
	is "reset of the subsystem" "$(what "$ctrl" subsys-reset)" "0 0"
	is "rescan" "$(what "$ctrl" rescan)" "0 0"

	bad=""
	for plan in "default=1" "default=3" "default=2 poll=1"; do
		for _ in 1 2 3 4 5 6; do what "$ns" io $read_one; done >"$T_TMP/reads" &
		one=$!
		echo "$plan" >"/sys/bus/pci/devices/$BDF0/nvmq/plan" || bad+=" plan:$plan"
		wait "$one"
		[ "$(sort -u "$T_TMP/reads")" = "0 0" ] || bad+=" $plan:$(sort -u "$T_TMP/reads" | xargs)"
	done
	is "commands while the plan changes" "$bad" ""
}

# --- fio

fio_ok "fio, io_uring_cmd: verified" --filename="$ng" --ioengine=io_uring_cmd --cmd_type=nvme --iodepth=16 --rw=randwrite \
	--bs=4k --size=2M --offset=16M --verify=crc32c --do_verify=1
queues_read "$BDF0"
raised=$(irq_sum default)
fio_ok "fio, io_uring_cmd, hipri, fixed buffers: verified" --filename="$ng" --ioengine=io_uring_cmd --cmd_type=nvme \
	--iodepth=8 --rw=randwrite --bs=4k --size=1M --offset=24M --verify=crc32c --do_verify=1 --hipri=1 --fixedbufs=1
within "without interrupts" $(($(irq_sum default) - raised)) 0 20

# --- Format: alone with the disk, which is found again

load_begin --filename="$ns" --offset=32M
io_begun "$disk"
is "Format under load, to the same blocks" "$(what "$ctrl" admin opcode=0x80 nsid=1 cdw10=0)" "0 0"
kill "$(<"$T_TMP/load.pid")" 2>/dev/null || :
wait "$(<"$T_TMP/load.pid")" 2>/dev/null || :
check "the disk is there" test -b "$ns"
check "and empty" zeroes "$ns" 0 65536

# --- hostile commands

# outside DEVICE: sums of what is before and behind the area that may change
from=$((16 << 20)) length=$((4 << 20))
outside() {
	head -c "$from" "$1" | cksum
	dd if="$1" bs=1M skip=$((from + length)) iflag=skip_bytes,direct status=none | cksum
}
# pins: pages of user space that are pinned, on kernels that count them
pins() { awk '/^nr_foll_pin_acquired/ { n += $2 } /^nr_foll_pin_released/ { n -= $2 } END { print n + 0 }' /proc/vmstat; }
# held: kB of memory that nothing could have back
held() {
	settle
	echo $(($(kib MemTotal) - $(free_kib) - $(kib Buffers) - $(kib Cached) - $(kib SReclaimable)))
}
seed=0 runs=${1:-1} count=$(rounds $((1000 / ${#twins[@]})))
held_before=$(held)
for bdf in "$BDF0" "$BDF1"; do
	node=$(dev "$bdf") name=$(disk "$bdf")
	random_file "$T_TMP/all" "$(bytes "$name")"
	put "$T_TMP/all" "$node" 0
	sum=$(outside "$node")
	block=$(queue "$name" logical_block_size) shift=0
	while [ $((1 << shift)) -lt "$block" ]; do shift=$((shift + 1)); done
	for ((run = 1; run <= runs; run++)); do
		for who in root user; do
			for twin in "${twins[@]}"; do
				seed=$((seed + 1))
				got=$(timeout 120 "$TOOLS/hostile$twin" "$seed" "$count" $((from / block)) $((length / block)) 1 \
					"$shift" "$who" "$node" "/dev/ng${name#nvme}" "/dev/${name%n1}" 2>&1 || true)
				like "$name, hostile, $who${twin:+, $twin-bit}, seed $seed" "$got" "^done $count fine [1-9][0-9]* "
				note "$got"
			done
		done
	done
	wait_for "$name: nothing is outstanding" test "$(grep -c ' [1-9][0-9]* outstanding; ' "$DBG/$bdf/recorder")" -le 1
	is "$name: live" "$(state "$bdf")" live
	is "$name: nothing has changed where nothing may" "$(outside "$node")" "$sum"
	fio_ok "$name: works" --filename="$node" --direct=1 --ioengine=io_uring --iodepth=8 --rw=randwrite --bs=4k --size=1M \
		--offset=16M --verify=crc32c --do_verify=1
done
# What is wrong with a command is the sender's business; its queue, identifier and data pointer are the driver's.
parts='^(DB_|SQE_(FUSED|FLAGS|PSDT|CID|CHANGED)|PRP1_|PRP2_(OFFSET|ZERO)|PRP_|SGL_|DMA_|MEM_|MAP_|CQ_|SQ_|QUEUE_|AER_|IRQ_)'
for n in 0 1; do
	t_port "nvmq.device$n" >/dev/null || continue
	is "device $n has nothing against the driver's part of them" "$(device_of $n violations | grep -E "$parts" || true)" ""
	device_of $n clear >/dev/null
done
no_pins() { [ "$(pins)" = 0 ]; }
wait_for "no page of user space is pinned for ever" no_pins
held_after=$(held)
note "$((seed * count)) commands, $((held_after - held_before)) kB of memory more are held"
within "memory that is held after them, kB" $((held_after - held_before)) -65536 8192
[ -z "$finds_leaks" ] || is "kmemleak finds no memory that is lost" "$(leaks | leaks_but_user_iov)" ""
check "the module can be unloaded" unload
