"""pytest -p plugin --mutant NAME: run the tests against a mutant of vla_ros/safety; nothing on disk changes.

NAME is one of `rules.RULES` ("authority/setpoint") or "operator:MODULE:NUMBER".
"""

from __future__ import annotations

import importlib.abc
import importlib.machinery
import importlib.util
import sys
from collections.abc import Sequence
from pathlib import Path
from types import CodeType, ModuleType

import pytest

from test.mutation import operators, rules

SAFETY = Path(__file__).parents[2] / "vla_ros" / "safety"


def file_of(module: str) -> Path:
    """The file of a module, given by its dotted name below vla_ros.safety."""
    return SAFETY.joinpath(*module.split(".")).with_suffix(".py")


def source(module: str) -> str:
    """Source text of a module of vla_ros.safety."""
    return file_of(module).read_text()


def mutated(name: str) -> tuple[str, CodeType]:
    """The module that a mutant changes, and its changed code.

    Raises:
        pytest.UsageError: there is no such mutant, or the code that it changes is no longer there exactly once.
    """
    if name.startswith("operator:"):
        _, module, number = name.split(":")
        for change, tree in operators.mutants(module, source(module)):
            if change.number == int(number):
                return module, compile(tree, str(file_of(module)), "exec")
        raise pytest.UsageError(f"--mutant {name}: {module} has fewer mutants")
    for mutant in rules.RULES:
        if mutant.name == name:
            text = source(mutant.module)
            if text.count(mutant.old) != 1:
                raise pytest.UsageError(
                    f"--mutant {name}: {mutant.old!r} is {text.count(mutant.old)} times in the code"
                )
            text = text.replace(mutant.old, mutant.new)
            return mutant.module, compile(text, str(file_of(mutant.module)), "exec")
    raise pytest.UsageError(f"--mutant {name}: there is none; see test/mutation/rules.py")


class Finder(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    """Loads one module of vla_ros.safety from other code. Args: module: its name there. code: what is run instead."""

    def __init__(self, module: str, code: CodeType) -> None:
        self._name = f"vla_ros.safety.{module}"
        self._origin = str(file_of(module))
        self._code = code

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> importlib.machinery.ModuleSpec | None:
        if fullname != self._name:
            return None
        return importlib.util.spec_from_file_location(fullname, self._origin, loader=self)

    def create_module(self, spec: importlib.machinery.ModuleSpec) -> None:
        return None

    def exec_module(self, module: ModuleType) -> None:
        exec(self._code, module.__dict__)


def install(name: str) -> None:
    """Put a mutant in the place of its module, which must not be imported yet."""
    module, code = mutated(name)
    assert f"vla_ros.safety.{module}" not in sys.modules, "imported before the mutant was there"
    sys.meta_path.insert(0, Finder(module, code))


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--mutant", default="", help="run against this mutant of vla_ros/safety")


@pytest.hookimpl(tryfirst=True)
def pytest_load_initial_conftests(early_config: pytest.Config) -> None:
    """Before any conftest.py, which imports the filter."""
    mutant = early_config.known_args_namespace.mutant
    if mutant:
        install(mutant)
