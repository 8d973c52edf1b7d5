"""Camera images on the page, and what is drawn into them."""

from __future__ import annotations

import numpy as np
import pytest

from vla_ros.dashboard.arm import Arm
from vla_ros.dashboard.camera_panel import CameraPanel
from vla_ros.dashboard.observations import CameraImage
from vla_ros.sim.arm_description import HOME
from vla_ros.time import NS_PER_S
from vla_ros.transforms import matrix

K = np.array([[300.0, 0.0, 128.0], [0.0, 300.0, 128.0], [0.0, 0.0, 1.0]])
NONE = np.zeros((0, 3))


def image(name: str = "top", stamp_ns: int = 0) -> CameraImage:
    return CameraImage(name, "", np.zeros((256, 256, 3), np.uint8), K, "ok", stamp_ns)


@pytest.fixture
def panel(arm: Arm) -> CameraPanel:
    """With a camera that looks down on the table."""
    arm.set_joints(HOME)
    return CameraPanel(arm, {"top": matrix([0.5, 0.0, 1.0], [1.0, 0.0, 0.0, 0.0])}, {})


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_a_waypoint_that_is_no_number_is_left_out(panel: CameraPanel, bad: float) -> None:
    waypoints = np.array([[bad, 0.0, 0.0], [0.5, 0.0, 0.0]])
    with np.errstate(all="ignore"):
        panel.update(0, 0, [image()], waypoints, NONE, placed=True)
    assert panel.content(0)[0]["waypoints"] == [None, [0.5, 0.5]]


def test_a_set_that_cannot_be_encoded_leaves_the_one_before(panel: CameraPanel) -> None:
    panel.update(0, 0, [image()], NONE, NONE, placed=True)
    before = panel.images, panel.number
    with pytest.raises(Exception, match="imencode"):
        empty = CameraImage("b", "", np.zeros((0, 0, 3), np.uint8), K, "ok")
        panel.update(0, 0, [image("a"), empty], NONE, NONE, placed=True)
    assert (panel.images, panel.number) == before
    assert [entry["name"] for entry in panel.content(0)] == ["top"]


def test_nothing_is_drawn_where_the_pose_of_camera_or_arm_is_unknown(panel: CameraPanel) -> None:
    point = np.array([[0.5, 0.0, 0.0]])
    panel.update(0, 0, [image(), image("elsewhere")], point, point, placed=True)
    top, elsewhere = panel.content(0)
    assert top["path"] == [[0.5, 0.5]] and "path" not in elsewhere
    panel.update(0, 0, [image()], point, point, placed=False)
    assert "path" not in panel.content(0)[0]


def test_a_camera_on_a_link_sees_from_where_the_link_is(arm: Arm) -> None:
    arm.set_joints(HOME)
    tool = arm.link_pose("tool")
    assert tool is not None
    panel = CameraPanel(arm, {"top": matrix([0.0, 0.0, -0.3], [0.0, 0.0, 0.0, 1.0])}, {"top": "tool"})
    ahead = (tool @ [0.0, 0.0, 0.2, 1.0])[:3]
    panel.update(0, 0, [image()], ahead[None], NONE, placed=True)
    assert panel.content(0)[0]["waypoints"] == [[0.5, 0.5]]


def test_images_grow_old_from_the_moment_they_were_taken(panel: CameraPanel) -> None:
    panel.update(NS_PER_S, 100 * NS_PER_S, [image(stamp_ns=98 * NS_PER_S), image()], NONE, NONE, placed=True)
    assert [entry["age_s"] for entry in panel.content(4 * NS_PER_S)] == [5.0, 3.0]
