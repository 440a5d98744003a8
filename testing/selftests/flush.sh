#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# description: flush and FUA: sent when there is a volatile write cache, not when write-through is chosen
# vm: --turns -c 2 -d size=128M,queues=2,ns=2 --trace pci_nvme_io_cmd --trace pci_nvme_flush_ns
# kernels: all
# time: 10
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "$0")/lib.sh"

# Both controllers report a volatile write cache (VWC present), so
# the other case is had by telling the block layer.
load
check "the second disk is there" ready "$BDF0" 2
disk=$(disk "$BDF0") node=$(dev "$BDF0")
is "write_cache" "$(queue "$disk" write_cache)" "write back"
is "fua" "$(queue "$disk" fua)" 1

flushes() { seen io-flush; }
# flushed DESC NSID: by the flushes since the mark
flushed() {
	if strict; then
		check "$1" test "$(flushes)" -ge 1
	else
		is "$1" "$(trace_since | grep -a pci_nvme_flush_ns | grep -o 'nsid 0x[0-9a-f]*' | sort -u)" "nsid 0x$2"
	fi
}
head -c 65536 /dev/urandom >"$T_TMP/data"

trace_need pci_nvme_io_cmd
seen_mark
check "a buffered write and fsync" dd if="$T_TMP/data" of="$node" bs=64k conv=fsync,notrunc status=none
check "flush reached the device" test "$(flushes)" -ge 1
flushed "for namespace 1" 1
check "the data" same "$T_TMP/data" "$node" 0
seen_mark
check "the same on the second disk" dd if="$T_TMP/data" of="$(dev "$BDF0" 2)" bs=64k conv=fsync,notrunc status=none
flushed "flushes namespace 2" 2
seen_mark
check "direct writes alone" dd if="$T_TMP/data" of="$node" bs=4k oflag=direct conv=notrunc status=none
is "send no flush" "$(flushes)" 0

# FUA is bit 30 of CDW12 (bit 14 of its control half). The block layer's own
# tracepoint shows that it was asked for, the driver's that it was sent.
tracing=/sys/kernel/tracing
echo 1 >"$tracing/events/block/block_rq_issue/enable"
echo 1 >"$tracing/events/nvmq/nvmq_command/enable"
echo >"$tracing/trace"
check "a synchronous direct write" dd if="$T_TMP/data" of="$node" bs=4k count=1 oflag=direct,dsync conv=notrunc status=none
cp "$tracing/trace" "$T_TMP/trace"
check "the block layer asked for FUA" grep -Eq 'block_rq_issue: .* WF?S?F?.* ' "$T_TMP/trace"
asked=$(grep -Ec 'block_rq_issue: [0-9,]+ W[A-Z]*F' "$T_TMP/trace" || true)
sent=$(grep -Ec 'nvmq_command: .*cdw12=0x4000[0-9a-f]{4}' "$T_TMP/trace" || true)
is "as many commands with FUA as were asked for ($asked)" "$sent" "$asked"
check "at least one" test "$asked" -ge 1
echo >"$tracing/trace"
check "a direct write without" dd if="$T_TMP/data" of="$node" bs=4k count=1 oflag=direct conv=notrunc status=none
is "no FUA is sent" "$(grep -Ec 'nvmq_command: .*cdw12=0x4000' "$tracing/trace" || true)" 0

check "write-through is chosen" dd if=<(echo "write through") of="/sys/block/$disk/queue/write_cache" status=none
seen_mark
echo >"$tracing/trace"
check "a buffered write and fsync" dd if="$T_TMP/data" of="$node" bs=64k conv=fsync,notrunc status=none
check "a synchronous direct write" dd if="$T_TMP/data" of="$node" bs=4k count=1 oflag=direct,dsync conv=notrunc status=none
is "no flush" "$(flushes)" 0
is "no FUA" "$(grep -Ec 'nvmq_command: .*cdw12=0x4000' "$tracing/trace" || true)" 0
echo 0 >"$tracing/events/enable"
check "the data" same "$T_TMP/data" "$node" 0

echo "write back" >"/sys/block/$disk/queue/write_cache"
fio_ok "fsync after each fourth write, verified" --filename="$node" --direct=1 --ioengine=libaio --iodepth=8 \
	--rw=randwrite --bs=4k --size=4M --fsync=4 --verify=crc32c --do_verify=1 --numjobs=2 --offset_increment=8M
fio_ok "O_SYNC writes, verified" --filename="$node" --direct=1 --ioengine=psync --sync=1 \
	--rw=randwrite --bs=4k --size=1M --verify=crc32c --do_verify=1
