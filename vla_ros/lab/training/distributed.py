"""Training on one device, or on several, started by `accelerate launch`, with averaged gradients."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta

import torch
from torch.nn import Parameter

from vla_ros.parameters import ParameterError

MAX_WAIT = timedelta(
    hours=12
)  # of all processes for the main one, which draws the data and runs the closed loop; the default is 10 min


class DistributedRun:
    """The processes of one run.

    Args:
        device: auto, cpu or cuda.

    Raises:
        ParameterError: started by a launcher, but accelerate is not installed.
    """

    def __init__(self, device: str) -> None:
        self._accelerator = None
        if device == "auto":
            device = "cuda" if torch.cuda.is_available() else "cpu"
        self.device = torch.device(device)
        self.rank = 0
        if int(os.environ.get("WORLD_SIZE", "1")) > 1:
            try:
                from accelerate import Accelerator, InitProcessGroupKwargs
            except ImportError:
                raise ParameterError("train: several processes need accelerate: pip install accelerate") from None
            self._accelerator = Accelerator(
                cpu=device == "cpu", kwargs_handlers=[InitProcessGroupKwargs(timeout=MAX_WAIT)]
            )
            self.device, self.rank = self._accelerator.device, self._accelerator.process_index

    @property
    def is_main(self) -> bool:
        """Whether this is the process that draws data, writes files and reports."""
        return self.rank == 0

    @contextmanager
    def main_process_first(self) -> Iterator[None]:
        """Let the main process run a block first; the others run it after it, and find its files."""
        if self._accelerator is None:
            yield
        else:
            with self._accelerator.main_process_first():
                yield

    def average_gradients(self, parameters: Iterator[Parameter]) -> None:
        """Replace gradients by their mean over all processes."""
        if self._accelerator is None:
            return
        for parameter in parameters:
            if parameter.grad is not None:
                parameter.grad = self._accelerator.reduce(parameter.grad, "mean")

    def any_process(self, value: bool) -> bool:
        """Return whether `value` is true in any process: clocks differ, and all processes must stop at the same step."""
        if self._accelerator is None:
            return value
        return bool(self._accelerator.reduce(torch.tensor(float(value), device=self.device), "sum") > 0)
