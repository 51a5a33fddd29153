"""Bytes on the wire: raw messages, silent sockets that must stay silent, and what a proxy may change."""

import re
import select
import socket
import subprocess
import time

from support.sip import CRLF, DEADLINE, Message, rand


def certificate(folder):
    """A key and a self-signed certificate for loopback: (certificate, key) as file names."""
    cert, key = folder / "server.pem", folder / "server.key"
    if not cert.exists():
        subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256",
                        "-nodes", "-days", "2", "-subj", "/CN=hotdesk.test", "-addext",
                        "subjectAltName=DNS:hotdesk.test,IP:127.0.0.1,IP:::1", "-keyout", key, "-out", cert],
                       check=True, capture_output=True)
    return str(cert), str(key)


def issue(folder, name, issuer=None, kind="ec", ca=False, names=""):
    """A certificate and its key, as file names; signed by the issuer's or by itself.

    names: alternative ones, such as "DNS:pbx.test,URI:sip:pbx.test".
    """
    cert, key = str(folder / f"{name}.pem"), str(folder / f"{name}.key")
    new = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256"] if kind == "ec" else ["-newkey", "rsa:2048"]
    by = ["-CA", issuer[0], "-CAkey", issuer[1]] if issuer else []
    subprocess.run(["openssl", "req", "-x509", *new, "-nodes", "-days", "2", "-subj", f"/CN={name}", *by,
                    "-addext", f"basicConstraints=critical,CA:{'TRUE' if ca else 'FALSE'}",
                    *(["-addext", f"subjectAltName={names}"] if names else []),
                    "-keyout", key, "-out", cert], check=True, capture_output=True)
    return cert, key


def with_tls(daemon, *more):
    """Adds a TLS listener (and others) to the configuration of a Daemon that is not started."""
    cert, key = certificate(daemon.folder)
    daemon.conf["sip"].update(tls_certificate=cert, tls_key=key)
    daemon.conf["sip"]["listen"] += ["tls:127.0.0.1:0", *more]
    return daemon


class Ear:
    """A UDP socket on loopback at which nothing should arrive; or which says what did."""

    def __init__(self, host="127.0.0.1"):
        self.sock = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET, socket.SOCK_DGRAM)
        self.sock.bind((host, 0))
        self.host, self.port = host, self.sock.getsockname()[1]

    def heard(self, timeout=0):
        if not select.select([self.sock], [], [], timeout)[0]:
            return None
        return self.sock.recvfrom(65536)[0]

    def close(self):
        self.sock.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()


class Raw:
    """A socket that sends bytes as they are and gives the messages that came back."""

    def __init__(self, server, transport="udp", host=None, port=0):
        self.transport, self.server, self.buf = transport, server, b""
        host = host or ("::1" if ":" in server[0] else "127.0.0.1")
        if transport == "udp":
            self.sock = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET, socket.SOCK_DGRAM)
            self.sock.bind((host, port))
        else:
            self.sock = socket.create_connection(server, timeout=DEADLINE, source_address=(host, port))
            if transport == "tls":
                import ssl
                context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
                context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
                self.sock = context.wrap_socket(self.sock)
        self.address = self.sock.getsockname()

    def send(self, data):
        if isinstance(data, str):
            data = data.encode("utf-8", "surrogateescape")
        if self.transport == "udp":
            self.sock.sendto(data, self.server)
        else:
            self.sock.sendall(data)

    def receive(self, timeout=None):
        """One message, or None when the time is over or the connection was closed."""
        until = time.monotonic() + (DEADLINE if timeout is None else timeout)
        while True:
            if self.transport != "udp" and (raw := self.cut()) is not None:
                return Message(raw)
            left = until - time.monotonic()
            pending = self.transport == "tls" and self.sock.pending()
            if not pending and not select.select([self.sock], [], [], max(0, left))[0]:
                return None
            try:
                data = self.sock.recv(65536)
            except OSError:
                return None
            if self.transport == "udp":
                return Message(data)
            if not data:
                return None
            self.buf += data

    def cut(self):
        self.buf = self.buf.lstrip(b"\r\n")
        head, sep, rest = self.buf.partition(b"\r\n\r\n")
        if not sep:
            return None
        m = re.search(rb"(?im)^(?:content-length|l)[ \t]*:\s*(\d+)", head)
        n = int(m.group(1)) if m else 0
        if len(rest) < n:
            return None
        self.buf = rest[n:]
        return head + sep + rest[:n]

    def is_closed(self, timeout=None):
        """Reads until the other side has closed; false when it does not within the time."""
        until = time.monotonic() + (DEADLINE if timeout is None else timeout)
        while (left := until - time.monotonic()) > 0:
            if not select.select([self.sock], [], [], left)[0]:
                break
            try:
                if not self.sock.recv(65536):
                    return True
            except OSError:
                return True
        return False

    def close(self):
        self.sock.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()


def text(start, headers, body=b"", length=True):
    """A message as bytes; headers are lines, or pairs of name and value."""
    if isinstance(body, str):
        body = body.encode()
    lines = [start] + [h if isinstance(h, str) else f"{h[0]}: {h[1]}" for h in headers]
    if length:
        lines.append(f"Content-Length: {len(body)}")
    return CRLF.join(lines + ["", ""]).encode("utf-8", "surrogateescape") + body


def ping(server, transport="udp", timeout=None):
    """OPTIONS to the server itself; its answer proves that it lives."""
    with Raw(server, transport) as raw:
        host = f"[{server[0]}]" if ":" in server[0] else server[0]
        call_id = rand()
        raw.send(text(f"OPTIONS sip:{host}:{server[1]} SIP/2.0", [
            f"Via: SIP/2.0/{transport.upper()} {host}:9;branch=z9hG4bK{rand()};rport", "Max-Forwards: 70",
            "From: <sip:ping@test>;tag=1", f"To: <sip:{host}>", f"Call-ID: {call_id}", "CSeq: 1 OPTIONS"]))
        answer = raw.receive(timeout)
        assert answer, f"no answer to OPTIONS over {transport}"
        assert answer.get("call-id") == call_id and answer.status == 200, repr(answer)
        return answer


def lines(message, without=()):
    """The header lines of a message as they stood on the wire, but for those of some names (lower case)."""
    head = message.raw.partition(b"\r\n\r\n")[0].split(b"\r\n")[1:]
    found = []
    for line in head:
        if line[:1] in b" \t" and found:
            found[-1] += b"\r\n" + line
        else:
            found.append(line)

    def name(line):
        n = line.partition(b":")[0].strip().lower().decode("latin-1")
        return Message.LONG.get(n, n)
    return [line for line in found if name(line) not in without]


PROXY_ADDS = ("via", "max-forwards", "record-route", "route", "proxy-authorization", "p-asserted-identity")


def assert_forwarded(sent, got, extra_names=()):
    """A request as sent and as its target got it: everything a proxy has no business with is the same."""
    assert lines(got, PROXY_ADDS + tuple(extra_names)) == lines(sent, PROXY_ADDS + tuple(extra_names)), \
        f"sent\n{sent!r}\ngot\n{got!r}"
    assert got.body == sent.body
    vias, old = got.all("via"), sent.all("via")
    assert len(vias) == len(old) + 1 and "branch=z9hG4bK" in vias[0], vias
    assert bare_via(vias[1]) == bare_via(old[0]) and vias[2:] == old[1:], f"{old} became {vias}"
    before = sent.get("max-forwards")
    assert got.get("max-forwards") == (str(int(before) - 1) if before else "70"), repr(got)


def bare_via(value):
    return re.sub(r";\s*(rport(=\d+)?|received=[^;,]*)", "", value)


def assert_answered(sent, got):
    """A response as its sender sent it and as it arrived: the top Via is gone and nothing else changed."""
    assert got.start == sent.start
    assert lines(got, ("via",)) == lines(sent, ("via",)), f"sent\n{sent!r}\ngot\n{got!r}"
    assert got.body == sent.body
    assert got.all("via") == sent.all("via")[1:], repr(got)
