#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# description: I/O schedulers and queue attributes change under load
# vm: -c 4 -d size=256M,queues=4
# kernels: 6.12
# time: 15
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "$0")/lib.sh"

load
disk=$(disk "$BDF0") node=$(dev "$BDF0")
attrs=/sys/block/$disk/queue
for module in mq-deadline kyber-iosched bfq; do
	modprobe "$module" 2>/dev/null || note "no $module"
done
check "more than one scheduler" test "$(wc -w <"$attrs/scheduler")" -gt 1
background fio --eta=never --name=load --filename="$node" --size=24M --rw=randrw --bs=4k --direct=1 \
	--ioengine=libaio --iodepth=32 --numjobs=4 --offset_increment=32M --verify=crc32c --do_verify=1 --loops=2
io_begun "$disk"
for scheduler in $(tr -d '[]' <"$attrs/scheduler"); do
	check "$scheduler" dd if=<(echo "$scheduler") of="$attrs/scheduler" status=none
	is "$scheduler is chosen" "$(grep -o '\[.*\]' "$attrs/scheduler")" "[$scheduler]"
	t_more() { io_begun "$disk"; }
	check "$scheduler: I/O goes on" t_more
	for n in 4 64; do
		check "$scheduler: nr_requests=$n" dd if=<(echo "$n") of="$attrs/nr_requests" status=none
	done
	for pair in rq_affinity:2 nomerges:2 iostats:0 iostats:1 nomerges:0 rq_affinity:1 max_sectors_kb:64 \
		    max_sectors_kb:512 wbt_lat_usec:0 read_ahead_kb:128; do
		[ -w "$attrs/${pair%:*}" ] || continue
		echo "${pair#*:}" >"$attrs/${pair%:*}" 2>/dev/null || note "${pair} refused"
	done
done
echo none >"$attrs/scheduler"
check "the load ends" poll_until 90 gone "$BG"
rc=0
wait "$BG" || rc=$?
is "without an error, data verified" "$rc" 0
