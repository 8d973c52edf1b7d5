"""The 3D view: only what changes is sent; what is gone goes."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from typing import Any

import numpy as np
import pytest
import viser
import viser._messages
import viser._viser
import viser.infra

from vla_ros.dashboard.arm import Arm
from vla_ros.dashboard.observations import MarkerShape
from vla_ros.dashboard.scene_3d import Scene3D
from vla_ros.sim.arm_description import HOME

NONE = np.zeros((0, 3))
ENDS = ((0.0, 0.0, 0.0), (0.1, 0.0, 0.0))


def shape(key: str, kind: str, **changes: Any) -> MarkerShape:
    values: dict[str, Any] = {
        "position": (0.1, 0.2, 0.3),
        "quaternion": (0.0, 0.0, 0.0, 1.0),
        "size": (0.1, 0.1, 0.2),
        "points": ENDS if kind in ("lines", "path") else (),
        "colour": (1.0, 0.0, 0.0, 0.5),
        "text": "12 mm",
    }
    return MarkerShape(key, kind, **(values | changes))


@pytest.fixture(scope="module")
def scene(arm: Arm) -> Iterator[Scene3D]:
    made = Scene3D(arm)
    yield made
    made.stop()


def sent(scene: Scene3D) -> int:
    """How many messages viser has been given so far."""
    count: int = scene._server._websock_server.get_message_buffer().message_counter
    return count


def test_every_kind_of_marker_is_drawn_moved_and_removed(scene: Scene3D) -> None:
    kinds = ("box", "sphere", "cylinder", "lines", "path", "arrow", "text")
    shapes = [shape(f"all/{kind}", kind) for kind in kinds]
    scene.draw(HOME, None, NONE, NONE, shapes)
    drawn = {key: handle for key, (_, handle) in scene._shapes.items()}
    scene.draw(HOME, None, NONE, NONE, [shape(f"all/{kind}", kind, position=(0.4, 0.0, 0.0)) for kind in kinds])
    for key, (_, handle) in scene._shapes.items():
        assert handle is drawn[key]
        assert handle.position == pytest.approx((0.4, 0.0, 0.0))
    scene.draw(HOME, None, NONE, NONE, [shape("all/box", "box", colour=(0.0, 1.0, 0.0, 1.0))])
    assert list(scene._shapes) == ["all/box"]
    assert scene._shapes["all/box"][1] is not drawn["all/box"]


def test_waypoints_that_are_no_numbers_are_left_out(scene: Scene3D) -> None:
    scene.draw(HOME, None, NONE, np.array([[0.1, 0.0, 0.5], [np.nan, 0.0, 0.5], [0.3, 0.0, np.inf]]), [])
    assert scene._points.points.tolist() == [pytest.approx([0.1, 0.0, 0.5], abs=1e-3)]
    assert scene._plan_path.points.shape == (0, 2, 3)


def test_no_viewer_opens_a_way_to_outside(scene: Scene3D, monkeypatch: pytest.MonkeyPatch) -> None:
    """viser's own handler of the request is called, up to where it would connect."""
    server = scene._server
    tunnels: list[object] = []
    submitted: list[Callable[[], object]] = []

    def tunnel(*where: object) -> None:
        tunnels.append(where)
        raise OSError("this test has no network")

    def submit(call: Callable[[], object]) -> Future[None]:
        submitted.append(call)
        return Future()

    monkeypatch.setattr(viser._viser, "ViserTunnel", tunnel)
    monkeypatch.setattr(server._thread_executor, "submit", submit)
    request = viser._messages.ShareUrlRequest()
    for handle in server._websock_server._incoming_handlers[type(request)]:
        handle(viser.infra.ClientId(0), request)
    assert submitted
    for call in submitted:
        with contextlib.suppress(OSError):
            call()
    assert tunnels == []


def test_what_stays_costs_nothing(scene: Scene3D) -> None:
    path = np.array([[0.0, 0.0, 0.5], [0.1, 0.0, 0.5]])
    again = [shape("still", "box", until_ns=5)]
    scene.draw(HOME, HOME, path, path, again)
    before = sent(scene)
    scene.draw([q + 1e-6 for q in HOME], HOME, path + 1e-5, path, [shape("still", "box", until_ns=6)])
    assert sent(scene) == before
    scene.draw([HOME[0] + 0.1, *HOME[1:]], HOME, path, path, again)
    assert sent(scene) > before


def test_the_proposed_is_there_while_something_is_proposed(scene: Scene3D, arm: Arm) -> None:
    scene.draw(HOME, [0.5, *HOME[1:]], NONE, NONE, [])
    assert scene._proposed.visible
    arm.set_joints([0.5, *HOME[1:]])
    position, turn = arm.joint_pose(1)
    ghost = scene._bodies["/proposed_arm"][1]
    assert ghost.position == pytest.approx(position)
    assert ghost.wxyz == pytest.approx(turn)
    scene.draw(HOME, None, NONE, NONE, [])
    assert not scene._proposed.visible
