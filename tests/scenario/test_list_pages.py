"""Call lists on phones' screens: each vendor's page by a real parser, whose calls they are, and the way back."""

import json
import re
import urllib.parse
import xml.etree.ElementTree as ET

import pytest

from plant import plant
from steps import connect, hang_up, refuse
from support.sip import SDP, Call
from support.web import Web

NASTY = "Ännä <b>&\"'; 😀"
VENDORS = {"yealink-t46u": "YealinkIPPhone", "snom-d785": "SnomIPPhone", "cisco-mpp-8851": "CiscoIPPhone",
           "cisco-spa508g": "CiscoIPPhone", "mitel-6940": "AastraIPPhone", "fanvil-x5u": "FanvilIPPhone",
           "polycom-vvx-400": "html"}
MISSES = 17  # more than one page of each vendor but two


def shown(text, model):
    """Without what the vendor's phones do not bear."""
    return text.replace({"fanvil": "&", "cisco": ";"}.get(model.split("-")[0], "\0"), " ")


@pytest.fixture(scope="module")
def d():
    with plant({"sip": {"t1_ms": 60, "t2_ms": 200, "t4_ms": 200}, "store": {"soft_delay_ms": 20},
                "provision": {"listen": ["http:127.0.0.1:0"], "plain_networks": ["127.0.0.0/8"]},
                "calls": {"shown": 18, "group_lists": ["floor=local"]}}) as daemon:
        yield daemon


class Screen:
    """What the browser of a phone shows."""

    def __init__(self, d, phone, model):
        self.model, self.web = model, Web(d.address("http"), tls=False)
        status, answer = d.admin("GET", f"/v1/phones/{phone}/url")
        assert status == 200, answer
        self.home = urllib.parse.urlsplit(answer["url"]).path.rsplit("/", 1)[0] + "/calls"

    def get(self, target):
        parts = urllib.parse.urlsplit(target)
        reply = self.web.get(parts.path + (f"?{parts.query}" if parts.query else ""))
        assert reply.status == 200 and reply.get("Cache-Control") == "no-store", reply
        self.body = reply.body
        text = re.sub(r"<!DOCTYPE[^>]*>", "", reply.body)
        self.page = ET.fromstring(re.sub(r' xmlns="[^"]*"', "", text))
        assert self.page.tag.startswith(VENDORS[self.model]), self.page.tag
        return self

    def open(self, what=""):
        return self.get(f"{self.home}/{what}" if what else self.home)

    def rows(self):
        """[(text, number that choosing it dials, or None)] and {"More": URL ...}: by the rules of the vendor."""
        rows, links = [], {}

        def row(text, target):
            if target and target.startswith("http"):
                links[text] = target
            else:
                m = re.fullmatch(r"(?:Dial:|snom://mb_nop#numberdial=|tel://|)(.+)", target or "")
                dialled = None if not m or target == "snom://mb_nop" else urllib.parse.unquote(m.group(1))
                rows.append((text, dialled))
        for item in self.page.iter("MenuItem"):
            row(item.findtext("Prompt") or item.findtext("Name"), item.findtext("URI") or item.findtext("URL"))
        for item in self.page.iter("DirectoryEntry"):
            row(item.findtext("Name"), item.findtext("Telephone"))
        for item in self.page.iter("SoftKeyItem"):
            if (item.findtext("URL") or "").startswith("http"):
                links[item.findtext("Name")] = item.findtext("URL")
        for p in self.page.iter("p"):
            a = p.find("a")
            row(p.text if a is None else a.text, None if a is None else a.get("href"))
        return rows, links


@pytest.fixture(scope="module")
def calls(d):
    """201 has missed 17 calls, of them one of a number withheld and 15 of 202; and has dialled 202."""
    d.ctl("user", "add", "601", "--name", "Roamer", "--pin", "914263")
    d.ctl("user", "add", "602", "--name", NASTY, "--pin", "914263")
    a, b = d.phones_of(2)
    for number, phone in (("601", a), ("602", b)):
        d.ctl("session", "login", number, phone.user)
        phone.reply(phone.request("NOTIFY"), 200)
    for i in range(MISSES):
        call = Call(b, "601", "INVITE", SDP, [("Privacy", "id")] if i == MISSES - 1 else []).challenge()
        refuse(a.accept())
        assert call.final().status == 486
    leg = connect(a, b, "602")
    hang_up(*leg)
    d.until("18 calls", lambda: len(d.admin("GET", "/v1/calls/of/601")[1]["calls"]) == MISSES + 1)
    return a, b


def at(d, model, number="601"):
    """A fresh phone of a model where a user is logged in."""
    phone = f"page-{model}-{number}"
    d.ctl("phone", "add", phone, "--secret", "s", "--model", model)
    d.ctl("session", "login", number, phone)
    return Screen(d, phone, model), phone


@pytest.mark.parametrize("model", VENDORS)
def test_pages(d, calls, model):
    s, phone = at(d, model)
    _, links = s.open().rows()
    assert list(links) == ["All calls", "Missed calls", "Received calls", "Dialled calls"], s.body
    rows, more = s.get(links["All calls"]).rows()
    assert rows[0][1] == "602" and rows[0][0].startswith(shown(f"> {NASTY}, ", model)), rows
    assert rows[1][0].startswith("! Withheld, ") and rows[1][1] is None, rows[1]
    assert "602" not in rows[1][0]
    rows, more = s.get(links["Missed calls"]).rows()
    while "More" in more:
        further, more = s.get(more["More"]).rows()
        rows += further
    assert len(rows) == MISSES and rows[0][1] is None
    assert {number for _, number in rows[1:]} == {"602"}
    assert all(text.startswith(shown(f"{NASTY}, ", model)) for text, _ in rows[1:]), rows
    rows, _ = s.get(links["Received calls"]).rows()
    assert "No calls" in s.body
    d.ctl("session", "logout", "601")
    assert s.open("all").rows()[1] == {} and "Nobody is logged in." in s.body and "602" not in s.body
    d.ctl("session", "login", "602", phone)
    assert "! " not in "".join(t for t, _ in s.open("missed").rows()[0]), "nothing of who sat there before"


def test_central_local_off(d, calls):
    """Missed at desk A: seen at desk B when the list is central, not when it is local; off hides everything."""
    a, _ = calls
    desk_a = Screen(d, a.user, "yealink-t46u")
    d.ctl("phone", "set", a.user, "--model", "yealink-t46u")
    desk_b, phone = at(d, "yealink-t46u", "602")
    for how, there, here in ((("--call-list", "central"), True, True), (("--call-list", "local"), False, True),
                             (("--call-list", "off"), False, False),
                             (("--call-list", "", "--group", "floor"), False, True), (("--group", ""), True, True)):
        d.ctl("user", "set", "601", *how)
        d.ctl("session", "login", "601", phone)
        assert (len(desk_b.open("missed").rows()[0]) > 1) == there, (how, desk_b.body)
        assert ("The call list is off." in desk_b.body) == ("off" in how)
        d.ctl("session", "login", "601", a.user)
        assert (len(desk_a.open("missed").rows()[0]) > 1) == here, (how, desk_a.body)


def test_json(d, calls):
    s, phone = Screen(d, calls[0].user, "yealink-t46u"), calls[0].user
    d.ctl("session", "login", "601", phone)
    reply = s.web.get(f"{s.home}/missed?format=json&page=0")
    assert reply.status == 200 and reply.get("Content-Type").startswith("application/json")
    page = json.loads(reply.body)
    assert page["user"] == "Roamer" and page["mode"] == "central" and len(page["calls"]) == MISSES
    assert page["calls"][0]["number"] is None and page["calls"][0]["withheld"]
    assert page["calls"][1]["number"] == "602" and page["calls"][1]["name"] == NASTY
    assert s.web.get(f"{s.home}/missed?format=json&page=9999").status == 400
    assert s.web.get(f"{s.home}/nonsense").status == 404
    s.web.request(f"{s.home}/all", "POST", headers=["Content-Length: 0"])
    assert s.web.read().status == 405
