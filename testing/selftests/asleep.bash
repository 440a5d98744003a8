# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
#
# What tests need that let the machine sleep; instead of lib.sh: . asleep.bash [TOOL...]; ASLEEP_ARGS are its arguments
#
# The driver of the 9p shares does not survive a suspend: they are unmounted while the machine sleeps (shares_off,
# shares_on), and the test runs from a copy, with the tools that it names.
if [ -z "${SUSPEND_COPY:-}" ]; then
	mkdir /run/suspend
	cp "$0" "$(dirname "$0")"/{asleep.bash,lib.sh,not-ours.awk} "$NVMQ_KO" /run/suspend/
	for tool in fill "$@"; do cp "/repo/.build/selftests/$tool" /run/suspend/; done
	cd /
	SUSPEND_COPY=1 NVMQ_KO=/run/suspend/nvmq.ko exec bash "/run/suspend/$(basename "$0")" "${ASLEEP_ARGS[@]}"
fi
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "$0")/lib.sh"
# shellcheck disable=SC2034 # the tests use it
TOOLS=/run/suspend
release=$(uname -r)

shares_off() {
	local link
	umount /out /repo "/lib/modules/$release"
	P9=()
	for link in /sys/bus/virtio/drivers/9pnet_virtio/virtio*; do
		P9+=("${link##*/}")
	done
	for link in "${P9[@]}"; do
		echo "$link" >/sys/bus/virtio/drivers/9pnet_virtio/unbind
	done
}
shares_on() {
	local link share=trans=virtio,version=9p2000.L,msize=262144
	for link in "${P9[@]}"; do
		echo "$link" >/sys/bus/virtio/drivers/9pnet_virtio/bind
	done
	mount -t 9p -o "$share,ro,cache=loose" modules "/lib/modules/$release"
	mount -t 9p -o "$share,ro,cache=loose" repo /repo
	mount -t 9p -o "$share" out /out
}
