# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
#
# What the commands of this folder share.

set -euo pipefail
export LC_ALL=C.UTF-8
TOP=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
cd "$TOP"

say() { printf '# %s\n' "$*"; }

# number NAME VALUE: ends the command unless it is one
number()
{
	[[ $2 =~ ^[0-9]+$ ]] || { echo "${0##*/}: $1=$2: must be a number" >&2; exit 2; }
}

# luck SEED WORD...: a number of 0 to 32767 that depends on nothing else
luck() { echo $((0x$(printf '%s ' "$@" | sha256sum | head -c 4) & 32767)); }

# in_lib FUNCTION ARG...: of vm/lib.sh, in a shell of its own: it has a say of its own
in_lib() { bash -c '. vm/lib.sh; "$@"' lib "$@"; }

# Another make: what the one that runs us was told is not meant for it.
clean_make=(env -u MAKEFLAGS -u MAKEOVERRIDES -u MAKELEVEL -u T -u K make)

# guest_programs: what the guest needs of testing/selftests, built into .build/selftests
guest_programs() { "${clean_make[@]}" -s -C testing/selftests; }

# point DESC COMMAND...: passes when it succeeds; what it says is in $dir/said, and shown if not. Sets failed.
point()
{
	local desc=$1 status=0
	shift
	# shellcheck disable=SC2154 # the command sets it
	"$@" >"$dir/said" 2>&1 || status=$?
	if ((status == 0)); then
		echo "ok - $desc"
		return
	fi
	# shellcheck disable=SC2034 # the command looks at it
	failed=1
	echo "not ok - $desc"
	echo "#   status $status from: $*"
	tail -n 40 "$dir/said" | sed 's/^/#   /'
}
