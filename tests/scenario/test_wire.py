"""Real phones' messages, RFC 4475 and RFC 5118, sent as they are: answered or dropped, the daemon lives,
nothing changes."""

import pathlib

import pytest

from steps import answer_resyncs, login, talk
from support.daemon import Daemon

HERE = pathlib.Path(__file__).resolve().parent
FILES = sorted((HERE / "samples").glob("*.sip")) + sorted((HERE / "torture").glob("*.dat"))
# What must be refused for want of credentials, by the method of the first line.
CHALLENGE = {"REGISTER": 401, "INVITE": 407, "SUBSCRIBE": 407, "INFO": 407}


def alive(d, phone):
    """An answer to OPTIONS, whatever else has come before it."""
    call = phone.call("sip:hotdesk.test", method="OPTIONS")
    assert call.final().status == 200, "the daemon does not answer any more"
    status = d.admin("GET", "/v1/status")[1]
    assert status["desk_sessions"] == 0 and status["bound_phones"] == 0, status
    assert d.process.poll() is None


@pytest.fixture(scope="module")
def d():
    with Daemon({"sip": {"aliases": ["pbx.example.org", "sip.example.org", "192.168.1.5"]}}) as daemon:
        yield daemon


@pytest.mark.parametrize("path", FILES, ids=lambda p: p.stem)
def test_as_it_is(d, path):
    raw = path.read_bytes()
    for transport in ("udp", "tcp"):
        phone, other = d.phone("desk-101", transport), d.phone("desk-102")
        phone.send_raw(raw.replace(b"SIP/2.0/UDP", b"SIP/2.0/TCP") if transport == "tcp" else raw)
        alive(d, other)
        phone.pump(0.05)
        for m in phone.inbox:
            assert m.status and not 200 <= m.status < 300 or m.cseq_method == "OPTIONS", \
                f"{path.name} over {transport}: expected a refusal, got\n{m}"
        phone.close()


@pytest.mark.parametrize("path", [p for p in FILES if p.parent.name == "samples"], ids=lambda p: p.stem)
def test_phones_are_challenged(d, path):
    """With our domain and a Via that leads back here, a phone's own message gets its challenge."""
    phone = d.phone("desk-101")
    lines = path.read_bytes().split(b"\r\n")
    method = lines[0].split()[0].decode()
    if method not in CHALLENGE or b"To:" not in b"\n".join(lines) or path.stem.startswith(("14", "16", "x-24", "x-25")):
        pytest.skip("no initial request of a phone")
    user = lines[0].split()[1].split(b":", 1)[1].split(b"@")[0] + b"@" if b"@" in lines[0] else b""
    lines[0] = lines[0].split()[0] + b" sip:" + user + b"hotdesk.test SIP/2.0"
    lines = [b"Via: " + phone.via().encode() if line.startswith(b"Via:") else line for line in lines]
    phone.send_raw(b"\r\n".join(lines))
    answer = phone.wait(f"{CHALLENGE[method]} to {path.name}", lambda m: m.status >= 200)
    assert answer.status == CHALLENGE[method], repr(answer)


def test_still_does_its_job():
    with Daemon() as d:
        a, ben = d.phone("desk-101"), d.phone("desk-103")
        for path in FILES:
            a.send_raw(path.read_bytes())
        a.register(), ben.register()
        assert login(a, "201", "471147").status == 200
        answer_resyncs(a)
        a.inbox.clear()
        talk(ben, a, "201")
