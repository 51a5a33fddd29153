"""Classes of service and calls for help."""

import pytest

from plant import plant
from steps import connect, hang_up, refuse, ring
from support.sip import SDP

PLAN = {"emergency": ["112"], "outside": "0", "country": "49", "area": "30", "national": "0", "international": "00"}
RIGHTS = {"classes": ["house: allow internal", "lobby: deny 202; allow internal", "country: allow internal local national"]}
CONF = {"plan": PLAN, "rights": RIGHTS, "emergency": {"targets": ["gone", "p0"]}}
HERE = "https://locations.test/desk-1"


@pytest.fixture(scope="module")
def d():
    with plant(CONF) as daemon:
        daemon.help = daemon.phone(register=True)
        daemon.a, daemon.b, daemon.free = daemon.phones_of(3)
        daemon.ctl("session", "login", "201", daemon.a.user)
        daemon.ctl("session", "login", "202", daemon.b.user)
        yield daemon


def test_class_of_the_user(d):
    d.ctl("user", "set", "201", "--class", "lobby")
    refused = d.a.call("202", SDP).challenge().final()
    assert refused.status == 403 and refused.get("warning").startswith("399 hotdesk.test "), repr(refused)
    assert "calls 202 (internal): 403, lobby" in d.log() and "cause=21" in refused.get("reason")
    assert d.metric("hotdeskd_calls_forbidden_total") == 1
    hang_up(*connect(d.a, d.free, d.free.user))
    hang_up(*connect(d.free, d.b, "202"))
    assert d.admin("GET", "/v1/users/201")[1]["class"] == "lobby"
    assert 'class: "lobby"' in d.ctl("export").stdout
    wrong = d.ctl("user", "set", "201", "--class", "typo", check=False)
    assert wrong.returncode != 0 and "rights.classes has none" in wrong.stdout + wrong.stderr
    d.ctl("user", "set", "201", "--class", "")
    hang_up(*connect(d.a, d.b, "202"))


def test_forwarding_has_the_class_of_who_forwards(d):
    d.ctl("user", "set", "201", "--class", "lobby", "--forward-always", "202")
    assert d.free.call("201", SDP).challenge().final().status == 403
    d.ctl("user", "set", "201", "--class", "", "--forward-always", "")


def test_numbers_of_nobody(d):
    """Without a way outside they are unknown, however they are written; separators do not hide a user."""
    for number in ("01234", "0040-666", "%2B49-40-666", "00033123", "+33123", "anna", "%2530123", "0" * 500, "250"):
        for phone in (d.a, d.free):
            assert phone.call(number, SDP).challenge().final().status == 404, number
    hang_up(*connect(d.a, d.b, "20-2"))


def test_reload_and_check(d):
    for section, wrong, words in (("rights", {"classes": ["house: permit internal"]}, "expected allow or deny first"),
                                  ("rights", {"free": "nobody"}, 'rights.free: "nobody"'),
                                  ("rights", {"lists": ["x: 1a~"]}, "expected patterns"),
                                  ("plan", {"country": "12345"}, "plan.country")):
        d.conf[section] = {**CONF[section], **wrong}
        d.write_conf()
        answer = d.ctl("reload", check=False)
        assert answer.returncode == 1 and words in answer.stdout + answer.stderr, wrong
        d.conf[section] = CONF[section]
    d.conf["rights"] = {**RIGHTS, "free": "lobby"}
    d.write_conf()
    d.ctl("reload")
    assert d.free.call("202", SDP).challenge().final().status == 403
    d.conf["rights"] = RIGHTS
    d.write_conf()
    d.ctl("reload")
    hang_up(*connect(d.free, d.b, "202"))


@pytest.mark.parametrize("number", ["112", "sip:112@hotdesk.test;user=phone", "urn:service:sos", "urn:service:sos.fire"])
def test_call_for_help(d, number):
    """Whatever the class, with where the phone stands and not what it says; settings do not count."""
    d.ctl("user", "set", "201", "--class", "lobby", "--dnd", "yes")
    d.ctl("phone", "set", d.a.user, "--location", HERE)
    kept = d.log().count("a call back to 201 reaches it")
    call = d.a.call(number, SDP, extra=[("Geolocation", "<https://liar.test/>")])
    call.challenge()
    leg = d.help.accept(call_id=call.call_id)
    assert leg.invite.all("geolocation") == [f"<{HERE}>"] and leg.invite.get("geolocation-routing") == "yes"
    assert "sip:201@hotdesk.test" in leg.invite.get("p-asserted-identity")
    refuse(leg)
    assert call.final().status == 486
    # Who is called back is reached, also at a phone that has no user any more.
    d.ctl("user", "set", "201", "--class", "")
    d.until("the call back is kept", lambda: d.log().count("a call back to 201 reaches it") == kept + 1)
    d.ctl("session", "logout", "201")
    back, leg = ring(d.b, d.a, "201")
    refuse(leg)
    assert back.final().status == 486
    d.ctl("session", "login", "201", d.a.user)
    d.ctl("user", "set", "201", "--dnd", "no")


def test_call_back_outlives_the_daemon():
    with plant(CONF) as d:
        helper, a, b = d.phone(register=True), d.phone(register=True), d.phone(register=True)
        d.ctl("session", "login", "201", a.user)
        call = a.call("112", SDP).challenge()
        refuse(helper.accept(call_id=call.call_id))
        assert call.final().status == 486
        d.until("the call back is kept", lambda: "a call back to 201 reaches it" in d.log())
        d.ctl("session", "logout", "201")
        d.restart(kill=True)
        back, leg = ring(b, a, "201")
        refuse(leg)
        assert back.final().status == 486


def test_next_target_and_place_in_words(d):
    """A target that is an address, after one that is not there; a phone that says who it is not."""
    d.conf["emergency"] = {"targets": ["gone", f"sip:help@{d.help.host}:{d.help.port}", d.b.user]}
    d.write_conf()
    d.ctl("reload")
    d.ctl("phone", "set", d.free.user, "--location", 'Hall "B", floor 2')
    call = d.free.call("112", SDP, extra=[("P-Access-Network-Info", "IEEE-802.3;eth-location=here")])
    call.challenge()
    leg = d.help.accept(call_id=call.call_id)
    assert leg.invite.ruri == f"sip:help@{d.help.host}:{d.help.port}"
    assert leg.invite.all("p-access-network-info") == [r'IEEE-802.3;eth-location="Hall \"B\", floor 2"']
    assert f"sip:{d.free.user}@hotdesk.test" in leg.invite.get("p-asserted-identity")
    refuse(leg)
    leg = d.b.accept(call_id=call.call_id)
    refuse(leg)
    assert call.final().status == 486
    d.conf["emergency"] = CONF["emergency"]
    d.write_conf()
    d.ctl("reload")
