"""What the oracle says of a stream, as data, as JSON and as lines of text."""

from __future__ import annotations

import dataclasses
import math
from dataclasses import dataclass
from typing import Any

from vla_ros.oracle.stream import Fault


@dataclass(frozen=True)
class Finding:
    """The worst of one quantity of one joint, or of one rule of the surroundings.

    value: the largest (position: the one nearest to or furthest past its limit; clearance: the smallest distance).
    limit: what it is held to. excess: how far it is past the limit; not positive: not at all. allowance: rounding that
    the value may carry. time_s: of the sample, since the first. count: of samples past the limit; a clearance counts once.
    """

    quantity: str
    who: str
    value: float
    limit: float
    excess: float
    allowance: float
    time_s: float
    count: int

    @property
    def broken(self) -> bool:
        return self.excess > self.allowance


@dataclass(frozen=True)
class Report:
    """What the oracle says of one stream: the findings, the faults that no stream may hold, and what else to know."""

    joints: int
    samples: int
    stretches: int
    seconds: float
    findings: tuple[Finding, ...]
    faults: tuple[Fault, ...]
    notes: tuple[str, ...] = ()

    @property
    def broken(self) -> bool:
        return bool(self.faults) or any(finding.broken for finding in self.findings)

    def worst(self, quantity: str) -> Finding:
        """The finding of a quantity, of all joints, that uses the largest share of its limit or exceeds it most."""
        return max((each for each in self.findings if each.quantity == quantity), key=_share)

    def json(self) -> dict[str, Any]:
        """The whole as data."""
        data = _plain(dataclasses.asdict(self))
        assert isinstance(data, dict)
        return {**data, "broken": self.broken}

    def text(self) -> str:
        """The whole as lines of text."""
        lines = [f"{self.samples} samples of {self.joints} joints, {self.stretches} stretches, {self.seconds:.3f} s"]
        lines.append(f"{'':2}{'quantity':15}{'joint or pair':38}{'value':>12}{'limit':>11}{'past it':>11}{'at s':>11}")
        for each in sorted(self.findings, key=lambda finding: not finding.broken):
            past = f"{each.excess:11.4g}" if each.broken else f"{'–':>11}"
            mark = "!" if each.broken else ""
            lines.append(
                f"{mark:2}{each.quantity:15}{each.who:38}{each.value:12.6g}{each.limit:11.6g}{past}{each.time_s:11.3f}"
            )
        lines += [
            f"! {fault.what}: {fault.joint or 'all joints'}, {fault.count}×, first at {fault.time_s:.3f} s"
            for fault in self.faults
        ]
        lines += [f"note: {note}" for note in self.notes]
        return "\n".join(lines)


def _plain(value: Any) -> Any:
    """JSON knows no infinity: a limit that there is not becomes null."""
    if isinstance(value, dict):
        return {key: _plain(entry) for key, entry in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(entry) for entry in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value


def _share(finding: Finding) -> float:
    return (
        abs(finding.value) / finding.limit
        if finding.quantity in ("velocity", "acceleration", "jerk")
        else finding.excess
    )
