"""Which of the graph's nodes run on this host: a model may need a GPU that the robot's computer does not have."""

from __future__ import annotations

import difflib
import hashlib
import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from vla_ros.bringup.process import Process
from vla_ros.parameters import ParameterError


@dataclass(frozen=True)
class NodePlacement:
    """What is started on this host.

    here: processes. elsewhere: names of the nodes that other hosts run; empty: this is the whole graph.
    """

    here: tuple[Process, ...]
    elsewhere: tuple[str, ...] = ()

    def runs(self, node: str) -> bool:
        """Whether this host runs a node."""
        return any(process.name == node for process in self.here)


def placed(processes: Sequence[Process], only: str = "", without: str = "") -> NodePlacement:
    """Divide a graph between this host and others.

    Args:
        processes: of the whole graph, as `bringup` gives them. only, without: names of nodes with commas between them.

    Raises:
        ParameterError: both are given, a name is unknown, or nothing is left.
    """
    if only and without:
        raise ParameterError("only, without: they say the same in two ways; give one of them")
    names = [process.name for process in processes]
    chosen = set(_known(only, names, "only")) if only else set(names) - set(_known(without, names, "without"))
    if not chosen:
        raise ParameterError(f"without: nothing is left to start on this host; the graph has {', '.join(names)}")
    here = tuple(process for process in processes if process.name in chosen)
    return NodePlacement(here, tuple(name for name in names if name not in chosen))


def configuration(processes: Iterable[Process]) -> str:
    """Return each node's name with a short hash of its parameters, so that hosts can tell whether they were started alike."""
    return " ".join(f"{process.name}:{_hash(process)}" for process in processes)


def _known(text: str, names: Sequence[str], argument: str) -> list[str]:
    asked = [word.strip() for word in text.split(",") if word.strip()]
    for word in asked:
        if word not in names:
            close = difflib.get_close_matches(word, names, 1)
            hint = f"; did you mean {close[0]!r}?" if close else ""
            raise ParameterError(f"{argument}: this graph has no node {word!r}{hint}; it has {', '.join(names)}")
    return asked


def _hash(process: Process) -> str:
    text = json.dumps(dict(process.parameters), sort_keys=True, default=str)
    return hashlib.sha256(text.encode()).hexdigest()[:8]
