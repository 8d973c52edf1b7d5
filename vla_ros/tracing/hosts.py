"""Were the nodes of all hosts started from one version and one configuration?"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping

HOST, PROCESS, VERSION, CONFIGURATION = "host", "process", "version", "configuration"
"""Diagnostic values of every node: where it runs, in which process, of which version, and "<node>:<hash>" for each node of
the graph that it was started from."""


def hosts(values: Mapping[str, Mapping[str, str]]) -> dict[str, list[str]]:
    """Return host → its nodes, from node → diagnostic values; nodes that do not say where they run are left out."""
    found = defaultdict(list)
    for node, reported in sorted(values.items()):
        if reported.get(HOST):
            found[reported[HOST]].append(node)
    return dict(found)


def differences(values: Mapping[str, Mapping[str, str]]) -> list[str]:
    """Return a line for each thing in which the nodes were not started alike, from node → diagnostic values."""
    lines = []
    versions = defaultdict(list)
    blocks: dict[str, dict[str, list[str]]] = defaultdict(lambda: defaultdict(list))
    for node, reported in sorted(values.items()):
        who = f"{node} on {reported.get(HOST, 'an unknown host')}"
        if reported.get(VERSION):
            versions[reported[VERSION]].append(who)
        for entry in reported.get(CONFIGURATION, "").split():
            block, _, digest = entry.partition(":")
            blocks[block][digest].append(who)
    if len(versions) > 1:
        lines.append(f"versions differ: {_listed(versions)}; install one on all hosts")
    for block, digests in sorted(blocks.items()):
        if len(digests) > 1:
            lines.append(
                f"parameters of {block} differ: {_listed(digests)}; start all hosts with the same files and options"
            )
    return lines


def _listed(groups: Mapping[str, list[str]]) -> str:
    return "; ".join(f"{name}: {', '.join(who)}" for name, who in sorted(groups.items()))
