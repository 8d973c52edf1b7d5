"""Sessions of ONNX Runtime: one thread, and no word to anybody outside."""

from __future__ import annotations

import os
from typing import Any

SILENCE = "ORT_DISABLE_TELEMETRY"  # ONNX Runtime from 1.29 on posts to its maker unless this is set before its import


def session(graph: str | bytes) -> Any:
    """Return a session that runs a graph on one thread of the CPU.

    Args:
        graph: path of an ONNX file, or its content.
    """
    os.environ[SILENCE] = "1"
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    return onnxruntime.InferenceSession(graph, options, providers=["CPUExecutionProvider"])
