"""Listeners on every address of a host with several: each phone hears from the one that it talks to."""

import itertools
import os
import re

import pytest

from steps import answer_resyncs, connect, hang_up, login, refuse, ring
from support import netns
from support.daemon import Daemon
from support.sip import Phone

N = 60
USERS = {"201": "471147", "202": "802615"}
DIRECTORY = "users:\n" + "".join(f'  - {{number: "{n}", name: N{n}, pin: "{p}", roaming: true}}\n'
                                 for n, p in USERS.items()) + "phones:\n" + \
    "".join(f"  - {{id: p{i}, secret: s{i}, label: P{i}, model: yealink-t46u}}\n" for i in range(N))
# side: (the phone's address, the daemon's). What the kernel would send from is the phone's own: both are here.
SIDES = {"lo": ("127.0.0.1", "127.0.0.2"), "wire": (netns.THERE, netns.HERE), "back": (netns.HERE, netns.THERE),
         "lo6": ("::1", "::1"), "wire6": ("fd77::2", "fd77::1")}
LATER = ("127.0.0.1", "10.77.0.9")
ids = itertools.count()


class Strict(Phone):
    """Takes nothing but from where it registered."""

    def pump(self, timeout):
        came = super().pump(timeout)
        assert not came or self.transport != "udp" or self.peer[:2] == self.server, \
            f"{self.user}: expected all from {self.server}, from {self.peer} came {self.inbox[-1]}"
        return came


@pytest.fixture(scope="module", autouse=True)
def network():
    netns.enter()
    netns.ip("address", "add", "127.0.0.2/8", "dev", "lo")
    if os.path.exists("/proc/sys/net/ipv6"):
        netns.ip("address", "add", "fd77::1/64", "dev", "here", "nodad")
        netns.ip("address", "add", "fd77::2/64", "dev", "there", "nodad")


@pytest.fixture(scope="module")
def d():
    listen = ["udp:0.0.0.0:0", "tcp:0.0.0.0:0"]
    if os.path.exists("/proc/sys/net/ipv6"):
        listen += ["udp:[::]:0", "tcp:[::]:0"]
    with Daemon({"sip": {"source_rate": 0, "listen": listen}}, directory=DIRECTORY) as daemon:
        yield daemon


def phone(d, side, transport="udp"):
    theirs, ours = side if isinstance(side, tuple) else SIDES[side]
    if ":" in theirs and not os.path.exists("/proc/sys/net/ipv6"):
        pytest.skip("no IPv6 here")
    i = next(ids)
    port = d.address(transport, ":" in theirs)[1]
    p = Strict((ours, port), f"p{i}", f"s{i}", transport, host=theirs)
    d.phones.append(p)
    p.register()
    return p


def host(p):
    return f"[{p.server[0]}]" if ":" in p.server[0] else p.server[0]


def says_where(p, message):
    """Our Via and the Record-Route for that side name the address that the phone talks to."""
    at = re.escape(f"{host(p)}:{p.server[1]}")
    assert re.match(rf"SIP/2\.0/{p.transport.upper()} {at};", message.get("via")), message
    routes = message.all("record-route")
    assert not routes or re.match(rf"<sip:[^@]+@{at}[;>]", routes[0]), message


def all_ways(d, a, b):
    """A call with requests from both ends, a refused one and a given up one."""
    for caller, callee in ((a, b), (b, a)):
        call, leg = connect(caller, callee, callee.user)
        says_where(callee, leg.invite)
        for mine, theirs in ((call, leg), (leg, call)):
            mine.in_dialog("INFO", [("Content-Type", "text/plain")], "x")
            info = theirs.phone.request("INFO")
            says_where(theirs.phone, info)
            theirs.phone.reply(info, 200)
            assert mine.phone.final("INFO", mine.call_id, mine.cseq).status == 200
        leg.answer(200)  # once more: its ACK was lost
        assert caller.final("INVITE", call.call_id).status == 200
        hang_up(*((call, leg) if caller is a else (leg, call)))
        call, leg = ring(caller, callee, callee.user)
        says_where(callee, refuse(leg))
        assert call.final().status == 486
        call, leg = ring(caller, callee, callee.user)
        call.cancel()
        cancel = callee.request("CANCEL")
        says_where(callee, cancel)
        callee.reply(cancel, 200)
        says_where(callee, refuse(leg, 487))
        assert call.final().status == 487


@pytest.mark.parametrize("one,other", [("lo", "wire"), ("wire", "back"), ("back", "back"),
                                       ("lo6", "wire6"), ("lo", "wire6")])
def test_calls(d, one, other):
    all_ways(d, phone(d, one), phone(d, other))


@pytest.mark.parametrize("one", ["lo", "wire"])
@pytest.mark.parametrize("other", ["tcp", "udp"])
def test_calls_with_tcp(d, one, other):
    all_ways(d, phone(d, one, "tcp"), phone(d, "back", other))


@pytest.mark.parametrize("side", list(SIDES))
def test_told(d, side):
    """Logged in by code and by the administrator: what tells the phone comes from where it registered."""
    a, b = phone(d, side), phone(d, "wire")
    for p, (number, pin) in zip((a, b), USERS.items()):
        assert login(p, number, pin).status == 200
        answer_resyncs(p)
    for number in USERS:
        d.ctl("session", "logout", number)
    answer_resyncs(a, b)
    d.ctl("session", "login", "201", a.user)
    answer_resyncs(a)
    d.ctl("session", "logout", "201")
    answer_resyncs(a)


def test_flow_says_where(d):
    p = phone(d, "lo")
    flows = [b["flow"] for b in d.admin("GET", f"/v1/phones/{p.user}")[1]["bindings"]]
    assert flows == [f"udp/0@{p.server[0]}/{p.real[0]}:{p.real[1]}"]


def test_new_address(d):
    """One that the host gets later is listened on, too; connections that were there go on."""
    a, b, c = phone(d, "lo", "tcp"), phone(d, "wire", "tcp"), phone(d, "wire")
    talking, leg = connect(a, b, b.user)
    netns.ip("address", "add", f"{LATER[1]}/24", "dev", "here")
    d.until("listening", lambda: d.log().count(f"{LATER[1]}:") >= 2 and "the address is new" in d.log())
    for transport in ("udp", "tcp"):
        new = phone(d, LATER, transport)
        all_ways(d, new, a)
        all_ways(d, new, c)
    hang_up(talking, leg)
    all_ways(d, a, b)


def test_lost_address(d):
    """A phone at an address that the host has lost cannot be reached, all others can; and it comes back."""
    netns.ip("address", "add", "10.77.0.10/24", "dev", "here")
    d.until("listening", lambda: "udp:10.77.0.10:" in d.log())
    lost, other = phone(d, ("127.0.0.1", "10.77.0.10")), phone(d, "lo")
    netns.ip("address", "del", "10.77.0.10/24", "dev", "here")
    assert other.call(lost.user).challenge().final().status in (408, 480, 500, 503)
    all_ways(d, other, phone(d, "wire"))
    netns.ip("address", "add", "10.77.0.10/24", "dev", "here")
    all_ways(d, other, lost)
