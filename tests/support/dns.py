"""DNS servers on loopback: dnsmasq, and one of our own that is late, silent or wrong on demand."""

import collections
import ipaddress
import shutil
import socket
import struct
import subprocess
import threading
import time

from support.sip import DEADLINE

TYPES = {"A": 1, "CNAME": 5, "SOA": 6, "AAAA": 28, "SRV": 33, "NAPTR": 35}
NAMES = {number: name for name, number in TYPES.items()}
TRUNCATED, SERVFAIL, NXDOMAIN = 0x0200, 2, 3


def encode_name(name):
    labels = [label.encode() for label in name.split(".") if label]
    return b"".join(bytes([len(label)]) + label for label in labels) + b"\0"


def decode_name(data, at):
    labels = []
    while data[at]:
        labels.append(data[at + 1:at + 1 + data[at]].decode())
        at += 1 + data[at]
    return ".".join(labels), at + 1


def string(text):
    return bytes([len(text)]) + text.encode()


def rdata(kind, value):
    """"127.0.0.1"; (priority, weight, port, name); (order, preference, flags, service, regexp, name)."""
    if kind in ("A", "AAAA"):
        return ipaddress.ip_address(value).packed
    if kind == "SRV":
        return struct.pack("!HHH", *value[:3]) + encode_name(value[3])
    if kind == "NAPTR":
        return struct.pack("!HH", *value[:2]) + b"".join(map(string, value[2:5])) + encode_name(value[5])
    if kind == "SOA":
        return encode_name("ns.test") + encode_name("root.test") + struct.pack("!5I", 1, 60, 60, 60, value)
    return encode_name(value)


def record(name, kind, value, ttl):
    data = rdata(kind, value)
    return encode_name(name) + struct.pack("!HHIH", TYPES[kind], 1, ttl, len(data)) + data


class Dns:
    """records: {("pbx.test", "SRV"): [(10, 0, 5060, "a.pbx.test")]}; asked: what came, in order."""

    def __init__(self, records=None, ttl=300, negative=None):
        self.records, self.ttl, self.negative = records or {}, ttl, negative
        self.silent, self.truncate, self.fail = False, False, False
        self.asked = []
        self.udp, self.tcp = two_sockets()
        self.port = self.udp.getsockname()[1]
        self.tcp.listen()
        self.ended = False
        for sock in (self.udp, self.tcp):
            sock.settimeout(0.05)
        self.threads = [threading.Thread(target=f, daemon=True) for f in (self.serve_udp, self.serve_tcp)]
        for thread in self.threads:
            thread.start()

    @property
    def address(self):
        return f"127.0.0.1:{self.port}"

    def counts(self):
        return collections.Counter(self.asked)

    def answer(self, query, over):
        name, at = decode_name(query, 12)
        kind = NAMES.get(struct.unpack_from("!H", query, at)[0], "?")
        self.asked.append((over, name.lower(), kind))
        if self.silent:
            return None
        found = self.records.get((name.lower(), kind), [])
        answers = [record(name, kind, value, self.ttl) for value in found]
        authority, flags = [], 0x8180
        if self.fail:
            answers, flags = [], flags | SERVFAIL
        elif self.truncate and over == "udp":
            answers, flags = [], flags | TRUNCATED
        elif not answers:
            known = any(n == name.lower() for n, _ in self.records)
            flags |= 0 if known else NXDOMAIN
            authority = [record("test", "SOA", self.negative, 3600)] if self.negative else []
        return (query[:2] + struct.pack("!HHHHH", flags, 1, len(answers), len(authority), 0) +
                query[12:at + 4] + b"".join(answers + authority))

    def serve_udp(self):
        while not self.ended:
            try:
                query, peer = self.udp.recvfrom(4096)
            except TimeoutError:
                continue
            reply = self.answer(query, "udp")
            if reply:
                self.udp.sendto(reply, peer)

    def serve_tcp(self):
        while not self.ended:
            try:
                connection = self.tcp.accept()[0]
            except TimeoutError:
                continue
            with connection:
                connection.settimeout(DEADLINE)
                reader = connection.makefile("rb")
                while len(size := reader.read(2)) == 2:
                    reply = self.answer(reader.read(struct.unpack("!H", size)[0]), "tcp")
                    if reply:
                        connection.sendall(struct.pack("!H", len(reply)) + reply)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.ended = True
        for thread in self.threads:
            thread.join()
        self.udp.close()
        self.tcp.close()


def ready(address):
    """Whether a DNS server answers there."""
    query = b"\x12\x34\x01\0\0\x01\0\0\0\0\0\0" + encode_name("ready.test") + b"\0\x01\0\x01"
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.settimeout(0.1)
        sock.connect(address)
        try:
            sock.send(query)
            return sock.recv(512)[:2] == query[:2]
        except OSError:
            return False


def two_sockets():
    """UDP and TCP on the one port: it may be taken in the other protocol."""
    for _ in range(50):
        udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        tcp = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        udp.bind(("127.0.0.1", 0))
        try:
            tcp.bind(udp.getsockname())
            return udp, tcp
        except OSError:
            udp.close(), tcp.close()
    raise AssertionError("no port is free for both")


class Dnsmasq:
    """Debian's dnsmasq with these options; it serves nothing but them."""

    PORT_TAKEN = 2  # exit status

    def __init__(self, *options):
        for _ in range(5):
            udp, tcp = two_sockets()
            self.port = udp.getsockname()[1]
            udp.close()
            tcp.close()
            if self.start(options):
                return
        raise AssertionError(f"dnsmasq does not answer: {self.process.poll()}")

    def start(self, options):
        """False when somebody else was quicker to take the port."""
        self.address = f"127.0.0.1:{self.port}"
        self.process = subprocess.Popen(
            [shutil.which("dnsmasq", path="/usr/sbin:/usr/bin:/sbin"), "--keep-in-foreground",
             "--conf-file=/dev/null", "--no-resolv", "--no-hosts", "--pid-file=", "--log-facility=-",
             f"--port={self.port}", "--listen-address=127.0.0.1", "--bind-interfaces", "--user=",
             "--local=/test/", "--local-ttl=60", *options], stderr=subprocess.PIPE)
        until = time.monotonic() + DEADLINE
        while not ready(("127.0.0.1", self.port)):
            if self.process.poll() == self.PORT_TAKEN:
                return False
            assert self.process.poll() is None and time.monotonic() < until, \
                f"dnsmasq does not answer: {self.process.poll()}"
        return True

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.terminate()
        self.process.communicate()
