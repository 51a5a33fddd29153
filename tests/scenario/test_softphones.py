"""Real softphones (baresip) on both sides, over UDP, TCP and TLS.

Debian 12's baresip knows only MD5 and gives up at the sight of another algorithm, whatever the order: the daemon
offers it nothing else. linphone and transfers are in test_linphone.py.
"""

import contextlib

import pytest
from people import cancel, closed_with, end, hold_and_resume, login, request, ring, talk
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


@pytest.mark.parametrize("transport", TRANSPORTS)
@pytest.mark.parametrize("who", ["caller", "callee"])
def test_call_hold_resume_bye(transport, who):
    with office(("desk-101", transport), ("desk-103", transport)) as (d, desk, ben):
        login(desk, "201", "471147")
        assert d.sessions() == {"201": "desk-101"}
        talk(ben, desk, "201")
        one, other = (ben, desk) if who == "caller" else (desk, ben)
        hold_and_resume(one, other)
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
        cancel(ben, desk)


@pytest.mark.parametrize("transport", TRANSPORTS)
def test_busy(transport):
    with office(("desk-101", transport), ("desk-103", transport)) as (_, desk, ben):
        ring(ben, desk, "desk-101")
        desk.hang_up()
        closed_with(ben, 486)


@pytest.mark.parametrize("transport", TRANSPORTS)
def test_no_answer(transport):
    with office(("desk-101", transport), ("desk-103", transport),
                conf={"sip": {"timer_c_s": RINGS_S}}) as (_, desk, ben):
        ring(ben, desk, "desk-101")
        far = desk.mark()
        closed_with(ben, 487)
        desk.event("CALL_CLOSED")
        assert "Timer C" in repr(desk.sip("CANCEL", request("CANCEL"), far))


def test_nobody_there():
    with office(("desk-103", "udp")) as (_, ben):
        for number, status in (("201", 480), ("desk-102", 480), ("999", 404)):
            mark = ben.mark()
            ben.dial(number)
            closed_with(ben, status, mark)


def test_wrong_pin():
    with office(("desk-101", "udp")) as (d, desk):
        desk.dial("*771*201*471148")
        closed_with(desk, 403)
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
        mark = ben.mark()
        ben.dial("201")
        closed_with(ben, 480, mark)
