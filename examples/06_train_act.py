"""Trains LeRobot's ACT without a GPU and without pretrained weights: `lerobot-train` with two changes; see docs/lerobot.md.

    python examples/06_train_act.py --policy.type=act --dataset.repo_id=local/red --dataset.root=red --num_workers=0 …

The data set is kept in memory, its pictures as small as the policy wants them: to read and decode them takes a core of its
own. And the batch normalisation of the image network learns. LeRobot freezes it, as pretrained weights want it; without such
weights that leaves none. All cameras go through it together, so that it learns from all.
"""

import functools
from typing import Any

import cv2
import datasets
import numpy as np
import torch
from lerobot.datasets.lerobot_dataset import LeRobotDataset
from lerobot.policies.act import modeling_act
from lerobot.scripts.lerobot_train import main

STATE = "observation.state"


SIDE = 64
"""Of a picture, pixels."""


@functools.cache
def rows_of(dataset: LeRobotDataset) -> tuple[list[dict[str, Any]], np.ndarray]:
    """Return all rows, and for each the last one of its episode."""
    cameras, rows = dataset.meta.camera_keys, []
    table = dataset._ensure_reader().hf_dataset.with_format(None)
    table = table.select_columns([*cameras, STATE, "action", "task_index", "episode_index"])
    for key in cameras:
        table = table.cast_column(key, datasets.Image(decode=False))
    for row in table:
        for key in cameras:
            picture = cv2.imdecode(np.frombuffer(row[key]["bytes"], np.uint8), cv2.IMREAD_COLOR_RGB)
            row[key] = cv2.resize(picture, (SIDE, SIDE), interpolation=cv2.INTER_AREA).transpose(2, 0, 1)
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
    given = iter([{"feature_map": each} for each in maps])
    act.backbone.forward = lambda image: next(given)
    try:
        return forward(act, batch)
    finally:
        del act.backbone.forward


if __name__ == "__main__":
    LeRobotDataset.__getitem__ = item
    modeling_act.FrozenBatchNorm2d = torch.nn.BatchNorm2d
    forward, modeling_act.ACT.forward = modeling_act.ACT.forward, together
    main()
