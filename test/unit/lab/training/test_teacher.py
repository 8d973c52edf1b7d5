from collections import Counter
from dataclasses import replace

import numpy as np
import pytest

from vla_ros.lab.training import instructions, situations, teacher
from vla_ros.lab.training.teacher import ObjectState, Situation
from vla_ros.policies.compact.model_config import ANCHORS, SUBTASKS
from vla_ros.sim.variation import TRAINING, sample_varied
from vla_ros.tasks import phrasings

CUBE = ObjectState(np.array([0.5, 0.1, 0.022]), 0.3, "cube", 0.044, 0.031)
PLATE = ObjectState(np.array([0.45, -0.15, 0.005]), 0.0, "plate", 0.01, 0.08)


def situation(p_tool, finger=0.04, verb="place", x=CUBE, y=PLATE, finger_velocity=0.0, side="none", start=None):
    start = CUBE.p if start is None else start
    return Situation(verb, side, x, y, start, np.array(p_tool, float), 0.3, finger, finger_velocity)


def said(now):
    return SUBTASKS[teacher.label(now).subtask]


@pytest.mark.parametrize(
    ("p_tool", "finger", "finger_velocity", "wanted"),
    [
        ((0.3, 0.0, 0.4), 0.04, 0.0, "reach for {x}"),
        ((0.5, 0.1, 0.11), 0.04, 0.0, "go down to {x}"),
        ((0.5, 0.1, 0.11), 0.01, 0.0, "reach for {x}"),  # the hand is not open
        ((0.5, 0.1, 0.023), 0.04, 0.0, "grasp {x}"),
        ((0.5, 0.1, 0.022), 0.023, -0.05, "grasp {x}"),  # still closing
        ((0.5, 0.1, 0.022), 0.0215, 0.0, "lift {x}"),
        ((0.5, 0.1, 0.022), 0.001, 0.0, "reach for {x}"),  # closed on nothing
    ],
)
def test_on_the_way_to_the_thing(p_tool, finger, finger_velocity, wanted):
    assert said(situation(p_tool, finger, finger_velocity=finger_velocity)) == wanted


def held(p_tool):
    return situation(p_tool, 0.0215, x=replace(CUBE, p=np.array(p_tool, float)))


def test_with_the_thing_in_the_hand():
    assert said(held((0.5, 0.1, 0.08))) == "lift {x}"
    assert said(held((0.5, 0.1, 0.19))) == "carry {x} to {y}"
    assert said(held((0.45, -0.15, 0.19))) == "put {x} on {y}"
    low = teacher.put_height(CUBE, PLATE)
    on_plate = replace(CUBE, p=np.array([0.45, -0.15, low - 0.002]))
    assert said(situation((0.45, -0.15, low), 0.0215, x=on_plate)) == "let go of {x}"
    assert said(situation((0.45, -0.15, low), 0.034, x=on_plate)) == "leave {x}"
    assert said(situation((0.45, -0.15, 0.2), 0.034, x=on_plate)) == "done"


def test_what_fell_is_fetched_again():
    assert said(situation((0.45, -0.15, 0.2), 0.001)) == "reach for {x}"


def test_picking_ends_up_high():
    now = replace(held((0.5, 0.1, 0.2)), verb="pick", y=None)
    assert said(now) == "done"
    assert (
        said(replace(now, p_tool=np.array([0.5, 0.1, 0.1]), x=replace(CUBE, p=np.array([0.5, 0.1, 0.1])))) == "lift {x}"
    )


def test_pushing_goes_behind_down_along_and_away():
    def now(p_tool, moved=0.0):
        x = replace(CUBE, p=CUBE.p + (0.0, moved, 0.0))
        return situation(p_tool, 0.0132, "push", x, None, side="left")

    behind = 0.1 - teacher.FACE - teacher.BEHIND
    assert said(now((0.3, 0.0, 0.4))) == "reach behind {x}"
    assert said(now((0.5, behind, 0.11))) == "go down behind {x}"
    assert said(now((0.5, behind, 0.022))) == "push {x}"
    assert said(now((0.5, 0.1 - 0.03, 0.022), 0.004)) == "push {x}"
    assert said(now((0.5, 0.1 + 0.08, 0.022), 0.11)) == "leave {x} there"
    assert said(now((0.5, 0.1, 0.2), 0.11)) == "done"


def test_waypoints_lie_where_the_subtask_ends():
    reply = teacher.label(situation((0.3, 0.0, 0.4)))
    assert [ANCHORS[anchor] for anchor in reply.anchors] == ["x", "x"]
    assert reply.waypoints[0, 2] == pytest.approx(10 * teacher.READY)
    assert reply.waypoints[1, 2] == pytest.approx(0.22)
    assert np.arctan2(*reply.waypoints[0, [4, 3]]) / 4 == pytest.approx(0.3)


def test_situations_cover_every_subtask_and_keep_what_is_held_out_away():
    rng = np.random.default_rng(1)
    scenes = [sample_varied(1_000_000 + seed, "", TRAINING)[0] for seed in range(6)]
    seen = set()
    for number in range(600):
        asked = situations.sample(rng, scenes[number % len(scenes)].things)
        names = {(thing.colour, thing.shape) for thing in asked.things}
        assert not names & set(phrasings.HELD_OUT_OBJECTS)
        assert all(instructions.is_allowed(parsed_step) for parsed_step in asked.parsed_steps), asked.parsed_steps
        if asked.now is None:
            assert asked.parsed_steps[asked.step].x[0] not in {thing.colour for thing in asked.things}
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
    found = [recoveries(situations.sample(rng, scenes[number % 10].things)) for number in range(1000)]
    print(Counter(what for each in found for what in each))
    share = sum(map(bool, found)) / len(found)
    print(f"recoveries: {share:.1%} of {len(found)} situations")
    assert share >= 0.15


def test_sentences_are_those_of_training():
    rng = np.random.default_rng(0)
    texts = {instructions.compose(rng, [instructions.random_step(rng)], ["cube", "cube", "ball"]) for _ in range(300)}
    assert len(texts) > 200
    held_out = {phrase.split("{x}")[0].strip() for phrases in phrasings.HELD_OUT.values() for phrase in phrases} - {""}
    allowed = {phrase.split("{x}")[0].strip() for phrases in phrasings.TRAINING.values() for phrase in phrases}
    assert not {text for text in texts for start in held_out - allowed if text.startswith(start + " the")}
