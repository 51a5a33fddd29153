"""The key that turns from Login to Logout and back, on a scripted phone of each vendor: fetch, register, log
in by code, move to another phone; and across a kill -9 between the login and its NOTIFY."""

import pytest

from support.daemon import Daemon
from support.vendors import VENDORS, directory, serve_until, user_of


def plant():
    return Daemon({"provision": {"listen": ["http:127.0.0.1:0"], "plain_networks": ["127.0.0.0/8"],
                                 "keep_secrets": True, "source_rate": 0},
                   "desk": {"resync_retry_s": 60},  # longer than serve_until() waits: the first one does it
                   "sip": {"source_rate": 0}}, directory=directory())


def url(d, phone):
    status, answer = d.admin("GET", f"/v1/phones/{phone}/url")
    assert status == 200, answer
    return answer["url"]


def boot(d, vendor, *numbers):
    phones = [vendor(d, i) for i in numbers]
    for p in phones:
        p.boot(url(d, p.user))
    return phones


def log_in(phone, vendor):
    """By the code; the dialog is ended by whoever is first."""
    call = phone.call("*771*%s*%s" % user_of(vendor))
    answer = call.final()
    assert answer.status == 200, answer
    return call


def show(d, phone):
    status, answer = d.admin("GET", f"/v1/phones/{phone}")
    assert status == 200, answer
    return answer


@pytest.fixture(scope="module")
def d():
    with plant() as daemon:
        yield daemon


@pytest.mark.parametrize("vendor", VENDORS, ids=[v.vendor for v in VENDORS])
def test_key(d, vendor):
    a, b = boot(d, vendor, 1, 2)
    assert (a.label, b.label) == ("Login", "Login")

    log_in(a, vendor).ack()
    serve_until([a, b], "Logout", lambda: a.label == "Logout")
    assert b.label == "Login" and b.notified == 0

    log_in(b, vendor).ack()
    serve_until([a, b], "Login and Logout", lambda: (a.label, b.label) == ("Login", "Logout"))

    for p in (a, b):
        s = d.until("told", lambda: (s := show(d, p.user)) and s["pending"] is None and s)
        assert s["seen"]["last_answer"] == 200 and s["seen"]["resyncs_unheard"] == 0, s
        assert s["seen"]["told_at"] >= s["seen"]["last_resync"], s
        assert p.refused == 0
    assert (a.notified, b.notified) == (2, 1), "one NOTIFY a change"

    call = b.call("*772")
    assert call.final().status == 200
    call.ack()
    serve_until([a, b], "Login again", lambda: b.label == "Login")


def test_kill_between_login_and_notify():
    """What was acknowledged is told by the next life, whatever the vendor."""
    with plant() as d:
        phones = [boot(d, v, 1)[0] for v in VENDORS]
        for p, v in zip(phones, VENDORS):
            log_in(p, v)
        d.conf["sip"]["listen"] = [x for x in d.status_file["listen"] if x.startswith(("udp", "tcp"))]
        d.conf["provision"]["listen"] = [x for x in d.status_file["listen"] if x.startswith("http")]
        d.kill()
        for p in phones:  # nothing of the former life was heard
            while p.pump(0):
                pass
            p.inbox.clear()
            assert p.label == "Login" and p.notified == 0
        d.start()
        serve_until(phones, "Logout everywhere", lambda: all(p.label == "Logout" for p in phones))
        for p in phones:
            d.until("told", lambda: show(d, p.user)["pending"] is None)
