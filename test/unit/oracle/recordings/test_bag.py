"""Bags of either storage: which topic is meant, which position belongs to which joint, and when it was."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np
import pytest
from rosbags.rosbag2 import StoragePlugin

from test.unit.oracle.recordings.written import ALL, array, bag, joint_state, smooth, trajectory
from vla_ros.oracle.recordings.bag import read
from vla_ros.oracle.recordings.selection import UnreadableRecording
from vla_ros.oracle.stream import PICO
from vla_ros.sim.arm_description import HOME, JOINT_NAMES

PERIOD_PS = PICO // 250


@pytest.mark.parametrize("plugin", [StoragePlugin.SQLITE3, StoragePlugin.MCAP])
def test_arrays_are_read_from_the_folder_and_from_the_file_alone(tmp_path: Path, plugin: StoragePlugin) -> None:
    q = smooth()
    path = bag(tmp_path / "bag", plugin, {"/commands": [array(row) for row in q]})
    (single,) = [file for file in path.iterdir() if file.suffix in (".mcap", ".db3")]
    for file in (path, single):
        (stream,) = read(file, ALL)
        assert stream.names == JOINT_NAMES
        assert (stream.positions == q).all()
        assert (np.diff(stream.stamps_ps) == PERIOD_PS).all()
        assert stream.notes == ("topic /commands", "200 messages carry no stamp: the time of their reception counts")


def test_a_message_with_another_number_of_positions_is_a_fault_and_no_sample(tmp_path: Path) -> None:
    messages = [array(row[:5] if i == 9 else row) for i, row in enumerate(smooth())]
    (stream,) = read(bag(tmp_path / "bag", StoragePlugin.MCAP, {"/commands": messages}), ALL)
    assert len(stream.positions) == 199
    assert [(fault.what, fault.count) for fault in stream.faults] == [("not one position per joint", 1)]


def test_names_in_any_order_bind_and_the_stamp_of_the_header_counts(tmp_path: Path) -> None:
    q, order = smooth(), list(reversed(range(8)))
    names = [JOINT_NAMES[j] for j in order]
    states = [joint_state(10**15 + i * 8_000_000, names, row[order]) for i, row in enumerate(q)]
    points = [trajectory(0, [*JOINT_NAMES[:7]], [(4_000_000, row[:7])]) for row in q]
    path = bag(tmp_path / "two", StoragePlugin.MCAP, {"/joint_states": states, "/arm/joint_trajectory": points})
    with pytest.raises(UnreadableRecording, match="--topic; it holds /arm/joint_trajectory, /joint_states"):
        read(path, ALL)
    (stream,) = read(path, dataclasses.replace(ALL, topic="joint_states"))
    assert (stream.positions[:, [stream.names.index(name) for name in JOINT_NAMES]] == q).all()
    assert stream.stamps_ps[-1] == 199 * 2 * PERIOD_PS
    (stream,) = read(path, dataclasses.replace(ALL, likely="/arm/joint_trajectory"))
    assert stream.names == JOINT_NAMES[:7]


def test_every_trajectory_of_several_points_is_a_stretch(tmp_path: Path) -> None:
    q = smooth()[:, :7]
    chunks = [
        trajectory(10**15 + i * 10**7, [*JOINT_NAMES[:7]], [(k * 4_000_000, q[i + k]) for k in range(20)])
        for i in range(9)
    ]
    (stream,) = read(bag(tmp_path / "chunks", StoragePlugin.MCAP, {"/t": chunks}), ALL)
    assert stream.starts == tuple(range(0, 180, 20))
    assert (stream.positions[20:40] == q[1:21]).all()


def test_a_bag_of_another_arm_or_of_nothing_says_what_to_do(tmp_path: Path) -> None:
    path = bag(tmp_path / "other", StoragePlugin.MCAP, {"/t": [joint_state(1, ["wheel"], np.zeros(1))]})
    with pytest.raises(UnreadableRecording, match="topic /t names none of the joints joint1, .* of that arm"):
        read(path, ALL)
    (tmp_path / "noise.mcap").write_bytes(b"\x89MCAP0\r\nnot really")
    with pytest.raises(UnreadableRecording, match="noise.mcap: not a readable rosbag2"):
        read(tmp_path / "noise.mcap", ALL)


def test_trajectories_with_velocities_are_judged_by_what_a_controller_executes(tmp_path: Path) -> None:
    names = [*JOINT_NAMES[:7]]
    messages = [trajectory(10**15 - 10**9, names, [(400_000_000, HOME[:7])], 0.0)]  # the entry
    for i in range(30):
        points = [(k * 4_000_000, HOME[:7] + 0.001 * (i + k)) for k in range(20)]
        messages.append(trajectory(10**15 + i * 4_000_000, names, points, 0.25))
    (stream,) = read(bag(tmp_path / "bag", StoragePlugin.MCAP, {"/t": messages}), ALL)
    assert stream.names == JOINT_NAMES[:7] and stream.starts == (0,)
    assert (np.diff(stream.stamps_ps) == 2 * 10**9).all()
    assert np.diff(stream.positions, axis=0) == pytest.approx(0.0005)
