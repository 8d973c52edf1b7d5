"""A vision-language-action model of our own, trained from nothing by `vla-ros train`, small enough for one CPU core."""

from typing import TYPE_CHECKING

from vla_ros.lazy_names import lazy_names

if TYPE_CHECKING:
    from vla_ros.policies.compact.system1 import CompactSystem1
    from vla_ros.policies.compact.system2 import CompactSystem2

__all__ = ["CompactSystem1", "CompactSystem2"]
__getattr__, __dir__ = lazy_names(
    __name__,
    {
        "system1": ("CompactSystem1",),
        "system2": ("CompactSystem2",),
    },
)
