"""Ways to a PBX and from it: by its certificate (RFC 5922), over TCP, by a name in the DNS."""

import socket

import pytest

from plant import plant
from steps import hang_up
from support.dns import Dns
from support.registrar import Registrar
from support.sip import DEADLINE, SDP, Phone
from support.wire import issue

TCP, NAMED = "127.0.0.5", "127.0.0.6"


class House:
    """One daemon, and three peers: a certificate alone, TCP, a name with two servers of which one is down."""

    def __init__(self, folder):
        self.folder = folder
        self.ca, self.other_ca = (issue(folder, name, ca=True) for name in ("ca", "other"))
        self.listener = socket.create_server((TCP, 0))
        self.listener.settimeout(DEADLINE)
        self.registrar = Registrar({"main": "secret at the PBX"}, host=NAMED)
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as down:
            down.bind((NAMED, 0))
            self.dns = Dns({("_sip._udp.pbx.test", "SRV"): [(10, 0, down.getsockname()[1], "a.pbx.test"),
                                                            (20, 0, self.registrar.port, "b.pbx.test")],
                            ("a.pbx.test", "A"): [NAMED], ("b.pbx.test", "A"): [NAMED]})
        self.peers = ["certain sip:127.0.0.9:9 certificate=pbx.example.test,second.example.test probe=0",
                      f"stream sip:{TCP}:{self.listener.getsockname()[1]};transport=tcp from={TCP} routes=5~ probe=0",
                      f"named sip:pbx.test from={NAMED} mode=register routes=6~ probe=1"]

    def close(self):
        self.listener.close()
        self.registrar.close()
        self.dns.__exit__()


@pytest.fixture(scope="module")
def house(tmp_path_factory):
    h = House(tmp_path_factory.mktemp("certificates"))
    with plant({"sip": {"dns_servers": [h.dns.address], "t1_ms": 100, "t2_ms": 400, "t4_ms": 400},
                "rights": {"free": "world"},
                "upstream": {"peers": h.peers, "tls_ca": h.ca[0], "retry_s": 1}}, tls=True) as d:
        h.d = d
        yield h
    h.close()


def served(house, caller, phone):
    """A call from outside that the phone answers."""
    call = caller.call(f"sip:{phone.user}@hotdesk.test", SDP)
    leg = phone.accept(call_id=call.call_id)
    leg.answer(200)
    assert call.final().status == 200
    call.ack()
    phone.request("ACK")
    return call, leg


CERTIFICATES = {  # names, by our CA, whether that is the peer
    "dns": ("DNS:other.test,DNS:PBX.example.test", True, True),
    "second": ("DNS:second.example.test", True, True),
    "uri": ("URI:sip:pbx.example.test", True, True),
    "uri before dns": ("URI:sip:other.test,DNS:pbx.example.test", True, False),
    "user in uri": ("URI:sip:user@pbx.example.test", True, False),
    "wildcard": ("DNS:*.example.test", True, False),
    "sub domain": ("DNS:a.pbx.example.test", True, False),
    "nameless": ("", True, False),
    "stranger's": ("DNS:pbx.example.test", False, False),
}


@pytest.mark.parametrize("what", CERTIFICATES)
def test_certificate(house, what):
    names, ours, is_peer = CERTIFICATES[what]
    d, name = house.d, what.replace(" ", "-").replace("'", "")
    pair = issue(house.folder, name, house.ca if ours else house.other_ca, names=names)
    phone = d.phone(register=True)
    pbx = Phone(d.address("tls"), "pbx", "no password", "tls", certificate=pair)
    if is_peer:
        call, leg = served(house, pbx, phone)
        leg.in_dialog("BYE")
        pbx.reply(pbx.request("BYE"), 200)
        assert phone.final("BYE", call.call_id).status == 200
        assert pbx.call("sip:5123@hotdesk.test", SDP).final().status == 404, "no open relay"
    else:
        call = pbx.call(f"sip:{phone.user}@hotdesk.test", SDP)
        assert pbx.final("INVITE", call.call_id).status == 407
    pbx.close()


def test_no_certificate(house):
    """A phone needs none; and it is the connection that is known, not the address behind it."""
    d = house.d
    phone = d.phone(register=True)
    good = Phone(d.address("tls"), "pbx", "", "tls",
                 certificate=issue(house.folder, "good", house.ca, names="DNS:pbx.example.test"))
    bare = Phone(d.address("tls"), "pbx", "", "tls")
    for _ in range(2):
        call = bare.call(f"sip:{phone.user}@hotdesk.test", SDP)
        assert bare.final("INVITE", call.call_id).status == 407
        call, leg = served(house, good, phone)
        hang_up(call, leg)
    good.close()
    again = Phone(d.address("tls"), "pbx", "", "tls")
    call = again.call(f"sip:{phone.user}@hotdesk.test", SDP)
    assert again.final("INVITE", call.call_id).status == 407
    by_tls = d.phone(transport="tls", register=True)
    call, leg = served(house, d.phone(host=TCP), by_tls)
    hang_up(call, leg)


def test_authority_changes(house):
    """By a reload; and a peer with certificate= needs one."""
    d = house.d
    phone, pair = d.phone(register=True), issue(house.folder, "later", house.other_ca, names="DNS:pbx.example.test")
    d.conf["upstream"]["tls_ca"] = house.other_ca[0]
    d.write_conf()
    d.ctl("reload")
    pbx = Phone(d.address("tls"), "pbx", "", "tls", certificate=pair)
    call, leg = served(house, pbx, phone)
    d.conf["upstream"]["tls_ca"] = house.ca[0]
    d.write_conf()
    d.ctl("reload")
    hang_up(call, leg)
    call = Phone(d.address("tls"), "pbx", "", "tls", certificate=pair).call(f"sip:{phone.user}@hotdesk.test", SDP)
    assert call.phone.final("INVITE", call.call_id).status == 407
    d.conf["upstream"]["tls_ca"] = None
    d.write_conf()
    refused = d.ctl("reload", check=False)
    assert refused.returncode == 1 and "certain has certificate= without upstream.tls_ca" in refused.stdout + refused.stderr
    d.conf["upstream"]["tls_ca"] = house.ca[0]
    d.write_conf()


def test_over_tcp(house):
    """Out, and both ways inside the call, on the connection that we made; and in on the same."""
    d = house.d
    phone = d.phone(register=True)
    call = phone.call("5123", SDP).challenge()
    connection, _ = house.listener.accept()
    pbx = Phone(d.address("tcp"), "pbx", None, "tcp", host=TCP, sock=connection)
    leg = pbx.accept(call_id=call.call_id)
    assert leg.invite.ruri.startswith("sip:5123@" + TCP) and "TCP" in leg.invite.get("via")
    leg.answer(200)
    assert call.final().status == 200
    call.ack()
    pbx.request("ACK")
    leg.in_dialog("INFO")
    phone.reply(phone.request("INFO"), 200)
    assert pbx.final("INFO", call.call_id).status == 200
    hang_up(call, leg)
    call, leg = served(house, pbx, phone)
    hang_up(call, leg)
    pbx.close()


def test_by_name(house):
    """Registered, probed and called at the second server of its SRV record: the first is down."""
    d, registrar = house.d, house.registrar
    d.ctl("upstream", "set", "named", "--user", "main", "--password", "secret at the PBX")
    d.until("registered", lambda: "main" in registrar.bindings)
    def state():
        return [u for u in d.admin("GET", "/v1/upstreams")[1]["upstreams"] if u["name"] == "named"][0]

    d.until("probed", lambda: state()["status"] == 200)
    assert state()["state"] == "up" and state()["registered"] == 1, state()
    registrar.answers["INVITE"] = (486, [])
    phone = d.phone(register=True)
    assert phone.call("6123", SDP).challenge().final().status == 486
    assert set(registrar.invites) == {"sip:6123@pbx.test"}


def test_peers_change_in_a_call(house):
    """A call with a peer goes on when the peer is gone from the configuration; its next call is a stranger's."""
    d = house.d
    phone, pbx = d.phone(register=True), d.phone("pbx", host=TCP)
    talking, leg = served(house, pbx, phone)
    ringing = pbx.call(f"sip:{phone.user}@hotdesk.test", SDP)
    second = phone.accept(call_id=ringing.call_id)
    d.conf["upstream"]["peers"] = house.peers[2:]
    d.write_conf()
    d.ctl("reload")
    talking.in_dialog("INFO")
    phone.reply(phone.request("INFO"), 200)
    assert pbx.final("INFO", talking.call_id).status == 200
    hang_up(talking, leg)
    second.answer(200)
    assert ringing.final().status == 200
    ringing.ack()
    phone.request("ACK")
    hang_up(ringing, second)
    call = pbx.call(f"sip:{phone.user}@hotdesk.test", SDP)
    assert pbx.final("INVITE", call.call_id).status == 407
    assert phone.call("5123", SDP).challenge().final().status == 404
    d.conf["upstream"]["peers"] = house.peers
    d.write_conf()
    d.ctl("reload")
    hang_up(*served(house, pbx, phone))
