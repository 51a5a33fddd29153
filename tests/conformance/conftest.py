"""Rows of RFC demands: a test says with @row("REG-01") which one it shows; --row ID runs those alone."""

import pathlib
import sys

import pytest

TESTS = pathlib.Path(__file__).resolve().parents[1]
sys.path[:0] = [str(TESTS), str(TESTS / "scenario")]


def pytest_addoption(parser):
    parser.addoption("--row", help="only the tests of this row")


def pytest_configure(config):
    config.addinivalue_line("markers", "row(id): the row of the table that this test shows")


def pytest_collection_modifyitems(config, items):
    wanted = config.getoption("--row")
    if not wanted:
        return
    chosen = [i for i in items if any(m.args[0] == wanted for m in i.iter_markers("row"))]
    config.hook.pytest_deselected(items=[i for i in items if i not in chosen])
    items[:] = chosen
