"""Steps that several scenarios share."""

import time

from support.sip import SDP


def login(phone, number, pin, code="*771", final="#"):
    """INVITE to the code; the final response. On success the BYE that ends it is answered."""
    call = phone.call(f"sip:{code}*{number}*{pin}{final.replace('#', '%23')}@{phone.domain}", SDP)
    answer = call.final()
    if answer.status == 200:
        call.ack()
        phone.reply(phone.request("BYE"), 200)
    return answer


def by_code(phone, code):
    """A code without number and PIN that acts at once."""
    call = phone.call(f"sip:{code}@{phone.domain}", SDP)
    answer = call.final()
    if answer.status == 200:
        call.ack()
        phone.reply(phone.request("BYE"), 200)
    return answer


def ring(caller, callee, number):
    """A call that rings: (caller's side, callee's side)."""
    call = caller.call(number, SDP).challenge()
    leg = callee.accept(call_id=call.call_id)
    leg.answer(180, "Ringing")
    call.provisional(180)
    return call, leg


def connect(caller, callee, number):
    call, leg = ring(caller, callee, number)
    leg.answer(200, "OK")
    assert call.final().status == 200
    call.ack()
    callee.request("ACK")
    return call, leg


def hang_up(call, leg):
    call.in_dialog("BYE")
    leg.phone.reply(leg.phone.request("BYE"), 200)
    assert call.phone.final("BYE").status == 200


def talk(caller, callee, number):
    """A whole call; the INVITE as the callee saw it."""
    call, leg = connect(caller, callee, number)
    hang_up(call, leg)
    return leg.invite


def answer_resyncs(*phones):
    """Each is asked once to fetch; what its screen is told besides is taken, too."""
    for phone in phones:
        notify = phone.request("NOTIFY")
        while notify.get("event") == "Yealink-xml":
            phone.reply(notify, 200)
            notify = phone.request("NOTIFY")
        assert notify.get("event") == "check-sync;reboot=false", repr(notify)
        phone.reply(notify, 200)


def no_other_invite(leg, timeout=0.05):
    """The INVITE may have been sent again, but came in one transaction."""
    via = leg.invite.get("via")
    leg.phone.none("INVITE again", lambda m: m.method == "INVITE" and m.get("via") != via, timeout)


def no_more(phone, what, match=lambda m: m.status != 100, timeout=0.05, again=False):
    """Nothing (but 100 Trying) comes within a moment."""
    phone.none(what, match, timeout, again)


def no_more_from_now(phone, what, match, timeout):
    """The same for what may have been repeated until now."""
    phone.fence()
    phone.inbox = [m for m in phone.inbox if m.raw not in phone.given]
    phone.none(what, match, timeout, True)


def sooner_or_later(proves, times=5):
    """For what needs the machine in time: once of these times it proves its point, or never would."""
    assert any(proves() for _ in range(times)), f"not once in {times} times: {proves.__doc__}"


def arrivals(phone, match, n):
    """The first n that match: (when the system had it, message)."""
    got = [phone.wait(f"{i + 1} of {n}", match) for i in range(n)]
    return [(m.at, m) for m in got]


def assert_no_sooner(got, gaps):
    """Retransmissions that are alike, each that long after the one before; a late machine makes it longer."""
    found = [later - earlier for (earlier, _), (later, _) in zip(got, got[1:])]
    assert len(found) == len(gaps) and all(have > 0.9 * want for have, want in zip(found, gaps)), \
        f"expected gaps of at least {gaps}, got {found}"
    assert len({m.raw for _, m in got}) == 1, "retransmissions differ"


def timer_c_runs_from_the_second_180(daemon, seconds):
    """A CANCEL, and not before the time that begins with the second 180"""
    a, b = daemon.phones_of(2)
    call, leg = ring(a, b, b.user)
    no_more(b, "more", lambda m: False, 0.6 * seconds)
    began = time.time()
    leg.answer(180)
    cancel = b.request("CANCEL")
    b.reply(cancel, 200, to_tag=leg.local_tag)
    refuse(leg, 487)
    assert call.final().status in (408, 487)
    assert cancel.all("via") == leg.invite.all("via")[:1]
    return cancel.at - began > 0.95 * seconds


def refuse(leg, status=486, **more):
    """The callee says no; the ACK that it gets."""
    leg.answer(status, **more)
    return leg.phone.request("ACK")


def again(one, other, body, contact=None):
    """A re-INVITE, its answer and ACK."""
    one.in_dialog("INVITE", body=body, extra=[("Contact", contact)] if contact else [])
    seen = other.phone.wait("the re-INVITE", lambda m: m.method == "INVITE" and
                            (m.get("call-id"), m.get("cseq")) == (one.call_id, f"{one.cseq} INVITE"))
    assert seen.body == body and seen.all("route") == []
    other.phone.reply(seen, 200, extra=[("Contact", other.phone.contact),
                                        ("Content-Type", "application/sdp")], body=body)
    ok = one.phone.final("INVITE", one.call_id, one.cseq)
    assert ok.status == 200 and ok.body == body
    one.in_dialog("ACK")
    other.phone.request("ACK")
