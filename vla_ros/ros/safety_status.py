"""The filter's decisions as `SafetyStatus` messages, in their bytes: a quarter of the time that rclpy takes."""

from __future__ import annotations

from collections.abc import Sequence

from vla_ros.ros.cdr_writer import CdrWriter
from vla_ros.safety.audit.recorder import Recorder
from vla_ros.safety.decision import Decision
from vla_ros.safety.filter import SafetyFilter
from vla_ros.safety.unchecked import left_unchecked
from vla_ros.time import NS_PER_S

NAN = float("nan")


class StatusBytes:
    """Writes what is published of the decisions of one filter, in the order of msg/SafetyStatus.msg.

    Args:
        safety_filter: that decides.
    """

    def __init__(self, safety_filter: SafetyFilter | Recorder) -> None:
        self._filter = safety_filter
        self._unchecked = left_unchecked(safety_filter.parameters)

    def __call__(
        self,
        decision: Decision,
        now_ns: int,
        ros_ns: int,
        frame_ns: int,
        late_ticks: int,
        audit_hash: Sequence[int],
    ) -> bytes:
        """Return the message of one decision.

        Args:
            decision: of the newest tick. now_ns: time of the tick, monotonic clock. ros_ns: the ROS clock's time.
            frame_ns: stamp of the camera frame that the followed command descends from; 0: none.
            late_ticks: of the loop. audit_hash: newest link of the log's chain; empty: no log.
        """
        safety_filter, verdict, sends = self._filter, decision.verdict, decision.positions is not None
        writer = CdrWriter()
        writer.numbers("iI", *divmod(ros_ns, NS_PER_S))
        writer.text("")
        writer.numbers("B", int(decision.state))
        writer.text(verdict.rule if verdict is not None else "")
        writer.numbers("H", safety_filter.code(verdict) if verdict is not None else 0)
        writer.text(verdict.reason if verdict is not None else "")
        writer.text(decision.source)
        writer.text(verdict.joint if verdict is not None else "")
        numbers = (verdict.requested, verdict.limit, verdict.granted) if verdict is not None else (NAN, NAN, NAN)
        writer.numbers("ddd", *numbers)
        writer.texts(safety_filter.parameters.joint_names)
        writer.sequence("d", decision.positions or ())
        writer.sequence("d", decision.velocities)
        writer.sequence("d", safety_filter.position_margins() if sends else ())
        writer.sequence("d", safety_filter.velocity_margins() if sends else ())
        writer.numbers("d", safety_filter.values.scale / 1000)
        writer.numbers("BB", safety_filter.in_reduced_mode(), safety_filter.at_home())
        writer.numbers("d", safety_filter.tool_speed_m_s())
        writer.numbers("Q", safety_filter.values.stops)
        writer.texts(self._unchecked)
        ages = safety_filter.command_age_s(now_ns), safety_filter.joint_state_age_s(now_ns)
        writer.numbers("fff", *ages, (ros_ns - frame_ns) / NS_PER_S if frame_ns else NAN)
        counts = safety_filter.accepted, safety_filter.rejected, safety_filter.limited
        writer.numbers("QQQQQ", safety_filter.ticks, late_ticks, *counts)
        writer.sequence("B", audit_hash)
        return bytes(writer.data)
