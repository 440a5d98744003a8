#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# description: each command of Documentation/queue-lab.rst does what the walk says
# vm: -c 2 -d size=256M,queues=6
# kernels: 6.12
# device: qemu
# time: 75
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "$0")/lib.sh"

PATH=$TOOLS/tools:$PATH
theirs() { [ "$(basename "$(readlink "/sys/bus/pci/devices/$BDF0/driver" || echo none)")" = nvme ] && [ -b /dev/nvme0n1 ]; }
modprobe nvme
wait_for "the kernel's driver has the disk" theirs
load_module
cd "$T_TMP"
exec {commands}< <(sed -n 's/^    # //p' /repo/Documentation/queue-lab.rst) </dev/null
# So few plans and jobs that it ends today.
shorter() { sed -i -E '/^plan (two|read-poll)|^job read-(many|128k)/d' my.spec; }
while IFS= read -ru "$commands" command; do
	case $command in
	*'&') eval "$command"; load=$!; continue ;;
	*'-o before') shorter ;;
	# Two runs at the same time would measure each other.
	*'lab spec'*) wait "$load" ;;
	esac
	check "$command" timeout 120 bash -c "$command"
done
within "commands" "$T_COUNT" 14 40
is "the map was that of the plan" "$(jq -r '.granted.one[:9]' before/results.json)" default=1
check "the disk is where it came from" theirs
