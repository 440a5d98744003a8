#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# The guest's part of blktests: a line "result TEST pass|skip (REASON)|fail|hang|dead" for each.
set -euo pipefail
driver=$1
shift
case $driver in
# The tests load the other driver as well, beside which nvmq counts in another way: from the start on.
nvmq) modprobe nvme-core && insmod "$NVMQ_KO" ;;
nvme) modprobe nvme ;;
esac
cp -r /repo/.build/blktests/copy /tmp/blktests
cd /tmp/blktests
[ -e /dev/fd ] || ln -s /proc/self/fd /dev/fd

[ ! -e kernel-config ] || { mkdir -p /boot; cp kernel-config "/boot/config-$(uname -r)"; }
PATH=$PATH:/tmp/blktests/bin

# The name may be another one after a test that rescans.
disk()
{
	local name
	for name in /sys/bus/pci/devices/0000:00:10.0/nvme/nvme*/nvme*n1; do
		if [[ -b /dev/${name##*/} ]]; then
			echo "/dev/${name##*/}"
			return
		fi
	done
	return 1
}
wait_disk()
{
	local tries
	for ((tries = 0; tries < 300; tries++)); do
		! disk || return 0
		sleep 0.1
	done
	return 1
}
cpus_read()
{
	local cpu
	for ((cpu = 0; cpu < $(nproc); cpu++)); do
		timeout -k 1 40 taskset -c "$cpu" dd if="$1" of=/dev/null bs=4096 count=1 iflag=direct status=none || return 1
	done
}

for name; do
	if ! node=$(wait_disk); then
		echo "result $name dead before it: no disk"
		continue
	fi
	echo "TEST_DEVS=($node)" >config
	dmesg -C
	status=0
	timeout -k 10 240 ./check -d --quick=10 "$name" >/tmp/said 2>&1 </dev/null || status=$?
	cat /tmp/said
	if ((status == 124 || status == 137)); then
		verdict=hang
	elif grep -q '\[failed\]' /tmp/said; then
		verdict=fail
	elif grep -q '\[passed\]' /tmp/said; then
		verdict=pass
	else
		reason=$(sed -n '/\[not run\]/{n;p;q}' /tmp/said | xargs -0 | cut -c 1-80)
		verdict="skip (${reason:-nothing said})"
	fi
	dmesg | grep -E 'BUG:|WARNING:|Oops|Call Trace|nvm[eq] .*(timed out|timeout|dead|given up)' | head -n 5 || true
	if ! node=$(wait_disk) || ! cpus_read "$node"; then
		verdict=dead
	fi
	echo "result $name ${verdict//$'\n'/ }"
	[[ $verdict != fail ]] || { find results -name '*.bad' -newer config -exec tail -n 20 {} + || true; }
done
