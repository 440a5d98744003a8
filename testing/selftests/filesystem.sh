#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# description: ext4 and xfs: files verified after remount, after a module reload, and by fsck
# vm: --turns -c 4 -m 1G -d size=1G -- ext4
# vm: --turns -c 4 -m 1G -d size=1G,lba=4096 -- xfs
# kernels: 6.1 7.2
# time: 20
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "$0")/lib.sh"
fs=$1
mnt=$T_TMP/mnt

verify() {
	check "$1: all files have their checksums" \
		bash -c "cd '$mnt' && md5sum --quiet -c '$T_TMP/sums'"
}

load
node=$(dev "$BDF0")
case $fs in
# Blocks of 1 KiB, as mkfs chooses by itself for small disks: they are written
# as requests of many small bios that follow each other in memory.
ext4) check "mkfs.ext4" mkfs.ext4 -q -b 1024 "$node" ;;
xfs) check "mkfs.xfs" mkfs.xfs -q -f "$node" ;;
esac
check "mount" mount_at "$node" "$mnt"

random_file "$mnt/big" $((48 << 20))
mkdir "$mnt/small"
for ((i = 0; i < 200; i++)); do
	head -c $((i * 74 % 9000)) /usr/bin/bash >"$mnt/small/$i" || true
	echo "file $i of $fs" >>"$mnt/small/$i"
done
# Holes, direct writes inside them and an odd tail.
truncate -s $((24 << 20)) "$mnt/sparse"
head -c $((4 << 20)) /dev/urandom >"$T_TMP/chunk"
for at in 1 7 13 19; do
	put "$T_TMP/chunk" "$mnt/sparse" $((at << 20))
done
echo tail >>"$mnt/sparse"
(cd "$mnt" && find . -type f -print0 | sort -z | xargs -0 md5sum) >"$T_TMP/sums"
is "files written" "$(wc -l <"$T_TMP/sums")" 202
check "fsync of the file system" sync -f "$mnt"
drop_caches
verify "caches dropped"
check "umount" umount "$mnt"
check "mount again" mount_at "$node" "$mnt"
verify "remounted"
check "fstrim" fstrim "$mnt"
check "some files are removed" rm -r "$mnt/small"
sed -i '/\.\/small\//d' "$T_TMP/sums"
check "and their space trimmed" fstrim "$mnt"
check "umount" umount "$mnt"
check "module reload" reload
node=$(dev "$BDF0")
case $fs in
ext4) check "fsck finds nothing" e2fsck -fn "$node" ;;
xfs) check "xfs_repair finds nothing" xfs_repair -n "$node" ;;
esac
check "mount after the reload" mount_at "$node" "$mnt"
verify "reloaded"
check_fails "a busy module cannot be removed under its file system" rmmod nvmq
verify "and the disk is untouched by the attempt"
check "umount" umount "$mnt"
