"""The notifier of RFC 6665: SUBSCRIBE and its refusals, refresh, expiry, NOTIFYs and their failures."""

import re
import time

import pytest

from steps import by_code, login
from support.daemon import Daemon
from support.events import DialogInfo, Subscription, lamp, left
from support.sip import Phone, digest, rand

QUICK = {"sip": {"t1_ms": 60, "t2_ms": 80}, "events": {"expires_min_s": 1, "notify_rate": 0}}


@pytest.fixture(scope="module")
def daemon():
    with Daemon({"events": {"notify_rate": 0}}) as d:
        yield d


@pytest.fixture
def phone(daemon):
    phone = daemon.phone("desk-103", register=True)
    yield phone
    phone.register(expires=0)
    daemon.phones.remove(phone)
    phone.close()


# ---- SUBSCRIBE -------------------------------------------------------------------------------------


def test_begins_refreshes_and_ends(daemon, phone):
    s = Subscription(phone, "*771")
    answer = s.answered()
    assert answer.get("expires") == "3600" and "dialog" in answer.get("allow-events")
    assert answer.get("contact").startswith("<sip:*771@127.0.0.1:"), answer.get("contact")
    first = s.told()
    assert 3590 <= left(first) <= 3600 and first.get("event") == "dialog"
    assert first.ruri == phone.contact.strip("<>") and first.get("max-forwards") == "70"
    assert "dialog" in first.get("allow-events")
    info = DialogInfo(first)
    assert (info.version, info.entity, info.state) == (0, "sip:*771@hotdesk.test", "terminated")
    assert s.again(expires=600).get("expires") == "600"
    second = s.told()
    assert 590 <= left(second) <= 600 and DialogInfo(second).version == 1
    s.end()
    s.again(status=481)
    s.silent()


def test_no_expires_and_more_than_there_is(daemon, phone):
    s = Subscription(phone, "*771", expires=None)
    assert s.answered().get("expires") == "3600", "the default"
    s.told()
    s.end()
    s = Subscription(phone, "*771", expires=10 ** 8)
    assert s.answered().get("expires") == "7200", "the longest"
    s.told()
    s.end()


def test_fetch(daemon, phone):
    s = Subscription(phone, "*771", expires=0)
    assert s.answered().get("expires") == "0"
    notify = s.told()
    assert notify.get("subscription-state") == "terminated;reason=timeout" and lamp(notify) == "terminated"
    s.again(status=481)


@pytest.mark.parametrize("event, more, status, header", [
    ("presence", {}, 489, ("allow-events", "dialog")),
    (None, {}, 489, ("allow-events", "dialog")),
    ("dialog", {"expires": 30}, 423, ("min-expires", "60")),
    ("dialog", {"accept": "application/pidf+xml"}, 406, ("accept", "application/dialog-info+xml")),
    ("dialog", {"accept": ""}, 406, None),
    ("dialog", {"extra": [("Require", "eventlist")]}, 420, ("unsupported", "eventlist")),
    ("dialog", {"body": "x", "extra": [("Content-Type", "text/plain")]}, 415, None),
])
def test_refused(daemon, phone, event, more, status, header):
    answer = Subscription(phone, "*771", event, **more).answered(status)
    if header:
        assert header[1] in answer.get(header[0], ""), repr(answer)
    assert ";tag=" in answer.get("to")


@pytest.mark.parametrize("accept", ["*/*", "application/*", "text/xml, Application/Dialog-Info+XML;q=0.5"])
def test_accepted(daemon, phone, accept):
    Subscription(phone, "*771", accept=accept).begun().end()


@pytest.mark.parametrize("to, status", [
    ("*771*201*471147", 404), ("*771*", 404), ("%2A771%2A201%2A471147", 404), ("999", 404), ("%00", 404),
])
def test_no_such_resource(daemon, phone, to, status):
    Subscription(phone, to).answered(status)
    assert "471147" not in daemon.log()


def test_unknown_event_of_itself_and_of_a_code(daemon, phone):
    for to in ("desk-103", "*771", "sip:hotdesk.test"):
        Subscription(phone, to, "presence").answered(489)


def test_other_events_are_proxied(daemon, phone):
    other = daemon.phone("desk-101", register=True)
    Subscription(phone, "desk-101", "presence").challenge()
    assert other.request("SUBSCRIBE").get("event") == "presence"


def test_needs_a_digest(daemon, phone):
    stranger = Phone(daemon.address(), "desk-103", "wrong")
    s = Subscription(stranger, "*771")
    assert stranger.final("SUBSCRIBE", s.call_id).status == 407
    stranger.close()


def test_inside_the_dialog(daemon, phone):
    s = Subscription(phone, "*771").begun()
    s.again(event="x-other", status=403)
    s.again(event="dialog;id=2", status=403)
    s.again(expires=5, status=423)
    s.again(cseq=1, status=500)
    s.in_dialog("INFO")
    answer = phone.final("INFO", s.call_id)
    s.in_dialog("INFO", [phone.authorization(answer, "INFO", s.remote)])
    assert phone.final("INFO", s.call_id).get("allow") == "SUBSCRIBE"
    s.again()
    s.told()
    other = daemon.phone("desk-101", register=True)
    s.phone = other
    s.again(status=403)
    s.phone = phone
    s.end()


def test_event_id_comes_back(daemon, phone):
    s = Subscription(phone, "*771", "dialog;id=77")
    s.answered()
    assert s.told().get("event") == "dialog;id=77"
    s.end()


def test_same_request_by_another_way(daemon, phone):
    s = Subscription(phone, "*771").begun()
    s.branch = "z9hG4bK" + rand()
    s.headers[0] = ("Via", phone.via(s.branch))
    phone.send(f"SUBSCRIBE {s.uri} SIP/2.0", s.headers)
    answer = phone.final("SUBSCRIBE", s.call_id)
    if answer.status == 407:  # nonces count
        s.headers[-1] = phone.authorization(answer, "SUBSCRIBE", s.uri)
        phone.send(f"SUBSCRIBE {s.uri} SIP/2.0", s.headers)
        answer = phone.final("SUBSCRIBE", s.call_id)
    assert answer.status == 482, repr(answer)
    s.end()


def test_forgotten_and_begun_anew(daemon, phone):
    s = Subscription(phone, "*771").begun()
    before = s.remote_tag
    s.to_uri, s.remote_tag, s.seen = s.uri, None, []
    s.send_initial()
    s.begun()
    assert s.remote_tag != before
    s.end()


def test_retransmission_is_one_subscription(daemon, phone):
    s = Subscription(phone, "*771").challenge()
    copy = phone.sent.raw
    phone.send_raw(copy)
    s.begun()
    phone.send_raw(copy)
    s.silent()
    s.end()


def test_without_from_tag_and_branch(daemon, phone):
    """RFC 2543 and the Via of sample 07."""
    s = Subscription(phone, "*771")
    answer = phone.final("SUBSCRIBE", s.call_id)
    line = phone.authorization(answer, "SUBSCRIBE", s.uri)
    headers = [("Via", f"SIP/2.0/UDP {phone.host}:{phone.port}"), ("From", f"<sip:desk-103@{phone.domain}>"),
               ("To", f"<{s.uri}>"), ("Call-ID", s.call_id), ("CSeq", "9 SUBSCRIBE"), ("Event", "dialog"),
               ("Contact", phone.contact), line]
    phone.send(f"SUBSCRIBE {s.uri} SIP/2.0", headers)
    answer = phone.final("SUBSCRIBE", s.call_id, 9)
    assert answer.status == 200, repr(answer)
    notify = phone.wait("NOTIFY", s.is_mine)
    assert notify.tag("to") is None and notify.tag("from") == answer.tag("to")
    phone.reply(notify, 200)


def test_route_set(daemon, phone):
    """Record-Route of the SUBSCRIBE is the Route of the NOTIFY, which goes to the first of them."""
    proxy = daemon.phone("desk-102")
    routes = [f"<sip:{proxy.host}:{proxy.port};lr>", "<sip:192.0.2.7;lr>"]
    s = Subscription(phone, "*771", extra=[("Record-Route", r) for r in routes])
    assert s.answered().all("record-route") == routes
    notify = proxy.request("NOTIFY")
    assert notify.all("route") == routes and notify.ruri == phone.contact.strip("<>")
    proxy.reply(notify, 200)
    s.routes = []
    s.again(expires=0)
    proxy.reply(proxy.request("NOTIFY"), 200)


# ---- NOTIFY ----------------------------------------------------------------------------------------


def test_one_at_a_time_and_the_newest():
    with Daemon({"events": {"notify_rate": 0}}) as d:
        a = d.phone("desk-101", register=True)
        s = Subscription(a, "*771").begun()
        assert login(a, "201", "471147").status == 200
        waiting = s.notify()
        assert lamp(waiting) == "confirmed"
        assert by_code(a, "*772").status == 200
        assert login(a, "202", "802615").status == 200
        assert by_code(a, "*772").status == 200
        # Copies of the one that is not answered come, and no other.
        a.none("another NOTIFY", lambda m: s.is_mine(m) and m.get("cseq") != waiting.get("cseq"), 0.3)
        a.inbox = [m for m in a.inbox if not s.is_mine(m)]
        a.reply(waiting, 200)
        assert lamp(s.told()) == "terminated", "three changes are one NOTIFY"
        s.silent()


@pytest.mark.parametrize("status", [481, 404, 489])
def test_phone_knows_nothing_of_it(daemon, phone, status):
    s = Subscription(phone, "*771")
    s.answered()
    s.told(status)
    daemon.until("ended", lambda: f"NOTIFY answered {status} call-id={s.call_id}" in daemon.log())
    s.again(status=481)


def test_other_failures_are_no_end(daemon, phone):
    s = Subscription(phone, "*771")
    s.answered()
    s.told(500)
    s.again()
    s.told(486)
    s.again()
    s.told()
    s.end()


@pytest.mark.parametrize("realm", ["hotdesk.test", "phone"])
def test_phone_challenges(realm):
    """As Grandstream and Cisco do: with the account that it registers by, for any realm when it is kept."""
    conf = {"events": {"notify_rate": 0}, "provision": {"keep_secrets": True}}
    with Daemon(conf if realm == "phone" else {"events": {"notify_rate": 0}}) as d:
        a = d.phone("desk-101", register=True)
        s = Subscription(a, "*771")
        s.answered()
        challenge = f'Digest realm="{realm}", nonce="{rand()}", qop="auth"'
        s.told(401, [("WWW-Authenticate", challenge)])
        for nc in (1, 2):
            notify = s.told()
            line = notify.get("authorization")
            assert line and same_digest(line, challenge, notify.ruri, nc), line
            if nc == 1:
                s.again()
        s.again()
        s.told(401, [("WWW-Authenticate", f'Digest realm="{realm}", nonce="{rand()}", qop="auth"')])
        s.silent()
        s.again()
        s.told()
        s.end()


def same_digest(line, challenge, uri, nc):
    """Whether credentials are right, in whatever order their parameters come."""
    p = dict(re.findall(r'(\w+)="?([^",]+)"?', line))
    wanted = digest(challenge, "NOTIFY", uri, "desk-101", "s3cret-101", nc, p["cnonce"])
    return p["response"] == re.search('response="([^"]+)"', wanted).group(1) and int(p["nc"], 16) == nc


def test_retry_after_is_waited_for(daemon, phone):
    s = Subscription(phone, "*771")
    s.answered()
    at = time.monotonic()
    first = s.told(481, extra=[("Retry-After", "1")])
    again = s.told()
    assert again.body != first.body and time.monotonic() - at >= 0.9
    s.end()


def test_not_answered_expired_and_probed():
    """Side by side, because each of them waits."""
    with Daemon(QUICK) as d:
        a, b, c = (d.phone(f"desk-10{i}", register=True) for i in (1, 2, 3))
        lost = Subscription(a, "*771")
        lost.answered()
        brief = Subscription(b, "*771", expires=1).begun()
        old = Subscription(c, "*771").begun()
        new = Subscription(c, "*771").begun()  # the phone has booted: it says so when it is asked
        old.told(481)
        d.until("probed", lambda: f"NOTIFY answered 481 call-id={old.call_id}" in d.log())
        new.end()
        gone = brief.told()
        assert gone.get("subscription-state") == "terminated;reason=timeout", repr(gone)
        d.until("not answered", lambda: f"NOTIFY not answered call-id={lost.call_id}" in d.log())
        for s in (lost, brief, old):
            s.again(status=481)
        status, metrics = d.admin("GET", "/metrics")
        assert "hotdeskd_subscriptions 0" in metrics and 'hotdeskd_notifies_total{result="lost"} 1' in metrics


def test_limits():
    with Daemon({"events": {"phone_max": 3, "subscriptions_max": 4}}) as d:
        a, b = d.phone("desk-101", register=True), d.phone("desk-102", register=True)
        kept = [Subscription(a, to).begun() for to in ("*771", "201", "202")]
        answer = Subscription(a, "203").answered(503)
        assert 5 <= int(answer.get("retry-after")) <= 30
        Subscription(b, "*771").begun()
        Subscription(b, "201").answered(503)
        kept[0].end()
        Subscription(b, "201").begun()


def test_rate():
    """A phone that watches much is told slowly, and each of the things it watches."""
    with Daemon({"events": {"notify_rate": 5}}) as d:
        a = d.phone("desk-101", register=True)
        at = time.monotonic()
        watched = [Subscription(a, "*771", f"dialog;id={i}").begun() for i in range(5)]
        for _ in range(3):
            for s in watched:
                s.again()
                s.told()
        assert login(a, "201", "471147").status == 200
        for s in watched:
            assert s.until(lambda m: lamp(m) == "confirmed", "confirmed")
        assert time.monotonic() - at >= 1, "25 NOTIFYs and more in less than their time"


# ---- where phones are ------------------------------------------------------------------------------


def test_moves_with_the_phone():
    with Daemon({"events": {"notify_rate": 0}}) as d:
        a = d.phone("desk-101", register=True)
        s = Subscription(a, "*771").begun()
        a.register(expires=0)
        b = d.phone("desk-101", register=True)
        assert login(b, "201", "471147").status == 200
        s.phone = b
        notify = s.told()
        assert lamp(notify) == "confirmed" and notify.ruri == b.contact.strip("<>"), repr(notify)


def test_waits_for_a_closed_connection():
    with Daemon({"events": {"notify_rate": 0}}) as d:
        a, b = d.phone("desk-101", "tcp", register=True), d.phone("desk-102", register=True)
        s = Subscription(a, "*771").begun()
        assert login(a, "201", "471147").status == 200
        assert lamp(s.told()) == "confirmed"
        a.close()
        assert login(b, "201", "471147").status == 200, "moves away"
        again = d.phone("desk-101", "tcp", register=True)
        s.phone = again
        assert s.until(lambda m: lamp(m) == "terminated", "off")


# ---- the end ---------------------------------------------------------------------------------------


def test_stop_and_kill():
    with Daemon({"events": {"notify_rate": 0}}) as d:
        d.conf["sip"]["listen"] = list(d.status_file["listen"])
        a = d.phone("desk-101", register=True)
        s = Subscription(a, "*771").begun()
        kept, d.phones = d.phones, []
        d.stop()
        d.phones = kept
        notify = s.notify()
        state, reason, after = notify.get("subscription-state").split(";")
        assert (state, reason) == ("terminated", "reason=probation")
        assert 5 <= int(after.removeprefix("retry-after=")) <= 30
        d.start()
        s = Subscription(a, "*771").begun()
        d.kill()
        d.start()
        s.again(status=481)
        s = Subscription(a, "*771").begun()
        s.end()
