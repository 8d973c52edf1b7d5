"""Reads rosbag2 folders and their single files, of either storage: trajectories, joint states and plain arrays."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from vla_ros.oracle.recordings.executed import StampedMessage, executed
from vla_ros.oracle.recordings.selection import RecordingSelection, UnreadableRecording
from vla_ros.oracle.stream import Stream, StreamFault

TYPES = {
    "trajectory_msgs/msg/JointTrajectory": "JointTrajectory",
    "sensor_msgs/msg/JointState": "JointState",
    "std_msgs/msg/Float64MultiArray": "Float64MultiArray",
}


def read(path: Path, selection: RecordingSelection) -> list[Stream]:
    """Return the streams of a bag: several when the messages name different sets of joints.

    Raises:
        UnreadableRecording: with the file, the topic and what to do.
    """
    from rosbags.highlevel import AnyReader
    from rosbags.typesys import Stores, get_typestore

    try:
        with AnyReader([path], default_typestore=get_typestore(Stores.ROS2_JAZZY)) as reader:
            topic = _topic(path, {c.topic: c.msgtype for c in reader.connections}, selection)
            chosen = [c for c in reader.connections if c.topic == topic]
            found = [
                (received_ns, reader.deserialize(raw, connection.msgtype))
                for connection, received_ns, raw in reader.messages(connections=chosen)
            ]
    except UnreadableRecording:
        raise
    except Exception as error:  # the library raises whatever the broken bytes lead it to
        raise UnreadableRecording(f"{path}: not a readable rosbag2: {error or type(error).__name__}") from None
    if not found:
        raise UnreadableRecording(f"{path}: topic {topic} holds no messages")
    return _streams(found, TYPES[chosen[0].msgtype], selection, f"topic {topic}")


def _topic(path: Path, topics: dict[str, str], selection: RecordingSelection) -> str:
    known = [topic for topic, kind in topics.items() if kind in TYPES]
    wanted = selection.topic or (selection.likely if len(known) > 1 else "")
    matching = [topic for topic in known if topic.lstrip("/") == wanted.lstrip("/")] if wanted else known
    if len(matching) == 1:
        return matching[0]
    raise UnreadableRecording(
        f"{path}: choose a topic with --topic; it holds {', '.join(sorted(known)) or 'none with joint positions'}"
    )


def _streams(messages: Sequence[tuple[int, Any]], kind: str, selection: RecordingSelection, note: str) -> list[Stream]:
    """Group by the joints that a message names. Stamped trajectories with velocities are what a controller executes of them;
    another trajectory of several points replaces the one before: its own stretch."""
    stamped: dict[tuple[str, ...], list[StampedMessage]] = {}
    rows: dict[tuple[str, ...], list[tuple[int, list[float]]]] = {}
    starts: dict[tuple[str, ...], list[int]] = {}
    wrong: list[int] = []
    restamped = 0
    for received_ns, message in messages:
        header = getattr(message, "header", None)
        stamp_ns = header.stamp.sec * 10**9 + header.stamp.nanosec if header is not None else 0
        restamped += stamp_ns == 0
        names = _names(message, kind, selection)
        points = _points(message, kind, stamp_ns or received_ns)
        joints = tuple(name for name in names if name in selection.joints)
        if not points or any(len(values) != len(names) for _, values in points):
            wrong.append(received_ns)
        elif joints and stamp_ns and (moving := _moving(message, kind, stamp_ns, [names.index(j) for j in joints])):
            stamped.setdefault(joints, []).append(moving)
        elif joints and not (stamp_ns and joints in stamped):  # a single point is how a controller is entered
            at = rows.setdefault(joints, [])
            if len(points) > 1 or not at:
                starts.setdefault(joints, []).append(len(at))
            where = [names.index(joint) for joint in joints]
            at.extend((t, [float(values[i]) for i in where]) for t, values in points)
    for joints, sent in stamped.items():
        rows[joints], starts[joints] = executed(sent)
    if not rows and not wrong:
        raise UnreadableRecording(
            f"{note} names none of the joints {', '.join(selection.joints)}; give the configuration of that arm"
        )
    first_ns = min((at[0][0] for at in rows.values()), default=0)
    notes = [note]
    if restamped:
        notes.append(f"{restamped} messages carry no stamp: the time of their reception counts")
    faults = (StreamFault("not one position per joint", "", 0.0, len(wrong)),) if wrong else ()
    if not rows:
        rows[selection.joints] = []
    return [
        Stream(
            joints,
            np.array([(t - first_ns) * 1000 for t, _ in at], np.int64),
            np.array([values for _, values in at], np.float64).reshape(len(at), len(joints)),
            starts=tuple(starts.get(joints, (0,))),
            faults=faults if i == 0 else (),
            notes=tuple(notes) if i == 0 else (),
        )
        for i, (joints, at) in enumerate(rows.items())
    ]


def _moving(message: Any, kind: str, stamp_ns: int, where: list[int]) -> StampedMessage | None:
    """A trajectory that a controller executes between its points; None: single points."""
    if kind != "JointTrajectory" or len(message.points) < 2:
        return None
    if any(len(point.velocities) != len(message.joint_names) for point in message.points):
        return None
    times_ns = [time_ns for time_ns, _ in _points(message, kind, stamp_ns)]
    p, v = (np.array([getattr(point, name) for point in message.points]) for name in ("positions", "velocities"))
    return StampedMessage(times_ns, p[:, where], v[:, where])


def _names(message: Any, kind: str, selection: RecordingSelection) -> tuple[str, ...]:
    if kind == "Float64MultiArray":
        return selection.unnamed if len(message.data) == len(selection.unnamed) else selection.joints
    return tuple(message.joint_names if kind == "JointTrajectory" else message.name)


def _points(message: Any, kind: str, stamp_ns: int) -> list[tuple[int, Any]]:
    if kind == "Float64MultiArray":
        return [(stamp_ns, message.data)]
    if kind == "JointState":
        return [(stamp_ns, message.position)]
    return [
        (stamp_ns + point.time_from_start.sec * 10**9 + point.time_from_start.nanosec, point.positions)
        for point in message.points
    ]
