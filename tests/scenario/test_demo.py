"""scripts/demo: real softphones do the main job, and what is not so is said."""

import shutil
import subprocess

import pytest
from support.daemon import SOURCE, Daemon
from support.softphone import baresip

pytestmark = pytest.mark.skipif(not baresip() or not shutil.which("sipp"),
                                reason="baresip-core or sip-tester is not installed")


def demo(*args):
    return subprocess.run([SOURCE / "scripts/demo", *args], capture_output=True, text=True, timeout=150,
                          check=False)


def directory(pin="471147"):
    return (SOURCE / "conf/demo-directory.yaml").read_text().replace("471147", pin)


class DemoDaemon(Daemon):
    """With the configuration of scripts/run, on free ports."""

    def write_conf(self):
        text = (SOURCE / "conf/demo.yaml").read_text()
        assert text.count(":5060\n") == 2
        (self.folder / "hotdeskd.yaml").write_text(text.replace(":5060\n", ":0\n"))
        (self.folder / "demo-directory.yaml").write_text((self.folder / "directory.yaml").read_text())


def daemon(**more):
    return DemoDaemon(directory=directory(**more))


def test_with_a_daemon_of_its_own():
    run = demo("--own")
    assert run.returncode == 0 and "every step was proved" in run.stdout, run.stdout[-6000:] + run.stderr


def test_twice_with_a_daemon_that_runs():
    with daemon() as d:
        for _ in range(2):
            run = demo("--status", d.folder / "status.json")
            assert run.returncode == 0 and "every step was proved" in run.stdout, run.stdout[-6000:] + run.stderr
        assert d.sessions() == {}


def test_says_what_is_not_proved():
    with daemon(pin="471148") as d:
        run = demo("--status", d.folder / "status.json")
    assert run.returncode == 1, run.stdout[-6000:] + run.stderr
    assert "expected 200 to the login code" in run.stderr and "403" in run.stderr, run.stderr
    assert "every step" not in run.stdout


def test_no_daemon(tmp_path):
    run = demo("--status", tmp_path / "status.json")
    assert run.returncode == 1 and "no daemon runs" in run.stderr
