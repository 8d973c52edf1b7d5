from dataclasses import replace

import numpy as np
import pytest

from vla_ros.lab.evaluation.suites import (
    HONEST,
    REWRITTEN,
    SUITES,
    MidTaskMove,
    WorldDisturbance,
    sentence_episodes,
    suite,
)
from vla_ros.parameters import ParameterError
from vla_ros.sim.scene import SceneObject
from vla_ros.sim.simulation import Simulation
from vla_ros.tasks.objects import DISTRACTOR_HALF_SIZES_M
from vla_ros.tasks.task import KINDS
from vla_ros.tasks.vocabulary import ADJECTIVES, NOUNS


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
    assert WorldDisturbance().image(image, rng) is image
    noisy, blurred = WorldDisturbance(noise=10.0).image(image, rng), WorldDisturbance(blur=1.5).image(image, rng)
    assert 5 < np.abs(noisy.astype(float) - image).mean() < 12
    assert blurred.astype(float).std() < image.astype(float).std()


def test_a_nudge_moves_the_thing_once():
    simulation = Simulation(5, "place")
    name = simulation.task.steps[0].x
    nudge, start = MidTaskMove(np.random.default_rng(0)), simulation.object_pose(name)[:2, 3]
    nudge.tick(simulation)
    np.testing.assert_allclose(simulation.object_pose(name)[:2, 3], start)
    simulation.time_s = 5.0
    nudge.tick(simulation)
    moved = simulation.object_pose(name)[:2, 3]
    assert nudge.moved and 0.019 < np.linalg.norm(moved - start) < 0.101
    nudge.tick(simulation)
    np.testing.assert_allclose(simulation.object_pose(name)[:2, 3], moved)


def test_a_nudge_leaves_room_around_everything():
    for seed in range(20):
        simulation = Simulation(seed, "place")
        x = simulation.scene.find(simulation.task.steps[0].x)
        simulation.time_s = 5.0
        MidTaskMove(np.random.default_rng(seed)).tick(simulation)
        at = simulation.object_pose(x.name)[:2, 3]
        for other in simulation.scene.objects:
            if other is not x:
                assert np.linalg.norm(simulation.object_pose(other.name)[:2, 3] - at) > x.radius + other.radius


@pytest.mark.parametrize("hindered", ["held", "no room"])
def test_a_nudge_that_does_not_come_off_is_known(hindered, monkeypatch):
    simulation = Simulation(5, "place")
    name = simulation.task.steps[0].x
    if hindered == "held":
        truth = {thing: replace(body, held=True) for thing, body in simulation.truth().items()}
        monkeypatch.setattr(simulation, "truth", lambda: truth)
    else:
        monkeypatch.setattr(SceneObject, "radius", 1.0)
    nudge, start = MidTaskMove(np.random.default_rng(0)), simulation.object_pose(name)[:2, 3].copy()
    simulation.time_s = 5.0
    nudge.tick(simulation)
    assert not nudge.moved
    np.testing.assert_array_equal(simulation.object_pose(name)[:2, 3], start)


def test_scenes_with_distractors_have_some():
    (case,) = (case for case in suite("robust") if case.name == "distractors")
    for seed in range(7300, 7308):
        scene = case.simulation(case.kinds[seed % len(case.kinds)], seed).scene
        assert any(thing.shape in DISTRACTOR_HALF_SIZES_M for thing in scene.objects)


def test_things_named_by_their_shape_are_the_only_ones_of_it():
    (case,) = suite("shapes")
    bare = 0
    for seed in range(7300, 7316):
        simulation = case.simulation(case.kinds[seed % len(case.kinds)], seed)
        x = simulation.scene.find(simulation.task.steps[0].x)
        assert [thing.shape for thing in simulation.scene.objects].count(x.shape) == 1
        said = set(simulation.task.instruction.replace(",", "").split())
        bare += bool(said & set(NOUNS[x.shape])) and not said & {x.colour, *ADJECTIVES.get(x.colour, ())}
    assert bare >= 12, "all but those called a thing"


def test_every_robust_case_disturbs_and_no_other_does():
    assert {name for name in SUITES if any(case.disturbs for case in suite(name))} == {"robust"}
    assert all(case.disturbs for case in suite("robust"))


@pytest.mark.parametrize("name", [HONEST, REWRITTEN])
def test_every_sentence_is_said_in_three_scenes_of_its_own(name: str) -> None:
    episodes = sentence_episodes(name, 40000)
    assert len(episodes) >= 3 * 150
    seeds = [seed for _, _, seed in episodes]
    assert len(set(seeds)) == len(seeds) and min(seeds) == 40000
    assert {case.name for case, _, _ in episodes} == {case.name for case in suite(name)}
    few = sentence_episodes(name, 40000, most=2)
    assert len(few) == 3 * 2 * len(suite(name))
    assert {case.sentence for case, _, _ in few} <= {case.sentence for case, _, _ in episodes}


def test_a_sentence_is_said_in_the_scene_that_it_chose() -> None:
    case = next(case for case, _, _ in sentence_episodes(HONEST, 40000) if case.sentence and case.sentence.needs)
    assert case.sentence is not None
    assert case.simulation("pick", 40000).scene == case.sentence.sample(40000)[0]
