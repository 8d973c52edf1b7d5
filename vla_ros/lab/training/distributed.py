"""One run on one device, or on several: then started by `accelerate launch`, and gradients are averaged over all."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta

import torch
from torch.nn import Parameter

from vla_ros.parameters import ParameterError

LONGEST_WAIT = timedelta(hours=12)  # of all for the first, which draws the stills and lets the arm act; usual: 10 min


class Together:
    """Args: device: auto, cpu or cuda.

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
                cpu=device == "cpu", kwargs_handlers=[InitProcessGroupKwargs(timeout=LONGEST_WAIT)]
            )
            self.device, self.rank = self._accelerator.device, self._accelerator.process_index

    @property
    def first(self) -> bool:
        """Whether this is the process that draws, writes and talks."""
        return self.rank == 0

    @contextmanager
    def one_after_the_other(self) -> Iterator[None]:
        """The first process goes first, the others find what it left."""
        if self._accelerator is None:
            yield
        else:
            with self._accelerator.main_process_first():
                yield

    def average(self, parameters: Iterator[Parameter]) -> None:
        """Replace gradients by their mean over all processes."""
        if self._accelerator is None:
            return
        for parameter in parameters:
            if parameter.grad is not None:
                parameter.grad = self._accelerator.reduce(parameter.grad, "mean")

    def any(self, mine: bool) -> bool:
        """Return whether it is so in any process: clocks differ, and all must stop at the same step."""
        if self._accelerator is None:
            return mine
        return bool(self._accelerator.reduce(torch.tensor(float(mine), device=self.device), "sum") > 0)
