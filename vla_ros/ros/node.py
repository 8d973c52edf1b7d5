"""What every node shares: parameters from a dataclass, a clean start and end, diagnostics, QoS, time."""

from __future__ import annotations

import contextlib
import itertools
import signal
import sys
import time
import typing
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeVar

import rclpy
import rclpy.signals
from builtin_interfaces.msg import Duration, Time
from diagnostic_msgs.msg import DiagnosticArray, DiagnosticStatus, KeyValue
from rcl_interfaces.msg import FloatingPointRange, IntegerRange, ParameterDescriptor, SetParametersResult
from rclpy.clock import Clock, ClockType
from rclpy.exceptions import ParameterUninitializedException
from rclpy.executors import ExternalShutdownException
from rclpy.lifecycle import LifecycleNode, LifecycleState, TransitionCallbackReturn
from rclpy.node import Node
from rclpy.parameter import Parameter
from rclpy.publisher import Publisher
from rclpy.qos import DurabilityPolicy, QoSProfile, ReliabilityPolicy
from rclpy.timer import Timer
from std_msgs.msg import String

from vla_ros.parameters import REQUIRED, Declaration, ParameterError, declarations, from_mapping, nested
from vla_ros.ros.polling import polled, take

T = TypeVar("T")

NEWEST = QoSProfile(depth=1)
EVENTS = QoSProfile(depth=10)
SENSOR = QoSProfile(depth=5, reliability=ReliabilityPolicy.BEST_EFFORT)
IMAGE = QoSProfile(depth=1, reliability=ReliabilityPolicy.BEST_EFFORT)
LATCHED = QoSProfile(depth=1, durability=DurabilityPolicy.TRANSIENT_LOCAL)

OK, WARN, ERROR = DiagnosticStatus.OK, DiagnosticStatus.WARN, DiagnosticStatus.ERROR


class StartRefused(Exception):
    """The node cannot start; the text says what, where and what to do."""


def declare(node: Node, cls: type[T]) -> T:
    """Declare every parameter of the dataclass `cls` and return the checked instance.

    Raises:
        ParameterError: one is missing or wrong; the text begins with `<node>.<key>`.
    """
    where = f"{node.get_name()}."
    values: dict[str, Any] = {}
    for declaration in declarations(cls):
        kind = _ros_type(declaration.type)
        descriptor = _descriptor(declaration)
        try:
            if declaration.default in (REQUIRED, []):
                parameter = node.declare_parameter(declaration.name, kind, descriptor)
            else:
                parameter = node.declare_parameter(declaration.name, declaration.default, descriptor)
            value = parameter.value
        except ParameterUninitializedException:
            value = None
        except Exception as error:  # rclpy has a class for each way in which a value does not fit its declaration
            raise ParameterError(f"{where}{declaration.name}: {error}") from None
        if value is not None:
            values[declaration.name] = value
    instance = from_mapping(cls, nested(values), where)
    # A clock that is swapped under a node makes old stamps look new.
    fixed = {"use_sim_time", *(declaration.name for declaration in declarations(cls))}
    node.add_on_set_parameters_callback(lambda changed: _refuse(fixed, changed))
    return instance


def _refuse(fixed: set[str], changed: Sequence[Parameter]) -> SetParametersResult:
    names = [parameter.name for parameter in changed if parameter.name in fixed]
    reason = f"{', '.join(names)} cannot change while the node runs: edit the configuration and restart it"
    return SetParametersResult(successful=not names, reason=reason if names else "")


def _ros_type(hint: Any) -> Parameter.Type:
    scalar = {bool: "BOOL", int: "INTEGER", float: "DOUBLE", str: "STRING"}
    if typing.get_origin(hint) is list:
        return Parameter.Type[f"{scalar[typing.get_args(hint)[0]]}_ARRAY"]
    return Parameter.Type[scalar[hint]]


def _descriptor(declaration: Declaration) -> ParameterDescriptor:
    metadata = declaration.metadata
    unit = f" [{metadata['unit']}]" if metadata["unit"] else ""
    choices = ", ".join(metadata["choices"])
    descriptor = ParameterDescriptor(
        description=f"{metadata['description']}{unit}",
        additional_constraints=f"one of: {choices}" if choices else "",
    )
    low, high = metadata["minimum"], metadata["maximum"]
    if low is not None and high is not None and declaration.type is float:
        descriptor.floating_point_range = [FloatingPointRange(from_value=float(low), to_value=float(high))]
    elif low is not None and high is not None and declaration.type is int:
        descriptor.integer_range = [IntegerRange(from_value=int(low), to_value=int(high))]
    return descriptor


def run(
    name: str,
    make: Callable[[], Node],
    spin: Callable[[Any], None] = rclpy.spin,
    end: Callable[[Any], object] = lambda node: rclpy.try_shutdown(),
) -> int:
    """Start a node, spin it, and end it cleanly.

    Args:
        end: what SIGINT and SIGTERM do to a node that runs; `spin` must then return.

    Returns:
        0 after SIGINT, SIGTERM or a shutdown; 2 with one line on stderr when it cannot start.
    """
    node = None

    def asked(*_: object) -> None:
        if node is None:
            rclpy.try_shutdown()
        else:
            end(node)

    try:
        # SIGTERM ends a node as SIGINT does; a handler of our own, because rclpy's leaves a loop of one's own sleeping.
        rclpy.init(signal_handler_options=rclpy.signals.SignalHandlerOptions.NO)
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, asked)
        node = make()
        spin(node)
    except (KeyboardInterrupt, ExternalShutdownException):
        pass
    except (ParameterError, StartRefused) as error:
        print(f"vla_ros {name}: {error}", file=sys.stderr, flush=True)
        return 2
    except Exception as error:
        if not rclpy.ok():  # ended while it was starting, or in the middle of a call
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


def every(node: Node, period_s: float, act: Callable[[], None]) -> Timer:
    """Call `act` at this pace, on the steady clock: a simulated one that stands still silences and blinds nobody."""
    return node.create_timer(period_s, act, clock=Clock(clock_type=ClockType.STEADY_TIME))


class Diagnostics:
    """Publishes one status on /diagnostics.

    Args:
        node: who speaks; its fully qualified name is the status's name.
        report: gives (level, message, values) when asked.
        period_s: 1 Hz by default; 0 leaves the pace to calls of `publish`.
    """

    def __init__(
        self, node: Node, report: Callable[[], tuple[bytes, str, Mapping[str, object]]], period_s: float = 1.0
    ) -> None:
        self._node = node
        self._report = report
        self._publisher = node.create_publisher(DiagnosticArray, "/diagnostics", EVENTS)
        if period_s:
            every(node, period_s, self.publish)

    def publish(self) -> None:
        level, message, values = self._report()
        status = DiagnosticStatus(
            level=level,
            name=self._node.get_fully_qualified_name(),
            message=message,
            hardware_id="vla_ros",
            values=[KeyValue(key=key, value=_text(value)) for key, value in values.items()],
        )
        array = DiagnosticArray(status=[status])
        array.header.stamp = self._node.get_clock().now().to_msg()
        self._publisher.publish(array)


def _text(value: object) -> str:
    return f"{value:.4g}" if isinstance(value, float) else str(value)


def mismatches(node: Node, topics: Mapping[str, str]) -> list[str]:
    """Return one line for each publisher that the node cannot hear: of another type than `topics` (name → type) expects, or
    of a QoS that DDS does not match with the node's own subscription.
    """
    lines = []
    own = {subscription.topic_name: subscription.qos_profile for subscription in node.subscriptions}
    for topic, expected in topics.items():
        resolved = node.resolve_topic_name(topic)
        for info in node.get_publishers_info_by_topic(resolved):
            if info.topic_type and info.topic_type != expected:
                who = f"{info.node_namespace.rstrip('/')}/{info.node_name}"
                lines.append(f"{resolved}: {who} publishes {info.topic_type}, expected {expected}")
            elif resolved in own and not _heard(info.qos_profile, own[resolved]):
                who = f"{info.node_namespace.rstrip('/')}/{info.node_name}"
                lines.append(f"{resolved}: {who} is not heard: it publishes best-effort or volatile, and must not")
    return lines


def _heard(offered: QoSProfile, wanted: QoSProfile) -> bool:
    """Whether DDS matches a publisher with a subscription."""
    reliable = wanted.reliability != ReliabilityPolicy.RELIABLE or offered.reliability == ReliabilityPolicy.RELIABLE
    durable = wanted.durability != DurabilityPolicy.TRANSIENT_LOCAL or offered.durability == wanted.durability
    return reliable and durable


LISTENERS = {"planner", "action_expert"}
"""Who must hear an instruction: both or neither."""


def listened_to(node: Node, publisher: Publisher) -> bool:
    """Whether LISTENERS of this namespace subscribe to `publisher`, and it is matched with all who can hear it."""
    found = node.get_subscriptions_info_by_topic(publisher.topic_name)
    found = [info for info in found if _heard(publisher.qos_profile, info.qos_profile)]
    present = {info.node_name for info in found if info.node_namespace == node.get_namespace()}
    return present >= LISTENERS and publisher.get_subscription_count() >= len(found)


def nanoseconds(stamp: Time | Duration) -> int:
    """Turn a Time or Duration message into integer ns."""
    return int(stamp.sec) * 1_000_000_000 + int(stamp.nanosec)


def time_message(ns: int) -> Time:
    """Turn integer ns into a Time message."""
    return Time(sec=ns // 1_000_000_000, nanosec=ns % 1_000_000_000)


def duration_message(seconds: float) -> Duration:
    """Turn seconds into a Duration message."""
    ns = round(seconds * 1e9)
    return Duration(sec=ns // 1_000_000_000, nanosec=ns % 1_000_000_000)


class Managed(LifecycleNode):
    """A lifecycle node that says in one line why it cannot be configured.

    A subclass sets `parameters` (with a field `autostart`) and overrides `configure`, which may raise.
    """

    parameters: Any
    active = False
    fault = ""

    def configure(self) -> None:
        """Load model and calibration; raise when that fails."""

    def release(self) -> None:
        """Undo `configure`."""

    def on_configure(self, state: LifecycleState) -> TransitionCallbackReturn:
        try:
            self.configure()
        except ExternalShutdownException:  # asked to end while it waited: no fault
            return TransitionCallbackReturn.FAILURE
        except Exception as error:
            self.fault = f"{error}"
            self.get_logger().error(f"not configured: {self.fault}")
            return TransitionCallbackReturn.FAILURE
        self.fault = ""
        return TransitionCallbackReturn.SUCCESS

    def on_activate(self, state: LifecycleState) -> TransitionCallbackReturn:
        self.active = True
        return super().on_activate(state)

    def on_deactivate(self, state: LifecycleState) -> TransitionCallbackReturn:
        self.active = False
        return super().on_deactivate(state)

    def on_cleanup(self, state: LifecycleState) -> TransitionCallbackReturn:
        self.release()
        return TransitionCallbackReturn.SUCCESS

    def on_shutdown(self, state: LifecycleState) -> TransitionCallbackReturn:
        self.active = False
        self.release()
        return TransitionCallbackReturn.SUCCESS

    def destroy_node(self) -> None:
        self.release()
        super().destroy_node()


def autostart(node: Managed) -> Managed:
    """Configure and activate `node` when its parameter says so.

    Raises:
        StartRefused: it cannot be configured.
    """
    if node.parameters.autostart:
        node.trigger_configure()
        if node.fault:
            fault = node.fault
            node.destroy_node()
            raise StartRefused(fault)
        node.trigger_activate()
    return node


def urdf_of(node: Node, file: str) -> str:
    """Return the text of the URDF: from `file` when it is named, else from the latched topic robot_description.

    Waits for the topic, and says so every 5 s.

    Raises:
        StartRefused: the file cannot be read. ExternalShutdownException: shut down while waiting.
    """
    if file:
        try:
            return Path(file).read_text()
        except (OSError, ValueError) as error:
            raise StartRefused(f"urdf: {file}: {error}") from None
    subscription = polled(node, String, "robot_description", LATCHED)
    try:
        for attempt in itertools.count(1):
            for message, _ in take(subscription):
                return str(message.data)
            if not node.context.ok():
                raise ExternalShutdownException
            if attempt % 100 == 0:
                node.get_logger().warning(f"waiting for a URDF on {subscription.topic_name}")
            time.sleep(0.05)
    finally:
        node.destroy_subscription(subscription)
    raise AssertionError("unreachable")
