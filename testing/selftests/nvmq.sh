#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# description: the nvmq command on real controllers: what it shows is so, what it sets is carried out, what it tries is undone
# vm: --turns -c 4 -d size=64M,queues=6 -d size=64M,queues=2
# kernels: 6.12 7.2
# time: 15
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "$0")/lib.sh"

# nvmq ARG...: its output, errors too
nvmq() { timeout 60 "$TOOLS/tools/nvmq" "$@" 2>&1; }

is "without the module: none" "$(nvmq list | wc -l)" 1
load plan=default=2,read=1,poll=1
disk=$(disk "$BDF0")
random_file "$T_TMP/data" $((1 << 20))
put "$T_TMP/data" "/dev/$disk" 0

like "list: the first" "$(nvmq list)" "$BDF0 +${disk%n*} +live .* default=2 read=1 poll=1 +$disk"
like "list: the second" "$(nvmq list)" "$BDF1 .*$(disk "$BDF1")"
like "which of two?" "$(nvmq plan || true)" "name one: $BDF0 $BDF1"
like "plan of a disk" "$(nvmq plan "$disk")" "granted +$(attr "$BDF0" granted)"

# shown PLAN: each line of the map is what debugfs says, and the interrupt exists and is the queue's
shown() {
	local cpu type sq irq bad="" rows=0 want
	queues_read "$BDF0"
	while read -r line; do
		read -ra word <<<"$line"
		case ${word[0]} in
		[0-9]*) cpu=${word[0]} word=("${word[@]:1}") ;;
		esac
		type=${word[0]} sq=${word[2]} irq=${word[5]}
		case $type in
		default) want=${CPU_DEFAULT[$cpu]} ;;
		read) want=${CPU_READ[$cpu]} ;;
		poll) want=${CPU_POLL[$cpu]} ;;
		esac
		[ "$sq" = "$want" ] || bad+=" cpu$cpu-$type:$sq-not-$want"
		[ "$irq" = - ] || grep -Eq "^ *$irq:.*nvmq[0-9]+q$sq(,|\$)" /proc/interrupts || bad+=" irq$irq-not-of-queue$sq"
		rows=$((rows + 1))
	done < <(nvmq map "$disk" | sed -n '/^ CPU/,$p' | tail -n +2)
	is "$1: map is what there is" "$bad" ""
	is "$1: a row for each type that there is, of each CPU" "$rows" "$2"
}
shown "at load" 12
while IFS='|' read -r plan rows granted; do
	like "set $plan" "$(nvmq plan "$disk" set "$plan")" "granted +$granted"
	shown "$plan" "$rows"
done <<-ROWS
	default=4|4|default=4 read=0 poll=0
	default=1 read=4|8|default=1 read=4 poll=0
	default=2,poll=2,vectors=2|8|default=2 read=0 poll=2
	default=0-2:3-3 read=1/16|8|default=2 read=1/16 poll=0
	default=6|4|default=4 read=0 poll=0
ROWS
before="$(attr "$BDF0" plan) $(attr "$BDF0" granted)"
check_fails "a plan that is none" nvmq plan "$disk" set default=2 poll=many
check_fails "one that leaves CPU 3 without a queue" nvmq plan "$disk" set default=0-1:2-2
is "no effect" "$(attr "$BDF0" plan) $(attr "$BDF0" granted)" "$before"

load_begin --filename="/dev/$disk" --offset=8M
io_begun "$disk"
like "try, under load" "$(nvmq plan "$disk" try --seconds 1 default=1)" "back to +default=6"
is "the old plan is back" "$(attr "$BDF0" plan) $(attr "$BDF0" granted)" "$before"
like "try, whose Enter comes from no terminal" "$(echo | nvmq plan "$disk" try --seconds 1 default=1)" "back to +default=6"
# Keys for what runs at a terminal of its own.
mkfifo "$T_TMP/keys"
exec {keys_fd}<>"$T_TMP/keys"
setsid script -qefc "$TOOLS/tools/nvmq plan $disk try --seconds 300 default=3" "$T_TMP/try" <"$T_TMP/keys" >/dev/null 2>&1 &
BG=$!
T_BG+=("$BG")
check "try, at a terminal: asks" poll_until 20 grep -q 'keeps it' "$T_TMP/try"
echo >&"$keys_fd"
check "try, confirmed: ends" poll_until 20 gone "$BG"
like "try, confirmed: says so" "$(<"$T_TMP/try")" "kept"
is "the new one stays" "$(attr "$BDF0" plan)" default=3
load_end "I/O meanwhile"
is "the other controller has its own" "$(attr "$BDF1" plan)" "default=2 read=1 poll=1"
# ---- counting: reads that only CPU 2 makes ----
nvmq plan "$disk" set default=2 read=2 poll=1 >/dev/null
queues_read "$BDF0"
check "stat on" nvmq stat "$disk" on
taskset -c 2 dd if="/dev/$disk" of=/dev/null bs=4096 count=100 iflag=direct status=none
check "stat off" nvmq stat "$disk" off
nvmq stat "$disk"
is "stat: the reads of CPU 2, by its queue" \
	"$(nvmq stat "$disk" --json | jq -c "[.queues[] | {q: .qid, n: ([.by_cpu[] | select(.[0] == 2) | .[1]] | add // 0)} | select(.n > 0)]")" \
	"[{\"q\":${CPU_READ[2]},\"n\":100}]"
like "hist: as many" "$(nvmq hist "$disk" --op read)" "in the device, to the completion: [0-9]*1[0-9][0-9] commands"
is "the other one has counted nothing" "$(nvmq stat "$BDF1" || true)" \
	"nvmq: $BDF1: nothing was counted yet; see --seconds, and nvmq stat on"
# The screen of top, under load; a key ends it, and so do Ctrl-C and Ctrl-\, while it asks for a plan or not.
load_begin --filename="/dev/$disk" --offset=8M
io_begun "$disk"
is "stat, for three seconds of the load: its rates" \
	"$(nvmq stat "$disk" --seconds 3 --json | jq '.all.read + .all.write > 10 and .seconds > 2.9 and .all.device_ns.p50 > 1000')" true
is "counting is off again" "$(attr "$BDF0" stats)" 0
for keys in q $'\x03' $'\x1c' $'edefault=1\x03'; do
	name="top, $(printf %q "$keys")"
	rm -f "$T_TMP/top"
	TERM=vt100 setsid script -qefc "$TOOLS/tools/nvmq top $disk" "$T_TMP/top" <"$T_TMP/keys" >/dev/null 2>&1 &
	BG=$!
	T_BG+=("$BG")
	check "$name: the table" poll_until 20 grep -q 'reads/s' "$T_TMP/top"
	printf '%s' "$keys" >&"$keys_fd"
	check "$name: ends" poll_until 20 gone "$BG"
	is "$name: counting is off again" "$(attr "$BDF0" stats)" 0
	is "$name: the plan is what it was" "$(attr "$BDF0" plan)" "default=2 read=2 poll=1"
done
load_end "I/O while it is watched"
check "the data is what it was" same "$T_TMP/data" "/dev/$disk" 0
