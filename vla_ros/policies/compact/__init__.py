"""A vision-language-action model of our own, trained from nothing by `vla-ros train`, small enough for one CPU core."""

from typing import Any

__all__ = ["System1", "System2"]


def __getattr__(name: str) -> Any:
    """Each half is imported when it is asked for: the other one's process does not pay for it."""
    if name == "System1":
        from vla_ros.policies.compact.system1 import System1

        return System1
    if name == "System2":
        from vla_ros.policies.compact.system2 import System2

        return System2
    raise AttributeError(name)
