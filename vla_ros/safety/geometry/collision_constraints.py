"""What the arm must not touch and not lift: the rules that need a model of the arm, put together.

fence, table, keep_out, self_collision, obstacle, effort_limit and contact; each only if the configuration asks for it.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from vla_ros.parameters import ParameterError
from vla_ros.safety.command import deadman
from vla_ros.safety.geometry import fence, keep_out, obstacle, self_collision, table
from vla_ros.safety.geometry.active_set import Row
from vla_ros.safety.geometry.arm_model import ArmModel
from vla_ros.safety.geometry.clearance import WORK, Clearance, Nearest
from vla_ros.safety.geometry.obstacle import Obstacle, Obstacles
from vla_ros.safety.joint import effort_limit
from vla_ros.safety.joint.effort_limit import EffortLimit
from vla_ros.safety.joint.joint_limits import JointLimits
from vla_ros.safety.joint.joint_motion import JointMotion
from vla_ros.safety.measured import contact
from vla_ros.safety.measured.contact import Contact
from vla_ros.safety.safety_parameters import SafetyFilterParameters
from vla_ros.safety.verdict import Verdict

DISTANCES = (fence.NAME, table.NAME, keep_out.NAME, self_collision.NAME, obstacle.NAME)
"""Rules that keep bodies away from something."""


def configured(parameters: SafetyFilterParameters) -> dict[str, bool]:
    """Which of the rules that need a model of the arm the configuration asks for, by name."""
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
    """Names of the rules and inputs that the configuration leaves off."""
    inputs = {deadman.NAME: bool(parameters.deadman.timeout_s), "heartbeat": bool(parameters.estop.heartbeat_s)}
    return [name for name, on in (configured(parameters) | inputs).items() if not on]


class Surroundings:
    """bare: joints that move and carry no body, when distances are kept.

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
        srdf = self_collision.disabled(parameters.self_collision) if srdf is None else srdf
        self._source = urdf, parameters, limits, joints, srdf
        names = [joint.name for joint in limits]
        self._joints = joints
        self._arm = arm = ArmModel(urdf, names, parameters.tool, parameters.payload)
        self._clearance: Clearance | None = None
        self._obstacles = Obstacles(arm, parameters.obstacle) if parameters.obstacle.timeout_s else None
        rows = [*fence.rows(arm, parameters.fence), *table.rows(arm, parameters.table)]
        rows += keep_out.rows(arm, parameters.keep_out)
        first = len(rows)
        rows += self._obstacles.rows if self._obstacles else []
        # Last, because it measures the arm, for which all shapes must be there.
        rows += self_collision.rows(arm, parameters.self_collision, limits, srdf)
        arm.ready()
        asked = [name for name in DISTANCES if configured(parameters)[name]]
        if asked and next(arm.moving(), None) is None:
            raise ParameterError(
                f"{', '.join(asked)}: no link that the joints move has a <collision> element in the URDF, so nothing is kept "
                "away from anything; give the links bodies, or the tool (tool.capsules)"
            )
        self.bare = arm.bare() if asked else []
        if rows:
            self._clearance = Clearance(arm, rows, joints)
            if self._obstacles:
                self._obstacles.begin(self._clearance.near, first)
        self._effort = (
            EffortLimit(arm, names, joints, parameters.effort, parameters.period_s) if parameters.effort.check else None
        )
        self._contact = Contact(arm, names, parameters.contact) if parameters.contact.threshold else None

    def __getstate__(self) -> dict[str, Any]:
        parts = (self._clearance, self._obstacles, self._contact)
        return {"source": self._source, "parts": [None if part is None else part.snapshot() for part in parts]}

    def __setstate__(self, state: dict[str, Any]) -> None:
        # pinocchio's and coal's objects are made anew; what changes from tick to tick is put back.
        self.__init__(*state["source"])  # type: ignore[misc]
        for part, snapshot in zip((self._clearance, self._obstacles, self._contact), state["parts"], strict=True):
            if part is not None:
                part.restore(snapshot)

    def obstacles(self, receive_ns: int, obstacles: Sequence[Obstacle]) -> Verdict | None:
        """Take over a complete list of obstacles; see `Obstacles.update`."""
        if self._obstacles is None or self._clearance is None:
            return Verdict(obstacle.NAME, "obstacles are not configured; set obstacle.timeout_s")
        return self._obstacles.update(receive_ns, obstacles, self._clearance.near)

    def begin(self) -> None:
        """A tick begins."""
        if self._clearance is not None:
            self._clearance.begin()

    def stale(self, now_ns: int) -> Verdict | None:
        """Stop when the obstacles are not known."""
        return None if self._obstacles is None else self._obstacles.stale(now_ns)

    def touched(
        self, receive_ns: int, q: Sequence[float], dq: Sequence[float], ddq: Sequence[float], efforts: Sequence[float]
    ) -> Verdict | None:
        """Latch when the arm is pushed from outside; see `Contact.check`."""
        return None if self._contact is None else self._contact.check(receive_ns, q, dq, ddq, efforts)

    def restart(self) -> Verdict | None:
        """The output has been placed elsewhere; what is wrong with it there."""
        if self._contact is not None:
            self._contact.restart()
        lacking = None if self._clearance is None else self._clearance.restart()
        if lacking is not None:
            return self._too_near(*lacking)
        return None if self._effort is None else self._effort.check(self._joints)

    def speed(self) -> tuple[int, Row | None]:
        """See `Clearance.speed`."""
        return (1000, None) if self._clearance is None else self._clearance.speed()

    def refusal(self, before: Sequence[tuple[int, int, int]]) -> Verdict | None:
        """Refuse the candidate that the joints are at; see `Clearance.refusal`."""
        if self._effort is not None:
            verdict = self._effort.check(self._joints)
            if verdict is not None:
                return verdict
        if self._clearance is None:
            return None
        lacking = self._clearance.refusal(before)
        return None if lacking is None else self._too_near(*lacking)

    def moved(self, steps: Sequence[int]) -> None:
        """The output has moved by `steps`, nanoradian or nanometre per joint."""
        if self._clearance is not None:
            self._clearance.moved(steps)

    def nearest(self) -> Nearest | None:
        """The pair nearest to its margin."""
        return None if self._clearance is None else self._clearance.nearest()

    def shown(self) -> list[Obstacle]:
        """The obstacles that are kept away from."""
        return [] if self._obstacles is None else self._obstacles.shown()

    def what(self, row: Row) -> str:
        """Whose distance a row is, an obstacle by its id."""
        if row.rule != obstacle.NAME or self._obstacles is None:
            return row.what
        return row.what.replace("an obstacle", f"obstacle {self._obstacles.name(row)!r}")

    def _too_near(self, row: Row, distance_m: float) -> Verdict:
        reason = f"{self.what(row)}: {distance_m:.4f} m apart on the way to rest; {row.margin_m:.4f} m are kept"
        if distance_m >= row.margin_m:
            reason = (
                f"{self.what(row)}: the way to rest is not proved clear with the {WORK} distances that a tick may take"
            )
        # Rounded: the last bits of a distance are the processor's, and a replay on another one compares them.
        return Verdict(row.rule, reason, requested=round(distance_m, 6), limit=row.margin_m)
