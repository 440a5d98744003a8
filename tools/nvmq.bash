# SPDX-License-Identifier: GPL-2.0
# bash completion for nvmq(8) and nvmq-vfio(8)

# Addresses of the controllers that nvmq has, and what it calls them and their disks
_nvmq_devices()
{
	local dev name disks
	for dev in "${NVMQ_ROOT:-}"/sys/bus/pci/drivers/nvmq/*:*; do
		[[ -e $dev ]] || continue
		echo "${dev##*/}"
		for name in "$dev"/nvme/nvme*; do
			disks=("$name"/nvme*n*)
			[[ ! -e ${disks[0]} ]] || printf '%s\n' "${name##*/}" "${disks[@]##*/}"
		done
	done
}

# Addresses of all NVMe controllers, and what their drivers call them
_nvmq_controllers()
{
	local dev name
	for dev in "${NVMQ_ROOT:-}"/sys/bus/pci/devices/*; do
		[[ -e $dev/class && $(<"$dev/class") == 0x010802 ]] || continue
		echo "${dev##*/}"
		for name in "$dev"/nvme/nvme* "$dev"/nvme/nvme*/nvme*n* "$dev"/block/nvme*; do
			[[ ! -e $name || ${name##*/} == *c*n* ]] || echo "${name##*/}"
		done
	done
}

_nvmq()
{
	local word=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD - 1]} words=''

	# Addresses and plans have colons and equals signs in them, at which bash divides words.
	case $COMP_CWORD.${COMP_WORDS[1]:-} in
	1.*) words='list map queues plan stat hist top trace lab bind release --help' ;;
	*.bind) words="--vfio --json $(_nvmq_controllers)" ;;
	*.release) words="--json $(_nvmq_controllers)" ;;
	*.list) words='--json' ;;
	*.queues) words="--json $(_nvmq_devices)" ;;
	*.trace)
		case " ${COMP_WORDS[*]:2:COMP_CWORD - 2} " in
		*' -- '*) mapfile -t COMPREPLY < <(compgen -c -f -- "$word"); return ;;
		esac
		case $before in
		--svg | --read | --qemu) mapfile -t COMPREPLY < <(compgen -f -- "$word"); return ;;
		*) words="--time --sqe --json --svg --read --qemu -- $(_nvmq_devices)" ;;
		esac
		;;
	*.map)
		case $before in
		--svg) mapfile -t COMPREPLY < <(compgen -f -- "$word"); return ;;
		*) words="--json --dot --svg $(_nvmq_devices)" ;;
		esac
		;;
	*.stat | *.hist)
		case $before in
		--op) words='read write other' ;;
		*) words="--seconds --every --times --json $(_nvmq_devices)" ;;
		esac
		case ${COMP_WORDS[1]} in
		stat) words+=' on off' ;;
		hist) words+=' --queue --op' ;;
		esac
		;;
	*.top) words="--every $(_nvmq_devices)" ;;
	*.lab)
		case $COMP_CWORD.${COMP_WORDS[2]:-}.$before in
		2.*) words='run report compare spec --help' ;;
		*.run.--spec | *.compare.-o | *.compare.--out) mapfile -t COMPREPLY < <(compgen -f -- "$word"); return ;;
		*.run.-o | *.run.--out) mapfile -t COMPREPLY < <(compgen -d -- "$word"); return ;;
		*.run.*) words="--spec --out --seconds --repeat --destroy-data --no-report --help $(_nvmq_devices)" ;;
		*.report.*) words="--help $(compgen -d -- "$word")" ;;
		*.compare.*) words="--out --help $(compgen -d -- "$word")" ;;
		*.spec.*) words='--help' ;;
		esac
		;;
	*.plan)
		case " ${COMP_WORDS[*]:2:COMP_CWORD - 2} " in
		*' set '* | *' try '* | *' check '*)
			words='default= read= poll= depth= vectors= irq= placement= leave= coalesce= share= cpus= wrr='
			[[ $before != try ]] || words+=' --seconds'
			;;
		*) words="set try check --json $(_nvmq_devices)" ;;
		esac
		;;
	esac
	mapfile -t COMPREPLY < <(compgen -W "$words" -- "$word")
	[[ ${COMPREPLY[0]:-} != *= ]] || compopt -o nospace
}
complete -F _nvmq nvmq

# Addresses of the controllers that vfio-pci has
_nvmq_vfio_controllers()
{
	local dev
	for dev in /sys/bus/pci/drivers/vfio-pci/*:*; do
		[[ ! -e $dev || $(<"$dev/class") != 0x010802 ]] || echo "${dev##*/}"
	done
}

_nvmq_vfio()
{
	local word=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD - 1]} words=''

	case $COMP_CWORD.${COMP_WORDS[1]:-}.$before in
	1.*) words='regs identify read write hello perf --help' ;;
	*.--file) mapfile -t COMPREPLY < <(compgen -f -- "$word"); return ;;
	*.-w) words='read write randread randwrite mix' ;;
	*.regs.*) words="--json $(_nvmq_vfio_controllers)" ;;
	*.identify.*) words="--nsid --json $(_nvmq_vfio_controllers)" ;;
	*.read.*) words="--nsid --block --count --raw $(_nvmq_vfio_controllers)" ;;
	*.write.*) words="--nsid --block --count --file --yes $(_nvmq_vfio_controllers)" ;;
	*.hello.*) words="--nsid --block --yes $(_nvmq_vfio_controllers)" ;;
	*.perf.*) words="-q -s -w -t -i --commands --queues --nsid --yes --json $(_nvmq_vfio_controllers)" ;;
	esac
	mapfile -t COMPREPLY < <(compgen -W "$words" -- "$word")
}
complete -F _nvmq_vfio nvmq-vfio
