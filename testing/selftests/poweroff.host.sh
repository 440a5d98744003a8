#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Run by testing/check after poweroff.sh's VM has ended, with the folder that
# holds its logs.
set -euo pipefail
dir=$1
failed=0
say() {
	if [ "$2" = "$3" ]; then
		echo "ok - $1"
	else
		echo "not ok - $1: $2, wanted $3"
		failed=1
	fi
}
logs=("$dir"/nvmq-device*.log)
if [ -e "${logs[0]}" ]; then
	seen=$(cat "${logs[@]}" | awk '$1 == "shutdowns" { sum += $2 } END { print sum + 0 }')
else
	seen=$(grep -ac pci_nvme_mmio_shutdown_set "$dir/qemu-trace.log" || true)
fi
say "shutdown notifications that the two devices saw" "$seen" 2
say "complaints on the console while going down" \
	"$(grep -aEc 'BUG:|WARNING:|Oops|Call Trace|blocked for more|soft lockup|timed out|timeout' "$dir/console.log" || true)" 0
exit "$failed"
