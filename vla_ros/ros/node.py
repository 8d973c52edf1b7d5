"""The life of a node's process: a clean start, one line when it cannot start, a clean end; and timers on the steady clock."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Callable
from typing import Any

import rclpy
from rclpy.clock import Clock, ClockType
from rclpy.executors import ExternalShutdownException
from rclpy.node import Node
from rclpy.signals import SignalHandlerOptions
from rclpy.timer import Timer

from vla_ros.end_signals import on_end_signal
from vla_ros.parameters import ParameterError
from vla_ros.ros.environment import require_environment


class StartRefused(Exception):
    """The node cannot start; the text says what, where and what to do."""


def run(
    name: str,
    make: Callable[[], Node],
    spin: Callable[[Any], None] = rclpy.spin,
    end: Callable[[Any], object] = lambda node: rclpy.try_shutdown(),
) -> int:
    """Start a node, spin it, and end it cleanly.

    Args:
        name: of the node, for error lines.
        make: makes the node.
        spin: runs it until it ends.
        end: what SIGINT, SIGTERM and SIGHUP do to a node that runs; `spin` must then return. Python calls it when the
            executor wakes up, at the latest with the next report of the node's diagnostics.

    Returns:
        0 after one of these signals or a shutdown; 2 with one line on stderr when it cannot start.
    """
    node, started = None, False

    def on_signal(_: int) -> None:
        if node is None:
            rclpy.try_shutdown()
        else:
            end(node)

    try:
        require_environment(sys.argv)
        # rclpy's own handler would leave a loop such as PacedLoop asleep.
        rclpy.init(signal_handler_options=SignalHandlerOptions.NO)
        started = True
        on_end_signal(on_signal)
        node = make()
        spin(node)
    except (KeyboardInterrupt, ExternalShutdownException):
        pass
    except (ParameterError, StartRefused) as error:
        # Here, because it knows all nodes, of which a node that runs needs none.
        from vla_ros.bringup.node_parameters import full_name

        for fault in getattr(error, "faults", [str(error)]):
            print(f"vla_ros {name}: {full_name(name, fault)}", file=sys.stderr, flush=True)
        return 2
    except Exception as error:
        if started and not rclpy.ok():  # ended while it was starting, or in the middle of a call
            return 0
        if node is None:  # rcl's own errors (a parameter file that does not parse) and faults of the start
            print(f"vla_ros {name}: {' '.join(str(error).split())}", file=sys.stderr, flush=True)
            return 2
        raise
    finally:
        if node is not None:
            with contextlib.suppress(Exception):
                node.destroy_node()
        rclpy.try_shutdown()
    return 0


def steady_timer(node: Node, period_s: float, callback: Callable[[], None]) -> Timer:
    """Make a timer on the steady clock, which goes on when a simulated clock stands still."""
    return node.create_timer(period_s, callback, clock=Clock(clock_type=ClockType.STEADY_TIME))
