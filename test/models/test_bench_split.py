"""The bench of the halves runs, and what it tells is plausible."""

from __future__ import annotations

from pathlib import Path

import pytest

pytest.importorskip("lerobot")

from vla_ros.lab.bench import random_checkpoint, split


def test_halves_and_whole_are_measured(tmp_path: Path) -> None:
    options = random_checkpoint.save("smolvla", "tiny", tmp_path / "policy")
    options |= {"checkpoint": str(tmp_path / "policy"), "binding": {"rate_hz": 30.0}, "threads": 1}
    results = split.measure("smolvla", options, 1, whole=True)
    assert 0 < results["system1"]["call_s"] < results["whole_s"] * 10
    assert results["plan_bytes"] == 4 * 2 * 2 * results["tokens"] * 16 * 4
    assert results["system1"]["weight_bytes"] + results["system2"]["weight_bytes"] < 10e6
    assert "times the whole model's" in split._table(results)
