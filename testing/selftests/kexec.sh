#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# description: another kernel is started (kexec) while I/O runs: the device was shut down before, and the next driver finds all that was acknowledged
# vm: -c 4 -d size=256M,queues=4 --kexec --trace pci_nvme_mmio_shutdown_set
# kernels: 7.2
# time: 40
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "$0")/lib.sh"

# This is run once by each kernel; /out is what they share.
load io_timeout=10 "plan=default=3 poll=1"
node=$(dev "$BDF0")
shutdowns() {
	if strict; then
		device_stat shutdowns
	else
		grep -ac pci_nvme_mmio_shutdown_set "$TRACE" || true
	fi
}

acked() { [ "$(wc -l </out/acks)" -ge 20 ]; }

if [ ! -e /out/acks ]; then
	random_file /out/data $((4 << 20))
	put /out/data "$node" $((192 << 20))
	shutdowns >/out/before
	load_begin --filename="$node" --offset=64M
	setsid "$TOOLS/ack" blocks load "$node" 8192 7 >/out/acks &
	check "I/O runs" io_begun "$(basename "$node")"
	check "writes are acknowledged" poll_until 20 acked
	[ "$T_FAILED" -eq 0 ]
	"$TOOLS/kexec" /out/vmlinuz /out/initramfs
	not_ok "the next kernel starts"
	exit
fi

is "the device was shut down, once" "$(($(shutdowns) - $(</out/before)))" 1
check "what was acknowledged is there" "$TOOLS/ack" check-blocks "$node" 8192 7 "$(sed -n 's/^load //p' /out/acks | tail -n 1)"
check "what was there before is there" same /out/data "$node" $((192 << 20))
fio_ok "it works" --filename="$node" --direct=1 --ioengine=libaio --iodepth=16 --numjobs=4 --rw=randwrite --bs=4k --size=4M \
	--offset_increment=8M --verify=crc32c --do_verify=1
rm -f /out/vmlinuz /out/initramfs /out/data
