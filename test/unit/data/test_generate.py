"""Demonstrations are made of training seeds only, and of the next ones."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from vla_ros.data.demonstrations import TaskFilter
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


def test_a_folder_of_other_tasks_is_not_filled_up(good: Path) -> None:
    with pytest.raises(ParameterError, match="holds demonstrations of all tasks, any object, not of pick, red cube"):
        generate_dataset(good, 30, 1_000_000, 1, lambda made, tried: None, TaskFilter(("pick",), "red cube"))


@pytest.mark.parametrize(
    ("kinds", "moved", "text"),
    [
        (("juggle",), "", "there is no kind 'juggle'"),
        ((), "red cubes", "there is no 'red cubes'; there are red cube"),
        ((), "red ball", "'red ball' is kept for evaluation"),
        (("push",), "blue ball", "no ball is pushed or stacked"),
    ],
)
def test_tasks_that_are_never_demonstrated_are_refused(kinds: tuple[str, ...], moved: str, text: str) -> None:
    with pytest.raises(ParameterError, match=text):
        TaskFilter(kinds, moved)


def test_scenes_that_do_not_exist_are_refused() -> None:
    with pytest.raises(ParameterError, match="there are no 'dark' ones; there are varied, plain"):
        TaskFilter(scenes="dark")


def test_without_a_filter_kinds_have_their_usual_shares() -> None:
    rng = np.random.default_rng(1)
    drawn = [TaskFilter().kind(rng) for _ in range(2000)]
    assert 0.25 < drawn.count("place") / 2000 < 0.31
    assert {TaskFilter(("pick", "push")).kind(rng) for _ in range(100)} == {"pick", "push"}
