#!/usr/bin/env python3
"""Every row of rows.txt (id, severity) has a test marked row("ID"), in one file, as ctest -R ID runs one; without
one a SHOULD or MAY row has its reason in src/sip/README.md, in a line that begins with its id."""

import pathlib
import re
import sys

HERE = pathlib.Path(__file__).resolve().parent
README = HERE.parents[1] / "src" / "sip" / "README.md"


def main():
    tested, twice = set(), set()
    for path in HERE.glob("test_*.py"):
        here = set(re.findall(r'row\("([A-Z0-9]+-[A-Za-z0-9-]+)"\)', path.read_text()))
        twice |= tested & here
        tested |= here
    reasons = set()
    if README.exists():
        reasons.update(re.findall(r"(?m)^[-|* ]*`?([A-Z0-9]+-[A-Za-z0-9-]+)", README.read_text()))
    rows = [line.split() for line in (HERE / "rows.txt").read_text().splitlines()]
    missing = [f"{row} ({severity})" for row, severity in rows
               if row not in tested and (severity == "MUST" or row not in reasons)]
    unknown = tested - {row for row, _ in rows}
    for row in missing:
        print(f"{row}: no test, and no reason in {README.name}")
    for row in sorted(unknown):
        print(f"{row}: tested, but not in rows.txt")
    for row in sorted(twice):
        print(f"{row}: in two files")
    print(f"{len(rows)} rows, {len(rows) - len(missing)} accounted for")
    return 1 if missing or unknown or twice else 0


if __name__ == "__main__":
    sys.exit(main())
