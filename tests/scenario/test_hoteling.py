"""Guest In and Guest Out: the event package x-broadworks-hoteling, with the messages of a real phone."""

import hashlib
import pathlib
import re
import time
import xml.etree.ElementTree as ElementTree

import pytest

from steps import by_code, login
from support.daemon import SOURCE, Daemon
from support.events import Subscription
from support.sip import rand

EVENT, TYPE = "x-broadworks-hoteling", "application/x-broadworks-hoteling+xml"
SPACE = "http://schema.broadsoft.com/hoteling"
SAMPLES = pathlib.Path(SOURCE) / "tests/scenario/samples"

DIRECTORY = """
users:
  - {number: "4086", name: Guest, pin: "471147", roaming: true, hoteling: true}
  - {number: "4087", name: Other, pin: "802615", roaming: true, hoteling: true}
  - {number: "4088", name: By code only, pin: "914263", roaming: true}
phones:
  - {id: "4085", secret: s3cret-4085}
  - {id: desk-102, secret: s3cret-102}
"""


def office(conf=None, **more):
    return Daemon({"events": {"notify_rate": 0}} | (conf or {}), directory=DIRECTORY, **more)


def host(d, name="4085"):
    return d.phone(name, secret=f"s3cret-{name.removeprefix('desk-')}", register=True)


def subscribe(phone):
    return Subscription(phone, f"sip:{phone.user}@{phone.domain}", EVENT, accept=TYPE)


class Event:
    """A HotelingEvent."""

    def __init__(self, notify):
        assert notify.get("content-type") == TYPE and notify.get("event") == EVENT, repr(notify)
        root = ElementTree.fromstring(notify.body)
        assert root.tag == f"{{{SPACE}}}HotelingEvent", root.tag
        self.names = [c.tag.removeprefix(f"{{{SPACE}}}") for c in root]
        assert self.names[0] == "guestAddress" and set(self.names) <= {"guestAddress", "expires",
                                                                       "authenticationData"}, self.names
        self.guest = root.findtext(f"{{{SPACE}}}guestAddress") or ""
        left = root.findtext(f"{{{SPACE}}}expires")
        self.left = int(left) if left else None
        self.nonce = root.findtext(f"{{{SPACE}}}authenticationData/{{{SPACE}}}nonce")


def set_hoteling(guest, nonce=None, response=None, algorithm="MD5"):
    body = f'<?xml version="1.0" encoding="ISO-8859-1"?>\r\n<SetHoteling xmlns="{SPACE}">\r\n'
    body += f"<guestAddress>{guest}</guestAddress>\r\n" if guest else "<guestAddress/>\r\n"
    if nonce is not None:
        body += (f"<authenticationData>\r\n<nonce>{nonce}</nonce>\r\n<algorithm>{algorithm}</algorithm>\r\n"
                 f"<response>{response}</response>\r\n</authenticationData>\r\n")
    return body + "</SetHoteling>\r\n"


def ask(s, body, status=200, kind=TYPE):
    return s.again(body=body, extra=[("Content-Type", kind)], status=status)


def proof(nonce, pin):
    return hashlib.md5(f"{nonce}:{pin}".encode()).hexdigest()


def challenge(s, number):
    ask(s, set_hoteling(number))
    event = Event(s.told())
    assert re.fullmatch("[0-9a-f]{32}", event.nonce), event.nonce
    return event.nonce


def guest_in(s, number, pin):
    """What the phone is told in the end."""
    nonce = challenge(s, number)
    ask(s, set_hoteling(number, nonce, proof(nonce, pin)))
    return Event(s.told())


def guest_out(s):
    ask(s, set_hoteling(""))
    return Event(s.told())


def begun(phone):
    s = subscribe(phone)
    assert s.answered().get("expires") == "3600"
    return s, Event(s.told())


def test_guest_in_and_out():
    with office() as d:
        s, event = begun(host(d))
        assert (event.guest, event.left, event.nonce) == ("", None, None)
        event = guest_in(s, "4086", "471147")
        assert event.guest == "4086" and event.nonce is None and 43190 <= event.left <= 43200
        assert d.sessions() == {"4086": "4085"} and "4085: login of 4086 by hoteling: logged-in" in d.log()
        assert d.admin("GET", "/v1/sessions")[1]["sessions"][0]["way"] == "hoteling"
        ask(s, set_hoteling("4086"))
        assert Event(s.told()).guest == "4086", "is there already: no nonce"
        event = guest_in(s, "sip:4087@hotdesk.test", "802615")
        assert event.guest == "4087", "replaced"
        assert guest_out(s).guest == "" and d.sessions() == {}
        assert guest_out(s).guest == "", "nobody there"
        s.end()


def test_pushed_whichever_way():
    with office() as d:
        a, b = host(d), host(d, "desk-102")
        s, _ = begun(a)
        assert login(a, "4086", "471147").status == 200
        event = Event(s.told())
        assert event.guest == "4086" and event.left is None, "who came by code has no limit"
        assert login(b, "4086", "471147").status == 200
        assert Event(s.told()).guest == "", "has moved"
        d.ctl("session", "login", "4088", "4085")
        assert Event(s.told()).guest == "4088"
        assert by_code(a, "*772").status == 200
        assert Event(s.told()).guest == ""


def test_refusals_look_the_same():
    """Wrong PIN, unknown number, number without hoteling; then locks as of every other way."""
    with office({"desk": {"lock_after": 3}}) as d:
        s, _ = begun(host(d))
        for number, pin, result in (("4086", "000000", "wrong-pin"), ("9999", "471147", "unknown-user"),
                                    ("4088", "914263", "wrong-pin")):
            event = guest_in(s, number, pin)
            assert (event.names, event.guest, event.nonce) == (["guestAddress"], "", None)
            assert f"4085: login of {number} by hoteling: {result}" in d.log()
        assert 'SecurityEvent="InvalidPassword"' in d.log()
        for _ in range(2):
            assert guest_in(s, "4086", "000000").guest == ""
        assert guest_in(s, "4086", "471147").guest == "", "locked"
        assert "4086 by hoteling: user-locked" in d.log()
        assert login(s.phone, "4086", "471147").status == 403, "by code, too"
        d.ctl("user", "unlock", "4086")
        assert guest_in(s, "4086", "471147").guest == "4086"
        assert "471147" not in d.log() and "000000" not in d.log()


def test_nonces():
    with office({"auth": {"nonce_s": 1}}) as d:
        s, _ = begun(host(d))
        nonce = challenge(s, "4086")
        right = set_hoteling("4086", nonce, proof(nonce, "471147"))
        ask(s, set_hoteling("4086", "f" * 32, proof("f" * 32, "471147")))
        assert Event(s.told()).guest == "", "made up"
        ask(s, right)
        assert Event(s.told()).guest == "", "used up by that"
        nonce = challenge(s, "4086")
        ask(s, set_hoteling("4087", nonce, proof(nonce, "802615")))
        assert Event(s.told()).guest == "", "made for another number"
        nonce = challenge(s, "4086")
        until = time.monotonic() + 1.2
        while time.monotonic() < until:
            s.silent(0.1)
        ask(s, set_hoteling("4086", nonce, proof(nonce, "471147")))
        assert Event(s.told()).guest == "", "too old"
        for late in range(5):  # for a nonce that is too old, too
            nonce = challenge(s, "4086")
            right = set_hoteling("4086", nonce, proof(nonce, "471147").upper())
            ask(s, right)
            if Event(s.told()).guest == "4086":
                break
        assert d.sessions() == {"4086": "4085"}
        assert guest_out(s).guest == ""
        ask(s, right)
        assert Event(s.told()).guest == "", "again"
        assert d.sessions() == {}
        assert f'hotdeskd_hoteling_total{{result="stale"}} {5 + late}' in d.admin("GET", "/metrics")[1]
        # A refresh does not repeat the nonce: phones take that for a refusal.
        assert challenge(s, "4086") and Event((s.again(), s.told())[1]).nonce is None


@pytest.mark.parametrize("body, status", [
    ("x", 400), ("<SetHoteling/>", 400), (f'<SetHoteling xmlns="{SPACE}"/>', 400),
    (f'<Other xmlns="{SPACE}"><guestAddress>4086</guestAddress></Other>', 400),
    ("<SetHoteling xmlns='urn:other'><guestAddress>4086</guestAddress></SetHoteling>", 400),
    ('<!DOCTYPE a [<!ENTITY b "4086">]><SetHoteling><guestAddress>&b;</guestAddress></SetHoteling>', 400),
    (set_hoteling("40 86"), 400), (set_hoteling("*771*4086*471147"), 400), (set_hoteling("@x"), 400),
    (set_hoteling("4" * 33), 400), (set_hoteling("4086", "n", "zz"), 400),
    (set_hoteling("4086", "n", "0" * 32, "SHA-256"), 400), ("<a>" * 9 + "</a>" * 9, 413),
    ("<SetHoteling>" + " " * 9000 + "</SetHoteling>", 413),
])
def test_broken_bodies(daemon, body, status):
    s, _ = begun(daemon.host)
    ask(s, body, status)
    ask(s, set_hoteling(""), 415, "application/xml")
    s.silent(0.05)
    s.again()
    assert Event(s.told()).guest == ""
    s.end()


@pytest.fixture(scope="module")
def daemon():
    with office() as d:
        d.host = host(d)
        yield d


def test_only_of_itself(daemon):
    for to in ("desk-102", "4086", "*771"):
        Subscription(daemon.host, to, EVENT).answered(403)
    s = Subscription(daemon.host, "sip:hotdesk.test", EVENT)
    s.answered()
    assert Event(s.told()).guest == ""
    s.end()


def test_time_is_limited():
    with office({"desk": {"guest_s": 4}}) as d:
        s, _ = begun(host(d))
        event = guest_in(s, "4086", "471147")
        assert event.guest == "4086" and event.left <= 4
        assert Event(s.told()).guest == "", "time is over"
        assert "4085: logout of 4086 by policy: logged-out" in d.log() and d.sessions() == {}


def test_after_a_crash():
    with office() as d:
        d.conf["sip"]["listen"] = list(d.status_file["listen"])
        s, _ = begun(host(d))
        assert guest_in(s, "4086", "471147").guest == "4086"
        d.conf["desk"] = {"guest_s": 2}
        d.kill()
        assert b"471147" not in b"".join(p.read_bytes() for p in (d.folder / "db").iterdir() if p.is_file())
        d.start()
        s.again(status=481)
        s, event = begun(s.phone)
        if event.guest:  # else its time was over before
            assert event.guest == "4086" and event.left <= 2
            assert Event(s.told()).guest == ""
        d.until("logged out", lambda: d.sessions() == {})


def test_pin_is_kept_only_for_hoteling():
    with office() as d:
        s, _ = begun(host(d))

        def user():
            return d.admin("GET", "/v1/users/4088")[1]

        assert user()["hoteling"] is False and user()["hoteling_ready"] is False
        d.ctl("user", "set", "4088", "--hoteling", "yes")
        assert user()["hoteling"] is True and user()["hoteling_ready"] is False, "from the next PIN on"
        assert guest_in(s, "4088", "914263").guest == ""
        d.ctl("user", "set", "4088", "--pin", "-", stdin="914263\n914263\n")
        assert user()["hoteling_ready"] is True and guest_in(s, "4088", "914263").guest == "4088"
        assert guest_out(s).guest == ""
        text = d.ctl("export").stdout
        assert 'number: "4088", name: "By code only", roaming: true, hoteling: true' in text, text
        d.ctl("import", "-", stdin=text)
        assert user()["hoteling_ready"] is True, "an import keeps it"
        d.ctl("user", "set", "4088", "--no-pin")
        assert user()["hoteling_ready"] is False and guest_in(s, "4088", "914263").guest == ""
        d.ctl("user", "set", "4088", "--hoteling", "no", "--pin", "-", stdin="914263\n914263\n")
        assert user()["hoteling"] is False and user()["hoteling_ready"] is False


# ---- the messages of a real phone ------------------------------------------------------------------


def as_sample(s, body=None, extra=()):
    """Sample 14 with the addresses, tags and numbers of this dialog; nothing else is changed."""
    p = s.phone
    text = (SAMPLES / "14-cisco-mpp8865-hoteling-guest-in.sip").read_bytes().decode()
    head, _, content = text.partition("\r\n\r\n")
    content = body or content
    s.cseq += 1
    lines = head.split("\r\n")
    new = {"Via": p.via(), "From": f'"Host 4085" <sip:4085@{p.domain}>;tag={s.local_tag}',
           "To": f"<sip:4085@{p.domain}>;tag={s.remote_tag}", "Call-ID": s.call_id,
           "CSeq": f"{s.cseq} SUBSCRIBE", "Contact": f'"Host 4085" {p.contact}',
           "Content-Length": str(len(content.encode()))}
    lines[0] = f"SUBSCRIBE {s.remote} SIP/2.0"
    for i, line in enumerate(lines[1:], 1):
        name = line.partition(":")[0]
        lines[i] = f"{name}: {new[name]}" if name in new else line
    lines += [f"{n}: {v}" for n, v in extra]
    p.send_raw(("\r\n".join(lines) + "\r\n\r\n" + content).encode())
    return p.final("SUBSCRIBE", s.call_id, s.cseq)


def test_sample_14_gives_sample_15():
    with office() as d:
        s, _ = begun(host(d))
        answer = as_sample(s)
        assert answer.status == 407
        answer = as_sample(s, extra=[s.phone.authorization(answer, "SUBSCRIBE", s.remote)])
        assert answer.status == 200, repr(answer)
        nonce = Event(s.told()).nonce
        body = set_hoteling("4086", nonce, proof(nonce, "471147"))
        answer = as_sample(s, body)
        if answer.status == 407:
            answer = as_sample(s, body, [s.phone.authorization(answer, "SUBSCRIBE", s.remote)])
        assert answer.status == 200
        notify = s.told()
        model = (SAMPLES / "15-broadworks-hoteling-notify.sip").read_bytes().partition(b"\r\n\r\n")[2]
        ours = re.sub(rb"<expires>\d+", b"<expires>43200", notify.body)
        assert ours.replace(b"\n", b"") == model.replace(b"\r\n", b"").replace(b"\n", b"")
