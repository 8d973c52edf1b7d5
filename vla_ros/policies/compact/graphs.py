"""The network as the inference backend (ONNX Runtime) runs it: five graphs, exported once from the weights, one thread each.

`export` needs torch, transformers and onnx; running the graphs does not.
"""

from __future__ import annotations

import functools
import io
import json
import warnings
import zlib
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray
from safetensors import SafetensorError, safe_open
from safetensors.numpy import load_file, save_file

from vla_ros.parameters import ParameterError
from vla_ros.policies.compact.checkpoint import GRAPHS, WEIGHTS, Checkpoint, load
from vla_ros.policies.compact.inference_session import session

if TYPE_CHECKING:
    import torch

Float32Array = NDArray[np.float32]

STORED = {"language": "language", "locate": "look", "refine": "fixate", "fuse": "fuse", "flow": "flow"}
"""Name of each graph → its name in the file."""
NAMES = tuple(STORED)
PARTS = ("onnx", "weights")  # of a graph; the last is which weights are at which offset of the first
LEAST_BYTES = 64  # of a weight that is stored once; shorter ones stay in the graph


class Graphs:
    """Some of the graphs of a checkpoint, compiled.

    Args:
        checkpoint: whose graphs; they are exported first where they are missing or of other weights.
        names: of NAMES.

    Raises:
        ParameterError: they would have to be exported, and torch, transformers or onnx is not installed.
    """

    def __init__(self, checkpoint: Checkpoint, names: tuple[str, ...] = NAMES) -> None:
        if not is_current(checkpoint):
            try:
                export(checkpoint)
            except ImportError as error:
                raise ParameterError(
                    f"compact.checkpoint: {checkpoint.folder / GRAPHS} holds no graphs of these weights, and "
                    f"{error.name} is not installed to make them: pip install torch transformers onnx, once, "
                    "or take a checkpoint with its graphs"
                ) from None
        self._compiled = {name: _compiled(checkpoint.folder, checkpoint.hash, name) for name in names}

    def __call__(self, name: str, *values: NDArray[np.generic]) -> list[Float32Array]:
        """Run a graph on arrays, in order; return its outputs, in order."""
        compiled = self._compiled[name]
        given = {place.name: value for place, value in zip(compiled.get_inputs(), values, strict=True)}
        outputs: list[Float32Array] = compiled.run(None, given)
        return outputs


@functools.lru_cache(maxsize=2 * len(NAMES))
def _compiled(folder: Path, checkpoint: str, name: str) -> Any:
    """Compile a graph: once in a process, however many policies it makes, since a graph keeps no state between calls."""
    return session(stored(folder, name))


def stored(folder: Path, name: str) -> bytes:
    """Return a graph (one of NAMES) of the checkpoint in `folder` as ONNX."""
    with safe_open(folder / GRAPHS, "numpy") as file:
        graph, places = (zlib.decompress(file.get_tensor(f"{STORED[name]}.{part}").tobytes()) for part in PARTS)
    whole = bytearray(graph)
    weights = _weights(folder)
    for weight, first in json.loads(places):
        whole[first : first + len(weights[weight])] = weights[weight]
    return bytes(whole)


def _weights(folder: Path) -> dict[str, bytes]:
    """Return the content of each weight in a graph, which computes in float32 whatever the file stores."""
    weights = load_file(folder / WEIGHTS).items()
    return {name: values.astype(np.float32).tobytes() for name, values in weights}


def _parts(graph: bytes, weights: Mapping[str, bytes]) -> tuple[bytes, bytes]:
    """Return PARTS of a graph; what equals a weight is zero in it, since the file of the weights holds it.

    Args:
        graph: ONNX.
        weights: name → content.
    """
    rest, found = bytearray(graph), []
    for name, content in weights.items():
        if len(content) < LEAST_BYTES or not any(content):
            continue
        first = rest.find(content)
        while first >= 0:
            rest[first : first + len(content)] = bytes(len(content))
            found.append((name, first))
            first = rest.find(content, first + len(content))
    return bytes(rest), json.dumps(found).encode()


def is_current(checkpoint: Checkpoint) -> bool:
    """Return whether the graphs beside the weights are complete and were exported from these weights."""
    try:
        with safe_open(checkpoint.folder / GRAPHS, "numpy") as file:
            complete = set(file.keys()) == {f"{name}.{part}" for name in STORED.values() for part in PARTS}
            return complete and (file.metadata() or {}).get("checkpoint") == checkpoint.hash
    except (OSError, SafetensorError):
        return False


def modules(checkpoint: Checkpoint) -> dict[str, tuple[torch.nn.Module, tuple[torch.Tensor, ...]]]:
    """Return the modules that become graphs, by name, each with example inputs.

    Raises:
        ImportError: torch or transformers is not installed.
    """
    import torch

    from vla_ros.policies.compact.model import CompactModel
    from vla_ros.policies.compact.model_config import (
        ACTION_DIM,
        MOTION_FEATURES,
        OBJECT_FEATURES,
        ROLES,
        STATE_FEATURES,
        WAYPOINT_FEATURES,
    )

    sizes = checkpoint.sizes
    model = CompactModel.from_pretrained(str(checkpoint.folder), dtype=torch.float32, local_files_only=True)
    model.train(False)

    class LocateGraph(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.model = model

        def forward(self, images: torch.Tensor, queries: torch.Tensor) -> tuple[torch.Tensor, ...]:
            views = {camera: images[index : index + 1] for index, camera in enumerate(sizes.cameras)}
            scores, heights, coarse = model.locate(views, queries)
            return torch.stack(scores, 1), torch.stack(heights, 1), torch.stack(coarse, 1)

    class RefineGraph(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.model = model

        def forward(self, crops: torch.Tensor, queries: torch.Tensor, centres: torch.Tensor) -> torch.Tensor:
            refined: torch.Tensor = model.refine(crops, model.with_tool(queries), centres)
            return refined

    class FuseGraph(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.fusion = model.fusion

        def forward(
            self, step: torch.Tensor, objects: torch.Tensor, state: torch.Tensor, coarse: torch.Tensor
        ) -> tuple[torch.Tensor, ...]:
            fused: tuple[torch.Tensor, ...] = model.fusion(step, objects, state, list(coarse.unbind(1)))
            return fused

    side = sizes.image // 8
    coarse = torch.zeros(1, len(sizes.cameras), sizes.channels[2], side, side)
    image = torch.zeros(len(sizes.cameras), sizes.image, sizes.image, 3, dtype=torch.uint8)
    return {
        "language": (model.language, (torch.zeros(1, sizes.words, dtype=torch.int64),)),
        "locate": (LocateGraph(), (image, torch.zeros(1, len(ROLES), sizes.key))),
        "refine": (
            RefineGraph(),
            (
                torch.zeros(1, len(ROLES) + 1, sizes.crop, sizes.crop, 3, dtype=torch.uint8),
                torch.zeros(1, len(ROLES), sizes.key),
                torch.zeros(1, len(ROLES) + 1, 3),
            ),
        ),
        "fuse": (
            FuseGraph(),
            (
                torch.zeros(1, sizes.dim),
                torch.zeros(1, len(ROLES), OBJECT_FEATURES),
                torch.zeros(1, STATE_FEATURES),
                coarse,
            ),
        ),
        "flow": (
            model.flow,
            (
                torch.zeros(1, sizes.rows, ACTION_DIM),
                torch.zeros(1, sizes.rows),
                torch.zeros(1, sizes.waypoints, WAYPOINT_FEATURES),
                torch.zeros(1, MOTION_FEATURES),
                torch.zeros(1, sizes.latents, sizes.latent),
            ),
        ),
    }


def export(checkpoint: Checkpoint) -> None:
    """Export the graphs of a checkpoint.

    Raises:
        ImportError: torch, transformers or onnx is not installed.
    """
    import onnx  # noqa: F401  what torch misses late, and by another error
    import torch

    weights = _weights(checkpoint.folder)
    packed: dict[str, NDArray[np.uint8]] = {}
    for name, (module, example) in modules(checkpoint).items():
        for part, content in zip(PARTS, _parts(_onnx(module, example), weights), strict=True):
            packed[f"{STORED[name]}.{part}"] = np.frombuffer(zlib.compress(content, 9), np.uint8)
    save_file(packed, checkpoint.folder / GRAPHS, {"checkpoint": checkpoint.hash, "torch": torch.__version__})


def _onnx(module: torch.nn.Module, example: tuple[torch.Tensor, ...]) -> bytes:
    """Return a module as ONNX, with its weights as they are: ONNX Runtime folds what is constant when it loads them."""
    import torch

    file = io.BytesIO()
    names = [f"given{index}" for index in range(len(example))]
    with torch.no_grad(), warnings.catch_warnings():
        # The exporter that replaces this one needs two packages more and writes a file twice as large.
        warnings.simplefilter("ignore", DeprecationWarning)
        warnings.simplefilter("ignore", torch.jit.TracerWarning)  # that shapes are constants, which they are
        torch.onnx.export(module, example, file, dynamo=False, do_constant_folding=False, input_names=names)
    return file.getvalue()


def make(folder: Path) -> None:
    """Export the graphs of the checkpoint in `folder`, unless they are current."""
    checkpoint = load(folder)
    if not is_current(checkpoint):
        export(checkpoint)
