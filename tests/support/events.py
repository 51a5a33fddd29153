"""Subscriptions of scripted phones (RFC 6665), and what their NOTIFYs say."""

import re
import xml.etree.ElementTree as ElementTree

from support.sip import Call

DIALOG_INFO = "application/dialog-info+xml"
SPACE = "{urn:ietf:params:xml:ns:dialog-info}"


class Subscription(Call):
    """One subscription of a phone; what the notifier is asked, and what it tells."""

    def __init__(self, phone, to, event="dialog", expires=3600, extra=(), body="", accept=None):
        self.event, self.seen = event, []
        self.head = [("Event", event)] if event else []
        self.head += [("Accept", accept)] if accept is not None else []
        super().__init__(phone, to, "SUBSCRIBE", body,
                         self.head + ([("Expires", str(expires))] if expires is not None else []) + list(extra))

    def answered(self, status=200):
        answer = self.final()
        assert answer.status == status, f"{self.phone.user}: expected {status} to SUBSCRIBE, got\n{answer!r}"
        return answer

    def begun(self):
        """200 and the first NOTIFY, answered."""
        answer = self.answered()
        assert answer.get("expires") and answer.get("contact") and answer.get("allow-events"), repr(answer)
        self.told()
        return self

    def is_mine(self, m):
        return m.method == "NOTIFY" and m.get("call-id") == self.call_id

    def notify(self, timeout=None):
        """The next NOTIFY, not answered yet."""
        while True:
            notify = self.phone.wait(f"NOTIFY of {self.uri}", self.is_mine, timeout)
            number = int(notify.get("cseq").split()[0])
            if not self.seen or number != self.seen[-1]:
                break
            self.phone.reply(notify, 200)  # a copy: the answer came late
        assert notify.tag("to") == self.local_tag, repr(notify)
        if self.remote_tag:
            assert notify.tag("from") == self.remote_tag, repr(notify)
        assert not self.seen or number > self.seen[-1], f"CSeq {number} after {self.seen}"
        self.seen.append(number)
        return notify

    def told(self, status=200, extra=()):
        """The next NOTIFY, answered."""
        notify = self.notify()
        self.phone.reply(notify, status, extra=extra)
        return notify

    def until(self, match, what):
        """NOTIFYs are answered until one matches."""
        for _ in range(20):
            notify = self.told()
            if match(notify):
                return notify
        raise AssertionError(f"{self.phone.user}: no NOTIFY of {self.uri} says {what}")

    def silent(self, timeout=0.2):
        self.phone.none(f"NOTIFY of {self.uri}", self.is_mine, timeout)

    def again(self, expires=3600, extra=(), body="", event=None, cseq=None, status=200):
        """A SUBSCRIBE inside the dialog with its challenge answered; the final response."""
        head = [("Event", event or self.event)] + self.head[1:]
        head += ([("Expires", str(expires))] if expires is not None else []) + list(extra)
        self.in_dialog("SUBSCRIBE", head, body, cseq)
        answer = self.phone.final("SUBSCRIBE", self.call_id, cseq or self.cseq)
        if answer.status in (401, 407):
            line = self.phone.authorization(answer, "SUBSCRIBE", self.remote)
            self.in_dialog("SUBSCRIBE", head + [line], body, cseq)
            answer = self.phone.final("SUBSCRIBE", self.call_id, cseq or self.cseq)
        assert answer.status == status, f"{self.phone.user}: expected {status} to SUBSCRIBE, got\n{answer!r}"
        return answer

    def end(self):
        """Expires: 0, and the last NOTIFY."""
        self.again(expires=0)
        notify = self.told()
        assert notify.get("subscription-state") == "terminated;reason=timeout", repr(notify)
        return notify


def left(notify):
    """Seconds that an active subscription has left."""
    m = re.fullmatch(r"active;expires=(\d+)", notify.get("subscription-state"))
    assert m, repr(notify)
    return int(m.group(1))


class DialogInfo:
    """A document of RFC 4235, checked against its schema."""

    ORDER = ["state", "duration", "replaces", "referred-by", "route-set", "local", "remote"]
    STATES = {"trying", "proceeding", "early", "confirmed", "terminated"}

    def __init__(self, notify):
        assert notify.get("content-type") == DIALOG_INFO, repr(notify)
        root = ElementTree.fromstring(notify.body)
        assert root.tag == SPACE + "dialog-info", root.tag
        assert set(root.attrib) == {"version", "state", "entity"}, root.attrib
        assert root.get("state") == "full" and root.get("entity").startswith("sip"), root.attrib
        self.version, self.entity = int(root.get("version")), root.get("entity")
        self.dialogs = [self.dialog(d) for d in root]
        ids = [d["id"] for d in self.dialogs]
        assert len(set(ids)) == len(ids), ids

    def dialog(self, d):
        assert d.tag == SPACE + "dialog" and d.get("id"), d.tag
        assert set(d.attrib) <= {"id", "call-id", "local-tag", "remote-tag", "direction"}, d.attrib
        assert d.get("direction") in (None, "initiator", "recipient"), d.attrib
        names = [c.tag.removeprefix(SPACE) for c in d]
        assert names == sorted(names, key=self.ORDER.index) and names[0] == "state", names
        assert d.findtext(SPACE + "state") in self.STATES
        found = {"id": d.get("id"), "direction": d.get("direction"), "state": d.findtext(SPACE + "state"),
                 "duration": d.findtext(SPACE + "duration")}
        for side in ("local", "remote"):
            party = d.find(SPACE + side)
            if party is None:
                continue
            assert [c.tag.removeprefix(SPACE) for c in party] == ["identity", "target"]
            assert party.find(SPACE + "target").get("uri").startswith("sip"), ElementTree.tostring(party)
            identity = party.find(SPACE + "identity")
            found[side], found[side + " name"] = identity.text, identity.get("display")
        return found

    @property
    def state(self):
        """Of the only dialog."""
        assert len(self.dialogs) == 1, self.dialogs
        return self.dialogs[0]["state"]


def lamp(notify):
    """The state of the lamp that a NOTIFY tells."""
    return DialogInfo(notify).state
