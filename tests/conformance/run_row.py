#!/usr/bin/env python3
"""Show one row of the table: run_row.py SCRIPT ID. A whole run of ctest has had the script's tests done in one go
(conformance_NAME) and the row's outcome written down: then that is told, once. Alone, as in ctest -R ID, the row's
tests are run."""

import os
import sys

from outcomes import folder


def main():
    script, row = sys.argv[1:]
    known = folder() / row
    if known.exists():
        text = known.read_text()
        known.unlink()
        print(text)
        return 0 if text.startswith("passed") else 1
    os.chdir(os.path.dirname(os.path.abspath(__file__)))
    os.execv(sys.executable, [sys.executable, "-B", "-m", "pytest", "-q", "-p", "no:cacheprovider", script,
                              "--row", row])


if __name__ == "__main__":
    sys.exit(main())
