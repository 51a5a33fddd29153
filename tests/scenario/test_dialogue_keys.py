"""Keys in the login dialogue: by INFO, by telephone-event, by both; tries, pauses, hanging up."""

import pytest

from dialogue import REASON, dial, ends, info, office
from steps import answer_resyncs


@pytest.mark.parametrize("kind", ["dtmf-relay", "dtmf"])
def test_keys_by_info(kind):
    with office() as (d, a, rtp):
        call = dial(a, rtp)
        for digit in "201#471147#":
            info(call, {"#": "11"}.get(digit, digit) if kind == "dtmf" else digit, kind)
        rtp.hears("logged-in")
        ends(a)
        answer_resyncs(a)
        assert d.sessions() == {"201": "desk-101"}


def test_nortel_digits():
    with office() as (d, a, rtp):
        call = dial(a, rtp)
        for digit in "201#471147#":
            call.in_dialog("INFO", [("Content-Type", "application/vnd.nortelnetworks.digits")],
                           f"p=Digit-Collection\r\ny=Digits\r\n\r\nd={digit}\r\n")
            assert a.final("INFO", cseq=call.cseq).status == 200
        rtp.hears("logged-in")
        ends(a)
        assert d.sessions() == {"201": "desk-101"}


def test_keys_by_both_ways_count_once():
    with office() as (d, a, rtp):
        call = dial(a, rtp)
        for digit in "2*201#471147#":
            rtp.press(digit)
            info(call, digit)
        rtp.hears("logged-in")
        ends(a)
        assert d.sessions() == {"201": "desk-101"}


def test_broken_info_bodies():
    bodies = [("dtmf-relay", ""), ("dtmf-relay", "Signal="), ("dtmf-relay", "Signal=99\r\n"), ("dtmf-relay", "x" * 9000),
              ("dtmf", "77"), ("dtmf", "\0"), ("vnd.nortelnetworks.digits", "d=\r\n"), ("sdp", "5"), ("hook-flash", "")]
    with office() as (d, a, rtp):
        call = dial(a, rtp)
        for kind, body in bodies:
            call.in_dialog("INFO", [("Content-Type", f"application/{kind}")], body)
            status = a.final("INFO", cseq=call.cseq).status
            assert status in (200, 415, 513), f"{kind} {body[:20]!r}: {status}"
        rtp.press("201#471147#")
        rtp.hears("logged-in")
        ends(a)
        assert d.sessions() == {"201": "desk-101"}, "what is no digit is none"


def test_three_tries_then_goodbye():
    with office({"desk": {"lock_after": 9}}) as (d, a, rtp):
        dial(a, rtp)
        for _ in range(3):
            rtp.hears("number")
            since = rtp.mark()
            rtp.press("201#000000#")
            rtp.hears("refused", since=since)
        rtp.hears("goodbye")
        ends(a, REASON)
        assert d.sessions() == {} and d.log().count("wrong-pin") == 3
        assert "000000" not in d.log()


def test_begin_again_and_barge_in():
    with office(spoken=True) as (d, a, rtp):
        dial(a, rtp)
        rtp.wait_packets(10)
        rtp.press("9")
        rtp.wait_packets(25, rtp.mark())
        assert rtp.position("number") < 0, "the prompt goes on though a key was pressed"
        rtp.press("99*")
        rtp.hears("number")
        rtp.press("202#802615#")
        rtp.hears("logged-in")
        ends(a)
        assert d.sessions() == {"202": "desk-101"}


def test_silence_and_pauses():
    with office({"dialogue": {"first_s": 1, "reminders": 1}}) as (d, a, rtp):
        dial(a, rtp)
        rtp.hears("reminder")
        rtp.hears("goodbye")
        ends(a, REASON)
    with office({"dialogue": {"first_s": 60, "digit_s": 1}}) as (d, a, rtp):
        since = rtp.mark()
        dial(a, rtp)
        rtp.press("201")
        rtp.hears("pin", since=since)  # a pause is as good as '#'
        rtp.press("471147")
        rtp.hears("logged-in", since=since)
        ends(a)
        assert d.sessions() == {"201": "desk-101"}


def test_known_length():
    with office({"dialogue": {"number_length": 3, "pin_length": 6}}) as (d, a, rtp):
        dial(a, rtp)
        rtp.press("201")
        rtp.hears("pin")
        rtp.press("#471147")
        rtp.hears("logged-in")
        ends(a)
        assert d.sessions() == {"201": "desk-101"}


def test_hanging_up_at_each_step():
    steps = ["", "2", "201", "201#", "201#47", "201#471147", "201#471147#"]
    with office() as (d, a, rtp):
        for keys in steps:
            call = dial(a, rtp)
            rtp.press(keys)
            if keys:
                rtp.wait_packets(5, rtp.mark())
            assert call.bye().status == 200
            if not keys.endswith("7#"):
                assert d.sessions() == {}, f"after {keys!r}"
        d.until("what was asked for goes on", lambda: d.sessions() == {"201": "desk-101"})
        answer_resyncs(a)
        d.until("all streams are closed", lambda: "hotdeskd_rtp_streams 0" in d.admin("GET", "/metrics")[1])
        assert "471147" not in d.log()
        call = a.call("sip:*771@hotdesk.test", rtp.sdp())
        assert call.final().status == 200
        assert call.bye().status == 200, "before the ACK"


def test_phone_that_has_gone():
    quick = {"dialogue": {"first_s": 1, "reminders": 9}, "media": {"silent_s": 1}}
    with office(quick) as (d, a, rtp):
        dial(a, rtp)
        rtp.speak(200)
        ends(a, REASON)
        assert "nothing is heard any more" in d.log()
