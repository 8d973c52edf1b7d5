"""One proposed setpoint, as the rules see it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

SOURCES = ("policy", "override")


@dataclass(frozen=True, slots=True)
class Setpoint:
    """A `JointCommand` and how it arrived.

    channel: the source that this topic belongs to. source: the one that the message claims. seq: its count.
    stamp_ns: time that it is meant for, on the sender's clock. age_ns: how long ago that was at reception on this
    clock, negative when it lies ahead. receive_ns: reception on the filter's monotonic clock. positions: rad or m, in
    the order of joint_names.
    """

    channel: str
    source: str
    seq: int
    stamp_ns: int
    age_ns: int
    receive_ns: int
    joint_names: Sequence[str]
    positions: Sequence[float]
