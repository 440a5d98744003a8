#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# description: tracepoints: one line for each command, doorbell, completion, interrupt and state when on, none when off
# vm: --turns -c 2 -d size=64M,queues=2 --trace pci_nvme_io_cmd --trace pci_nvme_mmio_doorbell_sq
# kernels: 6.12 7.2
# time: 8
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "$0")/lib.sh"
tracing=/sys/kernel/tracing
events=$tracing/events/nvmq

load plan=default=1
node=$(dev "$BDF0")
is "the six events" "$(find "$events" -mindepth 1 -maxdepth 1 -type d -printf '%f\n' | sort | paste -sd' ')" \
	"nvmq_command nvmq_completion nvmq_doorbell nvmq_interrupt nvmq_prp_list nvmq_state"
for event in nvmq_command nvmq_prp_list nvmq_doorbell nvmq_completion nvmq_interrupt nvmq_state; do
	is "$event is off after the load" "$(cat "$events/$event/enable")" 0
done

lines() { grep -c "$1:" "$tracing/trace" || true; }
work() {
	dd if="$node" of=/dev/null bs=4096 count=64 iflag=direct status=none
	dd if=/dev/zero of="$node" bs=4096 count=32 oflag=direct conv=notrunc status=none
}

echo >"$tracing/trace"
work
is "off: not a line" "$(lines 'nvmq_[a-z]*')" 0

seen_mark
echo 1 >"$events/enable"
work
echo 0 >"$events/enable"
cp "$tracing/trace" "$T_TMP/trace"
seen=$(seen io) doorbells=$(seen sq-doorbells)
commands=$(lines nvmq_command)
check "at least the 96 commands" test "$seen" -ge 96
is "a line for every command that the device saw" "$commands" "$seen"
is "a line for every completion" "$(lines nvmq_completion)" "$commands"
is "a line for every doorbell of a submission queue" \
	"$(grep -c 'nvmq_doorbell: .*sq' "$T_TMP/trace" || true)" "$doorbells"
check "interrupts, no more than completions" test "$(lines nvmq_interrupt)" -ge 1 -a "$(lines nvmq_interrupt)" -le "$commands"
like "a command's line names the controller, queue and opcode" "$(grep -m 1 'nvmq_command:' "$T_TMP/trace")" \
	'nvme[0-9]+.*qid=?[ :]*1'
head -n 200 "$T_TMP/trace" | grep -E -m 6 'nvmq_' | sed 's/^/#   /' || true

echo >"$tracing/trace"
work
is "off again: not a line" "$(lines 'nvmq_[a-z]*')" 0

# Each alone, and with a filter
for event in nvmq_command nvmq_doorbell nvmq_completion nvmq_interrupt; do
	echo >"$tracing/trace"
	echo 1 >"$events/$event/enable"
	work
	echo 0 >"$events/$event/enable"
	check "$event alone" test "$(lines "$event")" -ge 1
	is "$event alone: no other" "$(grep 'nvmq_' "$tracing/trace" | grep -vc "$event:" || true)" 0
done

# The states of a reset, in their order
echo >"$tracing/trace"
echo 1 >"$events/nvmq_state/enable"
check "a reset" dd if=<(echo 1) of="/sys/bus/pci/devices/$BDF0/nvmq/reset" status=none
echo 0 >"$events/nvmq_state/enable"
is "its states" "$(sed -n 's/.*nvmq_state: nvme[0-9]* //p' "$tracing/trace" | paste -sd,)" \
	"live -> resetting,resetting -> connecting,connecting -> live"

check "unloading with events on" bash -c "echo 1 >$events/enable && rmmod nvmq"
check_fails "takes them away" test -e "$events"
load plan=default=1
check "and they come back" test -d "$events"
