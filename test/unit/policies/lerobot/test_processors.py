"""The steps of a processor and their statistics, as LeRobot writes them."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from test.unit.policies.lerobot.folders import STATE, feature, write_processor
from vla_ros.parameters import ParameterError
from vla_ros.policies.lerobot.processors import read_steps, step_named


def test_steps_have_names_options_and_statistics(tmp_path: Path) -> None:
    options = {"norm_map": {"STATE": "MEAN_STD"}, "features": {STATE: feature("STATE", 2)}}
    stats = {STATE: {"mean": np.array([1.0, 2.0])}}
    write_processor(tmp_path, "pre", [{"class": "my.Step"}, ("normalizer_processor", options, stats)])
    steps = read_steps(tmp_path / "pre.json")
    assert [step.name for step in steps] == ["my.Step", "normalizer_processor"]
    found = step_named(steps, "unnormalizer_processor", "normalizer_processor")
    assert found is not None and found.statistics[STATE]["mean"] == pytest.approx([1.0, 2.0])
    assert (found.mode("STATE"), found.mode("ACTION"), steps[0].mode("STATE")) == ("mean_std", "identity", "")
    assert found.reaches(STATE) and not found.reaches("observation.velocity") and not steps[0].reaches(STATE)
    assert step_named(steps, "other") is None


@pytest.mark.parametrize("content", [{}, {"steps": 3}, {"steps": [1]}, {"steps": {"a": 1}}])
def test_what_is_no_processor_is_refused(tmp_path: Path, content: object) -> None:
    (tmp_path / "pre.json").write_text(json.dumps(content))
    with pytest.raises(ParameterError, match=r"pre\.json: expected a list of steps"):
        read_steps(tmp_path / "pre.json")


def test_a_file_of_statistics_outside_the_folder_is_not_read(tmp_path: Path) -> None:
    """A name is a name and no path: a folder from elsewhere reads nothing of this machine."""
    folder = tmp_path / "policy"
    folder.mkdir()
    write_processor(tmp_path, "other", [("normalizer_processor", {}, {STATE: {"mean": np.zeros(2)}})])
    outside = json.loads((tmp_path / "other.json").read_text())["steps"][0]["state_file"]
    (folder / "pre.json").write_text(json.dumps({"steps": [{"class": "x", "state_file": f"../{outside}"}]}))
    with pytest.raises(ParameterError, match="No such file"):
        read_steps(folder / "pre.json")
