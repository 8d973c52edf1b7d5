"""The filter's decisions as `SafetyStatus` messages."""

from __future__ import annotations

from collections.abc import Sequence

from vla_ros.msg import SafetyStatus
from vla_ros.ros.stamps import time_message
from vla_ros.safety.audit.recorder import Recorder
from vla_ros.safety.decision import Decision
from vla_ros.safety.filter import SafetyFilter
from vla_ros.safety.unchecked import left_unchecked
from vla_ros.time import NS_PER_S

NAN = float("nan")


def status_message(
    safety_filter: SafetyFilter | Recorder,
    decision: Decision,
    now_ns: int,
    ros_ns: int,
    frame_ns: int,
    late_ticks: int,
    audit_hash: Sequence[int],
) -> SafetyStatus:
    """Return what is published of one decision.

    Args:
        safety_filter: that has decided. now_ns: time of the tick, monotonic clock. ros_ns: the ROS clock's time.
        frame_ns: stamp of the camera frame that the followed command descends from; 0: none.
        late_ticks: of the loop. audit_hash: newest link of the log's chain; empty: no log.
    """
    status = SafetyStatus(
        state=int(decision.state),
        source=decision.source,
        command_age=safety_filter.command_age_s(now_ns),
        joint_state_age=safety_filter.joint_state_age_s(now_ns),
        frame_age=(ros_ns - frame_ns) / NS_PER_S if frame_ns else NAN,
        requested=NAN,
        limit=NAN,
        granted=NAN,
        joint_names=safety_filter.parameters.joint_names,
        position_margins=safety_filter.position_margins() if decision.positions else [],
        velocity_margins=safety_filter.velocity_margins() if decision.positions else [],
        positions=decision.positions or [],
        velocities=decision.velocities,
        speed_scale=safety_filter.values.scale / 1000,
        reduced=safety_filter.in_reduced_mode(),
        at_home=safety_filter.at_home(),
        tool_speed=safety_filter.tool_speed_m_s(),
        stops=safety_filter.values.stops,
        unchecked=left_unchecked(safety_filter.parameters),
        ticks=safety_filter.ticks,
        late_ticks=late_ticks,
        accepted=safety_filter.accepted,
        rejected=safety_filter.rejected,
        limited=safety_filter.limited,
        audit_hash=audit_hash,
    )
    status.header.stamp = time_message(ros_ns)
    verdict = decision.verdict
    if verdict is not None:
        status.rule, status.code = verdict.rule, safety_filter.code(verdict)
        status.reason, status.joint = verdict.reason, verdict.joint
        status.requested, status.limit, status.granted = verdict.requested, verdict.limit, verdict.granted
    return status
