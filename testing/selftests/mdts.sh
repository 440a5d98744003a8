#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# description: the device's transfer limit: 8 KiB, the usual 512 KiB, and none, where PRP lists chain
# vm 6.12: --turns -c 4 -d size=512M,queues=4,mdts=1 --trace pci_nvme_read --trace pci_nvme_write -- 8
# vm 6.12: --turns -c 4 -d size=512M,queues=4,mdts=7 --trace pci_nvme_read --trace pci_nvme_write -- 512
# vm: --turns -q 7.2 -c 4 -d size=512M,queues=4,mdts=0 --trace pci_nvme_read --trace pci_nvme_write -- 0
# kernels: 6.12 7.2
# time: 12
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "$0")/lib.sh"
limit=$1

load
disk=$(disk "$BDF0") node=$(dev "$BDF0")
hw=$(queue "$disk" max_hw_sectors_kb)
if [ "$limit" -gt 0 ]; then
	is "max_hw_sectors_kb" "$hw" "$limit"
else
	# A list page holds 512 entries: beyond 2 MiB it chains to a second one.
	check "max_hw_sectors_kb ($hw) is beyond one PRP list" test "$hw" -gt 2052
fi
# QEMU itself refuses a command of more than 1024 pieces, whatever its MDTS
# says; scattered pages are a piece each.
kb=$((hw < 4080 ? hw : 4080))
check "max_sectors_kb can be raised to $kb" dd if=<(echo "$kb") of="/sys/block/$disk/queue/max_sectors_kb" status=none
is "max_sectors_kb" "$(queue "$disk" max_sectors_kb)" "$kb"

# largest read|write: blocks
largest() {
	if strict; then
		echo $(($(device_stat "largest-$([ "$1" = read ] && echo out || echo in)") / 512))
		return
	fi
	trace_since | grep -a "pci_nvme_$1 " | sed -n 's/.* nlb \([0-9]*\).*/\1/p' | sort -n | tail -n 1
}

# Buffers of huge pages or not, the segments may be few: PRP entries are per
# 4 KiB all the same.
seen_mark
random_file "$T_TMP/data" $((64 << 20))
check "64 MiB written in blocks of 16 MiB" dd if="$T_TMP/data" of="$node" bs=16M oflag=direct status=none
check "read back in blocks of 16 MiB" cmp "$T_TMP/data" <(dd if="$node" bs=16M count=4 iflag=direct status=none)
for op in write read; do
	kib=$(($(largest "$op") / 2))
	note "largest $op that the device saw: $kib KiB"
	if [ "$limit" -gt 0 ]; then
		within "largest $op is within the limit, and uses it" "$kib" "$limit" "$limit"
	else
		check "largest $op needs a chained list" test "$kib" -gt 2052
	fi
done

check "lengths where the shape of the PRP list changes" timeout 60 "$TOOLS/bufs" "$node" 512 lengths
fio_ok "sizes up to 4 MiB at random, verified" --filename="$node" --direct=1 --ioengine=io_uring --iodepth=8 \
	--rw=randwrite --bsrange=512-4M --size=64M --verify=crc32c --do_verify=1
