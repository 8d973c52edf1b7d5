"""Everything that the page shows: observations in, one document out."""

from __future__ import annotations

import json
import math
from collections import deque
from collections.abc import Mapping, Sequence
from math import nan

import numpy as np

from vla_ros.arrays import Array
from vla_ros.dashboard.arm import Arm
from vla_ros.dashboard.camera_panel import CameraPanel
from vla_ros.dashboard.dashboard_parameters import DashboardParameters
from vla_ros.dashboard.document import Document
from vla_ros.dashboard.event_log import EventLog
from vla_ros.dashboard.heartbeats import REPORT_SILENCE_LIMIT_S, Heartbeats
from vla_ros.dashboard.motion_history import HistoryRow, MotionHistory, rounded
from vla_ros.dashboard.observations import CameraImage, FilterStatus, NodeReport, PlanSummary
from vla_ros.robot.base_frame import camera_poses_in_root
from vla_ros.time import NS_PER_S
from vla_ros.tracing.graph_status import AGE_KEYS
from vla_ros.transforms import matrix

JOINTS_FRESH_NS = NS_PER_S // 2
CHUNK_FRESH_NS = NS_PER_S // 2
COMMAND_FRESH_NS = NS_PER_S // 5
RULE_ACTIVE_S = 0.5
MAX_INSTRUCTIONS = 20
MAX_EVENTS = 40
SILENT_LEVEL = 3
"""Level of a silent node, above those of /diagnostics."""


class ViewModel:
    """Holds the newest observation of everything, and the history of what moves.

    Args:
        parameters: of the dashboard.
        arm: poses of links, and limits of joints.
        session: name of this start of the dashboard; pages start over when it changes.
        started_ns: monotonic start of the dashboard.
        namespace: of the arm, e.g. "/left"; empty: the only arm.

    Attributes:
        chunk: (n, joints) rad or m, positions that System 1 intends. tool_path: (n, 3) m, base, the tool along them.
    """

    def __init__(
        self, parameters: DashboardParameters, arm: Arm, session: str, started_ns: int, namespace: str = ""
    ) -> None:
        p = self._parameters = parameters
        self.arm = arm
        self.events = EventLog(arm.prismatic)
        self.history = MotionHistory(len(p.joint_names), p.history_s, p.rate_hz)
        self.heartbeats = Heartbeats(started_ns)
        measured_in = arm.urdf, p.base_frame, p.cameras, p.camera_poses, "dashboard.base_frame"
        links = dict(zip(p.cameras, p.camera_links, strict=False))
        poses = camera_poses_in_root(*measured_in)
        # A pose on a link has nothing to do with the base.
        rows = zip(p.cameras, np.reshape(p.camera_poses, (-1, 7)), strict=True)
        poses |= {name: matrix(row[:3], row[3:]) for name, row in rows if links.get(name)}
        self._cameras = CameraPanel(arm, poses, links)
        self._session, self._namespace, self._started_ns = session, namespace, started_ns
        self._reports: dict[str, NodeReport] = {}
        self._joints: dict[str, tuple[int, float]] = {}
        self._measured: deque[tuple[int, list[float]]] = deque(maxlen=12)
        self._commands: deque[tuple[int, int, list[float]]] = deque(maxlen=2)
        self._instructions: list[str] = []
        self._chunk_ns = 0
        self._number = 0
        self.status: FilterStatus | None = None
        self.plan: PlanSummary | None = None
        self.question = ""
        self.chunk: Array = np.zeros((0, len(p.joint_names)))
        self.tool_path: Array = np.zeros((0, 3))

    @property
    def q(self) -> list[float] | None:
        """Newest measured joints, in the order of joint_names."""
        return self._measured[-1][1] if self._measured else None

    @property
    def outlook(self) -> str:
        """What the planner says that comes next with its task; empty: nothing."""
        report = self._reports.get("planner")
        return "" if report is None else report.values.get("outlook", "")

    def on_joint_state(self, now_ns: int, names: Sequence[str], positions: Sequence[float]) -> None:
        """Take a joint state. Several drivers may report different joints; the arm is known when all of them are."""
        own = self._parameters.joint_names
        heard = {name: (now_ns, float(q)) for name, q in zip(names, positions, strict=False) if name in own}
        if len(names) != len(positions) or not heard or not all(math.isfinite(q) for _, q in heard.values()):
            return
        self._joints.update(heard)
        known = [self._joints[name] for name in own if name in self._joints]
        if len(known) == len(own) and now_ns - min(at_ns for at_ns, _ in known) <= JOINTS_FRESH_NS:
            self._measured.append((now_ns, [q for _, q in known]))
            self.heartbeats.on_message("joint_states", now_ns)

    def on_command(self, now_ns: int, stamp_ns: int, names: Sequence[str], positions: Sequence[float]) -> None:
        """Take a proposed setpoint."""
        q = self._in_order(names, positions)
        if q is not None:
            self._commands.append((now_ns, stamp_ns, q))

    def on_chunk(self, now_ns: int, names: Sequence[str], positions: Sequence[Sequence[float]]) -> None:
        """Take an action chunk: rows of positions that System 1 intends."""
        rows = [self._in_order(names, row) for row in positions]
        if rows and all(row is not None for row in rows):
            self.chunk, self._chunk_ns = np.array(rows), now_ns
            self.tool_path = self._tool_path(self.chunk)

    def on_status(self, now_ns: int, wall_s: float, status: FilterStatus) -> None:
        """Take the status of the safety filter."""
        self.status = status
        self.heartbeats.on_message("safety_filter", now_ns)
        self.events.on_status(wall_s, status)

    def on_plan(self, now_ns: int, wall_s: float, plan: PlanSummary) -> None:
        """Take a plan; it also tells which instruction is carried out, whoever gave it."""
        if self.plan is None or plan.instruction_id != self.plan.instruction_id:
            self._on_instruction(wall_s, plan.instruction)
        self.plan = plan
        self.heartbeats.on_plan(now_ns, plan.state == "ACTIVE", plan.valid_for_s)
        self.events.on_plan(wall_s, plan)

    def on_question(self, wall_s: float, text: str) -> None:
        """Take a question of the planner; empty: it was answered."""
        if text and text != self.question:
            self.events.add(wall_s, "alarm", f"the planner asks: {text}")
        self.question = text

    def on_report(self, now_ns: int, wall_s: float, report: NodeReport) -> None:
        """Take what a node says on /diagnostics."""
        self._reports[report.name] = report
        if report.name == "planner" and self.heartbeats.planner_has_restarted(now_ns):
            self.plan = None
            self.heartbeats.on_planner_restart()
        self.heartbeats.on_message(report.name, now_ns)
        self.events.on_report(wall_s, report)

    def on_images(self, now_ns: int, ros_ns: int, stamp_ns: int, images: Sequence[CameraImage]) -> None:
        """Take a set of camera images. stamp_ns: of the set, on the clock of ros_ns, as are those of the images."""
        self._place_arm_at(now_ns - max(0, ros_ns - stamp_ns))
        path = self.tool_path if self.is_proposed(now_ns) else self.tool_path[:0]
        self._cameras.update(now_ns, ros_ns, images, self.waypoints(now_ns), path, bool(self._measured))

    def is_proposed(self, now_ns: int) -> bool:
        """Whether a chunk is being played, so that its end and the tool's path are worth drawing."""
        return len(self.chunk) > 0 and now_ns - self._chunk_ns < CHUNK_FRESH_NS

    def waypoints(self, now_ns: int) -> Array:
        """Return those of the present plan, (n, 3) m, base, nearest first; none without a task or when a plan is overdue."""
        if self.plan is None or not self.heartbeats.plan_is_fresh(now_ns):
            return np.zeros((0, 3))
        return self.plan.waypoints

    def document(self, now_ns: int, ros_ns: int, wall_s: float) -> Document:
        """Return everything as of now.

        Args:
            now_ns: monotonic. ros_ns: on the clock of the messages' stamps. wall_s: Unix time of events, s.
        """
        silent = self.heartbeats.silent(now_ns)
        self.events.on_silent(wall_s, silent)
        if silent.get("planner", 0.0) > REPORT_SILENCE_LIMIT_S:  # one that is started again does not know its question
            self.question = ""
        self._number += 1
        status = self.status if "safety_filter" not in silent else None
        p = self._parameters
        content = {
            "number": self._number,
            "session": self._session,
            "namespace": self._namespace,
            "time_s": round(wall_s, 2),
            "read_only": p.read_only,
            "without_token": p.local and not p.token,
            "examples": p.examples,
            "instructions": self._instructions,
            "filter": _filter_content(status, status is not None and self.events.is_expected(status)),
            "joints": self._joints_content(status),
            "row": self._history_row(now_ns, status),
            "history_s": p.history_s,
            "plan": self._plan_content(ros_ns, silent),
            "question": self.question,
            "nodes": [self._node_content(name, now_ns, silent) for name in sorted({*self._reports, *silent})],
            "rules": [
                [rule, entry.count, round(entry.total_s, 2), wall_s - entry.last_s < RULE_ACTIVE_S]
                for rule, entry in sorted(self.events.rules.items(), key=lambda item: -item[1].count)
            ],
            "events": [
                [event.number, round(event.time_s, 1), event.level, event.text, event.count]
                for event in self.events.newest()[:MAX_EVENTS]
            ],
            "cameras": self._cameras.content(now_ns),
            "image_number": self._cameras.number,
        }
        text = json.dumps(content, separators=(",", ":"), allow_nan=False).encode()
        return Document(self._number, text, self._cameras.images, self._cameras.number)

    def _on_instruction(self, wall_s: float, text: str) -> None:
        self.events.add(wall_s, "info", f"asked: {text}" if text else "asked to hold")
        if text:
            self._instructions = [text, *(old for old in self._instructions if old != text)][:MAX_INSTRUCTIONS]

    def _in_order(self, names: Sequence[str], positions: Sequence[float]) -> list[float] | None:
        """Return positions in the order of joint_names; None where one is missing or not finite."""
        index = {name: i for i, name in enumerate(names)}
        if len(positions) != len(names) or not all(name in index for name in self._parameters.joint_names):
            return None
        q = [float(positions[index[name]]) for name in self._parameters.joint_names]
        return q if np.isfinite(q).all() else None

    def _tool_path(self, chunk: Array) -> Array:
        points = []
        for q in chunk:
            self.arm.set_joints(q)
            points.append(self.arm.tool_position())
        return np.array(points)

    def _place_arm_at(self, then_ns: int) -> None:
        """Move the arm to where it was measured nearest to a moment: images are older than joint states."""
        if self._measured:
            _, q = min(self._measured, key=lambda entry: abs(entry[0] - then_ns))
            self.arm.set_joints(q)

    def _joints_content(self, status: FilterStatus | None) -> list[dict[str, object]]:
        names = self._parameters.joint_names
        q = self.q or [nan] * len(names)
        margins: Mapping[str, float] = {}
        velocity_margins: Mapping[str, float] = {}
        velocity_limits = dict(zip(names, self.arm.velocity, strict=True))
        if status is not None:
            margins = dict(zip(status.joint_names, status.position_margins, strict=False))
            velocity_margins = dict(zip(status.joint_names, status.velocity_margins, strict=False))
            # The filter's limits may be tighter than the URDF's.
            moving = zip(status.joint_names, status.velocity_margins, status.velocities, strict=False)
            velocity_limits |= {name: margin + abs(velocity) for name, margin, velocity in moving}
        return [
            {
                "name": name,
                "unit": "m" if name in self.arm.prismatic else "rad",
                "q": rounded(q[i]),
                "lower": rounded(self.arm.lower[i]),
                "upper": rounded(self.arm.upper[i]),
                "velocity_limit": rounded(velocity_limits[name]),
                "margin": rounded(margins.get(name, nan)),
                "velocity_margin": rounded(velocity_margins.get(name, nan)),
            }
            for i, name in enumerate(names)
        ]

    def _history_row(self, now_ns: int, status: FilterStatus | None) -> HistoryRow:
        proposed: Sequence[float] = []
        proposed_dq: Sequence[float] = []
        if self._commands and now_ns - self._commands[-1][0] < COMMAND_FRESH_NS:
            proposed = self._commands[-1][2]
            if len(self._commands) == 2:
                (_, before_ns, before), (_, after_ns, after) = self._commands
                if 0 < after_ns - before_ns < COMMAND_FRESH_NS:
                    dt_s = (after_ns - before_ns) / NS_PER_S
                    proposed_dq = [(b - a) / dt_s for a, b in zip(before, after, strict=True)]
        granted: Sequence[float] = []
        granted_dq: Sequence[float] = []
        if status is not None and len(status.positions):
            granted = self._in_order(status.joint_names, status.positions) or []
            granted_dq = self._in_order(status.joint_names, status.velocities) or []
        return self.history.add((now_ns - self._started_ns) / NS_PER_S, proposed, granted, proposed_dq, granted_dq)

    def _plan_content(self, ros_ns: int, silent: Mapping[str, float]) -> dict[str, object] | None:
        plan = self.plan
        if plan is None:
            return None
        return {
            "state": plan.state,
            "instruction": plan.instruction,
            "subtask": plan.subtask,
            "reasoning": plan.reasoning,
            "progress": rounded(plan.progress, 3),
            "confidence": rounded(plan.confidence, 3),
            "policy": plan.policy,
            "age_s": rounded((ros_ns - plan.stamp_ns) / NS_PER_S, 2) if plan.stamp_ns else None,
            "valid_for_s": rounded(plan.valid_for_s, 2),
            "silent": "planner" in silent,
            "stopped": "was ended by a stop" in self.outlook,
        }

    def _node_content(self, name: str, now_ns: int, silent: Mapping[str, float]) -> dict[str, object]:
        report = self._reports.get(name) or NodeReport(name, 0, "", {})
        _, age = AGE_KEYS.get(name, ("", ""))
        return {
            "name": name,
            "level": SILENT_LEVEL if name in silent else report.level,
            "message": f"silent for {silent[name]:.1f} s" if name in silent else report.message,
            "rate_hz": _number(report.values.get("rate_hz")),
            "misses": _number(report.values.get("deadline_misses")),
            "age_ms": _number(report.values.get(age)),
            "age_of": age.removesuffix("_p95_ms").replace("_", " "),
            "heard_s": round(self.heartbeats.age_s(name, now_ns), 1),
        }


def _filter_content(status: FilterStatus | None, expected: bool) -> dict[str, object] | None:
    """Return the filter's part of the document. expected: what it does now is the end of a task, and no intervention."""
    if status is None:
        return None
    return {
        "expected": expected,
        "state": status.state,
        "rule": status.rule,
        "reason": status.reason,
        "source": status.source,
        "command_age_s": rounded(status.command_age_s, 3),
        "joint_state_age_s": rounded(status.joint_state_age_s, 3),
        "frame_age_s": rounded(status.frame_age_s, 3),
        "accepted": status.accepted,
        "rejected": status.rejected,
        "limited": status.limited,
    }


def _number(text: str | None) -> float | None:
    """Return a value of /diagnostics as a number; None where it is none."""
    try:
        return rounded(float(text or "nan"), 2)
    except ValueError:
        return None
