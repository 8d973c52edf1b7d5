"""Trains LeRobot's ACT without a GPU and without pretrained weights: `lerobot-train` with two changes; see docs/lerobot.md.

    python examples/06_train_act.py --policy.type=act --dataset.repo_id=local/red --dataset.root=red --num_workers=0 …

The data set is kept in memory, with small pictures: to decode them takes a core. And the batch normalisation of the image
network learns, from all cameras together: LeRobot freezes it, for pretrained weights.
"""

import functools
from typing import Any

import numpy as np
import torch
from lerobot.datasets.lerobot_dataset import LeRobotDataset
from lerobot.policies.act import modeling_act
from lerobot.scripts.lerobot_train import main
from PIL import Image

SIDE, STATE = 64, "observation.state"  # pixels, as in --policy.input_features


@functools.cache
def rows_of(dataset: LeRobotDataset) -> tuple[list[dict[str, Any]], np.ndarray]:
    """Return all rows, and for each the last one of its episode."""
    rows = []
    for row in dataset._ensure_reader().hf_dataset.with_format(None):
        for key in dataset.meta.camera_keys:
            row[key] = np.array(row[key].resize((SIDE, SIDE), Image.Resampling.BOX)).transpose(2, 0, 1)
        rows.append(row | {key: np.array(row[key], np.float32) for key in (STATE, "action")})
    episodes = np.array([row["episode_index"] for row in rows])
    return rows, np.searchsorted(episodes, episodes, side="right") - 1


def item(dataset: LeRobotDataset, i: int) -> dict[str, Any]:
    """Return what `LeRobotDataset` returns, with smaller pictures."""
    rows, last = rows_of(dataset)
    ahead = i + np.array(dataset._ensure_reader().delta_indices["action"])
    found = {key: torch.from_numpy(rows[i][key]).float() / 255.0 for key in dataset.meta.camera_keys}
    found |= {STATE: torch.from_numpy(rows[i][STATE]), "action_is_pad": torch.from_numpy(ahead > last[i])}
    found["action"] = torch.from_numpy(np.stack([rows[k]["action"] for k in np.minimum(ahead, last[i])]))
    return found | {"task": dataset.meta.tasks.iloc[rows[i]["task_index"]].name}


def together(act: Any, batch: dict[str, Any]) -> Any:
    """ACT's forward pass, with the pictures of all cameras in one batch."""
    images = batch["observation.images"]
    maps = act.backbone(torch.cat(images))["feature_map"].chunk(len(images))
    given = iter(maps)
    act.backbone.forward = lambda image: {"feature_map": next(given)}
    outputs = forward(act, batch)
    del act.backbone.forward
    return outputs


if __name__ == "__main__":
    LeRobotDataset.__getitem__ = item
    modeling_act.FrozenBatchNorm2d = torch.nn.BatchNorm2d
    forward, modeling_act.ACT.forward = modeling_act.ACT.forward, together
    main()
