"""Zero touch: SUBSCRIBE ua-profile to 224.0.1.75 as phones send it, in a network namespace with real multicast."""

import contextlib
import re
import select
import socket
import struct
import time

import pytest

from support import netns
from support.daemon import Daemon
from support.sip import DEADLINE, Message, rand

GROUP, PORT = "224.0.1.75", 5060
DIRECTORY = """
users: []
phones:
  - {id: desk-gs, secret: s1, mac: "C0:74:AD:11:22:33", label: Grandstream}
  - {id: desk-snom, secret: s2, mac: "00:04:13:2E:08:B4", label: Snom}
  - {id: desk-yea, secret: s3, mac: "80:5e:0c:1a:2b:3c", label: Yealink}
  - {id: desk-off, secret: s4, mac: "80:5e:0c:1a:2b:3d", label: Off, disabled: true}
"""
EVENT = 'ua-profile;profile-type="device";vendor="{vendor}";model="{model}";version="{version}"'


@pytest.fixture(scope="module", autouse=True)
def network():
    netns.enter()


class Asker:
    """A phone without configuration: what it sends is what was seen (samples 06, 07)."""

    def __init__(self, source=netns.THERE, port=0, interface=netns.THERE):
        self.sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.sock.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_IF, socket.inet_aton(interface))
        self.sock.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_LOOP, 1)
        self.sock.bind((source, port))
        self.host, self.port = self.sock.getsockname()
        self.got = []

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.sock.close()

    def grandstream(self, mac="C074AD112233", to=(GROUP, PORT), call_id=None):
        self.call_id = call_id or f"{rand()}@BJC.BGI.IG.DA"
        self.send(to, f"""SUBSCRIBE sip:MAC%3A{mac}@{GROUP} SIP/2.0
Via: SIP/2.0/UDP {self.host}:{self.port};branch=z9hG4bK{rand()};rport
From: <sip:MAC%3A{mac}@{GROUP}>;tag=395400190
To: <sip:MAC%3A{mac}@{GROUP}>
Call-ID: {self.call_id}
CSeq: 20000 SUBSCRIBE
Contact: <sip:{self.host}:{self.port}>
Max-Forwards: 70
User-Agent: Grandstream GRP2612W 1.0.5.67
Expires: 0
Supported: replaces, path
Event: {EVENT.format(vendor="Grandstream", model="GRP2612W", version="1.0.5.67")}
Accept: application/url
Allow: INVITE, ACK, OPTIONS, CANCEL, BYE, SUBSCRIBE, NOTIFY, INFO, REFER, UPDATE, MESSAGE
Content-Length: 0
""")

    def snom(self, mac="0004132E08B4", to=(GROUP, PORT)):
        """No branch, no Max-Forwards."""
        self.call_id = f"{rand()}@192.168.12.155"
        self.send(to, f"""SUBSCRIBE sip:MAC%3a{mac}@lan SIP/2.0
Via: SIP/2.0/UDP {self.host}:{self.port};rport
From: <sip:MAC%3a{mac}@lan>;tag=668717252
To: <sip:MAC%3a{mac}@lan>
Call-ID: {self.call_id}
CSeq: 1 SUBSCRIBE
Event: {EVENT.format(vendor="snom", model="snom370", version="8.7.5.48")}
Expires: 0
Accept: application/url
Contact: <sip:{self.host}:{self.port}>
User-Agent: snom370/8.7.5.48
Content-Length: 0
""")

    def yealink(self, mac="805e0c1a2b3c", to=(GROUP, PORT), event=None, extra=""):
        self.call_id = rand()
        self.send(to, f"""SUBSCRIBE sip:MAC{mac}@{GROUP} SIP/2.0
Via: SIP/2.0/UDP {self.host}:{self.port};branch=z9hG4bK{rand()}
From: <sip:MAC{mac}@{GROUP}>;tag={rand(4)}
To: <sip:MAC{mac}@{GROUP}>{extra}
Call-ID: {self.call_id}
CSeq: 1 SUBSCRIBE
Contact: <sip:MAC{mac}@{self.host}:{self.port}>
Max-Forwards: 70
User-Agent: Yealink SIP-T46U 108.86.0.40
Expires: 0
Event: {event or EVENT.format(vendor="Yealink", model="T46U", version="108.86.0.40")}
Accept: application/url
Content-Length: 0
""")

    def send(self, to, text):
        self.sock.sendto(text.replace("\n", "\r\n").encode() + b"\r\n", to)

    def receive(self, what, match):
        until = time.monotonic() + DEADLINE
        while True:
            for i, m in enumerate(self.got):
                if match(m):
                    return self.got.pop(i)
            left = until - time.monotonic()
            assert left > 0 and select.select([self.sock], [], [], left)[0], \
                f"expected {what}, got {[m.start for m in self.got]}"
            data, self.peer = self.sock.recvfrom(65536)
            self.got.append(Message(data))

    def answer(self, notify):
        headers = "".join(f"{n}: {notify.get(n)}\r\n" for n in ("Via", "From", "To", "Call-ID", "CSeq"))
        self.sock.sendto(f"SIP/2.0 200 OK\r\n{headers}Content-Length: 0\r\n\r\n".encode(), self.peer)

    def url(self):
        """The URL out of the NOTIFY, which belongs to the SUBSCRIBE that was answered 200."""
        ok = self.receive("200", lambda m: m.status == 200 and m.get("call-id") == self.call_id)
        notify = self.receive("NOTIFY", lambda m: m.method == "NOTIFY" and m.get("call-id") == self.call_id)
        self.answer(notify)
        assert ok.get("expires") == "0" and ok.get("cseq").endswith("SUBSCRIBE"), ok
        assert notify.get("content-type") == "application/url", notify
        assert notify.get("event").startswith("ua-profile;"), notify
        assert notify.get("subscription-state").startswith("terminated"), notify
        assert notify.tag("from") == ok.tag("to") and notify.tag("to") == ok.tag("from"), f"{ok}\n{notify}"
        return notify.body.decode()

    def nothing(self, d, line):
        """Nothing has come by the time that the daemon logs this line, and what is sent after it is answered."""
        if line:
            d.until(line, lambda: line in d.log())
        while select.select([self.sock], [], [], 0)[0]:
            self.got.append(Message(self.sock.recv(65536)))
        assert self.got == [], self.got


@contextlib.contextmanager
def daemon(pnp=None, joins=("there", "here"), **sip):
    """One that hears the group, which it joins after it is ready."""
    with Daemon({"sip": {"listen": ["udp:0.0.0.0:5060", "tcp:0.0.0.0:0"], "source_rate": 0, **sip},
                 "provision": {"pnp": True, "url": "https://prov.hotdesk.test", "listen": ["http:127.0.0.1:0"],
                               "plain_networks": ["127.0.0.0/8"], **(pnp or {})}}, directory=DIRECTORY) as d:
        d.until("joined", lambda: all(f"multicast {GROUP}: joined on {name}" in d.log() for name in joins))
        yield d


@pytest.fixture(scope="module")
def d(network):
    with daemon() as x:
        yield x


def token(d, phone):
    return d.admin("GET", f"/v1/phones/{phone}/url")[1]["url"].rsplit("/", 2)[1]


# ---- the secret in the URL (daemons of their own: before the one of the others, which has the port) --------------------------------------------------------------------------------


def test_token_where_configured():
    """A phone that has never fetched, in a network that is named for it: it gets its own URL, once."""
    with daemon({"pnp_token_networks": [f"{netns.THERE}/32"]}) as d:
        secret = token(d, "desk-snom")
        with Asker(netns.HERE, interface=netns.HERE) as stranger:
            stranger.snom()
            assert secret not in stranger.url()
        with Asker() as a:
            a.snom()
            assert a.url() == f"https://prov.hotdesk.test/{secret}/0004132E08B4.xml"
            assert secret not in d.log()


def test_interfaces_and_off():
    """Only where it is told to listen; switched off it hears nothing, and who asks it alone is nobody special."""
    with daemon({"pnp_interfaces": ["lo", "here"]}, joins=["here"]) as d:
        assert "joined on there" not in d.log() and "joined on lo" not in d.log()
        with Asker() as a:
            a.grandstream()
            a.url()
            d.conf["provision"]["pnp"] = False
            d.write_conf()
            assert d.admin("POST", "/v1/reload")[0] == 200
            a.grandstream(to=(netns.HERE, PORT))
            assert a.receive("a challenge", lambda m: m.status >= 200).status in (401, 407)
            a.grandstream()
            a.grandstream(to=(netns.HERE, PORT), call_id="second")
            a.receive("a challenge", lambda m: m.status in (401, 407) and m.get("call-id") == "second")
            a.nothing(d, None)


# ---- known phones -----------------------------------------------------------------------------------------


def test_grandstream(d):
    """From a port of its own, over the wire between two interfaces."""
    with Asker(port=5080) as a:
        a.grandstream()
        assert a.url() == "https://prov.hotdesk.test/"


def test_snom(d):
    with Asker(port=1053) as a:
        a.snom()
        assert a.url() == "https://prov.hotdesk.test/{mac}.xml"


def test_yealink(d):
    with Asker() as a:
        a.yealink()
        assert a.url() == "https://prov.hotdesk.test/"
        a.yealink()
        a.url()


def test_asks_us_alone(d):
    with Asker() as a:
        a.snom(to=(netns.HERE, PORT))
        assert a.url() == "https://prov.hotdesk.test/{mac}.xml"


def test_repeated(d):
    """A retransmission is answered again, and told once."""
    with Asker() as a:
        a.grandstream()
        first = a.receive("200", lambda m: m.status == 200)
        a.grandstream(call_id=a.call_id)
        second = a.receive("200", lambda m: m.status == 200)
        assert first.tag("to") == second.tag("to")
        notify = a.receive("NOTIFY", lambda m: m.method == "NOTIFY")
        a.answer(notify)
        a.snom()
        a.url()
        branches = {m.get("via") for m in a.got if m.method == "NOTIFY" and m.get("call-id") != a.call_id}
        assert branches <= {notify.get("via")}, a.got


# ---- others ----------------------------------------------------------------------------------------------


def test_unknown(d):
    """Silence, and one line in the log however often it asks."""
    with Asker() as a:
        for _ in range(3):
            a.yealink(mac="805e0c00dead")
        a.nothing(d, "805e0c00dead: asks from")
        with Asker() as b:  # the group is heard in order
            b.grandstream()
            b.url()
        a.nothing(d, None)
        assert d.log().count("805e0c00dead: asks from") == 1


@pytest.mark.parametrize("what", ["disabled", "local-network", "another package", "in a dialog", "rubbish", "cut"])
def test_not_for_us(d, what):
    with Asker() as a, Asker() as b:
        if what == "disabled":
            a.yealink(mac="805e0c1a2b3d")
        elif what == "local-network":
            a.yealink(event='ua-profile;profile-type="local-network"')
        elif what == "another package":
            a.yealink(event="presence")
        elif what == "in a dialog":
            a.yealink(extra=";tag=x")
        elif what == "rubbish":
            a.sock.sendto(bytes(range(256)) * 8, (GROUP, PORT))
        else:
            a.sock.sendto(b"SUBSCRIBE sip:MAC805e0c1a2b3c@224.0.1.75 SIP/2.0\r\nVia: SIP/2.0/UDP", (GROUP, PORT))
        b.grandstream()
        b.url()
        a.nothing(d, None)


# ---- a host with several addresses ------------------------------------------------------------------------


@pytest.mark.parametrize("transport", ["udp", "tcp"])
@pytest.mark.parametrize("address", ["127.0.0.1", netns.HERE, netns.THERE])
def test_wildcard(d, transport, address):
    """0.0.0.0 has a transport for each address: a flow is what it is, and leads back."""
    port = d.address(transport)[1]
    from support.sip import Phone
    phone = Phone((address, port), "desk-yea", "s3", transport, host=address)
    try:
        phone.register()
        binding = d.admin("GET", "/v1/phones/desk-yea")[1]["bindings"][0]
        assert binding["flow"].startswith(f"{transport}/") and f"/{address}:" in binding["flow"], binding
        assert d.admin("PATCH", "/v1/phones/desk-yea", {"label": f"{transport} {address}"})[0] == 200
        notify = phone.request("NOTIFY")
        assert notify.get("via").startswith(f"SIP/2.0/{transport.upper()} "), notify
        phone.reply(notify, 200)
    finally:
        phone.close()
