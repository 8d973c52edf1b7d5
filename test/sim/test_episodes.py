"""Episodes offline: the same in one process and in several; what is not asked for is not drawn."""

from __future__ import annotations

from vla_ros.bringup.graph import parameters_of
from vla_ros.lab.evaluation.episodes import EvaluationSetup, run_episodes
from vla_ros.lab.evaluation.loop import Conditions
from vla_ros.lab.evaluation.offline import run_episode
from vla_ros.lab.evaluation.suites import suite
from vla_ros.parameters import from_mapping, nested
from vla_ros.policies.contract import PlanState
from vla_ros.safety.safety_parameters import SafetyFilterParameters
from vla_ros.sim.rendering import RenderProcess
from vla_ros.sim.simulation import Simulation

SAFETY = from_mapping(SafetyFilterParameters, nested(parameters_of("safety_filter")))


def test_several_processes_give_what_one_gives() -> None:
    setup = EvaluationSetup("classical", SAFETY, film=True)
    tasks = [(case, "pick", 40 + k) for k, case in enumerate(suite("unknown")[:3])]
    alone, beside = ([str(vars(end)) for end in run_episodes(setup, tasks, jobs)] for jobs in (1, 2))
    assert alone == beside and len(alone) == 3


def test_what_makes_no_sense_is_refused_and_nothing_is_touched() -> None:
    (end,) = run_episodes(EvaluationSetup("classical", SAFETY), [(suite("unknown")[0], "pick", 41)], 1)
    assert end.success and end.state is PlanState.REFUSED and "not in view" in end.said
    assert not end.film


def test_every_chunk_transition_gets_there_and_only_real_time_without_jumps() -> None:
    cameras = RenderProcess(Simulation(0).xml, 256)
    ends = {}
    try:
        for transition in ("real_time", "naive"):
            conditions = Conditions(chunk_transition=transition)
            ends[transition] = run_episode(
                "classical", "pick", 5, SAFETY, conditions=conditions, cameras=cameras, limit_s=6.0
            )
    finally:
        cameras.close()
    smooth, rough = ends["real_time"].roughness, ends["naive"].roughness
    assert min(smooth.seams, rough.seams) > 10
    assert smooth.velocity < rough.velocity / 3
    assert smooth.acceleration < rough.acceleration / 3
