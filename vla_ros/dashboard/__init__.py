"""The page in the browser: state of the graph, cameras, the arm in 3D, and a stop.

`ViewModel` turns observations into documents, `LatestDocument` holds the newest one, `DashboardServer` serves it. No ROS in
here; the node is `vla_ros/nodes/dashboard.py`. Names are imported when they are first used: parameters need no server.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from vla_ros.lazy_names import lazy_names

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
__getattr__, __dir__ = lazy_names(
    __name__,
    {
        "access_token": ("stored_token",),
        "arm": ("Arm",),
        "dashboard_parameters": ("DashboardParameters",),
        "document": (
            "Document",
            "LatestDocument",
        ),
        "fault_guard": ("FaultGuard",),
        "markers": ("MarkerStore",),
        "observations": (
            "CameraImage",
            "FilterStatus",
            "MarkerShape",
            "NodeReport",
            "PlanSummary",
            "own_node_name",
        ),
        "scene_3d": ("Scene3D",),
        "server": ("DashboardServer",),
        "update_statistics": ("UpdateStatistics",),
        "view_model": ("ViewModel",),
    },
)
