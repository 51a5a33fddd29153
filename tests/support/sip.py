"""A small SIP user agent for tests: it sends what a test says and gives what came, nothing more.

Sockets are on loopback with ports of the system. Every wait has a deadline; a failing wait tells what was
expected and what came instead.
"""

import hashlib
import os
import re
import select
import socket
import ssl
import struct
import time

CRLF = "\r\n"
DEADLINE = float(os.environ.get("HD_DEADLINE", "20"))
SO_TIMESTAMPNS = 35
TRAFFIC = []  # what phones sent ("sent", phone, Message) and received ("received", ...), for support.lint


class Message:
    """A parsed SIP message: start line, headers as (name, value) pairs, body as bytes."""

    LONG = {"v": "via", "f": "from", "t": "to", "i": "call-id", "m": "contact", "l": "content-length",
            "c": "content-type", "s": "subject", "k": "supported"}

    def __init__(self, raw):
        self.raw = raw
        head, _, self.body = raw.partition(b"\r\n\r\n")
        lines = re.sub(rb"\r\n[ \t]+", b" ", head).decode("utf-8", "surrogateescape").split(CRLF)
        self.start = lines[0]
        self.headers = []
        for line in lines[1:]:
            name, _, value = line.partition(":")
            name = name.strip().lower()
            self.headers.append((self.LONG.get(name, name), value.strip()))

    @property
    def status(self):
        m = re.match(r"SIP/2\.0 (\d+)(?: |$)", self.start)
        return int(m.group(1)) if m else 0

    @property
    def method(self):
        return "" if self.status else (self.start.split() or [""])[0]

    @property
    def ruri(self):
        return self.start.split()[1]

    def all(self, name):
        return [v for n, v in self.headers if n == name.lower()]

    def get(self, name, default=None):
        values = self.all(name)
        return values[0] if values else default

    def tag(self, name):
        m = re.search(r";\s*tag=([^;\s]+)", self.get(name, ""))
        return m.group(1) if m else None

    @property
    def cseq_method(self):
        return self.get("cseq", "0 ?").split()[-1]

    def __repr__(self):
        return self.raw.decode("utf-8", "replace")


def md5(text):
    return hashlib.md5(text.encode()).hexdigest()


def digest(challenge, method, uri, user, password, nc=1, cnonce="0a4f113b", qop=True):
    """The credentials for one challenge value, RFC 7616."""
    p = {k.lower(): v for k, v in re.findall(r'(\w+)="?([^",]+)"?', challenge)}
    h = md5 if p.get("algorithm", "MD5").upper() == "MD5" else \
        lambda t: hashlib.sha256(t.encode()).hexdigest()
    ha1, ha2 = h(f"{user}:{p['realm']}:{password}"), h(f"{method}:{uri}")
    text = f'Digest username="{user}", realm="{p["realm"]}", nonce="{p["nonce"]}", uri="{uri}"'
    if qop and "qop" in p:
        response = h(f"{ha1}:{p['nonce']}:{nc:08x}:{cnonce}:auth:{ha2}")
        text += f', qop=auth, nc={nc:08x}, cnonce="{cnonce}"'
    else:
        response = h(f"{ha1}:{p['nonce']}:{ha2}")
    return text + f', response="{response}", algorithm={p.get("algorithm", "MD5")}'


def rand(n=8):
    return os.urandom(n).hex()


class Stream:
    """Frames messages on TCP or TLS by Content-Length (RFC 3261 18.3)."""

    def __init__(self, sock):
        self.sock, self.buf = sock, b""

    def feed(self):
        try:
            data = self.sock.recv(65536)
        except (ssl.SSLWantReadError, BlockingIOError):
            return True
        self.buf += data
        return bool(data)

    def next(self):
        self.buf = self.buf.lstrip(b"\r\n")
        head, sep, rest = self.buf.partition(b"\r\n\r\n")
        if not sep:
            return None
        m = re.search(rb"(?im)^(?:content-length|l)\s*:\s*(\d+)", head)
        n = int(m.group(1)) if m else 0
        if len(rest) < n:
            return None
        self.buf = rest[n:]
        return head + sep + rest[:n]


class Phone:
    """One SIP account on one socket."""

    def __init__(self, server, user, password, transport="udp", domain="hotdesk.test", host="127.0.0.1",
                 agent="test phone 1.0", behind=None, port=0, certificate=None, sock=None):
        """behind: (host, port) that Via and Contact name instead of the real ones, as behind a NAT.

        certificate: of the phone, for TLS: (file, key). sock: a connection that was made to it.
        """
        self.server, self.user, self.password = server, user, password
        self.transport, self.domain, self.agent = transport, domain, agent
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        if sock:
            self.sock, self.stream = sock, Stream(sock)
        elif transport == "udp":
            self.sock = socket.socket(family, socket.SOCK_DGRAM)
            self.sock.bind((host, port))
            self.sock.setsockopt(socket.SOL_SOCKET, SO_TIMESTAMPNS, 1)
            self.stream = None
        else:
            self.sock = socket.create_connection(server, timeout=DEADLINE, source_address=(host, port))
            if transport == "tls":
                context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
                context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
                if certificate:
                    context.load_cert_chain(*certificate)
                self.sock = context.wrap_socket(self.sock)
            self.stream = Stream(self.sock)
        addr = self.sock.getsockname()
        self.host, self.port = (f"[{addr[0]}]" if ":" in addr[0] else addr[0]), addr[1]
        self.real = addr[:2]
        if behind:
            self.host, self.port = behind
        self.log, self.inbox = [], []
        self.taken = set()  # methods and Vias of requests
        self.given = set()  # what wait() has returned, as it came
        self.nonce, self.nc = None, 0
        self.call_id, self.cseq = rand() + "@reg", 0
        self.closed = False
        self.accepted = set()  # top Via of the INVITEs

    def close(self):
        self.sock.close()

    # ---- wire ------------------------------------------------------------------------------------

    def send_raw(self, data):
        TRAFFIC.append(("sent", self, Message(data)))
        if self.stream:
            self.sock.sendall(data)
        else:
            self.sock.sendto(data, self.server)

    def send(self, start, headers, body=b""):
        if isinstance(body, str):
            body = body.encode()
        lines = [start] + [f"{n}: {v}" for n, v in headers] + [f"Content-Length: {len(body)}", "", ""]
        data = CRLF.join(lines).encode("utf-8", "surrogateescape") + body
        self.sent = Message(data)
        self.send_raw(data)

    def take(self, raw, at=None):
        message = Message(raw)
        message.at = at
        TRAFFIC.append(("received", self, message))
        if not self.is_again(message):
            self.inbox.append(message)

    def pump(self, timeout):
        """Reads what is there, waiting at most timeout for something; false when nothing came."""
        if self.closed:
            return False
        if not (self.stream and hasattr(self.sock, "pending") and self.sock.pending()):
            if not select.select([self.sock], [], [], max(0, timeout))[0]:
                return False
        if not self.stream:
            raw, extra, _, self.peer = self.sock.recvmsg(65536, 64)
            seconds, nanoseconds = struct.unpack("qq", extra[0][2][:16])
            self.take(raw, seconds + nanoseconds / 1e9)  # when the system had it, however late we read
        else:
            if not self.stream.feed():
                self.closed = True
            while (raw := self.stream.next()) is not None:
                self.take(raw)
        return True

    def wait(self, what, match, timeout=None):
        """The first message that matches, out of the inbox; others stay."""
        until = time.monotonic() + (timeout or DEADLINE)
        while True:
            for i, m in enumerate(self.inbox):
                if match(m):
                    self.given.add(m.raw)
                    return self.inbox.pop(i)
            left = until - time.monotonic()
            if self.closed or not self.pump(left) and left <= 0:
                raise AssertionError(f"{self.user}: expected {what}, got {[m.start for m in self.inbox]}")

    def none(self, what, match, timeout, again=False):
        """Fails when a matching message comes within the time.

        What was taken already and is sent once more, for its answer was late, does not match but with `again`.
        """
        until = time.monotonic() + timeout
        while (left := until - time.monotonic()) > 0:
            self.pump(left)
        while self.pump(0):
            pass
        for m in self.inbox:
            assert not match(m) or (m.raw in self.given and not again), \
                f"{self.user}: expected no {what}, got {m.start}"

    def fence(self):
        """What was sent to this phone until now is in the inbox: the answer to an OPTIONS comes after it."""
        kept, call_id = getattr(self, "sent", None), rand() + "@fence"
        uri = f"sip:{self.domain}"
        self.send(f"OPTIONS {uri} SIP/2.0", self.base("OPTIONS", uri, call_id, 1, rand(4)))
        self.sent = kept
        self.wait("the answer to OPTIONS", lambda m: m.status >= 200 and m.get("call-id") == call_id)

    def final(self, method, call_id=None, cseq=None):
        return self.wait(f"final response to {method}",
                         lambda m: m.status >= 200 and m.cseq_method == method and
                         (call_id is None or m.get("call-id") == call_id) and
                         (cseq is None or m.get("cseq").split()[0] == str(cseq)))

    def request(self, method, timeout=None):
        """The next request; one that is sent again, for its answer came late, is no next one."""
        found = self.wait(f"request {method}", lambda m: m.method == method, timeout)
        if method not in ("ACK", "INVITE"):
            self.taken.add((method, found.get("via")))
            self.inbox = [m for m in self.inbox if not self.is_again(m)]
        return found

    def is_again(self, message):
        return (message.method, message.get("via")) in self.taken

    # ---- requests ---------------------------------------------------------------------------------

    @property
    def contact(self):
        t = "" if self.transport == "udp" else f";transport={self.transport}"
        return f"<sip:{self.user}@{self.host}:{self.port}{t}>"

    def via(self, branch=None):
        return (f"SIP/2.0/{self.transport.upper()} {self.host}:{self.port}"
                f";branch={branch or 'z9hG4bK' + rand()};rport")

    def base(self, method, to, call_id, cseq, from_tag, to_tag=None, branch=None):
        return [("Via", self.via(branch)), ("Max-Forwards", "70"),
                ("From", f"<sip:{self.user}@{self.domain}>;tag={from_tag}"),
                ("To", f"<{to}>" + (f";tag={to_tag}" if to_tag else "")),
                ("Call-ID", call_id), ("CSeq", f"{cseq} {method}"), ("User-Agent", self.agent)]

    def authorization(self, answer, method, uri, algorithm="MD5"):
        name = "WWW-Authenticate" if answer.status == 401 else "Proxy-Authenticate"
        values = answer.all(name)
        pick = [v for v in values if f"algorithm={algorithm}" in v] or values
        assert pick, f"{answer.status} without {name}:\n{answer}"
        self.challenge, self.nc = pick[0], 1
        return ("Authorization" if answer.status == 401 else "Proxy-Authorization",
                digest(pick[0], method, uri, self.user, self.password))

    def register(self, expires=3600, contact=None, extra=(), algorithm="MD5", expect=200):
        """REGISTER with the challenge answered; the final response."""
        uri, tag = f"sip:{self.domain}", rand(4)
        credentials = []
        for _ in range(3):
            self.cseq += 1
            headers = self.base("REGISTER", f"sip:{self.user}@{self.domain}", self.call_id, self.cseq, tag)
            headers += [("Contact", self.contact if contact is None else contact)] if contact != "" else []
            headers += ([("Expires", str(expires))] if expires is not None else []) + list(extra)
            self.send(f"REGISTER {uri} SIP/2.0", headers + credentials)
            answer = self.final("REGISTER", self.call_id, self.cseq)
            if answer.status != 401 or (credentials and "stale=true" not in repr(answer)):
                break
            credentials = [self.authorization(answer, "REGISTER", uri, algorithm)]
        assert expect is None or answer.status == expect, \
            f"{self.user}: expected {expect} to REGISTER, got\n{answer}"
        return answer

    def call(self, to, body="", extra=(), method="INVITE"):
        """Sends an INVITE (or another request outside a dialog); a Call to go on with."""
        return Call(self, to, method, body, extra)

    def accept(self, timeout=None, call_id=None):
        """The next INVITE, as a Call of the callee; one that was sent again is not another."""
        invite = self.wait("an INVITE", lambda m: m.method == "INVITE" and m.get("via") not in self.accepted and
                           call_id in (None, m.get("call-id")), timeout)
        self.accepted.add(invite.get("via"))
        return Call.incoming(self, invite)

    def reply(self, request, status, phrase="OK", to_tag=None, extra=(), body=""):
        headers = [("Via", v) for v in request.all("via")]
        headers += [("Record-Route", v) for v in request.all("record-route")]
        to = request.get("to")
        if to_tag and ";tag=" not in to:
            to += f";tag={to_tag}"
        headers += [("From", request.get("from")), ("To", to), ("Call-ID", request.get("call-id")),
                    ("CSeq", request.get("cseq"))] + list(extra)
        self.send(f"SIP/2.0 {status} {phrase}", headers, body)


SDP = (b"v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\n"
       b"m=audio 40000 RTP/AVP 8 0 101\r\na=rtpmap:101 telephone-event/8000\r\n")


class Call:
    """One dialog from one side."""

    def __init__(self, phone, to, method="INVITE", body="", extra=()):
        self.phone, self.method = phone, method
        self.uri = to if to.startswith(("sip", "urn:")) else f"sip:{to}@{phone.domain}"
        self.to_uri = self.uri
        self.call_id, self.local_tag, self.remote_tag = rand() + "@call", rand(4), None
        self.cseq, self.routes, self.remote = 0, [], None
        self.body, self.extra, self.caller = body, list(extra), True
        self.credentials, self.branch = [], None
        self.send_initial()

    @classmethod
    def incoming(cls, phone, invite):
        self = cls.__new__(cls)
        self.phone, self.invite, self.caller, self.method = phone, invite, False, invite.method
        self.call_id = invite.get("call-id")
        self.local_tag, self.remote_tag = rand(4), invite.tag("from")
        self.routes = invite.all("record-route")
        self.remote = re.search(r"<([^>]+)>", invite.get("contact", "<>")).group(1) \
            if invite.get("contact") else None
        self.uri = self.to_uri = re.search(r"<([^>]+)>", invite.get("from")).group(1)
        self.cseq = 100
        return self

    def send_initial(self):
        self.cseq += 1
        self.branch = "z9hG4bK" + rand()
        headers = self.phone.base(self.method, self.to_uri, self.call_id, self.cseq, self.local_tag,
                                  branch=self.branch)
        headers += [("Contact", self.phone.contact)] + self.extra + self.credentials
        if self.body and not any(n == "Content-Type" for n, _ in self.extra):
            headers.append(("Content-Type", "application/sdp"))
        self.headers = headers
        self.phone.send(f"{self.method} {self.uri} SIP/2.0", headers, self.body)

    def ack_failure(self, answer):
        headers = [h for h in self.headers if h[0] in ("Via", "From", "Call-ID", "Max-Forwards")]
        headers += [("To", answer.get("to")), ("CSeq", f"{self.cseq} ACK")]
        self.phone.send(f"ACK {self.uri} SIP/2.0", headers)

    def final(self):
        """The final response, challenges answered, refusals acknowledged, 2xx made a dialog."""
        for _ in range(3):
            answer = self.phone.final(self.method, self.call_id, self.cseq)
            if self.method == "INVITE" and answer.status >= 300:
                self.ack_failure(answer)
            if answer.status not in (401, 407):
                break
            self.credentials = [self.phone.authorization(answer, self.method, self.uri)]
            self.send_initial()
        if 200 <= answer.status < 300:
            self.remote_tag = answer.tag("to")
            self.routes = list(reversed(answer.all("record-route")))
            contact = answer.get("contact")
            self.remote = re.search(r"<([^>]+)>", contact).group(1) if contact else None
        return answer

    def challenge(self):
        """Answers the 407, so that the request itself is on its way."""
        answer = self.phone.final(self.method, self.call_id, self.cseq)
        assert answer.status in (401, 407), f"expected a challenge, got\n{answer}"
        if self.method == "INVITE":
            self.ack_failure(answer)
        self.credentials = [self.phone.authorization(answer, self.method, self.uri)]
        self.send_initial()
        return self

    def provisional(self, status):
        return self.phone.wait(f"{status}", lambda m: m.status == status and
                               m.get("call-id") == self.call_id)

    def in_dialog(self, method, extra=(), body="", cseq=None):
        if method not in ("ACK", "CANCEL"):
            self.cseq += 1
        headers = [("Via", self.phone.via()), ("Max-Forwards", "70"),
                   ("From", f"<sip:{self.phone.user}@{self.phone.domain}>;tag={self.local_tag}")
                   if self.caller else ("From", self.invite.get("to") + f";tag={self.local_tag}"),
                   ("To", f"<{self.to_uri}>;tag={self.remote_tag}") if self.caller
                   else ("To", self.invite.get("from")),
                   ("Call-ID", self.call_id), ("CSeq", f"{cseq or self.cseq} {method}")]
        headers += [("Route", r) for r in self.routes]
        if not any(n == "Contact" for n, _ in extra):
            headers.append(("Contact", self.phone.contact))
        headers += extra
        if body and not any(n == "Content-Type" for n, _ in extra):
            headers.append(("Content-Type", "application/sdp"))
        self.phone.send(f"{method} {self.remote} SIP/2.0", headers, body)
        return self

    def ack(self):
        return self.in_dialog("ACK")

    def cancel(self, extra=()):
        headers = [h for h in self.headers if h[0] in ("Via", "From", "To", "Call-ID", "Max-Forwards")]
        self.phone.send(f"CANCEL {self.uri} SIP/2.0", headers + [("CSeq", f"{self.cseq} CANCEL")] +
                        list(extra))

    def answer(self, status, phrase="", extra=(), body=None):
        extra = list(extra)
        if status < 300:
            extra.append(("Contact", self.phone.contact))
        if 200 <= status < 300 and body is None:
            body, _ = SDP, extra.append(("Content-Type", "application/sdp"))
        self.phone.reply(self.invite, status, phrase or str(status), self.local_tag, extra, body or b"")

    def bye(self):
        """BYE and its answer."""
        self.in_dialog("BYE")
        return self.phone.final("BYE", self.call_id)
