"""What the filter is measured on: the simulated arm's configuration, a perfect arm, a clock that only the ticks move."""

from __future__ import annotations

import contextlib
import dataclasses
import math
import random
import tempfile
from collections.abc import Iterator, Sequence

import numpy as np

from vla_ros.cli.check_recording import configuration
from vla_ros.oracle.oracle import Oracle
from vla_ros.oracle.surroundings import ball
from vla_ros.safety.audit.log import AuditLog
from vla_ros.safety.audit.recorder import Recorder
from vla_ros.safety.command.setpoint import Setpoint
from vla_ros.safety.filter import Decision, SafetyFilter
from vla_ros.safety.geometry.obstacle_shape import Obstacle
from vla_ros.safety.safety_parameters import SafetyFilterParameters
from vla_ros.safety.verdict import Verdict
from vla_ros.sim.arm_description import HOME, JOINT_NAMES

START = np.round(HOME, 9)
"""Where the arm is armed: whole nanoradians, as the filter sends them."""
CLOCKS_APART_NS = 10**18
BEGIN_NS = 10**12
SETPOINT_NS = 10_000_000
OBSTACLE_TICKS = 8
OBSTACLES = 10
REST_TICKS = 300
"""After so many ticks without a setpoint the arm stands still."""
FAR_M = 1.6
"""Out of the arm's reach."""
NEAR_M = (0.05, 0.09)
"""How near a near obstacle lies to the nearest body over the whole motion."""
RADIUS_M = 0.04


def whole() -> tuple[SafetyFilterParameters, str]:
    """config/sim.yaml with obstacles heard, and the URDF: everything that the filter can check."""
    parameters, urdf = configuration("sim", "", "")
    heard = dataclasses.replace(parameters.obstacle, timeout_s=0.5)
    return dataclasses.replace(parameters, obstacle=heard), urdf


def without(parameters: SafetyFilterParameters, *groups: str) -> SafetyFilterParameters:
    """The same without some groups of rules: surroundings, self_collision, effort, obstacle."""
    off = {
        "surroundings": {
            "fence": dataclasses.replace(parameters.fence, box=[], planes=[]),
            "table": dataclasses.replace(parameters.table, height_m=[]),
            "keep_out": dataclasses.replace(parameters.keep_out, boxes=[]),
        },
        "self_collision": {"self_collision": dataclasses.replace(parameters.self_collision, check=False)},
        "effort": {"effort": dataclasses.replace(parameters.effort, check=False)},
        "obstacle": {"obstacle": dataclasses.replace(parameters.obstacle, timeout_s=0.0)},
    }
    for group in groups:
        parameters = dataclasses.replace(parameters, **off[group])  # type: ignore[arg-type]
    return parameters


def anywhere(parameters: SafetyFilterParameters) -> SafetyFilterParameters:
    """The same, except that setpoints far from the present output are accepted too."""
    return dataclasses.replace(parameters, command=dataclasses.replace(parameters.command, step=[10.0] * len(HOME)))


def wave(time_s: float) -> list[float]:
    """A smooth motion of all joints about home, at most at half of their speed."""
    sine = math.sin(1.5 * time_s)
    return [
        home + size * sine for home, size in zip(HOME.tolist(), (0.5, 0.1, 0.3, 0.1, 0.3, 0.2, 0.3, -0.01), strict=True)
    ]


def far_obstacles() -> list[Obstacle]:
    """Ten balls around the arm, out of its reach."""
    turns = [2 * math.pi * i / OBSTACLES for i in range(OBSTACLES)]
    return [_ball(i, (FAR_M * math.cos(a), FAR_M * math.sin(a), 0.5)) for i, a in enumerate(turns)]


def near_obstacles(parameters: SafetyFilterParameters, urdf: str, seed: int) -> list[Obstacle]:
    """Ten balls that the arm passes closely on its wave, without touching their margin. The oracle says how closely."""
    oracle = Oracle(urdf, without(parameters, "surroundings", "self_collision"))
    q = np.array([wave(0.14 * i) for i in range(30)])
    draw = random.Random(seed)
    found: list[Obstacle] = []
    while len(found) < OBSTACLES:
        xyz = draw.uniform(-0.2, 0.7), draw.uniform(-0.5, 0.5), draw.uniform(0.1, 0.9)
        (nearest,) = [each for each in oracle.clearances(q, [ball(xyz, RADIUS_M)]) if each.rule == "obstacle"]
        if NEAR_M[0] < nearest.distance_m < NEAR_M[1]:
            found.append(_ball(len(found), xyz))
    return found


def _ball(i: int, xyz: tuple[float, float, float]) -> Obstacle:
    return Obstacle(f"ball {i}", "base", "sphere", (RADIUS_M,), xyz)


class Rig:
    """A filter, armed at home, with a perfect arm.

    Args: parameters, urdf: of the filter. obstacles: heard again every few ticks.
    """

    def __init__(self, parameters: SafetyFilterParameters, urdf: str, obstacles: Sequence[Obstacle] = ()) -> None:
        self.filter: SafetyFilter | Recorder = SafetyFilter.from_urdf(parameters, urdf)
        self.period_ns = round(parameters.period_s * 1e9)
        self.now_ns = BEGIN_NS
        self.q = START.tolist()
        self.obstacles = list(obstacles)
        self._rest = [0.0] * len(self.q)
        self._heard = bool(parameters.obstacle.timeout_s)
        self._ticks = self._seq = self._sent = 0
        self.measure()
        self.hear()
        armed, why = self.filter.arm(self.now_ns)
        if not armed:
            raise RuntimeError(why)

    def surround(self, obstacles: Sequence[Obstacle]) -> None:
        """Other obstacles, once the arm stands still."""
        for _ in range(REST_TICKS):
            list(self.due())
            self.measure()
            self.hear()
            self.tick()
        self.obstacles = list(obstacles)

    def due(self) -> Iterator[float]:
        """Advance the clock by one tick and yield the times, s, of the setpoints that are due meanwhile."""
        self.now_ns += self.period_ns
        self._ticks += 1
        while self._sent * SETPOINT_NS <= self.now_ns - BEGIN_NS:
            yield self._sent * SETPOINT_NS / 1e9
            self._sent += 1

    def command(self, at_s: float, positions: Sequence[float]) -> Verdict | None:
        """Offer the setpoint of a time that `due` gave; it arrives now."""
        self._seq += 1
        stamp_ns = BEGIN_NS + round(at_s * 1e9)
        age_ns = self.now_ns - stamp_ns
        stamp_ns += CLOCKS_APART_NS
        return self.filter.command(
            Setpoint("policy", "policy", self._seq, stamp_ns, age_ns, self.now_ns, JOINT_NAMES, positions)
        )

    def measure(self) -> None:
        """Report where the arm is."""
        self.filter.joint_state(self.now_ns, JOINT_NAMES, self.q, self._rest)

    def hear(self) -> bool:
        """Hear the obstacles, when they are due; whether they were."""
        due = self._heard and self._ticks % OBSTACLE_TICKS == 0
        if due:
            self.filter.obstacles(self.now_ns, self.obstacles)
        return due

    def tick(self) -> Decision:
        """One tick; the arm follows at once."""
        decision = self.filter.tick(self.now_ns)
        if decision.positions is not None:
            self.q = list(decision.positions)
        return decision


@contextlib.contextmanager
def logged(rig: Rig, parameters: SafetyFilterParameters, urdf: str) -> Iterator[None]:
    """The rig's filter writes its audit log, as in the node, into a folder that goes with the block."""
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:  # its writer may end later
        audit = dataclasses.replace(parameters.audit, directory=folder)
        log = AuditLog(audit, {"parameters": dataclasses.asdict(parameters), "urdf": urdf})
        bare = rig.filter
        assert isinstance(bare, SafetyFilter)
        rig.filter = Recorder(bare, log)
        try:
            yield
        finally:
            rig.filter = bare
            log.close()
