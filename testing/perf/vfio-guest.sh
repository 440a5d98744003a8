#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# The guest's side of testing/perf/vfio: vfio-guest.sh DIR MARK TOOLS, where DIR/jobs has lines "LABEL DEPTH COMMANDS". The
# figures of nvmq-vfio go to DIR/LABEL.json.
set -euo pipefail

dir=$1 mark=$2 tools=$3
bdf=0000:00:10.0

modprobe nvme
modprobe vfio-pci
for ((i = 0; i < 100; i++)); do
	[[ ! -e /sys/bus/pci/drivers/nvme/$bdf ]] || break
	sleep 0.1
done
"$tools/nvmq" bind --vfio "$bdf"
while read -r label depth commands; do
	"$mark" start "$dir/log" "$label"
	"$tools/nvmq-vfio" perf "$bdf" -q "$depth" --commands "$commands" --json >"$dir/$label.json"
	"$mark" stop "$dir/log"
done <"$dir/jobs"
