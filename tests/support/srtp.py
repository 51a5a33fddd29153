"""SRTP for an RtpPeer: AES_CM_128_HMAC_SHA1_80 and _32 (RFC 3711), keyed by SDES (RFC 4568)."""

import base64
import ctypes
import ctypes.util
import hashlib
import hmac
import os
import re
import struct

from support.rtp import RtpPeer


CRYPTO = ctypes.CDLL(ctypes.util.find_library("crypto"))  # the standard library has no AES


class Aes:
    def __init__(self, key):
        self.schedule = ctypes.create_string_buffer(512)
        assert CRYPTO.AES_set_encrypt_key(key, 8 * len(key), self.schedule) == 0

    def stream(self, start, size):
        """The key stream of counter mode."""
        out, block = b"", ctypes.create_string_buffer(16)
        for i in range((size + 15) // 16):
            CRYPTO.AES_encrypt(((start + i) & ((1 << 128) - 1)).to_bytes(16, "big"), block, self.schedule)
            out += block.raw
        return out[:size]


class Context:
    """One direction; the roll-over counter stays 0, tests are short."""

    def __init__(self, master, tag):
        self.tag = tag
        cipher, salt = Aes(master[:16]), int.from_bytes(master[16:30], "big")
        key, self.auth, salt = (cipher.stream((salt ^ (label << 48)) << 16, n)
                                for label, n in ((0, 16), (1, 20), (2, 14)))
        self.cipher, self.salt = Aes(key), int.from_bytes(salt, "big")

    def crypt(self, packet):
        seq, _, ssrc = struct.unpack_from(">HII", packet, 2)
        start = (self.salt << 16) ^ (ssrc << 64) ^ (seq << 16)
        stream = self.cipher.stream(start, len(packet) - 12)
        return packet[:12] + bytes(a ^ b for a, b in zip(packet[12:], stream))

    def mac(self, packet):
        return hmac.new(self.auth, packet + bytes(4), hashlib.sha1).digest()[:self.tag]

    def protect(self, packet):
        out = self.crypt(packet)
        return out + self.mac(out)

    def unprotect(self, packet):
        body, tag = packet[:-self.tag], packet[-self.tag:]
        return self.crypt(body) if hmac.compare_digest(tag, self.mac(body)) else None


class SrtpPeer(RtpPeer):
    """An RtpPeer that insists on SRTP. Packets before the answer is known are not read."""

    def __init__(self, suite="AES_CM_128_HMAC_SHA1_80", **more):
        super().__init__(**more)
        self.suite, self.master, self.forged = suite, os.urandom(30), 0
        self.tag = 4 if suite.endswith("32") else 10
        self.sending, self.receiving = Context(self.master, self.tag), None

    def crypto(self):
        return [f"a=crypto:1 {self.suite} inline:{base64.b64encode(self.master).decode()}"]

    def sdp(self, media=None, attributes=(), **more):
        return super().sdp(media or f"RTP/SAVP {self.payload} {self.events}", [*self.crypto(), *attributes], **more)

    def follow(self, answer):
        super().follow(answer)
        key = re.search(r"a=crypto:1 (\S+) inline:(\S+)", answer.body.decode())
        assert key and key.group(1) == self.suite, repr(answer)
        theirs = base64.b64decode(key.group(2))
        assert theirs != self.master, "our own key came back"
        self.receiving = Context(theirs, self.tag)
        return answer

    def protect(self, data):
        return self.sending.protect(data)

    def unprotect(self, data):
        if not self.receiving:
            return None
        plain = self.receiving.unprotect(data)
        self.forged += plain is None
        return plain
