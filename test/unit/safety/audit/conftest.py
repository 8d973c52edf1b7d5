"""A closed log, and a bench whose log a real process writes."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from test.unit.safety.audit.logs import about, adventure, recorded
from vla_ros.safety.audit.log import AuditLog
from vla_ros.safety.audit.recorder import Recorder
from vla_ros.safety.safety_parameters import AuditParameters


@pytest.fixture
def log(make_bench: Any, tmp_path: Path) -> Path:
    """A folder with one closed file."""
    bench = make_bench()
    direct = recorded(bench, tmp_path / "log")
    adventure(bench)
    direct.close()
    return tmp_path / "log"


@pytest.fixture
def process(make_bench: Any, tmp_path: Path) -> Iterator[Any]:
    """A bench with a log that a real process writes."""
    bench = make_bench()
    bench.filter = Recorder(bench.filter, AuditLog(AuditParameters(str(tmp_path / "log"), 0.1, 3.0), about(bench)))
    yield bench
    bench.filter.log.close()
