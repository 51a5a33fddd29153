"""scripts/demo against a daemon of its own: real softphones do the main job."""

import os
import shutil
import subprocess

import pytest

from support.daemon import SOURCE


@pytest.mark.skipif(not shutil.which("baresip") or not shutil.which("sipp"),
                    reason="baresip-core or sip-tester is not installed")
def test_demo():
    run = subprocess.run([SOURCE / "scripts/demo", "--own"], capture_output=True, text=True, timeout=150,
                         env=dict(os.environ, HD_NO_INSTALL="1"), check=False)
    assert run.returncode == 0 and "every step was proved" in run.stdout, run.stdout[-6000:] + run.stderr
