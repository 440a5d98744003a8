#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# description: programs of NVMe users say and do with nvmq what they say and do with the kernel's own driver; makes the table of Documentation/compatibility.rst
# vm: --turns -c 2 -m 1G -d size=512M,queues=3 -d size=64M,ns=2,detached,queues=3 -d size=64M,queues=3 -d size=256M,zoned,queues=3 -d strict,size=64M,queues=3,raw=reservations:1
# kernels: 6.12
# device: qemu
# time: 150
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "$0")/lib.sh"
# Commands that it does not know, or not so
# shellcheck disable=SC2034 # lib.sh reads it
T_TRACE_ALLOW='pci_nvme_err_(req_status|invalid_)'
! built_here || skip_all "this kernel has no dm-crypt, btrfs or nvmet"

# In the commands: A is the first controller, B the second, whose namespaces are detached; $data is a file of 4 KiB.
# VOLATILE: lines that depend on what was done before, or on the moment. Where a line begins with !, nvmq does something else
# on purpose: it does not let anybody change the number of queues, says what the device prefers for discards, and has no disk
# for a namespace with zones.
#   COMMAND [## VOLATILE]
alone() {
	cat <<-'ROWS'
		nvme list -o json
		nvme list -v
		nvme list-subsys
		nvme id-ctrl /dev/A -H
		nvme id-ctrl /dev/A -o json
		nvme id-ns /dev/An1 -H
		nvme id-ns /dev/ngAn1 -o json
		nvme list-ns /dev/A
		nvme list-ns /dev/B --all
		nvme list-ctrl /dev/A
		nvme ns-descs /dev/An1
		nvme get-ns-id /dev/An1
		nvme smart-log /dev/A ## (read|write|busy|Data|power|temperature)
		nvme error-log /dev/A
		nvme fw-log /dev/A
		nvme effects-log /dev/A -H
		nvme self-test-log /dev/A
		nvme sanitize-log /dev/A
		nvme get-log /dev/A -i 3 -l 512
		for f in 1 2 4 5 6 7 10; do nvme get-feature /dev/A -f $f -H; done
		nvme set-feature /dev/A -f 4 -v 0x150 && nvme get-feature /dev/A -f 4 && nvme set-feature /dev/A -f 4 -v 0x157
		! nvme set-feature /dev/A -f 7 -v 0x10001
		nvme get-property /dev/A -o 0x14
		nvme show-regs /dev/A ## .
		nvme write /dev/An1 -s 8 -c 7 -z 4096 -d $data
		nvme read /dev/An1 -s 8 -c 7 -z 4096 | cmp - $data
		nvme write /dev/An1 -z 2048 -s 128 -c 3 -T 2 -S 3 -d $data
		nvme compare /dev/An1 -s 8 -c 7 -z 4096 -d $data
		nvme compare /dev/An1 -s 16 -c 7 -z 4096 -d $data
		nvme verify /dev/An1 -s 8 -c 7
		nvme write-zeroes /dev/An1 -s 8 -c 7; nvme read /dev/An1 -s 8 -c 7 -z 4096 | cmp - <(head -c 4096 /dev/zero)
		nvme write-uncor /dev/An1 -s 8 -c 7
		nvme dsm /dev/An1 -d -s 8 -b 8
		nvme flush /dev/An1
		nvme flush /dev/A -n 1
		nvme io-passthru /dev/An1 -n 1 -o 2 -l 512 -r --cdw10=128 -b | cmp -n 512 - $data
		nvme admin-passthru /dev/A -o 6 -l 4096 -r --cdw10=1 -b | head -c 256 | md5sum
		nvme resv-report /dev/An1
		nvme resv-register /dev/An1 -k 1
		nvme resv-acquire /dev/An1 -c 1 -t 1 -a 0
		nvme resv-release /dev/An1 -c 1 -t 1 -a 0
		nvme format /dev/An1 -l 0 -f
		nvme device-self-test /dev/A -s 1
		nvme create-ns /dev/B -s 1000 -c 1000 -f 0
		nvme attach-ns /dev/B -n 1 -c 0 && nvme ns-rescan /dev/B && poll_until 20 test -b /dev/Bn1 && blockdev --getsize64 /dev/Bn1
		nvme detach-ns /dev/B -n 1 -c 0 && nvme ns-rescan /dev/B && nvme list-ns /dev/B
		nvme delete-ns /dev/B -n 1
		nvme dir-receive /dev/An1 -D 0 -O 1 -H
		nvme security-recv /dev/A -p 0 -t 512 -x 512
		nvme zns list
		nvme zns id-ctrl /dev/A
		nvme zns id-ns /dev/An1
		nvme zns report-zones /dev/An1
		nvme telemetry-log /dev/A -o /dev/null
		nvme reset /dev/A && nvme list-ns /dev/A
		nvme subsystem-reset /dev/A
		nvme ns-rescan /dev/A
		smartctl -a /dev/An1 ## (Time|Data Units|Commands|Busy|Temperature|Power|copyright|^smartctl)
		smartctl -x /dev/A ## (Time|Data Units|Commands|Busy|Temperature|Power|copyright|^smartctl)
		smartctl -i -j /dev/An1 ## (time|asctime|argv|"name"|platform)
		! lsblk -o NAME,SIZE,TYPE,RO,LOG-SEC,PHY-SEC,MIN-IO,OPT-IO,ROTA,SCHED,DISC-GRAN,DISC-MAX,DISC-ZERO,ZONED /dev/An1
		hdparm -g -r /dev/An1
		hdparm -i /dev/An1
		blockdev --getss --getpbsz --getsize64 --getro --getra --getiomin --getalignoff --getdiscardzeroes /dev/An1
		parted -s /dev/An1 mklabel gpt mkpart a 1MiB 200MiB mkpart b 200MiB 400MiB print && ls /dev/An1p?
		mkfs.ext4 -q -U 6e766d71-0000-0000-0000-000000000001 /dev/An1p1 && blkid /dev/An1p1 ## PARTUUID
		mount /dev/An1p1 $dir && cp $data $dir && fstrim -v $dir && cmp $data $dir/data && umount $dir && e2fsck -fn /dev/An1p1 ## (e2fsck|files|fstrim|trimmed)
		mkswap /dev/An1p2 && swapon /dev/An1p2 && grep -c An1p2 /proc/swaps && swapoff /dev/An1p2 ## UUID
		pvcreate -q -y /dev/An1p1 && vgcreate -q nvmq /dev/An1p1 && lvcreate -q -n a -L 64M nvmq && cp $data /dev/nvmq/a && cmp -n 4096 $data /dev/nvmq/a && pvs --noheadings -o pv_name,vg_name,pv_size,pv_free && vgremove -q -f nvmq ## (leaked|Wiping)
		cryptsetup -q luksFormat --pbkdf pbkdf2 --pbkdf-force-iterations 1000 /dev/An1p2 $data && cryptsetup open -d $data /dev/An1p2 secret && cp $data /dev/mapper/secret && cmp -n 4096 $data /dev/mapper/secret && cryptsetup close secret && cryptsetup isLuks /dev/An1p2
		wipefs -aq /dev/An1p1 /dev/An1p2 /dev/An1 && partprobe /dev/An1; ls /dev/An1p?
		mkfs.xfs -q -f /dev/An1 && mount /dev/An1 $dir && cp $data $dir && cmp $data $dir/data && umount $dir && xfs_repair -n /dev/An1 2>&1 | tail -1
		mkfs.btrfs -q -f /dev/An1 && mount /dev/An1 $dir && cp $data $dir && sync && cmp $data $dir/data && fstrim $dir && umount $dir && btrfs check /dev/An1 2>&1 | tail -1 ## file data blocks
		blkdiscard -f /dev/An1 && blkdiscard -f -z -l 1M /dev/An1 && cmp -n 1048576 /dev/An1 /dev/zero
		fio --filename=/dev/An1 --rw=randwrite --bs=4k --size=1M --verify=crc32c --thread --output=/dev/null $(for e in sync psync vsync pvsync pvsync2 posixaio; do echo --name=$e --stonewall --ioengine=$e; done)
		fio --name=x --filename=/dev/An1 --ioengine=libaio --direct=1 --rw=randwrite --bs=4k --size=8M --iodepth=32 --verify=crc32c --output=/dev/null
		fio --name=x --filename=/dev/An1 --ioengine=io_uring --direct=1 --rw=randwrite --bs=4k --size=8M --iodepth=32 --verify=crc32c --output=/dev/null
		fio --name=x --filename=/dev/ngAn1 --ioengine=io_uring_cmd --cmd_type=nvme --rw=randwrite --bs=4k --size=8M --iodepth=32 --verify=crc32c --output=/dev/null
		fio --name=x --filename=/dev/An1 --ioengine=io_uring --hipri=1 --direct=1 --rw=randwrite --bs=4k --size=4M --iodepth=8 --verify=crc32c --output=/dev/null
		fio --name=x --filename=/dev/ngAn1 --ioengine=io_uring_cmd --cmd_type=nvme --hipri=1 --rw=randwrite --bs=4k --size=4M --iodepth=8 --verify=crc32c --output=/dev/null
	ROWS
}

# What is done where the kernel's nvme_core is loaded. C is a third controller, $slot the folder of its PCI device; the
# namespace of Z, the fourth, has zones; R, the fifth, has reservations. remote is a command of this file; it prints the disk
# that has come across the network.
beside() {
	cat <<-'ROWS'
		mdadm -C /dev/md9 -R -q -l 1 -n 2 --assume-clean /dev/An1 /dev/Cn1 && echo 1 >$slot/remove && dd if=$data of=/dev/md9 conv=fsync status=none && cmp -n 4096 $data /dev/md9 && grep -o '\[U_\]' /proc/mdstat; mdadm -q -S /dev/md9; echo 1 >/sys/bus/pci/rescan ## (metadata|device|boot|partition|appears|size|Continue|mdadm)
		nvme zns id-ctrl /dev/Z
		nvme zns id-ns /dev/Z -n 1
		! nvme zns report-zones /dev/Zn1
		nvme resv-register /dev/Rn1 -n 1 --nrkey=17 --rrega=0
		nvme resv-acquire /dev/Rn1 -n 1 --crkey=17 --rtype=3 --racqa=0
		nvme resv-report /dev/Rn1 -n 1 --eds -o json ## "gen"
		nvme resv-acquire /dev/Rn1 -n 1 --crkey=18 --rtype=3 --racqa=0
		nvme resv-release /dev/Rn1 -n 1 --crkey=17 --rtype=3 --rrela=0
		nvme resv-register /dev/Rn1 -n 1 --crkey=17 --rrega=1
		nvme resv-report /dev/Rn1 -n 1 --eds -o json ## "gen"
		nvmet_export /dev/An1 && nvme connect -t tcp -a 127.0.0.1 -s 4420 -n nvmq-test && d=$(remote) && dd if=$data of=$d bs=4k seek=3 oflag=direct status=none && cmp -n 4096 $data <(dd if=/dev/An1 bs=4k skip=3 count=1 iflag=direct status=none) && blockdev --getsize64 $d && nvme disconnect -n nvmq-test
	ROWS
}

# name BDF: nvmeX, with either driver
name() { basename "$(ls -d "/sys/bus/pci/devices/$1/nvme/nvme"*)"; }

UUID=6e766d71-0000-0000-0000-00000000000e

# nvmet_export DISK: as the namespace of subsystem nvmq-test, across TCP on this machine
nvmet_export() {
	local nvmet=/sys/kernel/config/nvmet sub=/sys/kernel/config/nvmet/subsystems/nvmq-test
	ip link set lo up
	mkdir -p "$sub/namespaces/1" "$nvmet/ports/1"
	echo 1 >"$sub/attr_allow_any_host"
	echo "$1" >"$sub/namespaces/1/device_path"
	echo "$UUID" >"$sub/namespaces/1/device_uuid"
	echo 1 >"$sub/namespaces/1/enable"
	echo tcp >"$nvmet/ports/1/addr_trtype"
	echo ipv4 >"$nvmet/ports/1/addr_adrfam"
	echo 127.0.0.1 >"$nvmet/ports/1/addr_traddr"
	echo 4420 >"$nvmet/ports/1/addr_trsvcid"
	ln -s "$sub" "$nvmet/ports/1/subsystems/"
}
nvmet_end() {
	local nvmet=/sys/kernel/config/nvmet
	rm -f "$nvmet/ports/1/subsystems/nvmq-test"
	rmdir "$nvmet/subsystems/nvmq-test/namespaces/1" "$nvmet/subsystems/nvmq-test" "$nvmet/ports/1"
}
# remote: the disk of that namespace, when it is there
remote() {
	local file node
	poll_until 20 remote_there || return 1
	grep -ls "$UUID" /sys/block/nvme*/uuid | while IFS= read -r file; do
		node=/dev/$(basename "$(dirname "$file")")
		[ ! -b "$node" ] || echo "$node"
	done
}
remote_there() { grep -qs "$UUID" /sys/block/nvme*/uuid; }

# survey DRIVER LIST: LIST.N.out and LIST.N.status for each command. Which of the controllers comes first is chance: lines are
# sorted.
survey() {
	local out=$T_TMP/$1 i=0 began command volatile letter known name
	local -A names=()
	mkdir -p "$out"
	for letter in A B C Z R; do
		[ ! -d "/sys/bus/pci/devices/${bdfs[$letter]}/nvme" ] || names[$letter]=$(name "${bdfs[$letter]}")
	done
	while IFS= read -r command; do
		volatile=""
		case $command in *' ## '*) volatile=${command#* ## } command=${command% ## *} ;; esac
		command=${command#! } known=""
		for letter in "${!names[@]}"; do
			name=${names[$letter]}
			command=$(sed -E "s,/dev/$letter,/dev/$name,g; s,/dev/ng$letter,/dev/ng${name#nvme},g; s,\b${letter}n1,${name}n1,g" <<<"$command")
			known+="s/\b$name/$letter/g; s/\bng${name#nvme}n/ng${letter}n/g; "
		done
		began=$SECONDS
		printf '0' >"$out/$2.$i.status"
		(eval "$command") >"$out/$2.$i.said" 2>&1 </dev/null || printf '%s' "$?" >"$out/$2.$i.status"
		sed -E "$known s/subsys[0-9]+/subsysN/g" "$out/$2.$i.said" |
			tr -d '\0' | grep -a -v -E "${volatile:-^never$}" | sort >"$out/$2.$i.out" || true
		[ $((SECONDS - began)) -lt 3 ] || note "$1: $((SECONDS - began)) s: $command"
		i=$((i + 1))
	done < <("$2")
}

declare -A bdfs=([A]=$BDF0 [B]=$BDF1 [C]=0000:00:12.0 [Z]=0000:00:13.0 [R]=0000:00:14.0)
# shellcheck disable=SC2034 # a command uses it
slot=/sys/bus/pci/devices/${bdfs[C]}
data=$T_TMP/data dir=$T_TMP/mnt
mkdir "$dir"
# shellcheck disable=SC2034 # the commands use it
random_file "$data" 4096
modprobe -a raid1 dm_mod dm_crypt btrfs configfs
# Nobody makes nodes here but LVM itself.
echo 'activation { udev_sync = 0 udev_rules = 0 }' >/etc/lvm/lvmlocal.conf
mountpoint -q /sys/kernel/config || mount -t configfs none /sys/kernel/config

# there LETTER: its disk is
there() { test -b "/dev/$(name "${bdfs[$1]}")n1"; }
# others_off: all but A and B are taken away, until the bus is looked at again
others_off() {
	local letter
	for letter in C Z R; do echo 1 >"/sys/bus/pci/devices/${bdfs[$letter]}/remove"; done
}
others_off
modprobe nvme poll_queues=1
wait_for "the kernel's driver: the disk is there" there A
survey nvme alone
echo 1 >/sys/bus/pci/rescan
wait_for "the kernel's driver: the third disk is there" there C
modprobe -a nvme-tcp nvmet-tcp
survey nvme beside
nvmet_end
others_off
modprobe -r nvmet-tcp nvme-tcp nvme
modprobe -r nvmet nvme-core 2>/dev/null || true
check "nvme_core is gone" test ! -d /sys/module/nvme_core
load_module "plan=default=2 poll=1"
check "nvmq: the disk is there" ready "$BDF0"
survey nvmq alone
unload
echo 1 >/sys/bus/pci/rescan
modprobe -a nvme-tcp nvmet-tcp
load_module "plan=default=2 poll=1"
check "nvmq: the disk is there, beside nvme_core" ready "$BDF0"
check "nvmq: the third disk is there" ready "${bdfs[C]}"
survey nvmq beside
nvmet_end

table=/out/compat-table.rst
{
	echo ".. Made by testing/selftests/compat.sh."
	echo
	echo ".. list-table::"
	echo "   :header-rows: 1"
	echo "   :widths: 64 12 12 12"
	echo
	printf '   * - %s\n     - %s\n     - %s\n     - %s\n' Command "in-tree" nvmq Output
} >"$table"
word() { if [ "$1" = 0 ]; then echo ok; else echo "exit $1"; fi; }
for list in alone beside; do
	i=0
	while IFS= read -r command; do
		on_purpose=""
		case $command in '! '*) on_purpose=1 command=${command#! } ;; esac
		command=${command% ## *}
		theirs=$T_TMP/nvme/$list.$i ours=$T_TMP/nvmq/$list.$i output=same
		cmp -s "$theirs.out" "$ours.out" || output=differs
		if [ -z "$on_purpose" ]; then
			is "$command: status" "$(<"$ours.status")" "$(<"$theirs.status")"
			is "$command: output" "$(head -c 4096 "$ours.out")" "$(head -c 4096 "$theirs.out")"
		fi
		# shellcheck disable=SC2016 # backticks of reStructuredText
		printf '   * - ``%s``\n     - %s\n     - %s\n     - %s\n' "${command//\\/\\\\}" "$(word "$(<"$theirs.status")")" \
			"$(word "$(<"$ours.status")")" "$output${on_purpose:+ (on purpose)}" >>"$table"
		i=$((i + 1))
	done < <("$list")
done
