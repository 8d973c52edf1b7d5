"""Rule acceleration_limit: |a'| <= A, where a' = v' - v is the change of velocity in this tick."""

from __future__ import annotations

NAME = "acceleration_limit"


def bounds(limit: int) -> tuple[int, int]:
    """Smallest and largest acceleration of this tick."""
    return -limit, limit
