import numpy as np
import pytest

from vla_ros.evaluation.report import Outcome, Report
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


def test_a_report_counts_by_case_and_kind_and_tells_failures():
    report = Report("compact", "robust", 1000)
    for seed in range(8):
        case = "light" if seed < 4 else "blur"
        report.outcomes.append(Outcome("pick", seed, "lift it", seed != 6, "done: seen", 5.0, case=case))
    assert report.counts(case="light")["successes"] == 4 and report.counts("pick", "blur")["successes"] == 3
    assert report.json()["cases"]["blur"]["episodes"] == 4
    text = report.markdown()
    assert "| light | pick | 4 | 4 | 100% |" in text
    assert "- blur seed 6 pick: *lift it*: done: seen" in text
