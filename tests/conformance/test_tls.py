"""TLS: sips: from hop to hop, versions, certificates that come and go, certificates of phones."""

import re
import signal
import socket
import ssl
import subprocess

import pytest

from plant import plant
from steps import connect, hang_up, refuse, ring, talk
from support.sip import DEADLINE, SDP, Phone
from support.wire import issue, with_tls

row = pytest.mark.row
QUICK = {"sip": {"t1_ms": 60, "t2_ms": 200, "t4_ms": 200}}


@pytest.fixture(scope="module")
def d():
    with plant(QUICK, tls=True) as daemon:
        yield daemon


# ---- sips: (RFC 3261 26.2.2, RFC 5630) -----------------------------------------------------------------


class Sips(Phone):
    """A phone whose Contact is sips:."""

    @property
    def contact(self):
        return f"<sips:{self.user}@{self.host}:{self.port}>"


def sips(phone):
    phone.__class__ = Sips
    phone.register()
    return phone


def route_hosts(message):
    return [re.match(r"<(sips?):[^@]+@([^;>]+)(.*)>", r).groups() for r in message.all("record-route")]


@row("NA-01")
@pytest.mark.parametrize("contact", ["sip", "sips"])
def test_sips_call_over_tls(d, contact):
    a, b = sips(d.phone(transport="tls")), d.phone(transport="tls", register=True)
    if contact == "sips":
        sips(b)
    host, port = d.address("tls")
    call = a.call(f"sips:{b.user}@{a.domain}", SDP).challenge()
    leg = b.accept()
    assert leg.invite.all("via")[0].startswith("SIP/2.0/TLS ")
    assert leg.invite.ruri == b.contact.strip("<>")
    assert route_hosts(leg.invite) == [("sips", f"{host}:{port}", ";lr")], leg.invite.all("record-route")
    leg.answer(200)
    assert call.final().status == 200
    call.ack()
    b.request("ACK")
    for one, other in ((call, leg), (leg, call)):
        one.in_dialog("INFO")
        other.phone.reply(other.phone.request("INFO"), 200)
        assert one.phone.final("INFO", cseq=one.cseq).status == 200
    hang_up(call, leg)


@row("NA-01")
@pytest.mark.parametrize("transport", ["udp", "tcp"])
def test_sips_never_leaves_without_tls(d, transport):
    a, b = sips(d.phone(transport="tls")), d.phone(transport=transport, register=True)
    answer = a.call(f"sips:{b.user}@{a.domain}", SDP).final()
    assert answer.status == 480 and answer.get("warning", "").startswith("380 "), repr(answer)
    b.none("INVITE", lambda m: m.method == "INVITE", 0.1)
    talk(a, b, b.user)


@row("NA-01")
@pytest.mark.parametrize("transport", ["udp", "tcp"])
def test_sips_does_not_come_without_tls(d, transport):
    a, b = d.phone(transport=transport, register=True), sips(d.phone(transport="tls"))
    answer = a.call(f"sips:{b.user}@{a.domain}", SDP).final()
    assert answer.status == 480 and answer.get("warning", "").startswith("380 "), repr(answer)
    b.none("INVITE", lambda m: m.method == "INVITE", 0.1)


@row("NA-01")
def test_sips_contact_takes_tls_only(d):
    a, b = d.phone(register=True), d.phone(behind=("10.1.2.3", 5060))
    b.register(contact=f"<sips:{b.user}@{b.host}:{b.port}>")
    assert a.call(b.user, SDP).final().status == 480
    b.none("INVITE", lambda m: m.method == "INVITE", 0.1)


@row("NA-01")
def test_record_route_at_the_border(d):
    """Called by sip: over UDP, but by sips: on: each side reads what it can use."""
    a, b = d.phone(register=True), sips(d.phone(transport="tls"))
    call, leg = connect(a, b, b.user)
    (inner, inner_host, _), (outer, outer_host, more) = route_hosts(leg.invite)
    assert (inner, inner_host) == ("sips", "%s:%d" % d.address("tls"))
    assert (outer, outer_host, more) == ("sip", "%s:%d" % d.address(), ";lr")
    for one, other in ((call, leg), (leg, call)):
        one.in_dialog("INFO")
        other.phone.reply(other.phone.request("INFO"), 200)
        assert one.phone.final("INFO", cseq=one.cseq).status == 200
    hang_up(leg, call)


# ---- versions --------------------------------------------------------------------------------------------


def client(cert=None, key=None, low=ssl.TLSVersion.TLSv1_2, high=ssl.TLSVersion.MAXIMUM_SUPPORTED):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    context.set_ciphers("ALL:@SECLEVEL=0")
    context.minimum_version, context.maximum_version = low, high
    if cert:
        context.load_cert_chain(cert, key)
    return context


def shake(d, context):
    """A connection after its handshake, and a message to prove that it is one."""
    sock = socket.create_connection(d.address("tls"), timeout=DEADLINE)
    tls = context.wrap_socket(sock)
    use(tls)
    return tls


def use(tls):
    tls.sendall(b"OPTIONS sip:127.0.0.1 SIP/2.0\r\nVia: SIP/2.0/TLS 127.0.0.1:9;branch=z9hG4bKx;rport\r\n"
                b"Max-Forwards: 70\r\nFrom: <sip:a@b>;tag=1\r\nTo: <sip:c@d>\r\nCall-ID: 1\r\n"
                b"CSeq: 1 OPTIONS\r\nContent-Length: 0\r\n\r\n")
    answer = b""
    while not answer.endswith(b"\r\n\r\n") and (part := tls.recv(4096)):
        answer += part
    assert answer.startswith(b"SIP/2.0 "), answer


@row("NA-01")
@pytest.mark.parametrize("version,good", [("TLSv1", False), ("TLSv1_1", False), ("TLSv1_2", True), ("TLSv1_3", True)])
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_versions(d, version, good):
    v = getattr(ssl.TLSVersion, version)
    if good:
        shake(d, client(low=v, high=v)).close()
    else:
        with pytest.raises((ssl.SSLError, ConnectionError)):
            shake(d, client(low=v, high=v))


# ---- certificates ----------------------------------------------------------------------------------------


def subject(tls):
    text = subprocess.run(["openssl", "x509", "-inform", "DER", "-noout", "-subject"],
                          input=tls.getpeercert(True), capture_output=True, check=True).stdout.decode()
    return text.strip().rpartition("=")[2].strip()


def put(d, pair):
    """The files of the configuration get this content."""
    for to, of in zip(("tls_certificate", "tls_key"), pair):
        with open(of, "rb") as source, open(d.conf["sip"][to], "wb") as target:
            target.write(source.read())


def reload(d):
    status, answer = d.admin("POST", "/v1/reload")
    return status, str(answer)


@row("NA-01")
@pytest.mark.parametrize("kind", ["ec", "rsa"])
def test_new_certificate_without_a_restart(kind):
    with plant(QUICK, tls=True) as d:
        a, b = d.phone(transport="tls", register=True), d.phone(register=True)
        old = shake(d, client())
        assert subject(old) == "hotdesk.test"
        call, leg = connect(a, b, b.user)
        put(d, issue(d.folder, "renewed", kind=kind))
        d.process.send_signal(signal.SIGHUP)

        def renewed():
            with shake(d, client()) as tls:
                return subject(tls) == "renewed"
        d.until("the new certificate", renewed)
        use(old)
        hang_up(call, leg)
        talk(b, a, a.user)
        old.close()


@row("NA-01")
def test_bad_certificate_is_refused_and_the_old_one_stays():
    with plant(QUICK, tls=True) as d:
        good, other = issue(d.folder, "good"), issue(d.folder, "other")
        put(d, good)
        assert reload(d)[0] == 200
        for pair in ((good[0], other[1]), ("/dev/null", good[1]), (good[0], "/dev/null")):
            put(d, pair)
            status, answer = reload(d)
            assert status != 200 or "refused" in answer, answer
            with shake(d, client()) as tls:
                assert subject(tls) == "good"
        put(d, other)
        assert reload(d)[0] == 200
        with shake(d, client()) as tls:
            assert subject(tls) == "other"


@row("NA-01")
def test_chain_is_sent(tmp_path):
    root = issue(tmp_path, "root", ca=True)
    middle = issue(tmp_path, "middle", root, ca=True)
    leaf = issue(tmp_path, "leaf", middle)
    with plant(QUICK, tls=True) as d:
        (tmp_path / "chain.pem").write_text(open(leaf[0]).read() + open(middle[0]).read())
        put(d, (tmp_path / "chain.pem", leaf[1]))
        assert reload(d)[0] == 200
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname = False
        context.load_verify_locations(root[0])
        with shake(d, context) as tls:
            assert subject(tls) == "leaf"


@pytest.fixture
def authority(tmp_path):
    return issue(tmp_path, "authority", ca=True)


@row("NA-01")
def test_certificate_of_the_phone(tmp_path, authority):
    mine, strange = issue(tmp_path, "phone", authority), issue(tmp_path, "stranger")
    fake = issue(tmp_path, "fake", issue(tmp_path, "authority2", ca=True))
    with plant({"sip": {"tls_ca": authority[0]}}, tls=True) as d:
        for low, high in ((ssl.TLSVersion.TLSv1_2,) * 2, (ssl.TLSVersion.TLSv1_3,) * 2):
            shake(d, client(*mine, low=low, high=high)).close()
            for bad in ((), strange, fake, (d.conf["sip"]["tls_certificate"], d.conf["sip"]["tls_key"])):
                with pytest.raises((ssl.SSLError, ConnectionError, AssertionError)):
                    shake(d, client(*bad, low=low, high=high))
        shake(d, client(*mine)).close()


@row("NA-01")
def test_certificate_of_the_phone_comes_and_goes(tmp_path, authority):
    mine = issue(tmp_path, "phone", authority)
    with plant(tls=True) as d:
        shake(d, client()).close()
        d.conf["sip"]["tls_ca"] = authority[0]
        d.write_conf()
        assert reload(d)[0] == 200
        with pytest.raises((ssl.SSLError, ConnectionError, AssertionError)):
            shake(d, client())
        shake(d, client(*mine)).close()
        d.conf["sip"]["tls_ca"] = None
        d.write_conf()
        assert reload(d)[0] == 200
        shake(d, client()).close()


@row("NA-01")
@pytest.mark.parametrize("trusted", [True, False])
def test_certificate_of_a_phone_that_we_connect_to(tmp_path, authority, trusted):
    cert, key = issue(tmp_path, "phone", authority if trusted else None)
    with plant({"sip": {**QUICK["sip"], "tls_ca": authority[0]}}, tls=True) as d:
        a, b = d.phone(register=True), d.phone()
        server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        server.load_cert_chain(cert, key)
        with socket.create_server(("127.0.0.1", 0)) as listener:
            listener.settimeout(DEADLINE)
            b.register(contact=f"<sip:{b.user}@127.0.0.1:{listener.getsockname()[1]};transport=tls>")
            call = a.call(b.user, SDP).challenge()
            conn, _ = listener.accept()
            conn.settimeout(DEADLINE)
            if trusted:
                with server.wrap_socket(conn, server_side=True) as tls:
                    assert tls.recv(4096).startswith(b"INVITE ")
                return
            with pytest.raises((ssl.SSLError, ConnectionError)):
                server.wrap_socket(conn, server_side=True).recv(1)
            conn.close()
            assert call.final().status >= 400
