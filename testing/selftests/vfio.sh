#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# description: nvmq-vfio on real controllers: what it shows, reads, writes and measures is so; what is wrong it says in a line
# vm: --turns -c 2 --iommu -d size=64M,ns=2,queues=2,vectors=5,serial=seen-from-vfio -d size=64M,addr=12,raw=multifunction:on --qemu -drive --qemu if=none,id=fn,driver=null-co,size=64M,read-zeroes=on --qemu -device --qemu nvme,serial=fn,bus=pcie.0,addr=0x12.1,drive=fn -- qemu
# vm: --turns -c 2 --iommu -d strict,size=64M,queues=2,raw=to:2,raw=crto:0 -- lies
# kernels: 6.12
# device: qemu
# time: 30
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "$0")/lib.sh"

# nvmq ARG..., vfio ARG...: output, errors too
nvmq() { timeout 60 "$TOOLS/tools/nvmq" "$@" 2>&1; }
vfio() { timeout 60 "$TOOLS/tools/nvmq-vfio" "$@" 2>&1; }
# json FILTER FILE: a value in it
json() { jq -r "$1" "$2"; }
# refused DESC STATUS REGEX ARG...: one line on stderr that matches, nothing on stdout, and that exit status
refused_() {
	local rc=0 out
	out=$(timeout 60 "$TOOLS/tools/nvmq-vfio" "${@:4}" 2>&1 >"$T_TMP/refused.out") || rc=$?
	like "$1" "$rc $(wc -l <<<"$out") $(wc -c <"$T_TMP/refused.out") $out" "^$2 1 0 nvmq(-vfio)?( ${4:-})?: $3\$"
}
# failed_ DESC REGEX ARG...: exit status 1, and a line that matches; a step may have been told before. If GONE is set, the
# device comes back when that line is there: of one that is gone for good the kernel waits a minute for the end of its reset,
# when it is closed.
GONE=""
complained() { grep -q '^nvmq-vfio: ' "$T_TMP/failed"; }
failed_() {
	local rc=0 pid
	vfio "${@:3}" >"$T_TMP/failed" &
	pid=$!
	if [ -n "$GONE" ]; then
		poll_until "$T_PATIENCE" complained || true
		device now back
	fi
	wait "$pid" || rc=$?
	like "$1" "$rc $(<"$T_TMP/failed")" "^1 (.*
)?nvmq-vfio: $BDF0: ($2)"
}

modinfo vfio-pci >/dev/null 2>&1 || skip_all "this kernel has no vfio-pci"
modprobe vfio-pci
group_of() { basename "$(readlink "/sys/bus/pci/devices/$1/iommu_group")"; }
group=/dev/vfio/$(group_of "$BDF0")

if [ "$1" = lies ]; then
	check "to vfio-pci" nvmq bind --vfio "$BDF0"
	is "the truth: hello" "$(vfio hello "$BDF0" --yes >"$T_TMP/hello"; echo $?)" 0
	is "the truth: perf, with interrupts" \
		"$(vfio perf "$BDF0" -q 8 -t 1 -i --queues 2 -w mix --yes --json >"$T_TMP/perf"; json .errors "$T_TMP/perf")" 0
	is "the judge has no complaint" "$(device_stat violations)" 0

	while IFS='|' read -r desc condition action regex; do
		[ -n "$condition" ] || continue
		lie "when $condition then $action"
		GONE=""
		[ "$action" != gone ] || GONE=1
		case $desc in
		*Read*) failed_ "$desc" "$regex" read "$BDF0" ;;
		perf*) failed_ "$desc" "$regex" perf "$BDF0" --commands 400 -q 8 ;;
		hello*) failed_ "$desc" "$regex" hello "$BDF0" --yes ;;
		*) failed_ "$desc" "$regex" identify "$BDF0" ;;
		esac
		device unlie all
		device now back
	done <<-'LIES'
		all ones from the start|register CAP read|all-ones|registers read as all ones: the device is not there
		never ready|event enable|rdy stuck|controller not ready: timed out \(CSTS=0, limit 1500 ms\)
		fatal as it is enabled|event enable|cfs|controller not ready: fatal status
		gone as it is enabled|event enable|gone|controller not ready: it is gone
		CAP of 0|register CAP read|value 0|CAP.MQES=0: a queue of one entry can hold no command
		pages of 8 KiB|register CAP read|value 0x11002002010400|CAP.MPSMIN=1: .*
		a stride beyond BAR 0|register CAP read|value 0x2f020103ff|BAR 0 does not reach the admin doorbells at stride 131072
		Identify fails|identify cns 1|status internal dnr|Identify \(CNS 0x1, namespace 0\) failed: internal error \(0x4006\)
		gone at Identify|identify cns 1|gone|admin command 0x06 \(CID 0x1000\) lost, the device is gone
		Identify is not answered|identify cns 1|drop|admin command 0x06 \(CID 0x1000\) timed out; CSTS=0x1
		hello: a queue is refused|create-sq|status queue-size|warning: Create I/O Submission Queue 1 refused: invalid queue size
		Read fails|read|status unrecovered-read|Read of block 0 failed: unrecovered read error \(0x281\)
		Read for another command|read|wrong-cid|queue 1: a completion that no command has: dropped
		gone at a Read|read|gone|Read of block 0: the device is gone
		perf: some fail|read nth 50|status unrecovered-read|queue 1: 1 commands failed, the first with: unrecovered read error
		perf: gone in between|read nth 50|gone|queue 1: the device is gone
		perf: one is lost|read nth 50|drop|queue 1: commands do not come back
	LIES
	is "the truth again" "$(vfio hello "$BDF0" --yes >"$T_TMP/hello"; echo $?)" 0
	is "nor has the IOMMU a complaint" "$(dmesg | grep -c 'DMAR:.*fault' || true)" 0
	exit
fi

# What the kernel's driver and nvme-cli see of it
modprobe nvme
has_char() { [ -e /sys/bus/pci/devices/"$BDF0"/nvme ]; }
wait_for "the kernel's driver has it" has_char
char=/dev/$(basename /sys/bus/pci/devices/"$BDF0"/nvme/nvme*)
wait_for "with its namespaces" nvme id-ns "$char" -n 2
cli() { nvme id-ctrl "$char"; nvme id-ns "$char" -n 1; nvme id-ns "$char" -n 2; }
cli | tr -s '[:blank:]' ' ' >"$T_TMP/cli"
jq -Sn --slurpfile c <(nvme id-ctrl -o json "$char") --slurpfile a <(nvme id-ns -o json "$char" -n 1) \
	--slurpfile b <(nvme id-ns -o json "$char" -n 2) '[$c[0], $a[0], $b[0]]' >"$T_TMP/cli.json"
refused_ "with another driver" 1 "$BDF0 has nvme: nvmq bind --vfio $BDF0 gives it to vfio-pci" regs "$BDF0"

load_module
nvmq bind "$BDF0" >/dev/null
ready "$BDF0" 1 && ready "$BDF0" 2
random_file "$T_TMP/data" $((2 << 20))
put "$T_TMP/data" "$(dev "$BDF0" 1)" 0
put "$T_TMP/data" "$(dev "$BDF0" 2)" 0
check "to vfio-pci" nvmq bind --vfio "$BDF0"

# ---- wrong input ----
while IFS='|' read -r desc status regex words; do
	[ -n "$status" ] || continue
	read -ra words <<<"$words"
	refused_ "$desc" "$status" "$regex" "${words[@]}"
done <<-WRONG
	no such command|2|frobnicate: no such command; nvmq-vfio --help lists them|frobnicate
	no device|2|a device expected; .*|regs
	two devices|2|$BDF1: not expected|regs $BDF0 $BDF1
	an option of another command|2|-q: not expected|regs $BDF0 -q 1
	an option of none|2|--frobnicate: not expected|read $BDF0 --frobnicate
	a value is missing|2|--block: a value is missing|read $BDF0 --block
	no number|2|--block x: a number from 0 to [0-9]+ expected|read $BDF0 --block x
	a negative one|2|--block -1: a number .*|read $BDF0 --block -1
	one that is too long|2|--block 99999999999999999999: a number .*|read $BDF0 --block 99999999999999999999
	no block at all|2|--count 0: a number from 1 to .*|read $BDF0 --count 0
	no depth|2|-q 0: a number from 1 to 4095 expected|perf $BDF0 -q 0
	a word that is no work|2|-w erase: read, write, randread, randwrite or mix expected|perf $BDF0 -w erase
	write without --yes|2|this writes to $BDF0: say --yes if that is meant|write $BDF0
	hello without --yes|2|this writes to $BDF0: say --yes if that is meant|hello $BDF0
	perf that writes without --yes|2|this writes to $BDF0: say --yes if that is meant|perf $BDF0 -w mix
	no such controller|1|00:1f.7: no such controller or disk on the PCI bus|regs 00:1f.7
	no controller|1|00:00.0 is no NVMe controller: .*|regs 00:00.0
	no such file|1|/nowhere: No such file or directory|write $BDF0 --yes --file /nowhere
	an empty one|1|/dev/null: there is nothing in it|write $BDF0 --yes --file /dev/null
	a namespace beyond the last|1|$BDF0: there is no namespace 1000: its numbers end with 256|read $BDF0 --nsid 1000
	one that is not active|1|$BDF0: namespace 3 is not active|read $BDF0 --nsid 3
	a block beyond the last|1|$BDF0: blocks 131072 and on, 1 of them: namespace 1 has 131072|read $BDF0 --block 128K
	blocks beyond it|1|$BDF0: blocks 131071 and on, 2 of them: namespace 1 has 131072|read $BDF0 --block 131071 --count 2
	part of a block|1|$BDF0: 1000 bytes are no whole number of blocks of 512|perf $BDF0 -s 1000
	more than a transfer|1|$BDF0: 1048576 bytes are more than a command takes: 524288|perf $BDF0 -s 1M
	queues that it does not grant|1|$BDF0: 3 queue pairs are wanted, it grants 2|perf $BDF0 --queues 3
	a depth that its queues do not have|1|$BDF0: depth 4000: its queues have 2048 entries, one of them always empty|perf $BDF0 -q 4000
WRONG
printf 'half' >"$T_TMP/half"
refused_ "a file that is no whole blocks" 1 "$BDF0: 4 bytes are no whole number of blocks of 512" write "$BDF0" --yes --file "$T_TMP/half"
refused_ "one that is longer than was said" 1 "$BDF0: 2097152 bytes are 4096 blocks, not 1" \
	write "$BDF0" --yes --count 1 --file "$T_TMP/data"
refused_ "one that is longer than what is left" 1 "$BDF0: 4096 blocks from block 131000 on: namespace 1 has 131072" \
	write "$BDF0" --yes --block 131000 --file "$T_TMP/data"
failed_ "hello beyond the last block" "block 131072: namespace 1 has 131072" hello "$BDF0" --yes --block 131072
exec {fd}<>"$group"
refused_ "in use" 1 "$BDF0: in use: another program has $group open" regs "$BDF0"
exec {fd}>&-

# ---- regs, identify ----
vfio regs "$BDF0" --json >"$T_TMP/regs.json"
is "regs: the PCI function" "$(json '.config | [.vendor, .device, .class] | @csv' "$T_TMP/regs.json")" \
	"$(printf '%d,%d,%d' 0x1b36 0x0010 0x010802)"
is "regs: as many vectors as QEMU was told" "$(json '.config.capabilities[] | select(.name == "MSI-X") | .vectors' "$T_TMP/regs.json")" 5
is "regs: version, entries, disabled" "$(json '.registers | [.VS.MJR, .VS.MNR, .CAP.MQES, .CC.EN, .CSTS.RDY] | @csv' "$T_TMP/regs.json")" \
	"1,4,2047,0,0"
vfio regs "$BDF0" >"$T_TMP/regs"
for line in '00h +vendor +1B36h' '000h +CAP +0x[0-9a-f]{16} +Controller Capabilities' '15:0 +MQES +2047 .*: 2048' \
	'capability [0-9A-F]+h +11h MSI-X: 5 vectors' '01Ch +CSTS +0x00000000'; do
	like "regs: $line" "$(<"$T_TMP/regs")" "$line"
done
vfio identify "$BDF0" | tr -s '[:blank:]' ' ' >"$T_TMP/identify"
check "identify: word for word what nvme-cli says" diff "$T_TMP/cli" "$T_TMP/identify"
vfio identify "$BDF0" --json >"$T_TMP/identify.json"
check "identify: its JSON, too" diff "$T_TMP/cli.json" \
	<(jq -S '[.controller, (.namespaces[] | del(.nsid))]' "$T_TMP/identify.json")
is "identify: what QEMU was told" "$(json '(.controller.sn | rtrimstr(" " * 6)), .namespaces[].nsze' "$T_TMP/identify.json" | paste -sd' ')" \
	"seen-from-vfio 131072 131072"
is "identify: one namespace" "$(vfio identify "$BDF0" --nsid 2 --json | jq -c '[.namespaces[].nsid]')" "[2]"

# ---- read, write, hello ----
check "read: what the kernel has written, in several commands" cmp "$T_TMP/data" \
	<(vfio read "$BDF0" --nsid 2 --count 4096 --raw)
dd if="$T_TMP/data" of="$T_TMP/part" bs=512 skip=7 count=2 status=none
{ dd if="$T_TMP/part" status=none; head -c 2048 /dev/zero; } >"$T_TMP/dumped"
check "write" vfio write "$BDF0" --yes --block 5000 --file "$T_TMP/dumped"
check "read: as hexdump -C has it" diff <(vfio read "$BDF0" --block 5000 --count 6) <(python3 - "$T_TMP/dumped" <<-'PYTHON'
	import sys
	data, before, star = open(sys.argv[1], "rb").read(), None, False
	for at in range(0, len(data), 16):
	    line = data[at:at + 16]
	    if line == before:
	        if not star:
	            print("*")
	        star = True
	        continue
	    before, star = line, False
	    text = "".join(chr(c) if 32 <= c < 127 else "." for c in line)
	    print("%08x  %s  %s  |%s|" % (at + 5000 * 512, line[:8].hex(" "), line[8:].hex(" "), text))
	print("%08x" % (len(data) + 5000 * 512))
PYTHON
)
random_file "$T_TMP/new" $((1 << 20))
check "write: in several commands, from standard input" vfio write "$BDF0" --yes --block 8192 --count 2048 <"$T_TMP/new"
is "hello" "$(vfio hello "$BDF0" --yes --block 3 >"$T_TMP/hello"; echo $?)" 0
for line in 'write AQA .* ASQS=31 ACQS=31' 'write CC .* EN=1' 'Create I/O CQ' 'interrupt: vector 1, for queue 1' \
	'doorbell: SQ 1 tail = 1' 'CQ 1\[0\] = CID [0-9A-F]+h, SQ head 1, phase 1' 'the block says: "Hello'; do
	like "hello: $line" "$(<"$T_TMP/hello")" "$line"
done

# ---- perf ----
while IFS=';' read -r desc filter words; do
	[ -n "$filter" ] || continue
	read -ra words <<<"$words"
	is "perf: $desc" "$(vfio perf "$BDF0" -t 1 "${words[@]}" --json >"$T_TMP/perf"; echo $?)" 0
	check "perf: $desc: figures" jq -e ".errors == 0 and .latency_ns.p50 > 0 and .latency_ns.p50 <= .latency_ns.max
		and .seconds >= 1 and (.iops - .commands / .seconds | fabs) < 1 and $filter" "$T_TMP/perf"
done <<-'PERF'
	polled, depth 1;.interrupts == 0 and .commands > 5;
	interrupts;.interrupts > 0 and .commands >= .interrupts;-i -q 16
	two queues;(.queues | length == 2 and all(.commands > 0)) and (.commands == ([.queues[].commands] | add));--queues 2 -q 4
	128 KiB in order;.commands > 0;-s 128K -w read -q 4
	512 KiB, by a longer list;.commands > 0;-s 512K -q 2
	mix, on the second namespace;.commands > 5;-w mix -q 8 --nsid 2 --yes
PERF
is "perf: so many commands" "$(vfio perf "$BDF0" --commands 333 -q 32 --queues 2 --json | jq -c '[.queues[].commands]')" "[333,333]"
like "perf: text" "$(vfio perf "$BDF0" -t 1)" "namespace 1: randread, 4096 bytes, depth 1 on each of 1 queue, polled: [0-9]+\.[0-9]+ s
queue +commands +IOPS .*
    1 +[0-9]+ +[0-9]+ +[0-9.]+ +0 +[0-9.]+[um]?s"

# ---- and back ----
check "back to nvmq" nvmq bind "$BDF0"
ready "$BDF0" 1
check "what the kernel wrote is there" same "$T_TMP/data" "$(dev "$BDF0" 1)" 0
check "and what nvmq-vfio wrote" same "$T_TMP/new" "$(dev "$BDF0" 1)" $((8192 * 512))
is "the IOMMU has no complaint" "$(dmesg | grep -c 'DMAR:.*fault' || true)" 0

# ---- a group of two ----
pair=0000:00:12
is "two functions are in one group" "$(group_of $pair.0)" "$(group_of $pair.1)"
check "one of them to vfio-pci" nvmq bind --vfio $pair.0
refused_ "not viable" 1 "$pair.0: its IOMMU group is not viable: nvme has $pair.1: bind all of it to vfio-pci" regs $pair.0
check "the other one, too" nvmq bind --vfio $pair.1
is "viable" "$(vfio regs $pair.1 >"$T_TMP/regs"; echo $?)" 0
