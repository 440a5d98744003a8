# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
#
# What the scripts of this folder share.
set -euo pipefail
export LC_ALL=C.UTF-8

NVMQ_STATIC=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
NVMQ_TREE=$(cd "$NVMQ_STATIC/../.." && pwd)
cd "$NVMQ_TREE"

# all_files: every file of the tree that somebody wrote; one a line.
all_files()
{
	find . \( -name .git -o -name .build -o -name __pycache__ -o -name _build \) -prune -o \
		-type f ! -name '*.o' ! -name '*.ko' ! -name '*.mod' ! -name '*.mod.c' ! -name '*.cmd' ! -name '*~' ! -name '*.swp' \
		-printf '%P\n' | sort
}

# files_of KIND: those that are of a kind: c, shell, python
files_of()
{
	local file first
	while IFS= read -r file; do
		case $1:$file in
		c:*.[ch]) echo "$file" ;;
		shell:*.sh) echo "$file" ;;
		python:*.py) echo "$file" ;;
		c:* | *:*.rst) ;;
		*)
			first=
			IFS= read -r -n 80 first <"$file" 2>/dev/null || true
			case $1:$first in
			shell:'#!'*sh | shell:'# shellcheck shell='* | python:'#!'*python*) echo "$file" ;;
			esac
			;;
		esac
	done < <(all_files)
}

# floor_stems: the stems of the floors, ground first
floor_stems() { sed -n 's/^[0-9]* \([a-z0-9]*\):.*/\1/p' "$NVMQ_STATIC/floors"; }
