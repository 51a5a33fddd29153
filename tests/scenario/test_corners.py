"""Corners of RFC 3261 and RFC 6026 that no row of the table has: what comes late, twice, or from elsewhere."""

import contextlib
import time

import pytest

from plant import plant
from steps import connect, hang_up, no_more, no_more_from_now, refuse, ring
from support.sip import SDP, Call
from support.wire import Raw, text

T1, T2 = 0.1, 0.2  # of the hurried daemon: 64*T1 are 6.4 s
TRANSPORTS = ["udp", "tcp", "tls"]


@pytest.fixture(scope="module")
def d():
    with plant(tls=True) as daemon:
        yield daemon


@pytest.fixture(scope="module")
def hurried():
    timers = {"t1_ms": int(1000 * T1), "t2_ms": int(1000 * T2), "t4_ms": 200}
    with plant({"sip": timers}, tls=True) as daemon:
        yield daemon


def as_sent(call):
    """The INVITE of a call, for once more."""
    return text(f"INVITE {call.uri} SIP/2.0", call.headers, call.body)


def is_ok(tag=None):
    return lambda m: m.status == 200 and m.cseq_method == "INVITE" and tag in (None, m.tag("to"))


# ---- RFC 6026: the 2xx has been acknowledged, and something comes late ----------------------------------


def wait_for_the_context(daemon):
    """The transactions are let go T2 + 2*T1 after the ACK; what is left recognises late copies for 64*T1."""
    daemon.until("nothing left", lambda: daemon.metric("hotdeskd_response_contexts") == 0)


@pytest.mark.parametrize("transport", TRANSPORTS)
def test_late_200_goes_on_and_late_invite_does_not(hurried, transport):
    a, b = hurried.phone(register=True), hurried.phone(register=True, transport=transport)
    call, leg = connect(a, b, b.user)
    raw = as_sent(call)
    wait_for_the_context(hurried)
    for tag in (leg.local_tag, "of-another-device"):  # and of a fork behind the callee
        b.reply(leg.invite, 200, "OK", tag, [("Contact", b.contact)])
        a.inbox.insert(0, a.wait("the late 200", is_ok(tag)))
        assert call.final().status == 200
        call.ack()
        assert b.request("ACK").tag("to") == tag
    a.send_raw(raw)
    no_more(b, "second call", lambda m: m.method == "INVITE", 0.2)
    for status in (180, 486):
        leg.answer(status)
    no_more(a, "anything but a 2xx", lambda m: m.status in (180, 486), 0.1)


def test_late_200_of_somebody_else_does_not(hurried):
    """Only with our branch, and only to where the INVITE came from."""
    a, b = hurried.phones_of(2)
    call, leg = connect(a, b, b.user)
    wait_for_the_context(hurried)
    victim = hurried.phone()
    vias = leg.invite.all("via")
    port = f":{victim.port}"
    for changed in ([vias[0], vias[1].replace(f":{a.port}", port)], [vias[0], vias[1].replace(f"rport={a.port}", f"rport={port[1:]}")],
                    [vias[0].replace("branch=z9hG4bK-f", "branch=z9hG4bK-f0"), vias[1]], vias[:1]):
        b.send("SIP/2.0 200 OK", [("Via", v) for v in changed] + [
            (n, leg.invite.get(n)) for n in ("From", "Call-ID", "CSeq")] + [("To", leg.invite.get("to") + ";tag=x")])
    no_more(a, "200", is_ok(), 0.1)
    no_more(victim, "200", lambda m: m.status, 0.1)
    assert call


def test_all_is_forgotten_after_64_t1():
    with plant({"sip": {"t1_ms": 60, "t2_ms": 200, "t4_ms": 200}}) as d:
        began = time.monotonic()
        forgets(d)
        assert time.monotonic() - began > 60 * 0.06


def forgets(d):
    a, b = d.phones_of(2)
    call, leg = connect(a, b, b.user)
    wait_for_the_context(d)

    def forgotten():
        a.inbox.clear()
        leg.answer(200)
        a.pump(0.2)
        return not any(is_ok()(m) for m in a.inbox)
    d.until("late 200 are strays by now", forgotten)
    assert call


@pytest.mark.parametrize("transport", TRANSPORTS)
@pytest.mark.parametrize("rings", [0, 1, 2])
def test_two_200_of_one_branch(d, transport, rings):
    """The callee is a proxy that forks (13.2.2.4): each 2xx goes on, each ACK comes to its own."""
    a, b = d.phone(register=True), d.phone(register=True, transport=transport)
    call = a.call(b.user, SDP).challenge()
    leg, tags = b.accept(), ("one", "two")
    for tag in tags[:rings]:
        b.reply(leg.invite, 180, "Ringing", tag, [("Contact", b.contact)])
        assert call.provisional(180).tag("to") == tag
    for tag in tags * 2:
        b.reply(leg.invite, 200, "OK", tag, [("Contact", b.contact)])
        a.inbox.insert(0, a.wait(f"200 of {tag}", is_ok(tag)))
        assert call.final().status == 200
        call.ack()
        assert b.request("ACK").tag("to") == tag


# ---- the transaction is known by branch, sent-by and method, not by where a copy came from (17.2.3) ---------


def test_cancel_over_another_connection(d):
    a, b = d.phone(register=True, transport="tcp"), d.phone(register=True)
    call, leg = ring(a, b, b.user)
    kept = [h for h in call.headers if h[0] in ("Via", "From", "To", "Call-ID", "Max-Forwards")]
    with Raw(d.address("tcp"), "tcp") as other:
        other.send(text(f"CANCEL {call.uri} SIP/2.0", kept + [("CSeq", f"{call.cseq} CANCEL")]))
        assert other.receive().status == 200
    b.reply(b.request("CANCEL"), 200, to_tag="x")
    refuse(leg, 487)
    assert call.final().status == 487


def test_invite_and_ack_from_another_port(d):
    a, b = d.phones_of(2)
    call, leg = ring(a, b, b.user)
    with Raw(d.address()) as other:
        other.send(as_sent(call))
        no_more(b, "second call", lambda m: m.method == "INVITE", 0.1)
        refuse(leg)
        answer = a.wait("486", lambda m: m.status == 486)
        kept = [h for h in call.headers if h[0] in ("Via", "From", "Call-ID", "Max-Forwards")]
        other.send(text(f"ACK {call.uri} SIP/2.0", kept + [("To", answer.get("to")), ("CSeq", f"{call.cseq} ACK")]))
    no_more_from_now(a, "486 after its ACK", lambda m: m.status == 486, 1.8)


# ---- inside a dialog ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("one,other", [("udp", "udp"), ("udp", "tcp"), ("tls", "udp"), ("tcp", "tls")])
def test_reinvite_that_is_cancelled(d, one, other):
    a, b = d.phone(register=True, transport=one), d.phone(register=True, transport=other)
    call, leg = connect(a, b, b.user)
    for x, y in ((call, leg), (leg, call)):
        x.in_dialog("INVITE", body=SDP)
        invite, seen = x.phone.sent, y.phone.request("INVITE")
        y.phone.reply(seen, 180, "Ringing")
        x.phone.wait("180", lambda m: m.status == 180)
        same = [h for h in invite.headers if h[0] in ("via", "from", "to", "call-id", "route", "max-forwards")]
        x.phone.send(f"CANCEL {invite.ruri} SIP/2.0", same + [("CSeq", f"{x.cseq} CANCEL")])
        assert x.phone.final("CANCEL").status == 200
        y.phone.reply(y.phone.request("CANCEL"), 200)
        y.phone.reply(seen, 487, "Request Terminated")
        y.phone.request("ACK")
        assert x.phone.final("INVITE", x.call_id, x.cseq).status == 487
        x.phone.send(f"ACK {invite.ruri} SIP/2.0", same + [("CSeq", f"{x.cseq} ACK")])
    hang_up(call, leg)


def test_reinvite_that_is_challenged(d):
    a, b = d.phones_of(2)
    call, leg = connect(a, b, b.user)
    challenge = 'Digest realm="b.example.net", nonce="1"'
    call.in_dialog("INVITE", body=SDP)
    b.reply(b.request("INVITE"), 401, "Unauthorized", extra=[("WWW-Authenticate", challenge)])
    b.request("ACK")
    answer = a.final("INVITE", call.call_id, call.cseq)
    assert answer.status == 401 and answer.all("www-authenticate") == [challenge]
    assert leg


def test_notify_comes_before_the_200(d):
    """RFC 6665 4.1.2.4: the subscriber has no dialog yet but what the NOTIFY makes."""
    a, b = d.phones_of(2)
    call = a.call(b.user, method="SUBSCRIBE", extra=[("Event", "presence"), ("Expires", "60")]).challenge()
    subscribe = b.request("SUBSCRIBE")
    leg = Call.incoming(b, subscribe)
    leg.in_dialog("NOTIFY", [("Event", "presence"), ("Subscription-State", "active")])
    a.reply(a.request("NOTIFY"), 200)
    assert b.final("NOTIFY").status == 200
    b.reply(subscribe, 200, to_tag=leg.local_tag, extra=[("Expires", "60"), ("Contact", b.contact)])
    assert call.final().status == 200


# ---- we are the other end: numbers that are codes -------------------------------------------------------------


CODE = "sip:*771*201*471147@hotdesk.test"


@pytest.mark.parametrize("method", ["INVITE", "INFO"])
def test_code_that_requires_an_extension(d, method):
    """8.2.2.3: who asks for what we do not know gets no login, but is told."""
    a = d.phone(register=True)
    extra = [("Require", "x-one, 100rel"), ("Require", "x-two")]
    answer = a.call(CODE, SDP if method == "INVITE" else "", method=method, extra=extra).final()
    assert answer.status == 420 and ", ".join(answer.all("unsupported")) == "x-one, 100rel, x-two", repr(answer)
    assert d.sessions() == {}


@pytest.mark.parametrize("method,status", [("OPTIONS", 200), ("MESSAGE", 405), ("REFER", 405), ("FROB", 405)])
def test_code_by_another_method(d, method, status):
    a = d.phone(register=True)
    answer = a.call(CODE, method=method, extra=[("Event", "dialog"), ("Refer-To", "<sip:201@hotdesk.test>")]).final()
    assert answer.status == status and "INVITE" in answer.get("allow") and "INFO" in answer.get("allow"), repr(answer)
    assert d.sessions() == {}


def test_phone_at_the_port_that_is_ours_by_another_transport(d):
    """RFC 3263 4.1: its Contact without a transport means UDP, where nobody but it listens."""
    with contextlib.ExitStack() as stack:
        while True:
            try:
                b = d.phone(port=int(d.address("tcp")[1]), register=True)
                break
            except OSError:  # somebody else has it by UDP
                d = stack.enter_context(plant())
        a = d.phone(register=True)
        call = a.call(b.user, SDP).challenge()
        refuse(b.accept(call_id=call.call_id))
        assert call.final().status == 486


# ---- limits that are configuration -----------------------------------------------------------------------------


def test_max_forwards_and_max_breadth_of_the_configuration():
    with plant({"sip": {"max_forwards": 9, "max_breadth": 7}, "registrar": {"contacts_max": 8}}) as d:
        a, name = d.phone(register=True), d.name()
        one, two = d.phone(name, register=True), d.phone(name, register=True)
        base = a.base
        a.base = lambda *args, **more: [h for h in base(*args, **more) if h[0] != "Max-Forwards"]
        for limits, shares in (((9, 7), ["3", "4"]), ((5, 3), ["1", "2"])):
            d.conf["sip"].update(max_forwards=limits[0], max_breadth=limits[1])
            d.write_conf()
            d.ctl("reload")
            call = a.call(name, SDP).challenge()
            legs = [one.accept(), two.accept()]
            assert [leg.invite.get("max-forwards") for leg in legs] == [str(limits[0])] * 2
            assert sorted(leg.invite.get("max-breadth") for leg in legs) == shares
            for leg in legs:
                refuse(leg)
            assert call.final().status == 486
