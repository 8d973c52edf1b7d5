"""The messages that the rig sends, as plain values that a case can alter."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class RigSetpoint:
    """One message on vla/joint_command or vla/override. positions: rad or m, in the order of names."""

    seq: int
    stamp_ns: int
    names: tuple[str, ...]
    positions: tuple[float, ...]
    source: str = "policy"

    def positions_with(self, **joints: float) -> tuple[float, ...]:
        """Return the positions with other values for some joints, rad or m."""
        return tuple(joints.get(name, q) for name, q in zip(self.names, self.positions, strict=True))


@dataclass(frozen=True)
class RigJointState:
    """One message on joint_states, in the order of names: rad or m, rad/s or m/s, N m or N.

    stamp_ns: of the driver; None: when it is sent.
    """

    names: tuple[str, ...]
    positions: tuple[float, ...]
    velocities: tuple[float, ...]
    efforts: tuple[float, ...] = ()
    stamp_ns: int | None = None

    def position(self, joint: str) -> float:
        """Return the position of one joint, rad or m."""
        return self.positions[self.names.index(joint)]
