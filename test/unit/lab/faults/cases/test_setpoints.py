"""Each altered setpoint is what its name says, and the filter refuses it by the expected rule."""

from __future__ import annotations

import itertools
import math

import pytest

from test.unit.lab.faults.fake_rig import CASES, POSITIONS, FakeRig, correct_setpoint, injected
from test.unit.lab.faults.filter_at_home import refusing_rules
from vla_ros.lab.faults.cases import setpoints
from vla_ros.lab.faults.graphs import bounds
from vla_ros.sim.arm_description import JOINT_NAMES, POSITION_UPPER

REFUSED = [
    case.name
    for case in setpoints.cases(bounds())
    if case.expected.rules and {"schema", "continuity"}.issuperset(case.expected.rules)
]


@pytest.mark.parametrize("name", REFUSED)
def test_an_altered_setpoint_is_refused_by_the_expected_rule(name: str) -> None:
    rules = refusing_rules(name)
    assert rules[1:] and set(rules[1:]) == set(CASES[name].expected.rules)


@pytest.mark.parametrize("name", ["permuted-names", "denormal"])
def test_a_harmless_setpoint_is_accepted(name: str) -> None:
    assert refusing_rules(name) == [""] * 3


def test_silence_sends_nothing() -> None:
    assert injected("silent").alter_setpoint(correct_setpoint(), 0.0) == ()


def test_a_motion_begins_at_the_present_setpoint() -> None:
    rig = FakeRig()
    setpoints.move_from_here(rig, lambda t: {"joint1": t})  # type: ignore[arg-type]
    (first,) = rig.alter_setpoint(correct_setpoint(1), 0.0)
    (later,) = rig.alter_setpoint(correct_setpoint(2), 0.5)
    assert first.positions == POSITIONS
    assert later.positions == (POSITIONS[0] + 0.5, *POSITIONS[1:])
    assert later.seq == 2, "only the positions differ from the correct setpoint"


def test_a_push_stays_ahead_of_the_measured_arm() -> None:
    rig = injected("into-self-collision")
    (sent,) = rig.alter_setpoint(correct_setpoint(), 0.0)
    moved = {name: q - home for name, q, home in zip(JOINT_NAMES, sent.positions, POSITIONS, strict=True) if q != home}
    assert moved == pytest.approx({"joint4": -setpoints.AHEAD, "joint6": -setpoints.AHEAD})


def test_a_push_into_the_limit_ends_a_little_beyond_it() -> None:
    rig = injected("push-into-limit")
    sent = [rig.alter_setpoint(correct_setpoint(k), k * 0.01)[0].positions[6] for k in range(400)]
    upper = float(POSITION_UPPER[JOINT_NAMES.index("joint7")])
    assert sent[-1] == pytest.approx(upper + setpoints.BEYOND)
    assert max(b - a for a, b in itertools.pairwise(sent)) < 0.016


def test_the_reversal_changes_the_sign_of_the_speed_and_then_sends_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    motions = []
    monkeypatch.setattr(setpoints, "move_from_here", lambda rig, motion: motions.append(motion))
    rig = injected("reversal")
    forward, back = (motion(0.65)["joint1"] - motion(0.64)["joint1"] for motion in motions)
    assert forward == pytest.approx(0.02, rel=1e-3) and back == pytest.approx(-0.02)
    assert rig.alter_setpoint(correct_setpoint(), 0.0) == ()
    assert len(rig.named("mark_fault")) == 1


def test_alternation_and_oscillation_swing_to_both_sides() -> None:
    for name in ("sign-alternation", "oscillating"):
        rig = injected(name)
        offsets = [rig.alter_setpoint(correct_setpoint(k), k * 0.01)[0].positions[0] - POSITIONS[0] for k in range(50)]
        assert min(offsets) < -0.04 and max(offsets) > 0.04, name


def test_a_burst_is_a_thousand_setpoints() -> None:
    assert injected("burst").named("send_burst") == [("send_burst", 1000)]


def test_not_a_number_and_infinities_are_in_one_joint() -> None:
    for name, check in (("nan", math.isnan), ("infinity", math.isinf), ("minus-infinity", math.isinf)):
        (sent,) = injected(name).alter_setpoint(correct_setpoint(), 0.0)
        assert [check(q) for q in sent.positions].count(True) == 1, name
