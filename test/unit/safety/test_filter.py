"""The filter as a whole: what passes unchanged, what is limited, what is refused, and who commands."""

from __future__ import annotations

import math
from typing import Any

import pytest

from test.unit.safety.perfect_arm import PERIOD_NS
from test.unit.safety.streams import line, moved, smooth
from vla_ros.safety.arm_motion import joint_states
from vla_ros.safety.states import State

NAN = math.nan


# What passes


@pytest.mark.parametrize("joint", range(8))
@pytest.mark.parametrize("w", [0.5, 2.0, 10.0, 60.0])
def test_a_smooth_stream_passes_unchanged(bench: Any, joint: int, w: float) -> None:
    limits, home = bench.limits[joint], list(bench.q)
    room = min(home[joint] - limits.lower, limits.upper - home[joint])
    amplitude = 0.6 * min(room, limits.velocity / w, limits.acceleration / w**2, limits.jerk / w**3)

    def path(t: float) -> list[float]:
        return moved(home, joint, amplitude * math.sin(w * t) * smooth(t / 2))

    decisions = bench.stream(path, 3.0)
    assert {d.state for d in decisions} == {State.TRACKING}
    assert bench.filter.limited == 0
    # Off the delayed path by a sixth of a second difference of setpoints; the growing amplitude adds to that of the sine.
    bound = limits.acceleration * 0.01**2 / 6 + 2e-9
    for k, decision in enumerate(decisions[10:], start=11):
        assert abs(decision.positions[joint] - path(k * 0.004 - 0.022)[joint]) <= bound


def test_constant_speed_comes_out_to_the_nanoradian(bench: Any) -> None:
    path = line(list(bench.q), 0, 0.5)
    decisions = bench.stream(path, 2.0)
    assert {d.state for d in decisions} == {State.TRACKING}
    for k, decision in enumerate(decisions, start=1):
        if k * 0.004 > 1.1:
            assert decision.positions[0] == pytest.approx(path(k * 0.004 - 0.022)[0], abs=1.5e-9)


def test_jitter_of_arrival_changes_no_output(make_bench: Any) -> None:
    outputs = []
    for late_ns in (0, 1_900_000):
        bench = make_bench().armed()
        path, first = line(list(bench.q), 0, 0.5), bench.now_ns
        sent = 0
        for _ in range(300):
            while sent * 10_000_000 + (late_ns if sent % 2 else 0) <= bench.now_ns - first:
                due_ns = first + sent * 10_000_000
                stamp_ns = due_ns + 1_700_000_000_000_000_000
                bench.command(path(sent * 0.01), stamp_ns=stamp_ns, age_ns=bench.now_ns - due_ns)
                sent += 1
            bench.tick()
        outputs.append([d.positions for d in bench.decisions[2:]])
    assert outputs[0] == outputs[1]


# What is limited


@pytest.mark.parametrize(("joint", "end"), [(1, 1.7628), (1, -1.7628), (3, -0.0698), (5, -0.0175)])
def test_a_push_into_a_limit_ends_on_it_without_overshoot(bench: Any, joint: int, end: float) -> None:
    for _ in range(400):
        q = list(bench.q)
        q[joint] += math.copysign(0.19, end - q[joint])
        bench.command(q)
        bench.tick(2)
    assert bench.q[joint] == pytest.approx(end, abs=1e-8)
    positions = [d.positions[joint] for d in bench.decisions if d.positions]
    steps = [b - a for a, b in zip(positions, positions[1:], strict=False)]
    assert all(step * math.copysign(1.0, end - positions[0]) >= 0 for step in steps), "it swings back"
    verdicts = [d.verdict for d in bench.decisions if d.verdict and d.state is State.LIMITING]
    assert verdicts and {v.joint for v in verdicts} == {bench.limits[joint].name}


def test_a_step_is_approached_without_overshoot_and_then_tracked(bench: Any) -> None:
    home = list(bench.q)
    goal = moved(home, 0, 0.19)
    decisions = bench.stream(lambda _: goal, 1.0)
    assert decisions[5].state is State.LIMITING
    assert decisions[-1].state is State.TRACKING
    assert decisions[-1].positions == tuple(goal)
    assert max(d.positions[0] for d in decisions) <= goal[0]
    accelerations = [b.velocities[0] - a.velocities[0] for a, b in zip(decisions, decisions[1:], strict=False)]
    changes = sum(1 for a, b in zip(accelerations, accelerations[1:], strict=False) if a * b < 0)
    assert changes <= 4, "the acceleration chatters"


def test_the_verdict_says_what_was_asked_allowed_and_granted(bench: Any) -> None:
    bench.command(moved(bench.q, 2, 0.15))
    for _ in range(8):
        decision = bench.tick()
    verdict = decision.verdict
    assert decision.state is State.LIMITING
    assert verdict is not None
    assert (verdict.rule, verdict.joint) == ("velocity_limit", "joint3")
    assert verdict.limit == pytest.approx(2.175)
    assert verdict.requested > verdict.limit > verdict.granted > 0
    assert verdict.granted == pytest.approx(decision.velocities[2])
    assert "joint3: velocity" in verdict.reason
    assert bench.filter.limited > 0


def test_a_limit_of_velocity_has_the_sign_of_what_was_requested(bench: Any) -> None:
    bench.command(moved(bench.q, 2, -0.15))
    for _ in range(8):
        decision = bench.tick()
    verdict = decision.verdict
    assert verdict is not None and verdict.rule == "velocity_limit"
    assert verdict.requested < verdict.limit < verdict.granted < 0


def test_a_position_limit_has_its_own_sign(bench: Any) -> None:
    home, upper = list(bench.q), -0.0698
    decisions = bench.stream(lambda t: moved(home, 3, min(1.0 * t, 1.98)), 2.4)
    (verdict,) = {
        d.verdict.limit: d.verdict for d in decisions if d.verdict and d.verdict.rule == "position_limit"
    }.values()
    assert verdict.joint == "joint4" and verdict.limit == pytest.approx(upper)
    assert bench.q[3] <= upper


def test_the_verdict_names_the_joint_that_is_furthest_from_its_target(bench: Any) -> None:
    motion, state = bench.filter._motion, bench.filter.values
    state.followed = "policy"
    q = [joint.q for joint in state.joints]
    targets = [at + 1_000_000 for at in q]
    targets[1] += 2_000_000
    targets[4] -= 6_000_000
    verdict = motion.follow(state, joint_states(state), targets, targets)
    assert verdict is not None
    assert verdict.joint == motion.limits[4].name


def test_verdicts_on_acceleration_and_jerk_are_in_si(bench: Any) -> None:
    goal, h, limits = bench.q[2] + 0.0002, PERIOD_NS / 1e9, {"acceleration_limit": 5.0, "jerk_limit": 500.0}
    bench.command(moved(bench.q, 2, 0.0002))
    q, v, a, seen = bench.q[2], 0.0, 0.0, set()
    for k in range(40):
        decision = bench.tick()
        velocity = decision.velocities[2] if decision.velocities else 0.0
        acceleration = (velocity - v) / h
        verdict = decision.verdict
        if verdict is not None and verdict.rule in limits:
            seen.add(verdict.rule)
            jerk = verdict.rule == "jerk_limit"
            assert abs(verdict.limit) == pytest.approx(limits[verdict.rule], rel=1e-3)
            assert verdict.granted == pytest.approx((acceleration - a) / h if jerk else acceleration, abs=0.05)
            if jerk and k > 8:  # the setpoint stands at the goal by now
                assert verdict.requested == pytest.approx((((goal - q) / h - v) / h - a) / h, abs=0.05)
        q, v, a = bench.q[2], velocity, acceleration
    assert seen == set(limits)


# What is refused


@pytest.mark.parametrize(
    ("change", "rule"),
    [
        ({"positions": [NAN] * 8}, "schema"),
        ({"positions": [math.inf] * 8}, "schema"),
        ({"positions": [1e308] * 8}, "schema"),
        ({"positions": []}, "schema"),
        ({"joint_names": []}, "schema"),
        ({"seq": 1}, "sequence"),
        ({"stamp_ns": 0}, "freshness"),
        ({"age_ns": 10**10}, "freshness"),
        ({"age_ns": -(10**10)}, "freshness"),
        ({"source": "override"}, "authority"),
        ({"positions": [0.5, -0.5, 0.0, -2.0, 0.0, 1.6, 0.8, 0.02], "age_ns": -1_000_000}, "continuity"),
    ],
)
def test_rejected_input_changes_no_output(make_bench: Any, change: dict[str, Any], rule: str) -> None:
    outputs = []
    for attack in (False, True):
        bench = make_bench().armed()
        path, first, sent = line(list(bench.q), 0, 0.3), bench.now_ns, 0
        for _ in range(200):
            if sent * 10_000_000 <= bench.now_ns - first:
                age_ns = bench.now_ns - first - sent * 10_000_000
                stamp_ns = bench.now_ns - age_ns + 1_700_000_000_000_000_000
                assert bench.command(path(sent * 0.01), seq=sent + 5, age_ns=age_ns, stamp_ns=stamp_ns) is None
                sent += 1
                if attack:
                    verdict = bench.command(**{"positions": list(bench.q), "seq": 10**6, **change})
                    assert verdict is not None and verdict.rule == rule
            bench.tick()
        outputs.append([d.positions for d in bench.decisions])
        assert bench.filter.rejected == (sent if attack else 0)
    assert outputs[0] == outputs[1]


# Who commands


def test_the_override_goes_first_slower_and_hands_back_at_rest(bench: Any) -> None:
    bench.stream(line(list(bench.q), 0, 1.5), 1.2)
    for _ in range(100):
        assert bench.command(moved(bench.q, 0, 0.15), channel="override") is None
        assert bench.command(list(bench.q)).rule == "authority"
        bench.tick(2)
    assert bench.decisions[-1].source == "override"
    assert bench.decisions[-1].velocities[0] == pytest.approx(0.25 * 2.175, rel=1e-6)
    verdict = bench.decisions[-1].verdict
    while bench.decisions[-1].state is not State.HOLDING:
        verdict = bench.command(list(bench.q))
        assert verdict is not None and "priority" in verdict.reason
        bench.tick()
    assert bench.command(list(bench.q)) is None
    assert bench.tick().source == "policy"


def test_ages(bench: Any) -> None:
    assert math.isnan(bench.filter.command_age_s(bench.now_ns))
    bench.command(list(bench.q))
    bench.now_ns += 8_000_000
    assert bench.filter.command_age_s(bench.now_ns) == 0.008
    assert bench.filter.joint_state_age_s(bench.now_ns) == 0.008
    assert len(bench.filter.position_margins()) == len(bench.filter.velocity_margins()) == 8
    assert bench.filter.velocity_margins()[0] == pytest.approx(2.175)
    assert bench.filter.position_margins()[7] == pytest.approx(0.02)
