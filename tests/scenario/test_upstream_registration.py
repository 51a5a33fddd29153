"""Our registrations at the PBX follow the desk sessions, whatever happens to us or to it."""

import itertools
import re

import pytest

from plant import plant
from support.registrar import Registrar

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
def house():
    pbx = Registrar({})
    peer = f"pbx sip:{pbx.host}:{pbx.port} mode=user from={pbx.host} probe=0 expires=600"
    with plant({"sip": dict(FAST), "upstream": {"peers": [peer], "retry_s": 1, "retry_max_s": 2,
                                                "register_rate": 1000}}) as d:
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
