#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# description: unbind, bind and unload while I/O runs: all of it ends, errors reach the callers, data that was there stays
# vm: -c 4 -d size=256M,queues=4
# kernels: 6.1 7.2
# time: 30
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "$0")/lib.sh"

load "plan=default=3 poll=1"
random_file "$T_TMP/data" $((16 << 20))
put "$T_TMP/data" "$(dev "$BDF0")" $((128 << 20))

hammer() {
	background fio --eta=never --name=hammer --filename="$node" --size=64M --rw=randrw --bs=4k --direct=1 \
		--numjobs=4 --time_based --runtime=60 --group_reporting "$@"
}

for options in "--ioengine=libaio --iodepth=32" "--ioengine=io_uring --iodepth=16" "--ioengine=psync" \
	       "--ioengine=io_uring --hipri=1 --iodepth=8" "--ioengine=libaio --iodepth=256 --bs=64k" \
	       "--ioengine=psync --direct=0"; do
	check "ready: $options" ready "$BDF0"
	node=$(dev "$BDF0")
	# shellcheck disable=SC2086 # several words
	hammer $options
	check "I/O runs" io_begun "$(basename "$node")"
	begun=$SECONDS
	echo "$BDF0" >"$DRV/unbind"
	within "unbind returns, seconds" $((SECONDS - begun)) 0 10
	check "the callers end" poll_until 20 gone "$BG"
	rc=0
	wait "$BG" || rc=$?
	case $options in
	*direct=0*) ;; # buffered writers may hear of it at their next fsync only
	*) check "and heard of errors (status $rc)" test "$rc" -ne 0 ;;
	esac
	is "the disk is gone" "$(disks "$BDF0" | wc -l)" 0
	check_fails "so is its node" test -e "$node"
	check_fails "and its debugfs directory" test -e "$DBG/$BDF0"
	echo "$BDF0" >"$DRV/bind"
done
check "ready" ready "$BDF0"
check "data away from the load is untouched" same "$T_TMP/data" "$(dev "$BDF0")" $((128 << 20))

# An open file keeps the module: rmmod says so; after unbind it is the file
# alone that is left, and reads of it fail.
node=$(dev "$BDF0")
exec 7<"$node"
check_fails "rmmod with the disk open is refused" rmmod nvmq
echo "$BDF0" >"$DRV/unbind"
# Its size is 0 now: a read ends at once, with an error or without data.
is "a read of the open file gives nothing" "$(dd bs=4096 count=1 iflag=direct <&7 2>/dev/null | wc -c)" 0
exec 7<&-
echo "$BDF0" >"$DRV/bind"
check "ready" ready "$BDF0"

# driver_override and new_id
echo "$BDF0" >"$DRV/unbind"
dev_dir=/sys/bus/pci/devices/$BDF0
echo other >"$dev_dir/driver_override"
check_fails "a device meant for another driver is not taken" dd if=<(echo "$BDF0") of="$DRV/bind" status=none
echo "$BDF0" >/sys/bus/pci/drivers_probe
check_fails "nor by probing" bound "$BDF0"
echo nvmq >"$dev_dir/driver_override"
echo "$BDF0" >/sys/bus/pci/drivers_probe
check "with its own name in driver_override it is" ready "$BDF0"
echo "$BDF0" >"$DRV/unbind"
echo >"$dev_dir/driver_override"
vendor=$(sed 's/0x//' "$dev_dir/vendor") device=$(sed 's/0x//' "$dev_dir/device")
# Devices that nvmq has something to say of are in its table.
if [ "$vendor:$device" = 1b36:0010 ]; then
	check_fails "new_id knows vendor and device" dd if=<(echo "$vendor $device") of="$DRV/new_id" status=none
	echo "$BDF0" >/sys/bus/pci/drivers_probe
	check "probing binds it" ready "$BDF0"
else
	check "new_id takes vendor and device" dd if=<(echo "$vendor $device") of="$DRV/new_id" status=none
	check "and binds" ready "$BDF0"
	check "remove_id" dd if=<(echo "$vendor $device") of="$DRV/remove_id" status=none
fi
check "data is still untouched" same "$T_TMP/data" "$(dev "$BDF0")" $((128 << 20))

# Quick rounds, without waiting for the load to be under way: it may open
# the disk before or after, or find another one under its name. (fio is not for
# this: where its file is not there it makes one, and removes what is by then.)
cat >"$T_TMP/copy" <<'SCRIPT'
for ((i = 0; i < 4; i++)); do
	while :; do
		dd if="$1" of=/dev/null bs=64k count=512 iflag=direct status=none
		dd if=/dev/zero of="$1" bs=64k count=512 oflag=direct conv=nocreat,notrunc status=none
	done &
done
wait
SCRIPT
for ((i = 0; i < $(rounds 10); i++)); do
	node=$(dev "$BDF0")
	background bash "$T_TMP/copy" "$node"
	echo "$BDF0" >"$DRV/unbind"
	echo "$BDF0" >"$DRV/bind"
	check "round $i: ready" ready "$BDF0"
	kill -9 -- "-$BG" 2>/dev/null || true
	check "round $i: the load ends" poll_until 20 gone "$BG"
done
check "ready after all rounds" ready "$BDF0"
fio_ok "and it works" --filename="$(dev "$BDF0")" --direct=1 --ioengine=io_uring --iodepth=8 --numjobs=4 \
	--rw=randwrite --bs=4k --size=4M --offset_increment=4M --verify=crc32c --do_verify=1
