"""Contact of a private caller where From is rewritten: it names no phone, and finds it all the same."""

import base64
import re

import pytest

from steps import refuse
from support.sip import SDP
from test_identity_from import ANONYMOUS, Watched, house, names  # noqa: F401


class Veiled(Watched):
    """One whose callee sees nothing of the phone but where it is, in every message of the dialog."""

    def at_callee(self, message, to_tag=None):
        name, other = self.call.phone.user, self.leg.phone.user
        shown = "\n".join([v for n, v in message.headers if n != "via"] + [message.start])
        assert f":{name}@" not in shown, shown
        ids = b"".join(bytes([len(x)]) + x.encode() for x in (name, other))  # as a token has them
        for text in re.findall(r"[A-Za-z0-9_-]{20,}", shown):
            raw = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)) if len(text) % 4 != 1 else b""
            assert f"sip:{name}@".encode() not in raw and ids not in raw, text
        for contact in message.all("contact"):
            assert re.fullmatch(rf"<sip:anonymous\.[\w-]+@{self.call.phone.host}:\d+(;transport=\w+)?>", contact), contact
        return super().at_callee(message, to_tag)

    def at_caller(self, message):
        if not message.status:
            assert f"<{message.ruri}>" == self.call.phone.contact.split(">")[0] + ">", "its own Contact"
        return super().at_caller(message)


@pytest.mark.parametrize("ways", ["udp udp", "tcp tcp", "udp tcp", "tcp udp"])
@pytest.mark.parametrize("privacy", ["id", "header"])
def test_contact_of_a_private_caller(house, ways, privacy):  # noqa: F811
    d, _ = house
    caller, own, shown = names(d, ways.split()[0])
    callee = d.phone(register=True, transport=ways.split()[1])
    call = Veiled(caller, callee, callee.user, own, ANONYMOUS if privacy == "id" else shown, [("Privacy", privacy)])
    call.answer().everything()
    call.from_callee("BYE")


@pytest.mark.parametrize("privacy", ["id", "user", "header;id", "header", "none", "session", None])
def test_contact_across_the_border(house, privacy):  # noqa: F811
    """Who is trusted sees the phone in Contact, nobody else whom it is to be hidden from; by a name, too."""
    d, pbx = house
    caller, own, _ = names(d)
    for other, called in ((pbx, "+4919125"), (pbx, "+492125"), (d.stranger, "+4931"), (d.stranger, "+4941")):
        call = caller.call(called, SDP, extra=[("Privacy", privacy)] if privacy else []).challenge()
        leg = other.accept(call_id=call.call_id)
        veiled = other is d.stranger and privacy not in ("none", "session", None)
        assert leg.invite.get("contact").startswith("<sip:anonymous." if veiled else f"<sip:{caller.user}@"), repr(leg.invite)
        assert not veiled or all("<sip:." in r for r in leg.invite.all("record-route"))
        refuse(leg)
        assert call.final().status == 486


def test_veil_of_another_call(house):  # noqa: F811
    """It is good for its Call-ID alone; whatever else a callee makes of it leads nowhere new."""
    d, _ = house
    caller, own, _ = names(d)
    callee = d.phone(register=True)
    one = Veiled(caller, callee, callee.user, own, ANONYMOUS, [("Privacy", "id")]).answer()
    other = Veiled(caller, callee, callee.user, own, ANONYMOUS, [("Privacy", "id")]).answer()
    there = one.leg.remote
    for wrong in (other.leg.remote, re.sub(r"anonymous\.....", "anonymous.AAAA", there)):
        one.leg.remote = wrong
        one.leg.in_dialog("INFO")
        seen = caller.wait("INFO", lambda m: m.method == "INFO" and m.get("call-id") == one.call.call_id)
        assert seen.ruri == wrong, "as it came, to where the phone is"
        caller.reply(seen, 481)
        assert callee.final("INFO", one.leg.call_id, one.leg.cseq).status == 481
    one.leg.remote = there
    one.from_callee("BYE")
    other.from_caller("BYE")
