"""`vla-ros bench policy`: the time of each graph of the compact policy in each inference backend, and how far they agree."""

from __future__ import annotations

import argparse
import importlib.util
import os
import platform
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import psutil
from numpy.typing import NDArray

from vla_ros.lab import outputs
from vla_ros.lab.json_output import write_json
from vla_ros.parameters import ParameterError
from vla_ros.policies.compact.checkpoint import STANDARD, Checkpoint, load
from vla_ros.progress_line import ProgressLine

if TYPE_CHECKING:
    import torch

Values = Sequence[NDArray[np.generic]]
Backend = Callable[[Values], list[NDArray[np.floating]]]

CALLS, QUICK = 300, 5
TURNS = 5  # backends take turns, so that a busy moment of the machine affects all of them
WARM_UP = 3
NEEDS = {"torch": "torch", "transformers": "transformers", "onnx": "onnx"}
EAGER = "torch eager"
SHIPPED = "ONNX Runtime"


def run(chosen: argparse.Namespace) -> int:
    """Measure, print the table, and write the files that are asked for."""
    absent = [package for module, package in NEEDS.items() if importlib.util.find_spec(module) is None]
    if absent:
        raise ParameterError(f"bench policy: not installed: {', '.join(absent)} (pip install {' '.join(absent)})")
    import torch

    from vla_ros.policies.compact.graphs import modules
    from vla_ros.resources import share

    page = outputs.page("bench_policy.md") if chosen.docs else None
    torch.set_num_threads(1)
    checkpoint = load(share() / "checkpoints" / STANDARD)
    calls = QUICK if chosen.quick else CALLS
    rows = []
    graphs = modules(checkpoint)
    with ProgressLine("bench policy", len(graphs)) as progress:
        for name, (module, example) in graphs.items():
            values = _inputs(name, example, checkpoint, np.random.default_rng(chosen.seed))
            rows.append({"graph": name, **_measure(name, module, values, checkpoint, calls)})
            progress.advance()
    text = table(rows)
    print(text)
    write_json(chosen.json, {"calls": calls, "rows": rows})
    if page is not None:
        page.write_text(document(text, calls))
    return 0


def _inputs(
    name: str, example: tuple[torch.Tensor, ...], checkpoint: Checkpoint, rng: np.random.Generator
) -> list[NDArray[np.generic]]:
    """Return random inputs of the shapes and dtypes that a graph takes."""
    if name == "language":
        return [checkpoint.vocabulary.encode("put the red cube in the bowl", checkpoint.sizes.words)[None]]
    return [
        rng.integers(0, 255, tuple(each.shape), np.uint8)
        if each.dtype.itemsize == 1
        else rng.standard_normal(tuple(each.shape), np.float32)
        for each in example
    ]


def _measure(
    name: str, module: torch.nn.Module, values: Values, checkpoint: Checkpoint, calls: int
) -> dict[str, dict[str, float]]:
    """Return for each backend: p50_ms, p99_ms, and `apart`, the largest difference of an output from torch eager."""
    with tempfile.TemporaryDirectory() as folder:
        backends = _backends(name, module, checkpoint, Path(folder))
        reference = backends[EAGER](values)
        times: dict[str, list[float]] = {backend: [] for backend in backends}
        apart = {}
        for backend, answer in backends.items():
            outputs_ = [answer(values) for _ in range(WARM_UP)][-1]
            apart[backend] = max(float(np.abs(a - b).max()) for a, b in zip(outputs_, reference, strict=True))
        for _ in range(TURNS):
            for backend, answer in backends.items():
                for _ in range(-(-calls // TURNS)):
                    began_ns = time.perf_counter_ns()
                    answer(values)
                    times[backend].append((time.perf_counter_ns() - began_ns) / 1e6)
    return {
        backend: {
            "p50_ms": float(np.percentile(each, 50)),
            "p99_ms": float(np.percentile(each, 99)),
            "apart": apart[backend],
        }
        for backend, each in times.items()
    }


def _backends(name: str, module: torch.nn.Module, checkpoint: Checkpoint, folder: Path) -> Mapping[str, Backend]:
    """Return every backend, loaded."""
    import torch

    from vla_ros.policies.compact.graphs import Graphs, stored

    graphs = Graphs(checkpoint, (name,))
    from onnxruntime.quantization import (
        QuantType,
        quantize_dynamic,
    )  # after the first session: see inference_session.py

    file, int8_file = folder / "graph.onnx", folder / "int8.onnx"
    file.write_bytes(stored(checkpoint.folder, name))
    quantize_dynamic(str(file), str(int8_file), weight_type=QuantType.QInt8, op_types_to_quantize=["MatMul", "Gemm"])
    return {
        EAGER: _torch(module),
        "torch.compile": _torch(torch.compile(module)),
        SHIPPED: lambda given: list(graphs(name, *given)),
        f"{SHIPPED}, int8 weights": _onnx(int8_file),
    }


def _torch(module: Any) -> Backend:
    import torch

    def answer(values: Values) -> list[NDArray[np.floating]]:
        with torch.no_grad():
            result = module(*(torch.from_numpy(value) for value in values))
        return [part.numpy() for part in (result if isinstance(result, tuple) else (result,))]

    return answer


def _onnx(file: Path) -> Backend:
    from vla_ros.policies.compact.inference_session import session

    quantized = session(str(file))
    names = [given.name for given in quantized.get_inputs()]
    return lambda values: list(quantized.run(None, dict(zip(names, values, strict=True))))


def table(rows: Sequence[Mapping[str, Any]]) -> str:
    """Return the rows as a Markdown table."""
    backends = [name for name in rows[0] if name != "graph"]
    lines = ["| graph | " + " | ".join(backends) + " |", "|---|" + "---:|" * len(backends)]
    for row in rows:
        cells = [
            f"{row[name]['p50_ms']:.2f} / {row[name]['p99_ms']:.2f} ({row[name]['apart']:.0e})" for name in backends
        ]
        lines.append(f"| {row['graph']} | " + " | ".join(cells) + " |")
    return "\n".join(lines)


def document(text: str, calls: int) -> str:
    """Return docs/bench_policy.md."""
    return f"""# What the compact policy costs in each inference backend

Made by `vla-ros bench policy --docs`; do not edit. It needs `make setup MODELS=1`.

{psutil.cpu_count()} cores ({platform.machine()}), Python {platform.python_version()}; load average at the end
{os.getloadavg()[0]:.1f}. Each graph runs {calls} times in each backend, on one thread, in {TURNS} turns. A cell shows
the time of a call in ms, p50 / p99, and in brackets the largest difference of an output from torch eager.

{text}

A plan runs `locate` once, `refine` twice and `fuse` once. `language` runs once for each instruction. A chunk runs `flow`
once for each Euler step. The policy uses {SHIPPED}: `make setup` installs it, it needs no torch, and its graphs ship with
the weights (`policies/compact/graphs.py`).
"""
