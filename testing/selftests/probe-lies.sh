#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# description: a device that lies while it is probed: registers, never or late ready, fatal, gone, garbage in what it says of itself
# vm: --turns -c 4 -d strict,size=64M,queues=4,raw=to:4,raw=crto:0,mdts=0 -d strict,size=64M
# kernels: 6.12
# time: 40
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "$0")/lib.sh"

# given_up DESC REGEX [LINES]: the device cannot be used; the log says why, in LINES lines at most (3); nothing is left
given_up() {
	local desc=$1 re=$2
	log_mark
	echo "$BDF0" >"$DRV/bind" 2>/dev/null || true
	check "$desc: not bound" not_bound
	log_has "$desc: and why" "nvmq $BDF0: .*($re)"
	within "$desc: lines in the log" "$(log_since | grep "nvmq $BDF0" | grep -vc 'probe.*failed with error')" 1 "${3:-3}"
	tell_the_truth
}
not_bound() { ! bound "$BDF0"; }

tell_the_truth() {
	device unlie all
	device now back
}

# served DESC [REGEX]: the device can be used all the same; a line in the log matches
served() {
	local desc=$1
	log_mark
	echo "$BDF0" >"$DRV/bind"
	check "$desc: live" live "$BDF0"
	wait_for "$desc: the disk is there" ready "$BDF0"
	check "$desc: verified" rewritten
	if [ -n "${2:-}" ]; then
		log_has "$desc: the log says so" "nvmq $BDF0: .*($2)"
	fi
	echo "$BDF0" >"$DRV/unbind"
	device unlie all
}
rewritten() {
	random_file "$T_TMP/data" $((1 << 20))
	put "$T_TMP/data" "$(dev "$BDF0")" 0 && same "$T_TMP/data" "$(dev "$BDF0")" 0
}

# no_disk DESC REGEX: the controller lives, its namespace is not served
no_disk() {
	local desc=$1
	log_mark
	echo "$BDF0" >"$DRV/bind"
	check "$desc: live" live "$BDF0"
	is "$desc: no disk" "$(disks "$BDF0")" ""
	log_has "$desc: and why" "nvmq $BDF0: .*($2)"
	echo "$BDF0" >"$DRV/unbind"
	tell_the_truth
}

load admin_timeout=2
echo "$BDF0" >"$DRV/unbind"
served "the truth"

# The driver has left it enabled: EN stays when it shuts a controller down.
lie "when event disable once then rdy stuck"
served "enabled before, disabled by a function level reset only" 'function level reset'

lie "when event enable then rdy stuck"
given_up "never ready" 'ready|RDY'
lie "when event enable then rdy late 1.5s"
served "ready late, in time"
lie "when event enable then rdy late 3s"
given_up "ready too late" 'ready|RDY'
lie "when event enable then cfs"
given_up "fatal as it is enabled" 'fatal|CFS'
lie "when event enable then gone"
given_up "gone as it is enabled" 'gone|removed|answer'
lie "when identify cns 1 then gone"
given_up "gone at Identify" 'gone|removed|answer|Identify'
lie "when identify cns 1 then drop"
given_up "Identify is not answered" 'Identify|time'
lie "when identify cns 1 then status internal dnr"
given_up "Identify fails" 'Identify'
lie "when identify cns 1 then wrong-cid"
given_up "Identify is answered for another command" 'Identify|time'
device now gone
given_up "all ones from the start" 'ones'
lie "when register CSTS read then all-ones"
given_up "only CSTS is all ones" 'ones'

# Registers: 1024 entries, 1 s to become ready, NVM command set.
lie "when register CAP read then value 0"
given_up "CAP is 0" 'CAP|MQES'
lie "when register CAP read then value 0x2002010000"
given_up "MQES of 0" 'MQES'
lie "when register CAP read then value 0x11002002010400"
given_up "MPSMIN of 8 KiB" 'MPSMIN'
lie "when register CAP read then value 0x40020103ff"
given_up "no command set that we know" 'CSS'
lie "when register CAP read then value 0x020103ff"
served "no command set named" 'CSS=0'
lie "when register CAP read then value 0x2f020103ff"
given_up "doorbells so wide that BAR 0 does not reach them" 'doorbells'
lie "when register CSTS read then value 1"
given_up "enabled before, never disabled, nor by a function level reset" 'disabled|RDY' 4
lie "when create-cq nth 2 then drop"
given_up "a queue's creation is not answered" 'time|queue'
lie "when create-sq nth 2 then gone"
given_up "gone as a queue is created" 'gone|removed|answer|queue'

lie "when always then garbage mdts value 255"
served "MDTS of 255"
lie "when always then garbage sqes value 0x55"
given_up "SQES of 55h" 'SQES'
lie "when always then garbage sn"
served "a serial number of garbage"
lie "when always then garbage nn value 0xffffffff"
served "NN of FFFFFFFFh"
lie "when always then garbage rtd3e value 0xffffffff"
served "RTD3E of FFFFFFFFh"
lie "when always then garbage awupf value 0xffff"
served "AWUPF of FFFFh"
lie "when always then garbage npwg value 0x1234"
served "an NPWG that is no power of two"
lie "when always then garbage noiob value 0xffff"
served "NOIOB of FFFFh"
lie "when identify cns 3 then garbage 0..4095"
served "descriptors of garbage"
lie "when identify cns 3 then garbage 0..4095 value 0"
served "no descriptors"

lie "when always then garbage nsze value 0"
no_disk "NSZE of 0" 'size is 0'
lie "when always then garbage nsze value 0xffffffffffffffff"
no_disk "NSZE of all ones" 'blocks are more'
lie "when always then garbage flbas value 0x1f"
no_disk "FLBAS beyond the formats" 'LBA format'
lie "when always then garbage lbaf value 0xff0000"
no_disk "LBADS of 255" 'LBADS=255'
lie "when always then garbage lbaf value 0"
no_disk "LBADS of 0" 'LBADS=0'
served "the truth at last"
check "the other controller does not care" zeroes "$(dev "$BDF1")" 0 65536
