#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# description: a controller without any namespace attached is live, has no disk, and goes cleanly
# vm: --turns -c 2 -d size=64M,ns=2,detached,queues=2
# vm 6.12: --turns -c 2 -d ns=0,queues=2
# kernels: 6.12
# time: 6
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "$0")/lib.sh"

for ((i = 0; i < 3; i++)); do
	load_module
	check "live" live "$BDF0"
	is "serial is known" "$(attr "$BDF0" serial)" nvmq-0
	is "no disk" "$(disks | wc -l)" 0
	echo "$BDF0" >"$DRV/unbind"
	echo "$BDF0" >"$DRV/bind"
	check "live after unbind and bind" live "$BDF0"
	check "unload" unload
done
