"""Who calls: the user or the phone, with a name; told to whom it may be told, and what is made of lies."""

import itertools

import pytest

from plant import plant
from steps import hang_up, refuse
from support.dns import Dns
from support.peer import Peer
from support.sip import SDP, Call

NUMBERS = itertools.count(300)
ANYBODY = '"Chief" <sip:+4930999@pbx.example.com>'


@pytest.fixture(scope="module")
def house():
    """A trusted PBX, one that is not, and the first one again by a name."""
    a, b, c = Peer("127.0.0.71"), Peer("127.0.0.72"), Peer("127.0.0.73")
    peers = [a.line("friend", more="routes=+491~"), b.line("stranger", more="routes=+492~,112"),
             c.line("named", "routes=+493~", "pbx.test"), b.line("unknown", "routes=+494~", "other.test")]
    with Dns({("pbx.test", "A"): ["127.0.0.73"], ("other.test", "A"): ["127.0.0.72"]}) as dns, \
            plant({"sip": {"trusted": [f"127.0.0.{i}/32" for i in (71, 73, 74)], "dns_servers": [dns.address]},
                   "plan": {"country": "49"}, "rights": {"users": "world", "free": "world"},
                   "upstream": {"peers": peers}}) as d:
        for peer in (a, b, c):
            peer.server = d.address()
        yield d, a, b, c
    for peer in (a, b, c):
        peer.close()


def user_at(d, phone, name):
    number = str(next(NUMBERS))
    d.ctl("user", "add", number, "--name", name, "--pin", "914263")
    d.ctl("session", "login", number, phone.user)
    phone.reply(phone.request("NOTIFY"), 200)
    return number


def desk(d, name="Dora"):
    phone = d.phone(register=True)
    return user_at(d, phone, name), phone


def seen_by(callee, caller, number, extra=()):
    """A call that is refused; the INVITE as the callee saw it."""
    call = Call(caller, number, "INVITE", SDP, list(extra))
    if caller.password:
        call.challenge()
    leg = callee.accept(call_id=call.call_id)
    refuse(leg)
    assert call.final().status == 486
    return leg.invite


def asserted(invite):
    assert invite.all("p-preferred-identity") == [], "RFC 3325 9.2"
    return invite.all("p-asserted-identity")


NAMES = {"plain": ("Anna Berg", '"Anna Berg"'), "quotes": ('Zoë "Z\\" Berg', '"Zoë \\"Z\\\\\\" Berg"'),
         "not of ours": ("李 小龍 <sip:x>;tag=1", '"李 小龍 <sip:x>;tag=1"')}


@pytest.mark.parametrize("what", NAMES)
def test_names(house, what):
    """Of the phone while nobody is there, then of the user."""
    d, _, b, _ = house
    name, quoted = NAMES[what]
    caller, callee = d.phones_of(2)
    assert asserted(seen_by(callee, caller, callee.user)) == [f"<sip:{caller.user}@hotdesk.test>"]
    d.ctl("phone", "set", caller.user, "--label", name)
    assert asserted(seen_by(callee, caller, callee.user)) == [f"{quoted} <sip:{caller.user}@hotdesk.test>"]
    number = user_at(d, caller, name)
    for other, called in ((callee, callee.user), (b, "+4921")):
        assert asserted(seen_by(other, caller, called, [("P-Preferred-Identity", ANYBODY)])) == \
            [f"{quoted} <sip:{number}@hotdesk.test>"]


@pytest.mark.parametrize("privacy,withheld", [("id", True), ("user", True), ("header;id;critical", True),
                                              ("none", False), ("header", False), ("session", False)])
def test_privacy_across_the_border(house, privacy, withheld):
    """Only who is trusted is told; by a name, too. Privacy itself goes on to everybody, and From and Contact stay."""
    d, a, b, c = house
    number, caller = desk(d)
    callee = d.phone(register=True)
    said = [f'"Dora" <sip:{number}@hotdesk.test>']
    for other, called, trusted in ((callee, callee.user, False), (a, "+4911", True), (b, "+4921", False),
                                   (c, "+4931", True), (b, "+4941", False)):
        invite = seen_by(other, caller, called, [("Privacy", privacy), ("P-Asserted-Identity", ANYBODY),
                                                 ("Remote-Party-ID", ANYBODY)])
        assert asserted(invite) == (said if trusted or not withheld else []), f"{called}: {invite}"
        assert invite.all("privacy") == [privacy] and invite.all("remote-party-id") == []
        assert invite.get("from").startswith(f"<sip:{caller.user}@hotdesk.test>;tag="), "RFC 3261 16.6"
        assert invite.get("contact").startswith(f"<sip:{caller.user}@"), "nor that"


def test_who_calls_for_help_is_known(house):
    d, _, b, _ = house
    number, caller = desk(d)
    assert asserted(seen_by(b, caller, "112", [("Privacy", "id")])) == [f'"Dora" <sip:{number}@hotdesk.test>']


def test_calls_in(house):
    """A trusted PBX is believed, and asks to keep to ourselves what it tells; another one is not."""
    d, a, b, _ = house
    number, phone = desk(d)
    claim = [("P-Asserted-Identity", ANYBODY), ("Remote-Party-ID", ANYBODY)]
    invite = seen_by(phone, a, number, claim)
    assert asserted(invite) == [ANYBODY] and invite.all("remote-party-id") == [ANYBODY]
    for extra in ([("Privacy", "id")], [("Privacy", "user;id")]):
        invite = seen_by(phone, a, number, claim + extra)
        assert asserted(invite) == [] and invite.all("remote-party-id") == []
    for extra in ([], [("Privacy", "none")]):
        invite = seen_by(phone, b, number, claim + extra)
        assert asserted(invite) == [] and "Chief" not in repr(invite)


def test_a_call_in_that_goes_on(house):
    """It is not ours: no identity is made up for who calls."""
    d, _, b, _ = house
    (ben, first), (cleo, second) = desk(d), desk(d)
    d.ctl("user", "set", ben, "--forward-busy", cleo)
    call = Call(b, ben, "INVITE", SDP)
    refuse(first.accept(call_id=call.call_id))
    leg = second.accept(call_id=call.call_id)
    assert asserted(leg.invite) == [] and leg.invite.get("diversion") == f"<sip:{ben}@hotdesk.test>;reason=user-busy"
    refuse(leg)
    assert call.final().status == 486


def test_who_answers(house):
    """Responses, and requests inside the dialog, of a PBX that is trusted: what they withhold stays withheld."""
    d, a, _, _ = house
    _, phone = desk(d)
    call = phone.call("+4912", SDP).challenge()
    leg = a.accept(call_id=call.call_id)
    claim, private = [("P-Asserted-Identity", ANYBODY)], [("P-Asserted-Identity", ANYBODY), ("Privacy", "id")]
    leg.answer(183, extra=claim)
    assert call.provisional(183).all("p-asserted-identity") == [ANYBODY]
    leg.answer(180, extra=private)
    assert call.provisional(180).all("p-asserted-identity") == []
    leg.answer(200, extra=private)
    answer = call.final()
    assert answer.all("p-asserted-identity") == [] and answer.all("privacy") == ["id"]
    call.ack()
    a.request("ACK")
    for said, passed in ((claim, [ANYBODY]), (private, [])):
        leg.in_dialog("INFO", said)
        info = phone.request("INFO")
        assert info.all("p-asserted-identity") == passed
        phone.reply(info, 200)
        assert a.final("INFO", leg.call_id, leg.cseq).status == 200
        call.in_dialog("INFO")
        a.reply(a.request("INFO"), 200, extra=said)  # it went without a transaction
        assert phone.final("INFO", call.call_id, call.cseq).all("p-asserted-identity") == passed
    hang_up(call, leg)


def test_diversion_of_a_phone(house):
    """It stays in the house, as any field that we do not know; a server outside sees ours or a trusted one's."""
    d, a, b, _ = house
    _, caller = desk(d)
    callee, sbc = d.phone(register=True), d.phone(register=True, host="127.0.0.74")
    said = [("Diversion", '"Chief" <sip:+4930999@hotdesk.test>;reason=user-busy'),
            ("Diversion", "<sip:202@hotdesk.test>;reason=no-answer"),
            ("History-Info", "<sip:+4930999@hotdesk.test>;index=1"),
            ("History-Info", "<sip:201@hotdesk.test>;index=1.1")]
    for phone, other, called, passes in ((caller, callee, callee.user, True), (caller, a, "+4911", False),
                                         (caller, b, "+4921", False), (sbc, a, "+4911", True), (sbc, b, "+4921", True)):
        invite = seen_by(other, phone, called, said)
        for name in ("Diversion", "History-Info"):
            assert invite.all(name) == ([v for n, v in said if n == name] if passes else []), f"{called}: {invite}"
