"""Every rule can be made to raise, and the exception comes from the file of the rule."""

from __future__ import annotations

import importlib
import pkgutil
import traceback
from pathlib import Path
from typing import Any

import pytest

import vla_ros.safety
from vla_ros.lab.faults.raising import AT_START, CODE, RuleFaultSwitch


def test_every_rule_has_its_code() -> None:
    modules = [
        importlib.import_module(found.name)
        for found in pkgutil.walk_packages(vla_ros.safety.__path__, "vla_ros.safety.")
        if not found.ispkg
    ]
    rules = {module.NAME for module in modules if isinstance(getattr(module, "NAME", None), str)}
    assert len(rules) > 15 and rules <= CODE.keys()
    assert set(AT_START) <= CODE.keys()


@pytest.mark.parametrize("rule", CODE)
def test_an_injected_exception_comes_from_the_file_of_the_rule(rule: str, tmp_path: Path) -> None:
    (tmp_path / "rule").write_text(rule)
    switch = RuleFaultSwitch(tmp_path / "rule")
    name, attribute_path = CODE[rule].split(":")
    module = importlib.import_module(f"vla_ros.safety.{name}")
    original: Any = module
    for attribute in attribute_path.split("."):
        original = getattr(original, attribute)
    assert callable(original)
    switched = switch.with_fault(rule, lambda: "passed", str(module.__file__))
    with pytest.raises(RuntimeError, match=f"injected into {rule}") as raised:
        switched()
    assert traceback.extract_tb(raised.value.__traceback__)[-1].filename == module.__file__
    (tmp_path / "rule").write_text("")
    switch.read()
    assert switched() == "passed"


def test_without_a_file_no_rule_raises(tmp_path: Path) -> None:
    assert RuleFaultSwitch(tmp_path / "missing").rule == ""
