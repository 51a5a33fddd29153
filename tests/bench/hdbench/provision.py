"""scripts/bench provision: how many configurations a second, and how soon a key changes.

Configurations are fetched by several processes at once, each phone with the secret of its URL: over
connections that stay open, over a new TLS connection each, and over plain HTTP. The key: a phone
logs a user in by code, and as soon as a phone has its NOTIFY it fetches; the time is that from the
200 of the login to the configuration in which the key says Logout, and to that of the phone the
user came from, in which it says Login again. A real phone's own pace comes on top.
"""
import http.client
import json
import multiprocessing
import pathlib
import re
import shutil
import socket
import ssl
import subprocess
import sys
import tempfile
import time

from . import procs
from .phone import DOMAIN, PASSWORD, Phone
from .procs import BenchError
from .servers import HOST, Hotdeskd, pins

CLIENTS = 2
AGENT = "Yealink SIP-T46U 108.86.0.40 {}"
SESSIONS = re.compile(rb"^linekey\.2\.label *= *(.*)$", re.M)


def mac(i):
    """Of the i-th phone."""
    return f"805e0c{i:06x}"


def phone_id(i):
    """Of the i-th phone."""
    return f"desk-{i:04}"


class UnixConnection(http.client.HTTPConnection):
    """The admin socket."""

    def __init__(self, path):
        super().__init__("localhost", timeout=20)
        self.path = path

    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.connect(str(self.path))


class Provisioner(Hotdeskd):
    """Hotdeskd with a server for phones."""

    def __init__(self, folder, program, n, users):
        super().__init__(folder, program, [phone_id(i) for i in range(n)], users)
        self.n = n
        self.tokens = []

    def config(self):
        return super().config() | {
            "sip": {"domain": DOMAIN, "listen": [f"udp:{HOST}:0"], "source_rate": 0},
            "provision": {"listen": [f"https:{HOST}:0", f"http:{HOST}:0"], "source_rate": 0,
                          "plain_networks": ["127.0.0.0/8"], "tls_certificate": "server.pem",
                          "tls_key": "server.key"},
        }

    def start(self):
        subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt",
                        "ec_paramgen_curve:P-256", "-nodes", "-days", "2", "-subj",
                        f"/CN={DOMAIN}", "-keyout", "server.key", "-out", "server.pem"],
                       check=True, capture_output=True, cwd=self.folder)
        super().start()

    def directory(self):
        """Phones of a vendor, so that their secrets are kept."""
        found = super().directory()
        for i, phone in enumerate(found["phones"]):
            phone.update(mac=mac(i), model="yealink-t46u")
        return found

    def listener(self, kind):
        """(host, port)"""
        for one in json.loads((self.folder / "status.json").read_text())["listen"]:
            transport, host, port = one.split(":")
            if transport == kind:
                return host, int(port)
        raise BenchError(f"no {kind} listener")

    def paths(self):
        """Of every phone's configuration."""
        found, admin = [], UnixConnection(self.folder / "admin.sock")
        for i in range(self.n):
            admin.request("GET", f"/v1/phones/{phone_id(i)}/url")
            answer = json.loads(admin.getresponse().read())
            found.append("/" + answer["url"].split("/", 3)[3])
        return found


class Fetcher:
    """A phone's HTTP."""

    def __init__(self, kind, address):
        self.tls = None
        self.address = address
        if kind == "https":
            self.tls = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
            self.tls.check_hostname, self.tls.verify_mode = False, ssl.CERT_NONE
        self.connection = None

    def close(self):
        """The next fetch has a connection of its own."""
        if self.connection:
            self.connection.close()
        self.connection = None

    def fetch(self, path):
        """The body of a configuration."""
        if not self.connection:
            make = http.client.HTTPSConnection if self.tls else http.client.HTTPConnection
            more = {"context": self.tls} if self.tls else {}
            self.connection = make(*self.address, timeout=60, **more)
        self.connection.request("GET", path, headers={"User-Agent": AGENT.format(path[-16:-4])})
        answer = self.connection.getresponse()
        body = answer.read()
        if answer.status != 200:
            raise BenchError(f"GET {path}: {answer.status}")
        return body


def fetch_for(seconds, kind, address, paths, keep, queue):
    """Fetches one after the other; tells how many, and the bytes of one."""
    fetcher, n, size = Fetcher(kind, address), 0, 0
    until = time.monotonic() + seconds
    while n == 0 or time.monotonic() < until:
        size = len(fetcher.fetch(paths[n % len(paths)]))
        n += 1
        if not keep:
            fetcher.close()
    queue.put((n, size))


def throughput(server, paths, kind, keep, seconds):
    """Configurations a second, and what each cost the daemon in CPU microseconds."""
    queue = multiprocessing.Queue()
    address = server.listener(kind)
    children = [multiprocessing.Process(target=fetch_for, args=(seconds, kind, address,
                                                                paths[i::CLIENTS], keep, queue))
                for i in range(CLIENTS)]
    cpu, begun = procs.cpu_us(server.pid), time.monotonic()
    for child in children:
        child.start()
    found = [queue.get(timeout=seconds + 60) for _ in children]
    passed, used = time.monotonic() - begun, procs.cpu_us(server.pid) - cpu
    for child in children:
        child.join()
    n = sum(one for one, _ in found)
    return {"per_s": n / passed, "cpu_us": used / max(n, 1), "bytes": found[0][1]}


class Desk(Phone):
    """Phones behind one socket that fetch when they are told to."""

    def __init__(self, server, fetcher, paths):
        super().__init__(server)
        self.fetcher = fetcher
        self.paths = paths
        self.changed = {}  # phone id: (when, label)

    def _answer(self, request):
        super()._answer(request)
        if not request.start.startswith("NOTIFY "):
            return
        user = re.match(r"NOTIFY sip:([^@;]+)@", request.start).group(1)
        body = self.fetcher.fetch(self.paths[int(user.rsplit("-", 1)[1])])
        label = SESSIONS.search(body)
        self.changed[user] = (time.perf_counter(), label.group(1).decode() if label else "")

    def until(self, user, word, seconds=60):
        """When the phone's key began to say so."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            at, label = self.changed.get(user, (0, ""))
            if label == word:
                return at
            self._receive(0.2)
        raise BenchError(f"{user}: its key does not say {word}: {self.changed.get(user)}")


def key_changes(server, paths, users, logins, desks):
    """ms from the 200 of a login to Logout at its phone, and to Login at the one before."""
    there, before, at = [], [], {}
    fetcher = Fetcher("https", server.listener("https"))
    with Desk(server.address, fetcher, paths) as desk:
        for i in range(desks):
            desk.register(phone_id(i))
        desk.drain()
        for i in range(logins):
            number, pin = users[i % len(users)]
            phone = phone_id((i * 3 + 1) % desks)
            if phone in at.values():
                continue
            desk.changed.clear()
            desk.login(phone, number, pin)
            answered = time.perf_counter()
            there.append(1000 * max(0, desk.until(phone, "Logout") - answered))
            if number in at:
                before.append(1000 * max(0, desk.until(at[number], "Login") - answered))
            at[number] = phone
    return sorted(there), sorted(before)


def at_share(values, share):
    """The value below which that share lies."""
    return values[min(len(values) - 1, int(share * len(values)))] if values else float("nan")


def measure(server, args):
    """All figures."""
    paths = server.paths()
    seconds = 1 if args.smoke else 3 if args.quick else 10
    found = {name: throughput(server, paths, kind, keep, seconds) for name, kind, keep in (
        ("https_kept", "https", True), ("https_new", "https", False), ("http_kept", "http", True),
        ("http_new", "http", False))}
    logins = 8 if args.smoke else 60 if args.quick else 400
    there, before = key_changes(server, paths, server.users, logins, 8 if args.smoke else 50)
    found["key_ms"] = {"n": len(there), "p50": at_share(there, 0.5), "p99": at_share(there, 0.99)}
    found["key_before_ms"] = {"n": len(before), "p50": at_share(before, 0.5),
                              "p99": at_share(before, 0.99)}
    return found


def show(found, machine):
    """The table."""
    titles = {"https_kept": "HTTPS, connections kept", "https_new": "HTTPS, a new one each",
              "http_kept": "HTTP, connections kept", "http_new": "HTTP, a new one each"}
    print(f"{machine}\n\nconfigurations            per second   CPU us each   bytes")
    for name, title in titles.items():
        one = found[name]
        print(f"{title:24} {one['per_s']:11.0f} {one['cpu_us']:13.0f} {one['bytes']:7}")
    print("\nfrom the 200 of a login to the key            n     p50      p99")
    for name, title in (("key_ms", "Logout, at its phone"),
                        ("key_before_ms", "Login, at the phone before")):
        one = found[name]
        print(f"{title:40} {one['n']:6} {one['p50']:5.1f} ms {one['p99']:5.1f} ms")


def run(args):
    """All of it: the exit status."""
    folder = tempfile.mkdtemp(prefix="hotdeskd-bench-", dir=args.folder)
    users = [(str(number), pin) for number, pin in zip(range(5000, 5004 if args.smoke else 5020), pins())]
    try:
        program = args.build.resolve() / "bin" / "hotdeskd"
        with Provisioner(pathlib.Path(folder) / "hotdeskd", program, 20 if args.smoke else 200,
                         users) as server:
            found = measure(server, args)
        machine = procs.machine(folder)
    except BenchError as error:
        print(f"bench: {error}\nbench: see {folder}", file=sys.stderr)
        return 2
    shutil.rmtree(folder, ignore_errors=True)
    show(found, machine)
    if args.json:
        pathlib.Path(args.json).write_text(json.dumps(found | {"machine": machine}, indent=1) + "\n",
                                           encoding="utf-8")
    return 0
