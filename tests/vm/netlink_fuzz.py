#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
"""
Mutated requests to the netlink family: each has an answer, an error or the end of a
dump, and errors have a text, but for those that generic netlink has none for.

  netlink_fuzz.py SEED COUNT
"""

import errno
import random
import socket
import struct
import sys

NLMSG_ERROR, NLMSG_DONE = 2, 3
REQUEST, ACK, DUMP = 1, 4, 0x300
CAPPED, TLVS = 0x100, 0x200
GENL_ID_CTRL, CTRL_CMD_GETFAMILY = 16, 3
SOL_NETLINK, CAP_ACK, EXT_ACK = 270, 10, 11
# the text of an extended acknowledgment
TEXT = 1
# those that are no events
COMMANDS = (1, 2, 3, 4, 5, 10)


def attr(kind, data):
    """An attribute with its padding."""
    return struct.pack("=HH", 4 + len(data), kind) + data + \
        b"\0" * (-len(data) % 4)


def message(kind, flags, seq, payload):
    """A message with its header."""
    return struct.pack("=IHHII", 16 + len(payload), kind, flags, seq, 0) + \
        payload


def error_without_text(flags, payload):
    """The error that generic netlink has no text for, if it refuses a request by that."""
    if len(payload) < 4:
        return errno.EINVAL
    if payload[0] not in COMMANDS or flags & DUMP != DUMP:
        return errno.EOPNOTSUPP
    return None


def text_in(data):
    """The text among attributes, or None."""
    while len(data) >= 4:
        size, kind = struct.unpack_from("=HH", data)
        if kind == TEXT:
            return data[4:size].rstrip(b"\0").decode()
        data = data[(size + 3) & ~3:]
    return None


class Fuzz:
    """A socket, and what is sent through it."""

    def __init__(self, seed):
        self.rnd = random.Random(seed)
        self.sock = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, 16)
        self.sock.bind((0, 0))
        self.sock.setsockopt(SOL_NETLINK, EXT_ACK, 1)
        self.sock.setsockopt(SOL_NETLINK, CAP_ACK, 1)
        self.sock.settimeout(20)
        self.seq = 0
        self.answers = {}
        self.texts = 0
        self.without = {}
        self.wrong = []
        self.last = None
        self.family = self.find()

    def find(self):
        """The number of the family."""
        self.seq += 1
        self.sock.send(message(
            GENL_ID_CTRL, REQUEST, self.seq,
            struct.pack("=BBH", CTRL_CMD_GETFAMILY, 1, 0) +
            attr(2, b"kfabric\0")))
        data = self.sock.recv(65536)
        offset = 20
        while offset < len(data):
            size, kind = struct.unpack_from("=HH", data, offset)
            if kind == 1:
                return struct.unpack_from("=H", data, offset + 4)[0]
            offset += (size + 3) & ~3
        sys.exit("not ok fuzz: there is no family")

    def attributes(self):
        """Some, in most cases not all as they should be."""
        rnd, out = self.rnd, b""
        if rnd.random() < .3:
            return b"".join(rnd.sample((
                attr(2, b"loopback\0"), attr(3, b"lo\0"),
                attr(1, struct.pack("=Q", rnd.randrange(1, 99)))),
                rnd.randrange(3)))
        for _ in range(rnd.choice((0, 1, 1, 1, 2, 3, 30))):
            kind = rnd.choice((0, 1, 1, 2, 2, 3, 3, 4, 5, 13, 64, 16383))
            kind |= rnd.choice((0, 0, 0, 0, 0x8000, 0x4000))
            data = rnd.choice((
                lambda: struct.pack(rnd.choice(("=I", "=Q")),
                                    rnd.choice((0, 1, 2, 2**31, 2**32 - 1))),
                lambda: rnd.choice((b"loopback\0", b"verbs\0", b"lo\0", b"\0")),
                lambda: b"x" * rnd.choice((62, 63, 64, 65, 1000)) + b"\0" *
                rnd.choice((0, 1)),
                lambda: rnd.randbytes(rnd.choice((0, 1, 2, 3, 4, 5, 8, 63, 64))),
                lambda: attr(1, attr(1, rnd.randbytes(4)) * 3)))()
            one = attr(kind, data)
            if rnd.random() < .1:
                one = struct.pack("=H", rnd.choice(
                    (0, 1, 3, 4, 5, len(one) + 4, 0xffff))) + one[2:]
            out += one
        if rnd.random() < .1:
            out = out[:rnd.randrange(len(out) + 1)]
        if rnd.random() < .05:
            out = out + rnd.randbytes(rnd.randrange(1, 9))
        return out

    def once(self):
        """One request. Returns whether it has an answer."""
        rnd = self.rnd
        self.seq += 1
        cmd = rnd.choice((1, 2, 3, 3, 4, 4, 5, 10, 10, 0, 6, 9, 11, 12, 13, 255))
        flags = REQUEST | ACK | rnd.choice((DUMP, DUMP, DUMP, 0, 0x100, 0x200))
        payload = struct.pack("=BBH", cmd, rnd.choice((0, 1, 1, 1, 2, 255)),
                              rnd.choice((0,) * 9 + (1,))) + self.attributes()
        if rnd.random() < .02:
            payload = payload[:rnd.randrange(len(payload) + 1)]
        request = message(self.family, flags, self.seq, payload)
        if rnd.random() < .02:
            # nobody answers for what is not whole; the next one has to be
            self.sock.send(struct.pack("=I", rnd.choice(
                (0, 1, 15, len(request) + 1, 2**32 - 1))) + request[4:])
            return
        self.sock.send(request)
        while not self.read():
            pass
        self.judge(flags, payload)

    def ask(self, flags, payload):
        """The error that a request has, or 0, and its text, or None."""
        self.seq += 1
        self.sock.send(message(self.family, REQUEST | ACK | flags, self.seq, payload))
        while not self.read():
            pass
        return self.last

    def judge(self, flags, payload):
        """Whether the last answer has a text if it has to have one."""
        error, text = self.last
        if error and text:
            self.texts += 1
        elif error and error == error_without_text(flags, payload):
            self.without[error] = self.without.get(error, 0) + 1
        elif error:
            self.wrong.append((errno.errorcode.get(error, error), flags, payload.hex()))

    def read(self):
        """Reads some of an answer. Returns whether it is the end."""
        data = self.sock.recv(1 << 17)
        offset, end = 0, False
        while offset + 16 <= len(data):
            size, kind, flags, seq, _ = struct.unpack_from("=IHHII", data, offset)
            if seq == self.seq and kind in (NLMSG_ERROR, NLMSG_DONE):
                error = -struct.unpack_from("=i", data, offset + 16)[0]
                self.answers[error] = self.answers.get(error, 0) + 1
                # the request's header comes with an error, but not with an end
                skip = 36 if kind == NLMSG_ERROR else 20
                self.last = error, (text_in(data[offset + skip:offset + size])
                                    if flags & TLVS else None)
                end = True
            offset += (size + 3) & ~3
        return end


def main():
    """Prints one result."""
    seed, count = int(sys.argv[1]), int(sys.argv[2])
    fuzz = Fuzz(seed)
    try:
        for _ in range(count):
            fuzz.once()
    except TimeoutError:
        print(f"not ok fuzz: no answer to request {fuzz.seq}, seed {seed}")
        return
    named = {errno.errorcode.get(e, e): n for e, n in fuzz.answers.items()}
    without = {errno.errorcode[e]: n for e, n in fuzz.without.items()}
    print(f"# answers: {named}, with a text: {fuzz.texts}, without: {without}")
    if fuzz.wrong:
        print(f"not ok fuzz: {len(fuzz.wrong)} errors without a text, seed {seed}: "
              f"{fuzz.wrong[:3]}")
        return
    known = {0, errno.EINVAL, errno.ERANGE, errno.ENOENT, errno.EOPNOTSUPP}
    if set(fuzz.answers) - known or not fuzz.answers.get(0) or not fuzz.texts:
        print(f"not ok fuzz: answers to {count} requests, seed {seed}")
    else:
        print(f"ok fuzz: {count} requests")


if __name__ == "__main__":
    main()
