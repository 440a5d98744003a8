#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# description: two controllers: plans by PCI address, I/O on both, one goes while the other works
# vm: -c 4 -d size=256M,queues=4,serial=first -d size=128M,queues=4,serial=second
# kernels: 6.12
# time: 15
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "$0")/lib.sh"

load
is "the first by address" "$(attr "$BDF0" serial) $(bytes "$(disk "$BDF0")")" "first $((256 << 20))"
is "the second by address" "$(attr "$BDF1" serial) $(bytes "$(disk "$BDF1")")" "second $((128 << 20))"
is "names differ" "$(disks | sed 's/n[0-9]*$//' | sort -u | paste -sd' ')" "nvme0 nvme1"
random_file "$T_TMP/a" $((16 << 20))
random_file "$T_TMP/b" $((16 << 20))
put "$T_TMP/a" "$(dev "$BDF0")" 0
put "$T_TMP/b" "$(dev "$BDF1")" 0

plans() { echo "$(granted "$1" default) $(granted "$1" read) $(granted "$1" poll) $(granted "$1" depth)"; }

check "general plan, another for one by its address" reload "plan=default=1; $BDF1 default=2,poll=1,depth=64"
is "the first has the general one" "$(plans "$BDF0" | cut -d' ' -f1-3)" "1 0 0"
is "the second has its own" "$(plans "$BDF1")" "2 0 1 64"
check "short address, the other order" reload "plan=${BDF0#0000:} read=1 default=1 depth=32;default=3"
is "the first has its own" "$(plans "$BDF0")" "1 1 0 32"
is "the second has the general one" "$(plans "$BDF1" | cut -d' ' -f1-3)" "3 0 0"
check "of two for the same address the last wins, and they do not merge" \
	reload "plan=$BDF0 default=1,depth=16;$BDF0 default=2;default=4 depth=8"
is "default=2 from the last, depth from none" "$(plans "$BDF0" | cut -d' ' -f1-3)" "2 0 0"
check "depth is the usual one" test "$(granted "$BDF0" depth)" -gt 16
is "the second" "$(plans "$BDF1")" "4 0 0 8"
check "an address alone is the default plan" reload "plan=default=1;$BDF1"
is "the first" "$(granted "$BDF0" default)" 1
is "the second" "$(granted "$BDF1" default)" 4
check "an address that is not there does no harm" reload "plan=0000:7f:00.0 default=1"
is "both have the default plan" "$(granted "$BDF0" default)$(granted "$BDF1" default)" 44

check "the first kept its content" same "$T_TMP/a" "$(dev "$BDF0")" 0
check "the second kept its content" same "$T_TMP/b" "$(dev "$BDF1")" 0
check "verified I/O on both at once" fio --eta=never \
	--name=a --filename="$(dev "$BDF0")" --offset=32M --size=24M --rw=randwrite --bs=4k --direct=1 \
	--ioengine=libaio --iodepth=16 --verify=crc32c --do_verify=1 \
	--name=b --filename="$(dev "$BDF1")" --offset=32M --size=24M --rw=randwrite --bs=8k --direct=1 \
	--ioengine=io_uring --iodepth=16 --verify=crc32c --do_verify=1

node=$(dev "$BDF0")
background fio --eta=never --name=a --filename="$node" --offset=32M --size=24M --rw=randrw --bs=4k --direct=1 \
	--ioengine=libaio --iodepth=16 --verify=crc32c --do_verify=1 --loops=2
io_begun "$(basename "$node")"
name=$(disk "$BDF1")
echo "$BDF1" >"$DRV/unbind"
check_fails "the second's disk is gone" test -e "/dev/$name"
echo "$BDF1" >"$DRV/bind"
check "and comes back" ready "$BDF1"
is "under the same name" "$(disk "$BDF1")" "$name"
check "with its content" same "$T_TMP/b" "$(dev "$BDF1")" 0
rc=0
wait "$BG" || rc=$?
is "the first's I/O never noticed" "$rc" 0
check "the first kept its content" same "$T_TMP/a" "$(dev "$BDF0")" 0
