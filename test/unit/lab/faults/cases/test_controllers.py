"""Faults of the arm's controller."""

from __future__ import annotations

import pytest

from test.unit.lab.faults.fake_rig import CASES, injected
from vla_ros.lab.faults.graphs import FILTER_PARAMETERS


@pytest.mark.parametrize("name", ["controller-off", "controller-off-at-rest"])
def test_it_is_switched_off_for_longer_than_the_filter_waits(name: str) -> None:
    switched, waited = injected(name).calls
    assert switched == ("set_controller_active", False)
    assert waited[1] > FILTER_PARAMETERS["controller.state_timeout_s"]
    assert not CASES[name].expected.limits, "its drives stop at once, and the filter cannot help it"


def test_a_controller_that_executes_is_braked_within_the_limits() -> None:
    assert injected("controller-silent").controller_silent
    assert injected("controller-slow").controller_scaling == 0.5
    silent, slow = (CASES[name].expected for name in ("controller-silent", "controller-slow"))
    assert silent.limits and slow.limits
    assert silent.rest_s - slow.rest_s == pytest.approx(FILTER_PARAMETERS["controller.state_timeout_s"])
