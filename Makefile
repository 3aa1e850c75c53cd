# SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
#
# Modules are built against the running kernel, or against KDIR. What a kernel
# build reads here is Kbuild.

KDIR ?= /lib/modules/$(shell uname -r)/build

all modules:
	$(MAKE) -C $(KDIR) M=$(CURDIR) modules

modules_install:
	$(MAKE) -C $(KDIR) M=$(CURDIR) modules_install

clean: modules_clean tools_clean

modules_clean:
	$(MAKE) -C $(KDIR) M=$(CURDIR) clean

tools:
	$(MAKE) -C tools

tools_install:
	$(MAKE) -C tools install

tools_clean:
	$(MAKE) -C tools clean

check:
	scripts/check

check-full:
	scripts/check --full

demo:
	scripts/demo

bench:
	scripts/bench

.PHONY: all modules modules_install modules_clean clean tools tools_install tools_clean
.PHONY: check check-full demo bench
