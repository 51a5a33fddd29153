"""A PBX that registers accounts with digest, on a thread of its own; what it saw can be asked."""

import re
import socket
import threading
import time

from support.sip import CRLF, Message, digest, rand


class Registrar:
    """accounts: name -> password. What follows may be set at any time."""

    def __init__(self, accounts, host="127.0.0.3", algorithm="MD5"):
        self.accounts, self.algorithm = accounts, algorithm
        self.sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.sock.bind((host, 0))
        self.host, self.port = self.sock.getsockname()
        self.bindings = {}  # name -> (Contact's URI, expires granted)
        self.seen = []  # every REGISTER: (time, name, Expires, with credentials)
        self.mute = False  # answers nothing
        self.refuse = None  # (status, extra headers) to every REGISTER
        self.forever = False  # challenges whatever comes
        self.min_expires = 0
        self.grant = None  # seconds, whatever is asked for
        self.nonces = set()
        self.answers, self.invites = {}, []  # method -> (status, extra headers); Request-URIs
        self.thread = threading.Thread(target=self.run, daemon=True)
        self.thread.start()

    def close(self):
        self.sock.close()

    def run(self):
        while True:
            try:
                raw, source = self.sock.recvfrom(65536)
            except OSError:
                return
            message = Message(raw)
            if message.method == "INVITE" and "INVITE" in self.answers:
                self.invites.append(message.ruri)
            if not self.mute and (message.method in ("REGISTER", "OPTIONS") or message.method in self.answers):
                self.sock.sendto(self.answer(message), source)

    def answer(self, request):
        status, extra = self.answers.get(request.method) or (
            (200, []) if request.method == "OPTIONS" else self.register(request))
        lines = [f"SIP/2.0 {status} {status}"] + [f"Via: {v}" for v in request.all("via")]
        lines += [f"From: {request.get('from')}", f"To: {request.get('to')};tag={rand(4)}",
                  f"Call-ID: {request.get('call-id')}", f"CSeq: {request.get('cseq')}"]
        lines += [f"{n}: {v}" for n, v in extra] + ["Content-Length: 0", "", ""]
        return CRLF.join(lines).encode()

    def challenge(self):
        nonce = rand()
        self.nonces.add(nonce)
        return 401, [("WWW-Authenticate", f'Digest realm="pbx.test", nonce="{nonce}", qop="auth", '
                                          f'algorithm={self.algorithm}')]

    def is_proved(self, request, name):
        value = request.get("authorization") or ""
        p = {k.lower(): v for k, v in re.findall(r'(\w+)="?([^",]+)"?', value)}
        if p.get("nonce") not in self.nonces or p.get("username") != name or name not in self.accounts:
            return False
        mine = digest(f'Digest realm="pbx.test", nonce="{p["nonce"]}", qop="auth", algorithm={self.algorithm}',
                      "REGISTER", p["uri"], name, self.accounts[name], nc=int(p["nc"], 16), cnonce=p["cnonce"])
        return p["response"] in mine

    def register(self, request):
        name = re.search(r"sip:([^@>]+)@", request.get("to")).group(1)
        expires = int(request.get("expires") or 3600)
        self.seen.append((time.monotonic(), name, expires, bool(request.get("authorization"))))
        if self.refuse:
            return self.refuse
        if self.forever or not self.is_proved(request, name):
            return self.challenge()
        if expires and expires < self.min_expires:
            return 423, [("Min-Expires", str(self.min_expires))]
        if not expires:
            self.bindings.pop(name, None)
            return 200, []
        expires = self.grant or expires
        contact = re.search(r"<([^>]+)>", request.get("contact")).group(1)
        self.bindings[name] = (contact, expires)
        return 200, [("Contact", f"<{contact}>;expires={expires}")]
