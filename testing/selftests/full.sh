#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# description: the end of the device: a full disk says ENOSPC, reads stop, the last block holds; a full file system too
# vm: --turns -c 2 -d size=64M,queues=2
# vm 6.12: --turns -c 2 -d size=67000320,queues=2
# kernels: 6.12
# time: 10
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "$0")/lib.sh"

load
disk=$(disk "$BDF0") node=$(dev "$BDF0")
size=$(bytes "$disk")
is "size is what QEMU was given, in whole blocks" "$((size % 512))" 0
blocks=$((size / 512))
random_file "$T_TMP/data" "$size"
check "all of it can be written" dd if="$T_TMP/data" of="$node" bs=1M status=none conv=fsync
drop_caches
check "and read" cmp "$node" "$T_TMP/data"

# One byte too many, and nothing but
rc=0
{ cat "$T_TMP/data"; echo; } | dd of="$node" bs=1M iflag=fullblock conv=fsync 2>"$T_TMP/err" || rc=$?
check "one byte more does not fit" test "$rc" -ne 0
check "for want of space" grep -q 'No space left on device' "$T_TMP/err"
check_fails "direct write behind the end" dd if=/dev/zero of="$node" bs=512 count=1 seek="$blocks" oflag=direct conv=notrunc
rc=0
dd if=/dev/zero of="$node" bs=512 count=1 seek="$blocks" oflag=direct conv=notrunc 2>"$T_TMP/err" || rc=$?
check "for want of space" grep -q 'No space left on device' "$T_TMP/err"
is "a read at the end gives nothing" "$(dd if="$node" bs=512 count=1 skip="$blocks" iflag=direct status=none | wc -c)" 0
is "a read across the end is short" \
	"$(dd if="$node" bs=8192 count=1 iflag=direct,skip_bytes skip=$((size - 4096)) status=none | wc -c)" 4096
head -c 512 /dev/urandom >"$T_TMP/last"
check "the last block is written" dd if="$T_TMP/last" of="$node" bs=512 seek=$((blocks - 1)) oflag=direct conv=notrunc status=none
check "and read" cmp "$T_TMP/last" <(dd if="$node" bs=512 skip=$((blocks - 1)) iflag=direct status=none)
dd if="$T_TMP/last" of="$T_TMP/data" bs=512 seek=$((blocks - 1)) conv=notrunc status=none
drop_caches
check "the rest is as it was" cmp "$node" "$T_TMP/data"
fio_ok "the last MiB in single blocks, verified" --filename="$node" --direct=1 --ioengine=libaio --iodepth=32 \
	--rw=randwrite --bs=512 --offset=$((size - (1 << 20))) --size=1M --verify=crc32c --do_verify=1

check "mkfs.ext4" mkfs.ext4 -q -m 0 "$node"
check "mount" mount_at "$node" "$T_TMP/mnt"
head -c 65536 /dev/urandom >"$T_TMP/mnt/keep"
want=$(sha256sum <"$T_TMP/mnt/keep")
check_fails "a file fills it" dd if=/dev/zero of="$T_TMP/mnt/fill" bs=1M
check "it is full" test "$(df --output=avail "$T_TMP/mnt" | tail -n 1)" -lt 1024
drop_caches
is "the file before is whole" "$(sha256sum <"$T_TMP/mnt/keep")" "$want"
check "space comes back" rm "$T_TMP/mnt/fill"
check "and can be used" dd if=/dev/zero of="$T_TMP/mnt/fill" bs=1M count=8 oflag=direct status=none
check "umount" umount "$T_TMP/mnt"
check "fsck finds nothing" e2fsck -fn "$node"
