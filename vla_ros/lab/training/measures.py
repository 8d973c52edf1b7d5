"""Numbers that say what the network can do, on stills that it has not seen."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from vla_ros.lab.training import scene_images, sentences
from vla_ros.lab.training.refiner_loss import TOOL
from vla_ros.lab.training.system2_loss import BESIDE, along_pushes, column, located, situation_features
from vla_ros.policies.compact import projection
from vla_ros.policies.compact.model import CompactModel
from vla_ros.policies.compact.model_config import COLOURS, SHAPES, WORDING, Sizes
from vla_ros.policies.compact.object_tracker import BELIEVED
from vla_ros.policies.compact.vocabulary import Vocabulary
from vla_ros.tasks.vocabulary import MOVABLE_SHAPES as MOVABLE

BATCH = 48
ALIKE = 4 * BATCH  # stills that are asked for what may be taken for something else


@torch.no_grad()
def measure(
    model: CompactModel, vocabulary: Vocabulary, batch: NDArray[np.void], device: torch.device
) -> dict[str, float]:
    """Return, over stills:

    x_mm, x_p90_mm: error of the place of x on the table, median and 90th percentile. found: share of things nearer than
    2 cm. absent: share of what is not there that is said not to be. alike: the same where its colour is there on another
    shape. bare: share of things named by their shape alone to which the first look goes; chosen: to which the second one
    does, of the best places of the first; none: share of shapes that are not there that are said not to be. subtask: share
    right. way_mm: median error of the next waypoint, seen from above. yaw_deg: median error of a cube's yaw. tool_px: median
    error of where the tool is seen, in pixels of the sharp picture. words: share of steps whose verb and side are read right.
    """
    model.train(False)
    sizes: Sizes = model.config.sizes
    rng = np.random.default_rng(0)
    error, lost, alike, right, way, yaw, tool, read = [], [], [], [], [], [], [], []
    bare: list[tuple[bool, bool]] = []
    none: list[bool] = []
    for first in range(0, len(batch), BATCH):
        some = batch[first : first + BATCH]
        rows = torch.arange(len(some))
        words = torch.from_numpy(np.stack([vocabulary.encode(text, sizes.words) for text in some["text"]])).to(device)
        steps, queries, wording, _ = model.language(words)
        at = column(some, "step").long()
        images = {
            name: torch.from_numpy(np.ascontiguousarray(some["images"][:, index])).to(device)
            for index, name in enumerate(sizes.cameras)
        }
        scores, heights, coarse = model.look(images, queries[rows, at])
        cells, seen = projection.place(scores[0].float().cpu().numpy())
        known, middles = second_look_at(model, some, cells, queries[rows, at], heights[0])
        seen = projection.there(seen, known)
        if first < ALIKE:
            alike.extend(_taken_for(model, vocabulary, some, images, queries[rows, at]))
        named, missing = _by_shape(model, vocabulary, some, images, queries[rows, at])
        bare.extend(named)
        none.extend(missing)
        objects, state = situation_features(some, seen[:, :2], known[:, :2], middles[:, :2], rng)
        _, subtask, _, ways, _ = model.fusion(steps[rows, at], objects.to(device), state.to(device), coarse)
        chosen, wanted = subtask.argmax(-1).cpu().numpy(), along_pushes(some)
        parts = wording[rows, at].split([len(options) for _, options in WORDING], -1)
        said = np.stack([part.argmax(-1).cpu().numpy() for part in parts], 1)
        read.extend((said == some["wishes"][np.arange(len(some)), some["step"]])[:, :2].all(-1))
        for row, still in enumerate(some):
            if still["subtask"] < 0:
                lost.append(seen[row, 0] < BELIEVED)
                continue
            right.append(chosen[row] == still["subtask"])
            off = ways[row, still["subtask"], 0, :2].cpu().numpy() - wanted[row, 0, :2]
            way.append(100 * float(np.hypot(*off)))
            if still["tool_cell"][0, 2]:
                at_tool = projection.sharper(projection.to_pixels(still["tool_cell"][0, :2]))
                tool.append(
                    float(np.hypot(*(middles[row, TOOL] + known[row, TOOL, :2] * projection.REACH_PX - at_tool)))
                )
            if not still["cells"][0, 0, 2]:
                continue
            p = located(still, known[row, :1], middles[row, :1])[0]
            error.append(1000 * float(np.linalg.norm((p - still["objects"][0, :3])[:2])))
            if still["objects"][0, 3] < 0.999:
                turned = np.arctan2(known[row, 0, 4], known[row, 0, 3]) - np.arctan2(*still["objects"][0, [4, 3]])
                yaw.append(abs(np.degrees(np.remainder(turned + np.pi, 2 * np.pi) - np.pi)) / 4)
    return {
        "x_mm": float(np.median(error)),
        "x_p90_mm": float(np.percentile(error, 90)),
        "found": float(np.mean(np.array(error) < 20)),
        "absent": float(np.mean(lost)) if lost else float("nan"),
        "alike": 1.0 - float(np.mean(alike)) if alike else float("nan"),
        "bare": float(np.mean([first for first, _ in bare])) if bare else float("nan"),
        "chosen": float(np.mean([second for _, second in bare])) if bare else float("nan"),
        "none": float(np.mean(none)) if none else float("nan"),
        "subtask": float(np.mean(right)),
        "way_mm": float(np.median(way)),
        "yaw_deg": float(np.median(yaw)) if yaw else float("nan"),
        "tool_px": float(np.median(tool)) if tool else float("nan"),
        "words": float(np.mean(read)),
    }


def _taken_for(
    model: CompactModel, vocabulary: Vocabulary, some: NDArray[np.void], images: dict[str, Tensor], queries: Tensor
) -> list[bool]:
    """Return, for each still whose x is in the picture, whether another shape of its colour would be seen there."""
    texts, rows = [], []
    for row, still in enumerate(some):
        present = {(COLOURS[int(each[0])], SHAPES[int(each[1])]) for each in still["named"]}
        colour = COLOURS[still["wishes"][still["step"], 2]]
        missing = [shape for of, shape in sentences.absent(present) if of == colour]
        if still["subtask"] >= 0 and still["cells"][0, 0, 2] and missing:
            texts.append(f"pick up the {colour} {missing[0]}")
            rows.append(row)
    if not rows:
        return []
    _, there = _ask(
        model, vocabulary, some[rows], {name: image[rows] for name, image in images.items()}, queries[rows], texts
    )
    return list(there[0] > BELIEVED)


def _by_shape(
    model: CompactModel, vocabulary: Vocabulary, some: NDArray[np.void], images: dict[str, Tensor], queries: Tensor
) -> tuple[list[tuple[bool, bool]], list[bool]]:
    """Return, for each still whose x is the only thing of its shape, whether a first look for that shape goes there, and a
    second one; and for each that lacks a shape whether that is said to be there nowhere."""
    texts, rows, places = [], [], []
    for row, still in enumerate(some):
        shapes = [SHAPES[int(each[1])] for each in still["named"]]
        x = SHAPES[still["wishes"][still["step"], 3]]
        if still["subtask"] >= 0 and still["cells"][0, 0, 2] and shapes.count(x) == 1:
            texts.append(f"pick up the {x}")
            rows.append(row)
            places.append(still["cells"][0, 0, :2])
        for missing in [shape for shape in MOVABLE if shape not in shapes][:1]:
            texts.append(f"pick up the {missing}")
            rows.append(row)
            places.append(np.full(2, np.nan))
    if not rows:
        return [], []
    pictures = {name: image[rows] for name, image in images.items()}
    cells, there = _ask(model, vocabulary, some[rows], pictures, queries[rows], texts, projection.PLACES)
    hit = np.abs(cells - np.array(places)).max(-1) < BESIDE
    is_there = np.isfinite(places).all(1)
    second = hit[there.argmax(0), np.arange(len(rows))]
    return list(zip(hit[0, is_there], second[is_there], strict=True)), list(there.max(0)[~is_there] < BELIEVED)


def _ask(
    model: CompactModel,
    vocabulary: Vocabulary,
    some: NDArray[np.void],
    images: dict[str, Tensor],
    queries: Tensor,
    texts: list[str],
    count: int = 1,
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the best `count` places (count, n, 2) of x of each text, and how probable (count, n) it is that it is there, 0
    of those that are no rivals of the best one.

    Args:
        queries: (n, 2, key) those of x are replaced.
    """
    words = np.stack([vocabulary.encode(text, model.config.sizes.words) for text in texts])
    asked = queries.clone()
    asked[:, 0] = model.language(torch.from_numpy(words).to(queries.device))[1][:, 0, 0]
    scores, heights, _ = model.look(images, asked)
    cells, shares, seen = projection.places(scores[0].float().cpu().numpy(), count)
    there = np.stack(
        [projection.there(seen, second_look_at(model, some, each, asked, heights[0])[0])[:, 0] for each in cells]
    )
    there[shares[:, :, 0] <= projection.RIVAL * shares[0, :, 0]] = 0.0
    return cells[:, :, 0], there


def second_look_at(
    model: CompactModel, some: NDArray[np.void], cells: NDArray[np.float64], queries: Tensor, heights: Tensor
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return what a second look in the first camera says, (B, 3, SEEN), and its middles (B, 3, 2): x, y and the tool.

    Args:
        cells: (B, 3, 2) where the first look found them. heights: (B, 3) that it said. A still keeps the sharp picture only
            near what has a name, and the tool: a first look that leads elsewhere gets no second one.
    """
    side, room = model.config.sizes.fovea, (scene_images.PATCH - model.config.sizes.fovea) // 2
    middles = np.rint(projection.sharper(projection.to_pixels(cells))).astype(int)
    patches = np.zeros((len(some), 3, side, side, 3), np.uint8)
    near = np.zeros((len(some), 3), bool)
    for row, still in enumerate(some):
        for slot in range(3):
            corners = middles[row, slot] - still["centres"][0] + room
            kept = ((corners >= 0) & (corners <= 2 * room)).all(-1) & still["patches"][0].any((-3, -2, -1))
            near[row, slot] = kept.any()
            if near[row, slot]:
                of = int(kept.argmax())
                left, top = corners[of]
                patches[row, slot] = still["patches"][0, of, top : top + side, left : left + side]
    spots = torch.from_numpy(projection.spot(middles, projection.SHARP * model.config.sizes.image).astype(np.float32))
    spotted = torch.cat([spots.to(queries.device), heights[..., None]], -1)
    known = (
        model.fixate(torch.from_numpy(patches).to(queries.device), model.with_tool(queries), spotted)
        .float()
        .cpu()
        .numpy()
        .astype(np.float64)
    )
    known[~near, :2] = 0.0
    return known, middles.astype(np.float64)
