"""What System 2 is told of its mistakes on stills and sentences."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import replace
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

from vla_ros.lab.training import refiner_loss, sentences
from vla_ros.lab.training.refiner_loss import TOOL, dimmed
from vla_ros.lab.training.sentences import Wish
from vla_ros.policies.compact import projection
from vla_ros.policies.compact.features import object_features, push_angle, state_features
from vla_ros.policies.compact.language import Language
from vla_ros.policies.compact.model import CompactModel
from vla_ros.policies.compact.model_config import COLOURS, FOLDS, PUSHES, SHAPES, SIDES, SUBTASKS, WORDING, Sizes
from vla_ros.policies.compact.vocabulary import UNKNOWN, Vocabulary

Batch = NDArray[np.void]

NEVER = -1e4  # score of a place that does not count
SPREAD = 0.7  # cells: width of the hill that a place is taught as
FORGOTTEN = 0.01  # share of words that are made unknown, as a stranger's are
HIDDEN, NAMES_HIDDEN = (
    0.02,
    0.6,
)  # share of words that the transformer does not see, and of those that tell things apart
PLACE_NOISE_M, START_NOISE_M = 0.004, 0.003
OTHERS = 2  # sentences about other things in a picture
VERBS_TO = {"cube": ("stack",) * 3, **dict.fromkeys(("bowl", "plate"), ("place", "place", "push"))}  # a third each
STRANGE = 0.3  # share of them about a thing that is not there, though its colour or its shape may be
BARE = 0.4  # share of what they are about that goes without its colour where that is clear: looks are led by the colour
BESIDE = 3.0  # cells from a thing at which a look has gone for it
LOOKED_AT = 0.7  # share of the stills in which something is taken for another thing whose second look goes there
NOISE = 5.0  # largest standard deviation of pixels
WEIGHTS = {
    "place": 1.0,
    "height": 0.5,
    "exact": 1.0,
    "exactly": 0.05,
    "meant": 0.5,
    "subtask": 1.0,
    "way": 4.0,
    "anchor": 0.5,
    "progress": 0.5,
}


def read(
    language: Language, vocabulary: Vocabulary, texts: Sequence[str], rng: np.random.Generator
) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Return what the language makes of texts (see `Language.forward`), some of whose words it does not know.

    Most names are hidden from the transformer: where the words are that tell a colour must not depend on the colour.
    """
    words = np.stack([vocabulary.encode(text, len(language.position)) for text in texts])
    words = np.where((rng.random(words.shape) < FORGOTTEN) & (words > UNKNOWN), UNKNOWN, words)
    names = np.unique([vocabulary.encode(name, 1)[0] for name in sentences.names()])
    hidden = rng.random(words.shape) < np.where(np.isin(words, names), NAMES_HIDDEN, HIDDEN)
    seen = np.where(hidden & (words > UNKNOWN), UNKNOWN, words)
    device = language.position.device
    result: tuple[Tensor, Tensor, Tensor, Tensor] = language(
        torch.from_numpy(words).to(device), torch.from_numpy(seen).to(device)
    )
    return result


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
    steps, queries, _, _ = read(model.language, vocabulary, batch["text"].tolist(), rng)
    images = {
        camera: torch.from_numpy(dimmed(batch["images"][:, index], rng, NOISE)).to(device)
        for index, camera in enumerate(sizes.cameras)
    }
    others = others_asked(batch, rng)
    theirs = read(model.language, vocabulary, [text for other in others for text in other.texts], rng)
    asking = theirs[1][:, 0].reshape(len(batch), 2 * OTHERS, -1)
    queried = torch.cat([queries[rows, step], asking], 1)
    found, heights, coarse = model.look(images, queried)
    cells = np.concatenate(
        [batch["cells"], np.stack([other.cells for other in others]), batch["tool_cell"][:, :, None]], 2
    )
    objects = np.concatenate(
        [batch["objects"], np.stack([other.objects for other in others]), tools(batch)[:, None]], 1
    )
    asked = torch.from_numpy(objects[..., 5].copy()).to(device)
    asked[:, 0] = 1.0
    place = torch.from_numpy(cells).to(device), torch.from_numpy(objects).to(device)
    ignored = around(
        np.stack([other.misleading for other in others]), batch["named_cells"], sizes.image // projection.CELL
    )
    losses = place_losses(found, heights, *place, asked, torch.from_numpy(ignored).to(device), sizes)
    # Looked at again: x, y, the tool and one of the others, rather one that is not what it is taken for.
    first_look, _ = projection.place(found[0][:, 2 : 2 + 2 * OTHERS].detach().float().cpu().numpy())
    others = [mistaken(*each) for each in zip(others, batch["named_cells"][:, 0], first_look, strict=True)]
    other = np.array([_chosen(each.wrong, rng) for each in others])
    slots = np.stack(
        [0 * other, 0 * other + 1, 0 * other + TOOL, [others[i].patches[at] for i, at in enumerate(other)]], 1
    )
    strange = np.zeros(slots.shape, np.float32)
    strange[:, -1] = [others[i].wrong[at] for i, at in enumerate(other)]
    which = np.stack([0 * other, 0 * other + 1, 0 * other + 2 + 2 * OTHERS, 2 + other], 1)
    wanted_queries = model.with_tool(queried)[rows[:, None], torch.from_numpy(which).to(device)]
    at = np.arange(len(batch))[:, None]
    seen = []
    for index in range(len(sizes.cameras)):
        patches, spots, middles = refiner_loss.cut(batch, index, slots, sizes, rng)
        patches = dimmed(patches.reshape(-1, *patches.shape[2:]), rng, refiner_loss.NOISE).reshape(patches.shape)
        height = heights[index].detach()[rows[:, None], torch.from_numpy(which).to(device)]
        spotted = torch.cat([torch.from_numpy(spots).to(device), height[..., None]], -1)
        again = model.fixate(torch.from_numpy(patches).to(device), wanted_queries, spotted)
        there = cells[at, index, which]
        counts = torch.from_numpy(there[..., 2] * objects[at, which, 5] * (1 - strange)).to(device)
        parts = refiner_loss.losses(
            again,
            torch.from_numpy(middles).to(device),
            torch.from_numpy(there).to(device),
            torch.from_numpy(objects[at, which, :5]).to(device),
            counts,
            torch.from_numpy(strange).to(device),
        )
        for part, value in parts.items():
            losses[part] = losses[part] + value if part in losses else value
        seen.append((again.detach().float().cpu().numpy()[:, :2].astype(np.float64), middles[:, :2]))
    right = batch["subtask"] >= 0
    _, probable = projection.place(found[0][:, :2].detach().float().cpu().numpy())
    known_objects, state = situation_features(batch, projection.there(probable, seen[0][0]), *seen[0], rng)
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


def around(misleading: NDArray[np.bool_], cells: NDArray[np.floating], side: int) -> NDArray[np.bool_]:
    """Return (B, cameras, 2 * OTHERS, places + 1) which places are those of misleading things.

    Args:
        misleading: (B, 2 * OTHERS, MOST_NAMED). cells: (B, cameras, MOST_NAMED, 3). side: of the grid of places.
    """
    rows, columns = np.divmod(np.arange(side * side), side)
    off = np.maximum(np.abs(columns - cells[..., 0:1]), np.abs(rows - cells[..., 1:2]))
    near = ((off <= BESIDE) & (cells[..., 2:] > 0)).astype(np.float32)
    those = misleading[:, None].astype(np.float32) @ near > 0
    return np.concatenate([those, np.zeros_like(those[..., :1])], -1)


def place_losses(
    scores: list[Tensor],
    heights: list[Tensor],
    cells: Tensor,
    objects: Tensor,
    asked: Tensor,
    ignored: Tensor,
    sizes: Sizes,
) -> dict[str, Tensor]:
    """Return the losses of finding things, and of the height that is said of them.

    Args:
        scores, heights: of `CompactModel.look`. cells: (B, cameras, Q, 3). objects: (B, Q, 6). asked: (B, Q) which count.
            ignored: (B, cameras, 2 * OTHERS, places + 1) where nothing is taught of the others.
    """
    place, high = torch.zeros((), device=asked.device), torch.zeros((), device=asked.device)
    for index in range(len(sizes.cameras)):
        target = place_target(cells[:, index], sizes.image // projection.CELL)
        hide = torch.zeros(target.shape, dtype=torch.bool, device=target.device)
        hide[:, 2 : 2 + 2 * OTHERS] = ignored[:, index]
        known = functional.log_softmax(scores[index].masked_fill(hide, NEVER), -1)
        each = -(target.masked_fill(hide, 0.0) * known).sum(-1)
        place = place + (each * asked).sum() / asked.sum()
        there = asked * cells[:, index, :, 2]
        off = functional.smooth_l1_loss(heights[index], 10 * objects[..., 2], beta=0.1, reduction="none")
        high = high + (off * there).sum() / there.sum().clamp(min=1)
    return {"place": place, "height": high}


def tools(batch: Batch) -> NDArray[np.float32]:
    """Return (B, 6) of the tool as of any other object: place, yaw, and that it is there."""
    turn = 4 * batch["yaw"]
    columns = [*batch["p_tool"].T, np.cos(turn), np.sin(turn), np.ones_like(turn)]
    return np.stack(columns, 1).astype(np.float32)


class Others(NamedTuple):
    """What else one picture is asked for: x and y of each sentence in turn.

    texts: OTHERS sentences. cells: (cameras, 2 * OTHERS, 3). objects: (2 * OTHERS, 6), the last number says whether the
    answer counts, also where it is that there is no such thing. patches: where to look again. wrong: which of them show
    another thing than what is asked for. misleading: (2 * OTHERS, MOST_NAMED) see `sentences.misleading`.
    """

    texts: list[str]
    cells: NDArray[np.float32]
    objects: NDArray[np.float32]
    patches: list[int]
    wrong: list[bool]
    misleading: NDArray[np.bool_]


def others_asked(batch: Batch, rng: np.random.Generator) -> list[Others]:
    """Return, for each still, sentences about other things in it, where those are, and what is known of them.

    A picture is dear and words are cheap: one look is asked for many things.
    """
    result = []
    for still in batch:
        named = [row for row in still["named"] if row[1] > 0]
        there = [(COLOURS[int(row[0])], SHAPES[int(row[1])]) for row in named]
        askable = _askable(there)
        cells = np.zeros((still["cells"].shape[0], 2 * OTHERS, 3), np.float32)
        objects = np.zeros((2 * OTHERS, 6), np.float32)
        texts, patches, wrong = [], [0] * (2 * OTHERS), [False] * (2 * OTHERS)
        misleading = np.zeros((2 * OTHERS, len(still["named"])), bool)
        for number in range(OTHERS):
            if not askable:
                texts.append("")
                continue
            at_x, at_y, wish = askable[rng.integers(len(askable))]
            strange, missing = rng.random() < STRANGE, 0  # x
            if strange:
                wish, missing = _strange(wish, there, rng)
            shapes = [shape for _, shape in (*there, wish.x, *[wish.y] * missing)]
            texts.append(sentences.say(rng, [wish], shapes, not strange, BARE))
            for slot, at, thing in ((2 * number, at_x, wish.x), (2 * number + 1, at_y, wish.y)):
                misleading[slot, : len(there)] = sentences.misleading(thing, texts[-1], there)
                objects[slot] = *named[at][2:], 1.0
                cells[:, slot] = still["named_cells"][:, at]
                patches[slot] = TOOL + 1 + at
            if strange:
                slot = 2 * number + missing
                cells[:, slot], wrong[slot] = 0.0, True
                patches[slot] = TOOL + 1 + _taken_for((wish.x, wish.y)[missing], there, rng)
        result.append(Others(texts, cells, objects, patches, wrong, misleading))
    return result


def mistaken(others: Others, cells: NDArray[np.floating], first_look: NDArray[np.floating]) -> Others:
    """Return the same, but where the first look goes for another thing, that is what is looked at again.

    Args:
        cells: (MOST_NAMED, 3) of what is named. first_look: (2 * OTHERS, 2) places that it finds best.
    """
    away = np.abs(cells[None, :, :2] - first_look[:, None]).max(-1)
    away[:, cells[:, 2] == 0] = np.inf
    away[others.misleading] = np.inf
    patches, wrong = list(others.patches), list(others.wrong)
    for slot in np.flatnonzero(others.objects[:, 5]):
        nearest, own = int(away[slot].argmin()), patches[slot] - TOOL - 1
        if away[slot, nearest] < BESIDE and (wrong[slot] or away[slot, own] > BESIDE):
            patches[slot], wrong[slot] = TOOL + 1 + nearest, True
    return others._replace(patches=patches, wrong=wrong)


def _askable(there: Sequence[tuple[str, str]]) -> list[tuple[int, int, Wish]]:
    """Return all that training may ask of the things `there`: which are x and y, and the wish."""
    return [
        (at_x, at_y, wish)
        for (at_x, x), (at_y, y) in itertools.permutations(enumerate(there), 2)
        for verb in VERBS_TO.get(y[1], ("push",) * 3)
        if x[0] != "none" and sentences.taught(wish := Wish(verb, "none", x, y))
    ]


def _strange(wish: Wish, there: Sequence[tuple[str, str]], rng: np.random.Generator) -> tuple[Wish, int]:
    """Return the wish about a thing that is not among those `there`, and whether that is x, 0, or y, 1."""
    cubes = sentences.absent(there, ("cube",)) if wish.verb == "stack" else []
    of_x = [each for thing in sentences.absent(there) if sentences.taught(each := replace(wish, x=thing))]
    of_y = [each for thing in cubes if sentences.taught(each := replace(wish, y=thing))]
    missing = int(bool(of_y) and rng.random() < 0.5)
    wishes = (of_x, of_y)[missing]
    return wishes[rng.integers(len(wishes))], missing


def _taken_for(thing: tuple[str, str], there: Sequence[tuple[str, str]], rng: np.random.Generator) -> int:
    """Return which of the things `there` a thing that is not may be taken for: one of its colour, else of its shape."""
    alike = [[index for index, other in enumerate(there) if thing[part] == other[part]] for part in (0, 1)]
    fair = [index for index, other in enumerate(there) if sentences.permitted((other[0], thing[1]))]
    return int(rng.choice(alike[0] or alike[1] or fair or range(len(there))))


def _chosen(wrong: Sequence[bool], rng: np.random.Generator) -> int:
    """Return the one of the others that is looked at again."""
    which = np.flatnonzero(wrong) if any(wrong) and rng.random() < LOOKED_AT else np.arange(len(wrong))
    return int(rng.choice(which))


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
    batch: Batch,
    seen: NDArray[np.float64],
    known: NDArray[np.float64],
    middles: NDArray[np.floating],
    rng: np.random.Generator,
) -> tuple[Tensor, Tensor]:
    """Return what the running policy would know: (B, 2, OBJECT) and (B, STATE).

    Half of the places are what the network itself sees now, half are the truth with noise, as a memory would have it.

    Args:
        seen: (B, 2) probability that x and y are there. known: (B, 2, SEEN) of the second look in the first camera.
        middles: (B, 2, 2) of its cut-outs.
    """
    count = len(batch)
    p, yaw4 = np.empty((count, 2, 3)), known[..., 3:5].copy()
    for row in range(count):
        p[row] = located(batch[row], known[row], middles[row])
    truth = batch["objects"].astype(np.float64)
    there = truth[..., 5]
    own = (rng.random((count, 2)) < 0.5) & (np.abs(p - truth[..., :3]).max(-1) < 0.05)
    sigma = projection.doubt_m(known[..., 5])
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


def located(still: np.void, known: NDArray[np.float64], middles: NDArray[np.floating]) -> NDArray[np.float64]:
    """Return (n, 3) the points that second looks (n, SEEN) at cut-outs around `middles` (n, 2) found in a still."""
    camera = projection.Pinhole(still["k"][0].astype(np.float64), still["T_base_camera"][0].astype(np.float64))
    return camera.at_height(
        projection.blunter(middles + known[:, :2] * projection.REACH_PX), projection.height_m(known[:, 2])
    )
