"""How sure a success rate is."""

from __future__ import annotations

from math import sqrt

Z = 1.959963984540054  # of 95 %


def wilson(successes: int, episodes: int) -> tuple[float, float]:
    """Return the 95 % Wilson score interval (low, high) of a proportion; (0, 1) without episodes.

    Source: E. B. Wilson, "Probable inference, the law of succession, and statistical inference", JASA 22 (1927).
    """
    if episodes == 0:
        return 0.0, 1.0
    share = successes / episodes
    middle = share + Z * Z / (2 * episodes)
    half = Z * sqrt(share * (1 - share) / episodes + Z * Z / (4 * episodes**2))
    whole = 1 + Z * Z / episodes
    return max(0.0, (middle - half) / whole), min(1.0, (middle + half) / whole)
