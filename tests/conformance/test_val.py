"""Request validation, request targets, transparency (RFC 3261 7, 8, 16.3-16.6, 18.3)."""

import itertools
import re

import pytest

from plant import N, fetch, plant
from raw import Request, assert_same, deliver, squeeze
from steps import no_more
from support.sip import CRLF, SDP, Message, digest, rand
from support.wire import Ear, Raw, bare_via, lines, ping, text

row = pytest.mark.row
TORTURE = __import__("pathlib").Path(__file__).resolve().parents[1] / "scenario/torture"


@pytest.fixture(scope="module")
def d():
    with plant() as daemon:
        daemon.ids = itertools.cycle(range(N))
        yield daemon


@pytest.fixture
def pair(d):
    a, b = d.phones_of(2)
    yield a, b
    ping(d.address())


def nothing_forwarded(callee, what):
    no_more(callee, what, lambda m: m.method, 0.15)


def refused(phone, callee, request, codes, or_silence=False):
    """One of the codes (or silence), with or without a challenge before it; nothing reaches the callee."""
    try:
        answer = request.response(timeout=0.3 if or_silence else None)
    except AssertionError:
        if not or_silence:
            raise
        answer = None
    if answer and answer.status in (401, 407):
        phone.inbox.append(answer)
        request.authorize()
        try:
            answer = request.response(timeout=0.3 if or_silence else None)
        except AssertionError:
            if not or_silence:
                raise
            answer = None
    nothing_forwarded(callee, request.sent.start)
    assert answer is None or answer.status in codes, f"expected {codes}, got\n{answer}\nto\n{request.sent}"
    return answer


# ---- Max-Forwards --------------------------------------------------------------------------------------


@row("VAL-01")
def test_max_forwards_0_of_an_invite(pair):
    a, b = pair
    refused(a, b, Request(a, "INVITE", f"sip:{b.user}@hotdesk.test", ["Max-Forwards: 0"]), [483])


@row("VAL-02")
def test_max_forwards_0_of_options(pair):
    a, b = pair
    refused(a, b, Request(a, "OPTIONS", f"sip:{b.user}@hotdesk.test", ["Max-Forwards: 0"]), [483, 200])


@row("VAL-03")
def test_without_max_forwards(pair):
    a, b = pair
    sent, got, answer = deliver(a, b, "INVITE", status=486, without=["Max-Forwards"])
    assert got.all("max-forwards") == ["70"] and answer.status == 486
    assert sent.all("max-forwards") == []


@row("VAL-04")
@pytest.mark.parametrize("before, after", (("1", "0"), ("255", "254"), ("70", "69"), ("0068", "67")))
def test_max_forwards_is_one_less(pair, before, after):
    a, b = pair
    _, got, answer = deliver(a, b, "MESSAGE", [f"Max-Forwards: {before}"])
    assert got.all("max-forwards") == [after] and answer.status == 200


@row("VAL-05")
@pytest.mark.parametrize("value", ("256", "-1", "abc", "99999999999999999999", "", "70 70", "70;x"))
def test_wrong_max_forwards(pair, value):
    a, b = pair
    request = Request(a, "MESSAGE", f"sip:{b.user}@hotdesk.test", [f"Max-Forwards: {value}"])
    answer = request.response()
    if answer.status == 407:
        a.inbox.append(answer)
        request.authorize()
        got = b.request("MESSAGE")
        b.reply(got, 200)
        assert int(got.get("max-forwards")) <= 254, repr(got)
        answer = request.response()
        assert answer.status == 200
    else:
        assert answer.status == 400, repr(answer)
        nothing_forwarded(b, value)


# ---- extensions, schemes, methods ----------------------------------------------------------------------


@row("VAL-06")
@pytest.mark.parametrize("header", (["Proxy-Require: x-foo, x-bar"], ["Proxy-Require: x-foo", "Proxy-Require: x-bar"],
                                    ["PROXY-REQUIRE :\r\n x-foo ,\r\n x-bar"]))
@pytest.mark.parametrize("method", ("INVITE", "MESSAGE", "OPTIONS"))
def test_proxy_require(pair, method, header):
    a, b = pair
    answer = refused(a, b, Request(a, method, f"sip:{b.user}@hotdesk.test", header), [420])
    tags = [t.strip() for v in answer.all("unsupported") for t in v.split(",")]
    assert sorted(tags) == ["x-bar", "x-foo"], repr(answer)


@row("VAL-06")
def test_proxy_require_without_an_option(pair):
    a, b = pair
    sent, got, _ = deliver(a, b, "MESSAGE", ["Proxy-Require:"])
    assert_same(sent, got)


@row("VAL-07")
def test_require_is_for_the_phone(pair):
    a, b = pair
    sent, got, answer = deliver(a, b, "INVITE", ["Require: x-uas-only, x-and-more"], status=420)
    assert got.get("require") == "x-uas-only, x-and-more" and answer.status == 420
    assert_same(sent, got)


@row("VAL-08")
@pytest.mark.parametrize("uri", ("nobodyKnowsThisScheme:opaque", "soap.beep://192.0.2.103:3002", "http://hotdesk.test",
                                 "isbn:2983792873", "mailto:a@hotdesk.test", "urn:service:x-none"))
@pytest.mark.parametrize("method", ("OPTIONS", "INVITE", "MESSAGE"))
def test_unknown_scheme(pair, method, uri):
    a, b = pair
    refused(a, b, Request(a, method, uri), [416])


@row("VAL-09")
@pytest.mark.parametrize("method", ("FROBNICATE", "invite", "REGISTERED", "X-a.b!c%d*e_f+g`h'i~j"))
def test_unknown_method(pair, method):
    a, b = pair
    sent, got, answer = deliver(a, b, method, ["X-Own: 1"])
    assert_same(sent, got)
    assert answer.status == 200 and answer.cseq_method == method


# ---- mandatory headers ---------------------------------------------------------------------------------


@row("VAL-10")
@pytest.mark.nolint("LNT-11")  # what the request had not the answer has not
@pytest.mark.parametrize("name", ("Call-ID", "CSeq", "From", "To", "Via"))
@pytest.mark.parametrize("method", ("INVITE", "MESSAGE"))
def test_without_a_mandatory_header(pair, method, name):
    a, b = pair
    more = {"via": "X-No: Via"} if name == "Via" else {"without": [name]}
    refused(a, b, Request(a, method, f"sip:{b.user}@hotdesk.test", **more), [400], or_silence=True)


@row("VAL-11")
@pytest.mark.parametrize("version, codes", (("SIP/7.0", [505]), ("SIP/3.0", [505]), ("HTTP/1.1", [505, 400]),
                                            ("SIP/2.1", [505]), ("SIP/2.0.0", [505, 400])))
def test_other_versions(pair, version, codes):
    a, b = pair
    raw = text(f"MESSAGE sip:{b.user}@hotdesk.test {version}", [
        f"Via: {a.via()}", "Max-Forwards: 70", f"From: <sip:{a.user}@hotdesk.test>;tag=1",
        f"To: <sip:{b.user}@hotdesk.test>", f"Call-ID: {rand()}", "CSeq: 1 MESSAGE"])
    a.send_raw(raw)
    nothing_forwarded(b, version)
    a.pump(0.2)
    assert all(m.status in codes for m in a.inbox), a.inbox
    if version.startswith("SIP/"):
        assert a.inbox, f"no answer to {version}"


@row("VAL-11")
@pytest.mark.parametrize("version", ("sip/2.0", "Sip/2.0"))
def test_version_is_not_case_sensitive(pair, version):
    a, b = pair
    a.send_raw(text(f"OPTIONS sip:hotdesk.test {version}", [
        f"Via: {a.via()}", "Max-Forwards: 70", f"From: <sip:{a.user}@hotdesk.test>;tag=1",
        "To: <sip:hotdesk.test>", f"Call-ID: {rand()}", "CSeq: 1 OPTIONS"]))
    assert a.final("OPTIONS").status == 200


@row("VAL-12")
@pytest.mark.parametrize("method, cseq", (("MESSAGE", "5 OPTIONS"), ("INVITE", "5 ACK"), ("FROBNICATE", "5 FROBNICATED"),
                                          ("MESSAGE", "5 message"), ("REGISTER", "5 INVITE")))
def test_cseq_of_another_method(pair, method, cseq):
    a, b = pair
    refused(a, b, Request(a, method, f"sip:{b.user}@hotdesk.test", cseq=cseq), [400])


@row("VAL-13")
@pytest.mark.parametrize("second", ("CSeq: 8 MESSAGE", "CSeq: 7 INVITE", "Call-ID: other@raw", "To: <sip:other@hotdesk.test>",
                                    "From: <sip:other@hotdesk.test>;tag=2", "i: other", "t: <sip:x@y>", "f: <sip:x@y>;tag=3",
                                    "Max-Forwards: 10"))
def test_two_of_a_single_header(pair, second):
    a, b = pair
    uri = f"sip:{b.user}@hotdesk.test"
    first = {"c": ("CSeq", "7 MESSAGE"), "i": ("Call-ID", rand()), "t": ("To", f"<{uri}>"), "m": ("Max-Forwards", "70"),
             "f": ("From", f"<sip:{a.user}@hotdesk.test>;tag=1")}
    name, value = first[{"Call-ID": "i"}.get(second.split(":")[0], second[0].lower())]
    refused(a, b, Request(a, "MESSAGE", uri, [f"{name}: {value}", second]), [400], or_silence=True)


# ---- Content-Length ------------------------------------------------------------------------------------


@row("VAL-14")
@pytest.mark.parametrize("method", ("MESSAGE", "INVITE"))
@pytest.mark.parametrize("body", (b"short", b""))
def test_datagram_shorter_than_its_length(pair, method, body):
    a, b = pair
    refused(a, b, Request(a, method, f"sip:{b.user}@hotdesk.test", ["Content-Length: 9999"], body), [400])


@row("VAL-15")
@pytest.mark.parametrize("header", (["Content-Length: 5"], ["l:5"]))
def test_datagram_longer_than_its_length(pair, header):
    a, b = pair
    request = Request(a, "MESSAGE", f"sip:{b.user}@hotdesk.test", ["Content-Type: text/plain"] + header,
                      b"hello, more!!", length=False).authorize()
    got = b.request("MESSAGE")
    assert got.body == b"hello" and got.get("content-length") == "5", repr(got)
    b.reply(got, 200)
    assert request.response().status == 200


@row("VAL-15")
def test_response_longer_than_its_length(pair):
    a, b = pair
    request = Request(a, "MESSAGE", f"sip:{b.user}@hotdesk.test").authorize()
    got = b.request("MESSAGE")
    b.send_raw(text("SIP/2.0 200 OK", [f"Via: {v}" for v in got.all("via")] + [
        f"{n}: {got.get(n)}" for n in ("From", "To", "Call-ID", "CSeq")] + ["Content-Length: 5"],
        b"helloINVITE sip:x SIP/2.0\r\n\r\n", length=False))
    answer = request.response()
    assert answer.status == 200 and answer.body == b"hello", repr(answer)


@row("VAL-15")
def test_octets_behind_a_body_of_none(pair):
    a, b = pair
    request = Request(a, "MESSAGE", f"sip:{b.user}@hotdesk.test", ["Content-Length: 0"], b"INVITE sip:x SIP/2.0\r\n\r\n")
    request.authorize()
    got = b.request("MESSAGE")
    assert got.body == b"", repr(got)
    b.reply(got, 200)
    assert request.response().status == 200
    nothing_forwarded(b, "what stood behind the body")


@row("VAL-16")
def test_datagram_without_a_length(pair):
    a, b = pair
    sent, got, answer = deliver(a, b, "MESSAGE", ["Content-Type: text/plain"], b"to the end\r\n\r\nof it", length=False)
    assert got.body == sent.body == b"to the end\r\n\r\nof it" and answer.status == 200
    assert got.get("content-length") in (None, str(len(got.body)))


@row("VAL-17")
@pytest.mark.parametrize("header", (["Content-Length: -5"], ["Content-Length: five"], ["Content-Length: 0x5"],
                                    ["Content-Length: 5", "Content-Length: 9"], ["l: 5", "Content-Length: 9"],
                                    [f"Content-Length: {2**32 + 5}"], [f"Content-Length: {2**64 + 5}"],
                                    ["Content-Length: 5 5"], ["Content-Length: 5, 9"], ["Content-Length: +5"],
                                    ["Content-Length: 5.0"], ["Content-Length:"]), ids=str)
def test_wrong_length(pair, header):
    a, b = pair
    refused(a, b, Request(a, "MESSAGE", f"sip:{b.user}@hotdesk.test", header, b"hello"), [400, 413], or_silence=True)


# ---- forms of headers ----------------------------------------------------------------------------------


@row("VAL-18")
def test_compact_forms(pair):
    a, b = pair
    uri, call_id = f"sip:{b.user}@hotdesk.test", rand()
    header = [f"f: <sip:{a.user}@hotdesk.test>;tag=c1", f"t: <{uri}>", f"i: {call_id}", f"m: {a.contact}",
              "c: application/sdp", "s: compact", "k: 100rel", f"l: {len(SDP)}"]
    request = Request(a, "INVITE", uri, header, SDP, length=False, via=None,
                      without=["From", "To", "Call-ID", "Contact"])
    request.authorize()
    got = b.request("INVITE")
    for name, value in (("call-id", call_id), ("subject", "compact"), ("supported", "100rel"), ("contact", a.contact),
                        ("content-type", "application/sdp"), ("content-length", str(len(SDP)))):
        assert got.all(name) == [value], f"{name}: expected {value}, got\n{got}"
    assert got.tag("from") == "c1" and got.body == SDP
    b.reply(got, 486, "Busy Here", "x")
    b.request("ACK")
    assert request.response().status == 486


@row("VAL-18")
def test_compact_via(pair):
    a, b = pair
    request = Request(a, "MESSAGE", f"sip:{b.user}@hotdesk.test", via=f"v: {a.via('z9hG4bKcompact1')}")
    request.branch = "z9hG4bKcompact1"
    first = request.response()
    assert first.status == 407
    request.via = f"v: {a.via('z9hG4bKcompact2')}"
    a.inbox.append(first)
    request.authorize()
    got = b.request("MESSAGE")
    assert len(got.all("via")) == 2
    b.reply(got, 200)
    request.branch = "z9hG4bKcompact2"
    assert request.response().status == 200


@row("VAL-19")
def test_folds_case_and_spaces(pair):
    a, b = pair
    uri = f"sip:{b.user}@hotdesk.test"
    header = [f"TO  :\r\n  <{uri}>", f"fRoM\t: <sip:{a.user}@hotdesk.test>\r\n ;tag=folded", "cSEQ: 12\r\n\t MESSAGE",
              "Subject: one\r\n  two\r\n\tthree", "CALL-id:  spaced@raw  ", "mAX-fORWARDS   :   50"]
    sent, got, answer = deliver(a, b, "MESSAGE", header)
    assert got.get("max-forwards") == "49" and got.tag("from") == "folded" and answer.status == 200
    assert [squeeze(got.get(n)) for n in ("to", "cseq", "subject", "call-id")] == \
        [f"<{uri}>", "12MESSAGE", "onetwothree", "spaced@raw"]
    assert re.fullmatch(r"one\s+two\s+three", got.get("subject"))


# ---- targets -------------------------------------------------------------------------------------------


@row("VAL-20")
def test_known_without_a_binding(d, pair):
    a, _ = pair
    other = d.phone()
    for uri in (f"sip:{other.user}@hotdesk.test", "sip:202@hotdesk.test"):
        answer = Request(a, "INVITE", uri).final()
        assert answer.status == 480, repr(answer)


@row("VAL-21")
@pytest.mark.parametrize("user", ("nobody", "299", "2010", "p1000", "%20", "201;x"))
def test_unknown_user(pair, user):
    a, b = pair
    assert Request(a, "INVITE", f"sip:{user}@hotdesk.test").final().status == 404
    nothing_forwarded(b, user)


@row("VAL-22")
@pytest.mark.parametrize("method", ("INVITE", "MESSAGE", "OPTIONS", "SUBSCRIBE", "ACK", "BYE", "NOTIFY", "FROB"))
def test_no_open_relay(d, method):
    stranger = d.phone("stranger", secret="none")
    with Ear("127.0.0.72") as ear:
        uri = f"sip:x@{ear.host}:{ear.port}"
        request = Request(stranger, method, uri)
        if method == "ACK":
            no_more(stranger, "answer to an ACK", timeout=0.1)
        else:
            assert request.response().status in (401, 403, 404, 407, 481)
        assert ear.heard(0.15) is None, "it was sent out"


@row("VAL-22")
def test_no_open_relay_for_phones_either(pair):
    a, _ = pair
    with Ear("127.0.0.72") as ear:
        answer = Request(a, "INVITE", f"sip:x@{ear.host}:{ear.port}").final()
        assert answer.status in (403, 404), repr(answer)
        assert ear.heard(0.15) is None, "it was sent out"


@row("VAL-23")
@pytest.mark.parametrize("method", ("INVITE", "MESSAGE", "OPTIONS", "BYE", "ACK"))
@pytest.mark.parametrize("lr", (";lr", ""))
@pytest.mark.parametrize("user", ("x@hotdesk.test", "p1@hotdesk.test", "hotdesk.test"))
def test_no_open_relay_by_route(d, method, lr, user):
    stranger = d.phone("stranger", secret="none")
    with Ear("127.0.0.72") as ear:
        request = Request(stranger, method, f"sip:{user}", [f"Route: <sip:{ear.host}:{ear.port}{lr}>"])
        if method == "ACK":
            no_more(stranger, "answer to an ACK", timeout=0.1)
        else:
            assert request.response().status in (401, 403, 404, 407, 481, 200 if user == "hotdesk.test" else 404)
        assert ear.heard(0.15) is None, "it was sent out"


# ---- transparency --------------------------------------------------------------------------------------


@row("VAL-24")
def test_utf8(pair):
    a, b = pair
    uri = f"sip:{b.user}@hotdesk.test"
    request = Request(a, "MESSAGE", uri, [f"From: \"Jürgen Øst 漢字\" <sip:{a.user}@hotdesk.test>;tag=u",
                                          f"To: \"Żółć\" <{uri}>", "Subject: Grüße 😀", "X-U: ß"]).authorize()
    got = b.request("MESSAGE")
    assert_same(request.sent, got)
    b.send(f"SIP/2.0 200 Grüß Gott 漢字", [("Via", v) for v in got.all("via")] + [
        (n, got.get(n)) for n in ("From", "To", "Call-ID", "CSeq")] + [("Server", "Größe")])
    answer = request.response()
    assert answer.start == "SIP/2.0 200 Grüß Gott 漢字" and answer.get("server") == "Größe", repr(answer)
    assert answer.get("from") == f"\"Jürgen Øst 漢字\" <sip:{a.user}@hotdesk.test>;tag=u"


@row("VAL-25")
@pytest.mark.parametrize("transport", ("udp", "tcp"))
def test_binary_bodies(d, transport):
    body = bytes(range(256)) + b"\r\n\r\n\0\0" + bytes(reversed(range(256))) + b"\r\n"
    a, b = d.phone(transport=transport, register=True), d.phone(transport=transport, register=True)
    request = Request(a, "MESSAGE", f"sip:{b.user}@hotdesk.test", ["Content-Type: application/octet-stream"], body)
    got = request.authorize() and b.request("MESSAGE")
    assert_same(request.sent, got)
    b.reply(got, 200, extra=[("Content-Type", "application/octet-stream")], body=body)
    assert request.response().body == body


@row("VAL-26")
def test_large_request_over_udp(pair):
    a, b = pair
    header = [f"X-Long-{i}: " + "abcdefghij" * 6 for i in range(60)]
    sent, got, answer = deliver(a, b, "MESSAGE", header, b"x" * 1200)
    assert_same(sent, got)
    assert len(sent.raw) > 5500 and answer.status == 200


@row("VAL-27")
@pytest.mark.parametrize("size", (4096, 8191, 8192, 16384, 40000, 60000))
def test_large_request_over_tcp(d, size):
    a, b = d.phone(transport="tcp", register=True), d.phone(transport="tcp", register=True)
    body = bytes(i * 7 % 256 for i in range(size))
    request = Request(a, "MESSAGE", f"sip:{b.user}@hotdesk.test", ["Content-Type: application/octet-stream"], body)
    got = request.authorize() and b.request("MESSAGE")
    assert_same(request.sent, got)
    b.reply(got, 200, body=body)
    assert request.response().body == body


@row("VAL-28")
@pytest.mark.parametrize("uri", ("sip:hotdesk.test", "sip:HOTDESK.TEST", "sip:hotdesk.test;transport=udp"))
def test_options_to_the_server(d, uri):
    stranger = d.phone("stranger", secret="none")
    answer = Request(stranger, "OPTIONS", uri).response()
    assert answer.status == 200 and answer.get("allow") and answer.get("accept"), repr(answer)


@row("VAL-29")
def test_options_to_a_phone(pair):
    a, b = pair
    request = Request(a, "OPTIONS", f"sip:{b.user}@hotdesk.test").authorize()
    b.reply(b.request("OPTIONS"), 200, extra=[("X-Marker", "the phone itself")])
    assert request.response().get("x-marker") == "the phone itself"


@row("VAL-30")
@pytest.mark.parametrize("form", ("sip:{escaped}@hotdesk.test", "sip:{user}@HOTDESK.TEST", "sip:{user}@hotdesk.test;user=phone",
                                  "SIP:{user}@HotDesk.Test", "sip:{user}@hotdesk.test;x-unknown=1;transport=udp",
                                  "sip:{user}@hotdesk.test;lr"))
def test_target_is_canonicalised(pair, form):
    a, b = pair
    escaped = "".join(f"%{ord(c):02x}" for c in b.user)
    uri = form.format(user=b.user, escaped=escaped)
    _, got, answer = deliver(a, b, "MESSAGE", uri=uri)
    assert got.ruri == b.contact.strip("<>") and answer.status == 200


@row("VAL-31")
@pytest.mark.parametrize("header", ("Date: Fri, 01 Jan 2010 16:00:00 EST", "Date: yesterday", "Warning: 399 x \"unbalanced",
                                    "Timestamp: five past", "Accept: ;;,,;", "Alert-Info: <<>", "Organization: \"",
                                    "In-Reply-To: @@@ <", "Content-Language: =;=", "MIME-Version: x.y.z",
                                    "Server: ((((", "User-Agent: (((", "Accept-Encoding: \"\"\"", "Unsupported: ;;",
                                    "Reply-To: \"open <sip:x", "Min-Expires: abc", "Priority: \"", "Error-Info: nothing",
                                    "Content-Disposition: ;;;", "Content-Encoding: ,,,", "Allow: ;;;;", "Supported: ;;=",
                                    "Call-Info: <", "Accept-Language: ;q=="), ids=lambda h: h.replace(" ", "_"))
def test_malformed_headers_that_are_not_ours(pair, header):
    a, b = pair
    sent, got, answer = deliver(a, b, "MESSAGE", ["X-Before: 1", header, "X-After: 2"])
    assert_same(sent, got)
    assert answer.status == 200


@row("VAL-32")
def test_order_and_unknown_headers(pair):
    a, b = pair
    header = ["X-A: 1", "Subject: between", "X-B: unknown", "X-A: 2, 3", "Organization: more", "x-a: 4", "P-Strange: ;;,,;",
              "Record-Route: <sip:192.0.2.77;lr;first>", "Record-Route: <sip:192.0.2.78;lr;second>",
              "Supported: b", "Supported: a", "Accept: x/y", "Accept: a/b"]
    sent, got, _ = deliver(a, b, "INVITE", header, SDP, status=486)
    assert_same(sent, got)
    assert got.all("x-a") == ["1", "2, 3", "4"] and got.all("supported") == ["b", "a"]
    assert got.all("record-route")[-2:] == ["<sip:192.0.2.77;lr;first>", "<sip:192.0.2.78;lr;second>"]


@row("VAL-33")
def test_multipart(pair):
    a, b = pair
    body = b"preamble\r\n--b,?=x\r\nContent-Type: application/sdp\r\n\r\n" + SDP + \
        b"\r\n--b,?=x\r\nContent-Type: x/bin\r\n\r\n\x00\x01\xff\r\n--b,?=x--\r\nepilogue\r\n\r\n"
    sent, got, answer = deliver(a, b, "INVITE", ['Content-Type: multipart/mixed; boundary="b,?=x"'], body, status=488)
    assert_same(sent, got)
    assert answer.status == 488


# ---- streams -------------------------------------------------------------------------------------------


@row("VAL-34")
def test_stream_byte_by_byte(d):
    phone = d.phone(transport="tcp")
    whole, phone.send_raw = phone.send_raw, None

    def slowly(data):
        for i in range(len(data)):
            whole(data[i:i + 1])
    phone.sock.setsockopt(6, 1, 1)
    phone.send_raw = slowly
    assert phone.register().status == 200
    assert len(fetch(phone)) == 1


@row("VAL-35")
def test_several_requests_in_a_segment(d):
    with Raw(d.address("tcp"), "tcp") as raw:
        host, port = raw.address
        raw.send(b"".join(text("OPTIONS sip:hotdesk.test SIP/2.0", [
            f"Via: SIP/2.0/TCP {host}:{port};branch=z9hG4bK{rand()}", "Max-Forwards: 70", "From: <sip:a@hotdesk.test>;tag=1",
            "To: <sip:hotdesk.test>", f"Call-ID: five-{i}", f"CSeq: {i} OPTIONS", "Content-Type: text/plain"],
            b"x" * i * 10) for i in range(1, 6)))
        answers = [raw.receive() for _ in range(5)]
        assert all(m and m.status == 200 for m in answers), answers
        assert [m.get("call-id") for m in answers] == [f"five-{i}" for i in range(1, 6)]


@row("VAL-36")
@pytest.mark.parametrize("before", (b"\r\n\r\n\r\n", b"\r\n", b"\n\n", b"\r\n" * 100))
def test_empty_lines_before_a_request(d, before):
    phone = d.phone(transport="tcp")
    whole = phone.send_raw
    phone.send_raw = lambda data: whole(before + data)
    assert phone.register().status == 200


@row("VAL-37")
def test_stream_without_a_length(d):
    phone = d.phone(transport="tcp")
    with Raw(d.address("tcp"), "tcp") as raw:
        host, port = raw.address
        raw.send(text("REGISTER sip:hotdesk.test SIP/2.0", [
            f"Via: SIP/2.0/TCP {host}:{port};branch=z9hG4bK{rand()}", "Max-Forwards: 70",
            f"From: <sip:{phone.user}@hotdesk.test>;tag=1", f"To: <sip:{phone.user}@hotdesk.test>", "Call-ID: no-length",
            "CSeq: 1 REGISTER", f"Contact: {phone.contact}"], length=False))
        answer = raw.receive(1)
        assert answer is None or answer.status in (400, 401), repr(answer)
    assert phone.register().status == 200


# ---- load, ACK -----------------------------------------------------------------------------------------


@row("VAL-38")
def test_two_call_each_other(pair):
    a, b = pair
    sent = [Request(x, "INVITE", f"sip:{y.user}@hotdesk.test", ["Content-Type: application/sdp"], SDP)
            for _ in range(10) for x, y in ((a, b), (b, a))]
    for request in sent:
        request.authorize()
    for x, y in ((a, b), (b, a)):
        for _ in range(10):
            got = y.request("INVITE")
            y.reply(got, 200, "OK", "t", [("Contact", y.contact), ("Content-Type", "application/sdp")], SDP)
    assert [request.response().status for request in sent] == [200] * 20


@row("VAL-39")
@pytest.mark.parametrize("header", ([], ["Proxy-Require: x-foo"], ["Require: x-foo"], ["Max-Forwards: 0"], ["Max-Forwards: abc"]))
def test_ack_is_never_answered(d, pair, header):
    a, b = pair
    stranger = d.phone("stranger", secret="none")
    for phone in (a, stranger):
        for to in (f"<sip:{b.user}@hotdesk.test>", f"<sip:{b.user}@hotdesk.test>;tag=x"):
            Request(phone, "ACK", f"sip:{b.user}@hotdesk.test", [f"To: {to}"] + header)
        no_more(phone, "answer to an ACK", lambda m: m.status, 0.1)
    got = [m for m in b.inbox if m.method]
    assert all(m.method == "ACK" and f"sip:{a.user}@" in m.get("from") for m in got), f"of a stranger: {got}"
    b.inbox.clear()


@row("VAL-39")
def test_ack_without_a_dialog_is_forwarded(d, pair):
    """16: as any request. It cannot be challenged, so it must come from where its sender is registered."""
    a, b = pair
    uri = f"sip:{b.user}@hotdesk.test"
    request = Request(a, "ACK", uri, ["X-Own: 1"], b"body")
    got = b.request("ACK")
    assert_same(request.sent, got)
    assert got.ruri == b.contact.strip("<>") and got.get("max-forwards") == "69" and len(got.all("via")) == 2
    other, moved = d.phone(), d.phone(a.user)
    for phone in (other, moved):
        Request(phone, "ACK", uri)
    Request(a, "ACK", uri, [f"To: <{uri}>;tag=x"])
    Request(a, "ACK", uri, [f"From: <sip:{b.user}@hotdesk.test>;tag=1"])
    Request(a, "ACK", "sip:nobody@hotdesk.test"), Request(a, "ACK", "sip:x@127.0.0.72")
    nothing_forwarded(b, "ACK of somebody else")
    no_more(a, "answer to an ACK", lambda m: m.status, 0)


@row("VAL-39")
@pytest.mark.parametrize("header", ([], ["Proxy-Require: x-foo"]))
def test_plain_ack_is_forwarded(pair, header):
    a, b = pair
    call = a.call(b.user, SDP).challenge()
    leg = b.accept()
    leg.answer(200, "OK")
    assert call.final().status == 200
    call.in_dialog("ACK", extra=[tuple(h.split(": ")) for h in header])
    ack = b.request("ACK")
    assert ack.all("proxy-require") == (["x-foo"] if header else [])
    no_more(a, "answer to an ACK", lambda m: m.status and m.status != 100 and m.cseq_method == "ACK", 0.1)


# ---- odd but right -------------------------------------------------------------------------------------


@row("VAL-40")
def test_empty_and_long_headers(pair):
    a, b = pair
    header = ["X-Empty:", "X-Empty-Too:   ", "X-Long: " + "long " * 820, "Subject:", "X-Last: 1"]
    sent, got, answer = deliver(a, b, "INVITE", header, status=486)
    assert_same(sent, got)
    assert answer.status == 486


def tortuous(a, b):
    """RFC 4475 3.1.1.1 between two phones of ours: its header as it stands, the addresses theirs."""
    head, _, body = (TORTURE / "wsinv.dat").read_bytes().partition(b"\r\n\r\n")
    head = head.replace(b"vivekg@chair-dnrc.example.com", f"{b.user}@hotdesk.test".encode())
    head = head.replace(b"jdrosen@example.com>\r\n  ;\r\n  tag", f"{a.user}@hotdesk.test>\r\n  ;\r\n  tag".encode())
    head = head.replace(b"Route:\r\n <sip:services.example.com;lr;", b"Route:\r\n <sip:hotdesk.test;lr;")
    head = head.replace(b";   tag    = 1918181833n", b"")
    return head, body


@row("VAL-41")
@pytest.mark.nolint("LNT-13")  # 0009 INVITE and 9 ACK
@pytest.mark.parametrize("transport", ("udp", "tcp"))
def test_tortuous_invite_is_delivered(d, transport):
    a, b = d.phone(transport=transport, register=True), d.phone(register=True)
    head, body = tortuous(a, b)
    head = head.replace(b"Content-Length   : 150", f"Content-Length   : {len(body)}".encode())
    header = head.decode().split("\r\n", 1)[1].split("\r\n")
    whole = []
    for line in header:
        if line[:1] in " \t":
            whole[-1] += CRLF + line
        else:
            whole.append(line)
    uri = f"sip:{b.user}@hotdesk.test;unknownparam"
    request = Request(a, "INVITE", uri, whole, body, length=False,
                      without=["From", "To", "Contact", "CSeq", "Call-ID", "Max-Forwards"]).authorize()
    got = b.request("INVITE")
    sent = request.sent
    assert_same(sent, got)
    assert got.get("max-forwards") == "67" and got.all("route") == []
    vias = [squeeze(x) for v in got.all("via") for x in v.split(",")]
    assert [bare_via(v) for v in vias[1:]] == [bare_via(squeeze(x)) for v in sent.all("via") for x in v.split(",")], vias
    b.reply(got, 486, "Busy Here", "x")
    b.request("ACK")
    answer = request.response()
    assert answer.status == 486 and squeeze(answer.get("cseq")) == "0009INVITE"
    assert [squeeze(x) for v in answer.all("via") for x in v.split(",")] == vias[1:]


@row("VAL-42")
@pytest.mark.parametrize("user", ("a%40b%2fc%25", "x;y=%3b", "%c3%bc", "a%00b", "u:p%40ss"))
def test_escapes_reach_the_phone(d, pair, user):
    a, _ = pair
    b = d.phone()
    contact = f"<sip:{user}@{b.host}:{b.port};x-p%61r=%41%2c%40;line=%22>"
    b.register(contact=contact)
    _, got, answer = deliver(a, b, "MESSAGE")
    assert got.ruri == contact.strip("<>"), repr(got)
    assert answer.status == 200
    assert fetch(b)[0].startswith(contact)


@row("VAL-43")
@pytest.mark.parametrize("number", ("0", "1", "2147483646", "2147483647"))
def test_cseq_within_bounds(pair, number):
    a, b = pair
    _, got, answer = deliver(a, b, "MESSAGE", cseq=f"{number} MESSAGE")
    assert got.get("cseq") == answer.get("cseq") == f"{number} MESSAGE"


@row("VAL-43")
@pytest.mark.nolint("LNT-11")  # a CSeq that nobody can read is not given back
@pytest.mark.parametrize("number", (str(2**31), str(2**32 - 1), str(2**32), str(2**32 + 1), str(2**64), str(2**64 + 1),
                                    str(2**65), "-1"))
def test_cseq_beyond_bounds(pair, number):
    a, b = pair
    request = Request(a, "MESSAGE", f"sip:{b.user}@hotdesk.test", cseq=f"{number} MESSAGE")
    answer = request.response()
    if answer.status == 407:
        a.inbox.append(answer)
        request.authorize()
        got = b.request("MESSAGE")
        assert got.get("cseq") == f"{number} MESSAGE", repr(got)
        b.reply(got, 200)
        answer = request.response()
        assert answer.get("cseq") == f"{number} MESSAGE"
    else:
        assert answer.status == 400, repr(answer)
        nothing_forwarded(b, number)


@row("VAL-44")
@pytest.mark.parametrize("transport", ("udp", "tcp"))
@pytest.mark.parametrize("value", ("0009\r\n MESSAGE", "\r\n 9\r\n\t MESSAGE", "9 \r\n MESSAGE", "9\t\tMESSAGE"))
def test_folded_cseq(d, transport, value):
    a, b = d.phone(transport=transport, register=True), d.phone(register=True)
    sent, got, answer = deliver(a, b, "MESSAGE", cseq=value)
    assert_same(sent, got)
    assert answer.status == 200 and [squeeze(m.get("cseq")) for m in (got, answer)] == [squeeze(value)] * 2


NOT_OURS = ("Retry-After: soon (", "Session-Expires: never;;", "Event: ;;;", "Privacy: ;;,", "Subscription-State: ;=;",
            "Min-SE: x", "Refer-To: <<", "Replaces: ;;", "Reason: ;;;", "RSeq: many", "RAck: none", "Refer-Sub: ?",
            "Allow-Events: ;;", "SIP-If-Match: @@ @@", "SIP-ETag: a b c", "Referred-By: \"", "Join: ;",
            "Request-Disposition: ;;;", "Accept-Contact: x", "Reject-Contact: x", "Caller-Prefs: (",
            "Identity: \"", "Security-Verify: ;;", "Security-Client: =", "Path: <", "Service-Route: <", "Suppress-Body-If-Match: ?",
            "P-Access-Network-Info: ;;;", "Via-Like: SIP/9", "Expires: soon", "Content-Type: nothing", "Contact: \"",
            "Record-Route: <", "Proxy-Authenticate: \"", "WWW-Authenticate: ,,", "Authorization: ,,",
            "Proxy-Authentication-Info: ,", "Authentication-Info: ;", "Answer-Mode: ;", "P-Asserted-Service: ;", "Encryption: (",
            "Etag: \"", "Supported: \"")


@row("VAL-45")
@pytest.mark.parametrize("header", NOT_OURS, ids=lambda h: h.replace(" ", "_"))
def test_malformed_headers_a_proxy_need_not_read(pair, header):
    a, b = pair
    more = {"without": ["Contact"]} if header.startswith("Contact") else {}
    sent, got, answer = deliver(a, b, "MESSAGE", ["X-Before: 1", header, "X-After: 2"], **more)
    ours = ("via", "max-forwards", "proxy-authorization", "p-asserted-identity")
    assert lines(got, ours) == lines(sent, ours), f"sent\n{sent}\ngot\n{got}"
    assert answer.status == 200


@row("VAL-45")
def test_malformed_headers_of_a_response(pair):
    a, b = pair
    header = [h for h in NOT_OURS if not h.startswith("Record-Route")]
    request = Request(a, "MESSAGE", f"sip:{b.user}@hotdesk.test").authorize()
    got = b.request("MESSAGE")
    raw = text("SIP/2.0 200 OK", [f"Via: {v}" for v in got.all("via")] + [
        f"{n}: {got.get(n)}" for n in ("From", "To", "Call-ID", "CSeq")] + header)
    b.send_raw(raw)
    answer = request.response()
    assert lines(answer, ("via",)) == lines(Message(raw), ("via",))
