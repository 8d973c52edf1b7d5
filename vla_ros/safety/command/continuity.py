"""Rule continuity: a setpoint lies within reach of the present output (what was sent, not what was asked for)."""

from __future__ import annotations

from collections.abc import Sequence

from vla_ros.safety.joint.joint_limits import NANO
from vla_ros.safety.verdict import Verdict

NAME = "continuity"


class Continuity:
    """Args: joint_names: the filter's joints. step: largest distance per joint, rad or m."""

    def __init__(self, joint_names: Sequence[str], step: Sequence[float]) -> None:
        self._joint_names = tuple(joint_names)
        self._step = tuple(int(value * NANO) for value in step)

    def check(self, point: Sequence[int], output: Sequence[int]) -> Verdict | None:
        """Refuse a jump. point, output: nanoradian or nanometre per joint."""
        for name, wanted, present, step in zip(self._joint_names, point, output, self._step, strict=True):
            if abs(wanted - present) > step:
                return Verdict(
                    NAME,
                    f"{name} jumps by {abs(wanted - present) / NANO:.3f} from the present output; "
                    f"{step / NANO:.3f} is allowed",
                    name,
                    wanted / NANO,
                    (present + (step if wanted > present else -step)) / NANO,
                )
        return None
