"""Training of the compact policy: `Trainer` runs it (torch is imported with it), `TrainParameters` configures it."""

from typing import TYPE_CHECKING

from vla_ros.lab.training.train_parameters import PHASES, TrainParameters
from vla_ros.lazy_names import lazy_names

if TYPE_CHECKING:
    from vla_ros.lab.training.trainer import Trainer

__all__ = ["PHASES", "TrainParameters", "Trainer"]
__getattr__, __dir__ = lazy_names(
    __name__,
    {
        "trainer": ("Trainer",),
    },
)
