"""What did the oracle find in a stream? As data, as JSON and as lines of text."""

from __future__ import annotations

import dataclasses
import math
from dataclasses import dataclass
from typing import Any

from vla_ros.oracle.stream import StreamFault


@dataclass(frozen=True)
class LimitFinding:
    """The worst of one quantity of one joint, or of one rule that keeps distances.

    who: the joint, or the two bodies. value: the largest (position: the one nearest to or furthest past its limit; clearance:
    the smallest distance), rad or m, and per s, s^2, s^3. limit: what it is held to. excess: how far it is past it; not
    positive: not at all. allowance: rounding that the value may carry. time_s: of the sample, since the first. count: of
    samples past the limit; a clearance counts once.
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
        """Whether it is past its limit by more than its rounding."""
        return self.excess > self.allowance


@dataclass(frozen=True)
class OracleReport:
    """All findings of one stream, the faults that no stream may hold, and notes on what was not judged."""

    joints: int
    samples: int
    stretches: int
    seconds: float
    findings: tuple[LimitFinding, ...]
    faults: tuple[StreamFault, ...]
    notes: tuple[str, ...] = ()

    @property
    def broken(self) -> bool:
        """Whether any limit is broken, or the stream holds a fault."""
        return bool(self.faults) or any(finding.broken for finding in self.findings)

    def worst(self, quantity: str) -> LimitFinding:
        """Return the finding of a quantity, of all joints, that uses the largest share of its limit or exceeds it most."""
        return max((each for each in self.findings if each.quantity == quantity), key=_share)

    def json(self) -> dict[str, Any]:
        """Return the whole as data."""
        data = _plain(dataclasses.asdict(self))
        assert isinstance(data, dict)
        return {**data, "broken": self.broken}

    def text(self) -> str:
        """Return the whole as lines of text."""
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


def _share(finding: LimitFinding) -> float:
    return (
        abs(finding.value) / finding.limit
        if finding.quantity in ("velocity", "acceleration", "jerk")
        else finding.excess
    )
