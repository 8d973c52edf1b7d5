"""Every example runs in a process of its own, as a reader would run it, and says what it promises to show."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SAID = {
    "01_filter_alone.py": ("armed; holding the measured position", "TRACKING at 0.100 rad", "refused by rule schema"),
    "04_new_rule.py": ("armed; holding the measured position", "rule ceiling, code 1000: joint1 could no longer stop"),
}
"""What the output of each example holds, by name."""


@pytest.mark.parametrize("name", sorted(SAID))
def test_an_example_runs_and_shows_what_it_promises(name: str, tmp_path: Path) -> None:
    ended = subprocess.run(
        [sys.executable, str(ROOT / "examples" / name)],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert ended.returncode == 0, ended.stderr
    for text in SAID[name]:
        assert text in ended.stdout, ended.stdout
