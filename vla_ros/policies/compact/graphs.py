"""The network as the inference backend (OpenVINO) runs it: five graphs, exported once from the weights, one thread each.

`export` needs torch and transformers; running the graphs does not.
"""

from __future__ import annotations

import functools
import json
import tempfile
import zlib
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any
from xml.etree import ElementTree

import numpy as np
from numpy.typing import NDArray
from safetensors import SafetensorError, safe_open
from safetensors.numpy import load_file, save_file

from vla_ros.parameters import ParameterError
from vla_ros.policies.compact.checkpoint import GRAPHS, WEIGHTS, Checkpoint, load

if TYPE_CHECKING:
    import torch

Float32Array = NDArray[np.float32]

STORED = {"language": "language", "locate": "look", "refine": "fixate", "fuse": "fuse", "flow": "flow"}
"""Name of each graph → its name in the file."""
NAMES = tuple(STORED)
PARTS = ("xml", "constants", "weights")  # of a graph; the last is which weights are at which offset of the constants


class Graphs:
    """Some of the graphs of a checkpoint, compiled.

    Args:
        checkpoint: whose graphs; they are exported first where they are missing or of other weights.
        names: of NAMES.

    Raises:
        ParameterError: they would have to be exported, and torch or transformers is not installed.
    """

    def __init__(self, checkpoint: Checkpoint, names: tuple[str, ...] = NAMES) -> None:
        if not is_current(checkpoint):
            try:
                export(checkpoint)
            except ImportError as error:
                raise ParameterError(
                    f"compact.checkpoint: {checkpoint.folder / GRAPHS} holds no graphs of these weights, and "
                    f"{error.name} is not installed to make them: pip install torch transformers, once, "
                    "or take a checkpoint with its graphs"
                ) from None
        self._compiled = {name: _compiled(checkpoint.folder, checkpoint.hash, name) for name in names}

    def __call__(self, name: str, *values: NDArray[np.generic]) -> list[Float32Array]:
        """Run a graph on arrays, in order; return copies of its outputs, in order."""
        outputs = self._compiled[name](list(values))
        return [np.array(outputs[index]) for index in range(len(outputs))]


@functools.lru_cache(maxsize=2 * len(NAMES))
def _compiled(folder: Path, checkpoint: str, name: str) -> Any:
    """Compile a graph: once in a process, however many policies it makes, since a graph keeps no state between calls."""
    import openvino  # type: ignore[import-untyped]

    xml, constants = stored(folder, name)
    core = openvino.Core()
    settings = {"INFERENCE_NUM_THREADS": 1, "INFERENCE_PRECISION_HINT": "f32", "PERFORMANCE_HINT": "LATENCY"}
    return core.compile_model(core.read_model(xml, openvino.Tensor(constants)), "CPU", settings)


def stored(folder: Path, name: str) -> tuple[bytes, NDArray[np.uint8]]:
    """Return a graph (one of NAMES) of the checkpoint in `folder` as OpenVINO saves it: its XML and its constants."""
    with safe_open(folder / GRAPHS, "numpy") as file:
        parts = [zlib.decompress(file.get_tensor(f"{STORED[name]}.{part}").tobytes()) for part in PARTS]
    constants = bytearray(parts[1])
    weights = load_file(folder / WEIGHTS)
    for weight, first in json.loads(parts[2]):
        values = weights[weight].tobytes()
        constants[first : first + len(values)] = values
    return parts[0], np.frombuffer(constants, np.uint8)


def _parts(xml: bytes, constants: bytes, weights: Mapping[bytes, str]) -> tuple[bytes, bytes, bytes]:
    """Return PARTS of a graph; constants that are weights are zero in it, since the file of the weights holds them.

    Args:
        xml, constants: as OpenVINO saves the graph.
        weights: content → name.
    """
    rest, found = bytearray(constants), []
    for data in ElementTree.fromstring(xml).iter("data"):
        if "offset" not in data.attrib:
            continue
        first, size = int(data.attrib["offset"]), int(data.attrib["size"])
        weight = weights.get(constants[first : first + size])
        if weight:
            rest[first : first + size] = bytes(size)
            found.append((weight, first))
    return xml, bytes(rest), json.dumps(found).encode()


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
        ImportError: torch or transformers is not installed.
    """
    import openvino
    import torch

    weights = {values.tobytes(): weight for weight, values in load_file(checkpoint.folder / WEIGHTS).items()}
    packed: dict[str, NDArray[np.uint8]] = {}
    with tempfile.TemporaryDirectory() as folder:
        for name, (module, example) in modules(checkpoint).items():
            with torch.no_grad():
                graph = openvino.convert_model(module, example_input=example, input=[tuple(x.shape) for x in example])
            file = Path(folder) / f"{name}.xml"
            openvino.save_model(graph, str(file), compress_to_fp16=True)
            xml, constants = (file.with_suffix(suffix).read_bytes() for suffix in (".xml", ".bin"))
            for part, content in zip(PARTS, _parts(xml, constants, weights), strict=True):
                packed[f"{STORED[name]}.{part}"] = np.frombuffer(zlib.compress(content, 9), np.uint8)
    about = {"checkpoint": checkpoint.hash, "openvino": openvino.__version__}
    save_file(packed, checkpoint.folder / GRAPHS, about)


def make(folder: Path) -> None:
    """Export the graphs of the checkpoint in `folder`, unless they are current."""
    checkpoint = load(folder)
    if not is_current(checkpoint):
        export(checkpoint)
