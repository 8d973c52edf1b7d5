"""What fails is skipped, counted and told."""

from __future__ import annotations

import pytest

from vla_ros.dashboard.fault_guard import FaultGuard


def test_a_fault_ends_its_own_block_alone_and_is_logged_once() -> None:
    logged: list[str] = []
    done: list[str] = []
    guard = FaultGuard(logged.append)
    for _ in range(3):
        with guard.skip_on_error("/left/vla/frames"):
            raise ValueError("10 bytes for 300")
        with guard.skip_on_error("the document"):
            done.append("document")
    line = "skipped: /left/vla/frames (ValueError: 10 bytes for 300)"
    assert (logged, done, guard.skipped) == ([line], ["document"] * 3, 3)
    assert guard.take() == [line]
    assert guard.take() == []


def test_an_interrupt_is_not_skipped() -> None:
    with pytest.raises(KeyboardInterrupt), FaultGuard(print).skip_on_error("the document"):
        raise KeyboardInterrupt
