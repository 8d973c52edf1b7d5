"""A stream of joint states for the tests of what the filter believes of the measured arm."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from test.unit.safety.rule_inputs import LIMITS, MS, filter_state, parameters
from vla_ros.safety.measured.joint_state_reader import JointStateReader
from vla_ros.safety.verdict import Verdict

NAMES = ("a", "b")
CLOCKS_APART_NS = 10**18


class Listener:
    """A reader and what it knows; `send` is heard 10 ms after the message before, with a stamp of another clock.

    Attributes: now_ns: reception of the newest message. state: of the filter.
    """

    def __init__(self, **changes: Any) -> None:
        measured = parameters(**changes).measured
        self.reader = JointStateReader(LIMITS, measured.timeout_s, measured.settle_s, measured.clock_drift)
        self.state = filter_state()
        self.now_ns = 10**12

    def send(
        self,
        q: Sequence[float] = (0.1, 0.02),
        dq: Sequence[float] = (0.0, 0.0),
        names: Sequence[str] = NAMES,
        after_ms: int = 10,
        stamp_ns: int | None = None,
        publisher: str = "one",
    ) -> Verdict | None:
        self.now_ns += after_ms * MS
        stamp_ns = self.now_ns + CLOCKS_APART_NS if stamp_ns is None else stamp_ns
        return self.reader.update(self.state.measured, self.now_ns, names, q, dq, (), stamp_ns, publisher)

    def settle(self, seconds: float = 0.25, **message: Any) -> None:
        for _ in range(round(seconds * 100)):
            assert self.send(**message) is None

    @property
    def q(self) -> list[int]:
        return self.state.measured.q
