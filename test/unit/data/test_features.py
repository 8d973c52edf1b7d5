"""The columns: names, shapes and dtypes that readers depend on."""

from __future__ import annotations

from vla_ros.data.disturbances import SHARES
from vla_ros.data.features import FEATURES, FPS, KINDS_OF_RECOVERY, PATH_HZ, PATH_STEPS


def test_every_value_of_a_column_has_a_name_of_its_own() -> None:
    for key, feature in FEATURES.items():
        assert len(set(feature.names)) == len(feature.names), key
        assert feature.shape[-1] == len(feature.names), key


def test_the_path_holds_all_setpoints_between_two_frames() -> None:
    assert PATH_STEPS * FPS == PATH_HZ
    assert FEATURES["action.path"].shape[0] == PATH_STEPS * FEATURES["action"].shape[0]


def test_every_disturbance_is_a_kind_of_recovery() -> None:
    assert set(SHARES) == set(KINDS_OF_RECOVERY)
