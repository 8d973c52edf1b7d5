"""Monitors that hold the arm are named ones."""

from __future__ import annotations

import pytest

from test.unit.monitors.watching import monitors
from vla_ros.monitors.monitor_parameters import MONITORS
from vla_ros.parameters import ParameterError


def test_an_unknown_monitor_is_named() -> None:
    with pytest.raises(ParameterError, match=r"hold: there is no monitor 'boredom'; there are drift, "):
        monitors(hold=["boredom"])
    assert set(MONITORS) == {"drift", "disagreement", "failure", "oscillation", "progress"}
