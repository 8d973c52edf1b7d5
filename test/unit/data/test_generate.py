"""Demonstrations are made of training seeds only, and of the next ones."""

from __future__ import annotations

from pathlib import Path

import pytest

from vla_ros.data.generate import generate_dataset
from vla_ros.parameters import ParameterError


def test_seeds_of_evaluation_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ParameterError, match="kept for evaluation"):
        generate_dataset(tmp_path, 1, 5000, 1, lambda made, tried: None)


def test_a_folder_of_later_seeds_is_not_filled_up_with_earlier_ones(good: Path) -> None:
    with pytest.raises(ParameterError, match="holds seeds up to 1000021"):
        generate_dataset(good, 30, 1_000_050, 1, lambda made, tried: None)


def test_what_is_there_already_counts(good: Path) -> None:
    assert generate_dataset(good, 22, 1_000_000, 1, lambda made, tried: None) == (22, 0)
