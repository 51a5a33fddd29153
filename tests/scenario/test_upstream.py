"""The PBX behind us: calls out with failover and credentials, calls in, and nobody else relayed."""

import itertools
import re
import socket

import pytest

from plant import plant
from support.peer import Peer
from support.sip import SDP, Call, digest, rand

NUMBERS = itertools.count(300)
FAST = {"t1_ms": 100, "t2_ms": 400, "t4_ms": 400}
SENT_BACK_MAX = 4


@pytest.fixture(scope="module")
def house():
    a, b = Peer("127.0.0.2"), Peer("127.0.0.3")
    peers = [a.line("first", "routes=+49~,0~ strip=+4930555,030555"),
             b.line("second", "routes=+49~,0~,99~,112 order=7"),
             a.line("users", "mode=user routes=98~").replace(f"from={a.host} ", "")]
    with plant({"sip": dict(FAST), "plan": {"country": "49", "international": "00", "national": "0", "ring_s": 1},
                "rights": {"users": "world"},
                "upstream": {"peers": peers, "answer_ms": 4000, "sent_back_max": SENT_BACK_MAX}}) as d:
        for peer in (a, b):
            peer.server = d.address()
        d.ctl("upstream", "set", "first", "--user", "trunk", "--password", "trunk secret")
        yield d, a, b
    a.close()
    b.close()


@pytest.fixture
def desk(house):
    d, a, b = house
    number = str(next(NUMBERS))
    d.ctl("user", "add", number, "--name", "Dora", "--pin", "914263")
    phone = d.phone(register=True)
    d.ctl("session", "login", number, phone.user)
    phone.reply(phone.request("NOTIFY"), 200)
    return number, phone


def ruri(leg):
    return leg.invite.start.split()[1]


def end(call, leg):
    call.in_dialog("BYE")
    leg.phone.reply(leg.phone.request("BYE"), 200)
    assert call.phone.final("BYE", call.call_id).status == 200


def test_out_and_back(house, desk):
    d, a, _ = house
    number, phone = desk
    call = phone.call("+4989123456", SDP).challenge()
    leg = a.accept(call_id=call.call_id)
    assert ruri(leg) == f"sip:+4989123456@{a.host}:{a.port}"
    assert leg.invite.get("p-asserted-identity") == f'"Dora" <sip:{number}@hotdesk.test>'
    assert not leg.invite.get("proxy-authorization"), "credentials of the phone went out"
    leg.answer(200)
    assert call.final().status == 200
    call.ack()
    a.request("ACK")
    leg.in_dialog("BYE")  # and the PBX hangs up
    phone.reply(phone.request("BYE"), 200)
    assert a.final("BYE", leg.call_id).status == 200


def test_goes_on_to_the_next(house, desk):
    d, a, b = house
    _, phone = desk
    call = phone.call("+4989123457", SDP).challenge()
    first = a.accept(call_id=call.call_id)
    first.answer(503)
    second = b.accept(call_id=call.call_id)
    assert ruri(second) == f"sip:+4989123457@{b.host}:{b.port}"
    second.answer(200)
    assert call.final().status == 200
    call.ack()
    b.request("ACK")
    end(call, second)


def test_a_silent_one_is_passed_over(house, desk):
    d, a, b = house
    _, phone = desk
    call = phone.call("+4989123458", SDP).challenge()
    a.accept(call_id=call.call_id)  # and says nothing at all
    second = b.accept(call_id=call.call_id)
    second.answer(200)
    assert call.final().status == 200
    call.ack()
    b.request("ACK")
    end(call, second)


def test_what_a_peer_says_is_final(house, desk):
    d, a, b = house
    _, phone = desk
    call = phone.call("+4989123459", SDP).challenge()
    a.accept(call_id=call.call_id).answer(486)
    assert call.final().status == 486
    assert not [m for m in b.inbox if m.get("call-id") == call.call_id]


def challenge(leg, realm="pbx.test", nonce=None):
    leg.answer(407, extra=[("Proxy-Authenticate",
                            f'Digest realm="{realm}", nonce="{nonce or rand()}", qop="auth", algorithm=SHA-256')])


def test_challenges_are_answered_here(house, desk):
    d, a, _ = house
    _, phone = desk
    call = phone.call("+4989123460", SDP).challenge()
    leg = a.accept(call_id=call.call_id)
    challenge(leg, nonce="n1")
    a.request("ACK")
    again = a.accept(call_id=call.call_id)
    value = again.invite.get("proxy-authorization")
    assert 'username="trunk"' in value and "SHA-256" in value, value
    assert again.invite.get("cseq") == leg.invite.get("cseq")
    assert again.invite.all("via")[0] != leg.invite.all("via")[0]
    cnonce = value.split('cnonce="')[1].split('"')[0]
    mine = digest('Digest realm="pbx.test", nonce="n1", qop="auth", algorithm=SHA-256', "INVITE", ruri(again),
                  "trunk", "trunk secret", cnonce=cnonce)
    assert mine.split('response="')[1].split('"')[0] in value, value
    again.answer(200)
    answer = call.final()
    assert answer.status == 200 and not answer.get("proxy-authenticate")
    call.ack()
    a.request("ACK")
    end(call, again)
    assert "trunk secret" not in d.log()


def test_challenged_forever(house, desk):
    d, a, b = house
    _, phone = desk
    call = phone.call("+4989123461", SDP).challenge()
    for _ in range(2):
        challenge(a.accept(call_id=call.call_id))
    second = b.accept(call_id=call.call_id)
    challenge(second)  # where we have no account at all
    answer = call.final()
    assert answer.status == 500 and not answer.get("proxy-authenticate"), answer
    d.until("log", lambda: "our credentials are refused" in d.log() and "no account there" in d.log())


def test_a_call_for_help(house):
    """Of a phone where nobody is logged in, and whose class allows nothing outside: upstream, with its place."""
    d, _, b = house
    phone = d.phone(register=True)
    d.ctl("phone", "set", phone.user, "--location", "Building 7, room 101")
    call = phone.call("112", SDP).challenge()
    leg = b.accept(call_id=call.call_id)
    assert ruri(leg) == f"sip:112@{b.host}:{b.port}"
    assert "Building 7, room 101" in leg.invite.get("p-access-network-info")
    leg.answer(200)
    assert call.final().status == 200
    call.ack()
    b.request("ACK")
    end(call, leg)


def test_a_call_for_help_goes_on_whatever_is_said(house):
    """By emergency.targets: one is silent, a trunk challenges and declines, the next knows nothing, a phone answers."""
    d, a, b = house
    silent, last, phone = Peer("127.0.0.8"), d.phone(register=True), d.phone(register=True)
    d.conf["emergency"] = {"targets": [f"sip:112@{silent.host}:{silent.port}", f"sip:112@{a.host}:{a.port}",
                                       f"sip:help@{b.host}:{b.port}", last.user]}
    d.write_conf()
    d.ctl("reload")
    call = phone.call("112", SDP).challenge()
    silent.accept(call_id=call.call_id)
    leg = a.accept(call_id=call.call_id)
    challenge(leg, nonce="help")
    a.request("ACK")
    leg = a.accept(call_id=call.call_id)
    assert proved(leg.invite, "proxy-authorization", "help", "INVITE"), repr(leg.invite)
    leg.answer(603)
    leg = b.accept(call_id=call.call_id)
    assert ruri(leg) == f"sip:help@{b.host}:{b.port}"
    leg.answer(404)
    answered(call, last.accept(call_id=call.call_id))
    d.conf["emergency"] = {}
    d.write_conf()
    d.ctl("reload")
    silent.close()


def test_no_route(house, desk):
    _, phone = desk
    assert phone.call("77123", SDP).final().status == 404


@pytest.mark.parametrize("called", ["{number}", "+4930555{number}", "030555{number};phone-context=+49"])
def test_in(house, desk, called):
    d, a, _ = house
    number, phone = desk
    call = a.call(f"sip:{called.format(number=number)}@hotdesk.test", SDP)
    leg = phone.accept(call_id=call.call_id)
    assert not leg.invite.get("p-asserted-identity"), "nobody of ours calls"
    leg.answer(200)
    assert call.final().status == 200
    call.ack()
    phone.request("ACK")
    end(call, leg)


# ---- what else goes out, and what is challenged later -------------------------------------------------


def proved(message, name, nonce, method, user="trunk", secret="trunk secret"):
    """Whether a request carries the answer to our challenge."""
    value = message.get(name) or ""
    assert f'nonce="{nonce}"' in value and f'username="{user}"' in value, repr(message)
    cnonce = re.search(r'cnonce="([^"]+)"', value).group(1)
    mine = digest(f'Digest realm="pbx.test", nonce="{nonce}", qop="auth", algorithm=SHA-256', method, message.ruri,
                  user, secret, nc=int(re.search(r"nc=([0-9a-f]+)", value).group(1), 16), cnonce=cnonce)
    return re.search(r'response="([^"]+)"', mine).group(1) in value


def challenged(peer, call_id, method, status=401, times=1):
    """The request as it comes when it was challenged."""
    def is_new(m):
        return m.method == method and m.get("call-id") == call_id and (method, m.get("via")) not in peer.taken

    name = "WWW-Authenticate" if status == 401 else "Proxy-Authenticate"
    for n in range(times):
        request = peer.wait(method, is_new)
        peer.taken.add((method, request.get("via")))
        nonce = rand()
        peer.reply(request, status, "Who?", "challenger", [(name, f'Digest realm="pbx.test", nonce="{nonce}", '
                                                                  'qop="auth", algorithm=SHA-256')])
        if method == "INVITE":
            peer.wait("ACK", lambda m: m.method == "ACK" and m.get("via") == request.get("via"))
        if n + 1 == times and times > 1:
            return None
        again = peer.wait(f"{method} with credentials", is_new)
        assert proved(again, "authorization" if status == 401 else "proxy-authorization", nonce, method), repr(again)
        assert again.get("cseq") == request.get("cseq")
        if n + 1 == times:
            peer.taken.add((method, again.get("via")))
    return again


@pytest.mark.parametrize("caller", ["phone", "peer"])
def test_challenges_inside_a_dialog(house, desk, caller):
    """Of the PBX to a phone: answered here, whoever called whom; the phone sees none of it."""
    d, a, _ = house
    number, phone = desk
    call = (phone if caller == "phone" else a).call("+4989123470" if caller == "phone" else number, SDP)
    if caller == "phone":
        call.challenge()
    leg = (a if caller == "phone" else phone).accept(call_id=call.call_id)
    leg.answer(200)
    assert call.final().status == 200
    call.ack()
    leg.phone.request("ACK")
    mine = call if caller == "phone" else leg
    for method, status in (("INVITE", 401), ("INFO", 407), ("REFER", 401), ("BYE", 407)):
        extra = [("Refer-To", "<sip:202@hotdesk.test>")] if method == "REFER" else []
        mine.in_dialog(method, extra, SDP if method == "INVITE" else "")
        again = challenged(a, call.call_id, method, status)
        a.reply(again, 202 if method == "REFER" else 200, "OK", extra=[("Contact", a.contact)])
        answer = phone.final(method, call.call_id, mine.cseq)
        assert answer.status in (200, 202) and not answer.get("www-authenticate"), repr(answer)
        if method == "INVITE":
            mine.in_dialog("ACK")
            a.request("ACK")
    assert "trunk secret" not in d.log()


def test_refused_inside_a_dialog(house, desk):
    """Challenged for ever, and by somebody else: no credentials for whom the phone names in the place of the PBX."""
    d, a, _ = house
    _, phone = desk
    call = phone.call("+4989123471", SDP).challenge()
    leg = a.accept(call_id=call.call_id)
    leg.answer(200)
    assert call.final().status == 200
    call.ack()
    a.request("ACK")
    call.in_dialog("INFO")
    assert challenged(a, call.call_id, "INFO", times=2) is None
    answer = phone.final("INFO", call.call_id, call.cseq)
    assert answer.status == 403 and not answer.get("www-authenticate"), repr(answer)
    thief, there = Peer("127.0.0.8"), call.remote
    thief.server = d.address()
    call.remote = f"sip:x@{thief.host}:{thief.port}"
    call.in_dialog("INFO")
    asked = thief.request("INFO")
    thief.reply(asked, 401, "Who?", extra=[("WWW-Authenticate", 'Digest realm="pbx.test", nonce="n", qop="auth"')])
    answer = phone.final("INFO", call.call_id, call.cseq)
    assert answer.status == 401, "it is the phone's to deal with"
    assert not [m for m in thief.inbox if m.get("authorization")]
    thief.close()
    call.remote = there
    end(call, leg)


def test_other_requests_out(house, desk):
    """To a number outside, as the user, by the user's class; challenged, and on to the next peer."""
    d, a, b = house
    number, phone = desk
    for method in ("MESSAGE", "OPTIONS", "SUBSCRIBE"):
        event = [("Event", "presence")] if method == "SUBSCRIBE" else []
        call = phone.call("+4989123472", extra=event, method=method).challenge()
        again = challenged(a, call.call_id, method)
        assert again.ruri == f"sip:+4989123472@{a.host}:{a.port}"
        assert again.get("p-asserted-identity") == f'"Dora" <sip:{number}@hotdesk.test>'
        a.reply(again, 200, extra=[("Contact", a.contact), ("Expires", "60")], to_tag="there")
        assert call.final().status == 200, method
        assert phone.call("77123", extra=event, method=method).challenge().final().status == 404, "no route"
    # The subscription: its NOTIFY comes in, its end goes out.
    leg = Call.incoming(a, again)
    leg.local_tag = "there"
    leg.in_dialog("NOTIFY", [("Event", "presence"), ("Subscription-State", "active;expires=60")])
    phone.reply(phone.wait("NOTIFY", lambda m: m.method == "NOTIFY" and m.get("call-id") == call.call_id), 200)
    assert a.final("NOTIFY", call.call_id).status == 200
    call.in_dialog("SUBSCRIBE", [("Event", "presence"), ("Expires", "0")])
    a.reply(challenged(a, call.call_id, "SUBSCRIBE"), 200)
    assert phone.final("SUBSCRIBE", call.call_id, call.cseq).status == 200
    call = phone.call("+4989123473", method="MESSAGE").challenge()
    first = a.wait("MESSAGE", lambda m: m.method == "MESSAGE" and m.get("call-id") == call.call_id)
    a.reply(first, 503)
    second = b.wait("MESSAGE", lambda m: m.method == "MESSAGE" and m.get("call-id") == call.call_id)
    b.reply(second, 200)
    assert call.final().status == 200
    extra = [("Refer-To", "<sip:202@hotdesk.test>"), ("Event", "presence"), ("Subscription-State", "active")]
    for method in ("REFER", "INFO", "PUBLISH", "NOTIFY"):
        call = phone.call("+4989123474", extra=extra, method=method).challenge()
        again = challenged(a, call.call_id, method)
        assert again.get("p-asserted-identity") == f'"Dora" <sip:{number}@hotdesk.test>'
        a.reply(again, 200)
        assert call.final().status == 200, method
    assert phone.call("+4989123474", method="UPDATE").challenge().final().status == 404
    for refer_to in ([], extra[:1] * 2, [("Refer-To", "<>")]):
        assert phone.call("+4989123474", extra=refer_to, method="REFER").challenge().final().status == 400, refer_to
    d.ctl("user", "set", number, "--class", "house")
    for method in ("MESSAGE", "OPTIONS", "SUBSCRIBE", "REFER", "INFO", "PUBLISH", "NOTIFY"):
        assert phone.call("+4989123475", extra=extra, method=method).challenge().final().status == 403, method
    d.ctl("user", "set", number, "--class", "country")
    for refer_to in ("<sip:0033123@pbx.test>", "<sip:+33123@hotdesk.test;user=phone?Replaces=x>", "tel:+33123",
                     '"<sip:202@hotdesk.test>" <sip:+33123@pbx.test>', "<sip:0033123;x@pbx.test>",
                     "<sip:+33123;x=y@pbx.test>"):
        assert phone.call("+4989123475", extra=[("Refer-To", refer_to)],
                          method="REFER").challenge().final().status == 403, refer_to
    too_long = [("Refer-To", "<sip:+331234567890123456@pbx.test>")]
    assert phone.call("+4989123475", extra=too_long, method="REFER").challenge().final().status == 400


# ---- a user of ours sends calls outside ---------------------------------------------------------------


def forwards(d, number, when, to, *options):
    d.ctl("user", "set", number, f"--forward-{when}", to, *options)
    return [f"<sip:{number}@hotdesk.test>;reason=" +
            {"always": "unconditional", "busy": "user-busy", "no-answer": "no-answer"}[when]]


def answered(call, leg):
    leg.answer(200)
    assert call.final().status == 200
    call.ack()
    leg.phone.request("ACK")
    end(call, leg)


@pytest.mark.parametrize("when,status", [("busy", 486), ("no-answer", 480)])
def test_goes_on_outside(house, desk, when, status):
    """Whoever calls; the caller stays who it is, and the next peer is asked when one is down."""
    d, a, b = house
    number, phone = desk
    diversion = forwards(d, number, when, "089777")
    caller = d.phone(register=True)
    for who in (caller, a):
        call = who.call(f"sip:{number}@hotdesk.test", SDP)
        if who is caller:
            call.challenge()
        phone.accept(call_id=call.call_id).answer(status)
        first = a.accept(call_id=call.call_id)
        assert ruri(first) == f"sip:+4989777@{a.host}:{a.port}"
        asserted = first.invite.get("p-asserted-identity")
        assert asserted == (f"<sip:{caller.user}@hotdesk.test>" if who is caller else None), "not ours to say"
        assert first.invite.all("diversion") == diversion
        first.answer(503)
        answered(call, b.accept(call_id=call.call_id))


def test_rings_and_goes_on_outside(house, desk):
    d, a, _ = house
    number, phone = desk
    diversion = forwards(d, number, "no-answer", "089777", "--rings", "1")
    call = d.phone(register=True).call(number, SDP).challenge()
    ringing = phone.accept(call_id=call.call_id)
    ringing.answer(180)
    leg = a.accept(call_id=call.call_id)
    assert leg.invite.all("diversion") == diversion
    phone.reply(phone.request("CANCEL"), 200)
    ringing.answer(487)
    answered(call, leg)


def test_who_forwards_may_not_call_more_than_on_a_phone(house, desk):
    d, a, b = house
    number, phone = desk
    d.ctl("user", "set", number, "--class", "house")
    forwards(d, number, "busy", "089777")
    call = d.phone(register=True).call(number, SDP).challenge()
    phone.accept(call_id=call.call_id).answer(486)
    assert call.final().status == 486
    forwards(d, number, "busy", "112", "--class", "world")
    call = d.phone(register=True).call(number, SDP).challenge()
    phone.accept(call_id=call.call_id).answer(486)
    assert call.final().status == 486, "nobody forwards to an emergency number"
    forwards(d, number, "always", "089777", "--class", "house")
    assert a.call(f"sip:{number}@hotdesk.test", SDP).final().status == 404


def test_who_forwards_pays(house, desk):
    """The account at the PBX is that of who sends the call there, not the caller's."""
    d, a, _ = house
    number, phone = desk
    d.ctl("user", "set", number, "--upstream-user", f"ext{number}", "--upstream-password", "of the forwarder")
    a.reply(a.request("REGISTER"), 200)
    for when in ("busy", "always"):
        forwards(d, number, when, "98100")
        call = a.call(f"sip:{number}@hotdesk.test", SDP)
        if when == "busy":
            phone.accept(call_id=call.call_id).answer(486)
        challenge(a.accept(call_id=call.call_id))
        a.request("ACK")
        leg = a.accept(call_id=call.call_id)
        assert f'username="ext{number}"' in leg.invite.get("proxy-authorization"), repr(leg.invite)
        answered(call, leg)
    d.ctl("session", "logout", number)
    a.reply(a.request("REGISTER"), 200)


def test_sent_back_by_a_pbx(house, desk):
    """A call of its own, as far as Call-ID and Via tell: Diversion says that it was here before."""
    d, a, _ = house
    number, phone = desk
    before = [("Diversion", f"<sip:030555{number}@pbx.test>;reason=unconditional")]
    forwards(d, number, "always", "089777")
    assert a.call(f"sip:{number}@hotdesk.test", SDP, before).final().status == 482
    assert a.call(f"sip:{number}@hotdesk.test", SDP, [("Diversion", "<sip:1@x>, <sip:2@x>, <sip:3@x>"),
                  ("Diversion", "<sip:4@x>;reason=unknown"), ("Diversion", "\"a\" <sip:5@x>, b <sip:6@x>")]
                  ).final().status == 482
    once = f"<sip:{number}@hotdesk.test?Reason=SIP%3Bcause%3D302>;index=1"
    assert a.call(f"sip:{number}@hotdesk.test", SDP, [("History-Info", f"{once}, <sip:089777@x>;index=1.1"),
                  ("History-Info", f"<sip:030555{number}@pbx.test>;index=1.1.1")]).final().status == 482
    first = a.call(f"sip:{number}@hotdesk.test", SDP, [("History-Info", once)])
    answered(first, a.accept(call_id=first.call_id))
    renamed = a.call(f"sip:{number}@hotdesk.test", SDP, [("History-Info", f"<sip:030555{number}@pbx.test>;index=1, "
                                                          f"<sip:{number}@hotdesk.test>;index=1.1;rc=1")])
    answered(renamed, a.accept(call_id=renamed.call_id))
    answered_by = a.call(f"sip:{number}@hotdesk.test", SDP, [("Diversion", "<sip:1@x>, <nonsense")])
    answered(answered_by, a.accept(call_id=answered_by.call_id))
    forwards(d, number, "busy", "089777", "--forward-always", "")
    call = a.call(f"sip:{number}@hotdesk.test", SDP, [("Diversion", f"<sip:{number}@hotdesk.test>;reason=user-busy")])
    phone.accept(call_id=call.call_id).answer(486)
    assert call.final().status == 486


def test_sent_back_without_a_trace(house, desk):
    """A PBX that tells nothing of the call before: so many unanswered ones to one number, and it is a loop."""
    d, a, _ = house
    number, _phone = desk
    forwards(d, number, "always", "089777")
    calls = []
    for _ in range(SENT_BACK_MAX):
        call = a.call(f"sip:{number}@hotdesk.test", SDP)
        calls.append((call, a.accept(call_id=call.call_id)))
    assert a.call(f"sip:{number}@hotdesk.test", SDP).final().status == 482
    for call, leg in calls:
        leg.answer(486)
        assert call.final().status == 486
    call = a.call(f"sip:{number}@hotdesk.test", SDP)
    answered(call, a.accept(call_id=call.call_id))


TRICKS = {
    "a number outside": ("sip:+4989123456@hotdesk.test", []),
    "another upstream's number": ("sip:991@hotdesk.test", []),
    "somebody else's domain": ("sip:201@example.com", []),
    "a phone number as tel": ("tel:+4989123456", []),
    "a foreign Route": ("sip:201@hotdesk.test", [("Route", "<sip:203.0.113.9;lr>")]),
    "our Route before a foreign one": ("sip:201@hotdesk.test",
                                       [("Route", "<sip:{us};lr>, <sip:203.0.113.9;lr>")]),
    "a Route with a token": ("sip:+4989123456@hotdesk.test", [("Route", "<sip:" + 300 * "A" + "@{us};lr>")]),
    "maddr": ("sip:201@hotdesk.test;maddr=203.0.113.9", []),
    "maddr of ours": ("sip:+4989123456@hotdesk.test;maddr={host}", []),
    "percent": ("sip:%2b4989123456@hotdesk.test", []),
    "user in the user": ("sip:201%40example.com@hotdesk.test", []),
    "an asserted identity": ("sip:+4989123456@hotdesk.test", [("P-Asserted-Identity", "<sip:201@hotdesk.test>")]),
    "a Replaces": ("sip:+4989123456@hotdesk.test", [("Replaces", "x@y;to-tag=1;from-tag=2")]),
    "a Referred-By": ("sip:+4989123456@hotdesk.test", [("Referred-By", "<sip:201@hotdesk.test>")]),
    "a login": ("sip:*771*201*471147@hotdesk.test", []),
    "a name that is too long": ("sip:" + 200 * "a" + "@hotdesk.test", []),
    "a bad escape": ("sip:%zz@hotdesk.test", []),
    "nobody": ("sip:;x=y@hotdesk.test", []),
    "500 digits": ("sip:" + 500 * "1" + "@hotdesk.test", []),
}


@pytest.mark.parametrize("who", ["stranger", "peer"])
def test_no_open_relay(house, who):
    """From outside nothing goes out again, by whatever trick; from nobody we know, nothing goes anywhere."""
    d, a, b = house
    caller = a if who == "peer" else Peer("127.0.0.9")
    caller.server = d.address()
    us = "%s:%d" % caller.server
    sink = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    sink.bind(("127.0.0.8", 0))
    sink.setblocking(False)
    at_sink = "%s:%d" % sink.getsockname()
    calls = []

    def fill(text):
        return text.replace("{us}", us).replace("{host}", caller.server[0]).replace("203.0.113.9", at_sink)

    for what, (uri, extra) in TRICKS.items():
        for method in ("INVITE", "MESSAGE", "REFER", "SUBSCRIBE", "OPTIONS", "INFO", "NOTIFY", "PUBLISH", "UPDATE"):
            call = Trick(caller, fill(uri), method, [(n, fill(v)) for n, v in extra])
            answer = call.final()
            assert 400 <= answer.status < 500 or answer.status == 604, f"{who}: {what}: {method}: {answer.start}"
            calls.append(call.call_id)
    # What was relayed would have come before this.
    probe = caller.call("sip:hotdesk.test", method="OPTIONS")
    probe.uri = "sip:hotdesk.test"
    probe.send_initial()
    assert caller.final("OPTIONS", probe.call_id, probe.cseq).status == 200
    with pytest.raises(BlockingIOError):
        sink.recv(1)
    while b.pump(0) or a.pump(0):
        pass
    relayed = [m.start for m in a.inbox + b.inbox if m.method and m.method != "ACK" and m.get("call-id") in calls]
    assert not relayed, relayed
    sink.close()
    if caller is not a:
        caller.close()


class Trick:
    """A request from outside to an exact Request-URI; its final response."""

    def __init__(self, phone, uri, method, extra):
        self.phone, self.method, self.uri, self.call_id = phone, method, uri, rand() + "@trick"
        self.headers = phone.base(method, uri, self.call_id, 1, rand(4)) + [("Contact", phone.contact)] + extra
        if method == "REFER":
            self.headers.append(("Refer-To", "<sip:+4989123456@hotdesk.test>"))
        if method in ("SUBSCRIBE", "NOTIFY", "PUBLISH"):
            self.headers.append(("Event", "dialog"))
        phone.send(f"{method} {uri} SIP/2.0", self.headers)

    def final(self):
        answer = self.phone.final(self.method, self.call_id)
        if self.method == "INVITE":
            headers = [h for h in self.headers if h[0] in ("Via", "From", "Call-ID", "Max-Forwards")]
            self.phone.send(f"ACK {self.uri} SIP/2.0", headers + [("To", answer.get("to")), ("CSeq", "1 ACK")])
        return answer
