"""A session of ONNX Runtime runs on the caller's thread and opens no socket."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[4]
RUN = """
import os, sys
from pathlib import Path
sys.path.insert(0, os.getcwd())
from vla_ros.policies.compact.checkpoint import STANDARD, load
from vla_ros.policies.compact.graphs import Graphs
from vla_ros.resources import share
checkpoint = load(share() / "checkpoints" / STANDARD)
words = checkpoint.vocabulary.encode("lift the cube", checkpoint.sizes.words)[None]
before = len(os.listdir("/proc/self/task"))
graphs = Graphs(checkpoint)
graphs("language", words)
links = [os.readlink(path) for path in Path("/proc/self/fd").iterdir() if path.is_symlink()]
print(len(os.listdir("/proc/self/task")) - before, sum(link.startswith("socket") for link in links))
print(os.environ.get("ORT_DISABLE_TELEMETRY"))
"""


def test_graphs_start_no_thread_open_no_socket_and_forbid_telemetry() -> None:
    environment = {name: value for name, value in os.environ.items() if name != "ORT_DISABLE_TELEMETRY"}
    done = subprocess.run(
        [sys.executable, "-c", RUN], check=False, capture_output=True, text=True, cwd=ROOT, env=environment
    )
    assert done.stdout.split() == ["0", "0", "1"], done.stderr


def test_versions_with_telemetry_are_not_installed() -> None:
    line = re.search(r"(?m)^onnxruntime(\S+)", (ROOT / "requirements.txt").read_text())
    assert line and line[1].endswith("<1.29")
    import onnxruntime

    library = next((Path(onnxruntime.__file__).parent / "capi").glob("onnxruntime_pybind11_state*"))
    assert b"OneCollector" not in library.read_bytes()
