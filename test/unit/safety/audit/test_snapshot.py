"""Snapshots: the whole state as plain values, and nothing else read back."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable
from typing import Any

import msgpack
import numpy as np
import pytest

from test.unit.safety.streams import line
from vla_ros.safety.audit.snapshot import SnapshotError, configuration_of, filter_of, plain, snapshot_of, value_of
from vla_ros.safety.state import FilterState
from vla_ros.safety.states import State


def taken(bench: Any) -> Any:
    snapshot = snapshot_of(bench.filter, configuration_of(bench.filter))
    return msgpack.unpackb(msgpack.packb(snapshot), strict_map_key=False)


def test_a_filter_of_a_snapshot_goes_on_to_the_bit_from_every_state(make_bench: Any) -> None:
    """In mid-motion, stalled, disarming, latched: the decisions that follow are the same."""

    def moving(bench: Any) -> None:
        bench.armed().stream(line(list(bench.q), 0, 0.5), 0.8)

    def stalled(bench: Any) -> None:
        moving(bench)
        bench.measured = lambda q: None
        bench.now_ns += 500_000_000
        bench.tick()
        assert bench.filter.state is State.STALLED

    def disarming(bench: Any) -> None:
        moving(bench)
        bench.filter.disarm()
        assert bench.filter.state is State.DISARMING

    def latched(bench: Any) -> None:
        moving(bench)
        bench.filter.fault("test")

    for begin in (moving, stalled, disarming, latched):
        first, second = make_bench(), make_bench()
        for bench in (first, second):
            begin(bench)
        second.filter = filter_of(taken(second))
        for bench in (first, second):
            bench.measured = lambda q: q
            bench.stream(line(list(bench.q), 0, 0.5), 0.3)
            bench.tick(60)
        assert [repr(d) for d in first.decisions] == [repr(d) for d in second.decisions], begin.__name__


def test_everything_that_changes_is_in_the_state_and_of_plain_types() -> None:
    state = FilterState()
    names = [field.name for field in dataclasses.fields(state)]
    assert list(plain(state)) == names
    again = value_of(FilterState, plain(state), "state")
    assert again == state


@pytest.mark.parametrize(
    ("change", "text"),
    [
        (lambda s: s["state"].update(sending="yes"), "state.sending: 'yes' is no bool"),
        (lambda s: s["state"].update(state=99), "state.state: 99 is no State"),
        (lambda s: s["state"].pop("ticks"), "are not"),
        (lambda s: s["state"]["measured"].update(q=[0.5]), "state.measured.q[0]: 0.5 is no int"),
        (lambda s: s["state"].update(latched_by={"rule": "x"}), "state.latched_by"),
        (lambda s: s.update(extra_rules=["mine"]), "the filter had the extra rules ['mine'], this replay has []"),
        (lambda s: s.pop("srdf"), "it does not hold parameters, limits, URDF, SRDF, extra rules and state"),
    ],
)
def test_what_is_no_state_is_refused_and_the_place_is_named(
    make_bench: Any, change: Callable[[Any], Any], text: str
) -> None:
    snapshot = taken(make_bench())
    change(snapshot)
    with pytest.raises(SnapshotError) as refused:
        filter_of(snapshot)
    assert text in str(refused.value)


def test_arrays_keep_every_bit() -> None:
    kind = dataclasses.make_dataclass("Kind", [("x", np.ndarray[Any, np.dtype[np.float64]])])
    values = kind(np.array([math.inf, -0.0, 0.1]))
    again = value_of(kind, msgpack.unpackb(msgpack.packb(plain(values))), "")
    assert again.x.tobytes() == values.x.tobytes()
    with pytest.raises(SnapshotError, match="is no list of numbers"):
        value_of(kind, {"x": ["a"]}, "")


def test_an_object_is_no_plain_value() -> None:
    with pytest.raises(SnapshotError, match="object is no plain value"):
        plain([object()])
