"""Rows NA-..: what the outside suites leave out; here NA-05, NA-07 and NA-16."""

import json
import re
import subprocess

import pytest

from plant import fetch, plant
from steps import again, connect, hang_up, refuse, ring
from support.daemon import BUILD
from support.events import DialogInfo, Subscription
from support.sip import SDP, digest

row = pytest.mark.row


@pytest.fixture(scope="module")
def d():
    with plant() as daemon:
        yield daemon


@row("NA-05")
def test_no_gruu_is_granted(d):
    """A phone that offers GRUU registers as any other: RFC 5627 4.2 lets the registrar give none."""
    a, b = d.phones_of(2)
    contact = a.contact + ';+sip.instance="<urn:uuid:00000000-0000-1000-8000-000a95a0e128>"'
    answer = a.register(contact=contact, extra=[("Supported", "gruu, path")])
    for name in ("pub-gruu", "temp-gruu", "gruu"):
        assert name not in "".join(answer.all("contact") + answer.all("supported")), repr(answer)
    assert len(fetch(a)) == 1
    answer = a.register(contact=contact, extra=[("Require", "gruu")], expect=None)
    assert answer.status == 420 and answer.get("unsupported") == "gruu", repr(answer)
    hang_up(*connect(b, a, a.user))


def resident_kib(daemon):
    with open(f"/proc/{daemon.process.pid}/status", encoding="ascii") as f:
        return int(re.search(r"VmRSS:\s+(\d+)", f.read()).group(1))


@row("NA-07")
def test_overload_is_503_and_costs_no_memory():
    with plant({"sip": {"transactions_max": 2, "retry_after_min_s": 3, "retry_after_max_s": 60}}) as busy:
        a, b, c, e, f, g, h, i = busy.phones_of(8)
        talking = connect(a, b, b.user)
        ringing, other = ring(c, e, e.user), ring(h, i, i.user)
        call = f.call(g.user, SDP)
        assert call.final().status == 503
        challenge, after = f.challenge, set()

        def ramp(first, n):
            for nc in range(first, first + n):
                call.credentials = [("Proxy-Authorization",
                                     digest(challenge, "INVITE", call.uri, f.user, f.password, nc))]
                call.call_id = f"{nc}@ramp"
                call.send_initial()
                answer = f.final("INVITE", call.call_id)
                assert answer.status == 503 and 3 <= int(answer.get("retry-after")) <= 60, repr(answer)
                after.add(answer.get("retry-after"))
        ramp(2, 200)
        before = resident_kib(busy)
        ramp(202, 800)
        grown = resident_kib(busy) - before
        with open(f"/proc/{busy.process.pid}/maps", encoding="utf-8") as maps:
            sanitized = "asan" in maps.read() or "tsan" in maps.read()
        assert grown < 2048 or sanitized, f"{grown} KiB"  # a sanitizer keeps what was freed
        assert len(after) > 10, f"all come back at once: {after}"
        again(*talking, SDP)
        hang_up(*talking)
        ringing[1].answer(200)
        assert ringing[0].final().status == 200
        ringing[0].ack()
        e.request("ACK")
        hang_up(*ringing)
        hang_up(*connect(f, g, g.user))
        refuse(other[1])
        assert other[0].final().status == 486


@row("NA-10")
def test_event_packages_of_ours(d):
    a = d.phone(register=True)
    s = Subscription(a, a.user)
    assert "dialog" in s.answered().get("allow-events")
    assert DialogInfo(s.told()).state == "terminated"
    s.end()
    answer = Subscription(a, a.user, "presence").answered(489)
    assert "dialog" in answer.get("allow-events")


@row("NA-16")
def test_no_push(d):
    """RFC 8599: the parameters of a phone's push service are kept and never answered to."""
    a, b = d.phones_of(2)
    uri = a.contact[1:-1] + ";pn-provider=acme;pn-param=x;pn-prid=ZTY4ZDJlMzODE1NmUgKi0K"
    answer = a.register(contact=f"<{uri}>")
    assert not answer.all("feature-caps"), repr(answer)
    assert uri in answer.get("contact"), repr(answer)
    hang_up(*connect(b, a, a.user))


@row("NA-16")
@pytest.mark.parametrize("transport", ["ws", "wss", "sctp"])
def test_other_transports(d, tmp_path, transport):
    """RFC 7118, RFC 4168: no listener can be had, and a phone that names one is not called there."""
    conf = tmp_path / "hotdeskd.yaml"
    conf.write_text(json.dumps({"sip": {"listen": [f"{transport}:127.0.0.1:0"]}}))
    r = subprocess.run([BUILD / "bin/hotdeskd", "--allow-root", "-t", "-c", conf],
                       capture_output=True, text=True, timeout=20)
    assert r.returncode == 1 and 'expected "udp:ADDRESS:PORT", "tcp:...' in r.stderr, r.stderr
