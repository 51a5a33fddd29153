"""What a phone would get (hotdeskctl phone render), templates of one's own, their check and reload."""

import os
import pathlib
import re
import subprocess
import xml.etree.ElementTree as ElementTree

from steps import answer_resyncs, by_code, login
from support.daemon import BUILD, Daemon

DIRECTORY = """
users:
  - {number: "201", name: "Änne <Berg> & Söhne", pin: "471147", language: de,
     keys: [{place: 5, type: blf, label: Ben, value: "202"}, {type: speed-dial, value: "100"}]}
  - {number: "202", name: Ben Kaya, pin: "802615"}
phones:
  - {id: desk-101, secret: "s3cret=1", label: Desk 101, model: yealink-t46u, mac: "80:5e:0c:1a:2b:3c",
     keys: [{place: 3, type: url, label: Wiki, value: "https://wiki.example/"}]}
  - {id: desk-102, secret: s3cret-102, label: Desk 102, model: comfortel-d-600, mac: "00:09:52:00:00:01"}
  - {id: home-202, secret: s3cret-h2, label: Home, model: snom-d785, mac: "00:04:13:00:00:01", owner: "202"}
  - {id: desk-103, secret: s3cret-103, label: Desk 103}
"""


def hotdeskctl(d, *args):
    return subprocess.run([BUILD / "bin/hotdeskctl", "--socket", d.status_file["admin"], *args],
                          capture_output=True, text=True, timeout=60, check=False)


def render(d, phone, *args):
    done = hotdeskctl(d, "phone", "render", phone, *args)
    assert done.returncode == 0, done.stderr
    return done.stdout


def key(text, place):
    """What a Yealink has at a place: type, value, label."""
    return [re.search(rf"(?m)^linekey\.{place}\.{what} = (.*)$", text).group(1)
            for what in ("type", "value", "label")]


def test_login_key_and_keys_of_the_user():
    with Daemon(directory=DIRECTORY) as d:
        desk = d.phone("desk-101", register=True, secret="s3cret=1")
        free = render(d, "desk-101")
        assert key(free, 1) == ["15", "", "Desk 101"]
        assert key(free, 2) == ["16", "*770", "Login"]
        assert key(free, 3) == ["17", "https://wiki.example/", "Wiki"]
        assert key(free, 4) == key(free, 5) == ["0", "%NULL%", "%NULL%"]
        assert "account.1.label = Desk 101 - free\n" in free and "s3cret" not in free
        assert login(desk, "201", "471147").status == 200
        answer_resyncs(desk)
        there = render(d, "desk-101")
        assert key(there, 2) == ["16", "*770", "Abmelden"]
        assert key(there, 3) == key(free, 3), "the phone's own keys stay"
        assert key(there, 4) == ["13", "100", "100"] and key(there, 5) == ["16", "202", "Ben"]
        assert "account.1.label = Änne <Berg> & Söhne\n" in there and "lang.gui = German\n" in there
        assert by_code(desk, "*772").status == 200
        answer_resyncs(desk)
        assert render(d, "desk-101") == free, "nothing of the user is left"


def test_owned_and_closed():
    with Daemon(directory=DIRECTORY) as d:
        keys = ElementTree.fromstring(render(d, "home-202")).findall("functionKeys/fkey")
        assert (keys[1].get("label"), keys[1].text) == ("Ben Kaya: Login", "blf sip:*770@hotdesk.test|*770")


def test_secrets_only_when_asked_for():
    with Daemon(directory=DIRECTORY) as d:
        assert "account.1.password = ********\n" in render(d, "desk-101")
        assert "account.1.password = s3cret=1\n" in render(d, "desk-101", "--secrets")
        assert "phone desk-101: configuration shown with its secrets, uid=" in d.log()
        assert "s3cret" not in d.log()
        assert "sip_password = ********\n" in render(d, "desk-103"), "masked needs none"
        refused = hotdeskctl(d, "phone", "render", "desk-103", "--secrets")
        assert refused.returncode == 1 and "its SIP secret is not kept: give it a model" in refused.stderr
        assert hotdeskctl(d, "phone", "set", "desk-103", "--model", "grandstream-gxp2170").returncode == 0
        assert hotdeskctl(d, "phone", "set", "desk-103", "--secret", "s3cret-103").returncode == 0
        assert "<P34>s3cret-103</P34>" in render(d, "desk-103", "--secrets")


def test_files_by_name():
    with Daemon(directory=DIRECTORY) as d:
        whole = render(d, "desk-102")
        assert render(d, "desk-102", "--file", "000952000001.xml") == whole
        patch = render(d, "desk-102", "--file", "patch")
        assert render(d, "desk-102", "--file", "000952000001-keys.xml") == patch
        keys = ElementTree.fromstring(patch).findall("keys/phoneXtensions/key")
        assert [k.get("keyNumber") for k in keys] == [str(i + 1) for i in range(18)]
        assert keys[0].get("label") == "Login" and "password" not in patch
        for name in ("index", "../../etc/passwd", "000952000002.xml", "805e0c1a2b3c.cfg", ""):
            done = hotdeskctl(d, "phone", "render", "desk-102", f"--file={name}")
            assert done.returncode == 1 and "no such file" in done.stderr, name
        assert "not found" in hotdeskctl(d, "phone", "render", "nobody").stderr


def test_keys_inside_the_notify():
    """A COMfortel gets its Logout key in the NOTIFY itself, and its Login key back."""
    with Daemon(directory=DIRECTORY) as d:
        desk = d.phone("desk-102", register=True)
        for act, label in ((lambda: login(desk, "201", "471147"), "Abmelden"), (lambda: by_code(desk, "*772"), "Login")):
            assert act().status == 200
            notify = desk.request("NOTIFY")
            assert (notify.get("event"), notify.get("content-type")) == ("check-sync", "application/xml"), repr(notify)
            keys = ElementTree.fromstring(notify.body).findall("keys/phoneXtensions/key")
            assert keys[0].get("label") == label
            assert notify.body.decode() == render(d, "desk-102", "--file", "patch")
            desk.reply(notify, 200)


def test_values_of_the_configuration():
    conf = {"provision": {"server": "sip.example:5070", "transport": "tcp", "timezone": "America/New_York",
                          "ntp": "ntp.example", "login_key": "4", "login_code": "login",
                          "text_login": "{label} <->", "language": "de"},
            "plan": {"emergency": ["112", "999"]}}
    with Daemon(conf, directory=DIRECTORY) as d:
        text = render(d, "desk-101")
        for line in ("account.1.outbound_proxy.1.address = sip.example", "account.1.outbound_proxy.1.port = 5070",
                     "account.1.sip_server.1.transport_type = 1", "local_time.time_zone = -5",
                     "local_time.start_time = 3/2/7/2", "local_time.end_time = 11/1/7/2",
                     "local_time.ntp_server1 = ntp.example", "phone_setting.emergency.number = 112,999",
                     "account.1.label = Desk 101 - frei"):
            assert f"{line}\n" in text, line
        assert key(text, 4) == ["16", "*771", "Desk 101 <->"] and key(text, 2)[0] == "0"


def test_event_packages_are_switched_on_phones():
    """Both ways of each switch; the packages themselves are in test_hoteling.py and test_settings_event.py."""
    names = ("account.1.hoteling.enable", "account.1.feature_key_sync.enable")
    for conf, expected in (({}, "01"), ({"hoteling": True, "feature_sync": False}, "10")):
        with Daemon({"provision": conf}, directory=DIRECTORY) as d:
            text = render(d, "desk-101")
            assert [re.search(rf"(?m)^{re.escape(n)} = (.)$", text).group(1) for n in names] == list(expected)


def test_own_templates_and_reload(tmp_path):
    (tmp_path / "generic.cfg").write_text("mine = {{account.user}}\n")
    with Daemon({"provision": {"templates": str(tmp_path)}}, directory=DIRECTORY) as d:
        assert render(d, "desk-103") == "mine = desk-103\n"
        (tmp_path / "generic.cfg").write_text("a\nb = {{acount.user}}\n")
        broken = hotdeskctl(d, "reload")
        assert broken.returncode == 1 and "generic.cfg:2: unknown name: acount.user" in broken.stderr + broken.stdout
        assert "reload: refused, the old configuration stays" in d.log()
        assert render(d, "desk-103") == "mine = desk-103\n", "the old one stays"
        (tmp_path / "generic.cfg").write_text("again = {{phone.label}}\n")
        assert hotdeskctl(d, "reload").returncode == 0
        assert render(d, "desk-103") == "again = Desk 103\n"


def check(folder, text):
    conf = folder / "hotdeskd.yaml"
    conf.write_text(text)
    return subprocess.run([BUILD / "bin/hotdeskd", "-t", "-c", conf], capture_output=True, text=True,
                          timeout=60, check=False)


def test_check(tmp_path):
    """hotdeskd -t names the line of each mistake."""
    own = tmp_path / "own"
    own.mkdir()
    assert check(tmp_path, "provision: {templates: own}\n").returncode == 0
    (own / "snom.xml").write_text("<settings>\n{{#keys}}<k>{{colour}}</k>{{/keys}}\n{{>part}}\n</settings>\n")
    (own / "part").write_text("\n{{#closed}}{{owner.pin}}{{/closed}}\n")
    done = check(tmp_path, "provision: {templates: own}\n")
    assert done.returncode == 1
    assert f"{own}/snom.xml:2: unknown name: colour\n" in done.stderr
    assert f"{own}/part:2: unknown name: owner.pin\n" in done.stderr
    done = check(tmp_path, "provision: {timezone: Mars/Olympus}\n")
    assert done.returncode == 1 and 'provision.timezone: "Mars/Olympus": no such time zone' in done.stderr
    for line, word in (("login_key: 121", "a place from 1 to 120"), ("text_free: '{nobody}'", "{owner}"),
                       ("transport: sctp", "udp, tcp or tls"), ("server: 'a b'", "host name")):
        done = check(tmp_path, f"provision:\n  {line}\n")
        assert done.returncode == 1 and "hotdeskd.yaml:2: provision." in done.stderr and word in done.stderr, line


def test_ours_are_those_of_the_tree():
    ours = (pathlib.Path(os.environ["HD_BUILD"]) / "share/hotdeskd/provision").resolve()
    assert ours == (pathlib.Path(os.environ["HD_SOURCE"]) / "conf/provision").resolve()
