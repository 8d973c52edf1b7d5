# ruff: noqa: E402 what is imported below needs torch
"""A run of a few steps with a tiny network and stills that show nothing: the machinery, not the skill."""

import argparse
import json
import os
import shutil
from dataclasses import replace
from hashlib import blake2b
from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("transformers")
from safetensors.torch import load_file
from transformers import AutoModel

from vla_ros.cli import train
from vla_ros.lab.training import checkpoint, closed_loop, extra_queries, instructions, refiner_loss, scene_images, system2_loss
from vla_ros.lab.training.train_parameters import TrainParameters
from vla_ros.lab.training.trainer import Trainer
from vla_ros.parameters import ParameterError, from_mapping
from vla_ros.policies.compact import projection
from vla_ros.policies.compact.checkpoint import load
from vla_ros.policies.compact.model import CompactModel
from vla_ros.policies.compact.model_config import COLOURS, SHAPES, SIDES, SUBTASKS, Sizes, as_mapping, read

TINY = Sizes(image=32, channels=(8, 8, 16), key=8, dim=32, heads=2, language_layers=1, fusion_layers=1, flow_layers=1)
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


def test_the_hash_of_a_file_is_kept_until_the_file_is_newer(tmp_path):
    file, kept = tmp_path / "scene_images.npy", tmp_path / "scene_images.blake2b"
    file.write_bytes(b"one")
    assert checkpoint.file_hash(file) == kept.read_text() == blake2b(b"one").hexdigest()
    kept.write_text("kept")
    assert checkpoint.file_hash(file) == "kept"
    file.write_bytes(b"two")
    os.utime(file, ns=(0, kept.stat().st_mtime_ns + 1))
    assert checkpoint.file_hash(file) == blake2b(b"two").hexdigest()


@pytest.mark.parametrize("name", ["policies/continuation.py", "transforms.py", "policies/compact/flow.py"])
def test_the_code_that_makes_motions_is_part_of_the_origin(name, tmp_path, monkeypatch):
    package = Path(checkpoint.__file__).parents[2]
    shutil.copytree(package, tmp_path / "vla_ros", ignore=shutil.ignore_patterns("*.so", "*.pyc"))
    monkeypatch.setattr(checkpoint, "__file__", str(tmp_path / "vla_ros" / "lab" / "training" / "checkpoint.py"))
    given = from_mapping(TrainParameters, {})
    before = checkpoint.provenance(given, {})["code"]
    with (tmp_path / "vla_ros" / name).open("a") as stream:
        stream.write("# other code\n")
    assert checkpoint.provenance(given, {})["code"] != before


def test_transformers_finds_the_network_by_itself():
    found = AutoModel.from_pretrained("checkpoints/compact", local_files_only=True)
    assert isinstance(found, CompactModel) and found.config.sizes == read(Path("checkpoints/compact"))


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


def test_seeds_of_evaluation_are_refused():
    with pytest.raises(ParameterError, match="seed"):
        from_mapping(TrainParameters, {"stills": {"seed": 5}})
    with pytest.raises(ValueError, match="evaluation"):
        scene_images.SceneImageGenerator(TINY, 999_999)


def test_a_place_is_taught_as_a_hill_or_as_nowhere():
    target = system2_loss.cell_target(torch.tensor([[3.0, 4.0, 1.0], [0.0, 0.0, 0.0]]), 16)
    assert torch.allclose(target.sum(-1), torch.ones(2))
    assert int(target[0].argmax()) == 4 * 16 + 3
    assert float(target[1, -1]) == 1.0


@pytest.mark.parametrize(
    ("text", "named"),
    [("stills: {scenes: none}", r"train\.stills\.scenes"), ("epochs: 3", r"train\.epochs"), ("a: [", "train: .*yaml")],
)
def test_a_wrong_configuration_is_one_clear_line(tmp_path, text, named):
    path = tmp_path / "bad.yaml"
    path.write_text(text)
    with pytest.raises(ParameterError, match=named):
        train.parameters(str(path))


@pytest.mark.parametrize(("side", "angle"), [("left", np.pi / 2), ("right", -np.pi / 2), ("none", 0.0)])
def test_waypoints_of_a_push_are_taught_along_its_way(side, angle):
    still = np.zeros(1, scene_images.layout(TINY))
    still["parsed_steps"][0, 0] = (3, SIDES.index(side), 1, 1, 0, 0)
    still["subtask"], still["start"], still["objects"][0, 1, :3] = SUBTASKS.index("push {x}"), (0.4, 0, 0), (0.6, 0, 0)
    ahead = np.array([np.cos(angle), np.sin(angle)])
    still["waypoints"][0, :, :2], still["waypoints"][0, :, 3:5] = 0.8 * ahead, (np.cos(2 * angle), np.sin(2 * angle))
    rows = system2_loss.waypoints_in_push_frame(still)[0]
    np.testing.assert_allclose(rows[0, :2], [0.8, 0.0], atol=1e-6)
    np.testing.assert_allclose(rows[0, 3:5], [1.0, 0.0], atol=1e-6)


def test_one_picture_is_asked_for_several_things(monkeypatch):
    parsed_steps = []
    say = instructions.compose
    monkeypatch.setattr(
        instructions, "compose", lambda rng, said, *more: parsed_steps.extend(said) or say(rng, said, *more)
    )
    still = np.zeros(1, scene_images.layout(TINY))
    still["named_objects"][0, :3, :2] = [(0, 4), (1, 1), (5, 3)]  # bowl, red cube, blue ball
    still["named_objects"][0, :3, 2] = (0.3, 0.4, 0.5)
    still["named_cells"][0, 0, :3] = [(1, 1, 1), (2, 2, 1), (3, 3, 1)]
    for seed in range(20):
        (asked,) = extra_queries.extra_queries(still, np.random.default_rng(seed))
        assert len(asked.texts) == extra_queries.EXTRA and all(asked.texts)
        assert (asked.objects[:, 5] == 1).all()
        for cell, thing, patch, wrong in zip(asked.cells[0], asked.objects, asked.crops, asked.wrong, strict=True):
            assert bool(cell[2]) is not wrong
            assert wrong or cell[0] == pytest.approx(round(10 * thing[0]) - 2)
            assert wrong or patch == refiner_loss.TOOL + 1 + round(10 * thing[0]) - 3
    assert {parsed_step.verb for parsed_step in parsed_steps} == {"place", "push", "stack"}
    assert all(instructions.is_allowed(parsed_step) for parsed_step in parsed_steps)


def test_where_the_first_look_goes_for_another_thing_that_is_looked_at_again_as_wrong():
    still = np.zeros(1, scene_images.layout(TINY))
    still["named_objects"][0, :2, :2] = [(0, 4), (1, 1)]  # bowl, red cube
    still["named_cells"][0, 0, :2] = [(10, 10, 1), (20, 20, 1)]
    (asked,) = extra_queries.extra_queries(still, np.random.default_rng(1))
    own = np.array(asked.crops) - refiner_loss.TOOL - 1
    right, elsewhere = still["named_cells"][0, 0, own, :2], still["named_cells"][0, 0, 1 - own, :2]
    for first_look, patches, wrong in (
        (right + 1.0, asked.crops, asked.wrong),  # at the thing itself, or at what was drawn to be taken for it
        (elsewhere + 1.0, list(refiner_loss.TOOL + 2 - own), [True] * len(own)),
        (0 * right + 40.0, asked.crops, asked.wrong),  # at nothing that has a name
    ):
        found = extra_queries.with_confusions(asked, still["named_cells"][0, 0], first_look)
        assert list(found.crops) == list(patches) and list(found.wrong) == list(wrong)


def test_a_colour_that_a_shape_is_never_shown_in_tells_nothing_of_the_shape():
    there = [("purple", "ball"), ("red", "cube"), ("none", "bowl")]
    assert instructions.misleading_objects(("blue", "cube"), "lift the cube", there) == [True, False, False]
    assert instructions.misleading_objects(("blue", "ball"), "lift the ball, please", there) == [False, True, False]
    assert not any(instructions.misleading_objects(("blue", "cube"), "lift the blue cube", there))


def test_nothing_is_learned_of_places_where_a_misleading_thing_stands():
    side = TINY.image // projection.CELL_PX
    cells = np.zeros((1, 1, scene_images.MAX_NAMED, 3), np.float32)
    cells[0, 0, :2] = [(4, 4, 1), (12, 9, 1)]
    misleading = np.zeros((1, 2 * extra_queries.EXTRA, scene_images.MAX_NAMED), bool)
    misleading[0, 1, 0] = True
    ignored = torch.from_numpy(extra_queries.excluded_cells(misleading, cells, side))
    scores = torch.zeros(1, 3 + 2 * extra_queries.EXTRA, side * side + 1, requires_grad=True)
    wanted = torch.zeros(1, 1, scores.shape[1], 3)
    wanted[..., :] = torch.tensor([12.0, 9.0, 1.0])
    objects, asked = torch.zeros(1, scores.shape[1], 6), torch.ones(1, scores.shape[1])
    heights = [torch.zeros(1, scores.shape[1])]
    system2_loss.localizer_losses([scores], heights, wanted, objects, asked, ignored, TINY)["place"].backward()
    slope = scores.grad[0, :, :-1].view(-1, side, side)
    assert slope[2 + 1, 4, 4] == slope[2 + 1, 6, 2] == 0.0, "of the sentence that it misleads"
    assert slope[2, 4, 4] > 0.0, "another thing than what is asked for"
    assert slope[2 + 1, 9, 12] < 0.0 < slope[2 + 1, 14, 14]


def test_where_nothing_may_be_asked_for_nothing_is():
    still = np.zeros(1, scene_images.layout(TINY))
    still["named_objects"][0, :2, :2] = [(0, 4), (5, 3)]  # bowl, blue ball: a held-out pair
    (asked,) = extra_queries.extra_queries(still, np.random.default_rng(0))
    assert asked.texts == [""] * extra_queries.EXTRA and not asked.objects.any() and not any(asked.wrong)


def test_where_a_cube_of_every_colour_is_there_none_is_asked_for_that_is_not():
    still = np.zeros(1, scene_images.layout(TINY))
    cubes = [colour for colour in range(1, len(COLOURS)) if instructions.is_allowed_object((COLOURS[colour], "cube"))]
    still["named_objects"][0, : len(cubes), :2] = [(colour, SHAPES.index("cube")) for colour in cubes]
    for seed in range(50):
        (asked,) = extra_queries.extra_queries(still, np.random.default_rng(seed))
        assert all(asked.texts)


def test_a_cut_out_is_told_where_it_was_cut():
    still = np.zeros(1, scene_images.layout(TINY))
    still["crop_centres"] = 30, 34
    middle = scene_images.STORED_CROP // 2  # of the kept patch: the pixel that centres names
    still["crops"][0, 0, 1, middle + 2, middle - 1] = 255  # a bright pixel two below and one to the left of it
    for seed in range(20):
        patches, spots, middles = refiner_loss.crops(still, 0, np.array([[1]]), TINY, np.random.default_rng(seed))
        row, column = np.unravel_index(patches[0, 0, ..., 0].argmax(), patches.shape[2:4])
        side = TINY.crop // 2
        assert (middles[0, 0] + (column - side, row - side)).tolist() == [29, 36]
        np.testing.assert_allclose(spots[0, 0], (middles[0, 0] + 0.5) / 32 - 1)


def test_a_second_look_that_says_the_truth_costs_less():
    cells, objects = torch.tensor([[[5.0, 6.0, 1.0]]]), torch.tensor([[[0.5, 0.1, 0.02, 1.0, 0.0]]])
    middles = refiner_loss.upscaled(cells[..., :2]) - 4.0
    right = torch.tensor([[[0.5, 0.5, 0.2, 1.0, 0.0, 0.0, 4.0]]])
    wrong = torch.tensor([[[0.5, -0.5, 0.2, 1.0, 0.0, 0.0, -4.0]]])
    one, none = torch.ones(1, 1), torch.zeros(1, 1)
    told, lied = (refiner_loss.losses(known, middles, cells, objects, one, none) for known in (right, wrong))
    assert float(told["refined"]) == pytest.approx(0.0, abs=1e-6) and float(lied["refined"]) > 0.4
    assert float(told["refined_std"]) < float(lied["refined_std"])
    assert float(told["match"]) < 0.1 and float(lied["match"]) > 1.0
    assert float(refiner_loss.losses(wrong, middles, cells, objects, none, one)["match"]) < 0.1, "it is another thing"
    nothing = refiner_loss.losses(wrong, middles, cells, objects, none, none)
    assert float(nothing["refined"]) == float(nothing["match"]) == 0.0


def test_the_shipped_configuration_is_valid():
    assert train.parameters("config/train.yaml").stills.seed >= 1_000_000


def test_the_words_come_first_and_the_hands_before_both():
    parser = argparse.ArgumentParser()
    train.arguments(parser)
    assert parser.parse_args([]).phases == "language,system1,system2,joint"
