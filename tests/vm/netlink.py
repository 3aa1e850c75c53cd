#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
"""
What tests/vm/netlink asks: the netlink family by the kernel's own ynl, and by
kfi_info. Prints "ok NAME" and "not ok NAME: why".

  netlink.py PYYNL SPEC KFI_INFO CHECK [argument...]
"""

import errno
import json
import os
import struct
import subprocess
import sys
import time

import netlink_fuzz

PYYNL, SPEC, KFI_INFO, CHECK, *ARGS = sys.argv[1:]
sys.path.insert(0, PYYNL)
# pylint: disable=wrong-import-position,import-error
from lib import NlError, YnlFamily  # noqa: E402

SCHEMA = os.path.join(PYYNL.rpartition("/tools/net/ynl")[0],
                      "Documentation/netlink/genetlink.yaml")
DUMPS = {
    "info": "info-get", "endpoints": "endpoint-get",
    "queues": "queue-get", "regions": "region-get", "memdevs": "memdev-get",
}


def check(name, holds, why=""):
    """One result."""
    print(f"ok {name}" if holds else f"not ok {name}: {why}", flush=True)


def same(name, value, expected):
    """A result that says what there is instead."""
    check(name, value == expected, f"{value!r} and not {expected!r}")


def run(*args, **kwargs):
    """kfi_info: its status, what it prints, and what it complains of."""
    done = subprocess.run([KFI_INFO, *args], capture_output=True, text=True,
                          check=False, **kwargs)
    return done.returncode, done.stdout, done.stderr


def listed(*args, **kwargs):
    """What kfi_info shows in JSON."""
    status, out, said = run("--json", *args, **kwargs)
    if said or status > 1:
        print(f"# kfi_info {args}: {status}: {said}")
    return json.loads(out)


def family():
    """The family, as ynl knows it."""
    return YnlFamily(SPEC, SCHEMA)


def cli(*args):
    """The kernel's command line tool."""
    done = subprocess.run(
        [sys.executable, os.path.join(PYYNL, "cli.py"), "--spec", SPEC,
         "--schema", SCHEMA, "--output-json", *args],
        capture_output=True, text=True, check=False)
    if done.returncode:
        print(f"# ynl {args}: {done.stderr}")
    return json.loads(done.stdout)


def as_json(objects):
    """The same as they are in JSON, where sets are lists."""
    return json.loads(json.dumps(
        objects, default=lambda s: sorted(s) if isinstance(s, set) else str(s)))


def check_tool():
    """Both tools see the same."""
    nl = family()
    same("ynl: providers",
         [p["name"] for p in nl.dump("provider-get", {})],
         [p["name"] for p in listed("-l")])
    for command, op in DUMPS.items():
        args = [] if command == "info" else [command]
        same(f"ynl: {command}: as many as kfi_info's",
             len(nl.dump(op, {})), len(listed(*args)))


def by_owner(objects, provider):
    """Those of the suite."""
    return [o for o in objects
            if o["provider"] == provider and o["owner"] == "kfi_suite"]


def check_endpoints(nl, provider):
    """Two pairs, and one that is not connected."""
    eps = by_owner(nl.dump("endpoint-get", {}), provider)
    same("ynl: endpoints: states", sorted(e["state"] for e in eps),
         ["connected"] * 4 + ["idle"])
    same("ynl: endpoints: kinds", sorted(e["kind"] for e in eps),
         ["commit"] * 2 + ["raw"] * 3)
    same("ynl: endpoints: methods", sorted(e["method"] for e in eps),
         ["none"] * 3 + ["server"] * 2)
    ends = {str(e["local"]): str(e["peer"])
            for e in eps if e["state"] == "connected"}
    check("ynl: endpoints: the peer of a peer", len(ends) == 4 and
          all(ends.get(peer) == local for local, peer in ends.items()), ends)
    same("ynl: endpoints: numbers", len({e["id"] for e in eps}), 5)
    same("ynl: endpoints: by number",
         as_json(nl.dump("endpoint-get", {"id": eps[1]["id"]})),
         as_json([eps[1]]))
    same("ynl: endpoints: by another provider",
         nl.dump("endpoint-get", {"provider": "none"}), [])
    return eps


def check_stats(eps, provider):
    """A message, a commit, and one that has failed."""
    stats = [e["stats"] for e in eps]
    for kind, expected in (("commit", {(2, 8192)}), ("write", set())):
        same(f"ynl: stats: {kind}",
             {(s[kind]["ops"], s[kind]["bytes"]) for s in stats} - {(0, 0)},
             expected)
    for kind in ("send", "recv"):
        same(f"ynl: stats: {kind}", sorted(s[kind]["ops"] for s in stats),
             [0] * 4 + [1])
    same("ynl: stats: served", sorted((s["served"], s["served-failed"])
                                      for s in stats), [(0, 0)] * 4 + [(2, 1)])
    for time_of in ("commit-time", "persist-time"):
        same(f"ynl: stats: {time_of}",
             [sum(b["count"] for b in s[time_of]["bucket"])
              for s in stats if s[time_of].get("bucket")], [2])
    same("ynl: stats: errors", sorted(s["errors"]["io"] for s in stats),
         [0] * 4 + [1])
    shown = {e["id"]: e["stats"] for e in listed("stats")}
    check("kfi_info: stats", all(
        shown[e["id"]]["commit"] == e["stats"]["commit"] and
        shown[e["id"]]["errors"] == e["stats"]["errors"] and
        shown[e["id"]]["commit-time"]["sum"] ==
        e["stats"]["commit-time"]["sum"] for e in eps), shown)
    status, out, _ = run("stats", "-p", provider)
    check("kfi_info: stats: table", not status and
          len(out.splitlines()) == 1 + len(eps) and "COMMIT" in out, out)


def check_connections(provider, expected):
    """Those of a provider, of which those that are not expected are none."""
    told = next(p for p in family().dump("provider-get", {})
                if p["name"] == provider)
    shown = next(p for p in listed("-l") if p["name"] == provider)
    same("ynl: provider: connections",
         {k: v for k, v in told["connections"].items() if v}, expected)
    same("kfi_info: -l: connections", shown["connections"],
         told["connections"])
    return told


def check_totals(provider):
    """A provider's numbers are those of its endpoints."""
    told = check_connections(provider, {"made": 2, "accepted": 2})
    same("ynl: provider: endpoints", (told["open"], told["opened"]), (5, 5))
    same("ynl: provider: stats",
         (told["stats"]["commit"], told["stats"]["served"],
          told["stats"]["send"]["ops"]), ({"ops": 2, "bytes": 8192}, 2, 1))
    status, out, _ = run("stats", "-l")
    check("kfi_info: stats -l", not status and
          [line.split()[:3] for line in out.splitlines()
           if line.split()[0] in ("PROVIDER", "NAME", provider)] ==
          [["NAME", "MADE", "ACCEPTED"], [provider, "2", "2"]], out)


def debugfs_queues(ids):
    """What debugfs has of some queues, or None where it is not."""
    try:
        with open("/sys/kernel/debug/kfabric/queues", encoding="ascii") as file:
            words = [line.split() for line in file]
    except FileNotFoundError:
        return None
    rows = [w for w in words if w[0] == "queue" and int(w[1]) in ids]
    return [[int(w[1])] + [int(n) for n in w[5::2]] for w in rows]


def check_queues(nl, provider):
    """Two of each endpoint, of which three have an entry, and one an error too."""
    cqs = by_owner(nl.dump("queue-get", {}), provider)
    same("ynl: queues: entries", sorted((q["made"], q["read"]) for q in cqs),
         [(0, 0)] * 7 + [(1, 1)] * 2 + [(2, 2)])
    same("ynl: queues: errors", [{k: v for k, v in q["errors"].items() if v}
                                 for q in cqs if any(q["errors"].values())],
         [{"io": 1}])
    check("ynl: queues: reserved", all(
        0 < q["reserved"] <= q["size"] for q in cqs), cqs)
    ids = [q["id"] for q in cqs]
    numbers = ("id", "size", "reserved", "made", "read")
    seen = debugfs_queues(ids)
    check("ynl: queues: the same as in debugfs", seen is None or
          sorted(seen) == [[q[n] for n in numbers] for q in cqs], seen)
    same("ynl: queues: by number",
         as_json(nl.dump("queue-get", {"id": ids[1]})), as_json([cqs[1]]))
    same("ynl: queues: by another domain",
         nl.dump("queue-get", {"domain": "none"}), [])
    same("kfi_info: queues", by_owner(listed("queues"), provider),
         as_json(cqs))
    status, out, _ = run("queues", "-p", provider)
    check("kfi_info: queues: table", not status and
          len(out.splitlines()) == 1 + len(cqs) and "RESERVED" in out, out)


def check_regions(nl, provider):
    """One persistent, and one that should not be cached."""
    mrs = {r["length"]: r
           for r in by_owner(nl.dump("region-get", {}), provider)}
    same("ynl: regions", sorted(mrs), [192, 1 << 20])
    plain, pmem = mrs[192], mrs[1 << 20]
    same("ynl: regions: flags", (plain["flags"], pmem["flags"]),
         ({"uncached"}, {"pmem"}))
    check("ynl: regions: honoured", plain["honoured"] <= {"uncached"} and
          pmem["honoured"] == {"pmem"}, mrs)
    same("ynl: regions: access", plain["access"], {"remote-write"})
    same("ynl: regions: memory device", pmem.get("memdev"),
         "pmemsim:suite")
    known = {"id", "provider", "domain", "owner", "length", "access", "flags",
             "honoured", "memdev", "dead"}
    check("ynl: regions: nothing else", not (set(plain) | set(pmem)) - known,
          mrs)


def check_inside(pid, provider):
    """The same in another network namespace, from there and from here."""
    inside = ["nsenter", "--net", "--target", pid, KFI_INFO, "--json", "regions"]
    done = subprocess.run(inside, capture_output=True, text=True, check=False)
    mrs = by_owner(json.loads(done.stdout), provider)
    same("inside: regions", sorted((r["length"], r["flags"]) for r in mrs),
         [(192, ["uncached"]), (1 << 20, ["pmem"])])
    check("inside: no memory device", not [r for r in mrs if "memdev" in r], mrs)
    same("inside: not seen from here", [by_owner(listed(c), provider) for c in
                                        ("regions", "endpoints", "queues")], [[]] * 3)


def check_objects(provider):
    """What the suite's show.objects has open."""
    nl = family()
    infos = nl.dump("info-get", {"provider": provider})
    same("ynl: infos: kinds", [i["ep-kind"] for i in infos],
         ["raw", "commit", "both"])
    check("ynl: infos: capabilities", all(
        {"rma", "read", "write"} <= set(i["caps"]) for i in infos), infos)
    same("ynl: infos: methods", [i["commit-methods"] for i in infos],
         [set(), {"server", "read"}, {"server", "read"}])
    check("ynl: infos: limits", all(i["max-msg-size"] >= 1 << 20 and
                                    i["ep-cnt"] and i["mr-iov-limit"]
                                    for i in infos), infos)
    eps = check_endpoints(nl, provider)
    check_stats(eps, provider)
    check_totals(provider)
    check_queues(nl, provider)
    check_regions(nl, provider)
    devs = nl.dump("memdev-get", {})
    same("ynl: memory devices",
         [(d["name"], d["driver"], d["length"], d["regions"], d["sync"])
          for d in devs], [("pmemsim:suite", "pmemsim", 1 << 20, 1, 1)])
    same("ynl: memory devices: persist",
         [(sum(b["count"] for b in d["persist-time"]["bucket"]),
           d["persist-failed"]) for d in devs], [(2, 1)])
    same("kfi_info: memdevs: persist",
         [d["persist-time"]["sum"] for d in listed("memdevs")],
         [d["persist-time"]["sum"] for d in devs])
    same("ynl: command line", len(cli("--dump", "endpoint-get")),
         len(nl.dump("endpoint-get", {})))
    check_info(provider, eps)


def check_info(provider, eps):
    """kfi_info in all its modes."""
    shown = by_owner(listed("endpoints", "-p", provider), provider)
    same("kfi_info: endpoints", [e["id"] for e in shown],
         [e["id"] for e in eps])
    same("kfi_info: endpoints: states", [e["state"] for e in shown],
         [e["state"] for e in eps])
    same("kfi_info: endpoints: kfi_info: of no such domain",
         listed("endpoints", "-d", "none"), [])
    same("kfi_info: regions: lengths",
         sorted(r["length"] for r in
                by_owner(listed("regions"), provider)), [192, 1 << 20])
    same("kfi_info: memdevs",
         [d["sync"] for d in listed("memdevs")], [True])
    same("kfi_info: caps",
         [i["kind"] for i in listed("-p", provider, "-c", "KFI_RMA_PMEM|msg")],
         ["both"])
    same("kfi_info: type",
         len(listed("-p", provider, "-t", "FI_EP_MSG")), 3)
    check_text(provider)


def check_text(provider):
    """What people read."""
    for args in (["endpoints"], ["stats"], ["queues"], ["regions"], ["memdevs"],
                 []):
        for more in ([], ["-v"]):
            status, out, said = run(*args, *more)
            check(f"kfi_info: {' '.join(args + more) or 'text'}",
                  not status and provider in out.replace("pmemsim", provider)
                  and not said, f"{status} {out} {said}")
    status, out, _ = run("-l")
    check("kfi_info: -l", not status and f"{provider}:\n    version: " in out,
          out)
    status, out, said = run("-p", provider, "-t", "rdm")
    same("kfi_info: nothing matches", (status, out, said),
         (1, "", "kfi_info: nothing matches\n"))
    for args in (["-c", "nonsense"], ["-t", "x"], ["nonsense"], ["-x"],
                 ["-p", "x" * 64], ["memdevs", "-p", "x"], ["-l", "regions"],
                 ["-l", "monitor"], ["stats", "stats"]):
        same(f"kfi_info: usage: {args[0]}", run(*args)[0], 2)


def check_refusals():
    """Errors have a reason."""
    nl = family()
    for name, op, attrs, error, text in (
            ("no such object", "endpoint-get", {"id": 0x7fffffff},
             errno.ENOENT, "no such object"),
            ("number 0", "region-get", {"id": 0}, errno.ERANGE, "range"),
            ("name of 64", "info-get", {"provider": "x" * 64}, errno.EINVAL,
             "policy")):
        try:
            nl.dump(op, attrs)
            check(f"refused: {name}", False, "it is not")
        except NlError as ex:
            said = ex.nl_msg.extack or {}
            check(f"refused: {name}", ex.error == error and
                  text in said.get("msg", ""), f"{ex}")
    same("name of 63", nl.dump("info-get", {"provider": "x" * 63}), [])
    check_raw_refusals()


def check_raw_refusals():
    """Of requests that ynl does not make."""
    fuzz = netlink_fuzz.Fuzz(1)
    dump, header = netlink_fuzz.DUMP, struct.Struct("=BBH")
    name = netlink_fuzz.attr(1, b"loopback\0")
    for what, flags, payload, expected in (
            ("a command that is none", dump, header.pack(0, 1, 0), errno.EOPNOTSUPP),
            ("an event", dump, header.pack(6, 1, 0), errno.EOPNOTSUPP),
            ("an unknown command", dump, header.pack(255, 1, 0), errno.EOPNOTSUPP),
            ("no dump", 0, header.pack(3, 1, 0), errno.EOPNOTSUPP),
            ("no header", dump, b"\1", errno.EINVAL)):
        same(f"refused: {what}", fuzz.ask(flags, payload), (expected, None))
    for what, flags, payload, text in (
            ("reserved bits", dump, header.pack(1, 1, 1), "reserved"),
            ("unknown flags", dump | 0x800, header.pack(1, 1, 0), "nlmsg_flags"),
            ("an attribute where there is none", dump, header.pack(1, 1, 0) + name,
             "Unknown attribute type"),
            ("half an attribute", dump, header.pack(3, 1, 0) + name[:7], "leftover")):
        error, said = fuzz.ask(flags, payload)
        check(f"refused: {what}", error == errno.EINVAL and text in (said or ""),
              (error, said))


# What each has that is shown while it comes or goes
WHOLE = {
    "endpoints": {"id", "provider", "domain", "owner", "kind", "state", "tx-size",
                  "rx-size", "stats"},
    "queues": {"id", "provider", "domain", "owner", "size", "reserved", "made", "read",
               "errors"},
    "regions": {"id", "provider", "domain", "owner", "length", "access", "flags"},
    "memdevs": {"name", "driver", "length", "domain", "sync", "regions",
                "persist-failed", "persist-time"},
    "-l": {"name", "version", "open", "opened", "connections", "stats"},
}


def is_sound(command, one):
    """All of it is there, and its numbers can be."""
    if WHOLE[command] - set(one):
        return False
    if command == "endpoints":
        stats = one["stats"]
        return stats["send"]["ops"] <= 2 and stats["recv"]["ops"] <= 2 and \
            stats["send"]["bytes"] == 64 * stats["send"]["ops"]
    if command == "queues":
        return one["read"] <= one["made"] and one["reserved"] <= one["size"]
    if command == "-l":
        return one["open"] <= one["opened"] and \
            one["connections"]["accepted"] <= one["opened"]
    return one["length"] in (64, 128, os.sysconf("SC_PAGESIZE"))


def check_churn(count, seconds):
    """Regions that stay are seen once, whatever else comes and goes."""
    nl = family()
    end = time.monotonic() + float(seconds)
    dumps = 0
    first, wrong, most, states = None, [], dict.fromkeys(WHOLE, 0), set()

    def all_seen():
        return most["regions"] > int(count) and all(most.values()) and \
            "connected" in states

    def goes_on():
        # on a busy machine the others can be missed for some time
        return time.monotonic() < end or dumps < 8 or \
            (not all_seen() and time.monotonic() < end + 60)

    while goes_on():
        for command in WHOLE:
            ynl = command in DUMPS and dumps % 4 == 3
            told = nl.dump(DUMPS[command], {}) if ynl else listed(command)
            ids = [o["id"] for o in told if "id" in o]
            most[command] = max(most[command], len(told))
            wrong += [o for o in told if not is_sound(command, o)]
            wrong += [command] if ids != sorted(set(ids)) else []
            if command == "endpoints":
                states |= {e["state"] for e in told if is_sound(command, e) and
                           e["stats"]["send"]["ops"]}
            if command == "regions":
                stay = [r["id"] for r in told if r["length"] == 64]
                first = first or stay
                wrong += [stay] if stay != first or len(stay) != int(count) else []
        dumps += 1
    check(f"churn: {count} regions and all others in each of {dumps} dumps", not wrong,
          f"{len(wrong)} not: {wrong[:3]}")
    check("churn: others are seen as well", most["regions"] > int(count) and
          all(most.values()), most)
    check("churn: connected endpoints that have sent", "connected" in states, states)


def events_of(path):
    """What kfi_info monitor has written, which is the same in each form."""
    with open(path, encoding="utf-8") as lines:
        events = [json.loads(line) for line in lines]
    with open(f"{path}.text", encoding="utf-8") as lines:
        same("monitor: text", [line.split()[2] for line in lines],
             [e["event"] for e in events])
    with open(f"{path}.loopback", encoding="utf-8") as lines:
        same("monitor: of a provider", [json.loads(line)["event"] for line in lines],
             [e["event"] for e in events if e.get("provider") == "loopback"])
    return events


def check_commit_events(events):
    """A commit has failed: both ends tell, each of itself."""
    failed = [e for e in events if "failures" in e]
    same("monitor: failures", sorted((e["event"], e["failures"]) for e in failed),
         [("commit", 1), ("serve", 1)])
    ends = {e["event"]: e for e in failed}
    check("monitor: the target of a commit", len(ends) == 2 and
          ends["serve"]["local"] == ends["commit"]["peer"] and
          ends["serve"]["id"] != ends["commit"]["id"], failed)


def check_events(path, provider):
    """What kfi_info monitor has written of the suite's show.events."""
    events = events_of(path)
    told = [(e["event"], e.get("error", 0)) for e in events
            if e.get("provider") == provider]
    same("monitor: events", sorted(told),
         sorted([("connect", 0)] * 2 + [("commit", errno.EIO)] +
                [("serve", errno.EIO)] + [("connect", errno.ECONNREFUSED)] +
                [("disconnect", 0)] * 2))
    check_commit_events(events)
    same("monitor: memory devices",
         [(e["name"], e["driver"], e["length"], e["regions"])
          for e in events if e["event"] == "revoke"],
         [("pmemsim:suite", "pmemsim", 1 << 20, 1)])
    connects = [e for e in events
                if e["event"] == "connect" and "error" not in e]
    check("monitor: peers", all(e["peer"]["port"] and e["method"] == "server"
                                for e in connects), connects)


def check_ended(provider):
    """After all of that, what has become of connections."""
    check_connections(provider, {"made": 3, "accepted": 3, "refused": 1,
                                 "shutdown": 6})


def check_removal(path):
    """What it has written of a device that was removed."""
    events = events_of(path)
    check("monitor: removal", [e["domain"] for e in events
                               if e["event"] == "remove"] == ["rxe0"], events)
    # two pairs, and the first one of a pair to go may tell the other one in time
    ended = [e.get("error", 0) for e in events if e["event"] == "disconnect"]
    check("monitor: what the removal ends", len(ended) == 4 and
          ended.count(errno.ENODEV) >= 2, events)
    told = next(p for p in listed("-l") if p["name"] == "verbs")["connections"]
    same("kfi_info: -l: what the removal ends",
         (told["broken"], told["broken"] + told["shutdown"]),
         (sum(1 for e in ended if e), told["made"] + told["accepted"]))


CHECKS = {
    "tool": check_tool,
    "objects": check_objects,
    "inside": check_inside,
    "refusals": check_refusals,
    "churn": check_churn,
    "events": check_events,
    "ended": check_ended,
    "removal": check_removal,
}

# what is not there that should be is a result too, and not only a trace
try:
    CHECKS[CHECK](*ARGS)
except Exception as ex:  # pylint: disable=broad-exception-caught
    check(f"{CHECK}: to the end", False, f"{type(ex).__name__}: {ex}")
    raise
