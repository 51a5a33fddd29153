"""REGISTER as phones and RFC 3261 10.3 want it, seen from outside."""

import json
import re

import pytest

from plant import fetch, plant
from support.sip import SDP, digest, rand
from support.wire import Raw, text

SHORT = {"registrar": {"expires_min_s": 60, "expires_max_s": 1800, "expires_default_s": 900}}


@pytest.fixture(scope="module")
def d():
    with plant(SHORT, tls=True, ipv6=True) as daemon:
        yield daemon


@pytest.fixture(scope="module")
def many():
    """As many contacts as the location service holds."""
    with plant({"registrar": {"contacts_max": 8}}) as daemon:
        yield daemon


def expires(contact):
    return int(re.search(r";expires=(\d+)", contact).group(1))


def uri(contact):
    return re.search(r"<([^>]*)>", contact).group(1)


def uris(phone):
    return [uri(c) for c in fetch(phone)]


# ---- adding, fetching, removing ---------------------------------------------------------------------


def test_200_lists_what_is_stored(d):
    a = d.phone()
    answer = a.register(expires=600)
    assert [uri(c) for c in answer.all("contact")] == [uri(a.contact)]
    assert 595 <= expires(answer.get("contact")) <= 600
    assert re.match(r"\w{3}, \d\d \w{3} \d{4} \d\d:\d\d:\d\d GMT$", answer.get("date")), answer
    assert answer.tag("to") and answer.get("from").split(";")[0] == f"<sip:{a.user}@{a.domain}>"
    first, second = fetch(a), fetch(a)
    assert [uri(c) for c in first] == [uri(c) for c in second] == [uri(a.contact)]


def test_expires_0_removes_that_binding(d):
    a = d.phone(register=True)
    assert a.register(expires=0).all("contact") == []
    assert fetch(a) == []
    assert a.register(contact=f"{a.contact};expires=0", expires=3600).status == 200, "unknown: harmless"
    assert fetch(a) == []


def test_removing_an_unknown_contact_is_harmless(d):
    a = d.phone(register=True)
    answer = a.register(contact="<sip:nobody@127.0.0.1:9>", expires=0)
    assert [uri(c) for c in answer.all("contact")] == [uri(a.contact)]


def test_star_removes_everything(d):
    a = d.phone(register=True)
    assert a.register(contact="*", expires=0).all("contact") == []
    assert fetch(a) == []


@pytest.mark.parametrize("header,value,expiry", [
    ("no Expires", "*", None), ("Expires: 3600", "*", 3600), ("Expires: abc", "*", "abc"),
    ("another Contact", "*, <sip:x@127.0.0.1:9>", 0), ("another Contact before", "<sip:x@127.0.0.1:9>, *", 0),
])
def test_star_done_wrong_changes_nothing(d, header, value, expiry):
    a = d.phone(register=True)
    assert a.register(contact=value, expires=expiry, expect=400).status == 400, header
    assert uris(a) == [uri(a.contact)]


def test_star_and_a_second_contact_line(d):
    a = d.phone(register=True)
    a.register(contact="*", expires=0, extra=[("Contact", a.contact)], expect=400)
    assert uris(a) == [uri(a.contact)]


# ---- order (10.3 steps 6 and 7) ---------------------------------------------------------------------


def test_lower_cseq_of_the_same_call_id_is_refused(d):
    a = d.phone()
    a.cseq = 100
    a.register()
    for contact in (a.contact, "*"):
        a.cseq = 50
        assert a.register(contact=contact, expires=0, expect=None).status >= 400, contact
        assert uris(a) == [uri(a.contact)], contact


def test_equal_cseq_in_a_new_transaction_is_refused(d):
    a = d.phone()
    a.register()
    stored = a.cseq
    # A new nonce first, so that it is not taken for a retransmission of the accepted one.
    a.cseq = stored + 50
    fresh = a.authorization(challenge(a), "REGISTER", f"sip:{a.domain}")
    headers = a.base("REGISTER", f"sip:{a.user}@{a.domain}", a.call_id, stored, rand(4))
    a.send(f"REGISTER sip:{a.domain} SIP/2.0", headers + [("Contact", a.contact), ("Expires", "0"), fresh])
    assert a.final("REGISTER", a.call_id, stored).status >= 400
    assert uris(a) == [uri(a.contact)]


def challenge(phone):
    """A 401 for a REGISTER that asks for nothing."""
    call_id = rand()
    phone.send(f"REGISTER sip:{phone.domain} SIP/2.0", phone.base(
        "REGISTER", f"sip:{phone.user}@{phone.domain}", call_id, 1, rand(4)))
    return phone.final("REGISTER", call_id)


def test_refreshes_leave_one_binding(d):
    a = d.phone()
    for _ in range(3):
        a.register()
    assert uris(a) == [uri(a.contact)]


def test_reboot_new_call_id_and_low_cseq(d):
    a = d.phone()
    a.cseq = 5000
    a.register(expires=100)
    a.call_id, a.cseq = rand(), 0
    a.register(expires=1000)
    (contact,) = fetch(a)
    assert expires(contact) > 900


def test_back_to_back_in_order(d):
    a = d.phone()
    answer = challenge(a)
    (pick,) = [v for v in answer.all("www-authenticate") if "algorithm=MD5" in v]
    target, count = f"sip:{a.domain}", 0
    for _ in range(15):
        last = []
        for expiry in ("600", "0"):
            a.cseq, count = a.cseq + 1, count + 1
            last.append(a.cseq)
            headers = a.base("REGISTER", f"sip:{a.user}@{a.domain}", a.call_id, a.cseq, "t")
            a.send(f"REGISTER {target} SIP/2.0", headers + [
                ("Contact", a.contact), ("Expires", expiry),
                ("Authorization", digest(pick, "REGISTER", target, a.user, a.password, nc=count))])
        added, removed = (a.final("REGISTER", a.call_id, n) for n in last)
        assert (added.status, removed.status) == (200, 200)
        assert len(added.all("contact")) == 1 and removed.all("contact") == []
    assert fetch(a) == []


def test_retransmission_same_answer_done_once(d):
    a = d.phone()
    answer = a.register()
    raw, epoch = a.sent.raw, d.metric("hotdeskd_store_epoch")
    for _ in range(3):
        a.send_raw(raw)
        again = a.final("REGISTER", a.call_id, a.cseq)
        assert again.status == 200 and [uri(c) for c in again.all("contact")] == [uri(a.contact)]
        assert again.tag("to") == answer.tag("to"), "the same answer has the same tag"
    assert d.metric("hotdeskd_store_epoch") == epoch


def test_retransmission_before_the_answer(d):
    a = d.phone()
    fresh = a.authorization(challenge(a), "REGISTER", f"sip:{a.domain}")
    headers = a.base("REGISTER", f"sip:{a.user}@{a.domain}", a.call_id, 7, rand(4))
    a.send(f"REGISTER sip:{a.domain} SIP/2.0", headers + [("Contact", a.contact), fresh])
    for _ in range(4):
        a.send_raw(a.sent.raw)
    assert a.final("REGISTER", a.call_id, 7).status == 200
    a.cseq = 7
    a.register()
    assert all(m.status in (200, 401) for m in a.inbox), [m.start for m in a.inbox]
    assert uris(a) == [uri(a.contact)]


# ---- expiry -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("parameter,header,least,most", [
    (300, 900, 295, 300), (None, 300, 295, 300), (None, None, 895, 900), (100000, None, 1795, 1800),
    (None, 100000, 1795, 1800), (2**31 - 1, None, 1795, 1800), (2**31, None, 1795, 1800),
    (2**32 - 1, None, 1795, 1800), (None, 2**32 - 1, 1795, 1800), ("abc", None, 895, 900),
    ("abc", 300, 295, 900), ("-1", None, 895, 900), (None, "abc", 895, 900),
    ("99999999999999999999999", None, 895, 1800), (None, "99999999999999999999999", 895, 1800),
])
def test_granted_expiry(d, parameter, header, least, most):
    a = d.phone(register=True)
    contact = a.contact + ("" if parameter is None else f";expires={parameter}")
    answer = a.register(contact=contact, expires=header)
    (listed,) = answer.all("contact")
    assert least <= expires(listed) <= most, listed
    assert uris(a) == [uri(a.contact)]


def test_empty_expires_parameter(d):
    a = d.phone(register=True)
    assert a.register(contact=f"{a.contact};expires=", expect=None).status in (200, 400)
    assert uris(a) == [uri(a.contact)]


def test_too_brief(d):
    a = d.phone()
    for wanted in (1, 59):
        answer = a.register(expires=wanted, expect=423)
        assert answer.get("min-expires") == "60"
    assert fetch(a) == []
    assert expires(a.register(expires=60).get("contact")) == 60
    a.register(contact=f"{a.contact};expires=5", expires=3600, expect=423)
    assert uris(a) == [uri(a.contact)]


def test_expiry_counts_down_and_the_binding_goes():
    with plant({"registrar": {"expires_min_s": 1}}) as d:
        a, b = d.phone(), d.phone(register=True)
        a.register(expires=60)
        d.until("less is left", lambda: expires(fetch(a)[0]) < 60)
        a.register(expires=2)
        d.until("it has expired", lambda: fetch(a) == [])
        assert b.call(a.user, SDP).final().status == 480
        d.until("swept from the store", lambda: [x["phone"] for x in bindings(d)] == [b.user])
        a.register(expires=60)
        assert uris(a) == [uri(a.contact)]


def bindings(d):
    status, answer = d.admin("GET", "/v1/bindings")
    assert status == 200, answer
    return answer["bindings"]


# ---- whose address-of-record ----------------------------------------------------------------------------


def register_as(phone, from_user, to_user):
    """REGISTER with a phone's own credentials for another From and To."""
    line = f"sip:{phone.domain}"
    for cseq in (1, 2):
        headers = [("Via", phone.via()), ("Max-Forwards", "70"),
                   ("From", f"<sip:{from_user}@{phone.domain}>;tag=1"),
                   ("To", to_user if "<" in to_user else f"<sip:{to_user}@{phone.domain}>"),
                   ("Call-ID", rand()), ("CSeq", f"{cseq} REGISTER"), ("Contact", phone.contact)]
        if cseq == 2:
            headers.append(phone.authorization(answer, "REGISTER", line))
        phone.send(f"REGISTER {line} SIP/2.0", headers)
        answer = phone.final("REGISTER", cseq=cseq)
    return answer


def test_another_address_of_record(d):
    a, victim = d.phone(register=True), d.phone(register=True)
    assert register_as(a, victim.user, victim.user).status == 403
    assert register_as(a, a.user, victim.user).status == 403
    assert register_as(a, a.user, "nobody-at-all").status == 403
    assert register_as(a, a.user, f"<sip:{a.user}@elsewhere.test>").status in (403, 404)
    assert register_as(a, a.user, "<tel:+49123>").status in (400, 403, 404)
    assert uris(victim) == [uri(victim.contact)]


def test_unknown_account(d):
    nobody = d.phone("nobody", secret="x")
    assert nobody.register(expect=None).status == 401


def test_canonical_address_of_record(d):
    a = d.phone()
    escaped = "".join(f"%{ord(c):02x}" for c in a.user)
    for to in (f"<sip:{a.user}@{a.domain.upper()};user=phone;foo>", f"<sip:{escaped}@{a.domain}>",
               f'"A ; <> name" <sip:{a.user}@{a.domain}>'):
        assert register_as(a, a.user, to).status == 200, to
        assert uris(a) == [uri(a.contact)]


def test_foreign_domain(d):
    a = d.phone()
    a.domain, own = "elsewhere.test", a.domain
    assert a.register(expect=None).status in (404, 403, 401)
    a.domain = own
    assert fetch(a) == []


def test_bindings_do_not_leak(d):
    a, b = d.phones_of(2)
    assert str(a.port) not in repr(b.register())


# ---- what a REGISTER may carry ----------------------------------------------------------------------------


def test_require(d):
    a = d.phone()
    answer = a.register(extra=[("Require", "x-nobody, x-knows"), ("Require", "x-this")], expect=420)
    tags = {t.strip() for value in answer.all("unsupported") for t in value.split(",")}
    assert tags == {"x-nobody", "x-knows", "x-this"}
    assert fetch(a) == []


def test_record_route_and_body_are_ignored(d):
    a = d.phone()
    answer = a.register(extra=[("Record-Route", "<sip:127.0.0.1:9;lr>")])
    assert answer.all("record-route") == []
    call_id = a.call_id
    fresh = a.authorization(challenge(a), "REGISTER", f"sip:{a.domain}")
    headers = a.base("REGISTER", f"sip:{a.user}@{a.domain}", call_id, 90, "t")
    a.send(f"REGISTER sip:{a.domain} SIP/2.0", headers + [
        ("Contact", a.contact), ("Content-Type", "text/plain"), fresh], b"\0a body\xff")
    assert a.final("REGISTER", call_id, 90).status == 200


@pytest.mark.parametrize("bad", [
    "<sip:x@127.0.0.1:port>", "<sip:>", "<mailto:x@y>", "<tel:+49123>", "<http://127.0.0.1/>", "sip:x@[::1",
    '"open <sip:x@127.0.0.1>', "<sip:x@127.0.0.1", "<>", ",", "<sip:x@127.0.0.1> junk",
])
@pytest.mark.parametrize("place", ["alone", "same line", "line before", "line after"])
def test_one_bad_contact_spoils_all(many, bad, place):
    if (bad, place) == (",", "same line"):
        pytest.skip("an empty list element is nothing")
    a = many.phone()
    value = {"alone": bad, "same line": f"{a.contact}, {bad}", "line before": bad, "line after": a.contact}[place]
    extra = {"line before": [("Contact", a.contact)], "line after": [("Contact", bad)]}.get(place, [])
    status = a.register(contact=value, extra=extra, expect=None).status
    assert status in (400, 416), f"{status}: {value} {extra}"
    assert fetch(a) == []


@pytest.mark.parametrize("q", ["1.5", "abc", "-1", "0.1234567", "2", ""])
def test_bad_q(d, q):
    a = d.phone()
    status = a.register(contact=f"{a.contact};q={q}", expect=None).status
    assert status in (200, 400)
    assert len(fetch(a)) == (status == 200)


def test_contact_forms(d):
    a = d.phone()
    at = f"{a.host}:{a.port}"
    for value, stored in [
            (f'"Quoted \\" , ; < > name" <sip:{a.user}@{at};x=1>', f"sip:{a.user}@{at};x=1"),
            (f"Bare Name <sip:{a.user}@{at}>", f"sip:{a.user}@{at}"),
            (f"sip:{a.user}@{at};p=header", f"sip:{a.user}@{at}"),
            (f"<sip:{a.user}@{at};p=uri>", f"sip:{a.user}@{at};p=uri"),
            (f"<sip:{a.user}%40%2f@{at};y=%20z>", f"sip:{a.user}%40%2f@{at};y=%20z")]:
        answer = a.register(contact=value)
        assert [uri(c) for c in answer.all("contact")] == [stored], value


def test_parameters_come_back(d):
    a = d.phone()
    instance = '+sip.instance="<urn:uuid:00000000-0000-1000-8000-00085D4A0F8B>"'
    (contact,) = a.register(contact=f"{a.contact};q=0.7;{instance};reg-id=1;methods=\"INVITE, ACK\"") \
        .all("contact")
    for part in ("q=0.7", instance, "reg-id=1", 'methods="INVITE, ACK"'):
        assert part in contact, contact


def test_compact_forms_odd_case_and_folding(d):
    a = d.phone()
    fresh = a.authorization(challenge(a), "REGISTER", f"sip:{a.domain}")
    raw = text(f"REGISTER sip:{a.domain} SIP/2.0", [
        f"v: {a.via()}", "mAX-fORWARDS:70", f"f  :\t<sip:{a.user}@{a.domain}>;tag=1",
        f"t:\r\n <sip:{a.user}@{a.domain}>", f"i: {a.call_id}", "cseq: 0009\r\n REGISTER",
        f"m: {a.contact}", "EXPIRES : 700", f"{fresh[0]}: {fresh[1]}".replace(", uri", ",\r\n\turi")])
    a.send_raw(raw)
    assert a.final("REGISTER", a.call_id).status == 200
    (contact,) = fetch(a)
    assert 690 < expires(contact) <= 700


# ---- one contact, or several ------------------------------------------------------------------------------


def test_a_new_contact_replaces_the_old_one(d):
    a = d.phone(register=True)
    moved = d.phone(a.user, register=True)
    assert uris(a) == [uri(moved.contact)]
    call = d.phone(register=True).call(a.user, SDP).challenge()
    moved.accept().answer(603)
    assert call.final().status == 603
    a.none("call at the old place", lambda m: m.method == "INVITE", 0.1)


def test_one_request_with_too_many_contacts(d):
    a = d.phone()
    answer = a.register(extra=[("Contact", "<sip:2@127.0.0.1:9>")], expect=None)
    assert answer.status in (200, 403) and len(fetch(a)) <= 1


def test_several_contacts(many):
    a, b = many.phone(), None
    b = many.phone(a.user)
    a.register()
    answer = b.register(contact=f"{b.contact};q=0.5, <sip:third@127.0.0.1:9>",
                        extra=[("Contact", "<sip:fourth@127.0.0.1:9>;q=0.1")])
    assert sorted(uri(c) for c in answer.all("contact")) == sorted(
        [uri(a.contact), uri(b.contact), "sip:third@127.0.0.1:9", "sip:fourth@127.0.0.1:9"])
    assert len(uris(a)) == 4
    b.register(expires=0)
    assert sorted(uris(a)) == sorted([uri(a.contact), "sip:third@127.0.0.1:9", "sip:fourth@127.0.0.1:9"])
    a.register(contact="*", expires=0)
    assert fetch(a) == []


def test_equal_uris_are_one_binding(many):
    a = many.phone()
    at = f"{a.host}:{a.port}"
    a.register(contact=f"<sip:{a.user}@{at};x=1>")
    escaped = f"%{ord(a.user[0]):x}{a.user[1:]}"
    a.register(contact=f"<SIP:{escaped}@{at};X=1>")
    assert len(fetch(a)) == 1
    a.register(contact=f"<sip:{a.user.upper()}@{at};x=1>")
    assert len(fetch(a)) == 2, "the user part is case-sensitive"


def test_same_instance_moves(many):
    a = many.phone()
    instance = ';+sip.instance="<urn:uuid:f81d4fae-7dec-11d0-a765-00a0c91e6bf6>";reg-id=1'
    a.register(contact=a.contact + instance)
    moved = many.phone(a.user)
    moved.register(contact=moved.contact + instance)
    assert uris(a) == [uri(moved.contact)]


def test_limit_of_contacts(many):
    a = many.phone()
    for i in range(8):
        a.register(contact=f"<sip:{i}@127.0.0.1:9>")
    assert a.register(contact="<sip:9@127.0.0.1:9>", expect=None).status == 403
    assert len(fetch(a)) == 8
    a.register(contact="<sip:0@127.0.0.1:9>", expires=0)
    a.register(contact="<sip:9@127.0.0.1:9>")
    assert len(fetch(a)) == 8


def test_many_contacts_in_one_request(d, many):
    for daemon in (d, many):
        a = daemon.phone(transport="tcp", register=True)
        bomb = [("Contact", f"<sip:{i}@127.0.0.1:9>") for i in range(300)]
        assert a.register(extra=bomb, expect=None).status in (400, 403, 413)
        assert a.register(contact=", ".join(v for _, v in bomb), expect=None).status in (400, 403, 413)
        assert uris(a) == [uri(a.contact)]


# ---- transports, NAT ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("transport,ipv6", [("udp", False), ("tcp", False), ("tls", False), ("udp", True),
                                            ("tcp", True)])
def test_transports(d, transport, ipv6):
    a, ben = d.phone(transport=transport, ipv6=ipv6), d.phone(register=True)
    answer = a.register()
    assert [uri(c) for c in answer.all("contact")] == [uri(a.contact)]
    (via,) = answer.all("via")
    assert f"rport={a.real[1]}" in via, via
    call = ben.call(a.user, SDP).challenge()
    a.accept().answer(486)
    assert call.final().status == 486


def test_natted_phone_keeps_its_contact_and_is_reached_at_its_source(d):
    a, twin = (d.phone(behind=("10.23.45.67", 5060)) for _ in range(2))
    for phone in (a, twin):
        answer = phone.register()
        assert uris(phone) == [f"sip:{phone.user}@10.23.45.67:5060"]
        (via,) = answer.all("via")
        assert "received=127.0.0.1" in via and f"rport={phone.real[1]}" in via
    ben = d.phone(register=True)
    for phone in (a, twin):
        call = ben.call(phone.user, SDP).challenge()
        invite = phone.request("INVITE")
        assert invite.ruri == f"sip:{phone.user}@10.23.45.67:5060"
        phone.reply(invite, 486, to_tag="x")
        assert call.final().status == 486


def test_nat_rebinding(d):
    a = d.phone(behind=("10.23.45.67", 5060), register=True)
    again = d.phone(a.user, behind=("10.23.45.67", 5060))
    again.call_id, again.cseq = a.call_id, a.cseq
    again.register()
    call = d.phone(register=True).call(a.user, SDP).challenge()
    leg = again.accept()
    leg.answer(486)
    assert call.final().status == 486


def test_claimed_received_is_not_believed(d):
    a = d.phone(behind=("10.23.45.67", 5060))
    via = a.via
    a.via = lambda branch=None: via(branch) + ";received=127.0.0.99"
    a.register()
    call = d.phone(register=True).call(a.user, SDP).challenge()
    a.accept().answer(486)
    assert call.final().status == 486


def test_streams_in_pieces_and_in_heaps(d):
    server = d.address("tcp")
    with Raw(server, "tcp") as raw:
        via = f"Via: SIP/2.0/TCP 127.0.0.1:{raw.address[1]};rport;branch=z9hG4bK"
        one = [text(f"REGISTER sip:{d.conf['sip']['domain']} SIP/2.0", [
            via + rand(), "Max-Forwards: 70", "From: <sip:p0@hotdesk.test>;tag=1", "To: <sip:p0@hotdesk.test>",
            f"Call-ID: heap-{i}", "CSeq: 1 REGISTER"]) for i in range(6)]
        raw.send(b"\r\n\r\n\r\n")
        for byte in one[0]:
            raw.send(bytes([byte]))
        assert raw.receive().get("call-id") == "heap-0"
        raw.send(b"".join(one[1:]))
        assert sorted(raw.receive().get("call-id") for _ in range(5)) == [f"heap-{i}" for i in range(1, 6)]


# ---- what survives ------------------------------------------------------------------------------------------


def test_durable_and_soft():
    with plant() as d:
        a, b, ben = d.phones_of(3)
        moved = d.phone(a.user)
        before = d.metric("hotdeskd_store_epoch")
        for _ in range(5):
            a.register()
        assert d.metric("hotdeskd_store_epoch") == before, "a mere refresh waits for company"
        moved.register()
        assert d.metric("hotdeskd_store_epoch") > before, "a changed binding does not"
        b.register(expires=0)
        d.restart(kill=True)
        assert uris(moved) == [uri(moved.contact)]
        assert fetch(b) == []
        call = ben.call(a.user, SDP).challenge()
        moved.accept().answer(486)
        assert call.final().status == 486
        moved.cseq += 1
        moved.register(), b.register()
        assert b.user in [x["phone"] for x in bindings(d)]


def test_what_was_just_said_counts(many):
    """A refresh that waits for its commit is seen by the next REGISTER, and its CSeq orders that."""
    a = many.phone()
    for lifetime in (600, 700, 800):
        a.register(expires=lifetime)
        (contact,) = fetch(a)
        assert lifetime - 5 < expires(contact) <= lifetime
    stored, a.cseq = a.cseq, a.cseq - 2
    assert a.register(expires=0, expect=None).status >= 400, f"CSeq {a.cseq} after {stored}"
    assert len(fetch(a)) == 1


def test_refresh_is_written_within_seconds():
    with plant({"store": {"soft_delay_ms": 300}, "registrar": {"expires_min_s": 1}}) as d:
        a = d.phone()
        a.register(expires=30)
        epoch = d.metric("hotdeskd_store_epoch")
        a.register(expires=1000)
        d.until("the refresh is written", lambda: d.metric("hotdeskd_store_epoch") > epoch)
        d.restart(kill=True)
        (contact,) = fetch(a)
        assert expires(contact) > 900


def test_forty_at_once(d):
    phones = [d.phone() for _ in range(40)]
    line = f"sip:{d.conf['sip']['domain']}"
    for a in phones:
        a.send(f"REGISTER {line} SIP/2.0", a.base("REGISTER", f"sip:{a.user}@{a.domain}", a.call_id, 1, "t"))
    answers = [a.final("REGISTER", cseq=1) for a in phones]
    for a, answer in zip(phones, answers):
        headers = a.base("REGISTER", f"sip:{a.user}@{a.domain}", a.call_id, 2, "t")
        a.send(f"REGISTER {line} SIP/2.0", headers + [
            ("Contact", a.contact), a.authorization(answer, "REGISTER", line)])
    for a in phones:
        assert a.final("REGISTER", cseq=2).status == 200
    held = {b["phone"] for b in bindings(d)}
    assert {a.user for a in phones} <= held


# ---- what a REGISTER shows of the phone -------------------------------------------------------------


def seen(d, phone):
    return json.loads(d.ctl("--json", "phone", "show", phone.user).stdout)["seen"]


def test_what_a_phone_shows_is_kept(d):
    a = d.phone()
    a.agent = "snomD785/10.1.84.12"
    assert seen(d, a)["model"] is None
    a.register(extra=[("X-Serialnumber", "000413AABB01")])
    first = seen(d, a)
    assert (first["model"], first["firmware"], first["mac"]) == ("snom-d785", "10.1.84.12", "000413aabb01")
    a.register()
    assert seen(d, a) == first, "a refresh changes nothing"
    a.agent = "snomD785/10.1.99.0"
    a.register()
    assert (seen(d, a)["firmware"], seen(d, a)["mac"]) == ("10.1.99.0", "000413aabb01")


def test_the_mac_in_the_instance_is_seen(d):
    a = d.phone()
    a.agent = "Aastra 6867i/4.5.0.41"
    a.register(contact=a.contact + ';+sip.instance="<urn:uuid:00000000-0000-1000-8000-00085D738C60>"')
    assert (seen(d, a)["model"], seen(d, a)["mac"]) == ("aastra-6867i", "00085d738c60")


def test_an_agent_of_nothing_is_harmless(d):
    a = d.phone()
    a.agent = "\"<script>" + "x" * 200 + "/9'--"
    a.register(extra=[("X-Serialnumber", "not a mac")])
    assert seen(d, a)["mac"] is None and "violations: 0" in d.ctl("check").stdout
