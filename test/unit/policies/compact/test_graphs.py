"""The graphs of the inference backend compute what the network computes."""

import shutil
from dataclasses import replace

import numpy as np
import pytest
from safetensors.numpy import save_file

from test.unit.policies.compact.tiny import SIZES
from vla_ros.parameters import from_mapping
from vla_ros.policies.compact.checkpoint import GRAPHS, WEIGHTS, load
from vla_ros.policies.compact.checkpoint_folder import folder_of
from vla_ros.policies.compact.graphs import NAMES, Graphs, is_current, modules
from vla_ros.policies.policy_parameters import CompactParameters


def test_every_graph_that_ships_runs_without_torch():
    checkpoint = load(folder_of(from_mapping(CompactParameters, {})))
    assert is_current(checkpoint)
    graphs, sizes = Graphs(checkpoint), checkpoint.sizes
    assert NAMES == ("language", "locate", "refine", "fuse", "flow")
    _, queries, _, understood = graphs("language", checkpoint.vocabulary.encode("lift the cube", sizes.words)[None])
    assert queries.shape == (1, sizes.steps, 2, sizes.key) and understood[0] > 0
    image = np.zeros((1, sizes.image, sizes.image, 3), np.uint8)
    scores, heights, _ = graphs("locate", image, queries[:, 0])
    assert scores.shape == (1, 1, 3, (sizes.image // 2) ** 2 + 1) and heights.shape == (1, 1, 3)


def test_weights_are_stored_once():
    folder = folder_of(from_mapping(CompactParameters, {}))
    graphs_size, weights_size = ((folder / name).stat().st_size for name in (GRAPHS, WEIGHTS))
    assert graphs_size < weights_size / 10


def test_the_graphs_say_what_the_network_says(folder):
    import torch

    from vla_ros.policies.compact.model import CompactModel

    checkpoint = load(folder)
    model = CompactModel.from_pretrained(str(folder), dtype=torch.float32).eval()
    words = checkpoint.vocabulary.encode("pick up the red cube", SIZES.words)[None]
    graphs = Graphs(checkpoint)
    rng = np.random.default_rng(0)
    with torch.no_grad():
        for ours, theirs in zip(graphs("language", words), model.language(torch.from_numpy(words)), strict=True):
            np.testing.assert_allclose(ours, theirs.numpy(), atol=1e-4)
        image = rng.integers(0, 255, (1, 32, 32, 3), dtype=np.uint8)
        queries = rng.standard_normal((1, 2, SIZES.key)).astype(np.float32)
        seen = model.locate({"front": torch.from_numpy(image)}, torch.from_numpy(queries))
        for ours, theirs in zip(graphs("locate", image, queries), seen, strict=True):
            np.testing.assert_allclose(ours, torch.stack(theirs, 1).numpy(), atol=1e-4)
        crops = rng.integers(0, 255, (1, 3, SIZES.crop, SIZES.crop, 3), dtype=np.uint8)
        centres = rng.uniform(-1, 1, (1, 3, 3)).astype(np.float32)
        (ours,) = graphs("refine", crops, queries, centres)
        theirs = model.refine(
            torch.from_numpy(crops), model.with_tool(torch.from_numpy(queries)), torch.from_numpy(centres)
        )
        np.testing.assert_allclose(ours, theirs.numpy(), atol=1e-4)
        shapes = [(1, 16, 7), (1, 16), (1, 2, 10), (1, 18), (1, 8, 32)]
        inputs = [rng.standard_normal(shape).astype(np.float32) for shape in shapes]
        (ours,) = graphs("flow", *inputs)
        np.testing.assert_allclose(ours, model.flow(*map(torch.from_numpy, inputs)).numpy(), atol=1e-4)


def test_the_graphs_that_ship_say_what_the_network_says():
    torch = pytest.importorskip("torch")
    pytest.importorskip("transformers")
    checkpoint = load(folder_of(from_mapping(CompactParameters, {})))
    assert is_current(checkpoint)
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
            np.testing.assert_allclose(ours, value.numpy(), atol=1e-4, err_msg=name)


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
    save_file({"locate.onnx": np.zeros(1, np.uint8)}, tmp_path / GRAPHS, {"checkpoint": checkpoint.hash})
    assert not is_current(checkpoint)
    Graphs(checkpoint, ("flow",))
    assert is_current(checkpoint)
