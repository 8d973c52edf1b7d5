"""Random robots, limits and streams: whatever is asked, what is sent keeps every limit, exactly.

The oracle below reads the outputs only, in integers, and knows nothing of how the filter reaches them.
"""

from __future__ import annotations

import itertools
import math
import random
from collections.abc import Callable
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from vla_ros.parameters import from_mapping
from vla_ros.safety import jerk_limit
from vla_ros.safety.command import Command
from vla_ros.safety.filter import SafetyFilter
from vla_ros.safety.limits import JointLimits
from vla_ros.safety.parameters import SafetyFilterParameters
from vla_ros.safety.states import LATCHED, State

MS = 1_000_000
PERIOD_NS = 4 * MS
TIMEOUT_NS = 60 * MS
CLOCKS_APART_NS = 10**18
BAD = [math.nan, math.inf, -math.inf, 1e308, -1e308, 5e-324, 1e9]


def parameters(joints: int, step: float = 0.3) -> SafetyFilterParameters:
    return from_mapping(
        SafetyFilterParameters,
        {
            "joint_names": [f"j{i}" for i in range(joints)],
            # The limits come from elsewhere in these tests; the keys are required all the same.
            "limits": {"acceleration": [1.0] * joints, "jerk": [1.0] * joints},
            "command": {
                "period_s": 0.01,
                "delay_s": 0.022,
                "timeout_s": TIMEOUT_NS / 1e9,
                "max_age_s": 0.1,
                "max_lead_s": 0.05,
                "step": [step] * joints,
            },
            "measured": {
                "timeout_s": 0.1,
                "position_tolerance": [0.001] * joints,
                "tracking_error": [0.05] * joints,
                "rest_velocity": [0.01] * joints,
            },
            "override": {"speed_scale": 0.3},
            "controller": {"type": "forward_position", "topic": "c"},
        },
    )


class Oracle:
    """Exact finite differences of what was sent, against the limits as rational numbers; keeps the worst shares."""

    def __init__(self, limits: list[JointLimits]) -> None:
        h = Fraction(PERIOD_NS, 10**9)
        self._limits = []
        for joint in limits:
            # As they are written in decimals: 2.61 means 2.61, not the binary number next to it.
            lower, upper, *bounds = (
                Fraction(repr(x)) * 10**9
                for x in (joint.lower, joint.upper, joint.velocity, joint.acceleration, joint.jerk)
            )
            self._limits.append((lower, upper, [bound * h**k for k, bound in enumerate(bounds, 1)]))
        self._sent: list[list[int]] | None = None
        self.checked = 0
        self.worst = [0.0, 0.0, 0.0]

    def check(self, positions: tuple[float, ...] | None, rest: list[float]) -> None:
        """A stretch without output ends a stream; the next one begins at rest where the arm then is."""
        if positions is None:
            self._sent = None
            return
        assert all(math.isfinite(x) for x in positions)
        q = [round(x * 10**9) for x in positions]
        if self._sent is None:
            self._sent = [[round(x * 10**9) for x in rest]] * 4
        self._sent = [*self._sent[1:], q]
        for i, (lower, upper, bounds) in enumerate(self._limits):
            assert lower <= q[i] <= upper
            differences = [sent[i] for sent in self._sent]
            for k, bound in enumerate(bounds):
                differences = [b - a for a, b in itertools.pairwise(differences)]
                share = abs(differences[-1]) / bound
                assert share <= 1, f"joint {i}: difference of order {k + 1} is {float(share):.6f} of its limit"
                self.worst[k] = max(self.worst[k], float(share))
            self.checked += 1


class Arm:
    """The filter, a perfect arm, a clock; every tick is judged by the oracle."""

    def __init__(self, limits: list[JointLimits], step: float = 0.3) -> None:
        self.limits = limits
        self.filter = SafetyFilter(parameters(len(limits), step), limits)
        self.names = [f"j{i}" for i in range(len(limits))]
        self.oracle = Oracle(limits)
        self.q = [(joint.lower + joint.upper) / 2 for joint in limits]
        self.now_ns = 10**12
        self.seq = 0
        self.measured = True
        self.outputs: list[tuple[float, ...] | None] = []

    def tick(self, count: int = 1, late: int = 0) -> None:
        for _ in range(count):
            self.now_ns += PERIOD_NS * (1 + late)
            if self.measured:
                self.filter.joint_state(self.now_ns, self.names, self.q, [0.0] * len(self.q))
            before = self.filter.state
            decision = self.filter.tick(self.now_ns)
            assert before not in LATCHED or decision.state is before, "a tick left a latch"
            assert decision.verdict is None or decision.verdict.rule != "last_check", decision.verdict
            assert decision.verdict is None or "raised" not in decision.verdict.reason, decision.verdict
            self.oracle.check(decision.positions, self.q)
            self.outputs.append(decision.positions)
            if decision.positions is not None:
                self.q = list(decision.positions)

    def command(self, positions: list[float], **changes: Any) -> bool:
        self.seq += 1
        age_ns = changes.pop("age_ns", MS)
        fields = {
            "channel": "policy",
            "source": changes.get("channel", "policy"),
            "seq": self.seq,
            "stamp_ns": self.now_ns + CLOCKS_APART_NS - age_ns,
            "age_ns": age_ns,
            "receive_ns": self.now_ns,
            "joint_names": self.names,
            "positions": positions,
        }
        return self.filter.command(Command(**{**fields, **changes})) is None

    def ticks_to_rest(self) -> int:
        return max(
            jerk_limit.ticks_to_rest(abs(joint.v), joint.limits.acceleration, joint.limits.jerk)
            for joint in self.filter._joints
        )


@st.composite
def robots(draw: Callable[..., Any]) -> list[JointLimits]:
    limits = []
    for i in range(draw(st.integers(1, 3))):
        lower = draw(st.floats(-3.0, 2.0))
        limits.append(
            JointLimits(
                f"j{i}",
                lower,
                lower + draw(st.floats(0.02, 4.0)),
                draw(st.floats(0.05, 4.0)),
                draw(st.floats(0.2, 40.0)),
                draw(st.floats(10.0, 20_000.0)),
            )
        )
    return limits


class Adversary(RuleBasedStateMachine):
    """Anything that may arrive, in any order."""

    @initialize(limits=robots())
    def begin(self, limits: list[JointLimits]) -> None:
        self.arm = Arm(limits)
        self.arm.tick()
        assert self.arm.filter.arm(self.arm.now_ns)[0]

    @rule(direction=st.floats(-0.29, 0.29), count=st.integers(1, 30))
    def push(self, direction: float, count: int) -> None:
        for _ in range(count):
            self.arm.command([q + direction for q in self.arm.q])
            self.arm.tick(2)

    @rule(size=st.floats(0.0, 0.29), count=st.integers(2, 20))
    def reverse(self, size: float, count: int) -> None:
        for i in range(count):
            self.arm.command([q + (size if i % 2 else -size) for q in self.arm.q])
            self.arm.tick(3)

    @rule(w=st.floats(0.1, 80.0), size=st.floats(0.0, 0.2), count=st.integers(5, 60))
    def wave(self, w: float, size: float, count: int) -> None:
        start = list(self.arm.q)
        for i in range(count):
            self.arm.command([q + size * math.sin(w * i * 0.01) for q in start])
            self.arm.tick(2 + i % 2)

    @rule(bad=st.sampled_from(BAD), joint=st.integers(0, 2))
    def nonsense(self, bad: float, joint: int) -> None:
        accepted = self.arm.command([bad if i == joint else q for i, q in enumerate(self.arm.q)])
        assert not accepted or joint >= len(self.arm.q) or abs(bad) < 1
        self.arm.tick()

    @rule(count=st.integers(1, 60), age_ms=st.integers(-60, 120))
    def burst(self, count: int, age_ms: int) -> None:
        for i in range(count):
            self.arm.command([q + 0.2 * math.cos(i) for q in self.arm.q], age_ns=age_ms * MS - i)
        self.arm.tick()

    @rule(direction=st.floats(-0.2, 0.2))
    def override(self, direction: float) -> None:
        for _ in range(5):
            self.arm.command([q + direction for q in self.arm.q], channel="override")
            self.arm.tick(2)

    @rule(count=st.integers(1, 40))
    def silence(self, count: int) -> None:
        self.arm.tick(count)

    @rule(late=st.integers(1, 12))
    def late_tick(self, late: int) -> None:
        self.arm.tick(late=late)

    @rule()
    def joint_states_stop(self) -> None:
        self.arm.measured = False
        self.push(0.1, 15)
        self.arm.measured = True

    @rule(offset=st.floats(-0.5, 0.5))
    def arm_is_elsewhere(self, offset: float) -> None:
        arm, before = self.arm, self.arm.filter.state
        arm.filter.joint_state(arm.now_ns, arm.names, [q + offset for q in arm.q], [0.0] * len(arm.q))
        arm.measured = False
        arm.tick()
        arm.measured = True
        if abs(offset) > 0.06 and before not in LATCHED and before is not State.DISARMED:
            assert arm.filter.state is State.PROTECTIVE_STOP

    @rule(service=st.sampled_from(["estop", "disarm"]))
    def stop(self, service: str) -> None:
        if service == "estop":
            self.arm.filter.estop("test")
        else:
            self.arm.filter.disarm()
        self.arm.tick()

    @precondition(lambda self: self.arm.filter.state in LATCHED | {State.DISARMED})
    @rule()
    def begin_again(self) -> None:
        arm = self.arm
        arm.tick(arm.ticks_to_rest())
        if arm.filter.state in LATCHED:
            assert not arm.filter.arm(arm.now_ns)[0]
            assert arm.filter.reset(arm.now_ns)[0]
            arm.tick()
            assert arm.outputs[-1] is None
        assert arm.filter.arm(arm.now_ns)[0]

    @rule()
    def rest(self) -> None:
        """After silence the arm is at rest within the documented number of ticks, and stays there."""
        arm = self.arm
        arm.tick(TIMEOUT_NS // PERIOD_NS + 1)
        arm.tick(arm.ticks_to_rest())
        assert all(joint.at_rest for joint in arm.filter._joints)
        rest = arm.outputs[-1]
        arm.tick(3)
        assert set(arm.outputs[-3:]) == {rest}

    @invariant()
    def margins_are_not_negative(self) -> None:
        if hasattr(self, "arm") and self.arm.outputs and self.arm.outputs[-1] is not None:
            assert min(self.arm.filter.position_margins() + self.arm.filter.velocity_margins()) >= 0


Adversary.TestCase.settings = settings(
    max_examples=100,
    stateful_step_count=30,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
TestAdversary = Adversary.TestCase


FRANKA = [
    JointLimits("j0", -2.8973, 2.8973, 2.175, 7.5, 750.0),
    JointLimits("j1", -1.7628, 1.7628, 2.175, 3.75, 375.0),
    JointLimits("j2", -2.8973, 2.8973, 2.175, 5.0, 500.0),
    JointLimits("j3", -3.0718, -0.0698, 2.175, 6.25, 625.0),
    JointLimits("j4", -2.8973, 2.8973, 2.61, 7.5, 750.0),
    JointLimits("j5", -0.0175, 3.7525, 2.61, 10.0, 1000.0),
    JointLimits("j6", -2.8973, 2.8973, 2.61, 10.0, 1000.0),
    JointLimits("j7", 0.0, 0.04, 0.1, 1.0, 50.0),
]


def campaign(arm: Arm, seed: int, ticks: int) -> None:
    """Drive the arm with a stream that turns to something else every 20 to 200 ticks."""
    draw = random.Random(seed)
    joints = len(arm.q)
    arm.tick()
    arm.filter.arm(arm.now_ns)
    done = 0
    while done < ticks:
        mode = draw.choice(["push", "noise", "reverse", "wave", "silence", "bad", "override", "corner"])
        signs = [draw.choice((-1, 1)) for _ in range(joints)]
        sizes = [draw.random() * 0.29 for _ in range(joints)]
        start, w = list(arm.q), draw.uniform(0.3, 100.0)
        for i in range(draw.randint(10, 80)):
            q = arm.q
            if mode == "push":
                arm.command([x + s * 0.29 for x, s in zip(q, signs, strict=True)])
            elif mode == "noise":
                arm.command([x + draw.uniform(-0.29, 0.29) for x in q])
            elif mode == "reverse":
                arm.command([x + (1 if i % 8 < 4 else -1) * s * z for x, s, z in zip(q, signs, sizes, strict=True)])
            elif mode == "wave":
                arm.command([x + z * math.sin(w * i * 0.01) for x, z in zip(start, sizes, strict=True)])
            elif mode == "bad":
                arm.command([draw.choice(BAD) for _ in q])
            elif mode == "override":
                arm.command([x + s * 0.2 for x, s in zip(q, signs, strict=True)], channel="override")
            elif mode == "corner":
                ends = zip(q, signs, arm.limits, strict=True)
                arm.command([x + max(-0.29, min(0.29, (j.upper if s > 0 else j.lower) - x)) for x, s, j in ends])
            count = draw.randint(1, 4)
            arm.tick(count, late=draw.choice((0,) * 30 + (5,)))
            done += count


def test_200_000_adversarial_joint_ticks() -> None:
    arm = Arm(FRANKA)
    campaign(arm, seed=1, ticks=26_000)
    oracle = arm.oracle
    print(f"\n{oracle.checked} joint-ticks, largest share of the limit: velocity, acceleration, jerk = {oracle.worst}")
    assert oracle.checked >= 200_000
    assert min(oracle.worst) > 0.99, "the adversary did not reach the limits"
    assert arm.filter.limited > 1000
    assert arm.filter.rejected > 1000


def test_the_same_calls_give_the_same_bits() -> None:
    arms = [Arm(FRANKA[:3]) for _ in range(2)]
    for arm in arms:
        campaign(arm, seed=2, ticks=2_000)
    assert arms[0].outputs == arms[1].outputs


def test_mirrored_input_gives_mirrored_output() -> None:
    limits = [JointLimits("j0", -1.0, 1.0, 2.0, 7.5, 750.0), JointLimits("j1", -0.3, 0.3, 1.0, 3.0, 200.0)]
    arm, mirror = Arm(limits), Arm(limits)
    draw = random.Random(3)
    for each in (arm, mirror):
        each.tick()
        each.filter.arm(each.now_ns)
    for _ in range(1500):
        if draw.random() < 0.9:
            positions = [q + draw.uniform(-0.29, 0.29) for q in arm.q]
            arm.command(positions)
            mirror.command([-x for x in positions])
        for each in (arm, mirror):
            each.tick(2)
        apart = [abs(a + b) for a, b in zip(arm.q, mirror.q, strict=True)]
        # Half a nanoradian in the spline is rounded up on both sides; it may shift a limited step by as little.
        assert max(apart) < 1e-6


@settings(max_examples=60, deadline=None, derandomize=True)
@given(names=st.lists(st.text(max_size=4) | st.sampled_from(["j0", "j1"]), max_size=5), data=st.data())
def test_whatever_a_message_holds_the_schema_answers(names: list[str], data: st.DataObject) -> None:
    arm = Arm(FRANKA[:2])
    arm.tick()
    arm.filter.arm(arm.now_ns)
    positions = data.draw(st.lists(st.floats(allow_nan=True, allow_infinity=True), max_size=5))
    integers = st.integers(-(2**63), 2**63)
    accepted = arm.command(positions, joint_names=names, seq=data.draw(integers), stamp_ns=data.draw(integers))
    assert not accepted or sorted(names) == ["j0", "j1"]
    arm.tick(30)
    assert arm.filter.state in (State.HOLDING, State.TRACKING, State.LIMITING, State.STOPPING)


@pytest.mark.parametrize("scale", [0.5, 0.9])
def test_tighter_limits_never_permit_more(scale: float) -> None:
    """With every limit scaled down, the largest share of the original limits that is ever used scales down with it."""
    tight = [
        JointLimits(j.name, j.lower, j.upper, j.velocity * scale, j.acceleration * scale, j.jerk * scale)
        for j in FRANKA[:3]
    ]
    arm = Arm(tight)
    arm.oracle = Oracle(FRANKA[:3])
    campaign(arm, seed=4, ticks=2_000)
    assert max(arm.oracle.worst) <= scale
