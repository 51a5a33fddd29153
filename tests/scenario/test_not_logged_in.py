"""Calls to users who are not there: where they have said, the voicemail, the fallback; and upstream."""

import pytest

from steps import connect, hang_up, login, refuse
from support.daemon import Daemon
from support.peer import Peer
from support.sip import SDP


@pytest.fixture(scope="module")
def house():
    pbx = Peer("127.0.0.4")
    conf = {"plan": {"country": "49", "outside": "0", "national": "0", "voicemail": "sip:*97{number}@pbx",
                     "fallback": "voicemail"},
            "upstream": {"peers": [pbx.line("pbx", "routes=+49~")], "answer_ms": 5000}}
    with Daemon(conf) as d:
        pbx.server = d.address()
        a, b = (d.phone(f"desk-10{i}", register=True) for i in (1, 2))
        assert login(a, "201", "471147").status == 200
        yield d, pbx, a, b
    pbx.close()


@pytest.fixture(autouse=True)
def standard(house):
    yield
    for number in ("201", "202"):
        house[0].ctl("user", "set", number, "--forward-not-logged-in", "", "--forward-always", "",
                     "--forward-busy", "", "--dnd", "no")


def ruri(leg):
    return leg.invite.start.split()[1]


def rings_at(callee, caller, number):
    """The INVITE as it rings there; the call is refused again."""
    call = caller.call(number, SDP).challenge()
    leg = callee.accept()
    refuse(leg, 603)
    assert call.final().status == 603
    return leg


def test_where_the_user_said(house):
    d, pbx, a, b = house
    d.ctl("user", "set", "202", "--forward-not-logged-in", "201")
    leg = rings_at(a, b, "202")
    assert leg.invite.all("diversion") == ["<sip:202@hotdesk.test>;reason=unavailable"]
    d.ctl("user", "set", "202", "--forward-not-logged-in", "0030123")
    leg = rings_at(pbx, b, "202")
    assert ruri(leg) == f"sip:+4930123@{pbx.host}:{pbx.port}"
    shown = d.admin("GET", "/v1/users/202")[1]
    assert shown["forward_not_logged_in"] == "0030123"


def test_the_fallback_is_the_voicemail(house):
    d, pbx, a, b = house
    leg = rings_at(pbx, a, "202")
    assert ruri(leg) == f"sip:*97202@{pbx.host}:{pbx.port}"
    assert leg.invite.all("diversion") == ["<sip:202@hotdesk.test>;reason=unavailable"]


def test_from_the_pbx_to_its_own_voicemail(house):
    d, pbx, _, _ = house
    call = pbx.call("202", SDP, extra=[("Diversion", "<sip:700@pbx.test>;reason=user-busy")])
    leg = pbx.accept()
    assert ruri(leg) == f"sip:*97202@{pbx.host}:{pbx.port}"
    assert leg.invite.all("diversion") == ["<sip:202@hotdesk.test>;reason=unavailable",
                                           "<sip:700@pbx.test>;reason=user-busy"]
    refuse(leg, 603)
    assert call.final().status == 603


def test_round_by_the_pbx(house):
    """The user is called again by the number that the user has forwarded to: no third time."""
    d, pbx, _, _ = house
    d.ctl("user", "set", "202", "--forward-not-logged-in", "0030123")
    call = pbx.call("202", SDP)
    leg = pbx.accept()
    back = pbx.call("202", SDP, extra=[("Diversion", v) for v in leg.invite.all("diversion")])
    assert back.final().status == 482
    refuse(leg, 603)
    assert call.final().status == 603
    many = [("Diversion", f"<sip:{i}@pbx.test>;reason=unknown") for i in range(12)]
    assert pbx.call("202", SDP, extra=many).final().status == 482


def test_no_name_at_all(house):
    _, pbx, _, _ = house
    assert pbx.call("sip:" + "9" * 90 + "@hotdesk.test", SDP).final().status == 404


def test_voicemail_when_busy(house):
    d, pbx, a, b = house
    d.ctl("user", "set", "201", "--dnd", "yes", "--forward-busy", "voicemail")
    leg = rings_at(pbx, b, "201")
    assert ruri(leg) == f"sip:*97201@{pbx.host}:{pbx.port}"
    assert leg.invite.all("diversion") == ["<sip:201@hotdesk.test>;reason=do-not-disturb"]
    # A machine that answers is nobody: the call is a missed one.
    hang_up(*connect(b, pbx, "201"))
    calls = d.until("it is in the list",
                    lambda: [c for c in d.admin("GET", "/v1/calls/of/201")[1]["calls"] if c["status"] == 200])
    assert [(c["kind"], c["forwarded_to"], c["number"]) for c in calls] == [("missed", "voicemail", b.user)]


def test_a_phone_that_is_gone(house):
    d, pbx, a, b = house
    a.register(expires=0)
    try:
        leg = rings_at(pbx, b, "201")
        assert ruri(leg) == f"sip:*97201@{pbx.host}:{pbx.port}"
        assert b.call("desk-101", SDP).challenge().final().status == 480, "a phone is no user"
        message = b.call("201", method="MESSAGE", body="x", extra=[("Content-Type", "text/plain")])
        assert message.challenge().final().status == 480, "it is about calls"
    finally:
        assert a.register().status == 200


def test_reload(house):
    """Another fallback, then none."""
    d, _, a, b = house

    def fall_back(to):
        d.conf["plan"]["fallback"] = to
        d.write_conf()
        d.ctl("reload")

    fall_back("201")
    rings_at(a, b, "202")
    fall_back(None)
    assert b.call("202", SDP).challenge().final().status == 480
    d.conf["plan"]["fallback"] = "sip:200@elsewhere"
    d.write_conf()
    refused = d.ctl("reload", check=False)
    assert refused.returncode and '"elsewhere" is the name of none of upstream.peers' in refused.stderr + refused.stdout
    fall_back("voicemail")
