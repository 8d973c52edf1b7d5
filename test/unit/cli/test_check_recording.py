"""`vla-ros audit` on recordings of every kind: exit codes, what is printed, and one line for what cannot be read."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from rosbags.rosbag2 import StoragePlugin, Writer
from rosbags.typesys import Stores, get_typestore

from vla_ros.cli import main
from vla_ros.sim.arm_description import HOME, JOINT_NAMES
from vla_ros.sim.controller import SimulatedController

Array = NDArray[np.float64]
STORE = get_typestore(Stores.ROS2_JAZZY)
T = STORE.types


def audit(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str, str]:
    with pytest.raises(SystemExit) as stopped:
        main.main(["audit", *arguments])
    assert isinstance(stopped.value.code, int)
    out, err = capsys.readouterr()
    return stopped.value.code, out, err


def smooth(count: int = 200) -> Array:
    """A gentle wave of joint 1 around home."""
    q = np.tile(HOME, (count, 1))
    q[:, 0] += 0.1 * (1 - np.cos(3.0 * 0.004 * np.arange(count))) ** 2
    return q


def table(path: Path, q: Array, period_s: float = 0.004, header: str = "") -> str:
    lines = [header or "time," + ",".join(JOINT_NAMES)]
    lines += [",".join([f"{1e9 + i * period_s:.6f}", *map(repr, map(float, row))]) for i, row in enumerate(q)]
    path.write_text("\n".join(lines) + "\n")
    return str(path)


def test_a_good_and_a_bad_table(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, out, _ = audit(capsys, table(tmp_path / "good.csv", smooth()))
    assert code == 0, out
    assert "within every limit" in out
    q = smooth()
    q[100:, 3] += 0.5
    code, out, _ = audit(capsys, table(tmp_path / "bad.csv", q), "--json", str(tmp_path / "findings.json"))
    assert code == 1
    (report,) = json.loads((tmp_path / "findings.json").read_text())["streams"]
    worst = {each["quantity"]: each for each in report["findings"] if each["who"] == "joint4"}
    assert worst["velocity"]["value"] == pytest.approx(125.0)
    assert worst["velocity"]["time_s"] == pytest.approx(0.4)
    assert any(line.startswith("! velocity       joint4") for line in out.splitlines())


def test_the_screen_can_have_json(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, out, _ = audit(capsys, table(tmp_path / "good.csv", smooth()), "--json", "-")
    assert (code, json.loads(out)["broken"]) == (0, False)


def test_some_joints_are_enough(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, out, _ = audit(capsys, table(tmp_path / "two.csv", smooth()[:, [0, 3, 0]], header="t,joint1,joint4,wheel"))
    assert code == 0, out
    assert "no limits are known: wheel" in out


def test_faults_of_a_table_are_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    q = smooth()
    q[7, 2] = np.nan
    code, out, _ = audit(capsys, table(tmp_path / "nan.csv", q))
    assert code == 1
    assert "position nan is not finite: joint3, 1×, first at 0.028 s" in out
    path = Path(table(tmp_path / "cut.csv", smooth()))
    path.write_text(path.read_text()[:-30])
    code, out, _ = audit(capsys, str(path))
    assert code == 0, out
    assert "ends in a line that is cut off (line 201)" in out


def test_jitter_of_reception_is_no_jerk_when_the_period_is_said(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    lines = ["time,joint1"]
    late = np.random.default_rng(1).uniform(0.0, 1e-3, 200)
    lines += [f"{i * 0.004 + late[i]:.6f},{row[0]!r}" for i, row in enumerate(smooth().tolist())]
    path = tmp_path / "jitter.csv"
    path.write_text("\n".join(lines) + "\n")
    code, out, _ = audit(capsys, str(path))
    assert code == 1
    assert "judge with --period" in out
    code, out, _ = audit(capsys, str(path), "--period", "0.004")
    assert code == 0, out


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "the header must name"),
        ("time,a,b\n0,1,2\n", "it names a, b"),
        ("time,joint1\n", "no samples"),
        ("time,joint1\n0,x\n1,2\n", ":2: not 2 numbers"),
        ("time,joint1\n0,1,2\n1,2\n", ":2: not 2 numbers"),
        ("time,joint1\nnan,1\n1,2\n", ":2: not 2 numbers"),
    ],
)
def test_unreadable_tables_say_why(tmp_path: Path, capsys: pytest.CaptureFixture[str], text: str, said: str) -> None:
    path = tmp_path / "broken.csv"
    path.write_text(text)
    code, out, err = audit(capsys, str(path))
    assert (code, out) == (2, "")
    assert said in err
    assert err.count("\n") == 1


def test_other_unreadable_things_say_why(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "folder").mkdir()
    (tmp_path / "noise.mcap").write_bytes(b"\x89MCAP0\r\nnot really")
    (tmp_path / "bytes.csv").write_bytes(b"\xff\xfe\x00")
    good = table(tmp_path / "good.csv", smooth())
    for arguments, said in (
        (["missing.csv"], "no such file"),
        ([str(tmp_path / "folder")], "not a readable rosbag2"),
        ([str(tmp_path / "noise.mcap")], "not a readable rosbag2"),
        ([str(tmp_path / "bytes.csv")], "bytes.csv"),
        ([good, "--signal", "wish"], "--signal wish: there are command, setpoint, measured"),
        ([good, "--period", "-1"], "--period"),
        ([good, "--urdf", "missing.urdf"], "missing.urdf"),
        ([good, "--robot", "nobody"], "nobody"),
        ([good, "--robot", "franka"], "--urdf"),
    ):
        code, out, err = audit(capsys, *arguments)
        assert (code, out) == (2, "")
        assert said in err
        assert err.count("\n") == 1


def test_the_log_of_the_simulated_controller(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    log = tmp_path / "controller.csv"
    controller = SimulatedController(HOME, 0.1, str(log))
    for i, q in enumerate(smooth()):
        if i != 50:  # a tick without a command is no sample of the stream of commands
            controller.command(q.tolist())
        controller.tick(i * 0.004, q)
    controller.close()
    code, out, _ = audit(capsys, str(log))
    assert code == 0, out
    assert out.startswith("199 samples of 8 joints")
    for signal in ("setpoint", "measured"):
        _, out, _ = audit(capsys, str(log), "--signal", signal)
        assert out.startswith("200 samples of 8 joints")
        assert f"signal {signal}" in out


def bag(path: Path, plugin: StoragePlugin, topics: dict[str, list[Any]]) -> str:
    """A rosbag2 whose messages were received 4 ms apart."""
    with Writer(path, version=9, storage_plugin=plugin) as writer:
        for topic, messages in topics.items():
            connection = writer.add_connection(topic, messages[0].__msgtype__, typestore=STORE)
            for i, message in enumerate(messages):
                writer.write(connection, 10**18 + i * 4_000_000, STORE.serialize_cdr(message, message.__msgtype__))
    return str(path)


def stamp(ns: int) -> Any:
    return T["builtin_interfaces/msg/Time"](sec=ns // 10**9, nanosec=ns % 10**9)


def array(positions: Array) -> Any:
    layout = T["std_msgs/msg/MultiArrayLayout"](dim=[], data_offset=0)
    return T["std_msgs/msg/Float64MultiArray"](layout=layout, data=np.array(positions))


def joint_state(ns: int, names: list[str], positions: Array) -> Any:
    header = T["std_msgs/msg/Header"](stamp=stamp(ns), frame_id="")
    none = np.array([])
    return T["sensor_msgs/msg/JointState"](header, names, np.array(positions), none, none)


def trajectory(ns: int, names: list[str], points: list[tuple[int, Array]]) -> Any:
    header, none = T["std_msgs/msg/Header"](stamp=stamp(ns), frame_id=""), np.array([])
    kind, duration = T["trajectory_msgs/msg/JointTrajectoryPoint"], T["builtin_interfaces/msg/Duration"]
    rows = [kind(np.array(q), none, none, none, duration(sec=0, nanosec=after)) for after, q in points]
    return T["trajectory_msgs/msg/JointTrajectory"](header, names, rows)


@pytest.mark.parametrize("plugin", [StoragePlugin.SQLITE3, StoragePlugin.MCAP])
def test_bags_of_arrays(tmp_path: Path, capsys: pytest.CaptureFixture[str], plugin: StoragePlugin) -> None:
    q = smooth()
    path = bag(tmp_path / "good", plugin, {"/commands": [array(row) for row in q]})
    (single,) = [file for file in Path(path).iterdir() if file.suffix in (".mcap", ".db3")]
    for file in (path, str(single)):
        code, out, _ = audit(capsys, file)
        assert code == 0, out
        assert "topic /commands" in out
    q[50] = np.inf
    messages = [array(row[:5] if i == 9 else row) for i, row in enumerate(q)]
    code, out, _ = audit(capsys, bag(tmp_path / "bad", plugin, {"/commands": messages}))
    assert code == 1
    assert "position inf is not finite: joint1, 1×" in out
    assert "not one position per joint: all joints, 1×" in out


def test_bags_of_named_joints(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Names in any order, two topics to choose from, stamps of the header instead of those of reception."""
    q, names = smooth(), [*JOINT_NAMES]
    order = list(reversed(range(8)))
    states = [joint_state(10**15 + i * 8_000_000, [names[j] for j in order], row[order]) for i, row in enumerate(q)]
    points = [trajectory(0, names[:7], [(4_000_000, row[:7])]) for row in q]
    path = bag(tmp_path / "two", StoragePlugin.MCAP, {"/joint_states": states, "/arm/joint_trajectory": points})
    code, _, err = audit(capsys, path)
    assert (code, err.count("\n")) == (2, 1)
    assert "--topic; it holds /arm/joint_trajectory, /joint_states" in err
    code, out, _ = audit(capsys, path, "--topic", "joint_states")
    assert code == 0, out
    assert "1.592 s" in out
    code, out, _ = audit(capsys, path, "--topic", "/arm/joint_trajectory")
    assert code == 0, out
    assert "clearances are not judged: the stream lacks finger_joint" in out
    assert "200 messages carry no stamp" in out


def test_every_trajectory_of_several_points_is_judged_by_itself(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    q = smooth()[:, :7]
    chunks = [
        trajectory(10**15 + i * 10**7, [*JOINT_NAMES[:7]], [(k * 4_000_000, q[i + k]) for k in range(20)])
        for i in range(9)
    ]
    code, out, _ = audit(capsys, bag(tmp_path / "chunks", StoragePlugin.MCAP, {"/t": chunks}))
    assert code == 0, out
    assert "180 samples of 7 joints, 9 stretches" in out
