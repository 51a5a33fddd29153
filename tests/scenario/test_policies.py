"""Users that are logged out by themselves, and what that waits for."""

import time
from xml.etree import ElementTree

import pytest

from plant import Plant, plant
from steps import connect, hang_up, no_more
from support.sip import SDP


def quick(**desk):
    return {"sip": {"t1_ms": 60, "t2_ms": 200, "t4_ms": 200}, "registrar": {"expires_min_s": 1},
            "desk": {"logout_warning_s": 0, "resync_retry_s": 600, "resync_retry_max_s": 600, **desk}}


def resync(phone):
    phone.reply(phone.request("NOTIFY"), 200)


def gone(d, user):
    d.until(f"{user} is logged out", lambda: user not in d.sessions())


def audit_way(d, user):
    """How the last logout of a user is logged."""
    line = [l for l in d.log().splitlines() if f"logout of {user} by" in l][-1]
    return line.split(" by ")[1].split(":")[0]


def test_time_since_the_login_and_whose_rule_counts():
    """The phone's before the user's before the configuration's; what is not named is inherited."""
    with plant(quick(logout="after 1s")) as d:
        phones = d.phones_of(4)
        for number, rule in (("301", ""), ("302", "never"), ("303", "after 366d"), ("304", "")):
            d.ctl("user", "add", number, "--pin", "914263", "--logout", rule)
        d.ctl("phone", "set", phones[2].user, "--logout", "after 1s")
        d.ctl("phone", "set", phones[3].user, "--logout", "after never, unregistered 1h")
        for phone, number in zip(phones, ("301", "302", "303", "304")):
            d.ctl("session", "login", number, phone.user)
            resync(phone)
        gone(d, "301")
        gone(d, "303")
        resync(phones[0])
        resync(phones[2])
        assert audit_way(d, "301") == "policy" and audit_way(d, "303") == "policy"
        assert "time since the login" in d.log()
        assert set(d.sessions()) == {"302", "304"}
        # Rules are in force at once, and the directory file carries them.
        exported = d.ctl("export").stdout
        assert 'logout: "after 366d"' in exported and 'logout: "after never, unregistered 1h"' in exported
        d.ctl("import", "-", stdin=exported.replace('logout: "never"', 'logout: "after 1s"'))
        assert d.admin("GET", "/v1/users/302")[1]["logout"] == "after 1s"
        gone(d, "302")
        d.ctl("phone", "set", phones[3].user, "--logout", "")
        gone(d, "304")


def test_never_during_a_call():
    with plant(quick(logout="never")) as d:
        a, b, c = d.phones_of(3)
        d.ctl("session", "login", "201", b.user)
        d.ctl("session", "login", "202", c.user)
        resync(b)
        call, leg = connect(a, b, "201")
        d.conf["desk"]["logout"] = "after 1s"
        d.write_conf()
        d.ctl("reload")
        gone(d, "202")
        assert "201" in d.sessions()
        # A call that only rings counts as well.
        second = a.call("201", SDP).challenge()
        other = b.accept()
        other.answer(180)
        hang_up(call, leg)
        for _ in range(3):
            b.pump(0.5)
        assert "201" in d.sessions()
        second.cancel()
        b.reply(b.request("CANCEL"), 200)
        other.answer(487)
        assert second.final().status == 487
        gone(d, "201")


def test_without_a_registration():
    with plant(quick(logout="unregistered 1s")) as d:
        a, b = d.phones_of(2)
        d.ctl("session", "login", "201", a.user)
        d.ctl("session", "login", "202", b.user)
        a.register(expires=0)
        gone(d, "201")
        assert "phone not registered" in d.log()
        assert d.sessions() == {"202": b.user}


def zone_where_it_is(hour, in_s):
    """A TZ in which a full hour comes so soon."""
    east = (hour * 3600 - in_s - int(time.time()) % 86400 + 43200) % 86400 - 43200
    sign, east = ("-" if east >= 0 else "+"), abs(east)  # POSIX counts west of Greenwich
    return f"HOT{sign}{east // 3600:02}:{east // 60 % 60:02}:{east % 60:02}"


def test_time_of_day():
    """In the daemon's own time zone, once, and not for who has logged in after it."""
    with Plant(quick(logout="at 07:00"), env={"TZ": zone_where_it_is(7, 15)}) as d:
        a, b = d.phones_of(2)
        d.ctl("user", "set", "202", "--logout", "at 06:59")
        d.ctl("session", "login", "201", a.user)
        d.ctl("session", "login", "202", b.user)
        resync(a)
        assert "201" in d.sessions()
        gone(d, "201")
        assert "time of day" in d.log() and "202" in d.sessions(), "06:59 was before the login"
        d.ctl("session", "login", "201", a.user)
        for _ in range(3):
            a.pump(0.5)
        assert "201" in d.sessions(), "logged in after it"


@pytest.mark.parametrize("language", ["en", "de"])
def test_warning(language):
    """A message first; who cannot be warned is not; it waits for the end of a call, too."""
    text = {"en": "201 will be logged out in 4 seconds.", "de": "201 wird in 4 Sekunden abgemeldet."}[language]
    with plant(quick(logout="after 1s", logout_warning_s=4)) as d:
        b, = d.phones_of(1)
        d.ctl("user", "set", "201", "--language", language)
        d.ctl("session", "login", "201", b.user)
        resync(b)
        message = b.request("MESSAGE")
        assert message.get("content-type") == "text/plain;charset=UTF-8"
        assert message.body.decode() == text
        assert not [m for m in b.inbox if m.method == "NOTIFY"], "warned before, not after"
        b.reply(message, 405)
        gone(d, "201")
        no_more(b, "MESSAGE", lambda m: m.method == "MESSAGE")


SCREENS = {"yealink-t46u": ("Yealink-xml", "application/xml", "YealinkIPPhoneTextScreen"),
           "snom-d785": ("xml", "application/snomxml", "SnomIPPhoneText"),
           "mitel-6867i": ("aastra-xml", "application/xml", "AastraIPPhoneTextScreen")}


def test_warning_on_screens():
    """The vendor's own way before MESSAGE, which is for phones that refuse it."""
    with plant(quick(logout="after 1s", logout_warning_s=4)) as d:
        for number, (model, (event, kind, root)) in enumerate(SCREENS.items(), 301):
            phone, = d.phones_of(1)
            d.ctl("user", "add", str(number), "--pin", "914263", "--name", "A & <B>")
            d.ctl("phone", "set", phone.user, "--model", model)
            d.ctl("session", "login", str(number), phone.user)
            notify = phone.wait("a screen", lambda m, e=event: m.method == "NOTIFY" and m.get("event") == e
                                and b"IPPhoneText" in m.body)
            assert notify.get("content-type") == kind
            screen = ElementTree.fromstring(notify.body)
            assert screen.tag == root and screen.findtext("Text") == f"{number} will be logged out in 4 seconds."
            phone.reply(notify, 489, "Bad Event")
            assert phone.request("MESSAGE").body.decode() == screen.findtext("Text")


def test_bad_rules():
    with plant(quick()) as d:
        for rule in ("at 25:00", "after", "now", "x" * 100, "after 1h, after 2h"):
            assert d.ctl("user", "set", "201", "--logout", rule, check=False).returncode == 1, rule
            assert d.ctl("phone", "set", "p1", "--logout", rule, check=False).returncode == 1, rule
        d.conf["desk"]["logout"] = "at noon"
        d.write_conf()
        refused = d.ctl("reload", check=False)
        assert refused.returncode == 1 and "desk.logout" in refused.stdout + refused.stderr
        d.conf["desk"]["logout"] = "never"
        d.write_conf()
