"""The measured joints as a policy gets them: of all drivers, merged, with stamps on the node's own clock.

Joint states are judged as the safety filter judges them (`safety/measured/joint_state_reader.py`): stamps must run, and each
joint has one publisher. The drivers' clocks may be off by any time: a joint state is as old as its message.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence

import numpy as np

from vla_ros.policies.contract import JointState
from vla_ros.safety.joint.joint_limits import NANO, JointLimits
from vla_ros.safety.measured.joint_state_reader import JointStateReader
from vla_ros.safety.measured.measured_state import MeasuredState
from vla_ros.time import NS_PER_S

TOLERANCE_S, SETTLE_S, CLOCK_DRIFT = 0.2, 0.2, 1.0
"""A planner may think for seconds before it hears the next ones, and a simulator's clock may be slow."""
ANY_SPEED = 1e6


class MeasuredJoints:
    """Merges joint states.

    Args:
        joint_names: of the policy.
        timeout_s: a joint that is silent for longer is not known.
        continuous: joints whose turns are counted, though their driver wraps them.
    """

    def __init__(self, joint_names: Sequence[str], timeout_s: float, continuous: Collection[str] = ()) -> None:
        fast = ANY_SPEED
        limits = [
            JointLimits(name, -fast, fast, fast, fast, fast, continuous=name in continuous) for name in joint_names
        ]
        self._reader = JointStateReader(limits, min(timeout_s, TOLERANCE_S), SETTLE_S, CLOCK_DRIFT)
        self._timeout_ns = round(timeout_s * NS_PER_S)
        self._measured = MeasuredState()

    def add(
        self,
        receive_ns: int,
        stamp_ns: int,
        publisher: str,
        names: Sequence[str],
        positions: Sequence[float],
        velocities: Sequence[float],
    ) -> str:
        """Take over one message.

        Args:
            receive_ns: reception on the node's monotonic clock.
            stamp_ns: on the driver's clock.
            publisher: who sent it.
            names, positions, velocities: rad or m, and per second.

        Returns:
            why it was refused; empty: it was not.
        """
        verdict = self._reader.update(self._measured, receive_ns, names, positions, velocities, (), stamp_ns, publisher)
        return "" if verdict is None else verdict.reason

    def newest(self, now_ns: int, ahead_ns: int) -> JointState | None:
        """Return the newest joint state.

        Args:
            now_ns: on the monotonic clock.
            ahead_ns: ROS time minus the monotonic clock.

        Returns:
            its stamp is the node's ROS time; None: a joint is not known, or not any more.
        """
        measured = self._measured
        if measured.receive_ns is None or now_ns - measured.receive_ns > self._timeout_ns:
            return None
        return JointState(
            measured.receive_ns + ahead_ns, np.array(measured.q) / NANO, np.nan_to_num(np.array(measured.dq), nan=0.0)
        )
