"""Random robots, limits and streams: whatever is asked, what is sent keeps every limit, exactly.

The arm, the adversary and the judge are those of test/campaign, where the same runs for longer. The judge reads the outputs
only, in whole numbers, and knows nothing of how the filter reaches them.
"""

from __future__ import annotations

import dataclasses
import math
import random
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from test.campaign.adversary import ATTACKS, BAD, MOVING, attack
from test.campaign.arm import Arm
from test.campaign.judge import Judge
from test.campaign.robots import FRANKA, ZONED
from vla_ros.safety.arm_motion import ArmMotion
from vla_ros.safety.command.authority import InputAuthority, SourceAuthority
from vla_ros.safety.command.deadman import Deadman
from vla_ros.safety.command.estop import EStop
from vla_ros.safety.command.open_loop import OpenLoop
from vla_ros.safety.command.setpoint_spline import SetpointSpline
from vla_ros.safety.joint.joint_limits import JointLimits
from vla_ros.safety.joint.last_check import LastCheck
from vla_ros.safety.measured.joint_state import JointStateFresh, JointStateInRange
from vla_ros.safety.measured.tracking_error import TrackingError
from vla_ros.safety.states import LATCHED, State

LIMITS_ONLY = {"estop.heartbeat_s": 0.08, "deadman.timeout_s": 0.08}


@st.composite
def robots(draw: Callable[..., Any]) -> list[JointLimits]:
    limits = []
    for i in range(draw(st.integers(1, 3))):
        lower, width, velocity = draw(st.floats(-3.0, 2.0)), draw(st.floats(0.02, 4.0)), draw(st.floats(0.05, 4.0))
        zone = draw(st.sampled_from((0.0, 0.3))) * width
        limits.append(
            JointLimits(
                f"j{i}",
                lower,
                lower + width,
                velocity,
                draw(st.floats(0.2, 40.0)),
                draw(st.floats(10.0, 20_000.0)),
                zone,
                0.2 * velocity if zone else 0.0,
            )
        )
    return limits


class Adversary(RuleBasedStateMachine):
    """Anything that may arrive, in any order. What holds in every tick, the arm asserts; see `Arm`."""

    @initialize(limits=robots(), signals=st.booleans())
    def begin(self, limits: list[JointLimits], signals: bool) -> None:
        self.arm = Arm(limits, changes=LIMITS_ONLY if signals else {})
        self.arm.tick()
        self.arm.again()

    @rule(share=st.floats(-1.0, 1.0), count=st.integers(1, 30))
    def push(self, share: float, count: int) -> None:
        for _ in range(count):
            self.arm.command([q + share * reach for q, reach in zip(self.arm.q, self.arm.reach, strict=True)])
            self.arm.tick(2)

    @rule(w=st.floats(0.1, 80.0), size=st.floats(0.0, 0.2), count=st.integers(5, 60))
    def wave(self, w: float, size: float, count: int) -> None:
        start = list(self.arm.q)
        for i in range(count):
            self.arm.command([q + size * math.sin(w * i * 0.01) for q in start])
            self.arm.tick(2 + i % 2)

    @rule(bad=st.sampled_from(BAD), joint=st.integers(0, 2))
    def nonsense(self, bad: float, joint: int) -> None:
        verdict = self.arm.command([bad if i == joint else q for i, q in enumerate(self.arm.q)])
        assert verdict is not None or joint >= len(self.arm.q) or abs(bad) < 1
        self.arm.tick()

    @rule(kind=st.sampled_from(ATTACKS), seed=st.integers(0, 2**32))
    def attack(self, kind: Callable[..., None], seed: int) -> None:
        kind(self.arm, random.Random(seed))

    @precondition(lambda self: self.arm.filter.state in LATCHED | {State.DISARMED} or self.arm.disarming)
    @rule()
    def begin_again(self) -> None:
        self.arm.again()

    @rule()
    def rest(self) -> None:
        """After silence the arm is at rest within the documented number of ticks, and stays there."""
        self.arm.rest()
        assert self.arm.at_rest
        rest = self.arm.outputs[-1]
        self.arm.tick(3)
        assert set(self.arm.outputs[-3:]) <= {rest, None}

    @invariant()
    def limits_are_kept(self) -> None:
        if hasattr(self, "arm"):
            self.arm.judge.finish()
            if self.arm.outputs[-1] is not None:
                assert min(self.arm.filter.position_margins() + self.arm.filter.velocity_margins()) >= 0


Adversary.TestCase.settings = settings(
    max_examples=40,
    stateful_step_count=20,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
TestAdversary = Adversary.TestCase


def test_200_000_adversarial_joint_ticks(judged: Callable[[str], None]) -> None:
    arms = [Arm(FRANKA), Arm(ZONED), Arm(FRANKA[:3], changes=LIMITS_ONLY)]
    for seed, (arm, ticks) in enumerate(zip(arms, (20_000, 9_000, 6_000), strict=True)):
        attack(arm, random.Random(seed), ticks)
    checked = sum(arm.judge.checked for arm in arms)
    worst = {name: max(arm.judge.worst[name] for arm in arms) for name in arms[0].judge.worst}
    shares = ", ".join(f"{name} {share:.9f}" for name, share in worst.items())
    rest = max(arm.worst_rest for arm in arms)
    judged(f"{checked} joint-ticks; largest share of each limit: {shares}; of the ticks of a stop: {rest:.3f}")
    assert checked >= 200_000
    assert min(worst.values()) > 0.99, "the adversary did not reach the limits"
    assert all(arm.judge.at_end for arm in arms), "it did not reach the ends of the range"
    assert sum(arm.filter.limited for arm in arms) > 1000
    assert sum(arm.filter.rejected for arm in arms) > 1000


def test_the_same_calls_give_the_same_bits() -> None:
    arms = [Arm(FRANKA[:3], changes=LIMITS_ONLY) for _ in range(2)]
    for arm in arms:
        attack(arm, random.Random(2), 2_000)
    assert arms[0].outputs == arms[1].outputs
    assert arms[0].rules == arms[1].rules


@pytest.mark.parametrize("seed", [3, 4])
def test_mirrored_input_gives_mirrored_output(seed: int) -> None:
    """Exactly, but for half a nanoradian in the spline, which is rounded up on both sides and may shift a step."""
    arm, mirror = (Arm([_symmetric(joint) for joint in (FRANKA[1], ZONED[0])]) for _ in range(2))
    draw = random.Random(seed)
    for each in (arm, mirror):
        each.tick()
        each.again()
    for _ in range(1200):
        if draw.random() < 0.9:
            positions = [q + draw.uniform(-0.29, 0.29) for q in arm.q]
            verdicts = arm.command(positions), mirror.command([-x for x in positions])
            assert (verdicts[0] is None) is (verdicts[1] is None)
        for each in (arm, mirror):
            each.tick(2)
        assert max(abs(a + b) for a, b in zip(arm.q, mirror.q, strict=True)) < 1e-6


def _symmetric(joint: JointLimits) -> JointLimits:
    half = (joint.upper - joint.lower) / 2
    return dataclasses.replace(joint, lower=-half, upper=half)


REFUSED: tuple[dict[str, Any], ...] = (
    {"positions": [math.nan] * 3},
    {"positions": [math.inf, 0.0, 0.0]},
    {"positions": [1e308] * 3},
    {"positions": []},
    {"positions": [180.0, 0.0, 0.0]},
    {"joint_names": ["j0", "j1"]},
    {"joint_names": ["j0", "j1", "j1"]},
    {"joint_names": ["j2", "j1", "j0", "j9"]},
    {"seq": 0},
    {"stamp_ns": 0},
    {"stamp_ns": 1},
    {"age_ns": 10**10},
    {"age_ns": -(10**10)},
    {"source": "somebody"},
    {"channel": "override", "source": "policy"},
)


@settings(max_examples=25, deadline=None, derandomize=True)
@given(seed=st.integers(0, 2**32), extra=st.lists(st.tuples(st.integers(0, 300), st.sampled_from(REFUSED)), min_size=1))
def test_refused_input_changes_no_output(seed: int, extra: list[tuple[int, dict[str, Any]]]) -> None:
    """Two filters hear the same stream; one of them, besides, what it refuses. Their outputs are equal to the bit."""
    outputs = []
    for attacked in (False, True):
        arm, draw = Arm(FRANKA[:3]), random.Random(seed)
        arm.tick()
        arm.again()
        for i in range(300):
            if i % 3 == 0:
                arm.command([q + draw.uniform(-0.29, 0.29) for q in arm.q], seq=i + 1)
            for change in (change for at, change in extra if attacked and at == i):
                assert arm.command(**{"positions": arm.q, "seq": 10**6, **change}) is not None
                assert arm.listen(arm.now_ns, ["j0", "j1"], [0.0], []) is not None
            arm.tick()
        outputs.append(arm.outputs)
    assert outputs[0] == outputs[1]


@settings(max_examples=60, deadline=None, derandomize=True)
@given(names=st.lists(st.text(max_size=4) | st.sampled_from(["j0", "j1"]), max_size=5), data=st.data())
def test_whatever_a_message_holds_the_schema_answers(names: list[str], data: st.DataObject) -> None:
    arm = Arm(FRANKA[:2])
    arm.tick()
    arm.again()
    positions = data.draw(st.lists(st.floats(allow_nan=True, allow_infinity=True), max_size=5))
    integers = st.integers(-(2**63), 2**63)
    verdict = arm.command(positions, joint_names=names, seq=data.draw(integers), stamp_ns=data.draw(integers))
    assert verdict is not None or sorted(names) == ["j0", "j1"]
    arm.tick(30)
    assert arm.filter.state in (State.HOLDING, State.TRACKING, State.LIMITING, State.STOPPING)


@pytest.mark.parametrize("scale", [0.5, 0.9])
def test_tighter_limits_never_permit_more(scale: float) -> None:
    """With every limit scaled down, the largest share of the original limits that is ever used scales down with it."""
    tight = [
        dataclasses.replace(j, velocity=j.velocity * scale, acceleration=j.acceleration * scale, jerk=j.jerk * scale)
        for j in FRANKA[:3]
    ]
    arm = Arm(tight)
    judge = Judge(FRANKA[:3], 0.004)
    judge.ticks_to_rest = arm.judge.ticks_to_rest  # type: ignore[method-assign]
    arm.judge = judge
    attack(arm, random.Random(4), 2_000, MOVING)
    assert 0.9 * scale < max(arm.judge.worst.values()) <= scale


FAULTS: dict[str, Callable[[Arm], object]] = {
    "e-stop": lambda arm: arm.filter.estop("test"),
    "e-stop topic": lambda arm: arm.filter.estop_signal(True),
    "heartbeat": lambda arm: setattr(arm, "beating", False),
    "dead-man": lambda arm: setattr(arm, "held", False),
    "disarm": lambda arm: arm.disarm(),
    "silence": lambda arm: None,
    "joint states": lambda arm: setattr(arm, "measured", False),
    "tracking error": lambda arm: _elsewhere(arm, 0.2),
    "outside its limits": lambda arm: _elsewhere(arm, 50.0),
    "two publishers": lambda arm: arm.publishers("policy", 2),
}
RAISING: dict[str, tuple[type, str]] = {
    "EStop.check": (EStop, "check"),
    "JointStateFresh.check": (JointStateFresh, "check"),
    "JointStateInRange.check": (JointStateInRange, "check"),
    "TrackingError.check": (TrackingError, "check"),
    "Deadman.check": (Deadman, "check"),
    "InputAuthority.check": (InputAuthority, "check"),
    "SourceAuthority.check": (SourceAuthority, "check"),
    "OpenLoop.check": (OpenLoop, "check"),
    "LastCheck.violation": (LastCheck, "violation"),
    "SetpointSpline.target": (SetpointSpline, "target"),
    "ArmMotion._limited_by": (ArmMotion, "_limited_by"),
}
FAULTS |= {f"{place} raises": lambda arm: setattr(arm, "raising", True) for place in RAISING}
PUSHED_ON = ("joint states", "heartbeat", "dead-man", "two publishers", "e-stop")


@pytest.mark.parametrize("fault", FAULTS)
def test_at_rest_in_time_after_any_fault(fault: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """From full speed, wherever it is; what is still commanded changes nothing."""
    for seed in range(4):
        draw = random.Random(seed)
        arm = Arm(FRANKA[:4], changes=LIMITS_ONLY)
        arm.tick()
        arm.again()
        signs = [draw.choice((-1, 1)) for _ in arm.q]
        for _ in range(draw.randint(8, 40)):
            arm.command([q + sign * reach for q, sign, reach in zip(arm.q, signs, arm.reach, strict=True)])
            arm.tick(2)
        assert not arm.at_rest
        FAULTS[fault](arm)
        if fault.endswith(" raises"):
            monkeypatch.setattr(*RAISING[fault.removesuffix(" raises")], _raise)
        pushed = fault in PUSHED_ON or fault.endswith("raises")
        moved = 0
        for i in range(400):
            if pushed and i % 2 == 0:
                arm.command([q + sign * reach for q, sign, reach in zip(arm.q, signs, arm.reach, strict=True)])
            arm.tick()
            moved = moved if arm.at_rest else i + 1
        arm.judge.finish()
        timeout = 25 if fault in ("silence", "joint states") else 21
        monkeypatch.undo()
        assert moved <= timeout + arm.judge.ticks_to_rest([j.velocity * 0.004 for j in arm.limits])
        assert arm.at_rest


def _elsewhere(arm: Arm, by: float) -> None:
    """The arm is reported elsewhere: as fast as that can be, or by jumps that no joint can make."""
    arm.measured = False
    for k in range(1, 5):
        positions = [q + by * k / 4 for q in arm.q]
        verdict = arm.filter.joint_state(arm.now_ns + k * 500_000, arm.names, positions, [0.0] * len(positions))
        assert (verdict is None) is (by < 1.0)


def _raise(*_: Any) -> Any:
    raise ZeroDivisionError("broken")


def test_a_stop_is_not_later_than_the_limit_on_the_ticks() -> None:
    """The bound that the judge allows is used, so that the tests above can fail."""
    arm = Arm(FRANKA)
    attack(arm, random.Random(9), 4_000)
    assert 0.6 < arm.worst_rest < 1.0
