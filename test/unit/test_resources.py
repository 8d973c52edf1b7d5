"""The packaged files are found beside the code."""

from __future__ import annotations

from pathlib import Path

from vla_ros.resources import share

ROOT = Path(__file__).parents[2]


def test_a_checkout_uses_its_own_files() -> None:
    assert share() == ROOT
    assert (share() / "config" / "sim.yaml").is_file()
