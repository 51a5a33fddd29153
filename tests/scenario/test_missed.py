"""Missed calls on the idle screen of the phone where their user is, and phones that forget their own lists."""

import itertools
import re
import urllib.parse
import xml.etree.ElementTree as ET

import pytest

from plant import plant
from steps import connect, hang_up, refuse, ring
from support.sip import SDP, Call
from support.web import Web

FORGET = {"YealinkIPPhoneExecute": ["Command:ClearCallersList", "Command:ClearRedialList"],
          "AastraIPPhoneExecute": ["Command: ClearCallersList", "Command: ClearRedialList"],
          "CiscoIPPhoneExecute": ["Init:CallHistory"], "IPPhoneSilent": ["phone://mb_exit#calllistclear"]}
EVENTS = {"yealink-t46u": "Yealink-xml", "mitel-6867i": "aastra-xml", "cisco-cp-8851": "XML-Service", "snom-d785": "xml"}
LAMPS = {"yealink-t46u": ("lamp off", "lamp on")}
NUMBERS = itertools.count(700)


@pytest.fixture(scope="module")
def d():
    with plant({"desk": {"resync_retry_s": 600, "resync_retry_max_s": 600},
                "provision": {"listen": ["http:127.0.0.1:0"], "plain_networks": ["127.0.0.0/8"]}}) as daemon:
        yield daemon


def meaning(body):
    """What a document has a phone do."""
    root = ET.fromstring(body)
    if root.tag.endswith("IPPhoneStatus"):
        assert root.get("SessionID", root.findtext("Session")) == "hotdesk", body
        return root.findtext("Message") or "nothing"
    uris = [i.get("URI") or i.get("URL") or i.text for i in root.iter() if i.tag in ("ExecuteItem", "fetch")]
    if uris == FORGET[root.tag]:
        return "forget"
    return {"Led:POWER=slowflash": "lamp on", "Led:POWER=off": "lamp off"}[uris[0]]


class Desk:
    """A phone that was changed while nobody is there: what that makes it do has been done."""

    def __init__(self, d, model, owner=""):
        self.d, self.model = d, model
        self.phone = d.phone()
        d.ctl("phone", "set", self.phone.user, "--model", model, "--owner", owner)
        self.phone.register()
        if model not in ("cisco-cp-8851", "snom-d785"):
            self.says("nothing", forget=not owner)

    def told(self, *expected, answer=True):
        """The next documents, in order; what makes it fetch its keys is answered and passed over."""
        for what in expected:
            while True:
                notify = self.phone.request("NOTIFY")
                if answer or not notify.body:
                    self.phone.reply(notify, 200)
                if notify.body:
                    break
            assert notify.get("event") == EVENTS[self.model], repr(notify)
            assert meaning(notify.body) == what, f"{what} expected\n{notify}"

    def says(self, text, forget=False):
        lamp = [LAMPS[self.model][text != "nothing"]] if self.model in LAMPS else []
        self.told(*["forget"] * forget, text, *lamp)

    def login(self, number, text="nothing"):
        self.d.ctl("session", "login", number, self.phone.user)
        self.says(text, forget=True)

    def look(self, what, method="GET", expect=200):
        _, answer = self.d.admin("GET", f"/v1/phones/{self.phone.user}/url")
        home = urllib.parse.urlsplit(answer["url"]).path.rsplit("/", 1)[0]
        with Web(self.d.address("http"), tls=False) as web:
            assert web.get(home + what, method).status == expect


def user(d, **more):
    number = str(next(NUMBERS))
    d.ctl("user", "add", number, "--name", f"User {number}", "--pin", "914263",
          *[x for k, v in more.items() for x in (f"--{k.replace('_', '-')}", v)])
    return number


def miss(a, desk, number):
    call = Call(a, number, "INVITE", SDP).challenge()
    refuse(desk.phone.accept())
    assert call.final().status == 486


@pytest.mark.parametrize("model", ["yealink-t46u", "mitel-6867i"])
def test_from_desk_to_desk(d, model):
    a, = d.phones_of(1)
    ben, b, c = user(d), Desk(d, model), Desk(d, model)
    b.login(ben)
    miss(a, b, ben)
    b.says("1 missed call")
    miss(a, b, ben)
    b.says("2 missed calls")
    # One that is answered, or that goes to another place, is none.
    hang_up(*connect(a, b.phone, ben))
    call, leg = ring(a, b.phone, ben)
    call.cancel([("Reason", "SIP;cause=200;text=elsewhere")])
    b.phone.reply(b.phone.request("CANCEL"), 200)
    leg.answer(487)
    b.phone.request("ACK")
    assert call.final().status == 487
    miss(a, b, ben)
    b.says("3 missed calls")
    # The phone that the user leaves forgets, the next one knows.
    c.login(ben, "3 missed calls")
    b.says("nothing", forget=True)
    # Other lists, the menu and whoever only asks for the head have not looked at them.
    for what, method in (("/calls", "GET"), ("/calls/dialled", "GET"), ("/calls/missed", "HEAD"),
                         ("/calls/missed?page=1", "GET")):
        c.look(what, method)
    d.ctl("user", "set", ben, "--language", "de")
    c.says("3 verpasste Anrufe")
    c.look("/calls/missed")
    c.says("nothing")
    miss(a, c, ben)
    c.says("1 verpasster Anruf")
    c.look("/calls/all?format=json")
    c.says("nothing")
    d.ctl("session", "logout", ben)
    c.says("nothing", forget=True)


def test_lists_that_are_local_off_or_cleared(d):
    a, = d.phones_of(1)
    ben, b, c = user(d, call_list="local"), Desk(d, "mitel-6867i"), Desk(d, "mitel-6867i")
    b.login(ben)
    miss(a, b, ben)
    b.says("1 missed call")
    c.login(ben)
    b.says("nothing", forget=True)
    miss(a, c, ben)
    c.says("1 missed call")
    d.ctl("user", "set", ben, "--call-list", "central")
    c.says("2 missed calls")
    d.ctl("user", "set", ben, "--call-list", "off")
    c.says("nothing")
    miss(a, c, ben)
    d.until("written", lambda: len(d.admin("GET", f"/v1/calls/of/{ben}")[1]["calls"]) == 3)
    d.ctl("user", "set", ben, "--call-list", "central")
    c.says("2 missed calls")
    d.ctl("call", "clear", ben)
    c.says("nothing")
    miss(a, c, ben)
    c.says("1 missed call")


def test_told_when_it_comes_back(d):
    """One that is away at the logout, and one that has been switched off and on."""
    a, = d.phones_of(1)
    ben, b = user(d), Desk(d, "yealink-t46u")
    b.login(ben)
    miss(a, b, ben)
    b.says("1 missed call")
    b.phone.register(expires=0)
    b.phone.register()
    b.says("1 missed call")
    b.phone.register(expires=0)
    d.ctl("session", "logout", ben)
    b.phone.register()
    b.says("nothing", forget=True)


def test_phone_with_an_owner_keeps_its_lists(d):
    a, = d.phones_of(1)
    ben = user(d)
    b = Desk(d, "mitel-6867i", owner=ben)
    d.ctl("session", "login", ben, b.phone.user)
    b.says("nothing")
    miss(a, b, ben)
    b.says("1 missed call")
    d.ctl("session", "logout", ben)
    b.says("nothing")


def test_only_forgets(d):
    """A vendor whose phones have no line for a text."""
    ben, b = user(d), Desk(d, "snom-d785")
    b.told("forget")
    d.ctl("session", "login", ben, b.phone.user)
    b.told("forget")


def test_challenge(d):
    b = Desk(d, "cisco-cp-8851")

    def document():
        return b.phone.wait("XML-Service", lambda m: m.method == "NOTIFY" and m.get("event") == "XML-Service" and
                            not b.phone.is_again(m))
    notify = document()
    b.phone.taken.add(("NOTIFY", notify.get("via")))
    b.phone.reply(notify, 401, "Unauthorized", extra=[
        ("WWW-Authenticate", 'Digest realm="hotdesk.test", nonce="abc", algorithm=MD5, qop="auth"')])
    again = document()
    assert meaning(again.body) == "forget" and again.get("call-id") == notify.get("call-id")
    credentials = again.get("authorization")
    assert re.search(rf'username="{b.phone.user}"', credentials) and 'nonce="abc"' in credentials
    b.phone.reply(again, 200)


def test_switched_off(d):
    a, = d.phones_of(1)
    ben, b = user(d), Desk(d, "yealink-t46u")
    d.conf["calls"] = {"missed_on_phones": False, "clear_phones": False}
    d.write_conf()
    d.ctl("reload")
    d.ctl("session", "login", ben, b.phone.user)
    miss(a, b, ben)
    d.until("written", lambda: len(d.admin("GET", f"/v1/calls/of/{ben}")[1]["calls"]) == 1)
    d.conf["calls"] = {}
    d.write_conf()
    d.ctl("reload")
    miss(a, b, ben)
    b.says("2 missed calls")
