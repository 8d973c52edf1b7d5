"""A model in another Python: a child process that the planner starts, talks to over pipes, and starts again when it dies.

ROS of Ubuntu 22.04 has Python 3.10 or 3.11, LeRobot needs 3.12: then `policy_python` names the Python that has the model.
"""

from __future__ import annotations

import contextlib
import os
import select
import shutil
import signal
import subprocess
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from vla_ros.arrays import Array
from vla_ros.parameters import ParameterError
from vla_ros.policies import process_child
from vla_ros.policies.array_frames import PREFIX, FrameError, packed, sizes, unpacked
from vla_ros.policies.binding.checkpoint_contract import CameraSlot, CheckpointContract, VectorSpec
from vla_ros.policies.chunk_model import ModelUnavailable, Observation

FIRST_BACK_OFF_S = 1.0
MAX_BACK_OFF_S = 60.0
"""A child that has died is started again after a wait, which doubles from the first to the longest."""
END_S = 2.0
"""So long a child may take to end once nobody talks to it."""


class ProcessModel:
    """A `ChunkModel` in a child process.

    Args:
        target: "module:Class" of the model, made in the child as `Class(**options)`; the module may use this package and what
            `python` has installed.
        python: the child's Python: a path, or a program on PATH.
        options: keywords of the class: str, numbers, truth values, lists and mappings of these.
        path: folders in which the child finds further modules, e.g. that of `target`.
        key: parameter that names `python`, for error texts.
        load_timeout_s: longest time from the start to the first answer, s.
        timeout_s: longest time of one inference, s.

    Raises:
        ParameterError: there is no such Python, the model refuses its options, or it cannot be made.
    """

    def __init__(
        self,
        target: str,
        python: str,
        options: Mapping[str, Any],
        path: Sequence[str] = (),
        key: str = "policy_python",
        load_timeout_s: float = 600.0,
        timeout_s: float = 30.0,
    ) -> None:
        found = shutil.which(str(Path(python).expanduser()))
        if found is None:
            raise ParameterError(f"{key}: there is no program {python!r}; name the Python that has the model installed")
        self._command = [found, str(Path(process_child.__file__).resolve())]
        self._first = {"target": target, "options": dict(options), "path": list(path)}
        self._load_timeout_s, self._timeout_s = load_timeout_s, timeout_s
        self._back_off_s, self._start_at_s = FIRST_BACK_OFF_S, 0.0
        self._reset = True
        self._fault = ""
        self._ready = False
        try:
            self._start()
            answer = self._answer(self._deadline_s)
        except (ModelUnavailable, OSError) as error:
            self.close()
            raise ParameterError(f"{key}: {found}: {error}") from None
        if "error" in answer:
            self.close()
            raise ParameterError(answer["error"] if answer["refused"] else f"{key}: {found}: {answer['error']}")
        self._ready = True
        self.checkpoint = str(answer["checkpoint"])
        self.contract = contract_of(answer["contract"])

    def reset(self) -> None:
        """Forget what was seen; see `ChunkModel.reset`. It reaches the child with the next observation."""
        self._reset = True

    def infer(self, observation: Observation) -> Array:
        """Return a chunk; see `ChunkModel.infer`.

        Raises:
            ModelUnavailable: the child has died, hangs, or is being started again.
            RuntimeError: the model raised.
        """
        self._require_ready()
        request = {"reset": self._reset, "observation": vars(observation)}
        try:
            deadline_s = time.monotonic() + self._timeout_s
            self._send(packed(request), deadline_s)
            answer = self._answer(deadline_s)
        except ModelUnavailable as error:
            self._ready = False
            self._start_again(str(error))
            raise
        self._reset = False
        if "error" in answer:
            raise RuntimeError(answer["error"])
        self._back_off_s = FIRST_BACK_OFF_S
        return np.asarray(answer["actions"], np.float64)

    def close(self) -> None:
        """End the child."""
        self._ready = False
        if not hasattr(self, "_process"):
            return
        with contextlib.suppress(OSError):
            assert self._process.stdin is not None
            self._process.stdin.close()
        try:
            self._process.wait(END_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        if self._process.stdout is not None:
            self._process.stdout.close()

    def __del__(self) -> None:
        self.close()

    # The child.

    def _start(self) -> None:
        """Start a child and tell it which model to make; it answers when that is done."""
        # Modules of this Python are none of the child's, nor are those beside its script.
        environment = {key: value for key, value in os.environ.items() if key not in ("PYTHONPATH", "PYTHONHOME")}
        environment |= process_child.OFFLINE | {"PYTHONSAFEPATH": "1"}
        self._process = subprocess.Popen(
            self._command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=environment, bufsize=0
        )
        assert self._process.stdin is not None and self._process.stdout is not None
        os.set_blocking(self._process.stdin.fileno(), False)
        os.set_blocking(self._process.stdout.fileno(), False)
        self._reset = True
        self._deadline_s = time.monotonic() + self._load_timeout_s
        with contextlib.suppress(ModelUnavailable):  # then it has died, and the first answer says so
            self._send(packed(self._first), self._deadline_s)

    def _start_again(self, fault: str) -> None:
        """Have a new child after a wait."""
        self.close()
        self._fault = fault
        self._start_at_s = time.monotonic() + self._back_off_s
        self._back_off_s = min(2 * self._back_off_s, MAX_BACK_OFF_S)

    def _require_ready(self) -> None:
        """Return when the child can be asked; otherwise see to it that there will be one.

        Raises:
            ModelUnavailable: there is none yet.
        """
        if self._ready:
            return
        now_s = time.monotonic()
        if self._start_at_s:
            if now_s < self._start_at_s:
                raise ModelUnavailable(f"{self._fault}; it is started again in {self._start_at_s - now_s:.0f} s")
            self._start_at_s = 0.0
            self._start()
        assert self._process.stdout is not None
        if not select.select([self._process.stdout], [], [], 0.0)[0] and now_s < self._deadline_s:
            raise ModelUnavailable(f"{self._fault}; it has been started again and is loading")
        try:
            answer = self._answer(self._deadline_s)
            if "error" in answer:
                raise ModelUnavailable(str(answer["error"]))
        except ModelUnavailable as error:
            self._start_again(str(error))
            raise
        if answer["checkpoint"] != self.checkpoint:
            self._start_again("the checkpoint has changed since the planner started: restart the planner")
            raise ModelUnavailable(self._fault)
        self._ready = True

    def _send(self, data: bytes, deadline_s: float) -> None:
        assert self._process.stdin is not None
        number, rest = self._process.stdin.fileno(), memoryview(data)
        while rest:
            self._wait([], [number], deadline_s)
            try:
                rest = rest[os.write(number, rest) :]
            except BlockingIOError:
                continue
            except OSError:
                raise ModelUnavailable(self._obituary()) from None

    def _answer(self, deadline_s: float) -> dict[str, Any]:
        """Return the child's next message."""
        try:
            header, payload = sizes(self._read(PREFIX.size, deadline_s))
            return unpacked(self._read(header, deadline_s), self._read(payload, deadline_s))
        except FrameError as error:
            raise ModelUnavailable(f"the model's process answers nonsense: {error}") from None

    def _read(self, count: int, deadline_s: float) -> bytes:
        assert self._process.stdout is not None
        number, parts = self._process.stdout.fileno(), bytearray()
        while len(parts) < count:
            self._wait([number], [], deadline_s)
            with contextlib.suppress(BlockingIOError):
                part = os.read(number, count - len(parts))
                if not part:
                    raise ModelUnavailable(self._obituary())
                parts += part
        return bytes(parts)

    def _wait(self, reading: list[int], writing: list[int], deadline_s: float) -> None:
        left_s = deadline_s - time.monotonic()
        if left_s <= 0 or not any(select.select(reading, writing, [], left_s)):
            limit_s = self._timeout_s if self._ready else self._load_timeout_s
            raise ModelUnavailable(f"the model's process has not answered for {limit_s:g} s")

    def _obituary(self) -> str:
        """Return how the child ended."""
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(END_S)
        code = self._process.returncode
        if code is not None and code < 0:
            name = signal.Signals(-code).name
            hint = ": out of memory?" if name == "SIGKILL" else ""
            return f"the model's process was ended by {name}{hint}"
        return f"the model's process ended (exit code {code}); its log stands above"


def contract_of(mapping: Mapping[str, Any]) -> CheckpointContract:
    """Return the contract that `dataclasses.asdict` of a child made a mapping."""
    vector = {
        name: None
        if mapping[name] is None
        else VectorSpec(tuple(mapping[name]["names"]), mapping[name]["width"], mapping[name]["statistics"])
        for name in ("state", "action")
    }
    cameras = tuple(CameraSlot(**slot) for slot in mapping["cameras"])
    assert vector["action"] is not None
    return CheckpointContract(**{**mapping, **vector, "cameras": cameras})
