"""A transformers image-text model in a folder on this machine, in a process of its own.

torch is neither in the planner's process nor in its environment: `vlm.python` names the Python that has it. The process
begins to load the model at once, and is started again with the next question after it has died. It reaches no hub:
HF_HUB_OFFLINE is set, and the folder alone is read. Questions and answers are lines of JSON on its pipes.
"""

from __future__ import annotations

import base64
import contextlib
import json
import os
import queue
import shutil
import struct
import subprocess
import sys
import threading
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from vla_ros.parameters import ParameterError
from vla_ros.policies.binding.weight_files import LFS
from vla_ros.policies.vlm.asking import VlmRequest, VlmUnavailable, jpeg_of
from vla_ros.policies.vlm.vlm_parameters import VlmParameters
from vla_ros.scheduling import ONE_THREAD

CHILD = Path(__file__).with_name("local_child.py")
INDEX, WEIGHTS = "model.safetensors.index.json", "model.safetensors"
TEXT_LIMIT = 300
OFFLINE = {"HF_HUB_OFFLINE": "1", "TRANSFORMERS_OFFLINE": "1", "HF_HUB_DISABLE_TELEMETRY": "1", "DO_NOT_TRACK": "1"}


class LocalModel:
    """Asks a model in a child process.

    Args:
        parameters: folder, Python, device, timeouts.

    Raises:
        ParameterError: the folder is none of a model, or is not whole; or there is no such Python.
    """

    def __init__(self, parameters: VlmParameters) -> None:
        self._parameters = parameters
        self._folder = Path(parameters.folder).expanduser()
        check_folder(self._folder)
        self._process: subprocess.Popen[bytes] | None = None
        self._lines: queue.Queue[str | None] = queue.Queue()
        self._ready = self._closed = False
        self._load_by_s = 0.0
        self._number = 0  # of the newest request
        self._python = parameters.python or sys.executable
        if shutil.which(self._python) is None:
            raise ParameterError(f"vlm.python: {self._python}: there is no such program")
        with contextlib.suppress(VlmUnavailable):  # said with the first question
            self._running()  # it loads while nobody asks yet

    def answer(self, request: VlmRequest, cancelled: threading.Event) -> str:
        """Return the text of the answer; see `asking.VisionLanguageModel`."""
        process = self._running()
        if not self._ready:
            hello = self._take(self._load_by_s, cancelled, None)
            if "error" in hello:
                self._end()
                raise VlmUnavailable(f"{self._where}: {str(hello['error'])[:TEXT_LIMIT]}", lasting=True)
            self._ready = True
        self._number += 1
        images = [
            (camera, base64.b64encode(jpeg_of(image, self._parameters.image_size)).decode())
            for camera, image in request.images.items()
        ]
        asked = {"number": self._number, "text": request.text, "images": images}
        line = json.dumps({**asked, "max_tokens": self._parameters.max_tokens})
        assert process.stdin is not None
        try:
            process.stdin.write(line.encode() + b"\n")
            process.stdin.flush()
        except (OSError, ValueError):  # it has ended, or its pipe was closed
            raise VlmUnavailable(f"{self._where}: {self._end()}") from None
        answer = self._take(time.monotonic() + self._parameters.timeout_s, cancelled, self._number)
        if "error" in answer:
            raise VlmUnavailable(f"{self._where}: {str(answer['error'])[:TEXT_LIMIT]}")
        return str(answer["text"])

    def interrupt(self) -> None:
        """The process goes on: to load the model again would take longer than to finish an answer that nobody reads."""

    def close(self) -> None:
        """End the process."""
        self._closed = True
        self._end()

    @property
    def _where(self) -> str:
        return f"the VLM in {self._folder}"

    def _running(self) -> subprocess.Popen[bytes]:
        """Return the process, started if it is not there."""
        if self._closed:
            raise VlmUnavailable("nobody waits for the answer")
        if self._process is not None and self._process.poll() is None:
            return self._process
        command = [self._python, str(CHILD), str(self._folder), self._parameters.device, str(self._parameters.seed)]
        environment = {**os.environ, **ONE_THREAD, **OFFLINE}
        self._lines, self._ready = queue.Queue(), False
        self._load_by_s = time.monotonic() + self._parameters.load_timeout_s
        try:
            self._process = process = subprocess.Popen(
                command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, env=environment
            )
        except OSError as error:
            reason = f"vlm.python: {self._python}: {os.strerror(error.errno or 0)}"
            raise VlmUnavailable(reason, lasting=True) from None
        threading.Thread(target=_read_lines, args=(process, self._lines), daemon=True, name="vlm").start()
        return process

    def _take(self, end_s: float, cancelled: threading.Event, number: int | None) -> Mapping[str, Any]:
        """Return the line that answers request `number`; None: the first line. Others are left out.

        Raises:
            VlmUnavailable: it has not come by `end_s` (monotonic), and the process is ended; the process has ended; or
                nobody waits for it any more, and the process goes on.
        """
        began_s = time.monotonic()
        while time.monotonic() < end_s:
            if cancelled.is_set() or self._closed:
                raise VlmUnavailable("nobody waits for the answer")
            with contextlib.suppress(queue.Empty):
                line = self._lines.get(timeout=0.05)
                if line is None:
                    process = self._process
                    with contextlib.suppress(subprocess.TimeoutExpired):
                        if process is not None:
                            process.wait(1.0)
                    raise VlmUnavailable(f"{self._where}: {self._end()}")
                try:
                    tree = json.loads(line)
                except ValueError:
                    tree = None
                if isinstance(tree, dict) and tree.get("number") == number:
                    return tree
        self._end()
        raise VlmUnavailable(f"{self._where} has not answered within {time.monotonic() - began_s:.1f} s")

    def _end(self) -> str:
        """End the child; return how it ended."""
        process, self._process = self._process, None
        if process is None:
            return "its process was ended"
        ended = process.poll()
        if ended is None:
            process.kill()
        process.wait()
        for pipe in (process.stdin, process.stdout):
            with contextlib.suppress(OSError):
                if pipe is not None and (ended is None or pipe is process.stdin):
                    pipe.close()
        return "its process was ended" if ended is None else f"its process ended by itself (exit code {ended})"


TOKENIZERS = ("tokenizer.json", "tokenizer.model", "vocab.json", "vocab.txt", "spiece.model")
"""Files of which a tokenizer needs one."""


def check_folder(folder: Path) -> None:
    """Refuse a folder that is none of a transformers model, or is not whole, before anything is loaded.

    Raises:
        ParameterError: what is missing or damaged, by name.
    """
    where = f"vlm.folder: {folder}"
    if not folder.is_dir():
        raise ParameterError(f"{where}: there is no such folder")
    if not _json(folder / "config.json", where).get("model_type"):
        raise ParameterError(f"{where}: config.json: it has no model_type: no model of transformers")
    _json(folder / "tokenizer_config.json", where)
    if not any((folder / name).is_file() for name in TOKENIZERS):
        raise ParameterError(f"{where}: there is none of {', '.join(TOKENIZERS)}; download it again")
    for path in sorted((*folder.glob("*.json"), *folder.glob("*.model"), *folder.glob("*.txt"))):
        _check_pointer(path, where)
    if not any((folder / name).is_file() for name in ("preprocessor_config.json", "processor_config.json")):
        raise ParameterError(f"{where}: there is no preprocessor_config.json: it is no image-text model, or not whole")
    if (folder / INDEX).is_file():
        shards = _json(folder / INDEX, where).get("weight_map")
        if not isinstance(shards, dict) or not shards:
            raise ParameterError(f"{where}: {INDEX}: it has no weight_map")
        names = sorted({str(name) for name in shards.values()})
    else:
        names = [WEIGHTS]
    for name in names:
        _check_safetensors(folder / name, where)


def _check_pointer(path: Path, where: str) -> None:
    """Raise ParameterError where a file is only a pointer of Git LFS: a download of it again would be one, too."""
    with contextlib.suppress(OSError), path.open("rb") as file:
        if file.read(len(LFS)) == LFS:
            raise ParameterError(f"{where}: {path.name}: a pointer of Git LFS: run git lfs pull")


def _json(path: Path, where: str) -> dict[str, Any]:
    _check_pointer(path, where)
    try:
        tree = json.loads(path.read_text())
    except OSError as error:
        raise ParameterError(f"{where}: {path.name}: {os.strerror(error.errno or 0)}; download it again") from None
    except (ValueError, RecursionError):
        raise ParameterError(f"{where}: {path.name}: it is not JSON; download it again") from None
    if not isinstance(tree, dict):
        raise ParameterError(f"{where}: {path.name}: expected an object; download it again")
    return tree


def _check_safetensors(path: Path, where: str) -> None:
    """Compare the length of a file with what its header says: a download that broke off is shorter."""
    _check_pointer(path, where)
    try:
        size = path.stat().st_size
        with path.open("rb") as file:
            head = file.read(8)
            length = struct.unpack("<Q", head)[0] if len(head) == 8 else -1
            if not 2 <= length <= min(size - 8, 100_000_000):
                raise ParameterError(f"{where}: {path.name}: it is no safetensors file, or cut off; download it again")
            header = json.loads(file.read(length))
        ends = [int(entry["data_offsets"][1]) for name, entry in header.items() if name != "__metadata__"]
    except OSError as error:
        raise ParameterError(f"{where}: {path.name}: {os.strerror(error.errno or 0)}; download it again") from None
    except ParameterError:
        raise
    except (ValueError, LookupError, TypeError, AttributeError, RecursionError):
        raise ParameterError(f"{where}: {path.name}: its header cannot be read; download it again") from None
    expected = 8 + length + max(ends, default=0)
    if size != expected:
        raise ParameterError(f"{where}: {path.name}: {size} bytes instead of {expected}; download it again")


def _read_lines(process: subprocess.Popen[bytes], lines: queue.Queue[str | None]) -> None:
    """Put the child's lines into the queue; None at their end."""
    assert process.stdout is not None
    with contextlib.suppress(OSError, ValueError):
        for line in process.stdout:
            lines.put(line.decode("utf-8", "replace"))
    lines.put(None)
