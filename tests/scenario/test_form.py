"""Forms on phones' screens, as each vendor's browser drives them over HTTPS."""

import re
import urllib.parse
import xml.etree.ElementTree as ET

import pytest

from support.daemon import Daemon
from support.web import Web
from support.wire import certificate

MODELS = {"yealink-t46u": "805e0c1a2b3c", "snom-d785": "000413aabb01", "cisco-spa508g": "0002fdff2103",
          "cisco-mpp-8851": "00562b043615", "mitel-6940": "1400e9294c6b", "fanvil-x5u": "0c383e557eb1",
          "polycom-vvx-400": "64167f000001"}
NASTY = "Ännä <Berg> & \"Sons\" 'x'"
USERS = "".join(f'  - {{number: "{n}", name: {name!r}, pin: "{pin}", language: {lang}}}\n' for n, name, pin, lang in [
    ("201", "Anna Berg", "471147", "en"), ("202", "Ben Kaya", "802615", "de"), ("204", "Dora", "593817", "en"),
    ("205", "Eva", "604928", "en"), ("206", "Finn", "715039", "en"), ("207", "Gerd", "826140", "en")])
DIRECTORY = ("users:\n" + USERS + f'  - {{number: "203", name: {NASTY!r}, pin: "914263"}}\n'.replace("\\'", "''") +
             "phones:\n" + "".join(f'  - {{id: {m}, secret: s, mac: "{mac}", model: {m}, label: "Desk {m} <&>"}}\n'
                                   for m, mac in MODELS.items()) +
             '  - {id: owned, secret: s, model: snom-d785, owner: "206"}\n'
             '  - {id: second, secret: s, model: yealink-t46u}\n'
             '  - {id: limits, secret: s, model: yealink-t46u}\n'
             '  - {id: third, secret: s, model: yealink-t46u}\n'
             '  - {id: dect, secret: s, mac: "7c2f80e0d605", model: gigaset-n870}\n')
CONF = {"provision": {"listen": ["https:127.0.0.1:0", "http:127.0.0.1:0"], "plain_networks": ["127.0.0.0/8"]},
        "desk": {"lock_after": 3, "own_name": True}}


@pytest.fixture(scope="module")
def d():
    directory = DIRECTORY.replace(repr(NASTY), "\"Ännä <Berg> & \\\"Sons\\\" 'x'\"")
    daemon = Daemon(CONF, directory=directory)
    pem, key = certificate(daemon.folder)
    daemon.conf["provision"].update(tls_certificate=pem, tls_key=key)
    with daemon:
        yield daemon


class Browser:
    """The browser of a vendor's phone: follows URLs, fills forms in, understands its own XML only."""

    def __init__(self, d, phone, model=None):
        self.d, self.phone, self.model = d, phone, model or phone
        self.vendor = self.model.split("-")[0]
        self.web = Web(d.address("https"))
        status, answer = d.admin("GET", f"/v1/phones/{phone}/url")
        assert status == 200, answer
        self.home = answer["url"].rsplit("/", 1)[0] + "/form"
        self.page = None

    def close(self):
        self.web.close()

    def go(self, url, **more):
        parts = urllib.parse.urlsplit(url)
        target = parts.path + (f"?{parts.query}" if parts.query else "")
        self.reply = self.web.get(target, **more)
        assert self.reply.status == 200, self.reply
        assert self.reply.get("Cache-Control") == "no-store"
        want = "text/html" if self.vendor == "polycom" else "text/xml"
        assert self.reply.get("Content-Type") == f"{want}; charset=utf-8"
        text = re.sub(r"<!DOCTYPE[^>]*>", "", self.reply.body)
        self.page = ET.fromstring(re.sub(r' xmlns="[^"]*"', "", text))
        return self

    def open(self):
        return self.go(self.home)

    def find(self, name):
        found = self.page.find(f".//{name}")
        assert found is not None, self.reply.body
        return found.text or ""

    def submit(self, values):
        """As the vendor's phone sends what was typed."""
        if self.vendor == "polycom":
            form = self.page.find(".//form")
            fields = {i.get("name"): i.get("value") for i in form.iter("input") if i.get("name")}
            assert form.get("method") == "get" and set(fields) == {"number", "pin"}
            assert form.find(".//input[@name='pin']").get("type") == "password"
            return self.go(form.get("action") + "?" + urllib.parse.urlencode({**fields, **values}))
        url = self.find("URL")
        if self.vendor == "snom":  # one input, its token replaced
            item = self.page.find("InputItem")
            token, flags = item.findtext("InputToken"), item.findtext("InputFlags")
            name = "pin" if "p" in flags else "number"
            assert flags == {"pin": "pn", "number": "n"}[name]
            self.go(url.replace(token, urllib.parse.quote(values[name])))
            return self.submit(values) if name == "number" else self
        if self.vendor == "cisco":
            items = [(i.findtext("QueryStringParam"), i.findtext("DefaultValue") or "", i.findtext("InputFlags"))
                     for i in self.page.findall("InputItem")]
            assert [flags for _, _, flags in items] == ["N", "NP"]
            fields = {name: value for name, value, _ in items}
        else:
            fields = {}
            for field in self.page.findall("InputField"):
                fields[field.findtext("Parameter")] = field.findtext("Default") or ""
                assert (field.get("password") == "yes") == (field.findtext("Parameter") == "pin")
        assert set(fields) == {"number", "pin"}
        return self.go(url + "?" + urllib.parse.urlencode({**fields, **values}))

    def result(self):
        if self.vendor == "polycom":
            return self.page.find(".//p").text
        return self.find("Text")

    def occupied(self):
        """(text, URL) of the way out."""
        if self.vendor == "polycom":
            a = self.page.find(".//a")
            return a.text, a.get("href")
        item = self.page.find("MenuItem")
        return (item.findtext("Prompt") or item.findtext("Name")), (item.findtext("URI") or item.findtext("URL"))


ROOTS = {"yealink": "YealinkIPPhone", "snom": "SnomIPPhone", "cisco": "CiscoIPPhone", "mitel": "AastraIPPhone",
         "fanvil": "FanvilIPPhone", "polycom": "html"}


@pytest.mark.parametrize("model", MODELS)
def test_login_and_logout(d, model):
    b = Browser(d, model)
    assert b.open().page.tag.startswith(ROOTS[b.vendor])
    b.submit({"number": "201", "pin": "471147"})
    assert b.page.tag.startswith(ROOTS[b.vendor])
    assert b.result().startswith("Anna Berg is logged in."), b.result()
    assert d.sessions()["201"] == model
    text, url = b.open().occupied()
    assert text == "Anna Berg, Logout"
    assert "logged out" in b.go(url).result()
    assert "201" not in d.sessions()
    assert b.open().page.tag.startswith(ROOTS[b.vendor])
    b.close()
    assert "471147" not in d.log()


def test_takeover_says_what_happened(d):
    b = Browser(d, "second", "yealink-t46u")
    b.open().submit({"number": "204", "pin": "593817"})
    other = Browser(d, "third", "yealink-t46u")
    other.open().submit({"number": "204", "pin": "593817"})
    assert "Dora is logged in." in other.result() and "second" in other.result(), other.result()
    assert d.sessions()["204"] == "third"
    for one in (b, other):
        one.close()


def test_german_and_nasty_names(d):
    b = Browser(d, "second", "yealink-t46u")
    b.open().submit({"number": "202", "pin": "802615"})
    assert "Ben Kaya" in b.result() and "angemeldet" in b.result(), b.result()
    text, url = b.open().occupied()
    assert text == "Ben Kaya, Abmelden"
    b.go(url)
    b.open().submit({"number": "203", "pin": "914263"})
    text, url = b.open().occupied()
    assert text == f"{NASTY}, Logout"
    b.go(url)
    b.close()


def test_owned_phone_knows_its_owner(d):
    b = Browser(d, "owned", "snom-d785")
    assert "206" in b.open().find("Prompt")
    assert b.submit({"pin": "715039"}).result().startswith("Finn is logged in.")
    assert d.sessions()["206"] == "owned"
    b.go(b.open().occupied()[1])
    refusal = b.open().go(b.home.replace("/form", "/form/" + "0" * 32 + "/login") + "?number=201&pin=471147").result()
    assert "201" not in d.sessions() and "logged in" not in refusal
    b.close()


def test_refusals_are_one_and_lock(d):
    """Unknown number and wrong PIN read alike; the lock-out is that of every other way."""
    b = Browser(d, "limits", "yealink-t46u")
    unknown = b.open().submit({"number": "999", "pin": "123456"}).result()
    wrong = [b.open().submit({"number": "205", "pin": f"99999{i}"}).result() for i in range(3)]
    locked = b.open().submit({"number": "205", "pin": "604928"}).result()
    assert {unknown, *wrong, locked} == {unknown}, (unknown, wrong, locked)
    assert "205" not in d.sessions()
    status, user = d.admin("GET", "/v1/users/205")
    assert status == 200 and user["lock"]["failures"] == 3 and user["lock"]["locked"], user
    assert d.log().count('Service="HotDeskPIN"') >= 4
    b.close()


def test_same_press_twice_is_one(d):
    b = Browser(d, "second", "yealink-t46u").open()
    url = b.find("URL")
    for _ in range(5):
        b.go(url + "?number=207&pin=000999")
    assert d.admin("GET", "/v1/users/207")[1]["lock"]["failures"] == 1
    # Another PIN behind the same form is another question.
    assert b.go(url + "?number=207&pin=826140").result().startswith("Gerd is logged in.")
    assert b.go(url + "?number=207&pin=826140").result().startswith("Gerd is logged in.")
    b.go(b.open().occupied()[1])
    b.close()


def test_right_methods_only(d):
    b = Browser(d, "second", "yealink-t46u").open()
    path = urllib.parse.urlsplit(b.home).path
    login = urllib.parse.urlsplit(b.find("URL")).path
    body = "number=207&pin=826140"
    form = ["Content-Type: application/x-www-form-urlencoded", f"Content-Length: {len(body)}"]
    with Web(d.address("https")) as w:
        for target, method, allow in ((path, "POST", "GET, HEAD"), (f"{login}?{body}", "HEAD", "GET, POST"),
                                      (f"{login}?{body}", "PUT", "GET, HEAD, POST"),
                                      (f"{login}?{body}", "DELETE", "GET, HEAD, POST")):
            w.request(target, method, headers=["Content-Length: 0"])
            r = w.read(method)
            assert (r.status, r.get("Allow")) == (405, allow), (target, method, r)
        assert "207" not in d.sessions()
        w.request(login, "POST", headers=form)
        w.send(body)
        r = w.read()
        assert r.status == 200 and "Gerd is logged in." in r.body
        w.request(login.replace("/login", "/logout"), "POST", headers=["Content-Length: 0"])
        assert w.read().status == 200
    assert "207" not in d.sessions()
    b.close()


@pytest.mark.parametrize("tail", ["form/x", "form/login", f"form/{'0' * 31}/login", f"form/{'0' * 32}/delete",
                                  f"form/{'0' * 32}/login/x", "forms", f"form/{'0' * 32}"])
def test_other_paths(d, tail):
    with Web(d.address("https")) as w:
        home = urllib.parse.urlsplit(Browser(d, "second", "yealink-t46u").home).path
        assert w.get(home[:-len("form")] + tail).status == 404


@pytest.mark.parametrize("query", ["number=" + "1" * 100 + "&pin=1", "number=201&pin=" + "1" * 200])
def test_absurd_lengths(d, query):
    with Web(d.address("https")) as w:
        home = urllib.parse.urlsplit(Browser(d, "second", "yealink-t46u").home).path
        assert w.get(f"{home}/{'0' * 32}/login?{query}").status == 400


def test_half_a_form_goes_on(d):
    b = Browser(d, "second", "yealink-t46u").open()
    b.go(b.find("URL") + "?number=20%235&pin=")
    assert b.page.find("InputField/Default").text == "20#5"
    b.go(b.find("URL") + "?number=%3Cb%3E%26&pin=")
    assert b.page.find("InputField/Default").text == "<b>&"
    b.close()


def test_form_needs_the_secret_url(d):
    with Web(d.address("https")) as w:
        assert w.get("/form").status == 401
        assert w.get_digest("/form", "second", "s").status == 404
        assert w.get(f"/{'a' * 26}/form").status == 401
        home = urllib.parse.urlsplit(Browser(d, "dect", "gigaset-n870").home).path
        assert w.get(home).status == 404  # no browser


def configuration(d, phone):
    status, answer = d.admin("GET", f"/v1/phones/{phone}/url")
    assert status == 200
    with Web(d.address("https")) as w:
        r = w.get(urllib.parse.urlsplit(answer["url"]).path)
        assert r.status == 200, r
        return r.body


def test_key_opens_the_form_or_logs_out(d):
    b = Browser(d, "yealink-t46u")
    free = configuration(d, "yealink-t46u")
    assert "linekey.2.type = 27" in free and f"linekey.2.value = {b.home}\n" in free
    b.open().submit({"number": "201", "pin": "471147"})
    there = configuration(d, "yealink-t46u")
    assert "linekey.2.type = 16" in there and "linekey.2.value = *770" in there and "label = Logout" in there
    b.go(b.open().occupied()[1])
    snom = configuration(d, "snom-d785")
    assert f">url {Browser(d, 'snom-d785').home}</fkey>" in snom
    cisco = configuration(d, "cisco-mpp-8851")
    assert "/form" not in cisco and "*770" in cisco
    b.close()
