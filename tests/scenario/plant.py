"""One daemon for a file of tests, with phones enough that each test takes fresh ones."""

import contextlib
import itertools

from support.daemon import Daemon, merge
from support.sip import rand
from support.wire import with_tls

N = 1000


def secret(name):
    return f"secret of {name}"


def directory():
    phones = "\n".join(f"  - {{id: p{i}, secret: {secret(f'p{i}')}}}" for i in range(N))
    return ('users:\n  - {number: "201", name: Anna Berg, pin: "471147", roaming: true}\n'
            '  - {number: "202", name: Ben Kaya, pin: "802615", roaming: true}\nphones:\n' + phones + "\n")


class Plant(Daemon):
    """A Daemon whose phones are p0 ... p999; phone() without a name takes one that nobody had."""

    def __init__(self, conf=None, **more):
        super().__init__(merge({"sip": {"source_rate": 0}}, conf or {}), directory=directory(), **more)
        self.ids = itertools.count()

    def name(self):
        return f"p{next(self.ids)}"

    def phone(self, name=None, *args, **more):
        name = name or self.name()
        return super().phone(name, *args, **{"secret": secret(name), **more})

    def phones_of(self, n, **more):
        return [self.phone(register=True, **more) for _ in range(n)]

    def restart(self, kill=False):
        """Ends it and starts it again on the same addresses."""
        self.conf["sip"]["listen"] = list(self.status_file["listen"])
        if kill:
            self.kill()
        else:
            kept, self.phones = self.phones, []
            self.stop()
            self.phones = kept
        return self.start()

    def metric(self, name):
        status, text = self.admin("GET", "/metrics")
        assert status == 200, text
        for line in text.splitlines():
            if line.startswith(name) and line[len(name):len(name) + 1] in " {":
                return float(line.split()[-1])
        raise AssertionError(f"no metric {name} in\n{text}")


@contextlib.contextmanager
def plant(conf=None, tls=False, ipv6=False, listen=()):
    d = Plant(conf)
    if tls:
        with_tls(d)
    if ipv6:
        d.conf["sip"]["listen"] += ["udp:[::1]:0", "tcp:[::1]:0"]
    d.conf["sip"]["listen"] += listen
    with d:
        yield d


def fetch(phone):
    """The Contact values of an address-of-record as a REGISTER without Contact tells them."""
    kept = phone.call_id, phone.cseq
    phone.call_id, phone.cseq = rand() + "@fetch", 0
    answer = phone.register(contact="", expires=None)
    phone.call_id, phone.cseq = kept
    return answer.all("contact")
