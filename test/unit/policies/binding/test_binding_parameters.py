"""Options of a binding: all may be left out, each wrong one is named."""

from __future__ import annotations

import pytest

from vla_ros.parameters import ParameterError, declarations, from_mapping
from vla_ros.policies.binding.binding_parameters import BindingParameters


def test_everything_may_be_left_out() -> None:
    assert from_mapping(BindingParameters, {}).unit_factor == 20.0
    assert all(declaration.metadata["description"] for declaration in declarations(BindingParameters))


@pytest.mark.parametrize(
    ("options", "text"),
    [
        ({"angle_unit": "grad"}, "binding.angle_unit: must be one of rad, deg; got 'grad'"),
        ({"action_kind": "delta"}, "binding.action_kind: must be one of absolute, relative, step"),
        ({"action_space": "pose"}, "binding.action_space: must be one of joint, cartesian"),
        ({"rate_hz": -1.0}, "binding.rate_hz: must be at least 0.0 Hz"),
        ({"unit_factor": 1.0}, "binding.unit_factor: must be above 1.0"),
        ({"position_scale": 0.0}, "binding.position_scale: must be above 0.0 m"),
        ({"gripper_open": 0.0}, "binding.gripper_open: must differ from gripper_closed, both are 0"),
        ({"cameras": "top=front"}, "binding.cameras: expected a list of str"),
    ],
)
def test_a_wrong_option_is_named(options: dict[str, object], text: str) -> None:
    with pytest.raises(ParameterError) as error:
        from_mapping(BindingParameters, options, "binding.")
    assert text in str(error.value)
