"""The network as the inference backend (OpenVINO) runs it: five graphs, made once from the weights, one thread each.

`export` needs torch and transformers; running what it wrote does not.
"""

from __future__ import annotations

import functools
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save_file

from vla_ros.parameters import ParameterError
from vla_ros.policies.compact.checkpoint import GRAPHS, Checkpoint, load

if TYPE_CHECKING:
    import torch

Array = NDArray[np.float32]

NAMES = ("language", "look", "fixate", "fuse", "flow")


class Graphs:
    """Some of the graphs of a checkpoint, compiled. Args: names: of NAMES.

    Raises:
        ParameterError: there are no graphs of these weights and torch, which would make them, is not installed.
    """

    def __init__(self, checkpoint: Checkpoint, names: tuple[str, ...] = NAMES) -> None:
        file = checkpoint.folder / GRAPHS
        if not fresh(checkpoint):
            try:
                export(checkpoint)
            except ImportError as error:
                raise ParameterError(
                    f"compact.checkpoint: {file} holds no graphs of these weights, and {error.name} is not installed "
                    "to make them: pip install torch transformers, once, or take a checkpoint with its graphs"
                ) from None
        self._compiled = {name: _compiled(file, checkpoint.hash, name) for name in names}

    def __call__(self, name: str, *values: NDArray[np.generic]) -> list[Array]:
        """Run a graph; returns its outputs in order, copied."""
        outputs = self._compiled[name](list(values))
        return [np.array(outputs[index]) for index in range(len(outputs))]


@functools.lru_cache(maxsize=2 * len(NAMES))
def _compiled(file: Path, checkpoint: str, name: str) -> Any:
    """A compiled graph: once in a process that makes many policies, since it keeps nothing from call to call."""
    import openvino  # type: ignore[import-untyped]

    with safe_open(file, "numpy") as stored:
        graph, weights = (stored.get_tensor(f"{name}.{part}") for part in ("xml", "bin"))
    core = openvino.Core()
    settings = {"INFERENCE_NUM_THREADS": 1, "INFERENCE_PRECISION_HINT": "f32", "PERFORMANCE_HINT": "LATENCY"}
    return core.compile_model(core.read_model(graph.tobytes(), openvino.Tensor(weights)), "CPU", settings)


def fresh(checkpoint: Checkpoint) -> bool:
    """Return whether the graphs that stand beside the weights were made from them."""
    try:
        with safe_open(checkpoint.folder / GRAPHS, "numpy") as stored:
            return (stored.metadata() or {}).get("checkpoint") == checkpoint.hash
    except (OSError, SafetensorError):
        return False


def modules(checkpoint: Checkpoint) -> dict[str, tuple[torch.nn.Module, tuple[torch.Tensor, ...]]]:
    """Return the modules that become graphs, by name, each with an example of what it is given.

    Raises:
        ImportError: torch or transformers is not installed.
    """
    import torch

    from vla_ros.policies.compact.configuration import ACTION, AHEAD, MOVING, OBJECT, ROLES, STATE
    from vla_ros.policies.compact.model import CompactModel

    sizes = checkpoint.sizes
    model = CompactModel.from_pretrained(str(checkpoint.folder), dtype=torch.float32, local_files_only=True)
    model.train(False)

    class Look(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.model = model

        def forward(self, images: torch.Tensor, queries: torch.Tensor) -> tuple[torch.Tensor, ...]:
            pictures = {camera: images[index : index + 1] for index, camera in enumerate(sizes.cameras)}
            scores, heights, coarse = model.look(pictures, queries)
            return torch.stack(scores, 1), torch.stack(heights, 1), torch.stack(coarse, 1)

    class Fixate(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.model = model

        def forward(self, patches: torch.Tensor, queries: torch.Tensor, spots: torch.Tensor) -> torch.Tensor:
            known: torch.Tensor = model.fixate(patches, model.with_tool(queries), spots)
            return known

    class Fuse(torch.nn.Module):
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
        "look": (Look(), (image, torch.zeros(1, len(ROLES), sizes.key))),
        "fixate": (
            Fixate(),
            (
                torch.zeros(1, len(ROLES) + 1, sizes.fovea, sizes.fovea, 3, dtype=torch.uint8),
                torch.zeros(1, len(ROLES), sizes.key),
                torch.zeros(1, len(ROLES) + 1, 3),
            ),
        ),
        "fuse": (
            Fuse(),
            (torch.zeros(1, sizes.dim), torch.zeros(1, len(ROLES), OBJECT), torch.zeros(1, STATE), coarse),
        ),
        "flow": (
            model.flow,
            (
                torch.zeros(1, sizes.rows, ACTION),
                torch.zeros(1, sizes.rows),
                torch.zeros(1, sizes.waypoints, AHEAD),
                torch.zeros(1, MOVING),
                torch.zeros(1, sizes.latents, sizes.latent),
            ),
        ),
    }


def export(checkpoint: Checkpoint) -> None:
    """Make the graphs from the weights.

    Raises:
        ImportError: torch or transformers is not installed.
    """
    import openvino
    import torch

    parts: dict[str, NDArray[np.uint8]] = {}
    with tempfile.TemporaryDirectory() as folder:
        for name, (module, example) in modules(checkpoint).items():
            with torch.no_grad():
                graph = openvino.convert_model(module, example_input=example, input=[tuple(x.shape) for x in example])
            file = Path(folder) / f"{name}.xml"
            openvino.save_model(graph, str(file), compress_to_fp16=True)
            for part in ("xml", "bin"):
                parts[f"{name}.{part}"] = np.frombuffer(file.with_suffix(f".{part}").read_bytes(), np.uint8)
    about = {"checkpoint": checkpoint.hash, "openvino": openvino.__version__}
    save_file(parts, checkpoint.folder / GRAPHS, about)


def make(folder: Path) -> None:
    """Make the graphs of the checkpoint in `folder`, unless they are there."""
    checkpoint = load(folder)
    if not fresh(checkpoint):
        export(checkpoint)
