"""Which way requests go: Max-Forwards, Proxy-Require, Route and Record-Route, tokens, loops, and where nothing goes."""

import re

import pytest

from plant import fetch, plant
from steps import again, connect, hang_up, no_more, no_more_from_now, no_other_invite, refuse, ring
from support.sip import SDP, Call, rand
from support.wire import Ear, Raw, text


@pytest.fixture(scope="module")
def d():
    with plant({"sip": {"t1_ms": 60, "t2_ms": 200, "t4_ms": 200}}) as daemon:
        yield daemon


@pytest.fixture
def pair(d):
    return d.phones_of(2)


def me(d, transport="udp"):
    host, port = d.address(transport)
    return f"{host}:{port}"


def send(phone, method, uri, headers=(), replace=(), body=b"", to=None, credentials=True):
    """A request whose headers a test has its own mind about; the final answer (and None for ACK)."""
    call_id, tag, answer = rand(), rand(4), None
    for cseq in (1, 2):
        lines = phone.base(method, to or uri, call_id, cseq, tag) + [("Contact", phone.contact)]
        drop = {n.lower() for n, _ in replace}
        lines = [h for h in lines if h[0].lower() not in drop] + [h for h in replace if h[1] is not None]
        if answer is not None:
            lines.append(phone.authorization(answer, method, uri))
        phone.send(f"{method} {uri} SIP/2.0", lines + list(headers), body)
        answer = phone.wait("an answer", lambda m: m.status >= 200 and m.get("call-id") == call_id)
        if method == "INVITE" and answer.status >= 300:
            phone.send(f"ACK {uri} SIP/2.0", lines[:1] + [
                (n, answer.get(n.lower()) if n == "To" else v) for n, v in lines if n in ("From", "To", "Call-ID")] +
                [("CSeq", f"{cseq} ACK"), ("Max-Forwards", "70")])
        if answer.status != 407 or not credentials:
            break
    return answer


# ---- validation (16.3) --------------------------------------------------------------------------------


@pytest.mark.parametrize("method", ["INVITE", "OPTIONS", "MESSAGE"])
def test_max_forwards_0(pair, method):
    a, b = pair
    assert send(a, method, f"sip:{b.user}@hotdesk.test", replace=[("Max-Forwards", "0")]).status == 483
    no_more(b, "request", lambda m: m.method)


@pytest.mark.parametrize("given,arrives", [(None, "70"), ("1", "0"), ("255", "254"), ("70", "69")])
def test_max_forwards(pair, given, arrives):
    a, b = pair
    call = Call.__new__(Call)
    call.__dict__.update(phone=a, method="INVITE", uri=f"sip:{b.user}@hotdesk.test")
    uri, call_id = call.uri, rand()
    for cseq in (1, 2):
        headers = [h for h in a.base("INVITE", uri, call_id, cseq, "t") if h[0] != "Max-Forwards"]
        headers += [("Max-Forwards", given)] if given else []
        headers += [("Contact", a.contact)] + ([a.authorization(answer, "INVITE", uri)] if cseq == 2 else [])
        a.send(f"INVITE {uri} SIP/2.0", headers)
        if cseq == 1:
            answer = a.final("INVITE", call_id)
    leg = b.accept()
    assert leg.invite.all("max-forwards") == [arrives]
    refuse(leg)
    assert a.final("INVITE", call_id).status == 486


@pytest.mark.parametrize("value", ["256", "-1", "abc", "99999999999999999999", "", "1 2"])
def test_malformed_max_forwards(d, pair, value):
    a, b = pair
    uri = f"sip:{b.user}@hotdesk.test"
    challenge = send(a, "MESSAGE", uri, credentials=False)
    headers = [h for h in a.base("MESSAGE", uri, rand(), 3, "t") if h[0] != "Max-Forwards"]
    a.send(f"MESSAGE {uri} SIP/2.0", headers + [("Max-Forwards", value), a.authorization(challenge, "MESSAGE", uri)])

    def seen():
        a.pump(0.01), b.pump(0.01)
        return [m for m in a.inbox if m.status] or b.inbox
    (first, *_) = d.until("400, or the request", seen)
    if first.status:
        assert first.status == 400, repr(first)
    else:
        assert first.get("max-forwards").isdigit() and int(first.get("max-forwards")) <= 255
        b.reply(first, 200, to_tag="x")


def test_proxy_require(pair):
    a, b = pair
    answer = send(a, "INVITE", f"sip:{b.user}@hotdesk.test", [("Proxy-Require", "x-foo, x-bar"), ("Proxy-Require", "y")])
    assert answer.status == 420
    tags = [t.strip() for v in answer.all("unsupported") for t in v.split(",")]
    assert sorted(tags) == ["x-bar", "x-foo", "y"]
    no_more(b, "request", lambda m: m.method)


def test_require_is_for_the_other_end(pair):
    a, b = pair
    call = a.call(b.user, method="MESSAGE", extra=[("Require", "x-uas-only")]).challenge()
    message = b.request("MESSAGE")
    assert message.get("require") == "x-uas-only"
    b.reply(message, 420, to_tag="x", extra=[("Unsupported", "x-uas-only")])
    assert call.final().get("unsupported") == "x-uas-only"


@pytest.mark.parametrize("uri,status", [
    ("nobodyKnowsThisScheme:totallyopaquecontent", 416), ("tel:+49301234", 416), ("http://hotdesk.test/", 416),
    ("soap.beep://192.0.2.103:3002", 416), ("mailto:x@hotdesk.test", 416)])
def test_schemes(pair, uri, status):
    assert send(pair[0], "OPTIONS", uri, to="sip:x@hotdesk.test").status == status


@pytest.mark.parametrize("form", ["%{:x}{}@hotdesk.test", "{1:}{2:}@HOTDESK.test;user=phone", "plain;maddr"])
def test_request_uri_is_canonical_before_it_is_looked_up(d, pair, form):
    a, b = pair
    first, rest = ord(b.user[0]), b.user[1:]
    uri = {"%": f"sip:%{first:x}{rest}@hotdesk.test", "{": f"sip:{b.user}@HOTDESK.test;user=phone;x=%41",
           "p": f"sip:{b.user}@hotdesk.test:{d.address()[1]};maddr={d.address()[0]}"}[form[0]]
    call = a.call(uri, SDP).challenge()
    leg = b.accept()
    assert leg.invite.ruri == b.contact.strip("<>")
    assert leg.invite.get("to").startswith(f"<{uri}>"), "To stays as it is"
    refuse(leg)
    assert call.final().status == 486


def test_registered_escapes_come_back_in_the_request_uri(d):
    a, b = d.phone(register=True), d.phone()
    contact = f"sip:{b.user}%40x%2fy%3A@{b.host}:{b.port};a=%5B%41;b=c%20d"
    b.register(contact=f"<{contact}>")
    call = a.call(b.user, SDP).challenge()
    leg = b.accept()
    assert leg.invite.ruri == contact
    leg.answer(180)
    call.provisional(180)
    call.cancel()
    cancel = b.request("CANCEL")
    assert cancel.ruri == contact, "9.1"
    b.reply(cancel, 200, to_tag="x")
    assert refuse(leg, 487).ruri == contact, "17.1.1.3"
    assert call.final().status == 487


# ---- Record-Route and Route ---------------------------------------------------------------------------


def test_record_route_names_us_and_is_the_same_at_both_ends(d, pair):
    a, b = pair
    call, leg = ring(a, b, b.user)
    (seen,) = leg.invite.all("record-route")
    assert re.fullmatch(rf"<sip:[\w.~-]+@{re.escape(me(d))};lr>", seen), seen
    leg.answer(200)
    answer = call.final()
    assert answer.all("record-route") == [seen]
    call.ack()
    ack = b.request("ACK")
    assert ack.all("route") == [] and ack.ruri == b.contact.strip("<>") and ack.all("record-route") == []
    assert ack.all("via")[0] != leg.invite.all("via")[0]
    hang_up(call, leg)


def test_record_routes_of_others_stay_below_ours(pair):
    a, b = pair
    others = ["<sip:one@127.0.0.1:9;lr>", '"Two, x" <sip:two@127.0.0.1:9;lr;x=%41>;y']
    call = a.call(b.user, SDP, extra=[("Record-Route", others[0]), ("Record-Route", others[1])]).challenge()
    leg = b.accept()
    seen = leg.invite.all("record-route")
    assert seen[1:] == others and len(seen) == 3
    refuse(leg)
    assert call.final().status == 486


def test_two_record_routes_between_transports(d):
    a, b = d.phone(register=True), d.phone(transport="tcp", register=True)
    call, leg = ring(a, b, b.user)
    top, below = leg.invite.all("record-route")
    assert me(d, "tcp") in top and "transport=tcp" in top and me(d) in below and "transport" not in below
    refuse(leg)
    assert call.final().status == 486


@pytest.mark.parametrize("route", ["<sip:{me};lr>", "<sip:hotdesk.test;lr>", "<sip:HOTDESK.test:5060;lr;x>",
                                   "<sip:{me};lr>, <sip:hotdesk.test;lr>", '"x" <sip:{me};transport=udp;lr>', "<sip:{me}>"])
def test_preloaded_route_to_us(d, pair, route):
    a, b = pair
    call = a.call(b.user, SDP, extra=[("Route", route.format(me=me(d)))]).challenge()
    leg = b.accept()
    assert leg.invite.all("route") == [] and leg.invite.ruri == b.contact.strip("<>")
    refuse(leg)
    assert call.final().status == 486


def test_loose_route_to_a_third(d, pair):
    a, b = pair
    third = d.phone(register=True)
    call, leg = connect(a, b, b.user)
    there = f"<sip:{third.user}@{third.host}:{third.port};lr;x=%41>"
    call.routes = call.routes + [there, "<sip:fourth@127.0.0.1:9;lr>"]
    call.in_dialog("INFO", [("Content-Type", "text/plain")], "x")
    info = third.request("INFO")
    assert info.all("route") == [there, "<sip:fourth@127.0.0.1:9;lr>"] and info.ruri == call.remote
    third.reply(info, 200)
    assert a.final("INFO").status == 200
    call.routes = call.routes[:1]
    hang_up(call, leg)


def test_strict_router_upstream(pair):
    a, b = pair
    call, leg = connect(a, b, b.user)
    for target in (call.remote, call.remote + ";x=%41%2f"):
        kept = call.routes, call.remote
        (ours,) = call.routes
        call.routes, call.remote = [f"<{target}>"], ours.strip("<>")
        call.in_dialog("INFO", [("Content-Type", "text/plain")], "x")
        info = b.request("INFO")
        assert info.ruri == target and info.all("route") == []
        b.reply(info, 200)
        assert a.final("INFO", cseq=call.cseq).status == 200
        call.routes, call.remote = kept
    hang_up(call, leg)


def test_strict_router_downstream(d, pair):
    a, b = pair
    third = d.phone(register=True)
    call, leg = connect(a, b, b.user)
    there = f"sip:{third.user}@{third.host}:{third.port}"
    kept, call.routes = call.routes, call.routes + [f"<{there}>", "<sip:last@127.0.0.1:9;lr>"]
    call.in_dialog("INFO", [("Content-Type", "text/plain")], "x")
    info = third.request("INFO")
    assert info.ruri == there and info.all("route") == ["<sip:last@127.0.0.1:9;lr>", f"<{call.remote}>"]
    third.reply(info, 200)
    assert a.final("INFO").status == 200
    call.routes = kept
    hang_up(call, leg)


def test_rfc_2543_caller(d, pair):
    a, b = pair
    uri = f"sip:{b.user}@hotdesk.test"
    for via in (f"SIP/2.0/UDP {a.host}:{a.port}", f"SIP/2.0/UDP {a.host}:{a.port};branch=1-old"):
        call_id = rand()
        for cseq in (1, 2):
            headers = [("Via", via)] + a.base("INVITE", uri, call_id, cseq, "t")[1:] + [("Contact", a.contact)]
            if cseq == 2:
                headers.append(a.authorization(answer, "INVITE", uri))
            a.send(f"INVITE {uri} SIP/2.0", headers)
            if cseq == 1:
                answer = a.final("INVITE", call_id)
                a.send(f"ACK {uri} SIP/2.0", headers[:3] + [("To", answer.get("to")), ("Call-ID", call_id),
                                                          ("CSeq", "1 ACK")])
        leg = b.accept()
        leg.answer(180)
        a.wait("180", lambda m: m.status == 180 and m.get("call-id") == call_id)
        a.send_raw(a.sent.raw)
        a.send(f"CANCEL {uri} SIP/2.0", headers[:4] + [("Call-ID", call_id), ("CSeq", "2 CANCEL")])
        assert a.final("CANCEL", call_id).status == 200
        b.reply(b.request("CANCEL"), 200, to_tag="x")
        refuse(leg, 487)
        answer = a.final("INVITE", call_id)
        assert answer.status == 487
        a.send(f"ACK {uri} SIP/2.0", headers[:3] + [("To", answer.get("to")), ("Call-ID", call_id), ("CSeq", "2 ACK")])
        no_more_from_now(a, "487 again", lambda m: m.status == 487, 0.15)
        no_other_invite(leg, 0)


# ---- what is not relayed ---------------------------------------------------------------------------------


def tokens(pair_):
    call, leg = connect(*pair_, pair_[1].user)
    (ours,) = call.routes
    return call, leg, re.search(r"sip:([^@]+)@", ours).group(1)


def test_forged_tokens(d, pair):
    call, leg, token = tokens(pair)
    with Ear("127.0.0.66") as victim:
        there = f"sip:x@127.0.0.66:{victim.port}"
        flipped = token[:-2] + ("A" if token[-2] != "A" else "B") + token[-1]
        for bad in (flipped, token[:-1], token + "A", "A" * len(token), token[::-1], token.swapcase(), token[:8], "x"):
            for method in ("BYE", "INVITE", "ACK", "INFO"):
                headers = pair[0].base(method, there, call.call_id, 99, call.local_tag, "y")
                pair[0].send(f"{method} {there} SIP/2.0", headers + [("Route", f"<sip:{bad}@{me(d)};lr>")])
                if method != "ACK":
                    answer = pair[0].final(method, call.call_id, 99)
                    assert answer.status == 403, f"{method} {bad}: {answer}"
        assert victim.heard(0.05) is None
    no_more(pair[1], "request", lambda m: m.method)
    hang_up(call, leg)


def test_token_of_another_call(d, pair):
    call, leg, token = tokens(pair)
    with Ear("127.0.0.66") as victim:
        there = f"sip:x@127.0.0.66:{victim.port}"
        for method in ("BYE", "INFO"):
            headers = pair[0].base(method, there, rand(), 99, call.local_tag, "y")
            pair[0].send(f"{method} {there} SIP/2.0", headers + [("Route", f"<sip:{token}@{me(d)};lr>")])
            assert pair[0].final(method).status == 403
        assert victim.heard(0.05) is None
    hang_up(call, leg)


def test_nothing_goes_elsewhere_even_for_known_phones(d, pair):
    a, b = pair
    with Ear("127.0.0.66") as victim:
        there = f"127.0.0.66:{victim.port}"
        for uri, headers in ((f"sip:x@{there}", []), (f"sip:{b.user}@hotdesk.test", [("Route", f"<sip:{there};lr>")]),
                             (f"sip:{b.user}@hotdesk.test", [("Route", f"<sip:{me(d)};lr>"), ("Route", f"<sip:{there};lr>")]),
                             (f"sip:{b.user}@hotdesk.test", [("Route", f"<sip:{me(d)};lr>, <sip:{there};lr>")]),
                             (f"sip:x@{there};maddr=127.0.0.1", [])):
            for method in ("INVITE", "MESSAGE", "SUBSCRIBE"):
                status = send(a, method, uri, headers).status
                assert 400 <= status < 500 and status != 407, f"{method} {uri} {headers}: {status}"
        assert victim.heard(0.05) is None
    no_more(b, "request", lambda m: m.method)


def test_stray_responses_are_dropped(d):
    with Ear("127.0.0.66") as victim, Raw(d.address()) as raw:
        for branch in ("z9hG4bKnobody", "z9hG4bK-fnobody", "z9hG4bKst" + "0" * 24):
            for method in ("INVITE", "BYE", "MESSAGE"):
                raw.send(text("SIP/2.0 200 OK", [
                    f"Via: SIP/2.0/UDP {me(d)};branch={branch}",
                    f"Via: SIP/2.0/UDP 127.0.0.66:{victim.port};branch=z9hG4bK1;rport={victim.port};received=127.0.0.66",
                    "From: <sip:a@b>;tag=1", "To: <sip:b@c>;tag=2", f"Call-ID: {rand()}", f"CSeq: 1 {method}"]))
        assert victim.heard(0.05) is None
        assert raw.receive(0) is None


def test_no_dialog_of_ours(pair):
    a, b = pair
    for method in ("BYE", "INFO", "INVITE", "UPDATE"):
        answer = send(a, method, f"sip:{b.user}@hotdesk.test", replace=[("To", f"<sip:{b.user}@hotdesk.test>;tag=none")])
        assert answer.status == 481, f"{method}: {answer}"
    no_more(b, "request", lambda m: m.method)


# ---- loops ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("where", ["sip:{user}@hotdesk.test", "sip:{user}@{me}", "sip:{other}@{me}"])
def test_contact_that_is_ourselves(d, where):
    a, b, other = d.phone(register=True), d.phone(), d.phone(register=True)
    before = d.metric("hotdeskd_requests_forwarded_total")
    answer = b.register(contact=f"<{where.format(user=b.user, other=other.user, me=me(d))}>", expect=None)
    call = a.call(b.user, SDP).challenge()

    def ended():
        for phone in (a, b, other):
            phone.pump(0.005)
            for i, m in enumerate(phone.inbox):
                if m.method == "INVITE":
                    phone.reply(phone.inbox.pop(i), 486, to_tag="x")
        return [m for m in a.inbox if m.status >= 300 and m.cseq_method == "INVITE"]
    d.until("an end", ended)
    assert call.final().status >= 400
    assert d.metric("hotdeskd_requests_forwarded_total") - before < 5
    assert answer.status in (200, 403) and len(fetch(b)) <= 1


def test_max_breadth_stays(pair):
    a, b = pair
    call = a.call(b.user, SDP, extra=[("Max-Breadth", "3")]).challenge()
    leg = b.accept()
    assert leg.invite.get("max-breadth") == "3"
    refuse(leg)
    assert call.final().status == 486


# ---- Via and answers -------------------------------------------------------------------------------------------


def answer_at(d, via, source, listens=None):
    """OPTIONS to us with that Via; who hears the answer: the sender or the listener."""
    branch = "z9hG4bK" + rand()
    source.send(text(f"OPTIONS sip:{me(d)} SIP/2.0", [
        f"Via: {via};branch={branch}", "Max-Forwards: 70", "From: <sip:a@b>;tag=1", f"To: <sip:{me(d)}>",
        f"Call-ID: {rand()}", "CSeq: 1 OPTIONS"]))
    if listens is None:
        return source.receive()
    raw = listens.heard(3)
    assert raw, "nothing came to the port of the Via"
    return raw


def test_where_answers_go(d):
    with Raw(d.address()) as source, Ear() as other:
        port = source.address[1]
        got = answer_at(d, f"SIP/2.0/UDP 127.0.0.1:{port};rport", source)
        assert f"received=127.0.0.1" in got.get("via") and f"rport={port}" in got.get("via"), got
        got = answer_at(d, "SIP/2.0/UDP 10.1.2.3:9;rport", source)
        assert f"received=127.0.0.1" in got.get("via") and f"rport={port}" in got.get("via")
        got = answer_at(d, f"SIP/2.0/UDP name.invalid:{port}", source)
        assert "received=127.0.0.1" in got.get("via")
        got = answer_at(d, "SIP/2.0/UDP 10.1.2.3:9", source)
        assert "received=127.0.0.1" in got.get("via"), "a phone behind a NAT that knows no rport"
        assert b"200 OK" in answer_at(d, f"SIP/2.0/UDP 127.0.0.1:{other.port}", source, other), "18.2.2"
        got = answer_at(d, "SIP/2.0/UDP 10.1.2.3:9;rport;received=127.0.0.99", source)
        assert "received=127.0.0.1" in got.get("via") and "127.0.0.99" not in got.get("via")


def test_maddr_in_a_via_is_refused(d):
    with Raw(d.address()) as source, Ear("127.0.0.66") as victim:
        got = answer_at(d, f"SIP/2.0/UDP 127.0.0.1:{source.address[1]};maddr=127.0.0.66", source)
        assert got.status == 400
        assert victim.heard(0.02) is None


def test_via_without_a_port_means_5060(d):
    with Raw(d.address(), host="127.0.0.61", port=5060) as source:
        assert answer_at(d, "SIP/2.0/UDP 127.0.0.61", source).status == 200


def test_the_same_branch_of_two_callers(d):
    a, b, c, e = d.phones_of(4)
    legs = []
    for caller, callee in ((a, c), (b, e)):
        call = caller.call(callee.user, SDP)
        answer = caller.final("INVITE", call.call_id)
        call.ack_failure(answer)
        call.credentials = [caller.authorization(answer, "INVITE", call.uri)]
        caller.via = lambda branch=None, phone=caller: (f"SIP/2.0/UDP {phone.host}:{phone.port};branch="
                                                        "z9hG4bKthesame;rport")
        call.send_initial()
        legs.append((call, callee.accept()))
    for call, leg in legs:
        refuse(leg)
        assert call.final().status == 486


def test_vias_of_others_pass_untouched(pair):
    a, b = pair
    others = ["SIP/2.0/TCP one.example.com:5060;branch=z9hG4bK1;received=192.0.2.1, SIP/2.0/TLS [2001:db8::9]:5061"
              ";branch=z9hG4bK2", 'SIP / 2.0 / UDP  two.example.com ;branch=z9hG4bK3;x="a,b;c"', "SIP/2.0/X-T three;rport"]
    call = a.call(b.user, SDP, extra=[("Via", v) for v in others]).challenge()
    leg = b.accept()
    assert leg.invite.all("via")[2:] == others, repr(leg.invite)
    refuse(leg)
    answer = a.final("INVITE", call.call_id, call.cseq)
    assert answer.all("via")[1:] == others, repr(answer)
    call.ack_failure(answer)


def test_again_after_everything(pair):
    call, leg = connect(*pair, pair[1].user)
    again(leg, call, SDP)
    hang_up(call, leg)
