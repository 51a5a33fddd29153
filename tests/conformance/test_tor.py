"""Torture messages of RFC 4475 and RFC 5118: byte for byte from outside, and delivered between two phones.

valid: answered, and not with 400, 413, 505 or 513.  reject: one of these codes, or silence.  either: anything.
response: a response that nobody waits for; no answer, and not passed on.  In every case the daemon lives.
"""

import pathlib
import re

import pytest

from plant import N, plant, secret
from raw import assert_same, squeeze
from support.sip import CRLF, Message, digest, rand
from support.wire import Ear, Raw, bare_via, ping

row = pytest.mark.row
FILES = pathlib.Path(__file__).resolve().parents[1] / "scenario/torture"
ANSWERED = ("lwsruri", "ipv6-bad", "badvers", "scalar02", "quotbal", "ncl", "clerr", "insuf", "unkscm")
NOT_FOR_VALID = (400, 413, 505, 513)
SOURCE = "127.0.0.71"
# Names in the messages that a daemon may or may not be: with them its answers come from deeper inside.
OURS = ["example.com", "registrar.example.com", "chair-dnrc.example.com", "biloxi.example.com", "company.com", "example.net",
        "services.example.com"]


def message(name, kind, *codes, marks=()):
    return pytest.param(name, kind, codes, marks=[marks, pytest.mark.nolint], id=name)


MESSAGES = [
    message("wsinv", "valid", marks=row("TOR-wsinv")),
    message("intmeth", "valid", marks=row("TOR-intmeth")),
    message("esc01", "valid", marks=row("TOR-esc01")),
    message("escnull", "valid", marks=row("TOR-escnull")),
    message("esc02", "valid", marks=row("TOR-esc02")),
    message("lwsdisp", "valid", marks=row("TOR-lwsdisp")),
    message("longreq", "valid", marks=row("TOR-longreq")),
    message("dblreq", "valid", marks=row("TOR-dblreq")),
    message("semiuri", "valid", marks=row("TOR-semiuri")),
    message("transports", "valid", marks=row("TOR-transports")),
    message("mpart01", "valid", marks=row("TOR-mpart01")),
    message("unreason", "response", marks=row("TOR-unreason")),
    message("noreason", "response", marks=row("TOR-noreason")),
    message("badinv01", "reject", 400, marks=row("TOR-badinv01")),
    message("clerr", "reject", 400, marks=row("TOR-clerr")),
    message("ncl", "reject", 400, marks=row("TOR-ncl")),
    message("scalar02", "reject", 400, marks=row("TOR-scalar02")),
    message("scalarlg", "response", marks=row("TOR-scalarlg")),
    message("quotbal", "reject", 400, marks=row("TOR-quotbal")),
    message("ltgtruri", "either", marks=row("TOR-ltgtruri")),
    message("lwsruri", "reject", 400, marks=row("TOR-lwsruri")),
    message("lwsstart", "either", marks=row("TOR-lwsstart")),
    message("trws", "either", marks=row("TOR-trws")),
    message("escruri", "either", marks=row("TOR-escruri")),
    message("baddate", "either", marks=row("TOR-baddate")),
    message("regbadct", "reject", 400, 401, marks=row("TOR-regbadct")),
    message("badaspec", "either", marks=row("TOR-badaspec")),
    message("baddn", "either", marks=row("TOR-baddn")),
    message("badvers", "reject", 505, marks=row("TOR-badvers")),
    message("mismatch01", "reject", 400, marks=row("TOR-mismatch01")),
    message("mismatch02", "reject", 400, 501, marks=row("TOR-mismatch02")),
    message("bigcode", "response", marks=row("TOR-bigcode")),
    message("badbranch", "either", marks=row("TOR-badbranch")),
    message("insuf", "reject", 400, marks=row("TOR-insuf")),
    message("unkscm", "reject", 416, marks=row("TOR-unkscm")),
    message("novelsc", "reject", 404, 416, marks=row("TOR-novelsc")),
    message("unksm2", "reject", 400, 401, marks=row("TOR-unksm2")),
    message("bext01", "reject", 420, marks=row("TOR-bext01")),
    message("invut", "valid", marks=row("TOR-invut")),
    message("regaut01", "reject", 401, marks=row("TOR-regaut01")),
    message("multi01", "reject", 400, marks=row("TOR-multi01")),
    message("mcl01", "reject", 400, marks=row("TOR-mcl01")),
    message("bcast", "response", marks=row("TOR-bcast")),
    message("zeromf", "valid", marks=row("TOR-zeromf")),
    message("cparam01", "valid", marks=row("TOR-cparam01")),
    message("cparam02", "valid", marks=row("TOR-cparam02")),
    message("regescrt", "valid", marks=row("TOR-regescrt")),
    message("sdp01", "valid", marks=row("TOR-sdp01")),
    message("inv2543", "valid", marks=row("TOR-inv2543")),
    message("ipv6-good", "valid", marks=row("TOR-ipv6-good")),
    message("ipv6-bad", "reject", 400, marks=row("TOR-ipv6-bad")),
    message("port-ambiguous", "valid", marks=row("TOR-port-ambiguous")),
    message("port-unambiguous", "valid", marks=row("TOR-port-unambiguous")),
    message("via-received-param-with-delim", "valid", marks=row("TOR-via-received-param-with-delim")),
    message("via-received-param-no-delim", "valid", marks=row("TOR-via-received-param-no-delim")),
    message("ipv6-in-sdp", "valid", marks=row("TOR-ipv6-in-sdp")),
    message("mult-ip-in-header", "valid", marks=row("TOR-mult-ip-in-header")),
    message("mult-ip-in-sdp", "valid", marks=row("TOR-mult-ip-in-sdp")),
    message("ipv4-mapped-ipv6", "valid", marks=row("TOR-ipv4-mapped-ipv6")),
    message("ipv6-bug-abnf-3-colons", "either", marks=row("TOR-ipv6-bug-abnf-3-colons")),
    message("ipv6-correct-abnf-2-colons", "valid", marks=row("TOR-ipv6-correct-abnf-2-colons")),
]

table = {}


@pytest.fixture(scope="module", autouse=True)
def print_table(request):
    """What came back, for the eye: shown by -s, and in the log of ctest."""
    yield
    width = max([len(name) for name, _, _ in table] or [0])
    text = "\n".join(f"{name:{width}}  {kind:8}  {way:21}  {came}" for (name, kind, way), came in table.items())
    with request.config.pluginmanager.getplugin("capturemanager").global_and_fixture_disabled():
        print(f"\n{text}")


@pytest.fixture(scope="module", params=["another domain", "the domain"])
def d(request):
    with plant({"sip": {"aliases": OURS if request.param == "the domain" else []}}) as daemon:
        daemon.is_domain = request.param == "the domain"
        yield daemon


def test_all_files_are_in_the_table():
    assert sorted(p.values[0] for p in MESSAGES) == sorted(p.stem for p in FILES.glob("*.dat"))


def answers(d, transport, raw, ear, due):
    """Every message that came back, so many at least; over a stream until it is quiet."""
    with Raw(d.address(transport), transport, host=SOURCE) as sender:
        sender.send(raw)
        came = [sender.receive() for _ in range(due)] or [sender.receive(1 if raw[:3] != b"SIP" else 0.1)]
        while came[-1] and (more := sender.receive(0.05)):
            came.append(more)
        if transport == "tcp" and came == [None] and sender.is_closed(0.02):
            came = []
    assert ear.heard() is None, "it was sent on"
    return [m for m in came if m and m.status != 100], came == []


@row("TOR-table")
@pytest.mark.parametrize("transport", ("udp", "tcp"))
@pytest.mark.parametrize("name, kind, codes", MESSAGES)
def test_as_it_is(d, name, kind, codes, transport):
    raw = (FILES / f"{name}.dat").read_bytes()
    with Ear("127.0.0.72") as ear:
        came, closed = answers(d, transport, raw, ear, 2 if name == "dblreq" and transport == "tcp" else
                               kind == "valid" or name in ANSWERED and name != "clerr")
    shown = ", ".join(f"{m.start[8:]}" for m in came) or ("closed" if closed else "silence")
    table[(name, kind, f"{transport} {'its domain' if d.is_domain else 'not its domain'}")] = shown
    ping(d.address())
    assert d.process.poll() is None
    statuses = [m.status for m in came]
    if kind == "response":
        assert came == [] and not closed, came
    elif name == "dblreq" and transport == "tcp":
        assert [m.cseq_method for m in came] == ["REGISTER", "INVITE"], "on a stream it is two requests"
    elif name == "inv2543" and transport == "tcp":
        assert statuses == [400], "on a stream nobody knows where a message without a length ends"
    elif kind == "valid":
        assert len(came) == 1 and statuses[0] not in NOT_FOR_VALID and statuses[0] >= 300, came
    elif kind == "reject":
        assert len(came) <= 1 and set(statuses) <= set(codes), came
    if name in ANSWERED:
        assert came or transport == "tcp" and name == "clerr", "RFC 4475 asks for an answer"
    for m in came[:1]:
        check_answer(name, raw, m)
    if name in ("cparam01", "cparam02", "regescrt", "escnull", "dblreq", "regaut01"):
        assert statuses[:1] == [401] and came[0].get("www-authenticate").startswith("Digest"), came
    if name == "bext01" and came:
        tags = {t.strip() for v in came[0].all("unsupported") for t in v.split(",")}
        assert tags == {"noProxiesSupportThis", "norDoAnyProxiesSupportThis"}, came
    if name == "zeromf":
        assert statuses == [483] or statuses == [200], came
    if name == "esc02":
        assert 200 not in statuses and statuses != [401], "taken for REGISTER"


def check_answer(name, raw, answer):
    """It goes to whom the request came from and names what it answers."""
    sent = Message(raw)
    if name in ("multi01", "insuf") or answer.status == 400:
        return
    assert [squeeze(answer.get(n) or "") for n in ("call-id", "cseq", "from")] == \
        [squeeze(sent.get(n)) for n in ("call-id", "cseq", "from")], repr(answer)
    assert squeeze(re.sub(r";\s*tag\s*=[^;]*", "", answer.get("to"))) == \
        squeeze(re.sub(r";\s*tag\s*=[^;]*", "", sent.get("to"))), repr(answer)
    assert f"received={SOURCE}" in answer.get("via"), repr(answer)
    if name != "badvers":
        old, new = (squeeze(",".join(m.all("via"))).split(",") for m in (sent, answer))
        assert bare_via(old[0]) == bare_via(new[0]) and old[1:] == new[1:], f"{old}\n{new}"


# ---- delivered -----------------------------------------------------------------------------------------

# A phone's own: what the challenge and the way to the callee need is the phone's, all else as it stands.
DELIVERED = [name for p in MESSAGES for name in [p.values[0]] if p.values[1] == "valid" and name not in (
    "escnull", "dblreq", "zeromf", "cparam01", "cparam02", "regescrt", "ipv6-good", "port-ambiguous", "port-unambiguous",
    "via-received-param-with-delim", "via-received-param-no-delim")] + ["baddate", "escruri", "lwsstart", "badbranch"]


@pytest.fixture(scope="module")
def phones():
    with plant() as daemon:
        yield daemon, daemon.phone(register=True), daemon.phone(register=True)


def fields(head):
    """Header lines with their folds: (name in lower case, the line)."""
    found = []
    for line in head.split(b"\r\n")[1:]:
        if line[:1] in b" \t":
            found[-1] = (found[-1][0], found[-1][1] + b"\r\n" + line)
        else:
            name = line.partition(b":")[0].strip().lower().decode()
            found.append((Message.LONG.get(name, name), line))
    return found


def variant(raw, a, b):
    """The message from a to b: (method, Request-URI, header lines, body)."""
    head, _, body = raw.partition(b"\r\n\r\n")
    method = head.split(b" ")[0].decode()
    found = []
    for name, line in fields(head):
        if name == "from":
            line = re.sub(rb"sips?:[^>;\s]*", f"sip:{a.user}@hotdesk.test".encode(), line, count=1)
        elif name == "to":
            line = re.sub(rb";\s*tag\s*=[^;]*", b"", line)
        elif name == "content-length":
            line = line.partition(b":")[0] + b": " + str(len(body)).encode()
        if name != "route":
            found.append((name, line))
    if not any(name == "contact" for name, _ in found):
        found.append(("contact", f"Contact: {a.contact}".encode()))
    return method, f"sip:{b.user}@hotdesk.test", [line for _, line in found], body


def send_variant(a, method, uri, header, body, credentials=None):
    branch = "z9hG4bK" + rand()
    lines = [f"{method} {uri} SIP/2.0".encode(), f"Via: {a.via(branch)}".encode()] + header
    if credentials:
        lines.insert(2, credentials.encode())
    raw = CRLF.encode().join(lines + [b"", body])
    a.send_raw(raw)
    return raw, branch


@row("TOR-delivered")
@pytest.mark.nolint
@pytest.mark.parametrize("name", DELIVERED)
def test_delivered(phones, name):
    d, a, b = phones
    a.inbox.clear(), b.inbox.clear()
    method, uri, header, body = variant((FILES / f"{name}.dat").read_bytes(), a, b)
    _, branch = send_variant(a, method, uri, header, body)
    answer = a.wait(f"a challenge to {name}", lambda m: m.status >= 200 and branch in m.get("via"))
    assert answer.status == 407, repr(answer)
    value = next(v for v in answer.all("proxy-authenticate") if "algorithm=MD5" in v)
    raw, branch = send_variant(a, method, uri, header, body,
                               "Proxy-Authorization: " + digest(value, method, uri, a.user, secret(a.user)))
    got = b.wait(f"{name} at the callee", lambda m: m.method == method)
    sent = Message(raw)
    assert_same(sent, got, () if sent.get("content-length") else ("content-length",))
    assert got.ruri == b.contact.strip("<>")
    old, new = (squeeze(",".join(m.all("via"))) for m in (sent, got))
    assert bare_via(new.partition(",")[2]) == bare_via(old), f"{old}\n{new}"
    b.send(f"SIP/2.0 486 Busy", [("Via", v) for v in got.all("via")] + [
        (n, got.get(n)) for n in ("From", "Call-ID", "CSeq")] + [("To", got.get("to") + ";tag=x")])
    final = a.wait(f"486 to {name}", lambda m: m.status >= 200 and branch in m.get("via"))
    assert final.status == 486 and squeeze(final.get("cseq")) == squeeze(sent.get("cseq")), repr(final)
    if method == "INVITE":
        b.request("ACK")
    ping(d.address())
