"""A filter with a perfect arm: the simulated arm's configuration, obstacles, and a clock that advances with the ticks."""

from __future__ import annotations

import contextlib
import dataclasses
import math
import random
import tempfile
from collections.abc import Iterator, Sequence

import numpy as np

from vla_ros.bringup.safety_configuration import safety_configuration
from vla_ros.oracle import Oracle, ball
from vla_ros.safety.audit.log import AuditLog
from vla_ros.safety.audit.recorder import Recorder
from vla_ros.safety.command.setpoint import Setpoint
from vla_ros.safety.decision import Decision
from vla_ros.safety.filter import SafetyFilter
from vla_ros.safety.geometry.obstacle_shape import Obstacle
from vla_ros.safety.safety_parameters import SafetyFilterParameters
from vla_ros.safety.verdict import Verdict
from vla_ros.sim.arm_description import HOME, JOINT_NAMES
from vla_ros.time import NS_PER_S

START = np.round(HOME, 9)
"""The arm is armed here, rad or m; whole nanoradians, as the filter sends them."""
CLOCK_OFFSET_NS = 10**18
"""Between the clock of the stamps and the monotonic clock."""
BEGIN_NS = 10**12
SETPOINT_NS = 10_000_000
"""From setpoint to setpoint."""
OBSTACLE_TICKS = 8
OBSTACLES = 10
DELAY_S = 0.028
"""Two periods of the setpoints, a tick, transport."""
REST_TICKS = 300
"""After so many ticks without a setpoint the arm stands still."""
FAR_M = 1.6
"""Out of the arm's reach."""
NEAR_M = (0.05, 0.09)
"""Range of the smallest distance between a near obstacle and the arm over the whole motion."""
RADIUS_M = 0.04


def full_configuration() -> tuple[SafetyFilterParameters, str]:
    """Return config/sim.yaml with an obstacle feed, and the URDF: every rule is on.

    Positions are sent, so that no controller has to be entered: what the controller makes of them is `bench controller`.
    The rig stamps its setpoints when it sends them, so the playback waits for the next two.
    """
    parameters, urdf = safety_configuration()
    obstacle = dataclasses.replace(parameters.obstacle, timeout_s=0.5)
    controller = dataclasses.replace(parameters.controller, type="forward_position")
    command = dataclasses.replace(parameters.command, delay_s=DELAY_S)
    parameters = dataclasses.replace(parameters, obstacle=obstacle, controller=controller, command=command)
    return parameters.without_monitor(), urdf


def without_rules(parameters: SafetyFilterParameters, *groups: str) -> SafetyFilterParameters:
    """Return the parameters with groups of rules switched off: environment, self_collision, effort, speed, obstacle."""
    off = {
        "environment": {
            "fence": dataclasses.replace(parameters.fence, box=[], planes=[]),
            "table": dataclasses.replace(parameters.table, height_m=[]),
            "keep_out": dataclasses.replace(parameters.keep_out, boxes=[]),
        },
        "self_collision": {"self_collision": dataclasses.replace(parameters.self_collision, check=False)},
        "effort": {"effort": dataclasses.replace(parameters.effort, check=False)},
        "speed": {"cartesian_speed": dataclasses.replace(parameters.cartesian_speed, limit_m_s=0.0, links=[])},
        "obstacle": {"obstacle": dataclasses.replace(parameters.obstacle, timeout_s=0.0)},
    }
    for group in groups:
        parameters = dataclasses.replace(parameters, **off[group])  # type: ignore[arg-type]
    return parameters


def with_unlimited_steps(parameters: SafetyFilterParameters) -> SafetyFilterParameters:
    """Return the parameters with a command.step so large that setpoints far from the present output are accepted."""
    return dataclasses.replace(parameters, command=dataclasses.replace(parameters.command, step=[10.0] * len(HOME)))


def sine_motion(time_s: float) -> list[float]:
    """Return the positions of a smooth motion of all joints about home, rad or m; at most half of the velocity limits."""
    sine = math.sin(1.5 * time_s)
    return [
        home + size * sine for home, size in zip(HOME.tolist(), (0.5, 0.1, 0.3, 0.1, 0.3, 0.2, 0.3, -0.01), strict=True)
    ]


def far_obstacles() -> list[Obstacle]:
    """Return ten balls around the arm, out of its reach."""
    angles = [2 * math.pi * i / OBSTACLES for i in range(OBSTACLES)]
    return [_ball(i, (FAR_M * math.cos(a), FAR_M * math.sin(a), 0.5)) for i, a in enumerate(angles)]


def near_obstacles(parameters: SafetyFilterParameters, urdf: str, seed: int) -> list[Obstacle]:
    """Return ten balls that the sine motion passes at NEAR_M, outside their margin; the oracle computes the distances."""
    oracle = Oracle(urdf, without_rules(parameters, "environment", "self_collision"))
    q = np.array([sine_motion(0.14 * i) for i in range(30)])
    rng = random.Random(seed)
    found: list[Obstacle] = []
    while len(found) < OBSTACLES:
        xyz = rng.uniform(-0.2, 0.7), rng.uniform(-0.5, 0.5), rng.uniform(0.1, 0.9)
        (nearest,) = [each for each in oracle.clearances(q, [ball(xyz, RADIUS_M)]) if each.rule == "obstacle"]
        if NEAR_M[0] < nearest.distance_m < NEAR_M[1]:
            found.append(_ball(len(found), xyz))
    return found


def _ball(i: int, xyz: tuple[float, float, float]) -> Obstacle:
    return Obstacle(f"ball {i}", "base", "sphere", (RADIUS_M,), xyz)


class FilterRig:
    """A filter, armed at home, with a perfect arm.

    Args:
        parameters, urdf: of the filter.
        obstacles: sent again every OBSTACLE_TICKS.

    Raises:
        RuntimeError: the filter refuses to arm.
    """

    def __init__(self, parameters: SafetyFilterParameters, urdf: str, obstacles: Sequence[Obstacle] = ()) -> None:
        self.filter: SafetyFilter | Recorder = SafetyFilter.from_urdf(parameters, urdf)
        self.period_ns = round(parameters.period_s * NS_PER_S)
        self.now_ns = BEGIN_NS
        self.q = START.tolist()
        self.obstacles = list(obstacles)
        self._rest = [0.0] * len(self.q)
        self._has_feed = bool(parameters.obstacle.timeout_s)
        self._ticks = self._seq = self._sent = 0
        self.now_ns -= round(parameters.measured.settle_s * NS_PER_S)
        while self.now_ns < BEGIN_NS:
            self.send_joint_state()
            self.now_ns += self.period_ns
        self.now_ns = BEGIN_NS
        self.send_joint_state()
        self.send_obstacles()
        armed, why = self.filter.arm(self.now_ns)
        if not armed:
            raise RuntimeError(why)

    def replace_obstacles(self, obstacles: Sequence[Obstacle]) -> None:
        """Wait until the arm is at rest, then replace the obstacles."""
        for _ in range(REST_TICKS):
            list(self.advance())
            self.send_joint_state()
            self.send_obstacles()
            self.tick()
        self.obstacles = list(obstacles)

    def advance(self) -> Iterator[float]:
        """Advance the clock by one tick and yield the times, s, of the setpoints that are due in it."""
        self.now_ns += self.period_ns
        self._ticks += 1
        while self._sent * SETPOINT_NS <= self.now_ns - BEGIN_NS:
            yield self._sent * SETPOINT_NS / NS_PER_S
            self._sent += 1

    def send_setpoint(self, at_s: float, positions: Sequence[float]) -> Verdict | None:
        """Send the setpoint of a time that `advance` gave; it arrives now. Return the verdict of a refusal."""
        self._seq += 1
        stamp_ns = BEGIN_NS + round(at_s * NS_PER_S)
        age_ns = self.now_ns - stamp_ns
        stamp_ns += CLOCK_OFFSET_NS
        return self.filter.command(
            Setpoint("policy", "policy", self._seq, stamp_ns, age_ns, self.now_ns, JOINT_NAMES, positions)
        )

    def send_joint_state(self) -> None:
        """Report where the arm is."""
        self.filter.joint_state(self.now_ns, JOINT_NAMES, self.q, self._rest)

    def send_obstacles(self) -> bool:
        """Send the obstacles when they are due; return whether they were."""
        due = self._has_feed and self._ticks % OBSTACLE_TICKS == 0
        if due:
            self.filter.obstacles(self.now_ns, self.obstacles)
        return due

    def tick(self) -> Decision:
        """Run one tick; the arm follows at once."""
        decision = self.filter.tick(self.now_ns)
        if decision.positions is not None:
            self.q = list(decision.positions)
        return decision


@contextlib.contextmanager
def audit_log(rig: FilterRig, parameters: SafetyFilterParameters, urdf: str) -> Iterator[None]:
    """Let the rig's filter write its audit log, as in the node, into a folder that is deleted with the block.

    Raises:
        TypeError: the rig's filter is logged already.
    """
    unlogged = rig.filter
    if not isinstance(unlogged, SafetyFilter):
        raise TypeError("the rig's filter writes a log already; leave the first block before the second")
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:  # the writer may end later
        audit = dataclasses.replace(parameters.audit, directory=folder)
        log = AuditLog(audit, {"parameters": dataclasses.asdict(parameters), "urdf": urdf})
        rig.filter = Recorder(unlogged, log)
        try:
            yield
        finally:
            rig.filter = unlogged
            log.close()
