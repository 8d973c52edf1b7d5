"""`vla-ros serve`: what is wrong is refused in one line before anything listens; it listens, and Ctrl-C ends it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from vla_ros.cli import main


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--host", "0.0.0.0"], "vla-ros: --host 0.0.0.0: other machines reach this address; give --api-key-file"),
        (["--policy", "nobody"], "vla-ros: policy: there is no 'nobody'"),
        (["--robot", "nobody"], "vla-ros: robot: there is no 'nobody'"),
        (["--robot", "franka"], "vla-ros: --urdf: required"),
        (["--api-key-file", "/nowhere"], "vla-ros: --api-key-file: /nowhere: No such file or directory"),
        (["--camera-info", "front"], "vla-ros: --camera-info: 'front' must be camera=FILE"),
        (["--checkpoint", "x"], "vla-ros: checkpoint: policy 'scripted' has none"),
        (["--rate", "0"], "vla-ros: --rate: must be 1 to 1000 rows per second, got 0"),
        (["--clients", "0"], "vla-ros: --clients: must be at least 1"),
        (["--port", "70000"], "vla-ros: --port: must be 0 to 65535"),
    ],
)
def test_what_is_wrong_is_refused_in_one_line(
    arguments: list[str], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        main.main(["serve", "--policy", "scripted", *arguments])
    assert ended.value.code == main.REFUSED
    errors = capsys.readouterr().err
    assert errors.startswith(said) and errors.count("\n") == 1


def test_a_port_in_use_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    import socket

    with socket.create_server(("127.0.0.1", 0)) as taken, pytest.raises(SystemExit) as ended:
        main.main(["serve", "--policy", "scripted", "--port", str(taken.getsockname()[1])])
    assert ended.value.code == main.REFUSED
    assert "address already in use" in capsys.readouterr().err


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_it_listens_and_ctrl_c_ends_it(tmp_path: Path, number: int) -> None:
    (tmp_path / "key").write_text("s3cret\n")
    command = [sys.executable, "-m", "vla_ros.cli", "serve", "--policy", "scripted", "--port", "0"]
    command += ["--api-key-file", str(tmp_path / "key")]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    assert process.stdout is not None
    try:
        line = process.stdout.readline()
        assert line.startswith("vla_ros: scripted for joint1, joint2") and "on ws://127.0.0.1:" in line
        assert "s3cret" not in line
        os.kill(process.pid, number)
        rest, _ = process.communicate(timeout=120)
    finally:
        process.kill()
    assert process.returncode == 0 and "Traceback" not in rest
