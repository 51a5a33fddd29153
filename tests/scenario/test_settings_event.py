"""as-feature-event: do not disturb and forwarding, in step between phone and user."""

import re
import xml.etree.ElementTree as ElementTree

import pytest

from steps import by_code, login
from support.daemon import Daemon
from support.events import Subscription

EVENT, TYPE = "as-feature-event", "application/x-as-feature-event+xml"
SPACE = "http://www.ecma-international.org/standards/ecma-323/csta/ed3"
WHENS = {"forwardImmediate": "always", "forwardBusy": "busy", "forwardNoAns": "no_answer"}


def documents(notify):
    """The bodies of a NOTIFY: one, or the parts of a multipart (RFC 2046)."""
    kind = notify.get("content-type")
    if kind == TYPE:
        return [notify.body]
    boundary = re.fullmatch(r'multipart/mixed;boundary="([0-9a-f]+)"', kind).group(1).encode()
    parts = notify.body.split(b"--" + boundary)
    assert parts[0] == b"" and parts[-1] == b"--\r\n", notify.body
    found, ids = [], set()
    for part in parts[1:-1]:
        head, _, body = part.partition(b"\r\n\r\n")
        lines = dict(line.split(b": ", 1) for line in head.strip().split(b"\r\n"))
        assert lines[b"Content-Type"] == TYPE.encode() and body[int(lines[b"Content-Length"]):] == b"\r\n"
        ids.add(lines[b"Content-ID"])
        found.append(body[:-2])
    assert len(ids) == len(found)
    return found


def state(notify):
    """{"dnd": True, "always": (active, to), "no_answer": (active, to, rings)} of what a NOTIFY tells."""
    assert notify.get("event") == EVENT
    told = {}
    for body in documents(notify):
        root = ElementTree.fromstring(body)
        name, text = root.tag.removeprefix(f"{{{SPACE}}}"), {c.tag.removeprefix(f"{{{SPACE}}}"): c.text or ""
                                                             for c in root}
        assert text.pop("device")
        if name == "DoNotDisturbEvent":
            told["dnd"] = text == {"doNotDisturbOn": "true"}
        else:
            assert name == "ForwardingEvent"
            values = [text["forwardStatus"] == "true", text["forwardTo"]]
            values += [int(text["ringCount"])] if "ringCount" in text else []
            told[WHENS[text["forwardingType"]]] = tuple(values)
    return told


NOTHING = {"dnd": False, "always": (False, ""), "busy": (False, ""), "no_answer": (False, "", 3)}


def dnd(on, device=""):
    return (f'<?xml version="1.0" encoding="ISO-8859-1"?>\r\n<SetDoNotDisturb xmlns="{SPACE}">\r\n'
            f"<device>{device}</device>\r\n<doNotDisturbOn>{str(on).lower()}</doNotDisturbOn>\r\n</SetDoNotDisturb>\r\n")


def forward(kind, on, to="", rings=None):
    count = f"<ringCount>{rings}</ringCount>" if rings is not None else ""
    return (f'<?xml version="1.0" encoding="ISO-8859-1"?><SetForwarding xmlns="{SPACE}"><device/>'
            f"<forwardingType>{kind}</forwardingType><forwardDN>{to}</forwardDN>{count}"
            f"<activateForward>{str(on).lower()}</activateForward></SetForwarding>")


def ask(s, body, status=200, kind=TYPE):
    return s.again(body=body, extra=[("Content-Type", kind)], status=status)


def begun(phone):
    s = Subscription(phone, f"sip:{phone.user}@{phone.domain}", EVENT, accept=TYPE)
    s.answered()
    return s, state(s.told())


def user(d, number="201"):
    status, answer = d.admin("GET", f"/v1/users/{number}")
    assert status == 200
    return {k: answer[k] for k in ("dnd", "forward_always", "forward_busy", "forward_no_answer", "rings")}


@pytest.fixture
def d():
    with Daemon({"events": {"notify_rate": 0}}) as daemon:
        yield daemon


def test_phone_changes_the_user(d):
    a = d.phone("desk-101", register=True)
    assert login(a, "201", "471147").status == 200
    s, told = begun(a)
    assert told == NOTHING
    for body, change, kept in (
            (dnd(True), {"dnd": True}, {"dnd": True}),
            (dnd(False), {"dnd": False}, {"dnd": False}),
            (forward("forwardImmediate", True, "202"), {"always": (True, "202")}, {"forward_always": "202"}),
            (forward("forwardImmediate", False), {"always": (False, "202")}, {"forward_always": None}),
            (forward("forwardBusy", True, "sip:203@hotdesk.test"), {"busy": (True, "203")}, {"forward_busy": "203"}),
            (forward("forwardNoAns", True, "202", 5), {"no_answer": (True, "202", 5)},
             {"forward_no_answer": "202", "rings": 5})):
        ask(s, body)
        assert state(s.told()) == change
        assert kept.items() <= user(d).items(), user(d)
    s.again()
    assert state(s.told()) == {"dnd": False, "always": (False, "202"), "busy": (True, "203"),
                               "no_answer": (True, "202", 5)}, "a refresh tells all"
    log = d.log()
    answer = d.admin("GET", "/v1/audit")[1]["audit"]
    assert [(e["what"], e["to"]) for e in answer if e["way"] == "subscribe"] == [
        ("do not disturb on", None), ("do not disturb off", None), ("forward always on", "202"), ("forward always off", None),
        ("forward busy on", "203"), ("forward no-answer on", "202")]
    assert "settings: 201: do not disturb on at desk-101" in log and "settings: 201: no-answer on at desk-101" in log


def test_settings_follow_the_user(d):
    a, b = d.phone("desk-101", register=True), d.phone("desk-102", register=True)
    at_a, told = begun(a)
    assert told == NOTHING
    at_b, _ = begun(b)
    assert login(a, "201", "471147").status == 200
    assert state(at_a.told()) == NOTHING
    ask(at_a, dnd(True))
    assert state(at_a.told()) == {"dnd": True}
    assert login(b, "201", "471147").status == 200, "moves"
    assert state(at_b.told()) == NOTHING | {"dnd": True}
    assert state(at_a.told()) == NOTHING
    d.ctl("user", "set", "201", "--dnd", "no", "--forward-busy", "202", "--rings", "7")
    assert state(at_b.told()) == {"dnd": False, "busy": (True, "202"), "no_answer": (False, "", 7)}
    assert by_code(b, "*772").status == 200
    assert state(at_b.told()) == NOTHING
    assert user(d)["forward_busy"] == "202", "kept while logged out"
    assert d.ctl("user", "set", "201", "--forward-busy", "").returncode == 0
    assert user(d)["forward_busy"] is None


def test_nobody_there(d):
    s, _ = begun(d.phone("desk-101", register=True))
    ask(s, dnd(True))
    assert state(s.told()) == NOTHING, "the phone puts it off again"


def test_refused_changes(d):
    a = d.phone("desk-101", register=True)
    assert login(a, "201", "471147").status == 200
    s, _ = begun(a)
    for body in (forward("forwardImmediate", True), forward("forwardImmediate", True, "201")):
        ask(s, body)
        assert state(s.told()) == NOTHING, "without a target, and to oneself: told all of what is"
    d.ctl("user", "set", "201", "--class", "house")
    for to in ("0891234", "112", "*772"):
        ask(s, forward("forwardImmediate", True, to))
        assert state(s.told()) == NOTHING, "what the class forbids"
    for body, status in (("x", 400), (dnd("perhaps"), 400), (forward("forwardNever", True, "202"), 400),
                         (forward("forwardBusy", True, "2 02"), 400), (forward("forwardBusy", True, "9" * 70), 400),
                         (forward("forwardNoAns", True, "202", 99), 400), ("<a>" * 9 + "</a>" * 9, 413),
                         ('<!DOCTYPE a><SetDoNotDisturb xmlns="' + SPACE + '"/>', 400)):
        ask(s, body, status)
    ask(s, dnd(True), 415, "text/xml")
    assert user(d) == {"dnd": False, "forward_always": None, "forward_busy": None, "forward_no_answer": None,
                       "rings": 3}
    r = d.ctl("user", "set", "201", "--forward-always", "201", check=False)
    assert r.returncode == 1, r.stdout + r.stderr


def test_survives_a_crash(d):
    d.conf["sip"]["listen"] = list(d.status_file["listen"])
    a = d.phone("desk-101", register=True)
    assert login(a, "202", "802615").status == 200
    s, _ = begun(a)
    ask(s, forward("forwardImmediate", True, "203"))
    assert state(s.told()) == {"always": (True, "203")}
    d.kill()
    d.start()
    _, told = begun(a)
    assert told == NOTHING | {"always": (True, "203")}
    d.ctl("user", "remove", "202")
    d.ctl("user", "add", "202")
    assert user(d, "202")["forward_always"] is None, "a removed user's settings are gone"
