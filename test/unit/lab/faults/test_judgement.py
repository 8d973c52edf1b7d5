"""The judgement sees what it must, and the bounds follow the parameters."""

from __future__ import annotations

import dataclasses
import math
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from vla_ros.bringup.safety_configuration import safety_configuration
from vla_ros.lab.faults import campaign, report
from vla_ros.lab.faults.campaign import Result
from vla_ros.lab.faults.case import MOVING, Case, Expected, Seen, failures
from vla_ros.lab.faults.controller_log import ControllerLog, judge
from vla_ros.lab.faults.graphs import AUDIT, bounds
from vla_ros.lab.faults.times import swing_until
from vla_ros.safety.audit.record import ORIGIN, Kind, framed, pack
from vla_ros.sim.arm_description import HOME, JOINT_NAMES, POSITION_UPPER
from vla_ros.sim.controller import PERIOD_S, Controller

TIMES = np.arange(-25, 250) * PERIOD_S


def braking(speed: float, brake: float) -> np.ndarray:
    """joint1 at a speed until 0, then braked to rest."""
    after = np.clip(TIMES, 0.0, speed / brake)
    q = np.tile(HOME, (len(TIMES), 1))
    q[:, 0] += speed * np.minimum(TIMES, 0.0) + speed * after - brake * after**2 / 2
    return q


def test_rest_and_shares_are_those_of_the_motion() -> None:
    seen = Seen()
    judge(TIMES, braking(1.0, 5.0), seen)
    assert seen.rest_s == pytest.approx(0.2, abs=2 * PERIOD_S)
    assert seen.velocity == pytest.approx(1.0 / 2.175, rel=1e-6)
    assert seen.acceleration == pytest.approx(5.0 / 15.0, rel=1e-3)
    assert seen.outside == 0.0


def test_what_moves_to_the_end_is_not_at_rest() -> None:
    q = np.tile(HOME, (len(TIMES), 1))
    q[:, 6] += 0.5 * TIMES
    seen = Seen()
    judge(TIMES, q, seen)
    assert math.isnan(seen.rest_s)


def test_leaving_the_range_is_seen() -> None:
    q = np.tile(HOME, (len(TIMES), 1))
    q[100:, 6] = POSITION_UPPER[6] + 0.01
    seen = Seen()
    judge(TIMES, q, seen)
    assert seen.outside == pytest.approx(0.01)
    assert failures(Expected(ends=MOVING), seen)


GOOD = Seen(states=["TRACKING", "STOPPING", "HOLDING"], rules=["schema"], rest_s=0.2, velocity=0.5, acceleration=0.5)
ASKED = Expected(("schema",), rest_s=0.3)


@pytest.mark.parametrize(
    ("change", "text"),
    [
        ({"rules": ["continuity"]}, "none of schema acted, but continuity"),
        ({"states": ["TRACKING"]}, "ended TRACKING, not HOLDING"),
        ({"rest_s": 0.31}, "at rest after 0.310 s; 0.300 s are allowed"),
        ({"rest_s": math.nan}, "not at rest"),
        ({"velocity": 1.01}, "velocity at 1.010"),
        ({"acceleration": math.nan}, "acceleration at nan"),
        ({"outside": 0.1}, "outside the position limits"),
        ({"problem": "broken off: x"}, "broken off"),
    ],
)
def test_each_expectation_can_fail(change: dict[str, object], text: str) -> None:
    assert failures(ASKED, GOOD) == []
    (wrong,) = failures(ASKED, dataclasses.replace(GOOD, **change))  # type: ignore[arg-type]
    assert text in wrong


def test_an_answer_and_going_on_can_be_asked_for() -> None:
    on = Seen(states=["TRACKING"], answers=["all well"])
    assert failures(Expected(ends=MOVING, goes_on=True, says="well"), on) == []
    assert failures(Expected(ends=MOVING, says="ill"), on) == ["nobody said 'ill', but all well"]
    assert failures(Expected(ends=MOVING, goes_on=True), dataclasses.replace(on, rest_s=0.1))


def test_the_log_of_the_controller_is_read_while_it_is_written(tmp_path: Path) -> None:
    path = tmp_path / "log.csv"
    controller = Controller(HOME, 0.02, str(path))
    log = ControllerLog(path)
    marks = {}
    for k in range(600):
        if k < 300:
            controller.command(HOME + np.array([0.002 * min(k, 200), 0, 0, 0, 0, 0, 0, 0]), JOINT_NAMES)
        controller.tick(k * PERIOD_S, HOME)
        if k in (150, 220, 599):
            marks[k] = log.mark()
    assert marks[150].speed == pytest.approx(0.5, rel=1e-3)
    assert 0.0 < marks[220].speed < 0.25, "it has been still for part of the last 0.1 s"
    assert marks[599].speed == 0.0
    mark = marks[150]
    with path.open("a") as file:
        file.write("2.4,1,0.0")  # a line that is not whole yet
    seen = Seen()
    log.judge(mark, seen)
    assert mark.time_s == pytest.approx(150 * PERIOD_S)
    assert 50 * PERIOD_S <= seen.rest_s < 80 * PERIOD_S
    assert 0.2 < seen.velocity <= 0.5 / 2.175 + 0.3
    controller.close()


def test_bounds_follow_the_parameters() -> None:
    t = bounds()
    assert t.refused == pytest.approx(t.arrival + 0.06 + t.stop)
    assert 0.5 < t.stop < 0.7  # docs/safety.md, "Time to rest"
    assert t.arrival < 0.03
    assert t.by_itself < 1.0
    assert swing_until(0.2, "joint1") == pytest.approx(1 / 0.8 / 4)
    assert 0.0 < swing_until(0.1, "joint1") < swing_until(0.15, "joint1")


def test_the_page_has_a_row_for_each_fault_and_names_what_failed() -> None:
    case = Case("nan", "NaN in one joint", ASKED, lambda rig: None)
    bad = dataclasses.replace(GOOD, rest_s=0.5)
    results = [
        Result(case, GOOD, [], 1.5),
        Result(dataclasses.replace(case, name="late"), bad, failures(ASKED, bad), 2.5),
    ]
    sent = [campaign.Sent("filter", 5000, {"jerk": 1.5}, ["jerk of joint1 1500, limit 1000"])]
    page = "\n".join(report.page(results, sent, 12.0))
    assert "2 faults, 1 as expected, in 12 s. Load average 1.5 to 2.5" in page
    assert "| `nan`: NaN in one joint |" in page and "| 200 | 0.50 | 0.50 | 0 | passed |" in page
    assert "- `late`: at rest after 0.500 s; 0.300 s are allowed" in page
    assert "graph 'filter': 5000 outputs; largest shares: jerk 1.500000000; jerk of joint1 1500, limit 1000" in page
    assert "2 failed: late, outputs of graph 'filter'" in campaign.summary(results, sent, 12.0)
    assert campaign.line(results[1]).startswith("FAIL late")


@pytest.mark.parametrize(
    ("stalls", "passes", "tries", "itself"),
    [
        ((0.0,), (False,), 1, False),
        ((0.05, 0.0), (False, True), 2, False),
        ((0.05,) * 5, (False,) * 5, 5, False),
        ((0.05,), (True,), 1, False),
        ((0.05,), (False,), 1, True),
    ],
    ids=["a failure", "a stall", "stalls without end", "a stall that did no harm", "a stall that is the fault"],
)
def test_only_what_failed_while_the_machine_stood_still_is_tried_again(
    monkeypatch: pytest.MonkeyPatch, stalls: tuple[float, ...], passes: tuple[bool, ...], tries: int, itself: bool
) -> None:
    case = Case("nan", "NaN in one joint", ASKED, lambda rig: None, stalls=itself)
    rig, script = SimpleNamespace(stall_s=0.0, play=lambda seconds: None), iter(zip(stalls, passes, strict=True))

    def once(rig: SimpleNamespace, case: Case) -> Result:
        rig.stall_s, passed = next(script)
        return Result(case, GOOD, [] if passed else ["at rest too late"], 1.0)

    monkeypatch.setattr(campaign, "carry_out_once", once)
    result = campaign.carry_out(rig, case)
    assert len(result.stalls) == tries - 1 and not next(script, None)
    assert (not result.wrong) is passes[-1]
    assert (f"try {tries}" in report.row(result)) is (f"(try {tries})" in campaign.line(result)) is (tries > 1)


class Arm:
    """A rig whose arm has the next of these speeds at each mark."""

    def __init__(self, *speeds: float) -> None:
        self.graph, self.state, self.rule, self.speed, self.stall_s = "filter", "TRACKING", "", 0.0, 0.0
        self._speeds = iter(speeds)
        self._seen = Seen()

    def begin(self) -> Seen:
        self._seen = dataclasses.replace(GOOD)
        return self._seen

    def mark(self) -> None:
        self._seen.speed = next(self._speeds)

    def judged(self) -> Seen:
        return self._seen

    def move(self) -> None:
        pass

    def play(self, seconds: float, until: object = None) -> bool:
        return True


@pytest.mark.parametrize(
    ("speeds", "start", "said"),
    [
        ((1.0,), "moving", ""),
        ((0.0, 1.0), "moving", ""),
        ((0.0, 0.1, math.nan), "moving", "broken off: the arm does not move"),
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
        monkeypatch.setattr(campaign, step, lambda rig: None)
    begun: list[bool] = []

    def inject(rig: Arm) -> None:
        begun.append(True)
        if again:
            rig.mark()

    case = Case("nan", "", ASKED, inject, start=start)  # type: ignore[arg-type]
    rig = Arm(*speeds)
    result = campaign.carry_out_once(rig, case)  # type: ignore[arg-type]
    assert "; ".join(result.wrong).startswith(said) and bool(result.wrong) is bool(said)
    assert bool(begun) is not said.startswith("broken off")
    assert next(rig._speeds, None) is None


def test_a_filter_whose_state_alone_says_that_it_moves_the_arm_is_not_enough(monkeypatch: pytest.MonkeyPatch) -> None:
    for step in ("restore", "arm"):
        monkeypatch.setattr(campaign, step, lambda rig: None)
    rig = Arm(1.0, 1.0, 1.0)
    rig.state = "STOPPING"
    result = campaign.carry_out_once(rig, Case("nan", "", ASKED, lambda rig: None))  # type: ignore[arg-type]
    assert "STOPPING" in result.wrong[0]


def test_a_log_that_is_gone_is_no_log_within_the_limits(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(campaign, "WRITTEN_S", 0.0)
    sent = campaign.judged("filter", tmp_path)
    assert sent.broken and "no audit log here" in sent.text()


def test_a_log_of_an_arm_that_was_not_to_move_is_within_the_limits(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(campaign, "WRITTEN_S", 0.0)
    parameters, urdf = safety_configuration()
    header = {"parameters": dataclasses.asdict(parameters), "urdf": urdf, "continues": ORIGIN.hex(), "lost": 0}
    data, link = framed(ORIGIN, Kind.HEADER, pack(header))
    (tmp_path / AUDIT).mkdir()
    tick, _ = framed(link, Kind.TICK, pack([10**15, [0, None, (), "", None]]))
    (tmp_path / AUDIT / "audit-1.vlalog").write_bytes(data + tick)
    assert campaign.judged("filter", tmp_path).broken == []


def test_back_and_forth_between_tracking_and_limiting_is_said_once() -> None:
    states = ["TRACKING", "LIMITING", "TRACKING", "LIMITING", "STOPPING", "HOLDING"]
    assert report.shortened(states) == ["TRACKING", "LIMITING", "STOPPING", "HOLDING"]
