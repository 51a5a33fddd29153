"""Transactions through the proxy (RFC 3261 16.7, 17, RFC 4320, RFC 6026): one test for each row."""

import re
import socket
import time

import pytest

from plant import plant
from steps import arrivals, assert_no_sooner, connect, hang_up, no_more, no_more_from_now, refuse, ring, \
    sooner_or_later, talk, timer_c_runs_from_the_second_180
from support.daemon import SOURCE
from support.sip import SDP, Call, digest, rand
from support.wire import assert_answered

row = pytest.mark.row
T1, T2 = 0.05, 0.2  # of the hurried daemon


@pytest.fixture(scope="module")
def d():
    """The timers of the RFC."""
    with plant() as daemon:
        yield daemon


@pytest.fixture(scope="module")
def hurried():
    """T1 is 50 ms and T2 200 ms, so that Timers B, F and H end after 3.2 s; Timer C after 1 s."""
    timers = {"t1_ms": int(1000 * T1), "t2_ms": int(1000 * T2), "t4_ms": 200, "timer_c_s": 1}
    with plant({"sip": timers}) as daemon:
        yield daemon


def is_of(call, status=None):
    """Matches responses to the last request of a call, but for 100."""
    return lambda m: m.status > 100 and m.get("call-id") == call.call_id and \
        m.get("cseq") == f"{call.cseq} {call.method}" and (status is None or m.status == status)


# ---- the server side: 100, retransmissions ----------------------------------------------------------


@row("TXN-01")
def test_100_at_once_and_once(d):
    a, b = d.phones_of(2)
    call = a.call(b.user, SDP).challenge()
    trying = call.provisional(100)
    no_more(a, "another 100", lambda m: m.status == 100, 0.3, again=True)
    assert len(trying.all("via")) == 1 and trying.get("cseq") == f"{call.cseq} INVITE"
    assert trying.all("record-route") == [] and trying.all("contact") == []
    refuse(b.accept())
    assert call.final().status == 486


@row("TXN-02")
def test_invite_retransmission_is_absorbed(d):
    a, b = d.phones_of(2)
    call = a.call(b.user, SDP).challenge()
    leg = b.accept()
    call.provisional(100)
    for _ in range(3):
        a.send_raw(call_raw(call))
        assert call.provisional(100)
    no_more(b, "second INVITE", lambda m: m.method == "INVITE")
    for status in (180, 183):
        leg.answer(status)
        call.provisional(status)
        if status == 180:  # from here on we repeat nothing
            b.fence()
            b.inbox.clear()
        for _ in range(3):
            a.send_raw(call_raw(call))
            assert call.provisional(status)
    no_more(b, "second INVITE", lambda m: m.method == "INVITE", 0.2, again=True)
    refuse(leg)
    assert call.final().status == 486


def call_raw(call):
    """The INVITE of a call as it was sent."""
    head = [f"{call.method} {call.uri} SIP/2.0"] + [f"{n}: {v}" for n, v in call.headers]
    body = call.body if isinstance(call.body, bytes) else call.body.encode()
    return "\r\n".join(head + [f"Content-Length: {len(body)}", "", ""]).encode() + body


@row("TXN-03")
def test_message_retransmission_is_absorbed_and_answered_from_memory(d):
    a, b = d.phones_of(2)
    call = a.call(b.user, method="MESSAGE").challenge()
    raw = a.sent.raw
    message = b.request("MESSAGE")
    for _ in range(3):
        a.send_raw(raw)
    no_more(b, "second MESSAGE", lambda m: m.method == "MESSAGE" and m.raw != message.raw, 0.2)
    b.reply(message, 200, to_tag="x", extra=[("X-Mine", "1")])
    ok = call.final()
    for _ in range(3):
        a.send_raw(raw)
        assert a.final("MESSAGE", call.call_id).raw == ok.raw
    no_more(b, "second MESSAGE", lambda m: m.method == "MESSAGE" and m.raw != message.raw, 0.2)


@row("TXN-08")
def test_refusal_is_repeated_until_the_ack(d, hurried):
    for daemon, t1 in ((d, 0.5), (hurried, T1)):
        a, b = daemon.phones_of(2)
        call = a.call(b.user, SDP).challenge()
        refuse(b.accept())
        got = arrivals(a, is_of(call, 486), 3)
        assert_no_sooner(got, [t1, 2 * t1])
        call.ack_failure(got[0][1])
    no_more_from_now(a, "486 after the ACK", is_of(call), 4 * T2)


@row("TXN-29")
def test_refusal_without_ack_ends(hurried):
    """A late machine repeats it less often, never more: the times are those of test_server_timers."""
    def ended():
        """at least 12 times within Timer H"""
        a, b = hurried.phones_of(2)
        call = a.call(b.user, SDP).challenge()
        refuse(b.accept())
        first, n, before = a.wait("486", is_of(call, 486)), 1, 0
        while n > before:  # a moment without one
            before = n
            a.none("anything but a 486", is_of(call, 200), 4 * T2)
            n += sum(m.raw == first.raw for m in a.inbox)
            a.inbox.clear()
            assert n <= 18, "more than fit into Timer H"
        a.fence()
        return n >= 12
    sooner_or_later(ended, 3)


@row("TXN-28")
@pytest.mark.parametrize("method", ["INVITE", "MESSAGE"])
def test_merged_requests_are_not_refused(d, method):
    a, b = d.phones_of(2)
    call = a.call(b.user, method=method).challenge()
    first = b.request(method)
    headers = [h for h in call.headers if h[0] not in ("Via", "Proxy-Authorization")]
    again = digest(a.challenge, method, call.uri, a.user, a.password, nc=2)
    a.send(f"{method} {call.uri} SIP/2.0",
           [("Via", a.via())] + headers + [("Proxy-Authorization", again)])
    second = b.wait("the other branch", lambda m: m.method == method and
                    m.all("via")[0] != first.all("via")[0])
    assert second.get("cseq") == first.get("cseq") and second.get("call-id") == first.get("call-id")
    for number, request in enumerate((first, second)):
        b.reply(request, 486 if number else 480, "No", to_tag=f"t{number}")
    got = [a.wait("an answer", is_of(call)) for _ in range(2)]
    assert {m.status for m in got} == {480, 486}
    for answer in got:
        if method == "INVITE":
            a.send(f"ACK {call.uri} SIP/2.0", [("Via", answer.get("via"))] + [
                (n, answer.get(n)) for n in ("From", "To", "Call-ID")] +
                [("CSeq", f"{call.cseq} ACK"), ("Max-Forwards", "70")])


# ---- the client side: retransmissions, timeouts -------------------------------------------------------


@row("TXN-04")
def test_invite_is_retransmitted_until_a_provisional(d, hurried):
    a, b = d.phones_of(2)
    call = a.call(b.user, SDP).challenge()
    got = arrivals(b, lambda m: m.method == "INVITE", 4)
    assert_no_sooner(got, [0.5, 1, 2])
    refuse(Call.incoming(b, got[0][1]))
    assert call.final().status == 486
    a, b = hurried.phones_of(2)
    call = a.call(b.user, SDP).challenge()
    leg = b.accept()
    leg.answer(180)
    call.provisional(180)
    no_more_from_now(b, "INVITE after 180", lambda m: m.method == "INVITE", 8 * T1)
    refuse(leg)
    assert call.final().status == 486


@row("TXN-05")
def test_message_is_retransmitted(d):
    """Timer E; that it stops growing at T2 is in test_client_timers."""
    a, b = d.phones_of(2)
    call = a.call(b.user, method="MESSAGE").challenge()
    got = arrivals(b, lambda m: m.method == "MESSAGE", 4)
    assert_no_sooner(got, [0.5, 1, 2])
    b.reply(got[0][1], 200, to_tag="x")
    assert call.final().status == 200


@row("TXN-06")
def test_no_retransmission_over_tcp(hurried):
    a, b = hurried.phone(register=True), hurried.phone(transport="tcp", register=True)
    for method in ("INVITE", "MESSAGE"):
        call = a.call(b.user, method=method).challenge()
        got = b.wait(method, lambda m: m.method == method)
        no_more(b, f"{method} again", lambda m: m.method == method, 6 * T1, again=True)
        b.reply(got, 480, "Away", to_tag="x")
        assert call.final().status == 480


@row("TXN-07")
def test_refusal_is_acknowledged_at_once(d):
    a, b = d.phones_of(2)
    call = a.call(b.user, SDP).challenge()
    leg = b.accept()
    for _ in range(3):
        leg.answer(486)
        ack = b.request("ACK")
        assert ack.all("via") == leg.invite.all("via")[:1] and ack.ruri == leg.invite.ruri
        assert ack.get("cseq") == leg.invite.get("cseq").replace("INVITE", "ACK")
        assert ack.tag("to") == leg.local_tag and ack.get("from") == leg.invite.get("from")
    assert call.final().status == 486


@row("TXN-11")
def test_silent_callee_ends_an_invite(hurried):
    a, b = hurried.phones_of(2)
    began = time.monotonic()
    call = a.call(b.user, SDP).challenge()
    assert call.final().status == 408
    assert time.monotonic() - began > 60 * T1
    b.request("INVITE")
    talk(*hurried.phones_of(2), f"p{next(hurried.ids) - 1}")


@row("TXN-12")
def test_no_408_for_a_silent_message(hurried):
    """Neither by itself nor when the request is repeated, for as long as its sender would wait."""
    def silent():
        """no 408 between 64*T1 and twice as much"""
        a, b = hurried.phones_of(2)
        call = a.call(b.user, method="MESSAGE").challenge()
        raw = a.sent.raw
        no_more(a, "408", is_of(call), 64 * T1 + T2)
        b.wait("the MESSAGE", lambda m: m.method == "MESSAGE")
        a.send_raw(raw)
        a.fence()
        return not any(map(is_of(call), a.inbox))
    sooner_or_later(silent, 3)


@row("TXN-13")
def test_when_a_message_gets_100(d):
    """RFC 4320 4.1: not before Timer E has reached T2, but then; and no other provisional response."""
    a, b = d.phones_of(2)
    call = a.call(b.user, method="MESSAGE")
    began = time.time()
    call.challenge()
    message = b.request("MESSAGE")
    for status in (100, 180, 183):
        b.reply(message, status, "Wait", to_tag="x")
    trying = a.wait("a provisional response", lambda m: m.status)
    assert trying.status == 100 and trying.at - began > 3.4, (trying.start, trying.at - began)
    b.reply(message, 200, to_tag="x")
    assert call.final().status == 200


@row("TXN-14")
def test_408_of_a_callee_for_a_message_stays_here(d):
    a, b = d.phones_of(2)
    call = a.call(b.user, method="MESSAGE").challenge()
    b.reply(b.request("MESSAGE"), 408, "Request Timeout", to_tag="x")
    no_more(a, "408", is_of(call), 0.3)


@row("TXN-16")
@pytest.mark.parametrize("method", ["INVITE", "MESSAGE"])
def test_unreachable_tcp_contact(d, method):
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        a, b = d.phone(register=True), d.phone()
        b.register(contact=f"<sip:{b.user}@127.0.0.1:{closed.getsockname()[1]};transport=tcp>")
        status = a.call(b.user, method=method).final().status  # Timer B is longer than that waits
    assert 480 <= status < 600 and status != 503, status


@row("TXN-26")
def test_dead_udp_contact(hurried):
    a, b = hurried.phone(register=True), hurried.phone()
    b.register(contact=f"<sip:{b.user}@127.0.0.1:9>")
    status = a.call(b.user, SDP).final().status
    assert 400 <= status < 600 and status != 503, status
    assert hurried.process.poll() is None
    talk(*hurried.phones_of(2), f"p{next(hurried.ids) - 1}")


@row("TXN-24")
def test_timer_c(hurried):
    """16.7 step 2: set anew by each provisional response."""
    def set_anew():
        return timer_c_runs_from_the_second_180(hurried, 1)
    set_anew.__doc__ = timer_c_runs_from_the_second_180.__doc__
    sooner_or_later(set_anew)


@row("TXN-24")
def test_timer_c_and_a_callee_that_says_nothing_more(hurried):
    a, b = hurried.phones_of(2)
    call = a.call(b.user, SDP).challenge()
    leg = b.accept()
    leg.answer(100)
    b.request("CANCEL")
    assert call.final().status in (408, 487)


@row("NA-02")
def test_timer_c_is_longer_than_three_minutes():
    """As it is by default, in seconds; a shortened one shows that this very key decides."""
    reference = (SOURCE / "conf" / "hotdeskd.yaml").read_text()  # its values are the defaults: test_conf
    default = int(re.search(r"(?m)^  timer_c_s: (\d+)$", reference).group(1))
    assert default > 180
    for seconds, gone in ((default, False), (1, True)):
        with plant({"sip": {"timer_c_s": seconds}}) as daemon:
            a, b = daemon.phones_of(2)
            call, leg = ring(a, b, b.user)
            if not gone:
                no_more(b, "CANCEL", lambda m: m.method == "CANCEL", 2.5)
                leg.answer(486)
            else:
                b.reply(b.request("CANCEL"), 200, to_tag=leg.local_tag)
                leg.answer(487)
            b.request("ACK")
            assert call.final().status in (408, 486, 487)


# ---- responses ------------------------------------------------------------------------------------------


def oks(a, call):
    return a.wait("200", is_of(call, 200))


@row("TXN-09")
def test_every_200_and_every_ack_is_forwarded(d):
    a, b = d.phones_of(2)
    call, leg = ring(a, b, b.user)
    for n in range(3):
        leg.answer(200)
        ok = oks(a, call)
        assert_answered(b.sent, ok)
        a.inbox.insert(0, ok)
        assert call.final().status == 200
        call.ack()
        ack = b.request("ACK")
        assert len(ack.all("via")) == 2 and ack.tag("to") == leg.local_tag
        assert n or time.sleep(0.3) is None
    no_more(a, "200 again", is_of(call), 0.2, again=True)
    hang_up(call, leg)


@row("TXN-09")
@pytest.mark.parametrize("rings", [True, False])
@pytest.mark.parametrize("transport", ["udp", "tcp"])
def test_200_is_repeated_at_the_pace_of_the_callee(d, transport, rings):
    """13.3.1.4: also over TCP; the ACK of the second is lost behind us, and 4 s later comes the third."""
    a, b = d.phone(register=True), d.phone(transport=transport, register=True)
    call = a.call(b.user, SDP).challenge()
    leg = b.accept()
    if rings:
        leg.answer(180)
        call.provisional(180)
    for pause in (0, 0.5, 4):
        no_more(a, "200", is_of(call), pause, again=True)
        leg.answer(200)
        ok = oks(a, call)
        a.inbox.insert(0, ok)
        assert call.final().status == 200
        call.ack()
        b.request("ACK")
    hang_up(call, leg)


@row("TXN-10")
def test_invite_after_200_is_no_new_call(d):
    a, b = d.phones_of(2)
    call, leg = ring(a, b, b.user)
    leg.answer(200)
    oks(a, call)
    raw = call_raw(call)
    a.send_raw(raw)
    no_more(b, "INVITE", lambda m: m.method == "INVITE", 0.2)
    leg.answer(200)
    assert call.final().status == 200
    call.ack()
    b.request("ACK")
    for _ in range(3):
        a.send_raw(raw)
    no_more(b, "INVITE", lambda m: m.method == "INVITE", 0.3)
    no_more(a, "refusal", lambda m: m.status >= 300, 0)
    hang_up(call, leg)


@row("TXN-15")
def test_provisionals_pass_but_100(d):
    a, b = d.phones_of(2)
    call = a.call(b.user, SDP).challenge()
    leg = b.accept()
    call.provisional(100)
    sent = []
    for status in (100, 180, 181, 182, 183, 199, 180):
        leg.answer(status, f"Number {status}", extra=[("X-Number", str(len(sent)))], body=b"")
        sent.append(b.sent)
    for m in sent[1:]:
        assert_answered(m, a.wait("1xx", lambda m: 100 <= m.status < 200))
    no_more(a, "100 of the callee", lambda m: m.status, 0.1)
    refuse(leg)
    assert call.final().status == 486


@row("TXN-17")
@pytest.mark.parametrize("method", ["INVITE", "MESSAGE"])
def test_503_is_not_passed_on(d, method):
    a, b = d.phones_of(2)
    call = a.call(b.user, method=method).challenge()
    b.reply(b.request(method), 503, "Busy Here", to_tag="x", extra=[("Retry-After", "3600")])
    answer = call.final()
    assert answer.status == 500 and answer.get("retry-after") is None, repr(answer)


FINALS = [
    (302, [("Contact", "<sip:else@127.0.0.1:9>;q=0.5"), ("Contact", "<sip:more@127.0.0.1:9>")]),
    (403, [("Warning", '399 x "no"')]), (415, [("Accept", "application/sdp"), ("Accept-Encoding", "gzip")]),
    (420, [("Unsupported", "x-one, x-two")]), (480, [("Retry-After", "120 (back soon);duration=60")]),
    (486, [("Warning", '301 127.0.0.1 "a, b"')]), (488, [("Warning", '304 x "Media type not available"')]),
    (600, [("Retry-After", "5")]), (603, [("Reason", "Q.850;cause=21")]), (604, []), (300, []), (305, []), (380, []),
    (404, []), (410, []), (484, []), (485, []), (491, []), (493, []), (500, []), (501, []), (513, []), (606, []),
]


@row("TXN-18")
@pytest.mark.parametrize("method", ["INVITE", "MESSAGE"])
@pytest.mark.parametrize("status,headers", FINALS)
def test_finals_pass_with_their_headers(d, method, status, headers):
    a, b = d.phones_of(2)
    call = a.call(b.user, method=method).challenge()
    b.reply(b.request(method), status, "As We Say", to_tag="x", extra=headers)
    answer = a.wait("the answer", is_of(call))
    assert_answered(b.sent, answer)
    if method == "INVITE":
        assert b.request("ACK").tag("to") == "x"
        call.ack_failure(answer)
    no_more_from_now(a, "another answer", is_of(call), 0.05)
    no_more(b, "request", lambda m: m.method == method, 0)


@row("NA-06")
def test_redirection_to_itself_rings_once(d):
    """3xx are for the caller: nothing is tried by us, so nothing twice."""
    a, b = d.phones_of(2)
    call = a.call(b.user, SDP).challenge()
    leg = b.accept()
    refuse(leg, 302, extra=[("Contact", b.contact)])
    answer = call.final()
    assert answer.status == 302 and answer.all("contact") == [b.contact]
    no_more(b, "INVITE", lambda m: m.method == "INVITE", 0.2)


@row("TXN-19")
@pytest.mark.parametrize("status,challenge,response", [
    (401, "WWW-Authenticate", "Authorization"), (407, "Proxy-Authenticate", "Proxy-Authorization")])
def test_challenge_of_the_callee_is_answered_end_to_end(d, status, challenge, response):
    a, b = d.phones_of(2)
    call = a.call(b.user, SDP).challenge()
    values = [f'Digest realm="far.example.net", nonce="{n}", algorithm={n}, qop="auth"' for n in ("MD5", "SHA-256")]
    refuse(b.accept(), status, extra=[(challenge, v) for v in values])
    answer = a.wait("challenge", is_of(call))
    assert answer.status == status and answer.all(challenge.lower()) == values
    call.ack_failure(answer)
    mine = digest(a.challenge, "INVITE", call.uri, a.user, a.password, nc=2)
    theirs = digest(values[0], "INVITE", call.uri, "me", "x")
    call.credentials = [("Proxy-Authorization", mine), (response, theirs)]
    call.send_initial()
    leg = b.accept()
    assert leg.invite.all(response.lower()) == [theirs]
    refuse(leg)
    assert call.final().status == 486


@row("TXN-20")
def test_nothing_after_the_final_response(d):
    a, b = d.phones_of(2)
    for first, more in ((486, (183, 603, 404, 180, 100)), (200, (180, 183, 404, 603))):
        call = a.call(b.user, SDP).challenge()
        leg = b.accept()
        leg.answer(180)
        call.provisional(180)
        leg.answer(first)
        assert call.final().status == first
        if first == 200:
            call.ack()
        b.request("ACK")
        for status in more:
            leg.answer(status)
        no_more(a, "another answer", is_of(call), 0.2)
    hang_up(call, leg)


@row("TXN-21")
@pytest.mark.parametrize("change", [
    lambda raw, branch: raw.replace(branch, b"z9hG4bK" + rand().encode()),
    lambda raw, branch: raw.replace(branch, branch + b"x"),
    lambda raw, branch: raw.replace(branch, branch[:-1]),
    lambda raw, branch: raw.replace(b" INVITE\r\n", b" BYE\r\n"),
    lambda raw, branch: raw.replace(b" INVITE\r\n", b" MESSAGE\r\n"),
    lambda raw, branch: raw.replace(b" INVITE\r\n", b" CANCEL\r\n"),
    lambda raw, branch: raw.replace(b" INVITE\r\n", b" ACK\r\n"),
    lambda raw, branch: raw.replace(b" INVITE\r\n", b" X-NONE\r\n"),
])
@pytest.mark.parametrize("rings", [True, False])
def test_response_to_something_else(d, rings, change):
    a, b = d.phones_of(2)
    call = a.call(b.user, SDP).challenge()
    leg = b.accept()
    branch = re.search(r"branch=([^;,]+)", leg.invite.all("via")[0]).group(1).encode()
    if rings:
        leg.answer(180)
        call.provisional(180)
    sock, b.send_raw = b.send_raw, lambda raw: None
    leg.answer(200)
    b.send_raw = sock
    b.send_raw(change(b.sent.raw, branch))
    no_more(a, "200", lambda m: m.status >= 200 and m.get("call-id") == call.call_id, 0.1)
    refuse(leg)
    assert call.final().status == 486


def replaced(pattern, with_):
    return lambda raw: re.sub(pattern, with_, raw, count=1)


MALFORMED = {
    "2^32+5": replaced(rb"SIP/2.0 200", b"SIP/2.0 4294967301"), "2^32+200": replaced(rb"SIP/2.0 200", b"SIP/2.0 4294967496"),
    "99": replaced(rb"SIP/2.0 200", b"SIP/2.0 99"), "0": replaced(rb"SIP/2.0 200", b"SIP/2.0 0"),
    "700": replaced(rb"SIP/2.0 200", b"SIP/2.0 700"), "-200": replaced(rb"SIP/2.0 200", b"SIP/2.0 -200"),
    "20": replaced(rb"SIP/2.0 200", b"SIP/2.0 20"), "2000": replaced(rb"SIP/2.0 200", b"SIP/2.0 2000"),
    "2OO": replaced(rb"SIP/2.0 200", b"SIP/2.0 2OO"), "SIP/3.0": replaced(rb"SIP/2.0 200", b"SIP/3.0 200"),
    "no CSeq": replaced(rb"CSeq:[^\n]*\n", b""), "no To": replaced(rb"To:[^\n]*\n", b""),
    "no From": replaced(rb"From:[^\n]*\n", b""), "no Call-ID": replaced(rb"Call-ID:[^\n]*\n", b""),
    "no Via": lambda raw: re.sub(rb"Via:[^\n]*\n", b"", raw), "CSeq x": replaced(rb"CSeq: \d+", b"CSeq: x"),
    "CSeq 2^32": replaced(rb"CSeq: (\d+)", rb"CSeq: 4294967296"),
    "cut in the start line": lambda raw: raw[:10], "cut in the headers": lambda raw: raw[:120],
    "cut in a Via": lambda raw: raw[:40], "cut in the body": lambda raw: raw[:-20],
    "too long": replaced(rb"Content-Length: \d+", b"Content-Length: 9999"),
    "negative length": replaced(rb"Content-Length: \d+", b"Content-Length: -1"),
    "length x": replaced(rb"Content-Length: \d+", b"Content-Length: x"),
    "length 2^32": replaced(rb"Content-Length: \d+", b"Content-Length: 4294967296"),
}


@row("TXN-22")
@pytest.mark.parametrize("rings", [True, False])
@pytest.mark.parametrize("name", MALFORMED)
def test_malformed_response_breaks_nothing(d, name, rings):
    a, b = d.phones_of(2)
    call = a.call(b.user, SDP).challenge()
    leg = b.accept()
    if rings:
        leg.answer(180)
        call.provisional(180)
    sock, b.send_raw = b.send_raw, lambda raw: None
    leg.answer(200)
    b.send_raw = sock
    good = b.sent.raw
    bad = MALFORMED[name](good)
    assert bad != good
    b.send_raw(bad)
    no_more(a, "an answer", is_of(call), 0.1)
    no_more(b, "ACK or CANCEL", lambda m: m.method in ("ACK", "CANCEL"), 0)
    b.send_raw(good)
    assert call.final().status == 200
    call.ack()
    b.request("ACK")
    hang_up(call, leg)


@row("TXN-22")
def test_malformed_responses_on_a_stream(d):
    """A status that cannot be does not cost a TCP phone its connection, nor the call."""
    a, b = d.phone(register=True), d.phone(transport="tcp", register=True)
    call, leg = ring(a, b, b.user)
    for name in ("2^32+5", "99", "700", "no CSeq", "SIP/3.0", "2OO"):
        sock, b.send_raw = b.send_raw, lambda raw: None
        leg.answer(200)
        b.send_raw = sock
        b.send_raw(MALFORMED[name](b.sent.raw))
        no_more(a, f"an answer to {name}", is_of(call), 0.1)
    leg.answer(200)
    assert call.final().status == 200
    call.ack()
    b.request("ACK")
    hang_up(call, leg)


@row("TXN-23")
def test_long_ringing(d):
    a, b = d.phones_of(2)
    call, leg = ring(a, b, b.user)
    raw, began = call_raw(call), time.monotonic()
    while time.monotonic() - began < 8:
        leg.answer(180)
        call.provisional(180)
        a.send_raw(raw)
        call.provisional(180)
        no_more(b, "INVITE or CANCEL", lambda m: m.method, 0.9)
    leg.answer(200)
    assert call.final().status == 200
    call.ack()
    b.request("ACK")
    hang_up(call, leg)


@row("TXN-25")
def test_two_early_dialogs(d):
    a, b = d.phones_of(2)
    call = a.call(b.user, SDP).challenge()
    invite = b.request("INVITE")
    for status, tag in ((183, "one"), (180, "two"), (180, "one")):
        b.reply(invite, status, "Progress", to_tag=tag)
        assert call.provisional(status).tag("to") == tag
    b.reply(invite, 200, to_tag="two", extra=[("Contact", b.contact)])
    assert call.final().tag("to") == "two"
    call.ack()
    assert b.request("ACK").tag("to") == "two"
    call.bye_tag = "two"
    call.in_dialog("BYE")
    b.reply(b.request("BYE"), 200)
    assert a.final("BYE").status == 200


@row("TXN-27")
def test_200_for_a_message_goes_on_once(d):
    a, b = d.phones_of(2)
    call = a.call(b.user, method="MESSAGE").challenge()
    message = b.request("MESSAGE")
    for _ in range(4):
        b.reply(message, 200, to_tag="x")
    b.reply(message, 404, to_tag="x")
    assert call.final().status == 200
    no_more(a, "another answer", is_of(call), 0.2, again=True)


@row("TXN-20")
def test_acknowledged_call_is_forgotten(hurried):
    """The context that absorbs what comes late does not stay for ever."""
    a, b = hurried.phones_of(2)
    call, leg = connect(a, b, b.user)
    hurried.until("nothing left", lambda: hurried.metric("hotdeskd_response_contexts") == 0)
    hang_up(call, leg)
