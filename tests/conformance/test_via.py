"""Via, responses, and the transports of both sides (RFC 3261 18, 3581, 3263, 5118, 5626 4.4)."""

import contextlib
import re
import socket
import time

import pytest

from plant import fetch, plant, secret
from steps import connect, hang_up, no_more, no_more_from_now, refuse, ring, talk
from support.dns import two_sockets
from support.sip import CRLF, DEADLINE, SDP, Message, Phone, Stream, rand
from support.wire import Ear, Raw, bare_via, lines, ping, text

row = pytest.mark.row
QUICK = {"sip": {"t1_ms": 60, "t2_ms": 200, "t4_ms": 200}}


@pytest.fixture(scope="module")
def d():
    with plant(QUICK, ipv6=True) as daemon:
        yield daemon


def options(server, via, call_id=None):
    """OPTIONS to the server itself with a Via of our own."""
    host = f"[{server[0]}]" if ":" in server[0] else server[0]
    return text(f"OPTIONS sip:{host}:{server[1]} SIP/2.0", [
        f"Via: {via}", "Max-Forwards: 70", "From: <sip:probe@test>;tag=1", f"To: <sip:{host}>",
        f"Call-ID: {call_id or rand()}", "CSeq: 1 OPTIONS"])


def branch():
    return "z9hG4bK" + rand()


def one_via(answer):
    assert answer is not None, "no answer"
    assert answer.status == 200, repr(answer)
    vias = answer.all("via")
    assert len(vias) == 1, vias
    return vias[0]


def params(via):
    return dict((k.strip().lower(), v) for k, _, v in
                (p.partition("=") for p in via.split(";")[1:]))


def request(phone, method, uri, to, headers, body=b""):
    """A request with a digest whose every header is the test's; the bytes that carried credentials."""
    for credentials in ([], None):
        if credentials is None:
            credentials = [phone.authorization(answer, method, uri)]
        data = text(f"{method} {uri} SIP/2.0", headers(len(credentials)) + credentials, body)
        phone.send_raw(data)
        answer = phone.wait("a challenge", lambda m: m.status >= 200) if not credentials else None
    return data


# ---- what we put there ------------------------------------------------------------------------------


@row("VIA-01")
@pytest.mark.parametrize("transport", ["udp", "tcp"])
def test_own_via(d, transport):
    a, b = d.phone(register=True), d.phone(register=True, transport=transport)
    call, leg = ring(a, b, b.user)
    own = leg.invite.all("via")[0]
    host, port = d.address(transport)
    assert re.match(rf"SIP/2\.0/{transport.upper()} {re.escape(host)}:{port};", own), own
    assert params(own)["branch"].startswith("z9hG4bK") and len(params(own)["branch"]) > 15, own
    refuse(leg)
    assert call.final().status == 486


# ---- where answers go (18.2.1, 18.2.2, RFC 3581) ------------------------------------------------------


@row("VIA-02")
@pytest.mark.parametrize("sent_by", ["phone.example.com", "203.0.113.7"])
def test_received(d, sent_by):
    with Raw(d.address()) as raw:
        raw.send(options(raw.server, f"SIP/2.0/UDP {sent_by}:{raw.address[1]};branch={branch()}"))
        via = one_via(raw.receive())
    assert params(via)["received"] == "127.0.0.1", via
    assert via.startswith(f"SIP/2.0/UDP {sent_by}:{raw.address[1]};"), via


@row("VIA-03")
@pytest.mark.parametrize("sent_by", ["phone.example.com:5999", "10.1.2.3", "127.0.0.1:9"])
def test_rport(d, sent_by):
    with Raw(d.address()) as raw:
        raw.send(options(raw.server, f"SIP/2.0/UDP {sent_by};rport;branch={branch()}"))
        via = one_via(raw.receive())
    assert params(via)["rport"] == str(raw.address[1]), via
    assert params(via)["received"] == "127.0.0.1", via


@row("VIA-03")
@pytest.mark.parametrize("transport", ["udp", "tcp"])
def test_rport_without_its_value(d, transport):
    with Raw(d.address(transport), transport) as raw:
        for more in ("rport=", "rport= ", "received=;rport=;x=1"):
            raw.send(options(raw.server, f"SIP/2.0/{transport.upper()} 127.0.0.1:9;{more};branch={branch()}"))
            via = one_via(raw.receive())
            assert params(via)["rport"] == str(raw.address[1]) and params(via)["received"] == "127.0.0.1", via


@row("VIA-03")
@pytest.mark.parametrize("transport", ["udp", "tcp"])
def test_sent_by_without_a_port_to_send_to(d, transport):
    """Nobody can be reached at it, but at its source: there it hears why."""
    with Raw(d.address(transport), transport) as raw:
        for port, status in (("99999", 400), ("65536", 400), ("12x", 400), ("", 400), ("0", 200)):
            for more in ("", ";rport", ";rport="):
                value = f"SIP/2.0/{transport.upper()} 127.0.0.1:{port}{more};branch={branch()}"
                raw.send(options(raw.server, value))
                answer = raw.receive()
                assert answer is not None, f"{value}: no answer"
                assert answer.status == status, f"{value}: {answer!r}"
                (via,) = answer.all("via")
                assert via.startswith(value[:value.index(";")] + ";"), via
                assert params(via)["rport"] == str(raw.address[1]), via


@row("VIA-04")
def test_without_rport_by_sent_by(d):
    with Raw(d.address()) as raw, Raw(d.address()) as other:
        raw.send(options(raw.server, f"SIP/2.0/UDP 127.0.0.1:{other.address[1]};branch={branch()}"))
        assert "rport" not in params(one_via(other.receive()))
        assert raw.receive(0.1) is None, "answered to the source port"


@row("VIA-04")
def test_without_rport_behind_a_nat(d):
    """sent-by is not the source: its port means nothing, and only the source leads back."""
    with Raw(d.address()) as raw, Ear() as other:
        raw.send(options(raw.server, f"SIP/2.0/UDP 10.1.2.3:{other.port};branch={branch()}"))
        assert params(one_via(raw.receive()))["received"] == "127.0.0.1"
        assert other.heard(0.1) is None


@row("VIA-05")
def test_without_port_is_5060(d):
    with Raw(d.address(), host="127.0.0.61", port=5060) as raw, Raw(d.address(), host="127.0.0.61") as high:
        for sender in (raw, high):
            sender.send(options(raw.server, f"SIP/2.0/UDP 127.0.0.61;branch={branch()}"))
            assert "rport" not in params(one_via(raw.receive()))
        assert high.receive(0.1) is None


@row("VIA-06")
def test_maddr_in_via(d):
    """Sent there only if that is the source; else refused, and nobody else hears of it."""
    with Raw(d.address()) as raw, Ear("127.0.0.62") as ear:
        raw.send(options(raw.server, f"SIP/2.0/UDP 127.0.0.1:{raw.address[1]};maddr=127.0.0.62;branch={branch()}"))
        answer = raw.receive()
        assert answer is not None and answer.status == 400, repr(answer)
        assert ear.heard(0.1) is None
        for odd in ("", "=", "=224.0.1.75", "=[::1]", "=nobody.invalid", "=127.0.0.62:5060"):
            raw.send(options(raw.server, f"SIP/2.0/UDP 127.0.0.1:{raw.address[1]};maddr{odd};branch={branch()}"))
            raw.receive(0.2)
        raw.send(options(raw.server, f"SIP/2.0/UDP 127.0.0.1:{raw.address[1]};maddr=127.0.0.1;branch={branch()}"))
        one_via(raw.receive())
    ping(d.address())


@row("VIA-07")
def test_tcp_answer_on_the_same_connection(d):
    a = d.phone(transport="tcp")
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.settimeout(0.2)
        a.port = listener.getsockname()[1]
        a.register()
        with pytest.raises(TimeoutError):
            listener.accept()


def listening_caller(d):
    """A TCP phone that also listens where its Via says."""
    listener = socket.create_server(("127.0.0.1", 0))
    a = d.phone(transport="tcp")
    a.port = listener.getsockname()[1]
    a.register()
    return a, listener


@row("VIA-08")
def test_tcp_connection_lost_while_ringing(d):
    a, listener = listening_caller(d)
    b = d.phone(register=True)
    with listener:
        call, leg = ring(a, b, b.user)
        a.close()
        ping(d.address("tcp"), "tcp")
        refuse(leg)
        listener.settimeout(DEADLINE)
        conn, _ = listener.accept()
        with conn:
            conn.settimeout(DEADLINE)
            answer = Message(conn.recv(65536))
            assert answer.status == 486 and answer.get("call-id") == call.call_id, repr(answer)
            assert len(answer.all("via")) == 1


@row("VIA-08")
def test_no_connection_to_another_host(d):
    """The answer to a lost connection never opens one to an address that is not the caller's own."""
    with socket.create_server(("127.0.0.64", 0)) as victim:
        a, b = d.phone(transport="tcp"), d.phone(register=True)
        a.host, a.port = "127.0.0.64", victim.getsockname()[1]
        a.register()
        call, leg = ring(a, b, b.user)
        a.close()
        ping(d.address("tcp"), "tcp")
        refuse(leg)
        victim.settimeout(0.3)
        with pytest.raises(TimeoutError):
            victim.accept()
    assert call


# ---- responses that are not for us (18.1.2, 16.7 step 3, RFC 6026 7.2) -----------------------------------


@row("VIA-09")
@pytest.mark.parametrize("top", ["SIP/2.0/UDP 127.0.0.1:9", "SIP/2.0/UDP elsewhere.example.com"])
def test_foreign_top_via_is_discarded(d, top):
    a, b = d.phones_of(2)
    call, leg = ring(a, b, b.user)
    vias = leg.invite.all("via")
    b.send("SIP/2.0 486 Busy Here", [("Via", f"{top};branch={params(vias[0])['branch']}"),
                                     *[("Via", v) for v in vias[1:]],
                                     *[(n, leg.invite.get(n)) for n in ("From", "Call-ID", "CSeq")],
                                     ("To", leg.invite.get("to") + ";tag=x")])
    no_more(a, "response", lambda m: m.status == 486, 0.2)
    no_more(b, "ACK", lambda m: m.method == "ACK")
    refuse(leg, 480)
    assert call.final().status == 480


@row("VIA-10")
def test_response_with_our_via_alone(d):
    a, b = d.phones_of(2)
    call, leg = ring(a, b, b.user)
    b.send("SIP/2.0 486 Busy Here", [("Via", leg.invite.all("via")[0]),
                                     *[(n, leg.invite.get(n)) for n in ("From", "Call-ID", "CSeq")],
                                     ("To", leg.invite.get("to") + ";tag=x")])
    no_more(a, "response", lambda m: m.status == 486, 0.2)
    refuse(leg, 480)
    assert call.final().status == 480


@row("VIA-11")
@pytest.mark.parametrize("method", ["INVITE", "OPTIONS", "MESSAGE"])
def test_stray_response_is_dropped(d, method):
    host, port = d.address()
    with Raw(d.address()) as raw, Ear() as victim:
        raw.send(text("SIP/2.0 200 OK", [
            f"Via: SIP/2.0/UDP {host}:{port};branch={branch()}",
            f"Via: SIP/2.0/UDP 127.0.0.1:{victim.port};branch={branch()}",
            "From: <sip:a@test>;tag=1", "To: <sip:b@test>;tag=2", f"Call-ID: {rand()}", f"CSeq: 1 {method}"]))
        assert victim.heard(0.2) is None
        assert raw.receive(0) is None


STACK = ["SIP/2.0/UDP first.example.com:5062;branch=z9hG4bKone;ttl=16",
         "SIP/2.0/TCP [2001:db8::9:1]:5060;branch=z9hG4bKtwo;received=2001:db8::9:255",
         'SIP/2.0/UDP 192.0.2.1;branch=z9hG4bKthree;note="one, two; three"',
         "SIP / 2.0 / SCTP fourth.example.com;branch=z9hG4bKfour"]


def flat(vias):
    """Values of Via as a list, whatever the lines were; blanks around '/' do not count."""
    out = []
    for line in vias:
        out += re.split(r",\s*(?=SIP\s*/)", line)
    return [re.sub(r"\s*/\s*", "/", v) for v in out]


@row("VIA-12")
def test_stack_of_vias(d):
    a, b = d.phones_of(2)
    uri = f"sip:{b.user}@{a.domain}"
    call_id, tag, top = rand(), rand(4), branch()

    def headers(n):
        return [f"v: {a.via(top + str(n))} , {STACK[0]}", f"Via: {STACK[1]},{STACK[2]}", f"V: {STACK[3]}",
                "Max-Forwards: 70", f"From: <sip:{a.user}@{a.domain}>;tag={tag}", f"To: <{uri}>",
                f"Call-ID: {call_id}", f"CSeq: {n + 1} MESSAGE"]
    request(a, "MESSAGE", uri, uri, headers)
    seen = b.request("MESSAGE")
    vias = flat(seen.all("via"))
    assert vias[2:] == flat(STACK), f"forwarded {vias}"
    assert bare_via(vias[1]) == bare_via(a.via(top + "1")), vias
    b.reply(seen, 200, to_tag="x")
    answer = a.final("MESSAGE", call_id, 2)
    back = flat(answer.all("via"))
    assert back[1:] == flat(STACK), f"answered {back}"


def old_call(a, b, branch_param, call_id, cseq, tag):
    uri = f"sip:{b.user}@{a.domain}"
    via = f"Via: SIP/2.0/UDP {a.host}:{a.port}{branch_param}"
    tagged = f";tag={tag}" if tag else ""
    base = [via, "Max-Forwards: 70", f"From: <sip:{a.user}@{a.domain}>{tagged}", f"Call-ID: {call_id}"]
    return uri, base, lambda method, to, extra=(): text(
        f"{method} {uri} SIP/2.0", [*base, f"To: {to}", f"CSeq: {cseq} {method}", *extra])


@row("VIA-13")
@pytest.mark.parametrize("branch_param", ["", ";branch=1", ";branch=old-but-unique"])
@pytest.mark.parametrize("end", ["486", "cancel", "200"])
@pytest.mark.parametrize("tagged", [True, False])
def test_rfc_2543_caller(d, branch_param, end, tagged):
    """Neither its branch nor a tag in From had to be there."""
    a, b = d.phones_of(2)
    call_id, tag = rand(), rand(4) if tagged else ""
    contact = f"Contact: {a.contact}"
    uri, _, first = old_call(a, b, branch_param and branch_param + "-first", call_id, 1, tag)
    a.send_raw(first("INVITE", f"<{uri}>", [contact]))
    challenge = a.final("INVITE", call_id)
    a.send_raw(first("ACK", challenge.get("to")))
    credentials = "%s: %s" % a.authorization(challenge, "INVITE", uri)
    uri, base, second = old_call(a, b, branch_param, call_id, 2, tag)
    invite = second("INVITE", f"<{uri}>", [contact, credentials])
    a.send_raw(invite)
    leg = b.accept()
    leg.answer(180)
    a.wait("180", lambda m: m.status == 180)
    a.send_raw(invite)
    no_more(b, "second INVITE", lambda m: m.method == "INVITE" and m.raw != leg.invite.raw, 0.1)
    if end == "cancel":
        a.send_raw(second("CANCEL", f"<{uri}>"))
        assert a.final("CANCEL", call_id).status == 200
        b.reply(b.request("CANCEL"), 200)
        leg.answer(487)
        b.request("ACK")
    elif end == "486":
        refuse(leg)
    else:
        leg.answer(200)
    answer = a.final("INVITE", call_id)
    assert answer.status == {"cancel": 487, "486": 486, "200": 200}[end]
    if end != "200":
        a.send_raw(second("ACK", answer.get("to")))
        no_more_from_now(a, f"{answer.status} again", lambda m: m.status >= 200, 0.2)
        return
    routes = [f"Route: {r}" for r in reversed(answer.all("record-route"))]
    a.send_raw(text(f"ACK {b.contact.strip('<>')} SIP/2.0",
                    [*base, f"To: {answer.get('to')}", "CSeq: 2 ACK", *routes]))
    b.request("ACK")
    leg.in_dialog("BYE")
    a.reply(a.request("BYE"), 200)
    assert b.final("BYE").status == 200


# ---- keep-alive -----------------------------------------------------------------------------------------


@row("VIA-14")
def test_double_crlf_on_tcp(d):
    with Raw(d.address("tcp"), "tcp") as raw:
        raw.send(options(raw.server, f"SIP/2.0/TCP 127.0.0.1:9;branch={branch()}"))
        one_via(raw.receive())
        for _ in range(3):
            raw.send(CRLF + CRLF)
            raw.sock.settimeout(DEADLINE)
            assert raw.sock.recv(64) == b"\r\n"
        raw.send(CRLF)
        raw.send(CRLF)
        assert raw.sock.recv(64) == b"\r\n", "a ping in two pieces"
        raw.send(options(raw.server, f"SIP/2.0/TCP 127.0.0.1:9;branch={branch()}"))
        one_via(raw.receive())


@row("VIA-15")
@pytest.mark.parametrize("noise", [b"", CRLF.encode(), CRLF.encode() * 2, b"\0", b"\0\0\0\0", b"jaK", b"\n", b" "])
def test_keep_alive_datagrams_are_ignored(d, noise):
    with Raw(d.address()) as raw:
        for _ in range(3):
            raw.send(noise)
        assert raw.receive(0.1) is None
        raw.send(options(raw.server, f"SIP/2.0/UDP 127.0.0.1:{raw.address[1]};branch={branch()}"))
        one_via(raw.receive())


@row("VIA-15")
def test_keep_alive_on_tcp_is_ignored(d):
    with Raw(d.address("tcp"), "tcp") as raw:
        for _ in range(5):
            raw.send(CRLF)
        raw.send(options(raw.server, f"SIP/2.0/TCP 127.0.0.1:9;branch={branch()}"))
        one_via(raw.receive())


# ---- calls between transports ------------------------------------------------------------------------------


def whole_call(a, b):
    for caller_ends in (True, False):
        call, leg = connect(a, b, b.user)
        sides = (call, leg) if caller_ends else (leg, call)
        sides[0].in_dialog("BYE")
        bye = sides[1].phone.request("BYE")
        assert bye.ruri == sides[1].phone.contact.strip("<>") and bye.all("route") == []
        sides[1].phone.reply(bye, 200)
        assert sides[0].phone.final("BYE").status == 200
    return leg.invite


@row("VIA-16")
def test_udp_to_tcp(d):
    whole_call(d.phone(register=True), d.phone(register=True, transport="tcp"))


@row("VIA-17")
def test_tcp_to_udp(d):
    whole_call(d.phone(register=True, transport="tcp"), d.phone(register=True))


@row("VIA-18")
def test_tcp_to_tcp(d):
    whole_call(d.phone(register=True, transport="tcp"), d.phone(register=True, transport="tcp"))


def at(d, host, port=0):
    name = d.name()
    phone = Phone(d.address(), name, secret(name), domain=d.conf["sip"]["domain"], host=host, port=port)
    d.phones.append(phone)
    return phone


class Listening(Phone):
    """A phone that registers over UDP a Contact where it waits for TCP connections."""

    def __init__(self, *args, **more):
        super().__init__(*args, **more)
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.tcp = self.listener.getsockname()

    def connection(self):
        """The next connection, as a phone on TCP."""
        self.listener.settimeout(DEADLINE)
        conn, _ = self.listener.accept()
        phone = Phone.__new__(Phone)
        phone.__dict__.update(self.__dict__)
        phone.sock, phone.stream, phone.transport = conn, Stream(conn), "tcp"
        phone.host, phone.port = self.tcp
        phone.inbox, phone.closed = [], False
        return phone

    def close(self):
        super().close()
        self.listener.close()


def listening(d):
    name = d.name()
    phone = Listening(d.address(), name, secret(name), domain=d.conf["sip"]["domain"])
    d.phones.append(phone)
    return phone


@row("VIA-19")
def test_contact_with_transport_tcp(d):
    a, b = d.phone(register=True), listening(d)
    b.register(contact=f"<sip:{b.user}@127.0.0.1:{b.tcp[1]};transport=tcp>")
    call = a.call(b.user, SDP).challenge()
    c = b.connection()
    leg = c.accept()
    assert leg.invite.all("via")[0].startswith("SIP/2.0/TCP 127.0.0.1:"), repr(leg.invite)
    leg.answer(200)
    assert call.final().status == 200
    call.ack()
    c.request("ACK")
    hang_up(call, leg)
    c.close()


@row("VIA-20")
def test_contact_without_port(d):
    a = d.phone(register=True)
    b = at(d, "127.0.0.63", 5060)
    b.register(contact=f"<sip:{b.user}@127.0.0.63>")
    call = a.call(b.user, SDP).challenge()
    leg = b.accept()
    assert leg.invite.ruri == f"sip:{b.user}@127.0.0.63"
    refuse(leg)
    assert call.final().status == 486


@row("VIA-21")
def test_contact_with_maddr(d):
    a, b = d.phone(register=True), d.phone()
    b.register(contact=f"<sip:{b.user}@127.0.0.65:{b.port};maddr=127.0.0.1>")
    call = a.call(b.user, SDP).challenge()
    leg = b.accept()
    assert leg.invite.ruri == f"sip:{b.user}@127.0.0.65:{b.port};maddr=127.0.0.1"
    refuse(leg)
    assert call.final().status == 486
    elsewhere = at(d, "127.0.0.62")
    elsewhere.register(contact=f"<sip:{elsewhere.user}@192.0.2.7:{elsewhere.port};maddr=127.0.0.62>")
    call = a.call(elsewhere.user, SDP).challenge()
    refuse(elsewhere.accept())
    assert call.final().status == 486


# ---- endurance --------------------------------------------------------------------------------------------


@row("VIA-22")
def test_many_half_requests_on_tcp(d):
    a, b = d.phone(register=True), d.phone(register=True, transport="tcp")
    with contextlib.ExitStack() as stack:
        held = [stack.enter_context(Raw(d.address("tcp"), "tcp")) for _ in range(60)]
        for raw in held:
            raw.send("OPTIONS sip:a@b SIP/2.0\r\nVia: SIP/2.0/TCP x")
        talk(a, b, b.user)
        talk(b, a, a.user)
        d.phone(register=True, transport="tcp")


@row("VIA-23")
@pytest.mark.parametrize("by,to", [("udp", "udp"), ("tcp", "udp"), ("udp", "tcp")])
def test_ipv6_to_ipv4_and_back(d, by, to):
    six, four = d.phone(register=True, ipv6=True, transport=by), d.phone(register=True, transport=to)
    assert "[::1]" in fetch(six)[0]
    assert whole_call(six, four).all("record-route")
    whole_call(four, six)


@row("VIA-24")
@pytest.mark.parametrize("received", ["", ";received=2001:db8::9:255", ";received=[2001:db8::9:255]"])
def test_ipv6_in_via(d, received):
    with Raw(d.address(ipv6=True)) as raw:
        raw.send(options(raw.server,
                         f"SIP/2.0/UDP [2001:db8::9:1]:{raw.address[1]};branch={branch()}{received}"))
        via = one_via(raw.receive())
    assert params(via)["received"].strip("[]") == "::1", via
    assert via.startswith(f"SIP/2.0/UDP [2001:db8::9:1]:{raw.address[1]}"), via
    a, b = (d.phone(register=True, ipv6=True) for _ in range(2))
    own = talk(a, b, b.user).all("via")[0]
    assert own.startswith(f"SIP/2.0/UDP [::1]:{d.address(ipv6=True)[1]};"), own


@row("VIA-25")
def test_tcp_on_the_port_of_udp():
    udp, tcp = two_sockets()
    with udp, tcp:
        port = udp.getsockname()[1]
    with plant({"sip": {"listen": [f"udp:127.0.0.1:{port}", f"tcp:127.0.0.1:{port}"]}}) as d:
        assert d.address("udp") == d.address("tcp") == ("127.0.0.1", port)
        ping(d.address("udp"))
        ping(d.address("udp"), "tcp")


# ---- large requests (18.1.1) ------------------------------------------------------------------------------


BIG = [(f"X-{i}", "v" * 60) for i in range(35)]


class Both(Listening):
    """A phone with UDP and TCP on one port, or with UDP and a port where nobody answers TCP."""

    def __init__(self, *args, tcp=True, **more):
        for _ in range(20):
            Phone.__init__(self, *args, **more)
            try:
                self.listener = socket.create_server(("127.0.0.1", self.port))
                break
            except OSError:
                self.sock.close()
        self.tcp = ("127.0.0.1", self.port)
        if not tcp:
            self.listener.close()


def both(d, **more):
    name = d.name()
    phone = Both(d.address(), name, secret(name), domain=d.conf["sip"]["domain"], **more)
    d.phones.append(phone)
    phone.register()
    return phone


@row("VIA-26")
@row("NA-13")
def test_large_request_takes_tcp(d):
    a, b = d.phone(register=True), both(d)
    call = a.call(b.user, SDP, extra=BIG).challenge()
    c = b.connection()
    leg = c.accept()
    assert leg.invite.all("via")[0].startswith("SIP/2.0/TCP "), leg.invite.all("via")
    assert lines(leg.invite, ("via", "max-forwards", "record-route", "p-asserted-identity")) == \
        lines(a.sent, ("via", "max-forwards", "record-route", "proxy-authorization"))
    leg.answer(180)
    call.provisional(180)
    leg.phone.reply(leg.invite, 200, to_tag=leg.local_tag, body=SDP,
                    extra=[("Contact", b.contact), ("Content-Type", "application/sdp")])
    assert call.final().status == 200
    call.ack()
    b.request("ACK")
    no_more(b, "INVITE over UDP", lambda m: m.method == "INVITE")
    call.in_dialog("BYE")
    b.reply(b.request("BYE"), 200)
    assert a.final("BYE").status == 200
    c.close()


@row("VIA-26")
@row("NA-13")
def test_large_request_falls_back_to_udp(d):
    a, b = d.phone(register=True), both(d, tcp=False)
    call = a.call(b.user, SDP, extra=BIG).challenge()
    leg = b.accept()
    assert leg.invite.all("via")[0].startswith("SIP/2.0/UDP "), leg.invite.all("via")
    assert len(leg.invite.all("via")) == 2
    refuse(leg)
    assert call.final().status == 486
    no_more(b, "INVITE again", lambda m: m.method == "INVITE", 0.2)


@row("NA-13")
def test_large_request_falls_back_where_nothing_answers(d):
    """A full queue of connections drops the SYN, as a firewall would."""
    a, b = d.phone(register=True), both(d)
    b.listener.listen(0)
    with contextlib.ExitStack() as stack:
        for _ in range(3):
            s = stack.enter_context(socket.socket())
            s.setblocking(False)
            s.connect_ex(b.tcp)
        began = time.monotonic()
        call = a.call(b.user, SDP, extra=BIG).challenge()
        leg = b.accept()
        assert time.monotonic() - began >= 0.09, "2 * T1"
    assert leg.invite.all("via")[0].startswith("SIP/2.0/UDP ")
    refuse(leg)
    assert call.final().status == 486


@row("NA-13")
def test_small_request_keeps_udp(d):
    a, b = d.phone(register=True), both(d)
    talk(a, b, b.user)


@row("NA-13")
def test_large_request_stays_on_a_flow(d):
    """Behind a NAT only the flow leads to the phone, and that is UDP."""
    a = d.phone(register=True)
    b = d.phone(register=True, behind=("10.1.2.3", 5060))
    call = a.call(b.user, SDP, extra=BIG).challenge()
    leg = b.accept()
    assert leg.invite.all("via")[0].startswith("SIP/2.0/UDP ")
    refuse(leg)
    assert call.final().status == 486


@row("NA-13")
@pytest.mark.parametrize("method", ["MESSAGE", "INFO"])
def test_large_request_in_and_out_of_dialogs(d, method):
    a, b = d.phone(register=True), both(d)
    body = b"x" * 2000
    if method == "MESSAGE":
        call = a.call(b.user, body, method="MESSAGE").challenge()
        c = b.connection()
        c.reply(c.request("MESSAGE"), 200, to_tag="x")
        assert call.final().status == 200
    else:
        call, leg = connect(a, b, b.user)
        call.in_dialog("INFO", [("Content-Type", "text/plain")], body)
        c = b.connection()
        info = c.request("INFO")
        assert info.body == body
        c.reply(info, 200)
        assert a.final("INFO", cseq=call.cseq).status == 200
        hang_up(call, leg)
    c.close()


@row("NA-13")
def test_cancel_follows_its_invite(d):
    a, b = d.phone(register=True), both(d)
    call = a.call(b.user, SDP, extra=BIG).challenge()
    c = b.connection()
    leg = c.accept()
    leg.answer(180)
    call.provisional(180)
    call.cancel()
    assert a.final("CANCEL").status == 200
    c.reply(c.request("CANCEL"), 200)
    leg.answer(487)
    c.request("ACK")
    assert call.final().status == 487
    c.close()


# ---- who is who -------------------------------------------------------------------------------------------


@row("VIA-27")
def test_same_branch_from_two_callers(d):
    a, b, c, e = d.phones_of(4)
    legs = []
    for caller, callee in ((a, c), (b, e)):
        uri, tag, call_id = f"sip:{callee.user}@{caller.domain}", rand(4), rand()

        def headers(n):
            return [f"Via: {caller.via(f'z9hG4bKthe-same-{n}')}", "Max-Forwards: 70",
                    f"From: <sip:{caller.user}@{caller.domain}>;tag={tag}", f"To: <{uri}>",
                    f"Call-ID: {call_id}", f"CSeq: {n + 1} MESSAGE"]
        request(caller, "MESSAGE", uri, uri, headers)
        legs.append((caller, callee, call_id))
    for status, (caller, callee, call_id) in zip((200, 488), legs):
        callee.reply(callee.request("MESSAGE"), status, to_tag="x")
        assert caller.final("MESSAGE", call_id, 2).status == status
    no_more(a, "more"), no_more(b, "more"), no_more(c, "more"), no_more(e, "more")
