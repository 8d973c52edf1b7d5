"""Integration and guidance: against the formulas, and against LeRobot's own real-time chunking."""

from __future__ import annotations

import numpy as np
import pytest

pytest.importorskip("torch")

import torch
from torch import Tensor

from vla_ros.policies.split.flow_integration import DOWN, UP, Prefix, integrate
from vla_ros.policies.split.real_time_chunking import SCHEDULES, guidance_gain, prefix_weights

ROWS, WIDTH = 12, 4
GENERATOR = torch.Generator().manual_seed(5)
NOISE = torch.randn(1, ROWS, WIDTH, generator=GENERATOR)
PREVIOUS = torch.randn(ROWS - 3, WIDTH, generator=GENERATOR)
MATRIX = 0.3 * torch.randn(ROWS * WIDTH, ROWS * WIDTH, generator=GENERATOR, dtype=torch.float64)


def linear(x: Tensor, time: float, clean_rows: int) -> Tensor:
    """A velocity whose Jacobian is known."""
    return (MATRIX.to(x) @ x.flatten()).view_as(x)


def test_the_noise_is_an_argument_and_is_kept() -> None:
    before = NOISE.clone()
    ones = integrate(lambda x, time, clean: torch.ones_like(x), NOISE, 10, DOWN)
    assert torch.allclose(ones, NOISE - 1.0, atol=1e-6)
    assert torch.allclose(integrate(lambda x, time, clean: torch.ones_like(x), NOISE, 4, UP), NOISE + 1.0, atol=1e-6)
    assert torch.equal(NOISE, before)


def test_flow_times_are_those_of_the_models() -> None:
    times: list[float] = []

    def seen(x: Tensor, time: float, clean_rows: int) -> Tensor:
        times.append(time)
        return torch.zeros_like(x)

    integrate(seen, NOISE, 4, DOWN)
    assert times == [1.0, 0.75, 0.5, 0.25]
    times.clear()
    integrate(seen, NOISE, 4, UP)
    assert times == [0.0, 0.25, 0.5, 0.75]


@pytest.mark.parametrize("flow", [DOWN, UP])
@pytest.mark.parametrize("schedule", SCHEDULES)
def test_the_guidance_is_the_vector_jacobian_product_of_the_paper(flow: object, schedule: str) -> None:
    """One step by hand: v + gain (dA1/dA)^T W (Y - A1), A1 = A + (1 - tau) v, in the direction of the model."""
    assert flow in (DOWN, UP)
    noise = NOISE.double()
    prefix = Prefix(PREVIOUS.double(), 3, 8, schedule, 5.0)
    steps, sign = 5, -1.0 if flow is DOWN else 1.0
    x = noise.clone()
    weights = torch.as_tensor(prefix_weights(3, 8, ROWS, schedule))[None, :, None]
    target = torch.zeros_like(noise)
    target[0, : len(PREVIOUS)] = PREVIOUS.double()
    for step in range(steps):
        tau = step / steps
        v = sign * linear(x, 0.0, 0)  # towards the actions
        estimate = x + (1 - tau) * v
        error = (weights * (target - estimate)).flatten()
        jacobian = torch.eye(ROWS * WIDTH, dtype=torch.float64) + (1 - tau) * sign * MATRIX
        correction = (jacobian.T @ error).view_as(x)
        x = x + (v + guidance_gain(tau, 5.0) * correction) / steps
    guided = integrate(linear, noise, steps, flow, prefix)  # type: ignore[arg-type]
    assert torch.allclose(guided, x, atol=1e-9)
    assert not torch.allclose(guided, integrate(linear, noise, steps, flow), atol=1e-3)  # type: ignore[arg-type]


@pytest.mark.parametrize("schedule", SCHEDULES)
def test_lerobots_own_agrees_where_the_jacobian_is_the_identity(schedule: str) -> None:
    """LeRobot 0.6.1 does not differentiate through the model: it computes the velocity before it asks for gradients."""
    pytest.importorskip("lerobot")
    from lerobot.configs.types import RTCAttentionSchedule
    from lerobot.policies.common.flow_matching import euler_integrate
    from lerobot.policies.rtc.configuration_rtc import RTCConfig
    from lerobot.policies.rtc.modeling_rtc import RTCProcessor

    names = {"exponential": "EXP", "linear": "LINEAR", "ones": "ONES", "zeros": "ZEROS"}
    config = RTCConfig(
        enabled=True,
        prefix_attention_schedule=RTCAttentionSchedule[names[schedule]],
        max_guidance_weight=5.0,
        execution_horizon=8,
    )
    processor = RTCProcessor(config)
    assert np.allclose(
        processor.get_prefix_weights(3, 8, ROWS).numpy(), prefix_weights(3, 8, ROWS, schedule), atol=1e-6
    )
    field = torch.randn(1, ROWS, WIDTH, generator=GENERATOR)
    theirs = euler_integrate(
        lambda x, time: field,
        NOISE,
        10,
        rtc_processor=processor,
        rtc_enabled=True,
        inference_delay=3,
        prev_chunk_left_over=PREVIOUS[None],
        execution_horizon=8,
    )
    ours = integrate(lambda x, time, clean: field + 0 * x, NOISE, 10, DOWN, Prefix(PREVIOUS, 3, 8, schedule, 5.0))
    assert torch.allclose(ours, theirs, atol=1e-5)


def test_guided_rows_come_close_to_the_prefix() -> None:
    prefix = Prefix(PREVIOUS, 3, 8)
    free, guided = (integrate(linear, NOISE, 10, DOWN, given) for given in (None, prefix))
    before, after = (float((x[0, :3] - PREVIOUS[:3]).abs().mean()) for x in (free, guided))
    assert after < 0.5 * before


@pytest.mark.parametrize("flow", [DOWN, UP])
def test_clean_rows_stay_and_the_model_is_told(flow: object) -> None:
    told: list[int] = []

    def velocity(x: Tensor, time: float, clean_rows: int) -> Tensor:
        told.append(clean_rows)
        assert torch.equal(x[0, :3], PREVIOUS[:3])
        return linear(x, time, clean_rows)

    result = integrate(velocity, NOISE, 4, flow, Prefix(PREVIOUS, 3, 8, trained=True))  # type: ignore[arg-type]
    assert torch.equal(result[0, :3], PREVIOUS[:3])
    assert told == [3] * 4


def test_groots_own_overlap_agrees_with_the_trained_form() -> None:
    """With as many frozen as overlapping rows: LeRobot's `get_action` with options, against ours."""
    pytest.importorskip("lerobot")
    frozen, committed = 3, PREVIOUS[:3]
    x = NOISE.clone()
    x[:, :frozen] = committed
    for _ in range(4):
        strength = torch.ones_like(x)
        strength[:, :frozen] = 0.0
        x = x + 0.25 * linear(x, 0.0, 0) * strength

    def held(y: Tensor, time: float, clean_rows: int) -> Tensor:
        v = linear(y, time, 0)
        return torch.cat([torch.zeros_like(v[:, :clean_rows]), v[:, clean_rows:]], dim=1)

    ours = integrate(held, NOISE, 4, UP, Prefix(PREVIOUS, frozen, 8, trained=True))
    assert torch.allclose(ours, x, atol=1e-6)
