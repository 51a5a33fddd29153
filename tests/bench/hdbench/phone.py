"""A small SIP phone over UDP: registers accounts, logs users in, answers what it is asked."""
import hashlib
import os
import re
import select
import socket
import time

from .procs import BenchError

DOMAIN = "bench.example"
PASSWORD = "bench-secret"
ANSWER_S = 30.0
RETRY_S = 0.5


def ha1(user):
    """What a server knows of the password."""
    return hashlib.md5(f"{user}:{DOMAIN}:{PASSWORD}".encode()).hexdigest()


def digest(challenge, user, method, uri):
    """The value of Authorization for an MD5 challenge."""
    field = dict(re.findall(r'(\w+)="?([^",]+)"?', challenge))
    cnonce, nc = os.urandom(4).hex(), "00000001"
    ha2 = hashlib.md5(f"{method}:{uri}".encode()).hexdigest()
    response = hashlib.md5(
        f"{ha1(user)}:{field['nonce']}:{nc}:{cnonce}:auth:{ha2}".encode()).hexdigest()
    return (f'Digest username="{user}",realm="{field["realm"]}",nonce="{field["nonce"]}",'
            f'uri="{uri}",algorithm=MD5,qop=auth,nc={nc},cnonce="{cnonce}",response="{response}"')


class Message:
    """A received message: start line, headers by lower-case name, in order."""

    def __init__(self, data):
        head = data.decode("utf-8", "replace").split("\r\n\r\n", 1)[0].split("\r\n")
        self.start = head[0]
        self.headers = [tuple(part.strip() for part in line.split(":", 1))
                        for line in head[1:] if ":" in line]
        self.status = int(self.start.split()[1]) if self.start.startswith("SIP/2.0") else 0

    def all(self, name):
        """Every value of a header field."""
        return [value for key, value in self.headers if key.lower() == name.lower()]

    def get(self, name):
        """The first value, or ''."""
        return (self.all(name) or [""])[0]


class Phone:
    """One socket; any number of accounts behind it."""

    def __init__(self, server, port=0):
        self.server = server
        self.sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.sock.bind((server[0], port))
        self.sock.connect(server)
        self.host, self.port = self.sock.getsockname()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.sock.close()

    def _answer(self, request):
        """200 to whatever the server asks (NOTIFY, BYE)."""
        if request.start.startswith("ACK "):
            return
        lines = ["SIP/2.0 200 OK"]
        lines += [f"Via: {via}" for via in request.all("Via")]
        lines += [f"{name}: {request.get(name)}" for name in ("From", "To", "Call-ID", "CSeq")]
        self.sock.send("\r\n".join(lines + ["Content-Length: 0", "", ""]).encode())

    def _receive(self, seconds):
        """The next response; requests are answered on the way. None: nothing came."""
        deadline = time.monotonic() + seconds
        while True:
            # What has come meanwhile is taken, however late this process is.
            left = max(0, deadline - time.monotonic())
            if not select.select([self.sock], [], [], left)[0]:
                return None
            try:
                message = Message(self.sock.recv(65536))
            except ConnectionRefusedError:
                return None
            if message.status:
                return message
            self._answer(message)

    def drain(self, quiet_s=0.5, most_s=10.0):
        """Answers requests until none has come for quiet_s."""
        deadline = time.monotonic() + most_s
        while time.monotonic() < deadline and select.select([self.sock], [], [], quiet_s)[0]:
            self._receive(0.001)

    def _text(self, dialog, verb, more=(), body=""):
        """A request of a dialog, with a new branch unless it repeats the last."""
        if verb != "ACK" or dialog["confirmed"]:
            dialog["branch"] = "z9hG4bK" + os.urandom(6).hex()
        lines = [f"{verb} {dialog['target']} SIP/2.0",
                 f"Via: SIP/2.0/UDP {self.host}:{self.port};branch={dialog['branch']};rport",
                 "Max-Forwards: 70", *(f"Route: {route}" for route in dialog["routes"]),
                 f"From: <sip:{dialog['user']}@{DOMAIN}>;tag={dialog['tag']}",
                 f"To: {dialog['to']}", f"Call-ID: {dialog['call_id']}",
                 f"CSeq: {dialog['cseq']} {verb}", *more,
                 f"Content-Length: {len(body)}", "", body]
        return "\r\n".join(lines)

    def _exchange(self, dialog, verb, more=(), body=""):
        """Sends a request until it is answered; the final response, and the seconds until the
        first sign of the far side (180 or the final response)."""
        message = self._text(dialog, verb, more, body)
        cseq = f"{dialog['cseq']} {verb}"
        started, rang = time.perf_counter(), 0.0
        deadline = time.monotonic() + ANSWER_S
        while time.monotonic() < deadline:
            self.sock.send(message.encode())
            answer = self._receive(RETRY_S)
            while answer:
                ours = answer.get("Call-ID") == dialog["call_id"] and answer.get("CSeq") == cseq
                if ours and answer.status > 100:
                    rang = rang or time.perf_counter() - started
                if ours and answer.status >= 200:
                    return answer, rang
                # A provisional answer stops the retransmissions.
                answer = self._receive(ANSWER_S if ours else RETRY_S)
        raise BenchError(f"no answer to {message.splitlines()[0]}")

    def _acknowledge(self, dialog, answer):
        """ACK: in the transaction for a refusal, along the route set for a 2xx."""
        dialog["to"] = answer.get("To")
        if answer.status < 300:
            contact = re.search(r"<([^>]*)>|^([^;]*)", answer.get("Contact"))
            dialog["target"] = (contact.group(1) or contact.group(2) or dialog["target"]).strip()
            routes = [one.strip() for line in answer.all("Record-Route")
                      for one in line.split(",")]
            dialog.update(routes=routes[::-1], confirmed=True)
        self.sock.send(self._text(dialog, "ACK").encode())

    def _request(self, method, user, uri, more=(), body=""):
        """Sends a request, answers its challenge. The dialog, the final response, and the
        seconds from the request with the credentials to that."""
        to = f"<sip:{user}@{DOMAIN}>" if method == "REGISTER" else f"<{uri}>"
        dialog = {"user": user, "target": uri, "to": to, "routes": [], "cseq": 1,
                  "confirmed": False, "call_id": os.urandom(8).hex(), "tag": os.urandom(4).hex()}
        # Another one each time, so that a registration changes the binding.
        contact = f"sip:{user}@{self.host}:{self.port};line={dialog['tag']}"
        more = [f"Contact: <{contact}>", *more]
        answer, seconds = self._exchange(dialog, method, more, body)
        challenges = answer.all("WWW-Authenticate") + answer.all("Proxy-Authenticate")
        challenges = [one for one in challenges if "algorithm=sha" not in one.lower()]
        if answer.status in (401, 407) and challenges:
            if method == "INVITE":
                self._acknowledge(dialog, answer)
            name = "Authorization" if answer.status == 401 else "Proxy-Authorization"
            dialog.update(cseq=2, to=to)
            more.append(f"{name}: {digest(challenges[0], user, method, uri)}")
            answer, seconds = self._exchange(dialog, method, more, body)
        if method == "INVITE":
            self._acknowledge(dialog, answer)
        if answer.status != 200:
            raise BenchError(f"{method} {uri} of {user}: {answer.start}")
        return dialog, seconds

    # ---- what a bench asks for ------------------------------------------------------------------

    def register(self, user):
        """Binds an account to this socket; seconds from the credentials to 200."""
        return self._request("REGISTER", user, f"sip:{DOMAIN}", ["Expires: 3600"])[1]

    def call(self, user, number):
        """A call of no length; seconds from the INVITE with credentials to 180."""
        dialog, seconds = self._invite(user, number)
        dialog["cseq"] += 1
        answer, _ = self._exchange(dialog, "BYE")
        if answer.status != 200:
            raise BenchError(f"BYE of {user}: {answer.start}")
        return seconds

    def login(self, user, number, pin):
        """Logs a person in at an account of ours; seconds from INVITE to 200."""
        return self._invite(user, f"*771*{number}*{pin}")[1]

    def _invite(self, user, called):
        offer = (f"v=0\r\no=- 1 1 IN IP4 {self.host}\r\ns=-\r\nc=IN IP4 {self.host}\r\n"
                 "t=0 0\r\nm=audio 4000 RTP/AVP 0\r\n")
        return self._request("INVITE", user, f"sip:{called}@{DOMAIN}",
                             ["Content-Type: application/sdp"], offer)
