"""What a rule says when it acts."""

from __future__ import annotations

import math
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Verdict:
    """One rule's answer: it refuses a message, bends a motion or stops the arm.

    rule: its name, that of its file. reason: one sentence for people. joint: whom it concerns; empty: no single joint.
    requested, limit, granted: in the rule's unit; NaN where that does not apply.
    """

    rule: str
    reason: str
    joint: str = ""
    requested: float = math.nan
    limit: float = math.nan
    granted: float = math.nan
