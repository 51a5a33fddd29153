"""Path (RFC 3327), Service-Route (RFC 3608), outbound with its flows and keep-alives (RFC 5626)."""

import os
import re
import socket
import struct
import time

import pytest

from plant import fetch, plant, secret
from steps import connect, hang_up, login, no_more, refuse, ring, talk
from support.sip import CRLF, DEADLINE, SDP, Phone, rand
from support.wire import Raw, ping

row = pytest.mark.row
QUICK = {"sip": {"t1_ms": 60, "t2_ms": 200, "t4_ms": 200}}


@pytest.fixture(scope="module")
def d():
    with plant(QUICK, tls=True, ipv6=True) as daemon:
        yield daemon


@pytest.fixture(scope="module")
def many():
    with plant({**QUICK, "registrar": {"contacts_max": 8}}) as daemon:
        yield daemon


def edge(d, host="127.0.0.1"):
    """An edge proxy, as far as a socket goes: what arrives there, and what it answers."""
    phone = Phone(d.address(), "edge", "", domain=d.conf["sip"]["domain"], host=host)
    d.phones.append(phone)
    return phone


# ---- Path ---------------------------------------------------------------------------------------------


def check_path(d, extra):
    a, b, e = d.phone(register=True), d.phone(), edge(d)
    path = [f"<sip:edge@{e.host}:{e.port};lr>", "<sip:inner.example.com;lr;x=1>;p=2"]
    answer = b.register(extra=[("Path", p) for p in path] + extra)
    assert answer.all("path") == path
    call = a.call(b.user, SDP).challenge()
    leg = e.accept()
    no_more(b, "INVITE", lambda m: m.method == "INVITE")
    assert re.split(r",\s*", ",".join(leg.invite.all("route"))) == path, repr(leg.invite)
    assert leg.invite.ruri == b.contact.strip("<>")
    refuse(leg)
    assert call.final().status == 486
    assert b.register(extra=[("Path", p) for p in path] + extra).all("path") == path, "a refresh"
    return a, b, e


@row("PTH-01")
def test_path(d):
    a, b, _ = check_path(d, [("Supported", "path")])
    assert b.register().all("path") == []
    talk(a, b, b.user)


@row("PTH-01")
def test_path_that_is_required(d):
    check_path(d, [("Require", "path")])
    assert d.phone().register(extra=[("Require", "path, nonsense")], expect=420).all("unsupported") == ["nonsense"]


@row("PTH-01")
def test_path_in_one_line_and_after_a_restart():
    with plant(QUICK) as d:
        a, b, e = d.phone(register=True), d.phone(), edge(d)
        b.register(extra=[("Supported", "path"),
                          ("Path", f"<sip:{e.host}:{e.port};lr>,<sip:inner.example.com;lr>")])
        d.restart(kill=True)
        call = a.call(b.user, SDP).challenge()
        leg = e.accept()
        assert "".join(leg.invite.all("route")).count("<sip:") == 2, leg.invite.all("route")
        refuse(leg)
        assert call.final().status == 486


@row("PTH-01")
def test_notify_takes_the_path(d):
    b, e = d.phone(), edge(d)
    b.register(extra=[("Supported", "path"), ("Path", f"<sip:{e.host}:{e.port};lr>")])
    assert login(b, "201", "471147").status == 200
    notify = e.request("NOTIFY")
    assert notify.all("route") == [f"<sip:{e.host}:{e.port};lr>"], repr(notify)
    e.reply(notify, 200)


@row("PTH-01")
@pytest.mark.parametrize("path", ["<sip:" + "x" * 800 + "@edge.example.com;lr>", "<not a uri", "<sip:>"])
def test_path_that_cannot_be_kept(d, path):
    a, b = d.phone(register=True), d.phone()
    assert b.register(extra=[("Supported", "path"), ("Path", path)], expect=None).status == 400
    assert fetch(b) == []
    assert a.call(b.user, SDP).final().status == 480


@row("PTH-01")
def test_path_through_ourselves(d):
    host, port = d.address()
    a, b = d.phone(register=True), d.phone()
    b.register(extra=[("Supported", "path"), ("Path", f"<sip:{host}:{port};lr>")])
    assert talk(a, b, b.user).all("route") == []


@row("PTH-02")
def test_path_that_the_phone_does_not_announce(d):
    check_path(d, [])


# ---- Service-Route -------------------------------------------------------------------------------------


@row("PTH-03")
@pytest.mark.parametrize("transport,ipv6", [("udp", False), ("tcp", False), ("tls", False), ("udp", True)])
def test_service_route(d, transport, ipv6):
    a, b = d.phone(transport=transport, ipv6=ipv6), d.phone(register=True)
    host, port = d.address(transport, ipv6)
    host = f"[{host}]" if ipv6 else host
    route = a.register().all("service-route")
    t = "" if transport == "udp" else f";transport={transport}"
    assert route == [f"<sip:{host}:{port}{t};lr>"]
    call = a.call(b.user, SDP, extra=[("Route", route[0])]).challenge()
    leg = b.accept()
    assert leg.invite.all("route") == []
    refuse(leg)
    assert call.final().status == 486
    assert a.register(expires=0).all("service-route") == []


@row("PTH-03")
def test_service_route_can_be_off():
    with plant({"registrar": {"service_route": False}}) as d:
        assert d.phone().register().all("service-route") == []


# ---- outbound: the registrar (RFC 5626 6) -----------------------------------------------------------------


def instance():
    return f"<urn:uuid:{rand(4)}-{rand(2)}-{rand(2)}-{rand(2)}-{rand(6)}>"


def outbound(phone, urn, reg_id=1, supported="path, outbound", host=None, **more):
    contact = phone.contact if host is None else f"<sip:{phone.user}@{host}:{phone.port}>"
    return phone.register(contact=f'{contact};reg-id={reg_id};+sip.instance="{urn}"',
                          extra=[("Supported", supported)] if supported else [], **more)


@row("OUT-01")
@pytest.mark.parametrize("supported", [None, "path"])
def test_reg_id_without_outbound_is_ignored(many, supported):
    b, urn = many.phone(), instance()
    answer = outbound(b, urn, supported=supported)
    assert answer.all("require") == [] and answer.all("flow-timer") == []
    assert len(answer.all("contact")) == 1 and "reg-id=1" in answer.get("contact")


@row("OUT-01")
def test_no_reg_id_no_outbound(d):
    b = d.phone()
    answer = b.register(extra=[("Supported", "path, outbound")])
    assert answer.all("require") == [] and answer.all("flow-timer") == []


@row("OUT-02")
@pytest.mark.parametrize("transport", ["udp", "tcp", "tls"])
def test_outbound(d, transport):
    a, b, urn = d.phone(register=True), d.phone(transport=transport), instance()
    answer = outbound(b, urn)
    assert answer.all("require") == ["outbound"]
    again = outbound(b, urn)
    assert again.all("require") == ["outbound"] and len(again.all("contact")) == 1
    c = d.phone(b.user, transport=transport)
    answer = outbound(c, urn)
    assert [x.split(">")[0] for x in answer.all("contact")] == [c.contact[:-1]]
    talk(a, c, b.user)
    no_more(b, "INVITE", lambda m: m.method == "INVITE")
    talk(c, a, a.user)


@row("OUT-02")
def test_same_flow_replaces_another_does_not(many):
    b, urn = many.phone(), instance()
    outbound(b, urn, 1)
    c = many.phone(b.user)
    assert len(outbound(c, urn, 1).all("contact")) == 1
    e = many.phone(b.user)
    assert len(outbound(e, urn, 2).all("contact")) == 2
    assert len(outbound(e, instance(), 1).all("contact")) == 3
    assert outbound(e, urn, 2, expires=0).all("require") == []
    assert len(fetch(b)) == 2


@row("OUT-02")
def test_flow_is_used_whatever_the_contact_says(d):
    """The Contact names an address that nobody has; the flow is what counts."""
    a, b = d.phone(register=True), d.phone()
    outbound(b, instance(), host="127.0.0.99")
    call, leg = ring(a, b, b.user)
    refuse(leg)
    assert call.final().status == 486


@row("OUT-02")
@pytest.mark.parametrize("ob", [True, False])
def test_edge_proxy_with_and_without_outbound(d, ob):
    """RFC 5626 6: behind a proxy that does not know outbound there are no flows: 439."""
    b, e = d.phone(), edge(d)
    via = b.via
    b.via = lambda branch=None: f"SIP/2.0/UDP {b.host}:{b.port};branch=z9hG4bK{rand()}, {via(branch)}"
    path = f"<sip:{e.host}:{e.port};lr{';ob' if ob else ''}>"
    answer = b.register(contact=f'{b.contact};reg-id=1;+sip.instance="{instance()}"', expect=None,
                        extra=[("Supported", "path, outbound"), ("Path", path)])
    assert answer.status == (200 if ob else 439), repr(answer)
    assert answer.all("require") == (["outbound"] if ob else [])
    assert len(fetch(b)) == (1 if ob else 0)


@row("OUT-03")
@pytest.mark.parametrize("reg_id", ["", ";reg-id=1"])
def test_phone_that_died_comes_back_elsewhere(many, reg_id):
    a, b, urn = many.phone(register=True), many.phone(), instance()
    b.register(contact=f'{b.contact};+sip.instance="{urn}"{reg_id}')
    c = many.phone(b.user)
    answer = c.register(contact=f'{c.contact};+sip.instance="{urn}"{reg_id}')
    assert [x.split(">")[0] for x in answer.all("contact")] == [c.contact[:-1]]
    talk(a, c, b.user)
    no_more(b, "INVITE", lambda m: m.method == "INVITE")


@row("OUT-03")
def test_two_contacts_of_one_request_stay_two(many):
    b, urn = many.phone(), instance()
    two = f'{b.contact};+sip.instance="{urn}", <sip:{b.user}@127.0.0.1:9>;+sip.instance="{urn}"'
    assert len(b.register(contact=two).all("contact")) == 2


# ---- outbound: flows and keep-alives (RFC 5626 4.4, 5) -----------------------------------------------------


@row("NA-04")
@pytest.mark.parametrize("transport,timer", [("udp", "29"), ("tcp", "120"), ("tls", "120")])
def test_flow_timer(d, transport, timer):
    assert outbound(d.phone(transport=transport), instance()).all("flow-timer") == [timer]


@row("NA-04")
def test_flow_timer_of_the_configuration():
    with plant({"registrar": {"flow_timer_s": 17}}) as d:
        assert outbound(d.phone(), instance()).get("flow-timer") == "17"
    with plant({"registrar": {"flow_timer_s": 0}}) as d:
        answer = outbound(d.phone(), instance())
        assert answer.all("require") == ["outbound"] and answer.all("flow-timer") == []


@row("NA-04")
@pytest.mark.parametrize("transport", ["tcp", "tls"])
def test_ping_and_pong(d, transport):
    b = d.phone(transport=transport)
    outbound(b, instance())
    for _ in range(3):
        b.sock.sendall((CRLF + CRLF).encode())
        b.sock.settimeout(DEADLINE)
        assert b.sock.recv(64) == CRLF.encode()


@row("NA-04")
@pytest.mark.parametrize("transport", ["tcp", "tls"])
def test_call_to_a_flow_that_is_gone(d, transport):
    """RFC 5626 11.5: 430 is for proxies; whoever calls hears that the phone is not there now."""
    a, b = d.phone(register=True), d.phone(transport=transport)
    outbound(b, instance())
    b.close()
    ping(d.address("tcp"), "tcp")
    assert a.call(b.user, SDP).final().status == 480


@row("NA-04")
@pytest.mark.parametrize("transport", ["tcp", "tls"])
@pytest.mark.parametrize("method", ["BYE", "INFO", "INVITE"])
def test_in_a_dialog_with_a_flow_that_is_gone(d, transport, method):
    a, b = d.phone(register=True), d.phone(transport=transport)
    outbound(b, instance())
    call, _ = connect(a, b, b.user)
    b.close()
    ping(d.address("tcp"), "tcp")
    call.in_dialog(method)
    answer = a.final(method, call.call_id, call.cseq)
    assert answer.status == 430 and answer.start == "SIP/2.0 430 Flow Failed", repr(answer)


@row("NA-04")
def test_caller_whose_flow_is_gone(d):
    """The caller asks for its flow with ob in its Contact."""
    a, b = d.phone(transport="tcp"), d.phone(register=True)
    outbound(a, instance())
    a.__class__ = type("Ob", (Phone,), {"contact": property(
        lambda self: f"<sip:{self.user}@{self.host}:{self.port};transport=tcp;ob>")})
    call, leg = connect(a, b, b.user)
    leg.in_dialog("INFO")
    a.reply(a.request("INFO"), 200)
    assert b.final("INFO").status == 200
    a.close()
    ping(d.address("tcp"), "tcp")
    leg.in_dialog("BYE")
    assert b.final("BYE", cseq=leg.cseq).status == 430
    assert call


@row("NA-04")
def test_forged_flow_token(d):
    a, b = d.phone(register=True), d.phone(transport="tcp")
    outbound(b, instance())
    call, leg = connect(a, b, b.user)
    call.routes = [re.sub(r"sip:(.)", lambda m: "sip:" + ("B" if m.group(1) != "B" else "C"), r) for r in call.routes]
    call.in_dialog("INFO")
    assert a.final("INFO", cseq=call.cseq).status == 403
    no_more(b, "INFO", lambda m: m.method == "INFO")
    assert leg


# ---- STUN on the SIP port (RFC 5626 4.4.2, 8; RFC 5389) -----------------------------------------------------

COOKIE = 0x2112A442


def binding_request(attributes=b"", cookie=COOKIE, kind=1, length=None):
    transaction = os.urandom(12)
    head = struct.pack("!HHI", kind, len(attributes) if length is None else length, cookie)
    return head + transaction + attributes, transaction


@row("NA-04")
@pytest.mark.parametrize("ipv6", [False, True])
@pytest.mark.parametrize("attributes", [b"", struct.pack("!HH4s", 0x8022, 4, b"test")], ids=["bare", "software"])
def test_stun(d, ipv6, attributes):
    data, transaction = binding_request(attributes)
    with Raw(d.address(ipv6=ipv6)) as raw:
        raw.send(data)
        raw.sock.settimeout(DEADLINE)
        answer, source = raw.sock.recvfrom(2048)
        assert source[:2] == d.address(ipv6=ipv6)[:2]
        host, port = raw.address[:2]
    kind, length, cookie = struct.unpack("!HHI", answer[:8])
    assert (kind, length, cookie) == (0x0101, len(answer) - 20, COOKIE) and answer[8:20] == transaction
    attribute, n, _, family, xport = struct.unpack("!HHBBH", answer[20:28])
    assert (attribute, family) == (0x0020, 2 if ipv6 else 1) and n == len(answer) - 24
    mask = struct.pack("!I", COOKIE) + transaction
    address = bytes(x ^ y for x, y in zip(answer[28:], mask))
    assert xport ^ (COOKIE >> 16) == port
    assert address == socket.inet_pton(socket.AF_INET6 if ipv6 else socket.AF_INET, host)


@row("NA-04")
@pytest.mark.parametrize("data", [
    binding_request(cookie=1)[0], binding_request(kind=0x0101)[0], binding_request(kind=0x0111)[0],
    binding_request(kind=0x0003)[0], binding_request(length=4)[0], binding_request()[0][:19],
    binding_request(struct.pack("!HH4s", 0x0003, 4, b"\0\0\0\6"))[0],
    binding_request(struct.pack("!HH", 0x8022, 400))[0],
    binding_request(struct.pack("!HH4s", 0x0006, 4, b"user") * 20)[0], b"\0\1" + bytes(1000)],
    ids=["old", "response", "error", "allocate", "longer", "cut", "change request", "attribute cut",
         "credentials", "zeros"])
def test_what_is_no_binding_request_is_ignored(d, data):
    with Raw(d.address()) as raw:
        raw.send(data)
        assert raw.receive(0.1) is None
    ping(d.address())


@row("NA-04")
def test_stun_is_limited_as_requests_are():
    with plant({"sip": {"source_rate": 10, "source_burst": 5, "source_exempt": []}}) as d:
        with Raw(d.address()) as raw:
            began, n = time.monotonic(), 0
            for _ in range(100):
                raw.send(binding_request()[0])
            raw.sock.settimeout(DEADLINE)
            try:
                while raw.sock.recv(2048):
                    n += 1
                    raw.sock.settimeout(0.3)
            except TimeoutError:
                pass
            assert 1 <= n <= 6 + 10 * (time.monotonic() - began), n
