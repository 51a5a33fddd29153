"""Calls through the daemon: set up, refused, cancelled, held, ended, in time and out of time."""

import itertools
import re

import pytest

from plant import plant
from steps import again, connect, hang_up, no_more, no_more_from_now, refuse, ring, talk
from support.sip import SDP, Call, rand
from support.wire import assert_answered, assert_forwarded

@pytest.fixture(scope="module")
def d():
    with plant() as daemon:
        yield daemon


@pytest.fixture
def pair(d):
    return d.phones_of(2)


# ---- a call -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("who", ["caller", "callee"])
@pytest.mark.parametrize("rings", [True, False])
def test_call(pair, who, rings):
    a, b = pair
    call = a.call(b.user, SDP).challenge()
    leg = b.accept()
    assert_forwarded(a.sent, leg.invite)
    assert leg.invite.ruri == b.contact.strip("<>")
    if rings:
        leg.answer(180, "Ringing")
        assert_answered(b.sent, call.provisional(180))
    leg.answer(200, "OK", extra=[("X-Mine", "kept")])
    ok = a.wait("200", lambda m: m.status == 200 and m.cseq_method == "INVITE")
    assert_answered(b.sent, ok)
    a.inbox.insert(0, ok)
    assert call.final().status == 200
    call.ack()
    assert_forwarded(a.sent, b.request("ACK"), ("route",))
    one, other = (call, leg) if who == "caller" else (leg, call)
    one.in_dialog("BYE")
    bye = other.phone.request("BYE")
    assert_forwarded(one.phone.sent, bye, ("route",))
    assert bye.all("route") == [] and bye.ruri == other.phone.contact.strip("<>")
    other.phone.reply(bye, 200)
    assert one.phone.final("BYE").status == 200
    no_more(a, "more"), no_more(b, "more")


def test_delayed_offer_and_answer_in_the_ack(pair):
    a, b = pair
    call = a.call(b.user).challenge()
    leg = b.accept()
    assert leg.invite.body == b""
    leg.answer(200)
    assert call.final().body == SDP
    call.in_dialog("ACK", body=SDP)
    assert b.request("ACK").body == SDP
    hang_up(call, leg)


def test_early_media(pair):
    a, b = pair
    call = a.call(b.user, SDP).challenge()
    leg = b.accept()
    leg.answer(183, "Session Progress", extra=[("Content-Type", "application/sdp")], body=SDP)
    assert call.provisional(183).body == SDP
    refuse(leg)
    assert call.final().status == 486


def test_first_answer_is_100_and_retransmissions_are_absorbed(pair):
    a, b = pair
    call = a.call(b.user, SDP).challenge()
    call.provisional(100)
    leg = b.accept()
    for _ in range(3):
        a.send_raw(a.sent.raw)
    leg.answer(180)
    call.provisional(180)
    a.send_raw(a.sent.raw)
    call.provisional(180)
    no_more(b, "second INVITE", lambda m: m.method == "INVITE")
    refuse(leg)
    assert call.final().status == 486


def test_provisionals_pass_in_order_but_100(pair):
    a, b = pair
    call = a.call(b.user, SDP).challenge()
    leg = b.accept()
    call.provisional(100)
    for status in (100, 180, 181, 182, 183, 199):
        leg.answer(status, f"Number {status}")
    got = [a.wait("1xx", lambda m: 100 <= m.status < 200) for _ in range(5)]
    assert [m.start for m in got] == [f"SIP/2.0 {s} Number {s}" for s in (180, 181, 182, 183, 199)]
    refuse(leg)
    assert call.final().status == 486


def test_two_early_dialogs(pair):
    a, b = pair
    call = a.call(b.user, SDP).challenge()
    invite = b.request("INVITE")
    tags = []
    for tag in ("one", "two"):
        b.reply(invite, 183, "Progress", to_tag=tag)
        tags.append(call.provisional(183).tag("to"))
    b.reply(invite, 200, to_tag="two", extra=[("Contact", b.contact)])
    assert call.final().tag("to") == "two" and tags == ["one", "two"]
    call.ack()
    b.request("ACK")


FINALS = [
    (302, [("Contact", "<sip:else@127.0.0.1:9>")]), (401, [("WWW-Authenticate", 'Digest realm="x", nonce="1"')]),
    (403, [("Warning", '399 x "no"')]), (404, []), (407, [("Proxy-Authenticate", 'Digest realm="x", nonce="1"')]),
    (408, []), (415, [("Accept", "application/sdp")]), (420, [("Unsupported", "x")]), (422, [("Min-SE", "90")]),
    (480, [("Retry-After", "120 (back soon)")]), (486, []), (487, []), (488, []), (491, []), (500, []), (501, []),
    (504, []), (600, []), (603, [("Reason", "Q.850;cause=21")]), (604, []), (606, []),
]


@pytest.mark.parametrize("status,headers", FINALS)
def test_refusals_pass(pair, status, headers):
    a, b = pair
    call = a.call(b.user, SDP).challenge()
    leg = b.accept()
    ack = refuse(leg, status, phrase="As We Say", extra=headers)
    assert ack.all("via") == leg.invite.all("via")[:1] and ack.ruri == leg.invite.ruri
    assert ack.get("cseq") == leg.invite.get("cseq").replace("INVITE", "ACK")
    assert ack.tag("to") == leg.local_tag
    answer = a.final("INVITE", call.call_id, call.cseq)
    assert_answered(b.sent, answer)
    call.ack_failure(answer)
    no_more_from_now(a, "another answer", lambda m: m.status > 100, 0.05)


def test_503_of_a_phone_is_not_ours(pair):
    a, b = pair
    call = a.call(b.user, SDP).challenge()
    refuse(b.accept(), 503)
    assert call.final().status == 500


def test_not_registered_and_unknown(d, pair):
    a, _ = pair
    assert a.call(d.name(), SDP).final().status == 480
    assert a.call("nobody", SDP).final().status == 404
    assert a.call("201", SDP).final().status == 480, "a user who is logged out"


def test_call_oneself(pair):
    a, _ = pair
    call = a.call(a.user, SDP).challenge()
    refuse(a.accept())
    assert call.final().status == 486


def test_unregistered_in_the_middle(pair):
    a, b = pair
    call, leg = connect(a, b, b.user)
    b.register(expires=0)
    hang_up(call, leg)


# ---- re-INVITE, and what else phones say within a call ---------------------------------------------------


def test_hold_and_resume_from_both_sides(pair):
    a, b = pair
    call, leg = connect(a, b, b.user)
    for one, other in ((call, leg), (leg, call), (call, leg)):
        for attribute in (b"sendonly", b"inactive", b"sendrecv"):
            again(one, other, SDP + b"a=" + attribute + b"\r\n")
    hang_up(call, leg)


def test_glare_and_a_refused_reinvite(pair):
    a, b = pair
    call, leg = connect(a, b, b.user)
    for one, other, status in ((call, leg, 491), (leg, call, 488)):
        one.in_dialog("INVITE", body=SDP)
        seen = other.phone.request("INVITE")
        other.phone.reply(seen, status)
        answer = one.phone.final("INVITE", one.call_id, one.cseq)
        assert answer.status == status
        other.phone.request("ACK")
        vias = [h for h in [("Via", one.phone.sent.get("via"))]]
        one.phone.send(f"ACK {one.remote} SIP/2.0", vias + [
            ("From", answer.get("from")), ("To", answer.get("to")), ("Call-ID", one.call_id),
            ("CSeq", f"{one.cseq} ACK"), ("Max-Forwards", "70")] + [("Route", r) for r in one.routes])
    for phone, seconds in ((a, 0.6), (b, 0)):
        no_more_from_now(phone, "answer again", lambda m: m.status > 100, seconds)
    hang_up(call, leg)


def test_target_refresh(d, pair):
    a, b = pair
    moved = d.phone(a.user)
    call, leg = connect(a, b, b.user)
    call.in_dialog("INVITE", body=SDP)
    invite = b.request("INVITE")
    b.reply(invite, 200, extra=[("Contact", moved.contact.replace(a.user, "elsewhere"))])
    call.phone.final("INVITE")
    call.remote = moved.contact.replace(a.user, "elsewhere").strip("<>")
    call.in_dialog("ACK")
    assert moved.request("ACK").ruri == call.remote
    call.in_dialog("BYE")
    bye = moved.request("BYE")
    moved.reply(bye, 200)
    assert a.final("BYE").status == 200


IN_DIALOG = [
    ("INFO", [("Content-Type", "application/dtmf-relay")], b"Signal=5\r\nDuration=160\r\n"),
    ("INFO", [("Info-Package", "x"), ("Content-Type", "text/plain"), ("Content-Disposition", "Info-Package")], b"y"),
    ("UPDATE", [("Content-Type", "application/sdp")], SDP),
    ("MESSAGE", [("Content-Type", "text/plain;charset=UTF-8")], "grüß dich".encode()),
    ("REFER", [("Refer-To", "<sip:202@hotdesk.test?Replaces=1%3Bto-tag%3D2%3Bfrom-tag%3D3>"),
               ("Referred-By", "<sip:201@hotdesk.test>")], b""),
    ("NOTIFY", [("Event", "refer"), ("Subscription-State", "active;expires=60"),
                ("Content-Type", "message/sipfrag")], b"SIP/2.0 100 Trying\r\n"),
    ("OPTIONS", [("Accept", "application/sdp")], b""),
    ("FROBNICATE", [("X-Empty", "")], bytes(range(256))),
]


@pytest.mark.parametrize("method,headers,body", IN_DIALOG)
def test_requests_within_a_dialog(pair, method, headers, body):
    a, b = pair
    call, leg = connect(a, b, b.user)
    for (one, other), status in itertools.product(((call, leg), (leg, call)), (200, 469)):
        one.in_dialog(method, headers, body)
        seen = other.phone.request(method)
        assert_forwarded(one.phone.sent, seen, ("route",))
        other.phone.reply(seen, status, extra=[("X-Was-There", "yes"), ("Content-Type", "x/y")], body=body)
        assert_answered(other.phone.sent, one.phone.final(method, cseq=one.cseq))
    no_more(a, "more", lambda m: m.method or m.status > 100)
    hang_up(call, leg)


def test_reliable_provisional(pair):
    a, b = pair
    call = a.call(b.user, SDP, extra=[("Supported", "100rel")]).challenge()
    leg = b.accept()
    assert leg.invite.get("supported") == "100rel"
    leg.answer(183, extra=[("Require", "100rel"), ("RSeq", "7")])
    ring_ = call.provisional(183)
    assert (ring_.get("require"), ring_.get("rseq")) == ("100rel", "7")
    call.remote_tag, call.remote = ring_.tag("to"), b.contact.strip("<>")
    call.routes = list(reversed(ring_.all("record-route")))
    invite_cseq = call.cseq
    call.in_dialog("PRACK", [("RAck", f"7 {invite_cseq} INVITE")])
    prack = b.request("PRACK")
    assert prack.get("rack") == f"7 {invite_cseq} INVITE"
    b.reply(prack, 200)
    assert a.final("PRACK").status == 200
    prack_cseq, call.cseq = call.cseq, invite_cseq
    leg.answer(200)
    assert call.final().status == 200
    call.ack()
    b.request("ACK")
    call.cseq = prack_cseq
    hang_up(call, leg)


def test_message_outside_a_dialog(pair):
    a, b = pair
    call = a.call(b.user, method="MESSAGE", extra=[("Content-Type", "text/plain")]).challenge()
    message = b.request("MESSAGE")
    assert_forwarded(a.sent, message)
    assert message.all("record-route") == []
    a.send_raw(a.sent.raw)
    b.reply(message, 200, to_tag="x")
    assert call.final().status == 200
    for _ in range(2):
        a.send_raw(a.sent.raw)
        assert a.final("MESSAGE").status == 200, "from memory"
    no_more(b, "second MESSAGE", lambda m: m.method)


def test_options_to_a_phone_and_to_us(d, pair):
    a, b = pair
    call = a.call(b.user, method="OPTIONS").challenge()
    b.reply(b.request("OPTIONS"), 200, to_tag="x", extra=[("X-Phone", "me")])
    assert call.final().get("x-phone") == "me"
    host, port = d.address()
    for line in ("sip:hotdesk.test", f"sip:{host}:{port}"):
        answer = a.call(line, method="OPTIONS").final()
        assert answer.status == 200 and "INVITE" in answer.get("allow", ""), repr(answer)


@pytest.mark.parametrize("name,values", [
    ("Content-Type", ["text/plain", "text/html"]), ("Subject", ["one", "two", "three"]), ("Expires", ["1", "2"]),
    ("User-Agent", ["a", "b"]), ("Event", ["x", "y"]), ("Organization", ["o", "p"])])
def test_header_that_stands_twice_passes(pair, name, values):
    a, b = pair
    twice = [(name, v) for v in values]
    call = a.call(b.user, method="MESSAGE", extra=twice).challenge()
    message = b.request("MESSAGE")
    assert_forwarded(a.sent, message)
    b.reply(message, 200, to_tag="x", extra=twice)
    assert_answered(b.sent, a.final("MESSAGE", call.call_id, call.cseq))


def test_unknown_method(pair):
    a, b = pair
    call = a.call(b.user, method="FROBNICATE").challenge()
    b.reply(b.request("FROBNICATE"), 299, "Well", to_tag="x")
    assert call.final().start == "SIP/2.0 299 Well"


def test_subscription(pair):
    a, b = pair
    call = a.call(b.user, method="SUBSCRIBE", extra=[("Event", "presence"), ("Expires", "60")]).challenge()
    subscribe = b.request("SUBSCRIBE")
    assert subscribe.all("record-route"), "a dialog begins"
    b.reply(subscribe, 202, "Accepted", to_tag="sub", extra=[("Expires", "60"), ("Contact", b.contact)])
    assert call.final().status == 202
    leg = Call.incoming(b, subscribe)
    leg.local_tag = "sub"
    for state in ("active;expires=60", "terminated;reason=timeout"):
        leg.in_dialog("NOTIFY", [("Event", "presence"), ("Subscription-State", state),
                                 ("Content-Type", "application/dialog-info+xml")], "<dialog-info/>")
        notify = a.request("NOTIFY")
        assert notify.get("subscription-state") == state and notify.body == b"<dialog-info/>"
        a.reply(notify, 200)
        assert b.final("NOTIFY").status == 200
    call.in_dialog("SUBSCRIBE", [("Event", "presence"), ("Expires", "0")])
    b.reply(b.request("SUBSCRIBE"), 481)
    assert a.final("SUBSCRIBE").status == 481


def test_merged_requests_are_not_refused(d, pair):
    a, b = pair
    call = a.call(b.user, method="MESSAGE").challenge()
    first = b.request("MESSAGE")
    branch = re.search("branch=([^;]+)", a.sent.get("via")).group(1)
    a.send_raw(a.sent.raw.replace(branch.encode(), b"z9hG4bKother" + rand(4).encode()))

    def came():
        a.pump(0.01), b.pump(0)
        return [m for m in a.inbox if m.status >= 200] + [m for m in b.inbox if m.method == "MESSAGE"]
    second, *_ = d.until("a refusal, or the other branch", came)
    b.reply(first, 200, to_tag="x")
    assert call.final().status == 200
    assert second.status or second.get("call-id") == first.get("call-id")


# ---- CANCEL ------------------------------------------------------------------------------------------------


def test_cancel_while_ringing(pair):
    a, b = pair
    call, leg = ring(a, b, b.user)
    call.cancel([("Reason", 'SIP;cause=200;text="Call completed elsewhere"')])
    ok = a.final("CANCEL", call.call_id)
    assert ok.status == 200 and ok.tag("to")
    cancel = b.request("CANCEL")
    assert cancel.all("via") == leg.invite.all("via")[:1] and cancel.ruri == leg.invite.ruri
    assert cancel.get("call-id") == call.call_id and cancel.get("to") == leg.invite.get("to")
    assert cancel.get("cseq") == leg.invite.get("cseq").replace("INVITE", "CANCEL")
    assert "completed elsewhere" in cancel.get("reason", "")
    b.reply(cancel, 200, to_tag=leg.local_tag)
    for _ in range(2):
        call.cancel()
        assert a.final("CANCEL", call.call_id).status == 200
    leg.answer(487)
    b.request("ACK")
    assert call.final().status == 487
    no_more(b, "second CANCEL", lambda m: m.method == "CANCEL")
    talk(a, b, b.user)


def test_cancel_before_a_provisional_waits_for_it(pair):
    a, b = pair
    call = a.call(b.user, SDP).challenge()
    leg = b.accept()
    call.cancel()
    assert a.final("CANCEL", call.call_id).status == 200
    no_more(b, "CANCEL before a provisional", lambda m: m.method == "CANCEL", 0.2)
    leg.answer(180)
    b.reply(b.request("CANCEL"), 200, to_tag=leg.local_tag)
    leg.answer(487)
    assert call.final().status == 487


def test_cancel_right_behind_the_invite(pair):
    a, b = pair
    call = a.call(b.user, SDP).challenge()
    call.cancel()
    a.send_raw(a.sent.raw)
    leg = b.accept()
    leg.answer(180)
    b.reply(b.request("CANCEL"), 200, to_tag=leg.local_tag)
    leg.answer(487)
    assert call.final().status == 487
    assert a.final("CANCEL", call.call_id).status == 200
    talk(a, b, b.user)


def test_cancel_and_200_cross(pair):
    a, b = pair
    call, leg = ring(a, b, b.user)
    leg.answer(200)
    call.cancel()
    assert a.final("CANCEL", call.call_id).status in (200, 481)
    assert call.final().status == 200
    call.ack()
    b.request("ACK")
    hang_up(call, leg)


def test_200_answers_a_cancel(pair):
    a, b = pair
    call, leg = ring(a, b, b.user)
    call.cancel()
    b.reply(b.request("CANCEL"), 200, to_tag=leg.local_tag)
    leg.answer(200)
    assert call.final().status == 200, "200 wins"
    call.ack()
    b.request("ACK")
    hang_up(call, leg)


def test_cancel_of_nothing_and_after_the_end(pair):
    a, b = pair
    call, leg = connect(a, b, b.user)
    call.cancel()
    assert a.final("CANCEL", call.call_id).status in (200, 481)
    no_more(b, "CANCEL", lambda m: m.method == "CANCEL")
    branch, call.headers = call.headers, [("Via", a.via())] + call.headers[1:]
    call.cancel()
    assert a.final("CANCEL", call.call_id).status == 481
    hang_up(call, leg)


def test_cancel_with_another_branch(pair):
    a, b = pair
    call, leg = ring(a, b, b.user)
    right, call.headers = call.headers, [("Via", a.via())] + call.headers[1:]
    call.cancel()
    assert a.final("CANCEL", call.call_id).status == 481
    no_more(b, "CANCEL", lambda m: m.method == "CANCEL")
    call.headers = right
    leg.answer(200)
    assert call.final().status == 200
    call.ack()
    b.request("ACK")
    hang_up(call, leg)


def test_cancel_of_a_message_does_nothing(pair):
    a, b = pair
    call = a.call(b.user, method="MESSAGE").challenge()
    message = b.request("MESSAGE")
    call.cancel()
    a.final("CANCEL", call.call_id)
    b.reply(message, 200, to_tag="x")
    assert call.final().status == 200
    no_more(b, "CANCEL", lambda m: m.method == "CANCEL")


# ---- what callees do wrong ------------------------------------------------------------------------------------


def test_strange_responses_do_not_pass(d, pair):
    a, b = pair
    call, leg = ring(a, b, b.user)
    good = b"SIP/2.0 200 OK"
    leg.answer(200)
    ok = b.sent.raw
    a.wait("200", lambda m: m.status == 200 and m.cseq_method == "INVITE")
    call, leg = ring(a, b, b.user)
    leg.answer(180)
    call.provisional(180)
    template = b.sent.raw.replace(b"SIP/2.0 180 180", good)
    our_via = leg.invite.all("via")[0].encode()
    branch = re.search(rb"branch=([^;\r]+)", our_via).group(1)
    strange = [
        template.replace(branch, b"z9hG4bKnobody"), template.replace(b" INVITE", b" BYE"),
        template.replace(good, b"SIP/2.0 4294967496 OK"), template.replace(good, b"SIP/2.0 99 OK"),
        template.replace(good, b"SIP/2.0 700 OK"), template.replace(good, b"SIP/7.0 200 OK"),
        re.sub(rb"CSeq:[^\n]*\n", b"", template), re.sub(rb"Via:[^\n]*\n", b"", template),
        template[:60], template.replace(our_via, b"SIP/2.0/UDP 127.0.0.1:9;branch=" + branch),
        re.sub(rb"(Via:[^\n]*\n)Via:[^\n]*\n", rb"\1", template), ok,
        re.sub(rb"Content-Length:[^\n]*", b"Content-Length: 4000", template),
        re.sub(rb"Content-Length:[^\n]*", b"Content-Length: -1", template),
    ]
    for raw in strange:
        b.send_raw(raw)
        no_more(a, f"forwarded:\n{raw.decode()}", lambda m: m.status >= 200 and m.get("call-id") == call.call_id, 0.02)
    leg.answer(486)
    b.request("ACK")
    assert call.final().status == 486


def test_reflected_requests_end(d, pair):
    a, b = pair
    call = a.call(b.user, SDP).challenge()
    leg = b.accept()
    before = d.metric("hotdeskd_requests_forwarded_total")
    b.send_raw(leg.invite.raw)
    b.send_raw(leg.invite.raw.replace(b"INVITE", b"MESSAGE"))
    assert b.wait("an answer", lambda m: m.status >= 400).status in (403, 407, 482, 483)
    assert d.metric("hotdeskd_requests_forwarded_total") - before <= 1
    leg.answer(486)
    assert call.final().status == 486


def test_twenty_calls_at_once(d):
    phones = d.phones_of(10)
    pairs = [(phones[i], phones[(i + 1 + j) % 10]) for i in range(10) for j in range(2)]
    calls = [a.call(b.user, SDP) for a, b in pairs]
    for call in calls:
        call.challenge()
    legs = {}
    for _, b in pairs:
        leg = b.accept()
        leg.answer(200)
        legs[leg.call_id] = leg
    for call in calls:
        assert call.final().status == 200
        call.ack()
    for call in reversed(calls):
        leg = legs[call.call_id]
        leg.phone.wait("its ACK", lambda m: m.method == "ACK" and m.get("call-id") == call.call_id)
        call.in_dialog("BYE")
        leg.phone.reply(leg.phone.wait("its BYE", lambda m: m.method == "BYE" and
                                       m.get("call-id") == call.call_id), 200)
        assert call.phone.final("BYE", call.call_id).status == 200


def test_fifty_calls_in_a_row(pair):
    a, b = pair
    for _ in range(25):
        talk(a, b, b.user)
        talk(b, a, a.user)
