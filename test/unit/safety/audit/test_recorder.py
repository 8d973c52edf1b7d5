"""A filter with a log decides as one without."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from test.unit.safety.audit.logs import adventure, recorded


def test_the_log_changes_nothing(make_bench: Any, tmp_path: Path) -> None:
    plain, logged = make_bench(), make_bench()
    recorded(logged, tmp_path)
    for bench in (plain, logged):
        adventure(bench)
    assert [repr(d) for d in plain.decisions] == [repr(d) for d in logged.decisions]
