"""The split families with tiny random checkpoints, and what the whole model computes: its library's own call."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

os.environ.setdefault("HF_HUB_OFFLINE", "1")

import numpy as np
import torch
from lerobot.configs import PreTrainedConfig
from lerobot.policies.factory import get_policy_class, make_pre_post_processors

from test.models import tiny, tiny_groot, tiny_pi0_transformers
from vla_ros.arrays import Array
from vla_ros.parameters import from_mapping
from vla_ros.perception.frames import CameraHealth, CameraView, Frames
from vla_ros.policies import registry
from vla_ros.policies.contract import Instruction, JointState, Plan
from vla_ros.resources import share
from vla_ros.sim.arm_description import HOME

CAMERAS = ("front", "wrist")
JOINTS = (*(f"joint{number}" for number in range(1, 8)), "finger_joint")
TEXT = "put the red cube in the bowl"
SEED = 3
Q = np.array([*(round(float(q), 9) for q in HOME[:7]), 0.02])  # whole nanoradians, as joint states are kept
STATE = JointState(1000, Q, np.zeros(8))


@dataclass(frozen=True)
class Case:
    """A family, and the type of its weights.

    Attributes:
        name: of the case. policy: in the registry. weights: "float32" or "bfloat16".
        save: (folder) → writes the checkpoint.
        options: (folder) → of the policy.
        reference: (case, folder, images, state, noise) → normalised actions (1, rows, width) of the whole model.
    """

    name: str
    policy: str
    weights: str
    save: Callable[[Path], Path]
    options: Callable[[Path], dict[str, Any]]
    reference: Callable[[Case, Path, dict[str, Any], Array, torch.Tensor], torch.Tensor]

    def sizes(self) -> contextlib.AbstractContextManager[None]:
        """Make LeRobot's classes small where only a constant says how large they are."""
        return tiny.sizes(self.policy if self.name != "pi0_transformers" else "")

    def all_options(self, folder: Path, **changes: Any) -> dict[str, Any]:
        """Return the options of the policy as a configuration gives them."""
        common = {"checkpoint": str(folder), "seed": SEED, "binding": {"rate_hz": 30.0}}
        return {**common, **self.options(folder), **changes}


def robot() -> registry.Robot:
    """Return the simulated arm."""
    urdf = (share() / "config" / "sim_arm.urdf").read_text()
    return registry.Robot(urdf, JOINTS, "tool", CAMERAS)


def frames(seed: int = 0) -> Frames:
    """Return frames of random images."""
    random = np.random.default_rng(seed)
    images = {name: random.integers(0, 256, (tiny.SIDE, tiny.SIDE, 3), dtype=np.uint8) for name in CAMERAS}
    return Frames(1000, {name: CameraView(image, CameraHealth.OK) for name, image in images.items()})


def images_of(seen: Frames) -> dict[str, Any]:
    """Return name → image."""
    return {name: view.image for name, view in seen.views.items()}


def system2(case: Case, folder: Path, **changes: Any) -> Any:
    """Make the vision-language half."""
    with case.sizes():
        return registry.system2(case.policy, robot(), case.all_options(folder, **changes))


def system1(case: Case, folder: Path, **changes: Any) -> Any:
    """Make the action half."""
    with case.sizes():
        return registry.system1(case.policy, robot(), case.all_options(folder, **changes))


def plan_of(half: Any, seen: Frames, state: JointState = STATE, plan_id: int = 1) -> Plan:
    """Return a plan as the planner sends it."""
    made: Plan = half.plan(seen, Instruction(1, TEXT), state)
    return replace(made, plan_id=plan_id, checkpoint=half.checkpoint)


def _lerobot(case: Case, folder: Path, images: dict[str, Any], state: Array, noise: torch.Tensor) -> torch.Tensor:
    """The call of LeRobot's policy, on parameters of memory of their own."""
    config = PreTrainedConfig.from_pretrained(folder)
    config.device = "cpu"
    if case.policy in ("pi0", "pi05"):
        config.dtype = case.weights
    with case.sizes():
        policy = get_policy_class(case.policy).from_pretrained(folder, config=config).eval()
    for parameter in policy.parameters():
        parameter.data = parameter.data.clone()
    if case.policy == "smolvla" and case.weights == "bfloat16":
        policy.model.vlm_with_expert.to(torch.bfloat16)
    with tiny.local_tokenizer(folder.with_name(f"{folder.name}.parts") / "tokenizer"):
        pre, _ = make_pre_post_processors(config, pretrained_path=str(folder))
    seen = {
        f"observation.images.{name}": torch.from_numpy(image).permute(2, 0, 1).float() / 255.0
        for name, image in images.items()
    }
    batch = pre({**seen, "observation.state": torch.from_numpy(state.astype(np.float32)), "task": TEXT})
    if case.policy == "groot":  # it draws its noise inside
        with _drawn(noise):
            return policy.predict_action_chunk(dict(batch))
    return policy.predict_action_chunk(dict(batch), noise=noise)


@contextlib.contextmanager
def _drawn(noise: torch.Tensor) -> Iterator[None]:
    with tiny.replaced(torch, "randn", lambda size, dtype=None, device=None: noise.to(dtype)):
        yield


def _transformers(case: Case, folder: Path, images: dict[str, Any], state: Array, noise: torch.Tensor) -> torch.Tensor:
    """The call of transformers' model."""
    from transformers import AutoProcessor, PI0ForConditionalGeneration

    dtype = getattr(torch, case.weights)
    model = PI0ForConditionalGeneration.from_pretrained(folder, dtype=dtype).eval()
    for parameter in model.parameters():
        parameter.data = parameter.data.clone()
    processor = AutoProcessor.from_pretrained(folder)
    given = processor(images=[[images[name] for name in CAMERAS]], text=[TEXT], return_tensors="pt")
    given["pixel_values"] = given["pixel_values"].to(dtype)
    known = tiny_pi0_transformers.statistics()
    mean, std = torch.tensor(known["state_mean"]), torch.tensor(known["state_std"])
    normalized = (torch.from_numpy(state.astype(np.float32)) - mean) / (std + 1e-8)
    padded = torch.nn.functional.pad(normalized, (0, 32 - len(state)))[None].to(dtype)
    names = ("input_ids", "attention_mask", "pixel_values", "pixel_attention_mask")
    return model.sample_actions(state=padded, noise=noise.to(dtype), **{name: given[name] for name in names})


def _tokenizer(folder: Path) -> dict[str, Any]:
    return {"tokenizer": str(folder.with_name(f"{folder.name}.parts") / "tokenizer")}


def _cases() -> Iterator[Case]:
    for weights in ("float32", "bfloat16"):
        yield Case(
            "smolvla",
            "smolvla",
            weights,
            # Padded words and a camera that is not there: tokens that do not travel.
            lambda folder: tiny.save("smolvla", folder, pad_language_to="max_length", empty_cameras=1),
            lambda folder, weights=weights: {"weights": weights},
            _lerobot,
        )
        for policy in ("pi0", "pi05"):
            yield Case(
                policy,
                policy,
                weights,
                lambda folder, policy=policy: tiny.save(policy, folder),
                lambda folder, weights=weights: {"weights": weights, **_tokenizer(folder)},
                _lerobot,
            )
        yield Case(
            "pi0_transformers",
            "pi0",
            weights,
            lambda folder, weights=weights: tiny_pi0_transformers.save(folder, dtype=getattr(torch, weights)),
            lambda folder: {"cameras": list(CAMERAS)},
            _transformers,
        )
        yield Case(
            "groot",
            "groot",
            weights,
            lambda folder, weights=weights: tiny_groot.save(
                folder, dtype=weights, model_params_fp32=weights == "float32"
            ),
            lambda folder: {"backbone": str(folder.with_name(f"{folder.name}.parts") / "backbone")},
            _lerobot,
        )


CASES = {f"{case.name}-{case.weights}": case for case in _cases()}


def parameters_of(case: Case, folder: Path, **changes: Any) -> Any:
    """Return the checked options."""
    return from_mapping(registry.policy(case.policy).parameters, case.all_options(folder, **changes))
