"""Models in two halves: together they compute what the whole model computes, to the bit."""

from __future__ import annotations

import multiprocessing
from collections.abc import Callable
from dataclasses import replace
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import numpy as np
import pytest

pytest.importorskip("lerobot")

import torch
from safetensors.torch import load_file, save_file

from test.models import tiny
from test.models.split_cases import CASES, STATE, TEXT, Case, Q, frames, images_of, plan_of, system1, system2
from vla_ros.parameters import ParameterError
from vla_ros.policies.contract import Chunk, Instruction, JointState, Plan, PlanState
from vla_ros.policies.split.flow_integration import integrate
from vla_ros.policies.split.half_weights import bytes_in_memory
from vla_ros.policies.split.plan_tensors import PlanMismatch

Folders = Callable[[Case], Path]
FLOAT32 = [name for name in CASES if name.endswith("float32")]


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> Folders:
    """Each checkpoint once."""
    made: dict[str, Path] = {}

    def folder(case: Case) -> Path:
        # One folder serves both types where the type is an option and not part of the checkpoint.
        key = case.name if case.name in ("smolvla", "pi0", "pi05") else f"{case.name}-{case.weights}"
        if key not in made:
            made[key] = case.save(tmp_path_factory.mktemp(key) / "policy")
        return made[key]

    return folder


def flowed(half: Any, plan: Plan, state: JointState = STATE) -> torch.Tensor:
    """Return what System 1's flow ends with, without a previous chunk."""
    with torch.no_grad():
        velocity = half.half.velocity(half.half.context(plan), half.binding.state(state))
        return integrate(velocity, half.noise.to(half.half.noise_dtype), half._steps, half.half.flow)


@pytest.mark.parametrize("name", CASES)
def test_the_halves_equal_the_whole(name: str, folders: Folders) -> None:
    case = CASES[name]
    folder = folders(case)
    two, one = system2(case, folder), system1(case, folder)
    assert one.checkpoint == two.checkpoint
    seen = frames()
    plan = plan_of(two, seen)
    if plan.kind == "kv_cache":
        assert plan.data.shape[3] == plan.token_mask.sum() < len(plan.token_mask)
    assert plan.data.dtype.name == case.weights
    reference = case.reference(case, folder, images_of(seen), one.binding.state(STATE), one.noise)
    result = flowed(one, plan)
    rows, width = reference.shape[1:]
    assert torch.equal(result[:, :rows, :width], reference)
    assert float(reference.std()) > 1e-3  # it is not all the same
    # Each half holds its own part alone.
    whole = sum(tensor.numel() for tensor in two.half.model.parameters())
    loaded = [sum(p.numel() for p in half.half.model.parameters() if not p.is_meta) for half in (one, two)]
    assert sum(loaded) <= whole
    assert all(bytes_in_memory(half.half.model) for half in (one, two))


@pytest.mark.parametrize("name", FLOAT32)
def test_a_chunk_begins_with_what_plays_and_ends_with_the_model(name: str, folders: Folders) -> None:
    case = CASES[name]
    folder = folders(case)
    plan = plan_of(system2(case, folder), frames())
    one = system1(case, folder)
    rest = Chunk.rest(Q, 2000)
    first = one.chunk(plan, STATE, rest, 3, 2000)
    assert (first.positions[:3] == Q).all()
    again = one.chunk(plan, STATE, rest, 3, 2000)
    assert (first.positions == again.positions).all()  # the noise is the same each time
    model = one.binding.positions(one.half.actions(flowed(one, plan)), Q)
    assert first.positions.shape == model.shape
    limit = np.full(8, 1.0)
    assert (np.abs(first.positions - Q) <= np.abs(model - Q).max(axis=0) + limit).all()
    # Going on, guided: the committed rows are kept, and the flow agrees with the rows behind them.
    previous = replace(first, chunk_id=1, positions=first.positions[2:])
    guided = one.chunk(plan, STATE, previous, 3, 3000)
    assert (guided.positions[:3] == previous.positions[:3]).all()
    moved = replace(previous, positions=previous.positions + np.array([0.02] * 7 + [0.0005]))
    other = one.chunk(plan, STATE, moved, 3, 3000)
    assert not np.allclose(other.positions[4], guided.positions[4], atol=1e-6)


def test_the_first_action_may_be_due_one_row_later(folders: Folders) -> None:
    """As training data pair a frame with the command of the next one: row 0 is the measured arm, row 1 the first action."""
    case = CASES["smolvla-float32"]
    folder = folders(case)
    plan = plan_of(system2(case, folder), frames())
    usual = system1(case, folder)
    later = system1(case, folder, binding={"rate_hz": 30.0, "first_row": 1})
    previous = replace(Chunk.rest(Q, 2000), positions=np.repeat(Q[None, :], 12, axis=0), chunk_id=1)
    chunk = later.chunk(plan, STATE, previous, 3, 2000)
    assert len(chunk.positions) == len(usual.chunk(plan, STATE, previous, 3, 2000).positions) + 1
    prefix, before = later._prefix(previous, 3, Q), usual._prefix(previous, 3, Q)
    assert prefix is not None and before is not None
    assert (prefix.length, before.length) == (2, 3)


def test_fresh_state_of_smolvla(folders: Folders) -> None:
    """The state token in System 1: the same state gives the same actions, a newer one those of the whole model with it."""
    case = CASES["smolvla-float32"]
    folder = folders(case)
    two, one = (make(case, folder, fresh_state=True) for make in (system2, system1))
    assert one.checkpoint == two.checkpoint != system1(case, folder).checkpoint
    seen = frames()
    plan = plan_of(two, seen)
    newer = JointState(2000, Q + 0.03, np.zeros(8))
    for state in (STATE, newer):
        reference = case.reference(case, folder, images_of(seen), one.binding.state(state), one.noise)
        assert torch.allclose(flowed(one, plan, state)[:, :, :8], reference, atol=2e-6)
    assert not torch.allclose(flowed(one, plan), flowed(one, plan, newer), atol=1e-4)


@pytest.mark.parametrize("name", FLOAT32)
def test_bfloat16_on_the_wire(name: str, folders: Folders) -> None:
    """Half the bytes; what the rounding costs is bounded."""
    case = CASES[name]
    folder = folders(case)
    plan = plan_of(system2(case, folder), frames())
    small = plan_of(system2(case, folder, wire_dtype="bfloat16"), frames())
    assert small.data.dtype.name == "bfloat16"
    assert small.data.nbytes * 2 == plan.data.nbytes
    one = system1(case, folder)
    error = float((flowed(one, small) - flowed(one, plan)).abs().max())
    assert 0 < error < 2e-2


def _planned(connection: Connection, name: str, folder: Path) -> None:
    """A process that holds System 2 alone."""
    connection.send(plan_of(system2(CASES[name], folder), frames()))


@pytest.mark.parametrize("name", ["smolvla-bfloat16", "pi05-float32", "pi0_transformers-float32", "groot-bfloat16"])
def test_the_halves_equal_the_whole_in_two_processes(name: str, folders: Folders) -> None:
    case = CASES[name]
    folder = folders(case)
    mine, theirs = multiprocessing.Pipe()
    process = multiprocessing.get_context("spawn").Process(target=_planned, args=(theirs, name, folder), daemon=True)
    process.start()
    assert mine.poll(300.0)
    plan = mine.recv()
    process.join(10.0)
    one = system1(case, folder)
    reference = case.reference(case, folder, images_of(frames()), one.binding.state(STATE), one.noise)
    rows, width = reference.shape[1:]
    assert torch.equal(flowed(one, plan)[:, :rows, :width], reference)


@pytest.mark.parametrize("name", ["smolvla-float32", "pi0-float32", "pi0_transformers-float32", "groot-float32"])
def test_a_clean_prefix_is_kept_by_the_trained_form(name: str, folders: Folders) -> None:
    case = CASES[name]
    folder = folders(case)
    plan = plan_of(system2(case, folder), frames())
    one = system1(case, folder, real_time_chunking={"form": "trained"}, motion={"velocity_share": 1.0})
    previous = Chunk(np.linspace(Q, Q + 0.01, 8), one.dt_s, 3000, chunk_id=1)
    with torch.no_grad():
        velocity = one.half.velocity(one.half.context(plan), one.binding.state(STATE))
        prefix = one._prefix(previous, 3, Q)
        result = integrate(velocity, one.noise.to(one.half.noise_dtype), one._steps, one.half.flow, prefix)
    rows = one.binding.positions(one.half.actions(result), Q)
    assert np.allclose(rows[:3], previous.positions[:3], atol=1e-4)
    free = flowed(one, plan)
    assert not torch.equal(result[:, 4:], free[:, 4:])  # what follows knows of it


# Bad input.


@pytest.mark.parametrize("name", ["smolvla-float32", "groot-float32"])
def test_plans_of_another_shape_are_refused(name: str, folders: Folders) -> None:
    case = CASES[name]
    folder = folders(case)
    plan = plan_of(system2(case, folder), frames())
    one = system1(case, folder)
    wrong = [
        replace(plan, kind="waypoints"),
        replace(plan, data=plan.data[..., :-1]),
        replace(plan, data=plan.data[:-1]),
        replace(plan, data=plan.data.astype(np.int32)),
        replace(plan, token_mask=np.zeros(0, np.uint8)),
    ]
    for bad in wrong:
        with pytest.raises(PlanMismatch, match="plan 1:"):
            one.chunk(bad, STATE, Chunk.rest(Q, 2000), 3, 2000)
    assert one.chunk(plan, STATE, Chunk.rest(Q, 2000), 3, 2000).plan_id == 1  # and goes on with the next good one


def _changed(folder: Path, target: Path, change: Callable[[dict[str, torch.Tensor]], None]) -> Path:
    """Return a copy of a checkpoint with changed weights."""
    target.mkdir(parents=True)
    for path in folder.iterdir():
        if path.is_file():
            (target / path.name).write_bytes(path.read_bytes())
    tensors = load_file(target / "model.safetensors")
    change(tensors)
    save_file(tensors, target / "model.safetensors")
    return target


EXPERT_WEIGHT = "model.action_in_proj.weight"
VLM_WEIGHT = "model.vlm_with_expert.vlm.model.connector.modality_projection.proj.weight"


def test_weights_that_are_not_finite_are_refused_by_the_half_that_has_them(tmp_path: Path, folders: Folders) -> None:
    case = CASES["smolvla-float32"]

    def spoil(tensors: dict[str, torch.Tensor]) -> None:
        tensors[EXPERT_WEIGHT][0, 0] = float("nan")

    folder = _changed(folders(case), tmp_path / "nan", spoil)
    with pytest.raises(ParameterError, match=f"smolvla.checkpoint: .*{EXPERT_WEIGHT} that are not finite"):
        system1(case, folder)
    assert system2(case, folder).checkpoint


@pytest.mark.parametrize(
    ("change", "text"),
    [
        (lambda tensors: tensors.pop(EXPERT_WEIGHT), "lacks"),
        (lambda tensors: tensors.update({"model.action_in_proj.extra": torch.zeros(1)}), "does not know"),
        (
            lambda tensors: tensors.update({EXPERT_WEIGHT: torch.zeros(3, 4)}),
            r"of shape \(3, 4\), but this model takes",
        ),
    ],
)
def test_weights_that_do_not_fit_are_refused(
    change: Callable[[dict[str, torch.Tensor]], None], text: str, tmp_path: Path, folders: Folders
) -> None:
    case = CASES["smolvla-float32"]
    folder = _changed(folders(case), tmp_path / "changed", change)
    with pytest.raises(ParameterError, match=text):
        system1(case, folder)


def test_other_weights_give_another_checkpoint(tmp_path: Path, folders: Folders) -> None:
    case = CASES["smolvla-float32"]
    folder = folders(case)

    def retrain(tensors: dict[str, torch.Tensor]) -> None:
        tensors[VLM_WEIGHT] += 1e-3

    changed = _changed(folder, tmp_path / "trained", retrain)
    assert system1(case, changed).checkpoint != system1(case, folder).checkpoint
    same = _changed(folder, tmp_path / "copied", lambda tensors: None)
    assert system1(case, same).checkpoint == system1(case, folder).checkpoint


def test_a_folder_of_another_family_is_refused(folders: Folders) -> None:
    with pytest.raises(ParameterError, match="is of smolvla, expected pi0"):
        system2(CASES["pi0-float32"], folders(CASES["smolvla-float32"]))


def test_a_missing_tokenizer_is_one_line(folders: Folders) -> None:
    with pytest.raises(ParameterError, match="pi0.tokenizer"):
        system2(CASES["pi0-float32"], folders(CASES["pi0-float32"]), tokenizer="")


def test_a_half_downloaded_folder_is_refused(tmp_path: Path, folders: Folders) -> None:
    case = CASES["smolvla-float32"]
    folder = _changed(folders(case), tmp_path / "cut", lambda tensors: None)
    path = folder / "model.safetensors"
    path.write_bytes(path.read_bytes()[:-1000])
    with pytest.raises(ParameterError, match="smolvla.checkpoint: .*model.safetensors: truncated"):
        system1(case, folder)


def test_an_unhealthy_camera_and_an_empty_instruction_hold(folders: Folders) -> None:
    case = CASES["smolvla-float32"]
    two = system2(case, folders(case))
    assert two.plan(frames(), Instruction(1, " "), STATE).state is PlanState.HOLD
    seen = frames()
    from vla_ros.perception.frames import CameraHealth

    dark = {name: replace(view, health=CameraHealth.STALE) for name, view in seen.views.items()}
    held = two.plan(replace(seen, views=dark), Instruction(2, TEXT), STATE)
    assert held.state is PlanState.HOLD or held.state is PlanState.FAILED
    assert held.reasoning


def test_the_tiny_sizes_are_gone_after_the_test() -> None:
    with tiny.sizes("pi0"):
        pass
    from lerobot.policies.pi0 import modeling_pi0

    assert modeling_pi0.get_gemma_config("gemma_2b").width == 2048
