"""What the tests of a script found, row by row, for run_row.py: a file per row in a folder of this run of ctest."""

import os
import pathlib
import shutil


def started(pid):
    """When a process began, in clock ticks since the boot: with its id it names it for good. None: there is none."""
    try:
        stat = pathlib.Path(f"/proc/{pid}/stat").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return None
    return stat.rpartition(")")[2].split()[19]


def folder():
    """That of the ctest we are a child of."""
    ctest = os.getppid()
    return pathlib.Path(os.environ["HD_BUILD"], "rows", f"{ctest}-{started(ctest)}")


def forget():
    """Remove the folders of runs that have ended."""
    for old in folder().parent.glob("*-*"):
        pid, _, then = old.name.partition("-")
        if started(pid) != then:
            shutil.rmtree(old, ignore_errors=True)


class Outcomes:
    """A plugin of pytest."""

    def __init__(self):
        self.rows = {}

    def pytest_runtest_makereport(self, item, call):
        for mark in item.iter_markers("row"):
            found = self.rows.setdefault(mark.args[0], [])
            if call.excinfo and call.excinfo.typename != "Skipped":
                found.append(f"{item.nodeid}, {call.when}:\n{item.repr_failure(call.excinfo)}")

    def pytest_sessionfinish(self):
        where = folder()
        where.mkdir(parents=True, exist_ok=True)
        for row, found in self.rows.items():
            (where / row).write_text("\n".join(found) or "passed with its script")
