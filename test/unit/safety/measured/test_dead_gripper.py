"""A gripper that is dead, and one that holds something."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from test.unit.safety.rule_inputs import LIMITS, MS, filter_state, parameters
from vla_ros.safety.joint.joint_motion import JointOutput
from vla_ros.safety.measured.controller_state import GripperFollows
from vla_ros.safety.states import State
from vla_ros.safety.verdict import Verdict

GRIPPER = {"controller.gripper_joint": "b", "controller.gripper_topic": "g"}
MM = 1_000_000
"""nm."""


def run(steps: Iterable[tuple[float, float, float]], **changes: object) -> Verdict | None:
    """Sent and measured, mm, for so many seconds, one after the other; the first verdict."""
    rule, state, now_ns = GripperFollows(parameters(**{**GRIPPER, **changes}), LIMITS), filter_state(), 0
    for sent, measured, seconds in steps:
        state.joints[1] = JointOutput(round(sent * MM))
        state.measured.q = [0, round(measured * MM)]
        for _ in range(round(seconds / 0.01)):
            verdict = rule.check(state, now_ns)
            if verdict is not None:
                return verdict
            now_ns += 10 * MS
    return None


def moved(begin: float, end: float, sent: float) -> list[tuple[float, float, float]]:
    return [(sent, begin + (end - begin) * k / 20, 0.02) for k in range(21)]


def test_a_gripper_that_does_not_move_is_dead() -> None:
    verdict = run([(40, 40, 1.0), (0, 40, 0.9)])
    assert verdict is None
    verdict = run([(40, 40, 1.0), (0, 40, 1.1)])
    assert verdict is not None
    assert verdict.reason == "b stays at 0.0400 though it was sent to 0.0000: the gripper does not follow"


def test_one_that_follows_late_or_is_near_is_not() -> None:
    assert run([(40, 40, 1.0), (0, 40, 0.8), *moved(40, 0, 0), (0, 0, 2.0)]) is None
    assert run([(20, 17, 5.0), (20, 23, 5.0)]) is None


def test_an_object_blocks_one_way() -> None:
    held = [(40, 40, 1.0), *moved(40, 25, 0), (0, 25, 5.0)]
    assert run(held) is None
    assert run([*held, (25, 25, 0.5), (0, 25, 3.0)]) is None, "the object is still there"
    assert run([*held, *moved(25, 40, 40), (40, 40, 3.0)]) is None
    assert run([*held, (40, 25, 1.1)]) is not None, "nothing holds it back from opening"
    assert run([*held, *moved(25, 40, 40), (0, 40, 1.1)]) is not None, "where it stands now nothing has blocked it"


def test_not_watched() -> None:
    assert not GripperFollows.configured(parameters())
    assert not GripperFollows.configured(parameters(**GRIPPER, **{"controller.gripper_timeout_s": 0.0}))
    assert GripperFollows.configured(parameters(**GRIPPER))


def test_a_dead_gripper_latches(make_bench: Callable[..., Any]) -> None:
    """Through the whole filter; its finger stays at 0.02 m."""
    changes = {"controller.gripper_joint": "finger_joint", "controller.gripper_topic": "hand/commands"}
    bench = make_bench(changes).armed()
    bench.measured = lambda q: [*q[:7], 0.02]
    bench.stream(lambda t: [*bench.q[:7], min(0.04, 0.02 + 0.05 * t)], 2.0)
    assert bench.filter.state is State.PROTECTIVE_STOP
    latched = bench.filter.values.latched_by
    assert latched is not None and "finger_joint stays at 0.0200" in latched.reason
