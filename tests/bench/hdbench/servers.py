"""The servers that are compared: each starts on a free port of loopback and says where."""
import json
import pathlib
import shutil
import subprocess

from .phone import DOMAIN, PASSWORD, ha1
from .procs import BenchError, free_port, tree, wait_for
from .sipp import is_bound

HOST = "127.0.0.1"
RECEIVE_BYTES = 8388608  # of the UDP socket: our own default, where Kamailio's is 262144
FOLDER = pathlib.Path(__file__).resolve().parent.parent


def pins():
    """PINs that the policy takes: neighbours differ by two at least, four digits are different."""
    for number in range(104729, 999999, 271):
        digits = [int(one) for one in str(number)]
        steps = [abs(a - b) for a, b in zip(digits, digits[1:])]
        if min(steps) >= 2 and len(set(digits)) >= 4 and digits[:3] != digits[3:]:
            yield str(number)


class Server:
    """A process tree with an address and an end."""

    name = "?"

    def __init__(self, folder):
        self.folder = pathlib.Path(folder)
        self.folder.mkdir(parents=True)
        self.process = None
        self.address = None

    def _spawn(self, command, **kwargs):
        with (self.folder / "log").open("wb") as log:
            self.process = subprocess.Popen(command, cwd=self.folder, stderr=log,
                                            **({"stdin": subprocess.DEVNULL, "stdout": log}
                                               | kwargs))

    @property
    def pid(self):
        """Root of the tree."""
        return self.process.pid

    def log_tail(self):
        """The end of what it said, for an error message."""
        return (self.folder / "log").read_text(errors="replace")[-1500:]

    def stop(self):
        """Ends it and everything it started."""
        if not self.process:
            return
        pids = tree(self.process.pid)
        self.process.terminate()
        try:
            self.process.wait(20)
        except subprocess.TimeoutExpired:
            for pid in pids:
                subprocess.run(["kill", "-KILL", str(pid)], check=False, capture_output=True)
            self.process.wait(5)

    def __enter__(self):
        try:
            self.start()
        except BenchError as error:
            self.stop()
            raise BenchError(f"{self.name}: {error}\n{self.log_tail()}") from None
        return self

    def __exit__(self, *_):
        self.stop()

    def start(self):
        """Starts and waits until it is ready."""
        raise NotImplementedError


class Kamailio(Server):
    """Debian's Kamailio; see kamailio.cfg."""

    name = "kamailio"

    def __init__(self, folder, phones, children=2):
        super().__init__(folder)
        self.phones = phones
        self.children = children

    def start(self):
        self.address = (HOST, free_port())
        (self.folder / "version").write_text(
            "table_name(string) table_version(int)\nha1:2\n")
        (self.folder / "ha1").write_text(
            "key_name(string) key_type(int) value_type(int) key_value(string) expires(int)\n"
            + "".join(f"{phone}:0:0:{ha1(phone)}:0\n" for phone in self.phones))
        text = (FOLDER / "kamailio.cfg").read_text()
        for name, value in {"CHILDREN": self.children, "DOMAIN": DOMAIN, "FOLDER": self.folder,
                            "ADDRESS": "%s:%d" % self.address}.items():
            text = text.replace(f"@{name}@", str(value))
        config = self.folder / "kamailio.cfg"
        config.write_text(text)
        self._spawn(["kamailio", "-DD", "-E", "-m", "512", "-b", str(RECEIVE_BYTES), "-f",
                     str(config), "-w", str(self.folder), "-Y", str(self.folder)])
        wait_for(lambda: is_bound(self.address[1]) and len(tree(self.pid)) > self.children,
                 "start", process=self.process)


class Hotdeskd(Server):
    """Ours, with a durable store in its folder."""

    name = "hotdeskd"

    def __init__(self, folder, program, phones, users):
        super().__init__(folder)
        self.program = program
        self.phones = phones
        self.users = users

    def config(self):
        """The default configuration but for addresses, paths and what the load needs."""
        return {
            "sip": {"domain": DOMAIN, "listen": [f"udp:{HOST}:0"], "transactions_max": 100000,
                    "udp_receive_bytes": RECEIVE_BYTES},
            "auth": {"algorithms": ["MD5"]},
            "store": {"path": "store"},
            "directory": {"seed": "directory.yaml"},
            "security": {"key_file": "master.key"},
            "admin": {"socket": "admin.sock"},
            "run": {"status_file": "status.json"},
            "log": {"level": "warning", "format": "stderr"},
        }

    def directory(self):
        """Who is there, as import reads it."""
        return {
            "users": [{"number": number, "name": f"User {number}", "pin": pin}
                      for number, pin in self.users],
            "phones": [{"id": phone, "secret": PASSWORD} for phone in self.phones],
        }

    def start(self):
        # JSON is YAML: no library needed to write it.
        (self.folder / "hotdeskd.yaml").write_text(json.dumps(self.config(), indent=1))
        (self.folder / "directory.yaml").write_text(json.dumps(self.directory()))
        self._spawn([str(self.program), "--allow-root", "-c", "hotdeskd.yaml"])
        status = self.folder / "status.json"
        self.address = wait_for(lambda: self._address(status), "start", 120, self.process)

    @staticmethod
    def _address(status):
        try:
            listeners = json.loads(status.read_text())["listen"]
        except (OSError, ValueError, KeyError):
            return None
        for one in listeners:
            transport, _, rest = one.partition(":")
            host, _, port = rest.rpartition(":")
            if transport == "udp":
                return host, int(port)
        return None


class Relay(Server):
    """The floor: copies datagrams to the called side and back."""

    name = "floor"

    def __init__(self, folder, program, called_port):
        super().__init__(folder)
        self.program = program
        self.called_port = called_port

    def start(self):
        self._spawn([str(self.program), HOST, str(self.called_port)], stdin=subprocess.PIPE,
                    stdout=subprocess.PIPE, text=True)
        line = self.process.stdout.readline().strip()
        if not line.isdigit():
            raise BenchError("start: no port")
        self.address = (HOST, int(line))


def need_programs(names):
    """Says what is missing."""
    needed = [("sipp", "sip-tester")] + [("kamailio", "kamailio")] * ("kamailio" in names)
    for program, package in needed:
        if not shutil.which(program):
            raise BenchError(f"{program} is not installed (apt-get install {package})")


def remove(folder):
    """Takes away what a run left."""
    shutil.rmtree(folder, ignore_errors=True)
