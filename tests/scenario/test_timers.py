"""Timers of RFC 3261 17 and 16.8, shortened by the configuration, and the answers that depend on them."""

import time

import pytest

from plant import plant
from steps import connect, hang_up, no_more, no_more_from_now, no_other_invite, refuse, ring, \
    sooner_or_later, talk, timer_c_runs_from_the_second_180
from support.sip import SDP


T1 = 0.05


@pytest.fixture(scope="module")
def hurried():
    """T1 is 50 ms, so that Timer B ends after 3.2 s; Timer C after 1 s."""
    with plant({"sip": {"t1_ms": int(1000 * T1), "t2_ms": 200, "t4_ms": 200, "timer_c_s": 1}}) as daemon:
        yield daemon


@pytest.fixture(scope="module")
def unhurried():
    with plant() as daemon:
        yield daemon


def test_callee_ignores_the_cancel(hurried):
    a, b = hurried.phones_of(2)
    call, leg = ring(a, b, b.user)
    call.cancel()
    b.reply(b.request("CANCEL"), 200, to_tag=leg.local_tag)
    assert call.final().status in (487, 408)
    leg.answer(200)
    hurried.until("nothing left", lambda: hurried.metric("hotdeskd_response_contexts") == 0)


def test_silent_callee(hurried):
    """Timer A doubles until Timer B's end, Timer E until T2; for a MESSAGE no 408 is sent.

    A machine that is late makes them fewer, never more; the times are those of tests/sip/timer/test_client_timers.c.
    """
    def unanswered():
        """at least 6 INVITEs and 12 MESSAGEs in 64*T1"""
        a, b, c = hurried.phones_of(3)
        began = time.monotonic()
        call, _ = a.call(b.user, SDP).challenge(), c.call(b.user, method="MESSAGE").challenge()
        assert call.final().status == 408 and time.monotonic() - began >= 60 * T1
        hurried.until("Timer F", lambda: hurried.metric("hotdeskd_response_contexts") == 0)
        b.fence(), c.fence()
        assert not [m for m in c.inbox if m.status > 100], "a final response to a MESSAGE"
        sent = [sum(m.method == method for m in b.inbox) for method in ("INVITE", "MESSAGE")]
        assert sent[0] <= 7 and sent[1] <= 18, f"{sent} requests in 64*T1, expected at most [7, 18]"
        return sent[0] >= 6 and sent[1] >= 12
    sooner_or_later(unanswered)


def test_408_of_a_phone_for_a_message_stays_here(hurried):
    a, b = hurried.phones_of(2)
    call = a.call(b.user, method="MESSAGE").challenge()
    b.reply(b.request("MESSAGE"), 408, to_tag="x")
    no_more(a, "a phone's 408 for a MESSAGE", lambda m: m.status == 408, 0.3)
    assert call


def test_timer_c(hurried):
    began = time.monotonic()
    a, b = hurried.phones_of(2)
    call, leg = ring(a, b, b.user)
    b.reply(b.request("CANCEL"), 200, to_tag=leg.local_tag)
    assert time.monotonic() - began > 0.95
    leg.answer(487)
    assert call.final().status in (408, 487)


def test_timer_c_is_set_anew_by_ringing(hurried):
    def set_anew():
        return timer_c_runs_from_the_second_180(hurried, 1)
    set_anew.__doc__ = timer_c_runs_from_the_second_180.__doc__
    sooner_or_later(set_anew)


def test_a_100_alone_does_not_hang_for_ever(hurried):
    a, b = hurried.phones_of(2)
    call = a.call(b.user, SDP).challenge()
    leg = b.accept()
    leg.answer(100)
    b.reply(b.request("CANCEL"), 200, to_tag=leg.local_tag)
    leg.answer(487)
    assert call.final().status in (408, 487)


def test_refusal_is_repeated_until_the_ack(hurried):
    a, b = hurried.phones_of(2)
    call = a.call(b.user, SDP).challenge()
    refuse(b.accept())
    answers = [a.final("INVITE", call.call_id, call.cseq) for _ in range(3)]
    assert {m.raw for m in answers} == {answers[0].raw}
    call.ack_failure(answers[0])
    no_more_from_now(a, "another", lambda m: m.status > 100, 0.4)


def test_refusal_repeated_by_the_callee_is_acknowledged_again(hurried):
    a, b = hurried.phones_of(2)
    call = a.call(b.user, SDP).challenge()
    leg = b.accept()
    refuse(leg)
    assert call.final().status == 486
    refuse(leg)
    leg.answer(183), leg.answer(603), leg.answer(404)
    no_more(a, "answer", lambda m: m.status > 100 and m.status != 486, 0.1)


def test_200_is_repeated_until_the_late_ack(unhurried):
    a, b = unhurried.phones_of(2)
    call, leg = ring(a, b, b.user)
    for _ in range(4):
        leg.answer(200)
        ok = a.wait("200", lambda m: m.status == 200 and m.cseq_method == "INVITE")
    a.inbox.insert(0, ok)
    call.final()
    a.send_raw(next(iter([a.sent.raw])))  # the INVITE itself, late: absorbed
    for _ in range(3):
        call.ack()
        ack = b.request("ACK")
        assert len(ack.all("via")) == 2 and ack.ruri == b.contact.strip("<>")
    leg.answer(200)
    a.wait("200 again", lambda m: m.status == 200 and m.cseq_method == "INVITE")
    call.ack()
    b.request("ACK")
    no_other_invite(leg)
    hang_up(call, leg)


def test_ack_after_everything_is_forgotten(hurried):
    a, b = hurried.phones_of(2)
    call, leg = ring(a, b, b.user)
    leg.answer(200)
    assert call.final().status == 200
    hurried.until("forgotten", lambda: hurried.metric("hotdeskd_response_contexts") == 0)
    call.ack()
    b.request("ACK")
    hang_up(call, leg)


def test_dead_udp_phone(hurried):
    a, b = hurried.phones_of(2)
    b.close()
    assert 400 <= a.call(b.user, SDP).final().status < 600
    talk(*hurried.phones_of(2), f"p{next(hurried.ids) - 1}")
