"""Which camera a checkpoint sees in which of its image inputs: by name, never by order."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from vla_ros.policies.binding.binding_row import BindingRow
from vla_ros.policies.binding.checkpoint_contract import CameraSlot


class CameraFault(RuntimeError):
    """A camera that the checkpoint needs gives no healthy image now. The text is one line; the arm is to hold."""


def match_cameras(
    slots: Sequence[CameraSlot], cameras: Sequence[str], entries: Sequence[str]
) -> tuple[dict[str, str], list[BindingRow]]:
    """Return slot → camera, and one row for each slot and each entry that is wrong.

    An entry decides. Else the camera with the name's last part, else the only camera one of whose words is in it
    ("front" for "front_image"), else the only camera where there is one slot.

    Args:
        slots: of the checkpoint.
        cameras: of the robot; empty: unknown.
        entries: `BindingParameters.cameras`, "slot=camera".
    """
    given, rows = _entries(slots, cameras, entries)
    chosen = {name: camera for name, camera in given.items() if camera}
    free = [slot for slot in slots if slot.name not in given]
    if cameras:
        found = {slot.name: _candidates(slot, free, cameras, chosen) for slot in free}
        chosen |= {name: one[0] for name, one in found.items() if len(one) == 1}
    else:
        found = {slot.name: [] for slot in free}
    for slot in slots:
        rows.append(_row(slot, chosen, found.get(slot.name, []), slot.name in given, cameras))
    refused = {row.what.removeprefix("camera ") for row in rows if row.verdict == "refused"}
    return {name: camera for name, camera in chosen.items() if name not in refused}, rows


def short_name(slot: str) -> str:
    """Return the last part of a slot's name: "top" of "observation.images.top"."""
    return slot.rsplit(".", 1)[-1].rsplit("/", 1)[-1]


def _entries(
    slots: Sequence[CameraSlot], cameras: Sequence[str], entries: Sequence[str]
) -> tuple[dict[str, str], list[BindingRow]]:
    """Return slot → camera of the entries (empty: wrong, and a row says why)."""
    given: dict[str, str] = {}
    rows = []
    for entry in entries:
        name, equals, camera = (part.strip() for part in entry.partition("="))
        full = [slot.name for slot in slots if name in (slot.name, short_name(slot.name))]
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
    name = short_name(slot.name)
    if name in left:
        return [name]
    exact = {short_name(other.name) for other in free}
    similar = [camera for camera in left if camera not in exact and _words(camera) & _words(name)]
    if similar:
        return similar
    required = [other for other in free if other.required]
    return left if required == [slot] and len(left) == 1 and len(free) == 1 else []


def _words(name: str) -> set[str]:
    """Return the words of a name that tell cameras apart."""
    words = set(re.split(r"[^a-z]+|(?<=[a-z])(?=\d)", name.lower()))
    return words - {"", "camera", "cam", "image", "images", "rgb", "color", "colour", "view", "observation"}


def _row(
    slot: CameraSlot, chosen: Mapping[str, str], candidates: Sequence[str], by_entry: bool, cameras: Sequence[str]
) -> BindingRow:
    """Say what a slot sees."""
    what, name = f"camera {slot.name}", short_name(slot.name)
    size = f"{slot.height}x{slot.width}" if slot.height and slot.width else "any size"
    wants = f"rgb, {size}" + ("" if slot.required else ", may be empty")
    entries = " or ".join(f'"{slot.name}={camera}"' for camera in candidates or cameras) or f'"{slot.name}=camera"'
    write = f"write binding.cameras: [{entries}]"
    camera = chosen.get(slot.name)
    if camera is None:
        if len(candidates) > 1:
            return BindingRow(what, wants, f"{' and '.join(candidates)} may be meant", "refused", write)
        if not slot.required:
            return BindingRow(what, wants, "left empty", "mapped")
        if not cameras:
            return BindingRow(what, wants, "the cameras are not known yet; the first frames decide", "mapped")
        return BindingRow(what, wants, f"no camera has that name; there are {', '.join(cameras)}", "refused", write)
    if cameras and camera not in cameras:
        has = f"binding.cameras names camera {camera!r}, and there are {', '.join(cameras)}"
        right = name if name in cameras else cameras[0]
        return BindingRow(what, wants, has, "refused", f'write "{slot.name}={right}"')
    twice = [other for other, seen in chosen.items() if seen == camera and other != slot.name]
    if twice:
        has = f"camera {camera} is also in {', '.join(twice)}"
        return BindingRow(what, wants, has, "refused", f"name another camera in binding.cameras for {slot.name}")
    if by_entry and name != camera and name in cameras:
        has = f"binding.cameras gives it {camera}, though there is a camera {name}"
        return BindingRow(what, wants, has, "refused", f'write "{slot.name}={name}", or rename that camera')
    return BindingRow(what, wants, camera, "ok" if name == camera else "mapped")
