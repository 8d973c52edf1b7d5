"""A latch is found in the records that are written, once, also when the decision itself was lost."""

from __future__ import annotations

from typing import Any

from vla_ros.safety.audit.latch_watch import LatchWatch
from vla_ros.safety.audit.record import ORIGIN, Kind, framed, pack
from vla_ros.safety.states import State


def batch(*records: tuple[Kind, Any]) -> bytes:
    link, parts = ORIGIN, []
    for kind, values in records:
        part, link = framed(link, kind, pack(values))
        parts.append(part)
    return b"".join(parts)


def begin(now_ns: int | None, state: State) -> bytes:
    return batch((Kind.HEADER, {}), (Kind.SNAPSHOT, {"state": {"ticked_ns": now_ns, "state": int(state)}}))


def tick(now_s: float, state: State) -> bytes:
    return batch((Kind.JOINT_STATE, []), (Kind.TICK, [int(now_s * 1e9), [int(state), None]]))


def test_a_latch_is_found_once_and_tells_whether_the_file_holds_the_seconds_before() -> None:
    for state in (State.ESTOP, State.PROTECTIVE_STOP):
        watch = LatchWatch()
        assert watch.found_in(begin(None, State.DISARMED)) is None
        assert watch.found_in(tick(100.0, State.TRACKING)) is None
        found = watch.found_in(tick(105.0, state))
        assert found is not None and found.needs_file_before
        assert watch.found_in(tick(106.0, state)) is None
        assert watch.found_in(begin(107 * 10**9, state)) is None
        assert watch.found_in(tick(200.0, State.HOLDING)) is None
        found = watch.found_in(tick(201.0, state))
        assert found is not None and not found.needs_file_before


def test_a_latch_whose_decision_was_lost_is_found_in_the_snapshot() -> None:
    watch = LatchWatch()
    watch.found_in(begin(1, State.TRACKING))
    found = watch.found_in(begin(2, State.ESTOP))
    assert found is not None and found.needs_file_before


def test_what_cannot_be_read_is_no_latch() -> None:
    assert LatchWatch().found_in(batch((Kind.TICK, None), (Kind.SNAPSHOT, [1]), (Kind.TICK, ["x"]))) is None
