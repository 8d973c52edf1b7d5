"""Time and Duration messages as numbers, and back."""

from __future__ import annotations

from builtin_interfaces.msg import Duration, Time

from vla_ros.time import NS_PER_S


def nanoseconds(stamp: Time | Duration) -> int:
    """Turn a Time or Duration message into integer ns."""
    return stamp.sec * NS_PER_S + stamp.nanosec


def time_message(ns: int) -> Time:
    """Turn integer ns into a Time message."""
    return Time(sec=ns // NS_PER_S, nanosec=ns % NS_PER_S)


def duration_message(seconds: float) -> Duration:
    """Turn seconds into a Duration message."""
    ns = round(seconds * NS_PER_S)
    return Duration(sec=ns // NS_PER_S, nanosec=ns % NS_PER_S)
