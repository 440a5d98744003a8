#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# description: bad module parameters one by one: EINVAL, one line that names the value, nothing left, the next load works
# vm: --turns -c 4 -d size=64M,queues=4
# kernels: 6.12
# time: 15
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "$0")/lib.sh"

# The first load of all also logs that the module is from out of tree.
load
unload

for pair in io_timeout=0 io_timeout=3601 io_timeout=99999 io_timeout=abc io_timeout= io_timeout=-1 io_timeout=1.5 \
	    io_timeout=30s admin_timeout=0 admin_timeout=3601 admin_timeout=4294967295 admin_timeout=99999999999999 \
	    admin_timeout=0x; do
	refused "$pair" "nvmq: $pair.*: must be 1 to 3600 seconds" "$pair"
done

# word TEXT WORD: the plan TEXT is refused because of WORD
word() {
	local re=$2 special
	for special in . + '*' '|' '?'; do
		re=${re//"$special"/\\"$special"}
	done
	refused "plan \"$1\"" "nvmq: plan: \"$re\": .+" "plan=$1"
}
for text in default=0 default=65536 default=-1 default= default default=1x default=0x4 default=cpus \
	    default=99999999999999999999 default=4294967297 read=65536 read=-1 read=all poll=65536 poll=x \
	    depth=0 depth=1 depth=4096 depth=cpu depth=4294967298 vectors=0 vectors=2049 vectors=cpu \
	    irq=msi-x irq= irq=1 irq=MSIX placement=auto placement= bogus bogus=1 =1 =; do
	word "$text" "$text"
done
word "default=2 depth=64 read=x" "read=x"
word "default=2,depth=64,,  poll=-1" "poll=-1"
word "default=1 default=2" "default=2"
word "depth=8,irq=intx,depth=8" "depth=8"
word "default=1;read=1 read=1" "read=1"
word "$BDF0 bogus=1" "bogus=1"
word "default=1;$BDF1 depth=1" "depth=1"
word "default=1 $BDF0" "$BDF0"
word "0000:00:10.8 default=1" "0000:00:10.8"
word "0000:00:20.0 default=1" "0000:00:20.0"
word "0000:100:10.0 default=1" "0000:100:10.0"
word "00:10 default=1" "00:10"
word "Default=1" "Default=1"
word "default==1" "default==1"
word "default=1/1" "default=1/1"
word "default=0-2" "default=0-2"
word "default=0-3:4-7" "default=0-3:4-7"
word "$BDF1 poll=rest:0-3" "poll=rest:0-3"
word "default=2-1" "default=2-1"
word "coalesce=8/50" "coalesce=8/50"
word "leave=-1" "leave=-1"
word "default=1|read=1" "default=1|read=1"

# Not every mistake has a word that can be printed as it is.
long=$(printf 'x%.0s' $(seq 700))
refused "a word of 700 letters" 'nvmq: plan: "x+' "plan=$long"
refused "a control character" 'nvmq: plan: "' "plan=$(printf 'default=\0331')"
refused "bytes above ASCII" 'nvmq: plan: "' "plan=$(printf 'd\303\251fault=1')"

# Legal, if odd
for text in "" "  " ",,," "default=1,,  ,read=0" "default=65535" "default=1 ; default=2" "depth=2 vectors=1" \
	    "default=node read=core poll=cpu" \
	    "default=0-1:rest/64 poll=3-99:0-2" "leave=3,coalesce=off,read=1/9" "$BDF0" "${BDF0#0000:},default=1" "placement=free irq=msix"; do
	check "legal: \"$text\"" load "plan=$text"
	check "the disk reads" zeroes "$(dev "$BDF0")" 0 65536
	unload
done
check "io_timeout=1 admin_timeout=3600 is legal" load io_timeout=1 admin_timeout=3600
is "io_timeout" "$(cat /sys/module/nvmq/parameters/io_timeout)" 1
unload
log_mark
check "a parameter that does not exist does not stop the load" load nosuch=1
log_has "and is named" 'nosuch'
check "the disk reads" zeroes "$(dev "$BDF0")" 0 65536
