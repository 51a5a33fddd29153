"""A registrar that only counts: what comes, how much at once, and whether it came in time.

It checks the digest (MD5, qop=auth) of every REGISTER, answers after a fixed delay, and remembers of each
account until when it is registered. One process of its own, so that its work is not the bench's.
"""
import hashlib
import heapq
import multiprocessing
import re
import select
import socket
import time

REALM = "pbx.bench"
NONCE = "4f6e63652d666f722d616c6c"
FIELD = re.compile(rb'(\w+)=(?:"([^"]*)"|([^\s,]+))')
LINE = re.compile(rb"^(via|v|from|f|to|t|call-id|i|cseq|contact|m|expires|authorization) *: *(.*?)\r?$",
                  re.I | re.M)
LONG = {b"v": b"via", b"f": b"from", b"t": b"to", b"i": b"call-id", b"m": b"contact"}


def md5(text):
    """In hexadecimal."""
    return hashlib.md5(text).hexdigest().encode()


class Registrar:
    """The state of the process."""

    def __init__(self, sock, password, lifetime_s, delay_s):
        self.sock, self.password, self.lifetime_s, self.delay_s = sock, password, lifetime_s, delay_s
        self.until = {}  # account: end of its registration
        self.left = []  # what is to be answered: (when, number, datagram, address)
        self.seen = 0
        self.waiting = set()  # requests that have no answer yet, by branch
        self.reset()

    def reset(self):
        """Begins to count anew; registrations stay."""
        self.count = {"requests": 0, "copies": 0, "challenged": 0, "registered": 0, "refreshed": 0, "late": 0,
                      "refused": 0, "gone": 0, "other": 0}
        self.most_waiting, self.ages, self.seconds = 0, [], {}

    def figures(self):
        """All of it, at this moment."""
        now = time.monotonic()
        live = sum(1 for until in self.until.values() if until > now)
        return self.count | {"live": live, "lapsed": len(self.until) - live, "most_waiting": self.most_waiting,
                             "peak_per_s": max(self.seconds.values(), default=0),
                             "seconds": len(self.seconds), "ages": self.ages}

    def is_good(self, fields, method=b"REGISTER"):
        """RFC 7616, MD5 and qop=auth."""
        get = fields.get
        ha1 = md5(b":".join((get(b"username", b""), REALM.encode(), self.password.encode())))
        ha2 = md5(method + b":" + get(b"uri", b""))
        return get(b"nonce") == NONCE.encode() and get(b"response") == md5(b":".join(
            (ha1, get(b"nonce"), get(b"nc", b""), get(b"cnonce", b""), get(b"qop", b""), ha2)))

    def register(self, head, now):
        """The answer's first line, and its own lines."""
        fields = {name.lower(): a or b for name, a, b in FIELD.findall(head.get(b"authorization", b""))}
        if not fields:
            self.count["challenged"] += 1
            return (b"401 Unauthorized",
                    f'WWW-Authenticate: Digest realm="{REALM}", nonce="{NONCE}", algorithm=MD5, qop="auth"\r\n'.encode())
        if not self.is_good(fields):
            self.count["refused"] += 1
            return b"403 Forbidden", b""
        account = fields[b"username"]
        if head.get(b"expires", b"").strip() == b"0":
            self.count["gone"] += 1
            self.until.pop(account, None)
            return b"200 OK", b""
        before = self.until.get(account)
        self.until[account] = now + self.lifetime_s
        if before is None:
            self.count["registered"] += 1
        elif before < now:
            self.count["late"] += 1
        else:
            self.count["refreshed"] += 1
            self.ages.append(round(self.lifetime_s - (before - now), 2))
        contact = head.get(b"contact", b"")
        return b"200 OK", b"Contact: " + contact + b";expires=%d\r\n" % self.lifetime_s

    def take(self, datagram, address, now):
        """A request, to be answered when its time has come."""
        if not datagram.startswith(b"REGISTER "):
            self.count["other"] += 1
            if datagram.startswith(b"OPTIONS "):
                self.send(datagram, address, b"200 OK", b"")
            return
        branch = re.search(rb"branch=([^;\s]+)", datagram).group(1)
        self.count["requests"] += 1
        self.seconds[int(now)] = self.seconds.get(int(now), 0) + 1
        if branch in self.waiting:
            self.count["copies"] += 1
            return
        self.waiting.add(branch)
        self.most_waiting = max(self.most_waiting, len(self.waiting))
        self.seen += 1
        heapq.heappush(self.left, (now + self.delay_s, self.seen, datagram, address, branch))

    def send(self, datagram, address, status, lines):
        """An answer with the header fields that a request's answer has."""
        head = [(LONG.get(name.lower(), name.lower()), value) for name, value in LINE.findall(datagram)]
        text = b"SIP/2.0 " + status + b"\r\n"
        for name, value in head:
            if name in (b"via", b"from", b"call-id", b"cseq"):
                text += name + b": " + value + b"\r\n"
            elif name == b"to":
                text += b"to: " + value + (b"" if b";tag=" in value else b";tag=r") + b"\r\n"
        self.sock.sendto(text + lines + b"Content-Length: 0\r\n\r\n", address)

    def answer(self, now):
        """What is due."""
        while self.left and self.left[0][0] <= now:
            _, _, datagram, address, branch = heapq.heappop(self.left)
            head = {LONG.get(name.lower(), name.lower()): value for name, value in LINE.findall(datagram)}
            self.send(datagram, address, *self.register(head, now))
            self.waiting.discard(branch)

    def run(self, pipe):
        """Until the other end says so."""
        while True:
            pause = max(0, self.left[0][0] - time.monotonic()) if self.left else 1
            ready, _, _ = select.select([self.sock, pipe], [], [], min(pause, 1))
            if pipe in ready:
                word = pipe.recv()
                if word == "end":
                    return
                if word == "reset":
                    self.reset()
                pipe.send(self.figures())
            if self.sock in ready:
                for _ in range(200):
                    try:
                        datagram, address = self.sock.recvfrom(65535, socket.MSG_DONTWAIT)
                    except BlockingIOError:
                        break
                    self.take(datagram, address, time.monotonic())
            self.answer(time.monotonic())


class Process:
    """with Process(...) as registrar: registrar.address, registrar.ask()"""

    def __init__(self, host, password, lifetime_s, delay_s):
        sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 8388608)
        sock.bind((host, 0))
        self.address = sock.getsockname()
        self.pipe, theirs = multiprocessing.Pipe()
        registrar = Registrar(sock, password, lifetime_s, delay_s)
        self.process = multiprocessing.Process(target=registrar.run, args=(theirs,), daemon=True)

    def __enter__(self):
        self.process.start()
        return self

    def ask(self, word="figures"):
        """What it has counted; "reset" begins anew."""
        self.pipe.send(word)
        return self.pipe.recv()

    def __exit__(self, *_):
        self.pipe.send("end")
        self.process.join(5)
        self.process.kill()
