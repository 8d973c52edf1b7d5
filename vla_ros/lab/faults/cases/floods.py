"""Floods of the filter's inputs: how long the e-stop takes while somebody sends too much."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator

from vla_ros.lab.faults.case import FaultCase
from vla_ros.lab.faults.reaction import ESTOP, ExpectedReaction
from vla_ros.lab.faults.rest_bounds import RestBounds
from vla_ros.lab.faults.rig import FaultRig
from vla_ros.lab.faults.swing import SWING_HZ
from vla_ros.safety.geometry.obstacle_shape import Obstacle

PRESSES, PRESSES_OF_TWO = 30, 5
SECOND_BUTTONS = ("releases",)
"""Floods that end for each reset, which is refused while there are two buttons."""
RESET_S = 10.0
LATENCY_S = 0.02
"""From the press to the first output that brakes; the 99th percentile."""
CAPSULES = 16
FLOODS = {
    "parameters": "requests of 200 000 parameters",
    "joint_states": "joint states with 200 000 foreign names, 10 times a second",
    "markers": "lists of 10 000 obstacles, 10 times a second",
    "setpoints": "setpoints and overrides with 200 000 joints, 10 times a second",
    "releases": "another e-stop button says “not pressed” 1000 times a second",
    "switches": "speed scale, heartbeat and dead-man switch, 1000 times a second each",
    "requests": "calls of arm and disarm, 200 times a second each",
}


class MovingCapsules(list[Obstacle]):
    """Sixteen capsules about the arm, all of which have moved and turned whenever they are looked at."""

    def __iter__(self) -> Iterator[Obstacle]:
        now_s = time.monotonic()
        turn = 0.0, 0.0, math.sin(now_s / 2), math.cos(now_s / 2)
        for i in range(CAPSULES):
            xyz = 0.9 + 0.03 * math.sin(5 * now_s + i), -0.4 + 0.05 * i, 0.6 + 0.05 * math.cos(3 * now_s + i)
            yield Obstacle(f"hand {i}", "base", "capsule", (0.05, 0.2), xyz, turn)


def press(rig: FaultRig, kind: str = "") -> None:
    """Press the e-stop again and again, at all moments of the filter's period; kind: of a flood that runs."""
    rig.mark_fault()
    latencies_s = [rig.time_estop()]
    for k in range(1, PRESSES_OF_TWO if kind in SECOND_BUTTONS else PRESSES):
        if kind in SECOND_BUTTONS:
            rig.set_input_flood("")
        rig.set_estop(False)
        rig.run_for(RESET_S, lambda: rig.call_filter("reset")[0])
        if kind in SECOND_BUTTONS:
            rig.set_input_flood(kind)
        rig.run_for(0.001 * (k % 10))
        latencies_s.append(rig.time_estop())
    rig.record_estops(latencies_s)


def press_in_flood(kind: str) -> Callable[[FaultRig], None]:
    """Press while a process floods an input; the arm holds, since most of these inputs may have one publisher only."""

    def inject(rig: FaultRig) -> None:
        rig.set_input_flood(kind)
        press(rig, kind)

    return inject


def press_among_capsules(rig: FaultRig) -> None:
    """Press while all obstacles move, first in motion."""
    rig.obstacles = MovingCapsules()
    rig.run_for(1.0 / SWING_HZ)
    press(rig)


def cases(bounds: RestBounds) -> Iterator[FaultCase]:
    """Yield the cases of this file."""
    stop = ExpectedReaction(("estop",), ESTOP, says="e-stop brakes", estop_s=LATENCY_S)
    for kind, fault in FLOODS.items():
        yield FaultCase(f"flood-{kind.replace('_', '-')}", fault, stop, press_in_flood(kind), start="holding")
    yield FaultCase("flood-capsules", f"{CAPSULES} capsules move 33 times a second", stop, press_among_capsules)
