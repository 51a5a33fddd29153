"""A call that rings while its user moves to another phone is taken along."""

import itertools

import pytest

from plant import plant
from steps import hang_up, login, no_more, refuse, ring
from support.sip import SDP

NUMBERS = itertools.count(300)


@pytest.fixture(scope="module")
def d():
    with plant({"sip": {"t1_ms": 60, "t2_ms": 200, "t4_ms": 200},
                "desk": {"resync_retry_s": 600, "resync_retry_max_s": 600}}) as daemon:
        yield daemon


@pytest.fixture
def desk(d):
    """A user of its own at phone b, phone c to move to, and a caller a."""
    number = str(next(NUMBERS))
    d.ctl("user", "add", number, "--name", "Dora", "--pin", "914263")
    a, b, c = d.phones_of(3)
    d.ctl("session", "login", number, b.user)
    resync(b)
    return number, a, b, c


def resync(*phones):
    for phone in phones:
        phone.reply(phone.request("NOTIFY"), 200)


def move(d, number, phone):
    d.ctl("session", "login", number, phone.user)


def cancelled(leg, answer=487):
    """The old phone is told to stop, in a way that leaves no missed call; it obeys."""
    cancel = leg.phone.request("CANCEL")
    assert cancel.get("reason") == 'SIP;cause=200;text="Call completed elsewhere"', repr(cancel)
    assert cancel.get("via").split("branch=")[1] == leg.invite.get("via").split("branch=")[1]
    leg.phone.reply(cancel, 200)
    if answer:
        leg.answer(answer)
        leg.phone.request("ACK")


def is_same_request(first, second):
    """The INVITE at the second phone is the caller's, with the same identity."""
    for name in ("from", "to", "call-id", "cseq", "p-asserted-identity", "max-forwards"):
        assert first.get(name) == second.get(name), name
    assert first.body == second.body
    assert first.ruri != second.ruri
    assert first.get("via") != second.get("via")


def moved_leg(d, number, leg, phone):
    move(d, number, phone)
    other = phone.accept()
    is_same_request(leg.invite, other.invite)
    other.answer(180, "Ringing")
    return other


@pytest.mark.parametrize("rings", [True, False])
def test_new_phone_answers(d, desk, rings):
    number, a, b, c = desk
    before = d.metric("hotdeskd_calls_moved_total")
    if rings:
        call, leg = ring(a, b, number)
    else:
        call = a.call(number, SDP).challenge()
        leg = b.accept()
        leg.answer(100, "Trying")
    other = moved_leg(d, number, leg, c)
    cancelled(leg)
    (seen,) = d.admin("GET", f"/v1/calls/active?user={number}")[1]["calls"]
    assert seen["callee"]["phone"] == c.user and seen["callee"]["user"] == number
    assert a.wait("180 of the new phone", lambda m: m.status == 180 and m.tag("to") == other.local_tag)
    other.answer(200)
    ok = call.final()
    assert ok.status == 200 and ok.tag("to") == other.local_tag
    call.ack()
    c.request("ACK")
    assert d.metric("hotdeskd_calls_moved_total") == before + 1
    resync(b, c)
    no_more(b, "more", lambda m: m.method != "NOTIFY")
    call.in_dialog("INFO", [("Content-Type", "text/plain")], "x")
    c.reply(c.request("INFO"), 200)
    hang_up(other, call)
    d.until("over", lambda: d.admin("GET", f"/v1/calls/active?user={number}")[1]["total"] == 0)


def test_login_by_code_at_the_new_phone(d, desk):
    number, a, b, c = desk
    call, leg = ring(a, b, number)
    assert login(c, number, "914263").status == 200
    other = c.accept()
    cancelled(leg)
    other.answer(200)
    assert call.final().status == 200
    call.ack()
    c.request("ACK")
    hang_up(call, other)


def test_new_phone_refuses(d, desk):
    number, a, b, c = desk
    call, leg = ring(a, b, number)
    other = moved_leg(d, number, leg, c)
    cancelled(leg)
    refuse(other, 486)
    assert call.final().status == 486, "the 487 of the old phone is not the call's"


def test_new_phone_does_not_answer(d, desk):
    """It has gone: the caller hears that, and not the old phone's 487."""
    number, a, b, c = desk
    call, leg = ring(a, b, number)
    move(d, number, c)
    c.close()
    cancelled(leg)
    assert call.final().status in (408, 480, 500)


def test_old_phone_was_faster(d, desk):
    """Its 200 crosses with the CANCEL: it has the call, and the new phone stops ringing."""
    number, a, b, c = desk
    call, leg = ring(a, b, number)
    other = moved_leg(d, number, leg, c)
    b.reply(b.request("CANCEL"), 200)
    leg.answer(200)
    ok = call.final()
    assert ok.status == 200 and ok.tag("to") == leg.local_tag
    call.ack()
    b.request("ACK")
    cancelled(other)
    (seen,) = d.admin("GET", f"/v1/calls/active?user={number}")[1]["calls"]
    assert seen["callee"]["phone"] == b.user and seen["state"] == "confirmed"
    hang_up(call, leg)


def test_both_answer(d, desk):
    """Every 2xx goes to the caller (RFC 3261 16.7 step 5), which ends the one that it does not want."""
    number, a, b, c = desk
    call, leg = ring(a, b, number)
    other = moved_leg(d, number, leg, c)
    b.reply(b.request("CANCEL"), 200)
    other.answer(200)
    first = call.final()
    assert first.tag("to") == other.local_tag
    call.ack()
    c.request("ACK")
    leg.answer(200)
    second = a.wait("the other 200", lambda m: m.status == 200 and m.tag("to") == leg.local_tag)
    mine = call.remote_tag, call.remote, call.routes
    call.remote_tag, call.remote = leg.local_tag, b.contact.strip("<>")
    call.routes = list(reversed(second.all("record-route")))
    call.ack()
    b.request("ACK")
    call.in_dialog("BYE")
    b.reply(b.request("BYE"), 200)
    assert a.final("BYE").status == 200
    call.remote_tag, call.remote, call.routes = mine
    call.in_dialog("INFO", [("Content-Type", "text/plain")], "x")
    c.reply(c.request("INFO"), 200)
    hang_up(other, call)


def test_old_phone_declines_while_it_is_cancelled(d, desk):
    """A 6xx of the phone that the user has left does not end the call."""
    number, a, b, c = desk
    call, leg = ring(a, b, number)
    other = moved_leg(d, number, leg, c)
    cancelled(leg, 603)
    other.answer(200)
    assert call.final().status == 200
    call.ack()
    c.request("ACK")
    hang_up(call, other)


@pytest.mark.parametrize("when", ["before", "after", "crossing"])
def test_caller_cancels(d, desk, when):
    number, a, b, c = desk
    call, leg = ring(a, b, number)
    if when == "before":
        call.cancel()
        cancel = b.request("CANCEL")
        assert cancel.get("reason") is None
        move(d, number, c)
        b.reply(cancel, 200)
        leg.answer(487)
        b.request("ACK")
        no_more(c, "INVITE", lambda m: m.method == "INVITE", 0.6)
    else:
        other = moved_leg(d, number, leg, c)
        if when == "after":
            cancelled(leg)
        call.cancel()
        cancel = c.request("CANCEL")
        assert cancel.get("reason") is None
        c.reply(cancel, 200)
        if when == "crossing":
            cancelled(leg)
        other.answer(487)
        c.request("ACK")
    assert call.final().status == 487


def test_new_phone_is_not_registered(d, desk):
    """It rings on where it rings; when the new phone registers in time, it follows."""
    number, a, b, c = desk
    c.register(expires=0)
    call, leg = ring(a, b, number)
    move(d, number, c)
    no_more(b, "CANCEL", lambda m: m.method == "CANCEL", 0.6)
    c.register()
    other = c.accept()
    cancelled(leg)
    other.answer(200)
    assert call.final().status == 200
    call.ack()
    c.request("ACK")
    hang_up(call, other)


def test_logout_cuts_nothing(d, desk):
    number, a, b, _ = desk
    call, leg = ring(a, b, number)
    d.ctl("session", "logout", number)
    no_more(b, "CANCEL", lambda m: m.method == "CANCEL", 0.6)
    leg.answer(200)
    assert call.final().status == 200
    call.ack()
    b.request("ACK")
    hang_up(call, leg)


def test_established_call_stays(d, desk):
    number, a, b, c = desk
    call, leg = ring(a, b, number)
    leg.answer(200)
    assert call.final().status == 200
    call.ack()
    b.request("ACK")
    move(d, number, c)
    no_more(c, "INVITE", lambda m: m.method == "INVITE", 0.6)
    hang_up(call, leg)


def test_call_to_the_phone_itself_stays(d, desk):
    number, a, b, c = desk
    call, leg = ring(a, b, b.user)
    move(d, number, c)
    no_more(b, "CANCEL", lambda m: m.method == "CANCEL", 0.6)
    refuse(leg)
    assert call.final().status == 486


def test_moves_twice(d, desk):
    number, a, b, c = desk
    e = d.phone(register=True)
    call, leg = ring(a, b, number)
    second = moved_leg(d, number, leg, c)
    cancelled(leg)
    third = moved_leg(d, number, second, e)
    cancelled(second)
    fourth = moved_leg(d, number, third, b)
    cancelled(third)
    fourth.answer(200)
    ok = call.final()
    assert ok.status == 200 and ok.tag("to") == fourth.local_tag
    call.ack()
    b.request("ACK")
    hang_up(call, fourth)


@pytest.mark.parametrize("transport", ["tcp", "udp"])
def test_several_calls_follow(d, desk, transport):
    number, _, b, c = desk
    callers = [d.phone(transport=transport, register=True) for _ in range(3)]
    calls = [ring(a, b, number) for a in callers]
    move(d, number, c)
    for call, leg in calls:
        cancelled(leg)
    legs = {leg.call_id: leg for leg in (c.accept() for _ in calls)}
    for call, _ in calls:
        refuse(legs[call.call_id])
        assert call.final().status == 486


def test_phone_with_several_contacts():
    """All that rang at the old phone stop, all of the new one ring."""
    with plant({"sip": {"t1_ms": 60, "t2_ms": 200, "t4_ms": 200}, "registrar": {"contacts_max": 3}}) as d:
        a = d.phone(register=True)
        old = [d.phone("p500", register=True) for _ in range(2)]
        new = [d.phone("p501", register=True) for _ in range(2)]
        d.ctl("session", "login", "201", "p500")
        call = a.call("201", SDP).challenge()
        legs = [phone.accept() for phone in old]
        for leg in legs:
            leg.answer(180)
        move(d, "201", new[0])
        for leg in legs:
            cancelled(leg)
        fresh = [phone.accept() for phone in new]
        for leg in fresh:
            leg.answer(180)
        fresh[0].answer(200)
        assert call.final().status == 200
        call.ack()
        new[0].request("ACK")
        cancelled(fresh[1])
        hang_up(call, fresh[0])
