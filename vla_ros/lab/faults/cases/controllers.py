"""Faults of the arm's controller: it is switched off, falls silent, or executes at another speed."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from vla_ros.lab.faults.case import FaultCase
from vla_ros.lab.faults.reaction import PROTECTIVE, ExpectedReaction
from vla_ros.lab.faults.rest_bounds import RestBounds
from vla_ros.lab.faults.rig import FaultRig

NAME = "controller_state"
STATE_S = 0.04
"""Between two states of a controller at 50 Hz, and their way through the rig."""
NOTICED_S = 0.5
"""Beyond the timeout."""


def switch_off(wait_s: float) -> Callable[[FaultRig], None]:
    """Deactivate the arm's controller and let the graph run on."""

    def inject(rig: FaultRig) -> None:
        rig.set_controller_active(False)
        rig.run_for(wait_s)

    return inject


def fall_silent(rig: FaultRig) -> None:
    """Let the controller's state no longer come."""
    rig.controller_silent = True


def slow_down(rig: FaultRig) -> None:
    """Let the controller say that it executes at half of the speed."""
    rig.controller_scaling = 0.5


def cases(bounds: RestBounds) -> Iterator[FaultCase]:
    """Yield the cases of this file."""
    # Its drives stop at once, wherever they are: the filter cannot help it, but it does not go on.
    off = ExpectedReaction(("tracking_error", NAME), PROTECTIVE, limits=False)
    wait_s = bounds.controller_state_timeout + NOTICED_S
    yield FaultCase("controller-off", "the arm's controller is deactivated", off, switch_off(wait_s))
    yield FaultCase(
        "controller-off-at-rest",
        "the arm's controller is deactivated while the arm is held",
        ExpectedReaction((NAME,), PROTECTIVE, limits=False),
        switch_off(wait_s),
        start="holding",
    )
    yield FaultCase(
        "controller-silent",
        "the controller executes and no longer tells its state",
        ExpectedReaction((NAME,), PROTECTIVE, rest_s=bounds.at_once + bounds.controller_state_timeout + STATE_S),
        fall_silent,
    )
    yield FaultCase(
        "controller-slow",
        "the controller says that it executes at half of the speed",
        ExpectedReaction((NAME,), PROTECTIVE, rest_s=bounds.at_once + STATE_S),
        slow_down,
    )
