"""Starts the real hotdeskd in a folder of its own, on ports of the system, and talks to its admin socket."""

import errno
import http.client
import json
import os
import pathlib
import shutil
import signal
import socket
import subprocess
import tempfile
import time

from support.sip import DEADLINE, Phone

BUILD = pathlib.Path(os.environ.get("HD_BUILD", "build/dev"))
SOURCE = pathlib.Path(os.environ.get("HD_SOURCE", pathlib.Path(__file__).resolve().parents[2]))

IN_USE = os.strerror(errno.EADDRINUSE)

DIRECTORY = """
users:
  - {number: "201", name: Anna Berg, pin: "471147", roaming: true}
  - {number: "202", name: Ben Kaya, pin: "802615", roaming: true}
  - {number: "203", name: Cem Tok, pin: "914263", roaming: false}
phones:
  - {id: desk-101, secret: s3cret-101, label: Desk 101}
  - {id: desk-102, secret: s3cret-102, label: Desk 102}
  - {id: desk-103, secret: s3cret-103, label: Desk 103}
  - {id: home-201, secret: s3cret-h1, label: Home Anna, owner: "201"}
  - {id: own-203, secret: s3cret-o3, label: Cem, owner: "203"}
"""
SECRETS = {"desk-101": "s3cret-101", "desk-102": "s3cret-102", "desk-103": "s3cret-103",
           "home-201": "s3cret-h1", "own-203": "s3cret-o3"}


class UnixConnection(http.client.HTTPConnection):
    def __init__(self, path):
        super().__init__("localhost", timeout=DEADLINE)
        self.path = path

    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(DEADLINE)
        self.sock.connect(self.path)


def merge(base, more):
    for key, value in more.items():
        if isinstance(value, dict) and isinstance(base.get(key), dict):
            merge(base[key], value)
        else:
            base[key] = value
    return base


class Daemon:
    """with Daemon({...configuration...}) as d: d.phone("desk-101")"""

    def __init__(self, conf=None, directory=DIRECTORY, folder=None, preload=None, env=None):
        self.folder = pathlib.Path(folder or tempfile.mkdtemp(prefix="hotdeskd-"))
        self.own_folder = folder is None
        self.conf = merge({
            "sip": {"domain": "hotdesk.test",
                    "listen": ["udp:127.0.0.1:0", "tcp:127.0.0.1:0"]},
            "dialogue": {"prompts": str(SOURCE / "conf/prompts")},
            "media": {"port_min": 0, "port_max": 0},
            "pin": {"memory_kib": 1024, "passes": 1},
            "store": {"path": str(self.folder / "db"), "map_mib": 64},
            "directory": {"seed": str(self.folder / "directory.yaml")},
            "security": {"key_file": str(self.folder / "master.key")},
            "admin": {"socket": str(self.folder / "admin.sock")},
            "run": {"status_file": str(self.folder / "status.json")},
            "log": {"level": "debug", "format": "stderr"},
        }, conf or {})
        (self.folder / "directory.yaml").write_text(directory)
        (self.folder / "db").mkdir(exist_ok=True)
        self.preload, self.env = preload, env or {}
        self.process, self.phones = None, []
        self.starts = 0

    # ---- life ---------------------------------------------------------------------------------------

    def write_conf(self):
        (self.folder / "hotdeskd.yaml").write_text(json.dumps(self.conf, indent=1))

    def start(self, wait=True):
        def started():
            self.start_once(wait)
            if not wait or self.process.poll() is None:
                return True
            assert IN_USE in self.log(), f"hotdeskd ended {self.process.returncode}:\n{self.log()}"
            return False
        # At a restart somebody else may have been given one of our ports meanwhile: it is given back soon.
        self.until("our ports are given back", started, DEADLINE)
        return self

    def start_once(self, wait):
        self.write_conf()
        (self.folder / "status.json").unlink(missing_ok=True)
        env = dict(os.environ, **self.env)
        if self.preload:
            env["LD_PRELOAD"] = str(self.preload)
        self.starts += 1
        self.log_path = self.folder / f"log.{self.starts}"
        self.process = subprocess.Popen(
            [BUILD / "bin/hotdeskd", "--allow-root", "-c", self.folder / "hotdeskd.yaml"],
            stdout=subprocess.DEVNULL, stderr=open(self.log_path, "wb"), env=env)
        if wait:
            self.until("ready", lambda: "daemon: ready" in self.log() or self.process.poll() is not None)
            if self.process.poll() is None:
                self.status_file = json.loads((self.folder / "status.json").read_text())

    def until(self, what, condition, timeout=None):
        until = time.monotonic() + (timeout or 3 * DEADLINE)
        while not (value := condition()):
            assert time.monotonic() < until, f"deadline: {what}\n{self.log()[-6000:]}"
            time.sleep(0.005)
        return value

    def log(self):
        return self.log_path.read_text(errors="replace")

    def stop(self, expect=0):
        for phone in self.phones:
            phone.close()
        self.phones = []
        if self.process and self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        if self.process:
            code = self.process.wait(3 * DEADLINE)
            assert expect is None or code == expect, f"hotdeskd ended {code}:\n{self.log()[-8000:]}"
        self.process = None

    def kill(self):
        self.process.kill()
        self.process.wait()
        self.process = None

    def __enter__(self):
        try:
            return self.start()
        except BaseException:  # there is no __exit__ for what was never entered
            if self.process and self.process.poll() is None:
                self.process.kill()
                self.process.wait()
            raise

    def __exit__(self, kind, value, trace):
        try:
            if kind and self.process and self.process.poll() is None:
                self.process.terminate()
                try:
                    self.process.wait(DEADLINE)
                except subprocess.TimeoutExpired:
                    self.process.kill()
            self.stop(expect=None if kind else 0)
        finally:
            if kind:
                print(self.log()[-12000:])
            if self.own_folder:
                shutil.rmtree(self.folder, ignore_errors=True)

    # ---- what tests use -------------------------------------------------------------------------------

    def address(self, transport="udp", ipv6=False):
        for text in self.status_file["listen"]:
            t, _, rest = text.partition(":")
            host, _, port = rest.rpartition(":")
            if t == transport and ("[" in host) == ipv6:
                return host.strip("[]"), int(port)
        raise AssertionError(f"no {transport} listener in {self.status_file['listen']}")

    def phone(self, name, transport="udp", ipv6=False, register=False, **more):
        phone = Phone(self.address(transport, ipv6), name, more.pop("secret", SECRETS.get(name)),
                      transport, host=more.pop("host", "::1" if ipv6 else "127.0.0.1"),
                      domain=self.conf["sip"]["domain"], **more)
        self.phones.append(phone)
        if register:
            phone.register()
        return phone

    def admin(self, method, path, body=None):
        c = UnixConnection(self.conf["admin"]["socket"])
        c.request(method, path, body if isinstance(body, (bytes, str, type(None))) else json.dumps(body))
        r = c.getresponse()
        text = r.read()
        c.close()
        kind = r.getheader("Content-Type") or ""
        return r.status, json.loads(text) if "json" in kind else text.decode()

    def sessions(self):
        status, answer = self.admin("GET", "/v1/sessions")
        assert status == 200, answer
        return {s["user"]: s["phone"] for s in answer["sessions"]}

    def ctl(self, *args, check=True, stdin=None):
        r = subprocess.run([BUILD / "bin/hotdeskctl", "--socket", self.conf["admin"]["socket"], *args],
                           capture_output=True, text=True, timeout=60, input=stdin)
        assert not check or r.returncode == 0, f"hotdeskctl {args}: {r.returncode}\n{r.stdout}{r.stderr}"
        return r
