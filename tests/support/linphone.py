"""Real softphones: linphone-daemon, driven like support.softphone.Softphone.

Commands go to its standard input; its answers and what becomes of calls come from its standard output. What it
sends and receives is read from its log. It has no sound hardware, and all its files are in a folder of its own.
"""

import os
import re
import select
import shutil
import subprocess
import time

from support.sip import DEADLINE
from support.softphone import Softphone, Traced

CONFIG = """\
[sip]
sip_port=-1
sip_tcp_port=-1
sip_tls_port=-1
bind_address=127.0.0.1
use_ipv6=0
ipv6_migration_done=1
verify_server_certs=0
verify_server_cn=0
auto_net_state_mon=0
register_only_when_network_is_up=0
inc_timeout={ring_s}
media_encryption=none
user_agent=Linphone
[rtp]
bind_address=127.0.0.1
audio_rtp_port=-1
video_rtp_port=-1
text_rtp_port=-1
[proxy_0]
reg_proxy=<sip:{host}:{port};transport={transport}>
reg_route=<sip:{host}:{port};transport={transport};lr>
reg_identity=sip:{user}@{domain}
reg_expires={regint}
reg_sendregister=1
[auth_info_0]
username={user}
passwd={password}
domain={domain}
{more}"""
PROMPT = b"daemon-linphone>"
EVENT = re.compile(rb"Event-type: call-state-changed\n\nEvent: LinphoneCall(\w+)\nFrom: (.*)\nId: (\d+)\n")
REPLY = re.compile(rb"Status: (Ok|Error)\n(?:Reason: (.*)\n)?(.*?)" + PROMPT, re.S)
SENT = re.compile(rb"channel \[(\w+)\]: message sent to \[(\w+)://(\S+)\], size: \[(\d+)\] bytes\n")
RECEIVED = re.compile(rb"channel \[(\w+)\]: received \[(\d+)\] new bytes from \[(\w+)://(\S+)\]:\n")
EITHER = re.compile(b"(?:%s|%s)" % (SENT.pattern, RECEIVED.pattern))
LENGTH = re.compile(rb"^(?:content-length|l)[ \t]*:[ \t]*(\d+)", re.I | re.M)
# What becomes of a call, in the words of baresip. Running is said again after a hold.
WORDS = {"IncomingReceived": "CALL_INCOMING", "OutgoingRinging": "CALL_RINGING",
         "StreamsRunning": "CALL_ESTABLISHED", "Released": "CALL_CLOSED"}


def linphone():
    """The program, or None where it is not installed."""
    return shutil.which("linphone-daemon")


class Linphone(Softphone):
    """with Linphone(("127.0.0.1", 5060), "desk-101", "s3cret-101") as phone: phone.dial("201")"""

    def prepare(self):
        """Its files. Without the folder of its database it would not open a socket, and not say so."""
        self.states, self.running, self.event_at, self.reply_at = {}, set(), 0, 0
        self.trace_at, self.traced, self.streams = 0, [], {}
        (self.folder / ".local/share/linphone").mkdir(parents=True, exist_ok=True)
        (self.folder / "linphonerc").write_text(CONFIG.format(
            host=self.server[0], port=self.server[1], transport=self.transport, user=self.user, more=self.more,
            domain=self.domain, password=self.password, regint=self.regint, ring_s=self.ring_s))

    def start(self):
        self.prepare()
        env = {"PATH": os.environ["PATH"], "LC_ALL": "C.UTF-8", "HOME": str(self.folder),
               "XDG_RUNTIME_DIR": str(self.folder)}
        self.process = subprocess.Popen(
            [linphone(), "--config", self.folder / "linphonerc", "--log", self.trace_path],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, cwd=self.folder, env=env)
        self.wait("its prompt", lambda: PROMPT in self.buf)
        return self

    def stop(self):
        """As a person would: it un-registers."""
        try:
            self.process.stdin.write(b"quit\n")
            self.process.stdin.close()
        except BrokenPipeError:
            pass  # it has ended before

    def output(self):
        """What it said, and the messages; the rest of its log is about sound and hardware."""
        return "".join([self.buf.decode(errors="replace"), *(
            f"\n{'sent' if m.sent else 'received'}\n{m!r}" for m in self.trace())])

    # ---- standard input and output ---------------------------------------------------------------------

    def pump(self, timeout):
        if not select.select([self.process.stdout], [], [], max(0, timeout))[0]:
            return
        data = os.read(self.process.stdout.fileno(), 65536)
        assert data, f"{self.user}: linphone has ended:\n{self.output()[-3000:]}"
        self.buf += data
        for m in EVENT.finditer(self.buf, self.event_at):
            self.event_at = m.end()
            self.changed(m.group(1).decode(), int(m.group(3)))
        for m in REPLY.finditer(self.buf, self.reply_at):
            self.reply_at = m.end()
            self.replies.append(m)

    def changed(self, state, call):
        self.states[call] = state
        if state == "Released":
            del self.states[call]
        if state == "StreamsRunning" and call in self.running:
            return
        if state == "StreamsRunning":
            self.running.add(call)
        self.events.append({"type": WORDS.get(state, state), "id": call})

    def wait(self, what, condition):
        until = time.monotonic() + DEADLINE
        while not condition():
            assert time.monotonic() < until, \
                f"{self.user}: expected {what}, got {self.buf[-600:].decode(errors='replace')}"
            self.pump(until - time.monotonic())

    def command(self, name, params=""):
        """Runs a command of linphone-daemon; what it prints."""
        self.process.stdin.write(f"{name} {params}".strip().encode() + b"\n")
        self.process.stdin.flush()
        self.wait(f"an answer to {name}", lambda: self.replies)
        reply = self.replies.pop(0)
        assert reply.group(1) == b"Ok", f"{self.user}: {name} {params}: {reply.group(2)}"
        return reply.group(3).decode(errors="replace")

    def only(self, *states):
        """The one call that is in one of these states, once there is."""
        def found():
            return [call for call, state in self.states.items() if state in states]
        self.wait(f"a call in {states}", found)
        assert len(found()) == 1, f"{self.user}: expected one call in {states}, got {self.states}"
        return found()[0]

    # ---- what a person does ------------------------------------------------------------------------------

    def dial(self, number):
        self.command("call", f"sip:{number.replace('#', '%23')}@{self.domain}")

    def accept(self):
        self.command("answer", self.only("IncomingReceived"))

    def hang_up(self):
        """BYE in the only call, CANCEL of one that rings there, 603 to one that rings here."""
        self.pump(0)
        assert len(self.states) == 1, f"{self.user}: expected one call, got {self.states}"
        self.command("terminate", next(iter(self.states)))

    def hold(self):
        self.command("call-pause", self.only("StreamsRunning"))

    def resume(self):
        self.command("call-resume", self.only("Paused"))

    def transfer(self, number):
        """The call goes to that number: REFER without a call of ours to it."""
        self.command("call-transfer",
                     f"{self.only('StreamsRunning', 'Paused')} sip:{number}@{self.domain}")

    def consult(self, number):
        """A second call, while the first is on hold."""
        self.command("call-pause", self.only("StreamsRunning"))
        self.only("Paused")
        self.dial(number)

    def transfer_attended(self):
        """The call on hold goes to the one that is running: REFER with Replaces."""
        self.command("call-transfer", f"{self.only('Paused')} {self.only('StreamsRunning')}")

    def calls(self):
        self.pump(0)
        return len(self.states)

    # ---- SIP trace ----------------------------------------------------------------------------------------

    def trace(self):
        """All messages sent and received up to now. Of a stream the log has the pieces."""
        text, at = self.trace_more(), 0
        while m := EITHER.search(text, at):
            sent = m.group(1) is not None
            channel, kind, peer = (m.group(1), m.group(2), m.group(3)) if sent else \
                (m.group(5), m.group(7), m.group(8))
            end = m.end() + int(m.group(4) if sent else m.group(6))
            if end > len(text):
                break
            at = end
            self.add(sent, channel, kind.decode(), peer.decode(), text[m.end():end])
        self.trace_at += at
        return self.traced

    def add(self, sent, channel, kind, peer, data):
        server = f"{self.server[0]}:{self.server[1]}"
        if kind != "UDP" and not sent:
            data = self.streams.pop(channel, b"") + data
        while True:
            data = data.lstrip(b"\r\n")
            if data.startswith(b"Via:"):  # its log leaves out pieces of 16 octets: one start line is as short
                data = b"SIP/2.0 200 OK\r\n" + data
            head, mark, rest = data.partition(b"\r\n\r\n")
            length = LENGTH.search(head)
            size = int(length.group(1)) if length else 0
            if not mark or len(rest) < size:
                break
            raw = head + mark + rest[:size]
            self.traced.append(Traced(kind, "" if sent else peer, peer if sent else "", raw, server))
            data = rest[size:]
        if data and kind != "UDP" and not sent:
            self.streams[channel] = data
