"""The page in the browser: state of the graph, cameras, the arm in 3D, and a stop.

`ViewModel` turns observations into documents, `LatestDocument` holds the newest one, `DashboardServer` serves it. No ROS in
here; the node is `vla_ros/nodes/dashboard.py`. Names are imported when they are first used: parameters need no server.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from vla_ros.dashboard.access_token import stored_token
    from vla_ros.dashboard.arm import Arm
    from vla_ros.dashboard.dashboard_parameters import DashboardParameters
    from vla_ros.dashboard.document import Document, LatestDocument
    from vla_ros.dashboard.fault_guard import FaultGuard
    from vla_ros.dashboard.markers import MarkerStore
    from vla_ros.dashboard.observations import (
        CameraImage,
        FilterStatus,
        MarkerShape,
        NodeReport,
        PlanSummary,
        own_node_name,
    )
    from vla_ros.dashboard.scene_3d import Scene3D
    from vla_ros.dashboard.server import DashboardServer
    from vla_ros.dashboard.update_statistics import UpdateStatistics
    from vla_ros.dashboard.view_model import ViewModel

_MODULES = {
    "Arm": "arm",
    "CameraImage": "observations",
    "DashboardParameters": "dashboard_parameters",
    "DashboardServer": "server",
    "Document": "document",
    "FaultGuard": "fault_guard",
    "FilterStatus": "observations",
    "LatestDocument": "document",
    "MarkerShape": "observations",
    "MarkerStore": "markers",
    "NodeReport": "observations",
    "PlanSummary": "observations",
    "Scene3D": "scene_3d",
    "UpdateStatistics": "update_statistics",
    "ViewModel": "view_model",
    "own_node_name": "observations",
    "stored_token": "access_token",
}

__all__ = [
    "Arm",
    "CameraImage",
    "DashboardParameters",
    "DashboardServer",
    "Document",
    "FaultGuard",
    "FilterStatus",
    "LatestDocument",
    "MarkerShape",
    "MarkerStore",
    "NodeReport",
    "PlanSummary",
    "Scene3D",
    "UpdateStatistics",
    "ViewModel",
    "own_node_name",
    "stored_token",
]


def __getattr__(name: str) -> Any:
    if name not in _MODULES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(f"{__name__}.{_MODULES[name]}"), name)
