"""Options of `vla-ros data` that cannot be met are refused; a check's exit code is its verdict."""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from types import SimpleNamespace

import pytest

import vla_ros.data.check
from vla_ros.cli import data
from vla_ros.parameters import ParameterError


def parsed(*options: str) -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    data.arguments(parser)
    return parser.parse_args(options)


@pytest.mark.parametrize("options", [("--episodes", "0"), ("--workers", "-1"), ("--workers", "65")])
def test_counts_that_make_no_sense_are_refused(options: tuple[str, ...], tmp_path: Path) -> None:
    with pytest.raises(ParameterError, match="at least one of each, 64 workers at most"):
        data.run(parsed("generate", "--out", str(tmp_path), *options))


@pytest.mark.parametrize("good", [True, False])
def test_the_verdict_is_printed_written_and_the_exit_code(
    good: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    report = SimpleNamespace(good=good, text=lambda: "the findings", json=lambda: {"good": good})
    monkeypatch.setattr(vla_ros.data.check, "check_dataset", lambda folder: report)
    file = tmp_path / "findings.json"
    assert data.run(parsed("check", str(tmp_path), "--json", str(file))) == (0 if good else 1)
    assert capsys.readouterr().out == "the findings\n"
    assert json.loads(file.read_text()) == {"good": good}
