"""Digest credentials piece by piece, for tests that send right ones and wrong ones."""

import re

from support.sip import digest, rand

DOMAIN = "hotdesk.test"
LINE = f"sip:{DOMAIN}"


def request(phone, credentials=None, method="REGISTER", uri=None, cseq=1, call_id=None, extra=()):
    """One request with one Authorization value (or several), or none; the final answer."""
    uri = uri or LINE
    name = "Authorization" if method == "REGISTER" else "Proxy-Authorization"
    values = [credentials] if isinstance(credentials, str) else credentials or []
    to = f"sip:{phone.user}@{DOMAIN}" if method == "REGISTER" else uri
    headers = phone.base(method, to, call_id or rand(), cseq, rand(4)) + [("Contact", phone.contact)]
    phone.send(f"{method} {uri} SIP/2.0", headers + list(extra) + [(name, v) for v in values])
    answer = phone.final(method, headers[4][1], cseq)
    if method == "INVITE" and answer.status >= 300:
        phone.send(f"ACK {uri} SIP/2.0", headers[:3] + [("To", answer.get("to")), headers[4],
                                                      ("CSeq", f"{cseq} ACK")])
    return answer


def challenges(answer):
    return answer.all("www-authenticate") + answer.all("proxy-authenticate")


def pick(answer, algorithm="MD5"):
    (value,) = [c for c in challenges(answer) if f"algorithm={algorithm}" in c]
    return value


def nonce(challenge):
    return re.search(r'nonce="([^"]+)"', challenge).group(1)


def right(phone, challenge=None, method="REGISTER", uri=LINE, **more):
    return digest(challenge or pick(request(phone, method=method, uri=uri)), method, uri, phone.user,
                  phone.password, **more)


def with_param(value, name, new):
    """Credentials with one parameter replaced, or taken out with None."""
    pattern = rf',? *\b{name}=("[^"]*"|[^,]*)'
    assert re.search(pattern, value), value
    if new is None:
        out = re.sub(pattern, "", value, count=1)
        return re.sub(r"^Digest,", "Digest", out)
    return re.sub(pattern, lambda m: re.match(",? *", m.group()).group() + f"{name}={new}", value, count=1)


LONG = [("X-Filler", "so long that both challenges have room" * 6)]


def is_challenge(answer):
    return answer.status in (401, 407) and challenges(answer)
