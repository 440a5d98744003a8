# SPDX-License-Identifier: GPL-2.0
#
# A kernel log without KCSAN's reports in which nvmq has no part: the kernel has data races of its own. A report stands
# between two lines of "=". nvmq has a part in it if one of the two accesses was made by a function of its own, or by
# what that has called: deeper down it is the block layer that races with itself.

function end_report()
{
	if (!kcsan || ours)
		printf "%s", held
	held = ""
	kcsan = ours = frame = 0
}

index($0, "==================================================") {
	held = held $0 "\n"
	if (inside)
		end_report()
	inside = !inside
	next
}
inside {
	held = held $0 "\n"
	if (/BUG: KCSAN/)
		kcsan = 1
	if (/ (read|write)[a-z() -]* to .* by /)
		frame = 3
	else if (frame && --frame && /\[nvmq/)
		ours = 1
	next
}
{ print }
END { printf "%s", held }
