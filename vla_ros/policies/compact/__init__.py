"""A vision-language-action model of our own, trained from nothing by `vla-ros train`, small enough for one CPU core."""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from vla_ros.policies.compact.system1 import CompactSystem1
    from vla_ros.policies.compact.system2 import CompactSystem2

__all__ = ["CompactSystem1", "CompactSystem2"]


def __getattr__(name: str) -> Any:
    """Import a half when it is asked for: the process of the other half does not pay for it."""
    if name == "CompactSystem1":
        from vla_ros.policies.compact.system1 import CompactSystem1

        return CompactSystem1
    if name == "CompactSystem2":
        from vla_ros.policies.compact.system2 import CompactSystem2

        return CompactSystem2
    raise AttributeError(name)
