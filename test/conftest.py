"""Every test run talks on a ROS domain of its own, on this machine only, and computes with one thread."""

from __future__ import annotations

import os
from collections.abc import Callable

import pytest
from hypothesis import HealthCheck, settings

if "PYTEST_XDIST_WORKER" in os.environ:  # it has inherited the domain of all workers
    os.environ.pop("ROS_DOMAIN_ID", None)
os.environ.setdefault("ROS_DOMAIN_ID", str(os.getpid() % 100 + 1))
os.environ.setdefault("ROS_AUTOMATIC_DISCOVERY_RANGE", "LOCALHOST")
os.environ.setdefault("OMP_NUM_THREADS", "1")

# A slow machine is no finding.
settings.register_profile("patient", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("patient")


@pytest.fixture
def judged(record_property: Callable[[str, object], None]) -> Callable[[str], None]:
    """Make a line of the run's summary of what the test has judged; it is told although the test passes."""
    return lambda line: record_property("judged", line)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    for report in terminalreporter.getreports("passed"):
        for name, line in report.user_properties:
            if name == "judged":
                terminalreporter.write_line(line)
