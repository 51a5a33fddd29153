"""Login dialogues at once: how evenly their packets come, by the kernel's time of arrival."""

import os
import pathlib
import select
import socket
import struct
import sys
import time

from . import procs
ROOT = pathlib.Path(__file__).resolve().parents[3]
sys.path.insert(0, str(ROOT / "tests"))
sys.path.insert(0, str(ROOT / "tests/scenario"))

SO_TIMESTAMPNS = 35
PERIOD_MS = 20.0


class Ear:
    """The RTP socket of one phone: when its packets came, in ms, by their sequence number."""

    def __init__(self):
        self.sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.sock.setsockopt(socket.SOL_SOCKET, SO_TIMESTAMPNS, 1)
        self.sock.setblocking(False)
        self.sock.bind(("127.0.0.1", 0))
        self.port, self.came = self.sock.getsockname()[1], {}

    def take(self):
        while True:
            try:
                data, extra, _, _ = self.sock.recvmsg(512, 64)
            except BlockingIOError:
                return
            seconds, nanoseconds = struct.unpack("qq", extra[0][2][:16])
            self.came[struct.unpack_from(">H", data, 2)[0]] = seconds * 1e3 + nanoseconds / 1e6

    def sdp(self):
        return (f"v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\nm=audio {self.port} "
                "RTP/AVP 8 101\r\na=rtpmap:101 telephone-event/8000\r\n").encode()


def listen(ears, seconds):
    poll, by_fd = select.epoll(), {e.sock.fileno(): e for e in ears}
    for fd in by_fd:
        poll.register(fd, select.EPOLLIN)
    until = time.monotonic() + seconds
    while (left := until - time.monotonic()) > 0:
        for fd, _ in poll.poll(left):
            by_fd[fd].take()


def percentile(values, share):
    values = sorted(values)
    return values[min(len(values) - 1, int(share * len(values)))]


def jitter(ears):
    """|time between two packets in a row - 20 ms| of all streams, and how many were lost."""
    gaps, lost = [], 0
    for ear in ears:
        for seq, at in ear.came.items():
            after = ear.came.get((seq + 1) & 0xffff)
            if after is not None:
                gaps.append(abs(after - at - PERIOD_MS))
        lost += max(0, max(ear.came) - min(ear.came) + 1 - len(ear.came)) if ear.came else 1
    return gaps, lost


def run(build, dialogues, seconds):
    """The figures of that many dialogues at once."""
    os.environ["HD_BUILD"] = str(build)
    from plant import plant  # pylint: disable=import-error,import-outside-toplevel
    conf = {"dialogue": {"first_s": 600, "prompts": str(ROOT / "conf/prompts")}, "desk": {"dialogue_s": 600},
            "log": {"level": "notice"}}
    with plant(conf) as d:
        ears = [Ear() for _ in range(dialogues)]
        calls = []
        for phone, ear in zip(d.phones_of(dialogues), ears):
            call = phone.call("sip:*771@hotdesk.test", ear.sdp())
            answer = call.final()
            assert answer.status == 200, repr(answer)
            call.ack()
            calls.append(call)
        for ear in ears:
            ear.take()
            ear.came.clear()
        before = procs.cpu_us(d.process.pid) / 1e6
        listen(ears, seconds)
        cpu = procs.cpu_us(d.process.pid) / 1e6 - before
        for call in calls:
            assert call.bye().status == 200
        gaps, lost = jitter(ears)
        return {"dialogues": dialogues, "packets": sum(len(e.came) for e in ears), "lost": lost,
                "jitter_p50_ms": round(percentile(gaps, 0.50), 2), "jitter_p99_ms": round(percentile(gaps, 0.99), 2),
                "jitter_max_ms": round(max(gaps), 2), "cpu_percent": round(100 * cpu / seconds, 1)}
