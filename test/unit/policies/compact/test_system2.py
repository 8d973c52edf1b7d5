# ruff: noqa: E402 what is imported below needs torch
"""The compact policy with a tiny network of random weights: what it promises whatever it has learned."""

import shutil
from dataclasses import replace

import numpy as np
import pytest
from safetensors.numpy import save_file

torch = pytest.importorskip("torch")
pytest.importorskip("transformers")

from vla_ros.lab.training import checkpoint as writing
from vla_ros.lab.training import instructions
from vla_ros.lab.training.train_parameters import TrainParameters
from vla_ros.parameters import ParameterError, from_mapping
from vla_ros.policies.compact.checkpoint import STATISTICS, WEIGHTS, load
from vla_ros.policies.compact.checkpoint_folder import folder_of
from vla_ros.policies.compact.graphs import GRAPHS, Graphs, is_current, modules
from vla_ros.policies.compact.model import CompactConfig, CompactModel
from vla_ros.policies.compact.model_config import ACTION_DIM, SUBTASKS, Sizes, as_mapping
from vla_ros.policies.compact.vocabulary import Vocabulary
from vla_ros.policies.contract import (
    MOTION_ROWS,
    CameraHealth,
    CameraView,
    Chunk,
    Frames,
    Instruction,
    JointState,
    PlanState,
)
from vla_ros.policies.policy_parameters import CompactParameters
from vla_ros.policies.registry import Robot, system1, system2
from vla_ros.robot.joint_map import JointNamesError
from vla_ros.sim.arm_description import HOME, JOINT_NAMES, origin_of, urdf
from vla_ros.sim.model import intrinsics
from vla_ros.time import NS_PER_S

ROBOT = Robot(urdf(), JOINT_NAMES)
VOCABULARY = Vocabulary.of(instructions.corpus())
SIZES = Sizes(
    image=32,
    channels=(8, 8, 16),
    key=8,
    dim=32,
    heads=2,
    language_layers=1,
    fusion_layers=1,
    flow_layers=1,
    vocabulary=len(VOCABULARY),
)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    torch.manual_seed(0)
    model = CompactModel(CompactConfig(**as_mapping(SIZES)))
    with torch.no_grad():
        model.language.understood.bias += 10.0  # it takes every sentence for sense
        model.language.verb.bias[1] += 10.0  # and for a wish to pick up
        for table in (model.language.lexicon["colour"], model.language.lexicon_default["colour"]):
            table[..., 1] += 10.0  # something red
        model.grounding.nowhere["front"].bias -= 20.0  # and sees everything,
        model.refiner.head.down.bias[6] += 10.0  # also at the second look
        model.fusion.subtask.bias[0] += 10.0
    scale = {
        "mean": np.zeros((SIZES.rows, ACTION_DIM)).tolist(),
        "std": np.full((SIZES.rows, ACTION_DIM), 0.02).tolist(),
    }
    made = tmp_path_factory.mktemp("compact")
    parameters = from_mapping(TrainParameters, {})
    writing.write(
        made,
        model,
        model.state_dict(),
        VOCABULARY,
        scale,
        writing.provenance(parameters, {"stills": "none"}),
        {"observation.state": {"q01": [0.0] * 8, "q99": list(range(8))}},
    )
    return made


@pytest.fixture(scope="module")
def halves(folder):
    options = {"checkpoint": str(folder)}
    return system2("compact", ROBOT, options), system1("compact", ROBOT, options)


def frames(stamp_ns=0, health=CameraHealth.OK):
    image = np.random.default_rng(0).integers(0, 255, (64, 64, 3), dtype=np.uint8)
    pose = origin_of("front_camera_optical")
    return Frames(stamp_ns, {"front": CameraView(image, health, intrinsics("front", 64, 64), T_base_camera=pose)})


AT_HOME = Chunk.rest(HOME, 20_000_000)


def state(stamp_ns=0, may_move=True):
    return JointState(stamp_ns, HOME.copy(), np.zeros(8), may_move)


def test_the_graphs_say_what_the_network_says(folder):
    checkpoint = load(folder)
    model = CompactModel.from_pretrained(str(folder), dtype=torch.float32).eval()
    words = checkpoint.vocabulary.encode("pick up the red cube", SIZES.words)[None]
    graphs = Graphs(checkpoint)
    rng = np.random.default_rng(0)
    with torch.no_grad():
        for ours, theirs in zip(graphs("language", words), model.language(torch.from_numpy(words)), strict=True):
            np.testing.assert_allclose(ours, theirs.numpy(), atol=2e-3)
        image = rng.integers(0, 255, (1, 32, 32, 3), dtype=np.uint8)
        queries = rng.standard_normal((1, 2, SIZES.key)).astype(np.float32)
        seen = model.locate({"front": torch.from_numpy(image)}, torch.from_numpy(queries))
        for ours, theirs in zip(graphs("look", image, queries), seen, strict=True):
            np.testing.assert_allclose(ours, torch.stack(theirs, 1).numpy(), atol=5e-3)
        patches = rng.integers(0, 255, (1, 3, SIZES.crop, SIZES.crop, 3), dtype=np.uint8)
        spots = rng.uniform(-1, 1, (1, 3, 3)).astype(np.float32)
        (ours,) = graphs("fixate", patches, queries, spots)
        theirs = model.refine(
            torch.from_numpy(patches), model.with_tool(torch.from_numpy(queries)), torch.from_numpy(spots)
        )
        np.testing.assert_allclose(ours, theirs.numpy(), atol=5e-3)
        shapes = [(1, 16, 7), (1, 16), (1, 2, 10), (1, 18), (1, 8, 32)]
        inputs = [rng.standard_normal(shape).astype(np.float32) for shape in shapes]
        (ours,) = graphs("flow", *inputs)
        np.testing.assert_allclose(ours, model.flow(*map(torch.from_numpy, inputs)).numpy(), atol=5e-3)


def test_the_graphs_that_ship_say_what_the_network_says():
    checkpoint = load(folder_of(from_mapping(CompactParameters, {})))
    assert is_current(checkpoint)
    graphs_size, weights_size = ((checkpoint.folder / name).stat().st_size for name in (GRAPHS, WEIGHTS))
    assert graphs_size < weights_size / 10, "weights stand in one file"
    text = "put the red cube in the bowl, then push the blue cylinder to the left"
    graphs, rng = Graphs(checkpoint), np.random.default_rng(0)
    for name, (module, example) in modules(checkpoint).items():
        inputs = [rng.uniform(-1, 1, value.shape).astype(np.float32) for value in example]
        if name == "language":
            inputs = [checkpoint.vocabulary.encode(text, checkpoint.sizes.words)[None]]
        elif example[0].dtype == torch.uint8:  # pictures
            inputs[0] = rng.integers(0, 256, example[0].shape, dtype=np.uint8)
        with torch.no_grad():
            theirs = module(*map(torch.from_numpy, inputs))
        for ours, value in zip(graphs(name, *inputs), theirs if isinstance(theirs, tuple) else (theirs,), strict=True):
            np.testing.assert_allclose(ours, value.numpy(), atol=2e-3, err_msg=name)


def test_the_weights_are_small_and_known_by_their_hash(folder):
    assert (folder / "model.safetensors").stat().st_size < 20e6
    checkpoint = load(folder)
    assert len(checkpoint.hash) == 64
    assert is_current(checkpoint)
    assert not is_current(replace(checkpoint, hash="0" * 64))
    assert (folder / GRAPHS).is_file()


def test_graphs_in_another_layout_are_made_anew(folder, tmp_path):
    shutil.copytree(folder, tmp_path, dirs_exist_ok=True)
    checkpoint = load(tmp_path)
    save_file({"look.xml": np.zeros(1, np.uint8)}, tmp_path / GRAPHS, {"checkpoint": checkpoint.hash})
    assert not is_current(checkpoint)
    Graphs(checkpoint, ("flow",))
    assert is_current(checkpoint)


def test_both_halves_carry_the_same_hash(halves):
    assert halves[0].checkpoint == halves[1].checkpoint


def test_a_plan_holds_latents_waypoints_and_words(halves):
    planner, _ = halves
    plan = planner.plan(frames(), Instruction(1, "pick up the red cube"), state())
    assert plan.state is PlanState.ACTIVE and plan.kind == "features"
    assert plan.data.shape == (SIZES.latents + SIZES.waypoints, SIZES.latent)
    assert plan.path.shape == (SIZES.waypoints, 7) and np.isfinite(plan.path).all()
    np.testing.assert_allclose(np.linalg.norm(plan.path[:, 3:], axis=1), 1.0, atol=1e-9)
    assert plan.subtask and "{" not in plan.subtask
    assert 0 <= plan.progress <= 1 and 0 <= plan.confidence <= 1


def test_without_a_camera_or_words_it_holds(halves):
    planner, _ = halves
    said = Instruction(2, "pick up the red cube")
    assert planner.plan(Frames(0, {}), said, state()).state is PlanState.HOLD
    plan = planner.plan(frames(health=CameraHealth.FROZEN), said, state())
    assert plan.state is PlanState.HOLD and "frozen" in plan.reasoning
    assert planner.plan(frames(), Instruction(3, "  "), state()).state is PlanState.HOLD


def test_time_in_which_the_arm_may_not_move_is_no_waiting(halves, monkeypatch):
    planner, _ = halves
    said, told = Instruction(4, "pick up the red cube"), []
    planner.plan(frames(), said, state())
    monkeypatch.setattr(planner._choice, "look", lambda share, waits: told.append(waits) or 0)
    for may_move, first_s in ((False, 1), (True, 42)):
        times_ns = range(first_s * NS_PER_S, (first_s + 41) * NS_PER_S, NS_PER_S)
        plans = [planner.plan(frames(now_ns), said, state(may_move=may_move)) for now_ns in times_ns]
        assert set(told) == {may_move}
        assert (plans[-1].state is PlanState.FAILED) is may_move
        told.clear()
    assert plans[-1].reasoning.endswith("it takes too long")


def test_what_is_not_understood_is_refused_with_the_words_that_nobody_taught(folder):
    planner = system2("compact", ROBOT, {"checkpoint": str(folder), "least_understood": 1.0})
    plan = planner.plan(frames(), Instruction(1, "solder the red capacitor"), state())
    assert plan.state is PlanState.REFUSED
    assert "solder" in plan.reasoning and "capacitor" in plan.reasoning and "red" not in plan.reasoning


@pytest.mark.parametrize(("text", "taken"), [("the red spoon", False), ("the red cube quickly", True)])
def test_an_unknown_word_behind_a_colour_is_a_thing_that_nobody_taught(halves, text, taken):
    plan = halves[0].plan(frames(), Instruction(1, f"pick up {text}"), state())
    assert (plan.state is PlanState.REFUSED) is not taken
    assert taken or plan.reasoning == "not understood; unknown words: spoon"


def test_a_chunk_keeps_what_is_committed_and_is_the_same_twice(halves):
    planner, expert = halves
    plan = planner.plan(frames(), Instruction(4, "pick up the red cube"), state())
    first = expert.chunk(plan, state(), AT_HOME, MOTION_ROWS, 20_000_000)
    assert first.positions.shape == ((SIZES.rows - 1) * 2 + 1, 8) and first.frozen == MOTION_ROWS
    np.testing.assert_allclose(first.positions[:3], [HOME] * 3, atol=1e-9)
    previous = Chunk(first.positions[5:], first.dt_s, 120_000_000)
    again = JointState(100_000_000, first.positions[4], np.zeros(8))
    second, third = (expert.chunk(plan, again, previous, 4, 120_000_000) for _ in range(2))
    np.testing.assert_array_equal(second.positions[:4], previous.positions[:4])
    np.testing.assert_array_equal(second.positions, third.positions)
    assert second.frozen == 4
    lower, upper = expert._kinematics.lower, expert._kinematics.upper
    assert (second.positions >= lower - 1e-9).all() and (second.positions <= upper + 1e-9).all()


def test_fingers_neither_reach_their_stops_nor_jump(halves):
    planner, expert = halves
    plan = planner.plan(frames(), Instruction(6, "pick up the red cube"), state())
    finger = expert.chunk(plan, state(), AT_HOME, MOTION_ROWS, 20_000_000).positions[:, -1]
    speed, acceleration = np.diff(finger) / 0.02, np.diff(finger, 2) / 0.02**2
    assert finger[1:].min() > 0.0 and finger[1:].max() <= HOME[-1]
    assert np.ptp(finger) > 0.01, "this network wants to close them"
    assert np.abs(speed).max() < 0.1 and np.abs(acceleration).max() < 1.0


@pytest.mark.parametrize("steps", [1, 10])
def test_the_number_of_euler_steps_can_be_chosen(folder, halves, steps):
    expert = system1("compact", ROBOT, {"checkpoint": str(folder), "euler_steps": steps})
    plan = halves[0].plan(frames(), Instruction(5, "pick up the red cube"), state())
    assert np.isfinite(expert.chunk(plan, state(), AT_HOME, MOTION_ROWS, 0).positions).all()


def test_statistics_of_other_joints_are_refused_by_name(folder, tmp_path):
    import json
    import shutil

    other = tmp_path / "other"
    shutil.copytree(folder, other)
    statistics = json.loads((other / STATISTICS).read_text())
    statistics["joint_names"][0] = "shoulder"
    (other / STATISTICS).write_text(json.dumps(statistics))
    for half in (system1, system2):
        with pytest.raises(JointNamesError, match="joint1"):
            half("compact", ROBOT, {"checkpoint": str(other)})


@pytest.mark.parametrize(
    ("name", "text", "named"),
    [
        (STATISTICS, "{}", "statistics.json"),
        ("config.json", '{"model_type": "llama"}', "llama"),
        ("vocabulary.json", "[", "vocabulary.json"),
    ],
)
def test_a_broken_checkpoint_is_one_clear_line(folder, tmp_path, name, text, named):
    import shutil

    other = tmp_path / "other"
    shutil.copytree(folder, other)
    (other / name).write_text(text)
    with pytest.raises(ParameterError, match=named):
        system2("compact", ROBOT, {"checkpoint": str(other)})


def test_a_checkpoint_that_is_not_there_is_one_clear_line():
    with pytest.raises(ParameterError, match=r"compact\.checkpoint.*vla-ros train"):
        system2("compact", ROBOT, {"checkpoint": "/nowhere"})


def test_every_subtask_has_words():
    assert len(set(SUBTASKS)) == len(SUBTASKS)
