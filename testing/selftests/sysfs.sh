#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# description: sysfs, /dev, uevents and udev's links are what they are with the in-tree driver; temperatures; reservations
# vm: --turns -c 4 -d strict,size=64M,queues=4,raw=reservations:1 -d size=64M,queues=4
# kernels: 6.1 7.2
# device: qemu
# time: 30
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "$0")/lib.sh"

load
# field JSON NAME: what nvme-cli says
field() { jq -r "if .$2 | type == \"string\" then .$2 | rtrimstr(\" \") else .$2 end" "$1" | sed 's/ *$//'; }

# ---- controllers, against what they say of themselves ----
for bdf in "$BDF0" "$BDF1"; do
	disk=$(disk "$bdf") ctrl=${disk%n1}
	dir=/sys/class/nvme/$ctrl pci=/sys/bus/pci/devices/$bdf
	nvme id-ctrl "/dev/$ctrl" -o json >"$T_TMP/id"
	is "$ctrl: model, serial, firmware_rev, cntlid" \
		"$(<"$dir/model"),$(<"$dir/serial"),$(<"$dir/firmware_rev"),$(<"$dir/cntlid")" \
		"$(field "$T_TMP/id" mn),$(field "$T_TMP/id" sn),$(field "$T_TMP/id" fr),$(field "$T_TMP/id" cntlid)"
	is "$ctrl: subsysnqn" "$(<"$dir/subsysnqn")" "$(field "$T_TMP/id" subnqn)"
	is "$ctrl: cntrltype" "$(<"$dir/cntrltype")" "$(field "$T_TMP/id" cntrltype | sed 's/^1$/io/')"
	is "$ctrl: state, transport, address, numa_node" \
		"$(<"$dir/state"),$(<"$dir/transport"),$(<"$dir/address"),$(<"$dir/numa_node")" "live,pcie,$bdf,$(<"$pci/numa_node")"
	# shellcheck disable=SC2046 # three numbers
	is "$ctrl: queue_count, sqsize" "$(<"$dir/queue_count"),$(<"$dir/sqsize")" \
		"$(($(printf '%s+' $(counts "$bdf")) + 1)),$(granted "$bdf" depth)"
	is "$ctrl: its subsystem" "$(cat /sys/class/nvme-subsystem/nvme-subsys*/"$ctrl"/subsysnqn)" "$(<"$dir/subsysnqn")"
	is "$ctrl: the disk is below it, and it below the PCI device" \
		"$(readlink -f "/sys/block/$disk/device"),$(readlink -f "$dir/device"),$(readlink -f "$dir/$disk")" \
		"$(readlink -f "$pci/$ctrl"),$(readlink -f "$pci"),$(readlink -f "/sys/block/$disk")"
	is "$ctrl: root's only" "$(stat -c '%a %F' "/dev/$ctrl" "/dev/ng${disk#nvme}" "/dev/$disk" | paste -sd,)" \
		"600 character special file,600 character special file,600 block special file"
done
is "nvme list has both" "$(nvme list -o json | jq -r '[.Devices[].SerialNumber] | sort | join(",")')" \
	"$(printf '%s\n' "$(attr "$BDF0" serial)" "$(attr "$BDF1" serial)" | sort | paste -sd,)"
is "and list-subsys" "$(nvme list-subsys | grep -c ' pcie 0000:00:1[01].0 live')" 2

# ---- namespaces ----
D0=$(disk "$BDF0") D1=$(disk "$BDF1")
C0=${D0%n1}
nvme id-ns "/dev/$D0" -o json >"$T_TMP/ns"
uuid=$(nvme ns-descs "/dev/$D0" | sed -n 's/^uuid *: *//p')
for dir in "/sys/block/$D0" "/sys/class/nvme-generic/ng${D0#nvme}"; do
	is "${dir##*/}: nguid, eui, uuid" "$(tr -d -- - <"$dir/nguid"),$(tr -d ' ' <"$dir/eui"),$(<"$dir/uuid")" \
		"$(field "$T_TMP/ns" nguid),$(field "$T_TMP/ns" eui64),$uuid"
	is "${dir##*/}: wwid, nsid, csi, metadata_bytes" \
		"$(<"$dir/wwid"),$(<"$dir/nsid"),$(<"$dir/csi"),$(<"$dir/metadata_bytes")" "uuid.$uuid,1,0,0"
done
# QEMU's identifiers are known not to be unique: nobody uses them.
hex() { tr -d '\n' <"$1" | od -An -v -tx1 | tr -d ' \n'; }
is "a name made of vendor, serial and model" "$(<"/sys/block/$D1/wwid")" \
	"nvme.1b36-$(hex "/sys/block/$D1/device/serial")-$(hex "/sys/block/$D1/device/model")-00000001"
is "and no identifiers" "$(cd "/sys/block/$D1" && echo {uuid,nguid,eui}*)" ""

# ---- udev ----
mountpoint -q /run || mount -t tmpfs tmpfs /run
mkfs.ext4 -q -U 6e766d71-1111-2222-3333-444455556666 "/dev/$D1"
setsid /lib/systemd/systemd-udevd >/dev/null 2>&1 &
T_BG+=("$!")
check "udev is there" poll_until 20 udevadm control --ping
udevadm trigger --action=add
check "udev settles" timeout 60 udevadm settle
# links FOLDER DISK: those of udev's that lead to the disk
links() {
	local link
	for link in "/dev/disk/$1"/*; do
		[ "$(readlink -f "$link")" != "/dev/$2" ] || echo "${link##*/}"
	done | sort | paste -sd' '
}
under() { tr ' ' _ <"/sys/block/$1/device/$2"; }
for disk in "$D0" "$D1"; do
	like "by-id of $disk" " $(links by-id "$disk") " " nvme-$(under "$disk" model)_$(under "$disk" serial) "
	like "by-id of $disk, by its wwid" " $(links by-id "$disk") " " nvme-$(<"/sys/block/$disk/wwid") "
done
is "by-path" "$(links by-path "$D0"),$(links by-path "$D1")" "pci-$BDF0-nvme-1,pci-$BDF1-nvme-1"
is "by-uuid" "$(links by-uuid "$D1")" 6e766d71-1111-2222-3333-444455556666
like "what udev knows of the controller" "$(udevadm info "/dev/$C0" | paste -sd' ')" "NVME_TRTYPE=pcie.*SUBSYSTEM=nvme"

# ---- uevents ----
setsid udevadm monitor --kernel --property >"$T_TMP/events" &
monitor=$!
T_BG+=("$monitor")
check "the monitor listens" poll_until 20 grep -q '^KERNEL' "$T_TMP/events"
check_fails "a reset is asked for with a 1" sh -c "echo 0 >/sys/class/nvme/$C0/reset_controller"
check "reset_controller" sh -c "echo 1 >/sys/class/nvme/$C0/reset_controller"
wait_for "it tells that it is back" grep -q '^NVME_EVENT=connected' "$T_TMP/events"
device temperature 400
wait_for "and that it is hot" grep -q '^NVME_AEN=0x020101' "$T_TMP/events"
device namespace 1 resized $(((32 << 20) / $(queue "$D0" logical_block_size)))
check "rescan_controller" sh -c "echo 1 >/sys/class/nvme/$C0/rescan_controller"
is "has found the new size" "$(bytes "$D0")" $((32 << 20))
kill "$monitor"

# ---- temperatures ----
hw=$(echo "/sys/class/nvme/$C0"/hwmon*[0-9])
temp() { cat "$hw/temp$1"; }
is "the monitor, and its sensors" "$(<"$hw/name"),$(temp 1_label),$(temp 2_label),$(cd "$hw" && echo temp*_input)" \
	"nvme,Composite,Sensor 1,temp1_input temp2_input"
# The log is read once in a second.
temp_is() { [ "$(temp 1_input),$(temp 2_input),$(temp 1_alarm)" = "$1" ]; }
wait_for "hot" temp_is 126850,126850,1
device temperature 313
wait_for "warm" temp_is 39850,39850,0
is "critical, and the thresholds" "$(temp 1_crit),$(temp 1_max),$(temp 1_min)" 84850,69850,-273150
echo 30000 >"$hw/temp1_max"
is "another threshold is the device's" "$(temp 1_max),$(nvme get-feature "/dev/$C0" -f 4 | sed 's/.*: *//')" "29850,0x0000012f"
wait_for "and is too low" temp_is 39850,39850,1
echo 70000 >"$hw/temp1_max"
wait_for "until it is back" temp_is 39850,39850,0
echo 41000 >"$hw/temp1_min"
is "so is the one under which it is too cold" \
	"$(temp 1_min),$(nvme get-feature "/dev/$C0" -f 4 -c 0x100000 | sed 's/.*: *//')" "40850,0x0000013a"
wait_for "which is too high" temp_is 39850,39850,1
echo -300000 >"$hw/temp1_min"
is "no less than there is" "$(temp 1_min)" -273150
wait_for "as it was" temp_is 39850,39850,0
hw=$(echo "/sys/block/$D1/device"/hwmon*[0-9])
is "QEMU's temperature is that of the health log" "$(temp 1_input)" \
	"$(nvme smart-log "/dev/${D1%n1}" -o json | jq '.temperature * 1000 - 273150')"

# ---- reservations ----
cat >"$T_TMP/pr.py" <<'PYTHON'
import errno, fcntl, struct, sys
n = lambda direction, nr, size: direction << 30 | size << 16 | ord('p') << 8 | nr
dev = open(sys.argv[1], 'rb')
def pr(nr, text, *values):
    try:
        return fcntl.ioctl(dev, n(1, nr, struct.calcsize(text)), bytearray(struct.pack(text, *values)))
    except OSError as e:
        return errno.errorcode[e.errno]
def read(nr, direction, text, *values):
    try:
        buf = bytearray(struct.pack(text, *values))
        fcntl.ioctl(dev, n(direction, nr, len(buf)), buf)
        return struct.unpack(text, buf)
    except OSError as e:
        return errno.errorcode[e.errno]
register = lambda old, new, flags=0: pr(200, 'QQII', old, new, flags, 0)
reserve = lambda key, kind, flags=0: pr(201, 'QII', key, kind, flags)
release = lambda key, kind: pr(202, 'QII', key, kind, 0)
preempt = lambda key, other, kind: pr(203, 'QQII', key, other, kind, 0)
preempt_abort = lambda key, other, kind: pr(204, 'QQII', key, other, kind, 0)
clear = lambda key: pr(205, 'QII', key, 0, 0)
def read_keys():
    import ctypes
    keys = (ctypes.c_uint64 * 4)()
    got = read(206, 3, 'IIQ', 0, 4, ctypes.addressof(keys))
    return got if isinstance(got, str) else [hex(k) for k in keys[:got[1]]]
def read_reservation():
    got = read(207, 2, 'QII', 0, 0, 0)
    return got if isinstance(got, str) else (hex(got[0]), got[2])
for call in sys.argv[2:]:
    print(eval(call))
PYTHON
# pr DISK CALL...: what each returns
pr() { timeout 60 python3 "$T_TMP/pr.py" "/dev/$1" "${@:2}" | paste -sd' '; }
# registrants: of the first disk, by nvme-cli: type and, for each, its key and whether it holds it
registrants() {
	nvme resv-report "/dev/$D0" -n 1 -e 1 -o json | jq -c '[.rtype, [.regctlext[] | [.rkey, .rcsts]]]'
}
is "a reservation without a key" "$(pr "$D0" 'reserve(0xabc, 1)')" 24
is "register" "$(pr "$D0" 'register(0, 0xabc)')" 0
is "reserve" "$(pr "$D0" 'reserve(0xabc, 1)')" 0
is "the device has it" "$(registrants)" "[1,[[$((0xabc)),1]]]"
is "another key is a conflict" "$(pr "$D0" 'release(0xabd, 1)' 'register(0xabd, 0xabe)')" "24 24"
is "no such type, no such flag" "$(pr "$D0" 'reserve(0xabc, 7)' 'reserve(0xabc, 0)' 'register(0, 1, 2)')" "EINVAL EINVAL ENOTSUP"
is "the device reserves nothing without the key" "$(pr "$D0" 'reserve(0xabc, 1, 1)')" EINVAL
is "another key for oneself, and another type" \
	"$(pr "$D0" 'register(0xabc, 0xabe)' 'release(0xabe, 1)' 'reserve(0xabe, 5)')" "0 0 0"
is "whichever key it was" "$(pr "$D0" 'register(0xabc, 0xdef, 1)')" 0
is "the device has that" "$(registrants)" "[5,[[$((0xdef)),1]]]"
case $(pr "$D0" 'read_reservation()') in
ENOTTY)
	skip "keys and reservation are read" "this kernel has no ioctl for that"
	is "release" "$(pr "$D0" 'release(0xdef, 5)')" 0
	;;
*)
	is "the keys are read" "$(pr "$D0" 'read_keys()')" "['0xdef']"
	is "the reservation is read" "$(pr "$D0" 'read_reservation()' 'release(0xdef, 5)' 'reserve(0xdef, 2)' 'read_reservation()')" \
		"('0x0', 5) 0 0 ('0xdef', 2)"
	is "release" "$(pr "$D0" 'release(0xdef, 2)')" 0
	;;
esac
device reserve 1 1 0x77
check_fails "another host has it: no write" dd if=/dev/zero of="/dev/$D0" bs=4096 count=1 oflag=direct status=none
is "it is preempted" "$(pr "$D0" 'preempt(0xdef, 0x77, 1)')" 0
is "the device has us" "$(registrants)" "[1,[[$((0xdef)),1]]]"
check "and a write works" dd if=/dev/zero of="/dev/$D0" bs=4096 count=1 oflag=direct status=none
is "clear" "$(pr "$D0" 'clear(0xdef)')" 0
is "nobody is left" "$(registrants)" "[0,[]]"
is "register, and take it back" "$(pr "$D0" 'register(0, 5)' 'register(5, 0)')" "0 0"
is "nobody is left" "$(registrants)" "[0,[]]"
is "a device without reservations" "$(pr "$D1" 'register(0, 1)')" ENOTSUP

# ---- open, and gone ----
exec {fd}<"/dev/$C0"
echo "$BDF0" >"$DRV/unbind"
check_fails "it is gone" test -e "/dev/$C0"
echo "$BDF0" >"$DRV/bind"
check "it is back" ready "$BDF0"
check_fails "under another name: somebody has the old one open" test -e "/dev/$C0"
exec {fd}<&-
check "unload" unload
