"""A loop on absolute deadlines that polls its subscriptions and services, for nodes that act at 100 Hz and more.

rclpy's executor spends 0.2-0.5 ms on every event. A node with a loop of its own spends some microseconds: it sleeps
until its next deadline, takes what has arrived, acts, publishes.

    subscription = polled(node, JointState, "joint_states", qos)
    for tick in PacedLoop(node.context, period_ns=4_000_000):
        for message, info in take(subscription):
            ...
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from rclpy.callback_groups import CallbackGroup
from rclpy.context import Context
from rclpy.node import Node
from rclpy.qos import QoSProfile
from rclpy.service import Service
from rclpy.subscription import Subscription

from vla_ros.time import NS_PER_S

READINGS = 5
"""A process may be interrupted between the readings of two clocks; the best of so many pairs counts."""
ALIGNMENT_TOLERANCE_NS = 50_000
"""The grid is left alone while it is this close to the clock: reading two clocks is not more exact than that."""


class PolledCallbackGroup(CallbackGroup):
    """Entities that the executor leaves alone: it neither waits for them nor calls their callbacks."""

    def can_execute(self, entity: Any) -> bool:
        """Never."""
        return False

    def beginning_execution(self, entity: Any) -> bool:
        """Never."""
        return False

    def ending_execution(self, entity: Any) -> None:
        """Nothing was begun, so nothing ends."""


def polled(node: Node, kind: type, topic: str, qos: QoSProfile) -> Subscription:
    """Subscribe to a topic whose messages are read by `take`."""
    return node.create_subscription(kind, topic, _unused, qos, callback_group=PolledCallbackGroup())


def _unused(*_: Any) -> None:
    """The callback that rclpy wants; it is never called."""


def take(subscription: Subscription) -> Iterator[tuple[Any, dict[str, int]]]:
    """Yield (message, info) for all that has arrived, oldest first, until the queue is empty.

    `info` holds `source_timestamp` and `received_timestamp`, ns of the system clock, 0 where the middleware does not know
    them. At most one queue depth is taken, so that a queue that fills faster than it is read cannot block the loop.
    """
    for _ in range(max(1, subscription.qos_profile.depth)):
        with subscription.handle:
            taken = subscription.handle.take_message(subscription.msg_type, subscription.raw)
        if taken is None:
            return
        yield taken


def serve(service: Service) -> bool:
    """Answer one waiting request through the service's own callback; False when there is none."""
    kind: Any = service.srv_type
    with service.handle:
        request, header = service.handle.service_take_request(kind.Request)
    if header is None:
        return False
    service.send_response(service.callback(request, kind.Response()), header)
    return True


def received_ns(stamp_ns: int, now_ns: int, system_ns: int, since_ns: int) -> int:
    """Monotonic time at which a message arrived.

    Args:
        stamp_ns: the middleware's receive time, of the system clock; 0: it does not stamp.
        now_ns, system_ns: the monotonic and the system clock, read together after the message was taken.
        since_ns: when the subscription was last found empty.

    Returns:
        `stamp_ns` moved to the monotonic clock where that lies after `since_ns`; else `since_ns`, than
        which the message is not older (the middleware does not stamp, or the system clock was set meanwhile).
    """
    arrived_ns = now_ns - (system_ns - stamp_ns)
    return arrived_ns if since_ns <= arrived_ns <= now_ns else since_ns


def system_ahead_ns() -> int:
    """Return the system clock minus the monotonic clock, read so close together that nothing came between."""
    best: tuple[int, int] | None = None
    for _ in range(READINGS):
        before_ns = time.monotonic_ns()
        system_ns = time.time_ns()
        after_ns = time.monotonic_ns()
        if best is None or after_ns - before_ns < best[0]:
            best = after_ns - before_ns, system_ns - (before_ns + after_ns) // 2
        if best[0] < ALIGNMENT_TOLERANCE_NS // 10:
            break
    assert best is not None
    return best[1]


@dataclass(frozen=True, slots=True)
class Tick:
    """One turn of a `PacedLoop`.

    deadline_ns: nominal time of the turn on the monotonic clock; consecutive turns are exactly one period apart, plus
    the turns skipped. started_ns: when it really began. skipped: turns missed just before this one.
    """

    deadline_ns: int
    started_ns: int
    skipped: int


class PacedLoop:
    """Iterate once per period until the context shuts down.

    Deadlines are absolute, so a late turn does not delay the next; turns missed altogether are skipped and counted,
    never made up for in a burst. Deadlines lie on the grid of the system clock (multiples of the period, plus
    `phase_ns`), so that processes which never talk to each other keep a fixed order of turns; after a step of that clock
    the grid is approached by at most 1 % of a period per turn.

    Args:
        context: iteration ends when it is shut down.
        period_ns: nanoseconds from turn to turn.
        phase_ns: offset of the turns from the grid; negative: before.
    """

    def __init__(self, context: Context, period_ns: int, phase_ns: int = 0) -> None:
        self.period_ns = period_ns
        self.phase_ns = phase_ns
        self.ticks = 0
        self.late = 0
        self.skipped = 0
        self._context = context

    def __iter__(self) -> Iterator[Tick]:
        period_ns = self.period_ns
        deadline_ns = time.monotonic_ns() + period_ns
        deadline_ns -= self._alignment_error_ns(deadline_ns)
        while self._context.ok():
            now_ns = time.monotonic_ns()
            while now_ns < deadline_ns:
                time.sleep((deadline_ns - now_ns) / NS_PER_S)
                now_ns = time.monotonic_ns()
            # Counted after the sleep, where a loop that is stopped spends most of its time.
            skipped = (now_ns - deadline_ns) // period_ns
            deadline_ns += skipped * period_ns
            if not self._context.ok():
                return
            self.ticks += 1
            self.skipped += skipped
            self.late += skipped > 0 or now_ns - deadline_ns > period_ns // 2
            yield Tick(deadline_ns, now_ns, skipped)
            deadline_ns += period_ns
            error_ns = self._alignment_error_ns(deadline_ns)
            if abs(error_ns) > ALIGNMENT_TOLERANCE_NS:
                # Hardly ever shorter: what is sent each turn would be that much faster.
                deadline_ns -= max(-period_ns // 100, min(period_ns // 10_000, error_ns))

    def _alignment_error_ns(self, deadline_ns: int) -> int:
        """How far the deadline lies behind the nearest point of the grid; within half a period either way."""
        system_ns = deadline_ns + time.time_ns() - time.monotonic_ns()
        half_ns = self.period_ns // 2
        return (system_ns - self.phase_ns + half_ns) % self.period_ns - half_ns
