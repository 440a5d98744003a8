# SPDX-License-Identifier: GPL-2.0
#
# A kernel log without the reports of a debug kernel that are no fault of nvmq's:
#
# KCSAN's in which nvmq has no part: the kernel has data races of its own. A report stands between two lines of "=". nvmq
# has a part in it if one of the two accesses was made by a function of its own, or by what that has called: deeper down
# it is the block layer that races with itself.
#
# The DMA-API's of memory that is mapped twice, when it was hostile.c that named it twice, or bufs.c that has one transfer
# begin in the bytes of a cache line where another ends. A report stands between "cut here" and "end trace", and where the
# memory was mapped stands below.
#
# Lockdep's of pciehp, at the first device that leaves its slot, whoever drives it: it takes its reset_lock again with
# pci_rescan_remove_lock held, which it takes the other way round before. A report stands between a line of "=" and the end
# of its backtrace.

function end_report()
{
	if (!(kcsan || pciehp) || ours)
		printf "%s", held
	held = ""
	kcsan = lockdep = pciehp = ours = frame = inside = 0
}

function end_warning()
{
	if (!(twice && meant))
		printf "%s", held
	else
		below = 1
	held = ""
	warning = twice = meant = 0
}

index($0, "==================================================") {
	held = held $0 "\n"
	if (inside)
		end_report()
	else
		inside = 1
	next
}
inside {
	held = held $0 "\n"
	if (/WARNING: possible circular locking dependency/)
		lockdep = 1
	if (lockdep) {
		if (/\[nvmq/)
			ours = 1
		else if (wanted == NR && / \(&ctrl->reset_lock\).* at: pciehp_unconfigure_device\+/)
			pciehp = 1
		if (/ is trying to acquire lock:/)
			wanted = NR + 1
		if (/<\/TASK>/)
			end_report()
		next
	}
	if (/BUG: KCSAN/)
		kcsan = 1
	if (/ (read|write)[a-z() -]* to .* by /)
		frame = 3
	else if (frame && --frame && /\[nvmq/)
		ours = 1
	next
}
index($0, "[ cut here ]") {
	# One within another: whose lines are whose cannot be told.
	if (warning) {
		twice = 0
		end_warning()
	}
	warning = 1
	below = 0
	held = $0 "\n"
	next
}
warning {
	held = held $0 "\n"
	if (/DMA-API: nvmq .*: cacheline tracking EEXIST, overlapping mappings/)
		twice = 1
	else if (/ Comm: (bufs|hostile|hostile32) /)
		meant = 1
	else if (/BUG:|KASAN|UBSAN|possible .* locking|inconsistent lock/)
		twice = 0
	if (/---\[ end trace /)
		end_warning()
	next
}
below && (/DMA-API: Mapped at:/ || /[]]  [A-Za-z_0-9.]+\+0x/) { next }
{ below = 0; print }
END { printf "%s", held }
