"""The whole daemon under logins, moves, logouts and registrations, killed at random points.

A cell is a thread with users and phones of its own, which asks one thing after the other, so that
what must be there after a kill is known: the state after the last answer, or that with the one
request applied that was under way. Two more threads fight for the same users and phones; of these
only the invariants are checked. The store is the same in all rounds.
"""

import random
import shutil
import threading
import time

from support.daemon import Daemon
from support.sip import SDP

CELLS, CELL_USERS, CELL_PHONES = 5, 2, 3
FIGHTERS, FIGHT_USERS, FIGHT_PHONES = 2, 2, 2
START_KILLS = 0.15  # this part of the kills hits the start
LOAD_S = (0.1, 0.8)
DOMAIN = "hotdesk.test"


def pins():
    """PINs that the policy takes: neighbours differ by two at least, four digits are different."""
    for number in range(104729, 999999, 271):
        digits = [int(one) for one in str(number)]
        steps = [abs(a - b) for a, b in zip(digits, digits[1:])]
        if min(steps) >= 2 and len(set(digits)) >= 4 and digits[:3] != digits[3:]:
            yield str(number)


class Gone(Exception):
    """The daemon was killed while a request was under way."""


class State:
    """What is known of a cell: where users sit, where phones can be reached."""

    def __init__(self, sessions=None, contacts=None):
        self.sessions, self.contacts = dict(sessions or {}), dict(contacts or {})

    def __eq__(self, other):
        return self.sessions == other.sessions and self.contacts == other.contacts

    def __repr__(self):
        return f"sessions {self.sessions}, contacts {self.contacts}"

    def login(self, user, phone):
        after = State({u: p for u, p in self.sessions.items() if p != phone}, self.contacts)
        after.sessions[user] = phone
        return after

    def logout(self, phone):
        return State({u: p for u, p in self.sessions.items() if p != phone}, self.contacts)

    def bind(self, phone, contact):
        after = State(self.sessions, self.contacts)
        after.contacts[phone] = contact
        return after

    def unbind(self, phone):
        after = State(self.sessions, self.contacts)
        after.contacts.pop(phone, None)
        return after


class Cell:
    """Users and phones, and a thread that moves them."""

    def __init__(self, name, users, phones, checked):
        self.name, self.users, self.phones, self.checked = name, users, phones, checked
        self.state, self.under_way = State(), None
        self.random = random.Random()
        self.sip, self.acked, self.refused, self.error = {}, 0, [], None
        self.thread, self.stopping = None, False

    # ---- one round ------------------------------------------------------------------------

    def start(self, daemon, seed):
        self.random.seed(seed)
        self.sip = {name: daemon.phone(name, secret="secret-" + name) for name in self.phones}
        self.under_way, self.stopping = None, False
        self.thread = threading.Thread(target=self.run, name=self.name)
        self.thread.start()

    def stop(self):
        """After the kill: whoever waits for an answer wakes up."""
        self.stopping = True
        for phone in self.sip.values():
            phone.closed = True
            phone.sock.sendto(b"SIP/2.0 199 Gone\r\nCSeq: 0 NONE\r\n\r\n",
                              phone.sock.getsockname())
        self.thread.join()

    def run(self):
        actions = [self.login] * 5 + [self.logout] * 2 + [self.bind] * 3 + [self.refresh] * 3 + \
            [self.unbind]
        try:
            while not self.stopping:
                self.random.choice(actions)()
                self.serve()
        except Gone:
            pass
        except Exception as problem:  # pylint: disable=broad-except; told by the main thread
            self.error = problem

    def attempt(self, after, ask):
        """Asks; the answer decides. Without an answer, both states are possible."""
        self.under_way = after
        try:
            answer = ask()
        except (AssertionError, OSError):
            if self.stopping:
                raise Gone from None
            raise
        if answer.status == 200:
            self.state, self.acked = after, self.acked + 1
        else:
            self.refused.append(answer.start)
        self.under_way = None
        return answer

    def serve(self):
        """Answers what the daemon asks the phones: BYE of a login call, NOTIFY."""
        for phone in self.sip.values():
            while phone.pump(0):
                pass
            for request in [m for m in phone.inbox if m.method and m.method != "ACK"]:
                phone.reply(request, 200)
            phone.inbox.clear()

    # ---- actions --------------------------------------------------------------------------

    def code(self, name, text, after):
        phone = self.sip[name]
        call = phone.call(f"sip:{text}@{DOMAIN}", SDP)
        answer = self.attempt(after, call.final)
        if answer.status == 200:
            call.ack()

    def login(self):
        (user, pin), name = self.random.choice(self.users), self.random.choice(self.phones)
        self.code(name, f"*771*{user}*{pin}", self.state.login(user, name))

    def logout(self):
        name = self.random.choice(self.phones)
        self.code(name, "*772", self.state.logout(name))

    def register(self, name, contact, after):
        phone = self.sip[name]
        self.attempt(after, lambda: phone.register(contact=f"<{contact}>", expect=None))

    def bind(self):
        name = self.random.choice(self.phones)
        phone = self.sip[name]
        contact = f"sip:{name}@{phone.host}:{phone.port};n={self.random.randrange(1 << 30)}"
        self.register(name, contact, self.state.bind(name, contact))

    def refresh(self):
        bound = sorted(self.state.contacts)
        if not bound:
            return self.bind()
        name = self.random.choice(bound)
        return self.register(name, self.state.contacts[name], self.state)

    def unbind(self):
        name = self.random.choice(self.phones)
        phone = self.sip[name]
        self.attempt(self.state.unbind(name),
                     lambda: phone.register(contact="*", expires=0, expect=None))

    # ---- what is left ---------------------------------------------------------------------

    def check(self, sessions, contacts):
        """The problem, or None. The state is then what was found."""
        numbers = [user for user, _ in self.users]
        found = State({u: p for u, p in sessions.items() if u in numbers},
                      {p: c for p, c in contacts.items() if p in self.phones})
        possible = [self.state] + ([self.under_way] if self.under_way else [])
        expected = " or ".join(map(repr, possible))
        good = not self.checked or found in possible
        self.state, self.under_way = found, None
        return None if good else f"{self.name}: expected {expected}, found {found}"


def make_cells():
    pin, cells = pins(), []
    for i in range(CELLS):
        users = [(f"{2000 + 10 * i + k}", next(pin)) for k in range(CELL_USERS)]
        phones = [f"cell{i}-{k}" for k in range(CELL_PHONES)]
        cells.append(Cell(f"cell {i}", users, phones, True))
    users = [(f"{3000 + k}", next(pin)) for k in range(FIGHT_USERS)]
    phones = [f"fight-{k}" for k in range(FIGHT_PHONES)]
    return cells + [Cell(f"fighter {i}", users, phones, False) for i in range(FIGHTERS)]


def directory(cells):
    users = {number: pin for cell in cells for number, pin in cell.users}
    phones = {name for cell in cells for name in cell.phones}
    lines = ["users:"] + [f'  - {{number: "{n}", name: User {n}, pin: "{p}", roaming: true}}'
                          for n, p in sorted(users.items())]
    lines += ["phones:"] + [f"  - {{id: {name}, secret: secret-{name}}}" for name in sorted(phones)]
    return "\n".join(lines) + "\n"


class Rounds:
    """Start, check, load, kill, and again."""

    def __init__(self, seed, lying):
        self.random, self.seed, self.lying = random.Random(seed), seed, lying
        self.cells = make_cells()
        conf = {"log": {"level": "info"}, "desk": {"phone_tries": 1000},
                "sip": {"listen": ["udp:127.0.0.1:0"]}}
        self.daemon = Daemon(conf, directory=directory(self.cells))
        self.epochs, self.store_epoch = {}, 0
        self.problems, self.kills, self.worst_s = [], 0, 0.0

    def listing(self, what, key):
        """All pages of a list."""
        found, after = [], ""
        while after is not None:
            status, page = self.daemon.admin("GET", f"/v1/{what}?limit=500&after={after}")
            assert status == 200, page
            found += page[key]
            after = page["next"]
        return found

    def check(self):
        """Everything that was acknowledged is there, and the invariants hold."""
        sessions = self.listing("sessions", "sessions")
        contacts = {b["phone"]: b["contact"] for b in self.listing("bindings", "bindings")}
        seats = {s["user"]: s["phone"] for s in sessions}
        if len(seats) != len(sessions) or len(set(seats.values())) != len(sessions):
            self.problems.append(f"a user or phone has two sessions: {sessions}")
        for s in sessions:
            if s["epoch"] < self.epochs.get(s["user"], 0):
                self.problems.append(f"the epoch of {s['user']} went back: {s}")
            self.epochs[s["user"]] = s["epoch"]
        epoch = self.daemon.admin("GET", "/v1/status")[1]["store"]["epoch"]
        if epoch < self.store_epoch:
            self.problems.append(f"the store's epoch went back: {self.store_epoch}, {epoch}")
        self.store_epoch = epoch
        status, audit = self.daemon.admin("POST", "/v1/check")
        if status != 200 or audit["violations"]:
            self.problems.append(f"check: {audit}")
        self.problems += [p for p in (c.check(seats, contacts) for c in self.cells) if p]

    def kill_at_start(self):
        self.daemon.start(wait=False)
        time.sleep(self.random.uniform(0, 0.1))
        self.daemon.kill()
        self.kills += 1

    def round(self, number):
        while self.random.random() < START_KILLS:
            self.kill_at_start()
        before = time.monotonic()
        self.daemon.start()
        self.worst_s = max(self.worst_s, time.monotonic() - before)
        self.check()
        if self.lying:
            self.copy_store("db", "old")
        for i, cell in enumerate(self.cells):
            cell.start(self.daemon, self.seed * 1000003 + number * 101 + i)
        time.sleep(self.random.uniform(*LOAD_S))  # the random point
        self.daemon.kill()
        self.kills += 1
        if self.lying:
            self.copy_store("old", "db")
        for cell in self.cells:
            cell.stop()
            if cell.error:
                self.problems.append(f"{cell.name}: {cell.error!r}")
                cell.error = None
        for phone in self.daemon.phones:
            phone.close()
        self.daemon.phones = []

    def copy_store(self, source, target):
        shutil.copyfile(self.daemon.folder / source / "data.mdb",
                        self.daemon.folder / target / "data.mdb")

    def finish(self):
        self.daemon.start()
        self.check()
        self.daemon.stop()


def run(rounds, seed, lying=False):
    """True when nothing was lost. When lying, each kill throws away what the round wrote, which
    must be noticed."""
    r = Rounds(seed, lying)
    done = 0
    if lying:
        (r.daemon.folder / "old").mkdir()
    try:
        while done < rounds and not r.problems:
            r.round(done)
            done += 1
        if not r.problems:
            r.finish()
    finally:
        if r.daemon.process:
            r.daemon.kill()
    acked, refused = sum(c.acked for c in r.cells), [s for c in r.cells for s in c.refused]
    for problem in r.problems[:0 if lying else 5]:
        print(f"  {problem}")
    if r.problems and not lying:
        print(f"  store and logs: {r.daemon.folder}")
    else:
        shutil.rmtree(r.daemon.folder, ignore_errors=True)
    print(f"kill -9: {r.kills} kills, {acked} acknowledged, {len(refused)} refused, "
          f"{len(r.problems)} lost or wrong; slowest start {r.worst_s * 1000:.0f} ms (seed {seed})")
    if refused:
        print(f"  refused, the first: {refused[0]}")
    if lying:
        return bool(r.problems)
    return not r.problems and (acked > 0 or rounds == 0)
