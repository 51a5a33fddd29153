"""scripts/bench works: every server is driven, every figure comes out. It proves no speed."""
import json
import os
import pathlib
import shutil
import subprocess

import pytest

BUILD = pathlib.Path(os.environ["HD_BUILD"])
SOURCE = pathlib.Path(os.environ["HD_SOURCE"])
KEYS = ["register_us", "register_us_kamailio", "call_us", "call_us_kamailio", "call_us_floor",
        "rss_kb", "rss_kb_kamailio", "login_p99_ms", "machine"]


@pytest.mark.skipif(bool(os.environ.get("HD_SANITIZE")), reason="nothing to compare in this build")
@pytest.mark.skipif(not shutil.which("kamailio") or not shutil.which("sipp"),
                    reason="kamailio or sipp is not installed")
def test_smoke(tmp_path):
    """A few requests to each of the three."""
    figures = tmp_path / "figures.json"
    run = subprocess.run(
        [str(SOURCE / "scripts" / "bench"), "--smoke", "--build", str(BUILD), "--json",
         str(figures), "--folder", str(tmp_path)],
        capture_output=True, text=True, timeout=200, check=False)
    assert run.returncode == 0, run.stdout + run.stderr
    found = json.loads(figures.read_text())
    assert list(found) == KEYS
    assert found.pop("machine")
    for key, value in found.items():
        assert isinstance(value, (int, float)), f"{key}: {value}"
        assert value > 0 or key == "login_p99_ms", f"{key}: {value}"
    for title in ("registration, CPU us", "call, CPU us", "login, INVITE to 200"):
        assert title in run.stdout


def test_wrong_server():
    """An unknown name is refused before anything starts."""
    run = subprocess.run([str(SOURCE / "scripts" / "bench"), "--servers", "opensips"],
                         capture_output=True, text=True, timeout=60, check=False)
    assert run.returncode == 2
    assert "kamailio, hotdeskd or floor was expected" in run.stderr


@pytest.mark.parametrize("what", ["servers", "upstream"])
def test_nothing_built(tmp_path, what):
    """What is missing is said before a load runs for minutes."""
    run = subprocess.run([str(SOURCE / "scripts" / "bench"), what, "--smoke", "--build", str(tmp_path),
                          "--servers", "floor", "--folder", str(tmp_path)],
                         capture_output=True, text=True, timeout=60, check=False)
    assert run.returncode == 1 and "not built: " in run.stderr, run.stdout + run.stderr
    assert "Traceback" not in run.stderr


@pytest.mark.skipif(bool(os.environ.get("HD_SANITIZE")), reason="nothing to compare in this build")
def test_provision(tmp_path):
    """A few fetches of each kind, a few logins."""
    figures = tmp_path / "figures.json"
    run = subprocess.run(
        [str(SOURCE / "scripts" / "bench"), "provision", "--smoke", "--build", str(BUILD), "--json",
         str(figures), "--folder", str(tmp_path)],
        capture_output=True, text=True, timeout=200, check=False)
    assert run.returncode == 0, run.stdout + run.stderr
    found = json.loads(figures.read_text())
    assert all(found[kind]["per_s"] > 0 and found[kind]["bytes"] > 500
               for kind in ("https_kept", "https_new", "http_kept", "http_new")), found
    assert found["key_ms"]["n"] > 0, found
    assert "Logout, at its phone" in run.stdout


@pytest.mark.skipif(bool(os.environ.get("HD_SANITIZE")), reason="nothing to compare in this build")
@pytest.mark.skipif(not shutil.which("sipp"), reason="sipp is not installed")
def test_calls(tmp_path):
    """A short list, a few calls with recording and without."""
    figures = tmp_path / "figures.json"
    # A load generator that did not get the machine says so and measures nothing: again, then.
    for _ in range(3):
        run = subprocess.run(
            [str(SOURCE / "scripts" / "bench"), "calls", "--smoke", "--build", str(BUILD), "--json",
             str(figures), "--folder", str(tmp_path)],
            capture_output=True, text=True, timeout=200, check=False)
        if "bench: sipp" not in run.stdout + run.stderr:
            break
    assert run.returncode == 0, run.stdout + run.stderr
    found = json.loads(figures.read_text())
    assert all(found[key] > 0 for key in ("start_s", "page_ms", "page_cpu_us", "call_recorded_us", "call_us"))
