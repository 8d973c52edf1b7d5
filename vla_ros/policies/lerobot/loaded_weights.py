"""Loading a LeRobot policy so that no weight is left as it was made at random.

LeRobot's loaders only log what a file lacks, and pi0's goes on with random weights when it cannot read the file at all. So
every weight is NaN before the file is read: what is NaN afterwards was not in it, or is NaN in it.
"""

from __future__ import annotations

import contextlib
import sys
from pathlib import Path
from typing import Any

import torch
from lerobot.policies.pretrained import PreTrainedPolicy
from safetensors import safe_open

from vla_ros.parameters import ParameterError

DTYPES = {"BF16": torch.bfloat16, "F16": torch.float16, "F32": torch.float32, "F64": torch.float64}
"""Name in a safetensors file → dtype of a weight."""
NAMED = 3
"""So many weights are named in an error."""


def load_policy(cls: Any, config: Any, folder: Path) -> Any:
    """Return the policy of a folder, in evaluation mode on the device of its configuration.

    Args:
        cls: LeRobot's class of the policy.
        config: its configuration.
        folder: with model.safetensors.

    Raises:
        ParameterError: a weight is missing in the file or not finite, or the file has weights that the policy has not.
    """

    from_hub = bool(getattr(config, "load_vlm_weights", False))
    if from_hub:  # SmolVLA's language model of the hub: the checkpoint has its weights, too, and their dtypes
        config.load_vlm_weights = False

    def poisoned(self: Any, *args: Any, **keywords: Any) -> None:
        cls.__init__(self, *args, **keywords)
        with torch.no_grad():
            if from_hub:
                _cast(self, folder)
            for tensor in self.state_dict().values():
                if tensor.is_floating_point():
                    tensor.fill_(torch.nan)

    watched: Any = type(cls.__name__, (cls,), {"__init__": poisoned, "__module__": cls.__module__})
    with contextlib.redirect_stdout(sys.stderr):  # LeRobot prints how it gets on
        policy = watched.from_pretrained(folder, config=config, local_files_only=True)
    policy.__class__ = cls
    renames = cls.from_pretrained.__func__ is not PreTrainedPolicy.from_pretrained.__func__
    _check(policy, folder, renames)
    with torch.no_grad():
        for parameter in policy.parameters():
            # What maps the file is unaligned, which changes the last bit; and it would change with the file.
            parameter.data = parameter.data.clone()
    policy.requires_grad_(False)
    return policy.eval()


def _cast(policy: Any, folder: Path) -> None:
    """Give the parameters the dtypes that they have in the file."""
    with safe_open(folder / "model.safetensors", "pt") as opened:
        held = set(opened.keys())
        for name, parameter in policy.named_parameters(remove_duplicate=False):
            if name in held:
                parameter.data = parameter.data.to(DTYPES[opened.get_slice(name).get_dtype()])


def _check(policy: Any, folder: Path, renames: bool) -> None:
    """Raise ParameterError where a weight of the policy is not finite, or one of the file is not in the policy.

    Args:
        renames: whether the policy's loader may have renamed weights.
    """
    file = folder / "model.safetensors"
    own = policy.state_dict()
    floating = {name for name, tensor in own.items() if tensor.is_floating_point()}
    wrong = [name for name in own if name in floating and not bool(torch.isfinite(own[name]).all())]
    with safe_open(file, "pt") as opened:
        held = set(opened.keys())
        unused = [] if wrong else _unused(policy, opened, held, renames)
        whole = [name for name in sorted(held & floating) if opened.get_slice(name).get_dtype() not in DTYPES]
    missing = [name for name in wrong if held.isdisjoint((name, name.removeprefix("model.")))]
    if missing:
        raise ParameterError(
            f"{file}: has no weights for {_some(missing)}: it is of another architecture than config.json, or of another "
            "version of LeRobot"
        )
    if wrong:
        raise ParameterError(
            f"{file}: {_some(wrong)}: not finite (NaN or infinite): the file is damaged, or the training diverged"
        )
    if whole:
        raise ParameterError(f"{file}: {_some(whole)}: not of floating-point numbers: quantised? Save them as such")
    if unused:
        raise ParameterError(
            f"{file}: has {_some(unused)}, which the policy of config.json has not: it is of another architecture"
        )


def _unused(policy: Any, opened: Any, held: set[str], renames: bool) -> list[str]:
    """Return weights of the file that are nowhere in the policy."""
    own = policy.state_dict()
    # A counter of batch normalisation that learned: one that is frozen, as ACT's is when it is loaded, has none.
    held = {name for name in held if not name.endswith(".num_batches_tracked")}
    rest = sorted(name for name in held if not {name, f"model.{name}"} & own.keys())
    if not rest or not renames:
        return rest
    # A tensor of the policy with the same first values is the one.
    marks = {_mark(tensor) for tensor in own.values()}
    return [name for name in rest if _mark(opened.get_tensor(name)) not in marks]


def _mark(tensor: torch.Tensor) -> tuple[Any, ...]:
    """Return what two equal tensors of different dtype have in common, up to rounding."""
    return (tuple(tensor.shape), *tensor.flatten()[:8].to(torch.float32).to(torch.bfloat16).tolist())


def _some(names: list[str]) -> str:
    more = len(names) - NAMED
    return ", ".join(names[:NAMED]) + (f" and {more} more" if more > 0 else "")
