"""Is the clock of the arm's controller the filter's? A trajectory is stamped, and the horizon covers 3 ms of difference.

The controller_manager stamps the joint states of its arm. The least delay of these messages, reception minus stamp, is the
difference of the clocks plus the shortest time on the way:  -tolerance <= delay <= tolerance + WAY_NS.
"""

from __future__ import annotations

from collections.abc import Iterable

from vla_ros.safety.measured.measured_state import MeasuredState
from vla_ros.safety.safety_parameters import SafetyFilterParameters

WAY_NS = 2_000_000
"""A message on one machine takes less, at least now and then."""


def clock_objection(
    parameters: SafetyFilterParameters, joints: Iterable[int], measured: MeasuredState, ahead_ns: int
) -> str:
    """Return why a trajectory would be executed at another time than it says; empty: it would not.

    Args:
        parameters: of the filter; `controller.clock_tolerance_s`.
        joints: that get trajectories.
        measured: with the clocks of those who report them.
        ahead_ns: the filter's ROS clock minus its monotonic clock.
    """
    tolerance_ns, led = round(parameters.controller.clock_tolerance_s * 1e9), set(joints)
    if not tolerance_ns:
        return ""
    for stream in measured.streams:
        clock = stream.clock
        if clock.stamp_ns is None or not led & set(stream.joints):
            continue
        behind_ns = clock.offset_ns + ahead_ns
        if not -tolerance_ns <= behind_ns <= tolerance_ns + WAY_NS:
            where = "ahead of" if behind_ns < 0 else "behind"
            name = parameters.joint_names[min(led & set(stream.joints))]
            return (
                f"the clock that stamps {name} in joint_states is {abs(behind_ns) / 1e6:.1f} ms {where} this one, and "
                "trajectories are executed by their stamps; synchronise the clocks, or set controller.clock_tolerance_s"
            )
    return ""
