# ruff: noqa: E402 what is imported below needs torch
"""A run of a few steps with a tiny network and stills that show nothing: the machinery, not the skill."""

import json
from dataclasses import replace
from hashlib import blake2b
from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("transformers")
from safetensors.torch import load_file

from test.unit.lab.training.tiny import TINY
from vla_ros.lab.training import (
    closed_loop,
    scene_images,
)
from vla_ros.lab.training.train_parameters import TrainParameters
from vla_ros.lab.training.trainer import Trainer
from vla_ros.parameters import ParameterError, from_mapping
from vla_ros.policies.compact.checkpoint import load
from vla_ros.policies.compact.model_config import as_mapping

PER_SCENE = 8


@pytest.fixture
def values(tmp_path):
    network = tmp_path / "network"
    network.mkdir()
    (network / "config.json").write_text(json.dumps({"model_type": "vla_ros_compact", **as_mapping(TINY)}))
    rng = np.random.default_rng(0)
    shown = np.zeros(16, scene_images.layout(TINY))
    shown["images"] = rng.integers(0, 255, shown["images"].shape)
    shown["text"] = "put the red cube in the bowl"
    shown["parsed_steps"][:, 0] = (2, 0, 1, 1, 0, 4)
    shown["cells"] = shown["tool_cell"] = (5.0, 6.0, 1.0)
    shown["crop_centres"] = 22, 26
    shown["crops"] = rng.integers(0, 255, shown["crops"].shape)
    shown["objects"] = (0.5, 0.1, 0.02, 1.0, 0.0, 1.0)
    shown["k"], shown["T_base_camera"] = np.eye(3), np.diag([1.0, -1.0, -1.0, 1.0])
    shown["waypoints"][..., 3] = 1.0
    shown["waypoints"][..., 6] = 0.5
    shown["subtask"][-1] = -1
    out = tmp_path / "run"
    out.mkdir()
    for path in (tmp_path / "scene_images.npy", out / "held_back.npy"):
        np.save(path, shown)
        path.with_suffix(".done").write_text("2")
    return {
        "network": str(network / "config.json"),
        "motions": 64,
        "stills": {"file": str(tmp_path / "scene_images.npy"), "scenes": 2, "per_scene": PER_SCENE, "held_back": 2},
        "system2": {"steps": 2, "batch": 8},
        "system1": {"steps": 2, "batch": 16},
        "joint": {"steps": 1, "batch": 8},
        "device": "cpu",
    }, out


def trained(values, out, resume=False, phases=("system2", "system1", "joint")):
    trainer = Trainer(from_mapping(TrainParameters, values), out, resume, lambda line: None)
    trainer.first = {name: value.clone() for name, value in trainer.model.state_dict().items()}
    trainer.prepare()
    ticks = []
    for phase in phases:
        trainer.phase(phase, lambda done, total, words: ticks.append(done))
    return trainer, ticks


def test_a_run_writes_a_checkpoint_with_its_origin_and_goes_on_where_it_stopped(values):
    given, out = values
    trainer, ticks = trained(given, out)
    assert ticks == [1, 2, 1, 2, 1]
    written = load(out / "checkpoint")
    assert written.sizes.image == 32 and (written.std > 0).all()
    made_by = json.loads((out / "checkpoint" / "statistics.json").read_text())["made_by"]
    assert len(made_by["code"]) == 64 and len(made_by["config"]) == 64
    for name, file in (("stills", given["stills"]["file"]), ("motions", out / "motions.npy")):
        assert made_by["data"][name].endswith(f"blake2b {blake2b(Path(file).read_bytes()).hexdigest()}")
    assert made_by["done"] == {"language": 0, "system1": 2, "system2": 2, "joint": 1}
    lines = [json.loads(line) for line in (out / "log.jsonl").read_text().splitlines()]
    assert [line["phase"] for line in lines if "phase" in line] == ["system2"] * 2 + ["system1"] * 2 + ["joint"]
    assert all(np.isfinite(value) for line in lines if "phase" in line for key, value in line.items() if key != "phase")

    with pytest.raises(ParameterError, match="--resume"):
        Trainer(from_mapping(TrainParameters, given), out, False, print)
    again, ticks = trained({**given, "system1": {"steps": 3, "batch": 16}}, out, resume=True)
    assert ticks == [3]
    name = "vision.stem.weight"
    assert torch.equal(trainer.model.state_dict()[name], again.model.state_dict()[name])


def test_a_phase_that_ran_out_of_minutes_goes_on_when_it_is_given_more(values):
    given, out = values
    given["system1"]["minutes"] = 1e-9
    _, ticks = trained(given, out, phases=("system1", "system2"))
    assert ticks == [1, 2], "of system2"
    made_by = json.loads((out / "checkpoint" / "statistics.json").read_text())["made_by"]
    assert made_by["done"]["system1"] == 0
    _, ticks = trained(given, out, resume=True, phases=("system1", "system2"))
    assert ticks == [], "its minutes are over in this run, too"
    given["system1"]["minutes"] = 60.0
    again, ticks = trained(given, out, resume=True, phases=("system1", "system2"))
    assert ticks == [1, 2] and again.done["system1"] == 2


@pytest.mark.parametrize(
    ("group", "key", "value"),
    [
        ("stills", "scenes", 3),
        ("stills", "per_scene", 4),
        ("stills", "seed", 1_000_005),
        ("stills", "held_back", 3),
        ("stills", "file", ""),
        ("", "motions", 65),
        ("", "seed", 1),
    ],
)
def test_data_that_are_there_are_not_taken_for_others(values, group, key, value):
    given, out = values
    trained(given, out, phases=())
    (given[group] if group else given)[key] = value
    with pytest.raises(ParameterError, match=rf"train\.{group}{'.' if group else ''}{key}: is .*but the data in"):
        trained(given, out, resume=True, phases=())


def test_data_of_another_network_are_not_taken(values):
    given, out = values
    trained(given, out, phases=())
    config = {"model_type": "vla_ros_compact", **as_mapping(replace(TINY, dt_s=0.06))}
    Path(given["network"]).write_text(json.dumps(config))
    with pytest.raises(ParameterError, match=r"train\.network\.dt_s: is 0\.06, but the data in .* are of 0\.04"):
        trained(given, out, resume=True, phases=())


@pytest.mark.parametrize("step", ["shutil.copytree", "pathlib.Path.rename"])
def test_what_acts_best_is_there_wherever_a_run_ended(values, monkeypatch, step):
    given, out = values
    shares = iter([0.4, 0.5])
    monkeypatch.setattr(closed_loop, "success", lambda folder, count: next(shares))
    trainer, _ = trained(given, out, phases=())
    trainer.closed_loop_round()
    trainer.save()

    def end(*_, **__):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(step, end)
        trainer.closed_loop_round()
    assert (out / "best").is_dir() is (step == "shutil.copytree")
    Trainer(from_mapping(TrainParameters, given), out, True, print)
    assert load(out / "best").sizes.image == 32


def test_what_acts_best_comes_out_and_is_remembered(values, monkeypatch):
    given, out = values
    shares = iter([0.4, 0.2, 0.3, 0.9])
    monkeypatch.setattr(closed_loop, "success", lambda folder, count: next(shares))
    given = {**given, "closed_loop_episodes": 5, "closed_loop_minutes": 1e-9, "patience": 2}
    trainer, ticks = trained({**given, "joint": {"steps": 9, "batch": 8}}, out, phases=("joint",))
    assert ticks == [1, 2, 3], "it ends when two rounds in a row were no better than the first"
    assert trainer.best == {"share": 0.4, "waited": 2}
    best, last = (load_file(out / name / "model.safetensors") for name in ("best", "checkpoint"))
    assert all(torch.equal(best[name], last[name]) for name in best)
    again = Trainer(from_mapping(TrainParameters, given), out, True, print)
    assert again.best == {"share": 0.4, "waited": 2}
    again.prepare()
    again.closed_loop_round()
    assert again.best["share"] == 0.9


def test_the_language_is_taught_by_itself(values):
    given, out = values
    trainer, ticks = trained({**given, "language": {"steps": 2, "batch": 8}}, out, phases=("language",))
    assert ticks == [1, 2]
    moved = {
        name.split(".")[0]
        for name, value in trainer.model.state_dict().items()
        if not torch.equal(value, trainer.first[name])
    }
    assert moved == {"language"}
    still = ("language.step_meaning.", "language.object_query.")  # these are trained by images alone
    assert all(
        torch.equal(value, trainer.first[name])
        for name, value in trainer.model.state_dict().items()
        if name.startswith(still)
    )


def test_measures_are_numbers(values):
    given, out = values
    trainer, _ = trained(given, out, phases=("system2",))
    found = trainer.measure()
    assert 0 <= found["subtask"] <= 1 and found["x_mm"] > 0


def test_data_of_another_version_are_refused_with_their_file(values):
    given, out = values
    np.save(out / "motions.npy", np.zeros(3, [("committed", "i1")]))
    with pytest.raises(ParameterError, match=r"motions\.npy has other fields than this version writes; remove it"):
        trained(given, out, phases=())
