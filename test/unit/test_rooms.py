"""Imports run downwards only, and no two files import each other. `python -m test.unit.test_rooms` counts what does not."""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

ROOT = Path(__file__).parents[2]
PACKAGE = ROOT / "vla_ros"
INTERFACES = ("msg", "srv", "action")
"""Compiled from .msg, .srv and .action files: whoever may import rclpy may import them."""

LEVELS: tuple[tuple[str, ...], ...] = (
    ("cli",),
    ("lab",),
    ("nodes",),
    ("ros",),
    ("bringup",),
    ("dashboard",),
    ("tracing",),
    ("data",),
    ("control",),
    ("monitors", "guard", "sim"),
    ("policies",),
    ("oracle", "perception", "language"),
    ("safety",),
    ("tasks", "robot"),
    ("end_signals", "parameters", "progress_line", "resources", "scheduling", "time", "transforms"),
    ("arrays", "lazy_names"),
)
"""The rooms from top to bottom. A room may import what stands below it, and nothing beside or above it. The last two lines
are the ground: files that know nothing of robots' tasks."""
LEVEL = {room: -level for level, rooms in enumerate(LEVELS) for room in rooms}


def modules() -> dict[str, Path]:
    """Return every module of the package: dotted name → file."""
    found = {}
    for path in PACKAGE.rglob("*.py"):
        parts = path.relative_to(ROOT).with_suffix("").parts
        if parts[1] not in INTERFACES:
            found[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = path
    return found


def imports(source: str, known: Mapping[str, Path]) -> Iterator[str]:
    """Yield what a file imports of the package, inside functions and for type checkers too."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] == "vla_ros":
            for alias in node.names:
                name = f"{node.module}.{alias.name}"
                yield name if name in known else str(node.module)
        elif isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names if alias.name.split(".")[0] == "vla_ros")


def graph() -> dict[str, set[str]]:
    """Return module → modules of the package that it imports."""
    known = modules()
    return {
        name: {found for found in imports(path.read_text(), known) if found in known and found != name}
        for name, path in known.items()
    }


def room(module: str) -> str:
    """Return the room of a module: the part behind vla_ros."""
    return module.split(".")[1] if "." in module else ""


def upward(edges: Mapping[str, set[str]]) -> list[str]:
    """Return "importer → imported" for imports that do not run downwards."""
    return [
        f"{importer} → {imported}"
        for importer in sorted(edges)
        for imported in sorted(edges[importer])
        if room(importer) and room(imported)
        if room(importer) != room(imported) and LEVEL[room(imported)] >= LEVEL[room(importer)]
    ]


def circles(edges: Mapping[str, set[str]]) -> list[str]:
    """Return "one ↔ another ↔ …" for files that import each other, directly or through others (Tarjan's components)."""
    order: dict[str, int] = {}
    lowest: dict[str, int] = {}
    stack: list[str] = []
    found: list[str] = []

    def visit(name: str) -> None:
        order[name] = lowest[name] = len(order)
        stack.append(name)
        for other in sorted(edges[name]):
            if other not in order:
                visit(other)
            if other in stack:
                lowest[name] = min(lowest[name], lowest[other])
        if lowest[name] == order[name]:
            members = stack[stack.index(name) :]
            del stack[stack.index(name) :]
            if len(members) > 1:
                found.append(" ↔ ".join(sorted(members)))

    for name in sorted(edges):
        if name not in order:
            visit(name)
    return found


def test_every_room_has_a_level() -> None:
    assert {room(name) for name in modules()} - {""} <= LEVEL.keys()


def test_imports_run_downwards() -> None:
    assert upward(graph()) == []


def test_no_two_files_import_each_other() -> None:
    assert circles(graph()) == []


def test_an_upward_import_is_named_with_both_ends() -> None:
    edges = {"vla_ros.safety.filter": {"vla_ros.sim.scene"}, "vla_ros.sim.scene": set()}
    assert upward(edges) == ["vla_ros.safety.filter → vla_ros.sim.scene"]


def test_a_circle_is_named_with_all_files_in_it() -> None:
    edges = {"vla_ros.a": {"vla_ros.b"}, "vla_ros.b": {"vla_ros.c"}, "vla_ros.c": {"vla_ros.a"}, "vla_ros.d": set()}
    assert circles(edges) == ["vla_ros.a ↔ vla_ros.b ↔ vla_ros.c"]


if __name__ == "__main__":
    sys.setrecursionlimit(10_000)
    for title, lines in (("upward imports", upward(graph())), ("import circles", circles(graph()))):
        print(f"{len(lines)} {title}", *lines, sep="\n  ")
