"""The choice between a kernel of `kernels.c` and its Python form, which give the same to the bit."""

from __future__ import annotations

import functools
import importlib
from collections.abc import Callable
from types import ModuleType
from typing import ParamSpec, TypeVar

P = ParamSpec("P")
R = TypeVar("R")


def _built() -> ModuleType | None:
    try:
        return importlib.import_module("vla_ros.safety.kernels")
    except ImportError:  # a checkout that nothing has been built in
        return None


KERNELS = _built()
"""None: they have not been built, and the Python forms are used."""


def compiled(python_form: Callable[P, R]) -> Callable[P, R]:
    """Have the kernel with the name of a function do its work, where it has been built, the values are not too large and
    the arrays lie in one piece."""
    if KERNELS is None:
        return python_form
    kernel = getattr(KERNELS, python_form.__name__)

    @functools.wraps(python_form)
    def either(*args: P.args, **kwargs: P.kwargs) -> R:
        try:
            result: R = kernel(*args, **kwargs)
        except (OverflowError, BufferError):
            return python_form(*args, **kwargs)
        return result

    return either
