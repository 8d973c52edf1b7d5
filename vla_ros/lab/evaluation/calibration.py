"""Whether a planner that is sure is right: expected calibration error and its table."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

BINS = 10


@dataclass(frozen=True)
class Bin:
    """Answers of confidence in [low, high). confidence: their mean. right: share that was right."""

    low: float
    high: float
    count: int
    confidence: float
    right: float


@dataclass(frozen=True)
class Calibration:
    """error: mean distance between confidence and share of right answers, bins weighted by count. count: of answers.

    bins: filled ones.
    """

    error: float
    count: int
    bins: tuple[Bin, ...]


def calibration(answers: Sequence[tuple[float, bool]]) -> Calibration:
    """Return the calibration of answers (confidence in 0..1, was it right); an error of 0 without answers.

    Source: Guo et al., "On Calibration of Modern Neural Networks", ICML 2017, equation 3.
    """
    found = []
    for number in range(BINS):
        inside = [answer for answer in answers if min(int(answer[0] * BINS), BINS - 1) == number]
        if inside:
            confidence = sum(answer[0] for answer in inside) / len(inside)
            right = sum(answer[1] for answer in inside) / len(inside)
            found.append(Bin(number / BINS, (number + 1) / BINS, len(inside), confidence, right))
    total = sum(entry.count for entry in found)
    error = sum(entry.count * abs(entry.right - entry.confidence) for entry in found) / max(1, total)
    return Calibration(error, total, tuple(found))
