"""The markers that others publish for the 3D view, with their lifetimes."""

from __future__ import annotations

from vla_ros.dashboard.observations import MarkerShape


class MarkerStore:
    """Holds markers by key until they are removed or their lifetime ends."""

    def __init__(self) -> None:
        self._shapes: dict[str, MarkerShape] = {}

    def put(self, shape: MarkerShape) -> None:
        """Add a marker, or replace the one with the same key."""
        self._shapes[shape.key] = shape

    def remove(self, key: str) -> None:
        """Remove a marker, if it is there."""
        self._shapes.pop(key, None)

    def clear(self) -> None:
        """Remove all markers."""
        self._shapes.clear()

    def alive(self, now_ns: int) -> list[MarkerShape]:
        """Return the markers whose lifetime has not ended; forget the others. now_ns: monotonic."""
        self._shapes = {key: shape for key, shape in self._shapes.items() if not 0 < shape.until_ns < now_ns}
        return list(self._shapes.values())
