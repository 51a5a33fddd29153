"""What people do with softphones, of whichever stack."""

import re


def response(method, status):
    return lambda m: m.status == status and m.cseq_method == method


def request(method):
    return lambda m: m.method == method


def login(phone, number, pin, final=""):
    """By code; the daemon hangs up by itself."""
    mark = phone.mark()
    phone.dial(f"*771*{number}*{pin}{final}")
    phone.event("CALL_CLOSED")
    answer = phone.sip("200 to the login", response("INVITE", 200), mark)
    assert b"a=inactive" in answer.body, repr(answer)
    bye = phone.sip("BYE after the login", request("BYE"), mark)
    assert not bye.sent, repr(bye)


def ring(caller, callee, number):
    caller.dial(number)
    callee.event("CALL_INCOMING")
    caller.event("CALL_RINGING")


def talk(caller, callee, number):
    ring(caller, callee, number)
    callee.accept()
    for phone in (caller, callee):
        phone.event("CALL_ESTABLISHED")


def end(by, other):
    """One hangs up, the other is told."""
    mark, far = by.mark(), other.mark()
    by.hang_up()
    for phone in (by, other):
        phone.event("CALL_CLOSED")
    assert not other.sip("BYE", request("BYE"), far).sent
    by.sip("200 to BYE", response("BYE", 200), mark)


def direction(message):
    """What the SDP says of the sound; nothing means both ways (RFC 3264 5.1)."""
    found = re.search(rb"a=(sendrecv|sendonly|recvonly|inactive)", message.body)
    return found.group(1).decode() if found else "sendrecv"


def closed_with(phone, status, mark=0):
    """The phone's call ends with that final response to its INVITE."""
    phone.sip(f"{status} to INVITE", response("INVITE", status), mark)
    phone.event("CALL_CLOSED")


def hold_and_resume(one, other):
    for act, way in ((one.hold, "sendonly"), (one.resume, "sendrecv")):
        mark, far = one.mark(), other.mark()
        act()
        invite = other.sip("re-INVITE", request("INVITE"), far)
        assert not invite.sent and direction(invite) == way, repr(invite)
        one.sip("200 to re-INVITE", response("INVITE", 200), mark)
        other.sip("ACK of the re-INVITE", request("ACK"), far)


def cancel(caller, callee):
    """The caller gives up while it rings."""
    mark, far = caller.mark(), callee.mark()
    caller.hang_up()
    for phone in (caller, callee):
        phone.event("CALL_CLOSED")
    assert not callee.sip("CANCEL", request("CANCEL"), far).sent
    caller.sip("200 to CANCEL", response("CANCEL", 200), mark)
    caller.sip("487 to INVITE", response("INVITE", 487), mark)
    callee.sip("ACK of the 487", request("ACK"), far)
