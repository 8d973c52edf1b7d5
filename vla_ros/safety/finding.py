"""What a rule says when it acts."""

from __future__ import annotations

import math
from dataclasses import dataclass


@dataclass(frozen=True)
class Finding:
    """Which rule acted, on which joint, and the numbers: in rad or m, per s, per s^2, as the rule's name says.

    requested, limit, granted are NaN where they do not apply; reason is one sentence for people.
    """

    rule: str
    reason: str
    joint: str = ""
    requested: float = math.nan
    limit: float = math.nan
    granted: float = math.nan
