"""One line of the table that `vla-ros check` prints."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal, TypeAlias

Verdict: TypeAlias = Literal["ok", "mapped", "refused"]


@dataclass(frozen=True)
class BindingRow:
    """One thing that a checkpoint wants.

    Attributes:
        what: e.g. "camera observation.images.top".
        wants: what the checkpoint says of it. has: what the robot and the binding say of it.
        verdict: ok: it is the same; mapped: it is converted, and `has` says into what; refused: `remedy` says what to write.
        remedy: empty unless refused; `has` may hold it already.
    """

    what: str
    wants: str
    has: str
    verdict: Verdict = "ok"
    remedy: str = ""


def refusal(rows: Iterable[BindingRow], source: str) -> str:
    """Return one line that says what is refused and how to mend it; empty: nothing is.

    Args:
        source: of the checkpoint.
    """
    refused = [row for row in rows if row.verdict == "refused"]
    if not refused:
        return ""
    row, more = refused[0], len(refused) - 1
    others = f" ({more} more: vla-ros check prints the table)" if more else ""
    return f"{source}: {row.what}: the checkpoint wants {row.wants}, but {row.has}; {row.remedy}{others}"
