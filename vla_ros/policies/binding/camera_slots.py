"""Which camera a checkpoint sees in which of its image inputs: by name, never by order."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from vla_ros.policies.binding.binding_row import BindingRow
from vla_ros.policies.binding.bound_values import NOTHING
from vla_ros.policies.binding.checkpoint_contract import CameraSlot

ASPECT_TOLERANCE = 0.02
"""Ratios of height to width that differ by more are said to differ."""


class CameraFault(RuntimeError):
    """A camera that the checkpoint needs gives no healthy image now. The text is one line; the arm is to hold."""


def match_cameras(
    slots: Sequence[CameraSlot],
    cameras: Sequence[str],
    entries: Sequence[str],
    image_size: tuple[int, int] | None = None,
) -> tuple[dict[str, str], list[BindingRow]]:
    """Return slot → camera, and one row for each slot and each entry that is wrong.

    An entry decides; "slot=-" leaves it empty. Else the camera with the last part of the slot's name. Else the only camera
    that shares a telling word with it ("front" for "front_image"). Else, for one slot without such a word, the only camera.

    Args:
        slots: of the checkpoint.
        cameras: of the robot; empty: unknown.
        entries: `BindingParameters.cameras`, "slot=camera".
        image_size: (height, width) of the robot's images, pixel; None: unknown.
    """
    given, rows = _entries(slots, cameras, entries)
    chosen = {name: camera for name, camera in given.items() if camera}
    free = [slot for slot in slots if slot.name not in given]
    if cameras:
        found = {slot.name: _candidates(slot, free, cameras, chosen) for slot in free}
        chosen |= {name: one[0] for name, one in found.items() if len(one) == 1}
    else:
        found = {slot.name: [] for slot in free}
    unused = [camera for camera in cameras if camera not in chosen.values()]
    for slot in slots:
        candidates = found.get(slot.name, []) or unused
        rows.append(_row(slot, chosen, candidates, slot.name in given, cameras, image_size))
    seen = {name: camera for name, camera in chosen.items() if camera != NOTHING}
    if slots and cameras and not seen and all(row.verdict != "refused" for row in rows):
        write = f"write {_example(slots, cameras)}"
        rows.append(BindingRow("cameras", "an image at least", "all its inputs are empty", "refused", write))
    refused = {row.what.removeprefix("camera ") for row in rows if row.verdict == "refused"}
    return {name: camera for name, camera in seen.items() if name not in refused}, rows


def _entries(
    slots: Sequence[CameraSlot], cameras: Sequence[str], entries: Sequence[str]
) -> tuple[dict[str, str], list[BindingRow]]:
    """Return slot → camera of the entries (empty: wrong, and a row says why)."""
    given: dict[str, str] = {}
    rows = []
    for entry in entries:
        name, equals, camera = (part.strip() for part in entry.partition("="))
        full = [slot.name for slot in slots if name in (slot.name, slot.alias, *slot.short_names)]
        if not equals or not name or not camera:
            rows.append(_bad(entry, "slot=camera", "it is not of that form", f"write {_example(slots, cameras)}"))
        elif len(full) != 1:
            known = ", ".join(slot.name for slot in slots) or "no image"
            rows.append(_bad(entry, known, f"binding.cameras names {name!r}", f"write {_example(slots, cameras)}"))
        elif full[0] in given:
            rows.append(_bad(entry, "one camera in a slot", f"{full[0]} is named twice", "leave one entry of it"))
        else:
            given[full[0]] = camera
    return given, rows


def _bad(entry: str, wants: str, has: str, remedy: str) -> BindingRow:
    return BindingRow(f"binding.cameras {entry!r}", wants, has, "refused", remedy)


def _example(slots: Sequence[CameraSlot], cameras: Sequence[str]) -> str:
    slot = slots[0].name if slots else "slot"
    return f'binding.cameras: ["{slot}={cameras[0] if cameras else "camera"}", ...]'


def _candidates(
    slot: CameraSlot, free: Sequence[CameraSlot], cameras: Sequence[str], chosen: Mapping[str, str]
) -> list[str]:
    """Return the cameras that a slot without an entry may mean; exactly one: it does."""
    left = [camera for camera in cameras if camera not in chosen.values()]
    name = slot.short_names[0]
    if name in left:
        return [name]
    exact = {other.short_names[0] for other in free}
    similar = [camera for camera in left if camera not in exact and _words(camera) & _words(name)]
    if similar:
        return similar
    return left if len(left) == 1 and len(free) == 1 and not _words(name) else []


def _words(name: str) -> set[str]:
    """Return the words of a name that tell cameras apart."""
    words = set(re.split(r"[^a-z]+", name.lower()))
    return words - {"", "camera", "cam", "image", "images", "rgb", "color", "colour", "view", "observation"}


def _row(
    slot: CameraSlot,
    chosen: Mapping[str, str],
    candidates: Sequence[str],
    by_entry: bool,
    cameras: Sequence[str],
    image_size: tuple[int, int] | None,
) -> BindingRow:
    """Say what a slot sees."""
    what, name = f"camera {slot.name}", slot.short_names[0]
    size = f"{slot.height}x{slot.width}" if slot.height and slot.width else "any size"
    wants = f"rgb, {size}" + (f", {name}" if slot.alias else "") + ("" if slot.required else ", may be empty")
    entries = " or ".join(f'["{slot.name}={camera}"]' for camera in candidates or cameras or ["camera"])
    camera = chosen.get(slot.name)
    if camera == NOTHING and slot.required:
        return BindingRow(
            what, wants, "binding.cameras leaves it empty", "refused", f"name a camera: binding.cameras: {entries}"
        )
    if camera == NOTHING:
        return BindingRow(what, wants, "left empty", "mapped")
    if camera is None and not cameras:
        return BindingRow(what, wants, "the cameras are not known yet; the first frames decide", "mapped")
    if camera is None and candidates:
        empty = "" if slot.required else f', or ["{slot.name}={NOTHING}"] to leave it empty'
        has = f"{' or '.join(candidates)} may be meant"
        return BindingRow(what, wants, has, "refused", f"write binding.cameras: {entries}{empty}")
    if camera is None and not slot.required:
        return BindingRow(what, wants, "left empty: no camera is left", "mapped")
    if camera is None:
        has = f"no camera is left for it; there are {', '.join(cameras)}"
        return BindingRow(what, wants, has, "refused", f"write binding.cameras: {entries}, or add a camera")
    if cameras and camera not in cameras:
        has = f"binding.cameras names camera {camera!r}, and there are {', '.join(cameras)}"
        right = name if name in cameras else cameras[0]
        return BindingRow(what, wants, has, "refused", f'write "{slot.name}={right}"')
    twice = [other for other, seen in chosen.items() if seen == camera and other != slot.name]
    if twice:
        has = f"camera {camera} is also in {', '.join(twice)}"
        return BindingRow(what, wants, has, "refused", f"name another camera for {slot.name} in binding.cameras")
    if by_entry and name != camera and name in cameras:
        has = f"binding.cameras gives it {camera}, though there is a camera {name}"
        return BindingRow(what, wants, has, "refused", f'write "{slot.name}={name}", or rename that camera')
    resized = image_size is not None and slot.height > 0 and image_size != (slot.height, slot.width)
    has = camera if image_size is None else f"{camera}, {image_size[0]}x{image_size[1]}"
    if resized and image_size is not None:
        squeezed = abs(image_size[0] * slot.width / (image_size[1] * slot.height) - 1) > ASPECT_TOLERANCE
        has += ", resized" + (" from another aspect ratio" if squeezed else "")
    return BindingRow(what, wants, has, "ok" if name == camera and not resized else "mapped")
