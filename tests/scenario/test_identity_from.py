"""From rewritten to the user (sip.identity: from, both), and put back: both ways, always, without a memory."""

import base64
import itertools
import re

import pytest

from plant import plant
from steps import refuse
from support.dns import Dns
from support.peer import Peer
from support.sip import CRLF, SDP, rand

NUMBERS = itertools.count(300)
CONF = {"sip": {"identity": "both", "t1_ms": 100, "t2_ms": 400, "t4_ms": 400}, "plan": {"country": "49"},
        "rights": {"users": "world", "free": "world"}, "store": {"soft_delay_ms": 50}}
ANONYMOUS = '"Anonymous" <sip:anonymous@anonymous.invalid>'


@pytest.fixture(scope="module")
def house():
    a = Peer("127.0.0.75")
    lines = [f"pbx sip:{a.host}:{a.port} from={a.host} probe=0 routes=+491~,112",
             f"named sip:pbx.test:{a.port} probe=0 routes=+492~"]
    stranger = Peer("127.0.0.77")  # by address and by name
    lines += [stranger.line("stranger", more="routes=+493~"), stranger.line("unknown", "routes=+494~", "other.test")]
    with Dns({("pbx.test", "A"): [a.host], ("other.test", "A"): [stranger.host]}) as dns, \
            plant({**CONF, "sip": {**CONF["sip"], "dns_servers": [dns.address],
                                   "trusted": ["127.0.0.75/32", "127.0.0.76/32"]},
                   "upstream": {"peers": lines}}) as d:
        a.server = stranger.server = d.address()
        d.stranger = stranger
        d.ctl("upstream", "set", "pbx", "--user", "trunk", "--password", "trunk secret")
        yield d, a
    a.close()
    stranger.close()


def login(d, phone, name="Zoë Berg"):
    number = str(next(NUMBERS))
    d.ctl("user", "add", number, "--name", name, "--pin", "914263")
    d.ctl("session", "login", number, phone.user)
    phone.reply(phone.request("NOTIFY"), 200)
    return number


def names(d, transport="udp", name="Zoë Berg"):
    """(a phone with a user, what it says in From, what others see)."""
    phone = d.phone(register=True, transport=transport)
    number = login(d, phone, name)
    return phone, f"<sip:{phone.user}@hotdesk.test>", f'"{name}" <sip:{number}@hotdesk.test>'


def party(value):
    return re.sub(r";tag=.*", "", value)


class Watched:
    """A call between phones, of whose every message both sides check the names and tags."""

    def __init__(self, caller, callee, called, own, shown, extra=()):
        self.own, self.shown = own, shown
        self.call = caller.call(called, SDP, extra=extra).challenge()
        self.leg = callee.accept(call_id=self.call.call_id)
        self.to = party(self.leg.invite.get("to"))
        self.at_callee(self.leg.invite)

    def check(self, message, from_, to, from_tag, to_tag):
        assert party(message.get("from")) == from_, f"From of\n{message}"
        assert party(message.get("to")) == to, f"To of\n{message}"
        assert message.tag("from") == from_tag and (to_tag is None or message.tag("to") == to_tag), repr(message)
        return message

    def at_callee(self, message, to_tag=None):
        """A request of the caller, or a response to one of the callee's own."""
        if message.status:
            return self.check(message, self.to, self.shown, self.leg.local_tag, self.call.local_tag)
        return self.check(message, self.shown, self.to, self.call.local_tag, to_tag)

    def at_caller(self, message):
        if message.status:
            return self.check(message, self.own, self.to, self.call.local_tag, self.leg.local_tag)
        return self.check(message, self.to, self.own, self.leg.local_tag, self.call.local_tag)

    def answer(self):
        self.leg.answer(180, "Ringing")
        self.at_caller(self.call.provisional(180))
        self.leg.answer(200)
        answer = self.at_caller(self.call.final())
        assert answer.status == 200
        self.ack()
        return self

    def ack(self):
        self.call.ack()
        self.at_callee(self.leg.phone.request("ACK"), self.leg.local_tag)

    def from_caller(self, method, status=200, body=b""):
        self.call.in_dialog(method, body=body)
        seen = self.at_callee(self.leg.phone.wait(method, lambda m: m.method == method and
                                                  m.get("cseq").split()[0] == str(self.call.cseq)), self.leg.local_tag)
        self.leg.phone.reply(seen, status, extra=[("Contact", self.leg.phone.contact)])
        answer = self.at_caller(self.call.phone.final(method, self.call.call_id, self.call.cseq))
        assert answer.status == status
        if method == "INVITE":
            self.call.ack()
            self.at_callee(self.leg.phone.request("ACK"), self.leg.local_tag)
        return seen

    def from_callee(self, method, status=200, body=b""):
        self.leg.in_dialog(method, body=body)
        seen = self.at_caller(self.call.phone.wait(method, lambda m: m.method == method and
                                                   m.get("cseq").split()[0] == str(self.leg.cseq)))
        self.call.phone.reply(seen, status, extra=[("Contact", self.call.phone.contact)])
        answer = self.at_callee(self.leg.phone.final(method, self.leg.call_id, self.leg.cseq))
        assert answer.status == status
        if method == "INVITE":
            self.leg.in_dialog("ACK")
            self.at_caller(self.call.phone.request("ACK"))
        return seen

    def everything(self):
        """Of each side: a request without a transaction, one with, and a re-INVITE; then it goes on."""
        for side in (self.from_caller, self.from_callee):
            side("INFO")
            side("UPDATE", 488)
            side("INVITE", body=SDP)
        return self


@pytest.mark.parametrize("ways", ["udp udp", "tcp tcp", "udp tcp", "tcp udp"])
def test_both_ways(house, ways):
    """Over UDP on both sides what is in the dialog leaves nothing here; two transports mean two Record-Routes."""
    d, _ = house
    one, other = ways.split()
    caller, own, shown = names(d, one)
    callee = d.phone(register=True, transport=other)
    call = Watched(caller, callee, callee.user, own, shown)
    assert call.leg.invite.all("p-asserted-identity") == [shown]
    assert "alias=" in call.leg.invite.get("record-route")
    call.answer().everything()
    call.from_callee("BYE") if one == "udp" else call.from_caller("BYE")


def test_a_free_phone_carries_itself(house):
    """Its label; without one it has nothing to be told, and nothing is carried."""
    d, _ = house
    caller, callee = d.phones_of(2)
    own = f"<sip:{caller.user}@hotdesk.test>"
    call = Watched(caller, callee, callee.user, own, own)
    assert "alias=" not in repr(call.leg.invite)
    refuse(call.leg)
    assert call.at_caller(call.call.final()).status == 486
    d.ctl("phone", "set", caller.user, "--label", "Desk 7")
    call = Watched(caller, callee, callee.user, own, f'"Desk 7" {own}').answer().everything()
    call.from_caller("BYE")


@pytest.mark.parametrize("said", ['"{name}" <sip:{number}@hotdesk.test>', "{name} <sip:{number}@HOTDESK.test>"])
def test_who_says_the_same_is_left_alone(house, said):
    d, _ = house
    caller, _, shown = names(d, name="Anna")
    callee = d.phone(register=True)
    said = said.format(name="Anna", number=re.search(r"sip:(\d+)", shown).group(1))
    invite = raw_from(caller, callee, f"{said};tag=x1")
    assert invite.get("from") == f"{said};tag=x1" and "alias=" not in repr(invite)


def raw_from(caller, callee, value, extra=(), status=486):
    """A call with this in From, refused; the INVITE that the callee got."""
    base = caller.base
    caller.base = lambda *args, **more: [("From", value) if n == "From" else (n, v) for n, v in base(*args, **more)]
    call = caller.call(callee.user, SDP, extra=extra).challenge()
    leg = callee.accept(call_id=call.call_id)
    refuse(leg)
    answer = call.final()
    caller.base = base
    assert answer.status == 486
    got, sent = party(answer.get("from")), party(value)
    assert got.strip("<>") == sent.strip("<>"), "the names of the request are back"
    return leg.invite


FROMS = {
    "parameters": '"x" <sip:{id}@hotdesk.test;user=phone>;tag=t1;epid=7;x="a;b"',
    "no brackets": "sip:{id}@hotdesk.test;tag=t1",
    "another domain": '"The Boss" <sip:boss@example.com:5070>;tag=t1',
    "tel": "<tel:+4930123>;tag=t1",
    "a long name": '"' + 230 * "x" + '" <sip:{id}@hotdesk.test>;tag=t1',
    "other bytes": '"J\udcfcrg, \u202e" <sip:{id}@hotdesk.test>;tag=t1',
    "escapes": '"\\"a\\\\" <sip:a%40b%3cc@example.com>;tag=t1',
}


@pytest.mark.parametrize("what", FROMS)
def test_whatever_it_says(house, what):
    """All but the name and the URI stay as they are: tag, parameters of others."""
    d, _ = house
    caller, _, shown = names(d)
    callee = d.phone(register=True)
    said = FROMS[what].format(id=caller.user)
    invite = raw_from(caller, callee, said)
    assert invite.get("from") == shown + said[said.index(";tag="):], repr(invite)


def test_long_names(house):
    """They fit, in our branch as well."""
    d, _ = house
    caller, own, shown = names(d, name=60 * "ü")
    callee = d.phone(register=True)
    own = f'"{"x" * 100}" {own}'
    base = caller.base
    caller.base = lambda *args, **more: [(n, v.replace("<", own[:104], 1)) if n == "From" else (n, v)
                                         for n, v in base(*args, **more)]
    call = Watched(caller, callee, callee.user, own, shown).answer()
    call.from_callee("INFO")
    call.leg.in_dialog("INFO")
    seen = call.at_caller(caller.request("INFO"))
    assert len(re.search("branch=([^;]+)", seen.get("via")).group(1)) > 200
    caller.base = base
    caller.reply(seen, 200)
    assert call.at_callee(callee.final("INFO", call.leg.call_id, call.leg.cseq)).status == 200
    call.from_caller("BYE")


def test_what_cannot_be_put_back_is_refused(house):
    d, _ = house
    caller, callee = d.phones_of(2)
    base = caller.base
    caller.base = lambda *args, **more: [
        ("From", f"<sip:{300 * 'x'}@example.com>;tag=1") if n == "From" else (n, v) for n, v in base(*args, **more)]
    answer = caller.call(callee.user, SDP).final()
    assert answer.status == 400 and "From Is Too Long" in answer.start


def test_peers_without_tags(house):
    """RFC 2543: a caller without a tag is known by its From, so that stays; a callee has none to give."""
    d, _ = house
    caller, own, shown = names(d)
    callee = d.phone(register=True)
    invite = raw_from(caller, callee, own)
    assert invite.get("from") == own and "alias=" not in repr(invite)
    call = Watched(caller, callee, callee.user, own, shown)
    call.leg.phone.reply(call.leg.invite, 200, extra=[("Contact", callee.contact)])
    answer = call.call.final()
    assert party(answer.get("from")) == own and answer.tag("to") is None
    headers = [("Via", caller.via()), ("Max-Forwards", "70"), ("From", f"{own};tag={call.call.local_tag}"),
               ("To", call.to), ("Call-ID", call.call.call_id), ("CSeq", f"{call.call.cseq} ACK")]
    caller.send(f"ACK {call.call.remote} SIP/2.0", headers + [("Route", r) for r in call.call.routes])
    assert party(callee.request("ACK").get("from")) == shown


@pytest.mark.parametrize("privacy", ["id", "user", "header;id"])
def test_private_means_anonymous(house, privacy):
    d, _ = house
    caller, own, _ = names(d)
    callee = d.phone(register=True)
    call = Watched(caller, callee, callee.user, own, ANONYMOUS, [("Privacy", privacy)])
    shown = [v for n, v in call.leg.invite.headers if n not in ("contact", "via", "record-route")]
    assert caller.user not in repr(shown) and "Berg" not in repr(call.leg.invite)
    call.answer().everything()
    call.from_callee("BYE")
    (entry,) = d.until("the call in the list", lambda: d.admin("GET", f"/v1/calls/of/{callee.user}?")[1]["calls"])
    assert entry["withheld"] and entry["number"] is None


def test_private_at_the_pbx(house):
    """Anonymous, but for who is trusted: it has the number, and is asked to keep it. A call for help hides nobody."""
    d, pbx = house
    caller, own, shown = names(d)
    for called in ("+4919125", "+492125"):  # by its address, and by its name
        call = Watched(caller, pbx, called, own, ANONYMOUS, [("Privacy", "id")])
        assert call.leg.invite.all("p-asserted-identity") == [shown] and call.leg.invite.get("privacy") == "id"
        refuse(call.leg)
        assert call.at_caller(call.call.final()).status == 486
    call = Watched(caller, pbx, "112", own, shown, [("Privacy", "id")])
    assert call.leg.invite.all("p-asserted-identity") == [shown]
    refuse(call.leg)
    assert call.at_caller(call.call.final()).status == 486


def test_who_is_trusted_names_somebody(house):
    """Neither From nor P-Asserted-Identity of a trusted server that has an account as a phone is replaced."""
    d, _ = house
    sbc, callee = d.phone(register=True, host="127.0.0.76"), d.phone(register=True)
    d.ctl("phone", "set", sbc.user, "--label", "SBC")
    own = f"<sip:{sbc.user}@hotdesk.test>"
    call = Watched(sbc, callee, callee.user, own, own, [("P-Asserted-Identity", "<sip:+4930999@example.com>")])
    assert call.leg.invite.all("p-asserted-identity") == ["<sip:+4930999@example.com>"]
    refuse(call.leg)
    assert call.at_caller(call.call.final()).status == 486
    call = Watched(sbc, callee, callee.user, own, f'"SBC" {own}')
    refuse(call.leg)
    assert call.at_caller(call.call.final()).status == 486


def test_already_anonymous(house):
    """Also without Privacy: who hides is not named."""
    d, _ = house
    caller, _, shown = names(d)
    callee = d.phone(register=True)
    invite = raw_from(caller, callee, '"Nobody" <sip:anonymous@anonymous.invalid>;tag=1')
    assert invite.get("from") == '"Nobody" <sip:anonymous@anonymous.invalid>;tag=1'
    assert invite.all("p-asserted-identity") == [shown]


def test_cancelled_and_refused(house):
    d, _ = house
    caller, own, shown = names(d)
    callee = d.phone(register=True)
    call = Watched(caller, callee, callee.user, own, shown)
    call.leg.answer(180)
    call.at_caller(call.call.provisional(180))
    call.call.cancel()
    cancel = call.at_callee(callee.request("CANCEL"))
    assert cancel.tag("from") == call.call.local_tag
    callee.reply(cancel, 200)
    call.leg.answer(487)
    call.at_callee(callee.request("ACK"), call.leg.local_tag)
    assert call.at_caller(call.call.final()).status == 487
    ok = caller.wait("200 to CANCEL", lambda m: m.status == 200 and m.cseq_method == "CANCEL")
    assert party(ok.get("from")) == own
    call = Watched(caller, callee, callee.user, own, shown)
    call.leg.answer(486)
    call.at_callee(callee.request("ACK"), call.leg.local_tag)
    assert call.at_caller(call.call.final()).status == 486


def test_repeated_and_late_2xx(house):
    """Again at once, and when what there was of the INVITE has been let go."""
    d, _ = house
    caller, own, shown = names(d)
    callee = d.phone(register=True)
    call = Watched(caller, callee, callee.user, own, shown)
    call.leg.answer(200)
    assert call.at_caller(call.call.final()).status == 200
    call.leg.answer(200)
    call.at_caller(call.call.final())
    call.ack()
    d.until("the transaction is let go", lambda: d.metric("hotdeskd_response_contexts") == 0)
    call.leg.answer(200)
    assert call.at_caller(caller.final("INVITE", call.call.call_id)).status == 200
    call.from_caller("BYE")


def test_messages_and_subscriptions(house):
    """What forms a dialog, and what forms none."""
    d, _ = house
    caller, own, shown = names(d)
    callee = d.phone(register=True)
    for method in ("MESSAGE", "OPTIONS", "SUBSCRIBE"):
        extra = [("Event", "x-own"), ("Expires", "60")] if method == "SUBSCRIBE" else []
        call = caller.call(callee.user, method=method, extra=extra).challenge()
        seen = callee.request(method)
        assert party(seen.get("from")) == shown and seen.tag("from") == call.local_tag
        assert ("alias=" in repr(seen)) == (method == "SUBSCRIBE")
        tag = rand(4)
        callee.reply(seen, 200, to_tag=tag, extra=[("Contact", callee.contact), ("Expires", "60")])
        answer = call.final()
        assert answer.status == 200 and party(answer.get("from")) == own
    notify = [("Via", callee.via()), ("Max-Forwards", "70"), ("From", seen.get("to") + f";tag={tag}"),
              ("To", seen.get("from")), ("Call-ID", call.call_id), ("CSeq", "1 NOTIFY"), ("Event", "x-own"),
              ("Subscription-State", "active"), ("Contact", callee.contact)]
    callee.send(f"NOTIFY sip:{caller.user}@{caller.host}:{caller.port} SIP/2.0",
                notify + [("Route", r) for r in seen.all("record-route")])
    got = caller.request("NOTIFY")
    assert party(got.get("to")) == own and got.tag("to") == call.local_tag
    caller.reply(got, 200)
    assert party(callee.final("NOTIFY").get("to")) == shown


def test_at_the_pbx(house):
    """The PBX asks for credentials, and sees the same caller again; then it hangs up."""
    d, pbx = house
    caller, own, shown = names(d)
    call = Watched(caller, pbx, "+4919123", own, shown)
    call.leg.answer(407, extra=[("Proxy-Authenticate", f'Digest realm="pbx.test", nonce="{rand()}", qop="auth"')])
    call.at_callee(pbx.request("ACK"), call.leg.local_tag)
    call.leg = pbx.accept(call_id=call.call.call_id)
    assert 'username="trunk"' in call.at_callee(call.leg.invite).get("proxy-authorization")
    assert call.leg.invite.all("p-asserted-identity") == [shown]
    call.answer().everything()
    call.from_callee("BYE")


def test_a_pbx_with_a_name(house):
    """Its Record-Route comes when the hop is known."""
    d, pbx = house
    caller, own, shown = names(d)
    call = Watched(caller, pbx, "+492123", own, shown)
    assert "alias=" in call.leg.invite.get("record-route")
    call.answer().everything()
    call.from_caller("BYE")


def test_back_through_a_pbx(house):
    """The PBX sends the call back to us and stays out of the dialog: two Record-Routes of ours, one with names."""
    d, pbx = house
    caller, own, shown = names(d)
    callee = d.phone(register=True)
    call = caller.call("+4919124", SDP).challenge()
    first = pbx.accept(call_id=call.call_id)
    headers = [(n, v) for n, v in first.invite.headers if n not in ("content-length", "max-forwards")]
    pbx.send(f"INVITE sip:{callee.user}@hotdesk.test SIP/2.0",
             [("Via", pbx.via()), ("Max-Forwards", "20")] + headers, first.invite.body)
    leg = callee.accept(call_id=call.call_id)
    assert party(leg.invite.get("from")) == shown and len(leg.invite.all("record-route")) == 2
    leg.answer(200)
    ok = pbx.final("INVITE", call.call_id)
    lines = ok.raw.split(CRLF.encode())
    vias = [i for i, line in enumerate(lines) if line.lower().startswith(b"via:")]
    pbx.send_raw(CRLF.encode().join(line for i, line in enumerate(lines) if i != vias[0]))
    answer = call.final()
    assert answer.status == 200 and party(answer.get("from")) == own
    call.ack()
    assert party(callee.request("ACK").get("from")) == shown
    leg.in_dialog("INFO")
    info = caller.request("INFO")
    assert party(info.get("to")) == own, "the second Route is ours, too, and has the names"
    caller.reply(info, 200)
    assert party(callee.final("INFO").get("to")) == shown
    call.in_dialog("BYE")
    bye = callee.request("BYE")
    assert party(bye.get("from")) == shown
    callee.reply(bye, 200)
    assert party(caller.final("BYE").get("from")) == own


def test_it_rings_elsewhere(house):
    """The callee moves while it rings; the caller is the same for both phones."""
    d, _ = house
    caller, own, shown = names(d)
    callee, other = d.phones_of(2)
    number = login(d, callee)
    call = Watched(caller, callee, number, own, shown)
    call.leg.answer(180)
    call.at_caller(call.call.provisional(180))
    d.ctl("session", "login", number, other.user)
    call.at_callee(cancel := callee.request("CANCEL"))
    callee.reply(cancel, 200)
    call.leg.answer(487)
    call.at_callee(callee.request("ACK"), call.leg.local_tag)
    call.leg = other.accept(call_id=call.call.call_id)
    call.at_callee(call.leg.invite)
    call.answer().everything()
    call.from_caller("BYE")


def test_forked():
    """Two contacts of one phone, and both answer: each dialog has its names, and so has the 2xx that comes late."""
    with plant({**CONF, "registrar": {"contacts_max": 2}}) as d:
        caller, own, shown = names(d)
        one = d.phone(register=True)
        two = d.phone(one.user, register=True)
        call = caller.call(one.user, SDP).challenge()
        legs = [phone.accept(call_id=call.call_id) for phone in (one, two)]
        for leg in legs:
            assert party(leg.invite.get("from")) == shown
            leg.answer(200)
        tags = set()
        for _ in legs:
            answer = caller.final("INVITE", call.call_id)
            assert answer.status == 200 and party(answer.get("from")) == own and answer.tag("from") == call.local_tag
            tags.add(answer.tag("to"))
        assert tags == {leg.local_tag for leg in legs}


def test_the_user_leaves_in_the_call(house):
    """The dialog keeps the name that it began with, also when somebody else sits there by now."""
    d, _ = house
    caller, own, shown = names(d)
    callee, other = d.phones_of(2)
    call = Watched(caller, callee, callee.user, own, shown).answer()
    d.ctl("session", "login", re.search(r"sip:(\d+)", shown).group(1), other.user)
    d.ctl("user", "add", str(number := next(NUMBERS)), "--name", "Somebody Else", "--pin", "914263")
    d.ctl("session", "login", str(number), caller.user)
    call.everything()
    call.from_callee("BYE")


def test_tampered(house):
    """A name of another dialog, or made up, is as good as a token of nobody."""
    d, _ = house
    caller, own, shown = names(d)
    callee = d.phone(register=True)
    call = Watched(caller, callee, callee.user, own, shown).answer()
    other = Watched(caller, callee, callee.user, own, shown).answer()
    routes, value = call.call.routes, re.search(r"alias=([^;>]+)", call.call.routes[0]).group(1)
    stolen = re.search(r"alias=([^;>]+)", other.call.routes[0]).group(1)
    made_up = base64.urlsafe_b64encode(b"\x05<a:b>\x00\x00\x05<c:d>" + 10 * b"x").rstrip(b"=").decode()
    bent = value[:8] + ("A" if value[8] != "A" else "B") + value[9:]
    for wrong in (stolen, made_up, bent, value[:-1], "", "%20", 3000 * "A"):
        call.call.routes = [r.replace(value, wrong) for r in routes]
        call.call.in_dialog("INFO")
        assert caller.final("INFO", call.call.call_id, call.call.cseq).status == 403, wrong[:20]
    call.call.routes = routes
    call.from_caller("BYE")
    other.from_callee("BYE")


def test_from_alone_and_a_reload(house):
    """Calls that are there keep what they have; the next one has what is configured."""
    d, _ = house
    caller, own, shown = names(d)
    callee = d.phone(register=True)
    call = Watched(caller, callee, callee.user, own, shown).answer()
    try:
        for mode, from_, said in (("from", shown, []), ("pai", own, [shown]), ("both", shown, [shown])):
            d.conf["sip"]["identity"] = mode
            d.write_conf()
            assert "sip.identity" in d.ctl("reload").stdout
            other = Watched(caller, callee, callee.user, own, from_)
            assert other.leg.invite.all("p-asserted-identity") == said
            refuse(other.leg)
            assert other.at_caller(other.call.final()).status == 486
            call.everything()
    finally:
        d.conf["sip"]["identity"] = "both"
    call.from_caller("BYE")


def test_killed_in_the_call():
    """Nothing of it was in memory: both sides go on as before, and so does an answer on its way."""
    with plant(dict(CONF)) as d:
        caller, own, shown = names(d)
        callee = d.phone(register=True)
        call = Watched(caller, callee, callee.user, own, shown).answer()
        call.call.in_dialog("INFO")
        info = call.at_callee(callee.request("INFO"), call.leg.local_tag)
        call.leg.in_dialog("INFO")
        back = call.at_caller(caller.request("INFO"))
        d.restart(kill=True)
        callee.reply(info, 200)
        assert call.at_caller(caller.final("INFO", call.call.call_id, call.call.cseq)).status == 200
        caller.reply(back, 200)
        assert call.at_callee(callee.final("INFO", call.leg.call_id, call.leg.cseq)).status == 200
        d.ctl("session", "logout", re.search(r"sip:(\d+)", shown).group(1))
        call.everything()
        call.from_callee("BYE")
