"""hotdeskctl against the real daemon, with phones that notice what it does."""

import json
import os
import pathlib
import socket
import subprocess
import sys

sys.path[:0] = [str(pathlib.Path(__file__).resolve().parents[n]) for n in (1, 2)]

from steps import answer_resyncs, login, talk  # noqa: E402
from support.daemon import BUILD, Daemon  # noqa: E402
from support.sip import SDP  # noqa: E402

REFUSED, USAGE, UNREACHABLE = 1, 2, 3


def refused(d, code, why, *args, stdin=None):
    r = d.ctl(*args, check=False, stdin=stdin)
    assert r.returncode == code, f"{args}: expected {code}, got {r.returncode}\n{r.stdout}{r.stderr}"
    assert why in r.stderr and not r.stdout, f"{args}: {r.stdout}{r.stderr}"


def as_json(d, *args):
    return json.loads(d.ctl("--json", *args).stdout)


def test_status_and_metrics():
    with Daemon() as d:
        status = as_json(d, "status")
        assert status["ready"] and status["users"] == 3 and status["phones"] == 5, status
        assert status["version"] in d.ctl("-V").stdout
        assert sorted(status["listen"]) == sorted(d.status_file["listen"])
        text = d.ctl("metrics").stdout
        assert text.endswith("# EOF\n") and "hotdeskd_users 3\n" in text
        families = [line.split()[2] for line in text.splitlines() if line.startswith("# TYPE")]
        assert len(families) == len(set(families)), "a metric is there twice"
        assert d.admin("GET", "/readyz") == (200, "ready\n")


def test_keys_go_in_and_out():
    with Daemon() as d:
        assert d.ctl("user", "set-key", "201", "3", "--type", "blf", "--value", "202",
                     "--label", "Ben Öz").stdout == "user 201: key put\n"
        d.ctl("user", "set-key", "201", "0", "--type", "url", "--value", "https://door.example/")
        d.ctl("phone", "set-key", "desk-101", "1", "--type", "line")
        table = d.ctl("user", "keys", "201").stdout.splitlines()
        assert [line.split() for line in table] == [
            ["PLACE", "TYPE", "LABEL", "VALUE", "OWN"], ["3", "blf", "Ben", "Öz", "202", "-"],
            ["-", "url", "-", "https://door.example/", "-"]]
        assert "keys.1.value: 202" in d.ctl("user", "show", "201").stdout
        assert as_json(d, "phone", "keys", "desk-101")["keys"][0]["type"] == "line"
        exported = d.ctl("export").stdout
        d.ctl("user", "remove-key", "201", "3")
        refused(d, REFUSED, "not found", "user", "remove-key", "201", "3")
        refused(d, REFUSED, "value: missing", "user", "set-key", "201", "3", "--type", "blf")
        refused(d, USAGE, "expected NUMBER PLACE", "user", "set-key", "201")
        d.ctl("import", "-", stdin=exported)
        assert as_json(d, "user", "keys", "201")["keys"][0]["label"] == "Ben Öz"
        assert d.ctl("export").stdout.split("users:")[1] == exported.split("users:")[1]
        assert d.ctl("phone", "renew-token", "desk-101").stdout == "phone desk-101: token renewed\n"
        assert "violations: 0" in d.ctl("check").stdout


def test_keys_of_the_seed_survive_a_restart():
    seed = """
users:
  - {number: "201", pin: "471147", keys: [{type: blf, place: 5, value: "202"}]}
phones:
  - {id: desk-101, secret: s3cret-101, model: snom-d785}
  - {id: desk-102, secret: s3cret-102}
"""
    with Daemon(directory=seed) as d:
        shown = as_json(d, "user", "keys", "201")
        assert shown["keys"] == [{"place": 5, "type": "blf", "label": None, "value": "202"}]
        assert as_json(d, "phone", "show", "desk-101")["keeps_secret"]
        assert not as_json(d, "phone", "show", "desk-102")["keeps_secret"]
        d.kill()
        d.start()
        assert as_json(d, "user", "keys", "201") == shown
        assert as_json(d, "phone", "show", "desk-101")["keeps_secret"]
        assert b"s3cret-10" not in (d.folder / "db" / "data.mdb").read_bytes()
        assert "s3cret" not in d.log()


def test_a_desk_from_nothing():
    """Everything by hand: a phone with a generated secret, a user with a PIN from standard input."""
    with Daemon() as d:
        secret = as_json(d, "phone", "add", "desk-200", "--label", "New", "--secret", "generate")["secret"]
        d.ctl("user", "add", "301", "--name", "Dora Öz", "--pin", "-", stdin="590316\n")
        a = d.phone("desk-200", secret=secret, register=True)
        b = d.phone("desk-102", register=True)
        assert login(a, "301", "590316").status == 200
        answer_resyncs(a)
        rows = as_json(d, "session", "list")["sessions"]
        assert [(r["user"], r["phone"], r["way"]) for r in rows] == [("301", "desk-200", "invite")]
        assert "301   desk-200" in d.ctl("session", "list").stdout
        talk(b, a, "301")
        binding = as_json(d, "phone", "show", "desk-200")["bindings"][0]
        assert binding["contact"] in d.ctl("binding", "list").stdout
        for text in (secret, "590316"):
            assert text not in d.log()


def test_login_and_logout_tell_the_phones():
    with Daemon() as d:
        a, b = d.phone("desk-101", register=True), d.phone("desk-102", register=True)
        d.ctl("session", "login", "201", "desk-101")
        answer_resyncs(a)
        d.ctl("session", "login", "201", "desk-102")
        answer_resyncs(a, b)
        d.ctl("session", "logout", "--phone", "desk-102")
        answer_resyncs(b)
        assert d.sessions() == {}
        refused(d, REFUSED, "closed", "--json", "session", "login", "202", "home-201")
        refused(d, REFUSED, "user 999", "session", "login", "999", "desk-101")


def test_what_is_removed_stops_at_once():
    with Daemon() as d:
        a, b = d.phone("desk-101", register=True), d.phone("desk-102", register=True)
        d.ctl("session", "login", "201", "desk-101")
        answer_resyncs(a)
        d.ctl("phone", "remove", "desk-101")
        assert d.sessions() == {} and as_json(d, "binding", "list")["bindings"][0]["phone"] == "desk-102"
        a.register(expect=401)
        d.ctl("session", "login", "202", "desk-102")
        answer_resyncs(b)
        d.ctl("user", "remove", "202")
        answer_resyncs(b)
        call = b.call(f"sip:202@{b.domain}", SDP)
        assert call.final().status == 404
        assert d.ctl("check").stdout.startswith("sessions: 0\nviolations: 0\n")


def test_unlock():
    with Daemon() as d:
        a = d.phone("desk-101", register=True)
        for _ in range(5):
            assert login(a, "201", "000000").status == 403
        assert login(a, "201", "471147").status == 403
        assert as_json(d, "user", "show", "201")["lock"]["locked"]
        assert d.ctl("user", "unlock", "201").stdout == "user 201: unlocked\n"
        assert login(a, "201", "471147").status == 200
        answer_resyncs(a)


def test_import_export_backup(tmp_path):
    with Daemon() as d:
        before = d.ctl("export").stdout
        bad = tmp_path / "bad.yaml"
        bad.write_text('users:\n  - {number: "301"}\nphones:\n  - {id: x, owner: "999"}\n')
        refused(d, REFUSED, f"{bad}:4: x: its owner is not a user", "import", str(bad))
        assert d.ctl("export").stdout.split("users:")[1] == before.split("users:")[1]
        out = tmp_path / "out.yaml"
        d.ctl("export", str(out))
        assert "0 added, 0 changed, 8 unchanged" in d.ctl("import", str(out)).stdout
        assert "0 added, 0 changed, 8 unchanged" in d.ctl("import", str(d.folder / "directory.yaml")).stdout
        for word in ("pin", "secret:", "argon2", "471147", "s3cret"):
            assert word not in out.read_text()
        d.ctl("user", "set", "201", "--name", "Changed")
        (tmp_path / "db").mkdir()
        d.ctl("backup", str(tmp_path / "db" / "data.mdb"))
        d.ctl("user", "remove", "203", check=False)
        key = (d.folder / "master.key").read_bytes()
    # The copy is a store that a daemon runs on, PINs and all.
    (tmp_path / "master.key").write_bytes(key)
    (tmp_path / "master.key").chmod(0o600)
    with Daemon(folder=tmp_path) as d:
        assert as_json(d, "user", "show", "201")["name"] == "Changed"
        assert as_json(d, "user", "show", "203")["has_pin"]
        a = d.phone("desk-101", register=True)
        assert login(a, "201", "471147").status == 200
        answer_resyncs(a)


def test_reload():
    with Daemon() as d:
        refused(d, REFUSED, "user 301", "user", "add", "301", "--pin", "58307")
        d.conf["pin"]["length_min"] = 5
        d.write_conf()
        assert "pin.length_min" in d.ctl("reload").stdout
        d.ctl("user", "add", "301", "--pin", "58307")
        (d.folder / "hotdeskd.yaml").write_text("pin: {length_min: many}\n")
        refused(d, REFUSED, "hotdeskd.yaml:1:", "reload")
        d.ctl("status")


def test_no_daemon():
    with Daemon() as d:
        path = d.conf["admin"]["socket"]
        env = dict(os.environ, HOTDESKD_SOCKET=path)
        r = subprocess.run([BUILD / "bin/hotdeskctl", "check"], env=env, capture_output=True, text=True,
                           timeout=60, check=False)
        assert r.returncode == 0, r.stderr
        # A socket that somebody listens on is not taken over by a second daemon.
        second = subprocess.run([BUILD / "bin/hotdeskd", "--allow-root", "-c", d.folder / "hotdeskd.yaml"],
                                capture_output=True, text=True, timeout=60, check=False)
        assert second.returncode != 0
        d.ctl("check")
        d.stop()
        assert not os.path.exists(path)
        refused(d, UNREACHABLE, f"hotdeskctl: no hotdeskd at {path}: is it running? (No such file", "status")
        refused(d, USAGE, "no such command", "dance")
        d.start()
        d.kill()
        assert os.path.exists(path), "what kill -9 leaves"
        refused(d, UNREACHABLE, "is it running? (Connection refused)", "status")
        d.start()
        d.ctl("status")


def test_silent_clients_do_not_lock_others_out():
    with Daemon() as d:
        silent = []
        for _ in range(40):
            s = socket.socket(socket.AF_UNIX)
            s.connect(d.conf["admin"]["socket"])
            silent.append(s)
        d.ctl("status")
        for s in silent:
            s.close()
