"""Injured messages, bombs and nonsense: answered or dropped, the daemon lives, nothing changes."""

import pathlib
import random

import pytest

from steps import answer_resyncs, login, talk
from support.daemon import Daemon
from support.sip import SDP, rand
from support.wire import Raw, text, with_tls

HERE = pathlib.Path(__file__).resolve().parent
FILES = sorted((HERE / "samples").glob("*.sip")) + sorted((HERE / "torture").glob("*.dat"))


def alive(d, phone):
    """An answer to OPTIONS, whatever else has come before it."""
    call = phone.call("sip:hotdesk.test", method="OPTIONS")
    assert call.final().status == 200, "the daemon does not answer any more"
    status = d.admin("GET", "/v1/status")[1]
    assert status["desk_sessions"] == 0 and status["bound_phones"] == 0, status
    assert d.process.poll() is None


@pytest.fixture(scope="module")
def d():
    with Daemon({"sip": {"source_rate": 0, "aliases": ["pbx.example.org", "sip.example.org", "192.168.1.5"]}}) as daemon:
        yield daemon


@pytest.fixture(scope="module")
def tls():
    with with_tls(Daemon({"sip": {"source_rate": 0}})) as daemon:
        yield daemon


def test_still_does_its_job():
    with Daemon() as d:
        a, ben = d.phone("desk-101"), d.phone("desk-103")
        for path in FILES:
            a.send_raw(path.read_bytes())
        a.register(), ben.register()
        assert login(a, "201", "471147").status == 200
        answer_resyncs(a)
        a.inbox.clear()
        talk(ben, a, "201")


PIECES = (b"\0", b"\xff", b"\r\n", b"9" * 40, b";", b"<", b"%", b'"')


def mutate(rng, raw):
    """Up to eight small injuries: a byte changed, bytes gone, put in or doubled, the end cut off."""
    b = bytearray(raw)
    for _ in range(rng.randint(1, 8)):
        i, kind = rng.randrange(len(b) + 1), rng.randrange(25)
        if kind < 6:
            b[i:i + 1] = bytes([rng.randrange(256)])
        elif kind < 12:
            del b[i:i + rng.randint(1, 20)]
        elif kind < 18:
            b[i:i] = rng.choice(PIECES)
        elif kind < 24:
            b[i:i] = b[i:i + rng.randint(1, 60)]
        else:
            del b[i:]
    return bytes(b)


HEADERS = b"Via: SIP/2.0/UDP 127.0.0.1:9;branch=z9hG4bKbomb;rport\r\nFrom: <sip:101@hotdesk.test>;tag=a\r\n" \
          b"To: <sip:201@hotdesk.test>\r\nCall-ID: bomb\r\nCSeq: 1 INVITE\r\nMax-Forwards: 70\r\n"
BOMBS = {
    "empty": b"",
    "nul": bytes(4000),
    "blank-lines": b"\r\n" * 20000,
    "letters": b"A" * 65000,
    "every-byte": bytes(range(256)) * 250,
    "not-utf8": b"INVITE sip:\xff\xfe@hotdesk.test SIP/2.0\r\n" + HEADERS + b"Subject: \x80\xc3\x28\r\n\r\n",
    "many-headers": b"INVITE sip:201@hotdesk.test SIP/2.0\r\n" + HEADERS + b"X: y\r\n" * 9000 + b"\r\n",
    "many-vias": b"INVITE sip:201@hotdesk.test SIP/2.0\r\n" + HEADERS
                 + b"Via: SIP/2.0/UDP h;branch=z9hG4bKx\r\n" * 1600 + b"\r\n",
    "long-header": b"INVITE sip:201@hotdesk.test SIP/2.0\r\n" + HEADERS + b"Subject: " + b"a" * 60000 + b"\r\n\r\n",
    "long-uri": b"INVITE sip:" + b"%00" * 20000 + b"@hotdesk.test SIP/2.0\r\n" + HEADERS + b"\r\n",
    "folds": b"INVITE sip:201@hotdesk.test SIP/2.0\r\n" + HEADERS + b"Subject:" + b"\r\n " * 20000 + b"\r\n\r\n",
    "long-length": b"INVITE sip:201@hotdesk.test SIP/2.0\r\n" + HEADERS + b"Content-Length: 4294967295\r\n\r\n",
}


def test_mutated_datagrams(d):
    rng, raws = random.Random(4475), [p.read_bytes() for p in FILES]
    phone, other = d.phone("desk-101"), d.phone("desk-102")
    for n in range(3000):
        phone.send_raw(mutate(rng, rng.choice(raws)))
        if n % 50 == 49:
            # Between the pieces, so that the answer does not wait behind a full socket.
            alive(d, other)
            phone.pump(0)
            phone.inbox.clear()


OWN = ["Content-Type: application/sdp", "Route: <sip:hotdesk.test;lr>", "Record-Route: <sip:x;lr>", 'Subject: "a\\\\b"',
       "Session-Expires: 90;refresher=uac", "Expires: 60", "Supported: path, timer", "Event: dialog;id=1",
       "Path: <sip:192.0.2.4;lr>", "Refer-To: <sip:x@y?Replaces=a%3Bto-tag%3Db>",
       "Via: SIP/2.0/TCP 192.0.2.4:5060;branch=z9hG4bKx;received=192.0.2.1, SIP/2.0/UDP [::1];maddr=192.0.2.5"]


def injured_answers(rng, callee):
    """What a callee makes of injured requests: answers, half of them injured too."""
    for got in [m for m in callee.inbox if m.method not in ("", "ACK")]:
        raw = text(f"SIP/2.0 {rng.choice((180, 200, 302, 486, 603))} X", [f"Via: {v}" for v in got.all("via")] + [
            f"{n}: {got.get(n)}" for n in ("From", "Call-ID", "CSeq")] + [f"To: {got.get('to')};tag=b",
                                                                        f"Contact: {callee.contact}"])
        callee.send_raw(raw if rng.random() < .5 else mutate(rng, raw))
    callee.inbox.clear()


def test_mutated_by_a_phone_and_its_peer():
    """With credentials that count, so that injuries come further than to the challenge."""
    with Daemon({"sip": {"source_rate": 0}}) as d:
        a, b, other = (d.phone(f"desk-10{i}", register=True) for i in (1, 2, 3))
        rng = random.Random(2543)
        for n in range(150):
            method = rng.choice(("INVITE", "MESSAGE", "REGISTER", "SUBSCRIBE", "FROB", "OPTIONS"))
            uri, branch, call_id = f"sip:{b.user}@hotdesk.test", rand(), rand()
            head = [f"Via: {a.via('z9hG4bK' + branch)}", "Max-Forwards: 70", f"From: <sip:{a.user}@hotdesk.test>;tag=1",
                    f"To: <{uri}>", f"Call-ID: {call_id}", f"CSeq: 1 {method}", f"Contact: {a.contact}"] + OWN
            a.send_raw(text(f"{method} {uri} SIP/2.0", head, SDP))
            answer = a.wait("a challenge", lambda m: m.status > 100 and branch in m.get("via", ""))
            assert answer.status in (401, 407), repr(answer)
            name, value = a.authorization(answer, method, uri)
            raw = text(f"{method} {uri} SIP/2.0", head + [f"{name}: {value}"], SDP)
            for _ in range(20):
                a.send_raw(mutate(rng, raw))
            b.pump(0)
            injured_answers(rng, b)
            assert other.call("sip:hotdesk.test", method="OPTIONS").final().status == 200
            a.pump(0), a.inbox.clear()


def test_names_are_not_waited_for(d):
    """A response to a name in a Via is nowhere to be sent; the next request is answered at once."""
    phone, other = d.phone("desk-101"), d.phone("desk-102")
    for maddr in (b"", b";maddr=host9.example.com"):
        for transport in (b"UDP", b"TCP", b"TLS", b"SCTP"):
            phone.send_raw(b"OPTIONS nobodyKnowsThisScheme:opaque SIP/2.0\r\nVia: SIP/2.0/" + transport +
                           b" host9.example.com:5060;branch=z9hG4bKname" + maddr + b"\r\nFrom: <sip:a@b>;tag=1\r\n"
                           b"To: <sip:a@b>\r\nCall-ID: name\r\nCSeq: 1 OPTIONS\r\nContent-Length: 0\r\n\r\n")
    alive(d, other)


def test_the_library_serves_no_stun(d):
    """It would, and leak for a request that it cannot read."""
    with Raw(d.address("udp")) as raw:
        for message in (b"\0\1\0\x08" + b"t" * 16 + b"\0\3\0\xff",
                        b"\1\1\0\4" + b"t" * 16, b"\xf8SigComp"):
            raw.send(message)
        alive(d, d.phone("desk-102"))
        assert not raw.receive(0.1), "STUN was answered"


@pytest.mark.parametrize("transport", ("udp", "tcp", "tls"))
@pytest.mark.parametrize("name", BOMBS)
def test_bombs(tls, name, transport):
    raw = Raw(tls.address(transport), transport)
    try:
        raw.send(BOMBS[name])
    except OSError:
        assert transport != "udp", "a datagram cannot be refused while it is sent"
    alive(tls, tls.phone("desk-102"))
    raw.close()


@pytest.mark.parametrize("transport,connections", [("tcp", 300), ("tls", 100)])
def test_mutated_streams(tls, transport, connections):
    rng, raws = random.Random(3261), [p.read_bytes() for p in FILES]
    for n in range(connections):
        raw = Raw(tls.address(transport), transport)
        try:
            for _ in range(3):
                raw.send(mutate(rng, rng.choice(raws)))
        except OSError:
            pass  # it was shut, as it should be after nonsense
        raw.close()
        if n % 50 == 49:
            alive(tls, tls.phone("desk-102"))


def test_endless_header_on_a_stream(tls):
    """More than the largest message, without an end: the connection is shut, not kept in memory."""
    raw = Raw(tls.address("tcp"), "tcp")
    shut = False
    try:
        raw.send(b"INVITE sip:201@hotdesk.test SIP/2.0\r\n" + HEADERS + b"Subject: ")
        for _ in range(300):
            raw.send(b"a" * 10000)
        shut = raw.is_closed()
    except OSError:
        shut = True
    assert shut, "3 MB of one header were taken"
    alive(tls, tls.phone("desk-102"))


@pytest.mark.parametrize("raw", (b"\xff\xfe nonsense\r\n\r\n", b"INVITE sip:x SIP/2.0\r\n" + HEADERS + b"CSeq: 2 BYE\r\n\r\n",
                                 b"INVITE sip:x SIP/2.0\r\n" + HEADERS + b"Content-Length: many\r\n\r\nbody"))
def test_stream_that_lost_its_frame_is_shut(raw):
    """The library reads no more from it; the phone must see that and come again."""
    with Daemon({"sip": {"source_rate": 0, "half_message_s": 1}}) as d:
        phone = d.phone("desk-101", "tcp", register=True)
        phone.send_raw(raw)
        d.until("the connection is shut", lambda: phone.pump(0.1) and phone.closed)
        again = d.phone("desk-101", "tcp", register=True)
        assert again.call("sip:hotdesk.test", method="OPTIONS").final().status == 200
