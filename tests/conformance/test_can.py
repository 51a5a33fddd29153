"""CANCEL through the proxy (RFC 3261 9, 16.10): one test for each row."""


import pytest

from plant import plant
from steps import connect, hang_up, no_more, refuse, ring, talk
from support.sip import SDP, rand

row = pytest.mark.row


@pytest.fixture(scope="module")
def d():
    with plant() as daemon:
        yield daemon


@pytest.fixture(scope="module")
def hurried():
    """T1 is 60 ms, so that 64*T1 are 3.8 s."""
    with plant({"sip": {"t1_ms": 60, "t2_ms": 200, "t4_ms": 200}}) as daemon:
        yield daemon


@pytest.fixture
def pair(d):
    return d.phones_of(2)


def cancelled(call, status=200):
    answer = call.phone.final("CANCEL", call.call_id)
    assert answer.status == status, repr(answer)
    return answer


def is_cancel(m):
    return m.method == "CANCEL"


def assert_cancel_of(cancel, invite):
    """RFC 3261 9.1."""
    assert cancel.all("via") == invite.all("via")[:1] and cancel.ruri == invite.ruri
    for name in ("call-id", "from", "to"):
        assert cancel.get(name) == invite.get(name), name
    assert cancel.get("cseq") == invite.get("cseq").replace("INVITE", "CANCEL")
    assert cancel.all("route") == invite.all("route") and cancel.body == b""
    assert cancel.all("require") == cancel.all("proxy-require") == []


def end(call, leg):
    """The callee's part of a CANCEL, and the 487 with its ACKs."""
    cancel = leg.phone.request("CANCEL")
    assert_cancel_of(cancel, leg.invite)
    leg.phone.reply(cancel, 200, to_tag=leg.local_tag)
    ack = refuse(leg, 487)
    assert ack.all("via") == leg.invite.all("via")[:1]
    assert call.final().status == 487
    return cancel


@row("CAN-01")
def test_cancel_while_ringing(pair):
    a, b = pair
    call, leg = ring(a, b, b.user)
    call.cancel()
    cancelled(call)  # whatever the callee does
    end(call, leg)
    no_more(b, "more", lambda m: m.method, 0.1)
    talk(a, b, b.user)


@row("CAN-02")
def test_cancel_before_a_provisional_waits_for_it(pair):
    a, b = pair
    for status in (180, 100, 183):
        call = a.call(b.user, SDP).challenge()
        leg = b.accept()
        call.cancel()
        cancelled(call)
        no_more(b, "CANCEL before a provisional", is_cancel, 0.2)
        leg.answer(status)
        end(call, leg)
        b.inbox.clear()


@row("CAN-02")
def test_no_cancel_after_an_early_final(pair):
    a, b = pair
    call = a.call(b.user, SDP).challenge()
    leg = b.accept()
    call.cancel()
    cancelled(call)
    refuse(leg, 486)
    assert call.final().status == 486
    no_more(b, "CANCEL", is_cancel, 0.2)


@row("CAN-03")
def test_cancel_of_nothing(pair):
    a, b = pair
    uri, call_id = f"sip:{b.user}@hotdesk.test", rand()
    a.send(f"CANCEL {uri} SIP/2.0", a.base("CANCEL", uri, call_id, 1, "t"))
    assert a.final("CANCEL", call_id).status == 481
    no_more(b, "CANCEL", is_cancel, 0.1)


@row("CAN-04")
def test_cancel_after_200(pair):
    a, b = pair
    call, leg = ring(a, b, b.user)
    leg.answer(200)
    assert call.final().status == 200
    call.cancel()
    assert a.final("CANCEL", call.call_id).status in (200, 481)
    call.ack()
    b.request("ACK")
    call.cancel()
    assert a.final("CANCEL", call.call_id).status in (200, 481)
    no_more(b, "CANCEL", is_cancel, 0.2)
    no_more(a, "487", lambda m: m.status >= 300, 0)
    hang_up(call, leg)


@row("CAN-05")
def test_cancel_with_another_branch(pair):
    a, b = pair
    call, leg = ring(a, b, b.user)
    right, call.headers = call.headers, [("Via", a.via())] + call.headers[1:]
    call.cancel()
    cancelled(call, 481)
    no_more(b, "CANCEL", is_cancel, 0.2)
    call.headers = right
    leg.answer(200)
    assert call.final().status == 200
    call.ack()
    b.request("ACK")
    hang_up(call, leg)


@row("CAN-06")
@pytest.mark.parametrize("first", ["200", "CANCEL"])
@pytest.mark.parametrize("rings", [True, False])
def test_cancel_and_200_cross(pair, first, rings):
    a, b = pair
    call = a.call(b.user, SDP).challenge()
    leg = b.accept()
    if rings:
        leg.answer(180)
        call.provisional(180)
    if first == "200":
        leg.answer(200)
        call.cancel()
    else:
        call.cancel()
        cancelled(call)
        if rings:
            b.reply(b.request("CANCEL"), 200, to_tag=leg.local_tag)
        leg.answer(200)
    assert call.final().status == 200, "200 wins"
    for _ in range(2):
        call.ack()
        assert b.request("ACK").ruri == b.contact.strip("<>")
        leg.answer(200)
        a.wait("200 again", lambda m: m.status == 200 and m.cseq_method == "INVITE")
    no_more(a, "487", lambda m: m.status == 487, 0.1)
    hang_up(call, leg)


@row("CAN-07")
def test_reason_of_a_cancel(pair):
    a, b = pair
    for value in ('SIP;cause=200;text="Call completed elsewhere"', 'Q.850;cause=16;text="Terminated"'):
        for early in (False, True):
            call = a.call(b.user, SDP).challenge()
            leg = b.accept()
            if not early:
                leg.answer(180)
                call.provisional(180)
            call.cancel([("Reason", value)])
            cancelled(call)
            if early:
                leg.answer(180)
            assert end(call, leg).all("reason") == [value]
            b.inbox.clear()


@row("CAN-07")
def test_two_reasons_of_a_cancel(pair):
    a, b = pair
    values = ['SIP;cause=600;text="Busy Everywhere"', 'Q.850;cause=17']
    for extra in ([("Reason", v) for v in values], [("Reason", ", ".join(values))]):
        call, leg = ring(a, b, b.user)
        call.cancel(extra)
        cancelled(call)
        assert ", ".join(end(call, leg).all("reason")) == ", ".join(values)


@row("CAN-08")
def test_cancel_again(pair):
    a, b = pair
    call, leg = ring(a, b, b.user)
    for _ in range(3):
        call.cancel()
        cancelled(call)
    cancel = b.request("CANCEL")
    b.reply(cancel, 200, to_tag=leg.local_tag)
    call.cancel()
    cancelled(call)
    refuse(leg, 487)
    assert call.final().status == 487
    call.cancel()
    assert a.final("CANCEL", call.call_id).status in (200, 481)
    no_more(b, "second CANCEL", is_cancel, 0.2)


@row("CAN-09")
@pytest.mark.parametrize("answers", [True, False])
@pytest.mark.parametrize("rings", [True, False])
def test_callee_ignores_the_cancel(hurried, answers, rings):
    a, b = hurried.phones_of(2)
    call = a.call(b.user, SDP).challenge()
    leg = b.accept()
    if rings:
        leg.answer(180)
        call.provisional(180)
    call.cancel()
    cancelled(call)
    if rings and answers:
        b.reply(b.request("CANCEL"), 200, to_tag=leg.local_tag)
    assert call.final().status in (408, 487)
    leg.answer(200)
    no_more(a, "200 after the end", lambda m: m.status == 200 and m.cseq_method == "INVITE", 0.1)


@row("CAN-10")
def test_cancel_of_a_message(pair):
    a, b = pair
    call = a.call(b.user, method="MESSAGE").challenge()
    message = b.request("MESSAGE")
    call.cancel()
    assert a.final("CANCEL", call.call_id).status in (200, 481)
    no_more(a, "487", lambda m: m.status >= 300, 0.1)
    b.reply(message, 200, to_tag="x")
    assert call.final().status == 200
    no_more(b, "CANCEL", is_cancel, 0.1)


@row("CAN-11")
def test_tag_of_the_200(pair):
    a, b = pair
    call, leg = ring(a, b, b.user)
    tags = set()
    for _ in range(2):
        call.cancel()
        answer = cancelled(call)
        tags.add(answer.tag("to"))
        assert answer.get("cseq") == f"{call.cseq} CANCEL" and answer.tag("from") == call.local_tag
    assert None not in tags and "" not in tags
    end(call, leg)


@row("CAN-12")
def test_cancel_on_100_and_the_invite_again(d, pair):
    a, b = pair
    before = d.metric("hotdeskd_response_contexts")
    for _ in range(3):
        call = a.call(b.user, SDP).challenge()
        raw = a.sent.raw
        call.provisional(100)
        call.cancel()
        for _ in range(3):
            a.send_raw(raw)
        cancelled(call)
        leg = b.accept()
        leg.answer(180)
        end(call, leg)
        b.inbox.clear(), a.inbox.clear()
    d.until("nothing left", lambda: d.metric("hotdeskd_response_contexts") <= before)
    talk(a, b, b.user)


@row("CAN-13")
def test_cancel_right_behind_the_invite(pair):
    a, b = pair
    for _ in range(5):
        call = a.call(b.user, SDP).challenge()
        call.cancel()
        leg = b.accept()
        leg.answer(180)
        end(call, leg)
        cancelled(call)
        b.inbox.clear(), a.inbox.clear()
    talk(a, b, b.user)


@row("CAN-13")
def test_cancel_that_comes_first(pair):
    """The network has changed their order: there is nothing to cancel yet, and the call rings."""
    a, b = pair
    call = a.call(b.user, SDP)
    answer = a.final("INVITE", call.call_id)
    call.ack_failure(answer)
    call.credentials = [a.authorization(answer, "INVITE", call.uri)]
    send, late = a.send_raw, []
    a.send_raw = late.append
    call.send_initial()
    a.send_raw = send
    call.cancel()
    cancelled(call, 481)
    a.send_raw(late[0])
    leg = b.accept()
    leg.answer(180)
    call.provisional(180)
    call.cancel()
    cancelled(call)
    end(call, leg)
