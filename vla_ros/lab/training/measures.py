"""Measures of the network on held-back scene images."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from vla_ros.arrays import Array
from vla_ros.lab.training import instructions, scene_images
from vla_ros.lab.training.extra_queries import SAME_OBJECT_CELLS
from vla_ros.lab.training.refiner_loss import TOOL
from vla_ros.lab.training.system2_loss import column, located_points, situation_features, waypoints_in_push_frame
from vla_ros.policies.compact import projection
from vla_ros.policies.compact.model import CompactModel
from vla_ros.policies.compact.model_config import COLOURS, SHAPES, STEP_FIELDS, Sizes
from vla_ros.policies.compact.object_tracker import MIN_PRESENCE
from vla_ros.policies.compact.vocabulary import Vocabulary
from vla_ros.tasks.vocabulary import MOVABLE_SHAPES as MOVABLE

BATCH = 48
CONFUSABLE_IMAGES = 4 * BATCH  # images in which confusable absent objects are asked for


@torch.no_grad()
def measure(
    model: CompactModel, vocabulary: Vocabulary, batch: NDArray[np.void], device: torch.device
) -> dict[str, float]:
    """Return measures over records of scene images.

    x_mm, x_p90_mm: error of the position of x on the table, median and 90th percentile. found: share of errors below 2 cm.
    absent: share of absent objects that are detected to be absent. absent_same_colour: the same where another shape of
    their colour is present. shape_only_located: share of objects named by their shape alone that the localizer finds;
    shape_only_refined: that the refiner selects among its peaks; shape_only_absent: share of absent shapes that are detected
    to be absent. subtask: share predicted right. waypoint_mm: median error of the next waypoint, seen from above. yaw_deg:
    median error of the yaw of a cube. tool_px: median error of the tool, in pixels of the refiner's image. fields: share of
    steps whose verb and side are read right.

    Args:
        model, vocabulary: the network.
        batch: records.
        device: of the tensors.
    """
    model.train(False)
    sizes: Sizes = model.config.sizes
    rng = np.random.default_rng(0)
    error, absent_right, taken_for_other, subtask_right, waypoint_error, yaw, tool, fields_right = (
        [],
        [],
        [],
        [],
        [],
        [],
        [],
        [],
    )
    by_shape: list[tuple[bool, bool]] = []
    shape_absent: list[bool] = []
    for first in range(0, len(batch), BATCH):
        records = batch[first : first + BATCH]
        rows = torch.arange(len(records))
        tokens = torch.from_numpy(np.stack([vocabulary.encode(text, sizes.words) for text in records["text"]])).to(
            device
        )
        embeddings, queries, fields, _ = model.language(tokens)
        at = column(records, "step").long()
        images = {
            name: torch.from_numpy(np.ascontiguousarray(records["images"][:, index])).to(device)
            for index, name in enumerate(sizes.cameras)
        }
        scores, heights, coarse = model.locate(images, queries[rows, at])
        cells, presence = projection.peak(scores[0].float().cpu().numpy())
        refined, centres = refine_at(model, records, cells, queries[rows, at], heights[0])
        presence = projection.presence_probability(presence, refined)
        if first < CONFUSABLE_IMAGES:
            taken_for_other.extend(_detected_absent(model, vocabulary, records, images, queries[rows, at]))
        named, missing = _named_by_shape(model, vocabulary, records, images, queries[rows, at])
        by_shape.extend(named)
        shape_absent.extend(missing)
        objects, state = situation_features(records, presence[:, :2], refined[:, :2], centres[:, :2], rng)
        _, subtask, _, waypoints, _ = model.fusion(embeddings[rows, at], objects.to(device), state.to(device), coarse)
        chosen, wanted = subtask.argmax(-1).cpu().numpy(), waypoints_in_push_frame(records)
        parts = fields[rows, at].split([len(options) for _, options in STEP_FIELDS], -1)
        predicted = np.stack([part.argmax(-1).cpu().numpy() for part in parts], 1)
        fields_right.extend(
            (predicted == records["parsed_steps"][np.arange(len(records)), records["step"]])[:, :2].all(-1)
        )
        for row, record in enumerate(records):
            if record["subtask"] < 0:
                absent_right.append(presence[row, 0] < MIN_PRESENCE)
                continue
            subtask_right.append(chosen[row] == record["subtask"])
            off = waypoints[row, record["subtask"], 0, :2].cpu().numpy() - wanted[row, 0, :2]
            waypoint_error.append(100 * float(np.hypot(*off)))
            if record["tool_cell"][0, 2]:
                at_tool = projection.upscale(projection.to_pixels(record["tool_cell"][0, :2]))
                tool.append(
                    float(np.hypot(*(centres[row, TOOL] + refined[row, TOOL, :2] * projection.OFFSET_PX - at_tool)))
                )
            if not record["cells"][0, 0, 2]:
                continue
            p = located_points(record, refined[row, :1], centres[row, :1])[0]
            error.append(1000 * float(np.linalg.norm((p - record["objects"][0, :3])[:2])))
            if record["objects"][0, 3] < 0.999:
                rotated = np.arctan2(refined[row, 0, 4], refined[row, 0, 3]) - np.arctan2(*record["objects"][0, [4, 3]])
                yaw.append(abs(np.degrees(np.remainder(rotated + np.pi, 2 * np.pi) - np.pi)) / 4)
    return {
        "x_mm": float(np.median(error)),
        "x_p90_mm": float(np.percentile(error, 90)),
        "found": float(np.mean(np.array(error) < 20)),
        "absent": float(np.mean(absent_right)) if absent_right else float("nan"),
        "absent_same_colour": 1.0 - float(np.mean(taken_for_other)) if taken_for_other else float("nan"),
        "shape_only_located": float(np.mean([first for first, _ in by_shape])) if by_shape else float("nan"),
        "shape_only_refined": float(np.mean([refined_right for _, refined_right in by_shape]))
        if by_shape
        else float("nan"),
        "shape_only_absent": float(np.mean(shape_absent)) if shape_absent else float("nan"),
        "subtask": float(np.mean(subtask_right)),
        "waypoint_mm": float(np.median(waypoint_error)),
        "yaw_deg": float(np.median(yaw)) if yaw else float("nan"),
        "tool_px": float(np.median(tool)) if tool else float("nan"),
        "fields": float(np.mean(fields_right)),
    }


def _detected_absent(
    model: CompactModel, vocabulary: Vocabulary, records: NDArray[np.void], images: dict[str, Tensor], queries: Tensor
) -> list[bool]:
    """Return, for each record with x in the image, whether an absent shape of its colour is detected."""
    texts, rows = [], []
    for row, record in enumerate(records):
        present = {(COLOURS[int(each[0])], SHAPES[int(each[1])]) for each in record["named_objects"]}
        colour = COLOURS[record["parsed_steps"][record["step"], 2]]
        missing = [shape for other, shape in instructions.absent_objects(present) if other == colour]
        if record["subtask"] >= 0 and record["cells"][0, 0, 2] and missing:
            texts.append(f"pick up the {colour} {missing[0]}")
            rows.append(row)
    if not rows:
        return []
    _, presence = _locate_texts(
        model, vocabulary, records[rows], {name: image[rows] for name, image in images.items()}, queries[rows], texts
    )
    return list(presence[0] > MIN_PRESENCE)


def _named_by_shape(
    model: CompactModel, vocabulary: Vocabulary, records: NDArray[np.void], images: dict[str, Tensor], queries: Tensor
) -> tuple[list[tuple[bool, bool]], list[bool]]:
    """Ask for objects by their shape alone.

    Returns:
        For each record whose x is the only object of its shape, whether the localizer finds it, and whether the refiner
        selects it. For each record that lacks a shape, whether that is detected to be absent.
    """
    texts, rows, targets = [], [], []
    for row, record in enumerate(records):
        shapes = [SHAPES[int(each[1])] for each in record["named_objects"]]
        x = SHAPES[record["parsed_steps"][record["step"], 3]]
        if record["subtask"] >= 0 and record["cells"][0, 0, 2] and shapes.count(x) == 1:
            texts.append(f"pick up the {x}")
            rows.append(row)
            targets.append(record["cells"][0, 0, :2])
        for missing in [shape for shape in MOVABLE if shape not in shapes][:1]:
            texts.append(f"pick up the {missing}")
            rows.append(row)
            targets.append(np.full(2, np.nan))
    if not rows:
        return [], []
    shown = {name: image[rows] for name, image in images.items()}
    cells, presence = _locate_texts(model, vocabulary, records[rows], shown, queries[rows], texts, projection.MAX_PEAKS)
    correct = np.abs(cells - np.array(targets)).max(-1) < SAME_OBJECT_CELLS
    present = np.isfinite(targets).all(1)
    refined_right = correct[presence.argmax(0), np.arange(len(rows))]
    return list(zip(correct[0, present], refined_right[present], strict=True)), list(
        presence.max(0)[~present] < MIN_PRESENCE
    )


def _locate_texts(
    model: CompactModel,
    vocabulary: Vocabulary,
    records: NDArray[np.void],
    images: dict[str, Tensor],
    queries: Tensor,
    texts: list[str],
    count: int = 1,
) -> tuple[Array, Array]:
    """Locate x of each text.

    Args:
        model, vocabulary: the network.
        records: (n,).
        images: of the records.
        queries: (n, 2, key); those of x are replaced.
        texts: n instructions.
        count: number of peaks.

    Returns:
        cells: (count, n, 2). presence: (count, n) probability, 0 for peaks below MIN_PEAK_SHARE.
    """
    tokens = np.stack([vocabulary.encode(text, model.config.sizes.words) for text in texts])
    asked = queries.clone()
    asked[:, 0] = model.language(torch.from_numpy(tokens).to(queries.device))[1][:, 0, 0]
    scores, heights, _ = model.locate(images, asked)
    cells, shares, located = projection.peaks(scores[0].float().cpu().numpy(), count)
    presence = np.stack(
        [
            projection.presence_probability(located, refine_at(model, records, each, asked, heights[0])[0])[:, 0]
            for each in cells
        ]
    )
    presence[shares[:, :, 0] <= projection.MIN_PEAK_SHARE * shares[0, :, 0]] = 0.0
    return cells[:, :, 0], presence


def refine_at(
    model: CompactModel, records: NDArray[np.void], cells: Array, queries: Tensor, heights: Tensor
) -> tuple[Array, Array]:
    """Run the refiner in the first camera, around positions that the localizer found.

    A record has crops around named objects and the tool alone: elsewhere the offset is taken for zero.

    Args:
        model: the network.
        records: (B,).
        cells: (B, 3, 2) of x, y and the tool.
        queries: (B, 2, key).
        heights: (B, 3) that the localizer predicts.

    Returns:
        refined: (B, 3, REFINED_DIM). centres: (B, 3, 2) of the crops.
    """
    side, margin = model.config.sizes.crop, (scene_images.STORED_CROP - model.config.sizes.crop) // 2
    centres = np.rint(projection.upscale(projection.to_pixels(cells))).astype(int)
    crops = np.zeros((len(records), 3, side, side, 3), np.uint8)
    near = np.zeros((len(records), 3), bool)
    for row, record in enumerate(records):
        for slot in range(3):
            corners = centres[row, slot] - record["crop_centres"][0] + margin
            inside = ((corners >= 0) & (corners <= 2 * margin)).all(-1) & record["crops"][0].any((-3, -2, -1))
            near[row, slot] = inside.any()
            if near[row, slot]:
                crop_index = int(inside.argmax())
                left, top = corners[crop_index]
                crops[row, slot] = record["crops"][0, crop_index, top : top + side, left : left + side]
    positions = torch.from_numpy(
        projection.normalized(centres, projection.UPSCALE * model.config.sizes.image).astype(np.float32)
    )
    given = torch.cat([positions.to(queries.device), heights[..., None]], -1)
    refined = (
        model.refine(torch.from_numpy(crops).to(queries.device), model.with_tool(queries), given)
        .float()
        .cpu()
        .numpy()
        .astype(np.float64)
    )
    refined[~near, :2] = 0.0
    return refined, centres.astype(np.float64)
