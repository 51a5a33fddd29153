"""Our registrations at the PBX follow the desk sessions, whatever happens to us or to it."""

import itertools
import re
import signal

import pytest

from plant import plant
from support.registrar import Registrar
from support.sip import SDP

NUMBERS = itertools.count(400)
FAST = {"t1_ms": 100, "t2_ms": 400, "t4_ms": 400}


class House:
    def __init__(self, d, pbx):
        self.d, self.pbx = d, pbx

    def user(self, password="pbx secret"):
        """A user with an account: (number, name of the account)."""
        number = str(next(NUMBERS))
        account = f"ext{number}"
        self.pbx.accounts[account] = "pbx secret"
        self.d.ctl("user", "add", number, "--name", "Eva", "--pin", "914263", "--upstream-user", account,
                   "--upstream-password", password)
        return number, account

    def login(self, number):
        phone = self.d.phone(register=True)
        self.d.ctl("session", "login", number, phone.user)
        return phone

    def registered(self, *accounts):
        self.d.until(f"registered: {accounts}", lambda: all(a in self.pbx.bindings for a in accounts))

    def gone(self, *accounts):
        self.d.until(f"unregistered: {accounts}", lambda: not any(a in self.pbx.bindings for a in accounts))

    def of(self, account):
        return [seen for seen in self.pbx.seen if seen[1] == account]


@pytest.fixture(scope="module")
def trunk():
    registrar = Registrar({"main": "pbx secret"}, host="127.0.0.4")
    yield registrar
    registrar.close()


@pytest.fixture(scope="module")
def house(trunk):
    pbx = Registrar({})
    peers = [f"pbx sip:{pbx.host}:{pbx.port} mode=user from={pbx.host} probe=0 expires=600",
             f"trunk sip:{trunk.host}:{trunk.port} mode=register from={trunk.host} probe=0 expires=600 strip=030555 "
             "routes=089777"]
    with plant({"sip": dict(FAST), "upstream": {"peers": peers, "retry_s": 1, "retry_max_s": 2,
                                                "register_rate": 1000, "sent_back_max": 2}}) as d:
        yield House(d, pbx)
    pbx.close()


@pytest.mark.parametrize("algorithm", ["MD5", "SHA-256"])
def test_follows_login_move_and_logout(house, algorithm):
    house.pbx.algorithm = algorithm
    number, account = house.user()
    house.login(number)
    house.registered(account)
    contact, _ = house.pbx.bindings[account]
    host, port = house.d.address()
    assert re.match(rf"sip:{number}@{re.escape(host)}:{port}\b", contact), contact
    house.login(number)  # elsewhere: the PBX need not know
    house.d.ctl("session", "logout", number)
    house.gone(account)
    assert [e for _, _, e, proved in house.of(account) if proved] == [600, 0]
    assert "pbx secret" not in house.d.log()


def test_without_account_nothing(house):
    number = str(next(NUMBERS))
    house.d.ctl("user", "add", number, "--name", "Ida", "--pin", "914263")
    house.login(number)
    house.d.ctl("user", "set", number, "--upstream-user", f"ext{number}", "--upstream-password", "late")
    house.pbx.accounts[f"ext{number}"] = "late"
    house.registered(f"ext{number}")  # and as soon as there is one, it is
    assert house.d.admin("GET", f"/v1/users/{number}")[1]["upstream_user"] == f"ext{number}"
    assert "late" not in repr(house.d.admin("GET", f"/v1/users/{number}"))
    house.d.ctl("user", "remove", number)


def test_wrong_password_is_bounded(house):
    number, account = house.user(password="wrong")
    house.login(number)
    house.d.until("refused", lambda: f"pbx/{number}: REGISTER: 401" in house.d.log())
    tries = [proved for _, _, _, proved in house.of(account)]
    assert tries == [bool(i % 2) for i in range(len(tries))], tries  # without, with, and that is all
    house.d.ctl("user", "set", number, "--upstream-password", "pbx secret")
    house.registered(account)


def test_interval_too_brief(house):
    house.pbx.min_expires = 900
    number, account = house.user()
    house.login(number)
    house.registered(account)
    assert house.pbx.bindings[account][1] == 900
    house.pbx.min_expires = 0


def test_refreshed_in_time(house):
    house.pbx.grant = 2
    number, account = house.user()
    house.login(number)
    house.d.until("refreshed", lambda: len([1 for _, _, e, ok in house.of(account) if ok and e]) >= 4)
    times = [t for t, _, e, ok in house.of(account) if ok and e]
    assert house.d.ctl("upstream", "list").stdout.split("\n")[1].split()[0] == "pbx"
    assert len(times) >= 4
    house.pbx.grant = None


def test_refused_for_a_while(house):
    house.pbx.refuse = (503, [("Retry-After", "1")])
    number, account = house.user()
    house.login(number)
    house.d.until("refused", lambda: len(house.of(account)) >= 2)
    house.pbx.refuse = None
    house.registered(account)


def test_challenged_forever(house):
    house.pbx.forever = True
    number, account = house.user()
    house.login(number)
    house.d.until("given up", lambda: f"pbx/{number}: REGISTER: 401" in house.d.log())
    house.pbx.forever = False
    house.registered(account)


def test_a_crash_loses_nothing(house):
    """Who logs out in the moment of a crash is unregistered; who did not stays so, or is again."""
    stays, gone = house.user(), house.user()
    house.login(stays[0])
    house.login(gone[0])
    house.registered(stays[1], gone[1])
    house.pbx.mute = True
    house.d.ctl("session", "logout", gone[0])
    house.d.restart(kill=True)
    house.pbx.bindings.pop(stays[1])
    house.pbx.mute = False
    house.registered(stays[1])
    house.gone(gone[1])


# ---- one registration for all (mode=register) ---------------------------------------------------------


def reload(d, **upstream):
    d.conf["upstream"].update(upstream)
    d.write_conf()
    n = d.log().count("reload: changed: upstream")
    d.process.send_signal(signal.SIGHUP)
    d.until("reload", lambda: d.log().count("reload: changed: upstream") > n)


def of_trunk(d):
    """What is said of it: the columns REGISTERED, WANTED and FAILING."""
    line = [x.split() for x in d.ctl("upstream", "list").stdout.split("\n") if x.startswith("trunk")][0]
    assert line[2] == "register", line
    return [int(n) for n in line[3:6]]


def test_one_for_all(house, trunk):
    """As soon as there is an account, whoever is logged in; an interval too brief; SHA-256; refreshed."""
    d = house.d
    assert not trunk.seen and of_trunk(d) == [0, 0, 0]
    trunk.algorithm, trunk.min_expires, trunk.grant = "SHA-256", 700, 2
    d.ctl("upstream", "set", "trunk", "--user", "main", "--password", "pbx secret")
    d.until("refreshed", lambda: len([1 for *_, proved in trunk.seen if proved]) >= 4)
    assert {name for _, name, _, _ in trunk.seen} == {"main"}
    assert [(expires, proved) for _, _, expires, proved in trunk.seen][:5] == \
        [(600, False), (600, True), (700, True), (700, True), (700, True)]
    host, port = d.address()
    assert re.match(rf"sip:main@{re.escape(host)}:{port}\b", trunk.bindings["main"][0]), trunk.bindings
    assert of_trunk(d) == [1, 1, 0] and "pbx secret" not in d.log()
    trunk.grant = None


def test_called_by_the_one_registration(house, trunk):
    """The Request-URI is our Contact, To is whom they call."""
    number = str(next(NUMBERS))
    house.d.ctl("user", "add", number, "--name", "Ute", "--pin", "914263")
    phone = house.login(number)
    gateway = house.d.phone("gateway", host=trunk.host)
    call = gateway.call("sip:main@hotdesk.test", SDP)
    assert call.final().status == 404, "nobody in particular"
    call.to_uri = f"sip:030555{number}@trunk.test"
    call.send_initial()
    leg = phone.accept(call_id=call.call_id)
    assert call.to_uri in leg.invite.get("to")
    leg.answer(486)
    assert call.final().status == 486


def test_many_calls_by_the_one_registration(house, trunk):
    """All have its Request-URI: so many that ring are no loop of somebody else, who sends calls back."""
    busy, away = str(next(NUMBERS)), str(next(NUMBERS))
    for number in (busy, away):
        house.d.ctl("user", "add", number, "--name", "Ute", "--pin", "914263", "--class", "world")
    house.d.ctl("user", "set", away, "--forward-always", "089777")
    phone, gateway = house.login(busy), house.d.phone("gateway", host=trunk.host)
    trunk.answers["INVITE"] = (486, [])

    def call(number):
        call = gateway.call("sip:main@hotdesk.test", SDP)
        assert call.final().status == 404
        call.to_uri = f"sip:030555{number}@trunk.test"
        call.send_initial()
        return call

    calls = [call(busy) for _ in range(2)]
    legs = [phone.accept(call_id=c.call_id) for c in calls]
    assert call(away).final().status == 486 and trunk.invites
    for c, leg in zip(calls, legs):
        leg.answer(486)
        assert c.final().status == 486
    del trunk.answers["INVITE"]


def test_another_password_is_used_at_once(house, trunk):
    """Not only when the next try is due; nor does a reload touch what goes well."""
    d = house.d
    reload(d, retry_s=3600, retry_max_s=3600)
    trunk.accounts["main"], trunk.grant = "changed there", 2
    d.ctl("upstream", "set", "trunk", "--user", "main", "--password", "not that one")
    d.until("refused", lambda: of_trunk(d)[2] == 1 and "trunk: REGISTER: 401" in d.log())
    trunk.bindings.clear()
    d.ctl("upstream", "set", "trunk", "--user", "main", "--password", "changed there")
    d.until("registered", lambda: "main" in trunk.bindings)
    trunk.accounts["other"] = "changed there"
    d.ctl("upstream", "set", "trunk", "--user", "other")
    d.until("registered", lambda: "other" in trunk.bindings)
    d.until("and by the old name no more", lambda: "main" not in trunk.bindings)
    d.ctl("upstream", "delete", "trunk")
    d.until("unregistered", lambda: "other" not in trunk.bindings)
    d.until("and forgotten", lambda: of_trunk(d) == [0, 0, 0])
    reload(d, retry_s=1, retry_max_s=2)


def test_a_peer_changes_while_we_are_registered(house, trunk):
    """Its URI, by a reload: registered there at once. A peer that is gone, and comes back."""
    d, trunk.grant, trunk.accounts["main"] = house.d, None, "pbx secret"
    d.ctl("upstream", "set", "trunk", "--user", "main", "--password", "pbx secret")
    d.until("registered", lambda: "main" in trunk.bindings)
    user, account = house.user()
    house.login(user)
    house.registered(account)
    peers = list(d.conf["upstream"]["peers"])
    there = Registrar({"main": "pbx secret", account: "pbx secret"})
    reload(d, peers=[p.replace(f":{trunk.port}", f":{there.port}").replace(trunk.host, there.host)
                     .replace(f":{house.pbx.port}", f":{there.port}").replace(house.pbx.host, there.host) for p in peers])
    d.until("both registered there", lambda: {"main", account} <= set(there.bindings))
    d.until("and no more where they were", lambda: "main" not in trunk.bindings and account not in house.pbx.bindings)
    there.refuse = (503, [])  # for a while
    reload(d, peers=[])
    d.until("none left", lambda: d.admin("GET", "/v1/upstreams")[1] == {"upstreams": []})
    d.until("and tried there", lambda: [e for _, n, e, _ in there.seen if n == "main"][-1] == 0)
    there.refuse = None
    d.until("nor registered there", lambda: not there.bindings)
    d.until("and counted no more", lambda: d.metric("hotdeskd_upstream_registrations") == 0)
    house.pbx.bindings.clear()
    trunk.bindings.clear()
    reload(d, peers=peers)
    d.until("registered as before", lambda: "main" in trunk.bindings and account in house.pbx.bindings)
    d.ctl("session", "logout", user)
    house.gone(account)
    there.close()


def test_a_peer_comes_back_before_it_was_left(house, trunk):
    """Its server is asked late to forget what was registered there: that is registered there again."""
    d, trunk.grant = house.d, None
    d.ctl("upstream", "set", "trunk", "--user", "main", "--password", "pbx secret")
    d.until("registered", lambda: "main" in trunk.bindings)
    peers = list(d.conf["upstream"]["peers"])
    there = Registrar({"main": "pbx secret"})
    trunk.refuse = (503, [("Retry-After", "6")])
    reload(d, retry_max_s=6, peers=[p.replace(f":{trunk.port}", f":{there.port}").replace(trunk.host, there.host)
                                    for p in peers])
    d.until("asked", lambda: trunk.seen[-1][2] == 0 and "main" in there.bindings)
    trunk.refuse, before = None, len(trunk.seen)
    reload(d, peers=peers)
    d.until("registered again, left, and registered once more",
            lambda: [e > 0 for *_, e, proved in trunk.seen[before:] if proved][-2:] == [False, True])
    reload(d, retry_max_s=2)
    there.close()
