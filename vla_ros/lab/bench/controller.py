"""`vla-ros bench controller`: what a ros2_control controller executes of the filter's outputs, as shares of the limits.

The outputs of the filter's joints, sent to and fro as fast as their limits allow, go to the model of the controller in three
forms: stamped trajectories, single points as JTC was sent before, positions as forward_command_controller takes them. Time is
simulated.
"""

from __future__ import annotations

import argparse
import contextlib
import dataclasses
import functools
import itertools
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from vla_ros.arrays import Array
from vla_ros.bringup.safety_configuration import safety_configuration
from vla_ros.lab import outputs
from vla_ros.lab.json_output import write_json
from vla_ros.progress_line import ProgressLine
from vla_ros.safety.joint.joint_limits import NANO, JointLimits, joint_limits, per_tick
from vla_ros.safety.joint.joint_motion import JointMotion
from vla_ros.safety.safety_parameters import SafetyFilterParameters
from vla_ros.safety.trajectory import TrajectoryStream
from vla_ros.sim.arm_description import HOME
from vla_ros.sim.trajectory_controller import (
    CommandRefused,
    PointState,
    TrajectoryCommand,
    TrajectoryController,
    command_of,
)

RATES_HZ = (250, 500, 1000)
QUICK = 500
START_NS = 10**12
REST_TICKS = 20
"""The outputs rest for so long at first, as after the entry."""
DELIVERY_NS = 300_000
AFTER_NS = 1_000_000_000
POINT_NS = 20_000_000
"""`time_from_start` of the single points that were sent before."""
MS = 1_000_000


@dataclass(frozen=True)
class MessageConditions:
    """What happens to the messages.

    Args:
        name: of the row. jitter_ns: a tick is late by up to this. lost: share of the messages. clock_ns: the controller's
            clock is ahead by this. stall_ns: in the middle the sender stands still for so long. killed: from there on nothing
            is sent. scaling: speed scaling of the controller. phase_ns: of its cycles.
    """

    name: str
    jitter_ns: int = 0
    lost: float = 0.0
    clock_ns: int = 0
    stall_ns: int = 0
    killed: bool = False
    scaling: float = 1.0
    phase_ns: int = 1_300_000


ROWS = (
    MessageConditions("in time"),
    MessageConditions("ticks late by up to 4 ms, 1 % of messages lost", 4 * MS, 0.01),
    MessageConditions("ticks late by up to 14 ms", 14 * MS),
    MessageConditions("clocks 2 ms apart", 4 * MS, clock_ns=2 * MS),
    *(MessageConditions(f"sender stands still for {ms} ms", stall_ns=ms * MS) for ms in (10, 40, 400)),
    MessageConditions("sender killed", killed=True),
)
KINDS = ("trajectories", "points", "positions")


class Sender:
    """The joints' outputs and the messages made of them. kind: one of KINDS."""

    def __init__(self, kind: str, parameters: SafetyFilterParameters, limits: Sequence[JointLimits], seed: int) -> None:
        ticks = [per_tick(joint, parameters.period_s) for joint in limits]
        self.kind = kind
        self.period_ns = round(parameters.period_s * NANO)
        self.stream = TrajectoryStream(parameters.controller, ticks, self.period_ns)
        self._motions = [JointMotion(each) for each in ticks]
        self._joints = [motion.at(round(q * NANO)) for motion, q in zip(self._motions, HOME, strict=True)]
        self._targets, self._next = [joint.q for joint in self._joints], [REST_TICKS] * len(ticks)
        self._rng = np.random.default_rng(seed)

    def tick(self, k: int, late_ns: int) -> TrajectoryCommand | None:
        """Take tick k, which is late by so much, and return its message; None: it is not sent."""
        before = [(joint.q, joint.v, joint.a) for joint in self._joints]
        for i, (motion, joint) in enumerate(zip(self._motions, self._joints, strict=True)):
            if k >= self._next[i]:
                self._targets[i] = int(self._rng.integers(motion.limits.lower, motion.limits.upper))
                self._next[i] = k + int(self._rng.integers(3, 200))
            motion.follow(joint, self._targets[i], 0, motion.limits.velocity)
        if self.kind == "points":
            return TrajectoryCommand(0, [POINT_NS], [PointState(np.array(self.positions))])
        if self.kind == "positions":
            return TrajectoryCommand(0, [0], [PointState(np.array(self.positions))])
        sent = self.stream.tick(self.positions, 0, START_NS + k * self.period_ns)
        if late_ns > self.stream.lateness_ns:
            for joint, (q, v, a) in zip(self._joints, before, strict=True):
                joint.q, joint.v, joint.a = q, v, a
            self._stop()
            self.stream.retract(self.positions)
            return None
        assert sent is not None
        return command_of(sent.stamp_ns, sent.times_ns.tolist(), sent.positions, sent.velocities)

    def miss(self, count: int) -> None:
        """So many ticks do not come."""
        if self.kind == "trajectories":
            rows = []
            for _ in range(count):
                self._stop()
                rows.append(self.positions)
            self.stream.missed(rows, count)

    @property
    def positions(self) -> list[float]:
        """The newest outputs, rad or m."""
        return [joint.q / NANO for joint in self._joints]

    def _stop(self) -> None:
        for motion, joint in zip(self._motions, self._joints, strict=True):
            motion.stop(joint)


def sent_messages(
    sender: Sender, conditions: MessageConditions, ticks: int, seed: int
) -> list[tuple[int, TrajectoryCommand]]:
    """Return (time of arrival, message), in the order of the ticks."""
    rng = np.random.default_rng(seed + 1)
    messages, k = [], 0
    while k < (ticks // 2 if conditions.killed else ticks):
        if k == ticks // 2 and conditions.stall_ns:
            count = conditions.stall_ns // sender.period_ns
            sender.miss(count)
            k += count
        late_ns = int(rng.integers(0, conditions.jitter_ns + 1)) if k > REST_TICKS else 0
        message = sender.tick(k, late_ns)
        if message is not None and rng.random() >= conditions.lost:
            messages.append((START_NS + k * sender.period_ns + late_ns + DELIVERY_NS, message))
        k += 1
    return messages


def executed(kind: str, rate_hz: int, conditions: MessageConditions, ticks: int, seed: int) -> list[float]:
    """Return the largest velocity, acceleration and jerk that a controller executes, as shares of the limits.

    Args:
        kind: one of KINDS. rate_hz: of the controller. ticks: of the filter.
    """
    parameters, urdf = _configuration()
    controller = dataclasses.replace(parameters.controller, type="joint_trajectory", update_rate_hz=float(rate_hz))
    parameters = dataclasses.replace(parameters, controller=controller)
    limits = joint_limits(urdf, parameters)
    sender = Sender(kind, parameters, limits, seed)
    path = _path(kind, rate_hz, conditions, sent_messages(sender, conditions, ticks, seed))
    bounds = ([getattr(joint, name) for joint in limits] for name in ("velocity", "acceleration", "jerk"))
    return [
        float((np.abs(np.diff(path, n=order, axis=0)) * rate_hz**order / np.array(bound)).max())
        for order, bound in enumerate(bounds, 1)
    ]


_configuration = functools.cache(safety_configuration)


def _path(
    kind: str, rate_hz: int, conditions: MessageConditions, messages: list[tuple[int, TrajectoryCommand]]
) -> Array:
    """What the drives are told, cycle by cycle; when the sender is killed, from its last message on for a second."""
    model = TrajectoryController(HOME, rate_hz)
    model.scaling = conditions.scaling
    q, path = np.array(HOME), []
    end_ns = messages[-1][0] + (AFTER_NS if conditions.killed else 0)
    now_ns, taken = START_NS - 10 * model.period_ns + conditions.phase_ns, 0
    while now_ns < end_ns:
        while taken < len(messages) and messages[taken][0] <= now_ns:
            message = messages[taken][1]
            taken += 1
            if kind == "positions":
                q = message.points[0].p
            else:
                with contextlib.suppress(CommandRefused):
                    model.command(message, now_ns + conditions.clock_ns)
        if kind != "positions":
            model.update(now_ns + conditions.clock_ns, model.period_ns, model.state.p)
            q = model.state.p
        path.append(q)
        now_ns += model.period_ns
    silent = AFTER_NS // model.period_ns if conditions.killed else len(path)
    return np.array(path[-silent - 1 :])


def run(chosen: argparse.Namespace) -> int:
    """Measure each form under all conditions, print the table, and write the files that are asked for."""
    page = outputs.page("bench_controller.md") if chosen.docs else None
    ticks = QUICK if chosen.quick else min(chosen.ticks, 5000)
    rows: list[dict[str, object]] = []
    with ProgressLine("bench controller", len(ROWS) * len(KINDS)) as progress:
        for conditions, kind in itertools.product(ROWS, KINDS):
            shares = {str(rate): executed(kind, rate, conditions, ticks, chosen.seed) for rate in RATES_HZ}
            rows.append({"conditions": conditions.name, "sent": kind, "shares": shares})
            progress.advance()
    text = table(rows)
    print(text)
    write_json(chosen.json, {"ticks": ticks, "rows": rows})
    if page is not None:
        page.write_text(document(text, ticks, chosen.seed))
    return 0


def table(rows: Sequence[dict[str, object]]) -> str:
    """Return the results as Markdown."""
    head = " | ".join(f"{rate} Hz: v / a / j" for rate in RATES_HZ)
    lines = [f"| | sent | {head} |", "|---|---|" + "---:|" * len(RATES_HZ)]
    for row in rows:
        shares: dict[str, list[float]] = row["shares"]  # type: ignore[assignment]
        cells = [
            " / ".join(f"{share:.2f}" if share < 10 else f"{share:.0f}" for share in each) for each in shares.values()
        ]
        lines.append(f"| {row['conditions']} | {row['sent']} | " + " | ".join(cells) + " |")
    return "\n".join(lines)


def document(text: str, ticks: int, seed: int) -> str:
    """Return docs/bench_controller.md."""
    return f"""# What a controller executes of the filter's outputs

Made by `vla-ros bench controller --docs`; do not edit. {ticks} ticks, seed {seed}. Time is
simulated, so the numbers are the same on every machine.

The filter's outputs are at exactly 1.00 of the limits of `config/sim.yaml`: all joints are sent to and fro. A cell shows the
largest velocity, acceleration and jerk that the controller executes, as shares of the limits, at its own cycles.

- *trajectories*: `controller.type: joint_trajectory`, stamped `controller.horizon_s` ahead, to a model of JTC
  (joint_trajectory_controller).
- *points*: one point per tick, stamp 0, `time_from_start` 20 ms, which the filter sent before, to the same model
  (`interpolate_from_desired_state: true`).
- *positions*: `controller.type: forward_position`, to forward_command_controller. A drive that interpolates softens them.

{text}

Ticks that are later than the horizon allows count as steps of the stop policy; the sender goes on from there. After a stall
the two other forms go on at the old speed. Rows of the killed sender judge what comes after its last message. Measured on the
real controllers: [what a real controller does](safety.md#what-a-real-controller-does-with-the-commands).
"""
