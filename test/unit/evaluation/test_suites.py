import numpy as np
import pytest

from vla_ros.evaluation.suites import SUITES, Disturbance, Nudge, suite
from vla_ros.parameters import ParameterError
from vla_ros.sim.simulation import Simulation
from vla_ros.sim.tasks import KINDS


def test_every_suite_has_cases_of_known_kinds_with_names_of_their_own():
    for name in SUITES:
        cases = suite(name)
        assert len({case.name for case in cases}) == len(cases) > 0
        assert all(kind in KINDS for case in cases for kind in case.kinds)
    with pytest.raises(ParameterError, match="nominal"):
        suite("easy")


def test_held_out_words_and_pairs_are_asked_for():
    assert suite("phrasing")[0].variation.phrasing == "held-out"
    assert suite("pairs")[0].variation.pairs == "held-out"


def test_a_long_suite_has_three_steps_in_words_and_task():
    case = suite("long")[1]
    for seed in range(5000, 5010):
        task = Simulation(seed, "sequence", variation=case.variation).task
        assert len(task.steps) == 3 and task.instruction.count(", then ") >= 2
        assert [step.kind for step in task.steps].count("place") == 1  # of two, one could hide the other


def test_a_disturbed_image_is_another_one_and_an_undisturbed_one_is_not():
    rng = np.random.default_rng(0)
    image = rng.integers(0, 255, (16, 16, 3), dtype=np.uint8)
    assert Disturbance().image(image, rng) is image
    noisy, blurred = Disturbance(noise=10.0).image(image, rng), Disturbance(blur=1.5).image(image, rng)
    assert 5 < np.abs(noisy.astype(float) - image).mean() < 12
    assert blurred.astype(float).std() < image.astype(float).std()


def test_a_nudge_moves_the_thing_once():
    simulation = Simulation(5, "place")
    name = simulation.task.steps[0].x
    nudge, start = Nudge(np.random.default_rng(0)), simulation.thing_pose(name)[:2, 3]
    nudge.tick(simulation)
    np.testing.assert_allclose(simulation.thing_pose(name)[:2, 3], start)
    simulation.time_s = 5.0
    nudge.tick(simulation)
    moved = simulation.thing_pose(name)[:2, 3]
    assert 0.019 < np.linalg.norm(moved - start) < 0.051
    nudge.tick(simulation)
    np.testing.assert_allclose(simulation.thing_pose(name)[:2, 3], moved)
