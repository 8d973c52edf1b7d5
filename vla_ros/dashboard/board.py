"""All that the page shows, kept up to date: sightings in, one document out."""

from __future__ import annotations

import json
import struct
from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from vla_ros.dashboard.arm import Arm
from vla_ros.dashboard.dashboard_parameters import DashboardParameters
from vla_ros.dashboard.events import Events
from vla_ros.dashboard.history import History, rounded
from vla_ros.dashboard.overlay import project
from vla_ros.dashboard.sightings import CameraImage, FilterStatus, NodeReport, PlanWords
from vla_ros.perception import jpeg
from vla_ros.tracing.graph_status import AGE_KEYS
from vla_ros.transforms import matrix

Array = NDArray[np.float64]
S = 1_000_000_000

SILENT_S = {"safety_filter": 0.5, "joint_states": 0.5, "planner": 0.7}
"""Longest healthy silence of what speaks more often than once a second; nodes that only report have REPORT_SILENT_S."""
REPORT_SILENT_S = 2.5  # /diagnostics comes once a second
EXPECTED = ("camera", "planner", "action_expert", "safety_filter", "joint_states")
STARTING_NS = 10 * S
"""So long after the page's own start nobody is missed."""
RESTARTED_NS = 3 * S // 2
PLAN_SILENT_S = 0.5  # while a task is carried out; longer where the plans say that they are valid for longer
PROPOSAL_FRESH_S = 0.2
QUALITY = 82  # of JPEG
INSTRUCTIONS = 20


@dataclass(frozen=True)
class Document:
    """What a browser fetches.

    number: of the tick. text: JSON. images: JPEGs one after the other. image_number: of their set.
    """

    number: int
    text: bytes
    images: bytes
    image_number: int

    def body(self, image_number: int | None) -> bytes:
        """The document with its images, unless the reader has set `image_number` already, or wants none (None)."""
        images = b"" if image_number in (None, self.image_number) else self.images
        return struct.pack("<I", len(self.text)) + self.text + images


class Board:
    """Knows the newest of everything.

    Args:
        parameters: of the dashboard. arm: where links and limits are. run: names this start of the dashboard.
        started_ns: monotonic. namespace: which arm it is, e.g. "/left"; empty: the only one.
    """

    def __init__(
        self, parameters: DashboardParameters, arm: Arm, run: str, started_ns: int, namespace: str = ""
    ) -> None:
        p = self._parameters = parameters
        self.arm = arm
        self.events = Events(arm.prismatic)
        self.history = History(len(p.joint_names), p.history_s, p.rate_hz)
        self._run = run
        self._namespace = namespace
        self._started_ns = started_ns
        poses = np.reshape(p.camera_poses, (-1, 7))
        self._poses = {name: matrix(pose[:3], pose[3:]) for name, pose in zip(p.cameras, poses, strict=True)}
        self._heard_ns = dict.fromkeys(EXPECTED, started_ns + STARTING_NS)
        self._reports: dict[str, NodeReport] = {}
        self._measured: deque[tuple[int, list[float]]] = deque(maxlen=12)
        self._commands: deque[tuple[int, int, list[float]]] = deque(maxlen=2)
        self._instructions: list[str] = []
        self._cameras: list[dict[str, object]] = []
        self._taken_ns: list[int] = []
        self._images = b""
        self._image_number = 0
        self._chunk_ns = self._plan_ns = 0
        self._number = 0
        self.status: FilterStatus | None = None
        self.plan: PlanWords | None = None
        self.question = ""
        self.chunk: Array = np.zeros((0, len(p.joint_names)))
        self.tool_path: Array = np.zeros((0, 3))

    @property
    def q(self) -> list[float] | None:
        """The newest measured joints, in the order of joint_names."""
        return self._measured[-1][1] if self._measured else None

    def see_joint_state(self, now_ns: int, names: Sequence[str], positions: Sequence[float]) -> None:
        """A joint state; one that lacks a joint is passed over."""
        q = self._in_order(names, positions)
        if q is not None:
            self._measured.append((now_ns, q))
            self._heard_ns["joint_states"] = now_ns

    def see_command(self, now_ns: int, stamp_ns: int, names: Sequence[str], positions: Sequence[float]) -> None:
        """A proposed setpoint."""
        q = self._in_order(names, positions)
        if q is not None:
            self._commands.append((now_ns, stamp_ns, q))

    def see_chunk(self, now_ns: int, names: Sequence[str], positions: Sequence[Sequence[float]]) -> None:
        """What System 1 intends: rows of positions."""
        rows = [self._in_order(names, row) for row in positions]
        if rows and all(row is not None for row in rows):
            self.chunk, self._chunk_ns = np.array(rows), now_ns
            self.tool_path = self._path(self.chunk)

    def see_status(self, now_ns: int, wall_s: float, status: FilterStatus) -> None:
        """The filter's word."""
        self.status, self._heard_ns["safety_filter"] = status, now_ns
        self.events.status(wall_s, status)

    def see_plan(self, now_ns: int, wall_s: float, plan: PlanWords) -> None:
        """The planner's word; which sentence it serves, whoever said it, is known from here."""
        if self.plan is None or plan.instruction_id != self.plan.instruction_id:
            self._see_instruction(wall_s, plan.instruction)
        self.plan, self._plan_ns, self._heard_ns["planner"] = plan, now_ns, now_ns
        self.events.plan(wall_s, plan)

    def see_question(self, wall_s: float, text: str) -> None:
        """The planner asks people; empty: it was answered."""
        if text and text != self.question:
            self.events.say(wall_s, "alarm", f"the planner asks: {text}")
        self.question = text

    def see_report(self, now_ns: int, wall_s: float, report: NodeReport) -> None:
        """A node's /diagnostics."""
        self._reports[report.name] = report
        if (
            report.name == "planner"
            and self._plan_due_s
            and now_ns - self._plan_ns > max(RESTARTED_NS, self._plan_due_s * S)
        ):
            self.plan = None  # it speaks, but not of the task: it has been started again and knows of none
        self._heard_ns[report.name] = now_ns
        self.events.report(wall_s, report)

    def _see_instruction(self, wall_s: float, text: str) -> None:
        self.events.say(wall_s, "info", f"asked: {text}" if text else "asked to hold")
        if text:
            self._instructions = [text, *(old for old in self._instructions if old != text)][:INSTRUCTIONS]

    def see_images(self, now_ns: int, ros_ns: int, stamp_ns: int, images: Sequence[CameraImage]) -> None:
        """A set of camera images. stamp_ns: of the set, on the clock of ros_ns, as are those of the images."""
        jpegs, cameras = [], []
        self._place_at(now_ns - max(0, ros_ns - stamp_ns))
        for image in images:
            jpegs.append(jpeg.encode(image.image, QUALITY))
            cameras.append(
                {"name": image.name, "health": image.health, "bytes": len(jpegs[-1]), **self._overlay(image, now_ns)}
            )
        self._cameras, self._images = cameras, b"".join(jpegs)
        # On the monotonic clock, so that images grow old also when the clock of their stamps stands still.
        self._taken_ns = [now_ns - max(0, ros_ns - (image.stamp_ns or ros_ns)) for image in images]
        self._image_number += 1

    def proposed(self, now_ns: int) -> bool:
        """Whether a chunk is being played: its ghost and the tool's way are worth drawing."""
        return len(self.chunk) > 0 and now_ns - self._chunk_ns < S // 2

    def waypoints(self, now_ns: int) -> Array:
        """Of the present plan, (n, 3) m, nearest first; none while no task is carried out, or the next plan is missed."""
        fresh = now_ns - self._plan_ns < self._plan_due_s * S
        return self.plan.waypoints if fresh and self.plan is not None else np.zeros((0, 3))

    def silent(self, now_ns: int) -> dict[str, float]:
        """Who should have spoken by now: name → seconds since it was heard last."""
        silent = {}
        for name, heard_ns in self._heard_ns.items():
            limit_s, since_ns = SILENT_S.get(name, REPORT_SILENT_S), heard_ns
            if name == "planner" and self._plan_due_s:
                limit_s, since_ns = self._plan_due_s, self._plan_ns
            silence_s = (now_ns - since_ns) / S
            if silence_s > limit_s:
                silent[name] = silence_s
        return silent

    @property
    def _plan_due_s(self) -> float:
        """After how long the next plan is missed; 0: none has to come."""
        active = self.plan is not None and self.plan.state == "ACTIVE"
        return max(PLAN_SILENT_S, self.plan.valid_for_s) if active and self.plan is not None else 0.0

    def document(self, now_ns: int, ros_ns: int, wall_s: float) -> Document:
        """Everything as of now. ros_ns: on the clock of the messages' stamps. wall_s: Unix seconds, for events."""
        silent = self.silent(now_ns)
        self.events.silence(wall_s, silent)
        if silent.get("planner", 0.0) > REPORT_SILENT_S:  # its successor knows nothing of what it asked
            self.question = ""
        self._number += 1
        status = self.status if "safety_filter" not in silent else None
        content = {
            "number": self._number,
            "run": self._run,
            "namespace": self._namespace,
            "time_s": round(wall_s, 2),
            "read_only": self._parameters.read_only,
            "open": self._parameters.local and not self._parameters.token,
            "examples": self._parameters.examples,
            "instructions": self._instructions,
            "filter": self._filter(status),
            "joints": self._joints(status),
            "row": self._row(now_ns, status),
            "history_s": self._parameters.history_s,
            "plan": self._plan(ros_ns, silent),
            "question": self.question,
            "nodes": [self._node(name, now_ns, silent) for name in sorted({*self._reports, *silent})],
            "rules": [
                [rule, entry.times, round(entry.seconds, 2), wall_s - entry.last_s < 0.5]
                for rule, entry in sorted(self.events.rules.items(), key=lambda item: -item[1].times)
            ],
            "events": [
                [event.number, round(event.time_s, 1), event.level, event.text, event.times]
                for event in self.events.newest()[:40]
            ],
            "cameras": [
                {**camera, "age_s": round((now_ns - taken_ns) / S, 1)}
                for camera, taken_ns in zip(self._cameras, self._taken_ns, strict=True)
            ],
            "image_number": self._image_number,
        }
        text = json.dumps(content, separators=(",", ":"), allow_nan=False).encode()
        return Document(self._number, text, self._images, self._image_number)

    def _in_order(self, names: Sequence[str], positions: Sequence[float]) -> list[float] | None:
        index = {name: i for i, name in enumerate(names)}
        if len(positions) != len(names) or not all(name in index for name in self._parameters.joint_names):
            return None
        q = [float(positions[index[name]]) for name in self._parameters.joint_names]
        return q if np.isfinite(q).all() else None

    def _path(self, chunk: Array) -> Array:
        points = []
        for q in chunk:
            self.arm.place(q)
            points.append(self.arm.tool())
        return np.array(points)

    def _place_at(self, then_ns: int) -> None:
        """Move the arm to where it was measured nearest to a moment: images are older than joints."""
        if self._measured:
            _, q = min(self._measured, key=lambda entry: abs(entry[0] - then_ns))
            self.arm.place(q)

    def _overlay(self, image: CameraImage, now_ns: int) -> dict[str, object]:
        """Waypoints and proposed path in shares of the image's width and height."""
        pose = self._poses.get(image.name)
        if pose is None:
            pose = self.arm.link(image.frame_id)
        if pose is None or image.k is None or not self._measured:
            return {}
        height, width = image.image.shape[:2]

        k = image.k

        def shares(points: Array) -> list[list[float] | None]:
            pixels = project(points, k, pose)
            return [
                None if pixel is None else [round(pixel[0] / width, 4), round(pixel[1] / height, 4)] for pixel in pixels
            ]

        path = self.tool_path if self.proposed(now_ns) else self.tool_path[:0]
        return {"waypoints": shares(self.waypoints(now_ns)), "path": shares(path)}

    def _filter(self, status: FilterStatus | None) -> dict[str, object] | None:
        if status is None:
            return None
        return {
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

    def _joints(self, status: FilterStatus | None) -> list[dict[str, object]]:
        q = self.q or [float("nan")] * len(self._parameters.joint_names)
        names = self._parameters.joint_names
        margins: Mapping[str, float] = {}
        speeds: Mapping[str, float] = {}
        fastest = dict(zip(names, self.arm.velocity, strict=True))
        if status is not None:
            margins = dict(zip(status.joint_names, status.position_margins, strict=False))
            speeds = dict(zip(status.joint_names, status.velocity_margins, strict=False))
            # The filter's limits may be tighter than the URDF's.
            moving = zip(status.joint_names, status.velocity_margins, status.velocities, strict=False)
            fastest |= {name: margin + abs(velocity) for name, margin, velocity in moving}
        return [
            {
                "name": name,
                "unit": "m" if name in self.arm.prismatic else "rad",
                "q": rounded(q[i]),
                "lower": rounded(self.arm.lower[i]),
                "upper": rounded(self.arm.upper[i]),
                "speed": rounded(fastest[name]),
                "margin": rounded(margins.get(name, float("nan"))),
                "speed_margin": rounded(speeds.get(name, float("nan"))),
            }
            for i, name in enumerate(names)
        ]

    def _row(self, now_ns: int, status: FilterStatus | None) -> list[float | None]:
        proposed: Sequence[float] = []
        proposed_rates: Sequence[float] = []
        if self._commands and now_ns - self._commands[-1][0] < PROPOSAL_FRESH_S * S:
            proposed = self._commands[-1][2]
            if len(self._commands) == 2:
                (_, before_ns, before), (_, after_ns, after) = self._commands
                if 0 < after_ns - before_ns < PROPOSAL_FRESH_S * S:
                    period_s = (after_ns - before_ns) / S
                    proposed_rates = [(b - a) / period_s for a, b in zip(before, after, strict=True)]
        granted: Sequence[float] = []
        granted_rates: Sequence[float] = []
        if status is not None and len(status.positions):
            granted = self._in_order(status.joint_names, status.positions) or []
            granted_rates = self._in_order(status.joint_names, status.velocities) or []
        return self.history.add((now_ns - self._started_ns) / S, proposed, granted, proposed_rates, granted_rates)

    def _plan(self, ros_ns: int, silent: Mapping[str, float]) -> dict[str, object] | None:
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
            "age_s": rounded((ros_ns - plan.stamp_ns) / S, 2) if plan.stamp_ns else None,
            "valid_for_s": rounded(plan.valid_for_s, 2),
            "silent": "planner" in silent,
        }

    def _node(self, name: str, now_ns: int, silent: Mapping[str, float]) -> dict[str, object]:
        report = self._reports.get(name)
        values = report.values if report is not None else {}
        _, age = AGE_KEYS.get(name, ("", ""))
        return {
            "name": name,
            "level": 3 if name in silent else report.level if report is not None else 0,
            "message": f"silent for {silent[name]:.1f} s" if name in silent else report.message if report else "",
            "rate_hz": _number(values.get("rate_hz")),
            "misses": _number(values.get("deadline_misses")),
            "age_ms": _number(values.get(age)),
            "age_of": age.removesuffix("_p95_ms").replace("_", " "),
            "heard_s": round((now_ns - self._heard_ns[name]) / S, 1),
        }


def _number(text: str | None) -> float | None:
    """A value of /diagnostics as a number; None when it is none."""
    try:
        return rounded(float(text or "nan"), 2)
    except ValueError:
        return None
