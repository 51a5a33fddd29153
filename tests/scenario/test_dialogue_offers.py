"""Offer and answer of the login dialogue: late, on hold, changed, not to be taken."""

from dialogue import dial, ends, office
from steps import answer_resyncs
from support.rtp import RtpPeer


def test_late_offer():
    with office(payload=0) as (d, a, rtp):
        call = a.call("sip:*771@hotdesk.test")
        answer = call.final()
        assert answer.status == 200 and b"RTP/AVP 8 0 101" in answer.body, repr(answer)
        rtp.follow(answer)
        call.in_dialog("ACK", body=rtp.sdp())
        rtp.press("201#471147#")
        ends(a)
        answer_resyncs(a)
        assert {p.type for p in rtp.packets} == {0}
        assert d.sessions() == {"201": "desk-101"}
        call = a.call("sip:*771@hotdesk.test")
        assert call.final().status == 200
        call.in_dialog("ACK", body=rtp.sdp("RTP/AVP 9"))
        assert "488" in a.request("BYE").get("reason")


def test_hold_resume_and_update():
    with office({"dialogue": {"first_s": 60}}) as (d, a, rtp), RtpPeer(prompts=rtp.prompts) as beside:
        dial(d.phone("desk-102", register=True), beside)  # its packets tell that time goes on
        call = dial(a, rtp)
        rtp.wait_packets(5)
        version = 1
        for method, attribute, answered in (("INVITE", "a=sendonly", b"a=recvonly"), ("UPDATE", "a=inactive", b"a=inactive"),
                                            ("INVITE", "a=sendrecv", b"a=sendrecv"), ("UPDATE", "a=sendrecv", b"a=sendrecv")):
            version += 1
            call.in_dialog(method, body=rtp.sdp(attributes=[attribute], version=version))
            answer = a.final(method, cseq=call.cseq)
            assert answer.status == 200 and answered in answer.body, repr(answer)
            assert f" {version} IN IP4".encode() in answer.body, "the version of o= counts on"
            if method == "INVITE":
                call.ack()
            rtp.settle()
            since = rtp.mark()
            if answered == b"a=sendrecv":
                rtp.wait_packets(5, since)
            else:
                beside.wait_packets(15, beside.mark())
                rtp.settle()
                assert rtp.mark() - since <= 2, "sound on hold"
        call.in_dialog("INVITE", body=rtp.sdp("RTP/AVP 9"))
        assert a.final("INVITE", cseq=call.cseq).status == 488
        call.in_dialog("ACK")
        rtp.press("201#471147#")
        rtp.hears("logged-in")
        ends(a)
        assert d.sessions() == {"201": "desk-101"}


def test_reinvite_is_repeated_until_its_ack():
    with office({"sip": {"t1_ms": 100}}) as (d, a, rtp):
        call = dial(a, rtp)
        call.in_dialog("INVITE", body=rtp.sdp(version=2))
        first = a.final("INVITE", cseq=call.cseq)
        again = a.final("INVITE", cseq=call.cseq)
        assert first.raw == again.raw
        call.in_dialog("INVITE", body=rtp.sdp(version=3))
        assert a.final("INVITE", cseq=call.cseq).status == 500, "one at a time"
        call.in_dialog("ACK", cseq=call.cseq - 1)
        call.in_dialog("INVITE")  # without an offer: ours is in the 200
        answer = a.final("INVITE", cseq=call.cseq)
        assert answer.status == 200 and b"RTP/AVP 8 0 101" in answer.body
        call.in_dialog("UPDATE", body=rtp.sdp(version=4))
        assert a.final("UPDATE", cseq=call.cseq).status == 491
        call.in_dialog("ACK", body=rtp.sdp(version=4), cseq=call.cseq - 1)
        rtp.press("201#471147#")
        rtp.hears("logged-in")
        ends(a)
        assert d.sessions() == {"201": "desk-101"}


def test_offers_that_cannot_be_taken():
    with office() as (d, a, rtp):
        for media in ("RTP/AVP 9 18", "UDP/TLS/RTP/SAVPF 8", "RTP/SAVP 8"):
            answer = a.call("sip:*771@hotdesk.test", rtp.sdp(media)).final()
            assert answer.status == 488, f"{media}: {answer.start}"
        # of several streams one is taken; ICE is answered with its plain part
        offer = rtp.sdp(attributes=["a=candidate:1 1 UDP 1 10.0.0.1 4000 typ host", "a=ice-ufrag:x"])
        call = a.call("sip:*771@hotdesk.test", offer + b"m=video 5000 RTP/AVP 96\r\na=rtpmap:96 H264/90000\r\n")
        answer = call.final()
        assert answer.status == 200 and b"m=video 0 RTP/AVP 96" in answer.body and b"candidate" not in answer.body
        rtp.follow(answer)
        call.ack()
        rtp.press("201#471147#")
        rtp.hears("logged-in")
        ends(a)
