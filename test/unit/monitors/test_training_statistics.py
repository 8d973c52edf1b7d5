"""Statistics of the training data: read from stats.json, and refused in one line."""

from __future__ import annotations

import json
import math
from pathlib import Path

import pytest

from test.unit.monitors.watching import JOINTS, STATS
from vla_ros.monitors.training_statistics import load_statistics, parse_statistics
from vla_ros.parameters import ParameterError


def test_statistics_are_read_from_stats_json(tmp_path: Path) -> None:
    file = tmp_path / "stats.json"
    file.write_text(json.dumps(STATS))
    read = load_statistics(str(file), JOINTS)
    assert read.images["front"].mean.tolist() == [0.5, 0.5, 0.4]
    assert (read.lower.tolist(), read.upper.tolist()) == ([-1.0, 0.0], [1.0, 2.0])
    quantiles = {**STATS, "observation.state": {**STATS["observation.state"], "q01": [-0.9, 0.1], "q99": [0.9, 1.9]}}
    assert parse_statistics(quantiles, JOINTS).upper.tolist() == [0.9, 1.9]
    assert len(parse_statistics({}, JOINTS).lower) == 0


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("{", "Expecting"),
        ("[]", "expected the mapping"),
        (json.dumps({"observation.state": {"min": [0.0], "max": [1.0]}}), "observation.state.min: expected 2 finite"),
        (json.dumps({"observation.images.front": {"mean": [1, 2, 3]}}), "observation.images.front.std: expected 3"),
        (json.dumps({"observation.state": {"min": [0, math.nan], "max": [1, 1]}}), "observation.state.min"),
    ],
)
def test_bad_statistics_are_one_clear_line(tmp_path: Path, text: str, words: str) -> None:
    (tmp_path / "stats.json").write_text(text)
    with pytest.raises(ParameterError, match=r"^monitors.statistics: .*stats.json: ") as error:
        load_statistics(str(tmp_path / "stats.json"), JOINTS)
    assert words in str(error.value)
