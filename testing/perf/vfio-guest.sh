#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# The guest's side of testing/perf/vfio: vfio-guest.sh DIR MARK TOOLS, where DIR/jobs has lines "LABEL DEPTH COMMANDS". What
# nvmq-vfio has to say goes to DIR/LABEL.json, or SPDK's program if there is DIR/spdk.
set -euo pipefail

dir=$1 mark=$2 tools=$3
bdf=0000:00:10.0

# SPDK's program marks its work itself; a measurement has one start and one end.
count_spdk()
{
	# The VM has no configuration for OpenSSL, which is in it.
	OPENSSL_CONF=/dev/null LD_LIBRARY_PATH=$dir/spdk/lib LD_PRELOAD=$dir/spdk/mark.so "$dir/spdk/perf" \
		-r "trtype:PCIe traddr:$bdf" -q "$2" -o 4096 -w randread -t 3000 --number-ios "$3" --transport-stats \
		--iova-mode pa -c 1 >"$dir/$1.json" 2>&1
}
count_vfio()
{
	"$mark" start "$dir/log" "$1" &&
		"$tools/nvmq-vfio" perf "$bdf" -q "$2" --commands "$3" --json >"$dir/$1.json" &&
		"$mark" stop "$dir/log"
}

modprobe nvme
modprobe vfio-pci
for ((i = 0; i < 100; i++)); do
	[[ ! -e /sys/bus/pci/drivers/nvme/$bdf ]] || break
	sleep 0.1
done
"$tools/nvmq" bind --vfio "$bdf"
count=count_vfio
if [[ -d $dir/spdk ]]; then
	count=count_spdk
	echo 300 >/proc/sys/vm/nr_hugepages
	mkdir -p /dev/hugepages
	mount -t hugetlbfs none /dev/hugepages
fi
while read -r label depth commands; do
	"$count" "$label" "$depth" "$commands" </dev/null || { cat "$dir/$label.json"; exit 1; }
done <"$dir/jobs"
