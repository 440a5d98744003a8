#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# description: eight namespaces: each is its own disk, I/O on all at once stays apart
# vm: --turns -c 4 -d size=64M,ns=8,queues=4
# kernels: 6.12 7.2
# time: 12
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "$0")/lib.sh"

load
check "the eighth is there" ready "$BDF0" 8
is "eight disks" "$(disks "$BDF0" | wc -l)" 8
for ((n = 1; n <= 8; n++)); do
	like "namespace $n has a name that ends in its number" "$(disk "$BDF0" "$n")" "^nvme[0-9]+n$n\$"
	random_file "$T_TMP/data.$n" $((8 << 20))
	put "$T_TMP/data.$n" "$(dev "$BDF0" "$n")" 0
done
is "the wwids differ" "$(for d in $(disks "$BDF0"); do cat "/sys/block/$d/wwid" 2>/dev/null || echo "$d"; done | sort -u | wc -l)" 8

jobs=()
for ((n = 1; n <= 8; n++)); do
	jobs+=(--name="ns$n" --filename="$(dev "$BDF0" "$n")" --offset=16M --size=16M --rw=randwrite
		--bs=16k --ioengine=io_uring --iodepth=16 --direct=1 --verify=crc32c --do_verify=1
		--randseed="$((n * 7919))")
done
check "verified I/O on all eight at once" fio --output-format=normal --eta=never "${jobs[@]}"
bad=
for ((n = 1; n <= 8; n++)); do
	same "$T_TMP/data.$n" "$(dev "$BDF0" "$n")" 0 || bad+=" $n"
done
is "each still has what was put on it before" "$bad" ""
check "reload" reload
check "the eighth is there" ready "$BDF0" 8
bad=
for ((n = 1; n <= 8; n++)); do
	same "$T_TMP/data.$n" "$(dev "$BDF0" "$n")" 0 || bad+=" $n"
done
is "and after a reload" "$bad" ""
