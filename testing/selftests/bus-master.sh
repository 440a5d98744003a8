#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# description: bus mastering taken away: the device fails, the time-out resets it, the I/O is retried
# vm: --turns -c 4 -d size=128M,queues=4
# kernels: 6.12 7.2
# time: 20
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "$0")/lib.sh"
# The device cannot fetch commands and says so in CSTS.CFS.
# shellcheck disable=SC2034 # for lib.sh
T_TRACE_ALLOW='pci_nvme_err_(addr_read|addr_write|cfs|invalid_dma)'

load io_timeout=1 admin_timeout=5
node=$(dev "$BDF0")
random_file "$T_TMP/data" $((4 << 20))
put "$T_TMP/data" "$node" 0
for ((round = 1; round <= 3; round++)); do
	log_mark
	background fio --eta=never --name=load --filename="$node" --offset=32M --size=1M --rw=randrw --bs=4k \
		--direct=1 --ioengine=libaio --iodepth=16 --numjobs=4 --offset_increment=16M --verify=crc32c \
		--do_verify=1 --loops=3
	io_begun "$(basename "$node")"
	setpci -s "$BDF0" COMMAND.W=0000:0004
	log_has "$round: the driver speaks of it" "nvmq $BDF0: .*(reset|time|fatal|fail)" 20
	check "$round: the callers end" poll_until 40 gone "$BG"
	rc=0
	wait "$BG" || rc=$?
	is "$round: without an error, data verified" "$rc" 0
	check "$round: live" live "$BDF0"
	is "$round: every CPU's queue works" "$(cpus_differ 10 "$node" 4096 "$T_TMP/data")" ""
	like "$round: bus mastering is on" "$(setpci -s "$BDF0" COMMAND.W)" '[4567cdef]$'
done
