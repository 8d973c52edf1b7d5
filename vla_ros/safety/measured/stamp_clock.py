"""Do the stamps of a stream of messages run? Nothing else tells a measurement from a repetition of an old one.

The sender's clock may be off by any time. It must run: each stamp is later than the one before. The delay of a message,
reception minus stamp, is then the offset of the clocks plus the time on its way. The least delay is taken for the offset, so
a message is late by  lateness = delay - offset >= 0.  Guarantee: a message that passes is late by at most the tolerance. The
offset may grow by `drift` of the time passed, and fall by the tolerance at once.

A clock that fails is not believed again before it has run for the probation time. So stamps that creep, each a little later
than the one before, are never believed again.
"""

from __future__ import annotations

from vla_ros.safety.measured.measured_state import ClockState

MISSING = "header.stamp is zero: let the driver stamp its joint states"
REPEATED = "header.stamp repeats itself"


class StampClock:
    """Judges stamps.

    Args:
        tolerance_ns: largest lateness.
        drift: share by which the clocks may run apart.
        probation_ns: how long a clock that failed must run.
    """

    def __init__(self, tolerance_ns: int, drift: float, probation_ns: int) -> None:
        self._tolerance_ns = tolerance_ns
        self._drift_ppm = round(drift * 1e6)
        self._probation_ns = probation_ns

    def fault(self, clock: ClockState, receive_ns: int, stamp_ns: int) -> str:
        """Take over the stamp of a message.

        Args:
            clock: of its sender; changed.
            receive_ns: reception, on the receiver's clock.
            stamp_ns: on the sender's.

        Returns:
            why the message does not count as fresh; empty: it does.
        """
        if stamp_ns <= 0:
            return MISSING
        if clock.stamp_ns is None:
            _start(clock, receive_ns, stamp_ns)
            return ""
        if stamp_ns == clock.stamp_ns:
            return REPEATED
        delay_ns = receive_ns - stamp_ns
        drift_ns = (receive_ns - clock.receive_ns) * self._drift_ppm // 1_000_000
        offset_ns = min(delay_ns, clock.offset_ns + drift_ns)
        fault = self._irregularity(clock, stamp_ns, delay_ns - offset_ns, clock.offset_ns - drift_ns - delay_ns)
        if fault:
            _start(clock, receive_ns, stamp_ns)
            clock.probation_ns = receive_ns
            return fault
        clock.stamp_ns, clock.receive_ns, clock.offset_ns = stamp_ns, receive_ns, offset_ns
        if clock.probation_ns is None:
            return ""
        run_ns = receive_ns - clock.probation_ns
        if run_ns < self._probation_ns:
            return (
                f"the stamps were not right {run_ns / 1e9:.3f} s ago; they must run for {self._probation_ns / 1e9:g} s"
            )
        clock.probation_ns = None
        return ""

    def _irregularity(self, clock: ClockState, stamp_ns: int, late_ns: int, ahead_ns: int) -> str:
        back_ns = (clock.stamp_ns or 0) - stamp_ns
        if back_ns > 0:
            return f"header.stamp goes back by {back_ns / 1e9:.3g} s"
        if late_ns > self._tolerance_ns:
            return (
                f"by its stamp the message is {late_ns / 1e9:.3f} s late: the clock behind the stamps stands or is slow"
            )
        if ahead_ns > self._tolerance_ns:
            return f"header.stamp jumps ahead by {ahead_ns / 1e9:.3g} s"
        return ""

    @staticmethod
    def lateness_ns(clock: ClockState) -> int:
        """Return by how much the newest message is late."""
        return clock.receive_ns - (clock.stamp_ns or 0) - clock.offset_ns


def _start(clock: ClockState, receive_ns: int, stamp_ns: int) -> None:
    clock.stamp_ns, clock.receive_ns, clock.offset_ns = stamp_ns, receive_ns, receive_ns - stamp_ns
