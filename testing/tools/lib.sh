# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
#
# What the tests of the nvmq command share: the command, built; a folder that stands for "/"; and points in TAP, which
# the test counts with at its end.

set -u
top=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
make -s -C "$top/tools" || exit 1
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
export NVMQ_ROOT=$tmp/root
number=0 failed=0

# is DESC GOT WANTED
is() {
	number=$((number + 1))
	if [ "$2" = "$3" ]; then
		echo "ok $number - $1"
		return
	fi
	failed=$((failed + 1))
	echo "not ok $number - $1"
	printf '# got:    %s\n# wanted: %s\n' "${2//$'\n'/$'\n#   '}" "${3//$'\n'/$'\n#   '}"
}
# has DESC GOT WORDS: the words are in it
has() {
	case $2 in *"$3"*) is "$1" yes yes ;; *) is "$1" "$2" "... $3 ..." ;; esac
}
