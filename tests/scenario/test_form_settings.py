"""What users set on their phone's screen: do not disturb, forwarding, language, in each vendor's browser."""

import urllib.parse

import pytest

from support.web import Web
from test_form import MODELS, Browser, d  # noqa: F401


def user(d, number):
    status, answer = d.admin("GET", f"/v1/users/{number}")
    assert status == 200, answer
    return answer


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


@pytest.mark.parametrize("model", MODELS)
def test_settings(d, model):  # noqa: F811
    b = Browser(d, model)
    d.ctl("session", "login", "201", model)
    press(b.open(), "Settings")
    assert list(items(b)) == ["Do not disturb: off", "Forward always: off", "Forward when busy: off",
                              "Forward no answer: off", "Forward logged out: off", "Language: English"]
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
    d.ctl("session", "logout", "201")
    press_nobody = b.go(b.home.replace("/form", "/settings"))
    assert "Nobody is logged in here." in press_nobody.reply.body
    b.go(b.home.replace("/form", "/settings/dnd?to=on"))
    assert "Nobody is logged in here." in b.reply.body and not user(d, "201")["dnd"]
    b.close()


def test_bad_requests(d):  # noqa: F811
    b = Browser(d, "second", "yealink-t46u")
    d.ctl("session", "login", "204", "second")
    base = urllib.parse.urlsplit(b.home.replace("/form", "/settings")).path
    before = user(d, "204")
    with Web(d.address("https")) as w:
        for tail in ("x", "dnd/on", "Always"):
            assert w.get(f"{base}/{tail}").status == 404, tail
        for tail in ("dnd?to=maybe", "language?to=xx", "always?to=2%202", "always?to=" + "1" * 100, "dnd", "busy?to=204"):
            assert w.get(f"{base}/{tail}").status == 200, tail
        w.request(f"{base}/dnd?to=on", "HEAD")
        assert w.read("HEAD").status == 200
        w.request(base, "POST", headers=["Content-Length: 0"])
        assert w.read().status == 405
    assert user(d, "204") == before
    with Web(d.address("https")) as w:
        home = urllib.parse.urlsplit(Browser(d, "dect", "gigaset-n870").home).path
        assert w.get(home.replace("/form", "/settings")).status == 404
        assert w.get("/settings").status == 401
    d.ctl("session", "logout", "204")
    b.close()
