#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# description: direct I/O from buffers at every offset in a page and from scattered vectors, compared byte by byte
# vm: --turns -q 7.2 -c 2 -d size=256M,queues=2,mdts=0 -- 512
# vm 6.12: --turns -c 2 -d size=256M,queues=2,lba=4096 -- 4096
# kernels: 6.12
# time: 15
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "$0")/lib.sh"
tool=$TOOLS/bufs

load
node=$(dev "$BDF0")
check "single buffers: offsets in a page x lengths" timeout 60 "$tool" "$node" "$1" offsets
check "lengths where the shape of the PRP list changes" timeout 60 "$tool" "$node" "$1" lengths
check "vectors whose parts meet at page boundaries" timeout 60 "$tool" "$node" "$1" vectors
check "random vectors" timeout 60 "$tool" "$node" "$1" random
