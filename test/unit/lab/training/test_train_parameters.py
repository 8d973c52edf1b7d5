"""Configuration of a training run."""

import argparse

import pytest

from vla_ros.cli import train
from vla_ros.lab.training.train_parameters import TrainParameters
from vla_ros.parameters import ParameterError, from_mapping


@pytest.mark.parametrize(
    ("text", "named"),
    [("stills: {scenes: none}", r"train\.stills\.scenes"), ("epochs: 3", r"train\.epochs"), ("a: [", "train: .*yaml")],
)
def test_a_wrong_configuration_is_one_clear_line(tmp_path, text, named):
    path = tmp_path / "bad.yaml"
    path.write_text(text)
    with pytest.raises(ParameterError, match=named):
        train.parameters(str(path))


def test_the_shipped_configuration_is_valid():
    assert train.parameters("config/train.yaml").stills.seed >= 1_000_000


def test_the_words_come_first_and_the_hands_before_both():
    parser = argparse.ArgumentParser()
    train.arguments(parser)
    assert parser.parse_args([]).phases == "language,system1,system2,joint"


def test_a_seed_of_evaluation_is_refused():
    with pytest.raises(ParameterError, match="seed"):
        from_mapping(TrainParameters, {"stills": {"seed": 5}})
