"""Health of a camera in words."""

from __future__ import annotations

from vla_ros.perception.frames import CameraHealth


def test_health_is_told_in_words() -> None:
    assert [health.words for health in (CameraHealth.OK, CameraHealth.WRONG_SIZE)] == ["ok", "wrong size"]
