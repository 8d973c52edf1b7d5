"""Names are imported when they are used, and not before."""

from __future__ import annotations

import importlib
import subprocess
import sys

import pytest

from test.unit.test_rooms import modules


def test_a_name_is_imported_when_it_is_used() -> None:
    loaded = "'pinocchio' in sys.modules"
    code = f"import sys, vla_ros.robot as r; assert not {loaded}; r.Kinematics; assert {loaded}"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_an_unknown_name_is_named_with_its_package() -> None:
    with pytest.raises(AttributeError, match=r"'vla_ros.robot' has no attribute 'Gripper'"):
        importlib.import_module("vla_ros.robot").Gripper  # noqa: B018


@pytest.mark.parametrize("package", sorted(name for name, path in modules().items() if path.name == "__init__.py"))
def test_every_public_name_is_there(package: str) -> None:
    module = importlib.import_module(package)
    for name in getattr(module, "__all__", ()):
        if (package, name) == ("vla_ros.lab.training", "Trainer"):
            pytest.importorskip("torch")
        assert getattr(module, name) is not None
        assert name in dir(module)
