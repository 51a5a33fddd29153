"""Calls in progress as the administrator sees them: from the INVITE to the end, and what ends without one."""

import pytest

from plant import plant
from steps import again, connect, hang_up, refuse, ring
from support.sip import SDP, Call, rand


@pytest.fixture(scope="module")
def d():
    with plant({"sip": {"t1_ms": 60, "t2_ms": 200, "t4_ms": 200}}) as daemon:
        yield daemon


def active(d, phone=None, user=None):
    """Calls in progress, those of a phone when one is given."""
    status, answer = d.admin("GET", "/v1/calls/active?limit=1000" + (f"&user={user}" if user else ""))
    assert status == 200, answer
    assert answer["total"] == len(answer["calls"])
    return [c for c in answer["calls"] if phone is None or phone.user in
            (c["caller"]["phone"], c["callee"]["phone"])]


def gone(d, *phones):
    for phone in phones:
        d.until(f"no call at {phone.user}", lambda p=phone: not active(d, p))


def test_from_ringing_to_the_end(d):
    a, b = d.phones_of(2)
    d.ctl("session", "login", "201", a.user)
    d.ctl("session", "login", "202", b.user)
    before = d.metric("hotdeskd_calls")
    call = a.call("202", SDP).challenge()
    leg = b.accept()
    (seen,) = active(d, a)
    assert seen["state"] == "trying" and seen["ringing"] is None
    leg.answer(180, "Ringing")
    call.provisional(180)
    (seen,) = active(d, user="202")
    assert seen["state"] == "early" and seen["ringing"] and not seen["answered"]
    assert seen["caller"] == {"phone": a.user, "user": "201", "uri": f"sip:{a.user}@hotdesk.test", "name": None}
    assert seen["callee"] == {"phone": b.user, "user": "202", "uri": "sip:202@hotdesk.test", "name": None}
    assert seen["dialled"] == "sip:202@hotdesk.test" and not seen["withheld"] and not seen["learned"]
    leg.answer(200, "OK")
    assert call.final().status == 200
    call.ack()
    b.request("ACK")
    (seen,) = active(d, user="201")
    assert seen["state"] == "confirmed" and seen["started"] <= seen["ringing"] <= seen["answered"]
    assert d.metric("hotdeskd_calls") == before + 1
    table = d.ctl("call", "active", "202").stdout.split()
    assert [a.user, "202", b.user] == table[table.index(a.user):][:3], table
    again(leg, call, SDP + b"a=sendonly\r\n")
    assert active(d, a)[0]["state"] == "confirmed"
    hang_up(call, leg)
    gone(d, a, b)
    assert d.metric("hotdeskd_calls") == before
    d.ctl("session", "logout", "201")
    d.ctl("session", "logout", "202")


def test_names_and_withheld_numbers(d):
    a, b = d.phones_of(2)
    call = Call(a, b.user, "INVITE", SDP, [("Privacy", "id")])
    original = a.base
    a.base = lambda *args, **more: [
        (n, v.replace("<", '"B\\"\u00e4r\t\u202e 😀" <', 1) if n == "From" else v) for n, v in original(*args, **more)]
    call.challenge()
    a.base = original
    leg = b.accept()
    (seen,) = active(d, a)
    assert seen["withheld"] and seen["caller"]["name"] == 'B"\u00e4r?\u202e 😀'
    refuse(leg)
    assert call.final().status == 486
    gone(d, a, b)


@pytest.mark.parametrize("how", ["refused", "cancelled", "nobody", "unanswered BYE", "early BYE"])
def test_ends(d, how):
    a, b = d.phones_of(2)
    if how == "nobody":
        b.close()
        assert a.call(b.user, SDP).challenge().final().status in (408, 480, 500, 503)
        gone(d, a, b)
        return
    if how == "unanswered BYE":
        call, leg = connect(a, b, b.user)
        leg.in_dialog("BYE")
        gone(d, a, b)
        return
    call, leg = ring(a, b, b.user)
    assert len(active(d, a)) == 1
    if how == "refused":
        refuse(leg)
    elif how == "cancelled":
        call.cancel()
        b.reply(b.request("CANCEL"), 200)
        leg.answer(487)
        b.request("ACK")
    else:
        call.remote_tag, call.remote = leg.local_tag, b.contact.strip("<>")
        call.routes = list(reversed(leg.routes))
        call.in_dialog("BYE")
        call.cseq -= 1
        b.reply(b.request("BYE"), 200)
        gone(d, a, b)
        leg.answer(487)
        b.request("ACK")
    assert call.final().status in (486, 487)
    gone(d, a, b)


def test_dialog_that_the_other_side_does_not_know(d):
    a, b = d.phones_of(2)
    call, leg = connect(a, b, b.user)
    call.in_dialog("UPDATE")
    b.reply(b.request("UPDATE"), 481)
    assert a.final("UPDATE").status == 481
    gone(d, a, b)
    # A re-INVITE that crosses with the BYE shows the call again, until its answer.
    call, leg = connect(a, b, b.user)
    hang_up(leg, call)
    gone(d, a, b)
    call.in_dialog("INVITE", body=SDP)
    invite = b.request("INVITE")
    assert active(d, a)[0]["learned"]
    b.reply(invite, 481)
    b.request("ACK")
    gone(d, a, b)


@pytest.mark.parametrize("kill", [False, True])
def test_restart(kill):
    with plant({"sip": {"t1_ms": 60, "t2_ms": 200, "t4_ms": 200}}) as d:
        a, b = d.phones_of(2)
        call, leg = connect(a, b, b.user)
        started = active(d)[0]["started"]
        d.restart(kill=kill)
        assert active(d) == []
        leg.in_dialog("INFO", [("Content-Type", "text/plain")], "x")
        a.reply(a.request("INFO"), 200)
        (seen,) = active(d)
        assert seen["learned"] and seen["state"] == "confirmed" and seen["started"] == started
        assert (seen["caller"]["phone"], seen["callee"]["phone"]) == (a.user, b.user)
        assert seen["caller"]["user"] is None
        hang_up(call, leg)
        gone(d, a, b)


def test_lost_bye_keeps_nobody_busy():
    with plant({"sip": {"call_max_s": 600}}) as d:
        a, b = d.phones_of(2)
        call, leg = connect(a, b, b.user)
        assert len(active(d)) == 1
        d.conf["sip"]["call_max_s"] = 1
        d.write_conf()
        d.ctl("reload")
        leg.in_dialog("INFO", [("Content-Type", "text/plain")], "x")
        a.reply(a.request("INFO"), 200)
        gone(d, a, b)
        assert d.metric("hotdeskd_calls_lost_total") == 1
        call.in_dialog("INFO", [("Content-Type", "text/plain")], "still there")
        b.reply(b.request("INFO"), 200)
        assert active(d)[0]["learned"]
        hang_up(call, leg)
        gone(d, a, b)


def test_bad_questions(d):
    for query in ("limit=0", "limit=x", "limit=100000", "user=", "user=%20", "user=" + "1" * 500):
        assert d.admin("GET", f"/v1/calls/active?{query}")[0] == 400, query
    assert d.ctl("call", "active", "no body", check=False).returncode == 1
    assert active(d, user=rand()) == []
