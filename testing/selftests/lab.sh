#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# description: nvmq lab on a real controller: what it refuses, its figures against the counters, and the plan as before, interrupted too
# vm: --turns -c 2 -d size=256M,queues=6
# kernels: 6.12
# time: 40
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "$0")/lib.sh"

lab() { timeout 200 "$TOOLS/tools/nvmq" lab "$@" 2>&1; }
R=/out/lab/results.json

load plan=default=2
disk=$(disk "$BDF0") node=$(dev "$BDF0")
cat >"$T_TMP/spec" <<-'TEXT'
	plan one default=1
	plan poll default=1 poll=1
	job write rw=randwrite bs=4k iodepth=4
	job polled rw=randread bs=4k hipri=1
	seconds 1
	repeat 2
TEXT
like "a job that writes wants an explicit yes" "$(lab run "$disk" --spec "$T_TMP/spec" -o "$T_TMP/no" || true)" "these jobs write to the disk: write;"
mkfs.ext4 -q "$node"
mount_at "$node" "$T_TMP/mnt"
like "and a disk that nobody uses" "$(lab run "$disk" --spec "$T_TMP/spec" --destroy-data -o "$T_TMP/no" || true)" \
	"/dev/$disk: Device or resource busy; a job that writes wants a disk that nobody uses"
umount "$T_TMP/mnt"
sed 's/default=1 poll=1/default=1 poll=x/' "$T_TMP/spec" >"$T_TMP/wrong"
like "a plan that is none is found before anything is run" "$(lab run "$disk" --spec "$T_TMP/wrong" --destroy-data -o "$T_TMP/no" || true)" \
	'plan poll: .*"poll=x": number, cpu, core, node or CPUs expected'
check_fails "nothing was made of these" test -e "$T_TMP/no"
is "nothing was changed by them" "$(attr "$BDF0" plan) $(attr "$BDF0" stats)" "default=2 0"

check "plans and jobs" lab run "$disk" --spec "$T_TMP/spec" --destroy-data --no-report -o /out/lab
is "the plan is as before, and nothing is counted" "$(attr "$BDF0" plan) $(attr "$BDF0" stats)" "default=2 0"
is "the runs: polled I/O without a polled queue is no run, but told" \
	"$(jq -c '[.runs[] | "\(.plan) \(.job) \(.turn)"], (.failed | map("\(.plan) \(.job)"))' "$R" | paste -sd' ')" \
	'["one write 0","poll write 0","poll polled 0","one write 1","poll write 1","poll polled 1"] ["one polled","one polled"]'
is "each has done as much as the counters say, but for what the opening of the disk reads" \
	"$(jq -c '[.runs[] | (.counted.all.completed - .figures.ios) | . >= 0 and . < 100] | all' "$R")" true
is "polled commands have no interrupts, the others have" \
	"$(jq -c '[.runs[] | select(.job == "polled") | .figures.irq_per_io < 0.5], [.runs[] | select(.job == "write") | .figures.irq_per_io > 0.05] | all' "$R" | paste -sd' ')" "true true"
is "the polled queue has the polled commands" \
	"$(jq -c '[.runs[] | select(.job == "polled") | [.counted.queues[] | select(.type == "poll") | .read] | add > 50] | all' "$R")" true
is "what was granted" "$(jq -c '.granted | map_values(.[0:24])' "$R")" '{"one":"default=1 read=0 poll=0 ","poll":"default=1 read=0 poll=1 "}'
is "the table has a line for each run" "$(wc -l </out/lab/results.csv)" 7
like "a folder that is there is left alone" "$(lab run "$disk" -o /out/lab || true)" "/out/lab is there already"

background "$TOOLS/tools/nvmq" lab run "$disk" --seconds 2 --repeat 50 --no-report -o "$T_TMP/cut"
check "interrupted in the midst of the second plan" poll_until 60 grep -q ' of .*two ' "$T_TMP/bg.out"
kill "$BG"
check "it ends" poll_until 20 gone "$BG"
is "the plan is as before, and nothing is counted" "$(attr "$BDF0" plan) $(attr "$BDF0" stats)" "default=2 0"
check "what was measured is there" jq -e '.runs | length > 1' "$T_TMP/cut/results.json"
