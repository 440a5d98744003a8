#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# description: namespaces that cannot be served (metadata, zoned, blocks above a page, size zero) are refused by name, the others go on; on both devices
# vm: --turns -c 2 -d size=64M,ns=2,queues=2 --qemu -drive --qemu if=none,id=x,driver=null-co,size=48M --qemu -device --qemu nvme-ns,drive=x,bus=nvme0,nsid=3,ms=8 -- metadata
# vm 6.12: --turns -c 2 -d size=64M,ns=2,queues=2 --qemu -drive --qemu if=none,id=x,driver=null-co,size=48M --qemu -device --qemu nvme-ns,drive=x,bus=nvme0,nsid=3,zoned=on,zoned.zone_size=16M -- zoned
# vm 6.12: --turns -c 2 -d size=64M,queues=2,meta=8 -- only
# vm: --turns -c 2 -d strict,size=64M,queues=2,meta=8 -- only
# vm: --turns -c 2 -d strict,size=64M,ns=3,queues=2 -- lies
# kernels: 6.12
# device: qemu
# time: 10
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "$0")/lib.sh"

served() {
	is "no disk of 48 MiB" "$(for d in $(disks); do sectors "$d"; done | grep -cx 98304 || true)" 0
	check "no disk of size zero" test -z "$(for d in $(disks); do sectors "$d"; done | grep -x 0)"
	others_served
}
others_served() {
	for n in 1 2; do
		is "namespace $n has its size" "$(bytes "$(disk "$BDF0" "$n")")" $((64 << 20))
		fio_ok "and works" --filename="$(dev "$BDF0" "$n")" --direct=1 --ioengine=libaio --iodepth=8 \
			--rw=randwrite --bs=4k --size=4M --verify=crc32c --do_verify=1
	done
}

# lie_served DESC REGEX: as the device lies, its third namespace has no disk
lie_served() {
	log_mark
	check "$1: load" load
	check "$1: the second is there" ready "$BDF0" 2
	log_has "$1: refused by name" "nvmq $BDF0: namespace 3: .*($2)"
	is "$1: in one line" "$(log_count 'namespace 3\b')" 1
	check_fails "$1: no disk" disk "$BDF0" 3
	others_served
	check "$1: unload" unload
}

log_mark
case $1 in
only)
	# No namespace can be served: a controller without a disk.
	load_module
	check "the controller is live" live "$BDF0"
	log_has "one line names the namespace and the reason" "nvmq $BDF0: .*(namespace |ns)1\b.*(metadata|8)"
	is "one" "$(log_count 'nvmq.*metadata')" 1
	is "no disk" "$(disks | wc -l)" 0
	check "unload" unload
	exit 0
	;;
lies)
	# The third namespace of the strict device is said to be one after the other.
	while IFS='|' read -r what lie re; do
		lie "when $lie"
		lie_served "$what" "$re"
		device unlie all
	done <<-'CASES'
		metadata|identify cns 0 nsid 3 then garbage lbaf0 value 0x90008|8 bytes of metadata
		protection information|identify cns 0 nsid 3 then garbage dps value 1|metadata
		zoned|identify cns 3 nsid 3 then garbage 0..4 value 0x200000104|0x02 \(zoned\)
		key value|identify cns 3 nsid 3 then garbage 0..4 value 0x100000104|0x01 \(key value\)
		blocks of 16 KiB|identify cns 0 nsid 3 then garbage lbaf0 value 0xe0000|16384 bytes
		blocks of 256 bytes|identify cns 0 nsid 3 then garbage lbaf0 value 0x80000|256 bytes
		size zero|identify cns 0 nsid 3 then garbage nsze value 0|size is 0 blocks
		capacity zero|identify cns 0 nsid 3 then garbage ncap value 0|capacity 0
	CASES
	check "the truth: load" load
	check "the truth: the third is there" ready "$BDF0" 3
	is "the judge has no complaint" "$(device_stat violations)" 0
	exit 0
	;;
esac
check "load" load
check "the second is there" ready "$BDF0" 2
case $1 in
metadata) log_has "refused by name" "nvmq $BDF0: .*(namespace |ns)3\b.*metadata" ;;
zoned) log_has "refused by name" "nvmq $BDF0: .*(namespace |ns)3\b.*(zone|command set)" ;;
esac
is "in one line" "$(log_count '(namespace |ns)3\b')" 1
served
check "the same after a reload" reload
check "the second is there" ready "$BDF0" 2
served
