"""Further instructions about an image, beside its own: looking is expensive and instructions are cheap."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import replace
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from vla_ros.lab.training import instructions
from vla_ros.lab.training.instructions import ColouredShape, ParsedStep
from vla_ros.lab.training.refiner_loss import TOOL
from vla_ros.policies.compact.model_config import COLOURS, SHAPES

Batch = NDArray[np.void]

EXTRA = 2  # instructions for each image; each has two queries, for its x and its y
VERBS_TO = {"cube": ("stack",) * 3, **dict.fromkeys(("bowl", "plate"), ("place", "place", "push"))}  # a third each
ABSENT_SHARE = 0.3  # share of them about an absent object, of whose colour or shape there may be another one
COLOURLESS = 0.4  # share of their objects named without the colour where that is unambiguous
SAME_OBJECT_CELLS = 3.0  # distance from an object within which a position is taken for it
CONFUSED_SHARE = 0.7  # share of images with a confusion in which the refiner is trained on one


class ExtraQueries(NamedTuple):
    """Queries for x and y of each extra instruction of one image, in this order.

    Attributes:
        texts: EXTRA instructions.
        cells: (cameras, 2 * EXTRA, 3) as in the records.
        objects: (2 * EXTRA, 6) p, yaw4, and 1 if the query counts, also where its object is absent.
        crops: index of the stored crop that the refiner is given, for each query.
        wrong: for each query whether that crop shows another object than the one asked for.
        misleading: (2 * EXTRA, MAX_NAMED) see `instructions.misleading_objects`.
    """

    texts: list[str]
    cells: NDArray[np.float32]
    objects: NDArray[np.float32]
    crops: list[int]
    wrong: list[bool]
    misleading: NDArray[np.bool_]


def extra_queries(batch: Batch, rng: np.random.Generator) -> list[ExtraQueries]:
    """Return random queries about the named objects of each record."""
    result = []
    for record in batch:
        named = [row for row in record["named_objects"] if row[1] > 0]
        present = [(COLOURS[int(row[0])], SHAPES[int(row[1])]) for row in named]
        possible = _possible_steps(present)
        cells = np.zeros((record["cells"].shape[0], 2 * EXTRA, 3), np.float32)
        objects = np.zeros((2 * EXTRA, 6), np.float32)
        texts, crops, wrong = [], [0] * (2 * EXTRA), [False] * (2 * EXTRA)
        misleading = np.zeros((2 * EXTRA, len(record["named_objects"])), bool)
        for number in range(EXTRA):
            if not possible:
                texts.append("")
                continue
            at_x, at_y, parsed_step = possible[rng.integers(len(possible))]
            with_absent, missing = rng.random() < ABSENT_SHARE, 0  # 0: x is the absent one, 1: y
            if with_absent:
                parsed_step, missing = _with_absent_object(parsed_step, present, rng)
            shapes = [shape for _, shape in (*present, parsed_step.x, *[parsed_step.y] * missing)]
            texts.append(instructions.compose(rng, [parsed_step], shapes, not with_absent, COLOURLESS))
            for slot, at, thing in ((2 * number, at_x, parsed_step.x), (2 * number + 1, at_y, parsed_step.y)):
                misleading[slot, : len(present)] = instructions.misleading_objects(thing, texts[-1], present)
                objects[slot] = *named[at][2:], 1.0
                cells[:, slot] = record["named_cells"][:, at]
                crops[slot] = TOOL + 1 + at
            if with_absent:
                slot = 2 * number + missing
                cells[:, slot], wrong[slot] = 0.0, True
                crops[slot] = TOOL + 1 + _confusable_object((parsed_step.x, parsed_step.y)[missing], present, rng)
        result.append(ExtraQueries(texts, cells, objects, crops, wrong, misleading))
    return result


def with_confusions(queries: ExtraQueries, cells: NDArray[np.floating], located: NDArray[np.floating]) -> ExtraQueries:
    """Return the queries with the crop of what the localizer confuses their object with, where it does.

    Args:
        queries: of one image.
        cells: (MAX_NAMED, 3) of the named objects.
        located: (2 * EXTRA, 2) positions that the localizer finds.
    """
    distance = np.abs(cells[None, :, :2] - located[:, None]).max(-1)
    distance[:, cells[:, 2] == 0] = np.inf
    distance[queries.misleading] = np.inf
    crops, wrong = list(queries.crops), list(queries.wrong)
    for slot in np.flatnonzero(queries.objects[:, 5]):
        nearest, own = int(distance[slot].argmin()), crops[slot] - TOOL - 1
        found_nearest = distance[slot, nearest] < SAME_OBJECT_CELLS
        if found_nearest and (wrong[slot] or distance[slot, own] > SAME_OBJECT_CELLS):
            crops[slot], wrong[slot] = TOOL + 1 + nearest, True
    return queries._replace(crops=crops, wrong=wrong)


def refined_query(wrong: Sequence[bool], rng: np.random.Generator) -> int:
    """Return the index of the query that the refiner is trained on, more often one whose crop shows another object."""
    which = np.flatnonzero(wrong) if any(wrong) and rng.random() < CONFUSED_SHARE else np.arange(len(wrong))
    return int(rng.choice(which))


def excluded_cells(misleading: NDArray[np.bool_], cells: NDArray[np.floating], side: int) -> NDArray[np.bool_]:
    """Return (B, cameras, 2 * EXTRA, cells + 1): the cells around misleading objects, which the loss ignores.

    Args:
        misleading: (B, 2 * EXTRA, MAX_NAMED).
        cells: (B, cameras, MAX_NAMED, 3).
        side: of the grid.
    """
    rows, columns = np.divmod(np.arange(side * side), side)
    distance = np.maximum(np.abs(columns - cells[..., 0:1]), np.abs(rows - cells[..., 1:2]))
    near = ((distance <= SAME_OBJECT_CELLS) & (cells[..., 2:] > 0)).astype(np.float32)
    excluded = misleading[:, None].astype(np.float32) @ near > 0
    return np.concatenate([excluded, np.zeros_like(excluded[..., :1])], -1)


def _possible_steps(present: Sequence[ColouredShape]) -> list[tuple[int, int, ParsedStep]]:
    """Return all steps about objects that are present which training may ask for: indices of x and y, and the step."""
    return [
        (at_x, at_y, parsed_step)
        for (at_x, x), (at_y, y) in itertools.permutations(enumerate(present), 2)
        for verb in VERBS_TO.get(y[1], ("push",) * 3)
        if x[0] != "none" and instructions.is_allowed(parsed_step := ParsedStep(verb, "none", x, y))
    ]


def _with_absent_object(
    parsed_step: ParsedStep, present: Sequence[ColouredShape], rng: np.random.Generator
) -> tuple[ParsedStep, int]:
    """Return the step with an absent object in place of x or y, and 0 or 1 for which."""
    cubes = instructions.absent_objects(present, ("cube",)) if parsed_step.verb == "stack" else []
    of_x = [
        each
        for thing in instructions.absent_objects(present)
        if instructions.is_allowed(each := replace(parsed_step, x=thing))
    ]
    of_y = [each for thing in cubes if instructions.is_allowed(each := replace(parsed_step, y=thing))]
    missing = int(bool(of_y) and rng.random() < 0.5)
    steps = (of_x, of_y)[missing]
    return steps[rng.integers(len(steps))], missing


def _confusable_object(thing: ColouredShape, present: Sequence[ColouredShape], rng: np.random.Generator) -> int:
    """Return the index of an object that an absent one may be confused with: one of its colour, else of its shape."""
    alike = [[index for index, other in enumerate(present) if thing[part] == other[part]] for part in (0, 1)]
    allowed = [index for index, other in enumerate(present) if instructions.is_allowed_object((other[0], thing[1]))]
    return int(rng.choice(alike[0] or alike[1] or allowed or range(len(present))))
