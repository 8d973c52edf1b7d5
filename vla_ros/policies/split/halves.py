"""What a family gives for each half; `system2` and `system1` do the rest."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray
from torch import Tensor, nn

from vla_ros.arrays import Array, Image
from vla_ros.policies.binding.checkpoint_contract import CheckpointContract
from vla_ros.policies.contract import Plan
from vla_ros.policies.latents import NewArray
from vla_ros.policies.split.flow_integration import FlowTime, Velocity


@dataclass(frozen=True)
class Latents:
    """What System 2 sends. kind, data, token_mask: as in `contract.Plan`."""

    kind: str
    data: NDArray[np.generic]
    token_mask: NDArray[np.uint8]


class VisionLanguageHalf(Protocol):
    """The half that sees and reads.

    Attributes:
        checkpoint: hash of the weights and of all that the halves must share.
        contract: what it wants of a robot. model: its parameters, those of the other half without memory.
        sees_state: whether the state is part of the plan.
        new_array: makes the array of the latents.
    """

    checkpoint: str
    contract: CheckpointContract
    model: nn.Module
    sees_state: bool
    new_array: NewArray

    def latents(self, images: Mapping[str, Image], state: Array | None, instruction: str) -> Latents:
        """Return the latents of an observation. images: input → (H, W, 3); state: (width,) in the checkpoint's units."""
        ...


class ExpertHalf(Protocol):
    """The half that acts.

    Attributes:
        checkpoint, contract, model: as above.
        flow: which way it integrates. steps: Euler steps, as the checkpoint says.
        noise_shape: (1, rows, width) of its noise. noise_dtype: of the noise, as the whole model draws it.
        rows: of a chunk that are used.
    """

    checkpoint: str
    contract: CheckpointContract
    model: nn.Module
    flow: FlowTime
    steps: int
    noise_shape: tuple[int, int, int]
    noise_dtype: Any
    rows: int

    def context(self, plan: Plan) -> Any:
        """Return what the expert attends to; made once per plan. Raises PlanMismatch."""
        ...

    def velocity(self, context: Any, state: Array | None) -> Velocity:
        """Return the flow for a context and the newest state (width,), in the checkpoint's units."""
        ...

    def normalized(self, actions: Array) -> Tensor:
        """Return (T, width) as the flow knows them of (T, action.width) in the checkpoint's units."""
        ...

    def actions(self, flowed: Tensor) -> Array:
        """Return (rows, action.width) in the checkpoint's units of the flow's end (1, rows, width)."""
        ...
