"""Pick-up by code: who gets a call that rings elsewhere, who does not, and what the others see of it."""

import pytest

from plant import plant
from steps import by_code, login, refuse, ring
from support.sip import SDP

PEOPLE = {"201": "471147", "202": "802615", "203": "593817", "204": "684920", "205": "715036"}


@pytest.fixture(scope="module")
def house():
    with plant({"plan": {"ring_s": 30}}) as d:
        for number, pin in PEOPLE.items():
            if number > "202":
                d.ctl("user", "add", number, "--name", f"User {number}", "--pin", pin)
            d.ctl("user", "set", number, "--group", "support" if number == "205" else "sales")
        phones = dict(zip(PEOPLE, d.phones_of(5)))
        for number, phone in phones.items():
            assert login(phone, number, PEOPLE[number]).status == 200
        yield d, phones
        d.conf["codes"] = {}


def cancelled(leg):
    """The call at the phone that is left ends, and is not missed there."""
    cancel = leg.phone.request("CANCEL")
    assert cancel.get("reason") == 'SIP;cause=200;text="Call completed elsewhere"'
    leg.phone.reply(cancel, 200)
    leg.answer(487, "Request Terminated")


def taken(phone, call):
    """The INVITE of the picked-up call at the phone, which answers by itself."""
    leg = phone.accept(call_id=call.call_id)
    assert leg.invite.get("call-info") == "<sip:hotdesk.test>;answer-after=0"
    assert leg.invite.get("alert-info") == "<http://hotdesk.test>;info=alert-autoanswer;delay=0"
    assert leg.invite.get("answer-mode") == "Auto"
    leg.answer(200, "OK")
    assert call.final().status == 200
    call.ack()
    phone.request("ACK")
    return leg


def over(call, leg):
    call.in_dialog("BYE")
    leg.phone.reply(leg.phone.request("BYE"), 200)
    assert call.phone.final("BYE", call.call_id).status == 200


def lists(d, number):
    status, answer = d.admin("GET", f"/v1/calls/of/{number}")
    assert status == 200, answer
    return answer["calls"]


def test_by_number(house):
    d, p = house
    call, old = ring(p["203"], p["201"], "201")
    assert by_code(p["202"], "*8201").status == 200
    leg = taken(p["202"], call)
    cancelled(old)
    active = d.admin("GET", "/v1/calls/active?user=202")[1]["calls"]
    assert [(c["callee"]["user"], c["state"]) for c in active] == [("202", "confirmed")]
    assert d.admin("GET", "/v1/calls/active?user=201")[1]["calls"] == []
    over(call, leg)
    d.until("both lists", lambda: lists(d, "202") and lists(d, "201"))
    assert lists(d, "202")[0]["kind"] == "received"
    assert lists(d, "201")[0]["kind"] != "missed", lists(d, "201")[0]
    assert "calls_picked_up" in d.admin("GET", "/metrics")[1]


def test_the_longest_of_the_group(house):
    d, p = house
    other, foreign = ring(p["201"], p["205"], "205")  # rings longer, but in another group
    first, old = ring(p["201"], p["203"], "203")
    second, rings_on = ring(p["205"], p["204"], "204")
    assert by_code(p["202"], "*8").status == 200
    leg = taken(p["202"], first)
    cancelled(old)
    over(first, leg)
    for call, leg in ((second, rings_on), (other, foreign)):
        refuse(leg, 486)
        assert call.final().status == 486


def test_nothing_to_pick_up(house):
    d, p = house
    for code, status in (("*8", 480), ("*8201", 480), ("*8299", 404), ("*8p1", 403), ("*8205", 403)):
        assert by_code(p["202"], code).status == status, code
    call, leg = ring(p["203"], p["202"], "202")
    assert by_code(p["202"], "*8").status == 480, "it rings here"
    assert by_code(p["203"], "*8202").status == 480, "that is our own"
    leg.answer(200, "OK")
    assert call.final().status == 200
    call.ack()
    p["202"].request("ACK")
    assert by_code(p["201"], "*8202").status == 480, "it is answered"
    over(call, leg)


def test_another_group(house):
    d, p = house
    call, old = ring(p["203"], p["201"], "201")
    assert by_code(p["205"], "*8201").status == 403
    d.conf["codes"] = {"pickup_everybody": True}
    d.write_conf()
    d.ctl("reload")
    assert by_code(p["205"], "*8").status == 480, "the group is the group"
    assert by_code(p["205"], "*8*201%23").status == 200
    leg = taken(p["205"], call)
    cancelled(old)
    over(call, leg)
    d.conf["codes"] = {}
    d.write_conf()
    d.ctl("reload")


def test_two_at_once(house):
    """The second one asks while the first one's own call is still being ended."""
    d, p = house
    call, old = ring(p["203"], p["201"], "201")
    first = p["202"].call("*8201", SDP)
    assert first.final().status == 200
    assert by_code(p["204"], "*8201").status == 480
    first.ack()
    bye = p["202"].request("BYE")
    p["202"].reply(bye, 200)
    leg = taken(p["202"], call)
    cancelled(old)
    over(call, leg)


def test_gone_meanwhile(house):
    """It is answered where it rings before the other phone's own call is over."""
    d, p = house
    call, leg = ring(p["203"], p["201"], "201")
    code = p["202"].call("*8201", SDP)
    assert code.final().status == 200
    leg.answer(200, "OK")
    assert call.final().status == 200
    call.ack()
    p["201"].request("ACK")
    code.ack()
    p["202"].reply(p["202"].request("BYE"), 200)
    d.until("the log", lambda: f"{p['202'].user}: the call that it picks up has gone" in d.log())
    assert not [m for m in p["202"].inbox if m.get("call-id") == call.call_id]
    over(call, leg)


def test_the_caller_hangs_up(house):
    d, p = house
    call, old = ring(p["203"], p["201"], "201")
    assert by_code(p["202"], "*8201").status == 200
    leg = p["202"].accept(call_id=call.call_id)
    cancelled(old)
    leg.answer(180, "Ringing")
    call.cancel()
    assert p["203"].final("CANCEL", call.call_id).status == 200
    p["202"].reply(p["202"].request("CANCEL"), 200)
    leg.answer(487, "Request Terminated")
    assert call.final().status == 487


def test_a_free_phone(house):
    """Nobody's phone is in no group; with the right to, it may."""
    d, p = house
    free = d.phone(register=True)
    d.ctl("user", "add", "206", "--name", "No Group", "--pin", "826147")
    desk = d.phone(register=True)
    d.ctl("session", "login", "206", desk.user)
    desk.reply(desk.request("NOTIFY"), 200)
    call, old = ring(p["203"], desk, "206")
    assert by_code(free, "*8").status == 200
    leg = taken(free, call)
    cancelled(old)
    over(call, leg)


def test_lamps(house):
    """The lamp of whom it leaves goes out, that of who takes it goes on."""
    d, p = house
    watch = {}
    for number in ("201", "202"):
        sub = p["204"].call(number, method="SUBSCRIBE",
                            extra=[("Event", "dialog"), ("Expires", "600")]).challenge()
        assert sub.final().status == 200
        watch[number] = sub.call_id

    def shown(number, state):
        """Each document is answered: the next one waits for that."""
        body = b""
        while f">{state}<".encode() not in body:
            notify = p["204"].wait(f"{number} {state}, after {body}", lambda m: m.method == "NOTIFY" and
                                   m.get("call-id") == watch[number])
            p["204"].reply(notify, 200)
            body = notify.body

    shown("201", "terminated")
    shown("202", "terminated")
    call, old = ring(p["203"], p["201"], "201")
    shown("201", "early")
    assert by_code(p["202"], "*8201").status == 200
    leg = taken(p["202"], call)
    cancelled(old)
    shown("201", "terminated")
    shown("202", "confirmed")
    over(call, leg)


def test_replaces_passes(house):
    """A phone that replaces an early dialog by itself (RFC 3891) reaches the phone it is for."""
    d, p = house
    value = "12345@192.0.2.1;to-tag=a;from-tag=b;early-only"
    call = p["203"].call("201", SDP, extra=[("Replaces", value), ("Require", "replaces")]).challenge()
    leg = p["201"].accept(call_id=call.call_id)
    assert leg.invite.get("replaces") == value and leg.invite.get("require") == "replaces"
    refuse(leg, 481)
    assert call.final().status == 481
