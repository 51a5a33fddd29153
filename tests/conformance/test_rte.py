"""Record-Route and Route (RFC 3261 16.4, 16.6, 16.12)."""

import re

import pytest

from plant import plant
from steps import connect, hang_up, no_more, ring
from support.sip import SDP, Call
from support.wire import assert_forwarded

row = pytest.mark.row


@pytest.fixture(scope="module")
def d():
    with plant() as daemon:
        yield daemon


@pytest.fixture
def pair(d):
    return d.phones_of(2)


def me(d):
    host, port = d.address()
    return f"{host}:{port}"


def bare(contact):
    return contact.strip("<>")


@row("RTE-01")
def test_record_route_names_us_and_reaches_both_ends(d, pair):
    a, b = pair
    call, leg = ring(a, b, b.user)
    (ours,) = leg.invite.all("record-route")
    assert re.fullmatch(rf"<sip:(?:[^@>]+@)?{re.escape(me(d))};lr>", ours), ours
    leg.answer(200)
    assert call.final().all("record-route") == [ours]
    call.ack()
    b.request("ACK")
    hang_up(call, leg)


@row("RTE-02")
@row("RTE-03")
@pytest.mark.parametrize("who", ["caller", "callee"])
def test_bye_loses_our_route(pair, who):
    a, b = pair
    call, leg = connect(a, b, b.user)
    one, other = (call, leg) if who == "caller" else (leg, call)
    one.in_dialog("BYE")
    bye = other.phone.request("BYE")
    assert bye.all("route") == [] and bye.ruri == bare(other.phone.contact)
    assert_forwarded(one.phone.sent, bye, ("route",))
    other.phone.reply(bye, 200)
    assert one.phone.final("BYE").status == 200


@row("RTE-04")
def test_loose_route_to_a_third_hop(d, pair):
    a, b = pair
    third = d.phone(register=True)
    call, leg = connect(a, b, b.user)
    there = f"<sip:{third.host}:{third.port};lr>"
    kept, call.routes = call.routes, call.routes + [there]
    call.in_dialog("INFO", [("Content-Type", "text/plain")], "x")
    info = third.request("INFO")
    assert info.all("route") == [there] and info.ruri == call.remote and info.body == b"x"
    third.reply(info, 200)
    assert a.final("INFO").status == 200
    no_more(b, "INFO", lambda m: m.method)
    call.routes = kept
    hang_up(call, leg)


@row("RTE-05")
def test_strict_router_upstream(pair):
    a, b = pair
    call, leg = connect(a, b, b.user)
    for one, other in ((call, leg), (leg, call)):
        (ours,), target = one.routes, one.remote
        one.routes, one.remote = [f"<{target}>"], bare(ours)
        one.in_dialog("INFO", [("Content-Type", "text/plain")], "x")
        info = other.phone.request("INFO")
        assert info.ruri == target and info.all("route") == []
        other.phone.reply(info, 200)
        assert one.phone.final("INFO", cseq=one.cseq).status == 200
        one.routes, one.remote = [ours], target
    hang_up(call, leg)


@row("RTE-06")
def test_strict_router_downstream(d, pair):
    a, b = pair
    strict = d.phone(register=True)
    call, leg = connect(a, b, b.user)
    there = f"sip:{strict.host}:{strict.port}"
    kept, call.routes = call.routes, call.routes + [f"<{there}>", "<sip:127.0.0.1:9;lr>"]
    call.in_dialog("INFO", [("Content-Type", "text/plain")], "x")
    info = strict.request("INFO")
    assert info.ruri == there and info.all("route") == ["<sip:127.0.0.1:9;lr>", f"<{call.remote}>"]
    strict.reply(info, 200)
    assert a.final("INFO").status == 200
    call.routes = kept
    hang_up(call, leg)


def call_with(pair, **more):
    """A call from INVITE to BYE; the INVITE as it arrived."""
    a, b = pair
    call = a.call(more.pop("to", b.user), SDP, **more).challenge()
    leg = b.accept()
    leg.answer(200)
    assert call.final().status == 200
    call.ack()
    b.request("ACK")
    hang_up(call, leg)
    return leg.invite


@row("RTE-07")
@pytest.mark.parametrize("route", ["<sip:{me};lr>", "<sip:{me};transport=udp;lr>", "<sip:{me};lr>, <sip:{me};lr>"])
def test_preloaded_route(d, pair, route):
    invite = call_with(pair, extra=[("Route", route.format(me=me(d)))])
    assert invite.all("route") == [] and invite.ruri == bare(pair[1].contact)


@row("RTE-08")
@pytest.mark.parametrize("route", ["<sip:hotdesk.test;lr>", "<sip:HotDesk.Test:5060;lr>", "<sip:hotdesk.test;lr;x=y>"])
def test_preloaded_route_by_name(pair, route):
    invite = call_with(pair, extra=[("Route", route)])
    assert invite.all("route") == [] and invite.ruri == bare(pair[1].contact)


@row("RTE-09")
def test_maddr_that_is_ours(d, pair):
    host, port = d.address()
    for uri in (f"sip:{pair[1].user}@hotdesk.test:{port};maddr={host}", f"sip:{pair[1].user}@{host}:{port};maddr={host}"):
        assert call_with(pair, to=uri).ruri == bare(pair[1].contact)


@row("RTE-10")
def test_record_routes_of_others_stay_below(pair):
    others = ["<sip:p1.example.com:5070;lr>", "<sip:p2.example.com;lr;x=%41>;y=z"]
    a, b = pair
    call = a.call(b.user, SDP, extra=[("Record-Route", v) for v in others]).challenge()
    leg = b.accept()
    assert len(leg.invite.all("record-route")) == 3 and leg.invite.all("record-route")[1:] == others
    leg.answer(200)
    ok = call.final()
    assert ok.all("record-route") == leg.invite.all("record-route")
    call.routes = call.routes[-1:]
    call.ack()
    b.request("ACK")
    call.in_dialog("BYE")
    b.reply(b.request("BYE"), 200)
    assert a.final("BYE").status == 200


@row("RTE-11")
@pytest.mark.parametrize("method", ["BYE", "INFO", "INVITE", "UPDATE"])
def test_no_dialog_of_ours(pair, method):
    a, b = pair
    uri = f"sip:{b.user}@hotdesk.test"
    call = a.call(uri, method="OPTIONS")
    a.final("OPTIONS", call.call_id)
    call.remote, call.remote_tag = uri, "nobody"
    call.in_dialog(method)
    answer = a.final(method, call.call_id, call.cseq)
    if answer.status == 407:
        call.in_dialog(method, [a.authorization(answer, method, uri)])
        answer = a.final(method, call.call_id, call.cseq)
    assert answer.status == 481, repr(answer)
    no_more(b, method, lambda m: m.method)


@row("RTE-12")
def test_target_refresh_both_ways(d, pair):
    a, b = pair
    call, leg = connect(a, b, b.user)
    a2, b2 = d.phone(a.user), d.phone(b.user)
    for one, other, moved in ((call, leg, a2), (leg, call, b2)):
        one.in_dialog("INVITE", [("Contact", moved.contact)], SDP)
        seen = other.phone.request("INVITE")
        assert seen.ruri == one.remote and seen.all("route") == []
        assert seen.all("contact") == [moved.contact]
        other.phone.reply(seen, 200, extra=[("Contact", other.phone.contact)])
        assert one.phone.final("INVITE", one.call_id, one.cseq).status == 200
        one.in_dialog("ACK")
        other.phone.request("ACK")
        other.remote = bare(moved.contact)
        one.phone = moved
        other.in_dialog("INFO", [("Content-Type", "text/plain")], "x")
        info = moved.request("INFO")
        assert info.ruri == bare(moved.contact)
        moved.reply(info, 200)
        assert other.phone.final("INFO", cseq=other.cseq).status == 200
    call.in_dialog("BYE")
    bye = b2.request("BYE")
    b2.reply(bye, 200)
    assert a2.final("BYE").status == 200


@row("RTE-13")
@pytest.mark.parametrize("method,extra", [
    ("SUBSCRIBE", [("Event", "presence"), ("Expires", "60")]), ("REFER", [("Refer-To", "<sip:202@hotdesk.test>")]),
    ("FROBNICATE", [])])
def test_what_makes_a_dialog_is_record_routed(d, pair, method, extra):
    a, b = pair
    call = a.call(b.user, method=method, extra=extra).challenge()
    seen = b.request(method)
    (ours,) = seen.all("record-route")
    assert me(d) in ours and ";lr" in ours
    b.reply(seen, 202, "Accepted", to_tag="there", extra=[("Contact", b.contact)])
    assert call.final().all("record-route") == [ours]
    leg = Call.incoming(b, seen)
    leg.local_tag = "there"
    leg.in_dialog("NOTIFY", [("Event", "x"), ("Subscription-State", "terminated")])
    notify = a.request("NOTIFY")
    assert notify.ruri == bare(a.contact) and notify.all("route") == []
    a.reply(notify, 200)
    assert b.final("NOTIFY").status == 200


@row("RTE-14")
def test_register_and_message_have_none(d, pair):
    a, b = pair
    answer = a.register()
    assert answer.all("record-route") == [] and answer.all("route") == []
    call = a.call(b.user, method="MESSAGE", body="hi").challenge()
    message = b.request("MESSAGE")
    assert message.all("route") == [] and message.body == b"hi"
    b.reply(message, 200, to_tag="x")
    assert call.final().status == 200
    other = d.phone()
    other.send(f"REGISTER sip:{other.domain} SIP/2.0", other.base(
        "REGISTER", f"sip:{other.user}@{other.domain}", "rr@reg", 1, "t") + [
            ("Record-Route", "<sip:127.0.0.1:9;lr>"), ("Contact", other.contact)])
    assert other.final("REGISTER").all("record-route") == []


@row("RTE-15")
def test_ack_of_200(pair):
    a, b = pair
    call, leg = ring(a, b, b.user)
    leg.answer(200)
    assert call.final().status == 200
    call.ack()
    ack = b.request("ACK")
    assert ack.ruri == bare(b.contact) and ack.all("route") == []
    assert_forwarded(a.sent, ack, ("route",))
    branch = [re.search(r"branch=([^;]+)", m.all("via")[0]).group(1) for m in (leg.invite, ack)]
    assert branch[1].startswith("z9hG4bK") and branch[0] != branch[1]
    hang_up(call, leg)


@row("RTE-16")
@pytest.mark.parametrize("who", ["caller", "callee"])
def test_dialog_outlives_the_binding(pair, who):
    a, b = pair
    call, leg = connect(a, b, b.user)
    a.register(expires=0)
    b.register(expires=0)
    hang_up(call, leg) if who == "caller" else hang_up(leg, call)
