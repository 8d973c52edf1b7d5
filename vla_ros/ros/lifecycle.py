"""Managed nodes: configured and activated by a lifecycle manager, or by themselves."""

from __future__ import annotations

from typing import Any, TypeVar

from rclpy.executors import ExternalShutdownException
from rclpy.lifecycle import LifecycleNode, LifecycleState, TransitionCallbackReturn

from vla_ros.ros.node import StartRefused


class ManagedNode(LifecycleNode):
    """A lifecycle node that says in one line why it cannot be configured.

    A subclass sets `parameters` (with a field `autostart`) and overrides `configure`, which may raise.

    active: between activation and deactivation. fault: why the last configuration failed; empty when it did not.
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
        except ExternalShutdownException:  # shut down while it waited: no fault
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


AnyManagedNode = TypeVar("AnyManagedNode", bound=ManagedNode)


def autostart(node: AnyManagedNode) -> AnyManagedNode:
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
