"""What a proxy may do to messages: compares what phones sent with what their peers received through it.

Each rule is a function from an index of the traffic to the violations that it sees. What cannot be
compared (malformed on purpose, sent past the proxy, never received) is passed over.
"""

import collections
import re

from support.sip import CRLF
from support.wire import bare_via, lines

RULES = {}
Violation = collections.namedtuple("Violation", "rule what messages")


def rule(name):
    def enter(function):
        RULES[name] = function
        return function
    return enter


def split(values):
    """Header field values, comma lists taken apart."""
    found = []
    for value in values:
        found += [v.strip() for v in re.findall(r'(?:"(?:[^"\\]|\\.)*"|<[^>]*>|[^,"<])+', value)]
    return [v for v in found if v]


def branch(via):
    m = re.search(r";\s*branch\s*=\s*([^;\s]+)", via, re.I)
    return m.group(1) if m else ""


def same(one, other):
    return re.sub(r"\s+", " ", one or "") == re.sub(r"\s+", " ", other or "")


def uri_of(value):
    m = re.search(r"<([^>]*)>", value or "")
    return m.group(1) if m else (value or "").split(";")[0].strip()


class Seen:
    """One message with what rules ask for again and again."""

    def __init__(self, kind, phone, message):
        self.kind, self.phone, self.m = kind, phone, message
        self.vias = split(message.all("via"))
        self.branch = branch(self.vias[0]) if self.vias else ""
        cseq = (message.get("cseq") or "").split()
        self.number, self.cseq_method = (cseq[0], cseq[1]) if len(cseq) == 2 else ("", "")
        self.call_id = message.get("call-id")
        self.key = (self.branch, self.call_id, self.cseq_method)
        self.headers = [n for n, _ in message.headers]

    @property
    def sane(self):
        """Has each header that must be there just once, and a start line."""
        once = all(self.headers.count(n) == 1 for n in ("from", "to", "call-id", "cseq"))
        good = self.m.status or re.fullmatch(r"[\w.!%*+`'~-]+ \S+ SIP/2\.0", self.m.start)
        return bool(once and good and self.vias and self.branch and self.number)


class Traffic:
    """sent and received, requests and responses, and which belongs to which."""

    def __init__(self, events, registered):
        self.registered = registered
        everything = [Seen(*e) for e in events if e[2].raw.strip()]
        self.received = [s for s in everything if s.kind == "received"]
        sent = [s for s in everything if s.kind == "sent" and s.sane]
        self.requests = collections.defaultdict(list)
        self.asked = collections.defaultdict(list)
        self.responses = collections.defaultdict(list)
        self.into = collections.defaultdict(list)
        for s in sent:
            if s.m.status:
                self.responses[(branch(s.vias[1]) if len(s.vias) > 1 else "", s.call_id, s.cseq_method)].append(s)
            else:
                self.requests[s.key].append(s)
                for key in (s.branch, (s.call_id, s.number)):
                    self.asked[(s.phone, s.cseq_method, key)].append(s)
        for r in self.received:
            if r.m.method:
                self.into[r.phone].append(r)

    def forwarded(self):
        """(sent request, request that came of it) pairs."""
        for r in self.received:
            for i, via in enumerate(r.vias if r.m.method else ()):
                origin = self.requests.get((branch(via), r.call_id, r.cseq_method))
                if origin and (i > 0 or origin[-1].phone is not r.phone):
                    yield origin[-1], r
                    break

    def answers(self):
        """(request that a phone sent, response that it received) pairs."""
        for r in self.received:
            if r.m.status and r.sane:
                same_key = [q for q in self.requests.get(r.key, []) if q.phone is r.phone]
                # Without its branch or its Call-ID a response still is the answer to something.
                for q in (same_key or self.asked.get((r.phone, r.cseq_method, r.branch)) or
                          self.asked.get((r.phone, r.cseq_method, (r.call_id, r.number)), []))[-1:]:
                    yield q, r

    def origins(self, answer):
        """The responses of phones out of which this one may have been made."""
        return [s for s in self.responses.get(answer.key, [])
                if s.m.start == answer.m.start and s.m.tag("to") == answer.m.tag("to")]


@rule("LNT-01")
def vias_are_echoed(t):
    for q, r in t.answers():
        top = r.vias[:1] and same(bare_via(r.vias[0]), bare_via(q.vias[0]))
        rest = [re.sub(r"\s+", " ", v) for v in r.vias[1:]] == [re.sub(r"\s+", " ", v) for v in q.vias[1:]]
        if not top or not rest:
            yield f"Via {q.vias} came back as {r.vias}", q, r


@rule("LNT-02")
def dialog_is_echoed(t):
    for q, r in t.answers():
        for name in ("from", "call-id", "cseq"):
            if not same(q.m.get(name), r.m.get(name)):
                yield f"{name} {q.m.get(name)} came back as {r.m.get(name)}", q, r


@rule("LNT-03")
def to_is_echoed(t):
    for q, r in t.answers():
        was, now = q.m.get("to"), r.m.get("to")
        if q.m.tag("to"):
            if not same(was, now):
                yield f"To {was} came back as {now}", q, r
        elif not same(re.sub(r"\s*;\s*tag=[^;\s]*", "", now), was):
            yield f"To {was} came back as {now}", q, r
        elif r.m.status > 100 and not r.m.tag("to") and not t.origins(r):
            yield f"{r.m.start} without a To tag", q, r


@rule("LNT-04")
def one_via_is_added(t):
    for s, r in t.forwarded():
        if len(r.vias) < 2:
            yield "no Via of ours", s, r
            continue
        rest = [re.sub(r"\s+", " ", v) for v in r.vias[2:]] == [re.sub(r"\s+", " ", v) for v in s.vias[1:]]
        if not r.branch.startswith("z9hG4bK"):
            yield f"our Via has no branch with the magic cookie: {r.vias[0]}", s, r
        if not same(bare_via(r.vias[1]), bare_via(s.vias[0])) or not rest:
            yield f"Via {s.vias} became {r.vias}", s, r


@rule("LNT-05")
def branches_are_unique(t):
    users = {}
    for r in t.received:
        if not r.m.method or r.cseq_method == "CANCEL" or (r.cseq_method == "ACK" and len(r.vias) == 1):
            continue
        # The same request to two targets has two branches, so the target belongs to it.
        mine = (r.call_id, r.number, r.cseq_method, r.m.ruri, tuple(branch(v) for v in r.vias[1:]))
        other = users.setdefault(r.branch, (mine, r))
        if other[0] != mine:
            yield f"branch {r.branch} of two transactions", other[1], r


@rule("LNT-06")
def max_forwards_is_one_less(t):
    for s, r in t.forwarded():
        was, now = s.m.all("max-forwards"), r.m.all("max-forwards")
        if len(was) > 1 or (was and not re.fullmatch(r"\d{1,3}", was[0])) or (was and int(was[0]) > 255):
            continue
        if now != ([str(int(was[0]) - 1)] if was else ["70"]):
            yield f"Max-Forwards {was} became {now}", s, r


@rule("LNT-07")
def bodies_stay(t):
    for s, r in t.forwarded():
        if body(s) != r.m.body:
            yield f"body {body(s)!r} became {r.m.body!r}", s, r


def body(s):
    """The body as far as Content-Length says."""
    length = s.m.get("content-length", "")
    return s.m.body[:int(length)] if length.isdigit() else s.m.body


# What a proxy adds, changes or removes by right. Identities: RFC 3325; Max-Breadth: RFC 5393.
ADDS = ("via", "max-forwards", "record-route", "route", "proxy-authorization", "p-asserted-identity",
        "p-preferred-identity", "remote-party-id", "max-breadth", "content-length")


@rule("LNT-08")
def headers_stay(t):
    for s, r in t.forwarded():
        was, now = lines(s.m, ADDS), lines(r.m, ADDS)
        if was != now:
            yield "header fields " + difference(was, now), s, r
        routes = split(s.m.all("record-route"))
        if routes and split(r.m.all("record-route"))[-len(routes):] != routes:
            yield f"Record-Route {routes} became {r.m.all('record-route')}", s, r


def difference(was, now):
    gone, new = [h for h in was if h not in now], [h for h in now if h not in was]
    return f"gone {gone}, new {new}" if gone or new else f"reordered: {was} became {now}"


@rule("LNT-09")
def responses_stay(t):
    adds = ("via", "content-length", "proxy-authenticate", "www-authenticate")
    for q, r in t.answers():
        origins = t.origins(r)
        if not origins and not q.m.tag("to") and r.m.tag("to"):
            origins = [o for o in t.responses.get(r.key, []) if o.m.tag("to") == r.m.tag("to")]
            if origins:
                yield f"{origins[-1].m.start} became {r.m.start}", origins[-1], r
        if not origins:
            continue
        good = [o for o in origins if lines(o.m, adds) == lines(r.m, adds) and body(o) == r.m.body and
                all(v in r.m.all(n) for n in adds[2:] for v in o.m.all(n))]
        if not good:
            o = origins[-1]
            yield "response " + difference(lines(o.m, adds), lines(r.m, adds)) + \
                f", body {body(o)!r} became {r.m.body!r}", o, r


@rule("LNT-10")
def length_is_right(t):
    for r in t.received:
        values = r.m.all("content-length")
        if r.phone.transport != "udp" and not values:
            yield "no Content-Length on a stream", r
        if len(values) > 1 or (values and values[0] != str(len(r.m.body))):
            yield f"Content-Length {values}, but {len(r.m.body)} octets of body", r


TOKEN = r"[\w.!%*+`'~-]+"
START = rf"(?:SIP/2\.0 [1-6]\d\d [^\x00-\x08\x0a-\x1f\x7f]*|{TOKEN} [a-zA-Z][\w+.-]*:\S+ SIP/2\.0)"
VIA = (rf"SIP\s*/\s*2\.0\s*/\s*{TOKEN}\s+(?:\[[\da-fA-F:.]+\]|[\w.-]+)(?:\s*:\s*\d+)?"
       rf"(?:\s*;\s*{TOKEN}(?:\s*=\s*(?:\"[^\"]*\"|\[?[\w.!%*+`'~:-]+\]?))?)*")


@rule("LNT-11")
def syntax_is_right(t):
    for r in t.received:
        for problem in syntax(r):
            yield problem, r


def syntax(r):
    head, end, _ = r.m.raw.partition(b"\r\n\r\n")
    text = head.decode("utf-8", "surrogateescape")
    if not end:
        yield "no empty line behind the header fields"
    if re.search("(?<!\r)\n|\r(?!\n)|\0", text):
        yield "a line that does not end with CRLF, or a NUL"
    first, *rest = re.sub(r"\r\n[ \t]+", " ", text).split(CRLF)
    if not re.fullmatch(START, first):
        yield f"start line {first!r}"
    for line in rest:
        if not re.match(rf"{TOKEN}[ \t]*:", line):
            yield f"header line {line!r}"
    for name in ("from", "to", "call-id", "cseq"):
        if len(r.m.all(name)) != 1:
            yield f"{name}: {r.m.all(name)}"
    if not r.vias:
        yield "no Via"
    for via in r.vias[:1]:
        if not re.fullmatch(VIA, via):
            yield f"Via {via!r}"
    for name in ("from", "to"):
        value = r.m.get(name, "")
        if not re.fullmatch(r'(?:"(?:[^"\\]|\\.)*"\s*|[^<>"]*)<[^<>\s]+>\s*(?:;.*)?|[a-zA-Z][\w+.-]*:[^<>\s]+', value):
            yield f"{name} {value!r}"
    if r.m.method and r.cseq_method != r.m.method:
        yield f"CSeq {r.m.get('cseq')} of a {r.m.method}"


@rule("LNT-12")
def record_routes_are_right(t):
    for s, r in t.forwarded():
        old, now = split(s.m.all("record-route")), split(r.m.all("record-route"))
        ours = now[:len(now) - len(old)]
        if now[len(ours):] != old:
            yield f"Record-Route {old} became {now}", s, r
        for value in ours:
            if not re.fullmatch(r"<sips?:[^<>]+>", value) or not re.search(r";lr(?=[;>])", value):
                yield f"Record-Route {value}", s, r
        if s.m.method == "INVITE" and not s.m.tag("to") and not ours:
            yield "INVITE without our Record-Route", s, r


@rule("LNT-13")
def own_requests_are_right(t):
    for phone, requests in t.into.items():
        invites = [r for r in requests if r.m.method == "INVITE"]
        for r in requests:
            if r.m.method != "CANCEL" and (r.m.method != "ACK" or len(r.vias) > 1):
                continue
            if len(r.vias) != 1:
                yield f"{r.m.method} with {len(r.vias)} Vias", r
            elif not any(same(i.vias[0], r.vias[0]) and i.m.ruri == r.m.ruri and i.call_id == r.call_id and
                         i.number == r.number for i in invites):
                yield f"{r.m.method} belongs to no INVITE of {[i.m.raw for i in invites]}", r


@rule("LNT-14")
def rport_is_filled_in(t):
    for q, r in t.answers():
        if not re.search(r";\s*rport(?![\w=-])", q.vias[0]) or not getattr(q.phone, "real", None):
            continue
        host, port = q.phone.real
        if not re.search(rf";\s*received={re.escape(host)}(?![\w.:])", r.vias[0]) and \
                not re.search(rf";\s*received=\[{re.escape(host)}\]", r.vias[0]):
            yield f"no received={host} in {r.vias[0]}", q, r
        if not re.search(rf";\s*rport={port}(?!\d)", r.vias[0]):
            yield f"no rport={port} in {r.vias[0]}", q, r


@rule("LNT-15")
def request_uri_is_the_contact(t):
    for s, r in t.forwarded():
        contacts = t.registered.get((r.phone.server, r.phone.user))
        if contacts and not s.m.tag("to") and r.m.ruri not in contacts:
            yield f"Request-URI {r.m.ruri}, registered {sorted(contacts)}", s, r


def remember(registered, events):
    """Adds to registered the Contact URIs of every REGISTER of a phone that was answered with 200."""
    sent = {}
    for kind, phone, m in events:
        if kind == "sent" and m.method == "REGISTER":
            sent[(phone, m.get("call-id"), m.get("cseq"))] = m
        elif kind == "received" and m.status == 200 and m.cseq_method == "REGISTER":
            request = sent.get((phone, m.get("call-id"), m.get("cseq")))
            uris = {uri_of(c) for c in split(request.all("contact"))} - {"*", ""} if request else set()
            if uris:
                user = re.sub(r"^sips?:|@.*", "", uri_of(request.get("to")))
                registered.setdefault((phone.server, user), set()).update(uris)


def check(events, registered=None):
    """Every violation in the traffic."""
    registered = {} if registered is None else registered
    remember(registered, events)
    traffic = Traffic(events, registered)
    return [Violation(name, what, [s.m for s in messages])
            for name, function in RULES.items() for what, *messages in function(traffic)]


def tell(violations):
    return "\n\n".join(f"{v.rule}: {v.what}\n" + "\n--\n".join(repr(m).strip() for m in v.messages)
                       for v in violations[:5])
