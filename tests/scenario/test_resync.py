"""Phones that cannot be told just now, or do not obey: in a call, ringing, deaf."""

import http.client

import pytest

from support.daemon import Daemon

DIRECTORY = """
users:
  - {number: "201", name: Anna Berg, pin: "471147", roaming: true}
  - {number: "202", name: Ben Kaya, pin: "802615", roaming: true}
phones:
  - {id: poly, secret: s1, label: Polycom, model: polycom-vvx-350}
  - {id: yea, secret: s2, label: Yealink, model: yealink-t46u}
  - {id: any, secret: s3, label: Any}
"""


@pytest.fixture(scope="module")
def d():
    with Daemon({"sip": {"source_rate": 0}, "calls": {"missed_on_phones": False, "clear_phones": False}},
                directory=DIRECTORY) as daemon:
        yield daemon


def phone(d, name, secret):
    p = d.phone(name, secret=secret)
    p.register()
    return p


def metric(d, name):
    for line in d.admin("GET", "/metrics")[1].splitlines():
        if line.startswith(name + " "):
            return float(line.split()[-1])
    raise AssertionError(f"no metric {name}")


def told(p):
    p.reply(p.request("NOTIFY"), 200)


def in_order(d, who, number, later, number_later):
    """Logs in at both: what is told later must have come for the first one before, or waits."""
    d.ctl("session", "login", number, who.user)
    d.ctl("session", "login", number_later, later.user)
    told(later)
    while who.pump(0):
        pass
    return [m for m in who.inbox if m.method == "NOTIFY"]


def logged_out(d, *phones):
    """Both are free again and know it."""
    for p in phones:
        d.ctl("session", "logout", "--phone", p.user)
        told(p)
        d.until("told", lambda: d.admin("GET", f"/v1/phones/{p.user}")[1]["pending"] is None)


@pytest.mark.parametrize("state", ["talking", "ringing", "calling"])
def test_busy(d, state):
    """A Polycom in a call, whatever its part in it, is told when it has ended; a Yealink is told at once."""
    poly, yea = phone(d, "poly", "s1"), phone(d, "yea", "s2")
    caller, callee = (yea, poly) if state == "ringing" else (poly, yea)
    call = caller.call(callee.user).challenge()
    answer = callee.accept()
    answer.answer(180)
    call.provisional(180)
    if state == "talking":
        answer.answer(200)
        assert call.final().status == 200
        call.ack()
        callee.request("ACK")

    assert in_order(d, poly, "201", yea, "202") == []
    assert "poly: resync waits for the end of its call" in d.log()
    assert d.admin("GET", "/v1/phones/poly")[1]["pending"]

    if state == "talking":
        call.in_dialog("BYE")
        callee.reply(callee.request("BYE"), 200)
    else:
        call.cancel()
        callee.reply(callee.request("CANCEL"), 200)
        answer.answer(487)
        call.ack_failure(caller.final("INVITE", call.call_id))
    told(poly)
    d.until("told", lambda: d.admin("GET", "/v1/phones/poly")[1]["pending"] is None)
    logged_out(d, poly, yea)


def test_dialogue(d):
    """A login dialogue is a call, too."""
    poly, yea = phone(d, "poly", "s1"), phone(d, "yea", "s2")
    call = poly.call("*771")
    assert call.final().status == 200
    call.ack()
    assert in_order(d, poly, "201", yea, "202") == []
    call.in_dialog("BYE")
    told(poly)
    d.until("told", lambda: d.admin("GET", "/v1/phones/poly")[1]["pending"] is None)
    logged_out(d, poly, yea)


@pytest.mark.parametrize("status", [200, 489])
def test_phone_that_has_its_configuration_from_elsewhere(status):
    """Without a secret that is kept there is nothing to fetch: an answer is enough."""
    with Daemon({"provision": {"listen": ["http:127.0.0.1:0"], "plain_networks": ["127.0.0.0/8"]},
                 "desk": {"resync_retry_s": 1, "resync_fetch_s": 1, "resync_tries": 1}}, directory=DIRECTORY) as d:
        p = phone(d, "any", "s3")
        d.ctl("session", "login", "201", "any")
        p.reply(p.request("NOTIFY"), status)
        s = d.until("told", lambda: (s := d.admin("GET", "/v1/phones/any")[1])["pending"] is None and s)["seen"]
        assert s["told_at"] and s["last_answer"] == status and not s["last_fetch"], s
        assert metric(d, "hotdeskd_phones_deaf") == 0 and "fetch its configuration" not in d.log()


def test_deaf():
    """Says yes and does not fetch: reported once, shown, counted; then it fetches, and all is well."""
    with Daemon({"provision": {"listen": ["http:127.0.0.1:0"], "plain_networks": ["127.0.0.0/8"],
                               "keep_secrets": True},
                 "desk": {"resync_retry_s": 1, "resync_retry_max_s": 1, "resync_fetch_s": 1, "resync_tries": 2,
                          "resync_rare_s": 3600}}, directory=DIRECTORY) as d:
        p = phone(d, "any", "s3")
        d.ctl("session", "login", "201", "any")
        told(p)
        told(p)
        d.until("reported", lambda: metric(d, "hotdeskd_phones_deaf") == 1)
        seen = d.until("written", lambda: (s := d.admin("GET", "/v1/phones/any")[1]["seen"])
                       ["resyncs_unheard"] == 2 and s)
        assert seen["last_answer"] == 200 and seen["last_resync"] and not seen["told_at"], seen
        assert d.log().count("any: answers the NOTIFY and does not fetch its configuration") == 1

        url = d.admin("GET", "/v1/phones/any/url")[1]["url"]
        c = http.client.HTTPConnection(*d.address("http"))
        c.request("GET", "/" + url.split("/", 3)[3] if url.count("/") > 3 else url)
        r = c.getresponse()
        assert r.status == 200, (url, r.read())
        r.read()
        c.close()
        d.until("told", lambda: d.admin("GET", "/v1/phones/any")[1]["pending"] is None)
        assert metric(d, "hotdeskd_phones_deaf") == 0
        assert "any: has its configuration again" in d.log()
        assert d.admin("GET", "/v1/phones/any")[1]["seen"]["resyncs_unheard"] == 0
        assert [m for m in p.inbox if m.method == "NOTIFY"] == []
