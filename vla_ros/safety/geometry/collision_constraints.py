"""Which rules need a model of the arm, and what do they say of a candidate? They share one model.

fence, table, keep_out, self_collision, obstacle, effort_limit and contact; each only if the configuration asks for it.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from vla_ros.parameters import ParameterError
from vla_ros.safety.command import deadman
from vla_ros.safety.geometry import fence, keep_out, obstacle, self_collision, table
from vla_ros.safety.geometry.active_set import DistancePair
from vla_ros.safety.geometry.arm_model import ArmModel
from vla_ros.safety.geometry.clearance import MAX_QUERIES, Clearance, NearestPair
from vla_ros.safety.geometry.obstacle import Obstacle, Obstacles
from vla_ros.safety.joint import effort_limit
from vla_ros.safety.joint.effort_limit import EffortLimit
from vla_ros.safety.joint.joint_limits import JointLimits
from vla_ros.safety.joint.joint_motion import JointMotion
from vla_ros.safety.measured import contact
from vla_ros.safety.measured.contact import Contact
from vla_ros.safety.safety_parameters import SafetyFilterParameters
from vla_ros.safety.verdict import Verdict

DISTANCE_RULES = (fence.NAME, table.NAME, keep_out.NAME, self_collision.NAME, obstacle.NAME)
"""Rules that keep bodies away from something."""


def configured_rules(parameters: SafetyFilterParameters) -> dict[str, bool]:
    """Return which of the rules that need a model of the arm the configuration asks for, by name."""
    return {
        fence.NAME: bool(parameters.fence.box or parameters.fence.planes),
        table.NAME: bool(parameters.table.height_m),
        keep_out.NAME: bool(parameters.keep_out.boxes),
        self_collision.NAME: parameters.self_collision.check,
        obstacle.NAME: bool(parameters.obstacle.timeout_s),
        effort_limit.NAME: parameters.effort.check,
        contact.NAME: bool(parameters.contact.threshold),
    }


def not_checked(parameters: SafetyFilterParameters) -> list[str]:
    """Return the names of the rules and inputs that the configuration leaves off."""
    inputs = {deadman.NAME: bool(parameters.deadman.timeout_s), "heartbeat": bool(parameters.estop.heartbeat_s)}
    return [name for name, on in (configured_rules(parameters) | inputs).items() if not on]


class CollisionConstraints:
    """All rules that need a model of the arm.

    joints_without_geometry: joints that move and carry no body, when distances are kept.

    Args:
        urdf: text of it.
        parameters: of the filter.
        limits, joints: in the order of joint_names.
        srdf: pairs of links that may touch; None: those of the configured file.

    Raises:
        ParameterError: the URDF or the configuration cannot be used; see the rules.
    """

    def __init__(
        self,
        urdf: str,
        parameters: SafetyFilterParameters,
        limits: tuple[JointLimits, ...],
        joints: Sequence[JointMotion],
        srdf: Sequence[tuple[str, str]] | None = None,
    ) -> None:
        srdf = self_collision.disabled_pairs(parameters.self_collision) if srdf is None else srdf
        self._arguments = urdf, parameters, limits, joints, srdf
        names = [joint.name for joint in limits]
        self._joints = joints
        self._arm = arm = ArmModel(urdf, names, parameters.tool, parameters.payload)
        self._clearance: Clearance | None = None
        self._obstacles = Obstacles(arm, parameters.obstacle) if parameters.obstacle.timeout_s else None
        pairs = [*fence.distance_pairs(arm, parameters.fence), *table.distance_pairs(arm, parameters.table)]
        pairs += keep_out.distance_pairs(arm, parameters.keep_out)
        first_obstacle_pair = len(pairs)
        pairs += self._obstacles.pairs if self._obstacles else []
        # Last, because it measures the arm, for which all shapes must be there.
        pairs += self_collision.distance_pairs(arm, parameters.self_collision, limits, srdf)
        arm.finish_pairs()
        asked = [name for name in DISTANCE_RULES if configured_rules(parameters)[name]]
        if asked and next(arm.moving_bodies(), None) is None:
            raise ParameterError(
                f"{', '.join(asked)}: no link that the joints move has a <collision> element in the URDF, so nothing is kept "
                "away from anything; give the links bodies, or the tool (tool.capsules)"
            )
        self.joints_without_geometry = arm.joints_without_geometry() if asked else []
        if pairs:
            self._clearance = Clearance(arm, pairs, joints)
            if self._obstacles:
                self._obstacles.start(self._clearance.active_set, first_obstacle_pair)
        self._effort = (
            EffortLimit(arm, names, joints, parameters.effort, parameters.period_s) if parameters.effort.check else None
        )
        self._contact = Contact(arm, names, parameters.contact) if parameters.contact.threshold else None

    def __getstate__(self) -> dict[str, Any]:
        parts = (self._clearance, self._obstacles, self._contact)
        return {"arguments": self._arguments, "parts": [None if part is None else part.snapshot() for part in parts]}

    def __setstate__(self, state: dict[str, Any]) -> None:
        # pinocchio's and coal's objects are made anew; what changes from tick to tick is put back.
        self.__init__(*state["arguments"])  # type: ignore[misc]
        for part, snapshot in zip((self._clearance, self._obstacles, self._contact), state["parts"], strict=True):
            if part is not None:
                part.restore(snapshot)

    def update_obstacles(self, receive_ns: int, obstacles: Sequence[Obstacle]) -> Verdict | None:
        """Take over a complete list of obstacles; see `Obstacles.update`."""
        if self._obstacles is None or self._clearance is None:
            return Verdict(obstacle.NAME, "obstacles are not configured; set obstacle.timeout_s")
        return self._obstacles.update(receive_ns, obstacles, self._clearance.active_set)

    def start_tick(self) -> None:
        """Begin a tick; see `Clearance.start_tick`."""
        if self._clearance is not None:
            self._clearance.start_tick()

    def stale(self, now_ns: int) -> Verdict | None:
        """Stop when the obstacles are not known; see `Obstacles.stale`."""
        return None if self._obstacles is None else self._obstacles.stale(now_ns)

    def check_contact(
        self, receive_ns: int, q: Sequence[float], dq: Sequence[float], ddq: Sequence[float], efforts: Sequence[float]
    ) -> Verdict | None:
        """Latch when the arm is pushed from outside; see `Contact.check`."""
        return None if self._contact is None else self._contact.check(receive_ns, q, dq, ddq, efforts)

    def restart(self) -> Verdict | None:
        """Begin where the output has been placed. Return what is wrong with it there."""
        if self._contact is not None:
            self._contact.restart()
        found = None if self._clearance is None else self._clearance.restart()
        if found is not None:
            return self._distance_verdict(*found)
        return None if self._effort is None else self._effort.check(self._joints)

    def speed_permille(self) -> tuple[int, DistancePair | None]:
        """Return how much of the speed limits the nearest pair leaves; see `Clearance.speed_permille`."""
        return (1000, None) if self._clearance is None else self._clearance.speed_permille()

    def violation(self, before: Sequence[tuple[int, int, int]]) -> Verdict | None:
        """Refuse the candidate that the joints are at; see `EffortLimit.check` and `Clearance.violation`."""
        if self._effort is not None:
            verdict = self._effort.check(self._joints)
            if verdict is not None:
                return verdict
        if self._clearance is None:
            return None
        found = self._clearance.violation(before)
        return None if found is None else self._distance_verdict(*found)

    def arm_moved(self, steps: Sequence[int]) -> None:
        """Take note that the output has moved by `steps`, nanoradian or nanometre per joint."""
        if self._clearance is not None:
            self._clearance.arm_moved(steps)

    def nearest(self) -> NearestPair | None:
        """Return the pair nearest to its margin."""
        return None if self._clearance is None else self._clearance.nearest()

    def active_obstacles(self) -> list[Obstacle]:
        """Return the obstacles that are kept away from."""
        return [] if self._obstacles is None else self._obstacles.active()

    def describe(self, pair: DistancePair) -> str:
        """Return whose distance it is, for people: an obstacle by its id."""
        if pair.rule != obstacle.NAME or self._obstacles is None:
            return pair.description
        return pair.description.replace("an obstacle", f"obstacle {self._obstacles.id_of(pair)!r}")

    def _distance_verdict(self, pair: DistancePair, distance_m: float) -> Verdict:
        description = self.describe(pair)
        reason = f"{description}: {distance_m:.4f} m apart on the way to rest; {pair.margin_m:.4f} m are kept"
        if distance_m >= pair.margin_m:
            proof = f"the {MAX_QUERIES} distances that a tick may take"
            reason = f"{description}: the way to rest is not proved clear with {proof}"
        # Rounded: the last bits of a distance are the processor's, and a replay on another one compares them.
        return Verdict(pair.rule, reason, requested=round(distance_m, 6), limit=pair.margin_m)
