"""Markers and their lifetimes."""

from __future__ import annotations

from vla_ros.dashboard.markers import MarkerStore
from vla_ros.dashboard.observations import MarkerShape


def shape(key: str, until_ns: int = 0, text: str = "") -> MarkerShape:
    return MarkerShape(key, "text", (0.0,) * 3, (0.0, 0.0, 0.0, 1.0), (0.1,) * 3, (), (1.0,) * 4, text, until_ns)


def test_markers_live_as_long_as_they_say() -> None:
    store = MarkerStore()
    store.put(shape("for ever"))
    store.put(shape("short", until_ns=10))
    assert [found.key for found in store.alive(10)] == ["for ever", "short"]
    assert [found.key for found in store.alive(11)] == ["for ever"]
    assert [found.key for found in store.alive(10)] == ["for ever"]  # it has been forgotten


def test_the_newest_marker_of_a_key_counts_until_it_is_removed() -> None:
    store = MarkerStore()
    store.put(shape("a", text="old"))
    store.put(shape("a", text="new"))
    store.put(shape("b"))
    assert [found.text for found in store.alive(0)] == ["new", ""]
    store.remove("a")
    store.remove("never there")
    assert [found.key for found in store.alive(0)] == ["b"]
    store.clear()
    assert store.alive(0) == []
