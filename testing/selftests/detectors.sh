#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# description: what a debug kernel looks for it finds: a module commits each fault once, and its report comes
# vm debug: -c 2 -d none -- memory
# vm kcsan: -c 2 -d none -- races
# kernels: debug kcsan
# time: 10
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "$0")/lib.sh"

BROKEN=/repo/.build/$NVMQ_K/testing/selftests/broken/nvmq_broken.ko

# finds FAULT REGEX: and lib.sh's search takes the report for a complaint
finds() {
	local out
	log_mark
	out=$(timeout 20 insmod "$BROKEN" fault="$1" 2>&1) || true
	like "$1: is committed" "$out" 'Resource temporarily unavailable'
	log_has "$1: is reported" "$2"
	check "$1: and seen in the log" test -n "$(log_since | t_complaints)"
}

is "no complaint to begin with" "$(debug_complaints)" ""
if [ "$1" = races ]; then
	finds race 'BUG: KCSAN: data-race in .*racer'
else
	# First, since lockdep turns itself off at any serious report.
	finds lock-order 'WARNING: possible circular locking dependency'
	like "lockdep is off after that, and lib.sh sees it" "$(debug_complaints)" 'lockdep is off'
	finds sleep-in-atomic 'BUG: sleeping function called from invalid context'
	finds dma 'DMA-API: .*tries to free DMA memory it has not allocated'
	like "and lib.sh sees it in the count too" "$(debug_complaints)" 'DMA-API has seen errors: [1-9]'
	finds object 'ODEBUG: init active .*timer_list'
	finds shift 'UBSAN: shift-out-of-bounds'
	finds use-after-free 'BUG: KASAN: slab-use-after-free in .*use_after_free'
fi

# This is what was wanted: lib.sh's own search must not count it. (It has found it above.)
T_BROKEN=1
log_mark
T_START=$T_MARK
