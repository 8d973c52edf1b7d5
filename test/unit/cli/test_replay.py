"""vla-ros replay: its exit codes and the line that it prints."""

from __future__ import annotations

from pathlib import Path

import pytest

from test.unit.safety.audit.logs import adventure, recorded
from test.unit.safety.conftest import Bench
from vla_ros.cli.main import main
from vla_ros.safety.audit.record import files


@pytest.fixture
def log(tmp_path: Path) -> Path:
    """A folder with one closed file."""
    bench = Bench({})
    direct = recorded(bench, tmp_path / "log")
    adventure(bench)
    direct.close()
    return tmp_path / "log"


@pytest.mark.parametrize("content", [b"", b"host"])
def test_what_is_no_log_is_no_perfect_replay(
    tmp_path: Path, content: bytes, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "some.vlalog"
    path.write_bytes(content)
    with pytest.raises(SystemExit) as ended:
        main(["replay", str(path)])
    assert ended.value.code == 2
    assert "not one whole record" in capsys.readouterr().err


def test_the_program_replays(log: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["replay", str(log)])
    assert ended.value.code == 0
    assert "the same to the bit" in capsys.readouterr().out
    (path,) = files(log)
    whole = bytearray(path.read_bytes())
    whole[-40] ^= 1
    path.write_bytes(bytes(whole))
    with pytest.raises(SystemExit) as ended:
        main(["replay", str(log)])
    assert ended.value.code == 1
    assert "has been damaged" in capsys.readouterr().out


def replayed(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str, str]:
    with pytest.raises(SystemExit) as ended:
        main(["replay", *arguments])
    out, err = capsys.readouterr()
    return int(ended.value.code or 0), out, err


def test_it_says_what_is_covered_what_was_latched_and_what_is_missing(
    log: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    bench = Bench({})
    direct = recorded(bench, log)
    bench.armed().tick(20)
    direct.close()
    code, out, _ = replayed(capsys, str(log))
    assert code == 0
    assert "covers from 20" in out and "(files 1 to 2)" in out
    assert "ESTOP by estop: e-stop by test" in out
    files(log)[0].unlink()
    code, out, _ = replayed(capsys, str(log))
    assert code == 1
    assert "files are missing that no filter has deleted: number 1" in out


def test_the_parameters_are_compared_with_a_configuration(log: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, out, _ = replayed(capsys, str(log))
    assert code == 0
    assert "the log has command.delay_s = 0.022, the configuration of sim now 0.004" in out
    code, out, _ = replayed(capsys, str(log), "--robot", "franka")
    assert code == 1, "asked for, they are to be the same"
    assert "the configuration of franka now" in out
    code, _, err = replayed(capsys, str(log), "--robot", "no_such_robot")
    assert code == 2 and "no_such_robot" in err
