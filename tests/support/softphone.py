"""Real softphones: baresip, one process each, in a folder of its own, without sound hardware.

It is driven over its control socket (module ctrl_tcp), which also tells its events; what it sends and receives
is read from its SIP trace. Every wait has a deadline and tells what was expected and what came instead.
linphone.py has the other stack.
"""

import contextlib
import json
import pathlib
import re
import select
import shutil
import socket
import subprocess
import tempfile
import time

from support.sip import DEADLINE, Message

CONFIG = """\
module_path {modules}
module g711.so
module aubridge.so
module_app account.so
module_app menu.so
module_app ctrl_tcp.so
ctrl_tcp_listen 127.0.0.1:{control}
sip_listen 127.0.0.1:0
net_interface 127.0.0.1
audio_player aubridge,nothing
audio_source aubridge,nothing
audio_alert aubridge,nothing
call_local_timeout {ring_s}
call_max_calls 4
{more}"""
TRACE = re.compile(rb"\x1b\[36;1m#\n(\S+) (\S+) -> (\S+)\n(.*?)\x1b\[;m", re.S)


def baresip():
    """The program, or None where it is not installed."""
    return shutil.which("baresip")


def modules():
    """The folder of its modules: a library folder, of the architecture or not."""
    for folder in ("/usr/lib/baresip/modules", *map(str, pathlib.Path("/usr/lib").glob("*/baresip/modules"))):
        if pathlib.Path(folder, "ctrl_tcp.so").exists():
            return folder
    raise AssertionError("no modules of baresip below /usr/lib")


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


class Traced(Message):
    """A message of the SIP trace: transport, source and destination, and whether we sent it."""

    def __init__(self, transport, source, destination, raw, server):
        super().__init__(raw)
        self.transport, self.source, self.destination = transport, source, destination
        self.sent = destination == server


class Softphone:
    """with Softphone(("127.0.0.1", 5060), "desk-101", "s3cret-101") as phone: phone.dial("201")"""

    def __init__(self, server, user, password, transport="udp", domain="hotdesk.test", ring_s=120, more="",
                 folder=None, regint=600, tell=True):
        """tell: whether a failure inside the with statement prints the trace."""
        self.server, self.user, self.domain, self.transport = server, user, domain, transport
        self.own_folder = folder is None
        self.folder = pathlib.Path(folder or tempfile.mkdtemp(prefix="softphone-"))
        self.folder.mkdir(exist_ok=True)
        self.trace_path = self.folder / "trace"
        self.events, self.replies, self.buf, self.ctrl, self.process = [], [], b"", None, None
        self.password, self.regint = password, regint
        self.ring_s, self.more, self.tell = ring_s, more, tell

    # ---- life ----------------------------------------------------------------------------------------

    def start(self):
        """Starts it; the port of its control socket is ours to choose, so that a second try may be needed."""
        route = f"sip:{self.server[0]}:{self.server[1]};transport={self.transport}"
        (self.folder / "accounts").write_text(
            f'<sip:{self.user}@{self.domain}>;auth_pass={self.password};outbound="{route}";regint={self.regint}\n')
        (self.folder / "contacts").write_text("")
        for _ in range(5):
            port = free_port()
            (self.folder / "config").write_text(
                CONFIG.format(modules=modules(), control=port, ring_s=self.ring_s, more=self.more))
            self.traced, self.trace_at = [], 0
            with open(self.trace_path, "wb") as out:
                self.process = subprocess.Popen(
                    ["stdbuf", "-oL", baresip(), "-4", "-s", "-f", self.folder],
                    stdin=subprocess.DEVNULL, stdout=out, stderr=subprocess.STDOUT)
            if self.connect(port):
                return self
            self.end()
        raise AssertionError(f"{self.user}: baresip does not start:\n{self.output()}")

    def connect(self, port):
        until = time.monotonic() + DEADLINE
        while time.monotonic() < until and self.process.poll() is None:
            try:
                self.ctrl = socket.create_connection(("127.0.0.1", port), timeout=DEADLINE)
                return True
            except ConnectionRefusedError:
                time.sleep(0.02)
        return False

    def stop(self):
        """As a person would: it un-registers."""
        if self.ctrl:
            self.ctrl.close()
            self.ctrl = None
        self.process.terminate()

    def end(self):
        """Ends it. The trace stays until close()."""
        if not self.process:
            return
        self.stop()
        try:
            self.process.wait(DEADLINE)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        if self.process.stdout:
            self.process.stdout.close()
        self.process = None

    def close(self):
        self.end()
        if self.own_folder:
            shutil.rmtree(self.folder, ignore_errors=True)

    def __enter__(self):
        return self.start()

    def __exit__(self, kind, value, trace):
        try:
            if kind and self.tell:
                print(f"---- {self.user} ----\n{self.output()[-12000:]}")
        finally:
            self.close()

    def output(self):
        return self.trace_path.read_text(errors="replace") if self.trace_path.exists() else ""

    # ---- control socket: netstrings of JSON ------------------------------------------------------------

    def pump(self, timeout):
        if not select.select([self.ctrl], [], [], max(0, timeout))[0]:
            return
        data = self.ctrl.recv(65536)
        assert data, f"{self.user}: baresip has ended:\n{self.output()[-3000:]}"
        self.buf += data
        while m := re.match(rb"(\d+):", self.buf):
            start, size = m.end(), int(m.group(1))
            if len(self.buf) <= start + size:
                break
            item = json.loads(self.buf[start:start + size].decode("utf-8", "replace"))
            self.buf = self.buf[start + size + 1:]
            (self.events if item.get("event") else self.replies).append(item)

    def command(self, name, params=""):
        """Runs a command of baresip; what it prints."""
        data = json.dumps({"command": name, "params": params, "token": name}).encode()
        self.ctrl.sendall(b"%d:%s," % (len(data), data))
        until = time.monotonic() + DEADLINE
        while not self.replies:
            assert time.monotonic() < until, f"{self.user}: baresip does not answer to {name}"
            self.pump(until - time.monotonic())
        reply = self.replies.pop(0)
        assert reply.get("ok"), f"{self.user}: {name} {params}: {reply}"
        return reply.get("data", "")

    def event(self, kind, timeout=None):
        """The next event of a kind; those before it are gone."""
        until, seen = time.monotonic() + (timeout or DEADLINE), []
        while True:
            while self.events:
                event = self.events.pop(0)
                if event["type"] == kind:
                    return event
                seen.append(f"{event['type']} {event.get('param', '')}".strip())
            left = until - time.monotonic()
            assert left > 0, f"{self.user}: expected {kind}, got {seen}; at the end of its trace:\n" \
                             f"{self.output()[-3000:]}"
            self.pump(left)

    # ---- what a person does ------------------------------------------------------------------------------

    def registered(self):
        """Waits until it is; the 200 to its REGISTER."""
        return self.sip("200 to REGISTER", lambda m: m.status == 200 and m.cseq_method == "REGISTER")

    def dial(self, number):
        self.command("dial", number)

    def accept(self):
        self.command("accept")

    def hang_up(self):
        """BYE in a call, CANCEL of a call that rings there, 486 to one that rings here."""
        self.command("hangup")

    def hold(self):
        self.command("hold")

    def resume(self):
        self.command("resume")

    def transfer(self, number):
        """The call goes to that number: REFER without a call of ours to it."""
        self.command("transfer", f"sip:{number}@{self.domain}")

    def calls(self):
        """How many it is in."""
        return int(re.search(r"Active calls \((\d+)\)", self.command("listcalls")).group(1))

    def quiet(self):
        """Between two tests: no call is left, and what was told is forgotten."""
        until = time.monotonic() + DEADLINE
        while n := self.calls():
            assert time.monotonic() < until, f"{self.user}: expected no call, got {n}"
            self.pump(0.02)
        self.events.clear()

    # ---- SIP trace ----------------------------------------------------------------------------------------

    def trace(self):
        """All messages sent and received up to now."""
        text, server, end = self.trace_more(), f"{self.server[0]}:{self.server[1]}", 0
        for m in TRACE.finditer(text):
            transport, source, destination, raw = m.groups()
            self.traced.append(Traced(transport.decode(), source.decode(), destination.decode(), raw, server))
            end = m.end()
        self.trace_at += end
        return self.traced

    def trace_more(self):
        """What is in the file after what has been read of it."""
        with contextlib.suppress(FileNotFoundError), open(self.trace_path, "rb") as trace:
            trace.seek(self.trace_at)
            return trace.read()
        return b""

    def mark(self):
        """A place in the trace, to look for what comes after it."""
        return len(self.trace())

    def sip(self, what, match, since=0, timeout=None):
        """The first traced message that matches."""
        until = time.monotonic() + (timeout or DEADLINE)
        while True:
            messages = self.trace()[since:]
            for m in messages:
                if match(m):
                    return m
            assert time.monotonic() < until, \
                f"{self.user}: expected {what}, got {[m.start for m in messages[-12:]]}"
            time.sleep(0.02)
