"""Training of the compact policy: `Trainer` runs it (torch is imported with it), `TrainParameters` configures it."""

from typing import TYPE_CHECKING, Any

from vla_ros.lab.training.train_parameters import PHASES, TrainParameters

if TYPE_CHECKING:
    from vla_ros.lab.training.trainer import Trainer

__all__ = ["PHASES", "TrainParameters", "Trainer"]


def __getattr__(name: str) -> Any:
    """Import the trainer, and torch with it, when it is asked for."""
    if name == "Trainer":
        from vla_ros.lab.training.trainer import Trainer

        return Trainer
    raise AttributeError(name)
