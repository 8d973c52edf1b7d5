"""How often a checkpoint succeeds in simulation, on scenes that are neither of training nor of evaluation."""

from __future__ import annotations

from pathlib import Path

from vla_ros import seeds
from vla_ros.evaluation.offline import CAMERA_SIZE, run_episode
from vla_ros.evaluation.suites import Case
from vla_ros.graph import parameters_of
from vla_ros.parameters import from_mapping, nested
from vla_ros.safety.parameters import SafetyFilterParameters
from vla_ros.sim.rendering import RenderProcess
from vla_ros.sim.simulation import Simulation
from vla_ros.sim.tasks import KINDS
from vla_ros.sim.variation import Variation


def success(folder: Path, episodes: int) -> float:
    """Return the share of `episodes` scenes that the checkpoint in `folder` gets done: of all kinds in turn, with what
    training may hold."""
    safety = from_mapping(SafetyFilterParameters, nested(parameters_of("safety_filter", policy="compact")))
    case = Case("training", variation=Variation(pairs="training"))
    cameras = RenderProcess(Simulation(0).xml, CAMERA_SIZE)
    good = 0
    try:
        for i in range(episodes):
            kind = KINDS[i % len(KINDS)]
            options = {"checkpoint": str(folder)}
            end = run_episode(
                "compact", kind, seeds.CLOSED_LOOP + i, safety, options=options, case=case, cameras=cameras
            )
            good += end.success
    finally:
        cameras.close()
    return good / episodes
