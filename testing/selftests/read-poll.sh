#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# description: queues for reads and polled queues: reads use the former, polled I/O raises no interrupt
# vm: -c 4 -d size=256M,queues=8
# kernels: 6.1 7.2
# time: 35
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "$0")/lib.sh"

deltas() {
	local d=$1 r=$2
	echo "$(($(irq_sum default) - d)) $(($(irq_sum read) - r))"
}

# shellcheck disable=SC2031 # nothing sets it there
uring() {
	fio_job uring --filename="/dev/$disk" --direct=1 --ioengine=io_uring --iodepth=4 --bs=4k \
		--size=2M --numjobs=4 --offset_increment=8M --group_reporting "$@"
}

for plan in "default=2 read=1 poll=1" "default=1 read=2 poll=2" "default=2 read=2 poll=4" \
	    "default=1 read=0 poll=cpu"; do
	load "plan=$plan"
	disk=$(disk "$BDF0")
	queues_read "$BDF0"
	for key in default read poll; do
		asked=$(tr ' ' '\n' <<<"$plan" | sed -n "s/^$key=//p")
		[ "$asked" != cpu ] || asked=$(nproc)
		is "$plan: $key queues" "$(granted "$BDF0" "$key")" "$asked"
		is "$plan: $key rows in debugfs" "$(queue_rows "$BDF0" "$key" | wc -l)" "$asked"
	done
	is "$plan: polled queues have no vector" "$(queue_rows "$BDF0" poll | awk '$5 != "-" || $6 != "-"' | wc -l)" 0
	reads=$(granted "$BDF0" read)

	check "$plan: writes" uring --rw=write --verify=crc32c --do_verify=0
	d=$(irq_sum default) r=$(irq_sum read)
	check "$plan: their content by ordinary reads" uring --rw=read --verify=crc32c
	read -r dd_ rr_ <<<"$(deltas "$d" "$r")"
	if [ "$reads" -gt 0 ]; then
		check "$plan: the reads raised the read queues' interrupts ($rr_)" test "$rr_" -gt 100
		within "$plan: and hardly the default ones'" "$dd_" 0 20
		d=$(irq_sum default) r=$(irq_sum read)
		check "$plan: writes again" uring --rw=write --verify=crc32c --do_verify=0
		read -r dd_ rr_ <<<"$(deltas "$d" "$r")"
		check "$plan: writes raise the default queues' interrupts ($dd_)" test "$dd_" -gt 100
		within "$plan: and hardly the read ones'" "$rr_" 0 20
	else
		check "$plan: the reads raised the default queues' interrupts ($dd_)" test "$dd_" -gt 100
	fi

	d=$(irq_sum default) r=$(irq_sum read)
	before=$(awk '{ print $1 + $5 }' "/sys/block/$disk/stat")
	check "$plan: polled reads, content verified" uring --rw=read --hipri=1 --verify=crc32c
	check "$plan: polled writes" uring --rw=write --hipri=1 --verify=crc32c --do_verify=0
	read -r dd_ rr_ <<<"$(deltas "$d" "$r")"
	after=$(awk '{ print $1 + $5 }' "/sys/block/$disk/stat")
	check "$plan: 4096 requests were done" test "$((after - before))" -ge 4096
	# fio and the partition scan may issue an odd ordinary request beside them.
	within "$plan: interrupts meanwhile" "$((dd_ + rr_))" 0 20
	check "$plan: what was written polled reads back unpolled" uring --rw=read --verify=crc32c
	unload
done

# A ring goes on polling while the plan changes, and what it polls may share another's completions by then.
load "plan=default=1 poll=1"
disk=$(disk "$BDF0")
# A command that a change meets comes back with EAGAIN, which ends fio: another one begins.
cat >"$T_TMP/polls" <<-'SCRIPT'
	while [ ! -e "$2" ]; do
		fio --eta=never --name=load --filename="$1" --ioengine=io_uring_cmd --cmd_type=nvme --hipri=1 --iodepth=8 \
			--rw=randread --bs=4k --size=8M --time_based --runtime=60
		echo "another one"
	done
SCRIPT
background bash "$T_TMP/polls" "/dev/ng${disk#nvme}" "$T_TMP/enough"
bad=0
for ((i = 0; i < $(rounds 25); i++)); do
	for plan in "default=2 share=2" "default=1 poll=1"; do
		echo "$plan" >"/sys/bus/pci/devices/$BDF0/nvmq/plan" || bad=$((bad + 1))
	done
done 2>"$T_TMP/refused"
touch "$T_TMP/enough"
pkill -x fio || true
check "polled while polled queues come and go: the load ends" poll_until 60 gone "$BG"
note "$(grep -c "another one" "$T_TMP/bg.out") times fio"
is "no plan was refused" "$bad" 0
check "and ordinary reads go on" uring --rw=read --size=1M
unload

# hipri without polled queues: the kernels differ in whether they refuse it
# (EOPNOTSUPP) or fall back to interrupts; it must end.
load plan=default=2
disk=$(disk "$BDF0")
rc=0
timeout 20 fio --name=hipri --filename="/dev/$disk" --direct=1 --ioengine=io_uring --hipri=1 --bs=4k \
	--size=256k --rw=read >"$T_TMP/fio.out" 2>&1 || rc=$?
if [ "$rc" -eq 0 ] || grep -qi 'not supported' "$T_TMP/fio.out"; then
	ok "hipri without polled queues ends (status $rc)"
else
	not_ok "hipri without polled queues ends"
	note "status $rc"
	note_file "$T_TMP/fio.out"
fi
check "and ordinary reads go on" uring --rw=read --size=1M
