"""What processes cost: CPU time in nanoseconds and proportional memory, over all of a server's."""
import os
import pathlib
import socket
import time

PROC = pathlib.Path("/proc")


class BenchError(Exception):
    """Something that the reader has to know; shown without a traceback."""


def tree(pid):
    """The process and all its descendants."""
    pids = [pid]
    for parent in pids:
        for task in (PROC / str(parent) / "task").glob("*"):
            try:
                pids += [int(child) for child in (task / "children").read_text().split()]
            except OSError:
                pass
    return pids


def cpu_us(pid):
    """CPU microseconds of the tree so far, from the scheduler's own nanoseconds. They count what
    the ticks of /proc/PID/stat round: time on the CPU in user and kernel mode, softirqs included
    that run in the process's context, such as the delivery of a datagram on loopback."""
    total = 0
    for one in tree(pid):
        for task in (PROC / str(one) / "task").glob("*"):
            try:
                total += int((task / "schedstat").read_text().split()[0])
            except (OSError, IndexError):
                pass
    return total / 1000


def pss_kb(pid):
    """Proportional set size of the tree: what is shared counts once."""
    total = 0
    for one in tree(pid):
        try:
            text = (PROC / str(one) / "smaps_rollup").read_text()
        except OSError:
            continue
        total += sum(int(line.split()[1]) for line in text.splitlines()
                     if line.startswith("Pss:"))
    return total


def free_port(host="127.0.0.1"):
    """A UDP port that was free a moment ago."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.bind((host, 0))
        return sock.getsockname()[1]


def wait_for(condition, what, seconds=60.0, process=None):
    """Waits until condition() gives something true and returns that."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if process and process.poll() is not None:
            raise BenchError(f"{what}: the process ended with {process.returncode}")
        value = condition()
        if value:
            return value
        time.sleep(0.02)
    raise BenchError(f"{what}: not within {seconds:g} s")


def machine(folder):
    """The machine in one line: processor, cores, memory, kernel, what the state is written to."""
    model = next((line.split(":", 1)[1].strip()
                  for line in (PROC / "cpuinfo").read_text().splitlines()
                  if line.startswith("model name")), os.uname().machine)
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    best, kind = "", "?"
    for line in (PROC / "mounts").read_text().splitlines():
        _, mount, fstype = line.split()[:3]
        if os.path.commonpath([mount, folder]) == mount and len(mount) >= len(best):
            best, kind = mount, fstype
    return (f"{model}, {os.cpu_count()} cores, {memory:.0f} GB, Linux {os.uname().release}, "
            f"state on {kind}")
