"""Makes LeRobot's pi classes small in a process that a test starts; Python imports this file where it is on the path."""

import importlib.abc
import importlib.util
import sys

MODULES = {f"lerobot.policies.{family}.modeling_{family}": family for family in ("pi0", "pi05")}


class Small(importlib.abc.MetaPathFinder):
    """Finds the modules as Python does, and makes them small when they have been loaded."""

    def find_spec(self, name, path=None, target=None):
        if name not in MODULES:
            return None
        sys.meta_path.remove(self)
        try:
            spec = importlib.util.find_spec(name)
        finally:
            sys.meta_path.insert(0, self)
        load = spec.loader.exec_module

        def exec_module(module):
            load(module)
            from test.models import tiny

            context = tiny.sizes(MODULES[name])
            context.__enter__()
            module._kept_small = context  # a context that is forgotten is left

        spec.loader.exec_module = exec_module
        return spec


sys.meta_path.insert(0, Small())
