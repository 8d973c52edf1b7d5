"""The options: what an OpenVLA checkpoint's numbers mean unless it is said."""

from __future__ import annotations

import pytest

from vla_ros.parameters import ParameterError, from_mapping
from vla_ros.policies.openvla.folder import OftLayout
from vla_ros.policies.openvla.openvla_parameters import OpenVlaOftParameters, OpenVlaParameters


def test_openvla_takes_steps_of_bridge() -> None:
    binding = from_mapping(OpenVlaParameters, {}).binding
    assert (binding.action_kind, binding.action_space, binding.rate_hz) == ("step", "cartesian", 5.0)
    assert (binding.gripper_open, binding.gripper_closed, binding.position_scale) == (1.0, 0.0, 1.0)


def test_oft_takes_steps_of_libero() -> None:
    parameters = from_mapping(OpenVlaOftParameters, {})
    binding = parameters.binding
    assert (binding.action_kind, binding.rate_hz) == ("step", 20.0)
    assert (binding.position_scale, binding.rotation_scale) == (0.05, 0.5)
    assert parameters.center_crop
    assert parameters.layout() == OftLayout()


def test_what_is_said_reaches_the_layout() -> None:
    options = {"images": ["top"], "chunk_size": 5, "normalization": "min_max", "head": "tokens"}
    assert from_mapping(OpenVlaOftParameters, options).layout() == OftLayout(("top",), 5, "min_max", "tokens")


@pytest.mark.parametrize(
    "wrong", [{"weights": "int3"}, {"chunk_size": -1}, {"head": "diffusion"}, {"normalization": "mean"}]
)
def test_other_words_are_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(ParameterError, match=next(iter(wrong))):
        from_mapping(OpenVlaOftParameters, wrong)
