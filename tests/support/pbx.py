"""A real PBX behind hotdeskd: Debian's Kamailio as registrar with digest, on an address of its own."""

import pathlib
import shutil
import signal
import socket
import subprocess
import tempfile
import time

from support.sip import DEADLINE, Phone, md5

HOST, REALM = "127.0.0.2", "pbx.test"
CONFIG = pathlib.Path(__file__).with_name("pbx.cfg")
OUTSIDE = "127.0.0.3"  # where its own phones are


def kamailio():
    return shutil.which("kamailio") or shutil.which("kamailio", path="/usr/sbin")


def free_port():
    """The system's choice; another test may take it before the PBX does, which then is started again."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
        s.bind((HOST, 0))
        return s.getsockname()[1]


class Pbx:
    """with Pbx({"301": "secret"}) as pbx: pbx.phone("301")"""

    def __init__(self, accounts):
        self.accounts, self.phones, self.process = accounts, [], None
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="pbx-"))

    def spawn(self):
        self.address = HOST, free_port()
        self.domain = "%s:%d" % self.address
        (self.folder / "version").write_text("table_name(string) table_version(int)\nha1:2\n")
        (self.folder / "ha1").write_text(
            "key_name(string) key_type(int) value_type(int) key_value(string) expires(int)\n"
            + "".join(f"{user}:0:0:{md5(f'{user}:{REALM}:{secret}')}:0\n" for user, secret in self.accounts.items()))
        text = CONFIG.read_text()
        for name, value in {"ADDRESS": self.domain, "FOLDER": self.folder, "REALM": REALM}.items():
            text = text.replace(f"@{name}@", str(value))
        (self.folder / "pbx.cfg").write_text(text)
        # A session of its own: its children end with it.
        self.process = subprocess.Popen(
            [kamailio(), "-DD", "-E", "-m", "16", "-f", self.folder / "pbx.cfg", "-w", self.folder, "-Y", self.folder],
            stdout=subprocess.DEVNULL, stderr=open(self.folder / "log", "ab"))

    def log(self):
        return (self.folder / "log").read_text(errors="replace")

    def __enter__(self):
        try:
            for _ in range(3):
                self.spawn()
                self.probe = Phone(self.address, "probe", "", domain=self.domain, host=OUTSIDE)
                if self.is_up():
                    return self
                self.stop()
            raise AssertionError(f"Kamailio does not start:\n{self.log()[-4000:]}")
        except BaseException:
            self.stop()
            raise

    def is_up(self):
        until = time.monotonic() + 3 * DEADLINE
        while self.process.poll() is None and time.monotonic() < until:
            try:
                return self.status("", 0.2) == 200
            except AssertionError:  # not yet
                pass
        return False

    def status(self, user, timeout=None):
        """The PBX's answer to OPTIONS for one of its accounts."""
        to = f"sip:{user}@{self.domain}" if user else f"sip:{self.domain}"
        options = self.probe.call(to, method="OPTIONS")
        return self.probe.wait("an answer", lambda m: m.status and m.get("call-id") == options.call_id, timeout).status

    def phone(self, user, register=True):
        phone = Phone(self.address, user, self.accounts[user], domain=self.domain, host=OUTSIDE)
        self.phones.append(phone)
        if register:
            phone.register()
        return phone

    def stop(self):
        for phone in self.phones + [getattr(self, "probe", None)]:
            if phone:
                phone.close()
        self.phones, self.probe = [], None
        if self.process and self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            try:
                self.process.wait(3 * DEADLINE)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
        self.process = None

    def __exit__(self, kind, value, trace):
        self.stop()
        if kind:
            print(self.log()[-4000:])
        shutil.rmtree(self.folder, ignore_errors=True)
