"""What users have set is obeyed: do not disturb, and forwarding of every call."""

import pytest

from steps import login, refuse, ring
from support.daemon import Daemon
from support.sip import SDP


@pytest.fixture
def d():
    with Daemon() as daemon:
        daemon.a, daemon.b, daemon.c = (daemon.phone(f"desk-10{i}", register=True) for i in (1, 2, 3))
        assert login(daemon.a, "201", "471147").status == 200
        assert login(daemon.c, "202", "802615").status == 200
        yield daemon


def set_user(d, number, *options):
    d.ctl("user", "set", number, *options)


def refused(phone, number):
    return phone.call(number, SDP).final().status


def rings(caller, callee, number, extra=()):
    """The INVITE as the callee sees it; the call is refused again."""
    call = caller.call(number, SDP, extra=extra).challenge()
    leg = callee.accept()
    refuse(leg, 603)
    assert call.final().status == 603
    return leg.invite


def test_do_not_disturb(d):
    set_user(d, "201", "--dnd", "yes")
    assert refused(d.b, "201") == 486
    rings(d.b, d.a, "desk-101"), "the phone itself is not the user"
    message = d.b.call("201", method="MESSAGE", body="x", extra=[("Content-Type", "text/plain")]).challenge()
    d.a.reply(d.a.request("MESSAGE"), 200)
    assert message.final().status == 200, "it is about calls"
    set_user(d, "201", "--dnd", "no")
    rings(d.b, d.a, "201")


def test_forward_always(d):
    set_user(d, "201", "--forward-always", "202", "--dnd", "yes")
    invite = rings(d.b, d.c, "201", [("Diversion", "<sip:lies@hotdesk.test>")])
    assert invite.all("diversion") == ["<sip:201@hotdesk.test>;reason=unconditional"]
    set_user(d, "203", "--forward-always", "201")
    invite = rings(d.b, d.c, "203")
    assert invite.all("diversion") == ["<sip:201@hotdesk.test>;reason=unconditional",
                                       "<sip:203@hotdesk.test>;reason=unconditional"]
    d.ctl("session", "logout", "201")
    rings(d.b, d.c, "201")
    set_user(d, "201", "--forward-always", "desk-101")
    rings(d.b, d.a, "201")
    set_user(d, "201", "--forward-always", "999")
    assert refused(d.b, "201") == 404
    set_user(d, "201", "--forward-always", "*772")
    assert refused(d.b, "201") == 404, "no code is dialled for anybody"
    set_user(d, "201", "--forward-always", "", "--dnd", "no")
    assert refused(d.b, "201") == 480
    assert "diversion" not in [n for n, _ in rings(d.b, d.c, "202").headers]


def test_forwarding_in_circles(d):
    set_user(d, "201", "--forward-always", "202")
    set_user(d, "202", "--forward-always", "201")
    set_user(d, "203", "--forward-always", "202")
    for number in ("201", "202", "203"):
        assert refused(d.b, number) == 482


# ---- busy, no answer ---------------------------------------------------------------------------------


def goes_on(left, to, status):
    """The phone that is left refuses; the leg at the phone where the call goes on."""
    leg = left.accept()
    refuse(leg, status)
    return to.accept()


def test_forward_when_busy(d):
    set_user(d, "201", "--forward-busy", "202")
    call = d.b.call("201", SDP).challenge()
    leg = goes_on(d.a, d.c, 486)
    assert leg.invite.all("diversion") == ["<sip:201@hotdesk.test>;reason=user-busy"]
    leg.answer(200, "OK")
    assert call.final().status == 200
    call.ack()
    d.c.request("ACK")
    call.in_dialog("BYE")
    d.c.reply(d.c.request("BYE"), 200)
    assert d.b.final("BYE", call.call_id).status == 200
    assert refuse_once(d, "201", 603) == 603, "declined is not busy"
    set_user(d, "201", "--dnd", "yes")
    rings(d.b, d.c, "201"), "do not disturb is busy, too"


def refuse_once(d, number, status):
    call = d.b.call(number, SDP).challenge()
    refuse(d.a.accept(), status)
    return call.final().status


def test_busy_in_circles_and_nowhere(d):
    set_user(d, "201", "--forward-busy", "202")
    set_user(d, "202", "--forward-busy", "201")
    call = d.b.call("201", SDP).challenge()
    refuse(goes_on(d.a, d.c, 486), 486)
    assert call.final().status == 486
    set_user(d, "201", "--forward-busy", "999")
    assert refuse_once(d, "201", 486) == 486


def test_forward_chain(d):
    """201 is busy, 202 always forwards to a phone: both are told of."""
    set_user(d, "201", "--forward-busy", "202")
    set_user(d, "202", "--forward-always", "desk-103")
    call = d.b.call("201", SDP).challenge()
    leg = goes_on(d.a, d.c, 600)
    assert leg.invite.all("diversion") == ["<sip:202@hotdesk.test>;reason=unconditional",
                                           "<sip:201@hotdesk.test>;reason=user-busy"]
    refuse(leg, 486)
    assert call.final().status == 486


def test_forward_when_not_answered():
    with Daemon({"plan": {"ring_s": 1}}) as d:
        a, b, c = (d.phone(f"desk-10{i}", register=True) for i in (1, 2, 3))
        assert login(a, "201", "471147").status == 200
        assert login(c, "202", "802615").status == 200
        set_user(d, "201", "--forward-no-answer", "202", "--rings", "1")
        call, first = ring(b, a, "201")
        second = c.accept()
        assert second.invite.all("diversion") == ["<sip:201@hotdesk.test>;reason=no-answer"]
        a.reply(a.request("CANCEL"), 200)
        first.answer(487, "Request Terminated")
        second.answer(180, "Ringing")
        call.cancel()
        assert b.final("CANCEL", call.call_id).status == 200
        c.reply(c.request("CANCEL"), 200)
        second.answer(487, "Request Terminated")
        assert call.final().status == 487
        set_user(d, "201", "--forward-no-answer", "999")
        call, first = ring(b, a, "201")
        d.until("rings on", lambda: "201: not answered, and rings on" in d.log())
        first.answer(200, "OK")
        assert call.final().status == 200
        call.ack()
