#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# description: PCI errors that the port reports, under load: non-fatal, fatal with a reset of the bus, and with one that fails; no data lost
# vm: @MONITOR@ -c 4 -d size=256M,queues=4,port --qemu -global --qemu ICH9-LPC.acpi-pci-hotplug-with-bridge-support=off -- recovered
# vm: @MONITOR@ -c 4 -d size=256M,queues=4,port -- failed
# kernels: 6.1
# device: qemu
# time: 45
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "$0")/lib.sh"

# QEMU's controller has no AER capability of its own, the port before it has: an error of the port is one of all that is
# below it. The kernel must serve the slot itself, which it does not by default on this machine: else QEMU reports a link
# that is down, and the kernel's reset of the bus fails. That is the second run. Corrected errors do not concern the driver.
BDF=0000:01:00.0
port=/sys/bus/pci/devices/0000:00:10.0
rounds=${2:-2}
total() { awk '/TOTAL/ { print $2 }' "$port/aer_dev_$1"; }
counted() { [ "$(total "$1")" -gt "$2" ]; }
recovered() { [ "$(log_count 'AER: device recovery successful')" -ge "$1" ]; }

load io_timeout=20 "plan=default=3 poll=1"
[ -e "$port/aer_dev_fatal" ] || skip_all "the kernel does not serve the port's error reporting"
disk=$(disk "$BDF") node=$(dev "$BDF")
random_file "$T_TMP/data" $((4 << 20))
put "$T_TMP/data" "$node" $((64 << 20))
load_begin --filename="$node"
io_begun "$disk"
case $1 in
recovered)
	for kind in nonfatal fatal; do
		log_mark
		case $kind in
		nonfatal) error=POISON_TLP ;;
		fatal) error=DLP ;;
		esac
		for ((i = 1; i <= rounds; i++)); do
			before=$(total "$kind")
			monitor "pcie_aer_inject_error port0 $error"
			check "$kind, $i: the kernel has seen it" poll_until 10 counted "$kind" "$before"
			check "$kind, $i: and has recovered" poll_until 30 recovered "$i"
			check "$kind, $i: live" live "$BDF"
			check "$kind, $i: I/O goes on" io_begun "$disk"
		done
		case $kind in
		fatal)
			is "fatal: I/O waited for a reset of the bus" "$(log_count "nvmq $BDF: PCI error: I/O waits")" "$rounds"
			is "fatal: and the controller was brought up after it" "$(log_count "nvmq $BDF: .*reset done")" "$rounds" ;;
		*) is "$kind: nothing was reset for that" "$(log_count "nvmq $BDF: .*reset")" 0 ;;
		esac
	done
	;;
failed)
	log_mark
	monitor "pcie_aer_inject_error port0 DLP"
	check "I/O waits" poll_until 10 t_log_grep "nvmq $BDF: PCI error: I/O waits"
	check "the reset of the bus fails" poll_until 90 t_log_grep 'AER: device recovery failed'
	check "after a minute the driver tries without" poll_until 90 t_log_grep "nvmq $BDF: .*nobody has reset the bus"
	check "live" live "$BDF"
	check "I/O goes on" io_begun "$disk"
	;;
esac
load_end "errors"
check "what was there before is there" same "$T_TMP/data" "$node" $((64 << 20))
