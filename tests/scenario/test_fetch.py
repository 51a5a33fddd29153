"""The server for phones: every vendor's way of asking, who gets what, and what strangers get."""

import json
import multiprocessing as mp
import re
import resource
import signal
import socket
import ssl
import time

import pytest

from support.daemon import Daemon
from support.sip import DEADLINE
from support.web import Authority, Web, authorization
from support.wire import certificate

# model of the directory, MAC, User-Agent, first file asked for, what its configuration looks like
VENDORS = [
    ("yealink-t46u", "805e0c1a2b3c", "Yealink SIP-T46U 108.86.0.40 80:5e:0c:1a:2b:3c", "805e0c1a2b3c.cfg",
     "account.1.password = {secret}"),
    ("snom-d785", "000413aabb01",
     "Mozilla/4.0 (compatible; snomD785-SIP 10.1.33.33 2010.12-00004-g9ba52f5 000413AABB01 SXM:0 UXM:0)",
     "snomD785-000413AABB01.htm", "{secret}"),
    ("grandstream-grp2612w", "000b828aa872", "Grandstream Model HW GRP2612W SW 1.0.5.67 DevId 000b828aa872",
     "cfg000b828aa872.xml", "{secret}"),
    ("polycom-vvx-400", "64167f000001", "FileTransport PolycomVVX-VVX_400-UA/4.1.4.7430 Type/Application",
     "64167f000001.cfg", "64167f000001-hotdesk.cfg"),
    ("cisco-spa508g", "0002fdff2103", "Cisco/SPA508G-7.4.4 (0002FDFF2103)(CBT141400UK)", "spa0002FDFF2103.cfg",
     "{secret}"),
    ("cisco-mpp-8851", "00562b043615", "Cisco-CP-8851-3PCC/11.0.1 (00562b043615)", "00562b043615.xml", "{secret}"),
    ("fanvil-x5u", "0c383e557eb1", "Fanvil X5U-V2 2.12.16.17 0c383e557eb1", "0c383e557eb1.cfg", "{secret}"),
    ("mitel-6940", "1400e9294c6b", "Mitel6940 MAC:14-00-E9-29-4C-6B V:6.4.0.4006-SIP", "1400E9294C6B.cfg",
     "{secret}"),
    ("gigaset-n870", "7c2f80e0d605", "Gigaset N870 IP PRO/83.V2.11.0+build.a546b91;7C2F80E0D605",
     "7C2F80E0D605.xml", "{secret}"),
    ("auerswald-d400", "000952000001", None, "prov.py", "{secret}"),
    ("generic", "001fc1000001", "Htek UC926 2.0.4.2 00:1f:c1:00:00:01", "001fc1000001.cfg", "{secret}"),
]
# Files of all phones of a model, or asked for by habit.
COMMON = {
    "yealink-t46u": ["y000000000108.cfg"],
    "snom-d785": ["snomD785.htm"],
    "mitel-6940": ["aastra.cfg", "startup.cfg"],
    "fanvil-x5u": ["f0C00580000.cfg"],
    "gigaset-n870": ["provisioning.xml"],
}
OPTIONAL = {
    "yealink-t46u": ["y000000000000.boot", "805e0c1a2b3c.boot"],
    "polycom-vvx-400": ["64167f000001-license.cfg", "64167f000001-directory.xml"],
}


def phone_id(model):
    return f"desk-{model.split('-')[0]}-{model.split('-')[-1]}"


def secret_of(model):
    return f"secret of {phone_id(model)}"


DIRECTORY = ('users:\n  - {number: "201", name: Anna Berg, pin: "471147"}\nphones:\n' + "".join(
    f'  - {{id: {phone_id(m)}, secret: {secret_of(m)}, label: Desk, mac: "{mac}", model: {m}}}\n'
    for m, mac, *_ in VENDORS) + '  - {id: spare, secret: spare-secret, label: Spare, mac: "805e0c0000ff"}\n'
    '  - {id: off, secret: off-secret, label: Off, mac: "805e0c0000fe", model: yealink-t46u, disabled: true}\n')
FIRST = VENDORS[0]


def server(conf=None, cert=True, directory=DIRECTORY):
    d = Daemon({"store": {"soft_delay_ms": 50},
                "provision": {"listen": ["https:127.0.0.1:0", "http:127.0.0.1:0", "https:[::1]:0"],
                              "keep_secrets": True, "failures_max": 0, "source_rate": 0,
                              **(conf or {})}}, directory=directory)
    if cert:
        pem, key = certificate(d.folder)
        d.conf["provision"].update(tls_certificate=pem, tls_key=key)
    return d


@pytest.fixture(scope="module")
def d():
    with server() as daemon:
        yield daemon


def token(d, phone):
    status, answer = d.admin("GET", f"/v1/phones/{phone}/url")
    assert status == 200, answer
    return answer["url"].rsplit("/", 2)[1]


def web(d, kind="https", **more):
    return Web(d.address(kind), tls=kind == "https", **more)


def seen(d, phone):
    return d.admin("GET", f"/v1/phones/{phone}")[1]["seen"]


def security(d):
    return [dict(re.findall(r'(\w+)="([^"]*)"', line)) for line in d.log().splitlines()
            if "SecurityEvent=" in line and 'Service="Provisioning"' in line]


def same(replies):
    """What a stranger sees is one and the same, but for the nonce and the time."""
    looks = {(r.status, r.body, tuple(sorted((k, re.sub(r'nonce="[^"]+"', "", v)) for k, v in r.fields
                                             if k not in ("Date", "Connection")))) for r in replies}
    assert len(looks) == 1, looks
    return replies[0]


# ---- every vendor's way of asking -------------------------------------------------------------------------


@pytest.mark.parametrize("model,mac,agent,file,text", VENDORS, ids=[v[0] for v in VENDORS])
@pytest.mark.parametrize("way", ["token", "digest"])
def test_vendor_fetches(d, way, model, mac, agent, file, text):
    phone, path = phone_id(model), f"/{file}"
    with web(d) as w:
        if way == "token":
            r = w.get(f"/{token(d, phone)}{path}", agent=agent)
        else:
            r = w.get_digest(path, phone, secret_of(model), agent=agent)
    assert r.status == 200, r
    assert text.format(secret=secret_of(model)) in r.body
    assert r.get("Content-Type").split(";")[0] in ("text/xml", "text/plain"), r.fields
    assert r.get("Cache-Control") == "no-store"
    if file == "64167f000001.cfg":
        return
    s = d.until("noted", lambda: (s := seen(d, phone))["last_fetch"] and s, timeout=30)
    assert s["fetched_from"].startswith("127.0.0.1:")
    if agent:
        assert s["mac"] in (mac, None) and s["firmware"], s


@pytest.mark.parametrize("model", COMMON)
def test_common_files_are_the_phones_own(d, model):
    with web(d) as w:
        t = token(d, phone_id(model))
        own = next(v for v in VENDORS if v[0] == model)
        want = w.get(f"/{t}/{own[3]}").body
        for file in COMMON[model]:
            r = w.get(f"/{t}/{file}")
            assert (r.status, r.body) == (200, want), r


@pytest.mark.parametrize("model", OPTIONAL)
def test_optional_files_are_no_attack(d, model):
    before = len(security(d))
    with web(d) as w:
        for file in OPTIONAL[model]:
            assert w.get(f"/{token(d, phone_id(model))}/{file}").status == 404
    assert len(security(d)) == before


def test_polycom_goes_from_index_to_file(d):
    phone = phone_id("polycom-vvx-400")
    with web(d) as w:
        t = token(d, phone)
        file = re.search(r'CONFIG_FILES="([^"]+)"', w.get(f"/{t}/64167f000001.cfg").body).group(1)
        r = w.get(f"/{t}/{file.rsplit('/', 1)[-1]}")
    assert r.status == 200 and secret_of("polycom-vvx-400") in r.body


def test_url_that_is_the_file_itself(d):
    with web(d) as w:
        t = token(d, phone_id("snom-d785"))
        for path in (f"/{t}", f"/{t}/", f"/{t}?mac=000413AABB01", f"/{t}/snom/snomD785.htm"):
            assert w.get(path).status == 200, path


def test_phone_without_a_model_is_known_by_how_it_asks(d):
    agent = "Yealink SIP-T46G 28.83.0.120 80:5e:0c:00:00:ff"
    with web(d) as w:
        r = w.get(f"/{token(d, 'spare')}/805e0c0000ff.cfg", agent=agent)
        assert r.status == 200 and r.body.startswith("#!version:1.0.0.1"), r
        d.until("noted", lambda: seen(d, "spare")["model"] == "yealink-t46g", timeout=30)
        assert w.get(f"/{token(d, 'spare')}/y000000000028.cfg").status == 200


# ---- HTTP as it should be ------------------------------------------------------------------------------------


def test_head_etag_and_keep_alive(d):
    path = f"/{token(d, phone_id(FIRST[0]))}/{FIRST[3]}"
    with web(d) as w:
        whole = w.get(path)
        head = w.get(path, method="HEAD")
        assert head.status == 200 and head.get("Content-Length") == str(len(whole.raw))
        tag = whole.get("ETag")
        assert head.get("ETag") == tag and re.fullmatch(r'"[\w-]{16}"', tag)
        for value in (tag, f'W/{tag}, "x"', "*"):
            again = w.get(path, headers=[f"If-None-Match: {value}"])
            assert again.status == 304 and not again.get("Content-Length"), again
        assert w.get(path, headers=['If-None-Match: "other"']).raw == whole.raw
        wrong = w.get(path, method="POST", headers=["Content-Length: 0"])
        assert wrong.status == 405 and wrong.get("Allow") == "GET, HEAD"
        last = w.get(path, headers=["Connection: close"])
        assert last.raw == whole.raw and w.closed() == b""
    with web(d) as w:
        old = w.get(path, version="1.0")
        assert old.raw == whole.raw and w.closed() == b""
    with web(d) as w:
        w.request(path)
        w.request("/nothing")
        w.request(path)
        assert [w.read().status for _ in range(3)] == [200, 401, 200]


def test_ipv6_and_tls_versions(d):
    path = f"/{token(d, phone_id(FIRST[0]))}/{FIRST[3]}"
    with Web(d.address("https", ipv6=True)) as w:
        assert w.get(path).status == 200
    for version in (ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3):
        with web(d, version=version) as w:
            assert w.sock.version().replace(".", "_") == version.name
            assert w.get(path).status == 200
    with pytest.raises((ssl.SSLError, ConnectionError)):
        web(d, version=ssl.TLSVersion.TLSv1_1)


# ---- who is refused -----------------------------------------------------------------------------------------


def test_strangers_learn_nothing(d):
    good = token(d, phone_id(FIRST[0]))
    paths = ["/805e0c1a2b3c.cfg", "/805e0cffffff.cfg", "/805e0c0000fe.cfg", "/y000000000108.cfg", "/", "/x/y/z.cfg",
             f"/{'a' * 26}/805e0c1a2b3c.cfg", f"/{good[:-1]}{'a' if good[-1] != 'a' else 'b'}/805e0c1a2b3c.cfg",
             f"/{good.upper()}/805e0c1a2b3c.cfg", "/../etc/passwd", "/%2e%2e/x", "/x%00.cfg", f"/{'x' * 900}.cfg",
             "//x", f"/{good}//805e0c1a2b3c.cfg", f"/{good}/../{good}/805e0c1a2b3c.cfg"]
    with web(d) as w:
        r = same([w.get(p) for p in paths])
    assert r.status == 401
    assert [re.search("algorithm=([^,]+)", c).group(1) for c in r.all("WWW-Authenticate")] == ["SHA-256", "MD5"]
    assert good not in d.log()


def test_wrong_secrets_are_one_answer(d):
    def ask(user, password):
        with web(d) as w:
            return w.get_digest("/805e0c1a2b3c.cfg", user, password)

    before = len(security(d))
    first = phone_id(FIRST[0])
    same([ask(first, "wrong"), ask("nobody", "wrong"), ask("off", "off-secret"), ask("201", "471147")])
    events = security(d)[before:]
    assert [e["SecurityEvent"] for e in events] == ["ChallengeResponseFailed"] * 4, events
    assert [e["AccountID"] for e in events] == [first, "nobody", "off", "201"]
    assert all(re.fullmatch(r"IPV4/TLS/127\.0\.0\.1/\d+", e["RemoteAddress"]) for e in events)


def test_events_for_fail2ban(d):
    before = len(security(d))
    with web(d) as w:
        w.get("/805e0cffffff.cfg")
        w.get(f"/{'b' * 26}/805e0c1a2b3c.cfg")
        w.get("/805e0c1a2b3c.cfg")  # a phone of ours that waits for its challenge is no attack
    events = security(d)[before:]
    assert [(e["SecurityEvent"], e["AccountID"]) for e in events] == [
        ("InvalidAccountID", "805e0cffffff"), ("InvalidPassword", "unknown")], events


def test_key_of_one_phone_opens_no_other(d):
    before = len(security(d))
    other = VENDORS[1]
    with web(d) as w:
        r = w.get(f"/{token(d, phone_id(FIRST[0]))}/{other[3]}")
        assert r.status == 404 and secret_of(other[0]) not in r.body
        r = w.get_digest("/000413AABB01.xml", phone_id(FIRST[0]), secret_of(FIRST[0]))
        assert r.status == 404
    assert [e["SecurityEvent"] for e in security(d)[before:]] == ["FailedACL"] * 2


@pytest.mark.parametrize("algorithm", ["SHA-256", "MD5"])
def test_digest_nonces(d, algorithm):
    user, password, path = phone_id(FIRST[0]), secret_of(FIRST[0]), f"/{FIRST[3]}"
    with web(d) as w:
        challenge = next(c for c in w.get(path).all("WWW-Authenticate") if f"algorithm={algorithm}" in c)
        first = f"Authorization: {authorization(challenge, 'GET', path, user, password)}"
        assert w.get(path, headers=[first]).status == 200
        replay = w.get(path, headers=[first])
        assert replay.status == 401 and "stale=true" in replay.get("WWW-Authenticate")
        second = f"Authorization: {authorization(challenge, 'GET', path, user, password, nc=2)}"
        assert w.get(path, headers=[second]).status == 200
        other = f"Authorization: {authorization(challenge, 'GET', '/x.cfg', user, password, nc=3)}"
        assert w.get(path, headers=[other]).status == 401
        challenge = next(c for c in w.get(path).all("WWW-Authenticate") if f"algorithm={algorithm}" in c)
        old = f"Authorization: {authorization(challenge, 'GET', path, user, password, qop=False)}"
        assert w.get(path, headers=[old]).status == 200


@pytest.mark.parametrize("value", ["Digest", "Digest x", "Basic ZGVzazpzZWNyZXQ=", "Digest username=", "Bearer x",
                                   'Digest username="a", realm="hotdesk.test", nonce="b"', "Digest " + "x=y," * 1000,
                                   'Digest realm="hotdesk.test",username="desk\x80"', "\t"])
def test_broken_credentials(d, value):
    with web(d) as w:
        assert w.get("/805e0c1a2b3c.cfg", headers=[f"Authorization: {value}"]).status in (400, 401)


def test_renewed_token(d):
    phone, file = phone_id("fanvil-x5u"), "0c383e557eb1.cfg"
    old = token(d, phone)
    with web(d) as w:
        assert w.get(f"/{old}/{file}").status == 200
        out = d.ctl("phone", "url", phone, "--renew").stdout
        new = re.search(r"url: \S+/([a-z2-7]{26})/0c383e557eb1\.cfg\n", out).group(1)
        assert new != old
        assert w.get(f"/{old}/{file}").status == 401
        assert w.get(f"/{new}/{file}").status == 200


def test_phone_url(d):
    port = d.address("https")[1]
    t = token(d, phone_id("snom-d785"))
    assert d.ctl("phone", "url", phone_id("snom-d785")).stdout == (
        f"url: https://hotdesk.test:{port}/{t}/000413AABB01.xml\nvendor: snom\n"
        f"DHCP for this phone alone:\n  option 66: https://hotdesk.test:{port}/{t}/000413AABB01.xml\n"
        "DHCP for all of the vendor's phones, each with a client certificate or HTTP digest:\n"
        f"  option 66: https://hotdesk.test:{port}/{{mac}}.xml\n")
    out = json.loads(d.ctl("--json", "phone", "url", phone_id("mitel-6940")).stdout)
    assert [(o["option"], o["suboption"]) for o in out["dhcp"]] == [(43, 2), (66, None)]
    out = json.loads(d.ctl("--json", "phone", "url", phone_id("auerswald-d400")).stdout)
    assert [o["option"] for o in out["dhcp"]] == [66, 67]
    assert d.ctl("phone", "url", "nobody", check=False).returncode == 1


# ---- limits and policies, each with a daemon of its own ---------------------------------------------------------


def test_plain_http_only_where_it_may():
    with server({"plain_networks": ["127.0.0.2/32"]}) as d:
        path = f"/{token(d, phone_id(FIRST[0]))}/{FIRST[3]}"
        with web(d, "http") as w:
            r = same([w.get(path)])
            assert r.status == 403 and w.closed() == b""
        with web(d, "http", source="127.0.0.2") as w:
            assert w.get(path).status == 200
        assert security(d)[-1]["SecurityEvent"] == "FailedACL"
        d.conf["provision"]["plain_networks"] = ["127.0.0.0/8"]
        d.write_conf()
        d.process.send_signal(signal.SIGHUP)
        d.until("reloaded", lambda: "reload: changed: provision.plain_networks" in d.log())
        with web(d, "http") as w:
            assert w.get(path).status == 200


def test_without_digest_strangers_find_nothing():
    with server({"digest": False, "url": "https://desk.example:9/phones"}) as d:
        t = token(d, phone_id(FIRST[0]))
        with web(d) as w:
            r = same([w.get(p) for p in ("/805e0c1a2b3c.cfg", "/phones/805e0c1a2b3c.cfg", "/phones/", "/",
                                         f"/{t}/805e0c1a2b3c.cfg", f"/phones/{'a' * 26}/805e0c1a2b3c.cfg")])
            assert r.status == 404
            assert w.get(f"/phones/{t}/805e0c1a2b3c.cfg").status == 200
        assert "https://desk.example:9/phones/" in d.ctl("phone", "url", phone_id(FIRST[0])).stdout


def test_failures_of_a_source_are_limited():
    with server({"failures_max": 5, "failures_window_s": 3600, "source_exempt": []}) as d:
        good = f"/{token(d, phone_id(FIRST[0]))}/{FIRST[3]}"
        statuses = []
        for i in range(8):
            with web(d, source="127.0.0.7") as w:
                statuses.append(w.get(f"/{'a' * 25}{'abcdefgh'[i]}/{FIRST[3]}").status)
        assert statuses == [401] * 5 + [429] * 3
        assert len(security(d)) == 5
        with web(d, source="127.0.0.7") as w:
            assert w.get(good).status == 200  # the right secret still opens
        with web(d, source="127.0.0.8") as w:
            assert w.get_digest(f"/{FIRST[3]}", phone_id(FIRST[0]), secret_of(FIRST[0])).status == 200


def test_limit_does_not_tell_a_mac_of_ours():
    """A MAC that is asked for without credentials costs the same, whether there is such a phone or not."""
    with server({"failures_max": 2, "failures_window_s": 3600, "source_exempt": []}) as d:
        def until_limited(source, file):
            for n in range(20):
                with web(d, source=source) as w:
                    status = w.get(file).status
                if status != 401:
                    return n, status
            return None

        ours = until_limited("127.0.0.11", f"/{FIRST[3]}")
        assert ours == until_limited("127.0.0.12", "/805e0cffffff.cfg") == until_limited("127.0.0.13", "/x.cfg")
        assert ours == (8, 429)
        assert len(security(d)) == 8, "each stranger is in the log"


def test_client_certificates():
    d = server()
    ours, foreign = Authority(d.folder), Authority(d.folder, "Foreign CA")
    d.conf["provision"]["tls_client_ca"] = str(ours.cert)
    with d:
        def ask(cert, path=f"/{FIRST[3]}"):
            with web(d, cert=cert) as w:
                return w.get(path)

        first = phone_id(FIRST[0])
        for subject, alternative in ((f"/CN={FIRST[1]}", None), ("/CN=80:5E:0C:1A:2B:3C", None), (f"/CN={first}", None),
                                     ("/CN=T46U", f"DNS:{first}"), ("/O=x", "URI:urn:mac:80-5e-0c-1a-2b-3c")):
            r = ask(ours.issue(subject, alternative))
            assert r.status == 200 and secret_of(FIRST[0]) in r.body, (subject, alternative, r)
        assert ask(ours.issue(f"/CN={FIRST[1]}"), f"/{VENDORS[1][3]}").status == 404
        for cert in (None, foreign.issue(f"/CN={FIRST[1]}"), ours.issue("/CN=805e0cffffff"), ours.issue("/CN=off")):
            assert ask(cert).status == 401
        # Of a foreign authority, but with the right secret in the URL.
        assert ask(foreign.issue("/CN=x"), f"/{token(d, first)}/{FIRST[3]}").status == 200


def peer_subject(d):
    with web(d) as w:
        return w.sock.getpeercert(binary_form=True)


def test_certificate_reload():
    with server() as d:
        path = f"/{token(d, phone_id(FIRST[0]))}/{FIRST[3]}"
        with web(d) as old:
            assert old.get(path).status == 200
            before = peer_subject(d)
            for name in ("server.pem", "server.key"):
                (d.folder / name).unlink()
            certificate(d.folder)
            d.process.send_signal(signal.SIGHUP)
            d.until("reloaded", lambda: "reload: changed: nothing" in d.log())
            assert peer_subject(d) != before
            assert old.get(path).status == 200
        (d.folder / "server.pem").write_text("no certificate")
        after = peer_subject(d)
        d.process.send_signal(signal.SIGHUP)
        d.until("refused", lambda: "reload: refused" in d.log())
        assert peer_subject(d) == after


# ---- broken and hostile clients -----------------------------------------------------------------------------------


BROKEN = [
    b"\r\n\r\n", b"GET\r\n\r\n", b"GET /\r\n\r\n", b"GET / HTTP/9.9\r\n\r\n", b"GET / HTTP/1.1\r\nHost\r\n\r\n",
    b"GET / HTTP/1.1\r\n: x\r\n\r\n", b"\x00\x01\x02\x03" * 64 + b"\r\n\r\n", b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
    b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", b"OPTIONS sip:x SIP/2.0\r\n\r\n", b"BREW / HTTP/1.1\r\n\r\n",
    b"GET " + b"/x" * 8000 + b" HTTP/1.1\r\n\r\n", b"GET / HTTP/1.1\r\n" + b"X: y\r\n" * 4000 + b"\r\n",
    b"GET / HTTP/1.1\r\nX: " + b"y" * 100000 + b"\r\n\r\n", b"POST / HTTP/1.1\r\nContent-Length: 99999999\r\n\r\n" + b"x" * 9000,
    b"POST / HTTP/1.1\r\nContent-Length: -1\r\n\r\n", b"POST / HTTP/1.1\r\nContent-Length: 9999999999999999999999\r\n\r\n",
    b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n", b"GET http:// HTTP/1.1\r\n\r\n",
    b"GET \xff\xfe HTTP/1.1\r\n\r\n", b"GET /%zz HTTP/1.1\r\n\r\n", b"GET / HTTP/1.1\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nabcde",
]


def served(d, path, kind="https"):
    """A client that comes too late with its request finds the connection closed: another one, then."""
    def got():
        try:
            with web(d, kind) as w:
                return w.get(path).status == 200
        except (EOFError, OSError):
            return False
    d.until("served", got, timeout=60)


@pytest.mark.parametrize("kind", ["http", "https"])
def test_broken_requests(kind):
    with server({"plain_networks": ["127.0.0.0/8"], "timeout_s": 2}) as d:
        path = f"/{token(d, phone_id(FIRST[0]))}/{FIRST[3]}"
        for data in BROKEN:
            with web(d, kind) as w:
                try:
                    w.send(data)
                    got = w.closed()
                except (ConnectionError, ssl.SSLError, BrokenPipeError):
                    got = b""
                assert not got or re.match(rb"HTTP/1\.[01] [45]\d\d ", got), (data[:60], got[:200])
        served(d, path, kind)
        assert d.admin("GET", "/v1/status")[0] == 200
        d.phone("spare", secret="spare-secret", register=True)


def test_garbage_where_tls_should_be(d):
    for data in (b"GET / HTTP/1.1\r\n\r\n", b"\x16\x03\x01\xff\xff" + b"A" * 5000, bytes(range(256)) * 40):
        with Web(d.address("https"), tls=False) as w:
            w.send(data)
            assert b"HTTP" not in w.closed()
    with web(d) as w:
        assert w.get(f"/{token(d, phone_id(FIRST[0]))}/{FIRST[3]}").status == 200


def test_slow_clients_are_closed_side_by_side():
    with server({"timeout_s": 2, "plain_networks": ["127.0.0.0/8"], "connections_per_source": 64}) as d:
        path = f"/{token(d, phone_id(FIRST[0]))}/{FIRST[3]}"
        slow = [Web(d.address("http"), tls=False) for _ in range(20)]
        slow += [Web(d.address("https"), tls=False) for _ in range(20)]
        idle = web(d)
        served(d, path)
        begun = time.monotonic()
        for i in range(6):  # a byte now and then does not help
            for w in slow[:20]:
                try:
                    w.send(b"GET / HTTP/1.1\r\n"[i:i + 1])
                except OSError:
                    pass
            served(d, path)
            time.sleep(0.1)
        for w in [*slow, idle]:
            w.closed()
            w.close()
        assert time.monotonic() - begun < 60, "one after the other"
        assert d.admin("GET", "/v1/status")[0] == 200


def test_connections_of_a_source():
    with server({"connections_per_source": 8, "source_exempt": [], "plain_networks": ["127.0.0.0/8"]}) as d:
        path = f"/{token(d, phone_id(FIRST[0]))}/{FIRST[3]}"
        kept = []
        for _ in range(8):
            w = web(d, "http", source="127.0.0.9")
            assert w.get(path).status == 200
            kept.append(w)
        for _ in range(5):
            with web(d, "http", source="127.0.0.9") as w:
                with pytest.raises((EOFError, ConnectionError)):
                    w.get(path)
        with web(d, "http", source="127.0.0.10") as w:
            assert w.get(path).status == 200
        kept.pop().close()

        def again():
            try:
                with web(d, "http", source="127.0.0.9") as w:
                    return w.get(path).status == 200
            except (EOFError, ConnectionError):
                return False

        d.until("one place is free again", again)


def flood(address, until, queue):
    """In turns: a connection for one request, and one with hundreds of requests sent at once."""
    one = b"GET /805e0cffffff.cfg HTTP/1.1\r\nHost: x\r\n\r\n"
    counts = {"offered": 0, "answered": 0, "cut": 0}
    while not counts["offered"] or time.monotonic() < until:
        for n in (1, 500):
            s, got = socket.socket(), b""
            try:
                s.settimeout(DEADLINE)
                s.connect(address)
                s.sendall(one * n)
                counts["offered"] += n
                while got.count(b"HTTP/1.1 ") < n and (data := s.recv(1 << 20)):
                    got += data
            except OSError:
                pass
            counts["cut"] += got.count(b"HTTP/1.1 ") < n
            counts["answered"] += got.count(b"HTTP/1.1 401 ")
            s.close()
    queue.put(counts)


@pytest.mark.parametrize("exempt", [[], ["127.0.0.0/8"]], ids=["limited", "exempt"])
def test_flood_does_not_touch_sip(exempt):
    """As many fetches as several processes can make; SIP and the admin socket go on."""
    with server({"source_exempt": exempt, "source_rate": 50, "source_burst": 200,
                 "plain_networks": ["127.0.0.0/8"], "failures_max": 20}) as d:
        begun = time.monotonic()
        until, queue = begun + 4, mp.Queue()
        children = [mp.Process(target=flood, args=(d.address("http"), until, queue)) for _ in range(3)]
        for c in children:
            c.start()
        rounds = 0
        phone = d.phone("spare", secret="spare-secret")
        while rounds < 3 or time.monotonic() < until:
            phone.register()
            assert d.admin("GET", "/healthz")[0] == 200
            rounds += 1
        total = {"offered": 0, "answered": 0, "cut": 0}
        for _ in children:
            for k, v in queue.get(timeout=60).items():
                total[k] += v
        for c in children:
            c.join()
        passed = time.monotonic() - begun
        total["offered_per_s"] = round(total["offered"] / passed)
        print(total, rounds)
        if not exempt:  # the burst, and the rate
            assert total["answered"] <= 200 + 50 * (passed + 1), total
            assert total["cut"] > 0
        else:
            assert total["answered"] == total["offered"], total
        with web(d) as w:
            assert w.get(f"/{token(d, phone_id(FIRST[0]))}/{FIRST[3]}", headers=["Connection: close"]).status in (
                200, 429)


def test_descriptor_limit():
    """Nearly no descriptors: phones wait, the admin socket and SIP do not, and it ends by itself."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    d = server({"plain_networks": ["127.0.0.0/8"], "timeout_s": 3})
    resource.setrlimit(resource.RLIMIT_NOFILE, (200, 200 if hard == resource.RLIM_INFINITY else hard))
    try:
        d.start()
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    try:
        resource.prlimit(d.process.pid, resource.RLIMIT_NOFILE, (200, 200))
        path = f"/{token(d, phone_id(FIRST[0]))}/{FIRST[3]}"
        hogs = []
        for _ in range(300):
            s = socket.socket()
            s.connect(d.address("http"))
            hogs.append(s)
        assert d.admin("GET", "/v1/status")[0] == 200
        d.phone("spare", secret="spare-secret", register=True)

        for s in hogs:
            s.close()
        served(d, path, "http")
    finally:
        d.stop()
