# SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
#
# Modules are built against the running kernel, or against KDIR. What a kernel
# build reads here is Kbuild.

KDIR ?= /lib/modules/$(shell uname -r)/build

all modules:
	$(MAKE) -C $(KDIR) M=$(CURDIR) modules

modules_install:
	$(MAKE) -C $(KDIR) M=$(CURDIR) modules_install

clean:
	$(MAKE) -C $(KDIR) M=$(CURDIR) clean
	$(MAKE) -C tools clean

tools:
	$(MAKE) -C tools

tools_install:
	$(MAKE) -C tools install

check:
	scripts/check

check-full:
	scripts/check --full

demo:
	scripts/demo

bench:
	scripts/bench

.PHONY: all modules modules_install clean tools tools_install check check-full demo bench
