"""Names and paths of checkpoints."""

import pytest

from vla_ros.parameters import ParameterError, from_mapping
from vla_ros.policies.compact.checkpoint_folder import folder_of
from vla_ros.policies.policy_parameters import CompactParameters


def test_a_name_is_a_checkpoint_that_ships_and_a_path_is_itself(tmp_path):
    shipped = folder_of(from_mapping(CompactParameters, {}))
    assert shipped.name == "compact" and (shipped / "config.json").is_file()
    (tmp_path / "config.json").write_text("{}")
    assert folder_of(from_mapping(CompactParameters, {"checkpoint": str(tmp_path)})) == tmp_path


def test_a_checkpoint_that_is_not_there_is_one_clear_line():
    with pytest.raises(ParameterError, match=r"compact\.checkpoint.*/nowhere.*vla-ros train"):
        folder_of(from_mapping(CompactParameters, {"checkpoint": "/nowhere"}))
