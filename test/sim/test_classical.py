"""The classical policy does what it is asked, from images alone, through the filter; and says so when it cannot."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import pytest

from vla_ros.bringup.graph import parameters_of
from vla_ros.lab.evaluation import offline
from vla_ros.lab.evaluation.loop import Conditions, Loop
from vla_ros.lab.evaluation.offline import run_episode
from vla_ros.parameters import from_mapping, nested
from vla_ros.policies.contract import Plan, PlanState
from vla_ros.safety.safety_parameters import SafetyFilterParameters
from vla_ros.sim.model import body_name
from vla_ros.sim.rendering import RenderProcess
from vla_ros.sim.simulation import Simulation
from vla_ros.sim.task_sampler import sample_task
from vla_ros.tasks.geometry import IN_BOWL_M, PUSHED_M
from vla_ros.tasks.judge import ObjectState
from vla_ros.tasks.task import KINDS
from vla_ros.tasks.vocabulary import COLOURS

SAFETY = from_mapping(SafetyFilterParameters, nested(parameters_of("safety_filter")))


@pytest.fixture(scope="module")
def cameras() -> Iterator[RenderProcess]:
    process = RenderProcess(Simulation(0).xml, 256)
    yield process
    process.close()


@pytest.mark.parametrize("kind", KINDS)
def test_it_does_every_kind_of_task(kind: str, cameras: RenderProcess) -> None:
    episode = run_episode("classical", kind, 3, SAFETY, cameras=cameras)
    assert episode.success, episode
    assert episode.state is PlanState.DONE
    assert sum(episode.interventions.values()) < 50  # filter ticks, of several thousand


def test_the_same_episode_twice_is_the_same(cameras: RenderProcess) -> None:
    first, second = (run_episode("classical", "pick", 5, SAFETY, cameras=cameras) for _ in range(2))
    assert first == second


def test_late_plans_slow_it_down_but_do_no_harm(cameras: RenderProcess) -> None:
    late = Conditions(plan_period_s=0.2, plan_latency_s=0.5, valid_for_s=1.2, chunk_latency_s=0.06)
    assert run_episode("classical", "pick", 5, SAFETY, conditions=late, cameras=cameras).success


def test_a_thing_that_is_moved_away_is_found_again(cameras: RenderProcess) -> None:
    moved = []

    def interfere(simulation: Simulation, plan: Plan) -> None:
        if plan.subtask.startswith("reach") and simulation.time_s > 2.0 and not moved:
            thing = simulation.scene.find(simulation.task.steps[0].x)
            joint = simulation.model.body(body_name(thing)).jntadr[0]
            address = simulation.model.jnt_qposadr[joint]
            others = [other for other in simulation.scene.objects if other is not thing]
            spots = [np.array([x, y]) for x in np.arange(0.42, 0.62, 0.04) for y in np.arange(-0.24, 0.25, 0.04)]
            free = max(spots, key=lambda spot: min(np.hypot(*(spot - (other.x, other.y))) for other in others))
            simulation.data.qpos[address : address + 2] = free
            moved.append(thing.name)

    episode = run_episode("classical", "pick", 5, SAFETY, cameras=cameras, watch=interfere)
    assert moved
    assert "look again" in episode.subtasks
    assert episode.success, episode


def test_what_one_instruction_picks_up_the_next_one_puts_down(
    cameras: RenderProcess, monkeypatch: pytest.MonkeyPatch
) -> None:
    thing = sample_task(5, "pick")[1].steps[0].x

    class TwoInstructions(Loop):
        """An episode in which the second instruction is given when the first one is done."""

        def _take(self, plan: Plan) -> None:
            super()._take(plan)
            if plan.state is PlanState.DONE and plan.instruction.id == 1:
                self.planner.on_instruction(2, f"put the {thing} in the bowl")
                self.plan = replace(plan, state=PlanState.HOLD)

    monkeypatch.setattr(offline, "Loop", TwoInstructions)
    where: dict[str, ObjectState] = {}
    episode = run_episode(
        "classical",
        "pick",
        5,
        SAFETY,
        cameras=cameras,
        watch=lambda simulation, plan: where.update(simulation.truth()),
    )
    assert episode.state is PlanState.DONE, episode
    assert sum(subtask.startswith("grasp") for subtask in episode.subtasks) == 1
    assert np.hypot(*(where[thing].p_base - where["bowl"].p_base)[:2]) < IN_BOWL_M


def test_what_is_held_is_put_back_before_something_else(cameras: RenderProcess) -> None:
    first, second = (thing for thing in sample_task(5, "pick")[0].objects[2:4])
    words = f"pick up the {first.name}, then push the {second.name} to the left"
    where: dict[str, ObjectState] = {}
    episode = run_episode(
        "classical",
        "pick",
        5,
        SAFETY,
        instruction=words,
        cameras=cameras,
        watch=lambda simulation, plan: where.update(simulation.truth()),
    )
    assert episode.state is PlanState.DONE, episode
    assert any("back on the table" in subtask for subtask in episode.subtasks)
    assert np.hypot(*where[first.name].p_base[:2] - (first.x, first.y)) < 0.02
    assert where[second.name].p_base[1] - second.y >= PUSHED_M


def test_what_is_not_there_is_refused_and_the_arm_stays(cameras: RenderProcess) -> None:
    scene, _ = sample_task(3, "pick")
    absent = next(colour for colour in COLOURS if colour not in {thing.colour for thing in scene.objects})
    episode = run_episode("classical", "pick", 3, SAFETY, instruction=f"pick up the {absent} cube", cameras=cameras)
    assert episode.state is PlanState.REFUSED
    assert f"the {absent} cube: not in view; in view: " in episode.said
    assert not episode.subtasks


def test_what_could_be_two_things_is_asked_back(cameras: RenderProcess) -> None:
    seed = next(
        seed
        for seed in range(100)
        if [thing.shape for thing in sample_task(seed, "pick")[0].objects].count("cube") == 2
    )
    episode = run_episode("classical", "pick", seed, SAFETY, instruction="pick up the cube", cameras=cameras)
    assert episode.state is PlanState.REFUSED
    assert "which one? It could be the " in episode.said


def test_no_words_no_motion(cameras: RenderProcess) -> None:
    episode = run_episode("classical", "pick", 3, SAFETY, instruction=" ", cameras=cameras, limit_s=2.0)
    assert episode.state is PlanState.HOLD
    assert not episode.subtasks and not episode.interventions


def test_the_scripted_policy_runs_in_the_same_loop(cameras: RenderProcess) -> None:
    options = {"speed_scale": 1.0}
    episode = run_episode("scripted", "pick", 3, SAFETY, options=options, instruction="run", cameras=cameras)
    assert episode.state is PlanState.DONE
    assert sum(episode.interventions.values()) < 50  # the finger starts at the very end of its range
