"""`vla-ros policies` lists what there is, what each needs, and what is broken, without importing a model."""

from __future__ import annotations

import subprocess
import sys
from importlib.metadata import EntryPoint

import pytest

from test.unit.policies.lerobot.registered import BOUND
from vla_ros.cli.main import main
from vla_ros.cli.policies import policy_lines
from vla_ros.policies import registry


def run() -> int:
    with pytest.raises(SystemExit) as ended:
        main(["policies"])
    assert isinstance(ended.value.code, int)
    return ended.value.code


def test_policies_that_ship_are_listed_with_what_they_need(capsys: pytest.CaptureFixture[str]) -> None:
    assert run() == 0
    out = capsys.readouterr().out
    assert all(name in out for name in registry.POLICIES)
    assert "installed" in out


def test_what_is_absent_is_named_with_the_remedy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(registry.POLICIES, "bound", BOUND)  # type: ignore[arg-type]
    (line,) = [line for line in policy_lines() if line.name == "bound"]
    assert (line.package, line.state) == ("vla_ros", "absent: no_such_module")
    assert line.text == "a checkpoint; pip install it"


def test_a_package_that_is_broken_is_a_line_and_hides_no_other(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    entry = EntryPoint("mine", "no_such_package:POLICY", registry.GROUP)

    def entries(group: str, name: str = "") -> list[EntryPoint]:
        return [entry] if name in ("", "mine") else []

    monkeypatch.setattr(registry, "entry_points", entries)
    lines = {line.name: line for line in policy_lines()}
    assert lines["mine"].state == "broken" and "does not import" in lines["mine"].text
    assert lines["mine"].package == "a package without metadata"
    assert lines["scripted"].state == "installed"
    assert run() == 1
    assert "broken" in capsys.readouterr().out


def test_no_model_is_imported() -> None:
    code = (
        "import sys\nfrom vla_ros.cli.policies import policy_lines\npolicy_lines()\n"
        "print(*[name for name in ('torch', 'lerobot', 'transformers', 'onnxruntime', 'pinocchio') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == ""
