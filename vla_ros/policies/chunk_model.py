"""What a monolithic model is to its System 2: one call from an observation to a chunk of actions, in the model's units.

This file needs no more than numpy: it is also read by the Python of `process_child`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

from vla_ros.arrays import Array, Image
from vla_ros.policies.binding.checkpoint_contract import CheckpointContract


class ModelUnavailable(RuntimeError):
    """The model cannot answer now, and may later (a server that is gone): the arm holds, and it is asked again."""


@dataclass(frozen=True)
class Observation:
    """What a model that emits chunks is given.

    Attributes:
        images: image input → (H, W, 3) uint8 rgb, as the robot's cameras give them; the model resizes.
        state: (width,) in the checkpoint's order and units; None: the model sees none.
        instruction: words.
        stamp_ns: ROS time of the frames, ns.
        inference_delay_s: what this inference is expected to take: so much of the present chunk is played meanwhile.
    """

    images: Mapping[str, Image]
    state: Array | None
    instruction: str
    stamp_ns: int
    inference_delay_s: float


class ChunkModel(Protocol):
    """A model that turns an observation into a chunk.

    Attributes:
        checkpoint: hash of weights and configuration.
        contract: what it wants of a robot.
    """

    checkpoint: str
    contract: CheckpointContract

    def reset(self) -> None:
        """Forget what was observed: a new instruction begins."""
        ...

    def infer(self, observation: Observation) -> Array:
        """Return (T, action.width) un-normalised actions; row k is for the observation's stamp + k / rate.

        Raises:
            ModelUnavailable: it cannot answer now. Anything else: the instruction has failed.
        """
        ...
