# SPDX-License-Identifier: GPL-2.0
#
# The commands of the repository; `make` alone lists them. The module itself is described by Kbuild: the kernel's build
# system reads that file, not this one.

# Variables on the command line (make check T=... K=...) reach the scripts through the environment.
KDIR ?= /lib/modules/$(shell uname -r)/build
export K T J PLAN DEVICE KDIR ROUNDS MINUTES SEED BLKTESTS NVMEVIRT LAB

.DEFAULT_GOAL := help
.PHONY: help run lab trace check check-debug coverage bench power-cut soak blktests nvmevirt shell docs modules install deb clean

help: ## this list
	@echo 'Commands:'
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/\1|\2/p' $(firstword $(MAKEFILE_LIST)) | \
		while IFS='|' read -r name text; do printf '  make %-11s %s\n' "$$name" "$$text"; done
	@echo 'K=6.1, 6.12, 7.2, debug or kcsan picks a kernel. DEVICE and PLAN: see vm/run --help and Documentation/parameters.rst.'
	@echo 'Fetched and generated things are kept in $${XDG_CACHE_HOME:-~/.cache}/nvmq, logs and modules in .build.'

run: ## build nvmq, boot a VM, put a file system on its disk and verify it (K=, DEVICE=, PLAN=)
	@vm/demo

lab: ## try queue plans in a VM, and make a report with pictures of it (K=, LAB="--seconds 5 --spec FILE")
	@vm/lab

trace: ## watch single I/Os from both sides of the bus of a VM, with pictures (K=)
	@vm/trace

check: ## every test on every kernel (T=name or K=6.12 for a part of it)
	@testing/check

check-debug: ## every selftest on the kernel that looks for faults (T=name for a part of it)
	@K=debug testing/check

coverage: ## every selftest with a module that counts; lines and branches that were run (T=name for a part of it)
	@testing/coverage

bench: ## instructions per I/O of nvmq, the in-tree driver and null_blk
	@vm/setup vm build bench
	@testing/perf/bench

power-cut: ## the power fails ROUNDS=50 times under writes that are acknowledged (SEED=n, DEVICE=qemu or strict)
	@testing/field/power-cut

soak: ## a mixed load with something happening each second, for MINUTES=10 (SEED=n)
	@testing/field/soak

# Not for all: the unit tests know a DRIVER of their own.
blktests: export DRIVER := $(DRIVER)
blktests: ## the tests of a device in a checkout of blktests, BLKTESTS=dir, with nvmq and the in-tree driver
	@testing/field/blktests

nvmevirt: ## nvmq on the device of a checkout of NVMeVirt, NVMEVIRT=dir (K=6.1 or 6.12)
	@testing/field/nvmevirt

shell: ## a prompt in a VM with nvmq loaded (K=, DEVICE=, PLAN=)
	@vm/setup vm build
	@vm/build $(or $(K),6.12) >/dev/null
	@vm/run -i -k $(or $(K),6.12) $(if $(DEVICE),-d '$(DEVICE)') -- vm/guest-shell '$(PLAN)'; \
		status=$$?; case $$status in 12[4-6]) exit $$status ;; esac # the status of the last command typed is no error

docs: ## the documentation as HTML; warnings are errors
	@vm/setup docs
	@Documentation/build

modules: ## nvmq.ko for the running kernel, or the one whose headers KDIR= names
	@vm/build host

install: modules ## install that module for modprobe (as root)
	@$(MAKE) --no-print-directory -C '$(KDIR)' M='$(CURDIR)/.build/host' modules_install
	@# Debian's headers have no System.map, without which modules_install leaves this out.
	@if [ -z '$(INSTALL_MOD_PATH)' ]; then depmod "$$(cat '$(KDIR)/include/config/kernel.release')"; fi

deb: ## Debian packages of the driver (for DKMS) and the nvmq command, in .build/deb
	@vm/setup deb
	@vm/deb

clean: ## remove .build; what was fetched stays in the cache
	rm -rf .build
