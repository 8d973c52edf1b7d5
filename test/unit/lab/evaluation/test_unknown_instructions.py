"""Instructions that cannot be carried out."""

from __future__ import annotations

import numpy as np
import pytest

from vla_ros.lab.evaluation.suites import suite
from vla_ros.lab.evaluation.unknown_instructions import UNKNOWN_NOUNS, UNKNOWN_VERBS, UNKNOWNS, unknown_instruction
from vla_ros.lab.training.instructions import NONSENSE, corpus
from vla_ros.sim.simulation import Simulation


@pytest.mark.parametrize("case", suite("unknown"), ids=lambda case: case.name)
def test_nothing_on_the_table_is_what_is_asked_for(case) -> None:
    for seed in range(12):
        simulation = Simulation(seed, case.kinds[seed % len(case.kinds)])
        step = simulation.task.steps[0]
        words = unknown_instruction(case.unknown, simulation.scene, step, np.random.default_rng(seed))
        assert words == unknown_instruction(case.unknown, simulation.scene, step, np.random.default_rng(seed))
        if case.unknown == "unknown verb":
            assert step.x in words and words.split()[0] in UNKNOWN_VERBS
        else:
            assert step.x not in words
            assert not any(f"the {thing.name}" in words for thing in simulation.scene.objects if thing.name != step.y)


def test_training_knows_none_of_these_words() -> None:
    known = set(" ".join([*corpus(), *NONSENSE]).lower().replace(",", " ").split())
    assert not known & set(" ".join([*UNKNOWN_NOUNS, *UNKNOWN_VERBS]).split())
    assert {case.unknown for case in suite("unknown")} == set(UNKNOWNS)
