"""Sequence: count and stamp rise within a stream, and a silence begins another one."""

from __future__ import annotations

import dataclasses

import pytest

from test.unit.safety.rule_inputs import LIMITS, MS, filter_state, parameters
from vla_ros.safety.command.sequence import SetpointSequence
from vla_ros.safety.command.setpoint import Setpoint

GOOD = Setpoint("policy", "policy", 7, 5_000 * MS, 1 * MS, 900 * MS, ["a", "b"], [0.5, 0.01])


def changed(**changes: object) -> Setpoint:
    return dataclasses.replace(GOOD, **changes)


def test_count_and_stamp_only_rise_within_a_stream() -> None:
    rule, state = SetpointSequence(parameters(), LIMITS), filter_state()
    assert rule.check(GOOD, state) is None
    rule.accepted(GOOD, state)
    repeated = rule.check(GOOD, state)
    assert repeated is not None and "seq 7 after 7" in repeated.reason
    assert rule.check(changed(seq=6, stamp_ns=GOOD.stamp_ns + 1), state) is not None
    same_stamp = rule.check(changed(seq=8), state)
    assert same_stamp is not None and "stamp of seq 8" in same_stamp.reason
    assert rule.check(changed(seq=8, stamp_ns=GOOD.stamp_ns + 1), state) is None
    assert rule.check(changed(channel="override", source="override"), state) is None


@pytest.mark.parametrize(("silent_ns", "missing"), [(60_000_000, 3), (60_000_001, 0)])
def test_what_did_not_come_is_counted_within_a_stream(silent_ns: int, missing: int) -> None:
    rule, state = SetpointSequence(parameters(), LIMITS), filter_state()
    rule.accepted(changed(seq=1, receive_ns=10**9), state)
    rule.accepted(changed(seq=5, receive_ns=10**9 + silent_ns), state)
    assert state.missing == missing


def test_a_restarted_source_begins_anew_after_silence() -> None:
    rule, state = SetpointSequence(parameters(), LIMITS), filter_state()
    rule.accepted(GOOD, state)
    restarted = changed(seq=1, stamp_ns=GOOD.stamp_ns + 60 * MS, receive_ns=GOOD.receive_ns + 60 * MS)
    assert rule.check(restarted, state) is not None
    assert rule.check(dataclasses.replace(restarted, receive_ns=restarted.receive_ns + 1), state) is None
