"""Calls between transports and address families: two Record-Routes where they differ (RFC 5658)."""

import itertools
import re

import pytest

from plant import plant
from steps import again, connect, hang_up, no_more, ring
from support.sip import SDP
from support.wire import assert_forwarded

SIDES = ["udp4", "tcp4", "tls4", "udp6", "tcp6", "tls6"]


@pytest.fixture(scope="module")
def d():
    with plant(tls=True, ipv6=True, listen=["tls:[::1]:0"]) as daemon:
        yield daemon


def phone(d, side):
    return d.phone(transport=side[:3], ipv6=side[3] == "6", register=True)


def ours(d, side):
    """What a Record-Route must look like that is to be used from that side."""
    host, port = d.address(side[:3], side[3] == "6")
    host = f"[{host}]" if ":" in host else host
    transport = "" if side[:3] == "udp" else f";transport={side[:3]}"
    return rf"<sip:[\w.~-]+@{re.escape(host)}:{port}{transport};lr>"


@pytest.mark.parametrize("one,other", itertools.product(SIDES, SIDES))
def test_calls_between_sides(d, one, other):
    a, b = phone(d, one), phone(d, other)
    call, leg = ring(a, b, b.user)
    routes = leg.invite.all("record-route")
    assert len(routes) == (1 if one == other else 2), routes
    assert re.fullmatch(ours(d, other), routes[0]), f"the callee's side on top: {routes}"
    assert re.fullmatch(ours(d, one), routes[-1]), f"the caller's side below: {routes}"
    leg.answer(200)
    answer = call.final()
    assert answer.all("record-route") == routes
    call.ack()
    ack = b.request("ACK")
    assert_forwarded(a.sent, ack, ("route",))
    assert ack.all("route") == [] and ack.ruri == b.contact.strip("<>")
    again(call, leg, SDP + b"a=sendonly\r\n")
    again(leg, call, SDP + b"a=sendrecv\r\n")
    for mine, theirs in ((call, leg), (leg, call)):
        mine.in_dialog("INFO", [("Content-Type", "text/plain")], "x" * 20)
        info = theirs.phone.request("INFO")
        assert_forwarded(mine.phone.sent, info, ("route",))
        assert info.all("route") == []
        theirs.phone.reply(info, 200)
        assert mine.phone.final("INFO", mine.call_id, mine.cseq).status == 200
    hang_up(*((call, leg) if one < other else (leg, call)))
    no_more(a, "more"), no_more(b, "more")


@pytest.mark.parametrize("one,other", [("udp4", "tcp4"), ("udp6", "udp4"), ("tls4", "udp4")])
@pytest.mark.parametrize("keep", ["first", "last"])
def test_phone_that_sends_but_one_of_the_two(d, one, other, keep):
    """Either Route is enough: each of them knows both sides."""
    a, b = phone(d, one), phone(d, other)
    call, leg = connect(a, b, b.user)
    for side in (call, leg):
        side.routes = side.routes[:1] if keep == "first" else side.routes[-1:]
    again(call, leg, SDP)
    again(leg, call, SDP)
    hang_up(leg, call)


@pytest.mark.parametrize("one,other", [("udp4", "tcp4"), ("tcp6", "udp4")])
def test_strict_router_with_both(d, one, other):
    a, b = phone(d, one), phone(d, other)
    call, leg = connect(a, b, b.user)
    for mine, theirs in ((call, leg), (leg, call)):
        routes, target = mine.routes, mine.remote
        mine.routes, mine.remote = routes[1:] + [f"<{target}>"], routes[0].strip("<>")
        mine.in_dialog("INFO", [("Content-Type", "text/plain")], "x")
        info = theirs.phone.request("INFO")
        assert info.ruri == target and info.all("route") == []
        theirs.phone.reply(info, 200)
        assert mine.phone.final("INFO", mine.call_id, mine.cseq).status == 200
        mine.routes, mine.remote = routes, target
    hang_up(call, leg)


@pytest.mark.parametrize("who", ["caller", "callee"])
def test_stream_that_broke_is_made_anew(d, who):
    """A phone on TCP whose connection is gone connects again and ends its call; so does its peer."""
    a, b = phone(d, "tcp4"), phone(d, "udp4")
    call, leg = connect(a, b, b.user)
    a.close()
    anew = d.phone(a.user, transport="tcp", register=True)
    call.phone = anew
    if who == "caller":
        hang_up(call, leg)
        return
    leg.remote = anew.contact.strip("<>")
    call.in_dialog("INVITE", body=SDP)
    invite = b.request("INVITE")
    b.reply(invite, 200, extra=[("Contact", b.contact)])
    assert anew.final("INVITE", call.call_id, call.cseq).status == 200
    call.in_dialog("ACK")
    b.request("ACK")
    hang_up(leg, call)
