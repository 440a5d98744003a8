#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# description: no memory is lost by loading, I/O, resets, time-outs, unbinding and unloading; a planted leak is found
# vm debug: --turns -c 2 -a kmemleak=on -d strict,size=128M,ns=2,queues=2
# kernels: check-debug
# time: 70
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "$0")/lib.sh"

BROKEN=/repo/.build/$NVMQ_K/testing/selftests/broken/nvmq_broken.ko

check "kmemleak is on" dd if=<(echo scan) of="$KMEMLEAK" status=none
leaks >"$T_TMP/before"
leaks_forget
timeout 20 insmod "$BROKEN" fault=leak 2>/dev/null || true
leaks >"$T_TMP/planted"
like "it finds a planted leak" "$(<"$T_TMP/planted")" 'size 96\):[[:space:]]*comm "insmod"'
leaks_forget
# It says so in the log as well; that one was wanted.
log_mark
T_START=$T_MARK

for plan in default=2 default=1,poll=1; do
	load io_timeout=5 "plan=$plan"
	disk=$(disk "$BDF0") node=$(dev "$BDF0")
	fio_ok "$plan: I/O of all sizes" --filename="$node" --direct=1 --ioengine=libaio --iodepth=16 --numjobs=2 --rw=randwrite \
		--bsrange=4k-512k --size=8M --offset_increment=8M --verify=crc32c --do_verify=1 --group_reporting
	check "$plan: discard" blkdiscard -o 16M -l 8M "$node"
	echo 1 >"/sys/bus/pci/devices/$BDF0/nvmq/reset"
	check "$plan: live after a reset" live "$BDF0"
	log_mark
	lie "when io once then drop"
	check "$plan: a read that is dropped ends" dd if="$node" of=/dev/null bs=4096 count=1 iflag=direct status=none
	log_has "$plan: after a time-out" "nvmq $BDF0: .*timed out" 1
	check "$plan: live after that" live "$BDF0"
	device unlie all
	device namespace 2 gone
	echo 1 >"/sys/bus/pci/devices/$BDF0/nvmq/rescan"
	device namespace 2 new 65536
	echo 1 >"/sys/bus/pci/devices/$BDF0/nvmq/rescan"
	check "$plan: the second disk is there again" ready "$BDF0" 2
	cat "$DBG/$BDF0"/* >/dev/null
	echo "$BDF0" >"$DRV/unbind"
	echo "$BDF0" >"$DRV/bind"
	check "$plan: bound again" ready "$BDF0"
	unload
done
leaks >"$T_TMP/leaks"
is "nothing is lost" "$(head -c 4000 "$T_TMP/leaks")" ""
