"""The rules that a setpoint meets on arrival, each on its own: authority, schema, freshness, sequence, continuity."""

from __future__ import annotations

import dataclasses
import math

import pytest

from vla_ros.safety.command.authority import Authority
from vla_ros.safety.command.continuity import Continuity
from vla_ros.safety.command.freshness import STEP_NS, Freshness
from vla_ros.safety.command.schema import Schema
from vla_ros.safety.command.sequence import Sequence
from vla_ros.safety.command.setpoint import Command
from vla_ros.safety.joint.joint_limits import JointLimits
from vla_ros.safety.states import State

MS = 1_000_000
LIMITS = (JointLimits("a", -1.0, 1.0, 1.0, 1.0, 1.0), JointLimits("b", 0.0, 0.04, 1.0, 1.0, 1.0))
GOOD = Command("policy", "policy", 7, 5_000 * MS, 1 * MS, 900 * MS, ["a", "b"], [0.5, 0.01])


def changed(**changes: object) -> Command:
    return dataclasses.replace(GOOD, **changes)


# schema


def test_schema_orders_by_name() -> None:
    schema = Schema(LIMITS)
    for names, positions in ((["a", "b"], [0.5, 0.01]), (["b", "a"], [0.01, 0.5]), (["a", "b"], [0.5, 0.01])):
        command = changed(joint_names=names, positions=positions)
        assert schema.check(command) is None
        assert schema.point(command) == [500_000_000, 10_000_000]


@pytest.mark.parametrize(
    ("names", "positions", "reason"),
    [
        (["a"], [0.5], "b is named 0 times, not once"),
        ([], [], "a is named 0 times, not once"),
        (["a", "b", "b"], [0.5, 0.01, 0.01], "b is named 2 times, not once"),
        (["a", "b", "c"], [0.5, 0.01, 0.0], "'c' is not a joint of this robot"),
        (["a", "b"], [0.5], "1 positions for 2 joints"),
        (["a", "b"], [0.5, 0.01, 0.0], "3 positions for 2 joints"),
        (["a", "b"], [math.nan, 0.01], "a is nan"),
        (["a", "b"], [0.5, -math.inf], "b is -inf"),
        (["a", "b"], [45.0, 0.01], "a is far outside its range; positions are rad and m, not degrees or mm"),
        (["a", "b"], [0.5, 10.0], "b is far outside its range; positions are rad and m, not degrees or mm"),
    ],
)
def test_schema_refuses(names: list[str], positions: list[float], reason: str) -> None:
    schema = Schema(LIMITS)
    verdict = schema.check(changed(joint_names=names, positions=positions))
    assert verdict is not None
    assert (verdict.rule, verdict.reason) == ("schema", reason)
    assert schema.check(GOOD) is None


def test_schema_leaves_what_is_a_little_outside_to_the_limits() -> None:
    assert Schema(LIMITS).check(changed(positions=[1.3, -0.01])) is None


# freshness


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"stamp_ns": 0}, "header.stamp is zero"),
        ({"age_ns": 101 * MS}, "the stamp is 0.101 s old"),
        ({"age_ns": -51 * MS}, "the stamp lies 0.051 s ahead"),
    ],
)
def test_freshness_refuses(changes: dict[str, int], reason: str) -> None:
    verdict = Freshness(0.1, 0.05).check(changed(**changes))
    assert verdict is not None
    assert verdict.rule == "freshness"
    assert reason in verdict.reason


def test_freshness_accepts_up_to_its_bounds() -> None:
    assert Freshness(0.1, 0.05).check(changed(age_ns=100 * MS)) is None
    assert Freshness(0.1, 0.05).check(changed(age_ns=-50 * MS)) is None


def test_jitter_of_the_clocks_is_averaged_and_a_step_is_followed() -> None:
    freshness = Freshness(0.1, 0.05)
    assert freshness.due_ns(GOOD) == 899 * MS
    later = changed(stamp_ns=GOOD.stamp_ns + 10 * MS, receive_ns=GOOD.receive_ns + 10 * MS, age_ns=MS - 6400)
    assert freshness.due_ns(later) == 909 * MS + 100
    stepped = changed(stamp_ns=1, age_ns=MS)
    assert abs(GOOD.stamp_ns - stepped.stamp_ns) > STEP_NS
    assert freshness.due_ns(stepped) == 899 * MS


# sequence


def test_sequence_only_rises_within_a_stream() -> None:
    rule = Sequence(0.06)
    assert rule.check(GOOD) is None
    rule.accepted(GOOD)
    repeated = rule.check(GOOD)
    assert repeated is not None and "seq 7 after 7" in repeated.reason
    assert rule.check(changed(seq=6, stamp_ns=GOOD.stamp_ns + 1)) is not None
    same_stamp = rule.check(changed(seq=8))
    assert same_stamp is not None and "stamp of seq 8" in same_stamp.reason
    assert rule.check(changed(seq=8, stamp_ns=GOOD.stamp_ns + 1)) is None
    assert rule.check(changed(channel="override", source="override")) is None


@pytest.mark.parametrize(("silent_ns", "missing"), [(60_000_000, 3), (60_000_001, 0)])
def test_what_did_not_come_is_counted_within_a_stream(silent_ns: int, missing: int) -> None:
    rule = Sequence(0.06)
    rule.accepted(changed(seq=1, receive_ns=10**9))
    rule.accepted(changed(seq=5, receive_ns=10**9 + silent_ns))
    assert rule.missing == missing


def test_a_restarted_source_begins_anew_after_silence() -> None:
    rule = Sequence(0.06)
    rule.accepted(GOOD)
    restarted = changed(seq=1, stamp_ns=GOOD.stamp_ns + 60 * MS, receive_ns=GOOD.receive_ns + 60 * MS)
    assert rule.check(restarted) is not None
    assert rule.check(dataclasses.replace(restarted, receive_ns=restarted.receive_ns + 1)) is None


# continuity


def test_continuity_is_measured_from_the_output() -> None:
    rule = Continuity(["a", "b"], [0.2, 0.04])
    assert rule.check([200_000_000, 40_000_000], [0, 0]) is None
    verdict = rule.check([0, 40_000_001], [0, 0])
    assert verdict is not None
    assert (verdict.rule, verdict.joint, verdict.limit) == ("continuity", "b", 0.04)
    verdict = rule.check([-200_000_001, 0], [0, 0])
    assert verdict is not None
    assert (verdict.joint, verdict.requested, verdict.limit) == ("a", -0.200000001, -0.2)


# authority


@pytest.mark.parametrize("state", [State.DISARMED, State.PROTECTIVE_STOP, State.ESTOP])
def test_nobody_commands_a_disarmed_or_latched_arm(state: State) -> None:
    verdict = Authority().check(GOOD, state, False, "")
    assert verdict is not None
    assert verdict.rule == "authority"
    assert "vla/arm" in verdict.reason


def test_authority_of_the_sources() -> None:
    check = Authority().check
    override = changed(channel="override", source="override")
    assert check(GOOD, State.HOLDING, False, "") is None
    assert check(GOOD, State.TRACKING, False, "policy") is None
    assert check(override, State.TRACKING, False, "policy") is None
    assert check(GOOD, State.STOPPING, False, "override") is not None
    assert check(GOOD, State.STOPPING, True, "policy") is not None
    assert check(changed(source=""), State.HOLDING, False, "") is not None
    assert check(changed(source="override"), State.HOLDING, False, "") is not None
