"""Calls between phones on all transports, behind a NAT, and across restarts and reloads of the daemon."""

import signal

import pytest

from plant import plant
from steps import again, connect, hang_up, refuse, ring, talk
from support.sip import SDP
from support.wire import assert_forwarded

QUICK = {"sip": {"t1_ms": 60, "t2_ms": 200, "t4_ms": 200}}


@pytest.fixture(scope="module")
def d():
    with plant(QUICK, tls=True, ipv6=True) as daemon:
        yield daemon


KINDS = {"udp": {}, "tcp": {"transport": "tcp"}, "tls": {"transport": "tls"}, "udp6": {"ipv6": True},
         "tcp6": {"transport": "tcp", "ipv6": True}, "nat": {"behind": ("10.1.2.3", 5060)},
         "nat tcp": {"behind": ("10.1.2.3", 5060), "transport": "tcp"}}


@pytest.mark.parametrize("to", KINDS)
@pytest.mark.parametrize("by", KINDS)
def test_from_every_transport_to_every_other(d, by, to):
    a, b = (d.phone(register=True, **KINDS[k]) for k in (by, to))
    for end in (0, 1):
        call, leg = connect(a, b, b.user)
        sides = [(call, leg), (leg, call)]
        for one, other in sides:
            again(one, other, SDP)
            one.in_dialog("INFO", [("Content-Type", "text/plain")], "still there?")
            info = other.phone.request("INFO")
            other.phone.reply(info, 200)
            assert one.phone.final("INFO", cseq=one.cseq).status == 200
        own = leg.invite.all("via")[0]
        assert own.startswith(f"SIP/2.0/{b.transport.upper()} ")
        one, other = sides[end]
        one.in_dialog("BYE")
        other.phone.reply(other.phone.request("BYE"), 200)
        assert one.phone.final("BYE").status == 200
    a.close(), b.close()


@pytest.mark.parametrize("transport", ["tcp", "tls"])
def test_closed_connection_fails_at_once(d, transport):
    a, b = d.phone(register=True), d.phone(transport=transport, register=True)
    b.close()
    assert a.call(b.user, SDP).final().status in (480, 500), "not 408, which takes its time"


def test_closed_connection_of_a_caller(d):
    a, b = d.phone(transport="tcp", register=True), d.phone(register=True)
    call, leg = ring(a, b, b.user)
    a.close()
    leg.answer(486)
    b.request("ACK")
    talk(d.phone(register=True), b, b.user)
    assert call


def test_big_messages(d):
    a, b = d.phone(transport="tcp", register=True), d.phone(transport="tcp", register=True)
    body = bytes(range(256)) * 160
    call = a.call(b.user, body, method="MESSAGE").challenge()
    message = b.request("MESSAGE")
    assert message.body == body
    b.reply(message, 200, to_tag="x", extra=[("Content-Type", "x/y")], body=body)
    assert call.final().body == body
    c, e = d.phones_of(2)
    call = c.call(e.user, SDP, extra=[(f"X-{i}", "v" * 60) for i in range(60)]).challenge()
    leg = e.accept()
    assert_forwarded(c.sent, leg.invite)
    refuse(leg)
    assert call.final().status == 486


# ---- the daemon itself ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kill", [False, True])
def test_restart_in_the_middle_of_a_call(kill):
    with plant(QUICK) as d:
        a, b, c, e = d.phones_of(2) + [d.phone(register=True, behind=("10.1.2.3", 5060)) for _ in range(2)]
        calls = [connect(a, b, b.user), connect(c, e, e.user)]
        d.restart(kill=kill)
        for call, leg in calls:
            again(leg, call, SDP)
            again(call, leg, SDP)
        hang_up(*calls[0])
        call, leg = calls[1]
        assert leg.in_dialog("BYE") and c.request("BYE").get("call-id") == call.call_id


def test_reload_in_the_middle_of_a_call():
    with plant(QUICK) as d:
        a, b = d.phones_of(2)
        ringing = ring(a, b, b.user)
        talking = connect(b, a, a.user)
        d.conf["registrar"] = {"expires_min_s": 30}
        d.write_conf()
        d.process.send_signal(signal.SIGHUP)
        d.until("reloaded", lambda: a.register(expires=30, expect=None).status == 200)
        hang_up(*talking)
        call, leg = ringing
        leg.answer(200)
        assert call.final().status == 200
        call.ack()
        b.request("ACK")
        hang_up(call, leg)
