"""Digest authentication as attackers and odd phones try it, seen from outside."""

import hashlib
import pathlib
import re
import statistics

import pytest

from credentials import DOMAIN, LINE, LONG, challenges, is_challenge, nonce, pick, request, right, with_param
from plant import fetch, plant
from steps import connect, ring
from support.sip import SDP, digest, rand
from support.wire import Ear, Raw, text


@pytest.fixture(scope="module")
def d():
    with plant(tls=True) as daemon:
        yield daemon


@pytest.fixture(scope="module")
def strict():
    """A daemon that trusts no network, so that over UDP no challenge may be larger than its request."""
    with plant({"sip": {"source_exempt": []}}) as daemon:
        yield daemon


# ---- the challenge ------------------------------------------------------------------------------------


def test_challenge(d):
    a = d.phone()
    answer = request(a, extra=LONG)
    assert answer.status == 401
    first, second = answer.all("www-authenticate")
    assert "algorithm=SHA-256" in first and "algorithm=MD5" in second, "the better one first"
    for value in (first, second):
        assert value.startswith("Digest ") and f'realm="{DOMAIN}"' in value
        assert 'qop="auth"' in value and "stale" not in value.lower()
    assert answer.tag("to")


def test_nonces_differ_and_are_long(d):
    a = d.phone()
    seen = {nonce(c) for _ in range(6) for c in challenges(request(a))}
    assert len(seen) >= 6 and min(map(len, seen)) >= 20
    assert len({n[:8] for n in seen}) > 1 or len({n[8:] for n in seen}) == len(seen)


@pytest.mark.parametrize("algorithms,offered", [
    (["SHA-256", "MD5"], ["SHA-256", "MD5"]), (["MD5"], ["MD5"]), (["SHA-256"], ["SHA-256"])])
def test_algorithms(algorithms, offered):
    with plant({"auth": {"algorithms": algorithms}}) as d:
        a = d.phone()
        answer = request(a, extra=LONG)
        assert [re.search(r"algorithm=([\w-]+)", c).group(1) for c in challenges(answer)] == offered
        for algorithm in offered:
            assert request(a, right(a, pick(answer, algorithm)), cseq=2).status == 200
            answer = request(a, extra=LONG)
        wrong = {"SHA-256": "MD5", "MD5": "SHA-256"}[offered[0]]
        relabelled = with_param(right(a, pick(answer, offered[0])), "algorithm", wrong)
        assert is_challenge(request(a, relabelled)) or request(a, relabelled).status == 400


def test_both_algorithms_only_where_they_have_room(strict):
    a = strict.phone()
    seen = set()
    for n in range(0, 400, 20):
        answer = request(a, extra=[("X-Filler", "y" * n)])
        seen.add(len(challenges(answer)))
        assert len(challenges(answer)) == 1 or len(answer.raw) <= len(a.sent.raw), f"{n}: {answer}"
    assert seen == {1, 2}


@pytest.mark.parametrize("transport,offered", [("udp", 1), ("tcp", 2)])
def test_what_has_room_is_offered(strict, transport, offered):
    a = strict.phone(transport=transport)
    assert len(challenges(request(a))) == offered
    assert len(challenges(request(a, extra=LONG))) == 2


def test_networks_that_are_trusted_get_all_algorithms(d):
    assert len(challenges(request(d.phone()))) == 2


@pytest.mark.parametrize("agents,agent,offered", [
    (None, "baresip v1.0.0 (x86_64/linux)", ["MD5"]), (None, "BARESIP V1.0.0", ["MD5"]),
    (None, "baresip v1.1.0 (x86_64/linux)", ["SHA-256", "MD5"]), (None, "x baresip v1.0.0", ["SHA-256", "MD5"]),
    ([], "baresip v1.0.0 (x86_64/linux)", ["SHA-256", "MD5"]), (["Old", "Older phone"], "Older phone 1", ["MD5"])])
def test_agents_that_know_md5_only(agents, agent, offered):
    with plant({"auth": {} if agents is None else {"md5_only_agents": agents}}) as d:
        a = d.phone(agent=agent, transport="tcp")
        answer = request(a)
        assert [re.search(r"algorithm=([\w-]+)", c).group(1) for c in challenges(answer)] == offered
        assert request(a, right(a, pick(answer))).status == 200


def test_agents_that_know_md5_only_without_md5_and_after_a_reload():
    with plant({"auth": {"algorithms": ["SHA-256"]}}) as d:
        a = d.phone(agent="baresip v1.0.0")
        assert challenges(request(a)) and "algorithm=SHA-256" in challenges(request(a))[-1]
        d.conf["auth"] = {"md5_only_agents": ["Any"]}
        d.write_conf()
        assert d.admin("POST", "/v1/reload")[0] == 200
        assert len(challenges(request(a))) == 2
        a.agent = "anything"
        (only,) = challenges(request(a))
        assert "algorithm=MD5" in only


REALISTIC = ["MESSAGE", "OPTIONS", "SUBSCRIBE", "INVITE", "REGISTER"]


@pytest.mark.parametrize("method", REALISTIC)
@pytest.mark.parametrize("host", ["127.0.0.1", "elsewhere.example"])
def test_challenge_is_never_larger_than_the_request(strict, method, host):
    d = strict
    target = f"sip:201@{DOMAIN}" if method != "REGISTER" else LINE
    with Raw(d.address()) as raw:
        smallest = text(f"{method} {target} SIP/2.0", [
            f"Via: SIP/2.0/UDP {host}:{raw.address[1]};branch=z9hG4bK{rand()};rport", "Max-Forwards: 70",
            f"From: <sip:p0@{DOMAIN}>;tag={rand(4)}", f"To: <{target}>", f"Call-ID: {rand()}@127.0.0.1",
            f"CSeq: 1 {method}", f"Contact: <sip:p0@127.0.0.1:{raw.address[1]}>", "User-Agent: Some SIP-T22P 7.73.14.2",
            "Allow: INVITE, INFO, PRACK, ACK, BYE, CANCEL, OPTIONS, NOTIFY, REGISTER, SUBSCRIBE, REFER, MESSAGE"])
        raw.send(smallest)
        answer = raw.receive()
        assert is_challenge(answer)
        assert len(answer.raw) <= len(smallest), f"{len(smallest)} asked, {len(answer.raw)} came:\n{answer}"


def test_challenge_of_a_tiny_request_is_small(strict):
    with Raw(strict.address()) as raw:
        tiny = text(f"REGISTER {LINE} SIP/2.0", [
            f"v:SIP/2.0/UDP 127.0.0.1:{raw.address[1]};branch=z9hG4bK1", "f:<sip:p0@hotdesk.test>;tag=1",
            "t:<sip:p0@hotdesk.test>", "i:1", "CSeq:1 REGISTER"])
        raw.send(tiny)
        answer = raw.receive()
        assert [c for c in challenges(answer)] and len(challenges(answer)) == 1


@pytest.mark.parametrize("method", ["INVITE", "MESSAGE", "SUBSCRIBE", "OPTIONS", "REFER", "NOTIFY", "PUBLISH",
                                    "INFO", "FROBNICATE", "UPDATE"])
def test_every_method_of_a_stranger_is_challenged(d, method):
    target = d.phone(register=True)
    stranger = d.phone()
    for uri in (f"sip:{target.user}@{DOMAIN}", f"sip:201@{DOMAIN}", f"sip:nobody@{DOMAIN}",
                "sip:x@127.0.0.99", f"sip:*771*201*471147@{DOMAIN}"):
        answer = request(stranger, method=method, uri=uri)
        assert answer.status == 407 and answer.all("proxy-authenticate"), f"{method} {uri}:\n{answer}"
    target.none("request", lambda m: m.method, 0.02)


# ---- right credentials ----------------------------------------------------------------------------------


@pytest.mark.parametrize("algorithm", ["MD5", "SHA-256"])
def test_right(d, algorithm):
    a = d.phone()
    assert a.register(algorithm=algorithm, extra=LONG).status == 200
    challenge = pick(request(a, extra=LONG), algorithm)
    for nc in (1, 2, 3, 9, 7, 10):
        assert request(a, right(a, challenge, nc=nc), cseq=nc).status == 200, f"nc={nc}"


def test_without_qop(d):
    a = d.phone()
    challenge = pick(request(a))
    once = right(a, challenge, qop=False)
    assert "qop" not in once
    assert request(a, once).status == 200
    assert is_challenge(request(a, once, cseq=9)), "without a count, a nonce is good once"
    a.password = "wrong"
    assert is_challenge(request(a, right(a, qop=False)))


def test_without_qop_can_be_forbidden():
    with plant({"auth": {"without_qop": False}}) as d:
        a = d.phone()
        assert is_challenge(request(a, right(a, qop=False)))
        assert request(a, right(a)).status == 200


def test_quoting_variants(d):
    a = d.phone()
    plain = right(a)
    parts = [p.strip() for p in re.findall(r'\w+=(?:"[^"]*"|[^,]*)', plain)]
    quoted = "Digest " + ", ".join(re.sub(r'^(qop|nc|algorithm)=([^"]*)$', r'\1="\2"', p) for p in parts)
    assert request(a, quoted).status == 200
    for form in (lambda p: "Digest " + ", ".join(reversed(p)), lambda p: "DIGEST " + ",".join(p),
                 lambda p: "digest  " + " ,\t ".join(p), lambda p: "Digest " + ",\r\n   ".join(p),
                 lambda p: "Digest " + ", ".join(re.sub("^(\\w+)", lambda m: m.group().upper(), x) for x in p)):
        fresh = [p.strip() for p in re.findall(r'\w+=(?:"[^"]*"|[^,]*)', right(a))]
        assert request(a, form(fresh)).status == 200, form(fresh)


def test_foreign_credentials_before_ours(d):
    a = d.phone()
    foreign = 'Digest username="x", realm="far.example.net", nonce="1", uri="sip:far", response="00"'
    assert request(a, [foreign, right(a)]).status == 200
    assert request(a, [right(a), foreign]).status == 200
    assert is_challenge(request(a, [foreign]))


def test_escaped_and_alternative_digest_uri(d):
    a = d.phone()
    challenge = pick(request(a))
    for nc, uri in enumerate((LINE, f"sip:{DOMAIN}:5060", f"sip:{DOMAIN};transport=UDP"), 1):
        assert request(a, digest(challenge, "REGISTER", uri, a.user, a.password, nc=nc), cseq=nc).status == 200


# ---- wrong ones -------------------------------------------------------------------------------------------


def test_wrong_password_stores_nothing(d):
    a = d.phone()
    kept, a.password = a.password, "wrong"
    assert is_challenge(request(a, right(a)))
    a.password = kept
    assert fetch(a) == []


def bare(answer):
    """An answer without what the request brought and what is random."""
    raw = re.sub(rb'nonce="[^"]*"', b'nonce=""', answer.raw)
    raw = re.sub(rb"(?mi)^(Via|From|Call-ID|CSeq):[^\r]*", rb"\1", raw)
    return re.sub(rb"(?mi)^To:[^\r]*;tag=[^\r]*", b"To", raw)


@pytest.mark.parametrize("method", ["REGISTER", "INVITE"])
def test_unknown_account_looks_like_a_wrong_password(d, method):
    known, unknown = d.phone(), d.phone("nobody-here", secret="x")
    known.password = "wrong"
    uri = LINE if method == "REGISTER" else f"sip:201@{DOMAIN}"
    pair = [request(p, right(p, method=method, uri=uri), method, uri) for p in (known, unknown)]
    assert bare(pair[0]) == bare(pair[1])
    assert len(pair[0].raw) - len(known.user) * 2 == len(pair[1].raw) - len(unknown.user) * 2 or \
        method == "INVITE"
    before = [request(p, None, method, uri) for p in (known, unknown)]
    assert bare(before[0]) == bare(before[1])


def test_unknown_account_takes_as_long(d, record_property):
    """By the processor time of the daemon, which others' load does not lengthen."""
    def used():
        tasks = pathlib.Path(f"/proc/{d.process.pid}/task").iterdir()
        return sum(int((t / "schedstat").read_text().split()[0]) for t in tasks) / 1000
    known, unknown = d.phone(), d.phone("p" * 2 + "-nobody", secret="x")
    known.password = "wrong"
    times = {known: [], unknown: []}
    for _ in range(60):
        for p in (known, unknown):
            value = right(p)
            before = used()
            assert request(p, value).status == 401
            times[p].append(used() - before)
    medians = [statistics.median(times[p]) for p in (known, unknown)]
    print("median cost of an answer to a wrong password %.0f us, to an unknown account %.0f us" % tuple(medians))
    record_property("medians_us", medians)
    assert max(medians) < 3 * min(medians) + 200, medians


@pytest.mark.parametrize("name", ["username", "realm", "nonce", "uri", "response"])
def test_missing_parameters(d, name):
    a = d.phone()
    answer = request(a, with_param(right(a), name, None))
    assert is_challenge(answer) or answer.status == 400, repr(answer)


@pytest.mark.parametrize("name,value", [
    ("nc", None), ("cnonce", None), ("nc", "zzzzzzzz"), ("nc", ""), ("nc", "-0000001"), ("nc", "00000000"),
    ("nc", "00000000000000001"), ("nc", "0000000g"), ("cnonce", '""'), ("response", '""'),
    ("response", '"' + "0" * 32 + '"'), ("response", '"' + "0" * 31 + '"'), ("response", '"' + "0" * 33 + '"'),
    ("response", '"' + "g" * 32 + '"'), ("algorithm", "FOO-512"), ("algorithm", "MD5-sess"), ("qop", "auth-int"),
    ("qop", "foo"), ("uri", '"sip:somebody@elsewhere.test"'), ("uri", '"http://x/"'), ("realm", '"elsewhere"'),
    ("nonce", '"x"'), ("nonce", '""'), ("username", '""'), ("username", '"p0, realm=\\"x"'),
])
def test_wrong_parameters(d, name, value):
    a = d.phone()
    answer = request(a, with_param(right(a), name, value))
    assert is_challenge(answer) or answer.status == 400, repr(answer)
    assert fetch(a) == []


def test_cut_and_long_responses(d):
    a = d.phone()
    value = right(a)
    good = re.search(r'response="(\w+)"', value).group(1)
    for bad in (good[:-1], good[:8], good + "0", good + good, good[:-1] + ("0" if good[-1] != "0" else "1")):
        answer = request(a, with_param(value, "response", f'"{bad}"'))
        assert is_challenge(answer) or answer.status == 400
    assert request(a, with_param(value, "response", f'"{good.upper()}"')).status in (200, 401, 400)


def test_method_realm_and_user_of_others(d):
    a, b = d.phone(), d.phone(register=True)
    challenge = pick(request(a))
    assert is_challenge(request(a, digest(challenge, "INVITE", LINE, a.user, a.password)))
    other_realm = challenge.replace(f'realm="{DOMAIN}"', 'realm="elsewhere"')
    assert is_challenge(request(a, digest(other_realm, "REGISTER", LINE, a.user, a.password)))
    as_b = digest(challenge, "REGISTER", LINE, b.user, a.password)
    assert is_challenge(request(a, as_b))
    as_a = digest(pick(request(b)), "REGISTER", LINE, b.user, b.password)
    assert request(a, as_a).status in (401, 403), "the right credentials of b for the address of a"
    assert fetch(a) == [] and len(fetch(b)) == 1


@pytest.mark.parametrize("value", [
    "Basic cDA6c2VjcmV0IG9mIHAw", "Bearer abc", "Nonsense", "Digest", "Digest ", 'Digest x', "Digest ,,,", "Digest =",
    'Digest username="open', "", " ", "Digest " + ", ".join(f"x{i}=1" for i in range(400)),
    'Digest username="' + "u" * 3000 + '", realm="hotdesk.test"', 'Digest username="\udcff\udcfe", realm="hotdesk.test"',
    'Digest realm="hotdesk.test", realm="hotdesk.test", username="a", nonce="b", uri="sip:c", response="d"',
    "Digest " + "\\" * 900, 'Digest username="a\\', 'NTLM realm="hotdesk.test"',
])
def test_other_schemes_and_garbage(d, value):
    a = d.phone()
    answer = request(a, value)
    assert is_challenge(answer) or answer.status == 400, repr(answer)
    assert request(a, [value, right(a)]).status in (200, 400, 401)


def test_many_headers_of_credentials(d):
    a = d.phone(transport="tcp")
    answer = request(a, [with_param(right(a), "response", '"' + "0" * 32 + '"')] * 100)
    assert is_challenge(answer) or answer.status == 400
    assert request(a, right(a)).status == 200


# ---- nonces ----------------------------------------------------------------------------------------------


def test_replay(d):
    a = d.phone()
    value = right(a)
    assert request(a, value, call_id="replayed", cseq=1).status == 200
    other = request(a, value, call_id="replayed", cseq=2)
    assert is_challenge(other) and "stale=true" in repr(other)
    other = request(a, value)
    assert is_challenge(other) and "stale=true" in repr(other)


def test_forged_and_altered_nonces(d):
    a = d.phone()
    challenge = pick(request(a))
    real = nonce(challenge)
    flipped = real[:-3] + ("A" if real[-3] != "A" else "B") + real[-2:]
    for forged in ("made-up", "0" * len(real), flipped, real[:-1], real + "A", real.swapcase(), real + "\\0"):
        value = digest(challenge.replace(real, forged), "REGISTER", LINE, a.user, a.password)
        answer = request(a, value)
        assert is_challenge(answer), f"{forged}: {answer}"
        assert "stale=true" in repr(answer) and nonce(pick(answer)) not in (real, forged)
    assert fetch(a) == []


def test_nonce_of_another_source(d):
    a = d.phone()
    with Raw(d.address(), host="127.0.0.2") as other:
        head = [f"Via: SIP/2.0/UDP 127.0.0.2:{other.address[1]};branch=z9hG4bK{rand()};rport", "Max-Forwards: 70",
                f"From: <sip:{a.user}@{DOMAIN}>;tag=1", f"To: <sip:{a.user}@{DOMAIN}>", f"Call-ID: {rand()}",
                "CSeq: 1 REGISTER", f"Contact: {a.contact}"]
        value = right(a)
        other.send(text(f"REGISTER {LINE} SIP/2.0", head + [f"Authorization: {value}"]))
        answer = other.receive()
        assert is_challenge(answer) and "stale=true" in repr(answer)
    assert request(a, value).status == 200, "good where it was given"


def test_nonce_of_another_algorithm(d):
    a = d.phone()
    answer = request(a, extra=LONG)
    real = nonce(pick(answer, "SHA-256"))
    swapped = pick(answer).replace(nonce(pick(answer)), real)
    if nonce(pick(answer)) != real:
        assert is_challenge(request(a, digest(swapped, "REGISTER", LINE, a.user, a.password)))


def test_stale():
    with plant({"auth": {"nonce_s": 1}}) as d:
        a = d.phone()
        challenge = pick(request(a))
        nc = [0]

        def is_stale():
            nc[0] += 1
            answer = request(a, right(a, challenge, nc=nc[0]), cseq=nc[0])
            assert answer.status in (200, 401)
            return answer if answer.status == 401 else None
        answer = d.until("the nonce is too old", is_stale)
        assert "stale=true" in repr(answer)
        d.until("a new one is good", lambda: request(a, right(a), cseq=99).status == 200)


def test_nonce_survives_a_restart():
    with plant() as d:
        a = d.phone()
        challenge = pick(request(a))
        d.restart(kill=True)
        assert request(a, right(a, challenge)).status == 200


# ---- calls --------------------------------------------------------------------------------------------------


def test_invite_407_its_ack_and_silence_at_the_callee(d):
    a, b = d.phones_of(2)
    answer = request(a, method="INVITE", uri=f"sip:{b.user}@{DOMAIN}")
    assert answer.status == 407
    a.password = "wrong"
    uri = f"sip:{b.user}@{DOMAIN}"
    assert request(a, right(a, method="INVITE", uri=uri), "INVITE", uri).status == 407
    a.none("second 407", lambda m: m.status == 407, 0.7, again=True)
    assert not b.pump(0) and b.inbox == []


def test_ack_and_cancel_are_never_challenged(d):
    a, b = d.phones_of(2)
    call, leg = ring(a, b, b.user)
    call.cancel()
    assert a.final("CANCEL", call.call_id).status == 200
    leg.phone.reply(b.request("CANCEL"), 200, to_tag="x")
    leg.answer(487)
    assert call.final().status == 487
    b.request("ACK")
    call, leg = connect(a, b, b.user)
    for headers in ([], [("Proxy-Require", "x-nobody")]):
        a.send(f"ACK sip:{b.user}@{DOMAIN} SIP/2.0", a.base("ACK", f"sip:{b.user}@{DOMAIN}", rand(), 1, "t")
               + headers)
    a.send(f"CANCEL sip:{b.user}@{DOMAIN} SIP/2.0",
           a.base("CANCEL", f"sip:{b.user}@{DOMAIN}", rand(), 1, "t"))
    assert a.final("CANCEL").status == 481
    a.none("answer to an ACK", lambda m: m.cseq_method == "ACK", 0.02)
    b.reply(call.in_dialog("BYE") and b.request("BYE"), 200)
    assert a.final("BYE").status == 200


def test_foreign_credentials_go_on_ours_do_not(d):
    a, b = d.phones_of(2)
    foreign = 'Digest username="x", realm="far.example.net", nonce="1", uri="sip:far", response="00", opaque="a  b"'
    call = a.call(b.user, SDP, extra=[("Proxy-Authorization", foreign)]).challenge()
    invite = b.request("INVITE")
    assert invite.all("proxy-authorization") == [foreign]
    assert call.credentials[0][1] not in repr(invite)
    b.reply(invite, 486, to_tag="x")
    assert call.final().status == 486


def test_from_of_somebody_else(d):
    a, b, c = d.phones_of(3)
    uri = f"sip:{b.user}@{DOMAIN}"
    for method in ("INVITE", "MESSAGE"):
        value = right(a, method=method, uri=uri)
        headers = a.base(method, uri, rand(), 2, "t")
        headers = [(n, v.replace(a.user, c.user) if n == "From" else v) for n, v in headers]
        a.send(f"{method} {uri} SIP/2.0", headers + [("Contact", a.contact), ("Proxy-Authorization", value)])
        assert a.final(method, cseq=2).status == 403
    assert not b.pump(0.02)


def test_not_registered_but_known_may_call(d):
    a, b = d.phone(), d.phone(register=True)
    call = a.call(b.user, SDP).challenge()
    b.accept().answer(486)
    assert call.final().status == 486


# ---- what is reported ---------------------------------------------------------------------------------------


def security_events(d, account):
    return [line for line in d.log().splitlines() if "SecurityEvent=" in line and f'AccountID="{account}"' in line]


def test_security_events_only_for_proved_sources(d):
    a, b = d.phone("not-proved", secret="x"), d.phone("proved", secret="x")
    with Raw(d.address(), host="127.0.0.3") as blind:
        forged = f'Digest username="not-proved", realm="{DOMAIN}", nonce="{"A" * 40}", uri="{LINE}", ' \
                 f'response="{"0" * 32}", algorithm=MD5'
        stolen = right(a)
        for value in (forged, stolen):
            blind.send(text(f"REGISTER {LINE} SIP/2.0", [
                f"Via: SIP/2.0/UDP 127.0.0.3:{blind.address[1]};branch=z9hG4bK{rand()}", "Max-Forwards: 70",
                f"From: <sip:not-proved@{DOMAIN}>;tag=1", f"To: <sip:not-proved@{DOMAIN}>", f"Call-ID: {rand()}",
                "CSeq: 1 REGISTER", f"Authorization: {value}"]))
            assert is_challenge(blind.receive())
    assert is_challenge(request(b, right(b)))
    (event,) = d.until("the event", lambda: security_events(d, "proved"))
    assert 'RemoteAddress="IPV4/UDP/127.0.0.1' in event and "SecurityEvent=\"ChallengeResponseFailed\"" in event
    assert security_events(d, "not-proved") == []


def test_no_secret_in_the_log(d):
    a = d.phone()
    value = right(a)
    request(a, value)
    a.password = "a wrong secret"
    request(a, right(a))
    log = d.log()
    assert "a wrong secret" not in log and f"secret of {a.user}" not in log
    ha1 = hashlib.md5(f"{a.user}:{DOMAIN}:secret of {a.user}".encode()).hexdigest()
    assert ha1 not in log and re.search(r'response="(\w+)"', value).group(1) not in log


def test_strangers_relay_nothing(d):
    with Ear("127.0.0.77") as victim, Raw(d.address()) as raw:
        there = f"sip:x@127.0.0.77:{victim.port}"
        for line, route in ((there, ""), (f"sip:201@{DOMAIN}", f"Route: <{there};lr>\r\n"),
                            (f"sip:201@{DOMAIN};maddr=127.0.0.77", ""),
                            (there, f"Route: <sip:{d.address()[0]}:{d.address()[1]};lr>\r\n"),
                            (f"sip:201@{DOMAIN}", f"Route: <sip:127.0.0.1:{d.address()[1]};lr>, <{there};lr>\r\n")):
            for method in ("INVITE", "MESSAGE", "OPTIONS", "BYE", "ACK", "CANCEL", "REGISTER", "NOTIFY"):
                raw.send(text(f"{method} {line} SIP/2.0", [
                    f"Via: SIP/2.0/UDP 127.0.0.1:{raw.address[1]};branch=z9hG4bK{rand()};rport",
                    f"{route}Max-Forwards: 70", "From: <sip:a@b>;tag=1", f"To: <{line}>;tag=2", f"Call-ID: {rand()}",
                    f"CSeq: 1 {method}", "Contact: <sip:a@127.0.0.1>"]))
                if method != "ACK":
                    answer = raw.receive()
                    assert answer and 400 <= answer.status < 500, f"{method} {line} {route}: {answer}"
        assert victim.heard(0.1) is None
