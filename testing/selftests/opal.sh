#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# description: disks that lock themselves (TCG Opal), by the kernel's ioctls: owned, locked, unlocked, after resets and suspends too
# vm: -c 2 -d strict,size=64M,queues=2,raw=oacs:0x1b,raw=opal:1 -d strict,size=64M,queues=2,raw=oacs:0x1b -d strict,size=64M,queues=2
# kernels: 6.1 6.12 7.2
# time: 30
ASLEEP_ARGS=("$@")
# shellcheck source-path=SCRIPTDIR source=asleep.bash
. "$(dirname "$0")/asleep.bash" opal

opal() { timeout 60 "$TOOLS/opal" "$@" 2>&1 || true; }
# Of device N: commands of that kind
sent() { device_of "$1" stats | awk -v key="admin-$2" '$1 == key { n = $2 } END { print n + 0 }'; }
# More to the first one than $sent
more_sent() { [ "$(sent 0 security-send)" -gt "$sent" ]; }
BDF2=0000:00:12.0

load plan=default=2
node=$(dev "$BDF0") disk=$(disk "$BDF0")
ng=/dev/ng${disk#nvme}

# --- who has it

SUPPORTED=1 LOCKING=2 ENABLED=4 LOCKED=8
is "it has Opal, not in use" "$(opal "$node" status)" $((SUPPORTED | LOCKING))
is "by the character device as well" "$(opal "$ng" status)" $((SUPPORTED | LOCKING))
is "not by the controller's" "$(opal "/dev/${disk%n1}" status)" ENOTTY
like "a disk with security commands, and without Opal" "$(opal "$(dev "$BDF1")" status)" '^E(OP)?NOTSUPP$'
is "was asked for its protocols, and no more" "$(sent 1 security-receive)" 1
like "a disk without these commands" "$(opal "$(dev "$BDF2")" status)" '^E(OP)?NOTSUPP$'
is "was asked nothing" "$(sent 2 security-receive)" 0
like "a user's" "$(timeout 20 setpriv --reuid=65534 --clear-groups "$TOOLS/opal" "$node" status 2>&1 || true)" \
	': Permission denied$'
chmod a+r "$node"
is "who may read it, but is no administrator" \
	"$(timeout 20 setpriv --reuid=65534 --clear-groups "$TOOLS/opal" "$node" status 2>&1 || true)" EACCES

# --- owned and divided

# 2048 blocks from 4096 on
random_file "$T_TMP/data" $((1 << 20))
put "$T_TMP/data" "$node" $((4096 * 512))
put "$T_TMP/data" "$node" $((16384 * 512))
is "owned" "$(opal "$node" own secret)" 0
like "not a second time" "$(opal "$node" own other)" '^([1-9]|E)'
like "the Locking SP, with a wrong key" "$(opal "$node" activate wrong)" '^([1-9]|E)'
is "with the right one" "$(opal "$node" activate secret)" 0
is "its status says so" "$(opal "$node" status)" $((SUPPORTED | LOCKING | ENABLED))
is "a range" "$(opal "$node" range secret 1 4096 2048)" 0
check "is not locked by that" same "$T_TMP/data" "$node" $((4096 * 512))

# --- locked and unlocked

read_at() { dd if="$node" of=/dev/null bs=4096 skip=$(($1 / 8)) count=1 iflag=direct; }
write_at() { dd if="$T_TMP/data" of="$node" bs=4096 seek=$(($1 / 8)) count=1 oflag=direct conv=notrunc; }
# locked DESC
locked() {
	local at
	for at in 4096 6136; do
		check_fails "$1: block $at is not read" read_at "$at"
		check_fails "$1: nor written" write_at "$at"
	done
	for at in 4088 6144; do check "$1: block $at is" read_at "$at"; done
	is "$1: the status" "$(opal "$node" status)" $((SUPPORTED | LOCKING | ENABLED | LOCKED))
}
open() {
	check "$1: the range is read" same "$T_TMP/data" "$node" $((4096 * 512))
	check "$1: and written" write_at 4096
}
like "to lock it with a wrong key" "$(opal "$node" lock wrong 1)" '^([1-9]|E)'
open "after that"
log_mark
is "locked" "$(opal "$node" lock secret 1)" 0
locked "locked"
log_has "the log says why" "nvmq $BDF0: queue .*: Read of 8 blocks at LBA 4096, .*failed: access denied"
like "to unlock it with a wrong key" "$(opal "$node" unlock wrong 1)" '^([1-9]|E)'
locked "after that"
is "for writing only" "$(opal "$node" read-only secret 1)" 0
check "it is read" read_at 4096
check_fails "and not written" write_at 4096
is "unlocked" "$(opal "$node" unlock secret 1)" 0
open "unlocked"

# --- resets forget nothing, a suspend may

sys=/sys/bus/pci/devices/$BDF0
is "the kernel keeps the key" "$(opal "$node" save secret 1)" 0
is "locked, in spite of that" "$(opal "$node" lock secret 1)" 0
echo 1 >"$sys/nvmq/reset"
check "reset" live "$BDF0"
locked "after a reset"
is "unlocked again" "$(opal "$node" unlock secret 1)" 0
if [ -w /sys/power/pm_test ] && grep -q freeze /sys/power/state; then
	echo devices >/sys/power/pm_test
	load_begin --filename="$node" --offset=2M --size=1M
	io_begun "$disk"
	before=$(device_stat shutdowns)
	sent=$(sent 0 security-send)
	shares_off
	check "sleeps, and wakes up" dd if=<(echo freeze) of=/sys/power/state status=none
	shares_on
	is "the disk was told, and locked itself" "$(device_stat shutdowns)" $((before + 1))
	check "and was unlocked" more_sent
	io_begun "$disk"
	load_end "who wrote to the range meanwhile"
	put "$T_TMP/data" "$node" $((4096 * 512))
	open "after the suspend"
	echo none >/sys/power/pm_test
else
	skip "suspend" "this kernel cannot try it"
fi

# --- a session that a reset ends; a controller that does not answer

lie "when security-send once then drop"
sent=$(sent 0 security-send)
"$TOOLS/opal" "$node" lock secret 1 >"$T_TMP/lock" &
one=$!
wait_for "a command of Opal's is with the device" more_sent
echo 1 >"$sys/nvmq/reset"
wait "$one" || :
like "it ends with the reset" "$(<"$T_TMP/lock")" '^(E|[1-9])'
check "live" live "$BDF0"
device unlie all
is "and the next one works" "$(opal "$node" lock secret 1)" 0
locked "by that"
is "unlocked once more" "$(opal "$node" unlock secret 1)" 0

# --- power has gone

reload plan=default=2
node=$(dev "$BDF0")
locked "after the driver has shut it down"
is "unlocked by its key" "$(opal "$node" unlock secret 1)" 0
open "by that"
is "to the state of the factory, with a wrong key" "$(opal "$node" revert wrong | grep -c '^[1-9E]')" 1
is "and with the right one" "$(opal "$node" revert secret)" 0
is "nobody owns it" "$(opal "$node" status)" $((SUPPORTED | LOCKING))

# --- a device that answers with an error, or not at all

unload
lie "when security-receive once then status invalid-field dnr"
load
like "who does not list its protocols has no Opal" "$(opal "$(dev "$BDF0")" status)" '^E(OP)?NOTSUPP$'
check "and works" zeroes "$(dev "$BDF0")" $((32 << 20)) 65536
unload
device unlie all
log_mark
lie "when security-receive once then drop"
load_module admin_timeout=1
log_has "without an answer it does not come up" "nvmq $BDF0: Opal: no answer: error -110"
check_fails "and is not bound" bound "$BDF0"
device unlie all
echo "$BDF0" >"$DRV/bind"
check "the next time it is" ready "$BDF0"
is "with Opal" "$(opal "$(dev "$BDF0")" status)" $((SUPPORTED | LOCKING))
is "the judge has no complaint" "$(device_stat violations) $(device_of 1 stats | awk '$1 == "violations" { print $2 }')" "0 0"
