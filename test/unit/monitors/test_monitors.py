"""Each monitor warns of what it is for, not of a healthy run; a held arm asks once, and an answer is an answer."""

from __future__ import annotations

import json
import math
from pathlib import Path

import numpy as np
import pytest

from vla_ros.monitors.monitor_parameters import NAMES, MonitorsParameters
from vla_ros.monitors.monitors import Monitors
from vla_ros.monitors.training_statistics import TrainingStatistics, load, statistics
from vla_ros.parameters import ParameterError, from_mapping
from vla_ros.policies.contract import Instruction, Plan, PlanState

JOINTS = ("shoulder", "elbow")
S = 1_000_000_000
STATS = {
    "observation.images.front": {"mean": [[[0.5]], [[0.5]], [[0.4]]], "std": [[[0.2]], [[0.2]], [[0.2]]]},
    "observation.state": {"min": [-1.0, 0.0], "max": [1.0, 2.0], "mean": [0, 1], "std": [0.5, 0.5]},
}
Q = np.array([0.2, 1.0])


def monitors(trained: TrainingStatistics | None = None, **changes: object) -> Monitors:
    return Monitors(from_mapping(MonitorsParameters, changes, "monitors."), JOINTS, trained)


def plan(subtask: str = "grasp", end: float = 0.0, progress: float = math.nan, **changes: object) -> Plan:
    path = np.array([[0.0, 0, 0, 0, 0, 0, 1], [end, 0, 0, 0, 0, 0, 1]])
    options = {"state": PlanState.ACTIVE, "instruction": Instruction(1, "do it"), **changes}
    return Plan(0, subtask=subtask, path=path, progress=progress, **options)  # type: ignore[arg-type]


def image(level: float, spread: float = 0.2) -> np.ndarray:
    noise = np.random.default_rng(1).normal(level, spread, (64, 64, 3))
    return np.clip(noise * 255, 0, 255).astype(np.uint8)


def see(watching: Monitors, seconds: int, front: np.ndarray, q: np.ndarray = Q) -> None:
    for i in range(10 * seconds):
        watching.observation(i * S // 10, {"front": front}, q)


def test_images_and_joints_like_those_of_the_training_are_fine() -> None:
    watching = monitors(statistics(STATS, JOINTS))
    see(watching, 3, image(0.47))
    assert watching.warnings() == {}


@pytest.mark.parametrize(
    ("front", "q", "words"),
    [
        (image(0.85), Q, "blue is"),
        (image(0.05), Q, "sigma off"),
        (image(0.47, 0.03), Q, "contrast is"),
        (image(0.47), np.array([1.5, 1.0]), "shoulder at 1.50 was never there (-1.00 to 1.00)"),
        (image(0.47), np.array([0.0, -0.3]), "elbow at -0.30"),
    ],
)
def test_what_was_never_there_is_drift(front: np.ndarray, q: np.ndarray, words: str) -> None:
    watching = monitors(statistics(STATS, JOINTS))
    see(watching, 3, front, q)
    assert words in watching.warnings()["drift"]
    see(watching, 1, image(0.47), Q)
    assert watching.warnings() == {}


def test_a_short_flash_is_no_drift_and_without_statistics_nothing_is() -> None:
    watching = monitors(statistics(STATS, JOINTS))
    for i in range(40):
        watching.observation(i * S // 10, {"front": image(0.95 if i % 8 == 0 else 0.47)}, Q)
        assert watching.warnings() == {}
    blind = monitors()
    see(blind, 3, image(0.95), np.array([9.0, 9.0]))
    assert blind.warnings() == {}


def test_paths_that_jump_disagree_and_paths_that_creep_do_not() -> None:
    watching = monitors()
    for i in range(30):
        watching.plan(i * S // 10, plan(end=0.5 + 0.01 * i))
        assert watching.warnings() == {}
    for i in range(30, 40):
        watching.plan(i * S // 10, plan(end=0.3 if i % 2 else 0.7))
    assert "ends 0.40 m away" in watching.warnings()["disagreement"]
    watching.instruction()
    assert watching.warnings() == {}


def test_a_subtask_that_flips_disagrees() -> None:
    watching = monitors(failure={"repeats": 100})
    for i in range(10):
        watching.plan(i * S // 10, plan(subtask="grasp" if i % 2 else "lift"))
    assert "changed 9 times" in watching.warnings()["disagreement"]


def test_a_step_begun_again_and_again_fails() -> None:
    watching = monitors()
    for i in range(20):
        watching.plan(2 * i * S, plan(subtask=("reach", "grasp")[i % 2]))
        assert ("failure" in watching.warnings()) == (i >= 6)
    assert watching.warnings()["failure"] == "'grasp' was begun 10 times"


def test_instructions_that_fail_in_a_row_are_told() -> None:
    watching = monitors()

    def end(number: int, state: PlanState) -> None:
        watching.instruction()
        for _ in range(3):
            watching.plan(number * S, plan(state=state, instruction=Instruction(number, "do it")))

    for number, state in enumerate((PlanState.FAILED, PlanState.FAILED, PlanState.DONE, PlanState.FAILED)):
        end(number, state)
    assert watching.warnings() == {}
    end(5, PlanState.FAILED)
    end(6, PlanState.FAILED)
    assert watching.warnings() == {"failure": "3 instructions in a row failed"}


def move(watching: Monitors, amplitude: float, hz: float, seconds: float = 4.0) -> None:
    for i in range(round(25 * seconds)):
        q = amplitude * math.sin(2 * math.pi * hz * i / 25)
        watching.motion(i * S // 25, True, JOINTS, [0.3, q])


def test_a_joint_that_shakes_oscillates() -> None:
    watching = monitors()
    move(watching, 0.02, 3.0)
    assert "elbow turned round 6 times" in watching.warnings()["oscillation"]
    watching.motion(20 * S, True, JOINTS, [])  # nothing is sent, and time goes on
    assert watching.warnings() == {}


@pytest.mark.parametrize(("amplitude", "hz"), [(0.004, 3.0), (0.5, 0.5), (1.5, 1.0)])
def test_small_noise_and_slow_sweeps_do_not(amplitude: float, hz: float) -> None:
    watching = monitors()
    move(watching, amplitude, hz)
    assert watching.warnings() == {}


def test_no_progress_is_told_and_time_without_permission_does_not_count() -> None:
    watching = monitors(progress={"seconds": 20.0})
    for i in range(60):
        watching.motion(i * S, i >= 30, JOINTS, [])
        watching.plan(i * S, plan(progress=0.4))
        assert ("progress" in watching.warnings()) == (i >= 49)
    watching.plan(61 * S, plan(progress=0.42))
    assert watching.warnings() == {}
    for i in range(62, 90):
        watching.plan(i * S, plan(progress=0.42 + 0.0001 * (i - 62)))
    assert "no progress for 28 s: grasp" in watching.warnings()["progress"]
    watching.plan(91 * S, plan(subtask="lift", progress=0.42))
    assert watching.warnings() == {}


def test_time_without_plans_is_no_time_without_progress() -> None:
    watching = monitors(progress={"seconds": 20.0})
    watching.motion(0, True, JOINTS, [])
    for now_s in (0, 1, 100, 101, 200):  # twice, the camera was away
        watching.plan(now_s * S, plan(progress=0.4))
        assert watching.warnings() == {}
    for now_s in range(201, 217):
        watching.plan(now_s * S, plan(progress=0.4))
    assert "no progress for 20 s" in watching.warnings()["progress"]


def test_a_policy_that_does_not_estimate_progress_is_not_told_that_it_makes_none() -> None:
    watching = monitors()
    for i in range(60):
        watching.motion(i * S, True, JOINTS, [])
        watching.plan(i * S, plan(subtask=""))
    assert watching.warnings() == {}


def test_only_monitors_that_are_to_hold_ask() -> None:
    quiet, asking = monitors(hold=[]), monitors(hold=["oscillation"])
    for watching in (quiet, asking):
        move(watching, 0.02, 3.0)
        for i in range(20):
            watching.plan(2 * i * S, plan(subtask=("reach", "grasp")[i % 2]))
    assert quiet.question() == ""
    assert asking.question().startswith("oscillation: elbow turned round 6 times")
    assert asking.question().endswith("What shall I do?")


def test_an_answer_excuses_what_stands_until_it_has_gone() -> None:
    watching = monitors(statistics(STATS, JOINTS), hold=["drift"])
    see(watching, 3, image(0.95))
    assert watching.question()
    watching.instruction()
    see(watching, 3, image(0.95))
    assert watching.warnings() and not watching.question()
    see(watching, 3, image(0.47))
    assert not watching.question()
    see(watching, 3, image(0.95))
    assert watching.question()


def test_statistics_are_read_from_stats_json(tmp_path: Path) -> None:
    file = tmp_path / "stats.json"
    file.write_text(json.dumps(STATS))
    read = load(str(file), JOINTS)
    assert read.images["front"].mean.tolist() == [0.5, 0.5, 0.4]
    assert (read.lower.tolist(), read.upper.tolist()) == ([-1.0, 0.0], [1.0, 2.0])
    quantiles = {**STATS, "observation.state": {**STATS["observation.state"], "q01": [-0.9, 0.1], "q99": [0.9, 1.9]}}
    assert statistics(quantiles, JOINTS).upper.tolist() == [0.9, 1.9]
    assert len(statistics({}, JOINTS).lower) == 0


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("{", "Expecting"),
        ("[]", "expected the mapping"),
        (json.dumps({"observation.state": {"min": [0.0], "max": [1.0]}}), "observation.state.min: expected 2 finite"),
        (json.dumps({"observation.images.front": {"mean": [1, 2, 3]}}), "observation.images.front.std: expected 3"),
        (json.dumps({"observation.state": {"min": [0, math.nan], "max": [1, 1]}}), "observation.state.min"),
    ],
)
def test_bad_statistics_are_one_clear_line(tmp_path: Path, text: str, words: str) -> None:
    (tmp_path / "stats.json").write_text(text)
    with pytest.raises(ParameterError, match=r"^monitors.statistics: .*stats.json: ") as error:
        load(str(tmp_path / "stats.json"), JOINTS)
    assert words in str(error.value)


def test_an_unknown_monitor_is_named() -> None:
    with pytest.raises(ParameterError, match=r"hold: there is no monitor 'boredom'; there are drift, "):
        monitors(hold=["boredom"])
    assert set(NAMES) == {"drift", "disagreement", "failure", "oscillation", "progress"}
