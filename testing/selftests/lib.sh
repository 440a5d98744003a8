# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
#
# What every guest-side test of nvmq shares. A test starts with
#
#	. "$(dirname "$0")/lib.sh"
#
# and ends by running off its end: the EXIT trap prints the plan, searches the
# kernel log and the trace of the emulated device, and chooses the exit status
# (0 all passed, 1 something failed, 4 skipped).
#
# set -e is in force. A command whose failure is a verdict goes through check,
# check_fails or an if; any other failure ends the test with "Bail out!".

set -euo pipefail
shopt -s nullglob

: "${NVMQ_KO:?path of nvmq.ko; run this through testing/check or vm/run}"

# No udev in the guest: process substitution needs this.
[ -e /dev/fd ] || ln -s /proc/self/fd /dev/fd

T_NAME=$(basename "$0" .sh)
T_DIR=$(dirname "${BASH_SOURCE[0]}")
T_COUNT=0
T_FAILED=0
T_SKIPPED=""
T_TMP=$(mktemp -d)

DRV=/sys/bus/pci/drivers/nvmq
DBG=/sys/kernel/debug/nvmq
# Slots that vm/run gives to the first devices.
BDF0=0000:00:10.0
BDF1=0000:00:11.0
# What testing/check has compiled for the guest
TOOLS=/repo/.build/selftests
export DRV DBG BDF0 BDF1 TOOLS

# Nothing below waits for ever: what has not happened by then is a failure. The
# debug kernels are slow: there poll_until, timeout and what uses them wait so
# many times as long. (testing/check has the same for the VM as a whole.)
T_PATIENCE=${T_PATIENCE:-20}
case $NVMQ_K in
debug | kcsan) T_SLOW=3 ;;
*) T_SLOW=1 ;;
esac

# rounds N: how often to do what takes long: a third of N on a debug kernel
rounds() { echo $((($1 + T_SLOW - 1) / T_SLOW)); }

# timeout [-k SECONDS] SECONDS CMD...
timeout() {
	local t_kill=()
	if [ "$1" = -k ]; then
		t_kill=(-k "$2")
		shift 2
	fi
	command timeout "${t_kill[@]}" $(($1 * T_SLOW)) "${@:2}"
}

# --- TAP -------------------------------------------------------------------

note() { printf '# %s\n' "$*"; }

# note_file FILE: as TAP comments: what fio has to say, and the end
note_file() {
	grep -E 'verify:|fio:|err= *[1-9]' "$1" | head -n 10 | sed 's/^/#   /' || true
	tail -n 12 "$1" | sed 's/^/#   /'
}

ok() {
	T_COUNT=$((T_COUNT + 1))
	printf 'ok %d - %s\n' "$T_COUNT" "$*"
}

not_ok() {
	T_COUNT=$((T_COUNT + 1))
	T_FAILED=$((T_FAILED + 1))
	printf 'not ok %d - %s\n' "$T_COUNT" "$*"
}

# skip DESC REASON: one point that this set-up cannot show
skip() {
	T_COUNT=$((T_COUNT + 1))
	printf 'ok %d - %s # SKIP %s\n' "$T_COUNT" "$1" "$2"
}

# skip_all REASON: the whole test does not apply
skip_all() {
	T_SKIPPED=$*
	exit 4
}

# check DESC CMD...: passes when CMD succeeds; its output is shown when not
check() {
	local desc=$1 rc=0
	shift
	"$@" >"$T_TMP/check.out" 2>&1 || rc=$?
	if [ "$rc" -eq 0 ]; then
		ok "$desc"
	else
		not_ok "$desc"
		note "status $rc from: $*"
		note_file "$T_TMP/check.out"
	fi
}

# check_fails DESC CMD...: passes when CMD fails by itself, and not by a
# signal or because it had to be stopped
check_fails() {
	local desc=$1 rc=0 t_limit=(timeout -k 5 "$T_PATIENCE")
	shift
	# A function has to see to its own end.
	[ "$(type -t "$1")" != function ] || t_limit=()
	"${t_limit[@]}" "$@" >"$T_TMP/check.out" 2>&1 || rc=$?
	if [ "$rc" -ne 0 ] && [ "$rc" -lt 124 ]; then
		ok "$desc"
	else
		not_ok "$desc"
		note "status $rc, a failure was expected, from: $*"
		note_file "$T_TMP/check.out"
	fi
}

# is DESC GOT WANT
is() {
	if [ "$2" = "$3" ]; then
		ok "$1"
	else
		not_ok "$1"
		note "got:    $2"
		note "wanted: $3"
	fi
}

# like DESC GOT REGEX
like() {
	if [[ $2 =~ $3 ]]; then
		ok "$1"
	else
		not_ok "$1"
		note "got:            $2"
		note "wanted a match: $3"
	fi
}

# within DESC GOT LOW HIGH
within() {
	if [ "$2" -ge "$3" ] && [ "$2" -le "$4" ]; then
		ok "$1"
	else
		not_ok "$1"
		note "got $2, wanted $3 to $4"
	fi
}

# Under emulation a new process takes 10 to 50 ms: what is called often below
# uses none.
exec {T_NEVER}<> <(:)
pause() { read -rt "$1" -u "$T_NEVER" _ || true; }

# poll_until SECONDS CMD...: tries CMD until it succeeds or the time is over
poll_until() {
	local deadline=$((SECONDS + $1 * T_SLOW))
	shift
	until "$@" >/dev/null 2>&1; do
		[ "$SECONDS" -lt "$deadline" ] || return 1
		pause 0.05
	done
}

# wait_for DESC CMD...: a point that passes when CMD succeeds in time
wait_for() {
	local desc=$1
	shift
	if poll_until "$T_PATIENCE" "$@"; then
		ok "$desc"
	else
		not_ok "$desc"
		note "not so after $((T_PATIENCE * T_SLOW)) s: $*"
	fi
}

# --- kernel log ------------------------------------------------------------

# One line each, extended regular expressions; any hit fails the test.
T_LOG_BAD='BUG:|kernel BUG|WARNING:|Oops|general protection|unable to handle
possible circular locking|possible recursive locking|possible irq lock
inconsistent lock state|inconsistent \{|suspicious RCU usage|lockdep
hung task|hung_task|blocked for more than|soft lockup|hard LOCKUP|self-detected stall|detected stalls|stuck for
KASAN|UBSAN|KCSAN|KFENCE|kmemleak|DMA-API:|ODEBUG
refcount_t|scheduling while atomic|sleeping function called|Call Trace
list_add corruption|list_del corruption|list_add double|corrupted list|Bad page|bad page state|slab .*corrupt|Objects remaining
invalid opcode|stack-protector|stack segment|double fault|divide error|atomic context
nobody cared|Disabling IRQ|Freeing already-free IRQ|Trying to free|handler enabled interrupts
page allocation failure'

# log_mark: what log_since and log_has look at starts here
log_mark() {
	T_MARK="nvmq-test: $T_NAME $$ $RANDOM$RANDOM"
	printf '<6>%s\n' "$T_MARK" >/dev/kmsg
}

# log_since [MARK]: the log after MARK (whole if the mark has been overwritten),
# without what is no fault of ours
log_since() {
	dmesg | awk -v mark="${1:-$T_MARK}" '
		{ line[NR] = $0 }
		index($0, mark) { from = NR }
		END { for (i = from + 1; i <= NR; i++) print line[i] }' | awk -f "$T_DIR/not-ours.awk"
}

# It reads to the end: whom grep -q leaves in mid-sentence dies of SIGPIPE, and the pipe fails.
t_log_grep() { log_since | grep -E -- "$1" >/dev/null; }

# log_has DESC REGEX: the driver has said so since the mark, or does so in time
log_has() {
	if poll_until "${3:-5}" t_log_grep "$2"; then
		ok "$1"
	else
		not_ok "$1"
		note "no line matches: $2"
		log_since >"$T_TMP/log"
		note_file "$T_TMP/log"
	fi
}

# log_count REGEX: number of matching lines since the mark
log_count() { log_since | grep -Ec -- "$1" || true; }

# t_complaints: the lines of its input that no log should have, with their numbers
t_complaints() { grep -nE -- "$(tr '\n' '|' <<<"$T_LOG_BAD" | sed 's/|*$//')"; }

# log_clean: nothing since the mark is a complaint
log_clean() { ! log_since | t_complaints >/dev/null; }

# The last point of each test.
t_log_search() {
	log_since "$T_START" >"$T_TMP/log"
	if t_complaints <"$T_TMP/log" >"$T_TMP/hits"; then
		not_ok "the kernel log has no complaint"
		note_file "$T_TMP/hits"
		note "with what stands around the first:"
		local at
		at=$(cut -d: -f1 "$T_TMP/hits" | head -n 1)
		sed -n "$((at > 3 ? at - 3 : 1)),$((at + 36))p" "$T_TMP/log" | sed 's/^/#   /'
	else
		ok "the kernel log has no complaint"
	fi
}

# --- what a debug kernel has seen -------------------------------------------

DMA_DEBUG=/sys/kernel/debug/dma-api

# t_debug_begin: from here on everything counts, not only the first of each kind
t_debug_begin() {
	[ ! -d "$DMA_DEBUG" ] || echo 1 >"$DMA_DEBUG/all_errors"
}

# t_not_ours REGEX: how many lines like it are in the kernel's log by no fault of ours
t_not_ours() {
	dmesg >"$T_TMP/dmesg"
	echo $(($(grep -c "$1" "$T_TMP/dmesg") - $(awk -f "$T_DIR/not-ours.awk" "$T_TMP/dmesg" | grep -c "$1")))
}

# debug_complaints: what is wrong beside the log, one line each. A detector that
# has turned itself off, as lockdep does after its first report, sees nothing.
debug_complaints() {
	local locks off errors
	if [ -e /proc/lockdep_stats ]; then
		locks=$(awk '/ debug_locks:/ { print $2 }' /proc/lockdep_stats)
		[ "$locks" = 1 ] || [ "$(t_not_ours 'possible circular locking')" != 0 ] ||
			echo "lockdep is off: debug_locks is ${locks:-missing}"
	fi
	if [ -d "$DMA_DEBUG" ]; then
		off=$(<"$DMA_DEBUG/disabled") errors=$(<"$DMA_DEBUG/error_count")
		[ "$off" = N ] || echo "the DMA-API's debugging is off"
		[ "$errors" = 0 ] || errors=$((errors - $(t_not_ours 'cacheline tracking EEXIST')))
		[ "$errors" = 0 ] || echo "the DMA-API has seen errors: $errors"
	fi
}

t_debug_search() {
	[ "$T_SLOW" -gt 1 ] && [ -z "${T_BROKEN:-}" ] || return 0
	check "this is a debug kernel" test -e /proc/lockdep_stats -a -d "$DMA_DEBUG"
	is "lockdep and the DMA-API's debugging are on and have no complaint" "$(debug_complaints)" ""
}

# kmemleak, on the debug kernel with kmemleak=on on its command line
KMEMLEAK=/sys/kernel/debug/kmemleak

# leaks: what is lost, as kmemleak tells it. It takes an object for lost only
# when it is 5 s old, and reports it when two scans find it unchanged.
leaks() {
	pause 6
	echo scan >"$KMEMLEAK"
	echo scan >"$KMEMLEAK"
	cat "$KMEMLEAK"
}
# leaks_but_user_iov: of what its input says is lost, what is not the list of pages that bio_map_user_iov() of 6.12 forgets
# when it cannot pin any of them
leaks_but_user_iov() {
	awk '/^unreferenced object/ { flush(); record = "" }
		{ record = record $0 "\n" }
		END { flush() }
		function flush() { if (record !~ /iov_iter_extract_pages\+[^\n]*\n *bio_map_user_iov\+/) printf "%s", record }'
}
# What was lost before, as by the kernel's own start, is not ours.
leaks_forget() { echo clear >"$KMEMLEAK"; }

# t_coverage: what the module has counted, for testing/coverage. The kernel keeps
# it when the module is unloaded.
t_coverage() {
	[ "$NVMQ_K" = coverage ] || return 0
	local file count=0
	while IFS= read -r file; do
		mkdir -p "/out/gcov/${file%/*}"
		# These files have no size, and some tools go by that.
		cat "/sys/kernel/debug/gcov/$file" >"/out/gcov/$file" && count=$((count + 1))
	done < <(cd /sys/kernel/debug/gcov && find . -name '*.gcda')
	[ "$count" -gt 0 ] || ! dmesg | grep -q ' nvmq: loading ' || not_ok "the module has counted what was run"
}

# --- the device's own view -------------------------------------------------

# vm/run --trace leaves this; testing/check always asks for the events that
# QEMU raises when a driver does what the specification leaves undefined or
# forbids. T_TRACE_ALLOW is a regex of those that a test provokes.
TRACE=/out/qemu-trace.log
T_TRACE_ALLOW='^$'
# The in-tree driver, wherever it takes a controller, asks for Opal; QEMU has
# Security Receive (0x82) and takes it of no protocol.
T_TRACE_OPAL='pci_nvme_err_req_status .* opc 0x82'

t_trace_search() {
	[ -e "$TRACE" ] || return 0
	if grep -aE 'pci_nvme_(ub|err)_' "$TRACE" | grep -avE "$T_TRACE_ALLOW|$T_TRACE_OPAL" >"$T_TMP/hits"; then
		not_ok "the device has not seen a forbidden access"
		head -n 20 "$T_TMP/hits" | sed 's/^/#   /'
	else
		ok "the device has not seen a forbidden access"
	fi
}

# seen_mark, then seen WHAT: what the device saw since, on either device. WHAT is
# a command such as io-flush, io for all I/O commands, sq-doorbells, enables.
seen_mark() {
	if strict; then
		device stats >"$T_TMP/seen"
	else
		trace_mark
	fi
}
seen() {
	local event
	if strict; then
		{ sed 's/^/0 /' "$T_TMP/seen"; device stats | sed 's/^/1 /'; } | awk -v what="$1" '
			$2 == what || (what == "io" && $2 ~ /^io-/) { sum[$1] += $3 }
			END { print sum[1] - sum[0] }'
		return
	fi
	case $1 in
	io) event='pci_nvme_io_cmd ' ;;
	io-flush) event='pci_nvme_io_cmd .*opc(ode)? 0x0 ' ;;
	io-write) event='pci_nvme_io_cmd .*opc(ode)? 0x1 ' ;;
	io-write-zeroes) event='pci_nvme_io_cmd .*opc(ode)? 0x8 ' ;;
	io-dsm) event='pci_nvme_io_cmd .*opc(ode)? 0x9 ' ;;
	sq-doorbells) event='pci_nvme_mmio_doorbell_sq ' ;;
	cq-doorbells) event='pci_nvme_mmio_doorbell_cq ' ;;
	enables) event='pci_nvme_mmio_start_success' ;;
	shutdowns) event='pci_nvme_mmio_shutdown_set' ;;
	*) note "seen $1: not known"; return 1 ;;
	esac
	trace_count "$event"
}

# trace_need EVENT: the test was meant to run with vm/run --trace EVENT
trace_need() {
	strict || [ -e "$TRACE" ] || { note "no $TRACE: run with --trace '$1'"; return 1; }
}

# trace_mark, then trace_count REGEX: events since
trace_mark() { T_TRACE_AT=$(stat -c %s "$TRACE"); }
trace_since() { tail -c "+$((T_TRACE_AT + 1))" "$TRACE"; }
trace_count() { trace_since | grep -aEc -- "$1" || true; }

# --- the module ------------------------------------------------------------

# kmod passes the words on as they are, and the kernel splits them at blanks
# unless they are quoted.
t_quote() {
	local arg
	T_ARGS=()
	for arg; do
		case $arg in
		*[[:space:]]*) T_ARGS+=("${arg%%=*}=\"${arg#*=}\"") ;;
		*) T_ARGS+=("$arg") ;;
		esac
	done
}

loaded() { [ -d /sys/module/nvmq ]; }

# load_module [PARAM=VALUE...]: insmod only
load_module() {
	t_quote "$@"
	timeout -k 5 60 insmod "$NVMQ_KO" "${T_ARGS[@]}"
}

# load [PARAM=VALUE...]: insmod, then every controller in slot order that
# nvmq holds is live and has its disks
load() {
	local bdf
	load_module "$@"
	for bdf in $(controllers); do
		ready "$bdf" || { note "$bdf is not live, or has no disk"; return 1; }
	done
}

unload() { timeout -k 5 60 rmmod nvmq; }

# reload [PARAM=VALUE...]
reload() {
	unload
	load "$@"
}

# refused DESC REGEX PARAM=VALUE...: insmod must fail with EINVAL, say why in
# exactly one line that matches, and leave nothing behind
refused() {
	local desc=$1 re=$2 rc=0 lines="" count=0 line left="" out
	shift 2
	log_mark
	t_quote "$@"
	out=$(timeout -k 5 60 insmod "$NVMQ_KO" "${T_ARGS[@]}" 2>&1) || rc=$?
	while IFS= read -r line; do
		case $line in
		*"$T_MARK"*) lines="" count=0 ;;
		# The kernel adds a line of its own on any parameter that is refused.
		*'invalid for parameter'*) ;;
		*nvmq*) lines+="$line"$'\n' count=$((count + 1)) ;;
		esac
	done < <(dmesg)
	! loaded || left+=" the module"
	[ ! -d "$DRV" ] || left+=" $DRV"
	[ ! -d "$DBG" ] || left+=" $DBG"
	irqs_read
	[ "${#IRQ_TOTAL[@]}" -eq 0 ] || left+=" an interrupt"
	if [ "$rc" -ne 0 ] && [ "$rc" -lt 124 ] && [ -z "$left" ] && [ "$count" -eq 1 ] && [[ $lines =~ $re ]] &&
	   [[ $out == *'Invalid parameters'* ]]; then
		ok "$desc"
	else
		not_ok "$desc"
		note "insmod $*: status $rc, left behind:${left:- nothing}, $count log lines"
		note "wanted EINVAL and one line that matches: $re"
		note "$out"
		note "$lines"
	fi
	if loaded; then
		unload
	fi
}

# --- controllers and disks -------------------------------------------------

# Probing order varies from boot to boot: everything is found by PCI address.

controllers() {
	local dir
	for dir in "$DRV"/0000:*; do echo "${dir##*/}"; done
}

bound() { [ -e "$DRV/$1" ]; }

# state BDF; attr BDF NAME
state() { echo "$(<"/sys/bus/pci/devices/$1/nvmq/state")"; }
attr() { cat "/sys/bus/pci/devices/$1/nvmq/$2"; }

# granted BDF KEY: the number or word behind KEY=, without what stands behind a slash
granted() {
	local words word
	IFS=' ' read -ra words <"/sys/bus/pci/devices/$1/nvmq/granted"
	for word in "${words[@]}"; do
		[[ $word = "$2="* ]] || continue
		word=${word#*=}
		echo "${word%%/*}"
	done
}
# counts BDF: the queues that are granted, as "default read poll"
counts() { echo "$(granted "$1" default) $(granted "$1" read) $(granted "$1" poll)"; }

is_state() {
	local now
	read -r now <"/sys/bus/pci/devices/$1/nvmq/state" && [ "$now" = "$2" ]
}

# disks [BDF]: names of the disks of one controller, or of all that nvmq holds
disks() {
	local bdf disk dir=/sys/bus/pci/devices
	for bdf in ${1:-$(controllers)}; do
		for disk in "$dir/$bdf"/nvme/nvme*/nvme*n*; do
			echo "${disk##*/}"
		done
	done
}

# disk BDF [NSID]: one name; fails when it is not there
disk() {
	local name
	for name in $(disks "$1"); do
		if [[ $name == *n"${2:-1}" ]]; then
			echo "$name"
			return 0
		fi
	done
	return 1
}

# dev BDF [NSID]: its node
dev() { echo "/dev/$(disk "$@")"; }

t_is_ready() { is_state "$1" live && [ -b "$(dev "$1" "${2:-1}")" ]; }

# ready BDF [NSID]: live, and the disk of that namespace is there
ready() { poll_until "$T_PATIENCE" t_is_ready "$@"; }
t_is_live() { is_state "$1" live; }
live() { poll_until "$T_PATIENCE" t_is_live "$1"; }

# built_here: this kernel is one of vm/debug-kernel, with less in it than Debian's
built_here() { case $NVMQ_K in debug | kcsan | coverage) ;; *) return 1 ;; esac; }

# queue DISK NAME: an attribute of /sys/block/DISK/queue
queue() { cat "/sys/block/$1/queue/$2"; }

sectors() { cat "/sys/block/$1/size"; }
bytes() { echo $(($(sectors "$1") * 512)); }

# --- queues and interrupts -------------------------------------------------

# queue_rows BDF [TYPE]: lines of debugfs queues without its heading
queue_rows() {
	local row qid type rest
	while read -r qid type rest; do
		row="$qid $type $rest"
		[[ $qid == \#* ]] || [[ -n ${2:-} && $type != "${2:-}" ]] || echo "$row"
	done <"$DBG/$1/queues"
}

# shellcheck disable=SC2034 # the tests read these
# queues_read BDF: Q_TYPE, Q_DEPTH, Q_CQ, Q_VECTOR, Q_IRQ by queue id from debugfs
# queues, and CPU_DEFAULT, CPU_READ, CPU_POLL by CPU from debugfs map: the queue
# that an I/O of this sort takes, which is the default one where the map has '-'
queues_read() {
	local qid type depth cq vector irq cpu default read poll _
	unset Q_TYPE Q_DEPTH Q_CQ Q_VECTOR Q_IRQ CPU_DEFAULT CPU_READ CPU_POLL
	declare -gA Q_TYPE=() Q_DEPTH=() Q_CQ=() Q_VECTOR=() Q_IRQ=() CPU_DEFAULT=() CPU_READ=() CPU_POLL=()
	while read -r qid type depth cq vector irq _; do
		[[ $qid != \#* ]] || continue
		Q_TYPE[$qid]=$type Q_DEPTH[$qid]=$depth Q_CQ[$qid]=$cq Q_VECTOR[$qid]=$vector Q_IRQ[$qid]=$irq
	done <"$DBG/$1/queues"
	while read -r cpu default read poll; do
		[[ $cpu != \#* ]] || continue
		CPU_DEFAULT[$cpu]=$default
		CPU_READ[$cpu]=${read/#-/$default}
		CPU_POLL[$cpu]=${poll/#-/$default}
	done <"$DBG/$1/map"
}

# shellcheck disable=SC2034
# irqs_read: IRQ_TOTAL and IRQ_CPU[IRQ.CPU], counts of all nvmq interrupts
irqs_read() {
	local irq words cpus i
	unset IRQ_TOTAL IRQ_CPU
	declare -gA IRQ_TOTAL=() IRQ_CPU=()
	{
		read -ra words
		cpus=${#words[@]}
		while read -r irq words; do
			[[ $words == *nvmq* ]] || continue
			read -ra words <<<"$words"
			irq=${irq%:}
			IRQ_TOTAL[$irq]=0
			for ((i = 0; i < cpus; i++)); do
				IRQ_CPU[$irq.$i]=${words[i]}
				IRQ_TOTAL[$irq]=$((IRQ_TOTAL[$irq] + words[i]))
			done
		done
	} </proc/interrupts
}

# irq_sum TYPE: interrupts so far on the queues of a type; needs queues_read
irq_sum() {
	local qid sum=0
	irqs_read
	for qid in "${!Q_TYPE[@]}"; do
		[[ ${Q_TYPE[$qid]} != "$1" || ${Q_IRQ[$qid]} == - ]] || sum=$((sum + ${IRQ_TOTAL[${Q_IRQ[$qid]}]}))
	done
	echo "$sum"
}

online_cpus() {
	local list part first last
	read -r list </sys/devices/system/cpu/online
	for part in ${list//,/ }; do
		first=${part%-*} last=${part#*-}
		for ((; first <= last; first++)); do echo "$first"; done
	done
}

# vectors_work DESC DISK: two points; needs queues_read. Each CPU's I/O must come
# with an interrupt: nothing is found by time-outs.
vectors_work() {
	local cpu irq before bad=""
	for cpu in $(online_cpus); do
		irq=${Q_IRQ[${CPU_DEFAULT[$cpu]}]}
		irqs_read
		before=${IRQ_TOTAL[$irq]}
		timeout 20 taskset -c "$cpu" dd if="/dev/$2" of=/dev/null bs=4096 count=16 iflag=direct status=none ||
			bad+=" cpu$cpu-read"
		irqs_read
		[ "${IRQ_TOTAL[$irq]}" -gt "$before" ] || bad+=" cpu$cpu-silent"
	done
	is "$1: I/O from each CPU, interrupts on its queue's vector" "$bad" ""
	fio_ok "$1: verified I/O on all queues at once" --filename="/dev/$2" --direct=1 --ioengine=io_uring --iodepth=16 \
		--numjobs=4 --rw=randwrite --bs=4k --size=3M --offset_increment=8M --verify=crc32c --do_verify=1 --group_reporting
}

# --- data ------------------------------------------------------------------

# random_file FILE BYTES: data that no other call gives
random_file() { "$TOOLS/fill" "$2" >"$1"; }

# put FILE DEV OFFSET; same FILE DEV OFFSET: bytes, multiples of the block size
put() {
	dd if="$1" of="$2" bs=1M seek="$3" oflag=direct,seek_bytes conv=notrunc status=none
}

same() {
	local length
	length=$(stat -c %s "$1")
	cmp <(dd if="$2" bs=1M skip="$3" count="$length" iflag=direct,skip_bytes,count_bytes status=none) "$1"
}

# cpus_differ SECONDS DEV KIB FILE: the CPUs that do not read from the start of DEV
# what FILE begins with, or not in time; KIB is a multiple of 64
cpus_differ() {
	local cpu
	for cpu in $(online_cpus); do
		timeout "$1" taskset -c "$cpu" cmp <(dd if="$2" bs=64k count=$(($3 / 64)) iflag=direct status=none) \
			<(head -c "$3K" "$4") >&2 || echo "$cpu"
	done
}

# zeroes DEV OFFSET LENGTH: all bytes are zero
zeroes() {
	cmp -n "$3" <(dd if="$1" bs=1M skip="$2" count="$3" iflag=direct,skip_bytes,count_bytes status=none) /dev/zero
}

drop_caches() {
	sync
	echo 3 >/proc/sys/vm/drop_caches
}

# kib NAME: of /proc/meminfo
kib() { awk -v k="$1:" '$1 == k { print $2 }' /proc/meminfo; }

# settle, then free_kib: what is free when what is at rest is not in use. Each
# CPU keeps free pages on lists of its own (many MiB, which MemFree leaves out),
# each slab cache keeps empty slabs.
settle() {
	local cache
	drop_caches
	sleep 0.2
	drop_caches
	for cache in /sys/kernel/slab/*/shrink; do
		echo 1 >"$cache"
	done
}
free_kib() { echo $(($(kib MemFree) + 4 * $(awk '$1 == "count:" { n += $2 } END { print n }' /proc/zoneinfo))); }

# fio_job NAME OPTION...: one fio run, its output kept; fio's own status, and
# its error count, which it does not always turn into a status. OPTION... may
# hold sections of its own, each begun by --name; NAME is then without effect.
fio_job() {
	local name=$1 rc=0
	shift
	case $1 in
	--name=*) set -- --output-format=normal --eta=never "$@" ;;
	*) set -- --name="$name" --output-format=normal --eta=never --verify_state_save=0 "$@" ;;
	esac
	fio "$@" >"$T_TMP/fio.out" 2>&1 || rc=$?
	cat "$T_TMP/fio.out"
	if grep -Eq 'verify: bad|: err= *[1-9]' "$T_TMP/fio.out"; then
		rc=1
	fi
	return "$rc"
}

# shellcheck disable=SC2034 # the tests use these
# fio_on ENGINE DISK: FIO_TARGET, the option for where to work, and FIO_LAST,
# the options that end each section: the disk itself, or for mmap a file of each
# job's own on it. fio's mmap engine begins each phase on a block device with
# madvise(MADV_REMOVE), which zeroes what the phase before has written (under the
# in-tree driver as well), and up to 3.33 it maps the wrong place of a file where
# there is an --offset.
fio_on() {
	FIO_TARGET=--filename=/dev/$2 FIO_LAST=()
	[ "$1" = mmap ] || return 0
	mkfs.ext4 -q "/dev/$2"
	mount_at "/dev/$2" "$T_TMP/fio"
	FIO_TARGET=--directory=$T_TMP/fio FIO_LAST=(--offset=0 --offset_increment=0)
}

# fio_ok DESC OPTION...
fio_ok() {
	local desc=$1
	shift
	check "$desc" fio_job job "$@"
}

# background CMD...: started in a session of its own; its pid in BG
T_BG=()
background() {
	setsid "$@" >"$T_TMP/bg.out" 2>&1 &
	BG=$!
	T_BG+=("$BG")
}

# load_begin TARGET [OPTION...]: fio writes to TARGET (--filename=... or --directory=...), reads back and verifies, again
# and again, until load_end; its points: no error, all of it verified. Several may run, each with a T_LOAD of its own.
T_LOAD=load
load_begin() {
	rm -f "$T_TMP/$T_LOAD".{stop,out,rounds}
	# shellcheck disable=SC2016 # the inner shell expands
	setsid bash -c 'cd /
		until [ -e "$1.stop" ]; do
			fio --eta=never --name=load --rw=randrw --bs=4k --direct=1 --verify=crc32c --do_verify=1 --verify_state_save=0 \
				--verify_fatal=1 --size=4M --numjobs=4 --offset_increment=8M --group_reporting "${@:2}" || exit 1
			echo >>"$1.rounds"
		done' load "$T_TMP/$T_LOAD" --ioengine=libaio --iodepth=16 "$@" >"$T_TMP/$T_LOAD.out" 2>&1 &
	BG=$!
	T_BG+=("$BG")
	printf '%s' "$BG" >"$T_TMP/$T_LOAD.pid"
}

# load_end DESC [SECONDS]
load_end() {
	local pid rc=0
	pid=$(<"$T_TMP/$T_LOAD.pid")
	: >"$T_TMP/$T_LOAD.stop"
	if poll_until "${2:-60}" gone "$pid"; then
		wait "$pid" || rc=$?
	else
		rc="still running"
	fi
	is "$1: no error, all data verified" "$rc" 0
	[ "$rc" = 0 ] || note_file "$T_TMP/$T_LOAD.out"
}

# gone PID: it has ended. Not by kill -0: that finds it for as long as the shell has not waited for it, and this shell
# misses the end of a child now and then while it waits in read.
gone() {
	local stat
	{ read -r stat <"/proc/$1/stat"; } 2>/dev/null || return 0
	[[ ${stat##*) } == Z* ]]
}
alive() { ! gone "$1"; }

# io_begun DISK: requests are being completed right now
io_begun() {
	local before
	before=$(awk '{ print $1 + $5 }' "/sys/block/$1/stat")
	poll_until "$T_PATIENCE" t_io_more "$1" "$before"
}
t_io_more() { [ "$(awk '{ print $1 + $5 }' "/sys/block/$1/stat")" -gt $(($2 + 50)) ]; }

# t_port NAME: the node of a port that vm/run gave the guest
t_port() {
	local name
	for name in /sys/class/virtio-ports/*/name; do
		if [ "$(<"$name")" = "$1" ]; then
			echo "/dev/$(basename "$(dirname "$name")")"
			return 0
		fi
	done
	return 1
}

# strict: is the first controller testing/device's?
strict() { t_port nvmq.device0 >/dev/null; }

# device COMMAND...: to the control socket of the first controller, which is
# testing/device's; prints the answer. Fails if it is an error. The same of
# another controller is device_of N COMMAND...
device() { device_of 0 "$@"; }
T_DEVICES=()
device_of() {
	local line port n=$1
	shift
	if [ -z "${T_DEVICES[n]:-}" ]; then
		port=$(t_port "nvmq.device$n") || { note "no port nvmq.device$n: needs a \"# vm:\" line with -d strict"; return 1; }
		# shellcheck disable=SC1083 # an array element is a variable as well
		exec {T_DEVICES[n]}<>"$port"
	fi
	printf '%s\n' "$*" >&"${T_DEVICES[n]}"
	while IFS= read -r -t $((10 * T_SLOW)) -u "${T_DEVICES[n]}" line; do
		case $line in
		ok) return 0 ;;
		error:*) note "device: $*: $line"; return 1 ;;
		*) printf '%s\n' "${line# }" ;;
		esac
	done
	note "no answer from the device to: $*"
	return 1
}

# lie "when CONDITIONS then ACTION": see Documentation/strict-device.rst
lie() { device "lie $1" >/dev/null; }

# device_stat NAME: one count of its "stats"
device_stat() { device stats | sed -n "s/^$1 //p"; }

# monitor COMMAND: to QEMU's human monitor, for tests whose "# vm:" line has
# @MONITOR@, for which testing/check puts a QMP socket on a port of the guest
monitor() {
	local port reply
	if [ -z "${T_MON:-}" ]; then
		port=$(t_port nvmq.monitor) || { note "no port nvmq.monitor: run through testing/check"; return 1; }
		exec {T_MON}<>"$port"
		t_qmp '{"execute":"qmp_capabilities"}'
	fi
	t_qmp "$(jq -cn --arg c "$1" '{execute:"human-monitor-command",arguments:{"command-line":$c}}')"
	reply=$(jq -r '.return // .error.desc' <<<"$T_REPLY")
	if [ -n "$reply" ]; then
		note "monitor: $1: $reply"
	fi
}
t_qmp() {
	printf '%s\n' "$1" >&"$T_MON"
	while IFS= read -r -t $((10 * T_SLOW)) -u "$T_MON" T_REPLY; do
		case $T_REPLY in *'"return"'* | *'"error"'*) return 0 ;; esac
	done
	note "no answer from the monitor to: $1"
	return 1
}

# mounts go here, so that the end of the test finds them
mount_at() {
	mkdir -p "$2"
	mount "$1" "$2"
}

# --- start and end ---------------------------------------------------------

t_finish() {
	local rc=$? pid
	trap - EXIT ERR
	set +e
	if [ -n "$T_SKIPPED" ]; then
		printf '1..0 # SKIP %s\n' "$T_SKIPPED"
		exit 4
	fi
	for pid in "${T_BG[@]}"; do
		if alive "$pid"; then
			kill -9 -- "-$pid" 2>/dev/null
			wait "$pid" 2>/dev/null
		fi
	done
	if [ "$rc" -ne 0 ]; then
		note "stopped at line ${T_LINE:-?} of $0: ${T_CMD:-?} (status $rc)"
		[ -s "$T_TMP/check.out" ] && note_file "$T_TMP/check.out"
		not_ok "the test ran to its end"
	fi
	if [ -z "${T_KEEP:-}" ]; then
		awk -v t="$T_TMP/" '$2 ~ "^" t || $2 ~ "^/tmp/mnt" { print $2 }' /proc/mounts | sort -r |
			while read -r mnt; do umount -- "$mnt"; done
		if loaded; then
			if ! unload; then
				not_ok "the module unloads at the end"
				ps -eo pid,stat,wchan:24,args | awk '$2 ~ /D/' | sed 's/^/#   /'
			fi
		fi
	fi
	t_log_search
	t_debug_search
	t_trace_search
	t_coverage
	printf '1..%d\n' "$T_COUNT"
	[ -n "${T_KEEP:-}" ] || rm -rf "$T_TMP"
	[ "$T_FAILED" -eq 0 ] || exit 1
	exit 0
}

trap 't_finish' EXIT
trap 'T_LINE=$LINENO T_CMD=$BASH_COMMAND' ERR
set -E

# A task that hangs must show up while the test still runs.
if [ -w /proc/sys/kernel/hung_task_timeout_secs ]; then
	echo $((${T_HUNG:-15} * T_SLOW)) >/proc/sys/kernel/hung_task_timeout_secs
	echo -1 >/proc/sys/kernel/hung_task_warnings
fi
[ ! -w /proc/sys/kernel/printk_ratelimit ] || echo 0 >/proc/sys/kernel/printk_ratelimit

printf 'TAP version 13\n'
note "$T_NAME $* on $(uname -r), $(nproc) CPUs"
t_debug_begin
log_mark
T_START=$T_MARK
