# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash disable=SC2154 # top and tmp are of lib.sh
#
# A part of testing/tools/run: nvmq trace on traces that are made up, with QEMU's log and without, and nvmq queues on a made-up
# block layer. What is recorded of real I/O is in testing/selftests/trace.sh.

trace=$tmp/trace.json

# ---- one write, and what is around it ----
# sqe OPCODE FLAGS CID PRP1 PRP2 CDW10 CDW12, all hexadecimal, little endian; namespace 1
sqe() { printf '%s%s%s01000000%016d%016d%s%s%s00000000%s%024d' "$1" "$2" "$3" 0 0 "$4" "$5" "$6" "$7" 0; }
# step NS KIND CPU MORE
step() { echo "{\"record\":\"step\",\"ns\":$1,\"step\":\"$2\",\"cpu\":$3${4:+,$4}}"; }
head='{"record":"trace","controller":"nvme0","address":"0000:00:10.0","command":"dd <it>","lost":3,"disks":[{"name":"nvme0n1","dev":272629760,"nsid":1,"block":512},{"name":"nvme0n1p1","dev":272629761,"nsid":1,"block":512}],"queues":[{"qid":0,"type":"admin","vector":0,"irq":35},{"qid":1,"type":"default","vector":1,"irq":36},{"qid":2,"type":"poll","vector":-1,"irq":-1}]}'
d='"dev":272629760'
{
	echo "$head"
	step 500000 call 0 '"pid":7,"comm":"dd","text":"read(fd 3, count 832)"'
	step 500500 return 0 '"pid":7,"text":"read","ret":832'
	step 1000000 call 0 '"pid":7,"comm":"dd","text":"write(fd 1, count 16384)"'
	# Two bios, one of a partition, become a request.
	step 1010000 bio 0 "\"pid\":7,\"comm\":\"dd\",\"dev\":272629761,\"sector\":64,\"sectors\":24,\"rwbs\":\"WS\""
	step 1012000 bio 0 "\"pid\":7,\"comm\":\"dd\",$d,\"sector\":88,\"sectors\":8,\"rwbs\":\"WFS\""
	step 1020000 issue 0 "$d,\"sector\":64,\"sectors\":32,\"bytes\":16384,\"rwbs\":\"WFS\""
	step 1030000 command 0 "\"qid\":1,\"cid\":8195,\"slot\":1023,\"sqe\":\"$(sqe 01 00 0320 00e0000200000000 00f0000200000000 40000000 1f000040)\""
	step 1031000 prp_list 0 '"qid":1,"cid":8195,"addr":33550336,"list":[33619968,33624064,33628160]'
	step 1035000 doorbell 0 '"qid":1,"cq":0,"value":0'
	step 1135000 irq 1 '"irq":36,"text":"nvmq0q1"'
	step 1137000 completion 1 '"qid":1,"cid":8195,"head":1023,"sq_head":0,"status":1,"result":0'
	step 1138000 doorbell 1 '"qid":1,"cq":1,"value":0'
	step 1139000 handled 1 '"qid":1,"irq":36,"found":1'
	step 1140000 'done' 1 "$d,\"sector\":64,\"sectors\":32,\"error\":0,\"rwbs\":\"WFS\""
	step 1200000 return 0 '"pid":7,"text":"write","ret":16384'
	step 1300000 call 0 '"pid":7,"comm":"dd","text":"write(fd 5, count 1)"'
	step 1300500 return 0 '"pid":7,"text":"write","ret":1'
} >"$trace"
nvmq trace --read "$trace" --svg "$tmp/trace.svg"
is "trace: reads what was recorded" "$RC.$ERR" "0."
has "trace: whose" "$OUT" "nvme0 at 0000:00:10.0, dd <it>: 1 I/O in 13 steps"
is "trace: the timeline" "$(grep -E '^ +[0-9]+\.[0-9]' <<<"$OUT" | tr -s ' ' | head -n 13)" \
	" 0.0 0.0 0 - program dd calls write(fd 1, count 16384)
 10.0 10.0 0 1 block bio of dd: write, sync, 24 sectors at 64 of nvme0n1p1
 12.0 2.0 0 1 block bio of dd: write, FUA, sync, 8 sectors at 88 of nvme0n1
 20.0 8.0 0 1 block request to hctx 0: write, FUA, sync, 16384 bytes at sector 64
 30.0 10.0 0 1 driver SQ 1[1023]: Write, CID 0x2003, namespace 1, LBA 64, 32 blocks, FUA
 31.0 1.0 0 1 driver PRP list at 0x1fff000: 3 entries
 35.0 4.0 0 1 driver doorbell of SQ 1, tail 1023 -> 0 (1 command)
 135.0 100.0 1 1 driver interrupt 36 (vector 1), handler of nvmq0q1
 137.0 2.0 1 1 driver CQ 1[1023]: CID 0x2003, phase 1, SQ head 0: success
 138.0 1.0 1 1 driver doorbell of CQ 1, head 1023 -> 0 (1 completion)
 139.0 1.0 1 - driver handler for queue 1 has taken 1 completion
 140.0 1.0 1 1 block request complete: 32 sectors at 64, error 0
 200.0 60.0 0 - program write returns 16384"
has "trace: tag and PRPs" "$OUT" "tag 3, generation 2; PRP1 0x200e000, PRP2 0x200f000"
has "trace: the list" "$OUT" "[0] 0x2010000  [1] 0x2011000  [2] 0x2012000"
is "trace: the summary" "$(sed -n '/^commands/,$p' <<<"$OUT" | tr -s ' ')" \
	"commands 1 Write
doorbells 1 SQ tail, 1 CQ head
interrupts 1 1 on CPU 1
 us least middle most
 block layer: bio to request 10.0 10.0 10.0
 driver: request to SQE 10.0 10.0 10.0
 driver: SQE to doorbell 5.0 5.0 5.0
 device: doorbell to interrupt 100.0 100.0 100.0
 driver: interrupt to completion taken 2.0 2.0 2.0
 back: completion taken to request complete 3.0 3.0 3.0
 all of it: bio to request complete 130.0 130.0 130.0
3 events were lost: there was no more room"
is "trace --svg: XML, a box a step, the command escaped" "$(python3 -c 'import sys, xml.dom.minidom as m
d = m.parse(sys.argv[1]); print(sum(r.hasAttribute("rx") for r in d.getElementsByTagName("rect")),
    any("dd <it>" in t.firstChild.data for t in d.getElementsByTagName("text")))' "$tmp/trace.svg")" "13 True"
nvmq trace --read "$trace" --sqe
is "trace --sqe: the fields" "$(grep -E '^ +CDW' <<<"$OUT" | tr -s ' ' | cut -d' ' -f 3- | grep -E 'OPC|PSDT|CID|PRP|SLBA|NLB|FUA')" \
	"7:0 OPC 0x1 Write
15:14 PSDT 0 PRPs
31:16 CID 0x2003 tag 3, generation 2
PRP1 0x200e000
PRP2 0x200f000
SLBA 0x40
15:0 NLB 0x1f 32 blocks
30 FUA 0x1"
nvmq trace --read "$trace" --json
echo "$OUT" >"$tmp/again.json"
is "trace --json: what it found out" "$(python3 -c 'import json, sys
r = [json.loads(l) for l in open(sys.argv[1])]
print([(s["old"], s["value"], s["count"]) for s in r if s.get("step") == "doorbell"], r[-1]["doorbell"], r[-1]["opcode"])' "$tmp/again.json")" \
	"[(1023, 0, 1), (1023, 0, 1)] 1035000 Write"
nvmq trace --read "$tmp/again.json" --json
is "trace --json: can be read, and is the same then" "$OUT" "$(<"$tmp/again.json")"

# ---- failures, a request that is sent twice, polling, SGL, an admin command ----
{
	echo "$head"
	step 1000 issue 0 "$d,\"sector\":8,\"sectors\":8,\"bytes\":4096,\"rwbs\":\"R\""
	step 2000 command 0 "\"qid\":2,\"cid\":1,\"slot\":4,\"sqe\":\"$(sqe 02 40 0100 0010000000000000 0010000000000000 08000000 07000000)\""
	step 2500 command 1 "\"qid\":0,\"cid\":9,\"slot\":0,\"sqe\":\"$(sqe 06 00 0900 0010000000000000 0000000000000000 01000000 00000000)\""
	step 3000 doorbell 0 '"qid":2,"cq":0,"value":5'
	step 4000 completion 0 '"qid":2,"cid":1,"head":4,"sq_head":5,"status":1282,"result":0'
	step 5000 requeue 0 "$d,\"sector\":8,\"sectors\":8"
	step 6000 issue 0 "$d,\"sector\":8,\"sectors\":8,\"bytes\":4096,\"rwbs\":\"R\""
	step 7000 command 0 "\"qid\":2,\"cid\":4097,\"slot\":5,\"sqe\":\"$(sqe 02 40 0110 0010000000000000 0010000000000000 08000000 07000000)\""
	step 8000 doorbell 0 '"qid":2,"cq":0,"value":6'
	step 9000 completion 0 '"qid":2,"cid":4097,"head":5,"sq_head":6,"status":33025,"result":0'
	step 9500 doorbell 0 '"qid":2,"cq":1,"value":6'
	step 9900 'done' 0 "$d,\"sector\":8,\"sectors\":8,\"error\":-5"
} >"$trace"
nvmq trace --read "$trace"
is "trace: one I/O sent twice, one of the driver's own" "$(grep ^commands <<<"$OUT" | tr -s ' ')" "commands 1 Read 1 admin 1 failed 1 sent again"
has "trace: SGL" "$OUT" "tag 1, generation 0; SGL: 4096 bytes at 0x1000"
has "trace: an admin command by name" "$OUT" "SQ 0[0]: Identify, CID 0x0009, namespace 1"
has "trace: a status by name" "$OUT" "phase 0, SQ head 5: unrecovered read error"
has "trace: do not retry" "$OUT" "SQ head 6: LBA out of range, do not retry"
has "trace: comes back" "$OUT" "request at sector 8 comes back, to be sent again"
has "trace: polled, two completions by one doorbell" "$OUT" "doorbell of CQ 2, head 4 -> 6 (2 completions)"

# Between the request and its command a process may come to another CPU; whoever runs on the one that it left sends another.
{
	echo "$head"
	for pid in 7 8; do
		step $((1000000 + pid)) issue 0 "\"pid\":$pid,$d,\"sector\":64,\"sectors\":1,\"bytes\":512,\"rwbs\":\"R\""
	done
	for pid in 8 7; do
		step $((1010000 - pid)) command $((8 - pid)) "\"pid\":$pid,\"qid\":1,\"cid\":$pid,\"slot\":0,\"sqe\":\"$(sqe 02 00 0${pid}00 0000000000000000 0000000000000000 40000000 00000000)\""
	done
} >"$trace"
nvmq trace --read "$trace"
is "trace: a process on another CPU" "$(grep -E '^ +[0-9]+\.[0-9]' <<<"$OUT" | awk '{ print $3, $4 }' | head -n 4 | paste -sd,)" "0 1,0 2,0 2,1 1"

# A command that a program sends itself is a request without a place.
{
	echo "$head"
	step 1000000 issue 0 "\"pid\":7,$d,\"sector\":-1,\"sectors\":0,\"bytes\":2048,\"rwbs\":\"N\""
	step 1010000 command 0 "\"pid\":7,\"qid\":1,\"cid\":3,\"slot\":0,\"sqe\":\"$(sqe 01 00 0300 0000000000000000 0000000000000000 80000000 03002000)\""
	step 1020000 completion 0 '"qid":1,"cid":3,"head":0,"sq_head":1,"status":1,"result":0'
	step 1030000 'done' 0 "$d,\"sector\":-1,\"sectors\":4,\"error\":0,\"rwbs\":\"N\""
} >"$trace"
nvmq trace --read "$trace"
has "trace: a program's own command" "$OUT" "1 I/O in 4 steps"
has "trace: which has no place" "$OUT" "request complete: 4 sectors, error 0"

# ---- what cannot be read ----
echo "$head" >"$trace"
nvmq trace --read "$trace"
is "trace: nothing happened" "$RC.$(head -n 1 <<<"$OUT")" "0.nvme0 at 0000:00:10.0, dd <it>: 0 I/Os in 0 steps"
nvmq trace --read "$trace" --svg "$tmp/empty.svg"
is "trace: a picture of nothing" "$RC" 0
while IFS="|" read -r line at; do
	{ echo "$head"; printf '%s\n' "$line"; } >"$trace"
	nvmq trace --read "$trace"
	is "trace --read: $line" "$RC.$ERR" "1.nvmq trace: $trace: line $at is not of nvmq trace --json"
done <<-ROWS
	not JSON|2
	[1]|2
	{"record":"other"}|2
	{"record":"step","step":"leap","ns":1}|2
	{"record":"step","step":"doorbell","ns":1,"qid":1}|2
	{"record":"step","step":"command","ns":1,"qid":1,"cid":1,"slot":1,"sqe":"0102"}|2
ROWS
: >"$trace"
nvmq trace --read "$trace"
is "trace --read: an empty file" "$RC" 1
nvmq trace --read "$tmp/nowhere"
is "trace --read: no file" "$RC.$ERR" "1.nvmq trace: $tmp/nowhere: No such file or directory"
for words in "--time 0" "--time x" "--time" "--svg" "--frob" "--read a --time 1" "--read a nvme0" "--time 1 -- true" "--"; do
	# shellcheck disable=SC2086 # words
	nvmq trace $words
	is "trace $words: refused" "$RC" 2
done

# ---- QEMU's log ----
{
	echo "$head"
	for i in 1 2; do
		step $((i * 1000000)) command 0 "\"qid\":1,\"cid\":$i,\"slot\":$((i + 6)),\"sqe\":\"$(sqe 00 00 0${i}00 0000000000000000 0000000000000000 00000000 00000000)\""
		step $((i * 1000000 + 5000)) doorbell 0 "\"qid\":1,\"cq\":0,\"value\":$((i + 7))"
		step $((i * 1000000 + 200000)) irq 0 '"irq":36,"text":"nvmq0q1"'
		step $((i * 1000000 + 201000)) completion 0 "\"qid\":1,\"cid\":$i,\"head\":$((i + 6)),\"sq_head\":$((i + 7)),\"status\":1,\"result\":0"
		step $((i * 1000000 + 202000)) doorbell 0 "\"qid\":1,\"cq\":1,\"value\":$((i + 7))"
		step $((i * 1000000 + 210000)) handled 0 '"qid":1,"irq":36,"found":1'
	done
} >"$trace"
# qemu US EVENT: us behind 100 s
qemu() { printf '77@100.%06d:pci_nvme_%s\n' "$1" "$2"; }
{
	echo "some other line"
	# The same values, of an earlier pass through the ring
	qemu 10 'mmio_doorbell_sq sqid 1 new_tail 8'
	qemu 20 'mmio_doorbell_cq cqid 1 new_head 8'
	qemu 30 'mmio_doorbell_sq sqid 1 new_tail 9'
	qemu 40 'mmio_doorbell_cq cqid 1 new_head 9'
	# The distance is 50 s and 500 us. Of the first command the doorbell is seen 10 us late, of the second 2 us; the heads
	# 4 us and 3 us, with 8 us to the end of the handler.
	for i in 1 2; do
		qemu $((i * 1000 + 505 + 18 - 8 * i)) 'mmio_write addr 0x1008 data 0x8 size 4'
		qemu $((i * 1000 + 505 + 18 - 8 * i)) "mmio_doorbell_sq sqid 1 new_tail $((i + 7))"
		qemu $((i * 1000 + 560)) "io_cmd cid $i nsid 0x1 sqid 1 opc 0x0 opname 'NVME_NVM_CMD_FLUSH'"
		qemu $((i * 1000 + 702 + 5 - i)) "mmio_doorbell_cq cqid 1 new_head $((i + 7))"
	done
} >"$tmp/qemu.log"
sed 's/77@100\./77@50./' "$tmp/qemu.log" >"$tmp/qemu50.log"
nvmq trace --read "$trace" --qemu "$tmp/qemu.log"
# From 4 us before to 3 us behind (2 and the microsecond that a line stands for): the middle, and half of the 7
is "trace --qemu: doorbells tell how far the clocks are apart" "$RC.$(grep ^QEMU <<<"$OUT")" "0.QEMU's clock was matched by 4 doorbells, to within 3.5 us"
is "trace --qemu: its steps, on the clock of the trace" "$(grep device: -v <<<"$OUT" | grep ' device ' | tr -s ' ' | cut -d' ' -f 2,5-)" \
	"15.5 - device mmio_doorbell_sq sqid 1 new_tail 8
60.5 1 device io_cmd cid 1 nsid 0x1 sqid 1 opc 0x0 opname 'NVME_NVM_CMD_FLUSH'
206.5 - device mmio_doorbell_cq cqid 1 new_head 8
1007.5 - device mmio_doorbell_sq sqid 1 new_tail 9
1060.5 2 device io_cmd cid 2 nsid 0x1 sqid 1 opc 0x0 opname 'NVME_NVM_CMD_FLUSH'
1205.5 - device mmio_doorbell_cq cqid 1 new_head 9"
before=$OUT
nvmq trace --read "$trace" --qemu "$tmp/qemu50.log"
is "trace --qemu: how far does not matter" "$OUT" "$before"
sed 's/new_tail 9/new_tail 10/' "$tmp/qemu.log" >"$tmp/other.log"
nvmq trace --read "$trace" --qemu "$tmp/other.log"
is "trace --qemu: the log of something else" "$RC.$ERR" "1.nvmq trace: $tmp/other.log: the doorbells in it are not those of the trace"
sed 's/^77@[0-9.]*://' "$tmp/qemu.log" >"$tmp/other.log"
nvmq trace --read "$trace" --qemu "$tmp/other.log"
has "trace --qemu: without times" "$RC.$ERR" "1.nvmq trace: $tmp/other.log: there is no event with a time in it"

# ---- queues ----
# context NUMBER TYPE TAGS CPUS
context() {
	local debug=$NVMQ_ROOT/sys/kernel/debug/block/nvme0n1/hctx$1
	mkdir -p "$debug"
	echo "$2" >"$debug/type"
	echo "${5:-}" >"$debug/state"
	printf 'nr_tags=1023\nnr_reserved_tags=0\nactive_queues=0\n\nbitmap_tags:\ndepth=%s\nbusy=2\ncleared=0\n' "$3" >"$debug/tags"
	[ -n "$4" ] || return 0
	mkdir -p "$NVMQ_ROOT/sys/block/nvme0n1/mq/$1"
	echo "$4" >"$NVMQ_ROOT/sys/block/nvme0n1/mq/$1/cpu_list"
}
mkdir -p "$NVMQ_ROOT/sys/devices/system/cpu"
echo 0,2-3 >"$NVMQ_ROOT/sys/devices/system/cpu/online"
printf '# cpu default read poll\n0 1 3 4\n1 1 3 4\n2 2 - -\n3 5 - -\n' >"$debug/map"
echo '5 default 1023 5 4 41 3' >>"$debug/queues"
nvmq queues nvme0n1
has "queues: without the block layer's debugfs" "$RC.$ERR" "1.nvmq queues: /sys/kernel/debug/block/nvme0n1 is not there (is debugfs mounted?)"
context 0 default 64 "0, 1, 3"
context 1 default 64 2
context 2 read 0 "0, 1"
context 3 poll 32 "0, 1" "INACTIVE"
context 4 default 0 ""
nvmq queues nvme0n1
is "queues: the rows" "$(sed -n '/^   0/,$p' <<<"$OUT" | tr -s ' ')" \
	" 0 0 default 0 2/64 1 1 38 0-1,5
 read 2 2/0 3 3 40 2 no tags: nothing can be sent
 poll 3 2/32 4 - - polled all CPUs of the context are offline: takes nothing
 1 1 default 0 2/64 1 1 38 0-1,5 offline: sends nothing, stays mapped
 read 2 2/0 3 3 40 2 no tags: nothing can be sent
 poll 3 2/32 4 - - polled offline: sends nothing, stays mapped
 2 2 default 1 2/64 2 2 39 -
 read - - - - - - no queue of the type: goes the default way
 poll - - - - - - no queue of the type: goes the default way
 3 3 default 0 2/64 1 1 38 0-1,5 its own context had no tags: mapped to this one
 read - - - - - - no queue of the type: goes the default way
 poll - - - - - - no queue of the type: goes the default way
hctx 4 (default) has no CPU, and so no tags: its queue is not used"
nvmq queues nvme0n1 --json
is "queues --json" "$(json '[(c["cpu"], c["online"], c["default"]["hctx"], c["read"]["hctx"], c["default"]["note"]) for c in d["cpus"]][1:]')" \
	"[(1, False, 0, 2, 'offline: sends nothing, stays mapped'), (2, True, 1, None, ''), (3, True, 0, None, 'its own context had no tags: mapped to this one')]"
nvmq queues 00:11.0
has "queues: a controller without queues to show" "$RC.$ERR" "1.nvmq"
nvmq queues --yaml
is "queues: an unknown option" "$RC.$ERR" "2.nvmq queues: --yaml: not expected"
