"""Random situations: what they cover, and what they never show."""

from collections import Counter

import numpy as np

from vla_ros.lab.training import instructions, situations, teacher
from vla_ros.policies.compact.model_config import SUBTASKS
from vla_ros.sim.variation import TRAINING, sample_varied
from vla_ros.tasks import phrasings


def said(now):
    return SUBTASKS[teacher.label(now).subtask]


def test_situations_cover_every_subtask_and_keep_what_is_held_out_away():
    rng = np.random.default_rng(1)
    scenes = [sample_varied(1_000_000 + seed, "", TRAINING)[0] for seed in range(6)]
    seen = set()
    for number in range(600):
        asked = situations.sample(rng, scenes[number % len(scenes)].objects)
        names = {(thing.colour, thing.shape) for thing in asked.objects}
        assert not names & set(phrasings.HELD_OUT_OBJECTS)
        assert all(instructions.is_allowed(parsed_step) for parsed_step in asked.parsed_steps), asked.parsed_steps
        if asked.now is None:
            assert asked.parsed_steps[asked.step].x[0] not in {thing.colour for thing in asked.objects}
            seen.add("absent")
        else:
            seen.add(said(asked.now))
    assert seen == {*SUBTASKS, "absent"}


def recoveries(asked):
    """Return what of a situation no hand meets to which nothing happened."""
    now = asked.now
    if now is None:
        return []
    begin, over = situations.HOMES[0], np.array([*now.x.p[:2], teacher.READY])
    along = np.clip((now.p_tool - begin) @ (over - begin) / np.sum((over - begin) ** 2), 0, 1)
    aside = np.linalg.norm(now.p_tool - begin - along * (over - begin))
    reaching = said(now) in ("reach for {x}", "reach behind {x}")
    getting = now.verb != "push" and said(now) in ("reach for {x}", "go down to {x}", "grasp {x}")
    return [
        what
        for what, so in {
            "hand more than 5 cm off its way, in a first step": reaching and asked.step == 0 and aside > 0.05,
            "fingers closed on nothing": said(now) == "reach for {x}" and now.finger < teacher.EMPTY,
            "thing 2 cm from where the step began": getting and np.linalg.norm(now.x.p - now.start) > 0.02,
        }.items()
        if so
    ]


def test_some_of_the_situations_are_to_be_recovered_from():
    rng = np.random.default_rng(0)
    scenes = [sample_varied(1_000_000 + seed, "", TRAINING)[0] for seed in range(10)]
    found = [recoveries(situations.sample(rng, scenes[number % 10].objects)) for number in range(1000)]
    print(Counter(what for each in found for what in each))
    share = sum(map(bool, found)) / len(found)
    print(f"recoveries: {share:.1%} of {len(found)} situations")
    assert share >= 0.15
