"""Call lists: what is written of calls, whoever crashes, and what of them is told to whom."""

import csv
import io
import itertools
import time

import pytest

from plant import plant
from steps import connect, hang_up, login, refuse, ring
from support.sip import SDP, Call

NUMBERS = itertools.count(400)


def quick(**more):
    return {"sip": {"t1_ms": 60, "t2_ms": 200, "t4_ms": 200}, "store": {"soft_delay_ms": 50},
            "plan": {"ring_s": 1}, "desk": {"resync_retry_s": 600, "resync_retry_max_s": 600}, **more}


@pytest.fixture(scope="module")
def d():
    with plant(quick()) as daemon:
        yield daemon


def people(d, n=2):
    """Users who were never called, each at a phone of its own: [(number, phone)]."""
    made = []
    for phone in d.phones_of(n):
        number = str(next(NUMBERS))
        d.ctl("user", "add", number, "--name", f"User {number}", "--pin", "914263")
        d.ctl("session", "login", number, phone.user)
        phone.reply(phone.request("NOTIFY"), 200)
        made.append((number, phone))
    return made


def calls_of(d, owner, n=None, **query):
    """The list of an owner, when it has n entries."""
    def read():
        text = "&".join(f"{k}={v}" for k, v in query.items())
        status, answer = d.admin("GET", f"/v1/calls/of/{owner}?{text}")
        assert status == 200, answer
        return answer["calls"]
    if n is not None:
        d.until(f"{n} calls of {owner}", lambda: len(read()) == n)
    return read()


def test_answered(d):
    (anna, a), (ben, b) = people(d)
    call, leg = connect(a, b, ben)
    hang_up(leg, call)
    (mine,), (other,) = calls_of(d, anna, 1), calls_of(d, ben, 1)
    assert (mine["kind"], mine["number"], mine["identity"], mine["phone"]) == ("dialled", ben, anna, a.user)
    assert (other["kind"], other["number"], other["identity"], other["phone"]) == ("received", anna, ben, b.user)
    assert (mine["name"], other["name"]) == (f"User {ben}", f"User {anna}"), "no name was presented: the directory's"
    for entry in (mine, other):
        assert entry["answered"] and entry["status"] == 200 and entry["duration_s"] == 0


@pytest.mark.parametrize("how,status,kind", [("busy", 486, "missed"), ("cancelled", 487, "missed"),
                                             ("elsewhere", 487, "received"), ("forwarded", 486, "missed"),
                                             ("lie", 486, "missed")])
def test_not_answered(d, how, status, kind):
    (anna, a), (ben, b) = people(d)
    if how in ("forwarded", "lie"):
        by = anna if how == "forwarded" else "77"  # a phone may forward by itself, and speaks for nobody else
        call = Call(a, ben, "INVITE", SDP, [("Diversion", f'"x" <sip:{by}@hotdesk.test>;reason=user-busy')])
        call.challenge()
        leg = b.accept()
    else:
        call, leg = ring(a, b, ben)
    if status == 486:
        refuse(leg, 486, extra=[("Reason", "Q.850;cause=17")])
    else:
        call.cancel([("Reason", "SIP;cause=200;text=x")] if how == "elsewhere" else ())
        b.reply(b.request("CANCEL"), 200)
        leg.answer(487)
        b.request("ACK")
    assert call.final().status == status
    (mine,), (other,) = calls_of(d, anna, 1), calls_of(d, ben, 1)
    assert mine["kind"] == "dialled" and other["kind"] == kind
    assert other["status"] == status and not other["answered"]
    assert other["cause"] == (17 if status == 486 else 0)
    assert other["forwarded_by"] == (anna if how == "forwarded" else None)


@pytest.mark.parametrize("how,status,cause", [("logged out", 480, 20), ("gone", 480, 20), ("disturbed", 486, 17)])
def test_refused_without_ringing(d, how, status, cause):
    """Who was not there, or not to be disturbed, finds who called; an INVITE that comes again is no other call."""
    (anna, a), (ben, b) = people(d)
    if how == "logged out":
        d.ctl("session", "logout", ben)
        b.reply(b.request("NOTIFY"), 200)
    elif how == "gone":
        b.register(expires=0)
    else:
        d.ctl("user", "set", ben, "--dnd", "yes")
    call = Call(a, ben, "INVITE", SDP, [("Subject", how)])
    call.challenge()
    assert call.final().status == status
    a.send(f"INVITE {call.uri} SIP/2.0", call.headers, call.body)
    assert call.final().status == status
    (mine,), (other,) = calls_of(d, anna, 1), calls_of(d, ben, 1)
    assert (mine["kind"], mine["number"], mine["status"]) == ("dialled", ben, status)
    assert (other["kind"], other["number"], other["cause"]) == ("missed", anna, cause)
    assert other["phone"] in (None, "") and not other["answered"]


def test_seen_at_another_desk_and_moved_while_ringing(d):
    (anna, a), (ben, b) = people(d)
    c = d.phone(register=True)
    call, leg = ring(a, b, ben)
    d.ctl("session", "login", ben, c.user)
    other = c.accept()
    other.answer(180)
    b.reply(b.request("CANCEL"), 200)
    leg.answer(487)
    b.request("ACK")
    other.answer(200)
    assert call.final().status == 200
    call.ack()
    c.request("ACK")
    hang_up(call, other)
    (entry,) = calls_of(d, ben, 1)
    assert entry["kind"] == "received" and entry["phone"] == c.user, "one call, one entry"
    assert calls_of(d, ben, phone=b.user) == []
    assert len(calls_of(d, anna, 1)) == 1


def test_forwarded_when_busy(d):
    """Whom it leaves has missed it, who answers knows from whom it came, the caller has one entry."""
    (anna, a), (ben, b), (cleo, c) = people(d, 3)
    d.ctl("user", "set", ben, "--forward-busy", cleo)
    call = Call(a, ben, "INVITE", SDP).challenge()
    refuse(b.accept())
    leg = c.accept()
    leg.answer(200)
    assert call.final().status == 200
    call.ack()
    c.request("ACK")
    hang_up(call, leg)
    (mine,), (left,), (taken,) = calls_of(d, anna, 1), calls_of(d, ben, 1), calls_of(d, cleo, 1)
    assert (mine["kind"], mine["number"], mine["answered"]) == ("dialled", ben, True)
    assert (left["kind"], left["number"], left["phone"], left["status"], left["cause"]) == \
        ("missed", anna, b.user, 486, 17)
    assert not left["answered"] and left["forwarded_by"] is None and left["forwarded_to"] == cleo
    assert (taken["kind"], taken["number"], taken["forwarded_by"]) == ("received", anna, ben)


def test_forwarded_when_not_answered(d):
    (anna, a), (ben, b), (cleo, c) = people(d, 3)
    d.ctl("user", "set", ben, "--forward-no-answer", cleo, "--rings", "1")
    call, left = ring(a, b, ben)
    taken = c.accept()
    b.reply(b.request("CANCEL"), 200)
    left.answer(487)
    b.request("ACK")
    taken.answer(200)
    assert call.final().status == 200
    call.ack()
    c.request("ACK")
    hang_up(call, taken)
    (mine,), (missed,), (received,) = calls_of(d, anna, 1), calls_of(d, ben, 1), calls_of(d, cleo, 1)
    assert (mine["kind"], mine["number"], mine["answered"]) == ("dialled", ben, True)
    assert (missed["kind"], missed["number"], missed["phone"], missed["cause"]) == ("missed", anna, b.user, 19)
    assert not missed["answered"] and missed["forwarded_by"] is None and missed["forwarded_to"] == cleo
    assert (received["kind"], received["number"], received["forwarded_by"]) == ("received", anna, ben)


def told(entry):
    """What an entry says of forwarding."""
    return entry["kind"], entry["number"], entry["forwarded_by"], entry["forwarded_to"], entry["status"]


def test_forwarded_always_says_by_whom_and_where_to(d):
    """By two in a row: each of them has the call, as a missed one only when nobody has answered."""
    (anna, a), (ben, _), (dora, b), (cleo, c) = people(d, 4)
    d.ctl("user", "set", ben, "--forward-always", dora)
    d.ctl("user", "set", dora, "--forward-not-logged-in", cleo)
    d.ctl("session", "logout", dora)
    b.reply(b.request("NOTIFY"), 200)
    call = Call(a, ben, "INVITE", SDP).challenge()
    refuse(c.accept())
    assert call.final().status == 486
    (entry,) = calls_of(d, cleo, 1)
    assert told(entry) == ("missed", anna, dora, None, 486)
    (entry,) = calls_of(d, ben, 1)
    assert told(entry) == ("missed", anna, None, dora, 486) and entry["identity"] == ben
    (entry,) = calls_of(d, dora, 1)
    assert told(entry) == ("missed", anna, ben, cleo, 486) and entry["identity"] == dora
    talk = connect(a, c, ben)
    hang_up(*talk)
    (mine,), (entry, _), (other, _) = calls_of(d, anna, 2)[:1], calls_of(d, ben, 2), calls_of(d, dora, 2)
    assert told(mine) == ("dialled", ben, dora, None, 200)
    assert told(entry) == ("received", anna, None, dora, 200), "somebody has answered it"
    assert told(other) == ("received", anna, ben, cleo, 200)
    for forwarder in (entry, other):
        assert forwarder["elsewhere"] and not forwarder["answered"] and forwarder["duration_s"] == 0
    assert told(calls_of(d, cleo, 2)[0]) == ("received", anna, dora, None, 200)
    # It goes nowhere.
    d.ctl("user", "set", dora, "--forward-not-logged-in", "")
    assert Call(a, ben, "INVITE", SDP).challenge().final().status == 480
    assert told(calls_of(d, ben, 3)[0]) == ("missed", anna, None, dora, 480)
    assert told(calls_of(d, dora, 3)[0]) == ("missed", anna, ben, None, 480)


def test_forwarded_in_circles_is_one_call_of_each(d):
    (anna, a), (ben, _), (dora, _), (cleo, _) = people(d, 4)
    for user, to in ((ben, dora), (dora, cleo), (cleo, dora)):
        d.ctl("user", "set", user, "--forward-always", to)
    assert Call(a, ben, "INVITE", SDP).challenge().final().status == 482
    for user, by, to in ((ben, None, dora), (dora, ben, cleo), (cleo, dora, dora)):
        (entry,) = calls_of(d, user, 1)
        assert told(entry) == ("missed", anna, by, to, 482)


def test_withheld_stays_withheld(d):
    (anna, a), (ben, b) = people(d)
    call = Call(a, ben, "INVITE", SDP, [("Privacy", "id")]).challenge()
    refuse(b.accept())
    assert call.final().status == 486
    (entry,) = calls_of(d, ben, 1)
    assert entry["withheld"] and entry["number"] is None and entry["name"] is None
    assert anna not in d.ctl("call", "list", ben).stdout.replace(b.user, "")
    assert calls_of(d, anna, 1)[0]["number"] == ben


def test_codes_and_pins_are_no_calls(d):
    (anna, a), (_, b) = people(d)
    assert login(a, anna, "914263").status == 200
    assert login(a, anna, "000111").status == 403
    call, leg = connect(a, b, b.user)
    hang_up(call, leg)
    (entry,) = calls_of(d, anna, 1)
    assert entry["number"] == b.user
    assert "914263" not in d.ctl("call", "export").stdout


NAMES = {'"<b>A & \'B\'</b> =cmd() 😀"': "<b>A & 'B'</b> =cmd() 😀", '"a\x01b\x1b[2J\x7f"': "a?b?[2J?", '"=1+1"': "=1+1",
         '"A\\"B"': 'A"B', '""': None}


@pytest.mark.parametrize("name", NAMES)
def test_bad_names_and_absurd_dates(d, name):
    """Text in every form of the list; when it was is what our clock says."""
    (ben, b), = people(d, 1)
    a, = d.phones_of(1)
    headers = a.base
    a.base = lambda *args, **more: [(n, f"{name} {v}" if n == "From" else v) for n, v in headers(*args, **more)]
    call = Call(a, ben, "INVITE", SDP, [("Date", "Mon, 32 Feb 99999 25:61:61 GMT")]).challenge()
    refuse(b.accept())
    assert call.final().status == 486
    now = int(1000 * time.time())
    (entry,) = calls_of(d, ben, 1, **{"from": now - 3600000, "until": now + 3600000})
    assert entry["number"] == a.user and entry["name"] == NAMES[name], entry
    (row,) = csv.DictReader(io.StringIO(d.ctl("call", "list", ben, "--csv").stdout))
    assert row["number"] == a.user and row["name"] == {"=1+1": "'=1+1"}.get(NAMES[name], NAMES[name] or ""), row


def test_no_final_response(d):
    """Nobody answers the INVITE at all: the call is over when we say so."""
    (anna, a), (ben, _) = people(d)
    call = Call(a, ben, "INVITE", SDP).challenge()
    status = call.final().status
    assert status in (408, 480)
    for owner, kind in ((anna, "dialled"), (ben, "missed")):
        (entry,) = calls_of(d, owner, 1)
        assert (entry["kind"], entry["status"], entry["answered"], entry["ring_ms"]) == (kind, status, False, 0)


def test_phone_where_nobody_sits(d):
    a, b = d.phones_of(2)
    call, leg = connect(a, b, b.user)
    hang_up(call, leg)
    assert calls_of(d, a.user, 1)[0]["kind"] == "dialled"
    assert calls_of(d, b.user, 1)[0]["number"] == a.user


def test_pages_csv_and_removal(d):
    (anna, a), (ben, b) = people(d)
    for _ in range(5):
        call = Call(a, ben, "INVITE", SDP)
        call.challenge()
        refuse(b.accept())
        assert call.final().status == 486
    whole = calls_of(d, ben, 5)
    assert [c["started"] for c in whole] == sorted((c["started"] for c in whole), reverse=True)
    seen, after = [], ""
    while after is not None:
        status, answer = d.admin("GET", f"/v1/calls/of/{ben}?limit=2&after={after}")
        assert status == 200
        seen, after = seen + answer["calls"], answer["next"]
    assert seen == whole
    assert calls_of(d, ben, kind="missed") == whole and calls_of(d, ben, kind="dialled") == []
    assert calls_of(d, ben, until=1) == [] and calls_of(d, ben, **{"from": 1}) == whole
    rows = list(csv.DictReader(io.StringIO(d.ctl("call", "list", ben, "--csv").stdout)))
    assert [r["number"] for r in rows] == [anna] * 5 and {r["kind"] for r in rows} == {"missed"}
    everybody = list(csv.DictReader(io.StringIO(d.ctl("call", "export").stdout)))
    assert len([r for r in everybody if r["owner"] in (anna, ben)]) == 10
    for query in ("limit=0", "limit=1001", "kind=x", "after=zz", "from=-1", "format=xml"):
        assert d.admin("GET", f"/v1/calls/of/{ben}?{query}")[0] == 400, query
    assert "removed" in d.ctl("call", "clear", ben).stdout
    assert calls_of(d, ben) == [] and len(calls_of(d, anna)) == 5
    d.ctl("user", "remove", anna)
    assert calls_of(d, anna) == []


def all_is_written(d):
    d.until("what calls have changed is written", lambda: d.metric("hotdeskd_calls_unwritten") == 0)


def test_crash_in_a_call_and_retention():
    """Calls that go on are in the store as soon as it can write; a crash leaves what was known."""
    with plant(quick(store={"soft_delay_ms": 5000})) as d:
        (anna, a), (ben, b) = people(d)
        (_, c), (dora, e) = people(d)
        call, leg = connect(a, b, ben)
        d.ctl("user", "add", "399", "--name", "Away", "--pin", "914263")
        d.ctl("user", "set", "399", "--forward-not-logged-in", dora)
        ring(c, e, "399")
        all_is_written(d)
        assert d.admin("GET", "/v1/status")[1]["calls_open"] == 3, "one of them is that of who forwards"
        d.restart(kill=True)
        (entry,) = calls_of(d, ben, 1)
        assert entry["answered"] and entry["duration_s"] is None and entry["kind"] == "received"
        (missed,) = calls_of(d, dora, 1)
        assert missed["kind"] == "missed"
        (missed,) = calls_of(d, "399", 1)
        assert (missed["kind"], missed["forwarded_to"]) == ("missed", dora)
        hang_up(call, leg)
        d.until("completed", lambda: calls_of(d, ben)[0]["duration_s"] is not None)
        (entry,) = calls_of(d, anna, 1)
        assert entry["number"] == ben and entry["duration_s"] is not None
        # Retention by number, and no recording when it is off.
        for _ in range(3):
            call, leg = ring(a, b, ben)
            refuse(leg)
            assert call.final().status == 486
        calls_of(d, ben, 4)
        d.conf["calls"] = {"keep_max": 2, "record": False}
        d.write_conf()
        d.ctl("reload")
        assert [x["kind"] for x in calls_of(d, ben, 2)] == ["missed", "missed"]
        call, leg = ring(a, b, ben)
        refuse(leg)
        assert call.final().status == 486
        d.stop()
        d.start()
        assert len(calls_of(d, ben)) == 2


def test_clean_stop_loses_nothing():
    with plant({"sip": {"t1_ms": 60, "t2_ms": 200, "t4_ms": 200}}) as d:
        a, b = d.phones_of(2)
        call, leg = connect(a, b, b.user)
        hang_up(call, leg)
        d.stop()
        d.start()
        assert len(calls_of(d, b.user)) == 1


def test_out_of_the_lists_of_others(d):
    """Out of what is over, out of calls that go on, and, when the user is removed, out of the audit."""
    (anna, a), (ben, b) = people(d)
    call = Call(a, ben, "INVITE", SDP).challenge()
    refuse(b.accept())
    assert call.final().status == 486
    calls_of(d, anna, 1), calls_of(d, ben, 1)
    talk = connect(a, b, ben)
    status, answer = d.admin("DELETE", f"/v1/calls/of/{anna}?everywhere=true")
    assert status == 200 and (answer["removed"], answer["blanked"], answer["audit_blanked"]) == (1, 2, 0), answer
    assert calls_of(d, anna) == []
    hang_up(*talk)
    for entry in calls_of(d, ben, 2):
        assert (entry["number"], entry["name"], entry["withheld"]) == (None, None, True)
    assert calls_of(d, anna) == []
    d.ctl("user", "remove", anna)
    status, answer = d.admin("DELETE", f"/v1/calls/of/{anna}?everywhere=true")
    assert status == 200 and answer["blanked"] == 0 and answer["audit_blanked"] == 2, "login and logout"


def test_calls_while_the_list_is_off(d):
    (anna, a), (ben, b) = people(d)
    def call_once():
        call = Call(a, ben, "INVITE", SDP).challenge()
        refuse(b.accept())
        assert call.final().status == 486
    d.ctl("user", "set", ben, "--call-list", "off")
    call_once()
    assert [e["hidden"] for e in calls_of(d, ben, 1)] == [True]
    assert [e["hidden"] for e in calls_of(d, anna, 1)] == [False]
    d.ctl("user", "set", ben, "--call-list", "", "--group", "sales")
    call_once()
    assert [e["hidden"] for e in calls_of(d, ben, 2)] == [False, True], "never added later"
    assert d.admin("GET", f"/v1/users/{ben}")[1]["group"] == "sales"
    assert d.admin("PATCH", f"/v1/users/{ben}", {"call_list": "on"})[0] == 400
    exported = d.ctl("export").stdout
    assert 'group: "sales"' in exported
