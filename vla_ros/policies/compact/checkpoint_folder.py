"""Folder of a checkpoint, from the name or path in the options."""

from __future__ import annotations

from pathlib import Path

from vla_ros.parameters import ParameterError
from vla_ros.policies.policy_parameters import CompactParameters
from vla_ros.resources import share

SHIPPED = "checkpoints"  # folder of the checkout, or of share/vla_ros


def folder_of(parameters: CompactParameters) -> Path:
    """Return the folder of the checkpoint.

    Raises:
        ParameterError: there is none of that name or path.
    """
    given = Path(parameters.checkpoint).expanduser()
    candidates = [given, share() / SHIPPED / parameters.checkpoint]
    for candidate in candidates:
        if (candidate / "config.json").is_file():
            return candidate
    raise ParameterError(
        f"compact.checkpoint: no checkpoint at {' or '.join(str(path) for path in candidates)}; "
        "train one with vla-ros train, then give its folder"
    )
