"""Rows DIG-..: digest authentication (RFC 3261 22, RFC 7616, RFC 8760), each row as an outsider sees it."""

import hashlib
import re
import time

import pytest

from credentials import DOMAIN, LINE, LONG, challenges, is_challenge, nonce, pick, request, right, with_param
from plant import fetch, plant
from steps import connect, hang_up, no_more, refuse, ring
from support.sip import SDP, digest, rand
from support.wire import ping

row = pytest.mark.row

METHODS = ["MESSAGE", "SUBSCRIBE", "FOOBAR", "REFER", "NOTIFY", "OPTIONS", "INFO", "PUBLISH", "UPDATE", "PRACK", "BYE", "INVITE"]


@pytest.fixture(scope="module")
def d():
    with plant() as daemon:
        yield daemon


def parameters(challenge):
    scheme, _, rest = challenge.partition(" ")
    assert scheme == "Digest", challenge
    found = re.findall(r'(\w[\w-]*)=("[^"]*"|[^,\s]+)', rest)
    assert len({n.lower() for n, _ in found}) == len(found), f"a parameter twice: {challenge}"
    return {n.lower(): v for n, v in found}


def assert_challenge(answer, stale=False, status=401):
    """A challenge of ours, whole and right; its values."""
    assert answer.status == status, f"expected {status}, got\n{answer}"
    values = challenges(answer)
    assert values, answer
    for value in values:
        p = parameters(value)
        assert p["realm"] == f'"{DOMAIN}"' and p["qop"].strip('"') == "auth" and len(p["nonce"]) > 20, value
        assert p["algorithm"] in ("MD5", "SHA-256"), value
        assert (p.get("stale", "false").lower() == "true") == stale, f"stale={stale} expected: {value}"
    assert answer.all("contact") == []
    return values


def assert_refused(answer):
    """Never 2xx, never our fault: 400, or another challenge."""
    assert answer.status == 400 or is_challenge(answer), f"expected 400 or a challenge, got\n{answer}"


def user_uri(phone):
    return f"sip:{phone.user}@{DOMAIN}"


def parts(value):
    return [p.strip() for p in re.findall(r'\w+=(?:"[^"]*"|[^,]*)', value)]


# ---- the challenge and its answer -------------------------------------------------------------------------


@row("DIG-01")
@pytest.mark.parametrize("transport", ["udp", "tcp"])
def test_challenge(d, transport):
    a = d.phone(transport=transport)
    answer = request(a)
    assert_challenge(answer)
    assert answer.all("proxy-authenticate") == [] and answer.tag("to")
    assert fetch(a) == []


@row("DIG-02")
@pytest.mark.parametrize("transport", ["udp", "tcp"])
@pytest.mark.parametrize("method", ["REGISTER", "INVITE", "MESSAGE"])
def test_right_credentials(d, transport, method):
    a, b = d.phone(transport=transport), d.phone(register=True)
    if method == "REGISTER":
        assert request(a, right(a)).status == 200
        return
    call = a.call(b.user, SDP, method=method).challenge()
    got = b.request(method)
    b.reply(got, 200 if method == "MESSAGE" else 486, to_tag="x")
    assert call.final().status == (200 if method == "MESSAGE" else 486)


@row("DIG-03")
@pytest.mark.parametrize("algorithm", ["MD5", "SHA-256"])
def test_wrong_password(d, algorithm):
    a = d.phone()
    kept = a.password
    for a.password in ("wrong", "", kept + " ", kept.upper()):
        assert_challenge(request(a, right(a, pick(request(a), algorithm))))
    a.password = kept
    assert fetch(a) == []


def without_the_variable(answer, phone):
    raw = re.sub(rb'nonce="[^"]*"', b"nonce", answer.raw).replace(phone.user.encode(), b"user")
    return re.sub(rb"(?mi)^(Via|From|To|Call-ID):[^\r]*", rb"\1", raw)


@row("DIG-04")
@pytest.mark.parametrize("method", ["REGISTER", "INVITE", "MESSAGE"])
@pytest.mark.parametrize("algorithm", ["MD5", "SHA-256"])
def test_unknown_user_is_not_told_from_a_wrong_password(d, method, algorithm):
    known, unknown = d.phone(), d.phone("p9999", secret="x")
    known.password = "wrong"
    uri = LINE if method == "REGISTER" else user_uri(d.phone(register=True))
    for credentials in (False, True):
        answers = [request(p, right(p, pick(request(p, None, method, uri), algorithm), method, uri)
                           if credentials else None, method, uri) for p in (known, unknown)]
        assert is_challenge(answers[0])
        one, other = (without_the_variable(m, p) for m, p in zip(answers, (known, unknown)))
        assert one == other


@row("DIG-05")
@pytest.mark.parametrize("algorithm", ["MD5", "SHA-256"])
def test_nonce_can_be_used_again(d, algorithm):
    a = d.phone()
    challenge = pick(request(a), algorithm)
    for nc in (1, 2, 3, 10, 255):
        assert request(a, right(a, challenge, nc=nc, cnonce=rand(4)), cseq=nc).status == 200, nc


@row("DIG-06")
@pytest.mark.parametrize("change", ["branch", "cseq", "call-id", "contact"])
def test_replay(d, change):
    a = d.phone()
    value = right(a)
    assert request(a, value, call_id="first", cseq=7).status == 200
    if change == "contact":
        a.port, kept = 9, a.port
    answer = request(a, value, cseq=8 if change == "cseq" else 7,
                     call_id=rand() if change == "call-id" else "first")
    assert_challenge(answer, stale=True)
    if change == "contact":
        a.port = kept
    assert [c.split(">")[0] for c in fetch(a)] == [a.contact[:-1]]
    assert request(a, right(a, pick(answer)), cseq=9).status == 200, "the fresh nonce is good"


@row("DIG-06")
def test_replay_of_a_call(d):
    a, b = d.phones_of(2)
    uri = user_uri(b)
    value = right(a, method="MESSAGE", uri=uri)
    headers = a.base("MESSAGE", uri, rand(), 2, "t")
    a.send(f"MESSAGE {uri} SIP/2.0", headers + [("Proxy-Authorization", value)])
    b.reply(b.request("MESSAGE"), 200, to_tag="x")
    assert a.final("MESSAGE").status == 200
    # With the Call-ID and CSeq of the first it would be the same request on another way (TXN-28).
    for replayed in (a.base("MESSAGE", uri, headers[4][1], 3, "t"), a.base("MESSAGE", uri, rand(), 2, "t")):
        a.send(f"MESSAGE {uri} SIP/2.0", replayed + [("Proxy-Authorization", value)])
        assert_challenge(a.final("MESSAGE"), stale=True, status=407)
    no_more(b, "request", lambda m: m.method)


def forgeries(real):
    middle = len(real) // 2
    return ["1", "made-up", "A" * len(real), real[::-1], real[:-1], real + "A", real.swapcase(), "0" * 200,
            hashlib.md5(real.encode()).hexdigest(), real[:middle] + ("A" if real[middle] != "A" else "B") + real[middle + 1:],
            real[:-1] + ("A" if real[-1] != "A" else "B"), ("A" if real[0] != "A" else "B") + real[1:]]


@row("DIG-07")
@pytest.mark.parametrize("algorithm", ["MD5", "SHA-256"])
def test_forged_nonces(d, algorithm):
    a = d.phone()
    challenge = pick(request(a), algorithm)
    for forged in forgeries(nonce(challenge)):
        assert is_challenge(request(a, right(a, challenge.replace(nonce(challenge), forged)))), forged
    assert fetch(a) == []


@row("DIG-08")
@pytest.mark.parametrize("algorithm", ["MD5", "SHA-256"])
def test_forged_nonce_gets_a_fresh_one(d, algorithm):
    a = d.phone()
    challenge = pick(request(a), algorithm)
    given = {nonce(challenge)}
    for forged in forgeries(nonce(challenge)):
        answer = request(a, right(a, challenge.replace(nonce(challenge), forged)))
        fresh = {nonce(v) for v in assert_challenge(answer, stale=True)}
        assert not fresh & given and forged not in fresh
        given |= fresh
    assert request(a, right(a, pick(answer, algorithm))).status == 200


@row("DIG-09")
@pytest.mark.parametrize("method", ["REGISTER", "MESSAGE"])
def test_expired_nonce(method):
    with plant({"auth": {"nonce_s": 1}}) as d:
        a, b = d.phone(), d.phone(register=True)
        uri = LINE if method == "REGISTER" else user_uri(b)
        used, unused = (pick(request(a, None, method, uri)) for _ in range(2))
        began, status = time.monotonic(), 401 if method == "REGISTER" else 407
        d.until("the nonces have expired", lambda: time.monotonic() - began > 2.1)
        answer = request(a, right(a, used, method, uri), method, uri)
        fresh = assert_challenge(answer, stale=True, status=status)
        assert nonce(used) not in repr(fresh)
        answer = request(a, right(a, unused, method, uri), method, uri, cseq=98)
        assert_challenge(answer, stale=True, status=status)
        if method == "REGISTER":
            d.until("a new one is good", lambda: request(a, right(a), cseq=99).status == 200)
        assert b.inbox == [] and not b.pump(0)


@row("DIG-10")
@pytest.mark.parametrize("signed", ["INVITE", "register", "OPTIONS", "", "REGISTER "])
def test_digest_over_another_method(d, signed):
    a = d.phone()
    assert_challenge(request(a, right(a, method=signed, challenge=pick(request(a)))))
    assert fetch(a) == []


@row("DIG-10")
def test_credentials_of_a_register_do_not_call(d):
    a, b = d.phones_of(2)
    value = right(a, pick(request(a)), "REGISTER", LINE)
    for uri in (user_uri(b), LINE):
        assert_refused(request(a, value, "INVITE", uri))
    no_more(b, "request", lambda m: m.method)


@row("DIG-11")
@pytest.mark.parametrize("realm", ["elsewhere.test", "HOTDESK.TEST", "hotdesk.test ", "hotdesk.tes", "", "*"])
def test_another_realm(d, realm):
    a = d.phone()
    challenge = pick(request(a)).replace(f'realm="{DOMAIN}"', f'realm="{realm}"')
    signed_there = f'Digest username="{a.user}", realm="{realm}", nonce="{nonce(challenge)}", uri="{LINE}", ' \
                   f'response="{"0" * 32}", algorithm=MD5, qop=auth, nc=00000001, cnonce="x"'
    for value in (signed_there, with_param(right(a), "realm", f'"{realm}"')):
        assert_challenge(request(a, value))
    assert fetch(a) == []


@row("DIG-12")
@pytest.mark.parametrize("algorithm", ["MD5", "SHA-256"])
def test_without_qop(d, algorithm):
    a = d.phone()
    value = right(a, pick(request(a), algorithm), qop=False)
    assert "qop" not in value and "nc=" not in value
    assert request(a, value).status == 200 and len(fetch(a)) == 1
    assert_challenge(request(a, value), stale=True)
    b = d.phone()
    b.password = "wrong"
    assert_challenge(request(b, right(b, pick(request(b), algorithm), qop=False)))
    b.password = a.password.replace(a.user, b.user)
    assert fetch(b) == []


@row("DIG-12")
def test_without_qop_when_it_is_forbidden():
    with plant({"auth": {"without_qop": False}}) as d:
        a = d.phone()
        assert_challenge(request(a, right(a, qop=False)))
        assert fetch(a) == []


@row("DIG-13")
@pytest.mark.parametrize("missing", [["nc"], ["cnonce"], ["nc", "cnonce"]])
def test_qop_without_count(d, missing):
    a = d.phone()
    value = right(a)
    for name in missing:
        value = with_param(value, name, None)
    assert_refused(request(a, value))
    p = {n: v.strip('"') for n, _, v in (x.partition("=") for x in parts(right(a)))}
    h = lambda t: hashlib.md5(t.encode()).hexdigest()
    ha1, ha2 = h(f"{a.user}:{DOMAIN}:{a.password}"), h(f"REGISTER:{LINE}")
    for text in (f"{ha1}:{p['nonce']}:{ha2}", f"{ha1}:{p['nonce']}:::auth:{ha2}"):
        value = f'Digest username="{a.user}", realm="{DOMAIN}", nonce="{p["nonce"]}", uri="{LINE}", qop=auth, ' \
                f'response="{h(text)}", algorithm=MD5'
        assert_refused(request(a, value))
    assert fetch(a) == []


@row("DIG-14")
@pytest.mark.parametrize("name", ["response", "username", "nonce", "uri", "realm"])
@pytest.mark.parametrize("qop", [True, False])
def test_missing_parameters(d, name, qop):
    a = d.phone()
    for value in (with_param(right(a, qop=qop), name, None), with_param(right(a, qop=qop), name, '""')):
        assert_refused(request(a, value))
    assert fetch(a) == []


@row("DIG-15")
@pytest.mark.parametrize("nc", ["zzzzzzzz", "", '""', "-0000001", "-1", "00000000", "0", "1", "0" * 16 + "1", "0000001",
                                "000000001", "0x000001", " 00000001x", "1e000000", "ffffffffffffffff1"])
def test_malformed_count(d, nc):
    a = d.phone()
    challenge = pick(request(a))
    assert_refused(request(a, with_param(right(a, challenge), "nc", nc))) if nc != "1e000000" else None
    count = nc.strip().strip('"')
    h = lambda t: hashlib.md5(t.encode()).hexdigest()
    ha1, ha2 = h(f"{a.user}:{DOMAIN}:{a.password}"), h(f"REGISTER:{LINE}")
    value = f'Digest username="{a.user}", realm="{DOMAIN}", nonce="{nonce(challenge)}", uri="{LINE}", qop=auth, ' \
            f'nc={nc}, cnonce="c", response="{h(f"{ha1}:{nonce(challenge)}:{count}:c:auth:{ha2}")}", algorithm=MD5'
    answer = request(a, value)
    if nc == "1e000000":
        assert answer.status == 200, "eight digits and signed: a high count is a count"
    else:
        assert_refused(answer)
        assert fetch(a) == []
    assert request(a, right(a)).status == 200


# ---- forms ----------------------------------------------------------------------------------------------


@row("DIG-16")
@pytest.mark.parametrize("form", [
    lambda p: "Digest " + ", ".join(re.sub(r'^(qop|nc|algorithm)=([^"]*)$', r'\1="\2"', x) for x in p),
    lambda p: "Digest " + ", ".join(reversed(p)), lambda p: "Digest " + ",".join(p),
    lambda p: "Digest " + ",\r\n ".join(p), lambda p: "Digest\r\n\t" + " ,\t ".join(p),
    lambda p: "DIGEST " + ", ".join(p), lambda p: "digest   " + ",   ".join(p),
    lambda p: "Digest " + ", ".join(x.replace("=", " = ", 1) for x in p),
    lambda p: "Digest " + ", ".join(re.sub(r"^(\w+)", lambda m: m.group().upper(), x) for x in p),
    lambda p: "Digest " + ", ".join(p + ['opaque="x, y=\\"z\\""', "unknown=1", 'more="a"']),
    lambda p: "Digest " + ", ".join(x.replace("algorithm=MD5", "algorithm=md5") for x in p),
    lambda p: "Digest " + ", ".join(x for x in p if not x.startswith("algorithm")),
    lambda p: "Digest , " + ", ,".join(p) + ",",
], ids=["quoted", "reversed", "tight", "folded", "tabs", "DIGEST", "digest", "blanks", "NAMES", "more", "md5", "no-algorithm",
        "empty-elements"])
def test_forms(d, form):
    a, b = d.phone(), d.phone(register=True)
    value = form(parts(right(a)))
    assert request(a, value).status == 200, value
    uri = user_uri(b)
    headers = a.base("MESSAGE", uri, rand(), 2, "t")
    a.send(f"MESSAGE {uri} SIP/2.0", headers + [
        ("Proxy-Authorization", form(parts(right(a, method="MESSAGE", uri=uri))))])
    b.reply(b.request("MESSAGE"), 200, to_tag="x")
    assert a.wait("200", lambda m: m.status == 200 and m.cseq_method == "MESSAGE")


FOREIGN = 'Digest username="x", realm="far.example.net", nonce="1", uri="sip:far", response="' + "0" * 32 + '"'


@row("DIG-17")
@pytest.mark.parametrize("before,after", [([FOREIGN], []), ([], [FOREIGN]), ([FOREIGN] * 5, [FOREIGN]), (["Basic eA=="], []),
                                          (["Unknown x=y"], []), ([FOREIGN + ", qop=auth-int, algorithm=FOO"], [])])
def test_several_credentials(d, before, after):
    a, b = d.phone(), d.phone(register=True)
    assert request(a, [*before, right(a), *after]).status == 200
    assert_challenge(request(a, [*before, *after]))
    uri = user_uri(b)
    value = right(a, method="MESSAGE", uri=uri)
    a.send(f"MESSAGE {uri} SIP/2.0", a.base("MESSAGE", uri, rand(), 2, "t") + [
        ("Proxy-Authorization", v) for v in [*before, value, *after]])
    b.reply(b.request("MESSAGE"), 200, to_tag="x")
    assert a.wait("200", lambda m: m.status == 200 and m.cseq_method == "MESSAGE")


@row("DIG-18")
@pytest.mark.parametrize("value", [
    "Basic {basic}", "basic {basic}", "Bearer abc.def", "NTLM TlRMTVNTUAAB", 'Negotiate YII=', "Unknown x=1", "Digest", "Digest ",
    'AKAv1-MD5 username="{user}"', "", " ", "Basic", 'Basic realm="hotdesk.test"'])
def test_other_schemes(d, value):
    import base64
    a = d.phone()
    basic = base64.b64encode(f"{a.user}:{a.password}".encode()).decode()
    assert_challenge(request(a, value.format(basic=basic, user=a.user)))
    assert fetch(a) == []


# ---- algorithms -------------------------------------------------------------------------------------------


@row("DIG-19")
@pytest.mark.parametrize("transport", ["udp", "tcp"])
def test_sha256(d, transport):
    a = d.phone(transport=transport)
    challenge = pick(request(a), "SHA-256")
    md5_as_sha = with_param(right(a), "algorithm", "SHA-256")
    assert_refused(request(a, md5_as_sha))
    sha_as_md5 = with_param(right(a, challenge), "algorithm", "MD5")
    assert_refused(request(a, sha_as_md5))
    crossed = digest(pick(request(a)).replace("algorithm=MD5", "algorithm=SHA-256"), "REGISTER", LINE, a.user, a.password)
    assert_refused(request(a, crossed))
    assert fetch(a) == []
    value = right(a, challenge)
    assert "algorithm=SHA-256" in value and len(re.search(r'response="(\w+)"', value).group(1)) == 64
    assert request(a, value).status == 200
    a.password = "wrong"
    assert_challenge(request(a, right(a, pick(request(a), "SHA-256"))))


@row("DIG-19")
def test_sha256_alone():
    with plant({"auth": {"algorithms": ["SHA-256"]}, "sip": {"source_exempt": []}}) as d:
        a = d.phone()
        (value,) = assert_challenge(request(a))
        assert "algorithm=SHA-256" in value
        assert request(a, right(a, value)).status == 200
        md5 = digest(value.replace("SHA-256", "MD5"), "REGISTER", LINE, a.user, a.password)
        assert_challenge(request(a, md5))
        assert a.register(algorithm="SHA-256").status == 200


@row("DIG-20")
@pytest.mark.parametrize("method", ["REGISTER", "MESSAGE", "INVITE"])
@pytest.mark.parametrize("transport", ["udp", "tcp"])
def test_sha256_before_md5(d, method, transport):
    a = d.phone(transport=transport)
    uri = LINE if method == "REGISTER" else user_uri(d.phone(register=True))
    answer = request(a, None, method, uri)
    first, second = map(parameters, assert_challenge(answer, status=401 if method == "REGISTER" else 407))
    assert (first["algorithm"], second["algorithm"]) == ("SHA-256", "MD5") and first["realm"] == second["realm"]
    assert len([n for n, _ in answer.headers if n.endswith("-authenticate")]) == 2, "one header field each"
    if method == "REGISTER":
        assert request(a, right(a, pick(answer))).status == 200, "MD5 is enough"


@row("DIG-20")
def test_sha256_before_md5_for_strangers_with_room():
    with plant({"sip": {"source_exempt": []}}) as d:
        a = d.phone()
        assert [parameters(v)["algorithm"] for v in challenges(request(a, extra=LONG))] == ["SHA-256", "MD5"]


@row("DIG-21")
@pytest.mark.parametrize("name,value", [
    ("algorithm", "FOO-512"), ("algorithm", "MD5-sess"), ("algorithm", "SHA-256-sess"), ("algorithm", "SHA-512-256"),
    ("algorithm", '""'), ("algorithm", "MD"), ("algorithm", "AKAv1-MD5"), ("qop", "auth-int"), ("qop", '"auth-int"'),
    ("qop", "foo"), ("qop", '"auth,auth-int"'), ("qop", '""')])
def test_unknown_algorithm_and_qop(d, name, value):
    a, b = d.phone(), d.phone(register=True)
    assert_refused(request(a, with_param(right(a), name, value)))
    uri = user_uri(b)
    assert_refused(request(a, with_param(right(a, method="INVITE", uri=uri), name, value), "INVITE", uri))
    assert fetch(a) == []
    no_more(b, "request", lambda m: m.method, 0.02)


@row("DIG-21")
def test_md5_sess_computed_right(d):
    a = d.phone()
    n = nonce(pick(request(a)))
    h = lambda t: hashlib.md5(t.encode()).hexdigest()
    ha1 = h(h(f"{a.user}:{DOMAIN}:{a.password}") + f":{n}:c")
    value = f'Digest username="{a.user}", realm="{DOMAIN}", nonce="{n}", uri="{LINE}", qop=auth, nc=00000001, ' \
            f'cnonce="c", response="{h(f"{ha1}:{n}:00000001:c:auth:" + h(f"REGISTER:{LINE}"))}", algorithm=MD5-sess'
    assert_challenge(request(a, value))


# ---- calls ------------------------------------------------------------------------------------------------


@row("DIG-22")
@pytest.mark.parametrize("transport", ["udp", "tcp"])
@pytest.mark.parametrize("target", ["phone", "user", "nobody", "code"])
def test_invite_is_challenged(d, transport, target):
    a, b = d.phone(transport=transport, register=True), d.phone(register=True)
    user = {"phone": b.user, "user": "201", "nobody": "nobody", "code": "*771*201*471147"}[target]
    answer = request(a, method="INVITE", uri=f"sip:{user}@{DOMAIN}")
    assert_challenge(answer, status=407)
    assert answer.all("www-authenticate") == [] and answer.tag("to")
    no_more(a, "retransmission or answer to the ACK", lambda m: m.status >= 200, 0.7, again=True)
    no_more(b, "request", lambda m: m.method)


@row("DIG-23")
@pytest.mark.parametrize("algorithm", ["MD5", "SHA-256"])
def test_invite_with_a_wrong_password(d, algorithm):
    a, b = d.phones_of(2)
    uri = user_uri(b)
    a.password = "wrong"
    value = right(a, pick(request(a, method="INVITE", uri=uri), algorithm), "INVITE", uri)
    assert_challenge(request(a, value, "INVITE", uri), status=407)
    no_more(b, "request", lambda m: m.method, 0.1)
    assert b.inbox == []


@row("DIG-24")
def test_ack_and_cancel_are_not_challenged(d):
    a, b = d.phones_of(2)
    call, leg = ring(a, b, b.user)
    call.cancel()
    assert a.final("CANCEL", call.call_id).status == 200
    b.reply(b.request("CANCEL"), 200, to_tag="x")
    leg.answer(487)
    assert call.final().status == 487
    b.request("ACK")
    call, leg = connect(a, b, b.user)
    hang_up(call, leg)
    for uri in (user_uri(b), LINE, f"sip:nobody@{DOMAIN}"):
        a.send(f"ACK {uri} SIP/2.0", a.base("ACK", uri, rand(), 1, "t"))
        a.send(f"CANCEL {uri} SIP/2.0", a.base("CANCEL", uri, rand(), 1, "t"))
        assert a.final("CANCEL").status == 481
    no_more(a, "challenge", lambda m: m.status in (401, 407) or m.cseq_method == "ACK")


@row("DIG-25")
def test_in_dialog(d):
    a, b = d.phones_of(2)
    call, leg = connect(a, b, b.user)
    leg.in_dialog("INFO")
    info = a.request("INFO")
    a.reply(info, 200)
    assert b.final("INFO").status == 200
    leg.in_dialog("BYE")
    a.reply(a.request("BYE"), 200)
    assert b.final("BYE").status == 200
    call, leg = connect(a, b, b.user)
    call.in_dialog("INVITE", body=SDP)
    b.reply(b.request("INVITE"), 200, extra=[("Contact", b.contact), ("Content-Type", "application/sdp")], body=SDP)
    assert a.final("INVITE", call.call_id, call.cseq).status == 200
    call.in_dialog("ACK")
    b.request("ACK")
    hang_up(call, leg)


@row("DIG-26")
@pytest.mark.parametrize("method", ["INVITE", "MESSAGE"])
@pytest.mark.parametrize("value", [
    FOREIGN + ', opaque="a  b"', 'Digest realm="far.example.net",username="x",nonce="1",  uri="sip:far",response="00"',
    "Digest   realm=far.example.net,\tnonce=1", 'Basic realm="far"'])
def test_foreign_credentials_are_passed_on(d, method, value):
    a, b = d.phones_of(2)
    call = a.call(b.user, SDP, extra=[("Proxy-Authorization", value)], method=method).challenge()
    got = b.request(method)
    assert got.all("proxy-authorization") == [value]
    b.reply(got, 486, to_tag="x")
    assert call.final().status == 486


@row("DIG-26")
def test_authorization_is_the_callees(d):
    a, b = d.phones_of(2)
    call = a.call(b.user, SDP, extra=[("Authorization", FOREIGN)]).challenge()
    leg = b.accept()
    assert leg.invite.all("authorization") == [FOREIGN]
    refuse(leg)
    assert call.final().status == 486


@row("DIG-27")
@pytest.mark.parametrize("method", ["INVITE", "MESSAGE", "SUBSCRIBE"])
@pytest.mark.parametrize("algorithm", ["MD5", "SHA-256"])
def test_own_credentials_are_not_disclosed(d, method, algorithm):
    a, b = d.phones_of(2)
    uri = user_uri(b)
    value = right(a, pick(request(a, None, method, uri), algorithm), method, uri)
    second = with_param(value, "response", '"' + "1" * 32 + '"')
    a.send(f"{method} {uri} SIP/2.0", a.base(method, uri, rand(), 2, "t") + [
        ("Contact", a.contact), ("Proxy-Authorization", value), ("Proxy-Authorization", second)])
    got = b.request(method)
    assert got.all("proxy-authorization") == [] and got.all("authorization") == [], got
    assert re.search(r'response="(\w+)"', value).group(1) not in repr(got) and nonce(value) not in repr(got)
    b.reply(got, 486, to_tag="x")
    assert a.wait("486", lambda m: m.status == 486)


# ---- who is it really ---------------------------------------------------------------------------------------


@row("DIG-28")
@pytest.mark.parametrize("method", ["INVITE", "MESSAGE", "SUBSCRIBE", "REFER", "FOOBAR"])
@pytest.mark.parametrize("claim", ["phone", "user", "nobody", "escaped", "capitals"])
def test_from_of_somebody_else(d, method, claim):
    a, b, c = d.phones_of(3)
    uri = user_uri(b)
    sender = {"phone": user_uri(c), "user": f"sip:201@{DOMAIN}", "nobody": f"sip:nobody@{DOMAIN}",
              "escaped": f"sip:%{ord(c.user[0]):02x}{c.user[1:]}@{DOMAIN}", "capitals": f"sip:{c.user}@{DOMAIN.upper()}"}[claim]
    headers = a.base(method, uri, rand(), 2, "t")
    headers[2] = ("From", f"<{sender}>;tag=t")
    a.send(f"{method} {uri} SIP/2.0", headers + [
        ("Contact", a.contact), ("Proxy-Authorization", right(a, method=method, uri=uri))])
    assert a.final(method, headers[4][1]).status == 403
    no_more(b, "request", lambda m: m.method, 0.02)


HUGE = [
    'Digest username="' + "u" * 3000 + '", realm="hotdesk.test"', "Digest " + ", ".join(f"x{i}=1" for i in range(400)),
    'Digest username="open', 'Digest username="a\\', "Digest " + "\\" * 900, 'Digest realm="hotdesk.test" nonce="x"',
    'Digest username="\udcff\udcfe", realm="hotdesk.test", nonce="\udcc0", uri="sip:x", response="' + "0" * 32 + '"',
    'Digest realm="hotdesk.test", realm="hotdesk.test", username="a", nonce="b", uri="sip:c", response="d"',
    "Digest " + "," * 2000, "Digest " + '"' * 999, "Digest =,=,=", "Digest x", "Digest x=", "Digest \t\t", "D" * 4000,
    'Digest username="a", realm="hotdesk.test", nonce="' + "A" * 3000 + '", uri="sip:x", response="' + "0" * 32 + '"',
    'Digest username="a%n%s%x", realm="hotdesk.test", nonce="%n", uri="%s", response="' + "0" * 32 + '"',
    'Digest username="a", realm="hotdesk.test", nonce="b", uri="' + "sip:" * 500 + '", response="' + "f" * 3000 + '"']


@row("DIG-29")
@pytest.mark.parametrize("value", HUGE, ids=range(len(HUGE)))
@pytest.mark.parametrize("method", ["REGISTER", "INVITE"])
@pytest.mark.parametrize("transport", ["udp", "tcp"])
def test_huge_and_malformed(d, value, method, transport):
    a, b = d.phone(transport=transport), d.phone(register=True)
    assert_refused(request(a, value, method, LINE if method == "REGISTER" else user_uri(b)))
    no_more(b, "request", lambda m: m.method, 0.01)
    assert request(a, right(a)).status == 200
    ping(d.address(transport), transport)


@row("DIG-29")
def test_hundred_headers_of_credentials(d):
    a = d.phone(transport="tcp")
    wrong = with_param(right(a), "response", '"' + "0" * 32 + '"')
    assert_refused(request(a, [wrong] * 100))
    assert_refused(request(a, [wrong] * 150))
    assert request(a, right(a)).status == 200


@row("DIG-30")
def test_nonces_differ(d):
    a = d.phone()
    seen = [nonce(v) for _ in range(6) for v in challenges(request(a))]
    assert len(set(seen)) == len(seen) == 12
    for n in seen:
        assert len(n) >= 32, n
        assert all(sum(x == y for x, y in zip(n, other)) < len(n) - 16 for other in seen if other != n)


@row("DIG-31")
@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("known", [True, False])
def test_strangers_relay_nothing(d, method, known):
    b = d.phone(register=True)
    stranger = d.phone() if known else d.phone("nobody", secret="x")
    answer = request(stranger, None, method, user_uri(b))
    assert_challenge(answer, status=407)
    no_more(b, "request", lambda m: m.method, 0.02)
    # As if inside a dialog, or with the name of the phone itself in From.
    headers = stranger.base(method, user_uri(b), rand(), 2, "t", to_tag="x")
    stranger.send(f"{method} {user_uri(b)} SIP/2.0", headers)
    assert 400 <= stranger.final(method, headers[4][1]).status < 500
    headers = stranger.base(method, user_uri(b), rand(), 3, "t")
    headers[2] = ("From", f"<{user_uri(b)}>;tag=t")
    stranger.send(f"{method} {user_uri(b)} SIP/2.0", headers)
    assert_challenge(stranger.final(method, headers[4][1]), status=407)
    no_more(b, "request", lambda m: m.method, 0.02)


@row("DIG-32")
@pytest.mark.parametrize("algorithm", ["MD5", "SHA-256"])
def test_response_case_and_length(d, algorithm):
    a = d.phone()
    value = right(a, pick(request(a), algorithm))
    good = re.search(r'response="(\w+)"', value).group(1)
    flipped = good[:-1] + ("0" if good[-1] != "0" else "1")
    for bad in ("", good[:-1], good[1:], good[:16], good[:1], good + "0", good + good, "0" + good, flipped, " " + good, good + " ",
                "g" * len(good), good[:-1] + "\\0", good[: len(good) // 2] + " " + good[len(good) // 2:], "0" * len(good)):
        assert_refused(request(a, with_param(value, "response", f'"{bad}"')))
    assert fetch(a) == []
    answer = request(a, with_param(value, "response", f'"{good.upper()}"'))
    assert answer.status == 200 or is_challenge(answer)


@row("DIG-33")
@pytest.mark.parametrize("claimed", ["{b}", "{a}", "{b}\\", "{a}@hotdesk.test", "sip:{a}@hotdesk.test", "{a} ", "{A}", "{a}%00"])
def test_password_of_another(d, claimed):
    a, b = d.phone(), d.phone(register=True)
    name = claimed.format(a=a.user, b=b.user, A=a.user.upper())
    answer = request(a, digest(pick(request(a)), "REGISTER", LINE, name, b.password))
    assert answer.status == 403 if name == b.user else answer.status == 400 or is_challenge(answer), answer
    assert answer.all("contact") == [] and fetch(a) == []
    (contact,) = fetch(b)
    assert contact.startswith(b.contact)


@row("DIG-33")
def test_two_usernames(d):
    a, b = d.phone(), d.phone()
    value = right(b, pick(request(a)))
    for both in (f'{value}, username="{a.user}"', value.replace("Digest ", f'Digest username="{a.user}", ')):
        assert_refused(request(a, both))
    for pair in ([value, right(a)], [right(a), value]):
        assert request(a, pair).status in (200, 403), "the first for our realm counts"
    assert fetch(b) == []
