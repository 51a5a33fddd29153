"""Messages of real phones and servers: what each of them gets, and why.

As it stands a sample is a stranger's message: it names other domains. Ours is one that was put into the place where
the phone would name its own server: domain, Via, and where it is needed its account, are ours, all else is as captured.
"""

import pathlib
import re

import pytest

from plant import fetch, plant, secret
from raw import assert_same, squeeze
from steps import no_more
from support.sip import CRLF, Message, digest, rand
from support.wire import Raw, bare_via, ping

FILES = pathlib.Path(__file__).resolve().parents[1] / "scenario/samples"

# name: (what a stranger gets, what it gets with our domain and no credentials, what with them, reason)
TREATMENT = {
    "01-polycom-vvx350-register": (401, 401, "bound", "REGISTER; answered at the source though it asks for no rport"),
    "02-cisco-spa525g-register": (401, 401, "bound", "credentials for another realm count for nothing; own expires=60"),
    "03-yealink-t21pe2-unregister": (401, 401, "unbound", "Expires: 0 takes away this Contact"),
    "04-yealink-t22p-register-qop": (401, 401, "bound", "a nonce that is not ours gets a new challenge"),
    "05-aastra-6867i-register": (401, 401, "bound", "+sip.instance without reg-id is kept and given back"),
    "06-grandstream-grp2612w-pnp-subscribe": (407, 407, 404, "PnP asks 224.0.1.75; no provisioning here; phone unknown"),
    "07-snom370-pnp-subscribe": (407, 407, 404, "PnP; no branch and no Max-Forwards: RFC 2543 rules"),
    "08-snom300-invite": (407, 407, "delivered", "a call; unknown headers and the line parameter go on"),
    "09-snom360-invite-utf8-name": (407, 407, "delivered", "a call; the Cyrillic name goes on octet for octet"),
    "10-yealink-t22p-invite": (407, 407, "delivered", "a call of a phone without rport"),
    "11-grandstream-gxp2200-invite-tcp": (407, 407, "delivered", "a call over TCP; foreign credentials go on"),
    "12-polycom-vvx450-invite": (407, 407, "delivered", "a call that offers nothing yet"),
    "13-cisco-spa303-invite-tls": (407, 407, "delivered", "a call over TLS; Content-Length amid the header"),
    "14-cisco-mpp8865-hoteling-guest-in": (407, 407, 481, "inside a subscription that we do not have"),
    "15-broadworks-hoteling-notify": (407, 407, 481, "inside a dialog that we do not have; no blanks behind colons"),
    "16-yealink-info-record": (407, 407, 481, "INFO inside a dialog that did not pass through us"),
    "x-20-pnp-notify-url": (407, 407, 481, "a server's, inside a dialog that we do not have"),
    "x-21-checksync-noreboot-notify": (407, 407, "delivered", "passes from one account to another like any request"),
    "x-22-aastra-xml-notify": (407, 407, "delivered", "passes likewise, its body to the octet"),
    "x-23-auerswald-notifysync": (407, 407, "delivered", "passes likewise, its body to the octet"),
    "x-24-info-dtmf-relay": (407, 407, 481, "digits inside a login dialog that is not open"),
    "x-25-info-dtmf-plain": (407, 407, 481, "digits inside a login dialog that is not open"),
    "x-26-starcode-login-invite": (407, 407, 404, "*77 is no feature code here, 404 as for any number unknown"),
    "x-27-action-uri-notify": (407, 407, "delivered", "passes from one account to another like any request"),
    "x-28-dialoginfo-notify-login-lamp": (407, 407, 481, "inside a subscription that we do not have"),
}
# The transport of the capture, as the Via tells it.
VIA = re.compile(rb"(?im)^(via|v)[ \t]*:[ \t]*SIP/2\.0/(\w+)[^\r]*")

pytestmark = [pytest.mark.nolint, pytest.mark.row("SMP-samples")]


@pytest.fixture(scope="module")
def d():
    with plant(tls=True) as daemon:
        yield daemon


def raw_of(name):
    return (FILES / f"{name}.sip").read_bytes()


def transport_of(raw):
    return VIA.search(raw).group(2).decode().lower()


def test_every_sample_is_in_the_table():
    assert sorted(TREATMENT) == sorted(p.stem for p in FILES.glob("*.sip"))


@pytest.mark.parametrize("way", ("as captured", "udp", "tcp"))
@pytest.mark.parametrize("name", TREATMENT)
def test_from_a_stranger(d, name, way):
    raw = raw_of(name)
    with Raw(d.address(transport_of(raw) if way == "as captured" else way),
             transport_of(raw) if way == "as captured" else way, host="127.0.0.73") as sender:
        sender.send(raw)
        answer = sender.receive()
        assert answer and answer.status == TREATMENT[name][0], repr(answer)
        for header in ("call-id", "cseq", "from"):
            assert answer.get(header) == Message(raw).get(header)
        assert answer.get("via").startswith(bare_via(Message(raw).get("via")).split(";")[0]), repr(answer)
        assert "received=127.0.0.73" in answer.get("via"), repr(answer)
        assert sender.receive(0.05) is None, "more than one answer"
    ping(d.address())


def ours(raw, phone, peer, branch, credentials=None):
    """The sample as the phone of an account here would have sent it."""
    head, _, body = raw.partition(b"\r\n\r\n")
    lines = head.split(b"\r\n")
    method = lines[0].split()[0].decode()
    target = {"REGISTER": "", "SUBSCRIBE": "", "INVITE": f"{peer.user}@", "INFO": f"{peer.user}@",
              "NOTIFY": f"{peer.user}@"}[method]
    user = re.match(rb"\S+ sips?:([^@\s]*)@", lines[0])
    if user and (method == "SUBSCRIBE" or user.group(1).startswith(b"*")):
        target = user.group(1).decode() + "@"
    elif method == "SUBSCRIBE":
        target = phone.user + "@"
    uri = f"sip:{target}hotdesk.test"
    lines[0] = f"{method} {uri} SIP/2.0".encode()
    out = []
    for line in lines:
        name = line.partition(b":")[0].strip().lower()
        if name == b"via":
            # As the capture has it, with or without rport and branch, but for where the phone is.
            with_branch = b"branch=" in line
            rport = b";rport" if b"rport" in line else b""
            line = (f"Via: SIP/2.0/{phone.transport.upper()} {phone.host}:{phone.port}".encode() +
                    (f";branch={branch}".encode() if with_branch else b"") + rport)
            line += b";alias" if b";alias" in raw.split(b"\r\n\r\n")[0] and phone.transport == "tcp" else b""
        elif name == b"from":
            line = re.sub(rb"<sips?:[^>]*>", f"<sip:{phone.user}@hotdesk.test>".encode(), line)
        elif name == b"to" and method == "REGISTER":
            line = re.sub(rb"<sips?:[^>]*>", f"<sip:{phone.user}@hotdesk.test>".encode(), line)
        elif name == b"contact":
            line = re.sub(rb"@[0-9.]+(:\d+)?|(?<=sip:)[0-9a-z.]+:\d+", f"@{phone.host}:{phone.port}".encode()
                          if b"@" in line else f"{phone.host}:{phone.port}".encode(), line, count=1)
        elif name == b"call-id":
            line = f"Call-ID: {phone.call_id}".encode()
        if not (credentials and name == b"authorization"):
            out.append(line)
    if credentials:
        out.insert(2, credentials.encode())
    return method, uri, CRLF.encode().join(out) + b"\r\n\r\n" + body


def challenged(d, name, phone, peer):
    raw = raw_of(name)
    branch = "z9hG4bK" + rand()
    method, uri, data = ours(raw, phone, peer, branch)
    phone.send_raw(data)
    answer = phone.wait(f"{TREATMENT[name][1]} to {name}", lambda m: m.status >= 200)
    assert answer.status == TREATMENT[name][1], repr(answer)
    header = "WWW-Authenticate" if answer.status == 401 else "Proxy-Authenticate"
    value = next(v for v in answer.all(header) if "algorithm=MD5" in v)
    branch = "z9hG4bK" + rand()
    line = ("Authorization: " if answer.status == 401 else "Proxy-Authorization: ") + \
        digest(value, method, uri, phone.user, secret(phone.user))
    method, uri, data = ours(raw, phone, peer, branch, line)
    phone.send_raw(data)
    return method, Message(data)


@pytest.mark.parametrize("name", TREATMENT)
def test_of_a_phone_of_ours(d, name):
    expected = TREATMENT[name][2]
    phone, peer = d.phone(transport=transport_of(raw_of(name))), d.phone(register=True)
    if expected == "unbound":
        phone.register(contact=f"<sip:401998@{phone.host}:{phone.port}>")
        assert len(fetch(phone)) == 1
    elif expected not in ("bound",):
        phone.register()
    phone.call_id = rand() + "@sample"
    method, sent = challenged(d, name, phone, peer)
    if expected == "delivered":
        delivered(phone, peer, method, sent)
        return
    answer = phone.wait(f"{expected} to {name}", lambda m: m.status >= 200)
    if expected == "bound":
        assert answer.status == 200, repr(answer)
        bound = fetch(phone)
        assert len(bound) == 1 and re.search(r"sip:[^>]*", sent.get("contact")).group() in bound[0], bound
        wanted = 60 if "expires=60" in sent.get("contact") else 3600
        granted = int(re.search(r"expires=(\d+)", bound[0]).group(1))
        assert wanted - 2 <= granted <= wanted, bound
        if "+sip.instance" in sent.get("contact"):
            assert '+sip.instance="<urn:uuid:00000000-0000-1000-8000-00085D738C60>"' in bound[0], bound
    elif expected == "unbound":
        assert answer.status == 200 and fetch(phone) == [], repr(answer)
    else:
        assert answer.status == expected, repr(answer)
        no_more(peer, "what is not for it", lambda m: m.method, 0.1)


def delivered(phone, peer, method, sent):
    got = peer.wait(f"{method} at the peer", lambda m: m.method == method)
    assert_same(sent, got, ("p-preferred-identity",))  # RFC 3325 9.2: it ends here
    assert got.ruri == peer.contact.strip("<>") and len(got.all("via")) == 2
    peer.reply(got, 486 if method == "INVITE" else 200, "No", "x")
    if method == "INVITE":
        peer.request("ACK")
    answer = phone.wait(f"the answer to {method}", lambda m: m.status >= 200)
    assert answer.status == (486 if method == "INVITE" else 200)
    assert squeeze(answer.get("via")).startswith(squeeze(sent.get("via").replace(";rport", "")).split(";alias")[0])
