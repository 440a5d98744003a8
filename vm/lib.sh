# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
#
# What vm/setup, vm/build and vm/run share: the cache, the kernels, the root image.
#
# Everything that is fetched or generated lives in the cache folder, outside the working tree, under a name that holds a
# hash of whatever it was made from. An entry is made under a temporary name and renamed when complete, so that an
# interrupted run leaves nothing half-made behind, and under a lock, so that two runs do not make it twice.

set -euo pipefail
shopt -s inherit_errexit

# An ordinary user's PATH on Debian lacks these, and depmod, modprobe and mkfs.ext4 live there.
PATH=$PATH:/usr/sbin:/sbin
export LC_ALL=C.UTF-8

NVMQ_TOP=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
NVMQ_CACHE=${XDG_CACHE_HOME:-$HOME/.cache}/nvmq
NVMQ_KERNELS=(6.1 6.12 7.2 debug kcsan coverage)

# The modules that the small initramfs needs, to reach the root image and the shares. What a kernel has built in, or does
# not have any more, does no harm here. ext4 needs a crc32c, which busybox's modprobe does not see.
DISK_MODULES=(crc32c_generic virtio_pci virtio_blk ext4 overlay)
SHARE_MODULES=(virtio_console 9pnet_virtio 9p)

# The guest's programs. Changing this list makes a new root image.
ROOT_PACKAGES=(
	bc btrfs-progs busybox-static cryptsetup-bin dosfstools e2fsprogs fio gawk hdparm iproute2 jq kmod lsof lvm2 mdadm nvme-cli parted
	pciutils procps psmisc python3 smartmontools trace-cmd udev util-linux util-linux-extra xfsprogs
)

# A mirror that stopped being updated still serves good packages: signatures are checked, their age is not.
APT_OPTIONS=(--aptopt='Acquire::Check-Valid-Until "false"' --aptopt='Acquire::Check-Date "false"'
	--aptopt='Acquire::Languages "none"')
# Nothing made here needs to survive a power cut half-done, so dpkg need not wait for the disk.
DPKG_OPTIONS=(--dpkgopt=force-unsafe-io --dpkgopt='path-exclude=/usr/share/doc/*' --dpkgopt='path-exclude=/usr/share/man/*'
	--dpkgopt='path-exclude=/usr/share/info/*' --dpkgopt='path-exclude=/usr/share/locale/*')

say() { printf 'vm: %s\n' "$*" >&2; }

# die STATUS TEXT: 126 is a wrong option or a missing piece, 125 a guest that failed.
die()
{
	local status=$1
	shift
	printf 'vm: %s\n' "$*" >&2
	exit "$status"
}

hash_of() { sha256sum | cut -c1-12; }

# quietly COMMAND...: its output is shown only when it fails.
quietly()
{
	local log status=0
	log=$(mktemp "${TMPDIR:-/tmp}/nvmq-log.XXXXXX")
	"$@" >"$log" 2>&1 || status=$?
	if ((status)); then
		printf 'vm: failed with status %d: %s\n' "$status" "$*" >&2
		tail -n 30 "$log" >&2
	fi
	rm -f "$log"
	return "$status"
}

# cached NAME WHAT FUNCTION [ARG...]: the path of the cache entry NAME. If it is not there, says WHAT is being made and
# calls FUNCTION with the temporary path to fill and the arguments. FUNCTION's standard output is not the caller's.
cached()
{
	local name=$1 what=$2 function=$3 path=$NVMQ_CACHE/$1 lock
	shift 3
	if [[ ! -e $path ]]; then
		mkdir -p "$NVMQ_CACHE"
		exec {lock}>"$NVMQ_CACHE/.lock-${name%%-*}"
		flock "$lock"
		if [[ ! -e $path ]]; then
			say "$what"
			# What an interrupted run left; nobody else can be in here.
			remove "$path".tmp
			"$function" "$path.tmp" "$@" >&2 {lock}>&-
			mv -T "$path.tmp" "$path"
		fi
		exec {lock}>&-
	fi
	printf '%s\n' "$path"
}

# A root's tree can hold folders that their owner may not write.
remove()
{
	[[ ! -d $1 ]] || chmod -R u+rwX "$1"
	rm -rf "$1"
}

# guest_tools: builds the nvmq command, static, as the selftests have it: it runs here and in the guest.
# shellcheck disable=SC2034 # the scripts use it
GUEST_TOOLS=.build/selftests/tools
guest_tools() { env -u MAKEFLAGS -u MAKEOVERRIDES make -s -C "$NVMQ_TOP/testing/selftests" commands; }

check_kernel_name()
{
	local k
	for k in "${NVMQ_KERNELS[@]}"; do
		[[ $1 != "$k" ]] || return 0
	done
	die 126 "kernel \"$1\": must be one of ${NVMQ_KERNELS[*]}"
}

# headers_package K: Debian's package that follows that kernel's updates.
headers_package()
{
	case $1 in
	6.1) echo linux-headers-amd64 ;;
	6.12) echo linux-headers-6.12-amd64 ;;
	esac
}

# kernel_release K: the full release (uname -r) of what K stands for here. For 6.1 and 6.12 the host's headers decide
# it, because a module loads only into the release it was built for.
kernel_release()
{
	local package depends
	case $1 in
	7.2)
		package=$(sid_kernel_root)
		basename "$package"/kernel/lib/modules/*
		;;
	debug | kcsan | coverage)
		package=$(debug_kernel "$1")
		basename "$package"/lib/modules/*
		;;
	*)
		package=$(headers_package "$1")
		depends=$(dpkg-query -W -f='${Depends}' "$package" 2>/dev/null || true)
		if [[ ! $depends =~ linux-headers-($1[.0-9]*[^ ,]*) ]]; then
			die 126 "package $package for kernel $1 is not installed: run vm/setup"
		fi
		echo "${BASH_REMATCH[1]}"
		;;
	esac
}

# kernel_tree K: a folder that holds vmlinuz and lib/modules/RELEASE of kernel K.
kernel_tree()
{
	local release
	case $1 in
	7.2)
		release=$(sid_kernel_root)
		echo "$release/kernel"
		return
		;;
	debug | kcsan | coverage)
		debug_kernel "$1"
		return
		;;
	esac
	release=$(kernel_release "$1")
	cached "kernel-$release" "fetching and unpacking linux-image-$release" make_kernel_tree "$release"
}

make_kernel_tree()
{
	local dir=$1 release=$2
	mkdir -p "$dir"
	(
		cd "$dir"
		# apt would run the download as user _apt, which may not write here, and say so at length.
		quietly apt-get -q -o APT::Sandbox::User=root download "linux-image-$release" ||
			die 126 "linux-image-$release: no longer on the mirror? Try: apt-get update; vm/setup --upgrade"
		dpkg -x linux-image-*.deb .
		rm linux-image-*.deb
		mv "boot/vmlinuz-$release" vmlinuz
		mv "boot/System.map-$release" "boot/config-$release" . 2>/dev/null || true
		rm -rf boot usr
		depmod -b . "$release"
	)
}

# kernel_headers K: the folder that modules for kernel K are built with.
kernel_headers()
{
	local path
	case $1 in
	debug | kcsan | coverage)
		path=$(debug_kernel "$1")
		echo "$path/build"
		;;
	*)
		path=$(kernel_release "$1")
		echo "/usr/src/linux-headers-$path"
		;;
	esac
}

# kernel_to_boot K TREE: the kernel, of its kernel_tree, as QEMU can start it at once (PVH): to unpack itself takes an
# emulated CPU more than a second.
kernel_to_boot()
{
	case $1 in
	debug | kcsan | coverage) echo "$2/vmlinux" ;;
	*) cached "vmlinux-$(echo "$2" | hash_of)" "unpacking the kernel $1" unpack_kernel "$2/vmlinuz" ;;
	esac
}

# The boot protocol (Documentation/arch/x86/boot.rst) says where in the file the compressed kernel is. It ends in four bytes
# that are its size unpacked.
unpack_kernel()
{
	local sectors start length unpack
	sectors=$(od -An -tu1 -j $((0x1f1)) -N 1 "$2")
	read -r start length < <(od -An -tu4 -j $((0x248)) -N 8 "$2")
	start=$(((sectors + 1) * 512 + start))
	case $(od -An -tx1 -j "$start" -N 4 "$2" | tr -d ' ') in
	28b52ffd) unpack=zstd ;;
	fd377a58) unpack=xz ;;
	*) die 126 "$2: how it is compressed is not known" ;;
	esac
	dd if="$2" bs=1M iflag=skip_bytes,count_bytes,fullblock skip="$start" count=$((length - 4)) status=none |
		"$unpack" -dc >"$1" || die 126 "$2: cannot be unpacked"
	[[ $(head -c 4 "$1") == $'\x7fELF' ]] || die 126 "$2: what is in it is no ELF file"
}

KERNEL_SOURCE=/usr/src/linux-source-6.12.tar.xz

# debug_kernel debug|kcsan|coverage: the folder of that kernel, built here from Debian's source: vmlinuz, the same as
# vmlinux, lib/modules/RELEASE, and in build/ what modules are built with.
debug_kernel()
{
	local k=$1 key fragments version
	fragments=("$NVMQ_TOP"/vm/debug-kernel/{base,faults,"$k"}.config)
	[[ $k == coverage ]] || fragments+=("$NVMQ_TOP/vm/debug-kernel/checks.config")
	version=$(dpkg-query -W -f='${Version}' linux-source-6.12 2>/dev/null || true)
	[[ -n $version && -f $KERNEL_SOURCE ]] || die 126 "package linux-source-6.12 is not installed: run vm/setup kernel"
	key=$({ echo "$version"; gcc -dumpversion; cat "${fragments[@]}"; declare -f make_debug_kernel check_config; } | hash_of)
	cached "debugkernel-$k-$key" "building the kernel \"$k\" from linux-source-6.12: 15 CPU minutes, once" \
		make_debug_kernel "${fragments[@]}"
}

make_debug_kernel()
{
	local dir=$1 make
	shift
	mkdir -p "$dir/build"
	tar -xJf "$KERNEL_SOURCE" -C "$dir/build" --strip-components=1
	(
		cd "$dir/build"
		cat "$@" >wanted
		# What `make check T=... K=...` was given is not meant for this one.
		make=(env -u MAKEFLAGS -u MAKEOVERRIDES -u MFLAGS -u K -u T -u J nice -n 5 make -j "$(nproc)")
		# Says no to all that is not named.
		quietly "${make[@]}" KCONFIG_ALLCONFIG=wanted allnoconfig
		check_config wanted .config || die 126 "the configuration of the debug kernel is not what was asked for"
		quietly "${make[@]}" bzImage modules
		quietly "${make[@]}" INSTALL_MOD_PATH=.. INSTALL_MOD_STRIP=1 modules_install
		rm -f ../lib/modules/*/{build,source}
		cp arch/x86/boot/bzImage ../vmlinuz
		strip -s -o ../vmlinux vmlinux
		cp .config ../config
		prune_kernel
	)
}

# prune_kernel: leaves of a kernel's tree in the working directory what modules are built with; the rest is 2 GB
prune_kernel()
{
	find . -type f ! -path './scripts/*' ! -path './include/*' ! -path './arch/x86/include/*' ! -path ./tools/objtool/objtool \
		! -name 'Makefile*' ! -name 'Kbuild*' ! -name 'Kconfig*' ! -path ./.config ! -path ./Module.symvers -delete
	find . -type d -empty -delete
}

# check_config WANTED FINAL: says each line of WANTED that FINAL has otherwise; fails if there is one
check_config()
{
	local line option bad=0
	while IFS= read -r line; do
		case $line in
		CONFIG_*=*) grep -q -x -F "$line" "$2" || { say "not in the kernel's configuration: $line"; bad=1; } ;;
		'# CONFIG_'*' is not set')
			option=${line#\# } option=${option%% *}
			! grep -q "^$option=" "$2" || { say "in the kernel's configuration: $option"; bad=1; } ;;
		esac
	done <"$1"
	return "$bad"
}

# root_image: the guest's root file system, one read-only ext4 image for all kernels and for any number of VMs at once.
root_image()
{
	local key
	key=$({ printf '%s\n' "${ROOT_PACKAGES[@]}"; declare -f make_root_image; } | hash_of)
	cached "root-$key.img" "making the root image of ${#ROOT_PACKAGES[@]} Debian packages" make_root_image
}

# The image is written by a hook, inside mmdebstrap's own namespace: there files have the owners they should have, even
# when an ordinary user runs this. It is then passed out as a file of that root.
# shellcheck disable=SC2016 # mmdebstrap expands the hooks' $1
make_root_image()
{
	local image=$1 include
	include=$(IFS=,; echo "${ROOT_PACKAGES[*]}")
	quietly mmdebstrap --variant=minbase --format=null "${APT_OPTIONS[@]}" "${DPKG_OPTIONS[@]}" \
		--include="$include" \
		--customize-hook='mkdir "$1.bind" && mount --bind "$1" "$1.bind"' \
		--customize-hook='mkdir -p "$1/repo" "$1/out" && rm -rf "$1"/var/cache/apt/*.bin "$1"/var/lib/apt/lists/*' \
		--customize-hook='truncate -s 1G "$1.img" && mkfs.ext4 -q -O ^has_journal -m 0 -L nvmq-root -d "$1.bind" "$1.img"' \
		--customize-hook='umount "$1.bind" && rmdir "$1.bind" && mv "$1.img" "$1/nvmq-root.img"' \
		--customize-hook="download /nvmq-root.img '$image'" \
		bookworm /dev/null
	fallocate -d "$image"
	chmod 444 "$image"
}

# busybox: the static one of the root image, so that the host needs none.
busybox()
{
	local image
	image=$(root_image)
	cached "busybox-${image##*root-}" "taking busybox out of the root image" make_busybox "$image"
}

make_busybox()
{
	local out=$1 image=$2 path
	for path in /usr/bin/busybox /bin/busybox; do
		debugfs -R "dump $path $out" "$image" 2>/dev/null
		if [[ -s $out ]]; then
			chmod 755 "$out"
			return
		fi
	done
	die 126 "no busybox in $image"
}

# initramfs K: what loads the modules for the root image and switches to it. vm/run appends the job to it.
initramfs()
{
	local k=$1 key tree release box
	tree=$(kernel_tree "$k")
	release=$(kernel_release "$k")
	box=$(busybox)
	key=$({ echo "$tree $release $box ${DISK_MODULES[*]} ${SHARE_MODULES[*]}"; cat "$NVMQ_TOP"/vm/guest-{initramfs,init}
		declare -f make_initramfs; } | hash_of)
	cached "initramfs-$release-$key" "making the initramfs for $release" make_initramfs "$tree" "$release" "$box"
}

make_initramfs()
{
	local out=$1 tree=$2 release=$3 box=$4 dir=$1.d module files file target
	rm -rf "$dir"
	mkdir -p "$dir"/{bin,dev,proc,lower,upper,new} "$dir/lib/modules/$release"
	cp "$box" "$dir/bin/busybox"
	cp "$NVMQ_TOP/vm/guest-initramfs" "$dir/init"
	cp "$NVMQ_TOP/vm/guest-init" "$dir/guest-init"
	: >"$dir/modules-disk"
	: >"$dir/modules-share"
	chmod 755 "$dir/init" "$dir/guest-init"
	for module in "${DISK_MODULES[@]}" "${SHARE_MODULES[@]}"; do
		files=$(modprobe -q -d "$tree" -S "$release" --show-depends "$module" | sed -n 's/^insmod \([^ ]*\).*/\1/p') || true
		[[ -n $files ]] || continue
		case " ${DISK_MODULES[*]} " in
		*" $module "*) printf '%s ' "$module" >>"$dir/modules-disk" ;;
		*) printf '%s ' "$module" >>"$dir/modules-share" ;;
		esac
		for file in $files; do
			target=$dir/lib/modules/$release/kernel/${file##*/}
			mkdir -p "${target%/*}"
			# Compressed ones would be unpacked by the guest at every boot.
			case $file in
			*.xz) xz -dc "$file" >"${target%.xz}" ;;
			*) cp "$file" "$target" ;;
			esac
		done
	done
	cp "$tree/lib/modules/$release"/modules.{order,builtin,builtin.modinfo} "$dir/lib/modules/$release/"
	depmod -b "$dir" "$release"
	rm -f "$dir/lib/modules/$release"/modules.*.bin "$dir/lib/modules/$release/modules.builtin.modinfo"
	cpio_of "$box" "$dir" >"$out"
	rm -rf "$dir"
}

# cpio_of BUSYBOX DIR: an archive of DIR's content, all of it root's, on standard output.
cpio_of()
{
	(cd "$2" && find . -mindepth 1 | sort | "$1" cpio -o -H newc -R 0:0 2>/dev/null)
}

# qemu_command 7.2|11.1: sets the array QEMU, for vm/run.
# shellcheck disable=SC2034
qemu_command()
{
	case $1 in
	7.2)
		command -v qemu-system-x86_64 >/dev/null || die 126 "qemu-system-x86_64 is missing: run vm/setup"
		QEMU=(qemu-system-x86_64)
		;;
	11.1) sid_qemu_command ;;
	esac
}

# kvm_works: whether KVM boots a guest. /dev/kvm alone says little: it opens on machines whose CPU has no virtualisation,
# and under some hypervisors a guest hangs. So it is tried once, and the answer kept for this kernel and CPU.
kvm_works()
{
	local key verdict
	[[ ${NVMQ_ACCEL:-} != tcg ]] || return 1
	grep -q -E '^flags.* (vmx|svm)( |$)' /proc/cpuinfo || return 1
	[[ -r /dev/kvm && -w /dev/kvm ]] || return 1
	key=$({ uname -srv; grep -m 1 '^model name' /proc/cpuinfo; } | hash_of)
	verdict=$(cached "kvm-$key" "trying whether KVM works here" try_kvm)
	[[ $(<"$verdict") == yes ]]
}

try_kvm()
{
	local verdict=$1 tree start
	tree=$(kernel_tree 6.12)
	start=$(initramfs 6.12)
	timeout -k 1 30 qemu-system-x86_64 -nodefaults -no-reboot -display none -M q35 -accel kvm -cpu host -smp 2 -m 512M \
		-kernel "$tree/vmlinuz" -initrd "$start" -append "console=ttyS0 quiet panic=-1 nvmq.trial" \
		-serial "file:$verdict.console" </dev/null || true
	if grep -q 'trial boot is in user space' "$verdict.console"; then
		echo yes >"$verdict"
	else
		say "it does not; QEMU's TCG is used"
		echo no >"$verdict"
	fi
	rm -f "$verdict.console"
}

# ---- private roots of Debian: the newest kernel with its compiler, the newest QEMU, and where packages are installed --
#
# They are ordinary folders that belong to whoever made them: nothing in them needs its proper owner.

SID_KERNEL_PACKAGES=(linux-headers-amd64 gcc make xz-utils)
SID_QEMU_PACKAGES=(qemu-system-x86 qemu-block-extra)
# What Debian's tools for modules and initramfs want, and what the packages of tools/debian depend on
INSTALL_PACKAGES=(dkms initramfs-tools zstd busybox-static libjson-c5 libncurses6 libtracefs1 libtraceevent1)

# fetch_root DIR SUITE PACKAGE,... [mmdebstrap option...]
fetch_root()
{
	local dir=$1 suite=$2 include=$3
	shift 3
	mkdir -p "$dir"
	quietly root_to_folder "$dir" --variant=minbase --format=tar "${APT_OPTIONS[@]}" "${DPKG_OPTIONS[@]}" \
		--include="$include" "$@" "$suite" -
}

root_to_folder()
{
	local dir=$1
	shift
	mmdebstrap "$@" | tar -x --no-same-owner --exclude='./var/lib/apt/lists/*' -C "$dir" ./usr ./etc ./var ./boot
}

# fetch_sid DIR PACKAGE,... [mmdebstrap option...]
fetch_sid()
{
	fetch_root "$1" sid "${@:2}"
}

# in_root ROOT bind|ro-bind [bwrap option...] COMMAND...: with the root's /usr and /etc, writable or not
in_root()
{
	local root=$1 how=$2
	shift 2
	bwrap "--$how" "$root/usr" /usr "--$how" "$root/etc" /etc --symlink usr/bin /bin --symlink usr/sbin /sbin \
		--symlink usr/lib /lib --symlink usr/lib64 /lib64 --proc /proc --dev /dev --tmpfs /tmp \
		--die-with-parent --unshare-net "$@"
}

# install_root K: a folder with the root of a Debian that has kernel K, its headers, dkms and initramfs-tools; for copies
install_root()
{
	local release suite=bookworm key
	release=$(kernel_release "$1")
	[[ $1 != 7.2 ]] || suite=sid
	key=$({ echo "${INSTALL_PACKAGES[*]}"; declare -f make_install_root; } | hash_of)
	cached "installroot-$release-$key" "making a root of Debian $suite with kernel $release, dkms and initramfs-tools" \
		make_install_root "$release" "$suite"
}

# An initramfs of what is listed takes a tenth of the time that Debian's usual one takes.
# shellcheck disable=SC2016 # the hook runs in a shell of its own
make_install_root()
{
	local dir=$1 release=$2 suite=$3
	fetch_root "$dir" "$suite" "$(IFS=,; echo "${INSTALL_PACKAGES[*]}"),linux-image-$release,linux-headers-$release" \
		--setup-hook='mkdir -p "$1/etc/initramfs-tools/conf.d" && echo MODULES=list >"$1/etc/initramfs-tools/conf.d/list"'
}

# in_install_root COPY COMMAND...: in a copy of that root, as its root
in_install_root()
{
	local copy=$1
	shift
	in_root "$copy" bind --bind "$copy/var" /var --bind "$copy/boot" /boot --unshare-user --uid 0 --gid 0 "$@"
}

# The kernel itself is unpacked, not installed: it would bring an initramfs and a boot loader's hooks with it.
# shellcheck disable=SC2016 # the hook runs in a shell of its own
SID_KERNEL_HOOK='set -e; release=$(basename "$1"/usr/lib/modules/*); chroot "$1" sh -ec "
	mkdir -p /usr/nvmq/packages; cd /usr/nvmq/packages; release=$release
	apt-get -q -o APT::Sandbox::User=root download linux-image-\$release \
		\$(apt-cache depends linux-image-\$release | sed -n \"s/.*Depends: \\(linux-.*-\$release\\)\$/\\1/p\")
	for package in *.deb; do dpkg -x \$package /usr/nvmq; done
	rm -r /usr/nvmq/packages"'

sid_kernel_root()
{
	local key
	key=$({ echo "${SID_KERNEL_PACKAGES[*]}"; declare -f make_sid_kernel_root; echo "$SID_KERNEL_HOOK"; } | hash_of)
	cached "sidkernel-$key" "making a root of Debian sid with kernel 7.2, its headers and compiler" make_sid_kernel_root
}

make_sid_kernel_root()
{
	local dir=$1 release
	fetch_sid "$dir" "$(IFS=,; echo "${SID_KERNEL_PACKAGES[*]}")" --customize-hook="$SID_KERNEL_HOOK"
	release=$(basename "$dir"/usr/lib/modules/*)
	[[ $release == 7.2.* ]] || die 126 "Debian sid's kernel is now $release, not 7.2"
	# The layout that the other kernels have; see make_kernel_tree.
	mkdir -p "$dir/kernel/lib/modules"
	mv "$dir/usr/nvmq/usr/lib/modules/$release" "$dir/kernel/lib/modules/"
	find "$dir/usr/nvmq" "$dir/kernel" \( -name vmlinuz -o -name "vmlinuz-$release" \) -type f \
		-exec mv {} "$dir/kernel/vmlinuz" \;
	[[ -f $dir/kernel/vmlinuz ]] || die 126 "no vmlinuz in the packages of linux-image-$release"
	rm -rf "$dir/usr/nvmq"
	depmod -b "$dir/kernel" "$release"
}

# in_sid_kernel_root FOLDER COMMAND...: with that folder, writable, at its own path.
in_sid_kernel_root()
{
	local folder=$1 root
	shift
	root=$(sid_kernel_root)
	in_root "$root" ro-bind --bind "$folder" "$folder" "$@"
}

# QEMU from sid runs on the host's kernel and file system, with sid's loader and libraries: no namespace is needed.
# shellcheck disable=SC2034 # vm/run uses QEMU
sid_qemu_command()
{
	local key root
	key=$({ echo "${SID_QEMU_PACKAGES[*]}"; declare -f make_sid_qemu_root; } | hash_of)
	root=$(cached "sidqemu-$key" "making a root of Debian sid with the newest QEMU" make_sid_qemu_root)
	QEMU=(env "QEMU_MODULE_DIR=$root/usr/lib/x86_64-linux-gnu/qemu"
		"$root/usr/lib64/ld-linux-x86-64.so.2" --library-path "$root/usr/lib/x86_64-linux-gnu"
		"$root/usr/bin/qemu-system-x86_64" -L "$root/usr/share/qemu" -L "$root/usr/share/seabios")
}

make_sid_qemu_root()
{
	fetch_sid "$1" "$(IFS=,; echo "${SID_QEMU_PACKAGES[*]}")"
}
