"""Under which keys a server wants images, state and instruction, and under which it answers actions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from vla_ros.arrays import Array, Image
from vla_ros.parameters import ParameterError
from vla_ros.policies.remote.policy_client import PolicyRequest, ServerFault
from vla_ros.policies.remote.resize_with_pad import resize_with_pad

NESTING = ">"
"""In a key: what follows lies in a map of its own; "images>cam_high" is {"images": {"cam_high": …}}."""


@dataclass(frozen=True)
class VectorPart:
    """Some values of a vector under a key of their own. width: their number; 0: all."""

    key: str
    width: int


@dataclass(frozen=True)
class ObservationLayout:
    """The keys of one server.

    Attributes:
        state: parts of the state, in its order; (): none is sent.
        actions: parts of the actions, in their order.
        prompt: key of the instruction.
        extra: key → text, sent with each request.
        size: rows and columns of the images that are sent, pixel; (0, 0): as they are.
        channels_first: send (3, H, W) instead of (H, W, 3).
    """

    state: tuple[VectorPart, ...]
    actions: tuple[VectorPart, ...]
    prompt: str
    extra: Mapping[str, str]
    size: tuple[int, int] = (0, 0)
    channels_first: bool = False

    def image(self, image: Image) -> NDArray[np.uint8]:
        """Return an image as it is sent."""
        sized = resize_with_pad(image, *self.size) if self.size[0] else image
        return np.ascontiguousarray(sized.transpose(2, 0, 1) if self.channels_first else sized)

    def state_parts(self, state: Array | None) -> dict[str, NDArray[np.float32]]:
        """Return the state by key. state: (state.width,)."""
        parts, start = {}, 0
        if state is not None:
            for part in self.state:
                end = start + part.width if part.width else len(state)
                parts[part.key] = np.asarray(state[start:end], np.float32)
                start = end
        return parts

    def observation(self, request: PolicyRequest) -> dict[str, Any]:
        """Return the map that openpi's and OpenVLA's servers take."""
        found: dict[str, Any] = {}
        for slot, image in request.images.items():
            _put(found, slot, self.image(image))
        for key, values in self.state_parts(request.state).items():
            _put(found, key, values)
        _put(found, self.prompt, request.instruction)
        for key, text in self.extra.items():
            _put(found, key, text)
        return found

    def joined(self, answer: Mapping[str, Any]) -> NDArray[Any]:
        """Return (T, width): the parts of the actions side by side.

        Raises:
            ServerFault: a part is missing, is no array, or differs from the others in its number of rows.
        """
        parts = []
        for part in self.actions:
            found = _get(answer, part.key)
            if found is None:
                has = ", ".join(sorted(map(str, answer)))[:80]
                raise ServerFault(f"its answer has no {part.key!r} but {has or 'nothing'}; correct remote.action_keys")
            try:
                array = np.asarray(found)
            except ValueError:
                raise ServerFault(f"{part.key!r} of its answer is no array: rows of different widths") from None
            if array.dtype.kind not in "fiu":
                raise ServerFault(f"{part.key!r} of its answer holds no numbers")
            rows = array.reshape(-1, 1) if part.width == 1 and array.ndim == 1 else array
            if rows.ndim != 2 or (part.width and rows.shape[1] != part.width):
                wanted = part.width or "any number of"
                raise ServerFault(
                    f"{part.key!r} of its answer has the shape {array.shape}; wanted: rows of {wanted} values"
                )
            parts.append(rows)
        if len({len(rows) for rows in parts}) > 1:
            raise ServerFault(f"the parts of its actions have {', '.join(str(len(rows)) for rows in parts)} rows")
        return np.concatenate(parts, axis=1)


def vector_parts(texts: Sequence[str], width: int, parameter: str) -> tuple[VectorPart, ...]:
    """Read "key" or "key=width" of each part of a vector.

    Args:
        texts: as configured. width: of the whole vector. parameter: its name, for error texts.

    Raises:
        ParameterError: a width is no number, one of several is missing, or they do not add up to `width`.
    """
    parts = []
    for text in texts:
        key, equals, number = text.partition("=")
        if not key or (equals and not (number.isascii() and number.isdigit() and int(number))):
            raise ParameterError(f'{parameter}: {text!r} must be "key" or "key=number of values"')
        parts.append(VectorPart(key, int(number) if equals else 0))
    if len(parts) > 1 and not all(part.width for part in parts):
        raise ParameterError(f'{parameter}: with several keys each needs its width: "key=number of values"')
    total = sum(part.width for part in parts)
    if total and total != width:
        raise ParameterError(
            f"{parameter}: {', '.join(texts)} are {total} values, but the binding has {width}; correct one of them"
        )
    return tuple(parts)


def key_values(texts: Sequence[str], parameter: str) -> dict[str, str]:
    """Read "key=value" of each text.

    Raises:
        ParameterError: one has no "=" or no key.
    """
    pairs = {}
    for text in texts:
        key, equals, value = text.partition("=")
        if not key or not equals:
            raise ParameterError(f'{parameter}: {text!r} must be "key=value"')
        pairs[key] = value
    return pairs


def _put(tree: dict[str, Any], key: str, value: object) -> None:
    *parents, leaf = key.split(NESTING)
    for parent in parents:
        tree = tree.setdefault(parent, {})
    tree[leaf] = value


def _get(tree: object, key: str) -> object:
    for part in key.split(NESTING):
        tree = tree.get(part) if isinstance(tree, Mapping) else None
    return tree
