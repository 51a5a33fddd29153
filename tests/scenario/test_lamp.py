"""The lamp on the Login key: off while free, flashing in the dialogue, on while somebody is logged in."""

import pytest

from steps import by_code, hang_up, login, ring
from support.daemon import Daemon
from support.events import DialogInfo, Subscription, lamp
from support.sip import SDP

RELAY = ("Content-Type", "application/dtmf-relay")


def type_in(call, digits):
    for digit in digits:
        call.in_dialog("INFO", [RELAY], f"Signal={digit}\r\nDuration=100\r\n")
        assert call.phone.final("INFO", call.call_id, call.cseq).status == 200


def shown(s, state):
    s.until(lambda m: lamp(m) == state, state)


def test_login_move_logout():
    with Daemon() as d:
        a, b = d.phone("desk-101", register=True), d.phone("desk-102", register=True)
        at_a, at_b = Subscription(a, "*770").begun(), Subscription(b, "*770").begun()
        call = a.call("*771", SDP)
        assert call.final().status == 200
        call.ack()
        shown(at_a, "early")
        type_in(call, "201#471147#")
        a.reply(a.request("BYE"), 200)
        shown(at_a, "confirmed")
        assert login(b, "201", "471147").status == 200
        shown(at_b, "confirmed")
        shown(at_a, "terminated")
        assert by_code(b, "*772").status == 200
        shown(at_b, "terminated")
        d.ctl("session", "login", "202", "desk-101")
        shown(at_a, "confirmed")
        d.ctl("session", "logout", "--phone", "desk-101")
        shown(at_a, "terminated")


def test_dialogue_without_a_login():
    with Daemon({"desk": {"dialogue_s": 1}}) as d:
        a = d.phone("desk-101", register=True)
        s = Subscription(a, "*771").begun()
        call = a.call("*771", SDP)
        assert call.final().status == 200
        call.ack()
        shown(s, "early")
        call.bye()
        shown(s, "terminated")
        call = a.call("*771", SDP)
        assert call.final().status == 200
        call.ack()
        shown(s, "early")
        a.reply(a.request("BYE"), 200)  # nothing was typed
        shown(s, "terminated")


@pytest.mark.parametrize("uri", [
    "sip:*771@hotdesk.test", "sip:%2A771@hotdesk.test", "sip:%2a771@hotdesk.test;user=phone",
    "sip:*771;phone-context=hotdesk.test@hotdesk.test;user=phone", "sip:*770@hotdesk.test;transport=udp",
    "sip:*772%23@hotdesk.test",
])
def test_forms_of_the_key(uri):
    """What BLF keys of the vendors make of a code."""
    with Daemon() as d:
        a = d.phone("desk-101", register=True)
        s = Subscription(a, uri)
        s.answered()
        notify = s.told()
        assert DialogInfo(notify).entity.startswith(uri.split(";")[0][:8])
        assert login(a, "201", "471147").status == 200
        shown(s, "confirmed")


# ---- busy lamps ------------------------------------------------------------------------------------


def calls_of(s, match, what):
    """The dialogs that the next matching NOTIFY tells."""
    return DialogInfo(s.until(lambda m: match(DialogInfo(m).dialogs), what)).dialogs


def states(*wanted):
    return lambda dialogs: [d["state"] for d in dialogs] == list(wanted)


@pytest.fixture
def office():
    with Daemon({"events": {"notify_rate": 0}}) as d:
        d.a, d.b, d.c = (d.phone(f"desk-10{i}", register=True) for i in (1, 2, 3))
        yield d


def test_user_on_whichever_phone(office):
    a, b, c = office.a, office.b, office.c
    s = Subscription(c, "sip:201@hotdesk.test;user=phone").begun()
    assert login(a, "201", "471147").status == 200
    call, leg = ring(b, a, "201")
    (early,) = calls_of(s, states("early"), "a ringing call")
    assert early["direction"] == "recipient" and early["duration"] is None
    assert (early["local"], early["remote"]) == ("sip:201@hotdesk.test;user=phone", "sip:desk-102@hotdesk.test")
    leg.answer(200, "OK")
    assert call.final().status == 200
    call.ack()
    (up,) = calls_of(s, states("confirmed"), "a call")
    assert up["id"] == early["id"] and int(up["duration"]) >= 0
    assert login(b, "201", "471147").status == 200, "moves; the call stays where it is"
    hang_up(call, leg)
    calls_of(s, states("terminated"), "no call")
    call = b.call("desk-103", SDP).challenge()
    leg = c.accept()
    leg.answer(180, "Ringing")
    (out,) = calls_of(s, lambda dialogs: dialogs[0]["state"] == "early", "a call of the user, who has moved")
    assert out["direction"] == "initiator" and out["remote"] == "sip:desk-103@hotdesk.test"
    leg.answer(486, "Busy Here")
    assert call.final().status == 486
    calls_of(s, states("terminated"), "no call")


def test_phone_and_several_calls(office):
    a, b, c = office.a, office.b, office.c
    s = Subscription(c, "desk-101").begun()
    one, one_leg = ring(b, a, "desk-101")
    calls_of(s, states("early"), "one call")
    two = c.call("desk-101", SDP).challenge()
    two_leg = a.accept()
    two_leg.answer(180, "Ringing")
    both = calls_of(s, states("early", "early"), "two calls")
    assert {d["remote"] for d in both} == {"sip:desk-102@hotdesk.test", "sip:desk-103@hotdesk.test"}
    one.cancel()
    a.reply(a.request("CANCEL"), 200)
    one_leg.answer(487, "Request Terminated")
    assert one.final().status == 487
    (left,) = calls_of(s, states("early"), "one call")
    assert left["remote"] == "sip:desk-103@hotdesk.test"
    two_leg.answer(603, "Decline")
    assert two.final().status == 603
    calls_of(s, states("terminated"), "no call")


@pytest.mark.parametrize("header", [("Privacy", "id"), None])
def test_withheld(office, header):
    a, b, c = office.a, office.b, office.c
    called, calling = Subscription(c, "desk-101").begun(), Subscription(c, "desk-102").begun()
    call = b.call("desk-101", SDP, extra=[header] if header else [])
    call.challenge()
    leg = a.accept()
    leg.answer(180, "Ringing")
    (seen,) = calls_of(called, states("early"), "a ringing call")
    if header:
        assert seen["remote"] == "sip:anonymous@anonymous.invalid" and seen["remote name"] == "Anonymous"
    else:
        assert seen["remote"] == "sip:desk-102@hotdesk.test"
    (seen,) = calls_of(calling, states("early"), "a call out")
    assert seen["remote"] == "sip:desk-101@hotdesk.test"
    leg.answer(486, "Busy Here")
    assert call.final().status == 486


def test_names_are_escaped(office):
    a, b, c = office.a, office.b, office.c
    s = Subscription(c, "desk-101").begun()
    name = "<Jürgen> & \\\"Söhne\\\" ']]>"
    call = b.call("desk-101", SDP)
    answer = b.final("INVITE", call.call_id)
    call.ack_failure(answer)
    call.credentials = [b.authorization(answer, "INVITE", call.uri)]
    base = b.base
    b.base = lambda *args, **more: [(n, f'"{name}" {v}' if n == "From" else v) for n, v in base(*args, **more)]
    call.send_initial()
    leg = a.accept()
    leg.answer(180, "Ringing")
    (seen,) = calls_of(s, states("early"), "a ringing call")
    assert seen["remote name"] == name.replace("\\", "")
    b.base = base
    leg.answer(486, "Busy Here")


def test_removed_user(office):
    s = Subscription(office.c, "202").begun()
    office.ctl("user", "remove", "202")
    s.again()
    notify = s.told()
    assert notify.get("subscription-state") == "terminated;reason=noresource" and notify.body == b""
    s.again(status=481)
