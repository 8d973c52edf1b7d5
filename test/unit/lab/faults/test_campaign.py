"""A case is tried again only after a stall, a fault in motion comes in motion, and the oracle checks all outputs."""

from __future__ import annotations

import contextlib
import dataclasses
import math
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace

import pytest

from vla_ros.bringup.safety_configuration import safety_configuration
from vla_ros.lab.faults import campaign, preparation
from vla_ros.lab.faults.case import FaultCase
from vla_ros.lab.faults.graphs import AUDIT
from vla_ros.lab.faults.reaction import ExpectedReaction, ObservedReaction
from vla_ros.lab.faults.result import FaultResult
from vla_ros.safety.audit.record import ORIGIN, Kind, framed, pack

GOOD = ObservedReaction(
    states=["TRACKING", "STOPPING", "HOLDING"], rules=["schema"], rest_s=0.2, velocity=0.5, acceleration=0.5
)
EXPECTED = ExpectedReaction(("schema",), rest_s=0.3)


@pytest.mark.parametrize(
    ("stalls", "passes", "tries", "itself"),
    [
        (((0.0, 0),), (False,), 1, False),
        (((0.05, 0), (0.0, 0)), (False, True), 2, False),
        (((0.05, 0),) * 5, (False,) * 5, 5, False),
        (((0.05, 0),), (True,), 1, False),
        (((0.05, 35),), (False,), 1, True),
        (((0.03, 9),), (False,), 1, False),
        (((0.03, 35), (0.0, 0)), (False, True), 2, False),
    ],
    ids=[
        "a failure",
        "a stall",
        "stalls without end",
        "a stall that did no harm",
        "a stall that is the fault",
        "a few late ticks",
        "many short stalls",
    ],
)
def test_only_what_failed_while_the_machine_stood_still_is_tried_again(
    monkeypatch: pytest.MonkeyPatch,
    stalls: tuple[tuple[float, int], ...],
    passes: tuple[bool, ...],
    tries: int,
    itself: bool,
) -> None:
    case = FaultCase("nan", "NaN in one joint", EXPECTED, lambda rig: None, stalls=itself)
    rig, script = (
        SimpleNamespace(longest_stall_s=0.0, run_for=lambda seconds: None),
        iter(zip(stalls, passes, strict=True)),
    )

    def once(rig: SimpleNamespace, case: FaultCase) -> FaultResult:
        (rig.longest_stall_s, late), passed = next(script)
        return FaultResult(case, dataclasses.replace(GOOD, late=late), [] if passed else ["at rest too late"], 1.0)

    monkeypatch.setattr(campaign, "run_case_once", once)
    result = campaign.run_case(rig, case)
    assert len(result.stalls) == tries - 1 and not next(script, None)
    assert (not result.wrong) is passes[-1]


def test_a_case_that_hangs_fails_and_the_next_one_gets_a_new_graph(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(campaign, "CASE_S", 0.2)
    started: list[MovingArm] = []

    @contextlib.contextmanager
    def start(graph: str, folder: Path) -> Iterator[MovingArm]:
        started.append(MovingArm(1.0, 1.0))
        yield started[-1]

    def wait_for_ever(rig: object) -> None:
        threading.Event().wait()

    monkeypatch.setitem(sys.modules, "vla_ros.lab.faults.graph_rig", SimpleNamespace(started=start))
    for step in ("prepare", "run_to_end"):
        monkeypatch.setattr(campaign, step, lambda rig, case: None)
    good = FaultCase("nan", "NaN in one joint", EXPECTED, lambda rig: rig.mark_fault(), start="holding")
    cases = [good, FaultCase("hangs", "it hangs", EXPECTED, wait_for_ever), good, good]
    results: list[FaultResult] = []
    campaign.run_graph("filter", tmp_path, cases, results.append)
    assert [result.case.name for result in results] == ["nan", "hangs", "nan", "nan"]
    assert [result.overdue for result in results] == [False, True, False, False] and len(started) == 2
    (line,) = results[1].wrong
    assert line.startswith("not over after 0.2 s; it was in wait_for_ever, wait")


class MovingArm:
    """A rig whose arm has the next of these speeds at each mark."""

    def __init__(self, *speeds: float) -> None:
        self.graph, self.state, self.rule, self.speed, self.longest_stall_s = "filter", "TRACKING", "", 0.0, 0.0
        self._speeds = iter(speeds)
        self._observed = ObservedReaction()

    def begin_case(self) -> ObservedReaction:
        self._observed = dataclasses.replace(GOOD)
        return self._observed

    def mark_fault(self) -> None:
        self._observed.speed = next(self._speeds)

    def observe(self) -> ObservedReaction:
        return self._observed

    def start_swing(self) -> None:
        pass

    def run_for(self, seconds: float, until: object = None) -> bool:
        return True


@pytest.mark.parametrize(
    ("speeds", "start", "said"),
    [
        ((1.0,), "moving", ""),
        ((0.0, 1.0), "moving", ""),
        ((0.0, 0.1, math.nan), "moving", "aborted: the arm does not move"),
        ((0.0,), "holding", ""),
        ((1.0, 0.0), "moving", "the arm did not move when the fault came"),
    ],
    ids=["it moves", "in the end it moves", "it never moves", "it need not", "it has stopped before the fault"],
)
def test_a_fault_in_motion_comes_in_motion(
    monkeypatch: pytest.MonkeyPatch, speeds: tuple[float, ...], start: str, said: str
) -> None:
    again = speeds == (1.0, 0.0)  # the case puts off its mark
    for step in ("restore", "arm"):
        monkeypatch.setattr(preparation, step, lambda rig: None)
    begun: list[bool] = []

    def inject(rig: MovingArm) -> None:
        begun.append(True)
        if again:
            rig.mark_fault()

    case = FaultCase("nan", "", EXPECTED, inject, start=start)  # type: ignore[arg-type]
    rig = MovingArm(*speeds)
    result = campaign.run_case_once(rig, case)  # type: ignore[arg-type]
    assert "; ".join(result.wrong).startswith(said) and bool(result.wrong) is bool(said)
    assert bool(begun) is not said.startswith("aborted")
    assert next(rig._speeds, None) is None


def test_a_filter_whose_state_alone_says_that_it_moves_the_arm_is_not_enough(monkeypatch: pytest.MonkeyPatch) -> None:
    for step in ("restore", "arm"):
        monkeypatch.setattr(preparation, step, lambda rig: None)
    rig = MovingArm(1.0, 1.0, 1.0)
    rig.state = "STOPPING"
    result = campaign.run_case_once(rig, FaultCase("nan", "", EXPECTED, lambda rig: None))  # type: ignore[arg-type]
    assert "STOPPING" in result.wrong[0]


class SteadyRig:
    """A rig whose filter is in one state, and which runs until a condition holds or 50 times 10 ms have passed."""

    def __init__(self, state: str, speed: float) -> None:
        self.state, self.speed, self.seconds = state, speed, 0.0

    def run_for(self, seconds: float, until: Callable[[], bool]) -> bool:
        self.seconds = seconds
        return any(until() for _ in range(50))


@pytest.mark.parametrize(
    ("state", "speed", "goes_on", "ends_early"),
    [
        ("HOLDING", 0.0, False, True),
        ("HOLDING", 0.1, False, False),
        ("ESTOP", 0.0, False, False),
        ("HOLDING", 0.0, True, False),
    ],
    ids=["at rest as expected", "still moving", "another state", "it is to go on"],
)
def test_a_case_ends_early_when_the_arm_rests_as_expected(
    monkeypatch: pytest.MonkeyPatch, state: str, speed: float, goes_on: bool, ends_early: bool
) -> None:
    clock = iter(range(1000))
    monkeypatch.setattr(campaign.time, "monotonic", lambda: next(clock) * 0.01)
    ended: list[bool] = []
    rig = SteadyRig(state, speed)
    run_for = rig.run_for
    rig.run_for = lambda seconds, until: ended.append(run_for(seconds, until)) or ended[-1]  # type: ignore[method-assign]
    expected = dataclasses.replace(EXPECTED, goes_on=goes_on)
    campaign.run_to_end(rig, FaultCase("nan", "", expected, lambda rig: None))  # type: ignore[arg-type]
    assert ended == [ends_early]
    assert rig.seconds == 0.3 + campaign.EXTRA_S


def test_a_case_without_a_graph_is_not_run_on() -> None:
    rig = SteadyRig("-", 0.0)
    campaign.run_to_end(rig, FaultCase("nan", "", EXPECTED, lambda rig: None, graph="none"))  # type: ignore[arg-type]
    assert rig.seconds == 0.0


def test_a_log_that_is_gone_is_no_log_within_the_limits(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(campaign, "LOG_CLOSED_S", 0.0)
    outputs = campaign.check_outputs("filter", tmp_path)
    assert outputs.broken and "no audit log here" in outputs.text()


def test_a_log_of_an_arm_that_was_not_to_move_is_within_the_limits(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(campaign, "LOG_CLOSED_S", 0.0)
    parameters, urdf = safety_configuration("sim", "", "")
    header = {"parameters": dataclasses.asdict(parameters), "urdf": urdf, "continues": ORIGIN.hex(), "lost": 0}
    data, link = framed(ORIGIN, Kind.HEADER, pack(header))
    (tmp_path / AUDIT).mkdir()
    tick, _ = framed(link, Kind.TICK, pack([10**15, [0, None, (), "", None]]))
    (tmp_path / AUDIT / "audit-1.vlalog").write_bytes(data + tick)
    assert campaign.check_outputs("filter", tmp_path).broken == []
