"""One half of a model: the class is built without memory, and the tensors of that half alone are read into it.

The other half stays on torch's device "meta": it takes no memory, and using it raises.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from safetensors import SafetensorError, safe_open
from torch import Tensor, nn

from vla_ros.parameters import ParameterError
from vla_ros.policies.split.checkpoint_files import CheckpointFiles

NAMED = 3
"""So many names of tensors go into an error text."""


@dataclass(frozen=True)
class Half:
    """Which tensors of a checkpoint one process needs.

    Attributes:
        files: the checkpoint.
        prefixes: of the names of parameters in the model that this half needs.
        without: of those, prefixes that inference never uses (an unused output head).
        sources: name in the model → name in the checkpoint.
        library: who reads this checkpoint, for error texts.
    """

    files: CheckpointFiles
    prefixes: Sequence[str]
    without: Sequence[str]
    sources: Mapping[str, str]
    library: str

    def needs(self, name: str) -> bool:
        """Return whether a parameter or buffer belongs to this half."""
        return name.startswith(tuple(self.prefixes)) and not name.startswith(tuple(self.without) or ("\0",))


@contextlib.contextmanager
def without_memory() -> Iterator[None]:
    """Build modules on the device "meta"."""
    with torch.device("meta"), torch.no_grad():
        yield


def load(model: nn.Module, half: Half, device: str) -> None:
    """Read this half's tensors into a model on "meta", in the types that the model's parameters have.

    The tensors are copies: what safetensors maps into memory is aligned differently, which changes the last bit of sums.

    Raises:
        ParameterError: the checkpoint lacks a tensor, has one of another shape or one that the model does not know, or one
            that is not finite.
    """
    parameters = dict(model.named_parameters()) | dict(model.named_buffers())
    sources = half.sources
    if unknown := sorted(name for name in sources if half.needs(name) and name not in parameters):
        raise _refused(half, f"has tensors that this model does not know: {_listed(unknown)}")
    persistent = model.state_dict()
    if missing := sorted(name for name in persistent if half.needs(name) and name not in sources):
        raise _refused(half, f"lacks {_listed(missing)}")
    by_file: dict[Path, list[str]] = {}
    for name in persistent:
        if half.needs(name):
            source = sources[name]
            place = half.files.tensors[source]
            if tuple(persistent[name].shape) != place.shape:
                raise _refused(
                    half, f"has {source} of shape {place.shape}, but this model takes {tuple(persistent[name].shape)}"
                )
            by_file.setdefault(place.file, []).append(name)
    for path, names in by_file.items():
        loaded = {}
        try:
            with safe_open(path, "pt") as file:
                for name in names:
                    loaded[name] = _checked(
                        file.get_tensor(sources[name]), persistent[name], sources[name], half, device
                    )
        except SafetensorError as error:
            raise _refused(half, f"{path.name} cannot be read: {error}; download it again") from None
        model.load_state_dict(loaded, strict=False, assign=True)
    model.eval()
    for parameter in model.parameters():
        parameter.requires_grad_(False)


def same_names(files: CheckpointFiles) -> dict[str, str]:
    """Return the sources of a checkpoint whose tensors have the names of the model's parameters."""
    return {name: name for name in files.tensors}


def cast_parameters(model: nn.Module, dtype: torch.dtype) -> None:
    """Give all floating parameters a type; buffers keep theirs, as with `from_pretrained` of transformers."""
    for parameter in model.parameters():
        if parameter.is_floating_point():
            parameter.data = parameter.data.to(dtype)


def check_complete(model: nn.Module, half: Half) -> None:
    """Raise AssertionError where something of this half is still on "meta": a buffer that no checkpoint holds."""
    left = [name for name, tensor in (*model.named_parameters(), *model.named_buffers()) if tensor.is_meta]
    left = [name for name in left if half.needs(name)]
    assert not left, f"not remade: {_listed(left)}"


def bytes_in_memory(model: nn.Module) -> int:
    """Return the bytes of all parameters and buffers that are not on "meta", quantized ones as they are stored."""
    tensors = {id(tensor): tensor for tensor in (*model.parameters(), *model.buffers()) if not tensor.is_meta}
    return sum(map(_bytes, tensors.values()))


def _bytes(tensor: Tensor) -> int:
    if not hasattr(tensor, "__tensor_flatten__"):
        return tensor.numel() * tensor.element_size()
    return sum(_bytes(getattr(tensor, name)) for name in tensor.__tensor_flatten__()[0])


def _checked(tensor: Tensor, target: Tensor, source: str, half: Half, device: str) -> Tensor:
    # On the CPU first: a copy that is also converted there has the bits of LeRobot's copy.
    copy = tensor.to(target.dtype, copy=True)
    if copy.is_floating_point() and not bool(torch.isfinite(copy).all()):
        raise _refused(half, f"has values in {source} that are not finite; download it again, or train it again")
    return copy.to(device)


def _listed(names: Sequence[str]) -> str:
    more = len(names) - NAMED
    return ", ".join(names[:NAMED]) + (f" and {more} more" if more > 0 else "")


def _refused(half: Half, why: str) -> ParameterError:
    return ParameterError(f"{half.files.key}: {half.files.folder} {why} (read as {half.library})")
