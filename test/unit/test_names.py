"""One name for one thing: class names are unique in the package, and files are named for what they hold."""

from __future__ import annotations

import ast
from collections import defaultdict

import pytest

from test.unit.test_rooms import PACKAGE, modules

NAMELESS = ("parameters", "command", "utils", "common", "helpers", "manager", "base", "misc")
"""Words that say nothing of what a file holds. The one `parameters.py` is the ground's: how parameters are declared."""


def test_class_names_are_unique() -> None:
    found = defaultdict(list)
    for name, path in modules().items():
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.ClassDef):
                found[node.name].append(name)
    assert {name: places for name, places in found.items() if len(places) > 1} == {}


@pytest.mark.parametrize("stem", NAMELESS)
def test_files_are_named_for_what_they_hold(stem: str) -> None:
    found = [path.relative_to(PACKAGE).as_posix() for path in PACKAGE.rglob(f"{stem}.py")]
    assert found == (["parameters.py"] if stem == "parameters" else [])
