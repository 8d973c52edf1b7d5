"""How the graph is doing: every node's last report on /diagnostics as one line, and what filter and planner do."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from vla_ros.tracing.hosts import HOST, PROCESS, differences, hosts

REQUIRED_NODES = ("safety_filter", "camera", "planner", "action_expert")
"""Without these the arm does nothing; others (sim_arm, dashboard, a driver) are shown when they report."""
LEVELS = ("OK", "WARN", "ERROR", "STALE")
SILENT = "SILENT"
"""Level of a node that is not heard."""
SILENT_S = 2.5
"""/diagnostics comes once a second: a node that is not heard for so long is silent."""
AGE_KEYS = {
    "camera": ("image_age_p50_ms", "image_age_p95_ms"),
    "planner": ("frame_to_plan_p50_ms", "frame_to_plan_p95_ms"),
    "action_expert": ("plan_age_p50_ms", "plan_age_p95_ms"),
    "safety_filter": ("camera_to_command_p50_ms", "camera_to_command_p95_ms"),
}
"""Node → diagnostic values with the median and p95 age, since the camera's image, of what it sends."""


@dataclass(frozen=True)
class NodeStatus:
    """A node's last status on /diagnostics. heard_s: seconds ago."""

    name: str
    level: int
    message: str
    values: Mapping[str, str]
    heard_s: float


@dataclass(frozen=True)
class StatusRow:
    """One line of the table. rate_hz, misses, ages: NaN where the node does not report them."""

    node: str
    level: str
    rate_hz: float
    misses: float
    age_p50_ms: float
    age_p95_ms: float
    why: str


@dataclass(frozen=True)
class GraphStatus:
    """Everything that is shown.

    reports: of each node; two of one name are nodes of two graphs. filter, plan, question: one line of text each; empty while
    nothing was heard. filters: the safety filters of this namespace. others: namespaces of the domain's other arms.
    """

    reports: Sequence[NodeStatus]
    filter: str = ""
    plan: str = ""
    question: str = ""
    filters: Sequence[str] = ()
    others: Sequence[str] = ()

    def rows(self) -> list[StatusRow]:
        """Return one row per node, the required nodes first."""
        by_name: dict[str, list[tuple[str, NodeStatus | None]]] = {name: [] for name in REQUIRED_NODES}
        for label, report in sorted(self.named(), key=lambda each: each[0]):
            by_name.setdefault(report.name, []).append((label, report))
        return [_row(*each) for name, found in by_name.items() for each in found or [(name, None)]]

    def named(self) -> list[tuple[str, NodeStatus]]:
        """Return each report with the name of its node; of several nodes of one name, with their processes.

        A node that is silent while another one of its name is heard has been started again, and is left out.
        """
        named = []
        for report in self.reports:
            same = [other for other in self.reports if other.name == report.name]
            freshest_s = min(other.heard_s for other in same)
            same = [other for other in same if not other.heard_s > max(SILENT_S, freshest_s)]
            if report in same:
                named.append((report.name if len(same) == 1 else f"{report.name} ({_where(report)})", report))
        return named

    def ok(self) -> bool:
        """Whether every required node is heard, none complains, and this is one graph, started alike on all hosts."""
        return all(row.level == "OK" for row in self.rows()) and not (self.several_graphs or self.differences)

    @property
    def hosts(self) -> dict[str, list[str]]:
        """Host → its nodes."""
        return hosts(self._values())

    @property
    def differences(self) -> list[str]:
        """Lines about nodes that were started from another version or configuration than others."""
        return differences(self._values())

    def _values(self) -> dict[str, dict[str, str]]:
        return {label: dict(report.values) for label, report in self.named()}

    @property
    def several_graphs(self) -> str:
        """A line about the graphs that share this domain and namespace; empty: it is one."""
        if len(self.filters) < 2:
            return ""
        return (
            f"{len(self.filters)} safety filters answer in this domain and namespace, each node is shown with its process: "
            f"{'; '.join(self.filters)}. End all but one, or give each graph a ROS_DOMAIN_ID or a namespace"
        )

    def json(self) -> dict[str, Any]:
        """Return the same for programs; unknown numbers are null."""
        nodes = {}
        values = self._values()
        for row in self.rows():
            fields = {key: _finite_or_none(value) for key, value in vars(row).items() if key != "node"}
            nodes[row.node] = {**fields, "values": values.get(row.node, {})}
        lines = {"filter": self.filter, "plan": self.plan, "question": self.question}
        found = {"filters": list(self.filters), "others": list(self.others), "hosts": self.hosts}
        return {"ok": self.ok(), **lines, **found, "differences": self.differences, "nodes": nodes}


def _row(name: str, report: NodeStatus | None) -> StatusRow:
    nan = math.nan
    if report is None:
        return StatusRow(name, SILENT, nan, nan, nan, nan, "not heard: is it running, and in this namespace?")
    keys = ("rate_hz", "deadline_misses", *AGE_KEYS.get(name, ("", "")))
    rate_hz, misses, age_p50_ms, age_p95_ms = (_float(report.values.get(key)) for key in keys)
    level, why = LEVELS[min(report.level, len(LEVELS) - 1)], report.message
    if report.heard_s > SILENT_S:
        level, why = SILENT, f"for {report.heard_s:.0f} s; before: {report.message}"
    return StatusRow(name, level, rate_hz, misses, age_p50_ms, age_p95_ms, why)


def _where(report: NodeStatus) -> str:
    return f"process {report.values.get(PROCESS, 'unknown')} on {report.values.get(HOST, 'an unknown host')}"


def _float(text: str | None) -> float:
    try:
        return float(text or "nan")
    except ValueError:
        return math.nan


def _finite_or_none(value: object) -> object:
    return None if isinstance(value, float) and not math.isfinite(value) else value
