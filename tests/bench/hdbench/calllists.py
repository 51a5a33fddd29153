"""scripts/bench calls: the page of a user with 1,000 entries among millions, and a start with them.

The entries are written by bench_calllist into the store of a daemon that is stopped meanwhile. The
page is fetched over one kept HTTP connection: the times are a client's, rendering and all.
"""
import http.client
import json
import pathlib
import subprocess
import threading
import time

from .provision import Provisioner, UnixConnection, phone_id
from .procs import BenchError, cpu_us

OWNER = "5000"
PER_OWNER = 1000


class Lists(Provisioner):
    """A daemon with call lists that hold what bench_calllist wrote."""

    def config(self):
        found = super().config()
        # Entries of the future: nothing goes by its age meanwhile.
        return found | {"calls": {"keep_max": PER_OWNER, "shown": 50}}

    def login(self):
        """OWNER at the first phone."""
        admin = UnixConnection(self.folder / "admin.sock")
        admin.request("POST", "/v1/sessions/login", json.dumps({"user": OWNER, "phone": phone_id(0)}),
                      {"Content-Type": "application/json"})
        answer = admin.getresponse()
        if answer.status not in (200, 201):
            raise BenchError(f"login: {answer.status} {answer.read()}")
        answer.read()

    def timed_start(self):
        """Seconds until it says where it listens."""
        (self.folder / "status.json").unlink(missing_ok=True)
        begin = time.perf_counter()
        self.start()
        return time.perf_counter() - begin


def pages(server, count):
    """Milliseconds of each page, and CPU microseconds of one."""
    path = server.paths()[0].rsplit("/", 1)[0] + "/calls/missed"
    connection = http.client.HTTPConnection(*server.listener("http"), timeout=60)
    times, before = [], cpu_us(server.pid)
    for _ in range(count):
        begin = time.perf_counter()
        connection.request("GET", path)
        answer = connection.getresponse()
        body = answer.read()
        times.append(1000 * (time.perf_counter() - begin))
        if answer.status != 200 or body.count(b"<MenuItem>") < 20:
            raise BenchError(f"page: {answer.status} {body[:300]}")
    connection.close()
    return sorted(times), (cpu_us(server.pid) - before) / count


def ask(server, method, path, body=None):
    """One request to the admin socket: the answer, and its seconds."""
    admin = UnixConnection(server.folder / "admin.sock")
    begin = time.perf_counter()
    admin.request(method, path, body, {"Content-Type": "application/json"} if body else {})
    answer = admin.getresponse()
    found = json.loads(answer.read())
    admin.close()
    if answer.status != 200:
        raise BenchError(f"{method} {path}: {answer.status} {found}")
    return found, time.perf_counter() - begin


def clear(server):
    """OWNER out of everybody's lists, and how long others' writes take meanwhile."""
    writes, over = [], threading.Event()

    def write():
        while not writes or not over.wait(0.02):  # one at least, though all else be over
            writes.append(1000 * ask(server, "PATCH", f"/v1/users/{OWNER}",
                                     json.dumps({"name": f"Name {len(writes)}"}))[1])
    alone = [1000 * ask(server, "PATCH", f"/v1/users/{OWNER}", json.dumps({"name": f"N {i}"}))[1]
             for i in range(50)]
    thread = threading.Thread(target=write)
    thread.start()
    try:
        found, seconds = ask(server, "DELETE", f"/v1/calls/of/{OWNER}?everywhere=true")
    finally:
        over.set()
        thread.join()
    return {"clear_s": seconds, "clear_blanked": found["blanked"], "write_ms": sorted(alone)[25],
            "clear_write_ms": sorted(writes)[len(writes) // 2], "clear_write_max_ms": max(writes)}


def run(build, folder, entries, count):
    """{"start_empty_s", "start_s", "page_ms", "page_p99_ms", "page_cpu_us", "entries", "clear_s" ...}"""
    server = Lists(pathlib.Path(folder) / "lists", build / "bin" / "hotdeskd", 2, [(OWNER, "914263")])
    found = {"entries": entries}
    try:
        found["start_empty_s"] = server.timed_start()
        server.stop()
        subprocess.run([str(build / "bin" / "bench_calllist"), str(server.folder / "store"),
                        str(entries), str(PER_OWNER), OWNER], check=True)
        found["start_s"] = server.timed_start()
        server.login()
        times, found["page_cpu_us"] = pages(server, count)
        found["page_ms"] = times[len(times) // 2]
        found["page_p99_ms"] = times[int(len(times) * 0.99)]
        found |= clear(server)
    finally:
        server.stop()
    return found
