# SPDX-License-Identifier: GPL-2.0
#
# A kernel log without KCSAN's reports in which nvmq has no part: the kernel has data races of its own. A report stands
# between two lines of "=".

function end_report()
{
	if (held !~ /KCSAN/ || held ~ /nvmq/)
		printf "%s", held
	held = ""
}

index($0, "==================================================") {
	held = held $0 "\n"
	if (inside)
		end_report()
	inside = !inside
	next
}
inside { held = held $0 "\n"; next }
{ print }
END { printf "%s", held }
