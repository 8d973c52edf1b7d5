"""The oracle finds what is broken, where and by how much, and accuses nothing else."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from test.unit.oracle.arms import with_bodies
from vla_ros.arrays import Array
from vla_ros.bringup.safety_configuration import safety_configuration
from vla_ros.oracle.oracle import Oracle, OracleReport
from vla_ros.oracle.stream import PICO, Stream
from vla_ros.parameters import ParameterError
from vla_ros.safety.safety_parameters import SafetyFilterParameters
from vla_ros.sim.arm_description import HOME, JOINT_NAMES, MIMIC_JOINT, POSITION_LOWER, POSITION_UPPER, urdf

H = 0.004
LIMITS = {"velocity": 2.175, "acceleration": 7.5, "jerk": 750.0}  # of joint1 in config/sim.yaml


@pytest.fixture(scope="module")
def parameters() -> SafetyFilterParameters:
    return safety_configuration()[0]


@pytest.fixture(scope="module")
def oracle(parameters: SafetyFilterParameters) -> Oracle:
    return Oracle(urdf(), parameters)


def joint1(path: Array) -> Array:
    """Joint 1 on a path (N,), the others at home."""
    q = np.tile(HOME, (len(path), 1))
    q[:, 0] = path
    return q


def broken(report: OracleReport) -> list[str]:
    return [f"{each.quantity} {each.who}" for each in report.findings if each.broken]


def integrated(order: int, value: float) -> Array:
    """A path in whole nanoradians whose difference of that order is `value` * h^order, three times, from rest."""
    step = round(value * H**order * 1e9)
    d = np.array([0] * 4 + [step] * (3 if order == 1 else 1) + [0] * 2)
    for _ in range(order):
        d = np.cumsum(d)
    return d / 1e9


@pytest.mark.parametrize("quantity", LIMITS)
@pytest.mark.parametrize("sign", [-1, 1])
def test_one_nanoradian_decides(oracle: Oracle, quantity: str, sign: int) -> None:
    """A stream in whole nanoradians at the limit passes; one nanoradian more is found, with joint, value and time."""
    order = list(LIMITS).index(quantity) + 1
    at_limit = np.floor(LIMITS[quantity] * H**order * 1e9 + 1e-6)
    for nano, found in ((at_limit, False), (at_limit + 1, True)):
        path = integrated(order, sign * nano / 1e9 / H**order)
        finding = next(
            each for each in oracle.check(joint1(path)).findings if (each.quantity, each.who) == (quantity, "joint1")
        )
        assert finding.broken is found
        assert finding.value == pytest.approx(sign * nano / 1e9 / H**order, rel=1e-6)
        assert finding.limit == LIMITS[quantity]
        assert finding.time_s == pytest.approx(4 * H)


@pytest.mark.parametrize("bound", [POSITION_LOWER[0], POSITION_UPPER[0]])
def test_a_nanoradian_past_the_range_is_found(oracle: Oracle, bound: float) -> None:
    assert broken(oracle.check(joint1(np.full(5, bound)))) == []
    outside = bound + np.sign(bound) * 1e-9
    report = oracle.check(joint1(np.array([bound, bound, outside, bound])), from_rest=False)
    (finding,) = [each for each in report.findings if each.broken]
    assert (finding.quantity, finding.who, finding.count) == ("position", "joint1", 1)
    assert finding.excess == pytest.approx(1e-9, rel=1e-3)
    assert finding.time_s == pytest.approx(2 * H)


def test_written_digits_are_allowed_for(oracle: Oracle) -> None:
    """Rounding to nine digits breaks the jerk limit by less than 8 · 0.5e-9 / h³; said so, it is no finding."""
    jerk = np.where(np.arange(400) % 4 < 2, 1.0, -1.0) * 47999.5e-9  # per tick; 48000 nanoradians are the limit
    path = np.cumsum(np.cumsum(np.cumsum(jerk)))
    names, stamps = JOINT_NAMES[:1], np.arange(400, dtype=np.int64) * PICO // 250
    rounded = Stream(names, stamps, np.round(path, 9)[:, None])
    assert "jerk joint1" in broken(oracle.judge(rounded))
    assert "jerk joint1" not in broken(oracle.judge(dataclasses.replace(rounded, half_unit=(0.5e-9,))))


def stream(stamps_s: list[float], q: list[float], **changes: object) -> Stream:
    stamps = np.array([round(t * PICO) for t in stamps_s], np.int64)
    return dataclasses.replace(Stream(("joint1",), stamps, np.array(q)[:, None]), **changes)  # type: ignore[arg-type]


def test_uneven_stamps_are_judged_as_they_are(oracle: Oracle) -> None:
    t = [0.0, 0.004, 0.005, 0.020, 0.021]
    report = oracle.judge(stream(t, [2.0 * x for x in t]))
    assert not report.broken
    assert abs(report.worst("acceleration").value) < 1e-9
    assert any("uneven" in note for note in report.notes)


@pytest.mark.parametrize(
    ("stamps", "q", "fault"),
    [
        ([0.0, 0.004, 0.004, 0.008], [0.0, 0.0, 0.1, 0.0], "moved within one stamp"),
        ([0.0, 0.004, 0.002, 0.008], [0.0, 0.0, 0.1, 0.0], "stamp goes back"),
        ([0.0, 0.004, 0.008, 0.012], [0.0, float("nan"), 0.0, 0.0], "position nan is not finite"),
        ([0.0, 0.004, 0.008, 0.012], [0.0, float("-inf"), 0.0, 0.0], "position -inf is not finite"),
    ],
)
def test_what_no_stream_may_hold_is_named(oracle: Oracle, stamps: list[float], q: list[float], fault: str) -> None:
    report = oracle.judge(stream(stamps, q))
    assert report.broken
    assert [(each.what, each.joint, each.count) for each in report.faults] == [(fault, "joint1", 1)]
    assert broken(report) == []


def test_a_repeated_stamp_with_the_same_position_is_only_noted(oracle: Oracle) -> None:
    report = oracle.judge(stream([0.0, 0.004, 0.004, 0.008], [0.0] * 4))
    assert not report.broken
    assert any("do not rise" in note for note in report.notes)


def test_a_jump_across_a_gap_is_found_a_slow_way_is_not(oracle: Oracle) -> None:
    before = [i * 0.004 for i in range(20)]
    after = [1.0 + t for t in before]
    for jump, found in ((2.0, False), (2.3, True)):
        report = oracle.judge(stream([*before, *after], [0.0] * 20 + [jump] * 20))
        assert ("velocity joint1" in broken(report)) is found
        assert any("1 gaps" in note for note in report.notes)


def test_stretches_begin_anew(oracle: Oracle) -> None:
    q = [0.0] * 20 + [2.0] * 20
    t = [i * 0.004 for i in range(40)]
    assert oracle.judge(stream(t, q)).broken
    assert not oracle.judge(stream(t, q, starts=(0, 20))).broken


def test_from_rest_the_first_step_counts(oracle: Oracle) -> None:
    path = joint1(np.arange(5) * 0.004)
    assert not oracle.check(path, from_rest=False).broken
    found = broken(oracle.check(path, from_rest=True))
    assert found == ["acceleration joint1", "jerk joint1"]


def test_scale_and_slow_zone_tighten_the_limits(parameters: SafetyFilterParameters) -> None:
    ones, zone = [1.0] * 8, [0.1] + [0.0] * 7
    limits = dataclasses.replace(
        parameters.limits, scale=[0.5] + ones[1:], slow_zone=zone, slow_velocity=[0.2] + [0.0] * 7
    )
    tight = Oracle(urdf(), dataclasses.replace(parameters, limits=limits))
    bounds = tight.bounds["joint1"]
    assert (bounds.velocity, bounds.acceleration, bounds.jerk) == (2.175 / 2, 7.5 / 2, 750.0 / 2)
    for v, found in (
        (0.206, False),
        (0.209, True),
        (-1.0, False),
    ):  # allowed where the last step begins: 0.2073, 0.2074
        path = POSITION_UPPER[0] - abs(v) * H * np.arange(3)[:: -1 if v > 0 else 1]
        assert ("slow_zone joint1" in broken(tight.check(joint1(path), from_rest=False))) is found


def test_a_stream_into_the_table_breaks_the_table(oracle: Oracle) -> None:
    q = np.tile(HOME, (30, 1))
    q[:, 1] = np.linspace(-0.9, 1.2, 30)
    report = oracle.check(q, period_s=1.0)
    assert "table" in {each.quantity for each in report.findings if each.broken}
    assert report.worst("table").value < 0


def test_missing_joints_leave_the_clearances_open(oracle: Oracle) -> None:
    report = oracle.judge(stream([0.0, 0.004], [0.0, 0.0]))
    assert any("clearances are not judged" in note for note in report.notes)


def test_what_is_no_robot_is_refused(oracle: Oracle, parameters: SafetyFilterParameters) -> None:
    with pytest.raises(ParameterError, match="elbow"):
        oracle.judge(dataclasses.replace(stream([0.0], [0.0]), names=("elbow",)))
    for text, said in (
        (with_bodies(base="<cone/>"), "collision cone of link base"),
        (urdf().replace('name="joint1"', 'name="first"'), "no joint 'joint1'"),
        (urdf().replace('<mimic joint="finger_joint"', f'<mimic joint="{MIMIC_JOINT}"'), f"{MIMIC_JOINT} is a mimic"),
        (urdf().replace('<mimic joint="finger_joint"', '<mimic joint="nowhere"'), f"{MIMIC_JOINT} is a mimic"),
    ):
        with pytest.raises(ParameterError, match=said):
            Oracle(text, parameters)


def test_a_mesh_leaves_its_own_clearances_open_and_all_else_is_judged(parameters: SafetyFilterParameters) -> None:
    oracle = Oracle(with_bodies(link3='<mesh filename="x.stl"/>'), parameters)
    report = oracle.check(joint1(np.array([0.0, 0.0, 0.1, 0.1])))
    assert {"velocity joint1", "acceleration joint1", "jerk joint1"} <= set(broken(report))
    assert "clearances of the meshes of link3 are not judged" in report.notes
    q = np.tile(HOME, (30, 1))
    q[:, 1] = np.linspace(-0.9, 1.2, 30)
    assert oracle.check(q, period_s=1.0).worst("table").value < 0
