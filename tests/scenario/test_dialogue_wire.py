"""RTP and SRTP of the login dialogue: strangers, storms, losses, limits."""

import time

import pytest

from dialogue import dial, ends, office, settled
from steps import answer_resyncs
from support.daemon import Daemon
from support.rtp import RtpPeer
from support.srtp import SrtpPeer


def test_strangers_and_storms():
    with office() as (d, a, rtp), RtpPeer(host="127.0.0.9") as stranger, RtpPeer() as twin:
        dial(a, rtp)
        stranger.remote = twin.remote = rtp.remote
        stranger.press("999#")
        rtp.press("20")
        twin.press("777#")
        stranger.press("777#")
        for _ in range(300):
            stranger.sock.sendto(b"\x80" + bytes(200), rtp.remote)
            twin.sock.sendto(bytes(2000), rtp.remote)
            rtp.sock.sendto(bytes(20), rtp.remote)
        settled(d, rtp)
        rtp.press("1#471147#")
        rtp.hears("logged-in")
        ends(a)
        assert d.sessions() == {"201": "desk-101"}
        text = d.admin("GET", "/metrics")[1]
        for kind in ("stranger", "malformed"):
            count = float(text.split(f'hotdeskd_rtp_total{{kind="{kind}"}} ')[1].split()[0])
            assert count >= 50, f"{kind}: {count}"
        assert not stranger.packets and not twin.packets, "prompts go to the phone alone"


def test_storm_of_keys():
    with office() as (d, a, rtp):
        dial(a, rtp)
        rtp.press("7" * 1000)
        settled(d, rtp)
        rtp.press("*201#471147#")
        rtp.hears("logged-in")
        ends(a)
        assert d.sessions() == {"201": "desk-101"}


def test_packets_lost_doubled_and_late():
    with office() as (d, a, rtp):
        dial(a, rtp)
        for i, key in enumerate("201#471147#"):
            rtp.timestamp += 1600
            ends_sent = [dict(end=True, duration=640)] * 3
            packets = [dict(duration=160, marker=True), dict(duration=320), *ends_sent]
            packets = packets[1:] if i % 4 == 1 else packets[:2] if i % 4 == 2 else packets[-1:] if i % 4 == 3 else \
                packets + packets
            for p in packets:
                rtp.event(key, **p)
            if i % 4 == 0:  # the end of the last but one, late
                rtp.event(key, end=True, timestamp=rtp.timestamp - 1600)
            time.sleep(0.12)  # as long as a key is pressed: who loses all ends needs the pause
        rtp.hears("logged-in")
        ends(a)
        assert d.sessions() == {"201": "desk-101"}


def test_one_more_ends_the_oldest():
    with office({"dialogue": {"per_phone": 1}}) as (d, a, rtp):
        first = dial(a, rtp)
        dial(a, rtp)
        bye = a.request("BYE")
        assert bye.get("call-id") == first.call_id
        a.reply(bye, 200)
        rtp.press("201#471147#")
        ends(a)
        assert d.sessions() == {"201": "desk-101"}


def test_no_port_is_free():
    with office() as (d, a, rtp):
        b = d.phone("desk-102", register=True)
        call = dial(a, rtp)
        port = rtp.remote[1]
        assert call.bye().status == 200
        d.conf["media"] = {"port_min": port, "port_max": port + 1}
        d.write_conf()
        assert d.admin("POST", "/v1/reload")[0] == 200
        d.until("reloaded", lambda: "media.port_min" in d.log())
        call = dial(a, rtp)
        assert rtp.remote[1] == port
        refused = b.call("sip:*771@hotdesk.test", rtp.sdp()).final()
        assert refused.status == 503 and refused.get("retry-after"), repr(refused)
        assert call.bye().status == 200
        dial(b, rtp)


@pytest.mark.parametrize("suite", ["AES_CM_128_HMAC_SHA1_80", "AES_CM_128_HMAC_SHA1_32"])
def test_srtp(suite):
    with office(peer=SrtpPeer, suite=suite) as (d, a, rtp), RtpPeer() as plain:
        dial(a, rtp)
        plain.remote = rtp.remote
        plain.press("999#")  # from the right host, but not with the key
        rtp.press("201#471147#")
        rtp.hears("logged-in")
        ends(a)
        assert d.sessions() == {"201": "desk-101"}
        assert rtp.forged == 0
        assert 'kind="forged"} 0' not in d.admin("GET", "/metrics")[1]


def test_ipv6_and_mixed_families():
    with office({"sip": {"listen": ["udp:127.0.0.1:0", "udp:[::1]:0"]}}, host="::1") as (d, b, rtp):
        a = d.phone("desk-102", register=True, ipv6=True)
        dial(a, rtp)
        rtp.press("201#471147#")
        rtp.hears("logged-in")
        ends(a)
        answer_resyncs(a)
        assert d.sessions() == {"201": "desk-102"}
        since = rtp.mark()
        dial(b, rtp)  # SIP over IPv4, media over IPv6
        assert ":" in rtp.remote[0]
        rtp.hears("number", since=since)
        rtp.press("202#802615#")
        ends(b)
        assert d.sessions() == {"201": "desk-102", "202": "desk-101"}


def test_rtcp_mux():
    with office() as (d, a, rtp):
        call = a.call("sip:*771@hotdesk.test", rtp.sdp(attributes=["a=rtcp-mux"]))
        answer = call.final()
        assert b"a=rtcp-mux" in answer.body
        rtp.follow(answer)
        call.ack()
        rtp.sock.sendto(b"\x80\xc9\0\x01" + bytes(4), rtp.remote)  # a receiver report
        rtp.press("201#471147#")
        rtp.hears("logged-in")
        ends(a)
        assert d.sessions() == {"201": "desk-101"}
