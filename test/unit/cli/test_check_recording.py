"""`vla-ros check-recording`: exit codes, what is printed, and one line for what cannot be read."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from rosbags.rosbag2 import StoragePlugin

from test.unit.oracle.recordings.written import array, bag, check, csv, smooth
from vla_ros.cli.main import main


def test_a_good_and_a_bad_table(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, out, _ = check(capsys, str(csv(tmp_path / "good.csv", smooth())))
    assert code == 0, out
    assert "within every limit" in out
    q = smooth()
    q[100:, 3] += 0.5
    code, out, _ = check(capsys, str(csv(tmp_path / "bad.csv", q)), "--json", str(tmp_path / "findings.json"))
    assert code == 1
    (report,) = json.loads((tmp_path / "findings.json").read_text())["streams"]
    worst = {each["quantity"]: each for each in report["findings"] if each["who"] == "joint4"}
    assert worst["velocity"]["value"] == pytest.approx(125.0)
    assert worst["velocity"]["time_s"] == pytest.approx(0.4)
    assert any(line.startswith("! velocity       joint4") for line in out.splitlines())


@pytest.mark.parametrize("plugin", [StoragePlugin.SQLITE3, StoragePlugin.MCAP])
def test_a_good_and_a_bad_bag(tmp_path: Path, capsys: pytest.CaptureFixture[str], plugin: StoragePlugin) -> None:
    q = smooth()
    code, out, _ = check(capsys, str(bag(tmp_path / "good", plugin, {"/commands": [array(row) for row in q]})))
    assert code == 0, out
    assert "topic /commands" in out
    q[50] = np.inf
    messages = [array(row[:5] if i == 9 else row) for i, row in enumerate(q)]
    code, out, _ = check(capsys, str(bag(tmp_path / "bad", plugin, {"/commands": messages})))
    assert code == 1
    assert "position inf is not finite: joint1, 1×" in out
    assert "not one position per joint: all joints, 1×" in out


def test_the_screen_can_have_json(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["check-recording", str(csv(tmp_path / "good.csv", smooth())), "--json", "-"])
    assert (ended.value.code, json.loads(capfd.readouterr().out)["broken"]) == (0, False)


def test_faults_of_a_table_are_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    q = smooth()
    q[7, 2] = np.nan
    code, out, _ = check(capsys, str(csv(tmp_path / "nan.csv", q)))
    assert code == 1
    assert "position nan is not finite: joint3, 1×, first at 0.028 s" in out
    path = csv(tmp_path / "cut.csv", smooth())
    path.write_text(path.read_text()[:-30])
    code, out, _ = check(capsys, str(path))
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
    code, out, _ = check(capsys, str(path))
    assert code == 1
    assert "judge with --period" in out
    code, out, _ = check(capsys, str(path), "--period", "0.004")
    assert code == 0, out


def test_other_unreadable_things_say_why(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "folder").mkdir()
    (tmp_path / "noise.mcap").write_bytes(b"\x89MCAP0\r\nnot really")
    (tmp_path / "bytes.csv").write_bytes(b"\xff\xfe\x00")
    good = str(csv(tmp_path / "good.csv", smooth()))
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
        code, out, err = check(capsys, *arguments)
        assert (code, out) == (2, "")
        assert said in err
        assert err.count("\n") == 1
