"""A loop of one's own on absolute deadlines, and subscriptions that it polls.

An executor wakes for every message and rebuilds its wait set each time, a quarter of a millisecond of a core; a loop
that must run at a fixed rate anyway takes what has arrived when it wakes, and its tick does not depend on arrivals.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from typing import Any

from rclpy.callback_groups import CallbackGroup
from rclpy.executors import SingleThreadedExecutor
from rclpy.node import Node
from rclpy.subscription import Subscription


class Polled(CallbackGroup):
    """Callback group whose entities an executor leaves alone."""

    def can_execute(self, entity: Any) -> bool:
        return False

    def beginning_execution(self, entity: Any) -> bool:
        return False

    def ending_execution(self, entity: Any) -> None:
        pass


def subscribe(node: Node, message_type: type, topic: str, qos: Any) -> Subscription:
    """Make a subscription that `take` reads."""
    return node.create_subscription(message_type, topic, lambda message: None, qos, callback_group=_group(node))


def _group(node: Node) -> Polled:
    if not hasattr(node, "polled_group"):
        node.polled_group = Polled()
    group: Polled = node.polled_group
    return group


def take(subscription: Subscription) -> Iterator[tuple[Any, Any]]:
    """Yield (message, message info) of everything that has arrived, oldest first, without waiting."""
    while True:
        with subscription.handle:
            taken = subscription.handle.take_message(subscription.msg_type, subscription.raw)
        if taken is None:
            return
        yield taken


def newest(subscription: Subscription) -> Any:
    """Return the newest message that has arrived since the last call, or None."""
    message = None
    for message, _ in take(subscription):
        pass
    return message


def paced(
    node: Node, period_s: float, tick: Callable[[int, int], None], *, phase_s: float = 0.0, spin_every: int = 2
) -> None:
    """Call `tick(monotonic_ns, skipped)` every `period_s` until the node's context ends.

    Deadlines lie on the grid of the system clock (whole periods since its epoch, plus `phase_s`), so that loops in
    different processes keep a fixed order. A tick that comes late does not move the next one; `skipped` counts the
    deadlines that passed without a tick. Services and timers of the node are served after every `spin_every`-th tick.
    """
    executor = SingleThreadedExecutor(context=node.context)
    executor.add_node(node)
    period_ns = round(period_s * 1e9)
    wall_ns = time.time_ns()
    to_grid_ns = -(wall_ns - round(phase_s * 1e9)) % period_ns
    deadline_ns = time.monotonic_ns() + to_grid_ns
    skipped = count = 0
    while node.context.ok():
        wait_ns = deadline_ns - time.monotonic_ns()
        if wait_ns > 0:
            time.sleep(wait_ns * 1e-9)
        tick(time.monotonic_ns(), skipped)
        count += 1
        if count % spin_every == 0 and node.context.ok():
            executor.spin_once(timeout_sec=0)
        deadline_ns += period_ns
        skipped = max(0, (time.monotonic_ns() - deadline_ns) // period_ns)
        deadline_ns += skipped * period_ns
