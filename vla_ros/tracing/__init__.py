"""What happens on the graph: how long frames take to the arm controller, what was decided, how each node is doing.

No ROS here: vla_ros/ros/tracer.py and client.py feed it.
"""

from __future__ import annotations

from vla_ros.tracing.graph_status import GraphStatus, NodeStatus, StatusRow
from vla_ros.tracing.hops import FrameTrace, HopTracker
from vla_ros.tracing.reasoning import Reasoning, ReasoningEntry

__all__ = ["FrameTrace", "GraphStatus", "HopTracker", "NodeStatus", "Reasoning", "ReasoningEntry", "StatusRow"]
