"""This project's graph as a transport: its messages over ROS 2. What speaks ROS is `vla_ros.ros.round_trip`."""

from __future__ import annotations

from collections.abc import Callable
from multiprocessing.connection import Connection
from typing import Any

import numpy as np

from vla_ros.arrays import Array
from vla_ros.lab.bench.round_trips import CAMERAS, JOINTS, SIDE, TASK, TripObservation, no_op

NEEDS = ("vla_ros.msg", "ROS 2")


def serve_system2(ready: Connection) -> None:
    """Serve System 2 in this process until it ends; sends 0 through `ready`."""
    from vla_ros.ros import round_trip

    round_trip.serve_system2(no_op, TASK, lambda: ready.send(0))


def serve_system1(ready: Connection) -> None:
    """Serve System 1 in this process until it ends; sends 0 through `ready`."""
    from vla_ros.ros import round_trip

    round_trip.serve_system1(lambda: ready.send(0))


def serve_both(ready: Connection) -> None:
    """Serve both systems in this process until it ends; sends 0 through `ready`."""
    from vla_ros.ros import round_trip

    round_trip.serve_both(no_op, lambda: ready.send(0))


def client(_: Any) -> Callable[[TripObservation], Array]:
    """Return one round trip: joint state and frames out, the chunk that descends from them back."""
    from vla_ros.ros.round_trip import RoundTripClient

    made = RoundTripClient()
    made.probe({name: np.zeros((SIDE, SIDE, 3), np.uint8) for name in CAMERAS}, [0.0] * JOINTS)

    def ask(observation: TripObservation) -> Array:
        return np.asarray(made.ask(observation.images, observation.joints.tolist()))

    return ask
