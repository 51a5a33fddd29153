"""The spoken login dialogue: prompts are heard octet for octet, keys come as telephone-events and by INFO."""

import contextlib

from steps import answer_resyncs
from support.daemon import Daemon
from support.rtp import RtpPeer, audioop, prompt

REASON = 'SIP;cause=403;text="Not possible"'


@contextlib.contextmanager
def office(conf=None, phone="desk-101", **rtp):
    with Daemon(conf) as d, RtpPeer(**rtp) as peer:
        yield d, d.phone(phone, register=True), peer


def dial(phone, rtp, code="*771", **offer):
    """The code is dialled and the call stands."""
    call = phone.call(f"sip:{code}@hotdesk.test", rtp.sdp(**offer))
    answer = call.final()
    assert answer.status == 200, repr(answer)
    rtp.follow(answer)
    call.ack()
    return call


def ends(phone, reason=None):
    bye = phone.request("BYE", timeout=30)
    assert bye.get("reason") == reason, repr(bye)
    phone.reply(bye, 200)


def info(call, digit, kind="dtmf-relay"):
    body = f"Signal={digit}\r\nDuration=160\r\n" if kind == "dtmf-relay" else digit
    call.in_dialog("INFO", [("Content-Type", f"application/{kind}")], body)
    assert call.phone.final("INFO", cseq=call.cseq).status == 200


def test_login_by_keys_and_what_is_heard():
    with office() as (d, a, rtp):
        dial(a, rtp)
        rtp.hears("number")
        rtp.press("201#")
        rtp.hears("pin")
        rtp.press("471147#")
        rtp.hears("logged-in")
        rtp.hears("goodbye")
        ends(a)
        answer_resyncs(a)
        assert d.sessions() == {"201": "desk-101"}
        assert "login of 201 by dialogue: logged-in" in d.log()
        assert "471147" not in d.log()
        assert rtp.heard() == [("en", n) for n in ("goodbye", "logged-in", "number", "pin")]
        sequence = [p.seq for p in rtp.packets]
        assert all((b - a) & 0xffff == 1 for a, b in zip(sequence, sequence[1:])), "sequence numbers"
        assert rtp.packets[0].marker and not any(p.marker for p in rtp.packets[1:])
        assert len({p.ssrc for p in rtp.packets}) == 1


def test_mu_law():
    with office(payload=0) as (_, a, rtp):
        dial(a, rtp)
        rtp.wait_packets(150)
        assert {p.type for p in rtp.packets} == {0}
        heard, wanted = rtp.octets(), prompt("number")[:8000]
        # The way over the other law costs a step of quantisation, not more.
        best = min(audioop.rms(audioop.add(audioop.alaw2lin(heard[at:at + len(wanted)], 2),
                                           audioop.mul(audioop.alaw2lin(wanted, 2), 2, -1), 2), 2)
                   for at in range(0, 2000) if len(heard) >= at + len(wanted))
        level = audioop.rms(audioop.alaw2lin(wanted, 2), 2)
        assert best < level / 20, f"the prompt is not heard: difference {best}, level {level}"


def test_logout_and_toggle_say_goodbye():
    with office() as (d, a, rtp):
        dial(a, rtp)
        rtp.press("201#471147#")
        rtp.hears("logged-in")
        ends(a)
        answer_resyncs(a)
        since = rtp.mark()
        dial(a, rtp, "*772")
        rtp.hears("logged-out", since=since)
        ends(a)
        answer_resyncs(a)
        assert d.sessions() == {}
        since = rtp.mark()
        dial(a, rtp, "*772")
        rtp.hears("nobody", since=since)
        ends(a)
        since = rtp.mark()
        dial(a, rtp, "*770")
        rtp.hears("number", since=since)
        rtp.press("202#802615#")
        rtp.hears("logged-in", since=since)
        ends(a)
        answer_resyncs(a)
        since = rtp.mark()
        dial(a, rtp, "*770")
        rtp.hears("logged-out", since=since)
        ends(a)
        assert d.sessions() == {}
