"""The rules of the wire (support/lint.py): traffic of the daemon keeps each, and what breaks one is noticed.

Every other test has its traffic checked by these rules; here the checker itself is checked, with one message of real
traffic injured at a time.
"""

import re

import pytest

from plant import plant
from steps import again, connect, hang_up, no_more, refuse, ring
from support import lint
from support.sip import SDP, TRAFFIC, Message

row = pytest.mark.row
UPSTREAM = "SIP/2.0/UDP 192.0.2.7:5060;branch=z9hG4bKold;received=192.0.2.8"


def cancelled(a, b):
    call, leg = ring(a, b, b.user)
    call.cancel()
    assert a.final("CANCEL").status == 200
    b.reply(b.request("CANCEL"), 200)
    leg.answer(487)
    b.request("ACK")
    assert call.final().status == 487


def inside(call, leg):
    for one, other in ((call, leg), (leg, call)):
        one.in_dialog("INFO", [("Content-Type", "text/plain")], "one, two, three")
        other.phone.reply(other.phone.request("INFO"), 200, extra=[("X-Kept", "yes")])
        assert one.phone.final("INFO", one.call_id, one.cseq).status == 200
    again(call, leg, SDP + b"a=sendonly\r\n")


def through_another(a, b):
    """A request that has a Via and a Record-Route of a proxy before us."""
    call = a.call(b.user, SDP, extra=[("Via", UPSTREAM), ("Record-Route", "<sip:192.0.2.7;lr>"),
                                      ("Subject", "one"), ("Subject", "two")]).challenge()
    refuse(b.accept(), extra=[("X-Kept", "yes"), ("Warning", '399 b "no"')])
    assert call.final().status == 486


def everything(d):
    pairs = [(d.phone(transport=one, register=True), d.phone(transport=other, register=True))
             for one, other in (("udp", "udp"), ("tcp", "udp"), ("udp", "tls"), ("tcp", "tcp"))]
    for a, b in pairs:
        call, leg = connect(a, b, b.user)
        inside(call, leg)
        hang_up(leg, call)
        refused, leg = ring(a, b, b.user)
        refuse(leg)
        assert refused.final().status == 486
        cancelled(a, b)
        through_another(a, b)
        a.call("sip:nobody@hotdesk.test", SDP).final()
        a.call("sip:hotdesk.test", method="OPTIONS").final()
        a.register(expires=0)
        no_more(a, "more"), no_more(b, "more")


@pytest.fixture(scope="module")
def traffic():
    """(events, Contacts that were registered) of one run."""
    with plant(tls=True) as d:
        start = len(TRAFFIC)
        everything(d)
        events = TRAFFIC[start:]
    registered = {}
    lint.remember(registered, events)
    return events, registered


# ---- how to injure -------------------------------------------------------------------------------------------


def answer(status, method="INVITE", vias=1):
    return lambda phone, m: m.status == status and m.cseq_method == method and len(m.all("via")) == vias


def request(method, vias=2, dialog=False, transport=None):
    return lambda phone, m: m.method == method and len(m.all("via")) == vias and bool(m.tag("to")) == dialog and \
        transport in (None, phone.transport)


def sub(pattern, to, count=1):
    """Puts something else in the place of a pattern, in the head."""
    def change(raw):
        head, _, body = raw.partition(b"\r\n\r\n")
        made, n = re.subn(pattern.encode(), to.encode(), head + b"\r\n", count=count, flags=re.M | re.I)
        assert n, f"nothing like {pattern} in\n{raw.decode()}"
        return made + b"\r\n" + body
    return change


def line(name, nth=0):
    """A header line, to be found by sub()."""
    return rf"(?<=\n){name}:[^\n]*\n" if nth == 0 else rf"(?<=\n){name}:[^\n]*\n(?={name}:)"


def swap(one, other):
    def change(raw):
        lines = raw.split(b"\r\n")
        i, j = (next(k for k, text in enumerate(lines) if text.lower().startswith(n)) for n in (one, other))
        lines[i], lines[j] = lines[j], lines[i]
        return b"\r\n".join(lines)
    return change


def body(change):
    """The body changed and Content-Length with it."""
    def do(raw):
        head, end, old = raw.partition(b"\r\n\r\n")
        new = change(old)
        assert new != old
        return re.sub(rb"(?im)^(Content-Length: )\d+", rb"\g<1>%d" % len(new), head) + end + new
    return do


def injured(events, pick, change):
    """The same traffic with one message that the daemon sent changed."""
    for i, (kind, phone, m) in enumerate(events):
        if kind == "received" and pick(phone, m):
            made = change(m.raw)
            assert made != m.raw
            return events[:i] + [(kind, phone, Message(made))] + events[i + 1:]
    raise AssertionError("the traffic has no such message")


def shows(traffic, rule, injuries):
    """What the daemon sent keeps the rule, and each injury is found by it."""
    events, registered = traffic
    found = [v for v in lint.check(events, registered) if v.rule == rule]
    assert not found, lint.tell(found)
    for what, (pick, change) in injuries.items():
        seen = lint.check(injured(events, pick, change), registered)
        assert rule in {v.rule for v in seen}, f"{rule} does not notice: {what}; noticed: {lint.tell(seen)}"


# ---- rules -----------------------------------------------------------------------------------------------------


@row("LNT-01")
def test_vias_are_echoed(traffic):
    shows(traffic, "LNT-01", {
        "another host": (answer(200), sub(r"(Via: SIP/2.0/\w+ )[\d.]+", r"\g<1>192.0.2.1")),
        "another transport": (answer(100), sub(r"SIP/2.0/UDP", "SIP/2.0/SCTP")),
        "another branch": (answer(486), sub(r"branch=z9hG4bK", "branch=z9hG4bKx")),
        "a parameter more": (answer(180), sub(r"^(Via: .*?);", r"\1;x=y;")),
        "an older Via lost": (answer(486, vias=2), sub(rf"Via: {re.escape(UPSTREAM)}\r\n", "")),
        "an older Via changed": (answer(486, vias=2), sub("received=192.0.2.8", "received=192.0.2.9")),
        "two Vias in another order": (answer(407, vias=2), sub(r"^(Via: .*\r\n)(Via: .*\r\n)", r"\2\1")),
        "a Via put in front": (answer(200, "BYE"), sub("^Via", "Via: SIP/2.0/UDP 127.0.0.1;branch=z9hG4bKq\r\nVia")),
    })


@row("LNT-02")
def test_dialog_is_echoed(traffic):
    shows(traffic, "LNT-02", {
        "From tag": (answer(200), sub(r"^(From: .*tag=)\w", r"\1")),
        "From URI": (answer(407), sub(r"^From: <sip:", "From: <sip:x")),
        "From with a name": (answer(200, "REGISTER"), sub(r"^From: ", "From: X ")),
        "Call-ID": (answer(487), sub(r"^Call-ID: .", "Call-ID: ")),
        "CSeq number": (answer(200, "INFO"), sub(r"^CSeq: \d+", "CSeq: 9")),
        "no CSeq number": (answer(100), sub(r"^CSeq: \d+", "CSeq: 0")),
    })


@row("LNT-03")
def test_to_is_echoed(traffic):
    shows(traffic, "LNT-03", {
        "To URI": (answer(180), sub(r"^To: <sip:", "To: <sip:x")),
        "To with a name": (answer(407), sub(r"^To: ", "To: X ")),
        "no tag in a refusal of ours": (answer(407), sub(r"^(To: .*);tag=[^;\s]+", r"\1")),
        "no tag in a 200 of ours": (answer(200, "REGISTER"), sub(r"^(To: .*);tag=[^;\s]+", r"\1")),
        "no tag in a 404": (answer(404), sub(r"^(To: .*);tag=[^;\s]+", r"\1")),
        "another tag within a dialog": (answer(200, "BYE"), sub(r"^(To: .*);tag=\w", r"\1;tag=")),
        "a parameter more": (answer(200, "OPTIONS"), sub(r"^(To: .*)(\r)", r"\1;x=y\2")),
    })


@row("LNT-04")
def test_one_via_is_added(traffic):
    shows(traffic, "LNT-04", {
        "a branch without cookie": (request("INVITE"), sub("branch=z9hG4bK", "branch=")),
        "none": (request("INVITE"), sub(line("Via"), "")),
        "two": (request("INVITE"), sub("^Via", "Via: SIP/2.0/UDP 127.0.0.1;branch=z9hG4bKq\r\nVia")),
        "below the sender's": (request("INVITE"), sub(r"^(Via: .*\r\n)((?:.*\r\n)*?)(Via: .*\r\n)", r"\3\2\1")),
        "the sender's changed": (request("BYE", dialog=True),
                                 sub(r"^(Via: .*\r\nVia: SIP/2.0/\w+ )[\d.]+", r"\g<1>192.0.2.1")),
        "an older one changed": (request("INVITE", 3), sub("192.0.2.8", "192.0.2.9")),
        "an older one lost": (request("INVITE", 3), sub(rf"Via: {re.escape(UPSTREAM)}\r\n", "")),
    })


def forwarded_branches(traffic):
    return [(m, lint.branch(m.get("via"))) for kind, _, m in traffic[0]
            if kind == "received" and m.method and len(m.all("via")) > 1]


@row("LNT-05")
def test_branches_are_unique(traffic):
    seen = forwarded_branches(traffic)
    first = seen[0][1]
    later = next(b for m, b in seen if m.method == "INVITE" and m.get("call-id") != seen[0][0].get("call-id"))
    shows(traffic, "LNT-05", {
        "the branch of another call": (lambda _, m: lint.branch(m.get("via", "")) == later and m.method == "INVITE",
                                       sub(re.escape(later), first)),
        "ACK to a 2xx with the branch of its INVITE": (request("ACK", dialog=True),
                                                       sub(r"(Via: .*branch=)[^;\s]+", rf"\g<1>{first}")),
        "BYE with that of the INVITE": (request("BYE", dialog=True),
                                        sub(r"(Via: .*branch=)[^;\s]+", rf"\g<1>{first}")),
    })


@row("LNT-06")
def test_max_forwards_is_one_less(traffic):
    shows(traffic, "LNT-06", {
        "as it was": (request("INVITE"), sub("^Max-Forwards: 69", "Max-Forwards: 70")),
        "two less": (request("INFO", dialog=True), sub("^Max-Forwards: 69", "Max-Forwards: 68")),
        "none": (request("ACK", dialog=True), sub(line("Max-Forwards"), "")),
        "twice": (request("BYE", dialog=True), sub(rf"({line('Max-Forwards')})", r"\1\1")),
    })


@row("LNT-07")
def test_bodies_stay(traffic):
    shows(traffic, "LNT-07", {
        "another address in SDP": (request("INVITE"), body(lambda b: b.replace(b"127.0.0.1", b"192.0.2.1", 1))),
        "an attribute more": (request("INVITE"), body(lambda b: b + b"a=nortpproxy:yes\r\n")),
        "the last line end lost": (request("INVITE", dialog=True), body(lambda b: b[:-2])),
        "no body": (request("INFO", dialog=True), body(lambda b: b"")),
        "LF instead of CRLF": (request("INVITE"), body(lambda b: b.replace(b"\r\n", b"\n"))),
    })


@row("LNT-08")
def test_headers_stay(traffic):
    shows(traffic, "LNT-08", {
        "lost": (request("INVITE"), sub(line("User-Agent"), "")),
        "changed": (request("INVITE"), sub("test phone", "test-phone")),
        "Contact changed": (request("INVITE", dialog=True), sub("^Contact: <sip:", "Contact: <sip:x")),
        "a blank more": (request("INFO", dialog=True), sub("^Content-Type: ", "Content-Type:  ")),
        "new": (request("BYE", dialog=True), sub("^Call-ID", "X-New: 1\r\nCall-ID")),
        "one of two lost": (request("INVITE", 3), sub("^Subject: two\r\n", "")),
        "put in another order": (request("INVITE", 3), swap(b"subject", b"user-agent")),
        "a Record-Route of another lost": (request("INVITE", 3), sub("^Record-Route: <sip:192.0.2.7;lr>\r\n", "")),
    })


@row("LNT-09")
def test_responses_stay(traffic):
    shows(traffic, "LNT-09", {
        "another status": (answer(486), sub("^SIP/2.0 486", "SIP/2.0 480")),
        "another phrase": (answer(180), sub("Ringing", "Ringing on")),
        "a header lost": (answer(200, "INFO"), sub(line("X-Kept"), "")),
        "a header changed": (answer(486, vias=2), sub('"no"', '"yes"')),
        "a header new": (answer(200, "BYE"), sub("^Call-ID", "X-New: 1\r\nCall-ID")),
        "a Record-Route lost": (answer(200), sub(line("Record-Route"), "")),
        "Contact changed": (answer(200), sub("^Contact: <sip:", "Contact: <sip:x")),
        "another body": (answer(200), body(lambda b: b.replace(b"127.0.0.1", b"192.0.2.1", 1))),
        "no body": (answer(200), body(lambda b: b"")),
    })


@row("LNT-10")
def test_length_is_right(traffic):
    length = r"^Content-Length: \d+"

    def on_stream(phone, m):
        return phone.transport == "tcp" and m.method == "INVITE"
    shows(traffic, "LNT-10", {
        "too long": (request("INVITE"), sub(length, "Content-Length: 9999")),
        "too short": (answer(200), sub(length, "Content-Length: 1")),
        "0 with a body": (request("INFO", dialog=True), sub(length, "Content-Length: 0")),
        "no number": (answer(407), sub(length, "Content-Length: x")),
        "twice": (answer(180), sub(length, "Content-Length: 0\r\nContent-Length: 0")),
        "none on a stream": (on_stream, sub(line("Content-Length"), "")),
        "none in a response on a stream": (lambda phone, m: phone.transport == "tls" and m.status == 200,
                                           sub(line("Content-Length"), "")),
    })


@row("LNT-11")
def test_syntax_is_right(traffic):
    shows(traffic, "LNT-11", {
        "LF alone": (answer(200), lambda raw: raw.replace(b"\r\nCall-ID", b"\nCall-ID")),
        "CR alone": (answer(407), lambda raw: raw.replace(b"\r\nCall-ID", b"\rCall-ID")),
        "NUL": (request("INVITE"), sub("^Call-ID: ", "Call-ID: \0")),
        "no end of the head": (answer(100), lambda raw: raw.partition(b"\r\n\r\n")[0] + b"\r\n"),
        "start line of a response": (answer(486), sub("SIP/2.0 486", "SIP/2.0 486.")),
        "start line without a phrase's blank": (answer(100), sub("^SIP/2.0 100 Trying", "SIP/2.0 100")),
        "start line of a request": (request("BYE", dialog=True), sub(" SIP/2.0\r", " SIP/3.0\r")),
        "a blank in the Request-URI": (request("INVITE"), sub("^INVITE sip:", "INVITE sip: ")),
        "a header line without colon": (answer(200), sub("^Call-ID", "X-New\r\nCall-ID")),
        "a blank in a name": (request("INVITE"), sub("^Call-ID", "X New: 1\r\nCall-ID")),
        "Via": (request("INVITE"), sub("^Via: SIP/2.0/", "Via: SIP/2.0 ")),
        "no Via": (answer(100), sub("^Via:.*\r\n", "")),
        "From": (answer(200), sub(r"^From: <([^>]*)>", r"From: <\1")),
        "To": (request("INVITE"), sub(r"^To: <", "To: <<")),
        "a quote that is not closed": (request("INVITE"), sub(r"^To: <", 'To: "x <')),
        "two From": (answer(200), sub("^(From: .*\r\n)", r"\1\1")),
        "no CSeq": (answer(180), sub(line("CSeq"), "")),
        "CSeq of another method": (request("BYE", dialog=True), sub("^(CSeq: .*)BYE", r"\1INVITE")),
    })


@row("LNT-12")
def test_record_routes_are_right(traffic):
    shows(traffic, "LNT-12", {
        "none": (request("INVITE"), sub("^(Record-Route: .*\r\n)+", "")),
        "no lr": (request("INVITE"), sub("^(Record-Route: .*);lr>", r"\1>")),
        "something that only begins with lr": (request("INVITE"), sub("^(Record-Route: .*);lr>", r"\1;lrx>")),
        "not in <>": (request("INVITE"), sub("^Record-Route: <(.*)>", r"Record-Route: \1")),
        "another scheme": (request("INVITE"), sub("^Record-Route: <sip:", "Record-Route: <tel:")),
        "below that of another": (request("INVITE", 3),
                                  sub(r"^(Record-Route: [^\r]*@[^\r]*\r\n)((?:.*\r\n)*?)"
                                      r"(Record-Route: <sip:192.0.2.7;lr>\r\n)", r"\3\2\1")),
        "no lr in the second": (lambda _, m: m.method == "INVITE" and [len(v) > 40 for v in m.all("record-route")] ==
                                [True, True],
                                sub("^(Record-Route: .*\r\nRecord-Route: .*);lr>", r"\1>")),
    })


@row("LNT-13")
def test_own_requests_are_right(traffic):
    shows(traffic, "LNT-13", {
        f"{method}: {what}": (request(method, 1, dialog), change)
        for method, dialog in (("CANCEL", False), ("ACK", True))
        for what, change in {
            "two Vias": sub(r"^(Via: .*\r\n)", r"\1Via: SIP/2.0/UDP 192.0.2.1;branch=z9hG4bKq\r\n"),
            "another branch": sub("branch=z9hG4bK", "branch=z9hG4bKx"),
            "another Request-URI": sub(rf"^{method} sip:", f"{method} sip:x"),
            "another number": sub(r"^CSeq: \d+", "CSeq: 77"),
            "another Call-ID": sub("^Call-ID: .", "Call-ID: "),
        }.items() if (method, what) != ("ACK", "two Vias")})


@row("LNT-14")
def test_rport_is_filled_in(traffic):
    shows(traffic, "LNT-14", {
        "no port": (answer(407), sub(r";rport=\d+", ";rport")),
        "no rport": (answer(200, "REGISTER"), sub(r";rport=\d+", "")),
        "another port": (answer(100), sub(r";rport=\d+", ";rport=9")),
        "a port with a digit more": (answer(200), sub(r"(;rport=\d+)", r"\g<1>0")),
        "no received": (answer(180), sub(r";received=[\d.]+", "")),
        "another address": (answer(200, "OPTIONS"), sub(r";received=[\d.]+", ";received=192.0.2.1")),
    })


@row("LNT-15")
def test_request_uri_is_the_contact(traffic):
    shows(traffic, "LNT-15", {
        "the number that was called": (request("INVITE"), sub(r"^(INVITE sip:[^@]*)@\S+", r"\1@hotdesk.test")),
        "another port": (request("INVITE"), sub(r"^(INVITE sip:[^@]*@[\d.]+:\d+)", r"\g<1>9")),
        "a parameter more": (request("INVITE"), sub(r"^(INVITE sip:\S+)", r"\1;x=y")),
        "a parameter lost": (request("INVITE", transport="tcp"), sub(r"^(INVITE \S+);transport=tcp", r"\1")),
        "another user": (request("INVITE", 3), sub("^INVITE sip:", "INVITE sip:x")),
    })
