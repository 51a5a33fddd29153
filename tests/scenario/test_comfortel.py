"""The COMfortel D-series: the Lua code that its key gets, run by a Lua interpreter, against the pages it asks for."""

import urllib.parse

import pytest

from plant import plant
from steps import refuse
from support.comfortel import Key
from support.sip import SDP, Call
from support.web import Web

NASTY = "Ännä <b>&\"'; 😀"
MISSED = 11  # one more than a page


@pytest.fixture(scope="module")
def d():
    with plant({"sip": {"t1_ms": 60, "t2_ms": 200, "t4_ms": 200}, "store": {"soft_delay_ms": 20},
                "provision": {"listen": ["http:127.0.0.1:0"], "plain_networks": ["127.0.0.0/8"], "call_list_key": 4}}
               ) as daemon:
        daemon.ctl("user", "add", "601", "--name", "Roamer", "--pin", "914263")
        daemon.ctl("user", "add", "602", "--name", NASTY, "--pin", "914263")
        a, b = daemon.phones_of(2)
        for number, phone in (("601", a), ("602", b)):
            daemon.ctl("session", "login", number, phone.user)
            phone.reply(phone.request("NOTIFY"), 200)
        for i in range(MISSED):
            call = Call(b, "601", "INVITE", SDP, [("Privacy", "id")] if i == MISSED - 1 else []).challenge()
            refuse(a.accept())
            assert call.final().status == 486
        daemon.until("the calls", lambda: len(daemon.admin("GET", "/v1/calls/of/601")[1]["calls"]) == MISSED)
        daemon.ctl("phone", "add", "d600", "--secret", "s", "--model", "comfortel-d-600")
        yield daemon


@pytest.fixture(params=["menus", "plain"])
def key(d, tmp_path, request):
    status, answer = d.admin("GET", "/v1/phones/d600/url")
    assert status == 200, answer
    home = urllib.parse.urlsplit(answer["url"]).path.rsplit("/", 1)[0]
    with Web(d.address("http"), tls=False) as web:
        reply = web.get(f"{home}/provisioning.xml")
        assert reply.status == 200, reply
        pressed = Key(tmp_path, reply.raw, "Calls", web, request.param == "menus")
        yield pressed
        pressed.close()
    d.ctl("session", "logout", "601", check=False)


@pytest.mark.parametrize("key", ["menus"], indirect=True)
def test_login_calls_settings(d, key):
    assert key.press() == ["menu", "Nobody is logged in.", "Login"]
    assert key.choose("Login") == ["ask", "Login d600: Number", "", "plain", "digits"]
    assert key.enter("601") == ["ask", "Login d600: PIN", "", "masked", "digits"]
    key.enter("111111")
    assert key.screen[0] == "show" and "Roamer" not in key.screen[1], "a wrong PIN"
    key.press(), key.choose("Login"), key.enter("601")
    assert "Roamer" in key.enter("914263")[1], key.screen
    assert ("601", "d600") in [(s["user"], s["phone"]) for s in d.admin("GET", "/v1/sessions")[1]["sessions"]]
    menu = key.press()
    assert menu == ["menu", "Calls, Roamer", "All calls", "Missed calls", "Received calls", "Dialled calls", "Settings"]
    title, *labels = key.choose("Missed calls")[1:]
    assert title == "Missed calls" and len(labels) == 10 + 1 and labels[-1] == "More"
    assert labels[0].startswith("Withheld") and all(text.startswith(f"{NASTY}, ") for text in labels[1:-1]), labels
    key.choose("Withheld")
    assert key.screen == ["idle"] and key.dialled == []
    key.press(), key.choose("Missed calls")
    assert [text[:5] for text in key.choose("More")[2:]] == [NASTY[:5], "Newer"]
    key.choose(NASTY)
    assert key.dialled == ["602"]
    key.press(), key.choose("Settings"), key.choose("Forward when busy")
    assert key.screen == ["ask", "Forward when busy: Number", "", "plain", "digits"]
    assert "Forward when busy: *97#" in key.enter("*97#")
    user = d.admin("GET", "/v1/users/601")[1]
    assert user["forward_busy"] == "*97#", user
    key.choose("Forward when busy")
    assert d.admin("GET", "/v1/users/601")[1]["forward_busy"] is None


@pytest.mark.parametrize("key", ["plain"], indirect=True)
def test_firmware_without_menus(d, key):
    """Nothing can be chosen there, and everything be read: a page a press."""
    assert key.press() == ["show", "Nobody is logged in.\nLogin"]
    d.ctl("session", "login", "601", "d600")
    assert key.press()[1].splitlines()[:2] == ["Calls, Roamer", "All calls"]
    assert len(key.press()[1].splitlines()) == 1 + 10 + 1
    assert len(key.press()[1].splitlines()) == 1 + 1 + 1, "the last page"
    assert key.press()[1].startswith("Calls, Roamer"), "from the beginning"
    d.ctl("phone", "renew-token", "d600")
    assert key.press() == ["show", "hotdesk: 401"]
    assert key.dialled == []
