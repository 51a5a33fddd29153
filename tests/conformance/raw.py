"""A registered phone that writes its requests byte by byte, and what its peer gets of them."""

import re

from support.sip import CRLF, Message, digest, rand
from support.wire import PROXY_ADDS, lines


class Request:
    """A request as given, line by line; the Via is the phone's own. Sends itself when it is made."""

    def __init__(self, phone, method, uri, header=(), body=b"", cseq=None, length=True, without=(), via=None):
        self.phone, self.method, self.uri = phone, method, uri
        self.body = body.encode() if isinstance(body, str) else body
        self.call_id, self.tag = rand() + "@raw", rand(4)
        given = {line.split(":")[0].strip().lower() for line in header}
        usual = [("Max-Forwards", "70"), ("From", f"<sip:{phone.user}@{phone.domain}>;tag={self.tag}"),
                 ("To", f"<{uri}>"), ("Call-ID", self.call_id), ("CSeq", cseq or f"7 {method}"),
                 ("Contact", phone.contact)]
        if length:
            usual.append(("Content-Length", str(len(self.body))))
        self.header = [f"{n}: {v}" for n, v in usual
                       if n.lower() not in given and n.lower() not in {w.lower() for w in without}] + list(header)
        self.credentials, self.via = [], via
        self.send()

    def send(self):
        self.branch = "z9hG4bK" + rand()
        via = self.via or f"Via: {self.phone.via(self.branch)}"
        head = CRLF.join([f"{self.method} {self.uri} SIP/2.0", via] + self.credentials + self.header)
        self.raw = head.encode("utf-8", "surrogateescape") + b"\r\n\r\n" + self.body
        self.phone.send_raw(self.raw)
        return self

    @property
    def sent(self):
        return Message(self.raw)

    def response(self, what=None, timeout=None):
        """The next final response, acknowledged where it must be."""
        answer = self.phone.wait(what or f"final response to {self.method}",
                                 lambda m: m.status >= 200 and self.branch in m.get("via", ""), timeout)
        if self.method == "INVITE" and answer.status >= 300 and answer.get("cseq"):
            self.phone.send_raw(CRLF.join([
                f"ACK {self.uri} SIP/2.0", f"Via: {self.phone.via(self.branch)}", f"To: {answer.get('to')}",
                f"From: {answer.get('from')}", f"Call-ID: {answer.get('call-id')}",
                f"CSeq: {answer.get('cseq').split()[0]} ACK", "Max-Forwards: 70", "Content-Length: 0", "",
                ""]).encode("utf-8", "surrogateescape"))
        return answer

    def authorize(self):
        """Answers the challenge: the request itself is on its way."""
        challenge = self.response("a challenge")
        assert challenge.status in (401, 407), f"expected a challenge, got\n{challenge}"
        name = "WWW-Authenticate" if challenge.status == 401 else "Proxy-Authenticate"
        values = challenge.all(name)
        value = next((v for v in values if "MD5" in v), values[0])
        self.credentials = [("Authorization: " if challenge.status == 401 else "Proxy-Authorization: ") +
                            digest(value, self.method, self.uri, self.phone.user, self.phone.password)]
        return self.send()

    def final(self):
        """The answer to the request with its credentials, or to the first copy when that is refused at once."""
        answer = self.response()
        if answer.status in (401, 407):
            self.phone.inbox.append(answer)
            answer = self.authorize().response()
        return answer


def deliver(phone, callee, method, header=(), body=b"", status=200, uri=None, **more):
    """A request from phone to callee and its answer back: (as sent, as the callee got it, the answer)."""
    request = Request(phone, method, uri or f"sip:{callee.user}@{callee.domain}", header, body, **more).authorize()
    got = callee.wait(f"{method} of {phone.user}", lambda m: m.method == method and not m.all("x-seen"))
    callee.reply(got, status, "OK" if status < 300 else "No", rand(4),
                 [("Contact", callee.contact)] if status < 300 else [])
    if method == "INVITE" and status >= 300:
        callee.request("ACK")
    return request.sent, got, request.response()


def assert_same(sent, got, also=()):
    """Every header line but those that a proxy writes, and the body, as they were sent."""
    ours = PROXY_ADDS + tuple(also)
    assert lines(got, ours) == lines(sent, ours), f"sent\n{sent!r}\ngot\n{got!r}"
    assert got.body == sent.body, f"sent {sent.body!r}\ngot {got.body!r}"


def squeeze(value):
    """A header value without its folds and white space."""
    return re.sub(r"\s+", "", value)
