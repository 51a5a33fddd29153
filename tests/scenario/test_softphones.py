"""Real softphones (baresip) on both sides, over UDP, TCP and TLS.

Debian 12's baresip knows only MD5 and gives up at the sight of another algorithm, whatever the order: these
daemons offer nothing else.
"""

import contextlib
import re

import pytest
from support.daemon import SECRETS, Daemon
from support.softphone import Softphone, baresip
from support.wire import with_tls

pytestmark = pytest.mark.skipif(not baresip(), reason="baresip is not installed")
TRANSPORTS = ["udp", "tcp", "tls"]
RINGS_S = 2


@contextlib.contextmanager
def office(*desks, conf=None):
    """A daemon, and a registered softphone for each (phone, transport)."""
    d = with_tls(Daemon(conf))
    with contextlib.ExitStack() as stack:
        stack.enter_context(d)
        phones = [stack.enter_context(Softphone(d.address(t), name, SECRETS[name], t)) for name, t in desks]
        for phone in phones:
            phone.registered()
        yield d, *phones


def response(method, status):
    return lambda m: m.status == status and m.cseq_method == method


def request(method):
    return lambda m: m.method == method


def login(phone, number, pin):
    """By code; the daemon hangs up by itself."""
    mark = phone.mark()
    phone.dial(f"*771*{number}*{pin}")
    phone.event("CALL_CLOSED")
    answer = phone.sip("200 to the login", response("INVITE", 200), mark)
    assert b"a=inactive" in answer.body, repr(answer)
    bye = phone.sip("BYE after the login", request("BYE"), mark)
    assert not bye.sent, repr(bye)


def ring(caller, callee, number):
    caller.dial(number)
    callee.event("CALL_INCOMING")
    caller.event("CALL_RINGING")


def talk(caller, callee, number):
    ring(caller, callee, number)
    callee.accept()
    for phone in (caller, callee):
        phone.event("CALL_ESTABLISHED")


def end(by, other):
    """One hangs up, the other is told."""
    mark, far = by.mark(), other.mark()
    by.hang_up()
    for phone in (by, other):
        phone.event("CALL_CLOSED")
    assert not other.sip("BYE", request("BYE"), far).sent
    by.sip("200 to BYE", response("BYE", 200), mark)


def direction(message):
    """What the SDP says of the sound."""
    return re.search(rb"a=(sendrecv|sendonly|recvonly|inactive)", message.body).group(1).decode()


def closed_with(phone, text):
    event = phone.event("CALL_CLOSED")
    assert text in event["param"], f"{phone.user}: expected {text}, got {event['param']}"


@pytest.mark.parametrize("transport", TRANSPORTS)
@pytest.mark.parametrize("who", ["caller", "callee"])
def test_call_hold_resume_bye(transport, who):
    with office(("desk-101", transport), ("desk-103", transport)) as (d, desk, ben):
        login(desk, "201", "471147")
        assert d.sessions() == {"201": "desk-101"}
        talk(ben, desk, "201")
        one, other = (ben, desk) if who == "caller" else (desk, ben)
        for act, way in ((one.hold, "sendonly"), (one.resume, "sendrecv")):
            mark, far = one.mark(), other.mark()
            act()
            invite = other.sip("re-INVITE", request("INVITE"), far)
            assert not invite.sent and direction(invite) == way, repr(invite)
            one.sip("200 to re-INVITE", response("INVITE", 200), mark)
            other.sip("ACK of the re-INVITE", request("ACK"), far)
        end(one, other)


@pytest.mark.parametrize("a, b", [("udp", "tcp"), ("tcp", "tls"), ("tls", "udp")])
def test_call_across_transports(a, b):
    with office(("desk-101", a), ("desk-103", b)) as (_, one, other):
        login(one, "201", "471147")
        login(other, "202", "802615")
        talk(other, one, "201")
        end(one, other)
        talk(one, other, "202")
        end(one, other)


@pytest.mark.parametrize("transport", TRANSPORTS)
def test_cancel_while_it_rings(transport):
    with office(("desk-101", transport), ("desk-103", transport)) as (_, desk, ben):
        ring(ben, desk, "desk-101")
        mark, far = ben.mark(), desk.mark()
        ben.hang_up()
        desk.event("CALL_CLOSED")
        assert not desk.sip("CANCEL", request("CANCEL"), far).sent
        ben.sip("200 to CANCEL", response("CANCEL", 200), mark)
        ben.sip("487 to INVITE", response("INVITE", 487), mark)
        desk.sip("ACK of the 487", request("ACK"), far)


@pytest.mark.parametrize("transport", TRANSPORTS)
def test_busy(transport):
    with office(("desk-101", transport), ("desk-103", transport)) as (_, desk, ben):
        ring(ben, desk, "desk-101")
        desk.hang_up()
        closed_with(ben, "486")


@pytest.mark.parametrize("transport", TRANSPORTS)
def test_no_answer(transport):
    with office(("desk-101", transport), ("desk-103", transport),
                conf={"sip": {"timer_c_s": RINGS_S}}) as (_, desk, ben):
        ring(ben, desk, "desk-101")
        far = desk.mark()
        closed_with(ben, "487")
        desk.event("CALL_CLOSED")
        assert "Timer C" in repr(desk.sip("CANCEL", request("CANCEL"), far))


def test_nobody_there():
    with office(("desk-103", "udp")) as (_, ben):
        for number, status in (("201", "480"), ("desk-102", "480"), ("999", "404")):
            ben.dial(number)
            closed_with(ben, status)


def test_wrong_pin():
    with office(("desk-101", "udp")) as (d, desk):
        desk.dial("*771*201*471148")
        closed_with(desk, "403")
        assert d.sessions() == {}
        assert "471148" not in d.log(), "a PIN in the log"


def test_move_and_logout():
    with office(("desk-101", "udp"), ("desk-102", "tcp"), ("desk-103", "udp")) as (d, old, new, ben):
        login(old, "201", "471147")
        login(new, "201", "471147")
        assert d.sessions() == {"201": "desk-102"}
        far = old.mark()
        talk(ben, new, "201")
        end(ben, new)
        rang = [m.start for m in old.trace()[far:] if m.method == "INVITE"]
        assert not rang, f"expected silence at the old desk, got {rang}"
        new.dial("*772")
        new.event("CALL_CLOSED")
        d.until("logged out", lambda: d.sessions() == {})
        ben.dial("201")
        closed_with(ben, "480")
