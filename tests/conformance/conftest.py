"""Rows of RFC demands: a test says with @row("REG-01") which one it shows; --row ID runs those alone."""

import pathlib
import sys

import pytest

TESTS = pathlib.Path(__file__).resolve().parents[1]
sys.path[:0] = [str(TESTS), str(TESTS / "scenario")]


import outcomes  # noqa: E402
from support import lint  # noqa: E402
from support.sip import TRAFFIC  # noqa: E402


def pytest_addoption(parser):
    parser.addoption("--row", help="only the tests of this row")
    parser.addoption("--outcomes", action="store_true", help="write down what each row's tests found, for run_row.py")


def pytest_configure(config):
    config.addinivalue_line("markers", "row(id): the row of the table that this test shows")
    config.addinivalue_line("markers", "nolint(rule, ...): rules of the wire that this test breaks with intent; "
                            "without a rule: all")
    if config.getoption("--outcomes"):
        outcomes.forget()
        config.pluginmanager.register(outcomes.Outcomes())


def pytest_collection_modifyitems(config, items):
    wanted = config.getoption("--row")
    if not wanted:
        return
    chosen = [i for i in items if any(m.args[0] == wanted for m in i.iter_markers("row"))]
    config.hook.pytest_deselected(items=[i for i in items if i not in chosen])
    items[:] = chosen


@pytest.fixture(scope="session")
def registered():
    """The Contacts that phones have registered so far, for rule LNT-15."""
    return {}


@pytest.fixture(autouse=True)
def wire(request, registered):
    """Whatever a test is about: what its phones sent and received must keep the rules of support/lint.py."""
    lint.remember(registered, TRAFFIC)
    TRAFFIC.clear()
    yield
    off = set()
    for marker in request.node.iter_markers("nolint"):
        off.update(marker.args or lint.RULES)
    found = [v for v in lint.check(TRAFFIC, registered) if v.rule not in off]
    assert not found, lint.tell(found)
