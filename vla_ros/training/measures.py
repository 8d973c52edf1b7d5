"""Numbers that say what the network can do, on stills that it has not seen."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray

from vla_ros.policies.compact import sight
from vla_ros.policies.compact.configuration import Sizes
from vla_ros.policies.compact.model import CompactModel
from vla_ros.policies.compact.vocabulary import Vocabulary
from vla_ros.training.planning_loss import along_pushes, column, situation_features

BATCH = 48


@torch.no_grad()
def measure(
    model: CompactModel, vocabulary: Vocabulary, batch: NDArray[np.void], device: torch.device
) -> dict[str, float]:
    """Return, over stills:

    x_mm, x_p90_mm: error of the place of x on the table, median and 90th percentile. found: share of things nearer than
    2 cm. absent: share of what is not there that is said not to be. subtask: share right. way_mm: median error of the
    next waypoint, seen from above. yaw_deg: median error of a cube's yaw. words: share of sentences read right.
    """
    model.train(False)
    sizes: Sizes = model.config.sizes
    rng = np.random.default_rng(0)
    error, lost, right, way, yaw, read = [], [], [], [], [], []
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
        scores, about, coarse = model.look(images, queries[rows, at])
        objects, state = situation_features(some, scores, about, rng)
        _, subtask, _, ways, _ = model.fusion(steps[rows, at], objects.to(device), state.to(device), coarse)
        cells, seen = sight.place(scores[0].float().cpu().numpy())
        known = about[0].float().cpu().numpy()
        chosen, wanted = subtask.argmax(-1).cpu().numpy(), along_pushes(some)
        verbs = wording[rows, at, :5].argmax(-1).cpu().numpy()
        read.extend(verbs == some["wishes"][np.arange(len(some)), some["step"], 0])
        for row, still in enumerate(some):
            if still["subtask"] < 0:
                lost.append(seen[row, 0] < 0.5)
                continue
            right.append(chosen[row] == still["subtask"])
            off = ways[row, still["subtask"], 0, :2].cpu().numpy() - wanted[row, 0, :2]
            way.append(100 * float(np.hypot(*off)))
            if not still["cells"][0, 0, 2]:
                continue
            camera = sight.Pinhole(still["k"][0].astype(np.float64), still["T_base_camera"][0].astype(np.float64))
            p = camera.at_height(sight.to_pixels(cells[row, 0]), known[row, 0, 0] / 10)
            error.append(1000 * float(np.linalg.norm((p - still["objects"][0, :3])[:2])))
            if still["objects"][0, 3] < 0.999:
                turned = np.arctan2(known[row, 0, 2], known[row, 0, 1]) - np.arctan2(*still["objects"][0, [4, 3]])
                yaw.append(abs(np.degrees(np.remainder(turned + np.pi, 2 * np.pi) - np.pi)) / 4)
    return {
        "x_mm": float(np.median(error)),
        "x_p90_mm": float(np.percentile(error, 90)),
        "found": float(np.mean(np.array(error) < 20)),
        "absent": float(np.mean(lost)) if lost else float("nan"),
        "subtask": float(np.mean(right)),
        "way_mm": float(np.median(way)),
        "yaw_deg": float(np.median(yaw)) if yaw else float("nan"),
        "words": float(np.mean(read)),
    }
