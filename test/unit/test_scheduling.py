"""Niceness of processes, and of their sessions where Linux shares the processor among those first."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

AUTOGROUP = Path("/proc/self/autogroup")
SAY = """
import os
from pathlib import Path
from vla_ros.scheduling import raise_priority
raise_priority()
group = Path("/proc/self/autogroup")
print(os.nice(0), group.read_text().split()[-1] if group.exists() else "")
"""


def said(command: list[str]) -> list[str]:
    """What SAY says in a new session that `command` leads."""
    environment = {**os.environ, "SAY": SAY, "PYTHON": sys.executable}
    return subprocess.run(
        command, env=environment, start_new_session=True, capture_output=True, text=True, check=True
    ).stdout.split()


def permitted() -> bool:
    """Whether a process may put itself before others."""
    code = "import os\ntry: os.nice(-10)\nexcept OSError: print('no')"
    return not subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout


def test_a_raised_priority_comes_before_others_or_is_lowered_where_not_permitted() -> None:
    niceness, *session = said([sys.executable, "-c", SAY])
    before = os.nice(0)
    if not permitted():
        assert int(niceness) == min(19, before + 5)
        return
    assert int(niceness) == max(-20, before - 10)
    if AUTOGROUP.exists():
        assert session == [niceness]


@pytest.mark.skipif(not AUTOGROUP.exists(), reason="this kernel does not group processes by session")
def test_somebody_elses_session_is_left_alone() -> None:
    _, session = said(["sh", "-c", 'sh -c \'"$PYTHON" -c "$SAY"; true\'; true'])
    assert session == "0"
