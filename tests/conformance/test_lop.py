"""Loops, spirals and amplification (RFC 3261 16.3, RFC 5393): one test for each row."""

import pytest

from plant import plant
from steps import no_more, refuse
from support.sip import SDP, rand

row = pytest.mark.row


@pytest.fixture(scope="module")
def d():
    with plant({"registrar": {"contacts_max": 8}}) as daemon:
        yield daemon


def aor(phone):
    return f"<sip:{phone.user}@hotdesk.test>"


def invites(phone):
    """Every INVITE that came, answered 486."""
    phone.pump(0.005)
    came = [m for m in phone.inbox if m.method == "INVITE"]
    for m in came:
        phone.inbox.remove(m)
        phone.reply(m, 486, to_tag=rand(4))
    return len(came)


@row("LOP-01")
@pytest.mark.parametrize("uri", ["sip:{}@hotdesk.test", "sip:{}@{}", "sip:{}@HOTDESK.test;transport=udp"])
def test_contact_is_its_own_address(d, uri):
    a, b = d.phone(register=True), d.phone()
    b.register(contact="<" + uri.format(b.user, "%s:%d" % d.address()) + ">")
    before = d.metric("hotdeskd_requests_forwarded_total")
    status = a.call(b.user, SDP).final().status
    assert status in (480, 482, 483), status
    assert d.metric("hotdeskd_requests_forwarded_total") - before <= 1


@row("LOP-02")
def test_two_that_fork_to_each_other(d):
    """RFC 5393 3: each new round would double the copies; here the third phone counts them."""
    caller, third = d.phones_of(2)
    a, b = d.phone(), d.phone()
    for phone in (a, b):
        phone.register(contact=f"{aor(a)}, {aor(b)}, <sip:{third.user}@{third.host}:{third.port}>", expect=None)
    call = caller.call(a.user, SDP).challenge()
    seen = []

    def ended():
        seen.append(invites(third))
        caller.pump(0.005)
        return [m for m in caller.inbox if m.status >= 300 and m.get("cseq") == f"{call.cseq} INVITE"]
    d.until("an end", ended)
    assert call.final().status == 486
    assert 1 <= sum(seen) <= 2, f"the third phone got {sum(seen)} copies"


@row("LOP-03")
@pytest.mark.parametrize("times", [1, 3])
def test_reflected_by_the_callee(d, times):
    a, b = d.phones_of(2)
    call = a.call(b.user, SDP).challenge()
    leg = b.accept()
    before = d.metric("hotdeskd_requests_forwarded_total")
    for _ in range(times):
        b.send_raw(leg.invite.raw)
    answer = b.wait("an answer", lambda m: m.status >= 300 and m.cseq_method == "INVITE")
    assert answer.status in (403, 407, 482, 483), repr(answer)
    no_more(a, "an INVITE", lambda m: m.method == "INVITE")
    assert d.metric("hotdeskd_requests_forwarded_total") == before
    refuse(leg)
    assert call.final().status == 486


@row("LOP-04")
def test_spiral_arrives(d):
    a, b, c = d.phone(register=True), d.phone(), d.phone(register=True)
    b.register(contact=aor(c))
    call = a.call(b.user, SDP).challenge()
    leg = c.accept()
    leg.answer(180)
    call.provisional(180)
    refuse(leg)
    assert call.final().status == 486


@row("LOP-05")
def test_max_breadth(d):
    a, b = d.phones_of(2)
    call = a.call(b.user, SDP, extra=[("Max-Breadth", "3")]).challenge()
    leg = b.accept()
    assert leg.invite.all("max-breadth") == ["3"], "kept for one target"
    refuse(leg)
    assert call.final().status == 486

    name = d.name()
    one, two = d.phone(name), d.phone(name)
    for phone in (one, two):
        phone.register()
    call = a.call(name, SDP, extra=[("Max-Breadth", "3")]).challenge()
    legs = [one.accept(), two.accept()]
    shares = [int(leg.invite.get("max-breadth")) for leg in legs]
    assert sum(shares) <= 3 and min(shares) >= 1, shares
    for leg in legs:
        refuse(leg)
    assert call.final().status == 486
