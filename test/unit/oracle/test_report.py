"""A report says what is broken first, as text and as JSON that any reader takes."""

from __future__ import annotations

import json
import math

from vla_ros.oracle.report import LimitFinding, OracleReport
from vla_ros.oracle.stream import StreamFault

GOOD = LimitFinding("velocity", "joint1", 1.5, 2.0, -0.5, 1e-9, 0.4, 0)
BAD = LimitFinding("velocity", "joint2", 2.5, 2.0, 0.5, 1e-9, 0.8, 3)
OPEN = LimitFinding("position", "joint3", 1.0, math.inf, -math.inf, 0.0, 0.0, 0)


def report(*findings: LimitFinding, faults: tuple[StreamFault, ...] = ()) -> OracleReport:
    return OracleReport(3, 100, 1, 0.396, findings, faults, ("a note",))


def test_rounding_is_no_excess() -> None:
    assert not LimitFinding("jerk", "joint1", 1.0, 1.0, 1e-9, 1e-9, 0.0, 0).broken
    assert LimitFinding("jerk", "joint1", 1.0, 1.0, 2e-9, 1e-9, 0.0, 1).broken


def test_one_broken_limit_or_one_fault_breaks_the_stream() -> None:
    assert not report(GOOD, OPEN).broken
    assert report(GOOD, BAD).broken
    assert report(GOOD, faults=(StreamFault("stamp goes back", "joint1", 0.1),)).broken


def test_what_is_broken_comes_first_in_the_text() -> None:
    lines = report(GOOD, BAD, faults=(StreamFault("stamp goes back", "", 0.1, 2),)).text().splitlines()
    assert lines[0] == "100 samples of 3 joints, 1 stretches, 0.396 s"
    assert lines[2].split() == ["!", "velocity", "joint2", "2.5", "2", "0.5", "0.800"]
    assert lines[3].split() == ["velocity", "joint1", "1.5", "2", "–", "0.400"]
    assert lines[4:] == ["! stamp goes back: all joints, 2×, first at 0.100 s", "note: a note"]


def test_json_holds_no_infinity() -> None:
    data = json.loads(json.dumps(report(GOOD, OPEN).json(), allow_nan=False))
    assert (data["broken"], data["findings"][1]["limit"], data["samples"]) == (False, None, 100)


def test_the_worst_is_the_largest_share_of_the_limit() -> None:
    slower = LimitFinding("velocity", "joint3", 0.9, 1.0, -0.1, 0.0, 0.0, 0)
    assert report(GOOD, slower).worst("velocity") == slower
