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
