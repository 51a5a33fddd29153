"""SIPp runs: the same scenarios and loads for every server."""
import csv
import pathlib
import subprocess
import time

from .phone import PASSWORD
from .procs import BenchError, free_port, wait_for

SCENARIOS = pathlib.Path(__file__).resolve().parent.parent
# What the called side of the floor says first, where the others challenge by themselves.
CHALLENGE = """<recv request="INVITE"/>
<send>
<![CDATA[
SIP/2.0 407 Proxy Authentication Required
[last_Via:]
[last_From:]
[last_To:];tag=c[call_number]
[last_Call-ID:]
[last_CSeq:]
Proxy-Authenticate: Digest realm="bench",nonce="0123456789abcdef",algorithm=MD5,qop="auth"
Content-Length: 0

]]>
</send>
<recv request="ACK"/>
"""


class Sipp:
    """One SIPp process in a folder of its own."""

    def __init__(self, folder, scenario, *args):
        self.folder = pathlib.Path(folder)
        self.folder.mkdir(parents=True)
        self.scenario = scenario
        self.log = self.folder / "output.txt"
        command = ["sipp", *args, "-sf", str(scenario), "-nostdin", "-trace_err",
                   "-trace_stat", "-fd", "1", "-buff_size", "4194304", "-timeout_error"]
        with self.log.open("wb") as out:
            self.process = subprocess.Popen(command, cwd=self.folder, stdin=subprocess.DEVNULL,
                                            stdout=out, stderr=subprocess.STDOUT)

    def _file(self, ending):
        return self.folder / f"{self.scenario.stem}_{self.process.pid}{ending}"

    def wait(self, seconds):
        """Ends well or raises."""
        try:
            code = self.process.wait(seconds)
        except subprocess.TimeoutExpired:
            self.stop()
            raise BenchError(f"sipp {self.scenario.name}: not done after {seconds:g} s") from None
        stats = self.stats()
        if code != 0 or stats.get("FailedCall(C)", "0") != "0":
            errors = self._file("_errors.log")
            why = errors.read_text(errors="replace")[:600] if errors.exists() else ""
            raise BenchError(f"sipp {self.scenario.name}: exit {code}, "
                             f"{stats.get('FailedCall(C)', '?')} of "
                             f"{stats.get('TotalCallCreated', '?')} failed\n{why}")

    def stats(self):
        """The last line of its statistics as name: text."""
        try:
            rows = list(csv.reader(self._file("_.csv").open(), delimiter=";"))
        except OSError:
            return {}
        return dict(zip(rows[0], rows[-1])) if len(rows) > 1 else {}

    def stop(self):
        """Ends it, whatever it does."""
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()


def is_bound(port):
    """True when a process has this UDP port."""
    ending = f":{port:04X}"
    with open("/proc/net/udp", encoding="ascii") as rows:
        return any(row.split()[1].endswith(ending) for row in rows if ":" in row.split()[1])


def credentials(user):
    """What makes SIPp answer a challenge; in the injection file it may differ for each row."""
    return f"[authentication username={user} password={PASSWORD}]"


def write_users(path, rows):
    """The injection file of a scenario."""
    path.write_text("SEQUENTIAL\n" + "".join(";".join(row) + "\n" for row in rows))
    return str(path)


def called(folder, port, challenge=False):
    """Starts the called side and waits for its port."""
    scenario = SCENARIOS / "uas.xml"
    if challenge:
        text = scenario.read_text()
        scenario = pathlib.Path(folder).parent / "uas-challenge.xml"
        scenario.write_text(text.replace('<recv request="INVITE" rrs', CHALLENGE
                                         + '<recv request="INVITE" rrs', 1))
    # What was repeated may reach it late: a phone does not end its call for that.
    uas = Sipp(folder, scenario, "-i", "127.0.0.1", "-p", str(port), "-mp", str(free_port()),
               "-default_behaviors", "all,-abortunexp")
    wait_for(lambda: is_bound(port), "sipp uas", process=uas.process)
    return uas


def calls(folder, server, users, rate, total):
    """The calling side: `total` new calls at `rate` a second."""
    return Sipp(folder, SCENARIOS / "uac.xml", f"{server[0]}:{server[1]}", "-i", "127.0.0.1",
                "-inf", users, "-r", str(rate), "-m", str(total), "-l", "10000", "-mp",
                str(free_port()), "-timeout", f"{total // rate + 60}s")


def registrations(folder, server, users, rate, total):
    """`total` registrations at `rate` a second."""
    return Sipp(folder, SCENARIOS / "register.xml", f"{server[0]}:{server[1]}", "-i",
                "127.0.0.1", "-inf", users, "-r", str(rate), "-m", str(total), "-l", "10000",
                "-timeout", f"{total // rate + 60}s")


def percentile(values, share):
    """Of sorted values; 0 for none."""
    return values[min(len(values) - 1, int(len(values) * share))] if values else 0.0


def settle(seconds=0.5):
    """What a server does after the last answer belongs to its cost: a moment for it."""
    time.sleep(seconds)
