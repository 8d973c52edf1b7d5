"""Messages as nobody should send them: fields drawn from what breaks programs, and bytes of messages flipped.

Two filters run side by side. One gets everything; the other only what the first one accepted. Their outputs are equal to the
bit as long as refused input changes nothing.
"""

from __future__ import annotations

import math
import random
from collections import Counter
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

from rclpy.serialization import deserialize_message, serialize_message  # noqa: TID251 - a message's bytes, no node
from sensor_msgs.msg import JointState
from visualization_msgs.msg import Marker

from test.campaign.arm import CLOCKS_APART_NS, MS, Arm
from test.campaign.robots import FRANKA
from test.campaign.surroundings import SurroundedArm, random_obstacle, random_surroundings
from vla_ros.msg import JointCommand
from vla_ros.ros.markers import obstacles_from
from vla_ros.safety.command.setpoint import Setpoint
from vla_ros.safety.states import LATCHED, State
from vla_ros.safety.verdict import Verdict

NUMBERS = (math.nan, math.inf, -math.inf, 1e308, -1e308, 5e-324, -0.0, 1e9, 1e6, 1e16, 0.1, -3.0, 2.0**63, 180.0)
INTEGERS = (0, 1, -1, 2**31, 2**32 - 1, 2**63 - 1, -(2**63), 2**64, 10**30, 10**12)
NAMES = ("", "j0", "j1", "j99", "J0", "j0 ", "\x00", "j0\n", "é", "☃", "x" * 5000, "../j0", "%s%n", "finger_joint")
TEXTS = (
    *(
        "",
        "",
        "",
        "cup",
        "human",
        "human 0.1 0 -0.2",
        "moving 0 0 0",
        "moving",
        "moving 1 2",
        "human 1 2 3 4",
        "☃ 1 2 3",
    ),
    *("moving nan 0 0", "moving inf 0 0", "human 1e308 1e308 1e308", "moving a b c", "human \x00 0 0", "human 0x1 0 0"),
)
"""Of markers: labels, classes and velocities."""


def number(draw: random.Random, near: float) -> float:
    """Sometimes near, sometimes nowhere."""
    return draw.choice(NUMBERS) if draw.random() < 0.3 else near + draw.choice((0.0, 0.0, 1e-9, 0.05, -0.05, 1.0))


def integer(draw: random.Random, near: int) -> int:
    """Likewise."""
    return draw.choice(INTEGERS) if draw.random() < 0.3 else near + draw.choice((0, 1, -1, MS, -MS, 10**9))


def series(draw: random.Random, near: list[float]) -> list[float]:
    """A list of another length, of other numbers, or as it should be."""
    values = [number(draw, x) for x in near] if draw.random() < 0.5 else list(near)
    if draw.random() < 0.2:
        values = values[: draw.randint(0, len(values))] + draw.choices(NUMBERS, k=draw.randint(0, 3))
    return values


def words(draw: random.Random, names: list[str]) -> list[str]:
    """Names left out, twice, unknown, in another order, or as they should be."""
    chosen = list(names)
    if draw.random() < 0.5:
        return chosen
    draw.shuffle(chosen)
    for _ in range(draw.randint(0, 2)):
        chosen.insert(draw.randint(0, len(chosen)), draw.choice((*NAMES, *names)))
    return chosen[: draw.randint(0, len(chosen) + 3)]


def one_line(verdict: Verdict | None) -> None:
    """A refusal is one line of a rule that did not fail itself."""
    if verdict is not None:
        assert "raised" not in verdict.reason, verdict
        assert verdict.reason.isprintable() and verdict.rule, verdict


class Pair:
    """An arm that hears everything, and one that hears what the first one accepted."""

    def __init__(self, seed: int) -> None:
        self.draw = random.Random(seed)
        self.arms = Arm(FRANKA[:3]), Arm(FRANKA[:3])
        self.seen: Counter[str] = Counter()
        for arm in self.arms:
            arm.tick()
            assert arm.arm()[0]

    def both(self, act: Callable[[Arm], Any]) -> None:
        """The same for both."""
        for arm in self.arms:
            act(arm)
        one, other = (arm.outputs[-1] for arm in self.arms)
        assert one == other, f"refused input changed the output: {one} with it, {other} without"

    def offer(self, what: str, call: Callable[[Arm], Verdict | None]) -> None:
        """One input."""
        verdict = call(self.arms[0])
        one_line(verdict)
        self.seen[f"{what} refused" if verdict else f"{what} accepted"] += 1
        if verdict is None:
            assert call(self.arms[1]) is None

    def tell(self, what: str, call: Callable[[Arm], Verdict | None]) -> None:
        """One input for both: joint states that contradict each other stop the arm, so refused ones count as well."""
        verdict, other = (call(arm) for arm in self.arms)
        one_line(verdict)
        assert verdict == other or f"{verdict}" == f"{other}", "NaN does not equal itself"
        self.seen[f"{what} refused" if verdict else f"{what} accepted"] += 1

    def go_on(self, i: int) -> None:
        """The good stream that the nonsense lies between."""
        if self.arms[0].filter.state in LATCHED | {State.DISARMED}:
            self.both(Arm.again)
        if self.draw.random() < 0.7:
            by = 0.1 * math.sin(i * 0.001)
            for arm in self.arms:
                arm.command([q + by for q in arm.q])
        self.both(Arm.tick)
        for arm in self.arms:
            arm.outputs = arm.outputs[-1:]


def fuzz_fields(seed: int, count: int) -> Counter[str]:
    """Setpoints, joint states and speed scales with every field drawn from what breaks programs."""
    pair = Pair(seed)
    draw = pair.draw
    for i in range(count):
        arm = pair.arms[0]
        kind = draw.random()
        if kind < 0.6:
            command = Setpoint(
                draw.choice(("policy", "policy", "override")),
                draw.choice(("policy", "policy", "override", *NAMES)),
                integer(draw, i * 10),
                integer(draw, arm.now_ns + CLOCKS_APART_NS),
                integer(draw, MS),
                arm.now_ns,
                words(draw, arm.names),
                series(draw, arm.q),
            )
            pair.offer("setpoint", lambda each, command=command: each.offer(command))  # type: ignore[misc]
        elif kind < 0.95:
            values = words(draw, arm.names), series(draw, arm.q), series(draw, [0.0] * 3), series(draw, [0.0] * 3)
            now_ns = arm.now_ns + (i % 10 + 1) * MS // 10
            pair.tell("joint state", lambda each, now_ns=now_ns, v=values: each.listen(now_ns, *v))  # type: ignore[misc]
        else:
            scale = number(draw, 0.5)
            done = [arm.filter.speed_scale(scale)[0] for arm in pair.arms]
            assert done[0] == done[1] and (not done[0] or 0.01 <= scale <= 1.0), scale
            pair.seen["speed scale accepted" if done[0] else "speed scale refused"] += 1
        if i % 10 == 9:
            pair.go_on(i)
    for arm in pair.arms:
        arm.judge.finish()
    return pair.seen


def fuzz_bytes(seed: int, count: int) -> Counter[str]:
    """Serialized setpoints and joint states with bytes flipped, cut, repeated: what decodes is offered."""
    pair = Pair(seed)
    draw = pair.draw
    for i in range(count):
        arm = pair.arms[0]
        if draw.random() < 0.5:
            message = JointCommand(seq=i, source="policy", joint_names=arm.names, positions=arm.q)
            stamp_ns = arm.now_ns + CLOCKS_APART_NS
            message.header.stamp.sec, message.header.stamp.nanosec = divmod(stamp_ns, 10**9)
        else:
            message = JointState(name=arm.names, position=arm.q, velocity=[0.0] * 3)
        try:
            read = deserialize_message(damaged(draw, serialize_message(message)), type(message))
        except Exception as error:  # rclpy's own, for bytes that are no message
            pair.seen[f"bytes refused by rclpy: {type(error).__name__}"] += 1
            continue
        now_ns = arm.now_ns
        if isinstance(read, JointState):
            now_ns += (i % 10 + 1) * MS // 10
            values = read.name, read.position, read.velocity, read.effort
            pair.tell("joint state", lambda each, now_ns=now_ns, v=values: each.listen(now_ns, *v))  # type: ignore[misc]
        else:
            stamp_ns = read.header.stamp.sec * 10**9 + read.header.stamp.nanosec
            age_ns = now_ns + CLOCKS_APART_NS - stamp_ns
            command = Setpoint(
                "policy", read.source, read.seq, stamp_ns, age_ns, now_ns, read.joint_names, read.positions
            )
            pair.offer("setpoint", lambda each, command=command: each.offer(command))  # type: ignore[misc]
        if i % 10 == 9:
            pair.go_on(i)
    for arm in pair.arms:
        arm.judge.finish()
    return pair.seen


def damaged(draw: random.Random, raw: bytes) -> bytes:
    """Some bytes of a message changed, cut off, repeated or replaced by a large length."""
    data = bytearray(raw)
    for _ in range(draw.randint(1, 4)):
        kind, at = draw.random(), draw.randrange(len(data) or 1)
        if kind < 0.6 and data:
            data[at] = draw.choice((0, 1, 0x7F, 0x80, 0xFF, draw.randrange(256)))
        elif kind < 0.75:
            data = data[:at]
        elif kind < 0.9:
            data[at:at] = data[at : at + draw.randint(1, 16)]
        else:
            data[at : at + 4] = draw.choice((b"\xff\xff\xff\xff", b"\x00\x00\x00\x80", b"\xff\xff\x00\x00"))
    return bytes(data)


def fuzz_obstacles(seed: int, count: int) -> Counter[str]:
    """Markers with every field drawn from what breaks programs: accepted ones are whole, and no tick fails."""
    draw = random.Random(seed)
    changes = random_surroundings(draw)
    arm = SurroundedArm(changes)
    arm.tick()
    seen: Counter[str] = Counter()
    kinds = {"box": Marker.CUBE, "sphere": Marker.SPHERE, "capsule": Marker.CYLINDER}
    for i in range(count):
        markers = []
        for k in range(draw.choice((0, 1, 1, 2, 5, 17, 40))):
            good = random_obstacle(draw, str(k))
            sides = good.size if good.shape == "box" else (0.2, 0.2, 0.2)
            x, y, z = (number(draw, side) if draw.random() < 0.1 else side for side in sides)
            at, turn = (
                [number(draw, value) if draw.random() < 0.1 else value for value in values]
                for values in (good.xyz, good.quaternion)
            )
            kind = draw.choice((*range(12), 99, -1)) if draw.random() < 0.05 else kinds[good.shape]
            markers.append(
                SimpleNamespace(
                    header=SimpleNamespace(
                        frame_id=draw.choice(("base",) * 30 + NAMES), stamp=SimpleNamespace(sec=0, nanosec=0)
                    ),
                    ns=draw.choice(("", "a", "é\n", "human", "human/a")),
                    text=draw.choice(TEXTS),
                    id=integer(draw, k) if draw.random() < 0.1 else k,
                    type=kind,
                    action=Marker.ADD if draw.random() < 0.95 else draw.choice((1, 2, 3, -1)),
                    scale=SimpleNamespace(x=x, y=y, z=z),
                    pose=SimpleNamespace(
                        position=SimpleNamespace(x=at[0], y=at[1], z=at[2]),
                        orientation=SimpleNamespace(x=turn[0], y=turn[1], z=turn[2], w=turn[3]),
                    ),
                )
            )
        shown = arm.filter.active_obstacles()
        verdict = arm.filter.obstacles(arm.now_ns, obstacles_from(SimpleNamespace(markers=markers), arm.now_ns))
        one_line(verdict)
        seen["obstacles refused" if verdict else "obstacles accepted"] += 1
        if verdict is not None:
            assert arm.filter.active_obstacles() == shown, "a refused message changed the obstacles"
        else:
            numbers = [x for m in markers if m.action == Marker.ADD for x in (*vars(m.scale).values(), *_place(m))]
            if not all(math.isfinite(x) for x in numbers):
                seen["FAULT obstacle: accepted with a number that is not finite"] += 1
        if i % 20 == 19:
            arm.now_ns += arm.period_ns
            arm.measure()
            decision = arm.filter.tick(arm.now_ns)
            one_line(decision.verdict)
    return seen


def _place(marker: SimpleNamespace) -> list[float]:
    return [*vars(marker.pose.position).values(), *vars(marker.pose.orientation).values()]
