"""Which camera is seen where: by name, and refused with what to write where a name does not tell."""

from __future__ import annotations

import pytest

from vla_ros.policies.binding.binding_row import BindingRow
from vla_ros.policies.binding.camera_slots import match_cameras
from vla_ros.policies.binding.checkpoint_contract import CameraSlot


def slots(*names: str, required: bool = True) -> list[CameraSlot]:
    return [CameraSlot(f"observation.images.{name}", 480, 640, required) for name in names]


def short_name(name: str) -> str:
    return name.rsplit(".", 1)[-1]


def match(found: tuple[dict[str, str], list[BindingRow]]) -> dict[str, str]:
    """Return slot's short name → camera, or what is refused."""
    chosen, rows = found
    refused = {short_name(row.what): f"refused: {row.has}; {row.remedy}" for row in rows if row.verdict == "refused"}
    return {short_name(name): camera for name, camera in chosen.items()} | refused


@pytest.mark.parametrize(
    ("names", "cameras", "entries", "expected"),
    [
        (["front", "wrist"], ["wrist", "front"], [], {"front": "front", "wrist": "wrist"}),
        (["front"], ["front", "wrist"], [], {"front": "front"}),
        (["front_image", "wrist_image"], ["front", "wrist"], [], {"front_image": "front", "wrist_image": "wrist"}),
        (["cam_high"], ["high", "low"], [], {"cam_high": "high"}),
        (["image"], ["front"], [], {"image": "front"}),
        (["top"], ["front", "wrist"], ["top=front"], {"top": "front"}),
        (["top"], ["front"], ["observation.images.top = front"], {"top": "front"}),
        (["top", "side"], ["a", "b"], ["top=b", "side=a"], {"top": "b", "side": "a"}),
    ],
)
def test_names_and_entries_decide(
    names: list[str], cameras: list[str], entries: list[str], expected: dict[str, str]
) -> None:
    assert match(match_cameras(slots(*names), cameras, entries)) == expected


@pytest.mark.parametrize(
    ("names", "cameras", "entries", "slot", "texts"),
    [
        # A camera that is not what the slot is called is not taken for it, though it is the only one.
        (["wrist"], ["front"], [], "wrist", ["front may be meant", '["observation.images.wrist=front"]']),
        (["image"], ["front", "wrist"], [], "image", ["front or wrist may be meant", '=front"] or ["observation']),
        (["wrist"], ["left_wrist", "right_wrist"], [], "wrist", ["left_wrist or right_wrist may be meant"]),
        (
            ["left_wrist", "right_wrist"],
            ["wrist"],
            [],
            "left_wrist",
            ["camera wrist is also in observation.images.right"],
        ),
        (["front", "top"], ["front"], [], "top", ["no camera is left for it; there are front", "add a camera"]),
        (["front"], ["front", "wrist"], ["front=side"], "front", ["names camera 'side', and there are front, wrist"]),
        (["front", "wrist"], ["front", "wrist"], ["front=wrist", "wrist=front"], "front", ["there is a camera front"]),
        (["top", "side"], ["front"], ["top=front", "side=front"], "side", ["camera front is also in"]),
        (["front"], ["front"], ["front=-"], "front", ["leaves it empty", "name a camera"]),
    ],
)
def test_a_camera_that_may_be_the_wrong_one_is_refused(
    names: list[str], cameras: list[str], entries: list[str], slot: str, texts: list[str]
) -> None:
    found = match(match_cameras(slots(*names), cameras, entries))
    assert found[slot].startswith("refused: ")
    assert all(text in found[slot] for text in texts), found[slot]


@pytest.mark.parametrize(
    ("entry", "text"),
    [
        ("front", "it is not of that form"),
        ("=front", "it is not of that form"),
        ("back=front", "binding.cameras names 'back'"),
        ("front=", "it is not of that form"),
    ],
)
def test_an_entry_that_is_wrong_is_a_row_of_its_own(entry: str, text: str) -> None:
    _, rows = match_cameras(slots("front"), ["front"], [entry])
    (wrong,) = [row for row in rows if row.what == f"binding.cameras {entry!r}"]
    assert wrong.verdict == "refused" and text in wrong.has
    assert 'binding.cameras: ["observation.images.front=front"' in wrong.remedy


def test_an_entry_that_stands_twice_is_refused() -> None:
    _, rows = match_cameras(slots("front"), ["front"], ["front=front", "front=front"])
    assert [row.has for row in rows if row.verdict == "refused"] == ["observation.images.front is named twice"]


def test_inputs_that_may_be_empty_are_left_so_only_where_no_camera_is_left_or_it_is_said() -> None:
    wanted = slots("front", "left_wrist", "right_wrist", required=False)
    found = match(match_cameras(wanted, ["front"], []))
    assert found == {"front": "front"}
    found = match(match_cameras(wanted, ["front", "hand"], []))
    assert "hand may be meant" in found["left_wrist"] and 'left_wrist=-"] to leave it empty' in found["left_wrist"]
    found = match(match_cameras(wanted, ["front", "hand"], ["left_wrist=hand", "right_wrist=-"]))
    assert found == {"front": "front", "left_wrist": "hand"}


def test_a_model_that_would_see_nothing_is_refused() -> None:
    _, rows = match_cameras(slots("front", required=False), ["hand"], ["front=-"])
    assert rows[-1].verdict == "refused" and rows[-1].has == "all its inputs are empty"


def test_what_the_data_called_an_input_tells_its_camera() -> None:
    renamed = [
        CameraSlot("observation.images.camera1", 480, 640, alias="observation.images.wrist"),
        CameraSlot("observation.images.camera2", 480, 640, alias="observation.images.front"),
    ]
    chosen, rows = match_cameras(renamed, ["front", "wrist"], [])
    assert chosen == {"observation.images.camera1": "wrist", "observation.images.camera2": "front"}
    assert {row.verdict for row in rows} == {"ok"} and rows[0].wants == "rgb, 480x640, wrist"
    assert match(match_cameras(renamed, ["a", "b"], ["camera1=a", "front=b"])) == {"camera1": "a", "camera2": "b"}


def test_unknown_cameras_are_not_refused_yet() -> None:
    chosen, rows = match_cameras(slots("front", "top"), [], ["top=side"])
    assert chosen == {"observation.images.top": "side"}
    assert {row.verdict for row in rows} == {"mapped"}


@pytest.mark.parametrize(
    ("size", "has", "verdict"),
    [
        (None, "front", "ok"),
        ((480, 640), "front, 480x640", "ok"),
        ((240, 320), "front, 240x320, resized", "mapped"),
        ((256, 256), "front, 256x256, resized from another aspect ratio", "mapped"),
    ],
)
def test_sizes_are_told(size: tuple[int, int] | None, has: str, verdict: str) -> None:
    _, (row,) = match_cameras(slots("front"), ["front"], [], size)
    assert (row.has, row.verdict) == (has, verdict)
