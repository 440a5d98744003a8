#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# description: nvmq trace and queues: each step of an I/O is what was asked for and what the device saw; nothing of it is left behind
# vm: --turns -q 7.2 -c 2 --smp1thread -d size=64M,queues=3 -a clocksource=hpet --trace pci_nvme_* --qemu -msg --qemu timestamp=on
# kernels: 6.12
# device: qemu
# time: 20
# shellcheck source-path=SCRIPTDIR source=lib.sh disable=SC2016 # shells of their own expand
. "$(dirname "$0")/lib.sh"
# What the options of the VM are for is said in vm/trace.

nvmq() { timeout 60 "$TOOLS/tools/nvmq" "$@" 2>&1; }
J=$T_TMP/trace.json
# value FILTER: what jq makes of all records
value() { jq -cs "$1" "$J" 2>&1; }
# device REGEX: the text of the first line of QEMU's that is a step and matches
device() { value "[.[] | select(.step == \"device\" and (.text | test(\"$1\"))).text][0]" | tr -d '"'; }
# word NAME TEXT: what stands behind a name in it
word() { sed -n "s/.*\\b$1 \\([^ ]*\\).*/\\1/p" <<<"$2"; }
instances() { find /sys/kernel/tracing/instances -mindepth 1 -maxdepth 1 -printf '%f '; }

load plan=default=1
disk=$(disk "$BDF0") node=/dev/$disk

# ---- a write of one block, both sides ----
rc=0
nvmq trace --json --svg "$T_TMP/a.svg" --qemu "$TRACE" -- dd if=/dev/zero of="$node" bs=512 count=1 seek=40 oflag=direct \
	status=none >"$J" || rc=$?
is "a 512-byte write" "$rc" 0
is "its steps, in this order" "$(value '[.[] | select(.step) | if .step == "device" then (.text | split(" ")[0]) else .step end]' | tr -d '[]"')" \
	"call,bio,issue,command,doorbell,mmio_doorbell_sq,io_cmd,write,map_prp,rw_cb,rw_complete_cb,enqueue_req_completion,irq_msix,irq,completion,doorbell,mmio_doorbell_cq,handled,done,return"
is "one I/O, of which each has the number" "$(value '[.[] | select(.step and .step != "device").io] | unique')" "[null,1]"
is "bio and request: what dd asked for" "$(value '[.[] | select(.step == "bio" or .step == "issue") | .sector, .sectors]')" "[40,1,40,1]"
is "the SQE: Write of one block at 40" "$(value '.[] | select(.step == "command") | [.opcode, .sqe[0:4], .sqe[80:104]]')" \
	'["Write","0100","280000000000000000000000"]'
is "queue pair 1, by its context" "$(value '[.[] | select(.step) | .qid, .hctx | select(. != null)] | unique')" "[0,1]"
is "CID: QEMU's" "$(value '.[] | select(.step == "command").cid')" "$(word cid "$(device '^io_cmd')")"
is "and that of the completion" "$(value '.[] | select(.step == "completion").cid')" "$(word cid "$(device '^enqueue')")"
sqe=$(value '.[] | select(.step == "command").sqe' | tr -d '"')
is "PRP1: QEMU's" "$((0x$(tac -rs .. <<<"${sqe:48:16}" | tr -d '\n')))" "$(($(word prp1 "$(device '^map_prp')")))"
is "tail: QEMU's" "$(value '.[] | select(.step == "doorbell" and .cq == 0).value')" "$(word new_tail "$(device '^mmio_doorbell_sq')")"
is "head: QEMU's" "$(value '.[] | select(.step == "doorbell" and .cq == 1).value')" "$(word new_head "$(device '^mmio_doorbell_cq')")"
is "vector: QEMU's" "$(value '.[] | select(.step == "irq").vector')" "$(device '^irq_msix' | sed 's/.*vector //')"
queues_read "$BDF0"
is "interrupt: the queue's" "$(value '.[] | select(.step == "irq").irq')" "${Q_IRQ[1]}"
is "each doorbell goes on by one" "$(value '[.[] | select(.step == "doorbell") | .value - .old, .count]')" "[1,1,1,1]"
is "the times of the I/O go up" "$(value '.[] | select(.record == "io") | [.bio, .issue, .command, .doorbell, .irq, .completion, .done] | . == sort and length == 7')" true
is "success, error 0" "$(value '[.[] | select(.meaning or .error == 0) | .meaning // .error]')" '["success",0]'
like "the clocks match to a fraction of a millisecond" "$(value '.[0].clock')" "matched by [0-9]+ doorbells, to within [0-9]{1,3}\.[0-9] us\""
is "nothing is lost" "$(value '.[0].lost')" 0
is "the picture: XML, with a box for each step" "$(python3 -c 'import sys, xml.dom.minidom as m
print(sum(r.hasAttribute("rx") for r in m.parse(sys.argv[1]).getElementsByTagName("rect")))' "$T_TMP/a.svg")" 20
nvmq trace --read "$J" --sqe >"$T_TMP/text"
sed 's/^/#   /' "$T_TMP/text"
like "as text: the range, the doorbell" "$(<"$T_TMP/text")" "Write, CID .*, namespace 1, LBA 40, 1 block.*SQ 1, tail [0-9]+ -> [0-9]+ \(1 command\)"
like "each field of the SQE" "$(tr -s ' ' <"$T_TMP/text")" "CDW0 7:0 OPC 0x1 Write.*CDW12 15:0 NLB 0 1 block"
like "a summary" "$(<"$T_TMP/text")" "commands    1 Write
doorbells   1 SQ tail, 1 CQ head
interrupts  1  1 on CPU [01]"

# ---- a PRP list, against each page that QEMU has mapped ----
# What is contiguous is one SGL descriptor, and a process may be given its pages in a row as it touches them: they are read into
# in another order.
cat >"$T_TMP/shuffled" <<-'PYTHON'
	import mmap, os, random, sys
	memory = mmap.mmap(-1, 3 << 20)
	memory.write(bytes(3 << 20))
	pages = [memoryview(memory)[at:at + 4096] for at in range(0, 3 << 20, 4096)]
	random.Random(1).shuffle(pages)
	disk = os.open(sys.argv[1], os.O_RDONLY | os.O_DIRECT)
	assert os.preadv(disk, pages, 0) == 3 << 20
	# As many as have room in what is set aside for a tag.
	assert os.preadv(disk, pages[:8], 0) == 32 << 10
	sys.exit(7)
PYTHON
trace_mark
rc=0
nvmq trace --json -- python3 "$T_TMP/shuffled" "$node" >"$J" || rc=$?
is "the command's status is nvmq's" "$rc" 7
trace_since | sed -n 's/.*pci_nvme_map_addr addr \(0x[0-9a-f]*\) .*/\1/p' >"$T_TMP/mapped"
# The chain's own entries, at the end of each full page of a list, are no data.
value '[.[] | select(.step == "command" or .step == "prp_list")] | sort_by(.ns)' >"$T_TMP/lists"
python3 - "$T_TMP/lists" >"$T_TMP/listed" <<-'PYTHON'
	import json, sys
	steps = json.load(open(sys.argv[1]))
	for c in (s for s in steps if s["step"] == "command"):
	    sqe = bytes.fromhex(c["sqe"])
	    prp1, prp2 = (int.from_bytes(sqe[at:at + 8], "little") for at in (24, 32))
	    memory = {}
	    for s in steps:
	        if s["step"] == "prp_list" and s["cid"] == c["cid"]:
	            memory.update({s["addr"] + 8 * i: a for i, a in enumerate(s["list"])})
	    left = (int.from_bytes(sqe[48:50], "little") + 1) * 512 - (4096 - prp1 % 4096)
	    print(hex(prp1))
	    at = prp2
	    if 0 < left <= 4096:
	        print(hex(prp2))
	        continue
	    while left > 0 and not int(c["sqe"][2:4], 16) & 0x40:
	        if at % 4096 == 4088 and left > 4096:
	            at = memory[at]
	        print(hex(memory[at]))
	        at += 8
	        left -= 4096
PYTHON
is "lists, of all pages" "$(wc -l <"$T_TMP/listed")" 776
check "each entry of each list is a page that QEMU has mapped, in this order" cmp "$T_TMP/listed" "$T_TMP/mapped"

# ---- eight at once, one doorbell ----
nvmq trace --json -- fio --name=batch --thread --filename="$node" --rw=read:12k --bs=4k --direct=1 --ioengine=io_uring --iodepth=8 \
	--iodepth_batch=8 --iodepth_batch_complete_min=8 --number_ios=8 --size=1M --output=/dev/null >"$J"
is "a batch: 8 commands" "$(value '[.[] | select(.record == "io" and .opcode == "Read")] | length')" 8
is "and one doorbell that tells of them" "$(value '[.[] | select(.step == "doorbell" and .cq == 0) | .count, .value - .old]')" "[8,8]"
is "which is after the last SQE" "$(value '([.[] | select(.step == "command").ns] | max) < ([.[] | select(.step == "doorbell").ns] | min)')" true

# ---- a span of time; ends; what is left behind ----
like "not root" "$(setpriv --reuid 65534 --clear-groups "$TOOLS/tools/nvmq" trace --time 1 2>&1 || true)" "only root may trace"
before=$(cat /sys/kernel/tracing/{trace_clock,tracing_on,events/enable})
background bash -c "while :; do dd if=$node of=/dev/null bs=4k count=100 iflag=direct status=none; done"
begun=$SECONDS
nvmq trace --time 1 >"$T_TMP/text"
check "--time 1: so long" test $((SECONDS - begun)) -ge 1
like "it has seen the reads" "$(<"$T_TMP/text")" "commands    [0-9]+ Read"
setsid "$TOOLS/tools/nvmq" trace "$BDF0" >"$T_TMP/text" 2>&1 &
pid=$!
T_BG+=("$pid")
# It has its events on, and some have come.
recording() { [ "$(cat "/sys/kernel/tracing/instances/nvmq-trace-$pid"/per_cpu/cpu*/stats | awk '/^entries:/ { n += $2 } END { print n }')" -ge 50 ]; }
check "until a signal: it begins" poll_until "$T_PATIENCE" recording
kill -INT "$pid"
check "SIGINT ends it" poll_until "$T_PATIENCE" gone "$pid"
like "with what it has" "$(<"$T_TMP/text")" "doorbells "
is "no instance is left" "$(instances)" ""
setsid "$TOOLS/tools/nvmq" trace >/dev/null 2>&1 &
pid=$!
T_BG+=("$pid")
poll_until "$T_PATIENCE" test -d "/sys/kernel/tracing/instances/nvmq-trace-$pid" || true
kill -KILL "$pid"
check "killed: it leaves one" poll_until "$T_PATIENCE" gone "$pid"
wait "$pid" || true
is "of its name" "$(instances)" "nvmq-trace-$pid "
rc=0
nvmq trace -- /nonexistent >"$T_TMP/text" || rc=$?
like "a command that is not there" "$rc.$(<"$T_TMP/text")" "127.nvmq trace: /nonexistent: No such file"
is "which the next one takes away" "$(instances)" ""
kill -9 -- "-$BG"
is "the global trace is what it was" "$(cat /sys/kernel/tracing/{trace_clock,tracing_on,events/enable})" "$before"
is "no event of the driver's is on" "$(cat /sys/kernel/tracing/events/nvmq/enable)" 0

# ---- queues ----
# note CPU TYPE KEY
cell() { jq -r ".cpus[] | select(.cpu == $1).$2.$3" "$T_TMP/q"; }
echo default=2 poll=1 >"/sys/bus/pci/devices/$BDF0/nvmq/plan"
nvmq queues "$disk" | sed 's/^/#   /'
nvmq queues "$disk" --json >"$T_TMP/q"
queues_read "$BDF0"
for cpu in 0 1; do
	is "CPU $cpu: its pairs, as the driver has them" "$(cell $cpu default qid) $(cell $cpu poll qid)" "${CPU_DEFAULT[$cpu]} ${CPU_POLL[$cpu]}"
	is "CPU $cpu: vector and interrupt" "$(cell $cpu default vector) $(cell $cpu default irq) $(cell $cpu poll irq)" \
		"${Q_VECTOR[${CPU_DEFAULT[$cpu]}]} ${Q_IRQ[${CPU_DEFAULT[$cpu]}]} null"
	is "CPU $cpu: tags" "$(cell $cpu default tags)" "${Q_DEPTH[${CPU_DEFAULT[$cpu]}]}"
	is "CPU $cpu: no read queue" "$(cell $cpu read hctx).$(cell $cpu read note)" "null.no queue of the type: goes the default way"
	is "CPU $cpu: nothing is amiss" "$(cell $cpu default note)" ""
done
echo 0 >/sys/devices/system/cpu/cpu1/online
nvmq queues | sed 's/^/#   /'
nvmq queues --json >"$T_TMP/q"
like "CPU 1, offline" "$(cell 1 default note)" "^offline: sends nothing"
echo 1 >/sys/devices/system/cpu/cpu1/online
