"""Public names of a package that are imported when they are first used (PEP 562): `import vla_ros` stays quick.

__getattr__, __dir__ = lazy_names(__name__, {"filter": ("SafetyFilter", "Decision")})
"""

from __future__ import annotations

import importlib
import sys
from collections.abc import Callable, Mapping, Sequence


def lazy_names(
    package: str, modules: Mapping[str, Sequence[str]]
) -> tuple[Callable[[str], object], Callable[[], list[str]]]:
    """Return the functions `__getattr__` and `__dir__` of a package.

    Args:
        package: its full name.
        modules: module below the package → public names that it holds.
    """
    module_of = {name: f"{package}.{module}" for module, names in modules.items() for name in names}

    def getattribute(name: str) -> object:
        if name not in module_of:
            raise AttributeError(f"module {package!r} has no attribute {name!r}")
        return getattr(importlib.import_module(module_of[name]), name)

    def directory() -> list[str]:
        return sorted({*vars(sys.modules[package]), *module_of})

    return getattribute, directory
