"""The spoken login dialogue: prompts are heard octet for octet, in the right language, and may be replaced."""

import time

from dialogue import dial, ends, office
from steps import answer_resyncs
from support.daemon import DIRECTORY
from support.rtp import audioop, prompt, write_wav


def test_login_by_keys_and_what_is_heard():
    with office({"dialogue": {"first_s": 60}}, spoken=True) as (d, a, rtp):
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
        stopped = {p.seq for earlier, p in zip(rtp.packets, rtp.packets[1:]) if p.timestamp != earlier.timestamp + 160}
        assert rtp.packets[0].marker and {p.seq for p in rtp.packets[1:] if p.marker} == stopped
        assert len({p.ssrc for p in rtp.packets}) == 1


def test_mu_law():
    with office(spoken=True, payload=0) as (_, a, rtp):
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



def test_languages():
    directory = DIRECTORY.replace("name: Anna Berg,", "name: Anna Berg, language: de,")
    with office(directory=directory) as (d, a, rtp):
        own = d.phone("home-201", register=True)
        dial(own, rtp)
        rtp.hears("number", "de")  # the owner's
        rtp.press("201#471147#")
        rtp.hears("logged-in", "de")
        ends(own)
        answer_resyncs(own)
        since = rtp.mark()
        dial(a, rtp)
        rtp.hears("number", "en", since)  # nobody's: English
        rtp.press("201#")
        rtp.hears("pin", "en", since)  # a language must not tell whose number it is
        rtp.press("471147#")
        rtp.hears("logged-in", "de", since)
        rtp.hears("moved", "de", since)
        ends(a)
        answer_resyncs(a, own)
        since = rtp.mark()
        dial(own, rtp, "*772")
        rtp.hears("nobody", "de", since)
        ends(own)
        b, since = d.phone("desk-102", register=True), rtp.mark()
        call = b.call("sip:*771@hotdesk.test", rtp.sdp(), [("Accept-Language", "fr, de-AT;q=0.8, en;q=0.5")])
        rtp.follow(call.final())
        call.ack()
        rtp.hears("number", "de", since)


def test_prompts_of_the_administrator(tmp_path):
    spoken = bytes(range(256)) * 40
    (tmp_path / "fr").mkdir()
    (tmp_path / "fr/number.wav").write_bytes(
        b"RIFF\0\0\0\0WAVEfmt \x10\0\0\0\6\0\1\0\x40\x1f\0\0\x40\x1f\0\0\1\0\x08\0data" +
        len(spoken).to_bytes(4, "little") + spoken)
    (tmp_path / "fr/pin.wav").write_bytes(b"not a WAV")
    with office({"dialogue": {"language": "fr"}}, spoken=tmp_path) as (d, a, rtp):
        assert "pin.wav: cannot be parsed: a tone in its place" in d.log()
        call = dial(a, rtp)
        rtp.hears_octets(spoken)
        since = rtp.mark()
        rtp.press("201#")
        until = time.monotonic() + 20
        while audioop.rms(audioop.alaw2lin(rtp.octets(since)[-8000:], 2), 2) < 500:
            assert time.monotonic() < until, "no tone is heard"
            time.sleep(0.05)
        assert call.bye().status == 200
        write_wav(tmp_path / "fr/number.wav", prompt("goodbye"))
        assert d.admin("POST", "/v1/reload")[0] == 200
        since = rtp.mark()
        dial(a, rtp)
        rtp.hears_octets(prompt("goodbye"), since)  # from 16 bits linear, octet for octet
