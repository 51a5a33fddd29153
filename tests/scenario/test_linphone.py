"""Two stacks: linphone (Debian's linphone-daemon) and baresip call, hold, transfer and refuse each other.

Every phone registers and logs its own user in by code when it is first wanted; one daemon and its phones serve all
tests of this module. What both do with baresip alone, but for transfers, is in test_softphones.py.
"""

import contextlib
import itertools

import pytest
from people import cancel, end, hold_and_resume, login, request, response, ring, talk
from support.daemon import Daemon
from support.linphone import Linphone, linphone
from support.softphone import Softphone, baresip
from support.wire import with_tls

pytestmark = pytest.mark.skipif(not (baresip() and linphone()), reason="baresip or linphone is not installed")
STACKS = {"linphone": Linphone, "baresip": Softphone}
TRANSPORTS = ["udp", "tcp", "tls"]
PAIRS = ["linphone-linphone", "linphone-baresip", "baresip-linphone"]
CROSSED = ["linphone/udp-baresip/tls", "baresip/udp-linphone/tcp", "linphone/tcp-linphone/tls",
           "linphone/tls-baresip/tcp", "baresip/tls-linphone/udp", "linphone/tls-linphone/udp"]
SPECS = [f"{s}/{t}" for s, t in itertools.product(STACKS, TRANSPORTS)]
EACH = 3


def users():
    """A user for each phone, by the phone's name."""
    names = [f"{spec.replace('/', '-')}-{i}" for spec in SPECS for i in range(EACH)]
    return {name: (str(301 + i), str(471147 + 1013 * i)) for i, name in enumerate(names)}


USERS = users()
DIRECTORY = "users:\n" + "".join(
    f'  - {{number: "{number}", name: {name}, pin: "{pin}", roaming: true}}\n' for name, (number, pin) in
    USERS.items()) + "phones:\n" + "".join(f"  - {{id: {name}, secret: s3cret-{name}}}\n" for name in USERS)


class House:
    """The daemon, and phones that start when they are first wanted."""

    def __init__(self, daemon):
        self.daemon, self.live = daemon, {}

    def start(self, spec, name, **more):
        kind, transport = spec.split("/")
        phone = STACKS[kind](self.daemon.address(transport), name, f"s3cret-{name}", transport, **more).start()
        phone.number, phone.pin = USERS[name]
        return phone

    def pick(self, specs):
        """Different phones, registered and logged in."""
        names = [f"{spec.replace('/', '-')}-{specs[:i].count(spec)}" for i, spec in enumerate(specs)]
        new = [(spec, name) for spec, name in zip(specs, names) if name not in self.live]
        for spec, name in new:
            self.live[name] = self.start(spec, name)
        for _, name in new:
            self.live[name].registered()
        for _, name in new:
            login(self.live[name], *USERS[name])
        return [self.live[name] for name in names]

    @contextlib.contextmanager
    def phones(self, *specs):
        """with house.phones("linphone/udp", "baresip/udp") as (ben, desk): those that fail are not used again."""
        phones = []
        try:
            phones = self.pick(specs)
            for phone in phones:
                phone.quiet()
            yield phones
            for phone in phones:
                phone.quiet()
        except BaseException:
            print(self.daemon.log()[-12000:])
            self.drop(phones or list(self.live.values()))
            raise

    def drop(self, phones):
        for phone in phones:
            print(f"---- {phone.user} ----\n{phone.output()[-12000:]}")
            phone.close()
            self.live = {name: p for name, p in self.live.items() if p is not phone}

    def close(self):
        for phone in self.live.values():
            phone.close()


@pytest.fixture(scope="module", name="house")
def open_house():
    with with_tls(Daemon(directory=DIRECTORY)) as d:
        house = House(d)
        try:
            yield house
        finally:
            house.close()


def over(pair, transport):
    return [f"{stack}/{transport}" for stack in pair.split("-")]


@pytest.mark.parametrize("spec", SPECS)
def test_log_in_and_out_by_code(house, spec):
    with house.phones(spec) as (phone,):
        assert house.daemon.sessions()[phone.number] == phone.user
        phone.dial("*772")
        phone.event("CALL_CLOSED")
        house.daemon.until("logged out", lambda: phone.number not in house.daemon.sessions())
        login(phone, phone.number, phone.pin, "#")
        assert house.daemon.sessions()[phone.number] == phone.user


@pytest.mark.parametrize("transport", TRANSPORTS)
@pytest.mark.parametrize("pair", PAIRS)
def test_call_hold_resume_bye(house, pair, transport):
    with house.phones(*over(pair, transport)) as (ben, desk):
        talk(ben, desk, desk.number)
        hold_and_resume(ben, desk)
        hold_and_resume(desk, ben)
        end(ben, desk)
        talk(ben, desk, desk.number)
        end(desk, ben)


@pytest.mark.parametrize("pair", CROSSED)
def test_call_across_transports(house, pair):
    with house.phones(*pair.split("-")) as (ben, desk):
        talk(ben, desk, desk.number)
        hold_and_resume(desk, ben)
        end(ben, desk)


@pytest.mark.parametrize("transport", TRANSPORTS)
@pytest.mark.parametrize("pair", PAIRS)
def test_cancel_while_it_rings(house, pair, transport):
    with house.phones(*over(pair, transport)) as (ben, desk):
        ring(ben, desk, desk.number)
        cancel(ben, desk)


@pytest.mark.parametrize("transport", TRANSPORTS)
@pytest.mark.parametrize("pair", PAIRS)
def test_callee_is_busy(house, pair, transport):
    with house.phones(*over(pair, transport)) as (ben, desk):
        mark = ben.mark()
        ring(ben, desk, desk.number)
        desk.hang_up()
        answer = ben.sip("a refusal", lambda m: m.cseq_method == "INVITE" and m.status >= 480 and not m.sent, mark)
        assert answer.status in (480, 486, 603), repr(answer)
        for phone in (ben, desk):
            phone.event("CALL_CLOSED")


# Who transfers, who is transferred, to whom.
TRANSFERS = ["linphone-baresip-linphone", "baresip-linphone-linphone", "linphone-linphone-baresip", "baresip-baresip-baresip"]


@pytest.mark.parametrize("transport", TRANSPORTS)
@pytest.mark.parametrize("trio", TRANSFERS)
def test_blind_transfer(house, trio, transport):
    """REFER passes both ways, the third phone is called through us, and the first is out of it."""
    by = trio.split("-")[0]
    with house.phones(*over(trio, transport)) as (ben, anna, carl):
        talk(ben, anna, anna.number)
        mark, far = ben.mark(), anna.mark()
        ben.transfer(carl.number)
        refer = anna.sip("REFER", request("REFER"), far)
        assert not refer.sent and carl.number in refer.get("refer-to"), repr(refer)
        ben.sip("202 to REFER", lambda m: m.cseq_method == "REFER" and 200 <= m.status < 300, mark)
        carl.event("CALL_INCOMING")
        carl.accept()
        carl.event("CALL_ESTABLISHED")
        ben.sip("NOTIFY of the refer", request("NOTIFY"), mark)
        if by == "baresip" and ben.calls():
            ben.hang_up()
        ben.event("CALL_CLOSED")
        carl.hang_up()
        carl.event("CALL_CLOSED")


@pytest.mark.parametrize("transport", TRANSPORTS)
def test_attended_transfer(house, transport):
    """REFER with Replaces (RFC 3891): the header passes, and the two that are left talk."""
    spec = f"linphone/{transport}"
    with house.phones(spec, spec, spec) as (ben, anna, carl):
        talk(ben, anna, anna.number)
        ben.consult(carl.number)
        carl.event("CALL_INCOMING")
        carl.accept()
        carl.event("CALL_ESTABLISHED")
        far, last, replaced = anna.mark(), carl.mark(), carl.only("StreamsRunning")
        ben.transfer_attended()
        refer = anna.sip("REFER", request("REFER"), far)
        assert "replaces=" in refer.get("refer-to").lower(), repr(refer)
        invite = carl.sip("INVITE with Replaces", lambda m: m.method == "INVITE" and m.get("replaces"), last)
        assert not invite.sent, repr(invite)
        ben.event("CALL_CLOSED")
        anna.sip("200 to the INVITE", response("INVITE", 200), far)
        carl.sip("ACK", request("ACK"), last)
        carl.wait("the new call alone", lambda: [*carl.states.values()] == ["StreamsRunning"] and
                  replaced not in carl.states)
        carl.hang_up()
        anna.sip("BYE", lambda m: m.method == "BYE" and not m.sent and m.get("call-id") == invite.get("call-id"), far)
