#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Run by testing/check after lab.sh's VM has ended, with the folder that holds what it left: the report of the results.
set -euo pipefail
dir=$1
top=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
failed=0
point() { if "${@:2}"; then echo "ok - $1"; else echo "not ok - $1"; failed=1; fi; }

point "the report is made" "$top/tools/nvmq-lab" report "$dir/lab"
point "a browser shows it" "$top/testing/tools/page" "$dir/lab/report.html" "$dir/lab/report.png"
exit "$failed"
