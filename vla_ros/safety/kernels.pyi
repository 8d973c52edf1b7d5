from collections.abc import Iterable, Sequence

import numpy as np
from numpy.typing import NDArray

State = tuple[int, int, int]
Limits = Sequence[tuple[int, int]]

def stop_path_lengths(states: Sequence[State], limits: Limits) -> list[int]: ...
def stop_rates(before: Sequence[State], after: Sequence[State], limits: Limits, scale: float) -> bytes: ...
def knots(rows: Iterable[list[int]], limits: Limits, period_ns: int) -> tuple[bytes, bytes, bytes] | None: ...
def cdr_points(
    times_ns: NDArray[np.int64], positions: NDArray[np.float64], velocities: NDArray[np.float64], columns: list[int]
) -> bytes: ...
