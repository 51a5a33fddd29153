"""A phone that fetches its configuration: HTTP and HTTPS, digest, client certificates, bytes as they are."""

import contextlib
import hashlib
import os
import re
import socket
import ssl
import subprocess

from support.sip import DEADLINE


class Reply:
    def __init__(self, head, body):
        line, _, fields = head.partition("\r\n")
        self.version, self.status = line.split()[0], int(line.split()[1])
        self.fields = [tuple(f.split(": ", 1)) for f in fields.split("\r\n") if f]
        self.raw = body
        self.body = body.decode(errors="replace")

    def all(self, name):
        return [v for k, v in self.fields if k.lower() == name.lower()]

    def get(self, name):
        return next(iter(self.all(name)), None)

    def __repr__(self):
        return f"{self.status} {self.fields} {self.body[:400]}"


def parameters(challenge):
    return {k: a or b for k, a, b in re.findall(r'(\w+)=(?:"([^"]*)"|([^",\s]+))', challenge)}


def authorization(challenge, method, uri, user, password, nc=1, qop=True):
    """RFC 7616 for one challenge."""
    c = parameters(challenge)
    name = c.get("algorithm", "MD5")

    def h(text):
        return (hashlib.sha256 if name == "SHA-256" else hashlib.md5)(text.encode()).hexdigest()

    realm, nonce = c["realm"], c["nonce"]
    ha1, ha2 = h(f"{user}:{realm}:{password}"), h(f"{method}:{uri}")
    fields = f'username="{user}", realm="{realm}", nonce="{nonce}", uri="{uri}", algorithm={name}'
    if not qop:
        response = h(f"{ha1}:{nonce}:{ha2}")
        return f'Digest {fields}, response="{response}"'
    cnonce = os.urandom(6).hex()
    response = h(f"{ha1}:{nonce}:{nc:08x}:{cnonce}:auth:{ha2}")
    return f'Digest {fields}, response="{response}", qop=auth, nc={nc:08x}, cnonce="{cnonce}"'


class Web:
    """One TCP or TLS connection to the server for phones."""

    def __init__(self, address, tls=True, cert=None, source=None, version=None, timeout=DEADLINE):
        self.sock = socket.create_connection(address, timeout=timeout,
                                             source_address=(source, 0) if source else None)
        if tls:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
            context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
            if version:
                context.minimum_version = context.maximum_version = version
            if cert:
                context.load_cert_chain(*cert)
            self.sock = context.wrap_socket(self.sock, server_hostname="hotdesk.test")
        self.buffer = b""

    def close(self):
        self.sock.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def send(self, data):
        self.sock.sendall(data.encode() if isinstance(data, str) else data)

    def read_until(self, enough):
        while (n := enough(self.buffer)) is None:
            data = self.sock.recv(65536)
            if not data:
                raise EOFError(f"closed after {self.buffer[:200]!r}")
            self.buffer += data
        got, self.buffer = self.buffer[:n], self.buffer[n:]
        return got

    def read(self, method="GET"):
        def head_end(b):
            i = b.find(b"\r\n\r\n")
            return i + 4 if i >= 0 else None

        head = self.read_until(head_end).decode("latin-1")
        reply = Reply(head[:-4], b"")
        if method == "HEAD" or reply.status in (204, 304):
            return reply
        length = reply.get("Content-Length")
        if length is None:
            data = self.buffer
            with contextlib.suppress(ConnectionError, ssl.SSLError):
                while more := self.sock.recv(65536):
                    data += more
            return Reply(head[:-4], data)
        n = int(length)
        return Reply(head[:-4], self.read_until(lambda b: n if len(b) >= n else None))

    def request(self, target, method="GET", agent=None, headers=(), version="1.1"):
        lines = [f"{method} {target} HTTP/{version}", "Host: hotdesk.test"]
        if agent:
            lines.append(f"User-Agent: {agent}")
        lines += headers
        self.send("\r\n".join(lines) + "\r\n\r\n")

    def get(self, target, method="GET", **more):
        self.request(target, method, **more)
        return self.read(method)

    def get_digest(self, target, user, password, algorithm="SHA-256", headers=(), **more):
        """What a phone does that is challenged; the last answer."""
        first = self.get(target, headers=headers, **more)
        assert first.status == 401, first
        challenge = next(c for c in first.all("WWW-Authenticate") if f"algorithm={algorithm}" in c)
        value = authorization(challenge, "GET", target, user, password)
        return self.get(target, headers=[*headers, f"Authorization: {value}"], **more)

    def closed(self):
        """Waits until the other side has closed. What it sent before is returned."""
        got = self.buffer
        with contextlib.suppress(ConnectionError, ssl.SSLError):
            while data := self.sock.recv(65536):
                got += data
        return got


class Authority:
    """A CA for the certificates of phones."""

    def __init__(self, folder, name="Phone CA"):
        self.folder, self.name = folder, name.replace(" ", "-")
        self.cert, self.key = folder / f"{self.name}.pem", folder / f"{self.name}.key"
        self.openssl("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days",
                     "2", "-subj", f"/CN={name}", "-keyout", self.key, "-out", self.cert)

    @staticmethod
    def openssl(*args):
        subprocess.run(["openssl", *args], check=True, capture_output=True)

    def issue(self, subject, alternative=None, days="2"):
        """(certificate, key) of a phone."""
        stem = self.folder / f"{self.name}-{abs(hash((subject, alternative, days)))}"
        request, cert, key = f"{stem}.csr", f"{stem}.pem", f"{stem}.key"
        self.openssl("req", "-new", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-subj",
                     subject, "-keyout", key, "-out", request)
        extensions = f"{stem}.ext"
        with open(extensions, "w", encoding="ascii") as f:
            f.write(f"subjectAltName={alternative}\n" if alternative else "keyUsage=digitalSignature\n")
        self.openssl("x509", "-req", "-in", request, "-CA", self.cert, "-CAkey", self.key, "-CAcreateserial",
                     "-days", days, "-extfile", extensions, "-out", cert)
        return cert, key
