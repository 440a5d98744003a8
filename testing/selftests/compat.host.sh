#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Run by testing/check after compat.sh's VM has ended, with the folder that holds what it left: is the documentation's table
# the one that was made?
set -euo pipefail
table=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)/Documentation/compat-table.rst
if diff -u "$table" "$1/compat-table.rst"; then
	echo "ok - Documentation/compat-table.rst is what was found"
else
	echo "not ok - Documentation/compat-table.rst is another one; if this one is right: cp $1/compat-table.rst $table"
	exit 1
fi
