"""The child of `process_model.ProcessModel`: a model in another Python, answering over stdin and stdout.

It needs numpy, this package's source and what the model needs; no ROS. It is started as a file, by the path of this one,
because the Python that runs it need not have the package installed.
"""

from __future__ import annotations

import importlib.util
import os
import pkgutil
import queue
import signal
import sys
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

if TYPE_CHECKING:
    from vla_ros.policies.chunk_model import ChunkModel

OFFLINE = {"HF_HUB_OFFLINE": "1", "TRANSFORMERS_OFFLINE": "1", "HF_HUB_DISABLE_TELEMETRY": "1", "DO_NOT_TRACK": "1"}
"""Environment variables that keep the libraries of models from asking the hub, or telling it anything."""


def import_package(folder: Path) -> None:
    """Make `vla_ros` importable from its folder alone: what is installed beside it is for another Python."""
    if "vla_ros" in sys.modules:
        return
    spec = importlib.util.spec_from_file_location(
        "vla_ros", folder / "__init__.py", submodule_search_locations=[str(folder)]
    )
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["vla_ros"] = module
    spec.loader.exec_module(module)


def serve(requests: BinaryIO, answers: BinaryIO) -> None:
    """Make the model that the first message names, then answer each following one, until `requests` ends.

    The end of `requests` ends the process, also in the middle of an inference: nobody waits for it.
    """
    from vla_ros.policies.array_frames import packed

    inbox: queue.Queue[dict[str, Any]] = queue.Queue()
    threading.Thread(target=_receive, args=(requests, inbox), daemon=True).start()
    model: ChunkModel | None = None
    while True:
        message = inbox.get()
        try:
            if model is None:
                model = _made(message)
                answer: dict[str, Any] = {"checkpoint": model.checkpoint, "contract": _mapping(model)}
            else:
                answer = {"actions": _inferred(model, message)}
        except Exception as error:  # whatever a model raises is told to the parent
            answer = {"error": _line(error), "refused": type(error).__name__ == "ParameterError"}
        answers.write(packed(answer))
        answers.flush()


def _receive(requests: BinaryIO, inbox: queue.Queue[dict[str, Any]]) -> None:
    """Read messages into `inbox`; end the process when there are no more."""
    from vla_ros.policies.array_frames import PREFIX, FrameError, sizes, unpacked

    while True:
        prefix = requests.read(PREFIX.size)
        if len(prefix) < PREFIX.size:
            os._exit(0)
        try:
            header, payload = (requests.read(count) for count in sizes(prefix))
            inbox.put(unpacked(header, payload))
        except FrameError:  # also of a message that the parent did not live to finish
            os._exit(1)


def _made(message: dict[str, Any]) -> ChunkModel:
    sys.path.extend(message["path"])
    cls = pkgutil.resolve_name(message["target"])
    model: ChunkModel = cls(**message["options"])
    return model


def _mapping(model: ChunkModel) -> dict[str, Any]:
    from dataclasses import asdict

    return asdict(model.contract)


def _inferred(model: ChunkModel, message: dict[str, Any]) -> Any:
    from vla_ros.policies.chunk_model import Observation

    if message["reset"]:
        model.reset()
    return model.infer(Observation(**message["observation"]))


def _line(error: Exception) -> str:
    """Return an error as one line."""
    text = " ".join(str(error).split())
    return text if type(error).__name__ == "ParameterError" else f"{type(error).__name__}: {text}"


def main() -> None:
    """Serve over stdin and what stdout was; whatever prints goes to stderr."""
    for number in (signal.SIGINT, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)  # the parent ends it, by closing stdin
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    os.environ.update(OFFLINE)
    import_package(Path(__file__).resolve().parents[1])
    serve(sys.stdin.buffer, answers)


if __name__ == "__main__":
    main()
