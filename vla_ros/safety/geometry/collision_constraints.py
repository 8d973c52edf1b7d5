"""Which rules need a model of the arm, and what do they say of a candidate? They share one model.

fence, table, keep_out, obstacle and self_collision keep distances, which `Clearance` judges together; effort_limit and
contact need the model's dynamics. Each is there only if the configuration asks for it.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping, Sequence

from numpy.typing import ArrayLike

from vla_ros.arrays import Array
from vla_ros.parameters import Faults
from vla_ros.robot.meshes import mesh_folders
from vla_ros.safety.geometry import obstacle
from vla_ros.safety.geometry.active_set import DistancePair
from vla_ros.safety.geometry.approach import Approach, Permille
from vla_ros.safety.geometry.arm_model import ArmModel
from vla_ros.safety.geometry.cartesian_speed import CartesianSpeed
from vla_ros.safety.geometry.clearance import MAX_QUERIES, Clearance, NearestPair
from vla_ros.safety.geometry.fence import Fence
from vla_ros.safety.geometry.keep_out import KeepOut
from vla_ros.safety.geometry.momentum import Momentum
from vla_ros.safety.geometry.obstacle import Obstacles
from vla_ros.safety.geometry.obstacle_shape import Obstacle
from vla_ros.safety.geometry.reduced_mode import ReducedMode
from vla_ros.safety.geometry.self_collision import SelfCollision
from vla_ros.safety.geometry.separation import Separation
from vla_ros.safety.geometry.stop_distance import StopDistance
from vla_ros.safety.geometry.table import Table
from vla_ros.safety.geometry.tool_orientation import ToolOrientation
from vla_ros.safety.joint.effort_limit import EffortLimit
from vla_ros.safety.joint.joint_limits import NANO, JointLimits
from vla_ros.safety.joint.joint_motion import JointMotion
from vla_ros.safety.measured.contact import Contact
from vla_ros.safety.measured.tcp_overspeed import TcpOverspeed
from vla_ros.safety.rules import DistanceRule, SafetyRule, configured_of
from vla_ros.safety.safety_parameters import SafetyFilterParameters
from vla_ros.safety.state import FilterState, JointStates
from vla_ros.safety.verdict import Verdict

DISTANCE_RULES: tuple[type[DistanceRule], ...] = (Fence, Table, KeepOut, Obstacles, SelfCollision)
"""Rules that keep bodies away from something. SelfCollision is the last: it measures the arm once all shapes are there."""
HELD_BY = frozenset(rule.NAME for rule in DISTANCE_RULES)
"""The arm slides along what these hold it back from."""
MODEL_RULES: tuple[type[SafetyRule], ...] = (
    *(Fence, Table, KeepOut, SelfCollision, Obstacles, EffortLimit, Contact, TcpOverspeed),
    *(CartesianSpeed, ReducedMode, StopDistance, Momentum, Separation, ToolOrientation),
)
"""Rules that need a model of the arm, in the order in which diagnostics name them."""
BY_MASSES = frozenset({EffortLimit.NAME, Contact.NAME, Momentum.NAME})
"""Rules that need the URDF's inertias, and no body."""


def configured_rules(parameters: SafetyFilterParameters) -> dict[str, bool]:
    """Return which of the rules that need a model of the arm the configuration asks for, by name."""
    return {rule.NAME: rule.configured(parameters) for rule in MODEL_RULES}


def needs_bodies(parameters: SafetyFilterParameters) -> bool:
    """Return whether a rule asks for the arm's bodies: the others need no mesh."""
    return any(on and name not in BY_MASSES for name, on in configured_rules(parameters).items())


def arm_model(urdf: str, parameters: SafetyFilterParameters, joint_names: Sequence[str]) -> ArmModel:
    """Return the model of the arm that a configuration asks for.

    Raises:
        ParameterError: all that is wrong with it: joints, links, meshes.
    """
    folders = mesh_folders(parameters.mesh_folders, parameters.urdf) if needs_bodies(parameters) else None
    return ArmModel(urdf, joint_names, parameters.tool, parameters.payload, folders)


class CollisionConstraints:
    """The model of the arm and the distances that are kept.

    arm: the model. joints_without_geometry: joints that move and carry no body, when distances are kept. srdf: pairs of links
    that may touch besides those of the configuration.

    Args:
        urdf: text of it.
        parameters: of the filter.
        limits, motions: in the order of joint_names.
        srdf: pairs of links that may touch; None: those of the configured file.

    Raises:
        ParameterError: the URDF or the configuration cannot be used; see the rules.
    """

    def __init__(
        self,
        urdf: str,
        parameters: SafetyFilterParameters,
        limits: Sequence[JointLimits],
        motions: Sequence[JointMotion],
        srdf: Sequence[tuple[str, str]] | None = None,
    ) -> None:
        self.arm = arm = arm_model(urdf, parameters, [joint.name for joint in limits])
        self.srdf: Sequence[tuple[str, str]] = ()
        self._clearance: Clearance | None = None
        self._obstacles: Obstacles | None = None
        self._first_obstacle_pair = 0
        rules = configured_of(DISTANCE_RULES, parameters, limits, arm)
        pairs, faults = list[DistancePair](), Faults()
        for rule in rules:
            if isinstance(rule, SelfCollision):
                rule.srdf = srdf
            if isinstance(rule, Obstacles):
                self._obstacles, self._first_obstacle_pair = rule, len(pairs)
            with faults.collected():
                pairs += rule.distance_pairs(arm)
            if isinstance(rule, SelfCollision):
                self.srdf = rule.srdf or ()
        arm.finish_pairs()
        if rules and next(arm.moving_bodies(), None) is None:
            asked = {rule.NAME for rule in rules}
            named = ", ".join(name for name in configured_rules(parameters) if name in asked)
            faults.found.append(
                f"{named}: no link that the joints move has a <collision> element in the URDF, so nothing is kept away from "
                "anything; give the links bodies, or the tool (tool.capsules)"
            )
        self._own_pairs = [pair for pair in pairs if pair.rule == SelfCollision.NAME]
        self._allowed = parameters.self_collision.allowed
        if parameters.home.position:
            faults.found += self._faults_at_home(pairs, parameters.home.position)
        faults.refuse()
        self.joints_without_geometry = arm.joints_without_geometry() if rules else []
        if pairs:
            self._clearance = Clearance(arm, pairs, motions)
        self._approach = Approach(limits, parameters.period_s)

    def _faults_at_home(self, pairs: Sequence[DistancePair], home: ArrayLike) -> Iterator[str]:
        """Yield what keeps the arm from standing at home.position, (n,) rad or m."""
        if touching := self._touching(home):
            yield f"self_collision.allowed: at home.position {self._remedy(touching)}"
        for pair in pairs:
            if pair.rule in (SelfCollision.NAME, Obstacles.NAME):  # obstacles come later
                continue
            distance_m = self.arm.distance(pair.index)
            if distance_m < pair.margin_m:
                yield (
                    f"home.position: {pair.description} are {distance_m:.4f} m apart there, and {pair.rule}.margin_m is "
                    f"{pair.margin_m:g}, so that the arm cannot stand there; correct home.position or {pair.rule}"
                )

    def start(self, state: FilterState) -> None:
        """Begin a new `state`: no distance has been computed, and no obstacle is there."""
        if self._clearance is None:
            return
        state.distances = self._clearance.active_set.initial()
        if self._obstacles is not None:
            self._obstacles.start(self._clearance.active_set, state.distances, self._first_obstacle_pair)

    def show(self, state: FilterState) -> None:
        """Take over a state of another filter: its obstacles are put into this model of the arm."""
        if self._obstacles is not None:
            self._obstacles.show(state.obstacles, self._first_obstacle_pair)

    def update_obstacles(self, state: FilterState, receive_ns: int, obstacles: Sequence[Obstacle]) -> Verdict | None:
        """Take over a complete list of obstacles; see `Obstacles.update`."""
        if self._obstacles is None or self._clearance is None or state.distances is None:
            return Verdict(obstacle.NAME, "obstacles are not configured; set obstacle.timeout_s")
        active_set = self._clearance.active_set
        return self._obstacles.update(state.obstacles, receive_ns, obstacles, active_set, state.distances)

    def start_tick(self, state: FilterState) -> None:
        """Begin a tick; see `Clearance.start_tick`."""
        if self._clearance is not None and state.distances is not None:
            self._clearance.start_tick(state.distances, state.joints)

    def restart(self, state: FilterState) -> Verdict | None:
        """Begin where the output has been placed. Return what is wrong with it there."""
        if self._clearance is None or state.distances is None:
            return None
        found = self._clearance.restart(state.distances, state.joints)
        if found is None:
            return None
        verdict = self._distance_verdict(state, *found)
        if found[0].rule != SelfCollision.NAME:
            return verdict
        touching = self._touching([joint.q / NANO for joint in state.joints])
        return dataclasses.replace(verdict, reason=f"where the arm stands {self._remedy(touching)}")

    def speed_permille(self, state: FilterState) -> tuple[int, DistancePair | None]:
        """Return how much of the speed limits the nearest pair leaves; see `Clearance.speed_permille`."""
        if self._clearance is None or state.distances is None:
            return 1000, None
        return self._clearance.speed_permille(state.distances, state.joints)

    def violation(self, state: FilterState, before: JointStates) -> Verdict | None:
        """Refuse the candidate that the joints are at; see `Clearance.violation`."""
        if self._clearance is None or state.distances is None:
            return None
        found = self._clearance.violation(state.distances, state.joints, before)
        return None if found is None else self._distance_verdict(state, *found)

    def held(self, state: FilterState, verdict: Verdict) -> None:
        """A step was refused: from now on the arm slides along what holds it back, if that is a distance."""
        if state.distances is not None and verdict.rule in HELD_BY:
            state.distances.slides = True

    def slides(self, state: FilterState) -> bool:
        """Return whether the arm was held back by a distance, and is still near it."""
        return state.distances is not None and state.distances.slides

    def slide_permille(self, state: FilterState, rates: Array, now: Array) -> tuple[Permille, DistancePair | None]:
        """Return what of the joints' rates lets the arm slide along what holds it back; see `Clearance.slide_permille`."""
        assert self._clearance is not None and state.distances is not None
        return self._clearance.slide_permille(state.distances, state.joints, rates, now, self._approach)

    def deviation(
        self, state: FilterState, measured: Sequence[int], tolerance_m: float
    ) -> tuple[str, float, float] | None:
        """Return what the measured arm is too near to, its distance and the margin, m; see `Clearance.deviation`."""
        if self._clearance is None or state.distances is None:
            return None
        found = self._clearance.deviation(state.distances, state.joints, measured, tolerance_m)
        if found is None:
            return None
        pair, distance_m = found
        return self.describe(state, pair), round(distance_m, 6), pair.margin_m

    def arm_moved(self, state: FilterState, steps: Sequence[int]) -> None:
        """Take note that the output has moved by `steps`, nanoradian or nanometre per joint."""
        if self._clearance is not None and state.distances is not None:
            self._clearance.arm_moved(state.distances, steps)

    def nearest(self, state: FilterState) -> NearestPair | None:
        """Return the pair nearest to its margin."""
        if self._clearance is None or state.distances is None:
            return None
        return self._clearance.nearest(state.distances, state.joints)

    def describe(self, state: FilterState, pair: DistancePair) -> str:
        """Return whose distance it is, for people: an obstacle by its id."""
        if pair.rule != obstacle.NAME or self._obstacles is None:
            return pair.description
        return pair.description.replace("an obstacle", f"obstacle {self._obstacles.id_of(state.obstacles, pair)!r}")

    def _touching(self, q: ArrayLike) -> dict[str, float]:
        """Return the links of the arm, "a and b", that are inside their margin at q, (n,) rad or m, and their distance, m."""
        self.arm.place(q)
        found: dict[str, float] = {}
        for pair in self._own_pairs:
            distance_m = self.arm.distance(pair.index)
            if distance_m < pair.margin_m:
                found[pair.description] = min(distance_m, found.get(pair.description, distance_m))
        return found

    def _remedy(self, touching: Mapping[str, float]) -> str:
        """The line of the configuration that allows links to be inside their margin, and how near they are."""
        allowed = [*self._allowed, *(links.replace(" and ", " ") for links in touching)]
        told = ", ".join(f"{links}: {distance_m:.4f} m" for links, distance_m in touching.items())
        return (
            f"links are nearer to each other than self_collision.margin_m; if they may be, write in safety_filter: "
            f"self_collision: {{allowed: [{', '.join(allowed)}]}} ({told})"
        )

    def _distance_verdict(self, state: FilterState, pair: DistancePair, distance_m: float) -> Verdict:
        description = self.describe(state, pair)
        reason = f"{description}: {distance_m:.4f} m apart on the way to rest; {pair.margin_m:.4f} m are kept"
        if distance_m >= pair.margin_m:
            proof = f"the {MAX_QUERIES} distances that a tick may take"
            reason = f"{description}: the way to rest is not proved clear with {proof}"
        # Rounded: the last bits of a distance are the processor's, and a replay on another one compares them.
        return Verdict(pair.rule, reason, requested=round(distance_m, 6), limit=pair.margin_m)
