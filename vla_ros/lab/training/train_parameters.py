"""Parameters of `vla-ros train`; config/train.yaml is the run that docs/training.md documents."""

from __future__ import annotations

from dataclasses import dataclass

from vla_ros.parameters import parameter
from vla_ros.tasks.seeds import TRAINING

PHASES = ("language", "system1", "system2", "joint")
"""In this order: images are queried with what words mean by then, and System 1 can move before it is given latents."""


@dataclass(frozen=True)
class SceneImagesParameters:
    """Scene images: images of random situations, drawn once and kept in the output folder."""

    scenes: int = parameter(500, description="scenes: light, surfaces, camera poses, shapes", minimum=1)
    per_scene: int = parameter(48, description="images of each", minimum=1)
    seed: int = parameter(TRAINING, description="seed of the first scene", minimum=TRAINING)
    held_back: int = parameter(12, description="further scenes, on which losses are measured", minimum=1)
    file: str = parameter("", description="a file of images made before; empty: draw them")


@dataclass(frozen=True)
class PhaseParameters:
    """One phase of training. It ends after `steps`, or `minutes` of wall clock, whichever comes first.

    Both count over all resumes: given more of them, `--resume` continues a phase that had ended.
    """

    steps: int = parameter(1000, description="steps of the optimiser", minimum=0)
    minutes: float = parameter(60.0, description="wall clock", unit="min", above=0.0)
    batch: int = parameter(48, description="examples per step", minimum=1)
    learning_rate: float = parameter(1e-3, description="maximum of a cosine schedule with 3 % warm-up", above=0.0)


@dataclass(frozen=True)
class TrainParameters:
    """The whole run."""

    stills: SceneImagesParameters
    language: PhaseParameters
    system2: PhaseParameters
    system1: PhaseParameters
    joint: PhaseParameters
    network: str = parameter("", description="a config.json whose sizes are taken; empty: the standard ones")
    motions: int = parameter(40_000, description="examples of motion for System 1", minimum=64)
    ema: float = parameter(0.998, description="decay of the averaged weights", minimum=0.0, maximum=1.0)
    weight_decay: float = parameter(0.01, description="of AdamW", minimum=0.0)
    seed: int = parameter(0, description="of weights, batches and noise", minimum=0)
    threads: int = parameter(0, description="of torch on the CPU; 0: one for each core", minimum=0)
    device: str = parameter("auto", description="where tensors live", choices=("auto", "cpu", "cuda"))
    save_minutes: float = parameter(3.0, description="between two checkpoints", unit="min", above=0.0)
    closed_loop_episodes: int = parameter(
        0, description="episodes of each closed-loop round of the joint phase; 0: no rounds", minimum=0
    )
    closed_loop_minutes: float = parameter(10.0, description="between two of these rounds", unit="min", above=0.0)
    patience: int = parameter(2, description="rounds without a better one after which training ends", minimum=1)
