"""What users set on their phone's screen: do not disturb, forwarding, language, in each vendor's browser."""

import json
import urllib.parse

import pytest

from support.web import Web
from test_form import MODELS, Browser, d  # noqa: F401


def user(d, number):
    status, answer = d.admin("GET", f"/v1/users/{number}")
    assert status == 200, answer
    return answer


def audit(d, phone):
    """(what, to) of what was set there."""
    status, answer = d.admin("GET", "/v1/audit?limit=1000")
    assert status == 200 and answer["next"] is None, answer
    return [(e["what"], e["to"]) for e in answer["audit"]
            if e["event"] == "setting" and (e["phone"], e["way"], e["user"]) == (phone, "form", "201")]


def items(b):
    """{text: URL} of the menu."""
    if b.vendor == "polycom":
        return {a.text: a.get("href") for a in b.page.iter("a")}
    return {(i.findtext("Prompt") or i.findtext("Name")): (i.findtext("URI") or i.findtext("URL"))
            for i in b.page.iter("MenuItem")}


def press(b, begins):
    found = [url for text, url in items(b).items() if text.startswith(begins)]
    assert len(found) == 1, (begins, items(b))
    return b.go(found[0])


def type_in(b, number):
    """As the vendor's phone sends what was typed."""
    if b.vendor == "polycom":
        form = b.page.find(".//form")
        assert [i.get("name") for i in form.iter("input") if i.get("name")] == ["to"]
        return b.go(form.get("action") + "?" + urllib.parse.urlencode({"to": number}))
    if b.vendor == "snom":
        return b.go(b.find("URL").replace(b.find("InputToken"), urllib.parse.quote(number)))
    name = b.find("QueryStringParam") if b.vendor == "cisco" else b.find("InputField/Parameter")
    return b.go(b.find("URL") + "?" + urllib.parse.urlencode({name: number}))


def own_name_and_keys(d, b, model):
    """What users may change about themselves, and what their class forbids them."""
    home = b.home.replace("/form", "/settings")
    d.ctl("user", "set", "201", "--class", "house")  # nobody outside
    type_in(press(b.go(home), "Forward when busy"), "0033123")
    assert "Not allowed for you" in b.reply.body and user(d, "201")["forward_busy"] is None
    type_in(press(b, "Name: Anna Berg"), "Änna <B> & Co")
    assert user(d, "201")["name"] == "Änna <B> & Co" and "Name: Änna <B> & Co" in items(b)
    type_in(press(b, "Name"), "Anna Berg")
    assert list(items(press(b, "My keys: 0"))) == ["New key"]
    key = list(items(type_in(press(b, "New key"), "0033123")))
    assert key == ["New key"] and "Not allowed for you" in b.reply.body
    type_in(press(b, "New key"), "202")
    assert list(items(b)) == ["Number: 202", "Label: ", "Lamp (BLF): off", "Remove", "My keys"]
    type_in(press(b, "Label"), "Bän")
    press(b, "Lamp (BLF): off")
    assert "Lamp (BLF): on" in items(b) and "Label: Bän" in items(b)
    (shown,) = [k for k in items(press(b, "My keys")) if k != "New key"]
    assert shown.endswith(": Bän"), shown
    place = shown.split()[1].rstrip(":")
    answer = json.loads(b.web.get(urllib.parse.urlsplit(home).path + "?format=json").body)
    assert answer["keys"] == [{"place": int(place), "type": "blf", "label": "Bän", "number": "202"}]
    rendered = d.ctl("phone", "render", model).stdout
    assert "Bän" in rendered and "202" in rendered, rendered
    press(press(b, shown), "Remove")
    assert "Bän" not in d.ctl("phone", "render", model).stdout
    assert list(items(b)) == ["New key"]
    assert audit(d, model)[-6:] == [
        ("name", "Änna <B> & Co"), ("name", "Anna Berg"), (f"speed dial {place}", "202"), (f"label of key {place}", "Bän"),
        (f"BLF key {place}", None), (f"no key {place}", "202")]


@pytest.mark.parametrize("model", MODELS)
def test_settings(d, model):  # noqa: F811
    b = Browser(d, model)
    d.ctl("session", "login", "201", model)
    press(b.open(), "Settings")
    assert list(items(b)) == ["Do not disturb: off", "Forward always: off", "Forward when busy: off",
                              "Forward no answer: off", "Forward logged out: off", "Language: English",
                              "Name: Anna Berg", "My keys: 0"]
    press(b, "Do not disturb")
    assert user(d, "201")["dnd"] and "Do not disturb: on" in items(b)
    type_in(press(b, "Forward logged out"), "202")
    assert user(d, "201")["forward_not_logged_in"] == "202" and "Forward logged out: 202" in items(b)
    type_in(press(b, "Forward when busy"), "201")  # oneself
    assert user(d, "201")["forward_busy"] is None and "Not possible" in b.reply.body
    press(b, "Language")
    assert user(d, "201")["language"] == "de" and "Umleiten abgemeldet: 202" in items(b)
    press(press(press(b, "Sprache"), "Do not disturb"), "Forward logged out")
    after = user(d, "201")
    assert (after["dnd"], after["forward_not_logged_in"], after["language"]) == (False, None, "en")
    d.until("the log", lambda: f"201: do not disturb on by form at {model}" in d.log())
    own_name_and_keys(d, b, model)
    b.go(b.home.replace("/form", "/settings"))
    page_of_before = items(b)["Do not disturb: off"]
    d.ctl("session", "logout", "201")
    press_nobody = b.go(b.home.replace("/form", "/settings"))
    assert "Nobody is logged in here." in press_nobody.reply.body
    b.go(page_of_before)
    assert "Nobody is logged in here." in b.reply.body
    d.ctl("session", "login", "202", model)
    b.go(page_of_before)
    assert "Nicht möglich" in b.reply.body and not user(d, "202")["dnd"] and not user(d, "201")["dnd"]
    d.ctl("session", "logout", "202")
    b.go(b.home.replace("/form", "/settings/dnd?to=on"))
    assert "Nobody is logged in here." in b.reply.body and not user(d, "201")["dnd"]
    b.close()


def test_bad_requests(d):  # noqa: F811
    b = Browser(d, "second", "yealink-t46u")
    d.ctl("session", "login", "204", "second")
    base = urllib.parse.urlsplit(b.home.replace("/form", "/settings")).path
    before = user(d, "204")
    with Web(d.address("https")) as w:
        for tail in ("x", "dnd/on", "Always", "keys/0", "keys/121", "keys/3/x", "keys/0/label", "keysx"):
            assert w.get(f"{base}/{tail}").status == 404, tail
        for tail in ("dnd?to=maybe", "language?to=xx", "always?to=2%202", "always?to=" + "1" * 100, "dnd", "busy?to=204",
                     "name?to=", "name?to=%20", "name?to=%FF", "name?to=" + "x" * 200, "keys/3/label?to=x", "keys/3/remove?to=yes",
                     "keys/0/number?to=", "keys/0/number?to=2%202", "keys/0/number?to=sip:1@x", "keys/3/type?to=line",
                     "keys/0/number?to=*771*204*593817", "busy?to=*771", "keys/0/number?to=" + "1" * 70):
            assert w.get(f"{base}/{tail}").status == 200, tail
        assert json.loads(w.get(base + "?format=json").body)["keys"] == []
        d.ctl("user", "set", "204", "--class", "house")
        assert json.loads(w.get(base + "/keys/0/number?format=json&to=0033123").body)["refused"] == "forbidden"
        d.ctl("user", "set", "204", "--class", "")
        w.request(f"{base}/dnd?to=on", "HEAD")
        assert w.read("HEAD").status == 200
        w.request(base, "POST", headers=["Content-Length: 0"])
        assert w.read().status == 405
    assert {**user(d, "204"), "changed_at": before["changed_at"]} == before
    with Web(d.address("https")) as w:
        home = urllib.parse.urlsplit(Browser(d, "dect", "gigaset-n870").home).path
        assert w.get(home.replace("/form", "/settings")).status == 404
        assert w.get("/settings").status == 401
    d.ctl("session", "logout", "204")
    b.close()
