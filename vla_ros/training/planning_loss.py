"""What System 2 is told of its mistakes on stills and sentences."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

from vla_ros.policies.compact import sight
from vla_ros.policies.compact.configuration import COLOURS, FOLDS, PUSHES, SHAPES, SIDES, SUBTASKS, WORDING, Sizes
from vla_ros.policies.compact.features import object_features, push_angle, state_features
from vla_ros.policies.compact.model import CompactModel
from vla_ros.policies.compact.vocabulary import UNKNOWN, Vocabulary
from vla_ros.training import sentences

Batch = NDArray[np.void]

SPREAD = 0.7  # cells: width of the hill that a place is taught as
FORGOTTEN = 0.04  # share of words that are made unknown, as a stranger's are
PLACE_NOISE_M, START_NOISE_M = 0.004, 0.003
OTHERS = 2  # sentences about other things in a picture
STRANGE = 0.08  # share of them about a thing that is not there
CELL_M = 0.016  # what a cell measures on the table, about
WEIGHTS = {
    "place": 1.0,
    "about": 0.5,
    "sure": 0.05,
    "words": 1.0,
    "subtask": 1.0,
    "way": 4.0,
    "anchor": 0.5,
    "progress": 0.5,
}


def encoded(vocabulary: Vocabulary, texts: list[str], sizes: Sizes, rng: np.random.Generator) -> Tensor:
    """Return (B, words) indices, a few of them made unknown."""
    words = np.stack([vocabulary.encode(text, sizes.words) for text in texts])
    forget = (rng.random(words.shape) < FORGOTTEN) & (words > UNKNOWN)
    return torch.from_numpy(np.where(forget, UNKNOWN, words))


def sentence_loss(wording: Tensor, understood: Tensor, wishes: Tensor, makes_sense: Tensor) -> Tensor:
    """Return the loss of what is read out of sentences.

    Args:
        wording: (B, steps, logits as in WORDING). understood: (B,) logit. wishes: (B, steps, 6) indices.
        makes_sense: (B,) 0 or 1.
    """
    loss = functional.binary_cross_entropy_with_logits(understood, makes_sense)
    first = 0
    sense = makes_sense[:, None].expand(wishes.shape[:2]).flatten()
    for group, (_, words) in enumerate(WORDING):
        logits = wording[..., first : first + len(words)].flatten(0, 1)
        each = functional.cross_entropy(logits, wishes[..., group].flatten(), reduction="none")
        loss = loss + (each * sense).sum() / sense.sum().clamp(min=1) / len(WORDING)
        first += len(words)
    return loss


def column(batch: Batch, name: str) -> Tensor:
    """Return one field of a batch."""
    return torch.from_numpy(np.ascontiguousarray(batch[name]))


def place_target(cells: Tensor, side: int) -> Tensor:
    """Return (..., side^2 + 1) what the places' probabilities should be: a hill, or "nowhere".

    Args:
        cells: (..., 3) u, v and whether it is there.
    """
    along = torch.arange(side, dtype=cells.dtype, device=cells.device)
    columns = torch.exp(-0.5 * ((along - cells[..., 0:1]) / SPREAD) ** 2)
    rows = torch.exp(-0.5 * ((along - cells[..., 1:2]) / SPREAD) ** 2)
    hill = (rows[..., :, None] * columns[..., None, :]).flatten(-2)
    hill = hill / hill.sum(-1, keepdim=True).clamp(min=1e-9)
    there = cells[..., 2:]
    return torch.cat([hill * there, 1 - there], -1)


def still_losses(
    model: CompactModel, vocabulary: Vocabulary, batch: Batch, rng: np.random.Generator, device: torch.device
) -> tuple[dict[str, Tensor], Tensor]:
    """Return every part of the loss of a batch of stills (see `stills.layout`), and the latents (B, latents, latent)."""
    sizes = model.config.sizes
    rows = torch.arange(len(batch), device=device)
    step = column(batch, "step").long().to(device)
    words = encoded(vocabulary, batch["text"].tolist(), sizes, rng).to(device)
    steps, queries, wording, understood = model.language(words)
    wishes = column(batch, "wishes").long().to(device)
    losses = {"words": sentence_loss(wording, understood, wishes, torch.ones(len(batch), device=device))}
    images = {
        camera: torch.from_numpy(_dimmed(batch["images"][:, index], rng)).to(device)
        for index, camera in enumerate(sizes.cameras)
    }
    others = others_asked(batch, rng)
    theirs = encoded(vocabulary, [text for texts, _, _ in others for text in texts], sizes, rng).to(device)
    asking = model.language(theirs)[1][:, 0].reshape(len(batch), 2 * OTHERS, -1)
    found, known, coarse = model.look(images, torch.cat([queries[rows, step], asking], 1))
    scores, about = [each[:, :2] for each in found], [each[:, :2] for each in known]
    cells = torch.cat([column(batch, "cells"), torch.from_numpy(np.stack([cell for _, cell, _ in others], 0))], 2).to(
        device
    )
    objects = torch.cat([column(batch, "objects"), torch.from_numpy(np.stack([thing for _, _, thing in others]))], 1)
    objects = objects.to(device)
    asked = objects[..., 5].clone()
    asked[:, 0] = 1.0
    for part, value in place_losses(found, known, cells, objects, asked, sizes).items():
        losses[part] = value
    right = batch["subtask"] >= 0
    known_objects, state = situation_features(batch, scores, about, rng)
    latents, subtask, progress, way, anchors = model.fusion(
        steps[rows, step], known_objects.to(device), state.to(device), coarse
    )
    use = torch.from_numpy(right).to(device)
    label = column(batch, "subtask").long().to(device)[use]
    chosen = torch.arange(len(label), device=device)
    losses["subtask"] = functional.cross_entropy(subtask[use], label, label_smoothing=0.02)
    wanted = torch.from_numpy(along_pushes(batch)).to(device)[use]
    losses["way"] = functional.smooth_l1_loss(way[use][chosen, label], wanted, beta=0.05)
    wanted_anchors = column(batch, "anchors").long().to(device)[use]
    losses["anchor"] = functional.cross_entropy(anchors[use][chosen, label].flatten(0, 1), wanted_anchors.flatten())
    share = column(batch, "progress").to(device)[use]
    losses["progress"] = functional.mse_loss(torch.sigmoid(progress[use]), share)
    return losses, latents


def place_losses(
    scores: list[Tensor], about: list[Tensor], cells: Tensor, objects: Tensor, asked: Tensor, sizes: Sizes
) -> dict[str, Tensor]:
    """Return the losses of finding things, and of what is said about them.

    Args:
        scores, about: of `CompactModel.look`. cells: (B, cameras, Q, 3). objects: (B, Q, 6). asked: (B, Q) which count.
    """
    place, know, sure = (torch.zeros((), device=asked.device) for _ in range(3))
    for index in range(len(sizes.cameras)):
        target = place_target(cells[:, index], sizes.image // sight.CELL)
        each = -(target * functional.log_softmax(scores[index], -1)).sum(-1)
        place = place + (each * asked).sum() / asked.sum()
        there = asked * cells[:, index, :, 2]
        known = about[index]
        off = functional.smooth_l1_loss(known[..., 0], 10 * objects[..., 2], beta=0.1, reduction="none")
        off = off + functional.mse_loss(known[..., 1:3], objects[..., 3:5], reduction="none").mean(-1)
        know = know + (off * there).sum() / there.sum().clamp(min=1)
        best, _ = sight.place(scores[index].detach().float().cpu().numpy())
        missed = torch.from_numpy(best).to(asked.device).float() - cells[:, index, :, :2]
        logvar = known[..., 3].clamp(-6, 6)
        squared = (missed**2).mean(-1).clamp(max=200.0)
        doubt = squared * torch.exp(-logvar) + logvar
        sure = sure + (doubt * there).sum() / there.sum().clamp(min=1)
    return {"place": place, "about": know, "sure": sure}


def others_asked(
    batch: Batch, rng: np.random.Generator
) -> list[tuple[list[str], NDArray[np.float32], NDArray[np.float32]]]:
    """Return, for each still, sentences about other things in it, where those are, and what is known of them.

    A picture is dear and words are cheap: one look is asked for many things.

    Returns:
        per still: OTHERS texts, cells (cameras, 2 * OTHERS, 3), objects (2 * OTHERS, 6); the last number of an object
        says whether the answer counts, also where the answer is that there is no such thing.
    """
    result = []
    for still in batch:
        named = [row for row in still["named"] if row[1] > 0]
        shapes = [SHAPES[int(row[1])] for row in named]
        movable = [index for index, row in enumerate(named) if row[0] > 0]
        cells = np.zeros((still["cells"].shape[0], 2 * OTHERS, 3), np.float32)
        objects = np.zeros((2 * OTHERS, 6), np.float32)
        texts = []
        for number in range(OTHERS):
            if len(movable) < 1 or len(named) < 2:
                texts.append("")
                continue
            at_x = int(rng.choice(movable))
            at_y = int(rng.choice([index for index in range(len(named)) if index != at_x]))
            x, y = ((COLOURS[int(named[at][0])], shapes[at]) for at in (at_x, at_y))
            verb = (
                "place" if y[1] in ("bowl", "plate") and rng.random() < 0.7 else "push" if y[1] != "cube" else "stack"
            )
            absent = [colour for colour in COLOURS[1:] if colour not in {COLOURS[int(row[0])] for row in named}]
            strange = bool(absent) and rng.random() < STRANGE
            if strange:
                x = (str(rng.choice(absent)), x[1])
            texts.append(sentences.say(rng, [sentences.Wish(verb, "none", x, y)], [*shapes, x[1]]))
            for slot, at in ((2 * number, at_x), (2 * number + 1, at_y)):
                objects[slot] = *named[at][2:], 1.0
                cells[:, slot] = still["named_cells"][:, at]
            if strange:
                cells[:, 2 * number] = 0.0
        result.append((texts, cells, objects))
    return result


def along_pushes(batch: Batch) -> NDArray[np.float32]:
    """Return the waypoints (B, waypoints, WAYPOINT) of stills, those of pushes counted from the way of the push."""
    rows = np.array(batch["waypoints"])
    for index, still in enumerate(batch):
        side = SIDES[still["wishes"][still["step"], 1]]
        ahead = push_angle(side, still["start"], still["objects"][1])
        for number in range(rows.shape[1]):
            subtask = min(int(still["subtask"]) + number, len(SUBTASKS) - 1)
            if still["subtask"] < 0 or not PUSHES[subtask]:
                continue
            x, y, _, cosine, sine = rows[index, number, :5]
            c, s = np.cos(ahead), np.sin(ahead)
            turn = np.arctan2(sine, cosine) - FOLDS[subtask] * ahead
            rows[index, number, :2] = c * x + s * y, c * y - s * x
            rows[index, number, 3:5] = np.cos(turn), np.sin(turn)
    return rows


def situation_features(
    batch: Batch, scores: list[Tensor], about: list[Tensor], rng: np.random.Generator
) -> tuple[Tensor, Tensor]:
    """Return what the running policy would know: (B, 2, OBJECT) and (B, STATE).

    Half of the places are what the network itself sees now, half are the truth with noise, as a memory would have it.
    """
    count = len(batch)
    cells, seen = sight.place(scores[0].detach().float().cpu().numpy())
    known = about[0].detach().float().cpu().numpy().astype(np.float64)
    p, yaw4 = np.empty((count, 2, 3)), known[..., 1:3].copy()
    for row in range(count):
        camera = sight.Pinhole(batch["k"][row, 0].astype(np.float64), batch["T_base_camera"][row, 0].astype(np.float64))
        height = np.clip(known[row, :, 0] / 10, 0.0, 0.5)
        p[row] = camera.at_height(sight.to_pixels(cells[row]), height)
    truth = batch["objects"].astype(np.float64)
    there = truth[..., 5]
    own = (rng.random((count, 2)) < 0.5) & (np.abs(p - truth[..., :3]).max(-1) < 0.05)
    sigma = np.clip(CELL_M * np.exp(0.5 * np.clip(known[..., 3], -6, 6)), 0.001, 0.1)
    noise = PLACE_NOISE_M * rng.choice([0.3, 1.0, 1.5], (count, 2, 1))
    p = np.where(own[..., None], p, truth[..., :3] + rng.normal(size=p.shape) * noise)
    yaw4 = np.where(own[..., None], yaw4, truth[..., 3:5] + rng.normal(0, 0.1, yaw4.shape))
    p = p * there[..., None]
    p_tool = batch["p_tool"].astype(np.float64)
    start = batch["start"] + rng.normal(0, START_NOISE_M, (count, 3))
    others = np.stack([start, p[:, 0]], 1)
    features = object_features(p, yaw4 * there[..., None], seen * there, sigma, p_tool[:, None], others)
    features = features * there[..., None]
    q, speed, yaw = (batch[name].astype(np.float64) for name in ("q", "finger_speed", "yaw"))
    state = state_features(q[:, :7], q[:, 7], speed, p_tool, yaw)
    return torch.from_numpy(features).float(), torch.from_numpy(state).float()


def _dimmed(images: NDArray[np.uint8], rng: np.random.Generator) -> NDArray[np.uint8]:
    """Return pictures in other light, through another lens and with noise."""
    shape = (len(images), 1, 1, 1)
    gain, lift = rng.uniform(0.8, 1.2, shape), rng.uniform(-12, 12, shape)
    tint = rng.uniform(0.94, 1.06, (len(images), 1, 1, 3))
    noise = rng.normal(size=images.shape[:3])[..., None] * rng.uniform(0, 5, shape)
    return np.clip(images * (gain * tint).astype(np.float32) + (lift + noise).astype(np.float32), 0, 255).astype(
        np.uint8
    )
