# ruff: noqa: E402 what is imported below needs torch
"""Further queries about an image: which, and what the refiner is given for them."""

import numpy as np
import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("transformers")

from test.unit.lab.training.tiny import TINY
from vla_ros.lab.training import extra_queries, instructions, refiner_loss, scene_images, system2_loss
from vla_ros.policies.compact import projection
from vla_ros.policies.compact.model_config import COLOURS, SHAPES


def test_an_image_has_queries_about_several_objects(monkeypatch):
    parsed_steps = []
    say = instructions.compose
    monkeypatch.setattr(
        instructions, "compose", lambda rng, said, *more: parsed_steps.extend(said) or say(rng, said, *more)
    )
    record = np.zeros(1, scene_images.layout(TINY))
    record["named_objects"][0, :3, :2] = [(0, 4), (1, 1), (5, 3)]  # bowl, red cube, blue ball
    record["named_objects"][0, :3, 2] = (0.3, 0.4, 0.5)
    record["named_cells"][0, 0, :3] = [(1, 1, 1), (2, 2, 1), (3, 3, 1)]
    for seed in range(20):
        (asked,) = extra_queries.extra_queries(record, np.random.default_rng(seed))
        assert len(asked.texts) == extra_queries.EXTRA and all(asked.texts)
        assert (asked.objects[:, 5] == 1).all()
        for cell, thing, patch, wrong in zip(asked.cells[0], asked.objects, asked.crops, asked.wrong, strict=True):
            assert bool(cell[2]) is not wrong
            assert wrong or cell[0] == pytest.approx(round(10 * thing[0]) - 2)
            assert wrong or patch == refiner_loss.TOOL + 1 + round(10 * thing[0]) - 3
    assert {parsed_step.verb for parsed_step in parsed_steps} == {"place", "push", "stack"}
    assert all(instructions.is_allowed(parsed_step) for parsed_step in parsed_steps)


def test_where_the_localizer_confuses_objects_the_refiner_is_given_the_wrong_one():
    record = np.zeros(1, scene_images.layout(TINY))
    record["named_objects"][0, :2, :2] = [(0, 4), (1, 1)]  # bowl, red cube
    record["named_cells"][0, 0, :2] = [(10, 10, 1), (20, 20, 1)]
    (asked,) = extra_queries.extra_queries(record, np.random.default_rng(1))
    own = np.array(asked.crops) - refiner_loss.TOOL - 1
    right, elsewhere = record["named_cells"][0, 0, own, :2], record["named_cells"][0, 0, 1 - own, :2]
    for first_look, patches, wrong in (
        (right + 1.0, asked.crops, asked.wrong),  # at the thing itself, or at what was drawn to be taken for it
        (elsewhere + 1.0, list(refiner_loss.TOOL + 2 - own), [True] * len(own)),
        (0 * right + 40.0, asked.crops, asked.wrong),  # at nothing that has a name
    ):
        found = extra_queries.with_confusions(asked, record["named_cells"][0, 0], first_look)
        assert list(found.crops) == list(patches) and list(found.wrong) == list(wrong)


def test_where_nothing_may_be_asked_for_there_is_no_query():
    record = np.zeros(1, scene_images.layout(TINY))
    record["named_objects"][0, :2, :2] = [(0, 4), (5, 3)]  # bowl, blue ball: a held-out pair
    (asked,) = extra_queries.extra_queries(record, np.random.default_rng(0))
    assert asked.texts == [""] * extra_queries.EXTRA and not asked.objects.any() and not any(asked.wrong)


def test_where_a_cube_of_every_colour_is_there_none_is_asked_for_that_is_not():
    record = np.zeros(1, scene_images.layout(TINY))
    cubes = [colour for colour in range(1, len(COLOURS)) if instructions.is_allowed_object((COLOURS[colour], "cube"))]
    record["named_objects"][0, : len(cubes), :2] = [(colour, SHAPES.index("cube")) for colour in cubes]
    for seed in range(50):
        (asked,) = extra_queries.extra_queries(record, np.random.default_rng(seed))
        assert all(asked.texts)


def test_cells_of_misleading_objects_have_no_gradient():
    side = TINY.image // projection.CELL_PX
    cells = np.zeros((1, 1, scene_images.MAX_NAMED, 3), np.float32)
    cells[0, 0, :2] = [(4, 4, 1), (12, 9, 1)]
    misleading = np.zeros((1, 2 * extra_queries.EXTRA, scene_images.MAX_NAMED), bool)
    misleading[0, 1, 0] = True
    ignored = torch.from_numpy(extra_queries.excluded_cells(misleading, cells, side))
    scores = torch.zeros(1, 3 + 2 * extra_queries.EXTRA, side * side + 1, requires_grad=True)
    wanted = torch.zeros(1, 1, scores.shape[1], 3)
    wanted[..., :] = torch.tensor([12.0, 9.0, 1.0])
    objects, asked = torch.zeros(1, scores.shape[1], 6), torch.ones(1, scores.shape[1])
    heights = [torch.zeros(1, scores.shape[1])]
    system2_loss.localizer_losses([scores], heights, wanted, objects, asked, ignored, TINY)["place"].backward()
    slope = scores.grad[0, :, :-1].view(-1, side, side)
    assert slope[2 + 1, 4, 4] == slope[2 + 1, 6, 2] == 0.0, "of the sentence that it misleads"
    assert slope[2, 4, 4] > 0.0, "another thing than what is asked for"
    assert slope[2 + 1, 9, 12] < 0.0 < slope[2 + 1, 14, 14]
