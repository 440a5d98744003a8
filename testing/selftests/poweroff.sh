#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# description: the machine is switched off while I/O runs: it goes down in time and the device is shut down by SHN
# vm: -c 4 -d size=256M,queues=4 -d size=64M --trace pci_nvme_mmio_shutdown_set --trace pci_nvme_mmio_stopped
# kernels: 6.12 7.2
# time: 12
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "$0")/lib.sh"

# What follows this script in the VM is a forced power-off; what the devices saw
# of it is looked at by poweroff.host.sh.
load "plan=default=3 poll=1"
node=$(dev "$BDF0")
check "mkfs on the second" mkfs.ext4 -q "$(dev "$BDF1")"
check "mount it" mount_at "$(dev "$BDF1")" "$T_TMP/mnt"
cp /usr/bin/bash "$T_TMP/mnt/"
for options in "--ioengine=libaio --iodepth=64" "--ioengine=io_uring --hipri=1 --iodepth=4" "--ioengine=psync"; do
	# shellcheck disable=SC2086 # several words
	background fio --eta=never --name=hammer --filename="$node" --size=64M --rw=randrw --bs=4k --direct=1 \
		--numjobs=2 --time_based --runtime=600 $options
done
check "I/O runs" io_begun "$(basename "$node")"
trace_need pci_nvme_mmio_shutdown_set
shutdowns() {
	if strict; then
		device_stat shutdowns
	else
		grep -ac pci_nvme_mmio_shutdown_set "$TRACE" || true
	fi
}
is "nothing has been shut down before" "$(shutdowns)" 0
# For lib.sh: leave all as it is, with I/O running.
# shellcheck disable=SC2034
T_KEEP=1 T_BG=()
