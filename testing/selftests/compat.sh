#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# description: programs of NVMe users say and do with nvmq what they say and do with the kernel's own driver; makes the table of Documentation/compatibility.rst
# vm: -c 2 -m 1G -d size=512M,queues=2 -d size=64M,ns=2,detached,queues=2
# kernels: 6.12
# device: qemu
# time: 90
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "$0")/lib.sh"
# Commands that it does not know, or not so
# shellcheck disable=SC2034 # lib.sh reads it
T_TRACE_ALLOW='pci_nvme_err_(req_status|invalid_)'

# In the commands: A is the first controller, B the second, whose namespaces are detached; $data is a file of 4 KiB, $leg a
# disk in memory.
# VOLATILE: lines that depend on what was done before, or on the moment. Where a line begins with !, nvmq does something else
# on purpose: it does not let anybody change the number of queues, and says what the device prefers for discards.
#   COMMAND [## VOLATILE]
commands() {
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
		nvme format /dev/An1 -l 0 -f
		nvme device-self-test /dev/A -s 1
		nvme create-ns /dev/B -s 1000 -c 1000 -f 0
		nvme attach-ns /dev/B -n 1 -c 0 && nvme ns-rescan /dev/B && poll_until 20 test -b /dev/Bn1 && blockdev --getsize64 /dev/Bn1
		nvme detach-ns /dev/B -n 1 -c 0 && nvme ns-rescan /dev/B && nvme list-ns /dev/B
		nvme delete-ns /dev/B -n 1
		nvme dir-receive /dev/An1 -D 0 -O 1 -H
		nvme zns id-ctrl /dev/A
		nvme telemetry-log /dev/A -o /dev/null
		nvme reset /dev/A && nvme list-ns /dev/A
		nvme subsystem-reset /dev/A
		nvme ns-rescan /dev/A
		smartctl -a /dev/An1 ## (Time|Data Units|Commands|Busy|Temperature|Power|copyright|^smartctl)
		smartctl -x /dev/A ## (Time|Data Units|Commands|Busy|Temperature|Power|copyright|^smartctl)
		smartctl -i -j /dev/An1 ## (time|asctime|argv|"name"|platform)
		! lsblk -o NAME,SIZE,TYPE,RO,LOG-SEC,PHY-SEC,MIN-IO,OPT-IO,ROTA,SCHED,DISC-GRAN,DISC-MAX,DISC-ZERO,ZONED /dev/An1
		blockdev --getss --getpbsz --getsize64 --getro --getra --getiomin --getalignoff --getdiscardzeroes /dev/An1
		parted -s /dev/An1 mklabel gpt mkpart a 1MiB 200MiB mkpart b 200MiB 400MiB print && ls /dev/An1p?
		mkfs.ext4 -q -U 6e766d71-0000-0000-0000-000000000001 /dev/An1p1 && blkid /dev/An1p1 ## PARTUUID
		mount /dev/An1p1 $dir && cp $data $dir && fstrim -v $dir && cmp $data $dir/data && umount $dir && e2fsck -fn /dev/An1p1 ## (e2fsck|files|fstrim|trimmed)
		mkswap /dev/An1p2 && swapon /dev/An1p2 && grep -c An1p2 /proc/swaps && swapoff /dev/An1p2 ## UUID
		mdadm -C /dev/md9 -R -q -l 1 -n 2 --assume-clean /dev/An1p1 $leg && mdadm -q /dev/md9 -f $leg && cp $data /dev/md9 && cmp -n 4096 $data /dev/md9 && grep -o '\[U_\]' /proc/mdstat; mdadm -q -S /dev/md9 ## (metadata|device|boot|partition|appears|size|Continue|mdadm)
		wipefs -aq /dev/An1p1 /dev/An1p2 /dev/An1 && partprobe /dev/An1; ls /dev/An1p?
		mkfs.xfs -q -f /dev/An1 && mount /dev/An1 $dir && cp $data $dir && cmp $data $dir/data && umount $dir && xfs_repair -n /dev/An1 2>&1 | tail -1
		blkdiscard -f /dev/An1 && blkdiscard -f -z -l 1M /dev/An1 && cmp -n 1048576 /dev/An1 /dev/zero
		fio --name=x --filename=/dev/An1 --ioengine=libaio --direct=1 --rw=randwrite --bs=4k --size=8M --iodepth=32 --verify=crc32c --output=/dev/null
		fio --name=x --filename=/dev/An1 --ioengine=io_uring --direct=1 --rw=randwrite --bs=4k --size=8M --iodepth=32 --verify=crc32c --output=/dev/null
		fio --name=x --filename=/dev/ngAn1 --ioengine=io_uring_cmd --cmd_type=nvme --rw=randwrite --bs=4k --size=8M --iodepth=32 --verify=crc32c --output=/dev/null
	ROWS
}

# name BDF: nvmeX, with either driver
name() { basename "$(ls -d "/sys/bus/pci/devices/$1/nvme/nvme"*)"; }

# survey DRIVER: N.out and N.status for each command. Which of two controllers comes first is chance: lines are sorted.
survey() {
	local out=$T_TMP/$1 a b i=0 command volatile
	mkdir -p "$out"
	a=$(name "$BDF0") b=$(name "$BDF1")
	while IFS= read -r command; do
		volatile=""
		case $command in *' ## '*) volatile=${command#* ## } command=${command% ## *} ;; esac
		command=$(sed -E "s/^! //; s,/dev/(ng)?A,/dev/\1@,g; s,/dev/ng@,/dev/ng${a#nvme},g; s,/dev/@,/dev/$a,g; s,/dev/B,/dev/$b,g; s,An1p2,${a}n1p2,g" <<<"$command")
		printf '0' >"$out/$i.status"
		(eval "$command") >"$out/$i.said" 2>&1 </dev/null || printf '%s' "$?" >"$out/$i.status"
		sed -E "s/\b$a/A/g; s/\bng${a#nvme}n/ngAn/g; s/\b$b/B/g; s/\bng${b#nvme}n/ngBn/g; s/subsys[0-9]+/subsysN/g" "$out/$i.said" |
			tr -d '\0' | grep -a -v -E "${volatile:-^never$}" | sort >"$out/$i.out" || true
		i=$((i + 1))
	done < <(commands)
}

data=$T_TMP/data dir=$T_TMP/mnt
mkdir "$dir"
# shellcheck disable=SC2034 # the commands use it
random_file "$data" 4096
modprobe -a raid1 loop
truncate -s 200M "$T_TMP/leg"
# shellcheck disable=SC2034 # likewise
leg=$(losetup -f --show "$T_TMP/leg")
modprobe nvme
wait_for "the kernel's driver: the disk is there" test -b "/dev/$(name "$BDF0")n1"
survey nvme
modprobe -r nvme
modprobe -r nvme-core 2>/dev/null || true
load_module
check "nvmq: the disk is there" ready "$BDF0"
survey nvmq

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
i=0
while IFS= read -r command; do
	on_purpose=""
	case $command in '! '*) on_purpose=1 command=${command#! } ;; esac
	command=${command% ## *}
	theirs=$(<"$T_TMP/nvme/$i.status") ours=$(<"$T_TMP/nvmq/$i.status") output=same
	cmp -s "$T_TMP/nvme/$i.out" "$T_TMP/nvmq/$i.out" || output=differs
	if [ -z "$on_purpose" ]; then
		is "$command: status" "$ours" "$theirs"
		is "$command: output" "$(head -c 4096 "$T_TMP/nvmq/$i.out")" "$(head -c 4096 "$T_TMP/nvme/$i.out")"
	fi
	# shellcheck disable=SC2016 # backticks of reStructuredText
	printf '   * - ``%s``\n     - %s\n     - %s\n     - %s\n' "${command//\\/\\\\}" "$(word "$theirs")" "$(word "$ours")" \
		"$output${on_purpose:+ (on purpose)}" >>"$table"
	i=$((i + 1))
done < <(commands)
