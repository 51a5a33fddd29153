"""The RTP side of a phone: it hears prompts and sends keys as telephone-events, over RTP or SRTP.

A thread takes what comes, with the time of its arrival. Waits have a deadline and tell what was heard.
"""

import os
import pathlib
import re
import select
import socket
import struct
import threading
import time
import warnings
import wave

from support.daemon import SOURCE
from support.sip import DEADLINE, rand

with warnings.catch_warnings():
    warnings.simplefilter("ignore", DeprecationWarning)
    import audioop

SETTLE = b"settle"
PROMPTS = SOURCE / "conf/prompts"
EVENTS = "0123456789*#ABCD"
NAMES = [p.stem for p in sorted((PROMPTS / "en").glob("*.wav"))]


def octets_of(path):
    """The A-law octets of a WAV file."""
    data = pathlib.Path(path).read_bytes()
    at = data.index(b"data")
    size = struct.unpack_from("<I", data, at + 4)[0]
    return data[at + 8:at + 8 + size]


def prompt(name, language="en", folder=PROMPTS):
    return octets_of(folder / language / f"{name}.wav")


def short_prompts(folder):
    """Prompts that nobody understands and every test knows: 0.1 s of noise, each another."""
    for language in ("en", "de"):
        (folder / language).mkdir(parents=True)
        for name in NAMES:
            write_a_law(folder / language / f"{name}.wav", os.urandom(800))
    return folder


def write_a_law(path, octets):
    head = b"WAVEfmt " + struct.pack("<IHHIIHH", 16, 6, 1, 8000, 8000, 1, 8) + b"data" + struct.pack("<I", len(octets))
    path.write_bytes(b"RIFF" + struct.pack("<I", len(head) + len(octets)) + head + octets)


class Packet:
    def __init__(self, at, data, source):
        self.at, self.data, self.source = at, data, source
        first, second, self.seq, self.timestamp, self.ssrc = struct.unpack_from(">BBHII", data)
        self.version, self.marker, self.type = first >> 6, bool(second & 0x80), second & 0x7f
        self.payload = data[12:]


class RtpPeer:
    """with RtpPeer() as rtp: call = phone.call("sip:*771@...", rtp.sdp()); rtp.follow(call.final())"""

    def __init__(self, host="127.0.0.1", payload=8, events=101, prompts=PROMPTS):
        self.host, self.payload, self.events, self.prompts = host, payload, events, prompts
        self.sock = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET, socket.SOCK_DGRAM)
        self.sock.bind((host, 0))
        self.port = self.sock.getsockname()[1]
        self.packets, self.remote, self.closing = [], None, False
        self.ssrc, self.seq, self.timestamp = int(rand(4), 16), 1000, 160000
        self.thread, self.settled = threading.Thread(target=self.listen, daemon=True), threading.Event()

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *why):
        self.closing = True
        self.thread.join()
        self.sock.close()

    def listen(self):
        while not self.closing:
            if select.select([self.sock], [], [], 0.05)[0]:
                data, source = self.sock.recvfrom(2048)
                at = time.monotonic()
                if data == SETTLE:
                    self.settled.set()
                    continue
                data = self.unprotect(data)
                if data and len(data) >= 12:
                    self.packets.append(Packet(at, data, source))

    # SRTP: support.srtp
    def unprotect(self, data):
        return data

    def protect(self, data):
        return data

    # ---- SDP ------------------------------------------------------------------------------------------

    def sdp(self, media=None, attributes=(), address=None, version=1):
        """An offer of this peer; media: the m= line's formats, protocol and all, without "m=audio PORT"."""
        address = address or self.host
        family = "IP6" if ":" in address else "IP4"
        lines = ["v=0", f"o=- 7 {version} IN {family} {address}", "s=-", f"c=IN {family} {address}", "t=0 0",
                 f"m=audio {self.port} " + (media or f"RTP/AVP {self.payload} {self.events}"),
                 f"a=rtpmap:{self.events} telephone-event/8000", f"a=fmtp:{self.events} 0-15", *attributes]
        return "".join(line + "\r\n" for line in lines).encode()

    def follow(self, answer):
        """Takes our address and port from an answer (or offer) of the daemon."""
        text = answer.body.decode()
        assert "m=audio" in text, repr(answer)
        self.remote = (re.search(r"c=IN IP[46] (\S+)", text).group(1),
                       int(re.search(r"m=audio (\d+)", text).group(1)))
        return answer

    # ---- what we send ---------------------------------------------------------------------------------

    def send(self, payload, kind=None, marker=False, timestamp=None, remote=None, step=0, **header):
        self.seq = header.get("seq", (self.seq + 1) & 0xffff)
        self.timestamp = (self.timestamp + step) & 0xffffffff
        data = struct.pack(">BBHII", 0x80, (0x80 if marker else 0) | (self.payload if kind is None else kind),
                           self.seq, self.timestamp if timestamp is None else timestamp,
                           header.get("ssrc", self.ssrc)) + payload
        self.sock.sendto(self.protect(data), remote or self.remote)

    def speak(self, ms=20):
        """Silence of that length, so that our address is known."""
        for _ in range(ms // 20):
            self.send(b"\xd5" * 160, step=160)

    def event(self, key, end=False, duration=160, marker=False, timestamp=None, **header):
        payload = struct.pack(">BBH", EVENTS.index(key), (0x80 if end else 0) | 10, duration)
        self.send(payload, kind=self.events, marker=marker, timestamp=timestamp, **header)

    def press(self, keys):
        """As RFC 4733 2.5 wants it: begin, go on, end three times."""
        for key in keys:
            self.timestamp = (self.timestamp + 1600) & 0xffffffff
            for i in range(3):
                self.event(key, duration=160 * (i + 1), marker=i == 0)
            for _ in range(3):
                self.event(key, end=True, duration=640)

    # ---- what we hear ---------------------------------------------------------------------------------

    def octets(self, since=0):
        """Payloads in their order, as A-law; a lost packet is a gap of silence, a sender that was stopped is none."""
        packets = {}
        for p in list(self.packets)[since:]:
            packets.setdefault(p.timestamp, p)
        out, expected, last = [], None, None
        for timestamp in sorted(packets, key=lambda t: (t - self.packets[since].timestamp) & 0xffffffff):
            p = packets[timestamp]
            if expected not in (None, timestamp) and p.seq != (last + 1) & 0xffff:
                out.append(b"\xd5" * ((timestamp - expected) & 0xffff))
            out.append(p.payload)
            expected, last = (timestamp + len(p.payload)) & 0xffffffff, p.seq
        data = b"".join(out)
        return data if self.payload == 8 else audioop.lin2alaw(audioop.ulaw2lin(data, 2), 2)

    def position(self, name, language="en", since=0):
        """Where a prompt is heard, octet for octet, or -1."""
        return self.octets(since).find(prompt(name, language, self.prompts)) if len(self.packets) > since else -1

    def heard(self, since=0):
        """Names of all prompts heard, with their language."""
        return [(language, name) for language in ("en", "de") for name in NAMES
                if self.position(name, language, since) >= 0]

    def hears(self, name, language="en", since=0, timeout=None):
        """Waits for a prompt."""
        until = time.monotonic() + (timeout or 2 * DEADLINE)
        while self.position(name, language, since) < 0:
            assert time.monotonic() < until, \
                f"expected {language}/{name}, heard {self.heard(since)} in {len(self.packets) - since} packets"
            time.sleep(0.05)

    def hears_octets(self, octets, since=0):
        until = time.monotonic() + 2 * DEADLINE
        while octets not in (self.octets(since) if len(self.packets) > since else b""):
            assert time.monotonic() < until, f"expected {len(octets)} octets, heard {len(self.octets(since))} others"
            time.sleep(0.05)

    def settle(self):
        """What was sent to us until now is among the packets."""
        self.settled.clear()
        self.sock.sendto(SETTLE, self.sock.getsockname())
        assert self.settled.wait(DEADLINE)

    def mark(self):
        return len(self.packets)

    def wait_packets(self, n, since=0):
        until = time.monotonic() + DEADLINE
        while len(self.packets) - since < n:
            assert time.monotonic() < until, f"expected {n} packets, got {len(self.packets) - since}"
            time.sleep(0.01)


def write_wav(path, octets):
    """A WAV of 16 bits linear, as an administrator might have it."""
    with wave.open(str(path), "wb") as w:
        w.setnchannels(1)
        w.setsampwidth(2)
        w.setframerate(8000)
        w.writeframes(audioop.alaw2lin(octets, 2))
