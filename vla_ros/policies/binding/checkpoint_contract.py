"""What a checkpoint wants of a robot, as a reader of its folder or of its server's metadata states it. No model is loaded.

Each family has a reader of its own; all that comes after knows this file alone.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from vla_ros.arrays import Array

NORMALIZATIONS: Mapping[str, tuple[str, ...]] = {
    "mean_std": ("mean", "std"),
    "min_max": ("min", "max"),
    "quantiles": ("q01", "q99"),
    "quantile10": ("q10", "q90"),
    "identity": (),
}
"""How a vector is normalised → the statistics that it takes."""


@dataclass(frozen=True)
class CameraSlot:
    """One image input of a checkpoint.

    Attributes:
        name: as the checkpoint names it, e.g. "observation.images.front".
        height, width: pixel; 0: any, the model resizes by itself.
        required: False: it may be left empty, and the model masks it.
        alias: what the training data call it, where the checkpoint renames it, e.g. "observation.images.front" for
            "observation.images.camera1"; cameras are matched with it then.
    """

    name: str
    height: int
    width: int
    required: bool = True
    alias: str = ""

    @property
    def short_names(self) -> tuple[str, ...]:
        """Last part of the alias, where there is one, and of the name: "top" of "observation.images.top"."""
        names = (self.alias, self.name) if self.alias else (self.name,)
        return tuple(name.rsplit(".", 1)[-1].rsplit("/", 1)[-1] for name in names)


@dataclass(frozen=True)
class VectorSpec:
    """The state or the action of a checkpoint.

    Attributes:
        names: of each value; empty: the checkpoint does not name them.
        width: number of values.
        statistics: "mean", "std", "min", "max", "q01", "q99" → (width,), those that the checkpoint has and that bind; in the
            checkpoint's units.
    """

    names: tuple[str, ...]
    width: int
    statistics: Mapping[str, Array] = field(default_factory=dict)


@dataclass(frozen=True)
class CheckpointContract:
    """What a checkpoint wants.

    Attributes:
        family: "act", "smolvla", "pi0", "openvla", ...
        source: folder or URL, for error texts.
        cameras: its image inputs, in its order.
        state: None: the model sees no state.
        action: one row of a chunk.
        chunk_size: number of rows.
        normalization: "state" and "action" → one of NORMALIZATIONS.
        rate_hz: rows per second; None: the checkpoint does not say, and the binding must.
    """

    family: str
    source: str
    cameras: tuple[CameraSlot, ...]
    state: VectorSpec | None
    action: VectorSpec
    chunk_size: int
    normalization: Mapping[str, str]
    rate_hz: float | None = None

    def vectors(self) -> dict[str, VectorSpec]:
        """Return "state" (where the model sees one) and "action" → its specification."""
        return {"state": self.state, "action": self.action} if self.state is not None else {"action": self.action}
