"""`vla-ros bench safety`: the form of the page, and what is true on every machine."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from vla_ros.cli import main
from vla_ros.lab.bench import safety
from vla_ros.lab.bench.cost import STAGES

ROOT = Path(__file__).parents[4]


def test_a_quick_run_shows_every_table(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(safety, "QUICK_TICKS", 40)
    monkeypatch.setattr(safety, "QUICK_S", 0.1)
    file = tmp_path / "bench.json"
    with pytest.raises(SystemExit) as stopped:
        main.main(["bench", "safety", "--quick", "--json", str(file)])
    out = capsys.readouterr().out
    assert stopped.value.code == 0
    results = json.loads(file.read_text())
    assert len(results["costs"]) == 4
    for stages in results["costs"].values():
        assert [each["stage"] for each in stages] == list(STAGES)
        assert all(0 < each["median_us"] <= each["p99_us"] <= each["largest_us"] for each in stages)
    assert list(results["groups"]) == [
        "limits of joints",
        "+ effort",
        "+ fence and table",
        "+ self-collision",
        "+ speed of bodies",
        "+ 10 far balls",
        "+ audit log",
    ]
    assert [each["ticks"] > 0 for each in results["punctuality"].values()] == [True, True]
    assert results["memory"]["accepted"] > 0
    headings = [line for line in out.splitlines() if line.startswith(("#", "| |", "| condition", "| with"))]
    assert len(headings) == 10
    published = (ROOT / "docs" / "bench.md").read_text().splitlines()
    assert [line for line in headings if line not in published] == []


@pytest.mark.parametrize(
    "arguments",
    [
        ["--ticks", "5"],
        ["--seconds", "0"],
        ["--seconds", "nan"],
        ["--quick", "--docs"],
        ["--json", "/nowhere/bench.json"],
    ],
)
def test_senseless_lengths_are_refused(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as stopped:
        main.main(["bench", "safety", *arguments])
    assert stopped.value.code == 2
    assert capsys.readouterr().err.count("\n") == 1
