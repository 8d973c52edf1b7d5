"""Loss of System 2 on scene images and instructions."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

from vla_ros.arrays import Array
from vla_ros.lab.training import instructions, refiner_loss
from vla_ros.lab.training.extra_queries import (
    EXTRA,
    ExtraQueries,
    excluded_cells,
    extra_queries,
    refined_query,
    with_confusions,
)
from vla_ros.lab.training.refiner_loss import TOOL, augmented
from vla_ros.policies.compact import projection
from vla_ros.policies.compact.features import object_features, push_direction, state_features
from vla_ros.policies.compact.language import Language
from vla_ros.policies.compact.model import CompactModel
from vla_ros.policies.compact.model_config import FOLDS, IS_PUSH, SIDES, STEP_FIELDS, SUBTASKS, Sizes
from vla_ros.policies.compact.vocabulary import UNKNOWN, Vocabulary

Batch = NDArray[np.void]

MASKED = -1e4  # score of a cell that does not count
SPREAD = 0.7  # cells: standard deviation of the target around an object
UNKNOWN_SHARE = 0.01  # share of tokens that are replaced by UNKNOWN, as a new word would be
HIDDEN_SHARE, HIDDEN_NAMES_SHARE = 0.02, 0.6  # share of tokens hidden from the transformer: of all, and of object words
POSITION_NOISE_M, START_NOISE_M = 0.004, 0.003
NOISE = 5.0  # largest standard deviation of pixels
WEIGHTS = {
    "place": 1.0,
    "height": 0.5,
    "refined": 1.0,
    "refined_std": 0.05,
    "match": 0.5,
    "subtask": 1.0,
    "waypoint": 4.0,
    "anchor": 0.5,
    "progress": 0.5,
}


def read_instructions(
    language: Language, vocabulary: Vocabulary, texts: Sequence[str], rng: np.random.Generator
) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Return the output of `Language.forward` for texts, some of whose words are made unknown.

    Most object words are hidden from the transformer, and never from the lexicon: where the token of a colour is must not
    depend on which colour it is.
    """
    tokens = np.stack([vocabulary.encode(text, len(language.position)) for text in texts])
    tokens = np.where((rng.random(tokens.shape) < UNKNOWN_SHARE) & (tokens > UNKNOWN), UNKNOWN, tokens)
    names = np.unique([vocabulary.encode(name, 1)[0] for name in instructions.object_words()])
    hide = rng.random(tokens.shape) < np.where(np.isin(tokens, names), HIDDEN_NAMES_SHARE, HIDDEN_SHARE)
    hidden = np.where(hide & (tokens > UNKNOWN), UNKNOWN, tokens)
    device = language.position.device
    result: tuple[Tensor, Tensor, Tensor, Tensor] = language(
        torch.from_numpy(tokens).to(device), torch.from_numpy(hidden).to(device)
    )
    return result


def instruction_loss(fields: Tensor, understood: Tensor, parsed_steps: Tensor, makes_sense: Tensor) -> Tensor:
    """Return the loss of reading instructions.

    Args:
        fields: (B, steps, logits of STEP_FIELDS).
        understood: (B,) logit.
        parsed_steps: (B, steps, 6) indices.
        makes_sense: (B,) 0 or 1.
    """
    loss = functional.binary_cross_entropy_with_logits(understood, makes_sense)
    first = 0
    sense = makes_sense[:, None].expand(parsed_steps.shape[:2]).flatten()
    for group, (_, values) in enumerate(STEP_FIELDS):
        logits = fields[..., first : first + len(values)].flatten(0, 1)
        each = functional.cross_entropy(logits, parsed_steps[..., group].flatten(), reduction="none")
        loss = loss + (each * sense).sum() / sense.sum().clamp(min=1) / len(STEP_FIELDS)
        first += len(values)
    return loss


def column(batch: Batch, name: str) -> Tensor:
    """Return one field of a batch."""
    return torch.from_numpy(np.ascontiguousarray(batch[name]))


def cell_target(cells: Tensor, side: int) -> Tensor:
    """Return (..., side^2 + 1) target probabilities of the cells: a Gaussian around the object, or "nowhere".

    Args:
        cells: (..., 3) u, v and 1 if the object is in the image.
        side: of the grid.
    """
    along = torch.arange(side, dtype=cells.dtype, device=cells.device)
    columns = torch.exp(-0.5 * ((along - cells[..., 0:1]) / SPREAD) ** 2)
    rows = torch.exp(-0.5 * ((along - cells[..., 1:2]) / SPREAD) ** 2)
    gaussian = (rows[..., :, None] * columns[..., None, :]).flatten(-2)
    gaussian = gaussian / gaussian.sum(-1, keepdim=True).clamp(min=1e-9)
    visible = cells[..., 2:]
    return torch.cat([gaussian * visible, 1 - visible], -1)


def scene_losses(
    model: CompactModel, vocabulary: Vocabulary, batch: Batch, rng: np.random.Generator, device: torch.device
) -> tuple[dict[str, Tensor], Tensor]:
    """Return the parts of the loss of a batch of scene images, and the latents (B, latents, latent).

    Args:
        model, vocabulary: the network.
        batch: see `scene_images.layout`.
        rng: of augmentation and extra queries.
        device: of the tensors.
    """
    sizes = model.config.sizes
    rows = torch.arange(len(batch), device=device)
    step = column(batch, "step").long().to(device)
    embeddings, queries, _, _ = read_instructions(model.language, vocabulary, batch["text"].tolist(), rng)
    images = {
        camera: torch.from_numpy(augmented(batch["images"][:, index], rng, NOISE)).to(device)
        for index, camera in enumerate(sizes.cameras)
    }
    extra = extra_queries(batch, rng)
    theirs = read_instructions(model.language, vocabulary, [text for each in extra for text in each.texts], rng)
    asked = torch.cat([queries[rows, step], theirs[1][:, 0].reshape(len(batch), 2 * EXTRA, -1)], 1)
    scores, heights, coarse = model.locate(images, asked)
    # Queries in this order: x and y of the image's own instruction, the extra ones, the tool.
    cells = np.concatenate(
        [batch["cells"], np.stack([each.cells for each in extra]), batch["tool_cell"][:, :, None]], 2
    )
    objects = np.concatenate([batch["objects"], np.stack([each.objects for each in extra]), tools(batch)[:, None]], 1)
    counts = torch.from_numpy(objects[..., 5].copy()).to(device)
    counts[:, 0] = 1.0
    targets = torch.from_numpy(cells).to(device), torch.from_numpy(objects).to(device)
    ignored = excluded_cells(
        np.stack([each.misleading for each in extra]), batch["named_cells"], sizes.image // projection.CELL_PX
    )
    losses = localizer_losses(scores, heights, *targets, counts, torch.from_numpy(ignored).to(device), sizes)
    refined, centres, parts = _refine(model, batch, extra, asked, scores, heights, cells, objects, rng)
    losses |= parts
    _, located = projection.peak(scores[0][:, :2].detach().float().cpu().numpy())
    known_objects, state = situation_features(
        batch, projection.presence_probability(located, refined), refined, centres, rng
    )
    latents, subtask, progress, waypoints, anchors = model.fusion(
        embeddings[rows, step], known_objects.to(device), state.to(device), coarse
    )
    return losses | _plan_losses(batch, subtask, progress, waypoints, anchors), latents


def _refine(
    model: CompactModel,
    batch: Batch,
    extra: list[ExtraQueries],
    queries: Tensor,
    scores: list[Tensor],
    heights: list[Tensor],
    cells: NDArray[np.float32],
    objects: NDArray[np.float32],
    rng: np.random.Generator,
) -> tuple[Array, NDArray[np.float32], dict[str, Tensor]]:
    """Run the refiner on x, y, the tool and one extra query of each image, preferably one that is confused.

    Returns:
        refined: (B, 2, REFINED_DIM) of x and y in the first camera. centres: (B, 2, 2) of their crops. losses: summed over
        the cameras.
    """
    sizes, device = model.config.sizes, queries.device
    rows = torch.arange(len(batch), device=device)
    located, _ = projection.peak(scores[0][:, 2 : 2 + 2 * EXTRA].detach().float().cpu().numpy())
    extra = [with_confusions(*each) for each in zip(extra, batch["named_cells"][:, 0], located, strict=True)]
    chosen = np.array([refined_query(each.wrong, rng) for each in extra])
    crop_of_chosen = [extra[i].crops[at] for i, at in enumerate(chosen)]
    slots = np.stack([0 * chosen, 0 * chosen + 1, 0 * chosen + TOOL, crop_of_chosen], 1)
    confused = np.zeros(slots.shape, np.float32)
    confused[:, -1] = [extra[i].wrong[at] for i, at in enumerate(chosen)]
    which = np.stack([0 * chosen, 0 * chosen + 1, 0 * chosen + 2 + 2 * EXTRA, 2 + chosen], 1)
    which_tensor = torch.from_numpy(which).to(device)
    chosen_queries = model.with_tool(queries)[rows[:, None], which_tensor]
    at = np.arange(len(batch))[:, None]
    losses: dict[str, Tensor] = {}
    first: tuple[Array, NDArray[np.float32]] | None = None
    for index in range(len(sizes.cameras)):
        crops, positions, centres = refiner_loss.crops(batch, index, slots, sizes, rng)
        crops = augmented(crops.reshape(-1, *crops.shape[2:]), rng, refiner_loss.NOISE).reshape(crops.shape)
        height = heights[index].detach()[rows[:, None], which_tensor]
        given = torch.cat([torch.from_numpy(positions).to(device), height[..., None]], -1)
        refined = model.refine(torch.from_numpy(crops).to(device), chosen_queries, given)
        cell = cells[at, index, which]
        visible = torch.from_numpy(cell[..., 2] * objects[at, which, 5] * (1 - confused)).to(device)
        parts = refiner_loss.losses(
            refined,
            torch.from_numpy(centres).to(device),
            torch.from_numpy(cell).to(device),
            torch.from_numpy(objects[at, which, :5]).to(device),
            visible,
            torch.from_numpy(confused).to(device),
        )
        for part, value in parts.items():
            losses[part] = losses[part] + value if part in losses else value
        if first is None:
            first = refined.detach().float().cpu().numpy()[:, :2].astype(np.float64), centres[:, :2]
    assert first is not None
    return *first, losses


def _plan_losses(
    batch: Batch, subtask: Tensor, progress: Tensor, waypoints: Tensor, anchors: Tensor
) -> dict[str, Tensor]:
    """Return the losses of subtask, waypoints, anchors and progress, on the records whose x is present."""
    device = subtask.device
    use = torch.from_numpy(batch["subtask"] >= 0).to(device)
    label = column(batch, "subtask").long().to(device)[use]
    rows = torch.arange(len(label), device=device)
    target = torch.from_numpy(waypoints_in_push_frame(batch)).to(device)[use]
    target_anchors = column(batch, "anchors").long().to(device)[use]
    target_progress = column(batch, "progress").to(device)[use]
    return {
        "subtask": functional.cross_entropy(subtask[use], label, label_smoothing=0.02),
        "waypoint": functional.smooth_l1_loss(waypoints[use][rows, label], target, beta=0.05),
        "anchor": functional.cross_entropy(anchors[use][rows, label].flatten(0, 1), target_anchors.flatten()),
        "progress": functional.mse_loss(torch.sigmoid(progress[use]), target_progress),
    }


def localizer_losses(
    scores: list[Tensor],
    heights: list[Tensor],
    cells: Tensor,
    objects: Tensor,
    counts: Tensor,
    ignored: Tensor,
    sizes: Sizes,
) -> dict[str, Tensor]:
    """Return the losses of locating objects, and of their heights.

    Args:
        scores, heights: of `CompactModel.locate`.
        cells: (B, cameras, Q, 3).
        objects: (B, Q, 6).
        counts: (B, Q) 1 for the queries that count.
        ignored: (B, cameras, 2 * EXTRA, cells + 1) the cells that do not count for the extra queries.
        sizes: of the network.
    """
    place, high = torch.zeros((), device=counts.device), torch.zeros((), device=counts.device)
    for index in range(len(sizes.cameras)):
        target = cell_target(cells[:, index], sizes.image // projection.CELL_PX)
        hide = torch.zeros(target.shape, dtype=torch.bool, device=target.device)
        hide[:, 2 : 2 + 2 * EXTRA] = ignored[:, index]
        log_probability = functional.log_softmax(scores[index].masked_fill(hide, MASKED), -1)
        each = -(target.masked_fill(hide, 0.0) * log_probability).sum(-1)
        place = place + (each * counts).sum() / counts.sum()
        visible = counts * cells[:, index, :, 2]
        error = functional.smooth_l1_loss(heights[index], 10 * objects[..., 2], beta=0.1, reduction="none")
        high = high + (error * visible).sum() / visible.sum().clamp(min=1)
    return {"place": place, "height": high}


def tools(batch: Batch) -> NDArray[np.float32]:
    """Return (B, 6) of the tool as of any object: p, yaw4, and 1."""
    angle = 4 * batch["yaw"]
    columns = [*batch["p_tool"].T, np.cos(angle), np.sin(angle), np.ones_like(angle)]
    return np.stack(columns, 1).astype(np.float32)


def waypoints_in_push_frame(batch: Batch) -> NDArray[np.float32]:
    """Return the waypoints (B, waypoints, WAYPOINT_DIM) of records; those of pushes relative to the direction of the push."""
    rows = np.array(batch["waypoints"])
    for index, record in enumerate(batch):
        side = SIDES[record["parsed_steps"][record["step"], 1]]
        direction = push_direction(side, record["start"], record["objects"][1])
        for number in range(rows.shape[1]):
            subtask = min(int(record["subtask"]) + number, len(SUBTASKS) - 1)
            if record["subtask"] < 0 or not IS_PUSH[subtask]:
                continue
            x, y, _, cosine, sine = rows[index, number, :5]
            c, s = np.cos(direction), np.sin(direction)
            angle = np.arctan2(sine, cosine) - FOLDS[subtask] * direction
            rows[index, number, :2] = c * x + s * y, c * y - s * x
            rows[index, number, 3:5] = np.cos(angle), np.sin(angle)
    return rows


def situation_features(
    batch: Batch,
    presence: Array,
    refined: Array,
    centres: NDArray[np.floating],
    rng: np.random.Generator,
) -> tuple[Tensor, Tensor]:
    """Return the features that the running policy would compute: (B, 2, OBJECT_FEATURES) and (B, STATE_FEATURES).

    Half of the positions are what the network itself detects now, half are the truth with noise, as a tracker would have it.

    Args:
        batch: records of scene images.
        presence: (B, 2) probability that x and y are in view.
        refined: (B, 2, REFINED_DIM) output of the refiner in the first camera.
        centres: (B, 2, 2) of its crops.
        rng: of the noise.
    """
    count = len(batch)
    p, yaw4 = np.empty((count, 2, 3)), refined[..., 3:5].copy()
    for row in range(count):
        p[row] = located_points(batch[row], refined[row], centres[row])
    truth = batch["objects"].astype(np.float64)
    present = truth[..., 5]
    own = (rng.random((count, 2)) < 0.5) & (np.abs(p - truth[..., :3]).max(-1) < 0.05)
    std_m = projection.position_std_m(refined[..., 5])
    noise = POSITION_NOISE_M * rng.choice([0.3, 1.0, 1.5], (count, 2, 1))
    p = np.where(own[..., None], p, truth[..., :3] + rng.normal(size=p.shape) * noise)
    yaw4 = np.where(own[..., None], yaw4, truth[..., 3:5] + rng.normal(0, 0.1, yaw4.shape))
    p = p * present[..., None]
    p_tool = batch["p_tool"].astype(np.float64)
    start = batch["start"] + rng.normal(0, START_NOISE_M, (count, 3))
    reference = np.stack([start, p[:, 0]], 1)
    features = object_features(p, yaw4 * present[..., None], presence * present, std_m, p_tool[:, None], reference)
    features = features * present[..., None]
    q, finger_velocity, yaw = (batch[name].astype(np.float64) for name in ("q", "finger_velocity", "yaw"))
    state = state_features(q[:, :7], q[:, 7], finger_velocity, p_tool, yaw)
    return torch.from_numpy(features).float(), torch.from_numpy(state).float()


def located_points(record: np.void, refined: Array, centres: NDArray[np.floating]) -> Array:
    """Return points (n, 3) of outputs of the refiner (n, REFINED_DIM) for crops around `centres` (n, 2) of a record."""
    camera = projection.Pinhole(record["k"][0].astype(np.float64), record["T_base_camera"][0].astype(np.float64))
    return camera.at_height(
        projection.downscale(centres + refined[:, :2] * projection.OFFSET_PX), projection.height_m(refined[:, 2])
    )
