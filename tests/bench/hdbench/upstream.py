"""scripts/bench upstream: are everybody's registrations at the PBX refreshed within their time, and how evenly?

10,000 users are logged in, each with an account at a registrar of the bench's own, which grants 120
seconds and answers after 20 ms. First all of them are registered, as after the first start behind a
PBX; then the daemon is killed and started again, which registers them all again; then it is left
alone for two lifetimes. Nobody may be late: the figures say how many were, how many REGISTER came in
one second at most, how many waited for an answer at once, and what it costs.
"""
import http.client
import json
import multiprocessing
import pathlib
import shutil
import subprocess
import sys
import tempfile
import time

from . import procs, registrar
from .procs import BenchError
from .provision import UnixConnection
from .servers import HOST, Hotdeskd

PASSWORD = "at-the-pbx"
PBX, DELAY_S = "127.0.0.2", 0.02
WORKERS = 8


class Behind(Hotdeskd):
    """Hotdeskd in front of the registrar."""

    def __init__(self, folder, program, n, pbx, lifetime_s):
        super().__init__(folder, program, [f"desk-{i:05}" for i in range(n)], [])
        self.n, self.pbx, self.lifetime_s = n, pbx, lifetime_s

    def config(self):
        return super().config() | {
            "upstream": {"peers": ["pbx sip:%s:%d mode=user from=%s/32 routes=~ probe=0 expires=%d"
                                   % (*self.pbx, PBX, self.lifetime_s)],
                         "register_rate": 500, "register_max": 100, "retry_s": 5},
        }

    def directory(self):
        """Nobody logs in by code here: no PIN, and so nothing to hash."""
        return super().directory() | {"users": [{"number": self.number(i)} for i in range(self.n)]}

    @staticmethod
    def number(i):
        """Of the i-th user."""
        return str(20000 + i)

    def again(self):
        """Killed and started again."""
        self.process.kill()
        self.process.wait()
        (self.folder / "status.json").unlink()
        self.start()


def settle(path, first, last):
    """Accounts and logins of some of them, by the API."""
    connection = UnixConnection(path)
    for i in range(first, last):
        number = Behind.number(i)
        for method, target, body in (
                ("PATCH", f"/v1/users/{number}", {"upstream_user": number, "upstream_password": PASSWORD}),
                ("POST", "/v1/sessions/login", {"user": number, "phone": f"desk-{i:05}"})):
            connection.request(method, target, json.dumps(body))
            answer = connection.getresponse()
            text = answer.read()
            if answer.status != 200:
                raise BenchError(f"{method} {target}: {answer.status} {text[:200]}")


def settle_all(path, n):
    """The same of all, several at a time, so that they share commits."""
    workers = [multiprocessing.Process(target=settle, args=(str(path), n * i // WORKERS, n * (i + 1) // WORKERS))
               for i in range(WORKERS)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    if any(worker.exitcode for worker in workers):
        raise BenchError("accounts and logins: refused")


def until_live(pbx, n, what, seconds):
    """Waits until everybody is registered; how long that took."""
    begin = time.monotonic()
    procs.wait_for(lambda: pbx.ask()["live"] >= n, what, seconds)
    return time.monotonic() - begin


def measure(server, pbx, n, lifetime_s):
    """The three parts of a run."""
    settle_all(server.folder / "admin.sock", n)
    until_live(pbx, n, "first registrations", 60 + n / 50)
    pbx.ask("reset")
    begin = time.monotonic()
    server.again()
    procs.wait_for(lambda: pbx.ask()["refreshed"] >= n, "registrations after the restart", 60 + n / 50)
    again_s, again = time.monotonic() - begin, pbx.ask("figures")
    pbx.ask("reset")
    cpu = procs.cpu_us(server.pid)
    begin = time.monotonic()
    procs.wait_for(lambda: pbx.ask()["refreshed"] >= 2 * n, "each refreshed twice", 4 * lifetime_s)
    over_s = time.monotonic() - begin
    cpu, quiet = procs.cpu_us(server.pid) - cpu, pbx.ask()
    ages = sorted(quiet["ages"])
    return {
        "registrations": n, "lifetime_s": lifetime_s,
        "restart_all_s": round(again_s, 1), "restart_peak_per_s": again["peak_per_s"],
        "restart_most_waiting": again["most_waiting"], "restart_late": again["late"] + again["lapsed"],
        "refreshes": quiet["refreshed"], "late": quiet["late"] + quiet["lapsed"], "refused": quiet["refused"],
        "copies": quiet["copies"], "peak_per_s": quiet["peak_per_s"], "most_waiting": quiet["most_waiting"],
        "mean_per_s": round(quiet["requests"] / over_s, 1),
        "earliest_s": ages[0] if ages else None, "latest_s": ages[-1] if ages else None,
        "cpu_us_each": round(cpu / max(quiet["requests"], 1), 1), "pss_mb": round(procs.pss_kb(server.pid) / 1024, 1),
    }


def run(args):
    """@return the exit code"""
    n, lifetime_s = (50, 60) if args.smoke else (1000, 60) if args.quick else (10000, 120)
    folder = tempfile.mkdtemp(prefix="hotdeskd-bench-", dir=args.folder)
    try:
        with registrar.Process(PBX, PASSWORD, lifetime_s, DELAY_S) as pbx:
            server = Behind(pathlib.Path(folder) / "hotdeskd", args.build.resolve() / "bin/hotdeskd", n, pbx.address,
                            lifetime_s)
            with server:
                figures = measure(server, pbx, n, lifetime_s)
    except (BenchError, OSError, http.client.HTTPException, subprocess.CalledProcessError) as error:
        print(f"bench: {error}\nbench: see {folder}", file=sys.stderr)
        return 2
    if not args.keep:
        shutil.rmtree(folder, ignore_errors=True)
    for name, value in figures.items():
        print(f"{name:22} {value}")
    print("wanted                 nobody late or refused")
    if args.json:
        pathlib.Path(args.json).write_text(json.dumps(figures, indent=1) + "\n")
    bad = figures["late"] + figures["restart_late"] + figures["refused"]
    return 1 if args.check and bad else 0
