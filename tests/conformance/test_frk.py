"""Forking to several contacts of one phone (RFC 3261 16.6, 16.7, 16.10): one test for each row."""

import itertools
import re

import pytest

from plant import plant
from steps import hang_up, no_more, refuse
from support.sip import SDP, rand
from support.wire import assert_answered

row = pytest.mark.row


@pytest.fixture(scope="module")
def d():
    with plant({"registrar": {"contacts_max": 8}}) as daemon:
        yield daemon


@pytest.fixture(scope="module")
def hurried():
    """T1 is 60 ms, so that 64*T1 are 3.8 s; Timer C is 1 s."""
    timers = {"t1_ms": 60, "t2_ms": 200, "t4_ms": 200, "timer_c_s": 1}
    with plant({"sip": timers, "registrar": {"contacts_max": 8}}) as daemon:
        yield daemon


def handsets(daemon, n=2, qs=(), **more):
    """A caller, and n handsets that are one phone."""
    name = daemon.name()
    phones = [daemon.phone(name, **more) for _ in range(n)]
    for phone, q in itertools.zip_longest(phones, qs):
        phone.register(contact=phone.contact + (f";q={q}" if q else ""))
    return daemon.phone(register=True), *phones


def is_cancel(m):
    return m.method == "CANCEL"


def is_of(call, status=None):
    return lambda m: m.status > 100 and m.get("call-id") == call.call_id and \
        m.get("cseq") == f"{call.cseq} {call.method}" and (status is None or m.status == status)


def fork(daemon, n=2, rings=True, **more):
    """A call that rings at n handsets."""
    a, *phones = handsets(daemon, n, **more)
    call = a.call(phones[0].user, SDP).challenge()
    legs = [phone.accept() for phone in phones]
    for leg in legs if rings else ():
        leg.answer(180)
        call.provisional(180)
    return call, *legs


def lose(leg, reason=None, status=487):
    """What a handset does that is cancelled."""
    cancel = leg.phone.request("CANCEL")
    assert cancel.all("via") == leg.invite.all("via")[:1] and cancel.ruri == leg.invite.ruri
    assert reason is None or reason in cancel.get("reason", ""), repr(cancel)
    leg.phone.reply(cancel, 200, to_tag=leg.local_tag)
    refuse(leg, status)
    return cancel


def no_answer(call, seconds=0.2):
    no_more(call.phone, "an answer", is_of(call), seconds)


@row("FRK-01")
def test_both_ring(d):
    call, one, two = fork(d)
    branches = {re.search(r"branch=([^;]+)", leg.invite.all("via")[0]).group(1) for leg in (one, two)}
    assert len(branches) == 2
    for leg in (one, two):
        assert leg.invite.ruri == leg.phone.contact.strip("<>") and leg.invite.body == SDP
        assert leg.invite.get("max-forwards") == "69" and len(leg.invite.all("via")) == 2
        assert len(leg.invite.all("record-route")) == 1
        no_more(leg.phone, "second INVITE", lambda m: m.method == "INVITE", 0.1)
    for leg in (one, two):
        leg.answer(183)
        assert call.provisional(183).tag("to") == leg.local_tag
    refuse(one), refuse(two)
    assert call.final().status == 486


@row("FRK-01")
def test_over_different_transports(d):
    a, one = handsets(d, 1)
    two = d.phone(one.user, transport="tcp")
    two.register()
    call = a.call(one.user, SDP).challenge()
    legs = [one.accept(), two.accept()]
    refuse(legs[0])
    legs[1].answer(200)
    assert call.final().status == 200
    call.ack()
    two.request("ACK")
    hang_up(call, legs[1])


@row("FRK-02")
@row("NA-11")
@pytest.mark.parametrize("winner", [0, 1])
def test_first_200_wins(d, winner):
    call, *legs = fork(d)
    won, lost = legs[winner], legs[1 - winner]
    won.answer(200)
    ok = call.phone.wait("200", is_of(call, 200))
    assert_answered(won.phone.sent, ok)
    lose(lost, 'SIP;cause=200;text="Call completed elsewhere"')
    no_answer(call)
    call.phone.inbox.insert(0, ok)
    assert call.final().status == 200
    call.ack()
    won.phone.request("ACK")
    no_more(won.phone, "CANCEL", is_cancel, 0.1)
    no_more(lost.phone, "ACK", lambda m: m.method, 0)
    won.answer(200)
    call.phone.wait("200 again", is_of(call, 200))
    lost.answer(180), lost.answer(486)
    no_answer(call, 0.1)
    hang_up(call, won)


@row("FRK-02")
@row("NA-11")
def test_cancel_waits_for_a_provisional_of_that_branch(d):
    call, one, two = fork(d, rings=False)
    one.answer(200)
    assert call.final().status == 200
    no_more(two.phone, "CANCEL", is_cancel, 0.2)
    two.answer(180)
    lose(two, 'SIP;cause=200;text="Call completed elsewhere"')
    no_answer(call, 0.1)
    call.ack()
    one.phone.request("ACK")
    hang_up(call, one)


@row("FRK-03")
def test_busy_is_held_back(d):
    for winner in (200, 480):
        call, one, two = fork(d)
        refuse(one)
        no_answer(call)
        two.answer(183)
        call.provisional(183)
        two.answer(winner)
        if winner == 200:
            assert call.final().status == 200
            call.ack()
            two.phone.request("ACK")
            hang_up(call, two)
        else:
            two.phone.request("ACK")
            assert call.final().status == 486
        no_more(one.phone, "CANCEL", is_cancel, 0)


BEST = [
    ((486, 603), 603), ((486, 302), 302), ((503, 486), 486), ((500, 404), 404), ((404, 600), 600), ((302, 606), 606),
    ((486, 401), 401), ((480, 407), 407), ((486, 415), 415), ((404, 420), 420), ((486, 484), 484), ((503, 500), 500),
    ((503, 503), 500), ((502, 503), 502), ((480, 486), 486), ((408, 404), 404), ((501, 300), 300), ((503, 603), 603),
]


@row("FRK-04")
@pytest.mark.parametrize("turned", [False, True])
@pytest.mark.parametrize("statuses,best", BEST)
def test_best_response(d, statuses, best, turned):
    if turned:
        statuses = statuses[::-1]
    call, one, two = fork(d)
    challenge = [("WWW-Authenticate", 'Digest realm="x", nonce="1"'), ("Proxy-Authenticate", 'Digest realm="x", nonce="1"')]
    for leg, status in zip((one, two), statuses):
        if leg is two and any(s >= 600 for s in statuses[:1]):
            leg.phone.reply(leg.phone.request("CANCEL"), 200, to_tag=leg.local_tag)
        refuse(leg, status, phrase=f"It Is {status}", extra=challenge if status in (401, 407) else ())
    answer = call.phone.wait("the answer", is_of(call))
    assert answer.status == best
    if best != 500 or 500 in statuses:
        assert answer.start == f"SIP/2.0 {best} It Is {best}"
        assert answer.tag("to") == (one if statuses[0] == best else two).local_tag
    call.ack_failure(answer)
    no_answer(call, 0.05)


@row("FRK-04")
def test_silence_is_worse_than_an_answer(hurried):
    call, one, two = fork(hurried, rings=False)
    refuse(one, 404)
    assert call.final().status == 404
    call, one, two = fork(hurried, rings=False)
    refuse(one, 500)
    assert call.final().status == 408


@row("FRK-05")
@row("NA-11")
def test_6xx_ends_the_others(d):
    call, one, two, three = fork(d, 3)
    refuse(two, 603, extra=[("X-Why", "no")])
    no_answer(call)
    lose(one, "cause=603")
    no_answer(call, 0.1)
    lose(three, "cause=603")
    answer = call.final()
    assert answer.status == 603 and answer.get("x-why") == "no"


@row("FRK-05")
def test_200_beats_6xx(d):
    call, one, two = fork(d)
    refuse(one, 603)
    two.phone.reply(two.phone.request("CANCEL"), 200, to_tag=two.local_tag)
    two.answer(200)
    assert call.final().status == 200
    call.ack()
    two.phone.request("ACK")
    no_answer(call, 0.1)
    hang_up(call, two)


@row("FRK-05")
def test_6xx_and_a_handset_that_does_not_hear_the_cancel(hurried):
    call, one, two = fork(hurried)
    refuse(one, 600)
    two.phone.request("CANCEL")
    assert call.final().status == 600


@row("FRK-06")
@pytest.mark.parametrize("acked", [False, True])
def test_two_200(d, acked):
    call, one, two = fork(d)
    tags = []
    one.answer(200)
    if not acked:
        two.answer(200)
    for leg in (one, two):
        if acked and leg is two:
            leg.phone.reply(leg.phone.request("CANCEL"), 200, to_tag=leg.local_tag)
            leg.answer(200)
        answer = call.final()
        assert answer.status == 200
        tags.append(answer.tag("to"))
        call.ack()
        winner = one if tags[-1] == one.local_tag else two
        ack = winner.phone.request("ACK")
        assert ack.tag("to") == tags[-1] and ack.ruri == winner.phone.contact.strip("<>")
    assert sorted(tags) == sorted((one.local_tag, two.local_tag))
    for leg in (one, two):
        leg.answer(200)
        assert call.phone.wait("200 again", is_of(call, 200)).tag("to") == leg.local_tag
    call.in_dialog("BYE")
    leg = two if call.remote_tag == two.local_tag else one
    leg.phone.reply(leg.phone.request("BYE"), 200)
    assert call.phone.final("BYE").status == 200
    (one if leg is two else two).in_dialog("BYE")
    call.phone.reply(call.phone.request("BYE"), 200)


@row("FRK-07")
def test_cancel_goes_to_all(d):
    call, one, two, three = fork(d, 3)
    refuse(three)
    call.cancel([("Reason", 'SIP;cause=487;text="Gone"')])
    assert call.phone.final("CANCEL", call.call_id).status == 200
    lose(one, 'SIP;cause=487;text="Gone"')
    no_answer(call, 0.1)
    lose(two, 'SIP;cause=487;text="Gone"')
    no_more(three.phone, "CANCEL", is_cancel, 0)
    assert call.final().status in (486, 487)


@row("FRK-07")
def test_cancel_with_one_that_is_silent(hurried):
    call, one, two = fork(hurried, rings=False)
    one.answer(180)
    call.provisional(180)
    call.cancel()
    lose(one)
    assert call.final().status == 487
    hurried.until("nothing left", lambda: hurried.metric("hotdeskd_response_contexts") == 0)


@row("FRK-08")
@pytest.mark.parametrize("statuses", [(401, 407), (407, 401), (407, 407), (401, 401)])
def test_challenges_are_merged(d, statuses):
    call, one, two = fork(d)
    sent = []
    for n, (leg, status) in enumerate(zip((one, two), statuses)):
        name = "WWW-Authenticate" if status == 401 else "Proxy-Authenticate"
        values = [f'Digest realm="r{n}.example.net", nonce="{n}{m}", algorithm={m}, qop="auth,auth-int"'
                  for m in ("SHA-256", "MD5")]
        refuse(leg, status, extra=[(name, v) for v in values])
        sent += [(name.lower(), v) for v in values]
    answer = call.phone.wait("the answer", is_of(call))
    assert answer.status in statuses
    got = [(n, v) for n, v in answer.headers if n in ("www-authenticate", "proxy-authenticate")]
    assert sorted(got) == sorted(sent)
    call.ack_failure(answer)


@row("FRK-09")
def test_message_to_both(d):
    for statuses, best in (((480, 200), 200), ((200, 480), 200), ((404, 480), 404), ((200, 200), 200), ((486, 603), 603)):
        a, one, two = handsets(d)
        call = a.call(one.user, method="MESSAGE").challenge()
        got = [phone.request("MESSAGE") for phone in (one, two)]
        for phone, message, status in zip((one, two), got, statuses):
            phone.reply(message, status, "It Is", to_tag="x")
        assert call.final().status == best
        no_answer(call, 0.1)
        for phone in (one, two):
            no_more(phone, "CANCEL", lambda m: m.method == "CANCEL", 0)


@row("FRK-09")
def test_message_to_a_silent_one(hurried):
    a, one, two = handsets(hurried)
    call = a.call(one.user, method="MESSAGE").challenge()
    two.reply(two.request("MESSAGE"), 200, to_tag="x")
    assert call.final().status == 200


@row("FRK-10")
def test_higher_q_first(d):
    a, low, high, other = handsets(d, 3, ("0.1", "0.9", "0.9"))
    call = a.call(low.user, SDP).challenge()
    one, two = high.accept(), other.accept()
    one.answer(180)
    call.provisional(180)
    refuse(one), refuse(two, 480)
    leg = low.accept()
    assert leg.invite.ruri == low.contact.strip("<>")
    no_answer(call, 0.1)
    leg.answer(180)
    call.provisional(180)
    leg.answer(200)
    assert call.final().status == 200
    call.ack()
    low.request("ACK")
    hang_up(call, leg)


@row("FRK-10")
@pytest.mark.parametrize("end", ["200", "603", "CANCEL", "487"])
def test_lower_q_is_not_tried(d, end):
    a, high, low = handsets(d, 2, ("0.9", "0.1"))
    call = a.call(low.user, SDP).challenge()
    leg = high.accept()
    leg.answer(180)
    call.provisional(180)
    no_more(low, "INVITE", lambda m: m.method, 0.1)
    if end == "CANCEL":
        call.cancel()
        lose(leg)
        assert call.final().status == 487
    elif end == "487":  # that one has refused, nobody has cancelled: the next
        refuse(leg, 487)
        refuse(low.accept(), 404)
        assert call.final().status == 404
        return
    else:
        leg.answer(int(end))
        assert call.final().status == int(end)
        if end == "200":
            call.ack()
        high.request("ACK")
    no_more(low, "INVITE", lambda m: m.method, 0.1)


@row("FRK-10")
def test_lower_q_after_timer_c_and_after_silence(hurried):
    for rings in (True, False):
        a, high, low = handsets(hurried, 2, ("0.9", "0.1"))
        call = a.call(low.user, SDP).challenge()
        leg = high.accept()
        if rings:
            leg.answer(180)
            lose(leg)
        refuse(low.accept(), 404)
        assert call.final().status == 404


@row("FRK-11")
def test_removed_binding_rings_no_more(d):
    a, one, two = handsets(d)
    one.register(expires=0)
    call = a.call(one.user, SDP).challenge()
    leg = two.accept()
    no_more(one, "INVITE", lambda m: m.method, 0.2)
    refuse(leg)
    assert call.final().status == 486


# ---- RFC 5393 ---------------------------------------------------------------------------------------------


CHANGES = {
    "nothing": None, "Max-Forwards": (rb"Max-Forwards: \d+", b"Max-Forwards: 9"), "Subject": (rb"CSeq", b"Subject: x\r\nCSeq"),
    "user": (rb"^INVITE sip:\w+@", b"INVITE sip:other@"), "host": (rb"^INVITE sip:(\w+)@[^ ;]*", rb"INVITE sip:\1@{us}"),
    "URI parameter": (rb" SIP/2.0\r\n", b";x=1 SIP/2.0\r\n"), "method": (rb"INVITE((?: sip)|(?:\r\n))", rb"MESSAGE\1"),
    "Route": (rb"CSeq", b"Route: <sip:hotdesk.test;lr>\r\nCSeq"), "From": (rb"From: <[^>]*>", b"From: <sip:x@hotdesk.test>"),
    "our Via": (rb"Via: [^\r]*branch=z9hG4bK-f[^\r]*\r\n", b""),
    "branch of our Via": (rb"branch=z9hG4bK-f\w{8}", b"branch=z9hG4bK-f00000000"),
}


@row("NA-12")
@pytest.mark.parametrize("what", CHANGES)
def test_loop(d, what):
    """A request that comes back as it was gets 482; one that we would treat otherwise now does not."""
    a, one, two = handsets(d)
    call = a.call(one.user, SDP).challenge()
    leg, other = one.accept(), two.accept()
    back = leg.invite.raw.replace(leg.invite.ruri.encode(), call.uri.encode(), 1)
    back = back.replace(b"Via:", f"Via: {one.via()}\r\nVia:".encode(), 1)
    if CHANGES[what]:
        old, new = CHANGES[what]
        back, n = re.subn(old, new.replace(b"{us}", b"%s:%d" % (d.address()[0].encode(), d.address()[1])), back)
        assert n >= 1
    one.send_raw(back)
    answer = one.wait("an answer", lambda m: m.status >= 200)
    loops = what in ("nothing", "Max-Forwards", "Subject")
    assert (answer.status == 482) == loops, repr(answer)
    refuse(leg), refuse(other)
    assert call.final().status == 486


@row("NA-12")
def test_contacts_that_are_ourselves_stay_bounded(d):
    """RFC 5393 3: two addresses-of-record that are bound to each other."""
    caller, a, b, third = d.phones_of(4)
    for phone, other in ((a, b), (b, a)):
        contacts = [f"<sip:{p.user}@hotdesk.test>" for p in (phone, other)]
        phone.register(contact=", ".join(contacts + [f"<sip:{third.user}@{third.host}:{third.port}>"]), expect=None)
    before = d.metric("hotdeskd_requests_forwarded_total")
    call = caller.call(a.user, SDP, extra=[("Max-Forwards-X", "7")]).challenge()

    def ended():
        for phone in (caller, third, a, b):
            phone.pump(0.005)
            for m in [m for m in phone.inbox if m.method == "INVITE"]:
                phone.inbox.remove(m)
                phone.reply(m, 486, to_tag=rand(4))
        return [m for m in caller.inbox if m.status >= 300 and m.cseq_method == "INVITE"]
    d.until("an end", ended)
    assert call.final().status >= 400
    assert d.metric("hotdeskd_requests_forwarded_total") - before <= 8


@row("NA-12")
def test_max_breadth_is_shared_out(d):
    a, one, two = handsets(d)
    call = a.call(one.user, SDP, extra=[("Max-Breadth", "3")]).challenge()
    legs = [one.accept(), two.accept()]
    assert sorted(leg.invite.get("max-breadth") for leg in legs) == ["1", "2"]
    for leg in legs:
        refuse(leg)
    assert call.final().status == 486
    assert a.call(one.user, SDP, extra=[("Max-Breadth", "1")]).final().status == 440
    call = a.call(one.user, SDP).challenge()
    assert [leg.invite.get("max-breadth") for leg in (one.accept(), two.accept())] == ["30", "30"]
