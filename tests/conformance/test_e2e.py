"""Whole flows between two phones, and extensions that must pass (A10; NA-08, 09, 10, 14, 15)."""

import re

import pytest

from plant import fetch, plant
from steps import again, connect, hang_up, no_more, no_more_from_now, refuse, ring, talk
from support.sip import SDP, Call, rand
from support.wire import assert_answered, assert_forwarded

row = pytest.mark.row


@pytest.fixture(scope="module")
def d():
    with plant() as daemon:
        yield daemon


@pytest.fixture
def pair(d):
    return d.phones_of(2)


def exchange(one, other, method, headers=(), body=b"", status=200, answer_headers=(), answer_body=b""):
    """A request within a dialog and its answer, both unchanged; the request as it arrived."""
    one.in_dialog(method, headers, body)
    seen = other.phone.request(method)
    assert_forwarded(one.phone.sent, seen, ("route",))
    other.phone.reply(seen, status, extra=answer_headers, body=answer_body)
    assert_answered(other.phone.sent, one.phone.final(method, one.call_id, one.cseq))
    return seen


# ---- calls ----------------------------------------------------------------------------------------------


@row("E2E-01")
def test_basic_call(pair):
    a, b = pair
    call = a.call(b.user, SDP).challenge()
    leg = b.accept()
    assert_forwarded(a.sent, leg.invite)
    assert leg.invite.body == SDP and leg.invite.ruri == b.contact.strip("<>")
    leg.answer(180, "Ringing")
    assert_answered(b.sent, call.provisional(180))
    leg.answer(200, "OK")
    assert call.final().body == SDP
    call.ack()
    b.request("ACK")
    call.in_dialog("BYE")
    b.reply(b.request("BYE"), 200)
    assert a.final("BYE").status == 200
    no_more(a, "more"), no_more(b, "more")


@row("E2E-02")
def test_immediate_200_and_bye_by_the_callee(pair):
    a, b = pair
    call = a.call(b.user, SDP).challenge()
    leg = b.accept()
    leg.answer(200, "OK")
    assert call.final().status == 200
    call.ack()
    b.request("ACK")
    leg.in_dialog("BYE")
    bye = a.request("BYE")
    assert bye.ruri == a.contact.strip("<>")
    a.reply(bye, 200)
    assert b.final("BYE").status == 200
    no_more(a, "more"), no_more(b, "more")


@row("E2E-03")
def test_delayed_offer(pair):
    a, b = pair
    offer, reply = SDP + b"a=offer\r\n", SDP + b"a=answer\r\n"
    call = a.call(b.user).challenge()
    leg = b.accept()
    assert leg.invite.body == b""
    leg.answer(200, body=offer, extra=[("Content-Type", "application/sdp")])
    assert call.final().body == offer
    call.in_dialog("ACK", body=reply)
    ack = b.request("ACK")
    assert ack.body == reply and ack.get("content-type") == "application/sdp"
    hang_up(call, leg)


@row("E2E-04")
def test_early_media(pair):
    a, b = pair
    call = a.call(b.user, SDP).challenge()
    leg = b.accept()
    leg.answer(183, "Session Progress", extra=[("Content-Type", "application/sdp")], body=SDP + b"a=early\r\n")
    progress = call.provisional(183)
    assert_answered(b.sent, progress)
    assert progress.body == SDP + b"a=early\r\n"
    leg.answer(200)
    assert call.final().status == 200
    call.ack()
    b.request("ACK")
    hang_up(call, leg)


@row("E2E-05")
def test_100rel(pair):
    a, b = pair
    call = a.call(b.user, SDP, extra=[("Supported", "100rel"), ("Require", "100rel")]).challenge()
    leg = b.accept()
    assert (leg.invite.get("supported"), leg.invite.get("require")) == ("100rel", "100rel")
    number = call.cseq
    for rseq in (7, 8):
        leg.answer(183, extra=[("Require", "100rel"), ("RSeq", str(rseq))])
        progress = call.provisional(183)
        assert (progress.get("require"), progress.get("rseq")) == ("100rel", str(rseq))
        call.remote_tag, call.remote = progress.tag("to"), b.contact.strip("<>")
        call.routes = list(reversed(progress.all("record-route")))
        prack = exchange(call, leg, "PRACK", [("RAck", f"{rseq} {number} INVITE")])
        assert prack.get("rack") == f"{rseq} {number} INVITE"
    kept, call.cseq = call.cseq, number
    leg.answer(200)
    assert call.final().status == 200
    call.ack()
    b.request("ACK")
    call.cseq = kept
    hang_up(call, leg)


@row("E2E-06")
def test_update(pair):
    call, leg = connect(*pair, pair[1].user)
    for one, other in ((call, leg), (leg, call)):
        seen = exchange(one, other, "UPDATE", [("Content-Type", "application/sdp")], SDP,
                        answer_headers=[("Content-Type", "application/sdp")], answer_body=SDP)
        assert seen.body == SDP
        exchange(one, other, "UPDATE", status=504)
    hang_up(call, leg)


@row("E2E-06")
def test_update_before_the_answer(pair):
    a, b = pair
    call, leg = ring(a, b, b.user)
    call.remote_tag, call.remote, call.routes = leg.local_tag, b.contact.strip("<>"), leg.invite.all("record-route")
    number = call.cseq
    for one, other in ((call, leg), (leg, call)):
        exchange(one, other, "UPDATE", [("Content-Type", "application/sdp")], SDP)
    call.cseq = number
    refuse(leg)
    assert call.final().status == 486


@row("E2E-07")
def test_info(pair):
    call, leg = connect(*pair, pair[1].user)
    for one, other in ((call, leg), (leg, call)):
        headers = [("Info-Package", "x-test;a=b"), ("Content-Type", "application/x-test"),
                   ("Content-Disposition", "Info-Package")]
        seen = exchange(one, other, "INFO", headers, bytes(range(256)))
        assert seen.body == bytes(range(256)) and seen.get("info-package") == "x-test;a=b"
        exchange(one, other, "INFO", headers, b"x", status=469, answer_headers=[("Recv-Info", "y")])
    hang_up(call, leg)


@row("E2E-08")
def test_message(pair):
    a, b = pair
    text = "Grüße, 日本語 \U0001f4de".encode()
    call = a.call(b.user, method="MESSAGE", extra=[("Content-Type", "text/plain;charset=UTF-8")], body=text).challenge()
    message = b.request("MESSAGE")
    assert message.body == text and message.all("record-route") == []
    b.reply(message, 200, to_tag="x")
    assert call.final().status == 200


@row("E2E-09")
def test_event_package(pair):
    a, b = pair
    call = a.call(b.user, method="SUBSCRIBE", extra=[("Event", "presence"), ("Expires", "600"),
                                                     ("Accept", "application/pidf+xml")]).challenge()
    subscribe = b.request("SUBSCRIBE")
    assert subscribe.get("event") == "presence" and len(subscribe.all("record-route")) == 1
    b.reply(subscribe, 200, to_tag="sub", extra=[("Expires", "600"), ("Contact", b.contact)])
    assert call.final().status == 200
    leg = Call.incoming(b, subscribe)
    leg.local_tag = "sub"
    xml = '<?xml version="1.0"?>\n<presence xmlns="urn:ietf:params:xml:ns:pidf" entity="sip:x@hotdesk.test"/>'.encode()

    def notify(state):
        seen = exchange(leg, call, "NOTIFY", [("Event", "presence"), ("Subscription-State", state),
                                              ("Content-Type", "application/pidf+xml")], xml)
        assert seen.body == xml and seen.get("subscription-state") == state
    notify("active;expires=600")
    exchange(call, leg, "SUBSCRIBE", [("Event", "presence"), ("Expires", "600")], answer_headers=[("Expires", "600")])
    notify("active;expires=600")
    exchange(call, leg, "SUBSCRIBE", [("Event", "presence"), ("Expires", "0")], answer_headers=[("Expires", "0")])
    notify("terminated;reason=timeout")
    exchange(call, leg, "SUBSCRIBE", [("Event", "presence"), ("Expires", "600")], status=481)


@row("E2E-10")
def test_blind_transfer(pair):
    call, leg = connect(*pair, pair[1].user)
    for one, other in ((call, leg), (leg, call)):
        headers = [("Refer-To", "<sip:202@hotdesk.test>"), ("Referred-By", '"Anna" <sip:201@hotdesk.test>;cid="1@x"')]
        seen = exchange(one, other, "REFER", headers, status=202)
        assert seen.get("referred-by") == headers[1][1]
        for status, state in (("100 Trying", "active;expires=60"), ("200 OK", "terminated;reason=noresource")):
            body = f"SIP/2.0 {status}\r\n".encode()
            notify = exchange(other, one, "NOTIFY", [("Event", "refer"), ("Subscription-State", state),
                                                     ("Content-Type", "message/sipfrag;version=2.0")], body)
            assert notify.body == body
    hang_up(call, leg)


@row("E2E-10")
def test_attended_transfer(d):
    a, b, c = d.phones_of(3)
    first, first_leg = connect(a, b, b.user)
    second, second_leg = connect(a, c, c.user)
    target = (f"<sip:{c.user}@hotdesk.test?Replaces={second.call_id.replace('@', '%40')}%3Bto-tag%3D"
              f"{second.remote_tag}%3Bfrom-tag%3D{second.local_tag}>")
    seen = exchange(first, first_leg, "REFER", [("Refer-To", target), ("Referred-By", f"<sip:{a.user}@hotdesk.test>")],
                    status=202)
    assert seen.get("refer-to") == target
    replaces = f"{second.call_id};to-tag={second.remote_tag};from-tag={second.local_tag}"
    third = b.call(c.user, SDP, extra=[("Replaces", replaces), ("Require", "replaces"),
                                       ("Referred-By", f"<sip:{a.user}@hotdesk.test>")]).challenge()
    third_leg = c.accept()
    assert third_leg.invite.get("replaces") == replaces and third_leg.invite.get("require") == "replaces"
    third_leg.answer(200)
    assert third.final().status == 200
    third.ack()
    c.request("ACK")
    hang_up(second_leg, second)
    exchange(first_leg, first, "NOTIFY", [("Event", "refer"), ("Subscription-State", "terminated;reason=noresource"),
                                          ("Content-Type", "message/sipfrag")], b"SIP/2.0 200 OK\r\n")
    hang_up(first, first_leg)
    hang_up(third, third_leg)


@row("E2E-11")
@pytest.mark.parametrize("name", ["Session-Expires", "x"])
def test_session_timer(pair, name):
    a, b = pair
    call = a.call(b.user, SDP, extra=[("Supported", "timer"), (name, "90;refresher=uac"), ("Min-SE", "90")]).challenge()
    leg = b.accept()
    assert (leg.invite.get(name), leg.invite.get("min-se")) == ("90;refresher=uac", "90")
    leg.answer(422, "Session Interval Too Small", extra=[("Min-SE", "1800")])
    b.request("ACK")
    answer = call.final()
    assert answer.status == 422 and answer.all("min-se") == ["1800"]
    call = a.call(b.user, SDP, extra=[("Supported", "timer"), (name, "1800;refresher=uac")]).challenge()
    leg = b.accept()
    leg.answer(200, extra=[(name, "1800;refresher=uac"), ("Require", "timer")])
    assert call.final().get(name) == "1800;refresher=uac"
    call.ack()
    b.request("ACK")
    exchange(call, leg, "UPDATE", [(name, "1800;refresher=uac")], answer_headers=[(name, "1800;refresher=uac")])
    hang_up(call, leg)


@row("E2E-12")
def test_glare(pair):
    a, b = pair
    call, leg = connect(a, b, b.user)
    for one in (call, leg):
        one.in_dialog("INVITE", body=SDP)
        one.own_via = one.phone.sent.get("via")
    for one, other in ((call, leg), (leg, call)):
        seen = other.phone.request("INVITE")
        other.phone.reply(seen, 491, "Request Pending")
    for one, other in ((call, leg), (leg, call)):
        answer = one.phone.final("INVITE", one.call_id, one.cseq)
        assert answer.start == "SIP/2.0 491 Request Pending"
        other.phone.request("ACK")
        one.phone.send(f"ACK {one.remote} SIP/2.0", [
            ("Via", one.own_via), ("Max-Forwards", "70"), ("From", answer.get("from")), ("To", answer.get("to")),
            ("Call-ID", one.call_id), ("CSeq", f"{one.cseq} ACK")] + [("Route", r) for r in one.routes])
    for phone, seconds in ((a, 0.6), (b, 0)):
        no_more_from_now(phone, "more", lambda m: m.status > 100 or m.method, seconds)
    hang_up(call, leg)


# ---- identity (RFC 3325, RFC 3323) ---------------------------------------------------------------------------


def identity_of(pair, extra=(), method="INVITE", change=None):
    """What the callee of a request sees in it."""
    a, b = pair
    base = a.base
    if change:
        a.base = lambda *args, **more: [change(h) for h in base(*args, **more)]
    call = a.call(b.user, SDP if method == "INVITE" else "", extra=list(extra), method=method).challenge()
    a.base = base
    seen = b.request(method)
    b.reply(seen, 486, to_tag=rand(4))
    assert call.final().status == 486
    return seen


SPOOFED = '"The Boss" <sip:201@hotdesk.test>'


@row("E2E-13")
@pytest.mark.parametrize("method", ["INVITE", "MESSAGE", "SUBSCRIBE"])
def test_spoofed_identity_does_not_pass(pair, method):
    seen = identity_of(pair, [("P-Asserted-Identity", SPOOFED), ("P-Asserted-Identity", "<tel:+4930123>"),
                              ("Remote-Party-ID", SPOOFED), ("P-Preferred-Identity", SPOOFED)], method)
    assert seen.all("p-asserted-identity") == [f"<sip:{pair[0].user}@hotdesk.test>"], repr(seen)
    assert seen.all("remote-party-id") == [] and seen.all("p-preferred-identity") == []
    assert "Boss" not in repr(seen)


@row("E2E-13")
def test_spoofed_identity_within_a_dialog(pair):
    call, leg = connect(*pair, pair[1].user)
    for one, other in ((call, leg), (leg, call)):
        for method in ("INFO", "INVITE"):
            one.in_dialog(method, [("P-Asserted-Identity", SPOOFED), ("P-Preferred-Identity", SPOOFED)])
            seen = other.phone.request(method)
            assert "Boss" not in repr(seen), repr(seen)
            other.phone.reply(seen, 200, extra=[("Contact", other.phone.contact)])
            assert one.phone.final(method, one.call_id, one.cseq).status == 200
            if method == "INVITE":
                one.in_dialog("ACK")
                other.phone.request("ACK")
    hang_up(call, leg)


@row("E2E-13")
@pytest.mark.nolint("LNT-09")
def test_spoofed_identity_of_a_callee(pair):
    a, b = pair
    call = a.call(b.user, SDP).challenge()
    leg = b.accept()
    leg.answer(180, extra=[("P-Asserted-Identity", SPOOFED)])
    assert "Boss" not in repr(call.provisional(180))
    leg.answer(200, extra=[("P-Asserted-Identity", SPOOFED)])
    assert "Boss" not in repr(call.final())
    call.ack()
    b.request("ACK")
    hang_up(call, leg)


@row("E2E-14")
def test_identity_is_asserted(d):
    a, b = d.phones_of(2)
    assert identity_of((a, b)).all("p-asserted-identity") == [f"<sip:{a.user}@hotdesk.test>"]
    d.ctl("session", "login", "201", a.user)
    try:
        assert identity_of((a, b)).all("p-asserted-identity") == ['"Anna Berg" <sip:201@hotdesk.test>']
    finally:
        d.ctl("session", "logout", "201")


@row("E2E-15")
@row("NA-08")
@pytest.mark.parametrize("privacy,asserted", [
    ("id", False), ("header;id;critical", False), ("user; ID", False), ("none", True), ("header", True),
    ("identity", True), ("history", True)])
def test_privacy(pair, privacy, asserted):
    anonymous = ("From", '"Anonymous" <sip:anonymous@anonymous.invalid>;tag=' + rand(4))
    seen = identity_of(pair, [("Privacy", privacy), ("P-Preferred-Identity", f"<sip:{pair[0].user}@hotdesk.test>")],
                       change=lambda h: anonymous if h[0] == "From" else h)
    assert seen.get("from") == anonymous[1] and seen.all("privacy") == [privacy]
    assert seen.all("p-asserted-identity") == ([f"<sip:{pair[0].user}@hotdesk.test>"] if asserted else [])
    if not asserted:
        shown = [v for n, v in seen.headers if n not in ("contact", "via", "record-route")]  # a token is random text
        assert pair[0].user not in repr(shown), repr(seen)


@row("NA-09")
def test_trusted_networks():
    mine = '"PBX" <sip:+4930123@pbx.example.com;user=phone>'
    with plant({"sip": {"trusted": ["127.0.0.71/32", "2001:db8::/32"]}}) as d:
        peer, phone = d.phone(register=True, host="127.0.0.71"), d.phone(register=True)
        seen = identity_of((peer, phone), [("P-Asserted-Identity", mine), ("P-Asserted-Identity", "<tel:+4930123>")])
        assert seen.all("p-asserted-identity") == [mine, "<tel:+4930123>"], "kept from a trusted peer"
        seen = identity_of((peer, phone))
        assert seen.all("p-asserted-identity") == [f"<sip:{peer.user}@hotdesk.test>"], "none was there"
        seen = identity_of((peer, phone), [("P-Asserted-Identity", mine), ("Privacy", "id")])
        assert seen.all("p-asserted-identity") == [], "private towards who is not trusted"
        seen = identity_of((phone, peer), [("P-Asserted-Identity", mine), ("Privacy", "id")])
        assert seen.all("p-asserted-identity") == [f"<sip:{phone.user}@hotdesk.test>"], "but told to who is"
        call, leg = connect(peer, phone, phone.user)
        exchange(call, leg, "INFO", [("P-Asserted-Identity", mine)])
        hang_up(call, leg)


@row("NA-09")
def test_trust_changes_with_a_reload():
    mine = "<sip:+4930123@pbx.example.com>"
    with plant() as d:
        pair = d.phones_of(2)
        assert identity_of(pair, [("P-Asserted-Identity", mine)]).all("p-asserted-identity") != [mine]
        d.conf["sip"]["trusted"] = ["127.0.0.0/8"]
        d.write_conf()
        assert "sip.trusted" in d.ctl("reload").stdout
        assert identity_of(pair, [("P-Asserted-Identity", mine)]).all("p-asserted-identity") == [mine]


# ---- the rest ----------------------------------------------------------------------------------------------------


@row("E2E-16")
def test_publish(pair):
    a, b = pair
    call = a.call(b.user, method="PUBLISH", extra=[("Event", "presence"), ("Expires", "60"),
                                                   ("Content-Type", "application/pidf+xml")], body="<presence/>").challenge()
    publish = b.request("PUBLISH")
    assert publish.body == b"<presence/>" and publish.get("event") == "presence"
    b.reply(publish, 489, "Bad Event", to_tag="x")
    assert call.final().status == 489


@row("E2E-17")
def test_hold_and_resume(pair):
    call, leg = connect(*pair, pair[1].user)
    for one, other in ((call, leg), (leg, call)):
        for attribute in (b"sendonly", b"sendrecv", b"inactive", b"sendrecv"):
            again(one, other, SDP + b"a=" + attribute + b"\r\n")
    hang_up(call, leg)


@row("E2E-18")
def test_fifty_calls_in_a_row(pair):
    a, b = pair
    for _ in range(25):
        talk(a, b, b.user)
        talk(b, a, a.user)
    no_more(a, "more"), no_more(b, "more")


@row("E2E-19")
def test_thirty_calls_at_once(d):
    a, b = d.phones_of(2)
    calls = [connect(a, b, b.user) for _ in range(30)]
    for call, leg in reversed(calls):
        call.in_dialog("BYE")
        bye = b.request("BYE")
        assert bye.get("call-id") == call.call_id
        b.reply(bye, 200)
        assert a.final("BYE", call.call_id).status == 200


@row("E2E-20")
def test_extension_headers(pair):
    extra = [("Replaces", "1@x;to-tag=2;from-tag=3;early-only"), ("Join", "1@x;to-tag=2;from-tag=3"),
             ("Target-Dialog", "1@x;local-tag=2;remote-tag=3"), ("Require", "tdialog"),
             ("History-Info", "<sip:201@hotdesk.test?Reason=SIP%3Bcause%3D302>;index=1"),
             ("History-Info", "<sip:202@hotdesk.test>;index=1.1;rc=1"),
             ("Diversion", '"x" <sip:201@hotdesk.test>;reason=unconditional;counter=1'),
             ("Alert-Info", "<http://127.0.0.1/ring.wav>;info=x"), ("X-Own", " spaced  out\t; a = b"), ("X-Empty", "")]
    a, b = pair
    call = a.call(b.user, SDP, extra=extra).challenge()
    leg = b.accept()
    assert_forwarded(a.sent, leg.invite)
    for name, value in extra:
        assert value.strip() in leg.invite.all(name), f"{name}: {leg.invite.all(name)}"
    refuse(leg)
    assert call.final().status == 486


@row("E2E-21")
def test_caller_that_is_not_registered(d):
    a, b = d.phone(), d.phone(register=True)
    talk(a, b, b.user)
    assert fetch(a) == []


@row("E2E-22")
def test_call_to_oneself(pair):
    a, _ = pair
    call = a.call(a.user, SDP).challenge()
    leg = a.accept()
    refuse(leg)
    assert call.final().status == 486
    no_more(a, "INVITE", lambda m: m.method == "INVITE")


@row("E2E-23")
def test_phone_moves(d):
    a, b = d.phones_of(2)
    moved = d.phone(b.user)
    b.register(expires=0)
    moved.register()
    assert talk(a, moved, b.user).ruri == moved.contact.strip("<>")
    again_ = d.phone(b.user, register=True)
    assert talk(a, again_, b.user).ruri == again_.contact.strip("<>"), "one phone has one place"
    no_more(b, "INVITE", lambda m: m.method), no_more(moved, "INVITE", lambda m: m.method)


@row("NA-14")
def test_sdp_is_not_looked_at(pair):
    bodies = [b"v=0\r\n" * 200, b"not SDP at all", b"\x00\xff" * 50, SDP.replace(b"127.0.0.1", b"10.255.255.1"),
              b"v=0\no=- 1 1 IN IP4 1.2.3.4\ns=-\n", SDP + b"a=tcap:1 RTP/SAVP\r\na=pcfg:1 t=1\r\n"]
    a, b = pair
    for body in bodies:
        call = a.call(b.user, body).challenge()
        leg = b.accept()
        assert leg.invite.body == body
        leg.answer(200, body=body, extra=[("Content-Type", "application/sdp")])
        assert call.final().body == body
        call.ack()
        b.request("ACK")
        hang_up(call, leg)


@row("NA-15")
def test_nextnonce_is_true_if_given(d):
    """Authentication-Info may be left out; if it is there, the nonce it names must do."""
    answer = d.phone().register()
    info = answer.get("authentication-info")
    nonce = info and re.search('nextnonce="([^"]+)"', info)
    assert info is None or nonce, info
    for name in ("www-authenticate", "proxy-authenticate"):
        assert answer.all(name) == []
