"""What a rule says when it acts."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

SAFETY = Path(__file__).resolve().parent
"""Folder of the filter; the rules are in the folders below it."""

LONGEST_TEXT = 500
"""Characters of a reason. It is logged and published with every tick while it stops the arm, and may quote others."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """One rule's answer: it refuses a message, limits a motion or stops the arm.

    rule: its name, that of its file. reason: one sentence for people. joint: whom it concerns; empty: no single joint.
    requested, limit, granted: in the rule's unit; NaN where that does not apply.
    """

    rule: str
    reason: str
    joint: str = ""
    requested: float = math.nan
    limit: float = math.nan
    granted: float = math.nan

    def __post_init__(self) -> None:
        for name in ("reason", "joint"):
            text = getattr(self, name)
            if len(text) > LONGEST_TEXT:  # as long as that and no longer, so that a copy has the same text
                object.__setattr__(self, name, f"{text[: LONGEST_TEXT - 3]}...")


class Named(Protocol):
    """What is read of a rule."""

    @property
    def NAME(self) -> str: ...


def raised(error: Exception, extra: Sequence[Named] = ()) -> Verdict:
    """Return the verdict on a rule that raised, named after the file in which it did; the filter's own files: "filter".

    Args:
        error: what it raised.
        extra: rules from outside this package, with their NAME; one of them is named after the class whose code raised.
    """
    traceback, rule = error.__traceback__, "filter"
    while traceback is not None:
        path = Path(traceback.tb_frame.f_code.co_filename)
        if path.is_relative_to(SAFETY):
            rule = "filter" if path.parent == SAFETY else path.stem
        rule = next((named.NAME for named in extra if traceback.tb_frame.f_locals.get("self") is named), rule)
        traceback = traceback.tb_next
    return Verdict(rule, f"{rule} raised {type(error).__name__}: {error}")
