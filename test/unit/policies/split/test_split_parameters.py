"""Options of the split families."""

from __future__ import annotations

import importlib.util
import sys

import pytest

from vla_ros.parameters import ParameterError, from_mapping
from vla_ros.policies import registry
from vla_ros.policies.split.split_parameters import Pi0Parameters, Pi05Parameters


def test_the_registry_knows_them_without_a_model() -> None:
    assert {"smolvla", "pi0", "pi05", "groot"} <= set(registry.names())
    for name in ("smolvla", "pi0", "pi05", "groot"):
        assert registry.policy(name).parameters.__name__.lower().startswith(name)
    assert "lerobot" not in sys.modules


def test_bad_options_name_their_key() -> None:
    for values, text in (
        ({"weights": "int2"}, "pi0.weights: must be one of auto, float32, bfloat16, int8, int4"),
        ({"wire_dtype": "float16"}, "pi0.wire_dtype: must be one of"),
        ({"real_time_chunking": {"form": "on"}}, "pi0.real_time_chunking.form: must be one of"),
        ({"euler_steps": -1}, "pi0.euler_steps: must be at least 0"),
    ):
        with pytest.raises(ParameterError) as error:
            from_mapping(Pi0Parameters, values, "pi0.")
        assert text in str(error.value)
    with pytest.raises(ParameterError, match="trained is not offered for pi05"):
        from_mapping(Pi05Parameters, {"real_time_chunking": {"form": "trained"}}, "pi05.")


def test_a_missing_library_is_one_line() -> None:
    """Without torch the module does not import; with torch and without LeRobot its half says what to install."""
    if importlib.util.find_spec("lerobot") is not None:
        pytest.skip("LeRobot is installed")
    robot = registry.Robot("", ("joint1",))
    for name in ("smolvla", "pi05", "groot"):
        with pytest.raises(ParameterError, match="does not import: No module named|its model needs LeRobot"):
            registry.system1(name, robot, {"checkpoint": "nowhere"})
