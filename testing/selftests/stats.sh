#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# description: counters: they agree with the device, with the map and with themselves, over plans and resets, on and off under load
# vm: --turns -c 4 -d size=64M,queues=8 -d size=64M,queues=2 --trace pci_nvme_io_cmd --trace pci_nvme_mmio_doorbell_sq --trace pci_nvme_mmio_doorbell_cq
# kernels: 7.2
# time: 15
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "$0")/lib.sh"

sys=/sys/bus/pci/devices/$BDF0/nvmq
J=$T_TMP/stats.json
count() { echo "$1" >"/sys/bus/pci/devices/${2:-$BDF0}/nvmq/stats"; }
# take [BDF]: the counters as they are now, for value
take() { cat "$DBG/${1:-$BDF0}/stats.json" >"$J"; }
# value FILTER: what jq makes of all records
value() { jq -cs "$1" "$J" 2>&1; }
# The records of queues; the sum of something of theirs
Q='map(select(.record == "queue"))'
sum() { value "$Q | map($1) | add"; }
L='map(select(.record == "latency"))'
# reads CPU COUNT: 4 KiB each
reads() { taskset -c "$1" dd if="$node" of=/dev/null bs=4096 count="$2" iflag=direct status=none; }

# consistent WHEN: what holds whenever nothing is under way
consistent() {
	is "$1: all that was submitted was completed" "$(sum .completed)" "$(sum '.read + .write + .other')"
	is "$1: each CPU's submissions, and each kind's" "$(sum '[.by_cpu[][1]] | add // 0')" "$(sum '.read + .write + .other')"
	is "$1: completions by CPU" "$(value 'map(select(.record == "cpu") | .completed_on[][1]) | add')" "$(sum .completed)"
	is "$1: a batch for each doorbell" "$(sum '[.batch[][1]] | add // 0')" "$(sum .sq_doorbells)"
	is "$1: interrupts, with completions and without" "$(sum '([.per_interrupt[][1]] | add // 0) + .empty_interrupts')" \
		"$(sum .interrupts)"
	for what in host_ns device_ns; do
		is "$1: $what has each command" "$(value "$L | map(.${what}[][1]) | add")" "$(sum .completed)"
	done
	is "$1: of each queue and kind" \
		"$(value "[${L}[] | {key: \"\\(.qid) \\(.op)\", value: ([.device_ns[][1]] | add)}] | from_entries")" \
		"$(value "[${Q}[] | . as \$q | (\"read\", \"write\", \"other\") | select(\$q[.] > 0) | {key: \"\\(\$q.qid) \\(.)\", value: \$q[.]}] | from_entries")"
}

load plan=default=2,read=2,poll=2
disk=$(disk "$BDF0") node=/dev/$disk
is "off after the load" "$(<"$sys/stats")" 0
take
is "off: one record" "$(value 'map([.record, .on])')" '[["stats",0]]'
is "off: nobody listens to the trace events" "$(cat /sys/kernel/tracing/events/nvmq/enable)" 0
check_fails "a word is no switch" count maybe

# ---- each CPU's reads, against the device and the map ----
count 1
is "on" "$(<"$sys/stats")" 1
seen_mark
for cpu in 0 1 2 3; do
	reads "$cpu" $((10 + cpu))
done
dd if=/dev/zero of="$node" bs=4096 count=20 oflag=direct conv=notrunc status=none
device_io=$(seen io) device_sq=$(seen sq-doorbells) device_cq=$(seen cq-doorbells)
take
note_file "$DBG/$BDF0/stats"
is "commands that the device saw" "$(sum '.read + .write + .other')" "$device_io"
is "doorbells of submission queues" "$(sum .sq_doorbells)" "$device_sq"
is "doorbells of completion queues" "$(sum .cq_doorbells)" "$device_cq"
within "reads" "$(sum .read)" 46 60
is "writes" "$(sum .write)" 20
consistent "one at a time"
queues_read "$BDF0"
for cpu in 0 1 2 3; do
	is "CPU $cpu reads through its read queue" \
		"$(value "[${Q}[] | select(.read > 0) | {q: .qid, c: (.by_cpu[] | select(.[0] == $cpu))} | .q] | unique")" \
		"[${CPU_READ[$cpu]}]"
	within "with its reads" "$(value "[${Q}[] | select(.qid == ${CPU_READ[$cpu]}) | .by_cpu[] | select(.[0] == $cpu) | .[1]] | add")" \
		$((10 + cpu)) $((14 + cpu))
done
is "never more than one under way" "$(value "[${Q}[].depth_max] | max")" 1
is "the text says the same as the JSON lines" "$(grep -v '^stats ' "$DBG/$BDF0/stats")" "$(jq -r '
	def text: if type == "array" then if length == 0 then "-" else map("\(.[0]):\(.[1])") | join(",") end else tostring end;
	select(.record != "stats") | "\(.record) " + (to_entries[1:] | map("\(.key)=\(.value | text)") | join(" "))' "$J")"

# ---- batches, polling ----
count 0
take
kept=$(sum .completed)
reads 0 5
take
is "off: counts no more, and keeps what it has" "$(sum .completed)" "$kept"
count 1
take
is "on again: from zero" "$(sum '.completed + .read + .depth_max + .interrupts')" 0
fio_ok "batches of 8" --filename="$node" --ioengine=io_uring --rw=randread --bs=4k --direct=1 --iodepth=32 --iodepth_batch=8 \
	--iodepth_batch_complete_min=8 --number_ios=2000 --size=32M
take
consistent "batches"
within "many doorbells tell of eight" "$(sum '[.batch[] | select(.[0] == 8) | .[1]] | add // 0')" 50 250
within "up to 32 under way" "$(value "[${Q}[].depth_max] | max")" 8 32
check "and fewer doorbells than commands" test "$(sum .sq_doorbells)" -lt $(($(sum .completed) / 2))
count 0
count 1
fio_ok "polled" --filename="$node" --ioengine=io_uring --hipri=1 --rw=randread --bs=4k --direct=1 --iodepth=4 --number_ios=1000 --size=32M
take
consistent "polled"
within "polled queues have the commands" "$(value "$Q | map(select(.type == \"poll\") | .read) | add")" 1000 1010
is "and no interrupt" "$(value "$Q | map(select(.type == \"poll\") | .interrupts) | add")" 0

# ---- submission queues that share completion queues ----
count 0
check "shared: another plan" dd if=<(echo default=4,share=2) of="$sys/plan" status=none
count 1
for cpu in 0 1 2 3; do
	reads "$cpu" $((10 + cpu))
done
take
consistent "shared"
is "shared: the completion queue of each queue" "$(value "$Q | map(select(.type != \"none\") | .cq)")" "[1,1,3,3]"
queues_read "$BDF0"
for cpu in 0 1 2 3; do
	within "shared: each queue has what its CPU has read and was completed" \
		"$(value "$Q | map(select(.qid == ${CPU_READ[$cpu]}) | [.completed, .read] | min) | add")" $((10 + cpu)) 60
done
is "shared: interrupts and doorbells are counted at the first of them" \
	"$(value "$Q | map(select(.interrupts > 0 and .cq_doorbells > 0) | .qid)")" "[1,3]"
is "shared: and nowhere else" "$(value "$Q | map(select(.qid != .cq) | .interrupts + .cq_doorbells) | add")" 0

# ---- queues that share vectors ----
check "vectors: another plan" dd if=<(echo default=4,vectors=3) of="$sys/plan" status=none
count 1
take
is "on while it is on: from zero" "$(sum '.read + .completed + .interrupts')" 0
for cpu in 0 1 2 3; do
	reads "$cpu" $((10 + cpu))
done
count 0
take
queues_read "$BDF0"
is "vectors: of each queue" "$(value "$Q | map(select(.type != \"none\") | .vector)")" \
	"[${Q_VECTOR[1]},${Q_VECTOR[2]},${Q_VECTOR[3]},${Q_VECTOR[4]}]"
within "vectors: the handlers of two queues have run for each interrupt" "$(sum .interrupts)" $((2 * 46)) $((2 * 60))
is "vectors: nvmq stat counts each interrupt once" "$("$TOOLS/tools/nvmq" stat "$BDF0" --json | jq .all.interrupts)" \
	"$(value "$Q | map(select(.vector)) | group_by(.vector) | map(map(.interrupts) | max) | add")"
check "vectors: back" dd if=<(echo default=2,read=2,poll=2) of="$sys/plan" status=none

# ---- time ----
if strict; then
	count 0
	count 1
	lie "when read always then delay 30ms"
	reads 0 4
	device unlie all
	take
	is "a device that takes 30 ms is seen to" "$(value "[${L}[] | select(.op == \"read\") | .device_ns[][0] | select(. < 24000000)] | length")" 0
	check "and the host is not charged" test "$(value "[${L}[] | select(.op == \"read\") | .host_ns[][0]] | max")" -lt 24000000
fi

# ---- two controllers, each for itself ----
count 1 "$BDF1"
take "$BDF1"
before=$(sum .completed)
reads 0 7
take "$BDF1"
is "I/O of another controller is not counted" "$(sum .completed)" "$before"
count 0 "$BDF1"
check "one ends, the other goes on" test "$(<"$sys/stats")" = 1

# ---- plans, resets, on and off, under load ----
count 0
count 1
load_begin --filename="$node"
for plan in default=1 default=4,poll=1 default=4,share=4 default=2,read=2,poll=2 default=8; do
	echo "$plan" >"$sys/plan"
	echo 1 >"$sys/reset"
	take
	is "$plan: counters of each of its queues" \
		"$(value "$Q | map(select(.type != \"none\")) | length")" "$(counts "$BDF0" | awk '{ print $1 + $2 + $3 }')"
done
load_end "load with plans and resets"
take
check "the counters went on" test "$(sum .completed)" -gt 1000
is "none is still under way" "$(value "[${Q}[] | .completed > .read + .write + .other] | any")" false
load_begin --filename="$node"
for ((i = 0; i < $(rounds 60); i++)); do
	count $((i % 2))
	cat "$DBG/$BDF0/stats" "$DBG/$BDF0/stats.json" >/dev/null
done
count 1
load_end "load while counting begins and ends"
# The load may have ended before anything was counted again.
dd if="$node" of=/dev/null bs=4k count=16 iflag=direct status=none
take
is "each record is JSON" "$(value 'map(.record) | unique')" '["cpu","latency","queue","stats"]'
# What is left on must not outlive the module.
unload
check_fails "gone with the driver" test -e "$DBG"
load plan=default=1
is "and off again" "$(<"$sys/stats")" 0
