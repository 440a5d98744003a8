#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# description: another plan while I/O runs: every CPU's I/O goes where it says, no I/O is lost, what is wrong has no effect, what fails is undone
# vm: -c 4 -d strict,size=64M,ns=2,queues=12,raw=wrr:1,raw=msi:8 -- random 30 1 @TIMES@
# vm 7.2: -c 8 -a isolcpus=managed_irq,1,6 -d strict,size=64M,ns=2,queues=7,raw=msi:8 -- random 15 2 @TIMES@
# vm 7.2: --turns -c 4 -d strict,size=256M,queues=12,raw=wrr:1,raw=msi:8 -- path
# vm 7.2: -c 4 -d strict,size=128M,queues=12,raw=cqs:8,raw=to:1,raw=crto:0 -- trouble
# vm 7.2: --turns -c 4 -a isolcpus=domain,managed_irq,1,3 -d strict,size=128M,queues=12,raw=mqes:128 -- isolated
# kernels: 6.1 7.2
# time: 60
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "$0")/lib.sh"

sys=/sys/bus/pci/devices/$BDF0
tracing=/sys/kernel/tracing

# set_plan TEXT: its status is that of the write
set_plan() { printf '%s\n' "$1" 2>/dev/null >"$sys/nvmq/plan"; }

# logged PLAN REGEX: the log says about PLAN, which is refused, what REGEX says; it is refused again for as long as the limit
# on such lines keeps this one out
logged() { poll_until 20 refused_aloud "$@"; }
refused_aloud() { t_log_grep "nvmq $BDF0: plan: $2" || { set_plan "$1"; false; }; }

# strays: each CPU reads, writes and polls at a place of its own; what did not go to the queue that the map names. One process
# for all of it: under emulation they take their time.
strays() {
	local op cpu blocks line place jobs=() what=() want=() got=()
	queues_read "$BDF0"
	blocks=$((8192 / $(<"/sys/block/$disk/queue/logical_block_size")))
	for op in read write poll; do
		# Where there is no queue for it, the kernel's version decides what becomes of polling.
		[ "$op.$(granted "$BDF0" poll)" != poll.0 ] || continue
		for cpu in $(online_cpus); do
			jobs+=("--name=cpu$cpu-$op" "--rw=${op/poll/read}" "--cpus_allowed=$cpu" "--offset=$((${#what[@]} * 8))k")
			case $op in
			read) want+=("${CPU_READ[$cpu]}") ;;
			write) want+=("${CPU_DEFAULT[$cpu]}") ;;
			poll) want+=("${CPU_POLL[$cpu]}") jobs+=(--ioengine=io_uring --hipri=1) ;;
			esac
			what+=("cpu$cpu-$op")
		done
	done
	echo >"$tracing/trace"
	echo 1 >"$tracing/events/nvmq/nvmq_command/enable"
	timeout 20 fio --filename="$node" --bs=4k --size=8k --direct=1 --ioengine=psync --thread "${jobs[@]}" >/dev/null || echo "fio failed"
	echo 0 >"$tracing/events/nvmq/nvmq_command/enable"
	# Whichever CPU sends it in the end: the place says whose it is.
	while read -r line; do
		[[ $line =~ nvmq_command:.*\ qid=([1-9][0-9]*)\ .*\ opcode=0x0[12]\ .*\ cdw10=(0x[0-9a-f]+)\  ]] || continue
		place=$((BASH_REMATCH[2] / blocks))
		[[ " ${got[place]:-} " = *" ${BASH_REMATCH[1]} "* ]] || got[place]=${got[place]:+${got[place]} }${BASH_REMATCH[1]}
	done <"$tracing/trace"
	for place in "${!what[@]}"; do
		[ "${got[place]:-}" = "${want[place]}" ] || echo "${what[place]}:${got[place]:-none}-not-${want[place]}"
	done
}

# map_of TYPE: the queue of each CPU, in their order
map_of() {
	local cpu
	queues_read "$BDF0"
	local -n map=CPU_${1^^}
	for cpu in $(seq 0 3); do
		echo "${map[$cpu]}"
	done | paste -sd' '
}

# at_a_time WHAT RW WANT: the most commands that are outstanding on a queue while CPU 0 wants 64 of them. The device keeps each
# for as long as it takes to send WANT of them: all tests take the same time.
at_a_time() {
	lie "when io every 1 then delay $(($3 * 5 * T_SLOW))ms"
	is "$1 at a time" "$(deepest "$2")" "$3"
	device unlie all
}
deepest() { # RW
	local hipri=0
	[ "$1" != poll ] || hipri=1
	echo >"$tracing/trace"
	echo 1 >"$tracing/events/nvmq/nvmq_command/enable"
	echo 1 >"$tracing/events/nvmq/nvmq_completion/enable"
	fio --name=deep --filename="$node" --rw="${1/poll/read}" --bs=4k --size=512k --offset=64M --direct=1 --ioengine=io_uring \
		--hipri=$hipri --iodepth=64 --iodepth_batch=16 --cpus_allowed=0 --thread >/dev/null || echo "fio failed "
	echo 0 >"$tracing/events/enable"
	awk '
		!/ qid=[1-9]/ { next }
		{ match($0, /qid=[0-9]+/); qid = substr($0, RSTART + 4, RLENGTH - 4) }
		/nvmq_command:/ && ++out[qid] > most { most = out[qid] }
		/nvmq_completion:/ { out[qid]-- }
		END { print most + 0 }' "$tracing/trace"
}

# tag_depths: how many tags each hardware context has, those that follow each other only once
tag_depths() {
	local i
	for ((i = 0; ; i++)); do
		[ -d "/sys/kernel/debug/block/$disk/hctx$i" ] || break
		sed -n '/^bitmap_tags/,$s/^depth=//p' "/sys/kernel/debug/block/$disk/hctx$i/tags" | head -n 1
	done | uniq | paste -sd' '
}

# coalescings: what Interrupt Coalescing was set to, from the trace, which has dword 11 above dword 10
coalescings() {
	sed -n 's/.*nvmq_command: .* qid=0 .* opcode=0x09 .* cdw10=0x\([0-9a-f]*\) .*/\1/p' "$tracing/trace" |
		sed -n 's/^8$/0/p; s/^\(.*\)00000008$/\1/p' | paste -sd' '
}

# priorities: the QPRIO of the submission queues that were created, in their order; from the trace, as above
priorities() {
	sed -n 's/.*nvmq_command: .* qid=0 .* opcode=0x01 .* cdw10=0x\([0-9a-f]*\)[0-9a-f]\{8\} .*/\1/p' "$tracing/trace" |
		while read -r dw; do echo $((0x$dw >> 1 & 3)); done | paste -sd' '
}

# arbitrations: what Arbitration was set to, likewise
arbitrations() {
	sed -n 's/.*nvmq_command: .* qid=0 .* opcode=0x09 .* cdw10=0x\([0-9a-f]*\)00000001 .*/\1/p' "$tracing/trace" | paste -sd' '
}

case $1 in
path)
	load plan=default=1
	# In the order in which they came, whichever CPU they came on.
	echo counter >"$tracing/trace_clock"
	disk=$(disk "$BDF0") node=$(dev "$BDF0")
	random_file "$T_TMP/data" $((1 << 20))
	put "$T_TMP/data" "$node" $((1 << 20))
	enables=$(device_stat enables)
	# Each plan, and what is granted of it with 4 CPUs and 12 pairs.
	while IFS='|' read -r plan want canonical; do
		check "$plan: taken" set_plan "$plan"
		is "$plan: granted" "$(counts "$BDF0")" "$want"
		is "$plan: reads back" "$(attr "$BDF0" plan)" "${canonical:-$plan}"
		check "$plan: and can be written back" set_plan "$(attr "$BDF0" plan)"
		is "$plan: every CPU's I/O goes where the map says" "$(strays)" ""
		check "$plan: the data is what it was" same "$T_TMP/data" "$node" $((1 << 20))
	done <<-ROWS
		default=4|4 0 0
		default=2 read=1 poll=1|2 1 1
		default=cpu read=cpu poll=cpu|4 4 4
		default=1 poll=2|1 0 2
		default=3 vectors=2|3 0 0
		default=3 vectors=4|3 0 0
		default=4 placement=free|4 0 0
		default=4|4 0 0
		default=node|1 0 0
		poll=2,default=64|4 0 2|default=64 poll=2
		default=rest|1 0 0
		default=0+3:rest|2 0 0
		default=3:1:0+2/7 read=rest poll=0-1:2-3/5|3 1 2
		read=0:1:2:3 poll=3-9:rest/16 vectors=4|4 4 2|default=cpu read=0:1:2:3 poll=3-9:rest/16 vectors=4
		default=1-3:0 placement=free irq=msi|2 0 0|default=1-3:0 irq=msi placement=free
		poll=2/9 depth=33 leave=3 coalesce=4/200|4 0 2|default=cpu poll=2/9 depth=33 leave=3 coalesce=4/200
		default=4 read=4 poll=4 leave=10 coalesce=off|1 1 0|default=4 read=4 poll=4 leave=10
		default=4 share=2|4 0 0
		default=4 read=3 poll=2 share=2|4 3 2
		default=cpu read=cpu poll=cpu share=256|4 4 4
		default=3:1:0+2/7 read=rest share=2|3 1 0
		default=4 vectors=2 share=2 irq=msi|4 0 0|default=4 vectors=2 irq=msi share=2
		default=2 share=off|2 0 0|default=2
		irq=msi|4 0 0|default=cpu irq=msi
		|4 0 0|default=cpu
	ROWS
	is "all that without a reset" "$(log_count 'reset:')" 0
	is "the controller was not enabled again" "$(device_stat enables)" "$enables"

	# The map is the list.
	while IFS='|' read -r plan type want; do
		check "$plan: taken" set_plan "$plan"
		is "$plan: the map is the list" "$(map_of "$type")" "$want"
	done <<-ROWS
		default=0+3:rest|default|1 2 2 1
		default=rest:1|default|1 2 1 1
		default=2-3:0-1|default|2 2 1 1
		default=cpu read=3:rest|read|6 6 6 5
		default=1+3:0+2 poll=3:2:1:0|poll|6 5 4 3
	ROWS

	# Submission queues that share completion queues: who has which, with which vector.
	while IFS='|' read -r plan cqs vectors want; do
		check "$plan: taken" set_plan "$plan"
		queues_read "$BDF0"
		total=$(($(granted "$BDF0" default) + $(granted "$BDF0" read) + $(granted "$BDF0" poll)))
		is "$plan: completion queues" "$(for ((i = 1; i <= total; i++)); do echo "${Q_CQ[$i]}"; done | paste -sd' ')" "$cqs"
		is "$plan: vectors" "$(for ((i = 1; i <= total; i++)); do echo "${Q_VECTOR[$i]}"; done | paste -sd' ')" "$vectors"
		is "$plan: granted" "$(attr "$BDF0" granted)" "$want"
		[[ $plan = *read* ]] || vectors_work "$plan" "$disk"
	done <<-ROWS
		default=4 share=2|1 1 3 3|1 1 2 2|default=4 read=0 poll=0 depth=1023 vectors=3 irq=msix share=2
		default=4 share=4|1 1 1 1|1 1 1 1|default=4 read=0 poll=0 depth=511 vectors=2 irq=msix share=4
		default=3 read=2 poll=2 share=2|1 1 3 4 4 6 7|1 1 2 3 3 - -|default=3 read=2 poll=2 depth=1023 vectors=4 irq=msix share=2
		default=4 share=2 irq=msi|1 1 3 3|0 0 0 0|default=4 read=0 poll=0 depth=1023 vectors=1 irq=msi share=2
	ROWS
	put "$T_TMP/data" "$node" $((1 << 20))

	# As many commands at a time as the type may have, before and after a reset.
	while IFS='|' read -r plan write read poll tags; do
		check "$plan: taken" set_plan "$plan"
		is "$plan: tags" "$(tag_depths)" "$tags"
		at_a_time "$plan: writes" write "$write"
		at_a_time "$plan: reads" read "$read"
		[ "$poll" = - ] || at_a_time "$plan: polled reads" poll "$poll"
	done <<-ROWS
		default=cpu/4|4|4|-|4
		default=2/4 read=2/9|4|9|-|4 9
		default=2/5 read=1/9 poll=4/3|5|9|3|5 9 3
		default=3 depth=7|7|7|-|7
		default=1/12 read=2 depth=6|12|6|-|12 6
	ROWS
	echo 1 >"$sys/nvmq/reset"
	is "after a reset: tags" "$(tag_depths)" "12 6"
	at_a_time "after a reset: writes" write 12
	check "no depth: taken" set_plan default=4
	is "no depth: tags" "$(tag_depths)" 1023
	at_a_time "no depth: writes" write 64
	check "more than there are tags: taken" set_plan "default=2/4000 read=1/8"
	is "more than there are tags: as many as there are" "$(attr "$BDF0" granted)" \
		"default=2 read=1/8 poll=0 depth=1023 vectors=4 irq=msix"
	is "more than there are tags: tags" "$(tag_depths)" "1023 8"

	# Coalescing is asked for when it changes, and after a reset.
	echo >"$tracing/trace"
	echo 1 >"$tracing/events/nvmq/nvmq_command/enable"
	for plan in "default=2 coalesce=8/100" "default=4 coalesce=8/100" "coalesce=256/25500" "coalesce=1/300" default=2; do
		check "$plan: taken" set_plan "$plan"
	done
	is "coalescing: as asked, as often as it changes" "$(coalescings)" "107 ffff 300 0"
	check "coalescing: another" set_plan "default=2 coalesce=2/100"
	echo >"$tracing/trace"
	echo 1 >"$sys/nvmq/reset"
	is "coalescing: again after a reset" "$(coalescings)" 101
	echo 0 >"$tracing/events/enable"
	like "coalescing: granted" "$(attr "$BDF0" granted)" " coalesce=2/100$"
	check "coalescing: the data is what it was" same "$T_TMP/data" "$node" $((1 << 20))
	lie "when set-features feature 8 then status invalid-field dnr"
	log_mark
	check "coalescing refused: taken all the same" set_plan "default=2 coalesce=4/100"
	log_has "coalescing refused: one line" "Interrupt Coalescing, refused"
	is "coalescing refused: no more than one" "$(log_count 'Interrupt Coalescing')" 1
	like "coalescing refused: as it was" "$(attr "$BDF0" granted)" " coalesce=2/100$"
	echo 1 >"$sys/nvmq/reset"
	like "coalescing refused after a reset: granted" "$(attr "$BDF0" granted)" " coalesce=off$"
	device unlie all

	# Weighted round robin: classes, weights, and a reset where it begins, ends, or goes back to the device's own weights.
	[ "$(granted "$BDF0" default)" -eq 4 ] || set_plan default=4
	put "$T_TMP/data" "$node" $((1 << 20))
	while IFS='|' read -r plan resets prios weights want; do
		echo >"$tracing/trace"
		echo 1 >"$tracing/events/nvmq/nvmq_command/enable"
		enables=$(device_stat enables)
		check "$plan: taken" set_plan "$plan"
		echo 0 >"$tracing/events/enable"
		is "$plan: reads back" "$(attr "$BDF0" plan)" "$plan"
		is "$plan: resets" "$(($(device_stat enables) - enables))" "$resets"
		is "$plan: priorities" "$(priorities)" "$prios"
		is "$plan: weights" "$(arbitrations)" "$weights"
		is "$plan: granted" "$(attr "$BDF0" granted | grep -o ' wrr=.*')" "${want:+ wrr=$want}"
		[[ $plan != *poll* && $plan != *share* ]] || is "$plan: every CPU's I/O goes where the map says" "$(strays)" ""
	done <<-ROWS
		default=2 read=1 poll=1 wrr=read:high+poll:urgent|1|2 2 1 0||read:high+poll:urgent
		default=2 read=1 wrr=default:low+read:high/16:4:1|0|3 3 1|f030006|default:low+read:high/16:4:1
		default=1 read=1 wrr=default:medium/16:4:1|0|2 2||default:medium/16:4:1
		default=1 wrr=default:medium/256:256:256|0|2|ffffff06|default:medium/256:256:256
		default=1 wrr=default:urgent|1|0||default:urgent
		default=2 share=2 wrr=default:high/2:1:1|0|1 1|1000006|default:high/2:1:1
		default=2|1|0 0||
	ROWS
	# Once more while I/O runs, and over a reset of another reason.
	load_begin --filename="$node" --offset=16M
	for plan in wrr=default:high default=2 default=4,wrr=default:low/9:8:7; do
		check "$plan: taken under load" set_plan "$plan"
	done
	echo 1 >"$sys/nvmq/reset"
	load_end "changes of the arbitration under load"
	like "wrr: after a reset" "$(attr "$BDF0" granted)" " wrr=default:low/9:8:7$"
	lie "when set-features feature 1 then status invalid-field dnr"
	check "weights refused: taken all the same" set_plan "default=2 wrr=default:low/1:1:1"
	like "weights refused: as they were" "$(attr "$BDF0" granted)" " wrr=default:low/9:8:7$"
	echo 1 >"$sys/nvmq/reset"
	like "weights refused after a reset: the device's own" "$(attr "$BDF0" granted)" " wrr=default:low$"
	device unlie all
	check "the data is what it was" same "$T_TMP/data" "$node" $((1 << 20))

	# Lists that fit no machine of four CPUs.
	check "to begin with" set_plan default=4
	while IFS='|' read -r plan reason; do
		log_mark
		check_fails "$plan: refused" set_plan "$plan"
		check "$plan: the log says why" logged "$plan" "\"${plan//+/.}\": $reason"
		is "$plan: nothing has changed" "$(attr "$BDF0" plan)" default=4
	done <<-ROWS
		default=0-2|a CPU of this machine has no queue
		poll=0-1:3|a CPU of this machine has no queue
		default=0-3:4|a queue has no CPU of this machine
		read=0-3:rest/9|a queue has no CPU of this machine
		default=0+1-3:2|CPU named twice
	ROWS
	# What is wrong is refused as a whole, and says why: wrong words among right ones, each at every second place.
	before="$(attr "$BDF0" plan) $(attr "$BDF0" granted)" count=0 taken="" silent=""
	bad_words=("default=0" "default=x" "default=" "default=65536" "default=-1" "default=1,default=2" "read=65536" "read=many"
		"poll=1.5" "poll=0x2" "depth=1" "depth=4096" "depth=64/64" "vectors=0" "vectors=2049" "irq=none" "irq=4"
		"placement=mine" "queues=4" "default 2" "=3" "read==1" "$BDF0" "default=2;default=3" "depth=99999999999999999999"
		"default=0-2" "default=0-3:4-7" "read=0-3:rest" "poll=1:rest:1" "read=3-0:rest" "poll=0::rest" "read=rest:rest"
		"poll=65535:rest" "read=$(seq -s: 0 60)" "default=2/1" "read=1/4096" "poll=2/" "default=/4/4" "leave=65536" "leave=x"
		"cpus=0" "cpus=none" "cpus=" "default=0-1:rest cpus=housekeeping"
		"wrr=on" "wrr=default" "wrr=default:best" "wrr=io:high" "wrr=read:low+read:low" "wrr=read:low/1:2" "wrr=read:low/0:1:1"
		"wrr=read:low/1:1:257" "wrr=read:low/" "wrr="
		"share=1" "share=257" "share=two" "share=" "share=2/2"
		"coalesce=8" "coalesce=0/100" "coalesce=257/100" "coalesce=8/50" "coalesce=8/25600" "coalesce=off/0"
		$'read=\x01' "poll=$(printf '9%.0s' {1..200})")
	places=("WORD" "default=2 WORD" "WORD default=2" "read=1,WORD,poll=1" "vectors=3 WORD irq=msix" "placement=free, WORD")
	for i in "${!bad_words[@]}"; do
		for ((place = i % 2; place < ${#places[@]}; place += 2)); do
			text=${places[place]/WORD/"${bad_words[i]}"}
			log_mark
			! set_plan "$text" || taken+=" \"$text\""
			[ "$count" -ge 8 ] || logged "$text" "" || silent+=" \"$text\""
			count=$((count + 1))
		done
	done
	note "$count wrong plans"
	is "wrong plans: none is taken" "$taken" ""
	is "wrong plans: the log says why" "$silent" ""
	is "wrong plans: nothing has changed" "$(attr "$BDF0" plan) $(attr "$BDF0" granted)" "$before"
	check "and the disk works" same "$T_TMP/data" "$node" $((1 << 20))
	;;
isolated)
	# CPUs 1 and 3 are isolated: they have no queue, and are in no interrupt's way.
	load plan=cpus=housekeeping
	disk=$(disk "$BDF0") node=$(dev "$BDF0")
	random_file "$T_TMP/data" $((1 << 20))
	put "$T_TMP/data" "$node" $((1 << 20))
	# served: CPUs that an interrupt of the controller is delivered to; taken: those that have had any
	served() { awk '!/^#/ && $7 != "-" { print $7 }' "$DBG/$BDF0/queues" | sort -u | paste -sd' '; }
	taken() {
		local cpu irq
		irqs_read
		for cpu in $(online_cpus); do
			for irq in "${!IRQ_TOTAL[@]}"; do
				[ "${IRQ_CPU[$irq.$cpu]:-0}" -eq 0 ] || { echo "$cpu" && break; }
			done
		done | paste -sd' '
	}
	while IFS='|' read -r plan want type map; do
		[ "$plan" = load ] || check "$plan: taken" set_plan "$plan"
		is "$plan: granted" "$(attr "$BDF0" granted)" "$want"
		is "$plan: the map" "$(map_of "$type")" "$map"
		is "$plan: every CPU's I/O goes where the map says" "$(strays)" ""
		[[ $want != *vectors=[34]* ]] || is "$plan: interrupts are delivered to both of the others" "$(served)" "0 2"
		is "$plan: and to no isolated CPU" "$(served | tr -d ' 02')" ""
		is "$plan: nor do they come to one" "$(taken | tr -d ' 02')" ""
	done <<-ROWS
		load|default=2 read=0 poll=0 depth=127 vectors=3 irq=msix cpus=2|default|1 1 2 2
		default=4 read=1 poll=cpu cpus=housekeeping|default=2 read=1 poll=2 depth=127 vectors=4 irq=msix cpus=2|poll|4 4 5 5
		default=cpu/9 share=2 cpus=housekeeping|default=2 read=0 poll=0 depth=9 vectors=2 irq=msix share=2 cpus=2|default|1 1 2 2
		default=1 vectors=1 cpus=housekeeping|default=1 read=0 poll=0 depth=127 vectors=1 irq=msix cpus=2|default|1 1 1 1
	ROWS
	echo 1 >"$sys/nvmq/reset"
	is "after a reset: as it was" "$(attr "$BDF0" granted)" "default=1 read=0 poll=0 depth=127 vectors=1 irq=msix cpus=2"
	is "after a reset: interrupts on no isolated CPU" "$(served | tr -d ' 02')" ""
	check_fails "lists of CPUs beside it: refused" set_plan "cpus=housekeeping read=0-1:rest"
	log_has "lists of CPUs beside it: the log says why" 'plan: "read=0-1:rest": cpus=housekeeping leaves no CPUs to list'
	check "all CPUs: taken" set_plan default=cpu
	is "all CPUs: granted" "$(attr "$BDF0" granted)" "default=4 read=0 poll=0 depth=127 vectors=5 irq=msix"
	is "all CPUs: the map" "$(map_of default | tr ' ' '\n' | sort | paste -sd' ')" "1 2 3 4"
	check "the data is what it was" same "$T_TMP/data" "$node" $((1 << 20))
	# And without another boot:
	unload
	# nr_requests beside a plan: the same bitmaps, those of all types, until a plan has other queues or depths.
	load plan=default=2/100,read=2/40
	disk=$(disk "$BDF0") node=$(dev "$BDF0")
	nr() { dd if=<(echo "$1") of="/sys/block/$disk/queue/nr_requests" status=none 2>/dev/null; }
	is "as planned: tags" "$(tag_depths)" "100 40"
	is "nr_requests shows the memory" "$(<"/sys/block/$disk/queue/nr_requests")" 100
	check "nr_requests=8: taken" nr 8
	is "nr_requests=8: tags" "$(tag_depths)" 8
	at_a_time "nr_requests=8: reads" read 8
	at_a_time "nr_requests=8: writes" write 8
	is "the plan is what it was" "$(attr "$BDF0" plan) $(attr "$BDF0" granted)" \
		"default=2/100 read=2/40 default=2 read=2/40 poll=0 depth=100 vectors=5 irq=msix"
	check "nr_requests=60: taken" nr 60
	is "nr_requests=60: tags, of reads too" "$(tag_depths)" 60
	at_a_time "nr_requests=60: reads" read 60
	check_fails "nr_requests=101: more than there is memory for" nr 101
	is "which changes nothing" "$(tag_depths)" 60
	echo 1 >"$sys/nvmq/reset"
	is "a reset leaves them" "$(tag_depths)" 60
	check "a plan of other depths: taken" set_plan default=2/100,read=2/30
	is "a plan of other depths: tags are its own again" "$(tag_depths)" "100 30"
	at_a_time "a plan of other depths: reads" read 30
	# More than the completion ring of several queues has room for: the device waits, nothing is lost.
	check "shared: taken" set_plan default=2/10,share=2
	check "shared: nr_requests=100" nr 100
	lie "when io every 1 then delay $((20 * T_SLOW))ms"
	fio_ok "shared: verified" --filename="$node" --direct=1 --ioengine=io_uring --iodepth=100 --numjobs=4 --rw=randwrite \
		--bs=4k --size=1M --offset_increment=8M --verify=crc32c --do_verify=1 --group_reporting
	device unlie all
	is "the device has seen nothing wrong" "$(device_stat violations)" 0
	;;
random)
	changes=$(($2 * ${4:-1})) RANDOM=$3 wrr=0
	# Only the first of these devices has weighted round robin.
	load io_timeout=20 plan=wrr=default:high
	[[ $(attr "$BDF0" granted) == *wrr=off* ]] || wrr=1
	note "weighted round robin: $wrr"
	disk=$(disk "$BDF0") node=$(dev "$BDF0")
	cpus=$(nproc)
	random_file "$T_TMP/data" $((1 << 20))
	put "$T_TMP/data" "$node" 0
	mkfs.ext4 -q "$(dev "$BDF0" 2)"
	mount_at "$(dev "$BDF0" 2)" "$T_TMP/mnt"
	# A process takes its time under emulation: none is started for a plan.
	one_of() { local words=("${@:2}"); printf -v "$1" %s "${words[RANDOM % ($# - 1)]}"; }
	perhaps() { [ $((RANDOM % $1)) != 0 ] || plan+=" $2"; }
	random_plan() {
		local queues depth reads polls classes
		one_of queues 1 2 3 "$cpus" cpu core node $((RANDOM % 12 + 1)) rest 0+2:rest 3:1:rest
		one_of depth "" "" /$((RANDOM % 30 + 2))
		one_of reads 0 1 2 cpu 0-1:rest 2:rest/3 1/200 cpu/$((RANDOM % 1022 + 2))
		one_of polls 0 1 2 cpu 3:0-2+4-9 rest 2/2 cpu/17
		one_of classes default:high read:low+poll:urgent default:medium default:urgent/9:4:1 poll:high/1:1:256
		plan="default=$queues$depth"
		perhaps 2 "read=$reads"
		perhaps 2 "poll=$polls"
		perhaps 4 "depth=$((RANDOM % 500 + 2))"
		perhaps 3 "vectors=$((RANDOM % 8 + 1))"
		perhaps 8 irq=msi
		perhaps 5 placement=free
		perhaps 5 "leave=$((RANDOM % 12 + 1))"
		perhaps 5 "coalesce=$((RANDOM % 16 + 1))/$((RANDOM % 9 + 1))00"
		perhaps 3 "share=$((RANDOM % 6 + 2))"
		[ "$wrr" = 0 ] || perhaps 4 "wrr=$classes"
		# Without lists of CPUs
		[[ $plan = *rest* || $plan = *-* ]] || perhaps 5 cpus=housekeeping
	}
	# A CPU goes and comes back, whatever happens meanwhile.
	toggle() {
		local online=/sys/devices/system/cpu/cpu$1/online
		echo 0 >"$online" && echo 1 >"$online" || echo "${online%/online}" >>"$T_TMP/toggles"
	}
	load_begin --filename="$node" --offset=16M --fdatasync=64
	# What was written to the file system is read back from the disk.
	( cd "$T_TMP/mnt" && until [ -e "$T_TMP/stop" ]; do
		file=file.$((RANDOM % 8))
		cp "$T_TMP/data" "$file" && sync && same "$T_TMP/data" "$file" 0 || exit 1
	done ) >"$T_TMP/fs.out" 2>&1 &
	fs=$!
	io_begun "$disk"
	failed="" wrong="" refused="" slowest=0 total_ms=0 other="" toggles=0 resets=0 crossed=0
	: >"$T_TMP/toggles"
	for ((i = 1; i <= changes; i++)); do
		random_plan
		# CPUs go and come while the plan changes.
		if [ $((i % 4)) = 0 ]; then
			[ -z "$other" ] || wait "$other"
			toggle $((RANDOM % (cpus - 1) + 1)) &
			other=$! toggles=$((toggles + 1))
		fi
		begun=${EPOCHREALTIME/./}
		set_plan "$plan" || failed+=" \"$plan\""
		ms=$(((${EPOCHREALTIME/./} - begun) / 1000))
		total_ms=$((total_ms + ms))
		[ "$ms" -le "$slowest" ] || slowest=$ms
		# What there is none of is not shown.
		want="$plan " want=${want/ read=0 / } want=${want/ poll=0 / }
		read -r shown <"$sys/nvmq/plan"
		[ "$shown" = "${want% }" ] || wrong+=" \"$plan\""
		case $((i % 10)) in
		3)
			echo 1 >"$sys/nvmq/reset" || refused+=" $i:reset"
			resets=$((resets + 1))
			;;
		6)
			# One of the two may be refused, and the plan is another then.
			{ echo 1 >"$sys/nvmq/reset"; } 2>/dev/null &
			crossing=$!
			random_plan
			set_plan "$plan" || crossed=$((crossed + 1))
			wait "$crossing" || crossed=$((crossed + 1))
			resets=$((resets + 1))
			live "$BDF0" || wrong+=" $i:$(state "$BDF0")"
			;;
		8) io_begun "$disk" || wrong+=" $i:stuck" ;;
		9) echo 1 >"$sys/nvmq/rescan" || refused+=" $i:rescan" ;;
		esac
	done
	[ -z "$other" ] || wait "$other"
	refused+=$(<"$T_TMP/toggles")
	: >"$T_TMP/stop"
	load_end "$changes changes under load" 90
	rc=0
	wait "$fs" || rc=$?
	is "the file system has what was written" "$rc" 0
	drop_caches
	for file in "$T_TMP/mnt"/file.*; do
		cmp "$T_TMP/data" "$file" >>"$T_TMP/fs.out" 2>&1 || rc=1
	done
	is "and all of it at the end" "$rc" 0
	note_file "$T_TMP/fs.out"
	is "each plan is taken" "$failed" ""
	is "and shown" "$wrong" ""
	is "resets, rescans and CPUs in between succeed" "$refused" ""
	note "a change took $((total_ms / changes)) ms on average, $slowest ms at most; CPUs that went and came back: $toggles," \
		"resets: $resets, refused as a reset and a change met: $crossed"
	umount "$T_TMP/mnt"
	is "every CPU's queue works afterwards" "$(cpus_differ 20 "$node" 1024 "$T_TMP/data")" ""
	check "and with the deepest queues" set_plan default=2
	is "which they have" "$(attr "$BDF0" granted)" "default=2 read=0 poll=0 depth=1023 vectors=3 irq=msix"
	is "all of them" "$(cpus_differ 20 "$node" 1024 "$T_TMP/data")" ""
	is "the device has seen nothing wrong" "$(device_stat violations)" 0
	;;
time)
	# Only by hand (Documentation/queues.rst): how long a change takes under load, by the number of queues.
	load plan=default=1
	disk=$(disk "$BDF0") node=$(dev "$BDF0")
	load_begin --filename="$node"
	io_begun "$disk"
	while IFS='|' read -r queues plan other; do
		times=()
		check "$plan: taken" set_plan "$plan"
		for i in {1..10}; do
			begun=$(date +%s%N)
			check "$queues queues, change $i" set_plan "$([ $((i % 2)) = 0 ] && echo "$plan" || echo "$other")"
			times+=($((($(date +%s%N) - begun) / 1000000)))
		done
		is "$queues queues: granted" "$(counts "$BDF0" | tr ' ' '+' | bc)" "$queues"
		note "$queues queues: $(printf '%s\n' "${times[@]}" | sort -n | paste -sd' ') ms"
	done <<-ROWS
		1|default=1|default=1/100
		2|default=2|default=2/100
		4|default=4|default=4/100
		8|default=4 read=4|default=4/100 read=4
		12|default=4 read=4 poll=4|default=4/100 read=4 poll=4
		16|default=8 read=8|default=8/100 read=8
		24|default=8 read=8 poll=8|default=8/100 read=8 poll=8
	ROWS
	load_end "the load"
	;;
trouble)
	load io_timeout=30 admin_timeout=2 plan=default=2,wrr=read:high/8:2:1
	disk=$(disk "$BDF0") node=$(dev "$BDF0")
	random_file "$T_TMP/data" $((1 << 20))
	put "$T_TMP/data" "$node" 0
	# usable DESC PLAN COUNTS
	usable() {
		device unlie all
		check "$1: live" live "$BDF0"
		is "$1: plan" "$(attr "$BDF0" plan)" "$2"
		is "$1: granted" "$(counts "$BDF0")" "$3"
		is "$1: every CPU's queue works" "$(cpus_differ 20 "$node" 1024 "$T_TMP/data")" ""
	}
	# What the device does not have is told when the module is loaded, and refused later.
	like "no weighted round robin: granted" "$(attr "$BDF0" granted)" " wrr=off$"
	check "no weighted round robin: a plan without is taken" set_plan default=2
	log_mark
	check_fails "no weighted round robin: another with it is not" set_plan "default=1 wrr=poll:high"
	log_has "no weighted round robin: the log says so" 'plan: "wrr=poll:high": the device has no weighted round robin'
	usable "no weighted round robin" default=2 "2 0 0"
	lie "when create-cq nth 3 then refuse-create"
	check "the third queue is refused: taken" set_plan default=4
	usable "the third queue is refused" default=4 "2 0 0"
	check "again" set_plan default=4
	usable "again" default=4 "4 0 0"
	lie "when create-sq every 1 then refuse-create"
	check_fails "no queue can be created" set_plan default=1
	log_has "no queue can be created: the log says so" "plan: error .*back" 1
	log_has "nor for the old plan: a reset is tried" "reset: queues cannot be created for the old plan" 1
	is "it can create none either: the controller is live without" "$(state "$BDF0") $(counts "$BDF0")" "live 0 0 0"
	device unlie all
	check "the next plan brings them back" set_plan default=4
	usable "after that" default=4 "4 0 0"
	log_mark
	lie "when delete-sq once then status internal"
	check "a queue cannot be deleted: a reset does it" set_plan default=2,poll=1
	log_has "a queue cannot be deleted: the log says so" "reset: queues cannot be deleted" 1
	usable "a queue cannot be deleted" "default=2 poll=1" "2 0 1"
	log_mark
	lie "when delete-cq once then drop"
	check "the device does not answer: a reset does it" set_plan default=3
	usable "the device does not answer" default=3 "3 0 0"
	log_mark
	lie "when create-cq once then drop"
	set_plan default=1 || true
	usable "the device does not answer to a creation" "$(attr "$BDF0" plan)" "$(counts "$BDF0")"
	# Fewer queues than a list has.
	check "lists of twelve queues, of eight: taken" set_plan "default=3:2:1:0 read=3:2:1:0 poll=3:2:1:0"
	is "lists of twelve queues: the default queues have theirs" "$(attr "$BDF0" granted)" \
		"default=4 read=3 poll=1 depth=1023 vectors=8 irq=msix spread=read,poll"
	is "lists of twelve queues: which is followed" "$(map_of default)" "4 3 2 1"
	usable "lists of twelve queues" "default=3:2:1:0 read=3:2:1:0 poll=3:2:1:0" "4 3 1"
	lie "when create-cq nth 3 then refuse-create"
	check "the third queue of a list is refused: taken" set_plan "default=3:2:1:0/8"
	is "the third queue of a list is refused: granted" "$(attr "$BDF0" granted)" \
		"default=2 read=0 poll=0 depth=8 vectors=3 irq=msix spread=default"
	usable "the third queue of a list is refused" "default=3:2:1:0/8" "2 0 0"
	# A command that hangs is not waited for, nor given up.
	check "to begin with" set_plan default=2
	lie "when io once then delay 8s"
	background dd if="$node" of=/dev/null bs=4096 count=1 iflag=direct status=none
	io_begun_once() { [ "$(awk '{ print $9 }' "/sys/block/$disk/stat")" -ge 1 ]; }
	check "a command hangs" poll_until 10 io_begun_once
	check_fails "it is in the way" set_plan default=4
	log_has "the log says so" "plan: commands are outstanding" 1
	check "it ends well" poll_until 20 gone "$BG"
	usable "nothing has changed" default=2 "2 0 0"
	check "and now it can" set_plan default=4
	usable "afterwards" default=4 "4 0 0"
	# While it is not live
	echo 1 >"$sys/nvmq/reset" &
	other=$!
	set_plan default=3 || note "refused while it was reset"
	wait "$other" || note "the reset was refused while the plan changed"
	check "live" live "$BDF0"
	usable "with a reset at once" "$(attr "$BDF0" plan)" "$(counts "$BDF0")"
	;;
esac
