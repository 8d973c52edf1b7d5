"""`vla-ros check` prints the table and ends with 0, 1 or 2."""

from __future__ import annotations

from pathlib import Path

import pytest

from test.unit.policies.lerobot.folders import write_folder
from test.unit.policies.lerobot.registered import BOUND
from vla_ros.cli.main import main
from vla_ros.policies import registry


@pytest.fixture(autouse=True)
def bound(monkeypatch: pytest.MonkeyPatch) -> None:
    """Register a policy that binds checkpoints under the name that LeRobot's folders are played by."""
    monkeypatch.setitem(registry.POLICIES, "lerobot", BOUND)  # type: ignore[arg-type]
    monkeypatch.setitem(registry.POLICIES, "bound", BOUND)  # type: ignore[arg-type]


def run(*arguments: str) -> int:
    with pytest.raises(SystemExit) as ended:
        main(["check", *arguments])
    assert isinstance(ended.value.code, int)
    return ended.value.code


def rate(tmp_path: Path, policy: str = "lerobot", text: str = "rate_hz: 50.0") -> str:
    file = tmp_path / "mine.yaml"
    file.write_text(f"/**: {{ros__parameters: {{{policy}: {{binding: {{{text}}}}}}}}}")
    return str(file)


def test_a_checkpoint_that_fits(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = write_folder(tmp_path / "ckpt")
    assert run(str(folder), "--config", rate(tmp_path)) == 0
    out = capsys.readouterr().out
    assert "mapped" in out and "ok" in out and "refused" not in out
    assert "observation.images.front" in out and "front, 256x256" in out


def test_what_is_refused_is_followed_by_what_to_write(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = write_folder(tmp_path / "ckpt", cameras=("observation.images.top",))
    assert run(str(folder), "--policy", "bound") == 1
    lines = capsys.readouterr().out.splitlines()
    assert "rate: write binding.rate_hz: the frames per second of the data that it was trained on" in lines
    assert any(line.startswith("camera observation.images.top: write binding.cameras: [") for line in lines)


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        (["{}/nowhere"], "nowhere: there is no such folder"),
        (["{}", "--robot", "hal"], "robot: there is no 'hal'"),
        (["{}", "--policy", "magic"], "policy: there is no 'magic'"),
        (["{}", "--policy", "scripted"], "checkpoint: policy 'scripted' has none; leave it out"),
        ([], "CHECKPOINT: name a folder, or a policy that needs none: --policy remote"),
        (["--policy", "bound"], "bound.checkpoint: which one? Name its folder"),
        (["--policy", "classical"], "classical binds nothing to a robot; choose another --policy"),
        (["{}", "--policy", "remote"], "checkpoint: policy 'remote' has none; leave it out"),
        (["{}", "--config", "{}/nowhere.yaml"], "nowhere.yaml: No such file"),
        (["{}", "--urdf", "{}/nowhere.urdf"], "nowhere.urdf"),
    ],
)
def test_what_cannot_be_read_is_one_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], arguments: list[str], text: str
) -> None:
    folder = write_folder(tmp_path / "ckpt")
    assert run(*(argument.format(folder) for argument in arguments)) == 2
    error = capsys.readouterr().err
    assert error.startswith("vla-ros: ") and text in error and error.count("\n") == 1


def test_a_server_is_checked_without_a_folder(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    fits = rate(tmp_path, "remote", 'rate_hz: 50.0, cameras: ["observation/image=front"]')
    assert run("--policy", "remote", "--config", fits) == 0
    assert "openpi server ws://127.0.0.1:8000" in capsys.readouterr().out
    assert run("--policy", "remote", "--config", rate(tmp_path, "remote", "rate_hz: 50.0")) == 1
    assert 'write binding.cameras: ["observation/image=front"]' in capsys.readouterr().out


def test_a_format_that_only_a_policy_can_read_is_said(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "config.json").write_text('{"model_type": "pi0"}')
    assert run(str(tmp_path), "--policy", "bound") == 2
    assert "bound binds no such checkpoint to a robot; choose another --policy" in capsys.readouterr().err
