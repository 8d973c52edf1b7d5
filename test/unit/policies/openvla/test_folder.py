"""What a folder wants of a robot, and what is refused before a weight is read."""

from __future__ import annotations

import copy
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from test.unit.policies.openvla.checkpoint_files import STATISTICS, write
from vla_ros.parameters import ParameterError
from vla_ros.policies.openvla.folder import LIBERO_STATE, OftLayout, OpenVlaFolder, state_scale

LIBERO = {**STATISTICS, "proprio": {"q01": [0.0] * 7 + [-0.04], "q99": [1.0] * 6 + [0.04, 0.0]}}
ARMS = {
    "action": {"min": [-1.0] * 14, "max": [1.0] * 14, "q01": [-0.5] * 14, "q99": [0.5] * 14},
    "proprio": {"min": [-1.0] * 14, "max": [1.0] * 14},
}
OFT = ("action_head", "proprio_projector")


def test_openvla_wants_one_image_and_gives_one_step(tmp_path: Path) -> None:
    contract = OpenVlaFolder(str(write(tmp_path))).contract()
    assert contract.family == "openvla"
    assert [(slot.name, slot.height, slot.required) for slot in contract.cameras] == [("full_image", 0, True)]
    assert contract.state is None
    assert (contract.action.width, contract.chunk_size) == (7, 1)
    assert contract.normalization == {"action": "quantiles"}
    assert np.array_equal(contract.action.statistics["q99"], STATISTICS["action"]["q99"])


def test_oft_as_published_for_libero(tmp_path: Path) -> None:
    folder = OpenVlaFolder(str(write(tmp_path, {"libero_spatial_no_noops": LIBERO}, OFT)), "openvla_oft.")
    contract = folder.oft_contract()
    assert [slot.name for slot in contract.cameras] == ["full_image", "wrist_image"]
    assert contract.chunk_size == 8
    assert contract.state is not None
    assert contract.state.names == LIBERO_STATE
    # Fingers in how far they are open, whichever way they go.
    assert contract.state.statistics["q01"].tolist() == [0.0] * 8
    assert contract.state.statistics["q99"].tolist() == [1.0] * 8
    assert state_scale(contract.state).tolist() == [1.0] * 6 + [0.04, -0.04]
    assert contract.normalization == {"action": "quantiles", "state": "quantiles"}


def test_oft_as_published_for_aloha(tmp_path: Path) -> None:
    contract = OpenVlaFolder(str(write(tmp_path, {"aloha": ARMS}, OFT)), "openvla_oft.").oft_contract()
    assert [slot.name for slot in contract.cameras] == ["full_image", "left_wrist_image", "right_wrist_image"]
    assert (contract.chunk_size, contract.action.width) == (25, 14)
    assert contract.normalization == {"action": "min_max", "state": "min_max"}


def test_what_no_file_says_can_be_said(tmp_path: Path) -> None:
    folder = OpenVlaFolder(str(write(tmp_path, {"a": LIBERO}, ("action_head",))), "openvla_oft.")
    contract = folder.oft_contract("a", OftLayout(("top",), 5, "quantiles"))
    assert ([slot.name for slot in contract.cameras], contract.chunk_size, contract.state) == (["top"], 5, None)
    with pytest.raises(ParameterError, match="has no min and no max, by which"):
        folder.oft_contract("a", OftLayout(normalization="min_max"))


def test_a_width_that_nobody_published_must_be_said(tmp_path: Path) -> None:
    eight = {"action": {"q01": [0.0] * 8, "q99": [1.0] * 8}}
    folder = OpenVlaFolder(str(write(tmp_path, {"a": eight}, ("action_head",))), "openvla_oft.")
    for layout, said in (
        (OftLayout(), "openvla_oft.images"),
        (OftLayout(("top",)), "openvla_oft.chunk_size"),
        (OftLayout(("top",), 10), "openvla_oft.normalization"),
    ):
        with pytest.raises(ParameterError, match=f"^{said}: actions have 8 values"):
            folder.oft_contract("", layout)
    assert folder.oft_contract("", OftLayout(("top",), 10, "quantiles")).chunk_size == 10


def test_one_policy_does_not_play_the_others_folder(tmp_path: Path) -> None:
    with pytest.raises(ParameterError, match="action_head--150000_checkpoint.pt.*choose policy openvla_oft"):
        OpenVlaFolder(str(write(tmp_path / "a", {"a": LIBERO}, ("action_head",)))).contract()
    diffusion = write(tmp_path / "b", {"a": LIBERO}, ("action_head", "noisy_action_projector"))
    with pytest.raises(ParameterError, match="diffusion head"):
        OpenVlaFolder(str(diffusion)).oft_contract()


@pytest.mark.parametrize(
    ("which", "change", "said"),
    [
        ("action", {"q99": [0.1] * 6}, "widths differ"),
        ("action", {"q99": [float("nan")] * 7}, "not finite"),
        ("action", {"q01": [0.1] * 7}, "above"),
        ("proprio", {"q99": [0.1] * 6}, "widths differ"),
    ],
)
def test_broken_statistics_are_refused(tmp_path: Path, which: str, change: dict[str, Any], said: str) -> None:
    broken: dict[str, Any] = copy.deepcopy(LIBERO)
    broken[which].update(change)
    folder = OpenVlaFolder(str(write(tmp_path, {"a": broken}, OFT)), "openvla_oft.")
    with pytest.raises(ParameterError, match=f"dataset_statistics.json: a.{which}.*{said}"):
        folder.oft_contract()


def test_missing_statistics_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ParameterError, match="a.action: missing"):
        OpenVlaFolder(str(write(tmp_path / "1", {"a": {}}))).contract()
    with pytest.raises(ParameterError, match="a.proprio: missing"):
        OpenVlaFolder(str(write(tmp_path / "2", {"a": STATISTICS}, OFT))).oft_contract()
    with pytest.raises(ParameterError, match="unnorm_key: say whose"):
        OpenVlaFolder(str(write(tmp_path / "3", {"a": STATISTICS, "b": STATISTICS}))).contract()


def test_what_is_missing_or_torn_is_named(tmp_path: Path) -> None:
    with pytest.raises(ParameterError, match=r"^openvla\.checkpoint: name the folder"):
        OpenVlaFolder("")
    folder = write(tmp_path, components=("action_head",))
    (folder / "tokenizer.json").unlink()
    with pytest.raises(ParameterError, match=r"tokenizer\.json"):
        OpenVlaFolder(str(folder))
    (folder / "tokenizer.json").write_text("{}")
    (folder / "action_head--2_checkpoint.pt").write_bytes(b"PK")
    with pytest.raises(ParameterError, match="action_head--150000_checkpoint.pt, action_head--2_checkpoint.pt"):
        OpenVlaFolder(str(folder))
    (folder / "action_head--2_checkpoint.pt").unlink()
    (folder / "action_head--150000_checkpoint.pt").write_bytes(b"")
    with pytest.raises(ParameterError, match="empty"):
        OpenVlaFolder(str(folder))


def test_the_hash_changes_with_weights_statistics_and_options(tmp_path: Path) -> None:
    folder = write(tmp_path, components=("action_head",))
    first = OpenVlaFolder(str(folder)).checkpoint({"unnorm_key": ""})
    assert OpenVlaFolder(str(folder)).checkpoint({"unnorm_key": ""}) == first
    assert OpenVlaFolder(str(folder)).checkpoint({"unnorm_key": "a"}) != first
    (folder / "action_head--150000_checkpoint.pt").write_bytes(b"PL")
    second = OpenVlaFolder(str(folder)).checkpoint({"unnorm_key": ""})
    write(folder, {"a": STATISTICS}, ("action_head",))
    third = OpenVlaFolder(str(folder)).checkpoint({"unnorm_key": ""})
    assert len({first, second, third}) == 3
