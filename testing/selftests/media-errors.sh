#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# description: errors of the medium (QEMU's blkdebug): the right errno at the right block, alone and inside a large read, the file system hears of it, the disk goes on
# vm: --turns -c 2 -d size=64M,queues=2,faults=testing/selftests/media-errors.sectors -d size=64M,queues=2,faults=testing/selftests/media-errors.flush
# kernels: 6.12
# device: qemu
# time: 20
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "$0")/lib.sh"

# What cannot be read, and what cannot be written.
bad_reads="65537 98304" bad_write=81927

# shellcheck disable=SC2034 # for lib.sh
T_TRACE_ALLOW='pci_nvme_err_(aio|req_status)'

load
node=$(dev "$BDF0")
random_file "$T_TMP/disk" $((64 << 20))

sector() { dd if="$node" bs=512 skip="$1" count=1 iflag=direct status=none; }
reads_right() { cmp <(sector "$1") <(tail -c "+$(($1 * 512 + 1))" "$T_TMP/disk" | head -c 512); }
write_sector() { dd if="$T_TMP/disk" of="$node" bs=512 skip="$1" seek="$1" count=1 oflag=direct conv=notrunc status=none; }

# fails DESC LOG COMMAND...: with the block layer's errno for a medium, and with a line in the log that has it
fails() {
	local desc=$1 line=$2 rc=0
	shift 2
	log_mark
	"$@" >"$T_TMP/got" 2>"$T_TMP/error" || rc=$?
	is "$desc: fails" "$rc" 1
	like "$desc: ENODATA" "$(<"$T_TMP/error")" "No data available"
	log_has "$desc: the log" "nvmq $BDF0: .*$line"
	is "$desc: in one line of the driver's" "$(log_count "nvmq $BDF0: .*failed: ")" 1
}

# big_read FROM: one command of 128 KiB
big_read() { dd if="$node" bs=128k skip=$(($1 * 512)) count=1 iflag=direct,skip_bytes status=none; }
# fill_sectors SIZE FROM COUNT: from the file, by writes of so many bytes; FROM in units of that
fill_sectors() {
	dd if="$T_TMP/disk" of="$node" bs="$1" skip="$2" seek="$2" count="$3" oflag=direct conv=notrunc status=none
}

# All is written but the sector that cannot be, which is the eighth after the first 40 MiB.
fill_sectors 1M 0 40
fill_sectors 512 81920 7
fill_sectors 512 81928 8
fill_sectors 8192 5121 3071
log_mark

for at in $bad_reads; do
	fails "read of sector $at" "at (sector|LBA) $at.*unrecovered read error" sector "$at"
	for near in $((at - 1)) $((at + 1)); do
		check "its neighbour $near is right" reads_right "$near"
	done
	from=$((at - 100))
	fails "128 KiB with sector $at among them" "at (sector|LBA) $from.*unrecovered read error" \
		big_read "$from"
done
fails "write of sector $bad_write" "at (sector|LBA) $bad_write.*write fault" write_sector "$bad_write"
for near in $((bad_write - 1)) $((bad_write + 1)); do
	check "its neighbour $near is written" write_sector "$near"
	check "and right" reads_right "$near"
done

# Through the page cache: whole pages are missing, and no more.
blockdev --flushbufs "$node"
dd if="$node" of="$T_TMP/copy" bs=4096 conv=noerror,sync status=noxfer 2>"$T_TMP/error" || true
is "a copy by dd conv=noerror: pages that cannot be read" "$(grep -c "error reading" "$T_TMP/error")" 2
differ=$({ cmp -l "$T_TMP/disk" "$T_TMP/copy" || true; } | awk '{ page[int(($1 - 1) / 4096)] = 1 } END { for (p in page) print p }' |
	sort -n | xargs)
is "pages of the copy that differ" "$differ" "$((65537 / 8)) $((bad_write / 8)) $((98304 / 8))"

# A file system with all of the disk's free blocks in one file
check "mkfs" mkfs.ext4 -q -b 4096 -O ^has_journal -E nodiscard "$node"
check "mount" mount_at "$node" "$T_TMP/mnt"
log_mark
rc=0
dd if=/dev/zero of="$T_TMP/mnt/file" bs=1M count=52 status=none conv=fsync 2>"$T_TMP/error" || rc=$?
is "a file over the sector that cannot be written: fsync fails" "$rc" 1
like "the error" "$(<"$T_TMP/error")" "fsync failed.*(Input/output error|No data available)"
log_has "the log has the request" "nvmq $BDF0: .*write fault"
log_has "and the file system's word" "Buffer I/O error|EXT4-fs warning"
drop_caches
dd if="$T_TMP/mnt/file" of=/dev/null bs=4096 conv=noerror status=noxfer 2>"$T_TMP/error" || true
is "reads of it that fail" "$(grep -c "error reading" "$T_TMP/error")" 2
random_file "$T_TMP/small" 65536
check "another file is written" dd if="$T_TMP/small" of="$T_TMP/mnt/other" bs=64k conv=fsync status=none
drop_caches
check "and read" cmp "$T_TMP/small" "$T_TMP/mnt/other"
check "umount" umount "$T_TMP/mnt"

# A cache that cannot be flushed
node=$(dev "$BDF1")
log_mark
check "flush: direct I/O works" dd if="$T_TMP/small" of="$node" bs=64k oflag=direct conv=notrunc status=none
check_fails "fsync fails" dd if="$T_TMP/small" of="$node" bs=64k oflag=direct conv=notrunc,fsync status=none
log_has "the log says of what" "nvmq $BDF1: .*(F|f)lush.*failed: "
log_has "and the log of the block layer" "dev nvme[0-9]+n1.*(FLUSH|WRITE)"
check "the data can be read" same "$T_TMP/small" "$node" 0
mkfs.ext4 -q "$node" 2>/dev/null || note "mkfs.ext4 heard of the flush"
is "both controllers live" "$(state "$BDF0") $(state "$BDF1")" "live live"
is "nothing was reset for that" "$(log_count 'reset:')" 0
