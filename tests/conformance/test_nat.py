"""Phones behind a NAT: private addresses in Contact and Via, and only the flow leads back to them."""


import pytest

from plant import fetch, plant
from steps import connect, hang_up, no_more, refuse, ring, talk
from support.sip import SDP
from support.wire import Ear, Raw, ping

row = pytest.mark.row
HOME = ("10.23.45.67", 5060)


@pytest.fixture(scope="module")
def d():
    with plant({"sip": {"t1_ms": 60, "t2_ms": 200, "t4_ms": 200}}, tls=True) as daemon:
        yield daemon


def natted(d, **more):
    return d.phone(register=True, behind=HOME, **more)


def call_both_ways(a, b):
    """A whole call with a re-INVITE, INFO, and BYE from either side."""
    for caller_ends in (True, False):
        call, leg = connect(a, b, b.user)
        for one, other in ((call, leg), (leg, call)):
            one.in_dialog("INFO", [("Content-Type", "text/plain")], "there?")
            other.phone.reply(other.phone.request("INFO"), 200)
            assert one.phone.final("INFO", cseq=one.cseq).status == 200
        hang_up(*((call, leg) if caller_ends else (leg, call)))


@row("NAT-01")
def test_invite_goes_to_the_source_of_register(d):
    a, b = d.phone(register=True), natted(d)
    call, leg = ring(a, b, b.user)
    assert leg.invite.ruri == b.contact.strip("<>")
    refuse(leg)
    assert call.final().status == 486


@row("NAT-02")
def test_callee_behind_nat(d):
    call_both_ways(d.phone(register=True), natted(d))


@row("NAT-03")
def test_caller_behind_nat(d):
    call_both_ways(natted(d), d.phone(register=True))


@row("NAT-03")
def test_both_behind_nat(d):
    call_both_ways(natted(d), natted(d))


@row("NAT-04")
@pytest.mark.parametrize("transport", ["tcp", "tls"])
def test_invite_on_the_phones_connection(d, transport):
    a, b = d.phone(register=True), natted(d, transport=transport)
    call_both_ways(a, b)
    call_both_ways(b, a)


@row("NAT-05")
@pytest.mark.parametrize("transport", ["tcp", "tls"])
@pytest.mark.parametrize("behind", [None, HOME])
def test_closed_connection_fails_fast(d, transport, behind):
    a, b = d.phone(register=True), d.phone(register=True, transport=transport, behind=behind)
    b.close()
    ping(d.address("tcp"), "tcp")
    assert a.call(b.user, SDP).final().status in (480, 500), "not 408, which takes its time"


@row("NAT-06")
def test_200_lists_the_contact_as_sent(d):
    b = d.phone(behind=HOME)
    answer = b.register()
    assert [c.split(">")[0] for c in answer.all("contact")] == [b.contact[:-1]]
    assert [c.split(">")[0] for c in fetch(b)] == [b.contact[:-1]]
    assert "127.0.0.1" not in "".join(answer.all("contact"))


@row("NAT-07")
def test_two_behind_one_nat(d):
    a, b, c = d.phone(register=True), natted(d), natted(d)
    for one, other in ((b, c), (c, b)):
        call, leg = ring(a, one, one.user)
        no_more(other, "anything")
        refuse(leg)
        assert call.final().status == 486
    call_both_ways(b, c)


@row("NAT-08")
def test_new_port_of_the_nat(d):
    a, b = d.phone(register=True), natted(d)
    moved = d.phone(b.user, behind=HOME)
    moved.call_id, moved.cseq = b.call_id, b.cseq
    moved.register()
    assert len(fetch(moved)) == 1
    call, leg = ring(a, moved, b.user)
    no_more(b, "anything")
    refuse(leg)
    assert call.final().status == 486


@row("NAT-09")
@pytest.mark.parametrize("params", ["received=127.0.0.66", "rport={port};received=127.0.0.66", "received=::1"])
def test_received_from_the_client_is_not_trusted(d, params):
    with Raw(d.address()) as raw, Ear("127.0.0.66") as victim:
        for sent_by in ("10.23.45.67", "127.0.0.1", "127.0.0.66"):
            raw.send("OPTIONS sip:%s:%d SIP/2.0\r\nVia: SIP/2.0/UDP %s:%d;branch=z9hG4bKx%s;%s\r\n"
                     "Max-Forwards: 70\r\nFrom: <sip:a@b>;tag=1\r\nTo: <sip:c@d>\r\nCall-ID: %s\r\n"
                     "CSeq: 1 OPTIONS\r\nContent-Length: 0\r\n\r\n" %
                     (*raw.server, sent_by, raw.address[1], sent_by, params.format(port=victim.port), sent_by))
            answer = raw.receive()
            assert answer is not None and answer.status == 200, repr(answer)
            assert "127.0.0.66;" not in answer.get("via").partition("received=")[2] + ";", answer
        assert victim.heard(0.1) is None


@row("NAT-09")
def test_register_with_received_of_another(d):
    """What the location service takes down is where the packet came from."""
    a, b = d.phone(register=True), d.phone(behind=HOME)
    with Ear("127.0.0.66") as victim:
        via = b.via
        b.via = lambda branch=None: via(branch).replace(";rport", f";rport={victim.port};received=127.0.0.66")
        b.register()
        call, leg = ring(a, b, b.user)
        refuse(leg)
        assert call.final().status == 486
        assert victim.heard(0) is None
    talk(a, b, b.user)
