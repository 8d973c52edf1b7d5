"""The configuration of a training run is checked before anything heavy is imported."""

from __future__ import annotations

import argparse
from pathlib import Path

import pytest

from vla_ros.cli import train
from vla_ros.lab.training.train_parameters import PHASES
from vla_ros.parameters import ParameterError


def test_the_phases_are_all_of_them_in_order() -> None:
    parser = argparse.ArgumentParser()
    train.arguments(parser)
    assert parser.parse_args([]).phases.split(",") == list(PHASES)


@pytest.mark.parametrize(
    ("text", "error"),
    [("- 1", "expected `key: value`"), ("sped: 2", r"train\.sped: no such parameter"), ("a: [", "not YAML")],
)
def test_a_bad_configuration_is_named(text: str, error: str, tmp_path: Path) -> None:
    file = tmp_path / "train.yaml"
    file.write_text(text)
    with pytest.raises(ParameterError, match=error):
        train.parameters(str(file))


def test_no_file_and_an_empty_file_are_the_standard_run(tmp_path: Path) -> None:
    file = tmp_path / "train.yaml"
    file.write_text("")
    assert train.parameters("") == train.parameters(str(file))
