#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
"""share.py MODULES: of the lines "ip symbol (dso)" that perf script prints of a UML
process, whose the time is, in percent. MODULES is /proc/modules of the guest."""

import collections
import re
import sys

# By the names of functions; the first that fits.
OWNERS = (
    ("checksums of packets", r"crc32"),
    ("waiting for mutexes and spinlocks", r"mutex_spin|spin_lock_slowpath|osq_"),
    ("UML: interrupts, and user space",
     r"signals|local_ipi|^os_|^um_|^uml_|arch_local|arch_irqs|userspace|turnstile|idle"),
    ("network stack",
     r"^(__)?(ip4?|udp4?|dev|netif|net|skb|alloc_skb|kfree_skb|consume_skb|loopback|dst"
     r"|fib|neigh|eth|qdisc|nf|process_backlog|napi|sock|validate_xmit|inet)_"),
    ("block layer and io_uring", r"blk|bio|^io_|sbitmap|iov_iter"),
    ("scheduler, timers and work items",
     r"sched|wake|enqueue|dequeue|pick_next|rcu|work|mutex|timer|ktime|clock"),
)


def read_modules(path):
    """Names, with where they begin and end."""
    with open(path, encoding="ascii") as lines:
        fields = [line.split() for line in lines]
    return [(f[0], int(f[5], 16), int(f[5], 16) + int(f[1])) for f in fields]


def owner_of(modules, address, symbol, dso):
    """Of one sample."""
    if not dso.endswith("/linux)"):
        name = next((n for n, start, end in modules if start <= address < end), None)
        if name == "rdma_rxe":
            return "soft-RoCE"
        if name and name.startswith("kf"):
            return "kfabric, its consumer and its target"
        return "other modules" if name else "UML: system calls of the host"
    for owner, pattern in OWNERS:
        if re.search(pattern, symbol):
            return owner
    return "the rest of the kernel"


def main():
    """Prints the shares, the largest first."""
    modules = read_modules(sys.argv[1])
    samples = collections.Counter()
    for line in sys.stdin:
        fields = line.split()
        if len(fields) >= 3:
            samples[owner_of(modules, int(fields[0], 16), fields[1], fields[-1])] += 1
    for owner, count in samples.most_common():
        print(f"{100 * count / sum(samples.values()):5.1f}  {owner}")


main()
