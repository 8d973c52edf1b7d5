"""tf2 is asked for the image's moment; here a stand-in answers, for tf2 has no wheel."""

from __future__ import annotations

import sys
from types import ModuleType, SimpleNamespace
from typing import Any, ClassVar

import pytest

from vla_ros.ros.tf_poses import TfPoses


class TransformError(Exception):
    pass


class Buffer:
    made: ClassVar[list[Buffer]] = []

    def __init__(self, **_: Any) -> None:
        self.asked: list[tuple[str, str, int]] = []
        Buffer.made.append(self)

    def lookup_transform(self, target: str, source: str, at: Any) -> Any:
        self.asked.append((target, source, at.nanoseconds))
        if source == "nowhere":
            raise TransformError
        at_m, turn = SimpleNamespace(x=1.0, y=2.0, z=3.0), SimpleNamespace(x=0.0, y=0.0, z=1.0, w=0.0)
        return SimpleNamespace(transform=SimpleNamespace(translation=at_m, rotation=turn))


@pytest.fixture
def tf2(monkeypatch: pytest.MonkeyPatch) -> None:
    module: Any = ModuleType("tf2_ros")
    module.Buffer, module.TransformException = Buffer, TransformError
    module.TransformListener = lambda *_, **options: options
    monkeypatch.setitem(sys.modules, "tf2_ros", module)
    Buffer.made.clear()


@pytest.mark.usefixtures("tf2")
def test_a_frame_is_looked_up_at_the_moment_of_the_image() -> None:
    poses = TfPoses(SimpleNamespace(), "base")
    assert TfPoses.available() and not Buffer.made, "nothing is listened to before a frame is asked for"
    pose = poses.pose("gantry", 7_000_000_001)
    assert pose is not None and pose[:3, 3].tolist() == [1.0, 2.0, 3.0] and pose[0, 0] == pytest.approx(-1.0)
    assert poses.pose("nowhere", 8) is None
    (buffer,) = Buffer.made
    assert buffer.asked == [("base", "gantry", 7_000_000_001), ("base", "nowhere", 8)]


def test_without_tf2_there_is_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "tf2_ros", None)
    assert not TfPoses.available()
