"""The array types that signatures name; shapes stand in docstrings."""

from __future__ import annotations

from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

Array: TypeAlias = NDArray[np.float64]
"""Numbers in SI units."""
Image: TypeAlias = NDArray[np.uint8]
"""(H, W, 3) rgb."""
Depth: TypeAlias = NDArray[np.float32]
"""(H, W) m; NaN where there is no reading."""
