"""Power cuts: a load on the store is recorded, then possible disks are built from the recording."""

import os
import pathlib
import subprocess
import tempfile

MOVES = 4000


def run(build, images, seed=1, no_flush=False, moves=MOVES):
    """True when no image lost anything (with no_flush: when some did)."""
    tests = pathlib.Path(build) / "tests"
    with tempfile.TemporaryDirectory(prefix="hotdeskd-power-") as folder:
        log = pathlib.Path(folder) / "recording"
        # A sanitizer wants to be the first library; it is not, and need not be.
        env = dict(os.environ, HD_RECORDER_LOG=str(log), LD_PRELOAD=str(tests / "recorder.so"),
                   ASAN_OPTIONS="verify_asan_link_order=0")
        subprocess.run([tests / "crash_load", pathlib.Path(folder) / "db", str(moves)], env=env,
                       check=True, timeout=300)
        option = ["--no-flush"] if no_flush else []
        result = subprocess.run([tests / "crash_power", *option, "--seed", str(seed), log,
                                 str(images)], check=False, timeout=3600)
        return result.returncode == 0
