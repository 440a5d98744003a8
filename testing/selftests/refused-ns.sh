#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# description: namespaces that cannot be served (metadata, zoned, blocks above a page, size zero) are refused by name, the others go on
# vm: -c 2 -d size=64M,ns=2,queues=2 --qemu -drive --qemu if=none,id=x,driver=null-co,size=48M --qemu -device --qemu nvme-ns,drive=x,bus=nvme0,nsid=3,ms=8 -- metadata
# vm 6.12: -c 2 -d size=64M,ns=2,queues=2 --qemu -drive --qemu if=none,id=x,driver=null-co,size=48M --qemu -device --qemu nvme-ns,drive=x,bus=nvme0,nsid=3,zoned=on,zoned.zone_size=16M -- zoned
# vm 6.12: -c 2 -d size=64M,ns=2,queues=2 --qemu -drive --qemu if=none,id=x,driver=null-co,size=48M --qemu -device --qemu nvme-ns,drive=x,bus=nvme0,nsid=3,logical_block_size=16384,physical_block_size=16384 -- blocks
# vm: -c 2 -d size=64M,ns=2,queues=2 --qemu -drive --qemu if=none,id=x,driver=null-co,size=2048 --qemu -device --qemu nvme-ns,drive=x,bus=nvme0,nsid=3,logical_block_size=4096,physical_block_size=4096 -- zero
# vm 6.12: -c 2 -d size=64M,queues=2,meta=8 -- only
# kernels: 6.12
# device: qemu
# time: 7
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "$0")/lib.sh"

served() {
	is "no disk of 48 MiB" "$(for d in $(disks); do sectors "$d"; done | grep -cx 98304 || true)" 0
	check "no disk of size zero" test -z "$(for d in $(disks); do sectors "$d"; done | grep -x 0)"
	for n in 1 2; do
		is "namespace $n has its size" "$(bytes "$(disk "$BDF0" "$n")")" $((64 << 20))
		fio_ok "and works" --filename="$(dev "$BDF0" "$n")" --direct=1 --ioengine=libaio --iodepth=8 \
			--rw=randwrite --bs=4k --size=4M --verify=crc32c --do_verify=1
	done
}

log_mark
case $1 in
only)
	# No namespace can be served: a controller without a disk.
	load_module
	check "the controller is live" live "$BDF0"
	log_has "one line names the namespace and the reason" "nvmq $BDF0: .*(namespace |ns)1\b.*(metadata|8)"
	is "one" "$(log_count 'metadata')" 1
	is "no disk" "$(disks | wc -l)" 0
	check "unload" unload
	exit 0
	;;
esac
check "load" load
check "the second is there" ready "$BDF0" 2
case $1 in
metadata) log_has "refused by name" "nvmq $BDF0: .*(namespace |ns)3\b.*metadata" ;;
zoned) log_has "refused by name" "nvmq $BDF0: .*(namespace |ns)3\b.*(zone|command set)" ;;
blocks) log_has "refused by name" "nvmq $BDF0: .*(namespace |ns)3\b.*(16384|2\^14) bytes" ;;
zero) log_has "refused by name" "nvmq $BDF0: .*(namespace |ns)3\b.*(size|zero|capacity|0 blocks|empty)" ;;
esac
is "in one line" "$(log_count '(namespace |ns)3\b')" 1
served
check "the same after a reload" reload
check "the second is there" ready "$BDF0" 2
served
