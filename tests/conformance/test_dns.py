"""Row NA-03: next hops with a name (RFC 3263), found in DNS servers on loopback."""

import contextlib
import itertools
import socket
import time

import pytest

from plant import Plant
from steps import no_more, sooner_or_later
from support.dns import Dns, Dnsmasq
from support.sip import DEADLINE, SDP, Message, Stream
from support.wire import Raw, ping

row = pytest.mark.row
T1 = 0.06
QUICK = {"t1_ms": 60, "t2_ms": 80, "t4_ms": 80}


@contextlib.contextmanager
def plant(server, **sip):
    conf = {"sip": {**QUICK, "dns_servers": [server.address], **sip}}
    d = Plant(conf)
    d.conf["sip"]["listen"] += ["udp:[::1]:0", "tcp:[::1]:0"]
    with d:
        yield d


def named(d, uri):
    """A phone whose Contact is a name."""
    phone = d.phone()
    phone.register(contact=f"<{uri}>")
    return phone


def closed_port():
    """Discard: the system gives it to nobody, as it may do with one that was closed."""
    return 9


def branch(message):
    return message.get("via").split("branch=")[1].split(";")[0]


def rings_at(caller, callee, target):
    """A call to callee's name rings at target: (caller's side, target's side)."""
    call = caller.call(callee.user, SDP).challenge()
    leg = target.accept()
    leg.answer(180, "Ringing")
    call.provisional(180)
    return call, leg


def ends(call, leg, status=486):
    """The target refuses; its ACK comes to it as well."""
    leg.answer(status)
    ack = leg.phone.request("ACK")
    assert branch(ack) == branch(leg.invite), f"{branch(leg.invite)} expected in\n{ack}"
    answer = call.final()
    assert answer.status == status, repr(answer)
    return answer


# ---- dnsmasq: NAPTR, SRV, failover ----------------------------------------------------------------


@row("NA-03")
def test_naptr_and_srv_with_a_closed_port():
    """The NAPTR leads to an SRV name; its first port is closed, the call goes on to the second."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as live:
        live.bind(("127.0.0.1", 0))
        port = live.getsockname()[1]
    with Dnsmasq("--naptr-record=pbx.test,20,10,S,SIP+D2U,,_sip._udp.main.test",
                 "--naptr-record=pbx.test,10,10,U,E2U+sip,!^.*$!sip:x@y!,.",
                 f"--srv-host=_sip._udp.main.test,a.test,{closed_port()},10,5",
                 f"--srv-host=_sip._udp.main.test,b.test,{port},20,5",
                 f"--srv-host=_sip._udp.pbx.test,a.test,{closed_port()},1,5",
                 "--host-record=a.test,127.0.0.1", "--host-record=b.test,127.0.0.1") as dns:
        with plant(dns) as d:
            callee, target = named(d, "sip:desk@pbx.test"), d.phone(port=port)
            caller = d.phone(register=True)
            call, leg = rings_at(caller, callee, target)
            assert leg.invite.ruri == "sip:desk@pbx.test", repr(leg.invite)
            ends(call, leg)
            call, leg = rings_at(caller, callee, target)
            call.cancel()
            cancel = target.request("CANCEL")
            assert branch(cancel) == branch(leg.invite), repr(cancel)
            target.reply(cancel, 200)
            leg.answer(487, "Request Terminated")
            assert call.final().status == 487


# ---- failover (4.3) -------------------------------------------------------------------------------


def two_servers(first, second, **more):
    return {("_sip._udp.pbx.test", "SRV"): [(10, 0, first, "a.test"), (20, 0, second, "a.test")],
            ("a.test", "A"): ["127.0.0.1"], **more}


@row("NA-03")
def test_503_goes_on_to_the_next():
    with Dns() as dns, plant(dns) as d:
        first, second, caller = d.phone(), d.phone(), d.phone(register=True)
        dns.records = two_servers(first.port, second.port)
        callee = named(d, "sip:desk@pbx.test")
        call = caller.call(callee.user, SDP).challenge()
        one = first.accept()
        one.answer(180, "Ringing")
        call.provisional(180)
        one.answer(503, "Busy Here")
        first.request("ACK")
        two = second.accept()
        assert branch(one.invite) != branch(two.invite), repr(two.invite)
        assert one.invite.get("call-id") == two.invite.get("call-id")
        two.answer(200, "OK")
        assert call.final().status == 200
        call.ack()
        second.request("ACK")
        no_more(first, "request", lambda m: m.method == "INVITE")
        call.in_dialog("BYE")
        second.reply(second.request("BYE"), 200)
        assert caller.final("BYE").status == 200


@row("NA-03")
def test_silence_goes_on_to_the_next_after_64_t1():
    with Dns() as dns, plant(dns) as d:
        first, second, caller = d.phone(), d.phone(), d.phone(register=True)
        dns.records = two_servers(first.port, second.port)
        callee = named(d, "sip:desk@pbx.test")
        began = time.monotonic()
        call = caller.call(callee.user, SDP).challenge()
        leg = second.accept(timeout=64 * T1 + DEADLINE)
        took = time.monotonic() - began
        assert took >= 64 * T1 * 0.9, f"on to the next after {took:.2f} s, expected {64 * T1:.2f}"
        assert first.request("INVITE")
        ends(call, leg, 480)


@row("NA-03")
def test_every_hop_fails():
    """The last 503 is not passed on (RFC 3261 16.7 step 6)."""
    with Dns() as dns, plant(dns) as d:
        first, second, caller = d.phone(), d.phone(), d.phone(register=True)
        dns.records = two_servers(first.port, second.port)
        callee = named(d, "sip:desk@pbx.test")
        call = caller.call(callee.user, SDP).challenge()
        for target in (first, second):
            target.accept().answer(503, "Service Unavailable")
        assert call.final().status == 500


# ---- transports and families (4.1, 4.2) -----------------------------------------------------------


class Listener:
    """Takes one TCP connection; the first message on it."""

    def __init__(self, host="127.0.0.1"):
        self.sock = socket.create_server((host, 0), family=socket.AF_INET6 if ":" in host else socket.AF_INET)
        self.sock.settimeout(DEADLINE)
        self.port = self.sock.getsockname()[1]

    def invite(self):
        connection = self.sock.accept()[0]
        connection.settimeout(DEADLINE)
        stream = Stream(connection)
        while (raw := stream.next()) is None:
            assert stream.feed(), "the connection was closed before a message was complete"
        connection.close()
        return Message(raw)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.sock.close()


CASES = {
    "NAPTR prefers TCP": ("sip:x@pbx.test", lambda p: {
        ("pbx.test", "NAPTR"): [(50, 50, "s", "SIP+D2U", "", "_sip._udp.pbx.test"),
                                (10, 50, "s", "SIP+D2T", "", "_sip._tcp.pbx.test")],
        ("_sip._tcp.pbx.test", "SRV"): [(0, 0, p, "a.test")],
        ("_sip._udp.pbx.test", "SRV"): [(0, 0, 1, "a.test")],
        ("a.test", "A"): ["127.0.0.1"]}),
    "transport=tcp asks for its SRV": ("sip:x@pbx.test;transport=tcp", lambda p: {
        ("pbx.test", "NAPTR"): [(10, 50, "s", "SIP+D2U", "", "_sip._udp.pbx.test")],
        ("_sip._tcp.pbx.test", "SRV"): [(0, 0, p, "a.test")],
        ("a.test", "A"): ["127.0.0.1"]}),
    "without NAPTR the SRV of TCP": ("sip:x@pbx.test", lambda p: {
        ("_sip._tcp.pbx.test", "SRV"): [(0, 0, p, "a.test")],
        ("a.test", "A"): ["127.0.0.1"]}),
    "a port means A, no SRV": ("sip:x@a.test:{port};transport=tcp", lambda p: {
        ("_sip._tcp.a.test", "SRV"): [(0, 0, 1, "a.test")],
        ("a.test", "A"): ["127.0.0.1"]}),
    "maddr is the name": ("sip:x@elsewhere.test:{port};transport=tcp;maddr=a.test", lambda p: {
        ("a.test", "A"): ["127.0.0.1"]}),
}


@row("NA-03")
@pytest.mark.parametrize("case", CASES)
def test_transport(case):
    uri, records = CASES[case]
    with Dns() as dns, Listener() as listener, plant(dns, t1_ms=20) as d:  # nobody answers: it is over soon
        dns.records = records(listener.port)
        callee, caller = named(d, uri.format(port=listener.port)), d.phone(register=True)
        caller.call(callee.user, SDP).challenge()
        invite = listener.invite()
        assert invite.get("via").startswith("SIP/2.0/TCP "), repr(invite)
        routes = ", ".join(invite.all("record-route"))
        assert routes.count("sip:") == 2 and "transport=tcp" in routes.split(",")[0], repr(invite)


@row("NA-03")
def test_ipv6_first_then_ipv4():
    """AAAA before A; from an IPv4 caller to an IPv6 hop with a Record-Route for each (RFC 5658)."""
    with Dns() as dns, plant(dns) as d:
        six = next(a for a in d.status_file["listen"] if a.startswith("udp:[::1]"))
        caller = d.phone(register=True)
        with Raw(("::1", int(six.rsplit(":", 1)[1])), host="::1") as target:
            port = target.sock.getsockname()[1]
            dns.records = {("a.test", "AAAA"): ["::1"], ("a.test", "A"): ["127.0.0.1"]}
            callee = named(d, f"sip:x@a.test:{port}")
            caller.call(callee.user, SDP).challenge()
            invite = target.receive()
            routes = ", ".join(invite.all("record-route"))
            assert routes.count("sip:") == 2 and "[::1]" in routes.split(",")[0], repr(invite)


# ---- inside a dialog ------------------------------------------------------------------------------


@row("NA-03")
def test_remote_target_is_a_name():
    """The callee answers with a Contact that is a name: ACK, INFO and BYE go where it leads."""
    with Dns() as dns, plant(dns) as d:
        caller, callee, target = d.phone(register=True), d.phone(register=True), d.phone()
        dns.records = {("a.test", "A"): ["127.0.0.1"]}
        call = caller.call(callee.user, SDP).challenge()
        leg = callee.accept()
        callee.reply(leg.invite, 200, to_tag=leg.local_tag, body=SDP,
                     extra=[("Contact", f"<sip:x@a.test:{target.port}>"), ("Content-Type", "application/sdp")])
        ok = call.final()
        assert ok.status == 200 and "a.test" in ok.get("contact"), repr(ok)
        call.ack()
        target.request("ACK")
        for method in ("INFO", "BYE"):
            call.in_dialog(method)
            target.reply(target.request(method), 200)
            assert caller.final(method).status == 200
        no_more(callee, "request", lambda m: m.method in ("ACK", "INFO", "BYE"))


# ---- nothing waits --------------------------------------------------------------------------------


@row("NA-03")
def test_a_silent_dns_server_stops_nobody():
    """While look-ups wait, OPTIONS and a whole call to somebody else pass; at last the flow is taken."""
    with Dns() as dns, plant(dns, dns_timeout_ms=2000) as d:
        dns.silent = True
        caller, other, friend = d.phones_of(3)
        names = itertools.count()

        def not_waited():
            """the SIP thread has time before the first look-up has failed"""
            lost = [named(d, f"sip:x@pbx{next(names)}.test") for _ in range(10)]
            began = time.monotonic()
            calls = [caller.call(phone.user, SDP).challenge() for phone in lost]
            for _ in range(20):
                assert ping(d.address()).status == 200
            ends(*rings_at(other, friend, friend))
            in_time = not any(phone.pump(0) for phone in lost)
            legs = [phone.accept() for phone in lost]
            assert time.monotonic() - began > 1.9, "over the flow before dns_timeout_ms"
            for call, leg in zip(calls, legs):
                ends(call, leg)
            return in_time
        sooner_or_later(not_waited, 3)


@row("NA-03")
def test_cancelled_while_a_name_is_looked_up():
    with Dns() as dns, plant(dns) as d:
        dns.silent = True
        caller, callee = d.phone(register=True), named(d, "sip:x@pbx.test")
        call = caller.call(callee.user, SDP).challenge()
        d.until("a question", lambda: dns.asked)
        call.cancel()
        assert caller.final("CANCEL").status == 200
        assert call.final().status == 487
        no_more(callee, "INVITE", lambda m: m.method == "INVITE")


@row("NA-03")
def test_too_many_look_ups():
    """In a dialog, where no flow is left to fall back to, 503; an open look-up is not disturbed."""
    with Dns() as dns, plant(dns, dns_lookups_max=1) as d:
        caller, callee, target = d.phone(register=True), d.phone(register=True), d.phone()
        call = caller.call(callee.user, SDP).challenge()
        leg = callee.accept()
        callee.reply(leg.invite, 200, to_tag=leg.local_tag, body=SDP,
                     extra=[("Contact", f"<sip:x@a.test:{target.port}>"), ("Content-Type", "application/sdp")])
        assert call.final().status == 200
        dns.silent = True
        call.ack()
        d.until("a question", lambda: dns.asked)
        other = named(d, "sip:x@pbx.test")
        again = d.phone(register=True).call(other.user, SDP).challenge()
        ends(again, other.accept())
        call.remote = f"sip:x@b.test:{target.port}"
        call.in_dialog("BYE")
        answer = caller.final("BYE")
        assert answer.status == 503 and answer.get("retry-after"), repr(answer)


# ---- the cache ------------------------------------------------------------------------------------


@row("NA-03")
def test_answers_are_kept_as_long_as_they_say():
    with Dns(ttl=60) as dns, plant(dns) as d:
        target, caller = d.phone(), d.phone(register=True)
        dns.records = {(name, "A"): ["127.0.0.1"] for name in ("a.test", "b.test")}
        callee = named(d, f"sip:x@a.test:{target.port}")
        for _ in range(3):
            ends(*rings_at(caller, callee, target))
        assert dns.counts()["udp", "a.test", "A"] == 1, dns.asked
        dns.ttl = 1
        callee = named(d, f"sip:x@b.test:{target.port}")

        def asked_again():
            ends(*rings_at(caller, callee, target))
            return dns.counts()["udp", "b.test", "A"] == 2

        d.until("a second question", asked_again)


@row("NA-03")
def test_that_there_is_nothing_is_kept_too():
    with Dns(negative=60) as dns, plant(dns) as d:
        caller, callee = d.phone(register=True), named(d, "sip:x@nowhere.test")
        for _ in range(3):
            ends(*rings_at(caller, callee, callee))
        counts = dns.counts()
        assert set(counts.values()) == {1}, counts
        assert {("udp", "nowhere.test", kind) for kind in ("NAPTR", "A", "AAAA")} <= set(counts), counts


@row("NA-03")
def test_truncated_answers_come_by_tcp():
    with Dns() as dns, plant(dns) as d:
        target, caller = d.phone(), d.phone(register=True)
        dns.truncate = True
        dns.records = {("a.test", "A"): ["127.0.0.1"]}
        callee = named(d, f"sip:x@a.test:{target.port}")
        ends(*rings_at(caller, callee, target))
        assert dns.counts()["tcp", "a.test", "A"] == 1, dns.asked


@row("NA-03")
def test_failing_servers():
    """SERVFAIL: over the flow at once."""
    with Dns() as dns, plant(dns) as d:
        dns.fail = True
        caller, callee = d.phone(register=True), named(d, "sip:x@pbx.test")
        ends(*rings_at(caller, callee, callee))


# ---- who may have names looked up -----------------------------------------------------------------


@row("NA-03")
def test_strangers_ask_nothing():
    """Nothing that comes without credentials or a token of ours leads to a question."""
    with Dns() as dns, plant(dns) as d:
        stranger = d.phone()
        with Raw(d.address()) as raw:
            for method in ("INVITE", "OPTIONS", "MESSAGE", "ACK", "BYE", "REGISTER", "SUBSCRIBE"):
                for ruri, route in (("sip:x@pbx.test", ""), ("sip:201@hotdesk.test", "Route: <sip:pbx.test;lr>\r\n"),
                                    ("sip:x@hotdesk.test;maddr=pbx.test", "")):
                    raw.send(f"{method} {ruri} SIP/2.0\r\nVia: SIP/2.0/UDP via.pbx.test;branch=z9hG4bK{method}\r\n"
                             f"Max-Forwards: 70\r\nFrom: <sip:x@pbx.test>;tag=1\r\nTo: <{ruri}>;tag=2\r\n"
                             f"{route}Call-ID: {method}{len(route)}@pbx.test\r\nCSeq: 1 {method}\r\n"
                             "Contact: <sip:x@contact.pbx.test>\r\nContent-Length: 0\r\n\r\n")
        assert ping(d.address()).status == 200
        # Whoever has an account is not led out of the house either.
        for uri in ("sip:x@pbx.test", "sip:x@pbx.test:5060;transport=tcp"):
            caller = d.phone(register=True)
            assert caller.call(uri, SDP).final().status == 404
        caller = d.phone(register=True)
        assert caller.call("sip:201@hotdesk.test", SDP, extra=[("Route", "<sip:pbx.test;lr>")]).final().status == 403
        assert not dns.asked, dns.asked
        stranger.close()


@row("NA-03")
@pytest.mark.parametrize("name", ["abc123.invalid", "pc.local", "pc"])
def test_names_that_nobody_is_asked_for(name):
    with Dns() as dns, plant(dns) as d:
        caller, callee = d.phone(register=True), named(d, f"sip:x@{name}")
        ends(*rings_at(caller, callee, callee))
        assert not dns.asked, dns.asked
