"""From noise to actions by Euler steps, with the noise as an argument, and with the previous chunk as a guide."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from vla_ros.policies.split.real_time_chunking import guidance_gain, prefix_weights

Velocity = Callable[[Tensor, float, int], Tensor]
"""(x (1, rows, width), flow time of the model, leading rows that are clean: at the end of the flow already) →
dx / d(flow time), same shape."""


@dataclass(frozen=True)
class FlowTime:
    """Which way a model integrates: its noise is at `noise`, its actions are at `actions`.

    Source: pi0 and SmolVLA: LeRobot `common/flow_matching.py`; GR00T: LeRobot `groot_n1_7.py`, `get_action_with_features`.
    """

    noise: float
    actions: float

    def progress(self, time: float) -> float:
        """Return 0 at the noise and 1 at the actions."""
        return (time - self.noise) / (self.actions - self.noise)


DOWN = FlowTime(1.0, 0.0)
"""SmolVLA, pi0, pi0.5."""
UP = FlowTime(0.0, 1.0)
"""GR00T."""


@dataclass(frozen=True)
class Prefix:
    """The previous chunk, as the model's own normalised actions.

    Attributes:
        actions: (rows, width) of the previous chunk, row 0 due with row 0 of the new one; rows <= those of a chunk.
        length: rows that are committed.
        overlap: rows after which the new chunk is free.
        schedule, max_gain: see `real_time_chunking`.
        trained: the checkpoint was trained with prefixes: they are set, and nothing is guided.
    """

    actions: Tensor
    length: int
    overlap: int
    schedule: str = "exponential"
    max_gain: float = 5.0
    trained: bool = False


def integrate(velocity: Velocity, noise: Tensor, steps: int, flow: FlowTime, prefix: Prefix | None = None) -> Tensor:
    """Return the actions (1, rows, width) after `steps` Euler steps from `noise`.

    Args:
        velocity: of the model.
        noise: (1, rows, width), not changed.
        steps: number of steps.
        flow: direction.
        prefix: None: the chunk begins freely.
    """
    dt = (flow.actions - flow.noise) / steps
    x = noise
    if prefix is not None and prefix.trained:
        return _clamped(velocity, x, steps, flow, prefix)
    guide = None if prefix is None else _Guide(prefix, noise, flow)
    for step in range(steps):
        time = flow.noise + step * dt
        x = x + dt * (velocity(x, time, 0) if guide is None else guide.velocity(velocity, x, time))
    return x


def _clamped(velocity: Velocity, x: Tensor, steps: int, flow: FlowTime, prefix: Prefix) -> Tensor:
    """Integrate with the committed rows at their values in every step.

    Source: arXiv 2512.05964, "training-time action conditioning", inference.
    """
    committed = prefix.actions[: min(prefix.length, x.shape[1])].to(x)
    dt = (flow.actions - flow.noise) / steps
    x = x.clone()
    for step in range(steps):
        x[:, : len(committed)] = committed
        x = x + dt * velocity(x, flow.noise + step * dt, len(committed))
    x[:, : len(committed)] = committed
    return x


class _Guide:
    """Adds to a velocity the correction that makes the chunk agree with its prefix.

    Source: arXiv 2506.07339, algorithm 1 ("GuidedInference") and equations 2 and 3: with flow time tau from noise to actions
    and the estimate of the actions A1 = A + (1 - tau) v, v <- v + gain(tau) * J^T diag(W) (Y - A1), where J = dA1/dA.
    """

    def __init__(self, prefix: Prefix, noise: Tensor, flow: FlowTime) -> None:
        self._prefix, self._flow = prefix, flow
        rows = noise.shape[1]
        given = prefix.actions[:rows].to(noise)
        self._target = torch.zeros_like(noise)
        self._target[:, : len(given), : given.shape[1]] = given
        weights = prefix_weights(prefix.length, min(prefix.overlap, len(given)), rows, prefix.schedule)
        self._weights = torch.as_tensor(weights, dtype=noise.dtype, device=noise.device)[None, :, None]

    def velocity(self, velocity: Velocity, x: Tensor, time: float) -> Tensor:
        """Return the guided velocity at `x`."""
        tau, sign = self._flow.progress(time), self._flow.actions - self._flow.noise
        with torch.enable_grad():
            start = x.detach().requires_grad_(True)
            v = velocity(start, time, 0)
            estimate = start + (1.0 - tau) * sign * v
            error = ((self._target - estimate) * self._weights).detach()
            (correction,) = torch.autograd.grad(estimate, start, error)
        return (v + sign * guidance_gain(tau, self._prefix.max_gain) * correction).detach()
