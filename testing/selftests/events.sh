#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# description: asynchronous events: namespaces that change under load and under a file system, health, errors, new firmware, a flood
# vm: -c 4 -d strict,size=128M,ns=2,queues=4
# kernels: 6.12 7.2
# time: 20
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "$0")/lib.sh"

has_sectors() { [ "$(sectors "$(disk "$BDF0" "$1")")" -eq "$2" ]; }
no_disk() { ! disk "$BDF0" "$1"; }
requests() { device_stat admin-async-event; }
more_requests() { [ "$(requests)" -gt "$1" ]; }

load io_timeout=5
node=$(dev "$BDF0" 1) disk=$(disk "$BDF0" 1)
is "one request is with the device" "$(requests)" 1

check "mkfs" mkfs.ext4 -q "$node"
mount_at "$node" "$T_TMP/mnt"
background fio --eta=never --name=load --directory="$T_TMP/mnt" --size=8M --rw=randrw --bs=4k --direct=1 --ioengine=libaio \
	--iodepth=16 --numjobs=4 --verify=crc32c --do_verify=1 --verify_state_save=0 --loops=2
io_begun "$disk"
log_mark
device namespace 1 resized 524288
wait_for "resized under a mounted file system: the disk has the new size" has_sectors 1 524288
check "the file system grows" resize2fs "$node"
device namespace 2 gone
wait_for "the second namespace is detached: no disk" no_disk 2
log_has "and the log says so" "nvmq $BDF0: namespace 2 is gone"
device namespace 2 new 65536
wait_for "it is attached again: a disk" ready "$BDF0" 2
check "that works" zeroes "$(dev "$BDF0" 2)" 0 65536
check "the load ends" poll_until 60 gone "$BG"
rc=0
wait "$BG" || rc=$?
is "without an error, all data verified" "$rc" 0
umount "$T_TMP/mnt"
check "the file system is whole" e2fsck -fn "$node"
is "nothing was reset for that" "$(log_count 'reset:')" 0

# Namespaces come and go while the queues do.
plan=/sys/bus/pci/devices/$BDF0/nvmq/plan
change_plans() {
	local i
	for ((i = 0; i < 24; i++)); do
		echo "default=$((i % 2 ? 4 : 1))" >"$plan" || return 1
	done
}
change_plans &
changer=$!
while ! gone "$changer"; do
	device namespace 2 gone
	device namespace 2 new 65536
done
rc=0
wait "$changer" || rc=$?
is "plans while namespaces come and go" "$rc" 0
wait_for "the second namespace is there at the end" ready "$BDF0" 2
check "and works" zeroes "$(dev "$BDF0" 2)" 0 65536

log_mark
device temperature 400
log_has "too hot: the log says so" "nvmq $BDF0: health: 127 C.*temperature"
device temperature 300
before=$(requests)
device event type 0 info 4 log 1
log_has "a transient error: the log says so" "nvmq $BDF0: the device reports: transient internal error"
check "the next request is with the device" poll_until 5 more_requests "$before"

# The page was read just now: what the device says meanwhile is told once, and looked at later.
pages() { device_stat admin-get-log-page; }
more_pages() { [ "$(pages)" -gt "$1" ]; }
before=$(pages)
device event 40 type 1 info 0 log 2
check "a flood: the disk works" zeroes "$(dev "$BDF0" 2)" 0 65536
check "a flood: the page is read" poll_until 15 more_pages "$before"
log_has "a flood: the log says so" "nvmq $BDF0: health: .* no warning"
within "a flood: pages read" $(($(pages) - before)) 1 2

# What the driver has no use for may lose by being read: user space does that.
before=$(pages) requested=$(requests)
log_mark
device event type 7 info 1 log 0xc0
log_has "an event of the vendor: the log says so" "nvmq $BDF0: event of type 7, info 0x1, log page 0xc0"
check "an event of the vendor: the next request is with the device" poll_until 5 more_requests "$requested"
is "an event of the vendor: its page is left alone" "$(pages)" "$before"
is "live" "$(state "$BDF0")" live

# The device processes nothing while CSTS.PP (bit 5) is set: 20 looks at it, or some 400 ms.
log_mark
lie "when register CSTS read times 20 then value 0x21"
device event type 2 info 1 log 3
log_has "new firmware: I/O waits" "nvmq $BDF0: .*firmware is being activated"
begun=$(date +%s%N)
check "a read waits and ends" dd if="$node" of=/dev/null bs=4096 count=1 iflag=direct status=none
within "ms that it took" $((($(date +%s%N) - begun) / 1000000)) 100 5000
is "live" "$(state "$BDF0")" live
device unlie all

log_mark
device event type 0 info 3 log 1
log_has "a persistent error: the controller is reset" "nvmq $BDF0: .*reset done"
before=$(requests)
device namespace 2 resized 32768
wait_for "after the reset events are heard again" has_sectors 2 32768
check "and one request is with the device" poll_until 5 more_requests "$before"

# One that comes back without an event would do so again and again.
log_mark
device event type 0 info 0 log 0
log_has "no event: the log says so" "nvmq $BDF0: a request for events came back without one"
echo 1 >"/sys/bus/pci/devices/$BDF0/nvmq/reset"
device event type 0 info 4 log 1
log_has "after a reset there are events again" "nvmq $BDF0: the device reports: transient internal error"
is "no event: once" "$(log_count 'came back without one')" 1

# Requests that the device refuses are not made again and again.
lie "when async-event then status invalid-opcode dnr"
log_mark
check "a device without events: loads" reload
log_has "and the log says so" "nvmq $BDF0: Asynchronous Event Request ended"
within "requests" "$(log_count 'Asynchronous Event Request ended')" 1 2
check "the disk works" zeroes "$(dev "$BDF0" 2)" 0 65536
device unlie all
lie "when set-features feature 11 then status invalid-field dnr"
check "events cannot be configured: loads" reload
check "the disk works" zeroes "$(dev "$BDF0" 2)" 0 65536
is "the judge has no complaint" "$(device_stat violations)" 0
